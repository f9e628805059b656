"""What a door may ask of the evidence pack itself."""

from __future__ import annotations

from app.domain.evidence import Pack, Statement
from app.evidence.library import load_pack
from app.evidence.weighing import historic


def evidence_pack() -> Pack:
    """The pack that answers are weighed by."""
    return load_pack()


def measured_before_today(pack: Pack, statement: Statement) -> bool:
    """Was HER2 measured by a definition older than today's? Then the pack's historic caveat belongs to the finding."""
    return historic(pack, statement)
