"""Writes the pages that are made from the code: `make docs`. tests/house/test_generated.py holds them current.

One page for each edition, drawn from its tables as the paper's figures are: a crosstab for a figure of two inputs, a
row list for the others, each row with its place. Marks and readings link to docs/sources.md and docs/readings.md.
The answer that README shows is asked of the service itself. The pages of the evidence are tools/evidence_pages.py.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from fastapi.testclient import TestClient

from app import settings
from app.decision_table import Column, Row, Table
from app.domain import codes
from app.guidelines.editions import EDITIONS, Edition
from app.main import create_app
from tools import evidence_pages
from tools.markdown import MADE, grid

ROOT = Path(__file__).resolve().parents[1]

# Folders in which every page is made.
FOLDERS = ("docs/guidelines", evidence_pages.HOME)

_SOURCES = re.compile(r"\b([SCP])(\d+)(?:-[SCP](\d+))?\b")
_READINGS = re.compile(r"(?:readings?|sections?|\[R\]) (\d+(?:\.\d+)?(?:(?:, | and )\d+(?:\.\d+)?)*)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")


def pages() -> dict[str, str]:
    """Every generated page, by its name."""
    made = {f"docs/guidelines/{edition.id}.md": _edition(edition) for edition in EDITIONS.values()}
    made |= evidence_pages.pages()
    return made | {
        "docs/guidelines/README.md": _index(),
        "docs/codes.md": _codes(),
        "docs/settings.md": f"# Settings\n\n{MADE}\nRead from the environment once, at start.\n\n{settings.table()}",
    }


def anchors(path: Path) -> list[str]:
    """The places of a page that can be linked to."""
    return re.findall(r'<a id="([^"]+)"></a>', path.read_text())


def cited(place: str) -> set[str]:
    """The anchors in docs/readings.md and docs/sources.md that a row's place names."""
    found = {_reading(number) for text in _READINGS.findall(place) for number in _NUMBER.findall(text)}
    for kind, first, last in _SOURCES.findall(place):
        found |= {f"{kind.lower()}{number}" for number in range(int(first), int(last or first) + 1)}
    return found


def _reading(number: str) -> str:
    return f"r{number.replace('.', '-')}"


def _linked(place: str, home: str) -> str:
    """A place with its sources and readings as links."""

    def reading(match: re.Match[str]) -> str:
        return _NUMBER.sub(lambda n: f"[{n[0]}]({home}readings.md#{_reading(n[0])})", match[0])

    def source(match: re.Match[str]) -> str:
        return f"[{match[0]}]({home}sources.md#{match[1].lower()}{match[2]})"

    return _SOURCES.sub(source, _READINGS.sub(reading, place))


def _condition(text: str) -> str:
    return "" if text == "-" else f"`{text}`"


