"""ASCO/CAP 2013: its definitions of scores and ISH classes as tables."""

from __future__ import annotations

from app.decision_table import Table
from app.guidelines.vocabularies import VOCABULARIES

DUAL_CLASS = Table.parse("""
table dual_class: ISH result, dual probe
place: ASCO/CAP 2013 [V S20 S34]
in ratio: (0..)
in her2: (0..)
out ish_class: positive, equivocal, negative
out result: positive, equivocal, negative
row | ratio  | her2       || ish_class | result
1   | >= 2.0 | -          || positive  | positive
2   | < 2.0  | >= 6.0     || positive  | positive
3   | < 2.0  | [4.0..6.0) || equivocal | equivocal
4   | < 2.0  | < 4.0      || negative  | negative
""")

SINGLE_CLASS = Table.parse("""
table single_class: ISH result, single probe
place: ASCO/CAP 2013 [V S20]
in her2: (0..)
out ish_class: positive, equivocal, negative
out result: positive, equivocal, negative
row | her2       || ish_class | result
1   | >= 6.0     || positive  | positive
2   | [4.0..6.0) || equivocal | equivocal
3   | < 4.0      || negative  | negative
""")

PATTERN = Table.parse("""
table ihc_pattern: The score that a described pattern spells
place: ASCO/CAP 2013 [V S19 S21]
in membrane: none, incomplete, complete, missing
in intensity: faint, weak, moderate, intense, missing
in percent: [0..100], missing
out spells: 0, 1+, 2+, 3+
row | membrane   | intensity               | percent      || spells | place
A1  | none       | -                       | = 0, missing || 0      | ASCO/CAP 2013, no staining [V S19 S21]
A2  | none       | -                       | > 0          || -      | contradictory description: the score given stands [R]
A3  | incomplete | faint                   | [0..10]      || 0      | ASCO/CAP 2013 [V S19 S21]
A4  | incomplete | faint                   | > 10         || 1+     | ASCO/CAP 2013 [V S19 S21]
A5  | incomplete | weak, moderate, intense | > 10         || 2+     | ASCO/CAP 2013, incomplete and/or weak to moderate [V S19 S21]
A6  | incomplete | weak, moderate, intense | [0..10]      || -      | not covered [R]
A7  | complete   | weak, moderate          | > 10         || 2+     | ASCO/CAP 2013 [V S19 S21]
A8  | complete   | weak, moderate          | [0..10]      || -      | not covered [R]
A9  | complete   | faint                   | [0..100]     || -      | not covered [R]
A10 | complete   | intense                 | > 10         || 3+     | ASCO/CAP 2013 [V S19 S21]
A11 | complete   | intense                 | (0..10]      || 2+     | ASCO/CAP 2013 [V S19 S21]
A12 | complete   | intense                 | = 0          || -      | contradictory description: the score given stands [R]
A13 | incomplete, complete | faint, weak, moderate, intense | missing || - | not fully described [R]
A14 | incomplete, complete | missing       | -            || -      | not fully described [R]
A15 | missing    | -                       | -            || -      | not fully described [R]
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
place: ASCO/CAP 2013 [V S20]; whole-case reading 2.2, 8.16 [R]
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
place: ASCO/CAP 2013, as 2018 [V S3]
in fixation_hours: [0..), missing
outs flags: @flags
row | fixation_hours   || flags
X1  | [6..72], missing || -
X2  | < 6, > 72        || PREANALYTIC_FIXATION
""",
    VOCABULARIES,
)

DISCORDANT_HISTOLOGY = Table.parse(
    """
table discordant_histology: A histology that seldom is HER2 positive
place: ASCO/CAP 2013, as 2018 [K], not verified against the publication; purity [R]
in grade: 1, other
in histology: ductal, lobular, tubular, mucinous, cribriform, adenoid_cystic, other
in er: positive, other
in pgr: positive, other
in purity: [0..100], missing
out listed: @yes_no
set pure: tubular, mucinous, cribriform, adenoid_cystic
row | grade | histology       | er       | pgr      | purity        || listed
L1  | other | -               | -        | -        | -             || no
L2  | 1     | other           | -        | -        | -             || no
L3  | 1     | ductal, lobular | other    | -        | -             || no
L4  | 1     | ductal, lobular | positive | other    | -             || no
L5  | 1     | ductal, lobular | positive | positive | -             || yes
L6  | 1     | pure            | -        | -        | < 90, missing || no
L7  | 1     | pure            | -        | -        | >= 90         || yes
""",
    VOCABULARIES,
)

RETEST = Table.parse(
    """
table retest: Should the test be done again?
place: ASCO/CAP 2013, a negative core must be repeated [V S1 S10]; discordance [K], not verified against the publication
in status: @statuses
in listed: @yes_no
in doubt: @yes_no
in procedure: core, other
in reason: @yes_no
out retest: should, should_not, must
set open: equivocal, pending, indeterminate, invalid
row | status   | listed | doubt | procedure | reason || retest
M1  | open     | -      | -     | -         | -      || -
M2  | positive | yes    | -     | -         | -      || should
M3  | positive | no     | -     | -         | -      || -
M4  | negative | yes    | no    | -         | -      || should_not
M5  | negative | yes    | yes   | core      | -      || must
M6  | negative | yes    | yes   | other     | -      || -
M7  | negative | no     | yes   | core      | -      || must
M8  | negative | no     | no    | core      | yes    || must
M9  | negative | no     | no    | core      | no     || -
M10 | negative | no     | -     | other     | -      || -
""",
    VOCABULARIES,
)

REPORT_NOTE = Table.parse(
    """
table report_note: A note for the report
place: ASCO/CAP 2013 has none [V S1]
in status: @statuses
outs notes: LOW_EXPRESSION_2023
row | status                                                         || notes
U1  | positive, negative, equivocal, pending, indeterminate, invalid || -
""",
    VOCABULARIES,
)
