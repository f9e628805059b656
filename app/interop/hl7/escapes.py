"""Escape sequences of HL7 v2 text (chapter 2, "Use of escape sequences in text fields"), out of and into text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Dialect:
    """The separators of one message and the codec of its text. truncation: the fifth character of MSH-2, or ""."""

    field: str = "|"
    component: str = "^"
    repetition: str = "~"
    escape: str = "\\"
    subcomponent: str = "&"
    truncation: str = ""
    encoding: str = "utf-8"

    @property
    def characters(self) -> str:
        """MSH-2."""
        return self.component + self.repetition + self.escape + self.subcomponent + self.truncation


@lru_cache(maxsize=64)
def _pattern(escape: str) -> re.Pattern[str]:
    mark = re.escape(escape)
    return re.compile(
        rf"(?P<bytes>(?:{mark}X(?:[0-9A-Fa-f]{{2}})+{mark})+)"
        rf"|{mark}(?:(?P<letter>[FSTREHNP])|\.(?P<format>br|sp|ce|in|ti|fi|nf|sk) ?\+?(?P<count>-?\d{{0,2}})"
        rf"|(?P<other>Z\w{{0,40}}|C[0-9A-F]{{4}}|M[0-9A-F]{{4,6}})){mark}",
        re.IGNORECASE if escape.lower() == escape.upper() else 0,
    )


def unescape(text: str, dialect: Dialect) -> str:
    """The text that was meant: separators, bytes and line breaks in their places. Unknown sequences stay as written."""
    if dialect.escape not in text:
        return text
    return _pattern(dialect.escape).sub(lambda found: _meaning(found, dialect), text)


def left_out(text: str, dialect: Dialect) -> int:
    """How many sequences of the text have no meaning here and are left out of it (local ones, other character sets)."""
    if dialect.escape not in text:
        return 0
    return sum(1 for found in _pattern(dialect.escape).finditer(text) if found["other"])


def escaped(text: str, dialect: Dialect) -> str:
    """Text as it stands in a field: separators escaped, a line break as .br, other control characters left out."""
    mark = dialect.escape
    words = {
        dialect.escape: f"{mark}E{mark}",
        dialect.field: f"{mark}F{mark}",
        dialect.component: f"{mark}S{mark}",
        dialect.subcomponent: f"{mark}T{mark}",
        dialect.repetition: f"{mark}R{mark}",
        "\n": f"{mark}.br{mark}",
    }
    if dialect.truncation:
        words[dialect.truncation] = f"{mark}P{mark}"
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(words.get(each, each) for each in lines if each in words or each.isprintable())


def _meaning(found: re.Match[str], dialect: Dialect) -> str:
    if found["bytes"]:
        digits = re.sub(r"[^0-9A-F]", "", found["bytes"].upper())
        return bytes.fromhex(digits).decode(dialect.encoding, "replace").replace("\x00", "")
    if found["letter"]:
        return _letter(found, dialect)
    if found["format"]:
        count = abs(int(found["count"])) if found["count"].strip("-") else 1
        word = found["format"].lower()
        return {"br": "\n", "ce": "\n", "sp": "\n" * count, "sk": " " * count}.get(word, "")
    return ""


def _letter(found: re.Match[str], dialect: Dialect) -> str:
    letter = found["letter"]
    if letter == "P" and not dialect.truncation:
        return found[0]
    meanings = {
        "F": dialect.field,
        "S": dialect.component,
        "T": dialect.subcomponent,
        "R": dialect.repetition,
        "E": dialect.escape,
        "P": dialect.truncation,
        "H": "",
        "N": "",
    }
    return meanings.get(letter, found[0])
