"""ASCO/CAP 2018 focused update (Wolff et al., J Clin Oncol 2018;36:2105): the figures as tables."""

from __future__ import annotations

from app.decision_table import Table
from app.guidelines.vocabularies import VOCABULARIES

# ---- measure

GROUP = Table.parse(
    """
table group: ISH group, dual probe
place: ASCO/CAP 2018 figure 3 [V S6]
in ratio: (0..)
in her2: (0..)
out group: @groups
out result: positive, negative, workup_group_2, workup_group_3, workup_group_4
row | ratio  | her2       || group | result
1   | >= 2.0 | >= 4.0     || 1     | positive
2   | >= 2.0 | < 4.0      || 2     | workup_group_2
3   | < 2.0  | >= 6.0     || 3     | workup_group_3
4   | < 2.0  | [4.0..6.0) || 4     | workup_group_4
5   | < 2.0  | < 4.0      || 5     | negative
""",
    VOCABULARIES,
)

BAND = Table.parse("""
table band: HER2 copies, single probe
place: ASCO/CAP 2018 figure 2 [V S5]
in her2: (0..)
out band: high, mid, low
out result: positive, negative, workup_single_4_to_6
row  | her2       || band | result
high | >= 6.0     || high | positive
mid  | [4.0..6.0) || mid  | workup_single_4_to_6
low  | < 4.0      || low  | negative
""")

PATTERN = Table.parse("""
table ihc_pattern: The score that a described pattern spells
place: ASCO/CAP 2018 figure 1 [V S4]
in membrane: none, incomplete, complete, missing
in intensity: faint, weak, moderate, intense, missing
in percent: [0..100], missing
out spells: 0, 1+, 2+, 3+
row | membrane   | intensity         | percent      || spells | place
A1  | none       | -                 | = 0, missing || 0      | ASCO/CAP 2018 figure 1, no staining [V S4]
A2  | none       | -                 | > 0          || -      | contradictory description: the score given stands [R]
A3  | incomplete | faint             | [0..10]      || 0      | ASCO/CAP 2018 figure 1 [V S4]
A4  | incomplete | faint             | > 10         || 1+     | ASCO/CAP 2018 figure 1 [V S4]
A5  | incomplete | weak              | [0..100]     || -      | not covered; weak and faint are not told apart [R]
A6  | incomplete | moderate, intense | > 10         || 2+     | ASCO/CAP 2018 figure 1, unusual patterns [V S4]
A7  | incomplete | moderate, intense | [0..10]      || -      | not covered [R]
A8  | complete   | weak, moderate    | > 10         || 2+     | ASCO/CAP 2018 figure 1 [V S4]
A9  | complete   | weak, moderate    | [0..10]      || -      | not covered [V S31]
A10 | complete   | faint             | [0..100]     || -      | not covered [R]
A11 | complete   | intense           | > 10         || 3+     | ASCO/CAP 2018 figure 1 [V S4]
A12 | complete   | intense           | (0..10]      || 2+     | ASCO/CAP 2018 figure 1, unusual patterns [V S4]
A13 | complete   | intense           | = 0          || -      | contradictory description: the score given stands [R]
A14 | incomplete, complete | faint, weak, moderate, intense | missing || - | not fully described [R]
A15 | incomplete, complete | missing | -          || -      | not fully described [R]
A16 | missing    | -                 | -            || -      | not fully described [R]
""")

RECOUNT = Table.parse(
    """
table recount: What a second count is worth
place: ASCO/CAP 2018 figures 4-6 [V S2]; readings 7.6, 8.3 [R]
in second: none, given
in blinded: @yes_no
in area: @yes_no
in observer: other, same
in cells: [1..), missing
in second_group: same, other, unknown, unusable
out recount: none, invalid, same, other, unknown
row | second | blinded | area | observer | cells           | second_group || recount
R1  | none   | -       | -    | -        | -               | -            || none
R2  | given  | no      | -    | -        | -               | -            || invalid
R3  | given  | yes     | no   | -        | -               | -            || invalid
R4  | given  | yes     | yes  | same     | -               | -            || invalid
R5  | given  | yes     | yes  | other    | < 20, missing   | -            || invalid
R6  | given  | yes     | yes  | other    | >= 20           | unusable     || invalid
R7  | given  | yes     | yes  | other    | >= 20           | same         || same
R8  | given  | yes     | yes  | other    | >= 20           | other        || other
R9  | given  | yes     | yes  | other    | >= 20           | unknown      || unknown
""",
    VOCABULARIES,
)


