"""What holds for every answer, whatever was sent."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from app.domain import codes
from app.domain.reading import read_case
from app.guidelines import classify as path
from app.guidelines.classify import classify
from app.guidelines.editions import EDITIONS
from tests.properties.made import CEP17, COPIES, DOCUMENTS, EXACT, RATIOS, Document, answer

OPEN = set(codes.NEXT_STEPS) - codes.ADVICE_STEPS - codes.WAITING_STEPS


@EXACT
@given(DOCUMENTS)
def test_every_answer_is_whole(document: Document) -> None:
    found = answer(document)
    assert found.status in codes.STATUSES
    assert found.her2_low in codes.HER2_LOW
    assert set(found.flags) <= set(codes.FLAGS) and len(set(found.flags)) == len(found.flags)
    assert set(found.next_steps) <= set(codes.NEXT_STEPS) and len(set(found.next_steps)) == len(found.next_steps)
    assert found.comment in (None, *codes.COMMENTS)
    assert found.ish_result in (None, *codes.ISH_RESULTS)
    assert found.retest in (None, *codes.RETEST)
    assert (found.status == "invalid") == bool(found.problems)
    if found.final:
        assert found.status in ("positive", "negative")
        assert not set(found.next_steps) & OPEN
        assert not found.review_required
    if found.status in ("positive", "negative") and not found.next_steps:
        assert found.final
    if found.status in ("equivocal", "pending", "indeterminate", "invalid"):
        assert found.next_steps
        assert (found.her2_low, found.comment) == ("undetermined", None)
    assert (found.her2_low == "not_applicable") == (found.status == "positive")
    if found.comment:
        assert found.status == "negative" and f"G{found.ish_group}" == found.comment
    if found.edition in ("asco-cap-2013", "asco-cap-2007"):
        assert (found.ish_group, found.comment, found.policy) == (None, None, {})
    assert found.report_notes == (
        ("LOW_EXPRESSION_2023",) if (found.edition, found.status) == ("asco-cap-2023", "negative") else ()
    )
    assert found.trace


@EXACT
@given(DOCUMENTS)
def test_ihc_3_plus_is_never_negative(document: Document) -> None:
    document["ihc"] = "3+"
    found = answer(document)
    assert found.status in ("positive", "pending", "invalid")
    policy = document.get("policy", {})
    if "hold" not in policy.values() and document.get("specimen", {}).get("invasive") is not False:
        assert found.status == "positive"


@EXACT
@given(DOCUMENTS)
def test_handling_never_changes_the_status(document: Document) -> None:
    specimen = {"invasive": document.get("specimen", {}).get("invasive"), "fixation_hours": 1, "decalcified": True}
    found, other = answer(document), answer({**document, "specimen": specimen})
    assert (found.status, found.final, found.comment, found.her2_low) == (
        other.status, other.final, other.comment, other.her2_low,
    )  # fmt: skip


@EXACT
@given(DOCUMENTS)
def test_2023_is_2018(document: Document) -> None:
    old, new = (answer({**document, "edition": f"asco-cap-{year}"}) for year in (2018, 2023))
    for name in (
        "status",
        "final",
        "ish_group",
        "comment",
        "next_steps",
        "flags",
        "her2_low",
        "review_required",
        "retest",
    ):
        assert getattr(old, name) == getattr(new, name)


def _shuffled(value: Any, rng: random.Random) -> Any:
    if isinstance(value, dict):
        keys = list(value)
        rng.shuffle(keys)
        return {key: _shuffled(value[key], rng) for key in keys}
    return value


@EXACT
@given(DOCUMENTS, st.randoms(use_true_random=False))
def test_the_order_of_keys_does_not_matter(document: Document, rng: random.Random) -> None:
    assert answer(_shuffled(document, rng)) == answer(document)


def _numbers(value: Any, change: Any) -> Any:
    if isinstance(value, dict):
        return {key: _numbers(content, change) if key not in ("grade", "group") else content
                for key, content in value.items()}  # fmt: skip
    try:
        return change(value) if isinstance(value, str | int) and not isinstance(value, bool) else value
    except (ValueError, ArithmeticError):
        return value


@EXACT
@given(DOCUMENTS)
def test_a_number_may_be_a_json_number_or_text(document: Document) -> None:
    """A JSON number loses trailing zeros, and with them what "agrees by rounding" means: so no three values here."""
    for block in ("ish", "follow_up_ish", "recount", "third_count", "cluster"):
        assume(not {"ratio", "her2_copies", "cep17_copies"} <= set(document.get(block, ())))
        assume(not {"her2_signals", "cep17_signals"} & set(document.get(block, ())))
    document["ihc"] = "2+"
    as_text = answer(_numbers(document, lambda value: str(Decimal(value))))
    as_number = answer(_numbers(document, lambda value: float(value)))
    for name in ("status", "final", "ish_group", "comment", "next_steps", "flags", "her2_low"):
        assert getattr(as_text, name) == getattr(as_number, name)


@EXACT
@given(st.lists(DOCUMENTS, min_size=2, max_size=5))
def test_an_answer_does_not_hang_on_earlier_ones(documents: list[Document]) -> None:
    """What is remembered of earlier records must be all that an answer depends on."""
    warm = [answer(document) for document in [*documents, *documents]]
    path._settled.clear()
    assert [answer(document) for document in reversed(documents)] == warm[: len(documents)][::-1]


# A record of which all ISH values are known, and what of them may still be missing or told as an interval.
VALUES = ("ratio", "her2_copies", "cep17_copies", "assay")
WHOLE = st.fixed_dictionaries(
    {"ratio": st.sampled_from(RATIOS), "her2_copies": st.sampled_from(COPIES), "cells": st.sampled_from([20, 40])},
    optional={"assay": st.just("dual_probe")},
) | st.fixed_dictionaries(
    {"her2_copies": st.sampled_from(COPIES), "assay": st.sampled_from(["single_probe", "dual_probe"])},
    optional={"cells": st.sampled_from([20, 40]), "cep17_copies": st.sampled_from(CEP17)},
)
PARTS = st.dictionaries(st.sampled_from(VALUES), st.sampled_from(["", "<", "<=", ">", ">=", "to"]), min_size=1)


def _told_in_part(whole: Document, parts: dict[str, str]) -> Document:
    """The record with some values left out, or told as an interval that holds them."""
    ish = dict(whole["ish"])
    for name, how in parts.items():
        value = ish.pop(name, None)
        if value is None or name == "assay" or not how:
            continue
        low, high = Decimal(value) - Decimal("0.4"), Decimal(value) + Decimal("0.4")
        ish[name] = {"<": f"<{high}", "<=": f"<={value}", ">": f">{low}", ">=": f">={value}", "to": f"{low}-{high}"}[
            how
        ]
    return {**whole, "ish": ish}


@EXACT
@given(DOCUMENTS, WHOLE, PARTS)
def test_completing_a_record_never_changes_a_final_status(
    document: Document, ish: Document, parts: dict[str, str]
) -> None:
    whole = {**document, "ish": ish, "policy": {}}
    before, after = answer(_told_in_part(whole, parts)), answer(whole)
    if before.final and after.status != "invalid":
        assert after.status == before.status


@EXACT
@given(DOCUMENTS, WHOLE, PARTS)
def test_unknown_never_makes_final_what_was_not(document: Document, ish: Document, parts: dict[str, str]) -> None:
    """Save under review: 3+ in group 5 waits for the pathologist, 3+ in an unknown group need not (section 11)."""
    whole = {**document, "ish": ish, "policy": {}}
    before, after = answer(_told_in_part(whole, parts)), answer(whole)
    if not after.final and not after.review_required and after.status != "invalid":
        assert not before.final


@EXACT
@given(DOCUMENTS, st.sampled_from(["ish", "recount", "cluster", "follow_up_ish"]), st.data())
def test_null_is_as_absent(document: Document, block: str, data: st.DataObject) -> None:
    given_fields = list(document.get(block, ()))
    name = data.draw(st.sampled_from([*given_fields, "ratio"]))
    less = {**document, block: {key: value for key, value in document.get(block, {}).items() if key != name}}
    null = {**document, block: {**document.get(block, {}), name: None}}
    assert answer(null) == answer(less)


def test_every_edition_answers_an_empty_record() -> None:
    for edition in EDITIONS:
        found = answer({"edition": edition})
        assert (found.status, found.next_steps, found.final) == ("pending", ("perform_ihc_or_ish",), False)


def test_a_problem_makes_any_record_invalid() -> None:
    reading = read_case({"ihc": "3+", "extra": 1})
    assert [problem.code for problem in reading.problems] == ["UNKNOWN_FIELD"]
    found = classify(reading.case, reading.problems)
    assert (found.status, found.problems) == ("invalid", reading.problems)
