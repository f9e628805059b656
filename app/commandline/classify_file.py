"""herald classify-file: every row of a table answered, what is wrong told row by row, nothing dropped."""

from __future__ import annotations

import contextlib
import csv
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.text import Text

from app.commandline.tables import DELIMITERS, TableFile, Unreadable, open_table
from app.commandline.terminal import console, fail, grid, refuse
from app.domain.codes import EDITIONS
from app.interop.mapping import read_mapping
from app.interop.tabular import FIELDS, PROBLEM, SHORT, Bound, Layout, answer_header, known_columns, nearest
from app.services.files import Answered, answer_rows, layout_of, mapping_names, mapping_text

_GUIDE = "docs/file-mapping.md tells how a mapping is written"


@dataclass
class Counts:
    """What became of the rows."""

    rows: int = 0
    final: int = 0
    noted: int = 0
    status: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)

    def add(self, answered: Answered) -> None:
        self.rows += 1
        self.status[answered.status] += 1
        self.final += bool(answered.answer and answered.answer["final"])
        self.noted += any(each.noted for each in answered.problems)
        if answered.status == "invalid":
            self.codes.update({each.problem.code for each in answered.problems if not each.noted})


def classify_file(
    file: Annotated[Path, typer.Argument(help="A table: .csv, .tsv, or another suffix with a header line.")],
    mapping: Annotated[
        str | None, typer.Option(help="A mapping file (TOML), or the name of one that comes with Herald.")
    ] = None,
    out: Annotated[Path | None, typer.Option(help="The answered table. [default: FILE's name with .answers]")] = None,
    problems: Annotated[Path | None, typer.Option(help="One line a problem. [default: with .problems]")] = None,
    edition: Annotated[str | None, typer.Option(help="The edition for all rows; asco-cap-2018 if not said.")] = None,
    encoding: Annotated[
        str, typer.Option(help="How the file is written, where not UTF-8: cp1252, utf-16 ...")
    ] = "utf-8",
    delimiter: Annotated[
        str | None, typer.Option(help="tab, comma, semicolon or pipe, where it can't be told.")
    ] = None,
    quotes: Annotated[bool, typer.Option(help="Whether quotes enclose cells, or are plain characters.")] = True,
) -> None:
    """Classify every row of a table. Invalid rows stay in the output; exit code 2 only if the file can't be read."""
    text, layout = _mapping(mapping)
    if edition is not None and edition not in EDITIONS:
        fail(f"there is no edition {edition}", f"use one of {', '.join(EDITIONS)}")
    if delimiter is not None and delimiter not in DELIMITERS:
        fail(f"{delimiter} is not a delimiter", f"use one of {', '.join(DELIMITERS)}")
    out, problems = out or _beside(file, "answers"), problems or _beside(file, "problems")
    if len({path.resolve() for path in (file, out, problems)}) < 3:
        fail("FILE, --out and --problems must be three different files")
    try:
        table = open_table(
            file,
            lambda header: known_columns(layout, header),
            encoding=encoding,
            comment=layout.comment if layout else None,
            delimiter=DELIMITERS.get(delimiter or ""),
            quotes=quotes,
        )
        bound = layout_of(text, table.header, edition)
        if not isinstance(bound, Bound):
            refuse(f"{file} does not fit {f'the mapping {mapping}' if mapping else 'without a mapping'}:", bound)
        counts = _write(table, bound, out, problems)
    except Unreadable as error:
        fail(str(error), error.remedy)
    _tell(table, bound, counts, out, problems, mapping)
    if counts.rows != table.records:
        fail(f"{table.records} rows were read and {counts.rows} answered: this is an error of Herald", code=1)


