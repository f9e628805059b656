"""One broken grid per kind of author's mistake, with the words that its message must contain."""

from __future__ import annotations

import pytest

from app.decision_table import Table, TableError

HEAD = """
table band: Copies
place: figure 2
in her2: (0..)
out band: high, mid, low
"""
GOOD = """
row | her2       || band
B1  | >= 6.0     || high
B2  | [4.0..6.0) || mid
B3  | < 4.0      || low
"""
CROSS = """
table cross: A figure
place: figure 3
in group: 1, 2
in ihc: 0, 1+
out outcome: yes, no
cross group \\ ihc | 0, 1+
1                  | yes
2                  | no
"""
WORDS = """
table words: Words
place: somewhere
in one: a, b, c
in two: x, y
outs flags: F1, F2
set some: a, b
row | one  | two || flags
W1  | some | -   || F1, F2
W2  | c    | x   || F1
W3  | c    | y   || -
"""


def test_the_grids_are_sound_without_the_mistake() -> None:
    assert [row.id for row in Table.parse(HEAD + GOOD).rows] == ["B1", "B2", "B3"]
    assert [row.id for row in Table.parse(CROSS).rows] == ["cross[1, 0 1+]", "cross[2, 0 1+]"]
    assert Table.parse(WORDS).rows[0]["flags"] == ("F1", "F2")


