"""What has become of the works a pack cites: the file standings.toml, what follows from it, and how it is refreshed.

A work that nobody has looked up is unknown. It is refreshed from an export of Retraction Watch's data as Crossref gives
it (CSV), by DOI or PMID only: a title is never matched.
"""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from app.domain.evidence import STANDINGS, UNKNOWN, Pack, Reference, Statement
from app.evidence.fields import Fields

FILE = "standings.toml"
COLUMNS = ("OriginalPaperDOI", "OriginalPaperPubMedID", "RetractionDate", "RetractionNature")
_DOI, _PMID, _DATE, _NATURE = COLUMNS
# A reinstatement takes back what came before it; on one day it comes first, so that the graver notice stays.
_NATURES = {
    "reinstatement": "valid",
    "correction": "corrected",
    "expression of concern": "expression of concern",
    "retraction": "retracted",
}
_MONTH_DAY_YEAR = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})\b.*")
_YEAR_MONTH_DAY = re.compile(r"(\d{4}-\d{2}-\d{2})\b.*")
_HEADER = "# What has become of the works cited, as far as looked up; all others are unknown. See docs/evidence.md."


@dataclass(frozen=True, slots=True)
class Standing:
    """One entry of standings.toml: a reference's key, its standing, of which day (or year), and who said so."""

    key: str
    standing: str
    date: str
    source: str


@dataclass(frozen=True, slots=True)
class Refreshed:
    """The standings after a look-up. mistakes: rows that cannot be used; notes: rows left aside for a person to see."""

    standings: tuple[Standing, ...]
    mistakes: tuple[str, ...]
    notes: tuple[str, ...]


def read_standing(entry: Fields) -> Standing:
    """One entry of the file. Unknown is not written: that is what a work without an entry is."""
    known = tuple(word for word in STANDINGS if word != UNKNOWN)
    return Standing(
        entry.id("key"), entry.word("standing", known), entry.date("date", in_part=True), entry.text("source")
    )


def with_standings(references: Iterable[Reference], listed: Sequence[Standing], problems: list[str]) -> list[Reference]:
    """The references with what has become of them; an entry that fits none is told."""
    by_key = {each.key: each for each in listed}
    for key, count in Counter(each.key for each in listed).items():
        if count > 1:
            problems.append(f"{FILE}: standing {key!r} is there {count} times: keys must be unique")
    found = []
    for reference in references:
        entry = by_key.pop(reference.key, None)
        if entry is not None and reference.identification != "sure":
            problems.append(f"{FILE}: standing {reference.key!r}: a standing needs the identification sure")
        found.append(_stand(reference, entry))
    problems += [f"{FILE}: standing {key!r} is the key of no reference" for key in by_key]
    return found


def _stand(reference: Reference, entry: Standing | None) -> Reference:
    if entry is None:
        return reference
    return replace(
        reference, standing=entry.standing, standing_date=entry.date or None, standing_source=entry.source or None
    )


def counts(statement: Statement, pack: Pack) -> bool:
    """False where every work the statement rests on has been retracted; without a citation it rests on the source."""
    works = [pack.references[cited] for cited in statement.cited_as] or [pack.source]
    return any(work.standing != "retracted" for work in works)


def standing_caveats(works: Iterable[Reference]) -> Iterator[str]:
    """What must be said beside a finding of each work that is no longer as it was published."""
    for work in works:
        since = f"({work.standing_date}; {work.standing_source})"
        if work.standing == "retracted":
            yield f"{work.cited_as} has been retracted {since}."
        elif work.standing == "expression of concern":
            yield f"The journal has expressed concern about {work.cited_as} {since}."
        elif work.standing == "corrected":
            yield f"{work.cited_as} has been corrected {since}; the figures here may be those before it."
        elif work.standing == "superseded":
            yield f"{work.cited_as} has been superseded {since}."


