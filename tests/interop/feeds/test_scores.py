"""What a text gives where an IHC score is asked for (interop.md 0.2, 0.4): one clear score, a status, or it waits."""

from __future__ import annotations

import pytest

from app.interop.feeds import read_feed
from app.interop.feeds.feed import Feed
from tests.interop.feeds.messages import Coding, coded, facts, item, lines, loinc, mapped, quantity, snomed, text, waits

IHC = loinc("85319-2")
SCORES = {
    "0": "0", "1+": "1+", "2+": "2+", "3+": "3+", "0+": "0+", "2 +": "2+", "3 + ": "3+", "2": "2+", "3+.": "3+",
    "Score 2+": "2+", "score: 3": "3+", "IHC score 1": "1+", "HER2 score 0": "0", "IHC: 2+ (equivocal)": "2+",
    "2+ (equivocal)": "2+", "2+ Equivocal": "2+", "Equivocal (2+)": "2+", "EQUIVOCAL (SCORE 2+)": "2+",
    "Positive (3+)": "3+", "positive 3+": "3+", "Negative (0)": "0", "Negative (1+)": "1+", "0 (negative)": "0",
    "0+ (negative)": "0+", "1+ (negative)": "1+", "(2+)": "2+", "[2+]": "2+", "2+ by immunohistochemistry": "2+",
    "HER2/neu 3+": "3+", "3+ (3+)": "3+", "borderline (2+)": "2+", "3+ of the invasive carcinoma": "3+",
}  # fmt: skip
WAITS = (
    # ranges, several, doubts
    "2+ to 3+", "1-2+", "1+-2+", "1+ - 2+", "0-1+", "0 or 1+", "2+/3+", "1+ 2+", "at least 2+", "<1+", ">2+", "~2+",
    "2+?", "?2+", "2+*", "3+ on core; 1+ on excision", "10% 3+, 90% 1+", "score 3+ (2)", "3+ 0", "0 1+", "1+ (0)",
    "2+ invasive 3+ in situ",
    # negated, of another time or tissue
    "not 3+", "no 3+", "non 3+", "not positive 3+", "negative for 3+", "no overexpression 3+", "previously 3+",
    "2+ (by previous)", "3+ in control", "prior 3+", "3+ on outside slides",
    # over another number, not whole, other writing
    "0/3+", "2/3", "Score: 2/3", "Score 2 of 3", "3+/3", "2+ / 3", "2.0", "2.5", "1,5+", "+2", "++", "+++", "two plus",
    "III", "10+", "３+",
    # says more than the score, which would be lost
    "3+ in 5% of cells", "1+ 10%", "weak 3+", "incomplete 3+", "2+ FISH", "IHC 2+ FISH negative", "2+, pending",
    "0 (ultralow)", "HER2-low 1+", "0%", "0 %",
    # says nothing
    "see below", "ultralow", "positive/negative", "cancelled", "?", "-", "+",
)  # fmt: skip


@pytest.mark.parametrize(("written", "score"), SCORES.items())
def test_a_clear_text_gives_the_score(written: str, score: str) -> None:
    told = mapped(item(IHC, values=(text(written),)))
    assert (facts(told), told.problems) == ({"ihc.score": score}, ())


@pytest.mark.parametrize(
    ("written", "status"),
    [("positive", "positive"), ("Negative", "negative"), ("EQUIVOCAL", "equivocal"), ("HER2-low", "low")],
)
def test_a_word_alone_is_a_reported_status_never_a_score(written: str, status: str) -> None:
    told = mapped(item(IHC, values=(text(written),)))
    assert (facts(told), told.problems) == ({"reported_status": f"{status} by IHC"}, ())


def test_an_indeterminate_ihc_is_one() -> None:
    assert facts(mapped(item(IHC, values=(text("Indeterminate"),)))) == {"ihc.score": "indeterminate"}


@pytest.mark.parametrize("written", ["not done", "Not performed", "pending", "see comment"])
def test_no_score_yet_gives_nothing(written: str) -> None:
    """A FISH report that says "IHC: not performed" must not take the score of another report away."""
    told = mapped(item(IHC, values=(text(written),)))
    assert (told.parts, told.problems) == ((), ())


