"""Reports sent as lines of text: known labels give, what may hold a result waits (lessons.md, "A real feed")."""

from __future__ import annotations

import pytest

from app.interop.feeds import read_feed
from app.interop.feeds.feed import Feed
from tests.interop.feeds.messages import Coding, facts, item, lines, loinc, mapped, text, waits

ASSAYS = {"ihc.score", "ish.ratio", "ish.her2_copies", "ish.cep17_copies", "ish.cells", "ish.method"}
REAL = """HER2 Status: NEGATIVE (see interpretation)
HER2/Chr17 Ratio = 1.85
Average HER2 Copy Number = 4.9
Cells Counted:40
HER2 by IHC:2+

HER2 By ISH Recount
HER2/Chr17 Ratio = 1.95
Average HER2 Copy Number = 4.70
Cells Counted:60"""


def test_the_real_feed() -> None:
    told = lines(REAL)
    assert not told.problems
    assert facts(told) == {
        "reported_status": "negative",
        "ish.ratio": "1.85",
        "ish.her2_copies": "4.9",
        "ish.cells": "40",
        "ihc.score": "2+",
        "recount.ratio": "1.95",
        "recount.her2_copies": "4.70",
        "recount.cells": "60",
    }
    assert len(told.lines) == 10


@pytest.mark.parametrize(
    ("line", "gives"),
    [
        ("HER2 IHC: 3+", {"ihc.score": "3+"}),
        ("- HER2 IHC = 3+", {"ihc.score": "3+"}),
        ("HER2 IHC - 3+", {"ihc.score": "3+"}),
        ("  her2   ihc   3+", {"ihc.score": "3+"}),
        ("HER2 IHC not performed", {}),
        ("HER2/CEP17 ratio: <2.0", {"ish.ratio": "<2.0"}),
        ("Average CEP17 copy number 2.1", {"ish.cep17_copies": "2.1"}),
        ("Average HER2 copy number per cell: 4.5", {"ish.her2_copies": "4.5"}),
        ("HER2 by FISH: amplified", {"reported_status": "positive by ISH", "ish.method": "FISH"}),
        ("HER2 by ISH: negative", {"reported_status": "negative by ISH", "ish.method": "ISH"}),
        ("HER2 IHC (4B5): 2+", {"ihc.score": "2+"}),
        ("HER-2/neu (by IHC): 1+", {"ihc.score": "1+"}),
        ("HER2:CEP17 ratio 1.8", {"ish.ratio": "1.8"}),
        ("ERBB2/CEN17 ratio: 1.8", {"ish.ratio": "1.8"}),
        ("HER2 : Chromosome 17 ratio = 1.8", {"ish.ratio": "1.8"}),
        ("Average HER2 signals/cell = 4.5", {"ish.her2_copies": "4.5"}),
        ("Total HER2 signals: 90", {"ish.her2_signals": "90"}),
        ("HER2: negative", {"reported_status": "negative"}),
        ("A. HER2 IHC: 3+", {"ihc.score": "3+"}),
        ("HER2 FISH ratio: 2.5", {"ish.ratio": "2.5"}),
        ("HER2 by FISH: not done", {}),
    ],
)
def test_known_labels(line: str, gives: dict[str, str]) -> None:
    told = lines(line)
    assert (facts(told), told.problems) == (gives, ())


@pytest.mark.parametrize(
    "document",
    [
        "", "HER2 clone 4B5", "Antibody clone 4B5, HER2 (Ventana)", "HER2 testing per ASCO/CAP 2018",
        "ASCO/CAP guideline of 2023 for HER2", "HER2 was tested as asked.", "ERBB2 lies on 17q12", "Ki-67: 15%",
        "HER2 (4B5): see comment.\nPositive control: appropriate staining",
        "Tumor size 2.3 cm", "Number of observers: 2", "See comment.", "p16 positive",
        "HER2/CEP17 ratio >= 2.0 is amplified per ASCO/CAP.", "A HER2/CEP17 ratio of <2.0 is considered not amplified.",
        "HER2: 0 and 1+ are considered negative, 2+ equivocal and 3+ positive.",
        "HER2 IHC 2+ cases are reflexed to FISH per ASCO/CAP guidelines.",
        "PathVysion HER-2 DNA Probe Kit (Abbott 30-161060) was used.", "HER2 FISH is performed on all equivocal cases.",
        "ASCO/CAP 2018 (J Clin Oncol 2018;36:2105-2122) was used for HER2.", "Cells counted: 500", "FISH ratio 2.4",
        "HER2 was developed as a test; its performance characteristics were determined by the laboratory.",
    ],
)  # fmt: skip
def test_prose_names_and_years_give_nothing_and_wait_for_nothing(document: str) -> None:
    told = lines(document)
    assert (facts(told), told.problems) == ({}, ())


