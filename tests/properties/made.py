"""Documents made by hypothesis: everything that a laboratory could send, dense around the thresholds."""

from __future__ import annotations

import copy
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from app.domain.classification import Classification
from app.domain.reading import read_case
from app.guidelines.classify import classify

Document = dict[str, Any]
EXACT = settings(max_examples=250, deadline=None, derandomize=True)

RATIOS = ["0.9", "1.2", "1.79", "1.80", "1.99", "1.999999", "2", "2.0", "2.000001", "2.1", "2.20", "2.21", "4.5"]
COPIES = ["1.5", "2.5", "3.9", "3.999999", "4.0", "4.5", "5.99", "6", "6.0", "6.01", "8.1", "20.1", "61"]
CEP17 = ["1.1", "1.9", "2.0", "2.2", "2.7", "3.0", "4", "6.0", "6.1", "12.1"]
SPANS = ["<2.0", ">1.8", ">=4.0", ">6.0", "3.5-4.5", "1.8-2.2", "<6.0", "≤3.9", ">=2.0"]


def _some(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries({}, optional=fields)


COUNT = {
    "ratio": st.sampled_from(RATIOS + SPANS),
    "her2_copies": st.sampled_from(COPIES + SPANS),
    "cep17_copies": st.sampled_from(CEP17 + SPANS),
    "cells": st.sampled_from([1, 19, 20, 40]),
}
TOTALS = {
    "her2_signals": st.sampled_from([30, 60, 79, 80, 100, 143]),
    "cep17_signals": st.sampled_from([20, 40, 48, 50]),
    "her2_cells": st.sampled_from([19, 20, 25]),
    "cep17_cells": st.sampled_from([19, 20, 25]),
}
WORDS = {"assay": st.sampled_from(["dual_probe", "single_probe"]), "controls": st.sampled_from(["passed", "failed"])}
ISH = _some(**COUNT, **WORDS) | _some(**COUNT, **TOTALS, **WORDS, failed=st.booleans())
FLAG = st.booleans()
RECOUNT = st.fixed_dictionaries(
    {"blinded": st.sampled_from([True, True, False]), "in_ihc_2plus_area": st.sampled_from([True, True, False])},
    optional={**COUNT, "same_observer": FLAG},
)
SCORE = st.sampled_from(["0", "0+", "1+", "2+", "2+", "3+", "indeterminate"])
IHC = SCORE | st.fixed_dictionaries(
    {"score": SCORE},
    optional={
        "membrane": st.sampled_from(["none", "incomplete", "complete"]),
        "intensity": st.sampled_from(["faint", "weak", "moderate", "intense"]),
        "percent": st.sampled_from(["0", "5", "10", "11", "31", "<10", ">10"]),
        "controls": st.sampled_from(["passed", "passed", "failed"]),
    },
)
SPECIMEN = _some(
    invasive=st.sampled_from([True, True, True, False]), procedure=st.sampled_from(["core", "excision"]),
    histology=st.sampled_from(["ductal", "tubular"]), grade=st.sampled_from([1, 2, 3]), handling_doubt=FLAG,
    purity_percent=st.sampled_from(["89", "90"]), fixation_hours=st.sampled_from(["5", "24", "60", "80"]),
)  # fmt: skip
EDITIONS = st.sampled_from(["asco-cap-2018", "asco-cap-2018", "asco-cap-2013", "asco-cap-2007", "asco-cap-2023"])
POLICY = _some(
    group1_ihc_negative=st.sampled_from(["review", "hold"]), group5_ihc_3plus=st.sampled_from(["review", "hold"]),
    single_probe_discordant=st.sampled_from(["review", "hold"]),
    low_in_groups_2_to_4=st.sampled_from(["include", "exclude"]),
)  # fmt: skip
DOCUMENTS = st.fixed_dictionaries(
    {"edition": EDITIONS},
    optional={
        "ihc": IHC, "ish": ISH, "follow_up_ish": _some(**COUNT, assay=st.just("dual_probe"), failed=FLAG),
        "recount": RECOUNT, "third_count": RECOUNT, "policy": POLICY, "specimen": SPECIMEN,
        "adjudication": st.fixed_dictionaries({"group": st.integers(1, 5)}),
        "cluster": _some(**COUNT, share_percent=st.sampled_from(["5", "10", "11", "50"])),
        "context": _some(er=st.sampled_from(["positive", "negative"]), pgr=st.sampled_from(["positive", "negative"])),
    },
)  # fmt: skip


def answer(document: Document) -> Classification:
    """Read and classify; the document itself must not be changed by it."""
    before = copy.deepcopy(document)
    reading = read_case(document)
    found = classify(reading.case, reading.problems)
    assert document == before
    return found
