"""Weigh what a pack says for one patient: for and against, how certain, what is missing, and where it is silent.

Pure. Nothing is merged into one direction, nothing is ranked, and no context is answered with its neighbour's text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from app.decision_table import Table
from app.domain.evidence import (
    TREATMENT_KINDS,
    UNKNOWN,
    Condition,
    Consideration,
    Difference,
    Missing,
    Pack,
    PatientContext,
    Statement,
    WeighedConsideration,
    WeighedStatement,
    Weighing,
)
from app.evidence.certainty import certainty
from app.evidence.context import Known, known_context
from app.evidence.standings import counts, standing_caveats

NOTHING = "The review offers nothing for this."
_UNCITED = "The sentence carries no citation: it is shown as the authors' own words."
RETRACTED = "All that was found for this has been retracted: nothing is left that speaks for it."
_YEAR = re.compile(r"\b[0-9]{4}")
_NO_SETTING = frozenset({"preclinical", "biology", "testing", "strategy"})
_NOT_MEASURED = frozenset({"guideline", "narrative", "ongoing", "preclinical"})

# A class is taken from a final answer only; every combination that does not belong together is open.
HER2 = Table.parse("""
table her2: What a classification amounts to for the review
place: Herald, docs/evidence.md
in status: positive, negative, equivocal, pending, indeterminate, invalid
in final: yes, no
in her2_low: low, ultralow, null, zero_unspecified, not_applicable, undetermined
in ihc: 0, 1+, 2+, 3+, none, unusable
out her2: positive, low, ultralow, negative, low unknown, open
set not_low: 0, 3+
set low_score: 1+, 2+, none, unusable
set no_low_score: 0, none, unusable
set not_zero: 1+, 2+, 3+
set zero_word: null, zero_unspecified
set a_word: low, ultralow, null, zero_unspecified, undetermined
set unsure: equivocal, pending, indeterminate, invalid
row | status   | final | her2_low                | ihc          || her2
H1  | positive | yes   | not_applicable          | -            || positive
H2  | positive | yes   | a_word                  | -            || open
H3  | negative | yes   | low                     | low_score    || low
H4  | negative | yes   | low                     | not_low      || open
H5  | negative | yes   | ultralow                | no_low_score || ultralow
H6  | negative | yes   | ultralow                | not_zero     || open
H7  | negative | yes   | zero_word               | no_low_score || negative
H8  | negative | yes   | zero_word               | not_zero     || open
H9  | negative | yes   | undetermined            | -            || low unknown
H10 | negative | yes   | not_applicable          | -            || open
H11 | positive | no    | -                       | -            || open
H12 | negative | no    | -                       | -            || open
H13 | unsure   | -     | -                       | -            || open
""")


@lru_cache(maxsize=8192)
def weigh(
    pack: Pack, context: PatientContext, status: str, final: bool, her2_low: str, ihc: str | None = None
) -> Weighing:
    """What the pack has for a patient whose specimen was classified so.

    status, her2_low: the classification's words (guideline codes); ihc: '0', '1+', '2+', '3+', 'none', 'unusable', or
    None for 'none'. Raises TableError for a word outside those lists. The answer is remembered: the same question
    costs a look-up.
    """
    return _asked(pack, context, status, final, her2_low, ihc or "none")


@lru_cache(maxsize=8192)
def _asked(pack: Pack, context: PatientContext, status: str, final: bool, her2_low: str, ihc: str) -> Weighing:
    row = HER2.decide({"status": status, "final": "yes" if final else "no", "her2_low": her2_low, "ihc": ihc})
    # Percentages and wordings that change nothing share one answer.
    return _weighed(pack, known_context(pack, context), row["her2"])


@lru_cache(maxsize=8192)
def _weighed(pack: Pack, known: Known, her2: str) -> Weighing:
    considerations = tuple(
        _consideration(pack, each, known, her2)
        for each in pack.considerations
        if _applies(each.applies_when, known, her2)
    )
    silences = [silence.text for silence in pack.silences if _applies(silence.when, known, her2)]
    treats = any(each.consideration.kind in TREATMENT_KINDS for each in considerations)
    if not treats and not silences:
        silences = [NOTHING]
    return Weighing(
        considerations=considerations,
        missing=tuple(_missing(pack, known, her2)),
        says_nothing=" ".join(silences) or None,
        general_caution=pack.general_caution,
        dated=pack.dated,
        pack_id=pack.id,
        pack_version=pack.version,
        pack_digest=pack.digest,
        her2=her2,
    )


def _parts(when: Condition, known: Known, her2: str) -> Iterator[tuple[str, str]]:
    """Each part a condition asks for and how it stands: holds, fails, open (not given), loose (holds while unknown)."""
    yield "her2", "holds" if her2 in when.her2 else "fails"
    words = (
        ("er", when.er, known.er),
        ("setting", when.setting, known.setting),
        ("pgr", when.pgr, known.pgr),
        ("menopausal_status", when.menopausal, known.menopausal),
        ("specimen.kind", when.specimen, known.specimen),
    )
    for field, wanted, have in words:
        if wanted and have == UNKNOWN:
            yield field, "loose" if UNKNOWN in wanted else "open"
        elif wanted:
            yield field, "holds" if have in wanted else "fails"
    if when.line:
        yield "line", "open" if known.line is None else "holds" if known.line in when.line else "fails"
    if when.prior:
        given = known.prior is not None and known.prior.issuperset(when.prior)
        yield "prior_therapies", "open" if known.prior is None else "holds" if given else "fails"
    for name, status in when.biomarkers:
        has = dict(known.biomarkers).get(name)
        yield f"biomarkers.{name}", "open" if has is None else "holds" if has == status else "fails"


def _applies(when: Condition, known: Known, her2: str) -> bool:
    """Every part named holds. Unknown is a word like any other: it holds where it is listed and nowhere else."""
    return all(state in ("holds", "loose") for _, state in _parts(when, known, her2))


def _consideration(pack: Pack, each: Consideration, known: Known, her2: str) -> WeighedConsideration:
    supporting = tuple(_beside(pack, pack.statements[id_], known, her2) for id_ in each.supporting)
    opposing = tuple(_beside(pack, pack.statements[id_], known, her2) for id_ in each.opposing)
    voting = [weighed for weighed in supporting if weighed.counts]
    sure = certainty(
        [weighed.statement for weighed in voting],
        [weighed.statement for weighed in opposing if weighed.counts],
        [_indirect(pack, weighed) for weighed in voting],
    )
    caveats = [*each.caveats, *standing_caveats([pack.source])]
    if not voting:
        caveats.append(RETRACTED)
    if any(historic(pack, weighed.statement) for weighed in (*supporting, *opposing)):
        caveats.append(pack.historic_caveat)
    return WeighedConsideration(each, sure, supporting, opposing, tuple(caveats))


def _beside(pack: Pack, statement: Statement, known: Known, her2: str) -> WeighedStatement:
    return replace(beside_nobody(pack, statement), differs_in=tuple(_differences(statement, known, her2)))


def beside_nobody(pack: Pack, statement: Statement) -> WeighedStatement:
    """A statement for no patient in particular, with the caveats that always travel with it."""
    references = tuple(pack.references[cited] for cited in statement.cited_as)
    caveats = list(statement.caveats)
    if not statement.cited_as:
        caveats.append(_UNCITED)
    caveats += standing_caveats(references)
    return WeighedStatement(statement, references, tuple(caveats), (), counts(statement, pack))


def caveats_beside(pack: Pack, statement: Statement) -> tuple[str, ...]:
    """Every caveat that travels with a statement where it is shown by itself, an older HER2 included."""
    older = (pack.historic_caveat,) if historic(pack, statement) else ()
    return (*beside_nobody(pack, statement).caveats, *older)


def _differences(statement: Statement, known: Known, her2: str) -> Iterator[Difference]:
    whom = statement.population
    if statement.setting not in _NO_SETTING and statement.setting != known.setting:
        yield Difference("setting", statement.setting, known.setting)
    if whom.er and whom.er != (known.er,):
        yield Difference("er", " or ".join(whom.er), known.er)
    if whom.pgr and whom.pgr != (known.pgr,):
        yield Difference("pgr", " or ".join(whom.pgr), known.pgr)
    if whom.her2 and her2 not in whom.her2:
        yield Difference("her2", " and ".join(whom.her2), her2)
    if whom.menopausal and known.menopausal not in whom.menopausal:
        yield Difference("menopausal_status", " or ".join(whom.menopausal), known.menopausal)
    if whom.line and known.line not in whom.line:
        yield Difference("line", " or ".join(map(str, whom.line)), UNKNOWN if known.line is None else str(known.line))
    if whom.prior and not (known.prior is not None and known.prior.issuperset(whom.prior)):
        have = UNKNOWN if known.prior is None else ", ".join(sorted(known.prior)) or "none recognised"
        yield Difference("prior_therapies", ", ".join(whom.prior), have)


def _indirect(pack: Pack, weighed: WeighedStatement) -> tuple[Difference, ...]:
    if historic(pack, weighed.statement):
        return (*weighed.differs_in, Difference("her2", "older definition", "today's definition"))
    if not weighed.statement.population.er or not weighed.statement.population.her2:
        return (*weighed.differs_in, Difference("population", "not stated in full", "this patient"))
    return weighed.differs_in


def historic(pack: Pack, statement: Statement) -> bool:
    """HER2 measured in patients, by a work older than today's definition; without a citation the year is not known."""
    if statement.design in _NOT_MEASURED or not statement.population.her2:
        return False
    years = [int(year) for cited in statement.cited_as for year in _YEAR.findall(cited)]
    return not years or max(years) < pack.historic_before