# What is done to a sound grid (old text, new text), and the message.
MISTAKES = {
    "unknown line": (
        HEAD + GOOD,
        "place: figure 2",
        "source: figure 2",
        "band: cannot read the line 'source: figure 2'",
    ),
    "unknown line before the name": (
        HEAD + GOOD,
        "table band",
        "tabel band",
        ": cannot read the line 'tabel band: Copies'",
    ),
    "too few cells": (HEAD + GOOD, "|| mid", "", "band row B2: 1 cells where 2 are needed"),
    "too many cells": (HEAD + GOOD, "|| mid", "|| mid || mid", "band row B2: 3 cells where 2 are needed"),
    "no double bar": (HEAD + GOOD, "|| mid", "| mid", "band row B2: 2 cells where 2 are needed"),
    "unknown output word": (
        HEAD + GOOD,
        "|| mid",
        "|| middle",
        "band row B2, column band: 'middle' is not one of high, mid, low",
    ),
    "empty output": (HEAD + GOOD, "|| mid", "||", "band row B2, column band: '' is not one of high, mid, low"),
    "id used twice": (HEAD + GOOD, "B2", "B1", "band row B1: the id is used twice"),
    "id used twice, once impossible": (HEAD + GOOD, "B2 ", "B1!", "band row B1!: the id is used twice"),
    "gap": (HEAD + GOOD, "[4.0..6.0)", "[4.5..6.0)", "band: no row holds for her2 = [4000000..4500000)"),
    "gap at a point": (HEAD + GOOD, "[4.0..6.0)", "(4.0..6.0)", "band: no row holds for her2 = [4000000..4000001)"),
    "gap at the end": (HEAD + GOOD, ">= 6.0", "[6.0..9]", "band: no row holds for her2 = [9000001.."),
    "overlap": (
        HEAD + GOOD,
        "[4.0..6.0)",
        "[4.0..6.0]",
        "band: rows B1 and B2 both hold for her2 = [6000000..6000001)",
    ),
    "overlap of rows far apart": (
        HEAD + GOOD,
        "< 4.0",
        "< 4.0, >= 7",
        "band: rows B1 and B3 both hold for her2 = [7000000..",
    ),
    "a cell that is no condition": (HEAD + GOOD, "< 4.0", "below 4", "column her2: cannot read the cell 'below 4'"),
    "a decimal comma": (
        HEAD + GOOD,
        "< 4.0",
        "< 4,0",
        "band row B3, column her2: the cell '0' lies outside the domain",
    ),
    "an empty condition": (HEAD + GOOD, "< 4.0", "", "column her2: cannot read the cell ''"),
    "an expression": (HEAD + GOOD, "< 4.0", "not(>= 4.0)", "cannot read the cell 'not(>= 4.0)'"),
    "outside the domain": (
        HEAD + GOOD,
        "< 4.0",
        "< 4.0, = 0",
        "band row B3, column her2: the cell '= 0' lies outside the domain",
    ),
    "an empty range": (
        HEAD + GOOD,
        "[4.0..6.0)",
        "[6.0..4.0)",
        "column her2: the cell '[6.0..4.0)' lies outside the domain",
    ),
    "missing where none is taken": (
        HEAD + GOOD,
        "< 4.0",
        "< 4.0, missing",
        "band row B3, column her2: this column takes no missing value",
    ),
    "missing not said": (
        HEAD.replace("(0..)", "(0..), missing") + GOOD,
        "B3",
        "B3",
        "band: no row holds for her2 = missing",
    ),
    "unknown domain": (HEAD + GOOD, "(0..)", "above 0", "band row B1, column her2: '>= 6.0' is not one of above 0"),
    "header of other columns": (
        HEAD + GOOD,
        "row | her2 ",
        "row | her3 ",
        "band: the header names ['her3', 'band'], the declarations ['her2', 'band']",
    ),
    "header in other order": (
        WORDS,
        "row | one  | two",
        "row | two  | one",
        "words: the header names ['two', 'one', 'flags']",
    ),
    "header lacks an output": (
        HEAD + GOOD,
        "her2       || band",
        "her2       ||",
        "band: the header names ['her2', '']",
    ),
    "unknown word": (WORDS, "| c    | x", "| d    | x", "words row W2, column one: 'd' is not one of a, b, c"),
    "unknown word in a set": (
        WORDS,
        "set some: a, b",
        "set some: a, d",
        "words row W1, column one: 'd' is not one of a, b, c",
    ),
    "unknown word in a list": (
        WORDS,
        "F1, F2\nW2",
        "F1, F9\nW2",
        "words row W1, column flags: 'F9' is not one of F1, F2",
    ),
    "unknown set": (WORDS, "| some", "| most", "words row W1, column one: 'most' is not one of a, b, c"),
    "unknown vocabulary": (WORDS, "in two: x, y", "in two: @xy", "words: no vocabulary @xy"),
    "unknown vocabulary of outputs": (WORDS, "outs flags: F1, F2", "outs flags: @flags", "words: no vocabulary @flags"),
    "a word without a row": (WORDS, "in two: x, y", "in two: x, y, z", "words: no row holds for one = c, two = z"),
    "no place": (HEAD + GOOD, "place: figure 2\n", "", "band: a table needs a name, a title, a place and rows"),
    "no title": (HEAD + GOOD, "band: Copies", "band:", "band: a table needs a name, a title, a place and rows"),
    "no name": (HEAD + GOOD, "table band: Copies\n", "", ": a table needs a name, a title, a place and rows"),
    "no rows": (HEAD + GOOD, GOOD[GOOD.index("B1") :], "", "band: a table needs a name, a title, a place and rows"),
    "cross of other inputs": (
        CROSS,
        "cross group \\ ihc",
        "cross ihc \\ group",
        "cross: a cross needs inputs ihc, group and one out",
    ),
    "cross of three names": (
        CROSS,
        "cross group \\ ihc",
        "cross group \\ ihc \\ er",
        "cross: a cross needs inputs group, ihc \\ er and one out",
    ),
    "cross of one input": (CROSS, "in ihc: 0, 1+\n", "", "cross: a cross needs inputs group, ihc and one out"),
    "cross of three inputs": (
        CROSS,
        "in ihc",
        "in more: a\nin ihc",
        "cross: a cross needs inputs group, ihc and one out",
    ),
    "cross of two outputs": (
        CROSS,
        "out outcome",
        "out more: a\nout outcome",
        "cross: a cross needs inputs group, ihc and one out",
    ),
    "cross with a list": (
        CROSS,
        "out outcome",
        "outs more: a\nout outcome",
        "cross: a cross needs inputs group, ihc and one out",
    ),
    "cross with too few cells": (CROSS, "2                  | no", "2", "cross row 2: 0 cells where 1 are needed"),
    "cross with an unknown word": (
        CROSS,
        "| no",
        "| maybe",
        "cross row cross[2, 0 1+], column outcome: 'maybe' is not one of yes, no",
    ),
    "cross with a row missing": (CROSS, "2                  | no\n", "", "cross: no row holds for group = 2, ihc = 0"),
    "cross with a row twice": (
        CROSS,
        "2                  | no",
        "1                  | no",
        "cross row cross[1, 0 1+]: the id is used twice",
    ),
    "cross with an overlap": (
        CROSS,
        "2                  | no",
        "1, 2               | no",
        "cross: rows cross[1, 0 1+] and cross[1 2, 0 1+] both hold for group = 1, ihc = 0",
    ),
}


@pytest.mark.parametrize("kind", MISTAKES)
def test_a_mistake_is_refused_with_its_place(kind: str) -> None:
    grid, old, new, message = MISTAKES[kind]
    assert old in grid
    with pytest.raises(TableError) as caught:
        Table.parse(grid.replace(old, new))
    assert message in str(caught.value)
    assert not message.startswith(":") or str(caught.value).startswith(":")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"her2": 0}, "band: her2 does not take 0"),
        ({"her2": None}, "band: her2 does not take None"),
        ({"her2": -1}, "band: her2 does not take -1"),
        ({"her2": 10**15 + 1}, "band: her2 does not take 1000000000000001"),
    ],
)
def test_a_value_outside_the_domain_is_refused(values: dict[str, int | None], message: str) -> None:
    table = Table.parse(HEAD + GOOD)
    with pytest.raises(TableError) as caught:
        table.decide(values)
    assert str(caught.value) == message


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(TableError, match="words: one does not take 'd'"):
        Table.parse(WORDS).decide({"one": "d", "two": "x"})
    with pytest.raises(TableError, match="words: one does not take None"):
        Table.parse(WORDS).decide({"one": None, "two": "x"})
