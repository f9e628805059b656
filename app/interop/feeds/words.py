"""Words of reports: one spelling for HER2 and its probe, what is about HER2, and which status words mean the same."""

from __future__ import annotations

import re
from collections.abc import Iterable

_HER2 = re.compile(
    r"her[\s-]?2(?:\s*[/-]?\s*neu\b)?|c-?neu\b|\bneu(?=\s(?:oncogen|protein|gen))|"
    r"(?:c-?)?erb-?b[ -]?2(?:\s*\(her-?2\))?"
)
_CEP17 = re.compile(r"\b(?:cep|cen|chr|chromosome)[\s.-]?17\b(?:\s*centromere)?|\bd17z1\b")
_RATIO = re.compile(r"her2\s*(?:[/:-]|to|versus|vs\.?)\s*cep17")
# "her 2" in small letters may be an English pronoun
_ABOUT = re.compile(
    r"(?<![a-z])her-?2(?!\d)|erb-?b[ -]?2|\bneu (?:oncogen|protein|gen)|\b(?:cep|cen|chr|chromosome)[\s-]?17\b|d17z1"
)
_DASHES = re.compile("[\\u2010-\\u2015\\u2212]")
_ABOUT_SPACED = re.compile(r"\bH(?:ER|er) 2\b")

# what a status may be called; "" says nothing
_STATUSES = {
    "positive": ("positive", "pos", "positiv", "amplified", "overexpressed", "gene amplification detected",
                 "amplification detected", "detected", "amplifiziert", "positive (amplified)", "amplified (positive)"),
    "negative": ("negative", "neg", "negativ", "not amplified", "non-amplified", "nonamplified", "not overexpressed",
                 "no amplification", "no amplification detected", "gene amplification not detected",
                 "amplification not detected", "not detected", "nicht amplifiziert", "negative (not amplified)",
                 "not amplified (negative)", "negative (non-amplified)"),
    "equivocal": ("equivocal", "borderline"),
    "indeterminate": ("indeterminate", "cannot be determined", "cannot be determined (indeterminate)"),
    "low": ("low", "her2-low", "her2 low"),
    "present": ("present",),
    "absent": ("absent",),
}  # fmt: skip
_STATUS_OF = {word: status for status, words in _STATUSES.items() for word in words}
STATUS_WORDS = frozenset(_STATUS_OF)
NOT_DONE = frozenset(
    {"not done", "not performed", "not tested", "not indicated", "not applicable", "not ordered", "not_done", "n/a",
     "nicht durchgeführt"}
)  # fmt: skip
SAYS_NOTHING = NOT_DONE | {
    "", "pending", "unknown", "see comment", "see note", "see interpretation", "to follow",
    "in progress", "not reported", "not available",
}  # fmt: skip
# a longer line or value is no line of a report that one could read
LONGEST = 2_000
_OPPOSED = ({"positive", "present"}, {"negative", "absent"})


def folded(text: str) -> str:
    """Text in one case and spacing, with one spelling for HER2, its probe and their ratio."""
    told = " ".join(_DASHES.sub("-", text).casefold().replace("≤", "<=").replace("≥", ">=").split())
    return _RATIO.sub("her2/cep17", _CEP17.sub("cep17", _HER2.sub("her2", told)))


def is_about_her2(text: str) -> bool:
    """Does a text name HER2 or its probe?"""
    text = _DASHES.sub("-", text)
    return _ABOUT.search(text.casefold()) is not None or _ABOUT_SPACED.search(text) is not None


def holds(text: str, word: str) -> bool:
    """Does a text hold this word or phrase, and not only as a part of a longer one?"""
    # most words stand nowhere in it: that is seen without making a pattern
    return word in text and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text) is not None


def without(text: str, asides: Iterable[str]) -> str:
    """Folded text without remarks such as (see comment)."""
    for aside in asides:
        if aside in text:
            text = re.sub(rf"[(\[]\s*{re.escape(aside)}\s*[)\]]|(?:^|[\s,;.-]){re.escape(aside)}\.?$", " ", text)
    # a leading full stop is a digit lost, no ornament
    return " ".join(text.split()).rstrip(" .,;")


def status_of(text: str, asides: Iterable[str] = ()) -> str:
    """The status that a text is, not one that it merely holds; "" for none."""
    told = without(text, asides)
    return _STATUS_OF.get(told) or _STATUS_OF.get(re.sub(r"^her2\s*(?:is|:|-)?\s*", "", told), "")


def opposed(one: str, other: str) -> bool:
    """Do two statuses exclude each other?"""
    return any(one in a and other in b for a, b in (_OPPOSED, _OPPOSED[::-1]))