def refreshed(pack: Pack, rows: Iterable[Mapping[str, str | None]], checked_on: str | None = None) -> Refreshed:
    """The pack's standings after a look-up in an export's rows.

    A hit replaces what was listed where it is later or graver. Without a hit the listed standing stays; checked_on
    says that the export is complete as of that day: then a work with a DOI and nothing against it is valid.
    """
    by_doi = {work.doi.casefold(): work for work in pack.references.values() if work.doi}
    by_pmid = {work.pmid: work for work in pack.references.values() if work.pmid}
    notices: dict[str, list[tuple[str, str]]] = {}
    mistakes, notes = [], []
    for place, row in enumerate(rows, start=2):
        doi, pmid = _bare_doi(row.get(_DOI) or ""), (row.get(_PMID) or "").strip()
        work = by_doi.get(doi) or by_pmid.get(pmid)
        if work is None:
            continue
        # One of the two identifiers of the row is wrong; which one is for a person to find out.
        if _another(by_doi, by_pmid, doi, pmid, work):
            notes.append(f"row {place}: DOI {doi} and PMID {pmid} are not of one work ({work.key}): left aside")
            continue
        nature, day = (row.get(_NATURE) or "").strip().casefold(), _day(row.get(_DATE) or "")
        if nature not in _NATURES:
            mistakes.append(f"row {place}: {work.key}: {_NATURE} {row.get(_NATURE)!r} is not known")
        elif day is None:
            mistakes.append(f"row {place}: {work.key}: {_DATE} {row.get(_DATE)!r} is not a date")
        else:
            notices.setdefault(work.key, []).append((day, nature))
    found = [_after(work, notices.get(work.key, []), checked_on) for work in pack.references.values()]
    return Refreshed(tuple(each for each in found if each is not None), tuple(mistakes), tuple(notes))


def read_export(lines: Iterable[str]) -> Iterator[Mapping[str, str | None]]:
    """The rows of an export; ValueError names the columns it lacks."""
    table = csv.DictReader(lines)
    lacking = [name for name in COLUMNS if name not in (table.fieldnames or ())]
    if lacking:
        raise ValueError(f"the columns {', '.join(lacking)} are missing")
    return iter(table)


def written(standings: Iterable[Standing]) -> str:
    """The file standings.toml."""
    lines = [_HEADER]
    for each in standings:
        lines += ["", "[[standing]]"]
        # A JSON text is a TOML text.
        pairs = (("key", each.key), ("standing", each.standing), ("date", each.date), ("source", each.source))
        lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in pairs]
    return "\n".join(lines) + "\n"


def _after(work: Reference, notices: list[tuple[str, str]], checked_on: str | None) -> Standing | None:
    listed = None
    if work.standing != UNKNOWN:
        listed = Standing(work.key, work.standing, work.standing_date or "", work.standing_source or "")
    if notices:
        hit = _holding(work.key, notices)
        if listed is None or hit.date >= listed.date or _graver(hit, listed):
            return hit
        return listed
    if checked_on is not None and work.doi and (listed is None or listed.standing == "valid"):
        return Standing(work.key, "valid", checked_on, f"not in Retraction Watch export of {checked_on}")
    return listed


def _holding(key: str, notices: list[tuple[str, str]]) -> Standing:
    """The gravest notice since the last reinstatement: a correction does not lift a concern."""
    held: Standing | None = None
    ranks = list(_NATURES)
    for day, nature in sorted(notices, key=lambda notice: (notice[0], ranks.index(notice[1]))):
        each = Standing(key, _NATURES[nature], day, f"Retraction Watch: {nature}")
        if held is None or nature == "reinstatement" or not _graver(held, each):
            held = each
    if held is None:
        raise ValueError("no notice")
    return held


def _graver(one: Standing, other: Standing) -> bool:
    return STANDINGS.index(one.standing) < STANDINGS.index(other.standing)


def _another(
    by_doi: Mapping[str, Reference], by_pmid: Mapping[str, Reference], doi: str, pmid: str, work: Reference
) -> bool:
    """Whether the row's other identifier belongs to another work than the one found."""
    other = by_pmid.get(pmid)
    if other is not None and other is not work:
        return True
    return doi.startswith("10.") and work.doi is not None and by_doi.get(doi) is not work


def _bare_doi(text: str) -> str:
    return re.sub(r"^(https?://(dx\.)?doi\.org/|doi:\s*)", "", text.strip().casefold())


def _day(text: str) -> str | None:
    """A day as YYYY-MM-DD, from that or from the month/day/year of the export."""
    try:
        if match := _MONTH_DAY_YEAR.fullmatch(text.strip()):
            month, day, year = map(int, match.groups())
            return date(year, month, day).isoformat()
        if match := _YEAR_MONTH_DAY.fullmatch(text.strip()):
            return date.fromisoformat(match[1]).isoformat()
    except ValueError:
        return None
    return None
