"""A classification explains itself: the way through the tables, the values used, why a record is invalid."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.classification import Used
from app.domain.codes import FLAGS, NEXT_STEPS
from app.domain.numbers import UNBOUNDED
from app.guidelines.asking import shown
from app.guidelines.editions import EDITIONS
from tests.properties.made import answer

VALID = {"blinded": True, "in_ihc_2plus_area": True, "cells": 20}
GROUP_4 = {"ratio": "1.5", "her2_copies": "4.5", "cells": 20}


def way(steps: Any) -> list[str]:
    return [step.row if step.row.startswith(step.table) else f"{step.table} {step.row}" for step in steps]


def test_the_way_of_a_dual_probe() -> None:
    found = answer({"ihc": "1+", "ish": GROUP_4})
    assert way(found.trace) == [
        "ihc I2", "block B8", "governs[dual, none]", "credible P5", "count C7", "near N2", "agreement R1",
        "computed D1", "high H2", "average A3", "route T5", "group 4", "record V5", "cluster H4", "probe D1",
        "dual[4, 0 1+]", "outcomes Q15", "her2_low Z7", "final E1",
    ]  # fmt: skip
    assert found.worlds == ()


def test_the_way_of_ihc_alone_and_with_handling() -> None:
    found = answer({"ihc": "0", "specimen": {"fixation_hours": 73, "procedure": "core", "decalcified": True}})
    assert way(found.trace) == [
        "ihc I1", "staining S14", "block B1", "governs[none, none]", "route T1", "record V5", "cluster H4", "probe D3",
        "no_usable_ish[none, 0 1+]", "outcomes Q12", "fixation X2", "decalcified Y8", "her2_low Z5",
        "discordant_histology L1", "doubt Y11", "reason Y16", "retest M7", "advice J1", "final E1",
    ]  # fmt: skip


def test_the_way_of_a_second_count() -> None:
    counts = {"recount": {**GROUP_4, **VALID}, "third_count": {**GROUP_4, **VALID, "ratio": "2.5"}}
    found = answer({"ihc": "2+", "ish": GROUP_4, **counts, "adjudication": {"group": 4}})
    assert way(found.trace)[12:] == [
        "record V5", "cluster H4", "probe D1", "dual[4, 2+]", "credible P5", "count C7", "near N2", "agreement R1",
        "computed D1", "high H2", "average A3", "recount R7", "recount R8", "second_count[same, counted]", "end_rule 4",
        "outcomes Q15", "her2_low Z9", "final E1",
    ]  # fmt: skip
    alone = answer({"ihc": "2+", "ish": GROUP_4, "recount": {**GROUP_4, **VALID}})
    assert way(alone.trace)[-6:-3] == ["recount R7", "second_count[same, none]", "end_rule 4"]


def test_the_way_of_a_cluster_and_of_a_pattern() -> None:
    cluster = {"ratio": "2.5", "her2_copies": "5.0", "cells": 20, "share_percent": 11}
    ihc = {"score": "2+", "membrane": "complete", "intensity": "weak", "percent": 50}
    found = answer({"ihc": ihc, "ish": GROUP_4, "cluster": cluster})
    steps = way(found.trace)
    assert steps[:2] == ["ihc I3", "ihc_pattern A8"]
    assert steps.count("credible P5") == 2
    assert steps[-4:] == ["cluster H10", "outcomes Q11", "her2_low Z1", "final E1"]


def test_a_branch_for_every_world() -> None:
    ish = {"ratio": ">1.5", "her2_copies": "4.5", "assay": "dual_probe", "cells": 20}
    found = answer({"ihc": "1+", "ish": ish})
    assert [(world.assumption, world.status) for world in found.worlds] == [
        ("dual probe, ratio >= 2.0, her2 >= 4.0", "positive"),
        ("dual probe, ratio < 2.0, her2 [4.0..6.0)", "negative"),
    ]
    assert [way(world.steps)[-2:] for world in found.worlds] == [
        ["dual[1, 0 1+]", "outcomes Q34"],
        ["dual[4, 0 1+]", "outcomes Q15"],
    ]
    assert way(found.trace)[-4:] == ["certainty K8", "her2_low Z2", "her2_low Z2", "final E5"]
    unnamed = answer({"ihc": "1+", "ish": {"her2_copies": "4.5", "cells": 20}})
    assert [world.assumption.partition(",")[0] for world in unnamed.worlds] == [
        "dual probe",
        "dual probe",
        "single probe",
    ]


def test_a_step_says_what_was_observed_and_where_it_stands() -> None:
    step = answer({"ihc": "1+", "ish": GROUP_4}).trace[11]
    document = step.document
    assert document == {
        "table": "group",
        "row": "4",
        "title": "ISH group, dual probe",
        "when": {"ratio": "< 2.0", "her2": "[4.0..6.0)"},
        "says": {"group": "4", "result": "workup_group_4"},
        "place": "ASCO/CAP 2018 figure 3 [V S6]",
        "observed": {"ratio": "1.5", "her2": "4.5"},
        "text": "ISH group, dual probe: ratio 1.5, her2 4.5; so group 4, result workup_group_4 "
        "(ASCO/CAP 2018 figure 3 [V S6])",
    }
    assert step.document is document
    near = answer({"ihc": "1+", "ish": GROUP_4}).trace[5]
    assert near.document["says"] == {}
    assert near.document["text"] == (
        "Is the ratio near the threshold?: ratio 1.5; so nothing to add "
        "(assay instructions of a maker [V S15]; reading 8.9 [R])"
    )
    flagged = answer({"ihc": "1+", "ish": {**GROUP_4, "cells": 19, "her2_cells": 19}}).trace[4]
    assert flagged.document["says"]["flags"] == "FEWER_THAN_20_CELLS"
    listed = answer({"ihc": "1+", "ish": {"assay": "single_probe", "her2_copies": 7, "cells": 20}})
    outcome = next(step for step in listed.trace if step.table == "outcomes")
    assert outcome.document["says"]["steps"] == "perform_dual_probe, review_discordance"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "missing"), ("yes", "yes"), (3_995_000, "3.995"), ((2_000_000, 2_000_000), "2.0"),
        ((1_800_000, 2_200_000), "1.8 to 2.2"), ((6_000_001, UNBOUNDED), "6.000001 or more"), ((1, UNBOUNDED - 1),
        "0.000001 to 999999999.999999"),
    ],
)  # fmt: skip
def test_a_value_as_the_trace_prints_it(value: Any, text: str) -> None:
    assert shown(value) == text


def used(ish: dict[str, Any]) -> list[tuple[str, str, str]]:
    found = answer({"ihc": "1+", "ish": ish}).used
    units = {"ratio": "HER2/CEP17", "her2_copies": "signals per cell", "cep17_copies": "signals per cell"}
    assert all(each.unit == units[each.name] for each in found)
    return [(each.name, each.value, each.basis) for each in found]


def test_the_values_used() -> None:
    assert used({"ratio": "1.50", "her2_copies": "4.5"}) == [
        ("ratio", "1.50", "reported"),
        ("her2_copies", "4.5", "reported"),
        ("cep17_copies", "3.0", "computed"),
    ]
    assert used({"her2_signals": 143, "cep17_signals": 48, "cells": 20, "ratio": "3.0"}) == [
        ("ratio", "2.979167", "computed"),
        ("her2_copies", "7.15", "computed"),
        ("cep17_copies", "2.4", "computed"),
    ]
    assert used({"ratio": ">1.5", "her2_copies": "4.5"}) == [
        ("ratio", ">1.5", "reported"),
        ("her2_copies", "4.5", "reported"),
        ("cep17_copies", "0.000001 to 2.999998", "computed"),
    ]
    assert used({"assay": "single_probe", "her2_copies": "4.5"}) == [("her2_copies", "4.5", "reported")]
    assert used({"failed": True, "ratio": "2"}) == []
    assert answer({"ihc": "1+"}).used == ()
    follow_up = {
        "ish": {"assay": "single_probe", "her2_copies": "5"},
        "follow_up_ish": {"ratio": "2.5", "her2_copies": "5"},
    }
    assert answer(follow_up).used[0] == Used("ratio", "2.5", "HER2/CEP17", "reported")


BAD = {"ratio": "3.0", "her2_copies": "4.0", "cep17_copies": "4.0", "cells": 20}
AVERAGES = "send total signals in her2_signals and cep17_signals with cells, and averages per cell in the copies fields"
VALUES = "correct ratio, her2_copies, cep17_copies or totals: they give different groups"
PATTERN = {"score": "3+", "membrane": "complete", "intensity": "intense", "percent": 10}
REASONS: list[tuple[dict[str, Any], str, str, str]] = [
    ({"specimen": {"invasive": False}}, "NOT_INVASIVE", "specimen.invasive",
     "HER2 is classified on invasive carcinoma only"),
    ({"specimen": {"breast_carcinoma": False}}, "OUT_OF_SCOPE_SITE", "specimen.breast_carcinoma",
     "HER2 is classified here for breast carcinoma only"),
    ({"ihc": PATTERN}, "IHC_PATTERN_MISMATCH", "ihc.score",
     "correct the score or the described pattern: they contradict each other"),
    ({"ish": {"ratio": "2", "her2_copies": "61"}}, "IMPLAUSIBLE_VALUE", "ish", AVERAGES),
    ({"ish": BAD}, "RATIO_MISMATCH", "ish.ratio", VALUES),
    ({"ish": {"failed": True}, "follow_up_ish": BAD}, "RATIO_MISMATCH", "follow_up_ish.ratio", VALUES),
    ({"ish": {"ratio": "2.0", "her2_copies": "4.0", "her2_signals": 79, "cep17_signals": 40, "cells": 20}},
     "ROUNDING_CROSSES_THRESHOLD", "ish", "send the totals and cells alone, or correct the rounded values"),
    ({"ish": {"assay": "single_probe", "ratio": "2"}}, "ASSAY_CONFLICT", "ish.assay",
     "a single probe has no ratio and no CEP17; a case has one governing dual-probe result"),
    ({"ihc": "2+", "ish": GROUP_4, "recount": {**GROUP_4, **VALID}, "adjudication": {"group": 2}},
     "ADJUDICATION_UNSUPPORTED", "adjudication.group", "name one of the groups that were counted"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "code", "field", "remedy"), REASONS, ids=[code + field for _, code, field, _ in REASONS]
)
def test_why_a_record_is_invalid(document: dict[str, Any], code: str, field: str, remedy: str) -> None:
    found = answer(document)
    (problem,) = found.problems
    assert (problem.code, problem.field, problem.message, problem.remedy) == (code, field, FLAGS[code].text, remedy)
    assert code not in found.flags
    assert found.next_steps == ("verify_data",)


def test_all_reasons_are_told_but_not_what_follows_from_them() -> None:
    both = answer({"specimen": {"invasive": False}, "ihc": PATTERN, "ish": BAD})
    assert [problem.code for problem in both.problems] == ["NOT_INVASIVE", "IHC_PATTERN_MISMATCH", "RATIO_MISMATCH"]
    unread = answer({"ihc": "1+", "ish": {**BAD, "cells": "x"}})
    assert [problem.code for problem in unread.problems] == ["MALFORMED_NUMBER"]
    elsewhere = answer({"ihc": "1+", "ish": BAD, "specimen": {"grade": 9}})
    assert [problem.code for problem in elsewhere.problems] == ["UNKNOWN_VALUE", "RATIO_MISMATCH"]
    unbelievable = answer({"ihc": "1+", "ish": {**BAD, "ratio": "51"}})
    assert [problem.code for problem in unbelievable.problems] == ["RATIO_MISMATCH", "IMPLAUSIBLE_VALUE"]


def test_steps_and_flags_have_their_order() -> None:
    found = answer({"ihc": "0", "ish": {"assay": "single_probe", "her2_copies": 7}, "specimen": {"fixation_hours": 1}})
    assert found.next_steps == ("perform_dual_probe", "review_discordance")
    assert found.flags == ("DISCORDANT_IHC_ISH", "CELLS_NOT_REPORTED", "PREANALYTIC_FIXATION")
    for flags, listed in ((found.flags, list(FLAGS)), (found.next_steps, list(NEXT_STEPS))):
        assert list(flags) == sorted(flags, key=listed.index)
    waiting = answer({"ihc": "1+", "ish": {"assay": "dual_probe"}, "specimen": {"fixation_hours": 1}})
    assert waiting.next_steps == ("complete_missing_ish_values", "consider_repeat")
    again = answer({"ihc": "2+", "ish": {"ratio": "1.5", "her2_copies": ">=4.0", "cells": 20}})
    assert again.next_steps == ("complete_missing_ish_values", "blinded_recount_ihc2_area")


def test_the_switches_in_force_are_named() -> None:
    held = {"group1_ihc_negative": "hold"}
    assert answer({"policy": held}).policy == {
        "group1_ihc_negative": "hold",
        "group5_ihc_3plus": "review",
        "single_probe_discordant": "review",
        "low_in_groups_2_to_4": "include",
    }
    assert answer({"edition": "asco-cap-2013", "policy": held}).policy == {}


TITLES = {
    "asco-cap-2018": "ASCO/CAP HER2 testing in breast cancer, focused update 2018",
    "asco-cap-2023": "ASCO/CAP HER2 testing in breast cancer, 2023 affirmation of 2018",
    "asco-cap-2013": "ASCO/CAP HER2 testing in breast cancer, 2013 update",
    "asco-cap-2007": "ASCO/CAP HER2 testing in breast cancer, 2007",
}
SCORED_AS = {"asco-cap-2018": "2018", "asco-cap-2023": "2018", "asco-cap-2013": "2013", "asco-cap-2007": "2007"}


def test_what_an_edition_is() -> None:
    assert {edition.id: edition.title for edition in EDITIONS.values()} == TITLES
    assert {edition.id: edition.scored_as for edition in EDITIONS.values()} == SCORED_AS
    assert list(EDITIONS) == [edition.id for edition in EDITIONS.values()]
    digests = set()
    for edition in EDITIONS.values():
        identity = edition.identity()
        assert identity == {
            "id": edition.id,
            "version": f"{edition.id}+errata{edition.errata}",
            "title": edition.title,
            "errata": edition.errata,
            "errata_date": edition.errata_date,
            "digest": edition.digest,
        }
        assert len(edition.digest) == 64
        assert edition.source and edition.notes
        assert len(edition.errata_date) == 10 and edition.errata >= 0
        digests.add(edition.digest)
    assert len(digests) == 4
    assert [edition.switched for edition in EDITIONS.values()] == [True, True, False, False]
