"""No two counts are mixed, and nothing depends on the order of arrival, whatever lies between two reports."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interop.received import Fact, Part
from app.services.joining import assembled, document_of, fields_of, renewed

MON, TUE, WED, THU = (f"2026-11-{day}T09:00:00.000000+00:00" for day in ("16", "17", "18", "19"))
Said = tuple[str, str, str | None]  # status, field, value


def part(at: str, *said: Said) -> Part:
    facts = tuple(Fact(name, value, status, at, f"OBX[{n}]", "") for n, (status, name, value) in enumerate(said, 1))
    return Part((), "North", "S26-1", "", "A1", facts)


FIRST = part(MON, ("final", "ish.ratio", "2.4"), ("final", "ish.cep17_copies", "2.0"), ("final", "ish.cells", "40"))
REST = {"ish.cep17_copies": "2.0", "ish.cells": "40"}


@pytest.mark.parametrize(
    ("parts", "fields"),
    [
        pytest.param(
            [FIRST, part(TUE, ("preliminary", "ish.ratio", "1.8")), part(WED, ("final", "ish.ratio", "1.8"))],
            {"ish.ratio": "1.8"},
            id="a preliminary value between two counts",
        ),
        pytest.param(
            [FIRST, part(TUE, ("preliminary", "ish.ratio", "1.8")), part(WED, ("promoted", "ish.ratio", None))],
            {"ish.ratio": "1.8"},
            id="a second count that U makes final",
        ),
        pytest.param(
            [FIRST, part(TUE, ("promoted", "ish.ratio", "1.8"))],
            {"ish.ratio": "1.8"},
            id="a second count that comes with U",
        ),
        pytest.param(
            [FIRST, part(TUE, ("deleted", "ish.ratio", None)), part(WED, ("final", "ish.ratio", "1.8"))],
            {"ish.ratio": "1.8"},
            id="a value taken back, and another one sent",
        ),
        pytest.param(
            [FIRST, part(TUE, ("deleted", "ish.ratio", None)), part(WED, ("final", "ish.ratio", "2.4"))],
            {"ish.ratio": "2.4", **REST},
            id="a value taken back, and the same one sent again",
        ),
        pytest.param(
            [FIRST, part(TUE, ("preliminary", "ish.ratio", "2.4")), part(WED, ("promoted", "ish.ratio", None))],
            {"ish.ratio": "2.4", **REST},
            id="the same value confirmed with U",
        ),
        pytest.param(
            [
                FIRST,
                part(TUE, ("final", "ish.ratio", "1.8")),
                part(WED, ("final", "ish.cells", "20")),
            ],
            {"ish.ratio": "1.8", "ish.cells": "20"},
            id="a second count in two messages: the first count's cells contradict nothing",
        ),
        pytest.param(
            [FIRST, part(TUE, ("final", "ihc.score", "2+")), part(WED, ("corrected", "ihc.score", "3+"))],
            {"ish.ratio": "2.4", **REST, "ihc.score": "3+"},
            id="another assay's correction leaves the count alone",
        ),
        pytest.param(
            [part(MON, ("preliminary", "ish.ratio", "2.4"), ("final", "ish.cells", "40")),
             part(MON, ("final", "ish.ratio", "2.4"), ("final", "ish.cells", "40"))],
            {"ish.ratio": "2.4", "ish.cells": "40"},
            id="preliminary and final of one moment: the final one counts",
        ),
    ],
)  # fmt: skip
def test_no_two_counts_are_mixed(parts: list[Part], fields: dict[str, Any]) -> None:
    for order in itertools.permutations(parts):
        assert assembled(order) == (fields, ())


@pytest.mark.parametrize("status", ["preliminary", "promoted", "final", "corrected"])
def test_two_values_of_one_moment_and_one_status_contradict(status: str) -> None:
    one, other = part(MON, (status, "ihc.score", "2+")), part(MON, (status, "ihc.score", "3+"))
    for order in ((one, other), (other, one)):
        assert [each.code for each in assembled(order)[1]] == ["CONTRADICTORY"]


def test_a_correction_of_the_same_moment_does_not_contradict() -> None:
    one, other = part(MON, ("final", "ihc.score", "2+")), part(MON, ("corrected", "ihc.score", "3+"))
    assert assembled([other, one]) == ({"ihc.score": "3+"}, ())


_SAID = st.tuples(
    st.sampled_from(["preliminary", "final", "corrected", "promoted", "deleted"]),
    st.sampled_from(["ihc.score", "ish.ratio", "ish.cells", "specimen.block"]),
    st.sampled_from(["1", "2", None]),
).map(lambda said: (said[0], said[1], None) if said[0] == "deleted" else said)
_PARTS = st.lists(
    st.builds(
        lambda at, said: part(at, *said),
        st.sampled_from([MON, TUE, WED]),
        st.lists(_SAID, min_size=1, max_size=3, unique_by=lambda said: said[1]),
    ),
    max_size=4,
)


@given(_PARTS)
def test_every_order_of_arrival_gives_the_same(parts: list[Part]) -> None:
    answers = [assembled(order) for order in itertools.permutations(parts)]
    assert all(fields == answers[0][0] for fields, _ in answers)
    assert len({bool(problems) for _, problems in answers}) == 1


@given(_PARTS)
def test_a_repeated_report_changes_nothing(parts: list[Part]) -> None:
    fields, problems = assembled(parts)
    twice, problems_twice = assembled([*parts, *parts])
    assert bool(problems) == bool(problems_twice)
    assert problems or fields == twice


@given(_PARTS)
def test_only_what_was_said_stands(parts: list[Part]) -> None:
    said = {(fact.field, fact.value) for each in parts for fact in each.facts}
    fields = assembled(parts)[0]
    assert set(fields.items()) <= said
    assert fields_of(document_of(fields)) == fields


OURS = {"ish.ratio": "2.4", "ish.cells": "40"}


@pytest.mark.parametrize(
    ("after", "newest", "expected"),
    [
        pytest.param(
            {"ish.ratio": "1.8"},
            {"ish.ratio": THU, "ish.cells": MON},
            {"ish": {"ratio": "1.8"}},
            id="a newer count takes the cells that a person gave the older one with it",
        ),
        pytest.param(
            {**OURS, "ish.cep17_copies": "2.0"},
            {"ish.ratio": MON, "ish.cells": MON, "ish.cep17_copies": THU},
            {"ish": {"ratio": "2.4", "cells": "60", "cep17_copies": "2.0"}},
            id="a newer report that only adds leaves what a person amended",
        ),
        pytest.param(
            {**OURS, "ihc.score": "2+"},
            {"ish.ratio": MON, "ish.cells": MON, "ihc.score": TUE},
            {"ish": {"ratio": "2.4", "cells": "60"}, "ihc": {"score": "2+"}},
            id="another assay joins, however old",
        ),
    ],
)
def test_a_count_that_a_person_amended_is_kept_or_replaced_as_a_whole(
    after: dict[str, Any], newest: dict[str, str], expected: dict[str, Any]
) -> None:
    amended = {"ish": {"ratio": "2.4", "cells": "60"}}
    assert renewed(amended, OURS, after, newest, WED) == expected
