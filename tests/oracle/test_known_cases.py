"""Cases whose answer is written in the guideline fact sheet, against the plain specification."""

from __future__ import annotations

import random
from typing import Any

import pytest

from tests.oracle.cases import grid_cases, random_case
from tests.oracle.plain import classify

VALID = {"blinded": True, "in_ihc_2plus_area": True, "cells": 20}
G: dict[int, dict[str, Any]] = {
    1: {"ratio": "2.5", "her2_copies": "5.0"},
    2: {"ratio": "2.5", "her2_copies": "3.0"},
    3: {"ratio": "1.5", "her2_copies": "6.5"},
    4: {"ratio": "1.5", "her2_copies": "4.5"},
    5: {"ratio": "1.2", "her2_copies": "2.5"},
}


def ish(group: int, **more: Any) -> dict[str, Any]:
    return {"assay": "dual_probe", "cells": 20, **G[group], **more}


def doc(year: int = 2018, **parts: Any) -> dict[str, Any]:
    return {"edition": f"asco-cap-{year}", **parts}


def single(copies: str, **more: Any) -> dict[str, Any]:
    return {"assay": "single_probe", "her2_copies": copies, "cells": 20, **more}


def recount(group: int, **more: Any) -> dict[str, Any]:
    return {**G[group], **VALID, **more}


# 2.2, "where a result changes class": ratio / copies by edition.
CHANGES = [
    ("2.1", "3.5", "equivocal", "positive", "workup_group_2"),
    ("2.0", "4.0", "equivocal", "positive", "positive"),
    ("1.99", "3.9", "equivocal", "negative", "negative"),
    ("1.5", "4.5", "negative", "equivocal", "workup_group_4"),
    ("1.5", "6.5", "negative", "positive", "workup_group_3"),
]


@pytest.mark.parametrize(("ratio", "copies", "y2007", "y2013", "y2018"), CHANGES)
def test_table_2_2(ratio: str, copies: str, y2007: str, y2013: str, y2018: str) -> None:
    block = {"assay": "dual_probe", "ratio": ratio, "her2_copies": copies, "cells": 40}
    for year, result in ((2007, y2007), (2013, y2013), (2018, y2018), (2023, y2018)):
        assert classify(doc(year, ihc="2+", ish=block))["ish_result"] == result


def test_table_2_2_single_six() -> None:
    found = [classify(doc(year, ish=single("6.0")))["ish_result"] for year in (2007, 2013, 2018)]
    assert found == ["equivocal", "positive", "positive"]


