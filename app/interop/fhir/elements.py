"""One element of a resource and where it stands: typed access that notes what is wrong instead of raising."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from app.domain.numbers import Digits
from app.domain.problems import Problem, named
from app.domain.reading import is_text, moment
from app.interop.received import SNOMED, Coding

_DEEPEST = 60
_MOST = 50
_FRACTION = re.compile(r"(\.\d{6})\d+", re.ASCII)
_PARTIAL = re.compile(r"\d{4}(-\d{2})?", re.ASCII)


def shape_problems(document: Mapping[str, Any], where: str) -> tuple[Problem, ...]:
    """Null, [], {}, "" and broken text anywhere in a resource, each at its expression (UNREADABLE); the first 50.

    FHIR forbids all of them; a null is right only in a list of simple values beside a list of their extensions.
    """
    if _is_sound(document):
        return ()
    found: list[Problem] = []
    waiting: list[tuple[Any, str, int]] = [(document, where, 0)]
    while waiting and len(found) < _MOST:
        value, path, depth = waiting.pop()
        wrong = ""
        if value is None:
            wrong = "is null"
        elif isinstance(value, dict | list) and not value:
            wrong = "is empty"
        elif depth > _DEEPEST:
            wrong = "is nested too deeply"
        elif isinstance(value, dict):
            waiting.extend((each, named(path, name), depth + 1) for name, each in _members(value))
        elif isinstance(value, list):
            waiting.extend((each, f"{path}[{at}]", depth + 1) for at, each in enumerate(value))
        elif isinstance(value, str) and not isinstance(value, Digits) and not (value and is_text(value)):
            wrong = "is an empty or a broken text"
        if wrong:
            found.append(Problem("UNREADABLE", path, wrong, "leave the element out, or send its value"))
    return tuple(reversed(found))


def _is_sound(document: Mapping[str, Any]) -> bool:
    """Is nothing of that in a resource? Quick, and names no place; what it doubts may be right all the same."""
    level: list[Any] = [document]
    for _ in range(_DEEPEST):
        below: list[Any] = []
        for value in level:
            if not value:
                return False
            for each in value.values() if isinstance(value, dict) else value:
                kind = type(each)
                if kind is str:
                    # most texts are plain: told at once, since every text of every message is asked
                    if not (each.isascii() and each and "\x00" not in each) and not (each and is_text(each)):
                        return False
                elif kind is dict or kind is list:
                    below.append(each)
                elif isinstance(each, str):
                    if not (each and is_text(each)) and not isinstance(each, Digits):
                        return False
                elif isinstance(each, dict | list):
                    below.append(each)
                elif each is None:
                    return False
        if not below:
            return True
        level = below
    return False


def _members(value: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, each in value.items():
        beside = value.get(name[1:] if name.startswith("_") else f"_{name}")
        if isinstance(each, list) and isinstance(beside, list) and len(each) == len(beside):
            each = [True if one is None and other is not None else one for one, other in zip(each, beside, strict=True)]
        yield name, each


class Element:
    """An object of a resource. where: its FHIR expression; problems: shared by all elements of one resource.

    A member of another type than asked for is noted (WRONG_TYPE) and then as absent.
    """

    __slots__ = ("members", "problems", "where")

    def __init__(self, members: Mapping[str, Any], where: str, problems: list[Problem]) -> None:
        self.members, self.where, self.problems = members, where, problems

    @property
    def type(self) -> str:
        """The resource's type, "" where it is none."""
        told = self.members.get("resourceType")
        return told if isinstance(told, str) else ""

    def at(self, name: str) -> str:
        return f"{self.where}.{name}"

    def note(self, code: str, name: str, message: str, remedy: str) -> None:
        """Note a problem of a member, or of the element itself (name "")."""
        self.problems.append(Problem(code, self.at(name) if name else self.where, message, remedy))

    def _wrong(self, name: str, wanted: str) -> None:
        self.note("WRONG_TYPE", name, f"is not {wanted}", f"send {wanted}")

    def one(self, name: str) -> Element | None:
        """The object under a name."""
        value = self.members.get(name)
        if value is None:
            return None
        if isinstance(value, dict):
            return Element(value, f"{self.where}.{name}", self.problems)
        if value is not None:
            self._wrong(name, "an object")
        return None

    def many(self, name: str) -> list[Element]:
        """The objects of a list."""
        value = self.members.get(name)
        if value is None:
            return []
        if not isinstance(value, list):
            self._wrong(name, "a list of objects")
            return []
        found = []
        for at, each in enumerate(value):
            if isinstance(each, dict):
                found.append(Element(each, f"{self.at(name)}[{at}]", self.problems))
            else:
                self._wrong(f"{name}[{at}]", "an object")
        return found

    def text(self, name: str) -> str:
        """A text, trimmed; "" where absent."""
        value = self.members.get(name)
        if value is None:
            return ""
        if (type(value) is str and value.isascii() and "\x00" not in value) or is_text(value):
            return str(value.strip())
        self._wrong(name, "a text")
        return ""

    def number(self, name: str) -> str:
        """A number, digits as written; "" where absent. A number in quotes is none."""
        value = self.members.get(name)
        if isinstance(value, Digits) and value.lower().lstrip("-") not in ("nan", "infinity"):
            return str(value)
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if value is not None:
            self._wrong(name, "a JSON number")
        return ""

    def time(self, name: str) -> str:
        """A date, or a date-time with its offset, as written up to microseconds; "" for less or where absent."""
        text = self.text(name)
        told = _time(text) if text else ""
        if told is None:
            remedy = "send a date (2026-11-25) or a date-time with its offset (2026-11-25T14:30:00+01:00)"
            self.note("UNREADABLE", name, "is not a date or a date-time with an offset", remedy)
        return told or ""

    def codings(self, name: str) -> tuple[Coding, ...]:
        """The codings of a CodeableConcept; one without a system where it is told in words alone."""
        concept = self.one(name)
        return () if concept is None else codings_of(concept)

    def extended(self) -> None:
        """Note what changes the meaning of an element and is not known here: it must not be ignored."""
        for name in ("modifierExtension", "implicitRules"):
            if self.members.get(name):
                remedy = "send the resource without it, or have it mapped first"
                self.note("UNSUPPORTED", name, "changes the meaning of the resource in a way not known here", remedy)


