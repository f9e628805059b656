"""Tables as files: however a laboratory's system wrote it, the same rows are read, or it is said why not."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

from app.commandline.tables import TableFile, Unreadable, open_table
from app.interop.tabular import direct_layout

HEADER = ["case", "ihc", "ratio"]
ROWS = [("A-1", "2+", "1.8"), ("A-2", "3+", "")]


def opened(path: Path, content: bytes | str, **said: object) -> TableFile:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return open_table(path, lambda header: len(direct_layout(header).columns), **said)  # type: ignore[arg-type]


def text(delimiter: str = "\t", end: str = "\n") -> str:
    return "".join(delimiter.join(cells) + end for cells in (HEADER, *ROWS))


WRITTEN = {
    "tabs.tsv": text(),
    "commas.csv": text(","),
    "semicolons.csv": text(";"),
    "pipes.txt": text("|"),
    "tabs in spite of the name.csv": text("\t"),
    "dos.tsv": text(end="\r\n"),
    "old mac.tsv": text(end="\r"),
    "mark.csv": codecs.BOM_UTF8 + text(",").encode(),
    "utf-16.tsv": text().encode("utf-16"),
    "quoted.csv": text(",").replace("A-1", '"A-1"').replace("ihc", '"ihc"'),
    "blank lines.tsv": text(end="\n\n") + "\n",
    "no last line end.csv": text(",").rstrip("\n"),
}


@pytest.mark.parametrize("name", WRITTEN)
def test_the_same_rows_are_read(name: str, tmp_path: Path) -> None:
    table = opened(tmp_path / name, WRITTEN[name])
    assert list(table.header) == HEADER
    assert [row.cells for row in table.rows()] == ROWS
    assert table.records == len(ROWS)


def test_rows_are_numbered_as_a_spreadsheet_does_and_lines_as_an_editor_does(tmp_path: Path) -> None:
    table = opened(tmp_path / "t.csv", 'case,ihc\n"one\ntwo, three",2+\n\nlast,3+\n')
    assert [(row.number, row.line) for row in table.rows()] == [(2, 2), (4, 5)]
    assert table.blank == 1


def test_comment_lines_before_the_header_are_counted_but_not_read(tmp_path: Path) -> None:
    table = opened(tmp_path / "t.csv", "#about\n#more\ncase,ihc\n#7,2+\n", comment="#")
    assert [(row.number, row.line, row.cells) for row in table.rows()] == [(4, 4, ("#7", "2+"))]


def test_a_row_of_blank_cells_is_a_row(tmp_path: Path) -> None:
    assert opened(tmp_path / "t.csv", "case,ihc\n,\n").records == 1


def test_quotes_that_quote_nothing_do_not_swallow_rows_of_a_tab_separated_file(tmp_path: Path) -> None:
    table = opened(tmp_path / "t.tsv", 'case\tihc\n"a\t2+\nb\t3+\n"c\t1+\n')
    assert not table.quotes
    assert [row.cells for row in table.rows()] == [('"a', "2+"), ("b", "3+"), ('"c', "1+")]


@pytest.mark.parametrize(
    ("content", "said", "words"),
    [
        (b"", {}, "holds no header"),
        (b"\n \n", {}, "holds no header"),
        ("case,ihc\nMüller,2+\n".encode("latin-1"), {}, "is not utf-8 at byte 10"),
        (b"case,ihc\na,2+\n", {"encoding": "utf-7000"}, "there is no encoding"),
        (b'case,ihc\n"a,2+\nb,3+\n', {}, "in the record that begins at line 2"),
    ],
)
def test_what_cannot_be_read_is_said_with_what_to_do(
    content: bytes, said: dict[str, object], words: str, tmp_path: Path
) -> None:
    with pytest.raises(Unreadable, match=words) as error:
        opened(tmp_path / "t.csv", content, **said)
    assert error.value.remedy


def test_a_declared_encoding_is_used(tmp_path: Path) -> None:
    table = opened(tmp_path / "t.csv", "case,ihc\nMüller,2+\n".encode("latin-1"), encoding="latin-1")
    assert [row.cells for row in table.rows()] == [("Müller", "2+")]