def _mapping(named: str | None) -> tuple[str | None, Layout | None]:
    """The mapping's text, and its layout; every mistake in it is told."""
    if named is None:
        return None, None
    text = mapping_text(named)
    if text is None:
        try:
            text = Path(named).read_text("utf-8-sig")
        except OSError as error:
            known = ", ".join(mapping_names())
            fail(f"the mapping {named} can't be read: {error.strerror}", f"give a file, or one of: {known}")
        except UnicodeDecodeError:
            fail(f"the mapping {named} is not UTF-8", _GUIDE)
    layout = read_mapping(text)
    if not isinstance(layout, Layout):
        refuse(f"The mapping {named} can't be used ({_GUIDE}):", layout)
    return text, layout


def _beside(file: Path, word: str) -> Path:
    return file.with_name(f"{file.stem}.{word}{file.suffix or '.csv'}")


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    """A file that appears whole or not at all."""
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", text=True)
    except OSError as error:
        raise Unreadable(f"{path} can't be written: {error.strerror}") from error
    try:
        with open(handle, "w", encoding="utf-8", newline="") as file:
            yield file
        os.chmod(name, 0o666 & ~_umask())
        os.replace(name, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def _writer(file: TextIO, path: Path) -> Any:
    return csv.writer(file, delimiter="\t" if path.suffix.lower() in (".tsv", ".tab") else ",", lineterminator="\n")


def _write(table: TableFile, bound: Bound, out: Path, problems: Path) -> Counts:
    counts = Counts()
    with _replacing(out) as answers, _replacing(problems) as wrong, _progress(table.records) as advance:
        answer_lines, problem_lines = _writer(answers, out), _writer(wrong, problems)
        answer_lines.writerow(answer_header(bound))
        problem_lines.writerow(PROBLEM)
        for answered in answer_rows(table.rows(), bound):
            answer_lines.writerow(answered.cells(bound))
            problem_lines.writerows(answered.problem_lines())
            counts.add(answered)
            advance()
    return counts


@contextlib.contextmanager
def _progress(total: int) -> Iterator[Any]:
    """A bar on standard error, only where somebody looks at it."""
    columns = (TextColumn("rows"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("rows", total=total)
        yield lambda: bar.advance(task)


def _tell(table: TableFile, bound: Bound, counts: Counts, out: Path, problems: Path, mapping: str | None) -> None:
    told = console()
    invalid = counts.status["invalid"]
    lines = grid()
    lines.add_row("rows in", str(table.records))
    lines.add_row("rows out", str(counts.rows), "" if counts.rows == table.records else "NOT EQUAL")
    for status, number in counts.status.most_common():
        lines.add_row(f"  {status}", str(number))
    lines.add_row("final", str(counts.final))
    if invalid:
        why = ", ".join(f"{code} {number}" for code, number in counts.codes.most_common())
        lines.add_row("invalid", str(invalid), f"{why} (a row can have several)")
    if counts.noted:
        lines.add_row("answered with a note", str(counts.noted), "cells read as the mapping's `otherwise`")
    if table.blank:
        lines.add_row("blank lines", str(table.blank), "no rows: not answered")
    told.print(lines)
    told.print(Text(f"answers:  {out}\nproblems: {problems}"))
    warned = console(stderr=True)
    if bound.absent:
        warned.print(Text(f"not in the file, taken as not stated: {', '.join(bound.absent)}", style="yellow"))
    if bound.unused:
        warned.print(Text(f"in the file, not read: {', '.join(bound.unused)}", style="yellow"))
    if mapping is None and bound.carry:
        _tell_carried(warned, bound)
    if not table.quotes:
        warned.print(Text("quotes were read as plain characters", style="yellow"))


def _tell_carried(warned: Any, bound: Bound) -> None:
    """A misspelt field would be carried along unread: say which columns were."""
    names = [bound.header[at] for at in bound.carry]
    warned.print(Text(f"carried through, not read: {', '.join(names)}", style="yellow"))
    for name in names:
        if meant := nearest(name, (*SHORT, *FIELDS)):
            warned.print(Text(f"  {name}: {meant}", style="yellow"))
