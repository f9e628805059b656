"""How sure the findings for a consideration are, by one written rule. Never typed in, never averaged.

Four words are read off the statements that support the consideration (and, for consistency, those that oppose it):

- design: the best class among them. pooled: a meta-analysis; randomised; subgroup: a subgroup or secondary analysis;
  weak: prospective, single arm, observational, or a study whose design the source does not state; opinion: a
  guideline or the authors' own words; ongoing: a trial without a result; preclinical; none left: all were retracted.
- consistency: contradicted, when a clinical finding opposes in the same setting; single, when one study alone
  supports; else consistent. A meta-analysis counts as more than one study.
- size: large only where the source says so of a statement of the best class and of none that it is small; small where
  it says so; else unstated.
- directness: direct only when every supporting statement of the best class is about this patient's setting, ER and
  HER2 class as they are defined today, and about whatever else it names of the patient. Unknown is not direct.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.decision_table import Table
from app.domain.evidence import Certainty, Difference, Statement

# From the most to the least that a design can carry.
_CLASSES = {
    "meta-analysis": "pooled",
    "randomised": "randomised",
    "subgroup": "subgroup",
    "retrospective subgroup": "subgroup",
    "prospective": "weak",
    "single arm": "weak",
    "observational": "weak",
    "not stated": "weak",
    "guideline": "opinion",
    "narrative": "opinion",
    "ongoing": "ongoing",
    "preclinical": "preclinical",
}
_ORDER = ("pooled", "randomised", "subgroup", "weak", "opinion", "ongoing", "preclinical")
_CLINICAL = frozenset({"pooled", "randomised", "subgroup", "weak"})

LEVELS = ("none", "very low", "low", "moderate", "high")

CERTAINTY = Table.parse("""
table certainty: Certainty of the findings for a consideration
place: Herald, docs/evidence.md
in design: pooled, randomised, subgroup, weak, opinion, ongoing, preclinical, none left
in consistency: consistent, single, contradicted
in size: large, small, unstated
in directness: direct, indirect
out level: none, very low, low, moderate, high
set trial: pooled, randomised
set doubtful: single, contradicted
set not_large: small, unstated
row | design              | consistency | size      | directness || level
T1  | trial               | consistent  | large     | direct     || high
T2  | trial               | consistent  | large     | indirect   || moderate
T3  | trial               | consistent  | not_large | direct     || moderate
T4  | trial               | consistent  | not_large | indirect   || low
T5  | trial               | doubtful    | large     | direct     || moderate
T6  | trial               | doubtful    | large     | indirect   || low
T7  | trial               | doubtful    | not_large | direct     || low
T8  | trial               | doubtful    | not_large | indirect   || very low
S1  | subgroup            | consistent  | large     | direct     || moderate
S2  | subgroup            | consistent  | large     | indirect   || low
S3  | subgroup            | consistent  | not_large | direct     || low
S4  | subgroup            | consistent  | not_large | indirect   || very low
S5  | subgroup            | doubtful    | large     | direct     || low
S6  | subgroup            | doubtful    | large     | indirect   || very low
S7  | subgroup            | doubtful    | not_large | -          || very low
W1  | weak                | consistent  | large     | direct     || low
W2  | weak                | consistent  | large     | indirect   || very low
W3  | weak                | consistent  | not_large | -          || very low
W4  | weak                | doubtful    | -         | -          || very low
O1  | opinion             | -           | -         | -          || very low
N1  | ongoing,preclinical | -           | -         | -          || none
N2  | none left           | -           | -         | -          || none
""")


def certainty(
    supporting: Sequence[Statement],
    opposing: Sequence[Statement],
    differences: Sequence[tuple[Difference, ...]],
) -> Certainty:
    """The certainty of a consideration; differences[i] is what supporting[i] differs in from the patient.

    Retracted statements are not handed in: where nothing is left that supports, there is no certainty.
    """
    classes = [_CLASSES[statement.design] for statement in supporting]
    design = min(classes, key=_ORDER.index, default="none left")
    best = [i for i, each in enumerate(classes) if each == design]
    words = {
        "design": design,
        "consistency": _consistency(supporting, opposing),
        "size": _size([supporting[i] for i in best]),
        "directness": "indirect" if any(differences[i] for i in best) else "direct",
    }
    row = CERTAINTY.decide(words)
    return Certainty(row["level"], row.id, tuple(words.items()))


def _consistency(supporting: Sequence[Statement], opposing: Sequence[Statement]) -> str:
    settings = {statement.setting for statement in supporting if _clinical(statement)}
    # From another setting it is a difference, not a refutation.
    if any(other.setting in settings for other in filter(_clinical, opposing)):
        return "contradicted"
    if any(statement.design == "meta-analysis" for statement in supporting):
        return "consistent"
    # Two statements of one study are one study; without a study's name the citations tell.
    studies: set[str] = set()
    for statement in filter(_clinical, supporting):
        studies.update([statement.study] if statement.study else statement.cited_as or [statement.id])
    return "consistent" if len(studies) > 1 else "single"


def _size(statements: Sequence[Statement]) -> str:
    said = {statement.size for statement in statements}
    if "small" in said:
        return "small"
    return "large" if "large" in said else "unstated"


def _clinical(statement: Statement) -> bool:
    return _CLASSES[statement.design] in _CLINICAL
