"""Tables as bytes: CSV, TSV, Excel and Parquet to a header and rows of texts, and back. Nothing of a cell is lost.

A number keeps the digits that its format shows (1.80 of Excel stays 1.80) and is never rounded to them.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import xlsxwriter

from app.domain.problems import Problem
from app.interop.workbook import first_sheet

CSV, TSV = "text/csv", "text/tab-separated-values"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET = "application/vnd.apache.parquet"
SUFFIXES = {".csv": CSV, ".tsv": TSV, ".tab": TSV, ".xlsx": XLSX, ".parquet": PARQUET}
_DELIMITERS = (",", ";", "\t", "|")
GUIDE = "see docs/file-mapping.md"


class Unreadable(Exception):
    """Bytes that are no table of the kind they are said to be; problem: what was wrong and what to send."""

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.problem = Problem("UNREADABLE", "file", message, f"{remedy}; {GUIDE}")


@dataclass(frozen=True, slots=True)
class Sheet:
    """A table. rows: (number, cells), numbered as a person counts, the header in row 1; blank rows are left out.

    delimiter and encoding: how a text was written, so that it is given back alike.
    """

    media_type: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    delimiter: str = ","
    encoding: str = "utf-8"


def read(data: bytes, media_type: str, known: Callable[[Sequence[str]], int] = len) -> Sheet:
    """The table in these bytes. known: how many columns of a header are known; it tells the delimiter of a CSV.

    Raises Unreadable; KeyError for a media type that is no table.
    """
    reader = {CSV: _text, TSV: _text, XLSX: _excel, PARQUET: _parquet}[media_type]
    return reader(data, media_type, known)


def write(sheet: Sheet) -> bytes:
    """The table in its own format, cells as texts; each row at its number, save in Parquet, which has no blank rows."""
    if sheet.media_type == XLSX:
        return _write_excel(sheet)
    if sheet.media_type == PARQUET:
        return _write_parquet(sheet)
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=sheet.delimiter, lineterminator="\n")
    writer.writerow(sheet.header)
    written = 1
    for number, cells in sheet.rows:
        for _ in range(written + 1, number):
            writer.writerow(())
        writer.writerow(cells)
        written = number
    return file.getvalue().encode(sheet.encoding)


# ---- text


def _text(data: bytes, media_type: str, known: Callable[[Sequence[str]], int]) -> Sheet:
    encoding = "utf-16" if data[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE) else "utf-8"
    if data.startswith(codecs.BOM_UTF8):
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        message = f"the text is not {encoding} at byte {error.start}"
        raise Unreadable(message, "save it as CSV UTF-8") from error
    if "\0" in text:
        raise Unreadable("the text holds NUL characters", "save it as CSV UTF-8")
    delimiter = "\t"
    if media_type == CSV:
        first = next((line for line in text.splitlines() if line.strip()), "")
        delimiter = max(_DELIMITERS, key=lambda each: known(next(csv.reader([first], delimiter=each), [])))
    return _sheet(media_type, _records(text, delimiter), delimiter, encoding)


def _records(text: str, delimiter: str) -> Iterable[Sequence[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            yield cells
            begins = reader.line_num + 1
    except csv.Error as error:
        message = f"the record that begins at line {begins} can't be read: {error}"
        raise Unreadable(message, "close every quote, and double a quote within quotes") from error


def _sheet(media_type: str, records: Iterable[Sequence[str]], delimiter: str = ",", encoding: str = "utf-8") -> Sheet:
    header: tuple[str, ...] = ()
    rows = []
    for number, cells in enumerate(records, 1):
        if not any(cell.strip() for cell in cells):
            continue
        if header:
            rows.append((number, tuple(cells)))
        else:
            header = tuple(cells)
    if not header:
        raise Unreadable("the file holds no header", "name the columns in the first row")
    return Sheet(media_type, header, tuple(rows), delimiter, encoding)


# ---- Excel


def _excel(data: bytes, media_type: str, known: Callable[[Sequence[str]], int]) -> Sheet:
    try:
        records = first_sheet(data)
    except Exception as error:
        message = "the workbook can't be read"
        raise Unreadable(message, "save it anew as an Excel workbook (.xlsx) without a password") from error
    return _sheet(media_type, records)


def _write_excel(sheet: Sheet) -> bytes:
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        page = book.add_worksheet("rows")
        for at, cells in [(1, sheet.header), *sheet.rows]:
            for column, cell in enumerate(cells):
                page.write_string(at - 1, column, cell)
        page.freeze_panes(1, 0)
    return file.getvalue()


# ---- Parquet


def _parquet(data: bytes, media_type: str, known: Callable[[Sequence[str]], int]) -> Sheet:
    from app.interop.parquet import read_columns

    read = read_columns(data)
    if read is None:
        message = "the Parquet file can't be read, or holds a column that is no text, number, date or truth value"
        raise Unreadable(message, "write plain columns, numbers best as texts or decimals")
    names, columns = read
    return _sheet(media_type, [names, *zip(*columns, strict=True)])


def _write_parquet(sheet: Sheet) -> bytes:
    from app.interop.parquet import write_columns

    wide = len(sheet.header)
    columns = [[cells[at] if at < len(cells) else "" for _, cells in sheet.rows] for at in range(wide)]
    return write_columns(sheet.header, columns)