UNKNOWN = (
    "HER2: 3+", "HER2 3+", "HER2 positive (3+)", "HER2: +++", "Result: three plus for HER2", "No HER2 IHC: 3+",
    "Previous HER2 IHC: 3+", "CEP17: 2.1", "Left breast HER2 IHC: 3+", "Reference: HER2 IHC: 3+ is positive",
    "Chromosome 17: 2.1", "HER2 signals: 90, CEP17 signals: 45", "HER-2/neu: 2", "HER\u20112: 2+",
    "ER positive, PR negative, HER2 3+", "Invasive ductal carcinoma, HER2 score 3", "Grade 2, HER2 2+",
    "The HER2/CEP17 ratio is 2.4.", "HER2 copy number 6.2",
    "HER2 Positive (3+) per ASCO/CAP guidelines.", "HER2 immunostain score of 3+ is considered positive.",
    "The HER2/CEP17 ratio is <2.0, negative per ASCO/CAP guidelines", "HER2/CEP17 ratio <2.0",
    "HER2 3+ on excision, 2+ on core, per ASCO/CAP guidelines", "HER2 amplification was found; ratio 5.2",
)  # fmt: skip


@pytest.mark.parametrize("line", UNKNOWN)
def test_an_unknown_line_that_may_hold_a_result_waits(line: str) -> None:
    told = lines(line)
    assert not ASSAYS & set(facts(told))
    assert waits(told) <= {"UNKNOWN_CODE", "AMBIGUOUS"}
    assert told.problems


@pytest.mark.parametrize(
    "line",
    ["Score: 3+", "IHC 2+", "The ratio was 2.5", "ratio <2.0 is negative", "FISH 2.3", "Average copy number 6.2",
     "FISH: Amplified", "Amplification detected by FISH"],
)  # fmt: skip
def test_a_line_without_her2_waits_in_a_report_about_her2(line: str) -> None:
    ihc = item(loinc("85319-2"), values=(text("1+"),))
    told = mapped(ihc, item(loinc("22637-3"), values=(text(line, 2),)))
    assert (facts(told), bool(told.problems)) == ({"ihc.score": "1+"}, True)


@pytest.mark.parametrize("line", ["HER2 is amplified by FISH", "HER2 gene amplification detected by FISH"])
def test_an_ish_told_in_words_alone_waits_unless_ish_is_reported(line: str) -> None:
    """IHC 1+ would else be negative and final beside an amplified FISH."""
    assert waits(lines(f"HER2 IHC: 1+\n{line}")) == {"AMBIGUOUS"}
    assert not lines(f"HER2 IHC: 1+\nHER2/CEP17 ratio: 2.4\n{line}").problems


@pytest.mark.parametrize(
    "line",
    [
        "HER2 IHC: 3+ on core; 1+ on excision", "HER2 IHC: see below", "HER2 IHC, not 3+", "HER2 IHC (previous): 3+",
        "HER2 IHC on prior biopsy: 3+", "HER2 IHC control: 3+", "HER2 IHC: 3+ HER2 IHC: 0", "HER2 IHC not 3+",
        "HER2 IHC: 2+ | FISH ratio 2.3", "HER2 IHC 3+: uniform intense staining", "Average HER2 copy number 4,5",
        "HER2/CEP17 ratio: 1.8 (previous 2.3)", "HER2/CEP17 ratio <2.0 is negative", "HER2 by FISH: ratio 2.5",
        "HER2 FISH: cancelled", "HER2/CEP17 ratio 2.5 HER2 copies 6",
        "HER2 status: IHC 2+, FISH ratio 2.3", "HER2 status: Positive (Score 3+)",
    ],
)  # fmt: skip
def test_a_known_label_with_more_than_its_value_waits(line: str) -> None:
    told = lines(line)
    assert not ASSAYS & set(facts(told))
    assert told.problems


@pytest.mark.parametrize(
    "document",
    ["HER2 IHC:\n3+", "HER2/CEP17 ratio:\n1.8", "HER2 IHC score:\n  2+", "HER2/CEP17 ratio:\nabout two"],
)
def test_a_value_on_the_line_below_its_label_waits(document: str) -> None:
    assert facts(lines(document)) == {}
    assert lines(document).problems


@pytest.mark.parametrize("line", ["HER2 IHC: 3+" + " " * 3000 + "not", "HER2 " + "1-" * 50_000, "(" * 100_000 + "HER2"])
def test_a_line_that_nobody_could_read_waits(line: str) -> None:
    assert (facts(lines(line)), waits(lines(line))) == ({}, {"AMBIGUOUS"})


def test_an_empty_label_alone_gives_nothing() -> None:
    told = lines("HER2 IHC:\nHER2/CEP17 ratio: 1.2")
    assert (facts(told), told.problems) == ({"ish.ratio": "1.2"}, ())


@pytest.mark.parametrize(
    "document",
    ["HER2/CEP17 ratio: 1\n.8", "HER2 IHC: 2+\nto 3+", "HER2 IHC: 3+\n(on the prior biopsy)",
     "HER2 IHC: 3+\nThis was seen previously."],
)  # fmt: skip
def test_a_line_that_goes_on_below_waits(document: str) -> None:
    assert lines(document).problems


