"""Sentences between the lines of a report: may one hold a result, or does it tell what a result would mean?"""

from __future__ import annotations

import re
from collections.abc import Iterable

from app.interop.feeds.words import holds

# digits that are names, dates or quotations, not results
_NAMES = re.compile(
    r"\bher2\b|\bcep17\b|\b17q\d*(?:\.\d+)*|\b(?:poly|mono)somy\s*17|\bki-?67\b|\bp\d{2}\b|\b\d[a-z]\d\b|\b(?:sp|cb|pg)-?\d{1,2}\b|"
    r"\b(?:19|20)\d\d\s*[;,]\s*\d+(?:\(\d+\))?\s*:\s*[a-z]?\d+(?:-[a-z]?\d+)?|"
    r"\b\d{1,4}[./-]\d{1,2}[./-]\d{2,4}\b|\b[\w-]*\d{4,}[\w-]*\b|\b(?:asco|cap)\W+(?:19|20)\d\d\b|\b(?:19|20)\d\d\b|"
    r"\b[a-z]\d{1,2}(?:-\d{1,2})?\b|\b510\(k\)|\b(?:ish )?group [1-5]\b|"
    r"(?:[<>]=?\s*)?\b\d+(?:\.\d+)?(?:\s*(?:-|to)\s*\d+)?\s*(?:hours?|hrs?|h|minutes?|mins?|days?|cm|mm|microns?|µm)\b|"
    r"\b21 cfr \d+\b"
)
_HER2 = re.compile(r"\bher2\b|\bcep17\b|\bihc\b")
_SCORE = re.compile(r"(?<![\w.])[0-9]\s?\+|\+\+|\b(?:one|two|three)[- ]plus\b")
_MEASURED = re.compile(
    r"\bratios?\b|\bcop(?:y|ies)\b|\bsignals?\b|\bscored?\b|\bcells\b|\bnuclei\b|\baverage\b|\bmean\b"
)
_OF_ISH = re.compile(r"\bratios?\b|\bcop(?:y|ies)\b|\bsignals?\b|\bf?ish\b|\bin[- ]situ hybridi[sz]ation\b")
_LIMIT = re.compile(
    r"(?:[<>]=?|less than|greater than|more than|fewer than|at least|up to)\s*(?:or equal to\s*)?\d+(?:\.\d+)?\s*%?|"
    r"\d+(?:\.\d+)?\s*%?\s*(?:or (?:more|greater|higher|less|above)|and above)|\d+(?:\.\d+)?\s*%|"
    r"\d+\s*(?:-|to)\s*\d+\s*(?:hours|h)\b"
)
_GUIDELINE = re.compile(r"\basco\b|\bcap\b|\bguidelines?\b")
# "2.0 is amplified", not "is 2.0, amplified"
_THEN = re.compile(
    r"#[^.;#]{0,30}?(?:\bis\b|\bare\b|=|:)\s*(?:considered |called |reported as |interpreted as )?(?:her2[- ]?)?(?:"
    r"not |non-)?(?:amplified|positive|negative|equivocal|amplification)\b"
)
_CASES = re.compile(r"[0-4]\s?\+\)? (?:cases|tumou?rs|results|scores) (?:is|are|will|should)\b")
_THIS_CASE = re.compile(
    r"\b(?:this (?:case|tumou?r|specimen|patient|sample)|the patient|shows?|"
    r"demonstrates?|was found|were found|observed|"
    r"identified|found to|here|currently|calculated|counted|obtained|measured)\b"
)
_CONTROLS = re.compile(
    r"\bcontrols?\b.*\b(?:appropriate(?:ly)?|adequate|satisfactory|acceptable|reactive|reacted|stained|expected|performed)\b"
)
_ISH = re.compile(r"\b(?:f|c|s|dd?)?ish\b|\bin[- ]situ\b|\bamplif")
_STATED = re.compile(r"\bamplified\b|\bamplification\b|\bpositive\b|\bnegative\b|\bdetected\b|\bequivocal\b")


def names(line: str) -> bool:
    """Is a line words alone, without a number?"""
    return re.search(r"\d", _NAMES.sub(" ", line)) is None


def tells_controls(line: str) -> bool:
    """Does a line say no more than that the controls of a test were right?"""
    return _CONTROLS.search(line) is not None and names(line)


def may_hold_result(line: str, near_her2: bool) -> bool:
    """Does a folded line hold a number or a score that could be a result?

    near_her2: HER2 stands in it or just above; else a number counts beside a measure of ISH only.
    """
    bare = _NAMES.sub(" ", line)
    if _SCORE.search(bare):
        return True
    if re.search(r"\d", bare) is None:
        return False
    return measures_ish(line) or (near_her2 and (_MEASURED.search(line) or _HER2.search(line)) is not None)


def measures_ish(line: str) -> bool:
    """Does a folded line name a measure of ISH?"""
    return _OF_ISH.search(line) is not None


def is_definition(line: str, markers: Iterable[str]) -> bool:
    """Does a line tell only what results mean or how a test is done? A lone score never does, save of "2+ cases"."""
    if _THIS_CASE.search(line):
        return False
    bare = _NAMES.sub(" ", line)
    scores = {each[0] for each in _SCORE.findall(bare)}
    limits = _LIMIT.sub("#", bare)
    rest = re.sub(r"\b0\b", " ", _SCORE.sub(" ", limits)) if scores else limits
    if re.search(r"\d", rest):
        return False
    cases = _CASES.search(line) is not None
    if any(holds(line, each) for each in markers):
        return len(scores) != 1 or cases
    if not _GUIDELINE.search(line):
        return False
    return len(scores) > 2 or cases or (not scores and _THEN.search(limits) is not None)


def gives_status(line: str) -> bool:
    """Does a folded line say in words what ISH gave?"""
    return _ISH.search(line) is not None and _STATED.search(line) is not None
