"""A measured number or interval, with the digits that were sent: read whole or not at all."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal

from app.domain.problems import Problem
from app.interop.feeds.words import STATUS_WORDS, folded, status_of, without
from app.interop.received import Value

PERCENTAGES = frozenset({"context.er_percent", "context.pgr_percent", "ihc.percent", "specimen.purity_percent"})
_DURATIONS = {
    "specimen.cold_ischaemia_minutes": ("min", "minute", "minutes"),
    "specimen.fixation_hours": ("h", "hr", "hour", "hours"),
    "specimen.section_age_days": ("d", "day", "days"),
}
_PLACES = r"[0-9]{1,9}(?:[.,][0-9]{1,20})?"
_COMPARATORS = {"less than": "<", "greater than": ">", "more than": ">", "at least": ">=", "=": "", "": ""}
_ONE = re.compile(rf"(<=|>=|<|>|=|less than|greater than|more than|at least)?\s*({_PLACES})(\s*:\s*1(?:\.0+)?)?")
_SPAN = re.compile(rf"({_PLACES})\s*(?:-|–|to)\s*({_PLACES})")
_PER = r"(?:\s*(?:/|per)\s*(?:cell|nucleus))"
# by the last word of the field: words that say of a number only what the field says already
_BESIDE = {
    "ratio": re.compile(r"^ratio\b"),
    "copies": re.compile(rf"^(?:average|mean)\b|(?:signals?|copies|copy){_PER}?$|{_PER}$"),
    "signals": re.compile(r"signals$"),
    "cells": re.compile(r"\b(?:cells|nuclei)$"),
}
_REFERENCE = re.compile(r"\((?:ref(?:erence)?|normal|cut-?off)\b[^()]*\)$")
_UNITS = re.compile(r"|1|#|/cell|/nucleus|(?:copies|signals)(?:/(?:cell|nucleus))?|cells?|nuclei")
_NAMED = re.compile(r"\{([^{}]*)\}")


def read_amount(value: Value, target: str, decimal_comma: bool, asides: Iterable[str] = ()) -> str | Problem:
    """The text of the number or interval for the case document, or why it stays open."""
    where = value.where
    if problem := _unit(value, target):
        return problem
    if value.kind == "ratio":
        if not re.fullmatch(r"0*1(\.0*)?", value.second):
            return Problem("AMBIGUOUS", where, "is a ratio over another number than 1", "send the quotient, over 1")
        return f"{value.comparator}{value.number}"
    if value.kind == "range":
        return f"{value.number}-{value.second}"
    if value.kind == "quantity":
        return f"{value.comparator}{value.number}"
    return _written(value, target, decimal_comma, asides)


def _unit(value: Value, target: str) -> Problem | None:
    unit = value.unit.strip().casefold()
    if unit == "%":
        return None if target in PERCENTAGES else _clash(value, f"a percentage stands where {target} asks for a number")
    if target in _DURATIONS:
        known = unit in ("", *_DURATIONS[target])
    else:
        named = " ".join(_NAMED.findall(unit))
        if target.endswith(".ratio") and re.search(r"cop|signal|nucle|cell", named + unit):
            return _clash(value, "the unit of an average stands where a ratio is asked for")
        if "ratio" in named and not target.endswith(".ratio"):
            return _clash(value, f"the unit of a ratio stands where {target} is asked for")
        known = _UNITS.fullmatch(_NAMED.sub("", unit).rstrip("/")) is not None
    if known:
        return None
    return Problem("AMBIGUOUS", value.where, f"has a unit that {target} does not take", "send no unit, or its own")


def _written(value: Value, target: str, decimal_comma: bool, asides: Iterable[str]) -> str | Problem:
    told = _REFERENCE.sub("", without(folded(value.text), asides)).strip()
    if status_of(told):
        return _clash(value, f"a word stands where {target} asks for a number")
    if match := re.fullmatch(r"(.*?)\s*\(([^()]*)\)", told):
        # the sender's word for the number is its opinion
        told = match[1] if match[2] in STATUS_WORDS else told
    if target in PERCENTAGES:
        told = told.removesuffix("%").rstrip()
    if target in _DURATIONS:
        told = re.sub(rf"(?<=[\d\s])(?:{'|'.join(_DURATIONS[target])})$", "", told).strip()
    elif beside := _BESIDE.get(re.split("[._]", target)[-1]):
        told = beside.sub("", told).strip()
    if "," in told and not decimal_comma:
        remedy = "send a decimal point, or set decimal_comma = true in this sender's feed"
        return Problem("AMBIGUOUS", value.where, "has a comma", remedy)
    if "." in told and decimal_comma:
        remedy = "write decimal commas in text, as the feed says, or take decimal_comma out of it"
        return Problem("AMBIGUOUS", value.where, "has a point", remedy)
    one = _ONE.fullmatch(told)
    if one and (not one[3] or target.endswith(".ratio")):
        sign = one[1] or ""
        return f"{_COMPARATORS.get(sign, sign)}{one[2]}".replace(",", ".")
    if span := _SPAN.fullmatch(told):
        low, high = (each.replace(",", ".") for each in span.groups())
        if Decimal(low) <= Decimal(high):
            return f"{low}-{high}"
    return Problem("AMBIGUOUS", value.where, f"is not clearly one number for {target}", "send the number alone")


def _clash(value: Value, message: str) -> Problem:
    return Problem("CONTRADICTORY", value.where, message, "send what was reported, by its right code and unit")