def _missing(pack: Pack, known: Known, her2: str) -> Iterator[Missing]:
    """Each part of the context that was not given and that some consideration or finding asks for."""
    if her2 == "open":
        yield Missing(
            "status", "The HER2 result is not final or contradicts itself: no treatment is weighed until it is settled."
        )
        return
    if known.er_contradicts:
        yield Missing(
            "er_percent", "ER is called positive with 0% of cells: ER is taken as unknown until it is settled."
        )
    if known.unrecognised:
        yield Missing(
            "prior_therapies",
            f"Not recognised among the earlier treatments: {known.unrecognised} of them. They are not weighed.",
        )
    if known.unread_biomarkers:
        yield Missing("biomarkers", f"Sent, but nothing in the review is tied to them: {known.unread_biomarkers}.")
    asked = {name for each in pack.considerations for name, _ in each.applies_when.biomarkers}
    for name in sorted({name for name, _ in known.biomarkers} - asked):
        yield Missing(f"biomarkers.{name}", f"{name} was sent, but no consideration of this pack asks for it yet.")
    if her2 == "low unknown":
        yield Missing("ihc", "No IHC score, or one that does not settle it: whether the tumour is HER2-low is open.")
    opens: dict[str, list[str]] = {field: [] for field in ("er", "setting") if getattr(known, field) == UNKNOWN}
    closes: set[str] = set()
    indirect: set[str] = set()
    for each in pack.considerations:
        states = dict(_parts(each.applies_when, known, her2))
        if "fails" in states.values():
            continue
        for field, state in states.items():
            if state == "open":
                opens.setdefault(field, []).append(each.id)
        if "open" not in states.values():
            closes.update(field for field, state in states.items() if state == "loose")
            shown = [pack.statements[id_] for id_ in (*each.supporting, *each.opposing)]
            indirect.update(field for statement in shown for field in _asked_of(statement, known))
    for field in dict.fromkeys((*opens, *sorted(closes), *sorted(indirect))):
        ids = tuple(opens.get(field, ()))
        yield Missing(field, _missing_text(field, len(ids), field in closes, field in indirect), ids)


