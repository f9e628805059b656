"""The first sheet of an Excel workbook as texts, with the digits that each cell's number format shows.

The library gives values without their formats; the formats are read from the workbook's parts (ECMA-376).
"""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineWorkbook

_MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_BUILT_IN = {"2": "0.00", "4": "#,##0.00", "9": "0%", "10": "0.00%", "39": "#,##0.00", "40": "#,##0.00"}
_LARGEST = 100_000_000  # bytes of all parts once unpacked
_MOST_CELLS = 20_000_000  # of the rectangle that the sheet's cells span
_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")


def first_sheet(data: bytes) -> list[list[str]]:
    """Rows of texts, from the sheet's own row 1. Raises what a broken workbook raises."""
    # before the library: it takes memory for the whole rectangle that the cells span
    formats = _formats(data)
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    values = book.get_sheet_by_index(0).to_python(skip_empty_area=False)
    return [[_shown(value, formats.get((y, x), "")) for x, value in enumerate(row)] for y, row in enumerate(values)]


def _shown(value: Any, pattern: str) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _number(value, pattern)
    if isinstance(value, datetime | date | time):
        text = value.isoformat()
        return text.removesuffix("T00:00:00") if isinstance(value, datetime) else text
    return "" if value is None else str(value) if not isinstance(value, timedelta) else f"{value.total_seconds():.0f} s"


def _number(value: float, pattern: str) -> str:
    """As stored, to the 15 significant digits that Excel keeps, with the zeros that the format shows."""
    number = Decimal(format(value, ".15g"))
    first = re.sub(r'"[^"]*"|\\.', "", pattern.split(";")[0])
    percent = "%" in first
    if percent:
        number *= 100
    found = re.search(r"\.(0+)", first)
    places = max(len(found[1]) if found else 0, -int(number.normalize().as_tuple().exponent), 0)
    return f"{number:.{places}f}{'%' if percent else ''}"


def _formats(data: bytes) -> dict[tuple[int, int], str]:
    """The number format of each cell that has one, by row and column from 0."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        if sum(each.file_size for each in package.infolist()) > _LARGEST:
            raise ValueError("the workbook is too large")
        patterns = _patterns(package)
        sheet = _part(package, _first_part(package))
    found = {}
    height = width = 0
    for cell in sheet.iter(f"{_MAIN}c"):
        place = _REFERENCE.fullmatch(cell.get("r", ""))
        if place is None:
            continue
        row, column = int(place[2]), _column(place[1])
        height, width = max(height, row), max(width, column)
        style = int(cell.get("s", "0"))
        if style < len(patterns) and patterns[style]:
            found[(row - 1, column - 1)] = patterns[style]
    if height * width > _MOST_CELLS:
        raise ValueError("the sheet spans too many cells")
    return found


def _patterns(package: zipfile.ZipFile) -> list[str]:
    """The number format of each cell style, "" for none."""
    if "xl/styles.xml" not in package.namelist():
        return []
    styles = _part(package, "xl/styles.xml")
    own = {each.get("numFmtId"): each.get("formatCode", "") for each in styles.iter(f"{_MAIN}numFmt")}
    ids = [each.get("numFmtId", "0") for each in styles.findall(f"{_MAIN}cellXfs/{_MAIN}xf")]
    return [own.get(id, _BUILT_IN.get(id, "")) for id in ids]


def _first_part(package: zipfile.ZipFile) -> str:
    book = _part(package, "xl/workbook.xml")
    first = next(book.iter(f"{_MAIN}sheet")).get(_ID)
    for each in _part(package, "xl/_rels/workbook.xml.rels"):
        if each.get("Id") == first:
            target = each.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(first)


def _part(package: zipfile.ZipFile, name: str) -> ElementTree.Element:
    part = package.read(name)
    if b"<!DOCTYPE" in part or b"\0" in part:
        raise ValueError("a part declares a document type, or is not UTF-8")
    return ElementTree.fromstring(part)  # noqa: S314  without a document type there is no entity to expand


def _column(letters: str) -> int:
    """The column's number from 1."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number
