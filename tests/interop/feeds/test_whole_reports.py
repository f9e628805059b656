"""Whole reports as laboratories write them (made up): each value is read, and nothing in them waits without need."""

from __future__ import annotations

from typing import Any

import pytest

from tests.interop.feeds.messages import facts, lines, waits

BIOPSY = """FINAL DIAGNOSIS
A. Breast, left, core needle biopsy:
- Invasive ductal carcinoma, Nottingham grade 2 (score 6/9)
- Tubule formation: score 3; nuclear pleomorphism: score 2; mitotic rate: score 1
- Tumor measures 1.2 cm in greatest dimension
BIOMARKERS
Estrogen Receptor (ER): Positive (95%, strong)
Progesterone Receptor (PgR): Positive (60%, moderate)
HER2 by IHC: Equivocal (2+)
Ki-67: 18%
COMMENT
HER2 testing was performed on block A1 with clone 4B5 (Ventana), fixation time 12 hours, cold ischemia <1 hour.
HER2 was interpreted by the 2018 ASCO/CAP guidelines: 0 and 1+ are considered negative, 2+ equivocal, 3+ positive.
HER2 FISH will be performed and reported in an addendum.
External and internal controls are appropriate.
Allred score ER: 8/8
Oncotype DX recurrence score: 14"""
FISH = """HER2 FISH REPORT
Specimen: Left breast, block A1
Probe: PathVysion HER-2 DNA Probe Kit (Abbott Molecular)
Results:
HER2/CEP17 ratio: 1.45
Average HER2 signals per cell: 2.9
Average CEP17 signals per cell: 2.0
Number of cells counted: 40
Number of observers: 2
HER2 FISH: Not amplified
Interpretation: Group 5, HER2 NEGATIVE
Reference range: HER2/CEP17 ratio <2.0 and average HER2 <4.0 signals/cell: not amplified
This test uses an FDA approved kit (PMA P980024)."""
PANEL = """IMMUNOHISTOCHEMISTRY
Estrogen receptor: POSITIVE
  % positive tumor cells: 95%
  Intensity: 3+
Progesterone receptor: NEGATIVE
  % positive tumor cells: <1%
HER2/neu (4B5): 1+ (NEGATIVE)
Ki-67: 25%
Block: A2
Cold ischemic time: 20 minutes
Time in formalin: 14 hours"""


@pytest.mark.parametrize(
    ("report", "gives"),
    [
        (
            BIOPSY,
            {"ihc.score": "2+", "context.er": "positive", "context.er_percent": "95", "context.pgr": "positive",
             "context.pgr_percent": "60"},
        ),
        (
            FISH,
            {"ish.ratio": "1.45", "ish.her2_copies": "2.9", "ish.cep17_copies": "2.0", "ish.cells": "40",
             "ish.method": "FISH", "reported_status": "negative by ISH"},
        ),
        (PANEL, {"ihc.score": "1+", "context.er": "positive", "context.pgr": "negative"}),
    ],
)  # fmt: skip
def test_a_report_is_read_whole(report: str, gives: dict[str, Any]) -> None:
    told = lines(report)
    assert (facts(told), told.problems) == (gives, ())
    assert [each.text for each in told.lines if each.text] != []


@pytest.mark.parametrize("report", [BIOPSY, FISH, PANEL])
@pytest.mark.parametrize(
    "more", ["HER2/CEP17 ratio 2.4 in the invasive front", "HER2 3+ in the excision", "FISH ratio 2.4"]
)
def test_and_waits_for_one_line_more(report: str, more: str) -> None:
    assert waits(lines(f"{report}\n{more}")) == {"UNKNOWN_CODE"}


@pytest.mark.parametrize("report", [BIOPSY, FISH, PANEL])
def test_and_gives_nothing_as_an_earlier_one(report: str) -> None:
    told = lines(f"Clinical history:\n{report.replace('FINAL DIAGNOSIS', '').replace('Results:', '')}")
    assert not {"ihc.score", "ish.ratio"} & set(facts(told))
    assert told.problems