_LABELS = {
    "er": "ER status is",
    "pgr": "PgR status is",
    "setting": "The setting (metastatic, neoadjuvant, adjuvant) is",
    "menopausal_status": "Menopausal status is",
    "line": "The line of treatment is",
    "prior_therapies": "Earlier treatments are",
    "specimen.kind": "What was tested (primary tumour, metastasis) is",
}


def _missing_text(field: str, opens: int, closes: bool, indirect: bool) -> str:
    label = _LABELS.get(field) or f"The biomarker {field.removeprefix('biomarkers.')} is"
    said = [f"{label} not given."]
    if opens:
        said.append(f"It decides on {opens} further consideration{'s' if opens > 1 else ''}.")
    if closes:
        said.append("It could take away a consideration shown here.")
    if indirect:
        said.append("Findings limited by it count as indirect.")
    if field in ("er", "setting") and not opens:
        said.append("With it the review still has nothing to add here.")
    return " ".join(said)


def _asked_of(statement: Statement, known: Known) -> Iterator[str]:
    """The parts of the context that a finding is limited by and that were not given."""
    whom = statement.population
    if whom.pgr and known.pgr == UNKNOWN:
        yield "pgr"
    if whom.menopausal and known.menopausal == UNKNOWN:
        yield "menopausal_status"
    if whom.line and known.line is None:
        yield "line"
    if whom.prior and known.prior is None:
        yield "prior_therapies"
