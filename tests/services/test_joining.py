"""How messages about one specimen become one document: by their own times, never by arrival (interop.md 2.3, 2.4)."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interop.received import Fact, Part
from app.services.joining import assembled, cause_of, document_of, fields_of, renewed

MON, TUE, WED = (f"2026-11-{day}T09:00:00.000000+00:00" for day in ("16", "17", "18"))


def part(at: str, status: str = "final", **values: Any) -> Part:
    facts = tuple(
        Fact(name.replace("__", "."), value, status, at, f"OBX[{n}]", str(value))
        for n, (name, value) in enumerate(values.items(), 1)
    )
    return Part((), "North", "S26-1", "", "A1", facts)


FIRST = part(MON, ish__ratio="1.8", ish__her2_copies="4.5", ish__cells="40")
ROWS = [
    pytest.param(
        [part(MON, ihc__score="2+"), part(WED, ish__ratio="1.8")],
        {"ihc.score": "2+", "ish.ratio": "1.8"},
        id="IHC today and FISH next week join",
    ),
    pytest.param(
        [part(TUE, "corrected", ihc__score="3+"), part(MON, ihc__score="2+")],
        {"ihc.score": "3+"},
        id="a late older final never overwrites a newer correction",
    ),
    pytest.param([part(MON, "preliminary", ihc__score="2+")], {}, id="a preliminary value does not classify"),
    pytest.param(
        [part(MON, ihc__score="2+"), part(TUE, "preliminary", ihc__score="3+")],
        {},
        id="a newer preliminary value holds the field open",
    ),
    pytest.param(
        [part(MON, "preliminary", ihc__score="2+"), part(TUE, "promoted", ihc__score=None)],
        {"ihc.score": "2+"},
        id="U: the preliminary value is final without being sent again",
    ),
    *(
        pytest.param([part(MON, ihc__score="3+"), part(TUE, status, ihc__score=None)], {}, id=f"{status} empties")
        for status in ("cancelled", "deleted", "wrong")
    ),
    pytest.param(
        [FIRST, part(TUE, "corrected", ish__ratio="2.4", ish__her2_copies="6.2")],
        {"ish.ratio": "2.4", "ish.her2_copies": "6.2"},
        id="a correction replaces the assay: the cells of the first count are not its own",
    ),
    pytest.param(
        [FIRST, part(TUE, ish__cep17_copies="2.5")],
        {"ish.ratio": "1.8", "ish.her2_copies": "4.5", "ish.cells": "40", "ish.cep17_copies": "2.5"},
        id="a report that only adds joins the assay",
    ),
    pytest.param(
        [part(MON, specimen__site="breast", specimen__block="A1"), part(TUE, specimen__site="left breast")],
        {"specimen.site": "left breast", "specimen.block": "A1"},
        id="fields of the specimen stand each for itself",
    ),
]


@pytest.mark.parametrize(("parts", "fields"), ROWS)
def test_what_stands_in_any_order_of_arrival(parts: list[Part], fields: dict[str, Any]) -> None:
    for order in itertools.permutations(parts):
        assert assembled(order) == (fields, ())
        assert assembled([*order, *order]) == (fields, ())


def test_two_values_of_one_moment_contradict_each_other() -> None:
    (problem,) = assembled([part(MON, ihc__score="2+"), part(MON, ihc__score="3+")])[1]
    assert (problem.code, problem.field) == ("CONTRADICTORY", "OBX[1]")


_PARTS = st.lists(
    st.builds(
        lambda at, status, score, ratio: part(at, status, ihc__score=score, ish__ratio=ratio),
        st.sampled_from([MON, TUE, WED]),
        st.sampled_from(["preliminary", "final", "corrected", "promoted", "deleted"]),
        st.sampled_from(["0", "2+", "3+"]),
        st.sampled_from(["1.8", "2.4"]),
    ),
    max_size=4,
)


@given(_PARTS, st.randoms(use_true_random=False))
def test_the_document_depends_on_the_set_of_reports_alone(parts: list[Part], chance: Any) -> None:
    shuffled = list(parts)
    chance.shuffle(shuffled)
    assert assembled(parts)[0] == assembled(shuffled)[0]
    assert bool(assembled(parts)[1]) == bool(assembled(shuffled)[1])


@given(_PARTS)
def test_taking_everything_back_leaves_nothing(parts: list[Part]) -> None:
    end = part("2026-12-01T09:00:00.000000+00:00", "deleted", ihc__score=None, ish__ratio=None)
    assert assembled([*parts, end])[0] == {}


@pytest.mark.parametrize(
    ("newest", "score"),
    [
        pytest.param(MON, "1+", id="an older report leaves it"),
        pytest.param(WED, "3+", id="a newer report goes before it"),
    ],
)
def test_what_a_person_amended(newest: str, score: str) -> None:
    amended = {"ihc": {"score": "1+"}, "specimen": {"block": "A1"}}
    before, after = {"ihc.score": "2+"}, {"ihc.score": "3+"}
    expected = {"ihc": {"score": score}, "specimen": {"block": "A1"}}
    assert renewed(amended, before, after, {"ihc.score": newest}, TUE) == expected


def test_documents_and_fields_are_two_forms_of_one_thing() -> None:
    document = {"ihc": {"score": "2+"}, "reported_status": "negative", "specimen": {"block": "A1"}}
    assert document_of(fields_of(document)) == document


@pytest.mark.parametrize(
    ("statuses", "cause"),
    [
        (["final"], "reported"),
        (["preliminary"], "preliminary"),
        (["final", "corrected"], "corrected"),
        (["final", "wrong"], "cancelled"),
    ],
)
def test_what_a_message_is_to_its_result(statuses: list[str], cause: str) -> None:
    facts = tuple(Fact("ihc.score", None, status, MON, "OBX[1]", "") for status in statuses)
    assert cause_of(Part((), "", "", "", "", facts)) == cause
