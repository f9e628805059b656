"""Rows as a registry codes the NAACCR items 3850-3855, made up: the document and the status of each."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.numbers import AVERAGE, Measure, micro, read_measure
from app.interop.tabular import Bound, truncated_range
from app.services.files import Answered, Row, answer_rows, layout_of, mapping_text

ITEMS = (
    "her2IhcSummary", "her2IshDualProbeCopyNumber", "her2IshDualProbeRatio", "her2IshSingleProbeCopyNumber",
    "her2IshSummary", "her2OverallSummary",
)  # fmt: skip
IHC, DUAL, RATIO, SINGLE, SUMMARY, OVERALL = ITEMS
BOTH_COPIES = f"{DUAL}, {SINGLE}"


def bound(header: tuple[str, ...] = ("patientIdNumber", "tumorRecordNumber", *ITEMS)) -> Bound:
    found = layout_of(mapping_text("naaccr-her2"), header, None)
    assert isinstance(found, Bound), found
    return found


def answered(cells: dict[str, str]) -> Answered:
    (row,) = answer_rows([Row(2, 2, ("made-up", "01", *(cells.get(item, "") for item in ITEMS)))], bound())
    return row


def dual(**fields: str) -> dict[str, Any]:
    return {"assay": "dual_probe", **fields}


@pytest.mark.parametrize(
    ("cells", "document", "status", "final"),
    [
        # 3850: the score
        ({IHC: "0"}, {"ihc": {"score": "0"}}, "negative", True),
        ({IHC: "1"}, {"ihc": {"score": "1+"}}, "negative", True),
        ({IHC: "2"}, {"ihc": {"score": "2+"}}, "equivocal", False),
        ({IHC: "3"}, {"ihc": {"score": "3+"}}, "positive", True),
        # a negative without a score is no score
        ({IHC: "4"}, {"reported_status": "negative"}, "pending", False),
        # ordered, not applicable, unknown; blank is allowed for diagnoses from 2021
        ({IHC: "7"}, {}, "pending", False),
        ({IHC: "8", DUAL: "XX.8", RATIO: "XX.8", SINGLE: "XX.8", SUMMARY: "8"}, {}, "pending", False),
        ({IHC: "9", DUAL: "XX.9", RATIO: "XX.9", SINGLE: "XX.9", SUMMARY: "9", OVERALL: "9"}, {}, "pending", False),
        ({}, {}, "pending", False),
        # 3851, 3852: cut off after one decimal, 1.9 may be 1.99 and is never 2.0
        (
            {IHC: "2", DUAL: "3.9", RATIO: "1.9", SINGLE: "XX.8"},
            {"ihc": {"score": "2+"}, "ish": dual(her2_copies="3.9-3.999999", ratio="1.9-1.999999")},
            "negative",
            True,
        ),
        (
            {IHC: "2", DUAL: "4.0", RATIO: "2.0"},
            {"ihc": {"score": "2+"}, "ish": dual(her2_copies="4.0-4.099999", ratio="2.0-2.099999")},
            "positive",
            True,
        ),
        (
            {IHC: "2", DUAL: "5.9", RATIO: "1.9"},
            {"ihc": {"score": "2+"}, "ish": dual(her2_copies="5.9-5.999999", ratio="1.9-1.999999")},
            "pending",
            False,
        ),
        # 3852: a side of 2.0 without a number
        (
            {IHC: "2", DUAL: "4.2", RATIO: "XX.3"},
            {"ihc": {"score": "2+"}, "ish": dual(her2_copies="4.2-4.299999", ratio=">=2.0")},
            "positive",
            True,
        ),
        (
            {IHC: "2", DUAL: "3.1", RATIO: "xx.2"},
            {"ihc": {"score": "2+"}, "ish": dual(her2_copies="3.1-3.199999", ratio="<2.0")},
            "negative",
            True,
        ),
        ({IHC: "2", RATIO: "XX.2"}, {"ihc": {"score": "2+"}, "ish": dual(ratio="<2.0")}, "pending", False),
        # 3853: copies alone, which judge only where the probe is known to be single
        (
            {IHC: "2", SINGLE: "6.0"},
            {"ihc": {"score": "2+"}, "ish": {"assay": "single_probe", "her2_copies": "6.0-6.099999"}},
            "positive",
            True,
        ),
        (
            {IHC: "2", DUAL: "3.9"},
            {"ihc": {"score": "2+"}, "ish": dual(her2_copies="3.9-3.999999")},
            "pending",
            False,
        ),
        # an ISH that was ordered or reported without its values is outstanding: the negative stays open
        ({IHC: "1", DUAL: "XX.7"}, {"ihc": {"score": "1+"}, "ish": {"method": "ISH"}}, "negative", False),
        ({IHC: "1", SUMMARY: "3"}, {"ihc": {"score": "1+"}, "ish": {"method": "ISH"}}, "negative", False),
        ({IHC: "2", SUMMARY: "3"}, {"ihc": {"score": "2+"}, "ish": {"method": "ISH"}}, "pending", False),
        ({IHC: "2", SUMMARY: "0"}, {"ihc": {"score": "2+"}, "ish": {"method": "ISH"}}, "pending", False),
        # 3855 merges negative and equivocal, and is no status even where it says positive
        ({IHC: "2", OVERALL: "0"}, {"ihc": {"score": "2+"}}, "equivocal", False),
        ({OVERALL: "0"}, {}, "pending", False),
        ({OVERALL: "1"}, {}, "pending", False),
        # 100 or more is not credible as an average; IHC 3+ stays positive beside it
        (
            {IHC: "3", DUAL: "XX.1"},
            {"ihc": {"score": "3+"}, "ish": dual(her2_copies=">=100")},
            "positive",
            True,
        ),
    ],
)
def test_a_row(cells: dict[str, str], document: dict[str, Any], status: str, final: bool) -> None:
    row = answered(cells)
    assert (row.document, row.problems) == (document, ())
    assert row.answer is not None
    assert (row.answer["status"], row.answer["final"]) == (status, final)


@pytest.mark.parametrize(
    ("cells", "column", "code"),
    [
        # two copy numbers in one row, the same or not: none is chosen
        ({IHC: "2", DUAL: "4.2", SINGLE: "6.1"}, BOTH_COPIES, "TWICE_STATED"),
        ({IHC: "2", DUAL: "4.2", SINGLE: "4.2"}, BOTH_COPIES, "TWICE_STATED"),
        ({IHC: "2", DUAL: "XX.1", SINGLE: "4.2"}, BOTH_COPIES, "TWICE_STATED"),
        ({IHC: "2", RATIO: "2.1", SINGLE: "4.2"}, f"{RATIO}, {SINGLE}", "TWICE_STATED"),
        # not credible as an average
        ({IHC: "2", DUAL: "XX.1"}, DUAL, "IMPLAUSIBLE_VALUE"),
        ({IHC: "2", SINGLE: "XX.1"}, SINGLE, "IMPLAUSIBLE_VALUE"),
        # no code of the item: how it was cut off is unknown
        ({IHC: "2", RATIO: "2"}, RATIO, "MALFORMED_NUMBER"),
        ({IHC: "2", RATIO: "1.99"}, RATIO, "MALFORMED_NUMBER"),
        ({IHC: "2", RATIO: "<2.0"}, RATIO, "MALFORMED_NUMBER"),
        # XX.2 and XX.3 are codes of the ratio only, XX.1 of the copies only
        ({IHC: "2", DUAL: "XX.3"}, DUAL, "MALFORMED_NUMBER"),
        ({IHC: "2", RATIO: "XX.1"}, RATIO, "MALFORMED_NUMBER"),
        ({IHC: "5"}, IHC, "UNKNOWN_VALUE"),
        ({IHC: "2+"}, IHC, "UNKNOWN_VALUE"),
        ({IHC: "2", SUMMARY: "1"}, SUMMARY, "UNKNOWN_VALUE"),
    ],
)
def test_a_row_that_waits(cells: dict[str, str], column: str, code: str) -> None:
    row = answered(cells)
    assert row.status == "invalid"
    assert (column, code) in [(each.column, each.problem.code) for each in row.problems]


def test_the_reported_statuses_are_carried_into_the_answers() -> None:
    row = answered({IHC: "4", SUMMARY: "0", OVERALL: "0"})
    assert row.cells(bound())[2:7] == ["made-up", "01", "4", "0", "0"]


@pytest.mark.parametrize("item", [IHC, DUAL, RATIO, SINGLE])
def test_a_file_may_hold_one_item_only(item: str) -> None:
    assert [column.name for _, column in bound((item,)).read] == [item]


@given(st.from_regex(r"[0-9]{1,2}\.[0-9]{2,6}", fullmatch=True).filter(lambda text: micro(text) > 0))
def test_a_number_lies_in_the_interval_of_its_first_decimal(number: str) -> None:
    kept = number[: number.index(".") + 2]
    read = read_measure(truncated_range(kept), AVERAGE, "ish.ratio")
    assert isinstance(read, Measure)
    assert read.low <= micro(number) <= read.high == micro(kept) + 99_999