@pytest.mark.parametrize(
    "document",
    [
        "A. Left breast\nHER2 IHC: 3+\nB. Right breast\nHER2 IHC: 0",
        "A. Left breast\nHER2 IHC: 2+\nB. Right breast\nHER2/CEP17 ratio: 2.5",
        "Specimen A:\nHER2 IHC: 2+\nSpecimen B:\nHER2/CEP17 ratio: 2.5",
        "Part 1: breast\nHER2 IHC: 2+\nPart 2: node\nHER2/CEP17 ratio: 2.5",
        "Block A1\nHER2 IHC: 2+\nBlock B2\nHER2/CEP17 ratio: 2.5",
        "LEFT BREAST\nHER2 IHC: 2+\nRIGHT BREAST\nHER2/CEP17 ratio: 2.5",
        "A. Breast\nB. Lymph node\nHER2 IHC: 3+",
        "Tumor #1\nHER2 IHC: 2+\nTumor #2\nHER2/CEP17 ratio: 1.1",
        "First tumor\nHER2 IHC: 2+\nSecond tumor\nHER2/CEP17 ratio: 1.1",
        "12 o'clock\nHER2 IHC: 2+\n3 o'clock\nHER2/CEP17 ratio: 1.1",
        "Upper outer quadrant\nHER2 IHC: 2+\nLower inner quadrant\nHER2/CEP17 ratio: 1.1",
        "HER2 IHC: 2+\nMetastasis, liver\nHER2/CEP17 ratio: 2.5",
        "HER2 IHC: 2+\nExcision:\nHER2/CEP17 ratio: 2.5",
    ],
)
def test_two_specimens_in_one_document_wait(document: str) -> None:
    assert "AMBIGUOUS" in waits(lines(document))


@pytest.mark.parametrize(
    "document",
    [
        "A. Left breast, core biopsy\nBlock A1\nHER2 IHC: 3+",
        "Tumor 2 cm\nSpecimen A\nHER2 IHC: 3+",
        "Specimen A: left breast, 12 o'clock\nTumor 1\nHER2 IHC: 3+",
    ],
)
def test_one_named_specimen_is_no_problem(document: str) -> None:
    assert (facts(lines(document)), lines(document).problems) == ({"ihc.score": "3+"}, ())


@pytest.mark.parametrize("heading", ["Clinical history:", "HISTORY", "Outside report:", "Previous results", "Control"])
def test_results_below_a_heading_of_another_time_or_place_wait(heading: str) -> None:
    told = lines(f"{heading}\nHER2 IHC: 3+")
    assert (facts(told), waits(told)) == ({}, {"AMBIGUOUS"})


@pytest.mark.parametrize(
    "document",
    [
        "Clinical history:\nHER2 by FISH:\nHER2/CEP17 ratio: 2.5",
        "Outside report:\nBiomarkers:\nHER2/CEP17 ratio: 2.5",
        "HISTORY\n\nHER2/CEP17 ratio: 2.5",
    ],
)
def test_a_heading_within_such_a_section_does_not_end_it(document: str) -> None:
    assert waits(lines(document)) == {"AMBIGUOUS"}


def test_two_documents_of_one_report_that_name_two_specimens_wait() -> None:
    first = item(loinc("22637-3"), values=(text("A. Left breast"), text("HER2 IHC: 2+")))
    second = item(loinc("60568-3"), values=(text("B. Left axilla"), text("HER2/CEP17 ratio: 2.5")))
    assert waits(mapped(first, second)) == {"AMBIGUOUS"}
    assert not mapped(first).problems


def test_such_a_section_ends_with_the_next_heading() -> None:
    told = lines("Clinical history: breast mass\nDIAGNOSIS:\nHER2 IHC: 3+")
    assert (facts(told), told.problems) == ({"ihc.score": "3+"}, ())


@pytest.mark.parametrize("heading", ["Ki-67", "ALK by FISH", "ER"])
def test_cells_of_another_test_are_not_those_of_her2(heading: str) -> None:
    told = lines(f"HER2/CEP17 ratio: 1.2\n{heading}\nCells counted: 500")
    assert facts(told) == {"ish.ratio": "1.2"}


def test_an_unmapped_item_whose_text_is_about_her2_is_read_as_a_document() -> None:
    told = mapped(item(Coding("", "TXT", "Result"), values=(text("HER2 IHC: 2+"),)))
    assert facts(told) == {"ihc.score": "2+"}


@pytest.mark.parametrize("name", ["Clinical history", "Previous biopsy", "Outside HER2"])
def test_but_not_where_its_name_is_of_another_time_or_place(name: str) -> None:
    told = mapped(item(Coding("", "TXT", name), values=(text("HER2 IHC: 2+"),)))
    assert (facts(told), waits(told)) == ({}, {"AMBIGUOUS"})


def test_a_label_longer_in_one_case_than_as_written_loses_no_digit() -> None:
    """ß becomes ss: the value begins where the label ends in the line, not in its folded copy."""
    feed = read_feed('[phrases]\n"her2 maß größe" = "ish.her2_copies"\n')
    assert isinstance(feed, Feed)
    assert facts(lines("HER2 Maß Größe 12.8", feed)) == {"ish.her2_copies": "12.8"}
