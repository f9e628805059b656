"""Put what the reports of a message gave together: one part for each specimen and block, each field once."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, NamedTuple

from app.domain.problems import Problem
from app.domain.reading import read_case
from app.interop.feeds.feed import Feed
from app.interop.feeds.words import opposed
from app.interop.received import TAKEN_BACK, Coding, Fact, Part, Report
from app.interop.tabular import case_document, plain

# how far a value has come; the furthest of one value counts
_STAGES = ("cancelled", "deleted", "wrong", "preliminary", "promoted", "final", "corrected")
_BESIDE = ("context", "specimen")


class Given(NamedTuple):
    """A fact that an item or a line gives to a block's result.

    about: its code, name or text speaks of HER2; unless: the fact is only told of, and this problem holds unless the
    part gives the field this value (None: any field of that block); group: OBX-4.
    """

    block: str
    fact: Fact
    about: bool = True
    unless: Problem | None = None
    group: str = ""


def parts_of(
    told: Sequence[tuple[Report, Sequence[Given]]], feed: Feed, at: datetime | None
) -> tuple[tuple[Part, ...], tuple[Problem, ...]]:
    """The parts, and what contradicts or is missing in them. at: the message's own time."""
    problems: list[Problem] = []
    found: dict[Part, dict[str, Fact]] = {}
    for report, given in told:
        blocks = [block for block in dict.fromkeys(each.block for each in given) if _has_her2(block, given)]
        if blocks:
            problems += _identity(report)
        for block in blocks:
            laboratory = feed.laboratory or report.laboratory
            part = Part(report.patient, laboratory, report.accession, report.specimen, block, ())
            facts = found.setdefault(part, {})
            for each in given:
                if each.block == block and each.unless is None:
                    problems += _put(facts, each.fact)
            for fact in _specimen(report, block, feed, at):
                facts.setdefault(fact.field, fact)
        for each in given:
            if each.unless is not None and not _borne_out(each, given):
                problems.append(each.unless)
    parts = tuple(part._replace(facts=tuple(facts.values())) for part, facts in found.items())
    problems += [problem for part in parts for problem in _shape(part.facts)]
    return parts, tuple(problems)


def _has_her2(block: str, given: Sequence[Given]) -> bool:
    """Receptors, handling of the specimen and numbers of cells come with other tests as well."""
    for each in given:
        head, _, name = each.fact.field.partition(".")
        measured = each.about or name not in ("cells", "her2_cells", "cep17_cells")
        if each.block == block and each.unless is None and head not in _BESIDE and measured:
            return True
    return False


def _identity(report: Report) -> Iterator[Problem]:
    if not report.patient:
        remedy = "send the patient's identifier (PID-3, Patient.identifier)"
        yield Problem("NO_PATIENT", report.where, "nothing says whose result this is", remedy)
    if not report.accession:
        remedy = "send the laboratory's case number (OBR-3, Specimen.accessionIdentifier)"
        yield Problem("NO_ACCESSION", report.where, "nothing says which case this is", remedy)


def _borne_out(claim: Given, given: Sequence[Given]) -> bool:
    field, value = claim.fact.field, claim.fact.value
    for each in given:
        if each.unless is None and each.block == claim.block:
            if value is None and each.fact.field.split(".")[0] == field:
                return True
            if each.fact.field == field and _same(each.fact.value, value):
                return True
    return False


def _put(facts: dict[str, Fact], fact: Fact) -> Iterator[Problem]:
    """A field once; a value that replaces one taken back in the same message stands for both."""
    before = facts.get(fact.field)
    if before is None:
        facts[fact.field] = fact
    elif fact.field == "reported_status" and None not in (before.value, fact.value):
        yield from _put_status(facts, before, fact)
    elif (before.status in TAKEN_BACK) != (fact.status in TAKEN_BACK):
        valued, gone = (before, fact) if fact.status in TAKEN_BACK else (fact, before)
        if valued.at < gone.at:
            yield _twice(before, fact)
        facts[fact.field] = valued
    elif fact.field.endswith(".method"):
        if before.value in ("ISH", None):
            facts[fact.field] = fact
    elif not _same(before.value, fact.value):
        yield _twice(before, fact)
    elif _STAGES.index(fact.status) > _STAGES.index(before.status):
        facts[fact.field] = fact


def _put_status(facts: dict[str, Fact], before: Fact, fact: Fact) -> Iterator[Problem]:
    """What is said of IHC, of ISH and of both stands side by side; about one of them it must agree."""
    said, new = str(before.value).split("; "), str(fact.value)
    if new in said:
        return
    subject = _subject(new)
    for each in said:
        if _subject(each) == subject and opposed(each.split(" by ")[0], new.split(" by ")[0]):
            yield _twice(before, fact)
    facts["reported_status"] = before._replace(value="; ".join((*said, new))[:500], at=max(before.at, fact.at))


def _subject(status: str) -> str:
    return status.rpartition(" by ")[2] if " by " in status else ""


def _twice(before: Fact, fact: Fact) -> Problem:
    message = f"gives {fact.field} otherwise than {before.where}"
    return Problem("CONTRADICTORY", fact.where, message, "send it once, or as two specimens or blocks")


def _same(one: Any, other: Any) -> bool:
    if one == other:
        return True
    try:
        return Decimal(str(one)) == Decimal(str(other))
    except InvalidOperation:
        return False


def _specimen(report: Report, block: str, feed: Feed, at: datetime | None) -> Iterator[Fact]:
    """What the report says about the specimen itself, where the feed knows its words."""
    told: dict[str, Any] = {"accession": report.accession, "block": block}
    told |= {"collected_at": report.collected_at, "reported_at": report.reported_at}
    told["site"] = next((each.display or each.code for each in report.site), "")
    for name, codings in (
        ("kind", report.specimen_type), ("procedure", (*report.procedure, *report.specimen_type)),
    ):  # fmt: skip
        told[name] = _word(feed, f"specimen.{name}", codings)
    stamp = utc(report.at or at)
    for name, value in told.items():
        if value:
            yield Fact(f"specimen.{name}", value, "final", stamp, report.where, str(value))


def utc(at: datetime | None) -> str:
    """As texts that sort by time; "" sorts first."""
    return at.astimezone(UTC).isoformat(timespec="microseconds") if at else ""


def _word(feed: Feed, field: str, codings: Sequence[Coding]) -> Any:
    words = feed.words.get(field, {})
    found = {words[name] for each in codings for name in (plain(each.code), plain(each.display)) if name in words}
    return found.pop() if len(found) == 1 else None


def _shape(facts: Sequence[Fact]) -> Iterator[Problem]:
    """What the case document would refuse, at the place that gave it."""
    places: Mapping[str, str] = {fact.field: fact.where for fact in facts}
    document = case_document({fact.field: fact.value for fact in facts})
    for problem in read_case(document).problems:
        place = places.get(problem.field, problem.field)
        yield Problem(problem.code, place, f"{problem.field}: {problem.message}", problem.remedy)