# Whole answers: document, expected fields.
KNOWN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "1.3 group 2, 0/1+": (doc(ihc="1+", ish=ish(2)), {"status": "negative", "comment": "G2", "final": True}),
    "1.3 group 3, 0/1+": (doc(ihc="0", ish=ish(3)), {"status": "negative", "comment": "G3"}),
    "1.3 group 4, 3+": (doc(ihc="3+", ish=ish(4)), {"status": "positive", "comment": None, "final": True}),
    "1.3 group 4, 2+": (
        doc(ihc="2+", ish=ish(4)),
        {"status": "pending", "next_steps": ["blinded_recount_ihc2_area"], "ish_group": 4},
    ),
    "1.3 group 2 again": (doc(ihc="2+", ish=ish(2), recount=recount(2)), {"status": "negative", "comment": "G2"}),
    "1.3 group 3 again": (doc(ihc="2+", ish=ish(3), recount=recount(3)), {"status": "positive", "final": True}),
    "1.3 group 4 again": (
        doc(ihc="2+", ish=ish(4), recount=recount(4)),
        {"status": "negative", "comment": "G4", "her2_low": "low", "final": True},
    ),
    "1.3 other group": (
        doc(ihc="2+", ish=ish(3), recount=recount(4)),
        {"status": "pending", "next_steps": ["adjudicate_ish_category"], "ish_group": 3},
    ),
    "0.8 adjudicated": (
        doc(ihc="2+", ish=ish(3), recount=recount(4), adjudication={"group": 4}),
        {"status": "negative", "comment": "G4", "ish_group": 4},
    ),
    "7.5 adjudicated, not counted": (
        doc(ihc="2+", ish=ish(3), recount=recount(4), adjudication={"group": 2}),
        {"status": "invalid", "problems": {"ADJUDICATION_UNSUPPORTED"}, "ish_group": 3},
    ),
    "7.5 adjudicated, third count": (
        doc(ihc="2+", ish=ish(3), recount=recount(4), third_count=recount(1), adjudication={"group": 1}),
        {"status": "positive", "ish_group": 1},
    ),
    "7.6 not blinded": (
        doc(ihc="2+", ish=ish(4), recount=recount(4, blinded=False, cells=19)),
        {
            "status": "pending",
            "next_steps": ["blinded_recount_ihc2_area"],
            "flags": {"RECOUNT_NOT_BLINDED", "RECOUNT_LT_20"},
        },
    ),
    "1.3 group 2 without IHC": (doc(ish=ish(2)), {"status": "pending", "next_steps": ["perform_ihc_same_tissue"]}),
    "1.3 group 1 without IHC": (doc(ish=ish(1)), {"status": "positive", "final": True, "next_steps": []}),
    "8.1": (
        doc(ihc="1+", ish=ish(1)),
        {"status": "positive", "review_required": True, "final": False, "next_steps": ["review_discordance"]},
    ),
    "8.1 hold": (doc(ihc="1+", ish=ish(1), policy={"group1_ihc_negative": "hold"}), {"status": "pending"}),
    "8.2": (doc(ihc="3+", ish=ish(5)), {"status": "positive", "review_required": True, "final": False}),
    "8.5": (
        doc(ihc="2+", ish=ish(2), recount=recount(2), policy={"low_in_groups_2_to_4": "exclude"}),
        {"her2_low": "undetermined", "status": "negative"},
    ),
    "8.6": (
        doc(ihc="0", ish=single("6.0")),
        {"status": "positive", "next_steps": ["perform_dual_probe", "review_discordance"], "review_required": True},
    ),
    "8.6 second": (doc(ihc="3+", ish=single("3.9")), {"status": "positive", "review_required": True}),
    "1.4 middle, no IHC": (doc(ish=single("4.0")), {"next_steps": ["perform_ihc_or_dual_probe"], "status": "pending"}),
    "1.4 middle, 2+": (doc(ihc="2+", ish=single("5.99")), {"next_steps": ["perform_dual_probe"]}),
    "1.4 low, no IHC": (
        doc(ish=single("3.9")),
        {"status": "negative", "next_steps": ["concomitant_ihc_review"], "final": False},
    ),
    "1.4 single with a ratio": (
        doc(ihc="1+", ish=single("5.0", ratio="2.0")),
        {"status": "invalid", "problems": {"ASSAY_CONFLICT"}},
    ),
    "1.4 single, totals without cells": (
        doc(ihc="1+", ish={"assay": "single_probe", "her2_signals": 80}),
        {"status": "pending", "next_steps": ["complete_missing_ish_values"], "problems": set()},
    ),
    "7.1 noise": (doc(ish={"ratio": 1.9999999999999998, "her2_copies": 4.0, "cells": 20}), {"ish_group": 1}),
    "7.1 1.999": (doc(ish={"ratio": "1.999", "her2_copies": "4.0", "cells": 20}), {"ish_group": 4}),
    "7.1 >6.0": (doc(ish={"ratio": "2.2", "her2_copies": ">6.0", "cells": 20}), {"ish_group": 1, "final": True}),
    "7.1 >1.8": (
        doc(ihc="2+", ish={"ratio": ">1.8", "her2_copies": "5.0", "cep17_copies": "2.8", "cells": 20}),
        {"status": "pending", "next_steps": ["complete_missing_ish_values"], "ish_group": None},
    ),
    "7.1 comma": (doc(ihc="3+", ratio="1,8"), {"status": "invalid", "problems": {"MALFORMED_NUMBER"}}),
    "7.2 ratio below 2.0": (
        doc(ihc="1+", ish={"ratio": "1.2", "cells": 20}),
        {
            "status": "negative",
            "flags": {"GROUP_UNKNOWN"},
            "comment": None,
            "next_steps": ["complete_missing_ish_values"],
            "final": True,
            "her2_low": "low",
        },
    ),
    "7.2 copies alone": (
        doc(ihc="0", ish={"her2_copies": "3.0", "cells": 20}),
        {"status": "negative", "next_steps": ["complete_missing_ish_values"], "final": True},
    ),
    "7.2 copies alone, middle": (doc(ihc="0", copies="4.0", cells=20), {"status": "pending"}),
    "7.2 outstanding": (
        doc(ihc="1+", ish={"assay": "dual_probe"}),
        {"status": "negative", "final": False, "next_steps": ["complete_missing_ish_values"]},
    ),
    "7.3 rounding": (
        doc(ish={"ratio": "2.0", "her2_copies": "4.3", "cep17_copies": "2.2", "cells": 20}),
        {"ish_group": 1, "flags": {"ROUNDING_CROSSES_THRESHOLD", "NEAR_THRESHOLD"}},
    ),
    "7.3 no contradiction": (
        doc(ish={"ratio": "2.1", "her2_copies": "4.4", "cep17_copies": "2.1", "cells": 20}),
        {"ish_group": 1, "flags": {"NEAR_THRESHOLD"}},
    ),
    "7.3 error": (
        doc(ihc="2+", ish={"ratio": "3.0", "her2_copies": "4.0", "cep17_copies": "4.0", "cells": 20}),
        {"status": "invalid", "problems": {"RATIO_MISMATCH"}, "ish_group": None},
    ),
    "12 contradiction": (
        doc(ihc="3+", ish={"ratio": "2.2", "her2_copies": "3.2", "cep17_copies": "2.7", "cells": 20}),
        {"status": "positive", "next_steps": ["verify_data"], "ish_group": None, "flags": {"RATIO_MISMATCH"}},
    ),
    "12 whole numbers": (
        doc(ihc="1+", ish={"ratio": "1.0", "her2_copies": "5", "cep17_copies": "4", "cells": 20}),
        {"ish_group": 4, "status": "negative"},
    ),
    "12 totals as averages": (
        doc(ihc="2+", ish={"ratio": "1.1", "her2_copies": "185", "cep17_copies": "160", "cells": 60}),
        {"status": "invalid", "problems": {"IMPLAUSIBLE_VALUE"}},
    ),
    "7.4 computed CEP17": (
        doc(ihc="1+", ish={"ratio": "1.0", "her2_copies": "40", "cells": 20}),
        {"status": "invalid", "problems": {"IMPLAUSIBLE_VALUE"}},
    ),
    "8.8 totals beat averages": (
        doc(ish={"her2_signals": 143, "cep17_signals": 48, "cells": 20, "ratio": "3.0"}),
        {"ish_group": 1, "flags": {"RATIO_COMPUTED"}},
    ),
    "8.8 totals, other group": (
        doc(ihc="2+", ish={"her2_signals": 79, "cep17_signals": 40, "cells": 20, "ratio": "2.0", "her2_copies": "4.0"}),
        {"status": "invalid", "problems": {"ROUNDING_CROSSES_THRESHOLD"}},
    ),
    "8.9": (doc(ihc="1+", ish=ish(1, ratio="1.80")), {"flags": {"NEAR_THRESHOLD", "LOW_NOT_GROUP5"}}),
    "8.10": (
        doc(ihc="2+", ish={"failed": True}),
        {"status": "indeterminate", "next_steps": ["repeat_or_new_specimen"], "flags": {"ISH_INDETERMINATE"}},
    ),
    "8.10 IHC 1+": (doc(ihc="1+", ish={"failed": True}), {"status": "negative", "final": True, "next_steps": []}),
    "8.16": (doc(2013, ihc="1+", ish=ish(4)), {"status": "negative", "ish_result": "equivocal", "final": True}),
    "2.2 equivocal": (
        doc(2013, ihc="2+", ish=ish(4)),
        {"status": "equivocal", "next_steps": ["resolve_equivocal_ish"], "ish_group": None},
    ),
    "0.4": (doc(ihc="2+"), {"status": "equivocal", "next_steps": ["reflex_ish_or_new_specimen"]}),
    "0.4 nothing": (doc(), {"status": "pending", "next_steps": ["perform_ihc_or_ish"]}),
    "0.5 19 cells": (doc(ihc="1+", ish=ish(5, cells=19)), {"status": "pending", "next_steps": ["count_more_cells"]}),
    "0.5 19 cells, 3+": (doc(ihc="3+", ish=ish(5, cells=19)), {"status": "positive", "final": True}),
    "1.6 cluster": (
        doc(ihc="2+", ish=ish(5), cluster={**G[1], "cells": 20, "share_percent": "11"}),
        {"status": "positive", "ish_group": 5, "flags": {"HETEROGENEITY"}},
    ),
    "1.6 cluster of 10 %": (
        doc(ihc="2+", ish=ish(5), cluster={**G[1], "cells": 20, "share_percent": "10"}),
        {"status": "negative", "flags": {"HETEROGENEITY"}},
    ),
    "1.7 deviation": (
        doc(ihc="0+", specimen={"fixation_hours": "73"}),
        {"status": "negative", "next_steps": ["consider_repeat"], "final": True, "her2_low": "ultralow"},
    ),
    "1.8 grade 1": (
        doc(ihc="3+", specimen={"grade": 1, "histology": "tubular", "purity_percent": "90"}),
        {"retest": "should"},
    ),
    "1.8 core": (doc(2013, ihc="0", specimen={"grade": 3, "procedure": "core"}), {"retest": "must"}),
    "1.1 exactly 10 %": (
        doc(ihc={"score": "1+", "membrane": "incomplete", "intensity": "faint", "percent": 10}),
        {"status": "invalid", "problems": {"IHC_PATTERN_MISMATCH"}},
    ),
    "3 2023": (doc(2023, ihc="1+"), {"report_notes": ["LOW_EXPRESSION_2023"], "comment": None, "her2_low": "low"}),
    "4 group 5 without IHC": (doc(ish=ish(5)), {"her2_low": "undetermined", "flags": {"IHC_MISSING_FOR_LOW"}}),
    "14 LOW under 2007": (doc(2007, ihc="1+"), {"her2_low": "undetermined", "status": "negative"}),
    "14 hold": (
        doc(ihc="3+", ish={"ratio": "1.2", "cells": 20}, policy={"group5_ihc_3plus": "hold"}),
        {"status": "pending"},
    ),
    "14 unknown assay, 2013": (doc(2013, copies="6.0", cells=20), {"status": "positive", "final": True}),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_case(name: str) -> None:
    document, expected = KNOWN[name]
    answer = classify(document)
    assert {key: answer[key] for key in expected} == expected


def test_random_documents_have_an_answer() -> None:
    rng = random.Random(2018)
    seen: set[str] = set()
    for _ in range(5000):
        answer = classify(random_case(rng))
        seen.add(answer["status"])
        assert not (answer["final"] and answer["status"] not in ("positive", "negative"))
        assert bool(answer["problems"]) == (answer["status"] == "invalid")
    assert seen == {"positive", "negative", "equivocal", "pending", "indeterminate", "invalid"}


def test_grid_covers_every_group_and_edition() -> None:
    groups: set[tuple[str, int | None, str]] = set()
    total = 0
    for total, document in enumerate(grid_cases(), 1):
        if total % 17 == 0:
            answer = classify(document)
            groups.add((document["edition"], answer["ish_group"], answer["status"]))
    assert total < 60_000
    assert {group for _, group, _ in groups} == {None, 1, 2, 3, 4, 5}
