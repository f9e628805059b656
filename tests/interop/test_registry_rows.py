"""Rows as a real registry writes them, made up after guideline section 12: what the mapping makes of each."""

from __future__ import annotations

from typing import Any

import pytest

from app.interop.tabular import Bound
from app.services.files import Row, answer_rows, layout_of, mapping_text

HEADER = (
    "bcr_patient_barcode", "her2_ihc_score", "her2_fish_status", "her2_copy_number", "cent17_copy_number",
    "her2_and_cent17_cells_count", "her2_cent17_ratio",
)  # fmt: skip
NA = "[Not Available]"


def answered(*cells: str) -> tuple[str, dict[str, Any] | None, list[str]]:
    bound = layout_of(mapping_text("tcga-brca"), HEADER, None)
    assert isinstance(bound, Bound), bound
    (row,) = answer_rows([Row(2, 2, ("made-up", *cells))], bound)
    return row.status, row.answer, [each.problem.code for each in row.problems]


@pytest.mark.parametrize(
    ("cells", "status", "codes"),
    [
        # total signals in the field of the average: refused, never called amplified
        (("2+", NA, "185", "160", "60", "1.1"), "invalid", ["IMPLAUSIBLE_VALUE"]),
        (("2+", "Positive", "816", "51", "30", "16.3"), "invalid", ["IMPLAUSIBLE_VALUE"]),
        ((NA, NA, "47", "63", NA, "1.0"), "invalid", ["IMPLAUSIBLE_VALUE"]),
        # IHC 3+ stays positive beside them
        (("3+", NA, "185", "160", "60", "1.1"), "positive", []),
        # the contradiction of ratio and copies is not guessed
        (("2+", NA, "3.2", "2.7", "40", "2.2"), "invalid", ["RATIO_MISMATCH"]),
        # rounding is no contradiction
        (("2+", NA, "5", "4", "40", "1.0"), "pending", []),
        # a word in a number field
        (("2+", NA, "not amplified", NA, NA, NA), "invalid", ["MALFORMED_NUMBER"]),
        # intervals
        (("2+", NA, ">6.0", NA, NA, "2.2"), "positive", []),
        (("2+", NA, "<4.0", NA, NA, "1.8"), "negative", []),
        # missing markers and blanks
        ((NA, "[Not Evaluated]", NA, NA, NA, NA), "pending", []),
        (("1+", "", "", "", "", ""), "negative", []),
    ],
)
def test_a_row(cells: tuple[str, ...], status: str, codes: list[str]) -> None:
    found, _, told = answered(*cells)
    assert (found, told) == (status, codes)


def test_an_interval_is_group_1_when_all_of_it_is() -> None:
    _, answer, _ = answered("2+", NA, ">6.0", NA, NA, "2.2")
    assert answer is not None
    assert (answer["ish_group"], answer["final"]) == (1, True)


def test_a_reported_fish_without_values_leaves_a_negative_open() -> None:
    _, answer, _ = answered("1+", "Positive", NA, NA, NA, NA)
    assert answer is not None
    assert (answer["status"], answer["final"]) == ("negative", False)
