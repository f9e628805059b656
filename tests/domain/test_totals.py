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


def test_sequences_of_two_lengths_are_no_pairs() -> None:
    with pytest.raises(ValueError, match=r"shorter|longer"):
        list(pairs([1, 2], [1]))