def _note(name: str, title: str, column: str, domain: str, bad: str, good: str, flag: str) -> Table:
    return Table.parse(
        f"""
table {name}: {title}
place: ASCO/CAP 2018 figures 4-6 [V S2]; reading 7.6 [R]
in {column}: {domain}
outs flags: @flags
row | {column} || flags
N1  | {bad}    || {flag}
N2  | {good}   || -
""",
        VOCABULARIES,
    )


RECOUNT_NOTES = (
    _note("recount_blinded", "Was the second count blinded?", "blinded", "@yes_no", "no", "yes", "RECOUNT_NOT_BLINDED"),
    _note("recount_area", "Did it include the IHC 2+ area?", "area", "@yes_no", "no", "yes", "RECOUNT_AREA_NOT_IHC2"),
    _note("recount_observer", "Was it another observer?", "observer", "other, same", "same", "other", "RECOUNT_SAME_OBSERVER"),
    _note("recount_cells", "Were enough cells counted?", "cells", "[1..), missing", "< 20, missing", ">= 20", "RECOUNT_LT_20"),
    _note("recount_usable", "Could its values be used?", "second_group", "same, other, unknown, unusable", "unusable", "same, other, unknown", "RECOUNT_UNUSABLE"),
)  # fmt: skip

# ---- figures

CLUSTER = Table.parse(
    """
table cluster: A distinct second population
place: heterogeneity [K], not verified against the publication; reading 1.6 [R]
in tested: @tested
in main_group: @groups, none
in ihc: @ihc
in cluster: absent, few, unusable, usable
in share: [0..100], missing
in cluster_group: @groups, none
out outcome: main decides, cluster incomplete, cluster few, cluster discordant, positive, ISH+ IHC-
out uses: yes
set judged: none, failed, outstanding, few, dual, single
set barred: conflict, contradictory, implausible
set unclear: 2, 3, 4, 5, none
set below: 0, 1+, 2+, none, unusable
set present: few, unusable, usable
row | tested | main_group | ihc                | cluster  | share   | cluster_group || outcome | uses
H1  | barred | -       | -                  | -        | -       | -             || main decides | -
H2  | judged | 1       | -                  | -        | -       | -             || main decides | -
H3  | judged | unclear | 3+                 | -        | -       | -             || main decides | -
H4  | judged | unclear | below              | absent   | -       | -             || main decides | -
H5  | judged | unclear | below              | present  | missing | -             || cluster incomplete | -
H6  | judged | unclear | below              | present  | <= 10   | -             || main decides | -
H7  | judged | unclear | below              | few      | > 10    | -             || cluster few | yes
H8  | judged | unclear | below              | unusable | > 10    | -             || cluster incomplete | yes
H9  | judged | unclear | 0, 1+              | usable   | > 10    | 1             || ISH+ IHC- | yes
H10 | judged | unclear | 2+, none, unusable | usable   | > 10    | 1             || positive | yes
H11 | judged | unclear | below              | usable   | > 10    | 2, 3, 4       || cluster discordant | yes
H12 | judged | unclear | below              | usable   | > 10    | 5             || main decides | yes
H13!| judged | unclear | below              | usable   | > 10    | none          || cluster incomplete | -
""",
    VOCABULARIES,
)

PROBE = Table.parse(
    """
table probe: Which figure to read
place: ASCO/CAP 2018 figures 1, 2, 3 [V S4 S5 S6]
in tested: @tested
out outcome: dual, single, no usable ISH
row | tested                                                                   || outcome
D1  | dual                                                                     || dual
D2  | single                                                                   || single
D3  | none, failed, outstanding, conflict, few, contradictory, implausible     || no usable ISH
""",
    VOCABULARIES,
)

