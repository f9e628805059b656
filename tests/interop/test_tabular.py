"""Rows to case documents: what a cell becomes, and that nothing is left out in silence."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain import reading
from app.domain.problems import Problem
from app.interop.tabular import FIELDS, SHORT, Bound, Column, Layout, bind, direct_layout, locate, read_row


def bound(layout: Layout, *header: str) -> Bound:
    found = bind(layout, header)
    assert isinstance(found, Bound), found
    return found


def refused(layout: Layout, *header: str) -> tuple[Problem, ...]:
    found = bind(layout, header)
    assert not isinstance(found, Bound)
    return found


def test_the_fields_of_a_mapping_are_the_fields_of_the_case_document() -> None:
    blocks: dict[str, dict[str, Any]] = {
        "specimen": reading._SPECIMEN, "ihc": reading._IHC, "ish": reading._ISH, "follow_up_ish": reading._ISH,
        "recount": reading._RECOUNT, "third_count": reading._RECOUNT, "adjudication": reading._ADJUDICATION,
        "cluster": reading._CLUSTER, "policy": reading._POLICY, "context": reading._CONTEXT,
        "context.biomarkers": dict.fromkeys(reading.BIOMARKERS),
    }  # fmt: skip
    known = {f"{block}.{name}" for block, names in blocks.items() for name in names} - {"context.biomarkers"}
    assert set(FIELDS) == known | {"edition", "reported_status"}
    assert {path.partition(".")[0] for path in (*FIELDS, *SHORT)} == set(reading._TOP)


@pytest.mark.parametrize("path", sorted(FIELDS))
def test_a_field_takes_the_kind_of_value_it_is_listed_with(path: str) -> None:
    cells = {"number": "12", "flag": "yes", "whole": "2", "list": "a; b", "text": "x"}
    cell = "2026-11-25" if path.endswith("_at") else "2+" if path == "ihc.score" else cells[FIELDS[path]]
    layout = Layout((Column("a", path), Column("b", "ihc.score" if path != "ihc.score" else "ish.ratio")))
    document = read_row(bound(layout, "a", "b"), [cell, ""]).document
    # A word outside a list of words is no matter of kind.
    wrong = [each for each in reading.read_case(document).problems if each.code != "UNKNOWN_VALUE"]
    assert not wrong


def test_columns_named_as_the_fields_need_no_mapping_and_the_others_are_carried() -> None:
    layout = direct_layout(["Case", "IHC", "ratio", "ish.assay"])
    assert [column.field for column in layout.columns] == ["ihc.score", "ish.ratio", "ish.assay"]
    assert layout.carry == ("Case",)
    row = read_row(bound(layout, "Case", "IHC", "ratio", "ish.assay"), ["7", " 2+ ", "2.10", ""])
    assert row.document == {"ihc": {"score": "2+"}, "ish": {"ratio": "2.10"}}


def test_missing_markers_are_compared_without_case_and_outer_blanks() -> None:
    layout = Layout((Column("ihc", "ihc.score"),), missing=frozenset({"", "[not available]"}))
    for cell in ("", "  ", "[Not Available]", " [NOT AVAILABLE] "):
        assert read_row(bound(layout, "ihc"), [cell]).document == {}
    assert read_row(bound(layout, "ihc"), ["[Not Sent]"]).document == {"ihc": {"score": "[Not Sent]"}}


def test_a_word_outside_the_values_is_a_problem_or_where_the_mapping_says_so_a_note() -> None:
    ihc, values = Column("ihc", "ihc.score"), {"positive": "positive"}
    strict = Layout((ihc, Column("ER", "context.er", values)))
    row = read_row(bound(strict, "ihc", "ER"), ["2+", "weakly"])
    assert not row.readable
    assert [(each.column, each.value, each.problem.code) for each in row.problems] == [
        ("ER", "weakly", "UNKNOWN_VALUE")
    ]
    lenient = Layout((ihc, Column("ER", "context.er", values, otherwise="unknown")))
    row = read_row(bound(lenient, "ihc", "ER"), ["2+", "weakly"])
    assert row.readable
    assert row.document["context"] == {"er": "unknown"}
    assert [each.noted for each in row.problems] == [True]


def test_a_decimal_comma_is_read_only_where_the_mapping_says_so() -> None:
    column = Column("r", "ish.ratio")
    assert read_row(bound(Layout((column,)), "r"), ["1,8"]).document == {"ish": {"ratio": "1,8"}}
    comma = bound(Layout((column,), decimal_comma=True), "r")
    assert read_row(comma, ["1,8"]).document == {"ish": {"ratio": "1.8"}}
    # "1.234" may be a thousand or a little more than one: not guessed.
    row = read_row(comma, ["1.234"])
    assert [each.problem.code for each in row.problems] == ["MALFORMED_NUMBER"]
    assert not row.readable


@pytest.mark.parametrize(
    ("cells", "readable"),
    [(["2+"], False), (["2+", "1.8", "7"], False), (["2+", "1.8", "", " "], True), (["2+", ""], True)],
)
def test_a_row_of_another_length_is_not_guessed(cells: list[str], readable: bool) -> None:
    assert read_row(bound(direct_layout(["ihc", "ratio"]), "ihc", "ratio"), cells).readable is readable


def test_a_column_is_found_by_name_and_else_by_name_in_another_case() -> None:
    layout = Layout((Column("Score", "ihc.score"),))
    assert bound(layout, "score", "Score").read[0][0] == 1
    assert bound(layout, "SCORE ").read[0][0] == 0
    assert [each.code for each in refused(layout, "Score", "Score")] == ["TWICE_STATED"]


def test_a_column_that_is_not_there_is_named_unless_it_is_optional() -> None:
    (problem,) = refused(Layout((Column("Score", "ihc.score"),)), "Scores", "b")
    assert problem.message == "the file has no column Score"
    assert "Scores" in problem.remedy
    optional = Layout((Column("ihc", "ihc.score"), Column("ER", "context.er", optional=True)), carry=("x",))
    assert [each.message for each in refused(optional, "ihc")] == ["the file has no column x"]
    found = bound(optional, "ihc", "x", "more")
    assert (found.absent, found.unused) == (("ER",), ("more",))


def test_a_table_without_any_test_is_refused() -> None:
    (problem,) = refused(Layout((Column("ER", "context.er"),)), "ER")
    assert "no column holds an IHC score" in problem.message


def test_a_problem_is_told_by_the_columns_it_comes_from() -> None:
    layout = Layout(
        (Column("S", "ihc.score"), Column("R", "ish.ratio"), Column("C", "ish.her2_copies"), Column("M", "ish.method")),
        missing=frozenset({"", "na"}),
    )
    laid = bound(layout, "S", "R", "C", "M")
    cells = ["2+", "16.3", "816", "FISH"]

    def place(field: str, *row: str) -> tuple[str, str]:
        found = locate(laid, row or cells, Problem("X", field, "", ""))
        return found.column, found.value

    assert place("ish.ratio") == ("R", "16.3")
    assert place("ihc") == ("S", "2+")
    assert place("ish") == ("R, C", "16.3, 816")
    assert place("ish", "2+", "na", "816", "") == ("C", "816")
    assert place("ish", "2+", "", "", "FISH") == ("", "")
