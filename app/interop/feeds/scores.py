"""An IHC score in a text: taken only where the text is clearly that one score and nothing speaks against it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.domain.problems import Problem
from app.interop.feeds.words import folded, without

_NUMBER = re.compile(r"(?<![\w.,+/~-])([0-9]+(?:[.,][0-9]+)?)(\s?\+(?![\w+/-]))?(?![\w.,]\w|\w|\s?[/-]\s?\d)")
_NO_STAINING = re.compile(r"\bno (?:membrane )?staining(?: is)?(?: observed| seen| identified)?\b")
_SEPARATORS = re.compile(r"[\s(),;:.=\[\]]+|(?<=\s)-(?=\s)")
# what may stand beside a score: what was scored; any other word, also an intensity or a share that may not fit, leaves
# the text open
_NAMES = frozenset(
    {"her2", "ihc", "score", "by", "immunohistochemistry", "immunohistochemical", "immunostain", "stain", "result",
     "status", "protein", "expression", "overexpression", "interpretation", "in", "of", "the", "invasive", "tumour",
     "tumor", "carcinoma", "cells", "cell"}
)  # fmt: skip
_TISSUE = frozenset({"cells", "cell", "tumour", "tumor", "carcinoma"})
# the guideline's word for a score (ASCO/CAP 2018 figure 1)
_MEANS = {"negative": ("0", "0+", "1+"), "equivocal": ("2+",), "borderline": ("2+",), "positive": ("3+",)}
_SCORES = ("0", "0+", "1+", "2+", "3+")


def read_score(text: str, where: str, asides: Iterable[str] = ()) -> str | Problem | None:
    """The score; why it stays open (AMBIGUOUS, CONTRADICTORY, UNKNOWN_SCORE); None where no digit stands in it."""
    told = without(folded(text), asides)
    plain = _NO_STAINING.sub(" ", re.sub(r"her2|cep17", " ", told))
    if not re.search(r"\d|\+", plain):
        return None
    found = {_spelt(digits, plus) for digits, plus in _NUMBER.findall(plain)}
    rest = [word for word in _SEPARATORS.split(_NUMBER.sub(" ", plain)) if word]
    several = len(found) != 1 or any(len(each.rstrip("+")) != 1 for each in found)
    if several or any(word not in _NAMES | _MEANS.keys() for word in rest):
        remedy = 'send 0, 1+, 2+ or 3+ alone, or add the text to [words."ihc.score"] of the feed'
        return Problem("AMBIGUOUS", where, "is not clearly one score", remedy)
    score = found.pop()
    if score not in _SCORES:
        return Problem("UNKNOWN_SCORE", where, "is not a HER2 score", "send 0, 1+, 2+ or 3+")
    if "+" not in plain and score != "0" and not _TISSUE.isdisjoint(rest):
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
