"""A sender's feed, read from TOML: every mistake of its author is named with its place and what to write instead."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from importlib import resources
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.problems import Problem
from app.domain.reading import read_case
from app.interop.feeds.words import folded
from app.interop.hl7.charsets import encoding_of
from app.interop.received import CAP_ECC, LOINC, SNOMED
from app.interop.tabular import FIELDS, field_document, nearest, plain

# beside the fields of the case document: document: lines of free text; note: known and gives nothing, such as a panel;
# ignore: not looked at
_OTHER = ("document", "note", "ignore")
# what a person or the message itself says, and lists: not from a code
_NOT_FROM_CODES = ("edition", "policy.", "adjudication.", "specimen.accession", "specimen.block", "context.biomarkers.")
TARGETS = (
    *(each for each in FIELDS if not each.startswith(_NOT_FROM_CODES) and FIELDS[each] != "list"),
    *_OTHER,
)
_SYSTEMS = {"loinc": LOINC, "snomed": SNOMED, "cap": CAP_ECC}
_TEXTS = ("title", "laboratory", "charset", "zone")
_FLAGS = ("decimal_comma", "ae_for_quarantine")
_LISTS = ("senders", "accept_processing")
_FOLDED = ("asides", "comments", "definitions", "others", "history")
_BLOCKS = ("specimen", "group", "none")
_HEADINGS = ("ihc", "ish", "follow_up_ish", "recount", "third_count", "history", "reference", "other", "")


@dataclass(frozen=True, slots=True, eq=False)
class Feed:
    """How one sender's messages are read. Compared by identity, so that what follows from it can be kept beside it.

    codes: (system, code) to a target; words: target to words, in one case, to what the case document takes, "" for
    nothing; answers: coded answers, (system, code) to a word; methods: (system, code) to an ISH method;
    contradicts: (system, code) to what its display must not hold; foreign: the same for all codes of a block;
    phrases: labels of free text, folded, to targets; headings: headings of free text to the block that follows;
    asides: remarks beside a value; comments: first words of lines that give nothing; definitions: words of lines that
    tell what results mean; others: first words of lines about other tests; history: names of codes for earlier results;
    block_from: where the block's name stands; accept_processing: MSH-11 that count as production.
    """

    title: str = ""
    senders: tuple[str, ...] = ()
    laboratory: str = ""
    charset: str = ""
    zone: str = "UTC"
    accept_processing: tuple[str, ...] = ("P",)
    decimal_comma: bool = False
    ae_for_quarantine: bool = False
    block_from: str = "specimen"
    codes: Mapping[tuple[str, str], str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answers: Mapping[tuple[str, str], str] = field(default_factory=dict)
    contradicts: Mapping[tuple[str, str], tuple[str, ...]] = field(default_factory=dict)
    phrases: Mapping[str, str] = field(default_factory=dict)
    headings: Mapping[str, str] = field(default_factory=dict)
    methods: Mapping[tuple[str, str], str] = field(default_factory=dict)
    foreign: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    asides: tuple[str, ...] = ()
    comments: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    history: tuple[str, ...] = ()

    def over(self, base: Feed) -> Feed:
        """This feed with what it does not say taken from a base: its tables add to the base's."""
        tables = ("codes", "answers", "contradicts", "phrases", "headings", "methods", "foreign")
        joined: dict[str, Any] = {name: {**getattr(base, name), **getattr(self, name)} for name in tables}
        joined |= {name: tuple(dict.fromkeys((*getattr(base, name), *getattr(self, name)))) for name in _FOLDED}
        joined["words"] = {
            target: {**base.words.get(target, {}), **self.words.get(target, {})}
            for target in {*base.words, *self.words}
        }
        return replace(self, **joined)


def read_feed(text: str) -> Feed | tuple[Problem, ...]:
    """The feed that a file describes, over the standard one; or everything that is wrong with it."""
    read = _read(text)
    return read.over(STANDARD) if isinstance(read, Feed) else read