def test_but_as_a_correction_it_waits() -> None:
    told = mapped(item(IHC, values=(text("not done"),), status="corrected"))
    assert (facts(told), waits(told)) == ({}, {"AMBIGUOUS"})


@pytest.mark.parametrize("written", WAITS)
def test_what_is_not_clearly_one_score_waits(written: str) -> None:
    told = mapped(item(IHC, values=(text(written),)))
    assert (facts(told), waits(told)) == ({}, {"AMBIGUOUS"})


@pytest.mark.parametrize("written", ["4+", "5+", "score 4+", "9+"])
def test_no_such_score(written: str) -> None:
    told = mapped(item(IHC, values=(text(written),)))
    assert (facts(told), waits(told)) == ({}, {"UNKNOWN_SCORE"})


@pytest.mark.parametrize(
    "written",
    ["negative 3+", "negative (3+)", "negative (3)", "POSITIVE (2+)", "positive (0)", "positive 1+", "equivocal 3+",
     "equivocal (1)", "borderline 1+", "negative (2+)", "3+ positive negative"],
)  # fmt: skip
def test_score_and_word_contradict(written: str) -> None:
    told = mapped(item(IHC, values=(text(written),)))
    assert (facts(told), waits(told)) == ({}, {"CONTRADICTORY"})


ANSWERS = {
    "LA6111-4": {"ihc.score": "0"}, "LA11841-6": {"ihc.score": "1+"}, "LA11842-4": {"ihc.score": "2+"},
    "LA11843-2": {"ihc.score": "3+"}, "LA11884-6": {"ihc.score": "indeterminate"},
    "LA13538-6": {}, "LA6576-8": {"reported_status": "positive by IHC"},
    "LA6577-6": {"reported_status": "negative by IHC"}, "LA11885-3": {"reported_status": "equivocal by IHC"},
    "LA9633-4": {"reported_status": "present by IHC"}, "LA9634-2": {"reported_status": "absent by IHC"},
}  # fmt: skip


@pytest.mark.parametrize(("code", "gives"), ANSWERS.items())
def test_loinc_answers(code: str, gives: dict[str, str]) -> None:
    """LL4396-9; Present is not a score (interop.md 1.3)."""
    told = mapped(item(IHC, values=(coded(loinc(code)),)))
    assert (facts(told), told.problems) == (gives, ())


def test_four_plus_is_a_loinc_answer_and_no_her2_score() -> None:
    assert waits(mapped(item(IHC, values=(coded(loinc("LA11844-0")),)))) == {"UNKNOWN_SCORE"}


@pytest.mark.parametrize(
    ("code", "gives"),
    [("260347006", {"ihc.score": "1+"}), ("260348001", {"ihc.score": "2+"}), ("260349009", {"ihc.score": "3+"}),
     ("10828004", {"reported_status": "positive by IHC"}), ("260385009", {"reported_status": "negative by IHC"}),
     ("280414007", {"reported_status": "equivocal by IHC"}), ("431396003", {"reported_status": "negative by IHC"}),
     ("427685000", {"reported_status": "positive by IHC"}), ("1381317004", {"reported_status": "low by IHC"})],
)  # fmt: skip
def test_snomed_answers(code: str, gives: dict[str, str]) -> None:
    told = mapped(item(IHC, values=(coded(snomed(code)),)))
    assert (facts(told), told.problems) == (gives, ())


@pytest.mark.parametrize("coding", [loinc("LA99999-9", "3+"), snomed("999", "3+"), Coding("urn:x", "7", "3+")])
def test_an_unmapped_answer_waits_whatever_its_display_says(coding: Coding) -> None:
    told = mapped(item(IHC, values=(coded(coding, written="3+"),)))
    assert (facts(told), waits(told)) == ({}, {"UNKNOWN_CODE"})


