"""Tables as files: encoding, delimiter, quotes and row numbers. Read as a stream, once to check and once to use."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Literal

from app.services.files import Row

DELIMITERS = {"tab": "\t", "comma": ",", "semicolon": ";", "pipe": "|"}
_SUFFIXES = {".tsv": "\t", ".tab": "\t"}


class Unreadable(Exception):
    """A file that can't be read as a table, and what to do about it."""

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.remedy = remedy


@dataclass(frozen=True, slots=True)
class TableFile:
    """A file, how it is written, its header, and how many records and blank lines follow."""

    path: Path
    encoding: str
    delimiter: str
    quotes: bool
    comment: str | None
    header: tuple[str, ...]
    records: int
    blank: int

    def rows(self) -> Iterator[Row]:
        """Every record after the header, as a stream."""
        records = _records(self.path, self.encoding, self.delimiter, self.quotes, self.comment)
        yield from islice((record for record in records if record.cells), 1, None)


def open_table(
    path: Path,
    fits: Callable[[Sequence[str]], int],
    *,
    encoding: str = "utf-8-sig",
    comment: str | None = None,
    delimiter: str | None = None,
    quotes: bool = True,
) -> TableFile:
    """Look at the whole file once. fits: how many columns of a header are known; it tells the delimiter."""
    try:
        if encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig"):
            encoding = _by_mark(path)
        delimiter = delimiter or _delimiter(path, encoding, comment, fits, quotes)
        try:
            return _look(path, encoding, delimiter, quotes, comment)
        except (csv.Error, Unreadable):
            # Tab-separated exports often hold quotes that quote nothing.
            if not quotes or delimiter != "\t":
                raise
            return _look(path, encoding, delimiter, False, comment)
    except OSError as error:
        raise Unreadable(f"{path} can't be read: {error.strerror}") from error
    except LookupError as error:
        raise Unreadable(f"there is no encoding {encoding}", "utf-8, cp1252, latin-1, utf-16 ...") from error
    except UnicodeError as error:
        at = f" at byte {error.start}" if isinstance(error, UnicodeDecodeError) else ""
        remedy = "say how it is written: --encoding cp1252, --encoding utf-16 ..."
        raise Unreadable(f"{path} is not {encoding.removesuffix('-sig')}{at}", remedy) from error
    except csv.Error as error:
        remedy = "close the quote; or --no-quotes, where quotes are plain characters of the text"
        raise Unreadable(f"{path} can't be read as a table: {error}", remedy) from error


def _by_mark(path: Path) -> str:
    """UTF-8, unless the file's first bytes are the mark of UTF-16."""
    with path.open("rb") as file:
        return "utf-16" if file.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8-sig"


def _lines(path: Path, encoding: str, comment: str | None) -> Iterator[tuple[bool, str]]:
    """Each line, and whether it belongs to the table: leading comment lines do not."""
    leading = comment is not None
    with path.open(encoding=encoding, newline="") as file:
        for line in file:
            leading = leading and (line.startswith(comment or "\0") or not line.strip())
            yield not leading, line


def _quoting(quotes: bool) -> Literal[0, 3]:
    return csv.QUOTE_MINIMAL if quotes else csv.QUOTE_NONE


def _records(path: Path, encoding: str, delimiter: str, quotes: bool, comment: str | None) -> Iterator[Row]:
    """Header and records. A blank line is a Row without cells. number counts as a spreadsheet does."""
    skipped = sum(1 for _ in _leading(path, encoding, comment))
    lines = (line for inside, line in _lines(path, encoding, comment) if inside)
    quoting = _quoting(quotes)
    reader = csv.reader(lines, delimiter=delimiter, quoting=quoting, strict=True)
    begins, number = skipped + 1, skipped
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise csv.Error(f"{error}, in the record that begins at line {begins}") from error
        if cells is None:
            return
        number += 1
        if quotes and delimiter == "\t" and any("\n" in cell and "\t" in cell for cell in cells):
            raise csv.Error(f"a quote opened at line {begins} runs over tabs and line ends")
        blank = len(cells) <= 1 and not "".join(cells).strip()
        yield Row(number, begins, () if blank else tuple(cells))
        begins = skipped + reader.line_num + 1


def _leading(path: Path, encoding: str, comment: str | None) -> Iterator[str]:
    for inside, line in _lines(path, encoding, comment):
        if inside:
            return
        yield line


def _delimiter(
    path: Path, encoding: str, comment: str | None, fits: Callable[[Sequence[str]], int], quotes: bool
) -> str:
    """The delimiter under which most columns of the header are known; the suffix decides between equals."""
    first = next((line for inside, line in _lines(path, encoding, comment) if inside and line.strip()), "")
    if "\0" in first:
        raise Unreadable(f"{path} holds NUL characters", "it may be UTF-16: say --encoding utf-16")
    best = _SUFFIXES.get(path.suffix.lower(), ",")
    known = -1
    for delimiter in (best, *(each for each in DELIMITERS.values() if each != best)):
        quoting = _quoting(quotes)
        found = fits(next(csv.reader([first], delimiter=delimiter, quoting=quoting), []))
        if found > known:
            best, known = delimiter, found
    return best


def _look(path: Path, encoding: str, delimiter: str, quotes: bool, comment: str | None) -> TableFile:
    header: tuple[str, ...] | None = None
    records = blank = 0
    for record in _records(path, encoding, delimiter, quotes, comment):
        if not record.cells:
            blank += 1
        elif header is None:
            header = tuple(record.cells)
        else:
            records += 1
    if header is None:
        raise Unreadable(f"{path} holds no header", "the first line names the columns")
    return TableFile(path, encoding, delimiter, quotes, comment, header, records, blank)
