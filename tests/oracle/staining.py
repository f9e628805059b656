"""IHC: the score, what its staining pattern spells, and how an IHC 0 stained (guideline 1.1, 2.1, 4)."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.oracle.measures import Span, meet, point

SCORES = {"0": "0", "0+": "0+", "1+": "1+", "2+": "2+", "3+": "3+", "indeterminate": "indeterminate"}
# READING: the bare digits 1, 2, 3, as number or as text, are the scores 1+, 2+, 3+.
SCORES |= {"1": "1+", "2": "2+", "3": "3+"}

TEN, THIRTY, HUNDRED = Fraction(10), Fraction(30), Fraction(100)
NOUGHT = point(Fraction(0))
ABOVE_NOUGHT = Span(Fraction(0), True, HUNDRED, False)
UP_TO_10 = Span(Fraction(0), True, TEN, False)
NOUGHT_TO_10 = Span(Fraction(0), False, TEN, False)
ABOVE_10 = Span(TEN, True, HUNDRED, False)
FROM_10 = Span(TEN, False, HUNDRED, False)
UP_TO_30 = Span(Fraction(0), True, THIRTY, False)
ABOVE_30 = Span(THIRTY, True, HUNDRED, False)


def score_of(value: Any) -> str | None:
    """The score as one of the scale, or nothing when it is outside the scale."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str):
        return SCORES.get(value.strip())
    if isinstance(value, int | float | Decimal) and value in (0, 1, 2, 3):
        return SCORES[str(int(value))]
    return None


def _definitions(edition: str, membrane: str, intensity: str) -> list[tuple[Span, str]]:
    """Shares of cells and the score the edition gives them, for one membrane pattern and intensity."""
    if edition == "2007":
        if membrane == "complete":
            if intensity == "intense":
                return [(ABOVE_30, "3+"), (UP_TO_30, "2+")]
            if intensity == "weak":
                return [(FROM_10, "2+")]
            return []
        if intensity in ("faint", "weak"):
            # READING: 2007, incomplete staining of 0 % of the cells: not covered.
            return [(ABOVE_NOUGHT, "1+")]
        # READING: 2007 has no definition for incomplete moderate or intense staining.
        return []
    if membrane == "complete":
        if intensity == "intense":
            return [(ABOVE_10, "3+"), (UP_TO_10, "2+")]
        if intensity in ("weak", "moderate"):
            return [(ABOVE_10, "2+")]
        return []
    if intensity == "faint":
        return [(ABOVE_10, "1+"), (NOUGHT_TO_10, "0")]
    if intensity == "weak":
        # READING: weak incomplete staining in 10 % or less is not covered (only faint is in the definition of 0).
        return [(ABOVE_10, "2+")] if edition == "2013" else []
    # READING: moderate or intense incomplete staining above 10 % is a named example of 2+ (2018) and falls under
    # READING: "incomplete and/or weak to moderate" (2013), so it spells 2+; in 10 % or less it is not covered.
    return [(ABOVE_10, "2+")]


def pattern_disputes(edition: str, score: str, membrane: str | None, intensity: str | None, share: Span | None) -> bool:
    """A definition of the edition gives these staining fields another score."""
    score = "0" if score == "0+" else score
    # READING: an interval of cells disputes the score only if all of it spells other scores.
    if membrane == "none":
        if share is None or share == NOUGHT:
            return score != "0"
        return False
    if membrane is None or intensity is None or share is None:
        return False
    covered = [(part, spelled) for part, spelled in _definitions(edition, membrane, intensity) if meet(part, share)]
    if not covered or any(spelled == score for _, spelled in covered):
        return False
    return not _leaves_a_gap(share, [part for part, _ in covered])


def _leaves_a_gap(share: Span, parts: list[Span]) -> bool:
    """Some of the share lies in no definition."""
    low = min(parts, key=lambda part: (part.low, part.low_open))
    high = max(parts, key=lambda part: (part.high or HUNDRED, not part.high_open))
    if share.low < low.low or (share.low == low.low and low.low_open and not share.low_open):
        return True
    assert share.high is not None
    assert high.high is not None
    return share.high > high.high or (share.high == high.high and high.high_open and not share.high_open)


def staining_of_zero(score: str, membrane: str | None, intensity: str | None, share: Span | None) -> str:
    """some, none or unknown membrane staining in an IHC 0."""
    some = (
        score == "0+"
        or membrane in ("incomplete", "complete")
        or intensity is not None
        or (share is not None and (share.low > 0 or share.low_open))
    )
    none = membrane == "none" or share == NOUGHT
    # READING: signs of staining beside a statement of none (not only "0+") leave the staining unknown.
    if some and none:
        return "unknown"
    if some:
        return "some"
    return "none" if none else "unknown"
