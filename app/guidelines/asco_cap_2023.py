"""ASCO/CAP 2023 affirms the 2018 recommendations and adds a note for the report."""

from __future__ import annotations

from app.decision_table import Table
from app.guidelines.vocabularies import VOCABULARIES

REPORT_NOTE = Table.parse(
    """
table report_note: A note for the report
place: ASCO/CAP 2023 [V S22 S24]; wording [K], not verified against the publication
in status: @statuses
outs notes: LOW_EXPRESSION_2023
row | status                                               || notes
U1  | negative                                             || LOW_EXPRESSION_2023
U2  | positive, equivocal, pending, indeterminate, invalid || -
""",
    VOCABULARIES,
)
