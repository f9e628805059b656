"""What must hold between the entries of a pack: ids, links, numbers, and the rules of honesty that a file can break."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

from app.domain.evidence import TREATMENT_KINDS, UNKNOWN, Consideration, Pack, Reference, Statement

LONGEST_LOCATOR = 8
# A number that is not part of a name such as HER2 or Ki67.
_NUMBER = re.compile(r"(?<![\w.,])\d+(?:,\d{3})*(?:\.\d+)?")


def cross_check(
    pack: Pack, references: Sequence[Reference], statements: Sequence[Statement], terms: Sequence[str]
) -> list[str]:
    """Every mistake between entries; references and statements come as listed, so that a double one is seen."""
    return [
        *_twice("references.toml: reference", (reference.key for reference in references)),
        *_twice("references.toml: cited_as", (reference.cited_as for reference in references)),
        *_twice("statements: statement", (statement.id for statement in statements)),
        *_twice("considerations.toml: consideration", (each.id for each in pack.considerations)),
        *_changelog(pack),
        *_twice("pack.toml: silence", (each.id for each in pack.silences)),
        *(problem for statement in statements for problem in _statement(statement, pack, terms)),
        *(problem for each in pack.considerations for problem in _consideration(each, pack)),
        *(problem for each in pack.considerations for problem in _numbers(each, pack, terms)),
    ]


def numbers_in(text: str, terms: Sequence[str] = ()) -> list[str]:
    """The numbers of a text as written, names of studies and drugs (terms) left out."""
    for term in sorted(terms, key=len, reverse=True):
        text = text.replace(term, " ")
    return _NUMBER.findall(text)


def _twice(what: str, ids: Iterable[str]) -> Iterator[str]:
    for id_, count in Counter(ids).items():
        if count > 1:
            yield f"{what} {id_!r} is there {count} times: ids must be unique"


def _changelog(pack: Pack) -> Iterator[str]:
    yield from _twice("pack.toml: changelog", (each.version for each in pack.changelog))
    if not pack.changelog or pack.changelog[0].version != pack.version:
        yield f"pack.toml: the changelog must begin with what version {pack.version!r} brought"


def _statement(statement: Statement, pack: Pack, terms: Sequence[str]) -> Iterator[str]:
    where = f"statement {statement.id}"
    for cited in statement.cited_as:
        if cited not in pack.references:
            yield f"{where}: cited_as {cited!r} is not in references.toml"
    for other in statement.contradicts:
        if other == statement.id:
            yield f"{where}: contradicts itself"
        elif other not in pack.statements:
            yield f"{where}: contradicts {other!r}, which is no statement"
        elif statement.id not in pack.statements[other].contradicts:
            yield f"{where}: contradicts {other!r}, but {other!r} does not say so: contradicts must be symmetric"
    if len(statement.locator.split()) > LONGEST_LOCATOR:
        yield f"{where}: the locator has {len(statement.locator.split())} words, at most {LONGEST_LOCATOR} are allowed"
    printed = {number for effect in statement.effects for number in effect.numbers()}
    for name, text in (("summary", statement.summary), *(("caveats", caveat) for caveat in statement.caveats)):
        for number in numbers_in(text, terms):
            if Decimal(number.replace(",", "")) not in printed:
                yield f"{where}: the number {number} in {name} is in none of its effects"


def _consideration(each: Consideration, pack: Pack) -> Iterator[str]:
    where = f"consideration {each.id}"
    for name, ids in (("for", each.supporting), ("against", each.opposing)):
        for id_ in ids:
            if id_ not in pack.statements:
                yield f"{where}: {name} names {id_!r}, which is no statement"
    for id_ in set(each.supporting) & set(each.opposing):
        yield f"{where}: {id_!r} stands both for and against"
    if not each.opposing and each.against_note is None:
        yield f"{where}: has no against and does not say in against_note that the source offers none"
    for id_ in each.supporting:
        statement = pack.statements.get(id_)
        for other in statement.contradicts if statement else ():
            if other not in (*each.opposing, *each.supporting):
                yield f"{where}: {other!r} contradicts {id_!r} and must stand in against"
    if each.kind in TREATMENT_KINDS:
        yield from _treatment(each, where, pack)


def _numbers(each: Consideration, pack: Pack, terms: Sequence[str]) -> Iterator[str]:
    """A consideration's own words hold no number but those of its statements and the years they are cited by."""
    allowed: set[Decimal] = set()
    for id_ in (*each.supporting, *each.opposing):
        if (statement := pack.statements.get(id_)) is None:
            continue
        allowed.update(number for effect in statement.effects for number in effect.numbers())
        allowed.update(Decimal(digits) for cited in statement.cited_as for digits in re.findall(r"\d{4}", cited))
    for text in (each.title, each.against_note or "", *each.caveats, *each.must_not_conclude):
        for number in numbers_in(text, terms):
            if Decimal(number.replace(",", "")) not in allowed:
                yield f"consideration {each.id}: the number {number} is in none of its statements"


def _treatment(each: Consideration, where: str, pack: Pack) -> Iterator[str]:
    when = each.applies_when
    if "open" in when.her2:
        yield f"{where}: a treatment must not apply while HER2 is open"
    if not when.er or not when.setting:
        yield f"{where}: a treatment must ask for er and setting"
    asked = {"er": when.er, "pgr": when.pgr, "setting": when.setting, "menopausal": when.menopausal}
    for name, values in {**asked, "specimen": when.specimen}.items():
        if UNKNOWN in values:
            yield f"{where}: a treatment must not apply where {name} is unknown"
    if not each.therapies:
        yield f"{where}: a treatment must name its therapies"
    for id_ in each.supporting:
        statement = pack.statements.get(id_)
        if statement is not None and statement.design == "preclinical":
            yield f"{where}: {id_!r} is preclinical and no reason to treat"
