"""What of a patient's context the weighing reads: the words it asks for, and nothing else of the patient."""

from __future__ import annotations

import re
from dataclasses import dataclass

from app.domain.evidence import BIOMARKERS, UNKNOWN, Pack, PatientContext, Therapy

_DENIALS = frozenset(
    ("no", "not", "never", "without", "declined", "refused", "planned", "none", "naive", "contraindicated")
)


@dataclass(frozen=True, slots=True)
class Known:
    """The context in the pack's words: the key by which an answer is remembered.

    prior: classes of earlier therapy, None where nothing was sent; unrecognised: how many entries no class was found
    for; unread_biomarkers: how many were sent that no pack asks for; er_contradicts: ER called positive with no
    positive cell.
    """

    er: str
    pgr: str
    setting: str
    menopausal: str
    line: int | None
    specimen: str
    prior: frozenset[str] | None
    biomarkers: tuple[tuple[str, str], ...]
    unrecognised: int
    unread_biomarkers: int
    er_contradicts: bool


def known_context(pack: Pack, context: PatientContext) -> Known:
    """The context in the pack's words. ER called positive with 0% of cells is unknown: the two contradict.

    No cut-off is read into a percentage: the review gives none.
    """
    contradicts = context.er == "positive" and context.er_percent is not None and context.er_percent.high == 0
    classes: set[str] = set()
    unrecognised = 0
    for written in context.prior_therapies or ():
        text = written.casefold()
        # "declined trastuzumab" is not a treatment given; what it was is left open.
        denied = not _DENIALS.isdisjoint(re.findall(r"[a-z]+", text))
        found = [each.name for each in pack.therapies if not denied and _names(each, text)]
        classes.update(found)
        unrecognised += not found
    return Known(
        er=UNKNOWN if contradicts else context.er,
        pgr=context.pgr,
        setting=context.setting,
        menopausal=context.menopausal_status,
        line=context.line,
        specimen=context.specimen_kind,
        prior=None if context.prior_therapies is None else frozenset(classes),
        biomarkers=tuple(pair for pair in context.biomarkers if pair[0] in BIOMARKERS and pair[1] != UNKNOWN),
        unrecognised=unrecognised,
        unread_biomarkers=sum(name not in BIOMARKERS for name, _ in context.biomarkers),
        er_contradicts=contradicts,
    )


def _names(therapy: Therapy, text: str) -> bool:
    return any(word in text for word in therapy.words) and not any(word in text for word in therapy.unless)