@pytest.mark.parametrize(
    ("coding", "written"),
    [(loinc("LA11842-4"), "3+"), (snomed("260348001", "3+"), "++"), (snomed("10828004"), "negative"),
     (loinc("LA11843-2"), "negative"), (snomed("431396003"), "HER2 gene amplification detected"),],
)  # fmt: skip
def test_an_answer_and_the_text_beside_it_contradict(coding: Coding, written: str) -> None:
    told = mapped(item(IHC, values=(coded(coding, written=written),)))
    assert (facts(told), waits(told)) == ({}, {"CONTRADICTORY"})


@pytest.mark.parametrize(
    ("coding", "score"),
    [(Coding("", "2+"), "2+"), (Coding("99LAB", "3+", "Positive (3+)"), "3+"), (Coding("", "0", "Negative (0)"), "0")],
)
def test_a_local_answer_whose_code_is_the_score(coding: Coding, score: str) -> None:
    """A CWE `2+^^L`: the code is the text."""
    assert facts(mapped(item(IHC, values=(coded(coding, written=coding.code),)))) == {"ihc.score": score}


@pytest.mark.parametrize(
    "coding",
    [
        Coding("", "3", "2+"),
        Coding("", "2+", "3+"),
        Coding("", "2+", "2+ (positive)"),
        Coding("", "3"),
        Coding("", "C", "3+"),
        Coding("", "2", "2+"),
    ],
)
def test_a_local_answer_of_another_code_waits_until_it_is_mapped(coding: Coding) -> None:
    """A bare digit may be the place in a list, and a display is never read."""
    told = mapped(item(IHC, values=(coded(coding, written=coding.display),)))
    assert (facts(told), waits(told)) == ({}, {"UNKNOWN_CODE"})


@pytest.mark.parametrize(
    "written",
    [
        "HER2 3+ \n 2+",
        "HER2 IHC 3+ \n 2+",
        "3+\n2+",
        "HER2 3+\nHER2 2+",
        "HER2 score: 2+\n3+",
        "HER2 3+ 2+",
        "HER2 3+ \n 0 to",
        "HER2 IHC: 2+\n3 focally",
    ],
)
def test_two_scores_in_one_text_wait(written: str) -> None:
    """On one line or on several: neither is chosen."""
    assert waits(mapped(item(IHC, values=(text(written),))))


@pytest.mark.parametrize("written", ["HER2 3+ \n not", "HER2 IHC: 3+\nNot confirmed.", "HER2 3+\nHER2 not"])
def test_a_score_that_the_next_line_takes_back_waits(written: str) -> None:
    assert waits(mapped(item(IHC, values=(text(written),))))


def test_a_label_of_a_score_gives_it_without_a_code() -> None:
    told = lines("HER2 score 3+")
    assert (facts(told), waits(told)) == ({"ihc.score": "3+"}, set())


@pytest.mark.parametrize("document", ["HER2 3+ \n 2+", "HER2 score 3+\n2+", "HER2 score 3+\nHER2 score 2+"])
def test_two_scores_in_one_document_wait(document: str) -> None:
    assert waits(lines(document))


@pytest.mark.parametrize(("number", "score"), [("0", "0"), ("1", "1+"), ("2", "2+"), ("3", "3+")])
def test_an_integer_is_a_score(number: str, score: str) -> None:
    assert facts(mapped(item(IHC, values=(quantity(number, "1"),)))) == {"ihc.score": score}


@pytest.mark.parametrize(
    "value", [quantity("4"), quantity("2.0"), quantity("2.5"), quantity("3", "%"), quantity("2", "", ">=")]
)
def test_any_other_number_is_none(value: object) -> None:
    told = mapped(item(IHC, values=(value,)))  # type: ignore[arg-type]
    assert (facts(told), waits(told)) == ({}, {"CONTRADICTORY"})


def test_a_sender_s_own_words() -> None:
    feed = read_feed('[words."ihc.score"]\n"HER2 +++" = "3+"\n')
    assert isinstance(feed, Feed)
    assert facts(mapped(item(IHC, values=(text("her2 +++"),)), feed=feed)) == {"ihc.score": "3+"}
    assert waits(mapped(item(IHC, values=(text("her2 ++"),)), feed=feed)) == {"AMBIGUOUS"}
