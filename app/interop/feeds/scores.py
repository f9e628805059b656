"""An IHC score in a text: taken only where the text is clearly that one score and nothing speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.domain.problems import Problem
from app.interop.feeds.words import folded, without

_NUMBER = re.compile(r"(?<![\w.,+/<>=~-])(\d+(?:[.,]\d+)?)(\s?\+(?![\w+/-]))?(?![\w.,]\w|\w|\s?[/-]\s?\d)")
_PERCENT = re.compile(r"(?:[<>]=?|=|~)?\s*\d{1,3}(?:\s*-\s*\d{1,3})?\s*%")
_NO_STAINING = re.compile(r"\bno (?:membrane )?staining(?: is)?(?: observed| seen| identified)?\b")
_SEPARATORS = re.compile(r"[\s(),;:.=\[\]]+|(?<=\s)-(?=\s)")
# what may stand beside a score: what was scored ...
_NAMES = frozenset(
    {"her2", "ihc", "score", "by", "immunohistochemistry", "immunohistochemical", "immunostain", "stain", "result",
     "status", "protein", "expression", "overexpression", "interpretation"}
)  # fmt: skip
# ... how it stained, which goes with a score that has its plus sign only ...
_STAINING = frozenset(
    {"membrane", "membranous", "staining", "complete", "incomplete", "circumferential", "weak", "moderate", "strong",
     "intense", "faint", "barely", "perceptible", "to", "in", "of", "the", "invasive", "tumour", "tumor", "carcinoma",
     "cells", "cell", "and", "with", "uniform"}
)  # fmt: skip
# ... and the guideline's word for it (ASCO/CAP 2018 figure 1)
_MEANS = {"negative": ("0", "0+", "1+"), "equivocal": ("2+",), "borderline": ("2+",), "positive": ("3+",)}
_SCORES = ("0", "0+", "1+", "2+", "3+")


def read_score(text: str, where: str, asides: Iterable[str] = ()) -> str | Problem | None:
    """The score; why it stays open (AMBIGUOUS, CONTRADICTORY, UNKNOWN_SCORE); None where no digit stands in it."""
    told = without(folded(text), asides)
    plain = _NO_STAINING.sub(" ", _PERCENT.sub(" ", re.sub(r"her2|cep17", " ", told)))
    if not re.search(r"\d|\+", plain):
        return None
    found = {_spelt(digits, plus) for digits, plus in _NUMBER.findall(plain)}
    rest = [word for word in _SEPARATORS.split(_NUMBER.sub(" ", plain)) if word]
    if len(found) != 1 or any(word not in _NAMES | _STAINING | _MEANS.keys() for word in rest):
        remedy = 'send 0, 1+, 2+ or 3+ alone, or add the text to [words."ihc.score"] of the feed'
        return Problem("AMBIGUOUS", where, "is not clearly one score", remedy)
    score = found.pop()
    if score not in _SCORES:
        return Problem("UNKNOWN_SCORE", where, "is not a HER2 score", "send 0, 1+, 2+ or 3+")
    bare = "+" not in plain and score != "0"
    if bare and not _STAINING.isdisjoint(rest):
        return Problem("AMBIGUOUS", where, "holds a number that may not be the score", "send the score with its plus")
    for word in rest:
        if score not in _MEANS.get(word, (score,)):
            message = f"{score} and {word} contradict each other"
            return Problem("CONTRADICTORY", where, message, "send the score that was reported")
    return score


def _spelt(digits: str, plus: str) -> str:
    if digits == "0":
        return "0+" if plus else "0"
    return f"{digits}+" if digits.isdigit() else digits
