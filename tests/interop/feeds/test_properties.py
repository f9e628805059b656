"""Any message at all: mapping never raises, tells every line, and takes a score only where one is written."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.problems import Problem
from app.interop.feeds import map_received
from app.interop.feeds.feed import STANDARD
from app.interop.received import Coding, Identifier, Item, Received, Report, Value, part_of
from tests.interop.feeds.messages import facts, item, lines, loinc, mapped, text

WORDS = [
    "HER2", "her2/neu", "ERBB2", "IHC", "FISH", "by", "ratio", "HER2/CEP17", ":", "=", "-", "(", ")", "/", "+", "++",
    "3+", "2+", "0", "1.8", "2,0", "<2.0", ">=", "to", "positive", "negative", "not", "amplified", "score", "recount",
    "cells", "counted", "40", "average", "copy", "number", "see", "comment", "Block", "A1", "history", "control", "%",
    "estrogen", "receptor", "\n", "CEP17", "status", "no", "equivocal", "prior", "is", "considered", "left", "right",
]  # fmt: skip
PHRASES = st.lists(st.sampled_from(WORDS), max_size=12).map(" ".join) | st.text(max_size=20)
SYSTEMS = st.sampled_from(sorted({system for system, _ in STANDARD.codes} | {"", "urn:x"}))
CODES = st.sampled_from(sorted({code for _, code in (*STANDARD.codes, *STANDARD.answers)} | {"X1", ""}))
CODINGS = st.lists(st.builds(Coding, SYSTEMS, CODES, PHRASES), max_size=2).map(tuple)
NUMBERS = st.sampled_from(["", "0", "1", "2", "1.80", "4.50", "-1", "1e3", "240", "x"])
VALUES = st.lists(
    st.builds(
        Value,
        st.sampled_from(["none", "text", "quantity", "range", "ratio", "coded"]),
        PHRASES, st.just("OBX[1].5"), st.sampled_from(["", "<", ">="]), NUMBERS, NUMBERS,
        st.sampled_from(["", "1", "%", "{copies}/nucleus", "#", "{ratio}", "mm"]), CODINGS,
    ),
    max_size=3,
).map(tuple)  # fmt: skip
STATUSES = st.sampled_from(["preliminary", "final", "corrected", "promoted", "cancelled", "deleted", "wrong"])
TIMES = st.none() | st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
NOTES = st.lists(PHRASES, max_size=2).map(tuple)


def items(components: Any) -> Any:
    return st.builds(
        Item, st.just("OBX[1]"), CODINGS, PHRASES, VALUES, STATUSES, st.sampled_from(["", "1", "A1", "B"]), TIMES,
        CODINGS, CODINGS, NOTES, components, st.just(()),
    )  # fmt: skip


ITEMS = st.lists(items(st.lists(items(st.just(())), max_size=1).map(tuple)), max_size=4).map(tuple)
REPORTS = st.builds(
    Report, st.just("OBR[1]"), st.sampled_from([(), (Identifier("N", "P-1"),)]), st.sampled_from(["", "S1", "S2"]),
    ITEMS, st.sampled_from(["", "A"]), st.sampled_from(["", "B1"]), st.just(""), STATUSES, TIMES, CODINGS, CODINGS,
    CODINGS,
    st.sampled_from(["", "2026-11-01", "2026-11-01T10:00:00Z"]), st.just(""), NOTES,
)  # fmt: skip
MESSAGES = st.builds(
    Received, st.sampled_from(["hl7v2", "fhir"]), st.just("S"), st.just("1"), st.just("ORU^R01"),
    st.lists(REPORTS, max_size=2).map(tuple), at=TIMES, problems=st.just(()),
    notes=NOTES, merges=st.just(()),
)  # fmt: skip


@given(MESSAGES)
@settings(max_examples=400, deadline=None)
def test_mapping_never_raises_and_what_it_gives_can_be_stored(message: Received) -> None:
    told = map_received(message, STANDARD, {})
    assert all(isinstance(each, Problem) and each.message and each.remedy for each in told.problems)
    for part in told.parts:
        assert part_of(part.document) == part
        fields = [fact.field for fact in part.facts]
        assert len(fields) == len(set(fields))
        taken_back = [fact for fact in part.facts if fact.status in ("cancelled", "deleted", "wrong")]
        assert all(fact.value is None for fact in taken_back)


@given(MESSAGES)
@settings(max_examples=200, deadline=None)
def test_every_value_is_told(message: Received) -> None:
    told = map_received(message, STANDARD, {})
    least = sum(max(1, len(each.values)) for report in message.reports for each in report.items if len(each.values) < 2)
    assert len(told.lines) >= least


@given(PHRASES)
@settings(max_examples=500, deadline=None)
def test_no_text_without_a_digit_is_ever_a_score(written: str) -> None:
    for told in (
        mapped(item(loinc("85319-2"), values=(text(written),))),
        lines(f"HER2 IHC: {written}"),
        lines(written),
    ):
        score = facts(told).get("ihc.score")
        assert score in (None, "indeterminate") or re.search("[0-3]", written)


@given(PHRASES)
@settings(max_examples=500, deadline=None)
def test_a_score_is_the_only_one_of_its_text(written: str) -> None:
    """None is taken from a text that spells two scores, or one beside a word that denies it."""
    score = facts(mapped(item(loinc("85319-2"), values=(text(written),)))).get("ihc.score")
    if score not in (None, "indeterminate"):
        assert {each.replace(" ", "") for each in re.findall(r"[0-9] ?\+", written)} <= {score}
        assert not re.search(
            r"\bnot?\b|\bprior\b|\bhistory\b|\bcontrol\b|\bto\b|[<>/%]", re.sub("(?i)her2/neu", "", written)
        )


@given(PHRASES)
@settings(max_examples=500, deadline=None)
def test_a_number_is_taken_whole(written: str) -> None:
    """Its digits are those of the text, in their order, with none left over."""
    ratio = facts(mapped(item(loinc("49683-6"), values=(text(written),)))).get("ish.ratio")
    if ratio is not None:
        digits = re.sub(r"her-?2(/neu)?|cep17|erbb2", "", written.casefold())
        assert re.sub(r"\D", "", ratio) in (re.sub(r"\D", "", digits), re.sub(r"\D", "", digits)[:-1])


@given(st.permutations(range(3)), st.sampled_from(["2+", "3+"]), st.sampled_from(["1.8", "2.4"]))
def test_the_order_of_items_changes_nothing(order: list[int], score: str, ratio: str) -> None:
    three = [
        item(loinc("85319-2"), values=(text(score),)),
        item(loinc("49683-6"), values=(text(ratio),)),
        item(loinc("48676-1"), values=(text("negative"),)),
    ]
    assert facts(mapped(*(three[at] for at in order))) == facts(mapped(*three))
