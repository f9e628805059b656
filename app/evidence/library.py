"""Read a pack: TOML files with exact decimals into the domain's frozen types, everything checked, then digested.

A pack is a folder: pack.toml, references.toml, considerations.toml, statements/*.toml in the source's order, and
standings.toml where works have been looked up.
All mistakes are collected and told at once, each with the file and the entry it stands in.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

from app.domain import evidence as words
from app.domain.evidence import (
    Arm,
    Condition,
    Consideration,
    Effect,
    Pack,
    PackVersion,
    Population,
    PValue,
    Reference,
    Silence,
    Statement,
    Therapy,
)
from app.evidence.cross_check import cross_check
from app.evidence.fields import Fields, prose
from app.evidence.standings import FILE as STANDINGS
from app.evidence.standings import read_standing, with_standings

PACKS = Path(__file__).parent / "packs"
_STATEMENTS = "statements/"
_DOI = re.compile(r"10\.\d{4,9}/\S+")
_PMID = re.compile(r"\d{6,9}")
_P_WORDS = {"equals": "=", "below": "<", "above": ">"}

T = TypeVar("T")


class PackError(Exception):
    """A pack that does not hold; `problems` lists every mistake with its file and entry."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


def pack_ids() -> tuple[str, ...]:
    """The packs that ship with Herald."""
    return tuple(sorted(folder.name for folder in PACKS.iterdir() if (folder / "pack.toml").is_file()))


@lru_cache(maxsize=8)
def load_pack(pack_id: str = "alataki-dowsett-2022") -> Pack:
    """A shipped pack, read once. Raises PackError, or KeyError for an unknown id."""
    if pack_id not in pack_ids():
        raise KeyError(pack_id)
    return read_pack(PACKS / pack_id)


def read_pack(folder: Path) -> Pack:
    """The pack in a folder; raises PackError with every mistake found."""
    return build_pack(read_documents(folder))


def read_documents(folder: Path) -> dict[str, Mapping[str, Any]]:
    """The parsed files of a pack's folder; raises PackError for what is missing or no TOML."""
    documents: dict[str, Mapping[str, Any]] = {}
    problems: list[str] = []
    names = ["pack.toml", "references.toml", "considerations.toml"]
    names += sorted(f"{_STATEMENTS}{path.name}" for path in (folder / "statements").glob("*.toml"))
    names += [STANDINGS] if (folder / STANDINGS).is_file() else []
    for name in names:
        try:
            documents[name] = tomllib.loads((folder / name).read_text(encoding="utf-8"), parse_float=Decimal)
        except FileNotFoundError:
            problems.append(f"{name}: the file is missing")
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            problems.append(f"{name}: not TOML: {error}")
    if problems:
        raise PackError(problems)
    return documents


def build_pack(documents: Mapping[str, Mapping[str, Any]]) -> Pack:
    """The pack from its parsed files (name to content); raises PackError with every mistake found."""
    problems: list[str] = []
    head = Fields(documents["pack.toml"], "pack.toml", problems)
    terms = head.texts("terms")
    therapies = head.entries("therapy", _therapy)
    known = tuple(therapy.name for therapy in therapies)
    silences = head.entries("silence", lambda entry: _silence(entry, known))
    references = with_standings(
        _listed(documents, "references.toml", "reference", _reference, problems),
        _listed(documents, STANDINGS, "standing", read_standing, problems) if documents.get(STANDINGS) else (),
        problems,
    )
    statements: list[Statement] = []
    for name in sorted(name for name in documents if name.startswith(_STATEMENTS)):
        file = Fields(documents[name], name, problems)
        section = file.text("section")
        statements += file.entries("statement", lambda entry, section=section: _statement(entry, section, known))  # type: ignore[misc]
        file.close()
    considerations = _listed(
        documents, "considerations.toml", "consideration", lambda entry: _consideration(entry, known), problems
    )
    by_citation = {reference.cited_as: reference for reference in references}
    source = by_citation.get(head.text("source"))
    if source is None:
        problems.append("pack.toml: source names no reference")
    pack = Pack(
        id=head.text("id"),
        version=head.text("version"),
        title=head.text("title"),
        licence=head.text("licence"),
        curators=head.texts("curators"),
        source=source or Reference("", "", "not identified"),
        general_caution=head.text("general_caution"),
        dated=head.text("dated"),
        historic_caveat=head.text("historic_caveat"),
        historic_before=head.whole("historic_before") or 0,
        therapies=tuple(therapies),
        silences=tuple(silences),
        references=MappingProxyType(by_citation),
        statements=MappingProxyType({statement.id: statement for statement in statements}),
        considerations=tuple(considerations),
        changelog=tuple(head.entries("changelog", _version)),
        digest=digest(documents),
    )
    head.close()
    problems += cross_check(pack, references, statements, terms)
    if problems:
        raise PackError(problems)
    return pack


