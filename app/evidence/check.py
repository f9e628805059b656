"""Hold a pack against the source's text: every locator, citation and number of every statement must stand there.

The text itself is not part of Herald; `make check-evidence REVIEW=path` brings it.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from app.domain.evidence import Pack, Statement
from app.evidence.library import load_pack

# A statement's numbers stand in its own passage; one that was printed elsewhere was not read there.
BEFORE, AFTER = 900, 1500
_WORDS = {1: "one", 2: "two", 3: "three", 4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight", 9: "nine", 10: "ten"}
_IGNORED = re.compile(r"[\s\u00ad\u2010-\u2015\u2212-]")


@dataclass(frozen=True, slots=True)
class Finding:
    """Something of a statement that the text does not hold. what: locator, citation or number."""

    statement: str
    what: str
    message: str


def check_against_text(pack: Pack, text: str) -> list[Finding]:
    """Every locator, citation and number that does not stand in the text, blind to line breaks and hyphenation."""
    plain = unicodedata.normalize("NFKC", text)
    places = [i for i, char in enumerate(plain) if not _IGNORED.match(char)]
    squeezed = "".join(plain[i] for i in places)
    found: list[Finding] = []
    for statement in pack.statements.values():
        found += _check(statement, plain, squeezed, places)
    return found


def _check(statement: Statement, plain: str, squeezed: str, places: list[int]) -> Iterator[Finding]:
    wanted = _squeeze(statement.locator)
    count = squeezed.count(wanted)
    if count != 1:
        where = "does not stand in the text" if count == 0 else f"stands in the text {count} times"
        yield Finding(statement.id, "locator", f"{statement.locator!r} {where}")
    if count == 0:
        return
    start = places[squeezed.index(wanted)]
    passage = plain[max(0, start - BEFORE) : start + AFTER]
    for cited in statement.cited_as:
        if not _cited(cited, passage):
            yield Finding(statement.id, "citation", f"{cited} does not stand near the locator")
    for number in sorted({number for effect in statement.effects for number in effect.numbers()}):
        if not _printed(number, passage):
            yield Finding(statement.id, "number", f"{number:f} does not stand near the locator")


def _squeeze(text: str) -> str:
    return _IGNORED.sub("", unicodedata.normalize("NFKC", text))


def _cited(cited: str, passage: str) -> bool:
    """'Lipton et al. 2003' stands also in 'Lipton et al. 2002, 2003' and 'Dowsett et al. 2005b, 2008'."""
    name, _, year = cited.rpartition(" ")
    squeezed = _squeeze(passage).replace("’", "'")
    years = r"\(?(?:\d{4}[a-z]?,)*" + re.escape(year)
    return re.search(re.escape(_squeeze(name)) + years + r"(?![0-9a-z])", squeezed) is not None


def _printed(number: Decimal, passage: str) -> bool:
    digits = f"{number:f}"
    whole, point, rest = digits.partition(".")
    forms = {digits, f"{int(whole):,}{point}{rest}"}
    if any(re.search(rf"(?<![\w.,]){re.escape(form)}(?!\d|[.,]\d)", passage) for form in forms):
        return True
    word = _WORDS.get(int(number)) if number == number.to_integral_value() else None
    return word is not None and re.search(rf"\b{word}\b", passage, re.IGNORECASE) is not None


def main(arguments: list[str]) -> int:
    """`python -m app.evidence.check PATH`: check the shipped pack against a text; 0 when everything stands there."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m app.evidence.check PATH-TO-THE-REVIEW'S-TEXT\n")
        return 2
    pack = load_pack()
    findings = check_against_text(pack, Path(arguments[0]).read_text(encoding="utf-8"))
    for finding in findings:
        sys.stdout.write(f"{finding.statement}: {finding.what}: {finding.message}\n")
    sys.stdout.write(f"{len(pack.statements)} statements of {pack.id} checked, {len(findings)} findings\n")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