DUAL = Table.parse(
    r"""
table dual: Dual-probe group and concurrent IHC
place: ASCO/CAP 2018 figures 3-6 [V S6 S7 S8 S9]; readings 8.1, 8.2 [R]
in group: @groups
in ihc: @ihc
out outcome: positive, negative, negative G2, negative G3, negative G4, second count, do IHC, ISH+ IHC-, ISH- IHC+
cross group \ ihc | 0, 1+       | 2+           | 3+        | none, unusable
1                 | ISH+ IHC-   | positive     | positive  | positive
2                 | negative G2 | second count | positive  | do IHC
3                 | negative G3 | second count | positive  | do IHC
4                 | negative G4 | second count | positive  | do IHC
5                 | negative    | negative     | ISH- IHC+ | negative
""",
    VOCABULARIES,
)

SECOND_COUNT = Table.parse(
    r"""
table second_count: IHC 2+ in group 2, 3 or 4: the second count
place: ASCO/CAP 2018 figures 4-6 [V S2 S7 S8 S9]; readings 7.5, 8.3 [R]
in recount: none, invalid, same, other, unknown
in adjudicated: none, counted, other
out outcome: recount, recount unsupported, end by count, end by adjudication, adjudicate, verify unsupported, complete
cross recount \ adjudicated | none         | counted             | other
none, invalid               | recount      | recount unsupported | recount unsupported
same                        | end by count | end by count        | verify unsupported
other                       | adjudicate   | end by adjudication | verify unsupported
unknown                     | complete     | complete            | complete
""",
    VOCABULARIES,
)

END_RULE = Table.parse(
    """
table end_rule: The group that decides, with IHC 2+
place: ASCO/CAP 2018 figures 3-6 [V S6 S7 S8 S9]; after adjudication [R]
in deciding: @groups
out outcome: positive, negative, negative G2, negative G4
row | deciding || outcome
1   | 1        || positive
2   | 2        || negative G2
3   | 3        || positive
4   | 4        || negative G4
5   | 5        || negative
""",
    VOCABULARIES,
)

SINGLE = Table.parse(
    r"""
table single: Single-probe copies and IHC
place: ASCO/CAP 2018 figure 2 [V S5]; reading 8.6 [R]
in band: high, mid, low
in ihc: @ihc
out outcome: positive, negative, positive with IHC, negative with IHC, do IHC or dual, do dual, single+ IHC-, \
single- IHC+
cross band \ ihc | 0, 1+        | 2+       | 3+           | none, unusable
high             | single+ IHC- | positive | positive     | positive with IHC
mid              | negative     | do dual  | positive     | do IHC or dual
low              | negative     | negative | single- IHC+ | negative with IHC
""".replace("\\\n", ""),
    VOCABULARIES,
)

# ---- advice beside the status

FIXATION = Table.parse(
    """
table fixation: Fixation time in hours
place: ASCO/CAP 2018 [V S3]
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
place: ASCO/CAP 2018, histopathologic discordance [K], not verified against the publication; purity [R]
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
place: ASCO/CAP 2018, repeat testing [V S1 S11]; discordance [K], not verified against the publication
in status: @statuses
in listed: @yes_no
in doubt: @yes_no
in procedure: core, other
in reason: @yes_no
out retest: should, should_not, may
set open: equivocal, pending, indeterminate, invalid
row | status   | listed | doubt | procedure | reason || retest
M1  | open     | -      | -     | -         | -      || -
M2  | positive | yes    | -     | -         | -      || should
M3  | positive | no     | -     | -         | -      || -
M4  | negative | yes    | no    | -         | -      || should_not
M5  | negative | yes    | yes   | core      | -      || may
M6  | negative | yes    | yes   | other     | -      || -
M7  | negative | no     | yes   | core      | -      || may
M8  | negative | no     | no    | core      | yes    || may
M9  | negative | no     | no    | core      | no     || -
M10 | negative | no     | -     | other     | -      || -
""",
    VOCABULARIES,
)

REPORT_NOTE = Table.parse(
    """
table report_note: A note for the report
place: ASCO/CAP 2018 has none [V S1]
in status: @statuses
outs notes: LOW_EXPRESSION_2023
row | status                                                         || notes
U1  | positive, negative, equivocal, pending, indeterminate, invalid || -
""",
    VOCABULARIES,
)
