"""Totals over cells of their own, and which assay an answer waits for: arithmetic that must not round on the way."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.pairs import pairs
from app.domain.reading import read_case
from app.guidelines.classify import classify


def classified(**document: Any) -> Any:
    reading = read_case(document)
    assert reading.problems == ()
    return classify(reading.case)


def test_the_ratio_of_averages_over_cells_of_their_own_is_exact() -> None:
    # 40/30 is 1.333333 and 20/30 is 0.666667: their quotient would be 1.999998 and miss the limit (guideline.md 2.2).
    counted = {"her2_signals": 40, "her2_cells": 30, "cep17_signals": 20, "cep17_cells": 30}
    assert classified(ihc="2+", ish={"assay": "dual_probe", **counted}).ish_group == 2
    counted["her2_signals"] = 39
    assert classified(ihc="2+", ish={"assay": "dual_probe", **counted}).ish_group == 5


@pytest.mark.parametrize(("counted", "group"), [((60, 20, 30, 40), 2), ((60, 20, 60, 40), 2), ((90, 20, 180, 40), 4)])
def test_each_probe_is_averaged_over_its_own_cells(counted: tuple[int, int, int, int], group: int) -> None:
    names = ("her2_signals", "her2_cells", "cep17_signals", "cep17_cells")
    # The averages: 3.0 and 0.75; 3.0 and 1.5; 4.5 and 4.5.
    found = classified(ihc="2+", ish={"assay": "dual_probe", **dict(pairs(names, counted))})
    assert found.ish_group == group


@pytest.mark.parametrize("first", ["single_probe", "dual_probe", None])
def test_where_both_assays_are_awaited_the_dual_probe_is(first: str | None) -> None:
    # Whatever the first was to be, the assay that follows it is a dual probe and final (reading 1.4).
    policy = {"single_probe_discordant": "hold"}
    found = classified(ihc="3+", policy=policy, ish={"assay": first}, follow_up_ish={"assay": "dual_probe"})
    assert (found.status, found.final) == ("positive", True)
    alone = classified(ihc="3+", policy=policy, ish={"assay": "single_probe"})
    assert (alone.status, alone.final) == ("positive", False)


def test_a_quotient_that_cannot_be_is_told_beside_a_sound_ratio() -> None:
    # Reading 7.4: no ratio above 50, be it reported or the quotient of the reported averages.
    reading = read_case({"ihc": "2+", "ish": {"ratio": "4.0", "her2_copies": "55.0", "cep17_copies": "1.0"}})
    assert "IMPLAUSIBLE_VALUE" in {problem.code for problem in classify(reading.case).problems}
    reading = read_case({"ihc": "2+", "ish": {"ratio": "49.0", "her2_copies": "49.0", "cep17_copies": "1.0"}})
    assert classify(reading.case).problems == ()


@pytest.mark.parametrize(
    ("copies", "agrees"),
    # A ratio of 1.5 is 1.45 to 1.55, a CEP17 of 2.0 is 1.95 to 2.05: HER2 is 2.8275 to 3.1775 and may touch an end.
    [("2.827", True), ("2.826", False), ("3.178", True), ("3.179", False)],
)
def test_rounded_values_agree_where_their_intervals_touch(copies: str, agrees: bool) -> None:
    found = classified(ihc="1+", ish={"ratio": "1.5", "her2_copies": copies, "cep17_copies": "2.0", "cells": 20})
    assert ("RATIO_MISMATCH" in found.flags) is not agrees


def test_sequences_of_two_lengths_are_no_pairs() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        list(pairs([1, 2], [1]))
