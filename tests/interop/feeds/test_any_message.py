"""Properties: no message breaks the mapping, no text without a score gives one, no digit is changed."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.interop.feeds import map_received
from app.interop.feeds.feed import STANDARD
from app.interop.received import LOINC, Coding, Identifier, Item, Mapped, Received, Report, Value
from tests.interop.feeds.messages import facts, item, lines, loinc, mapped, text

WORDS = st.sampled_from(
    ["HER2", "HER2 IHC", "IHC:", "3+", "2+", "1+", "0", "0+", "not", "score", "Score:", "positive", "negative", "ratio",
     "1.80", "<2.0", "4,5", "to", "-", "/", "(", ")", "HER2/CEP17 ratio:", "Cells counted:", "previous", "A.", "B.",
     "HER2 by ISH recount", "Average HER2 copy number", "40", "%", "+", ".", ":", "%", "in", "of", "the", "and",
     "Left breast", "HER2 status:", "ß", "İ", "\n", "２", "؀"]
)  # fmt: skip
TEXTS = st.one_of(st.lists(WORDS, max_size=12).map(" ".join), st.text(max_size=40))
CODES = st.one_of(
    st.sampled_from([Coding(*at, "") for at in (*STANDARD.codes, *STANDARD.answers)]),
    st.builds(Coding, st.sampled_from(["", LOINC, "urn:x"]), st.text(max_size=6), TEXTS),
)
NUMBERS = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4})?", fullmatch=True)
VALUES = st.builds(
    Value, st.sampled_from(["none", "text", "quantity", "range", "ratio", "coded"]), TEXTS, st.just("x"),
    st.sampled_from(["", "<", "<=", ">", ">="]), st.one_of(NUMBERS, st.text(max_size=3)),
    st.one_of(NUMBERS, st.just("1")), st.sampled_from(["", "%", "1", "{ratio}", "mm"]),
    st.lists(CODES, max_size=2).map(tuple),
)  # fmt: skip
STATUSES = st.sampled_from(["preliminary", "final", "corrected", "promoted", "cancelled", "deleted", "wrong"])


def items(components: Any) -> Any:
    return st.builds(
        Item, st.just("x"), st.lists(CODES, max_size=2).map(tuple), TEXTS, st.lists(VALUES, max_size=3).map(tuple),
        STATUSES, st.sampled_from(["", "1", "A", "B2"]), components=components,
    )  # fmt: skip


ITEMS = items(st.lists(items(st.just(())), max_size=2).map(tuple))
REPORTS = st.builds(
    Report, st.just("r"), st.sampled_from([(), (Identifier("N", "P-1"),)]), st.sampled_from(["", "S1"]),
    st.lists(ITEMS, max_size=4).map(tuple), st.sampled_from(["", "A"]),
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(REPORTS, max_size=3).map(tuple))
def test_no_message_breaks_the_mapping(reports: tuple[Report, ...]) -> None:
    told = map_received(Received("hl7v2", "S", "1", "ORU^R01", reports), STANDARD, {})
    for part in told.parts:
        assert len({fact.field for fact in part.facts}) == len(part.facts)


def says(score: str, written: str) -> bool:
    """The plain oracle: a line holds this digit alone, no sign, no denial; the one below denies nothing either.

    Nor does the one below begin with another number.
    """
    bare = re.sub(r"her-?2(?:/neu)?", "", written.casefold())
    lines = [line for line in bare.splitlines() if line.strip()]
    alone = [at for at, line in enumerate(lines) if set(re.findall(r"[0-9]", line)) == {score[0]}]
    below = lines[alone[0] + 1 : alone[0] + 2] if alone else ()
    return (
        bool(alone)
        and not re.search(r"[<>?/%]", lines[alone[0]])
        and not any(re.match(rf"\s*(?!{score[0]})[0-9]", line) for line in below)
        and not re.search(r"\b(?:not|no|non|previous|prior)\b", "\n".join([lines[alone[0]], *below]))
    )


def taken(told: Mapped) -> str | None:
    """The score that a message gives: none while it waits for a person."""
    return None if told.problems else facts(told).get("ihc.score")


@settings(max_examples=500, deadline=None)
@given(TEXTS)
def test_no_text_without_one_explicit_score_gives_one(written: str) -> None:
    score = taken(mapped(item(loinc("85319-2"), values=(text(written),))))
    assert score in (None, "not_done", "indeterminate") or says(score, written)


@settings(max_examples=500, deadline=None)
@given(st.lists(TEXTS, max_size=6).map("\n".join))
def test_no_document_without_one_explicit_score_gives_one(document: str) -> None:
    score = taken(lines(document))
    if score in (None, "not_done", "indeterminate"):
        return
    assert any(
        re.search(r"ihc|immunohisto|protein|score", line, re.IGNORECASE) and score[0] in line
        for line in document.splitlines()
    )


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(["49683-6", "74860-8", "74861-6"]), TEXTS)
def test_no_number_is_changed(code: str, written: str) -> None:
    told = mapped(item(loinc(code), values=(text(written),)))
    for value in facts(told).values() if not told.problems else ():
        for number in re.findall(r"[0-9.]+", value):
            assert re.search(rf"(?<![0-9.,]){re.escape(number)}(?![0-9,])", written)
        assert re.findall(r"[0-9]+", value) == re.findall(r"[0-9]+", written)[: len(re.findall(r"[0-9]+", value))]


@settings(max_examples=200, deadline=None)
@given(NUMBERS, st.sampled_from(["", "<", "<=", ">", ">="]))
def test_the_digits_of_a_quantity_stay(number: str, comparator: str) -> None:
    value = Value("quantity", number, "x", comparator, number)
    assert facts(mapped(item(loinc("74860-8"), values=(value,)))) == {"ish.her2_copies": f"{comparator}{number}"}