@lru_cache(maxsize=4096)
def _time(text: str) -> str | None:
    """A time up to microseconds, "" for a year or month alone, None for no time: results of one report share theirs."""
    text = _FRACTION.sub(r"\1", text)
    if _PARTIAL.fullmatch(text):
        return ""
    try:
        moment(text)
    except ValueError:
        return None
    return text


def _plain_codings(listed: Any) -> tuple[Coding, ...] | None:
    """The codings of a list in which all is as it should be; None where it has to be read element by element."""
    if type(listed) is not list:
        return None
    found = []
    for each in listed:
        if type(each) is not dict:
            return None
        told = each.get("system", ""), each.get("code", ""), each.get("display", "")
        for text in told:
            if type(text) is not str or not text.isascii() or "\x00" in text:
                return None
        found.append(Coding(told[0].strip(), told[1].strip(), told[2].strip()))
    return tuple(found) or None


def codings_of(concept: Element) -> tuple[Coding, ...]:
    """The codings of a CodeableConcept element; its words alone as one without system and code."""
    if (plain := _plain_codings(concept.members.get("coding"))) is not None:
        return plain
    found = tuple(
        Coding(each.text("system"), each.text("code"), each.text("display")) for each in concept.many("coding")
    )
    text = concept.text("text")
    return found or ((Coding("", "", text),) if text else ())


def words_of(concept: Element | None) -> str:
    """A CodeableConcept for a person: its text, else the first display, else the first code."""
    if concept is None:
        return ""
    text = concept.text("text")
    if text:
        return text
    codings = codings_of(concept)
    return next((each.display for each in codings if each.display), codings[0].code if codings else "")


@lru_cache(maxsize=4096)
def aware(text: str) -> datetime | None:
    """A time that Element.time gave; a date is its midnight in UTC."""
    return moment(text) if text else None


def has_code(codings: tuple[Coding, ...], system: str, *codes: str) -> bool:
    """Is one of the codes among the codings?"""
    return any(each.system == system and each.code in codes for each in codings)


def is_cassette(codings: tuple[Coding, ...]) -> bool:
    """Is a container the cassette of a paraffin block (SNOMED CT 434464009)?"""
    return has_code(codings, SNOMED, "434464009")


def is_slide(codings: tuple[Coding, ...]) -> bool:
    """Is a container a microscope slide (SNOMED CT 433466003)?"""
    return has_code(codings, SNOMED, "433466003")
