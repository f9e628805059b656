"""A problem: something wrong with what was sent, told so that the sender can mend it."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a document.

    code: from the closed list of app.domain.codes; field: dotted path in the document ("ish.ratio");
    message: what was wrong; remedy: what to send instead.
    """

    code: str
    field: str
    message: str
    remedy: str


# Only what looks like a measurement is ever repeated: a name or a record number typed into a number field is not.
_SHOWABLE = re.compile(r"[<>=≤≥]{0,2} ?-?[0-9]{0,5}([.,][0-9]{0,18})?( ?[-–] ?[0-9]{0,5}([.,][0-9]{0,18})?)?")
# Words that laboratories type where a score or number is asked for, and that name nobody.
_WORDS = frozenset(
    {"positive", "negative", "equivocal", "borderline", "indeterminate", "unknown", "amplified", "not amplified", "low"}
    | {"pos", "neg", "nan", "infinity", "-infinity", "inf", "n/a", "na", "none", "high", "normal", "", "weak", "strong"}
)


_KINDS: dict[type, str] = {list: "a list", tuple: "a list", dict: "an object"}


def shown(value: object) -> str:
    """The value in quotes where it can hold no identifier, else what kind of thing it is."""
    if isinstance(value, bool) or value is None:
        return repr(value).lower()
    text = str(value).strip()
    if text.lower() in _WORDS or (len(text) <= 24 and _SHOWABLE.fullmatch(text)):
        return f"'{text}'"
    return f"a text of {len(text)} characters" if isinstance(value, str) else _KINDS.get(type(value), "a number")


_NAME = re.compile(r"(?!.*[0-9]{3})[a-z][a-z0-9_-]{0,39}", re.IGNORECASE)


def named(where: str, name: str) -> str:
    """The path of a field that nobody knows; a key that does not look like a field's name is told as `?`."""
    told = name if _NAME.fullmatch(name) else "?"
    return f"{where}.{told}" if where else told
