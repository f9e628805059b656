"""A message's text into segments, fields, repetitions and components, whatever its separators and line ends are."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.domain.problems import Problem
from app.interop.hl7.charsets import decode
from app.interop.hl7.escapes import Dialect, left_out, unescape

_STANDARD = "^~\\&"
_NULL = '""'


@dataclass(frozen=True, slots=True)
class Element:
    """One repetition of a field."""

    raw: str
    components: tuple[str, ...]
    dialect: Dialect

    def text(self, component: int = 1, subcomponent: int = 0) -> str:
        """A component (or one part of it) without escapes; "" where it is empty, not there or the null `""`."""
        raw = self.components[component - 1] if component <= len(self.components) else ""
        if subcomponent:
            parts = raw.split(self.dialect.subcomponent)
            raw = parts[subcomponent - 1] if subcomponent <= len(parts) else ""
        return "" if raw == _NULL else unescape(raw, self.dialect).strip()

    def part(self, component: int, subcomponent: int) -> Element:
        """A component as an element of its own: its subcomponents become components. subcomponent: where it starts."""
        raw = self.components[component - 1] if component <= len(self.components) else ""
        parts = tuple(raw.split(self.dialect.subcomponent))[subcomponent - 1 :]
        return Element(raw, parts, self.dialect)

    @property
    def whole(self) -> str:
        """All of it as text: separators that a sender left unescaped stay."""
        return unescape(self.raw, self.dialect)

    @property
    def null(self) -> bool:
        return self.raw == _NULL

    @property
    def left_out(self) -> int:
        return left_out(self.raw, self.dialect)


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment. number: its place among those of its name, from 1; fields[n] is field n."""

    name: str
    number: int
    fields: Sequence[str]
    dialect: Dialect

    @property
    def where(self) -> str:
        return f"{self.name}[{self.number}]"

    def place(self, field: int, repetition: int = 1) -> str:
        """The HL7 path of a field, or of one repetition after the first."""
        return f"{self.where}.{field}" + (f"[{repetition}]" if repetition > 1 else "")

    def elements(self, field: int) -> tuple[Element, ...]:
        """The repetitions of a field; none where it is empty."""
        raw = self.raw(field)
        if not raw:
            return ()
        if self.name == "MSH" and field < 3:  # the separators are not separated by themselves
            return (Element(raw, (raw,), self.dialect),)
        dialect = self.dialect
        return tuple(
            Element(each, tuple(each.split(dialect.component)), dialect) for each in raw.split(dialect.repetition)
        )

    def element(self, field: int) -> Element:
        """The first repetition of a field."""
        found = self.elements(field)
        return found[0] if found else Element("", ("",), self.dialect)

    def text(self, field: int, component: int = 1, subcomponent: int = 0) -> str:
        return self.element(field).text(component, subcomponent)

    def raw(self, field: int) -> str:
        return self.fields[field] if field < len(self.fields) else ""


class Message(NamedTuple):
    """The segments of a message, MSH first; none where it cannot be read, and then problems say why."""

    segments: tuple[Segment, ...]
    dialect: Dialect
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def header(self) -> Segment:
        return self.segments[0] if self.segments else Segment("MSH", 1, (), self.dialect)


def parse(message: bytes, charset: str = "") -> Message:
    """A message in segments. charset: the sender's, where MSH-18 is empty. Raises nothing."""
    decoded = decode(message, charset)
    notes = list(decoded.notes)
    text = decoded.text.strip("\ufeff \t\r\n\x0b\x1c")
    if text[:3] != "MSH":
        return Message((), Dialect(), tuple(notes), (_no_header(text),))
    dialect = _dialect(text, decoded.encoding, notes)
    if dialect is None:
        problem = Problem(
            "UNREADABLE", "MSH[1].2", "The separators of MSH-1 and MSH-2 cannot be told apart.", "Send MSH|^~\\&|."
        )
        return Message((), Dialect(), tuple(notes), (problem,))
    lines, problems = _lines(text, dialect, notes)
    rest = lines[0][4:].partition(dialect.field)[2]
    lines[0] = f"MSH{dialect.field}{dialect.characters}{dialect.field}{rest}"
    counts: Counter[str] = Counter()
    segments = []
    for line in lines:
        fields = line.split(dialect.field)
        name = fields[0]
        if name == "MSH":  # MSH-1 is the separator itself
            fields.insert(1, dialect.field)
        counts[name] += 1
        segments.append(Segment(name, counts[name], fields, dialect))
    if counts["MSH"] > 1:
        problem = Problem("UNREADABLE", "MSH[2]", "There are several messages in one.", "Send one message at a time.")
        problems.append(problem)
    return Message(tuple(segments), dialect, tuple(notes), tuple(problems))


def _no_header(text: str) -> Problem:
    if text[:3] in ("FHS", "BHS"):
        return Problem("UNREADABLE", text[:3], "This is a batch, not a message.", "Send its messages one by one.")
    return Problem("UNREADABLE", "MSH", "It does not begin with MSH.", "Send an HL7 v2 message that begins with MSH.")


def _dialect(text: str, encoding: str, notes: list[str]) -> Dialect | None:
    """The separators that the message itself names, None where they are not usable."""
    field = text[3:4]
    given = re.split(r"[\r\n]", text[4:260], maxsplit=1)[0].partition(field)[0] if field.strip() else ""
    if given == _STANDARD[1:]:
        notes.append("MSH-2 lacks its first character: read as the standard separators")
        given = _STANDARD
    characters = given + _STANDARD[len(given) :]
    used = field + characters
    if not given or len(characters) > 5 or len(set(used)) < len(used) or any(c.isalnum() or c.isspace() for c in used):
        return None
    if any(not each.isprintable() for each in used):
        return None
    return Dialect(field, characters[0], characters[1], characters[2], characters[3], characters[4:], encoding)


def _lines(text: str, dialect: Dialect, notes: list[str]) -> tuple[list[str], list[Problem]]:
    """The segments as lines. A line without a segment's name goes on with the free text of the line before it."""
    name = re.compile(rf"[A-Z][A-Z0-9]{{2}}(?:{re.escape(dialect.field)}|$)")
    line_break = f"{dialect.escape}.br{dialect.escape}"
    found: list[list[str]] = []
    free = False
    lost = 0
    for number, line in enumerate(each for each in re.split(r"\r\n|\r|\n", text) if each.strip(" \t\x0b\x1c")):
        if not found or name.match(line.rstrip(" \t\x1c")):
            found.append([line])
            free = _ends_in_text(line, dialect)
        elif free:
            found[-1].append(line)
            free = dialect.field not in line
        else:
            lost = lost or number + 1
    joined = sum(len(each) - 1 for each in found)
    if joined:
        notes.append(f"{joined} lines without a segment's name were read as text of the segment before")
    problems = []
    if lost:
        what = f"Line {lost} does not begin with the name of a segment."
        problems.append(Problem("UNREADABLE", "", what, "Begin each segment with its three letters."))
    return [line_break.join(each) for each in found], problems


def _ends_in_text(line: str, dialect: Dialect) -> bool:
    """True where a line ends inside the text of a comment, or of an observation that is not yet complete."""
    fields = line.count(dialect.field)
    return (line[:3] == "NTE" and fields == 3) or (line[:3] == "OBX" and fields == 5)
