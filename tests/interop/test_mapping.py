"""A mapping file: every kind of mistake of its author, and the words that name it."""

from __future__ import annotations

import pytest

from app.interop.mapping import read_mapping
from app.interop.tabular import Layout
from app.services.files import mapping_names, mapping_text

GOOD = """
title = "a laboratory"
id = ["Case"]
carry = ["Reported", "Remark"]
optional = ["Remark"]
missing = ["n/a"]
decimal_comma = true
comment = "#"
[columns]
Score = "ihc"
"HER2 per cell" = { field = "copies", optional = true }
[columns.ER]
field = "context.er"
values = { Positive = "positive", "ER -" = "negative" }
otherwise = "unknown"
[constants]
"ish.assay" = "dual_probe"
"""


def test_a_mapping_is_read_with_its_short_names_made_whole() -> None:
    layout = read_mapping(GOOD)
    assert isinstance(layout, Layout), layout
    assert [column.field for column in layout.columns] == ["ihc.score", "ish.her2_copies", "context.er"]
    assert layout.columns[2].values == {"positive": "positive", "er -": "negative"}
    assert (layout.missing, layout.id, layout.decimal_comma) == (frozenset({"", "n/a"}), ("Case",), True)
    assert layout.constants == {"ish.assay": "dual_probe"}


@pytest.mark.parametrize("name", mapping_names())
def test_the_mappings_that_come_with_herald_are_sound(name: str) -> None:
    assert isinstance(read_mapping(mapping_text(name) or ""), Layout)


COLUMNS = '[columns]\nScore = "ihc"\n'


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        ("[columns\n", "mapping", "is not TOML"),
        ('[columns]\nHER2 copies = "copies"\n', "mapping", "quote column names that hold blanks"),
        ('[columns]\na = "ihc"\na = "ratio"\n', "mapping", "is not TOML"),
        ('title = "none"\n', "columns", "no column is mapped"),
        ("mising = []\n" + COLUMNS, "mising", "did you mean missing?"),
        ('missing = "NA"\n' + COLUMNS, "missing", "is not a list of texts"),
        ('decimal_comma = "yes"\n' + COLUMNS, "decimal_comma", "write true or false"),
        ('optional = ["Score"]\n' + COLUMNS, "optional", "write optional = true at the column itself"),
        ('[columns]\nScore = "ihc.scor"\n', "columns.Score", "did you mean ihc.score"),
        ("[columns]\nScore = 3\n", "columns.Score", "has no field"),
        ('[columns]\nScore = { field = "ihc", vlaues = {} }\n', "columns.Score.vlaues", "did you mean values?"),
        ('[columns]\nScore = { field = "ihc", optional = "no" }\n', "columns.Score.optional", "is not true or false"),
        ('[columns]\na = "ihc"\nb = "ihc.score"\n', "columns.b", "a and b both hold ihc.score"),
        (
            '[columns]\nER = { field = "context.er", values = { P = "postive" } }\n',
            "columns.ER.values.P",
            "send one of positive",
        ),
        (
            '[columns]\nER = { field = "context.er", values = { P = "positive" }, otherwise = "?" }\n',
            "columns.ER.otherwise",
            "send one of positive",
        ),
        ('[columns]\nER = { field = "context.er", otherwise = "unknown" }\n', "columns.ER.values", "without values"),
        (
            '[columns]\nER = { field = "context.er", values = { P = "positive", p = "negative" } }\n',
            "columns.ER.values.p",
            "is given twice",
        ),
        (COLUMNS + '[constants]\nassay = "dual_probe"\n', "constants.assay", "no field assay"),
        (COLUMNS + '[constants]\nish = { assay = "dual_probe" }\n', "constants.ish", "write the path in quotes"),
        (COLUMNS + '[constants]\n"ish.assay" = "dual"\n', "constants.ish.assay", "send one of dual_probe"),
        (COLUMNS + '[constants]\nihc = "2+"\n', "constants.ihc", "a constant and a column as well"),
        ('[columns]\na = { field = "ratio", truncated = 0 }\n', "columns.a.truncated", "write 1 to 5"),
        ('[columns]\na = { field = "cells", truncated = 1 }\n', "columns.a.truncated", "whole number of cells"),
        ('[columns]\na = { field = "ratio", missing = "-" }\n', "columns.a.missing", "is not a list of texts"),
        ('[columns]\na = { field = "ratio", shared = 1 }\n', "columns.a.shared", "is not true or false"),
        ('[columns]\na = { field = "ratio", also = "x" }\n', "columns.a.also", "is not a table"),
        ('[columns]\na = { field = "ratio", also = { assay = "x" } }\n', "columns.a.also", "no field assay"),
        (
            '[columns]\na = { field = "ihc", values = { 4 = { ihc = "4" } } }\n',
            "columns.a.values.4",
            "is not an IHC score",
        ),
        (
            '[columns]\na = { field = "ihc", shared = true }\nb = "ihc"\n',
            "columns.b",
            "a and b both hold ihc.score",
        ),
        (
            '[columns]\na = { field = "ratio", also = { "ish.assay" = "dual_probe" } }\n'
            '[constants]\n"ish.assay" = "dual_probe"\n',
            "constants.ish.assay",
            "a constant and a column as well",
        ),
    ],
)
def test_a_mistake_is_named_with_its_place_and_what_to_write(text: str, place: str, words: str) -> None:
    problems = read_mapping(text)
    assert not isinstance(problems, Layout)
    assert [each.field for each in problems] == [place]
    assert words in f"{problems[0].message}; {problems[0].remedy}"


def test_several_mistakes_are_told_at_once() -> None:
    problems = read_mapping('a = 1\nmissing = 2\n[columns]\nx = "ihc.nothing"\n')
    assert not isinstance(problems, Layout)
    assert {each.field for each in problems} == {"a", "missing", "columns.x"}
