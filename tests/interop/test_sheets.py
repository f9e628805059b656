"""Tables as bytes: what a cell shows is what is read, row numbers are a person's, and a table is given back alike."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from app.interop.sheets import CSV, PARQUET, TSV, XLSX, Sheet, Unreadable, read, write

CELL = st.text(st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\ufffe\uffff"), max_size=8)


def workbook(*cells: tuple[int, int, object, str]) -> bytes:
    """A workbook of cells: row and column from 0, value, number format."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        page = book.add_worksheet()
        for row, column, value, pattern in cells:
            page.write(row, column, value, book.add_format({"num_format": pattern}))
    return file.getvalue()


@pytest.mark.parametrize(
    ("value", "pattern", "shown"),
    [
        (1.8, "0.00", "1.80"),
        (1.8, "General", "1.8"),
        (2, "0.0", "2.0"),
        (2, "General", "2"),
        (1.996, "0.00", "1.996"),
        (0.1 + 0.2, "0.00", "0.30"),
        (0.85, "0%", "85%"),
        (0.855, "0%", "85.5%"),
        (1200, "#,##0.00", "1200.00"),
        (1.8, '"ratio "0.00', "1.80"),
        (True, "General", "true"),
        ("2+", "General", "2+"),
        (1e-7, "General", "0.0000001"),
    ],
)
def test_a_number_of_excel_keeps_the_digits_that_it_shows_and_is_never_rounded(
    value: object, pattern: str, shown: str
) -> None:
    assert read(workbook((0, 0, "ratio", ""), (1, 0, value, pattern)), XLSX).rows == ((2, (shown,)),)


def test_a_parquet_keeps_the_digits_of_its_decimals_and_texts() -> None:
    table = pa.table(
        {
            "text": ["1.80"],
            "decimal": [Decimal("1.80")],
            "double": [1.8],
            "single": pa.array([1.8], pa.float32()),
            "whole": [3],
            "none": pa.array([None], pa.string()),
            "when": [datetime(2026, 3, 1, 9, 30, tzinfo=UTC)],
            "flag": [True],
        }
    )
    file = io.BytesIO()
    pq.write_table(table, file)
    cells = ("1.80", "1.80", "1.8", "1.8", "3", "", "2026-03-01T09:30:00+00:00", "true")
    assert read(file.getvalue(), PARQUET).rows == ((2, cells),)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_text_is_read_whatever_its_delimiter_and_mark(delimiter: str, encoding: str) -> None:
    text = delimiter.join(("a", "b")) + "\r\n\r\n" + delimiter.join(("ü", '"x\ny"')) + "\r\n"
    sheet = read(text.encode(encoding), CSV)
    assert (sheet.header, sheet.rows) == (("a", "b"), ((3, ("ü", "x\ny")),))


@pytest.mark.parametrize(
    ("data", "media_type", "told"),
    [
        (b"", CSV, "no header"),
        ("a;b\nü;1".encode("cp1252"), CSV, "byte 4"),
        (b'a,b\n1,"2\n', CSV, "line 2"),
        (b"a\0b", TSV, "NUL"),
        (b"PK\3\4", XLSX, "workbook"),
        (b"PAR1", PARQUET, "Parquet"),
    ],
)
def test_what_is_no_table_is_told_with_its_place_and_a_remedy(data: bytes, media_type: str, told: str) -> None:
    with pytest.raises(Unreadable, match=told) as caught:
        read(data, media_type)
    assert "docs/file-mapping.md" in caught.value.problem.remedy


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=4), st.sampled_from([CSV, TSV, XLSX, PARQUET]))
def test_a_table_written_is_read_back_the_same(cells: list[tuple[str, str]], media_type: str) -> None:
    rows = tuple((number, each) for number, each in enumerate(cells, 2) if any(cell.strip() for cell in each))
    sheet = Sheet(media_type, ("a", "b"), rows, "\t" if media_type == TSV else ",")
    again = read(write(sheet), media_type)
    assert (again.header, [each for _, each in again.rows]) == (sheet.header, [each for _, each in rows])


def test_a_sheet_that_spans_more_cells_than_memory_holds_is_refused() -> None:
    data = workbook((0, 0, "ratio", ""), (1_048_575, 16_383, "far", ""))
    with pytest.raises(Unreadable, match="workbook"):
        read(data, XLSX)


def test_a_workbook_with_a_document_type_is_refused() -> None:
    made, file = workbook((0, 0, "ratio", ""), (1, 0, 1.8, "0.00")), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(made)) as package, zipfile.ZipFile(file, "w") as other:
        for name in package.namelist():
            part = package.read(name)
            if name == "xl/styles.xml":
                part = part.replace(b"<styleSheet", b'<!DOCTYPE s [<!ENTITY a "b">]><styleSheet', 1)
            other.writestr(name, part)
    with pytest.raises(Unreadable, match="workbook"):
        read(file.getvalue(), XLSX)


def test_rows_keep_their_numbers_when_blank_ones_lie_between() -> None:
    sheet = read(b"a,b\n\n1,2\n,\n3,4\n", CSV)
    assert [number for number, _ in sheet.rows] == [3, 5]
    assert [number for number, _ in read(write(sheet), CSV).rows] == [3, 5]
