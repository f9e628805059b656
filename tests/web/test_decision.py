"""How an answer is shown: thresholds are the tables' own, distances are exact, and any answer can be drawn."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import Environment

from app.decision_table import Table
from app.domain.codes import EDITIONS as IDS
from app.domain.numbers import MICRO
from app.guidelines import plausibility
from app.guidelines.editions import EDITIONS
from app.services import decision
from app.services.assessment import assess, guideline_document
from app.web.guideline import guideline_page
from app.web.pages import _environment

MACROS = """
{% import "parts/answer.html" as parts %}
{{ parts.headline(answer, t('answer.nothing_stored')) }}{{ parts.next_steps(answer) }}{{ parts.number_lines(answer) }}
{{ parts.path(answer) }}{{ parts.notes(answer) }}{{ parts.versions(answer) }}{{ parts.told([answer]) }}
"""


def answer(**case: Any) -> dict[str, Any]:
    return assess(case).answer


def drawn(told: dict[str, Any]) -> str:
    environment: Environment = _environment
    return environment.from_string(MACROS).render(answer=told)


def line(told: dict[str, Any], name: str) -> decision.NumberLine:
    return next(each for each in decision.number_lines(told) if each.name == name)


def distances(told: dict[str, Any], name: str) -> list[tuple[str, str, str]]:
    return [(each.how, each.by, each.threshold.text) for each in line(told, name).distances]


def _cuts(table: Table, column: str) -> set[Decimal]:
    """Where a table changes its answer, read from the text of its rows."""
    if column not in table.inputs:
        return set()
    found = {text for row in table.rows for text in re.findall(r"\d+(?:\.\d+)?", dict(row.conditions)[column])}
    return {Decimal(text) for text in found}


@pytest.mark.parametrize("edition", IDS)
@pytest.mark.parametrize("probe", ["dual", "single"])
def test_the_thresholds_drawn_are_those_of_the_editions_tables(edition: str, probe: str) -> None:
    ish = {"her2_copies": "5.0", "cells": 40} | ({"ratio": "1.5"} if probe == "dual" else {"assay": "single_probe"})
    told = answer(edition=edition, ihc="2+", ish=ish)
    tables = EDITIONS[edition]
    wanted = {
        "her2_copies": (tables.dual if probe == "dual" else tables.single, "her2"),
        "cells": (plausibility.COUNT, "cells"),
    }
    if probe == "dual":
        wanted |= {"ratio": (tables.dual, "ratio"), "cep17_copies": (plausibility.CREDIBLE, "cep17")}
    shown = {each.name: each for each in decision.number_lines(told)}
    assert shown.keys() == wanted.keys()
    for name, (table, column) in wanted.items():
        assert {Decimal(each.text) for each in shown[name].thresholds} == _cuts(table, column), name
        assert shown[name].table == table.name
        for each in shown[name].thresholds:
            assert Decimal(each.value) / MICRO == Decimal(each.text)


def test_an_edition_whose_table_does_not_ask_for_copies_draws_no_threshold_for_them() -> None:
    told = answer(edition="asco-cap-2007", ihc="2+", ratio="2.2", copies="4.0")
    assert line(told, "her2_copies").thresholds == ()
    assert "Not asked by this edition" in drawn(told)


@pytest.mark.parametrize(
    ("ratio", "wanted"),
    [
        ("1.80", ("below", "0.20", "2.0")),
        ("1.999999", ("below", "0.000001", "2.0")),
        ("2.0", ("at", "0", "2.0")),
        ("2.00", ("at", "0", "2.0")),
        ("1.9999999999999998", ("at", "0", "2.0")),
        ("2.01", ("above", "0.01", "2.0")),
        ("2.5", ("above", "0.5", "2.0")),
        (">1.8", ("across", "", "2.0")),
        ("<2.0", ("all_below", "0", "2.0")),
        ("<1.8", ("at_least_below", "0.2", "2.0")),
        (">=2.0", ("all_above", "0", "2.0")),
        (">2.0", ("all_above", "0", "2.0")),
        (">2.25", ("at_least_above", "0.25", "2.0")),
        ("1.50-1.75", ("at_least_below", "0.25", "2.0")),
    ],
)
def test_the_distance_to_a_threshold_is_exact_in_the_digits_written(ratio: str, wanted: tuple[str, str, str]) -> None:
    assert distances(answer(ihc="2+", ratio=ratio, copies="4.5"), "ratio") == [wanted]


def test_a_value_on_a_threshold_that_belongs_below_says_so() -> None:
    told = answer(edition="asco-cap-2007", ihc="2+", ratio="2.2", copies="4.0")
    assert distances(told, "ratio") == [("above", "0.4", "1.8"), ("at", "0", "2.2")]
    assert "exactly 2.2, which does not count as above it" in drawn(told)
    just_above = answer(edition="asco-cap-2007", ihc="2+", ratio="2.21", copies="4.0")
    assert distances(just_above, "ratio")[1] == ("above", "0.01", "2.2")


def test_how_a_value_lies_to_a_threshold_agrees_with_the_row_that_was_hit() -> None:
    for edition in EDITIONS.values():
        for ratio in ("1.79", "1.8", "1.81", "1.99", "2.0", "2.2", "2.21"):
            told = answer(edition=edition.id, ihc="2+", ratio=ratio, copies="5.0")
            step = next(each for each in told["trace"] if each["table"] == edition.dual.name)
            for each in line(told, "ratio").distances:
                above = each.how == "above" or (each.how == "at" and not each.threshold.upper)
                asked = step["when"]["ratio"]
                if asked.startswith("<"):
                    assert not (above and Decimal(asked.strip("<= ")) == Decimal(each.threshold.text))
                elif asked.startswith(">"):
                    assert above or Decimal(asked.strip(">= ")) != Decimal(each.threshold.text)


def test_an_interval_is_drawn_as_a_range_and_an_open_one_goes_on_by_an_arrow() -> None:
    told = answer(ihc="2+", ratio=">1.8", copies="4-6")
    ratio, copies = line(told, "ratio"), line(told, "her2_copies")
    assert (ratio.exact, ratio.open, ratio.start, ratio.end, ratio.observed) == (False, True, "60", "100", ">1.8")
    assert (copies.exact, copies.open, copies.start, copies.end) == (False, False, "44.4", "66.7")
    page = drawn(told)
    assert page.count("<rect") == 3 and "line-mark" in page and "&gt;1.8" in page


def test_a_value_beyond_the_drawn_range_is_an_arrow_with_its_digits() -> None:
    told = answer(ihc="2+", ratio="7.10", copies="15.5", cells=40)
    ratio = line(told, "ratio")
    assert (ratio.beyond, ratio.observed) == (True, "7.10")
    assert distances(told, "ratio") == [("above", "5.10", "2.0")]
    assert drawn(told).count("<circle") == 1  # CEP17 alone lies within its line


def test_a_value_not_given_is_said_to_be_missing_with_the_thresholds_it_would_meet() -> None:
    told = answer(ihc="2+", ratio="1.6")
    assert line(told, "her2_copies").observed is None
    assert "HER2 copies per cell: not given" in drawn(told)
    assert "It would be read against 4.0, 6.0" in drawn(told)


def test_where_the_tables_of_an_answer_are_not_at_hand_no_threshold_is_drawn() -> None:
    told = answer(ihc="2+", ratio="1.6", copies="4.5")
    old = {**told, "edition": {**told["edition"], "digest": "0" * 64}}
    assert decision.number_lines(old) == []
    page = drawn(old)
    assert "<svg" not in page and "not at hand any more" in page
    assert all(each.matters for each in decision.path(old))


def test_the_path_tells_large_what_decides_and_leaves_nothing_out() -> None:
    told = answer(ihc="2+", ratio="1.90", copies="4.5", cells=40)
    shown = decision.path(told)
    assert [each.step for each in shown] == told["trace"]
    assert [each.step["table"] for each in shown if each.matters] == [
        "ihc", "group", "dual", "second_count", "her2_low", "final",
    ]  # fmt: skip
    group = next(each for each in shown if each.step["table"] == "group")
    assert group.asked == (("ratio", "1.9", "< 2.0"), ("her2", "4.5", "≥ 4.0 and < 6.0"))


@pytest.mark.parametrize("edition", IDS)
def test_every_row_of_the_path_is_linked_to_its_place_in_the_page_of_the_edition(edition: str) -> None:
    document = guideline_document(edition)
    assert document is not None
    places = set(re.findall(r' id="([^"]+)"', bytes(guideline_page(document).body).decode()))
    page = drawn(answer(edition=edition, ihc="2+", ratio=">1.8", copies="4.5", cells=40))
    links = re.findall(rf'href="/guidelines/{edition}\?format=html#([^"]+)"', page)
    assert len(links) > 10
    assert set(links) <= places


def test_what_makes_a_record_invalid_is_told_large() -> None:
    tables = [
        each.step["table"]
        for each in decision.path(answer(ihc="2+", ratio="2.1", copies="4.0", cep17="3.0"))
        if each.matters
    ]
    assert {"count", "no_usable_ish"} <= set(tables)
    scope = answer(ihc="3+", specimen={"breast_carcinoma": False})
    assert "record" in {each.step["table"] for each in decision.path(scope) if each.matters}


def test_each_world_is_told_with_what_it_would_be() -> None:
    told = answer(ihc="2+", ratio=">1.8", copies="4.5")
    page = drawn(told)
    assert len(told["worlds"]) == page.count('<li class="world">') == 2
    assert "If it is: dual probe, ratio ≥ 2.0, HER2 copies ≥ 4.0" in page and "then HER2 positive" in page


def test_not_final_is_said_in_words_by_a_sign_and_by_another_frame() -> None:
    final, open_, invalid = (
        drawn(answer(**case))
        for case in (
            {"ihc": "3+"},
            {"ihc": "2+"},
            {"ihc": "2+", "ratio": "2.1", "copies": "4.0", "cep17": "3.0"},
        )
    )
    assert "verdict-final" in final and "<strong>Final</strong>" in final and "Not final" not in final
    for page, frame in ((open_, "verdict-unfinal"), (invalid, "verdict-invalid")):
        assert frame in page and "<strong>Not final</strong>" in page and "<strong>Final</strong>" not in page


def test_a_signed_answer_says_signed_and_no_other_does() -> None:
    template = _environment.from_string(
        '{% import "parts/answer.html" as parts %}{{ parts.headline(answer, confirmation) }}'
    )
    told = answer(ihc="3+")
    assert "Signed: confirmed" in template.render(answer=told, confirmation="confirmed")
    for words in ("computed, not yet confirmed", "computed; this laboratory uses no sign-off"):
        assert f"Not signed: {words}" in template.render(answer=told, confirmation=words)


def test_two_answers_are_compared_part_by_part() -> None:
    case: dict[str, Any] = {"ihc": "2+", "ratio": "1.5", "copies": "5.0", "cells": 40}
    found = {each.name: each for each in decision.compared(answer(**case), answer(**case, edition="asco-cap-2013"))}
    assert (found["status"].first, found["status"].second, found["status"].same) == ("pending", "equivocal", False)
    assert found["final"].same and found["final"].first == "no"


@pytest.mark.parametrize(
    ("condition", "told"),
    [("[4.0..6.0)", "≥ 4.0 and < 6.0"), ("(0..10]", "> 0 and ≤ 10"), (">= 2.0", "≥ 2.0"), ("2+, 3+", "2+, 3+")],
)
def test_conditions_are_written_in_signs_everybody_reads(condition: str, told: str) -> None:
    assert decision.plain(condition) == told


_NUMBERS = st.one_of(
    st.decimals("0.01", "30", places=2).map(str),
    st.sampled_from([">1.8", "<2.0", "4-6", ">=6.0", "≤4.0", "1.8-2.2", "0", "abc", "2.0", "4.0", "6.0", "99"]),
)
_ISH = st.fixed_dictionaries(
    {},
    optional={
        "ratio": _NUMBERS, "her2_copies": _NUMBERS, "cep17_copies": _NUMBERS, "cells": st.integers(1, 60),
        "her2_signals": st.integers(1, 400), "cep17_signals": st.integers(1, 200), "failed": st.booleans(),
        "assay": st.sampled_from(["dual_probe", "single_probe"]),
    },
)  # fmt: skip
_CASES = st.fixed_dictionaries(
    {},
    optional={
        "ihc": st.sampled_from(["0", "0+", "1+", "2+", "3+", "indeterminate", "positive"]),
        "ish": _ISH,
        "follow_up_ish": _ISH,
        "recount": _ISH.map(lambda ish: {k: v for k, v in ish.items() if k not in ("failed", "assay")}),
        "edition": st.sampled_from(IDS),
        "specimen": st.booleans().map(lambda breast: {"breast_carcinoma": breast, "procedure": "core", "grade": 3}),
        "context": st.fixed_dictionaries({"er": st.sampled_from(["positive", "negative", "unknown"])}),
    },
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(_CASES)
def test_any_answer_can_be_shown_with_nothing_inline(case: dict[str, Any]) -> None:
    told = answer(**case)
    page = drawn(told)
    assert f"HER2 {told['status']}" in page
    assert "style=" not in page and "<script" not in page and "<style" not in page and "javascript:" not in page
    assert not re.search(r"\son[a-z]+=", page)
    for each in decision.number_lines(told):
        for place in (each.start, each.end, each.label, *(cut.at for cut in each.thresholds)):
            assert 0 <= Decimal(place) <= 100