class Feeds:
    """All feeds of a laboratory by sender; the standard feed for every other sender."""

    def __init__(self, feeds: Iterable[Feed] = ()) -> None:
        self._by_sender = {sender: feed for feed in feeds for sender in feed.senders}

    @classmethod
    def load(cls, folder: Path | None) -> Feeds:
        """Read all *.toml of a folder. Raises FeedProblems with every mistake of every file."""
        feeds: list[Feed] = []
        problems: list[Problem] = []
        taken: dict[str, str] = {}
        for path in sorted(folder.glob("*.toml")) if folder else ():
            read = read_feed(path.read_text("utf-8", errors="replace"))
            if not isinstance(read, Feed):
                problems += [replace(each, field=f"{path.name}: {each.field}") for each in read]
                continue
            for sender in read.senders:
                if taken.setdefault(sender, path.name) != path.name:
                    told = f"{sender} has a feed in {taken[sender]} already"
                    problems.append(Problem("TWICE_STATED", f"{path.name}: senders", told, "name it in one file"))
            feeds.append(read)
        if problems:
            raise FeedProblems(problems)
        return cls(feeds)

    def of(self, sender: str) -> Feed:
        """The sender's feed, else the standard one."""
        return self._by_sender.get(sender, STANDARD)


class FeedProblems(ValueError):
    """Feed files that do not hold."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{each.field}: {each.message}; {each.remedy}" for each in self.problems))


def _read(text: str) -> Feed | tuple[Problem, ...]:
    if "\ufffd" in text:
        return (Problem("WRONG_TYPE", "feed", "is not UTF-8", "save the file as UTF-8"),)
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        return (Problem("WRONG_TYPE", "feed", f"is not TOML: {error}", "quote codes and labels; see docs/feeds.md"),)
    reader = _Reader(read)
    feed = reader.feed()
    return tuple(reader.problems) or feed


class _Reader:
    def __init__(self, read: Mapping[str, Any]) -> None:
        self.read, self.problems = read, list[Problem]()

    def wrong(self, code: str, place: str, message: str, remedy: str) -> None:
        self.problems.append(Problem(code, place, message, remedy))

    def feed(self) -> Feed:
        known = [each.name for each in fields(Feed)]
        for name in self.read:
            if name not in known:
                self.wrong("UNKNOWN_FIELD", name, "there is no such entry", nearest(name, known) or "see docs/feeds.md")
        values: dict[str, Any] = {}
        for kind, wanted, names in ((str, "a text", _TEXTS), (bool, "true or false", _FLAGS)):
            for name in names:
                if name in self.read and isinstance(self.read[name], kind):
                    values[name] = self.read[name]
                elif name in self.read:
                    self.wrong("WRONG_TYPE", name, f"is not {wanted}", f"write {wanted}")
        for name in (*_LISTS, *_FOLDED):
            if given := self.texts(self.read.get(name, []), name):
                values[name] = given if name in _LISTS else tuple(map(folded, given))
        if (block := self.read.get("block_from", "specimen")) in _BLOCKS:
            values["block_from"] = block
        else:
            self.wrong("UNKNOWN_VALUE", "block_from", "is not in the list", f"write one of {', '.join(_BLOCKS)}")
        try:
            ZoneInfo(values.get("zone", "UTC"))
        except (KeyError, ValueError, OSError):
            self.wrong("UNKNOWN_VALUE", "zone", "is no time zone", 'write an IANA name such as "Europe/London"')
        if values.get("charset") and not encoding_of(values["charset"]):
            self.wrong(
                "UNKNOWN_VALUE", "charset", "is no character set of HL7 table 0211", 'write "8859/1", "UTF-8" ...'
            )
        values["codes"] = {at: self.target(told, place) for at, told, place in self.coded("codes")}
        values["answers"] = {at: self.text(told, place) for at, told, place in self.coded("answers")}
        values["methods"] = {at: self.text(told, place) for at, told, place in self.coded("methods")}
        values["contradicts"] = {
            at: tuple(map(plain, self.texts(told, place))) for at, told, place in self.coded("contradicts")
        }
        values["foreign"] = {
            name: tuple(map(plain, self.texts(told, f"foreign.{name}"))) for name, told in self.table("foreign").items()
        }
        values["phrases"] = self.labels("phrases", self.target)
        values["headings"] = self.labels("headings", self.heading)
        values["words"] = {name: self.words(name, told) for name, told in self.table("words").items()}
        return Feed(**values)

    def table(self, name: str) -> Mapping[str, Any]:
        given = self.read.get(name, {})
        if isinstance(given, Mapping):
            return given
        self.wrong("WRONG_TYPE", name, "is not a table", f"write [{name}]")
        return {}

    def coded(self, name: str) -> list[tuple[tuple[str, str], Any, str]]:
        """[codes.loinc] "85319-2" = ...: the system is loinc, snomed, local (""), or a URI in quotes."""
        found = []
        for system, entries in self.table(name).items():
            if not isinstance(entries, Mapping):
                self.wrong(
                    "WRONG_TYPE", f"{name}.{system}", "is not a table", f"write [{name}.loinc] or [{name}.local]"
                )
                continue
            uri = _SYSTEMS.get(system, "" if system == "local" else system)
            found += [((uri, code), told, f"{name}.{system}.{code}") for code, told in entries.items()]
        return found

    def target(self, told: Any, place: str) -> str:
        if told not in TARGETS:
            remedy = nearest(str(told), TARGETS) or "use a field of the case document, document, note or ignore"
            self.wrong("UNKNOWN_VALUE", place, "is no field of the case document", remedy)
        return str(told)

    def labels(self, name: str, read: Callable[[Any, str], str]) -> dict[str, str]:
        """Labels, folded; two that are then one must mean the same."""
        found: dict[str, str] = {}
        for label, told in self.table(name).items():
            place = f"{name}.{label}"
            means = read(told, place)
            if not folded(label).strip(" :="):
                self.wrong("UNKNOWN_VALUE", name, "has a label without a letter", "write it as it stands in the text")
            if found.setdefault(folded(label).strip(" :="), means) != means:
                self.wrong("TWICE_STATED", place, "is given twice, with two meanings", "write it once")
        return found

    def heading(self, told: Any, place: str) -> str:
        if told not in _HEADINGS:
            known = ", ".join(filter(None, _HEADINGS))
            self.wrong("UNKNOWN_VALUE", place, "is no block", f'use one of {known}, or "" for none')
        return str(told)

    def words(self, target: str, told: Any) -> Mapping[str, Any]:
        """Words of one field: each must be one that the case document takes there, or "" for nothing."""
        place = f"words.{target}"
        if self.target(target, place) not in FIELDS:
            return {}
        if not isinstance(told, Mapping):
            self.wrong("WRONG_TYPE", place, "is not a table", f'write [words."{target}"] and lines such as "neg" = "0"')
            return {}
        for word, means in told.items():
            if not isinstance(means, str | bool):
                self.wrong("WRONG_TYPE", f"{place}.{word}", "is not a text", 'write it in quotes: "2+"')
                continue
            for problem in read_case(field_document(target, means)).problems if means != "" else ():
                self.wrong(problem.code, f"{place}.{word}", problem.message, problem.remedy)
        return {plain(word): means for word, means in told.items()}

    def text(self, told: Any, place: str) -> str:
        if not isinstance(told, str):
            self.wrong("WRONG_TYPE", place, "is not a text", 'write a text such as "2+"')
        return str(told)

    def texts(self, told: Any, place: str) -> tuple[str, ...]:
        if isinstance(told, list) and all(isinstance(each, str) for each in told):
            return tuple(told)
        self.wrong("WRONG_TYPE", place, "is not a list of texts", 'write ["...", "..."]')
        return ()


def _standard() -> Feed:
    read = _read((resources.files(__package__) / "standard.toml").read_text("utf-8"))
    if not isinstance(read, Feed):
        raise FeedProblems(read)
    return read


STANDARD = _standard()