def digest(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """SHA-256 over the content: blind to key order, comments, line breaks; not to the digits of a decimal."""
    return hashlib.sha256(canonical_json(documents).encode()).hexdigest()


def canonical_json(value: Any) -> str:
    """One text for one content: keys in order, no blanks, decimals with their digits."""
    return json.dumps(canonical(value), sort_keys=True, ensure_ascii=False, separators=(",", ":"))


def canonical(value: Any) -> Any:
    """A parsed file as plain JSON types: a decimal as {"decimal": "1.70"}, a text with its line breaks made blanks."""
    if isinstance(value, Mapping):
        return {key: canonical(each) for key, each in value.items()}
    if isinstance(value, list):
        return [canonical(each) for each in value]
    if isinstance(value, Decimal):
        return {"decimal": format(value, "f")}
    if isinstance(value, str):
        return prose(value)
    return value if isinstance(value, bool | int) else repr(value)


def _listed(
    documents: Mapping[str, Mapping[str, Any]], name: str, entry: str, make: Callable[[Fields], T], problems: list[str]
) -> list[T]:
    file = Fields(documents[name], name, problems)
    made = file.entries(entry, make)
    if not made:
        problems.append(f"{name}: no {entry}")
    file.close()
    return made


def _therapy(entry: Fields) -> Therapy:
    return Therapy(entry.text("name"), entry.texts("words", required=True), entry.texts("unless"))


def _version(entry: Fields) -> PackVersion:
    return PackVersion(entry.text("version"), entry.date("date"), entry.text("text"))


def _silence(entry: Fields, known: tuple[str, ...]) -> Silence:
    return Silence(entry.id(), _condition(entry.table("when"), known), entry.text("text"))


def _reference(entry: Fields) -> Reference:
    reference = Reference(
        key=entry.id("key"),
        cited_as=entry.text("cited_as"),
        identification=entry.word("identification", words.IDENTIFICATIONS),
        title=entry.maybe("title"),
        doi=entry.maybe("doi"),
        pmid=entry.maybe("pmid"),
        note=entry.maybe("note"),
    )
    # A guessed identifier is a defect: nothing is shown for a work that is not surely the one cited.
    if reference.identification != "sure" and (reference.title or reference.doi or reference.pmid):
        entry.problem(f"title, doi and pmid need the identification sure, not {reference.identification}")
    if reference.doi is not None and not _DOI.fullmatch(reference.doi):
        entry.problem(f"doi {reference.doi!r} has not the form 10.…/…")
    if reference.pmid is not None and not _PMID.fullmatch(reference.pmid):
        entry.problem(f"pmid {reference.pmid!r} is not a number of 6 to 9 digits")
    return reference


def _statement(entry: Fields, section: str, known: tuple[str, ...]) -> Statement:
    return Statement(
        id=entry.id(),
        section=section,
        setting=entry.word("setting", words.SETTINGS),
        design=entry.word("design", words.DESIGNS),
        direction=entry.word("direction", words.DIRECTIONS),
        bears_on=entry.word("bears_on", words.BEARINGS),
        population=_population(entry.table("population"), known),
        summary=entry.text("summary"),
        locator=entry.text("locator"),
        cited_as=entry.texts("cited_as"),
        study=entry.maybe("study"),
        intervention=entry.maybe("intervention"),
        comparator=entry.maybe("comparator"),
        endpoint=entry.maybe("endpoint"),
        effects=tuple(entry.entries("effect", _effect)),
        size=entry.word("size", words.SIZES, default="not stated"),
        caveats=entry.texts("caveats"),
        contradicts=entry.texts("contradicts"),
        note_outside=entry.maybe("note_outside"),
        note_ours=entry.maybe("note_ours"),
    )


def _population(entry: Fields, known: tuple[str, ...]) -> Population:
    population = Population(
        text=entry.text("text"),
        er=entry.words("er", words.RECEPTORS),
        pgr=entry.words("pgr", words.RECEPTORS),
        her2=entry.words("her2", words.HER2_CLASSES),
        menopausal=entry.words("menopausal", words.MENOPAUSAL),
        line=entry.wholes("line"),
        prior=entry.words("prior", known),
    )
    entry.close()
    return population


def _effect(entry: Fields) -> Effect:
    effect = Effect(
        measure=entry.word("measure", words.MEASURES),
        endpoint=entry.text("endpoint"),
        compares=entry.maybe("compares"),
        value=entry.number("value"),
        span=entry.pair("span"),
        arms=tuple(entry.entries("arms", _arm)),
        unit=entry.word("unit", words.UNITS, default=None),
        qualifier=entry.word("qualifier", words.QUALIFIERS, default=None),
        at=_at(entry),
        ci95=entry.pair("ci95"),
        p=_p(entry, "p"),
        p_heterogeneity=_p(entry, "p_heterogeneity"),
        p_interaction=_p(entry, "p_interaction"),
        n=entry.whole("n"),
    )
    given = [name for name in ("value", "span", "arms") if getattr(effect, name) not in (None, ())]
    if len(given) != 1:
        entry.problem(f"an effect has one of value, span, arms; here: {', '.join(given) or 'none'}")
    if len(effect.arms) == 1:
        entry.problem("arms needs at least two groups")
    if effect.measure in words.RATIO_MEASURES:
        if effect.unit is not None:
            entry.problem(f"a {effect.measure} has no unit")
        if effect.value is not None and effect.compares is None:
            entry.problem(f"a {effect.measure} needs compares: which group against which")
    elif effect.measure in words.MEASURES and effect.unit is None:
        entry.problem(f"a {effect.measure} needs a unit")
    if effect.ci95 and effect.value is not None and not effect.ci95[0] <= effect.value <= effect.ci95[1]:
        entry.problem(f"the value {effect.value} lies outside ci95")
    if effect.ci95 and effect.value is None:
        entry.problem("ci95 needs a value")
    return effect


def _arm(entry: Fields) -> Arm:
    value = entry.number("value")
    if value is None:
        entry.problem("missing field 'value'")
    return Arm(entry.text("group"), value or Decimal(0), entry.whole("n"))


def _at(entry: Fields) -> tuple[Decimal, str] | None:
    if not entry.has("at"):
        return None
    time = entry.table("at")
    unit = next((unit for unit in ("months", "years") if time.has(unit)), None)
    value = time.number(unit) if unit else None
    time.close()
    if unit is None or value is None:
        time.problem("needs months or years")
        return None
    return value, unit


def _p(entry: Fields, name: str) -> PValue | None:
    if not entry.has(name):
        return None
    test = entry.table(name)
    given = [word for word in _P_WORDS if test.has(word)]
    value = test.number(given[0]) if len(given) == 1 else None
    test.close()
    if value is None:
        test.problem("needs one of equals, below, above with a number")
        return None
    if not 0 < value <= 1:
        test.problem(f"{value} is not a P")
    return PValue(_P_WORDS[given[0]], value)


def _condition(entry: Fields, known: tuple[str, ...]) -> Condition:
    biomarkers = entry.table("biomarkers") if entry.has("biomarkers") else None
    pairs = []
    if biomarkers is not None:
        pairs = [(name, biomarkers.word(name, ("positive", "negative"))) for name in biomarkers.names()]
        for name in set(biomarkers.names()) - set(words.BIOMARKERS):
            biomarkers.problem(f"{name!r} is not one of {', '.join(words.BIOMARKERS)}")
    condition = Condition(
        her2=entry.words("her2", words.HER2_CLASSES, required=True),
        er=entry.words("er", words.RECEPTORS),
        pgr=entry.words("pgr", words.RECEPTORS),
        setting=entry.words("setting", (*words.PATIENT_SETTINGS, words.UNKNOWN)),
        menopausal=entry.words("menopausal", words.MENOPAUSAL),
        line=entry.wholes("line"),
        specimen=entry.words("specimen", words.SPECIMENS),
        prior=entry.words("prior", known),
        biomarkers=tuple(sorted(pairs)),
    )
    entry.close()
    return condition


def _consideration(entry: Fields, known: tuple[str, ...]) -> Consideration:
    return Consideration(
        id=entry.id(),
        title=entry.text("title"),
        kind=entry.word("kind", words.KINDS),
        applies_when=_condition(entry.table("applies_when"), known),
        supporting=entry.texts("for", required=True),
        opposing=entry.texts("against"),
        against_note=entry.maybe("against_note"),
        must_not_conclude=entry.texts("must_not_conclude", required=True),
        therapies=entry.texts("therapies"),
        caveats=entry.texts("caveats"),
    )