def _told(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(f"`{each}`" for each in value)
    return "" if value is None else str(value)


def _input(column: Column) -> str:
    kind = ", ".join(column.words) if column.words else "a number"
    return f"`{column.name}`: {kind}" + (", or missing" if column.missing else "")


def _sets(table: Table) -> dict[str, tuple[str, ...]]:
    """The named lists of words that the rows of a table use, read back from the cells that a row covers."""
    found: dict[str, tuple[str, ...]] = {}
    for row, cells in zip(table.rows, table.cells, strict=True):
        for column, (_, text), covered in zip(table.columns, row.conditions, cells, strict=True):
            parts = [part.strip() for part in text.split(",")]
            names = [part for part in parts if column.words and part != "-" and part not in column.words]
            if len(names) == 1:
                words = [column.words[cell] for cell in sorted(covered)]
                found[names[0]] = tuple(word for word in words if word not in parts)
    return found


def _table(table: Table) -> Iterator[str]:
    yield f'<a id="{table.name}"></a>\n'
    yield f"### {table.title}\n"
    yield f"`{table.name}` · {_linked(table.place, '../')}\n"
    if table.down_across:
        yield from _crosstab(table)
    else:
        places = any(row.place != table.place for row in table.rows)
        header = ["row", *table.inputs, *(f"**{name}**" for name in table.outputs), *(["place"] if places else [])]
        yield from grid(header, (_row(table, row, places) for row in table.rows))
    yield ""
    yield "Asks for " + "; ".join(map(_input, table.columns)) + "."
    for name, words in _sets(table).items():
        yield f"`{name}` is short for {', '.join(words)}."
    yield ""


def _row(table: Table, row: Row, places: bool) -> Iterator[str]:
    yield f"`{row.id}`" + (" (never reached)" if row.impossible else "")
    yield from (_condition(text) for _, text in row.conditions)
    yield from (_told(row[name]) for name in table.outputs)
    if places:
        yield _linked(row.place, "../")


def _crosstab(table: Table) -> Iterator[str]:
    (output,) = table.outputs
    words: dict[str, dict[str, str]] = {}
    for row in table.rows:
        (_, down), (_, across) = row.conditions
        words.setdefault(down, {})[across] = row[output]
    across_words = next(iter(words.values()))
    corner = " \\ ".join(table.inputs)
    yield from grid(
        [corner, *(f"`{word}`" for word in across_words)], ([f"`{d}`", *c.values()] for d, c in words.items())
    )


def _edition(edition: Edition) -> str:
    rows = sum(len(table.rows) for table in edition.tables)
    lines = [
        f"# {edition.title}\n",
        MADE,
        f"`{edition.id}`, errata level {edition.errata} of {edition.errata_date}, digest `{edition.digest}`.",
        f"{edition.source}.\n",
        *(f"- {note}" for note in edition.notes),
        f"\n{len(edition.tables)} tables, {rows} rows, in the order in which a case meets them. An empty cell holds",
        "for anything. [V S6] means seen in [source](../sources.md) S6, [K] not verified against the publication, [R]",
        "Herald's own [reading](../readings.md). A table without a column of places has one for all its rows.",
        "A word of a figure is looked up in [What a figure's word means](#outcomes).\n",
        "## Tables\n",
        *(f"- [{table.title}](#{table.name}) `{table.name}`" for table in edition.tables),
        "\n## The tables one by one\n",
        *(line for table in edition.tables for line in _table(table)),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _index() -> str:
    rows = (
        [f"[`{edition.id}`]({edition.id}.md)", edition.title, str(edition.errata), edition.errata_date]
        for edition in EDITIONS.values()
    )
    table = "\n".join(grid(["edition", "title", "errata level", "of"], rows))
    return f"# The editions as tables\n\n{MADE}\n{table}\n\nThe default is `{codes.DEFAULT_EDITION}`.\n"


_LISTS = {
    "status": codes.STATUSES,
    "her2_low": codes.HER2_LOW,
    "comment": codes.COMMENTS,
    "report_notes": codes.REPORT_NOTES,
    "notes": codes.NOTES,
    "retest": codes.RETEST,
    "next_steps, in the order of doing": codes.NEXT_STEPS,
    "flags and problems": codes.FLAGS,
    "problems of the document's shape": codes.SHAPE_PROBLEMS,
}


def _codes() -> str:
    lines = [
        f"# Codes\n\n{MADE}\nEvery word an answer can carry. Stable: part of the contract. Flags and problems share",
        "one vocabulary: with status invalid a code stands in `problems` with its field, otherwise in `flags`.\n",
    ]
    for title, listed in _LISTS.items():
        rows = ([f"`{code.code}`", code.text, _linked(code.source, "")] for code in listed.values())
        lines += [f"## {title}\n", *grid(["code", "meaning", "place"], rows), ""]
    lines += ["## ish_result\n", ", ".join(f"`{word}`" for word in codes.ISH_RESULTS) + ".\n"]
    switches = (
        [f"`{name}`", f"`{words[0]}`", ", ".join(f"`{word}`" for word in words[1:])]
        for name, words in codes.POLICY_SWITCHES.items()
    )
    lines += [
        "## policy\n",
        "What each switch decides stands in [readings](readings.md).\n",
        *grid(["switch", "default", "other"], switches),
    ]
    return "\n".join(lines) + "\n"


SHOWN = re.compile(
    r"(curl -s '[^/']+//[^/']+([^']+)' \| python3 -m json\.tool \| head -(\d+)\n```\n\n```json\n)(.*?)(?=```)", re.S
)


def readme(ask: Callable[[str], object]) -> str:
    """README with what the service answers now to each request that it shows."""

    def answered(match: re.Match[str]) -> str:
        lines = json.dumps(ask(match[2]), indent=4).splitlines()[: int(match[3])]
        return match[1] + "".join(f"{line}\n" for line in lines)

    return SHOWN.sub(answered, (ROOT / "README.md").read_text())


def main() -> None:
    made = pages()
    with tempfile.TemporaryDirectory() as folder:
        application = create_app(
            settings.Settings(database_url=f"sqlite:///{folder}/herald.sqlite3", log_level="error")
        )
        with TestClient(application) as client:
            made["README.md"] = readme(lambda path: client.get(path).json())
    for old in (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md")):
        if str(old.relative_to(ROOT)) not in made:
            old.unlink()
    for name, text in made.items():
        path = ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
