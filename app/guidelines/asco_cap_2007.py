"""ASCO/CAP 2007: its definitions of scores and ISH classes as tables."""

from __future__ import annotations

from app.decision_table import Table
from app.guidelines.vocabularies import VOCABULARIES

DUAL_CLASS = Table.parse("""
table dual_class: ISH result, dual probe (the ratio alone)
place: ASCO/CAP 2007 [V S18]; ratio only, reading 8.16 [R]
in ratio: (0..)
out ish_class: positive, equivocal, negative
out result: positive, equivocal, negative
row | ratio      || ish_class | result
1   | > 2.2      || positive  | positive
2   | [1.8..2.2] || equivocal | equivocal
3   | < 1.8      || negative  | negative
""")

SINGLE_CLASS = Table.parse("""
table single_class: ISH result, single probe
place: ASCO/CAP 2007 [V S18]
in her2: (0..)
out ish_class: positive, equivocal, negative
out result: positive, equivocal, negative
row | her2       || ish_class | result
1   | > 6.0      || positive  | positive
2   | [4.0..6.0] || equivocal | equivocal
3   | < 4.0      || negative  | negative
""")

PATTERN = Table.parse("""
table ihc_pattern: The score that a described pattern spells
place: ASCO/CAP 2007 [V S19 S21]
in membrane: none, incomplete, complete, missing
in intensity: faint, weak, moderate, intense, missing
in percent: [0..100], missing
out spells: 0, 1+, 2+, 3+
row | membrane   | intensity         | percent      || spells | place
A1  | none       | -                 | = 0, missing || 0      | ASCO/CAP 2007, no staining [V S19 S21]
A2  | none       | -                 | > 0          || -      | contradictory description: the score given stands [R]
A3  | incomplete | faint, weak       | > 0          || 1+     | ASCO/CAP 2007, any share [V S19 S21]; weak and faint are not told apart [R]
A4  | incomplete | faint, weak       | = 0          || -      | contradictory description: the score given stands [R]
A5  | incomplete | moderate, intense | [0..100]     || -      | not covered [R]
A6  | complete   | weak              | >= 10        || 2+     | ASCO/CAP 2007 [V S19 S21]
A7  | complete   | weak              | [0..10)      || -      | not covered [R]
A8  | complete   | faint, moderate   | [0..100]     || -      | not covered [R]
A9  | complete   | intense           | > 30         || 3+     | ASCO/CAP 2007 [V S19 S21]
A10 | complete   | intense           | (0..30]      || 2+     | ASCO/CAP 2007 [V S19 S21]
A11 | complete   | intense           | = 0          || -      | contradictory description: the score given stands [R]
A12 | incomplete, complete | faint, weak, moderate, intense | missing || - | not fully described [R]
A13 | incomplete, complete | missing | -            || -      | not fully described [R]
A14 | missing    | -                 | -            || -      | not fully described [R]
""")

PROBE = Table.parse(
    """
table probe: Is there an ISH class to read?
place: reading 2.2 [R]
in tested: @tested
out outcome: whole, no usable ISH
row | tested                                                               || outcome
D1  | dual, single                                                         || whole
D2  | none, failed, outstanding, conflict, few, contradictory, implausible || no usable ISH
""",
    VOCABULARIES,
)

WHOLE = Table.parse(
    r"""
table whole: ISH class and IHC
place: ASCO/CAP 2007 [V S18]; whole-case reading 2.2 [R]
in ish_class: positive, equivocal, negative
in ihc: @ihc
out outcome: positive, negative, reconcile, ISH equivocal
cross ish_class \ ihc | 0, 1+     | 2+            | 3+        | none, unusable
positive              | reconcile | positive      | positive  | positive
equivocal             | negative  | ISH equivocal | positive  | ISH equivocal
negative              | negative  | negative      | reconcile | negative
""",
    VOCABULARIES,
)

FIXATION = Table.parse(
    """
table fixation: Fixation time in hours
place: ASCO/CAP 2007 [K], not verified against the publication
in fixation_hours: [0..), missing
outs flags: @flags
row | fixation_hours   || flags
X1  | [6..48], missing || -
X2  | < 6, > 48        || PREANALYTIC_FIXATION
""",
    VOCABULARIES,
)

RETEST = Table.parse(
    """
table retest: Should the test be done again?
place: not covered by our sources for 2007
in status: @statuses
out retest: should, should_not, may, must
row | status                                                         || retest
M1  | positive, negative, equivocal, pending, indeterminate, invalid || -
""",
    VOCABULARIES,
)

REPORT_NOTE = Table.parse(
    """
table report_note: A note for the report
place: ASCO/CAP 2007 has none [V S1]
in status: @statuses
outs notes: LOW_EXPRESSION_2023
row | status                                                         || notes
U1  | positive, negative, equivocal, pending, indeterminate, invalid || -
""",
    VOCABULARIES,
)
