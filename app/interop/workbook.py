"""The first sheet of an Excel workbook as texts, with the digits that each cell's number format shows.

The library gives values without their formats; the formats are read from the workbook's parts (ECMA-376, SpreadsheetML).
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
_LARGEST_PART = 200_000_000  # bytes of one part once unpacked
_REFERENCE = re.compile(r"([A-Z]+)([0-9]+)")


def first_sheet(data: bytes) -> list[list[str]]:
    """Rows of texts, from the sheet's own row 1. Raises what a broken workbook raises."""
    book = CalamineWorkbook.from_filelike(io.BytesIO(data))
    formats = _formats(data)
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
        if "xl/styles.xml" not in package.namelist():
            return {}
        styles = _part(package, "xl/styles.xml")
        own = {each.get("numFmtId"): each.get("formatCode", "") for each in styles.iter(f"{_MAIN}numFmt")}
        ids = [each.get("numFmtId", "0") for each in styles.findall(f"{_MAIN}cellXfs/{_MAIN}xf")]
        patterns = [own.get(id, _BUILT_IN.get(id, "")) for id in ids]
        sheet = _part(package, _first_part(package))
    found = {}
    for cell in sheet.iter(f"{_MAIN}c"):
        place = _REFERENCE.fullmatch(cell.get("r", ""))
        style = int(cell.get("s", "0"))
        if place and style < len(patterns) and patterns[style]:
            found[(int(place[2]) - 1, _column(place[1]))] = patterns[style]
    return found


def _first_part(package: zipfile.ZipFile) -> str:
    book = _part(package, "xl/workbook.xml")
    first = next(book.iter(f"{_MAIN}sheet")).get(_ID)
    for each in _part(package, "xl/_rels/workbook.xml.rels"):
        if each.get("Id") == first:
            target = each.get("Target", "")
            return target.lstrip("/") if target.startswith("/") else f"xl/{target}"
    raise KeyError(first)


def _part(package: zipfile.ZipFile, name: str) -> ElementTree.Element:
    if package.getinfo(name).file_size > _LARGEST_PART:
        raise ValueError("a part of the workbook is too large")
    return ElementTree.fromstring(package.read(name))


def _column(letters: str) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1
