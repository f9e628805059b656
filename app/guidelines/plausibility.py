"""Is a count usable? Credible averages, values that agree with each other, enough cells. Holds in every edition.

The limits of credibility are a local choice, not the guideline's (reading 7.4).
"""

from __future__ import annotations

from app.decision_table import Table
from app.domain.codes import FLAGS

_FLAGS = {"flags": tuple(FLAGS)}

CREDIBLE = Table.parse("""
table credible: Can these be averages per cell?
place: Herald's plausibility limits, reading 7.4 [R]
in her2: (0..), missing
in cep17: (0..), missing
in ratio: (0..), missing
out credible: yes, high, no
row | her2           | cep17            | ratio          || credible
P1  | > 60           | -                | -              || no
P2  | <= 60, missing | > 12             | -              || no
P3  | <= 60, missing | <= 12, missing   | > 50           || no
P4  | <= 60, missing | (6.0..12]        | <= 50, missing || high
P5  | <= 60, missing | <= 6.0, missing  | <= 50, missing || yes
""")

COUNT = Table.parse(
    """
table count: Is the count usable?
place: ASCO/CAP 2018, 20 cells or more [V S2 S12]; readings 7.3, 7.4, 8.8 [R]
in credible: yes, high, no
in totals: none, same, apart, rounding, other
in ratio_check: none, agrees, rounding, mismatch, contradiction
in cells: [1..), missing
in all_cells: yes, no
out count: usable, few, contradictory, implausible
outs flags: @flags
set sound: none, agrees, rounding, mismatch
set fitting: none, same, apart
row | credible  | totals     | ratio_check   | cells   | all_cells || count         | flags
C1  | no        | -          | -             | -       | -         || implausible   | IMPLAUSIBLE_VALUE
C2  | yes, high | rounding   | -             | -       | -         || contradictory | ROUNDING_CROSSES_THRESHOLD
C3  | yes, high | other      | -             | -       | -         || contradictory | RATIO_MISMATCH
C4  | yes, high | fitting    | contradiction | -       | -         || contradictory | RATIO_MISMATCH
C5  | yes, high | fitting    | sound         | < 20    | yes       || few           | FEWER_THAN_20_CELLS
C6  | yes, high | fitting    | sound         | < 20    | no        || few           | FEWER_THAN_20_CELLS, CELLS_NOT_REPORTED
C7  | yes, high | fitting    | sound         | >= 20   | yes       || usable        | -
C8  | yes, high | fitting    | sound         | >= 20   | no        || usable        | CELLS_NOT_REPORTED
C9  | yes, high | fitting    | sound         | missing | -         || usable        | CELLS_NOT_REPORTED
""",
    _FLAGS,
)

# What is said of a count that is used: each table is total, so nothing is silently left unsaid.
NEAR = Table.parse(
    """
table near: Is the ratio near the threshold?
place: assay instructions of a maker [V S15]; reading 8.9 [R]
in ratio: (0..), missing
outs flags: @flags
row | ratio                  || flags
N1  | [1.80..2.20]           || NEAR_THRESHOLD
N2  | < 1.80, > 2.20, missing || -
""",
    _FLAGS,
)
HIGH = Table.parse(
    """
table high: Are there many CEP17 signals?
place: Herald's plausibility limits, reading 7.4 [R]
in credible: yes, high, no
outs flags: @flags
row | credible || flags
H1  | high     || CEP17_HIGH
H2  | yes, no  || -
""",
    _FLAGS,
)
AVERAGE = Table.parse(
    """
table average: Is this an average, without CEP17 to check it by?
place: Herald's plausibility limits, reading 7.4 [R]
in her2: (0..), missing
in cep17_known: yes, no
outs flags: @flags
row | her2            | cep17_known || flags
A1  | > 20            | no          || CHECK_AVERAGE
A2  | <= 20, missing  | no          || -
A3  | -               | yes         || -
""",
    _FLAGS,
)
AGREEMENT = Table.parse(
    """
table agreement: Do ratio and averages agree?
place: reading 7.3 [R]
in ratio_check: none, agrees, rounding, mismatch, contradiction
in totals: none, same, apart, rounding, other
outs flags: @flags
set together: none, same, rounding, other
row | ratio_check                 | totals   || flags
R1  | none, agrees, contradiction | together || -
R2  | rounding                    | together || ROUNDING_CROSSES_THRESHOLD
R3  | mismatch                    | -        || RATIO_MISMATCH
R4  | none, agrees, contradiction | apart    || RATIO_MISMATCH
R5  | rounding                    | apart    || ROUNDING_CROSSES_THRESHOLD, RATIO_MISMATCH
""",
    _FLAGS,
)
COMPUTED = Table.parse(
    """
table computed: What was computed rather than reported?
place: ASCO/CAP 2018, ratio of totals [V S15]; reading 7.2 [R]
in computed: none, ratio, copies, ratio and copies
outs flags: @flags
row | computed         || flags
D1  | none             || -
D2  | ratio            || RATIO_COMPUTED
D3  | copies           || COPIES_COMPUTED
D4  | ratio and copies || RATIO_COMPUTED, COPIES_COMPUTED
""",
    _FLAGS,
)

TABLES = (CREDIBLE, COUNT, NEAR, HIGH, AVERAGE, AGREEMENT, COMPUTED)
