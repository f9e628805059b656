"""The tables that hold in every edition: what was tested, what an unusable ISH means, when an answer is final."""

from __future__ import annotations

from app.decision_table import Table
from app.guidelines.outcomes import OUTCOMES
from app.guidelines.vocabularies import VOCABULARIES

# ---- measure: records become words

IHC = Table.parse(
    """
table ihc: The IHC score as a word
place: ASCO/CAP 2018 figure 1 and on-slide controls [V S4]
in score: 0, 0+, 1+, 2+, 3+, indeterminate, none
in controls: failed, other
out ihc: @ihc
row | score         | controls || ihc
I1  | 0, 0+         | other    || 0
I2  | 1+            | other    || 1+
I3  | 2+            | other    || 2+
I4  | 3+            | other    || 3+
I5  | indeterminate | other    || unusable
I6  | none          | other    || none
I7  | -             | failed   || unusable
""",
    VOCABULARIES,
)

STAINING = Table.parse(
    """
table staining: Is there staining in an IHC 0?
place: ultralow label and CAP wording of 0 and 0+ [V S25 C1 C2]; reading 8.12 [R]
in score: 0, 0+, other
in membrane: none, stained, missing
in intensity: given, missing
in percent: [0..100], missing
out staining: some, none, unknown
row | score | membrane         | intensity | percent      || staining
S1  | other | -                | -         | -            || unknown
S2  | 0+    | none             | -         | -            || unknown
S3  | 0+    | stained, missing | -         | = 0          || unknown
S4  | 0+    | stained, missing | -         | > 0, missing || some
S5  | 0     | none             | missing   | = 0, missing || none
S6  | 0     | none             | missing   | > 0          || unknown
S7  | 0     | none             | given     | -            || unknown
S8  | 0     | stained          | -         | = 0          || unknown
S9  | 0     | stained          | -         | > 0, missing || some
S10 | 0     | missing          | given     | = 0          || unknown
S11 | 0     | missing          | given     | > 0, missing || some
S12 | 0     | missing          | missing   | = 0          || none
S13 | 0     | missing          | missing   | > 0          || some
S14 | 0     | missing          | missing   | missing      || unknown
""",
    VOCABULARIES,
)

BLOCK = Table.parse(
    """
table block: What an ISH record is
place: ASCO/CAP 2018 figures 2, 3 and on-slide controls [V S5 S6]; readings 1.4, 7.2 [R]
in block: none, given
in failed: @yes_no
in controls: failed, other
in values: some, none
in assay: dual_probe, single_probe, none
in second_colour: @yes_no
out block_is: none, failed, outstanding, conflict, dual, single, either
row | block | failed | controls | values | assay        | second_colour || block_is
B1  | none  | -      | -        | -      | -            | -             || none
B2  | given | yes    | -        | -      | -            | -             || failed
B3  | given | no     | failed   | -      | -            | -             || failed
B4  | given | no     | other    | none   | -            | -             || outstanding
B5  | given | no     | other    | some   | dual_probe   | -             || dual
B6  | given | no     | other    | some   | single_probe | no            || single
B7  | given | no     | other    | some   | single_probe | yes           || conflict
B8  | given | no     | other    | some   | none         | yes           || dual
B9  | given | no     | other    | some   | none         | no            || either
""",
    VOCABULARIES,
)

GOVERNS = Table.parse(
    r"""
table governs: Which ISH record governs?
place: ASCO/CAP 2018 figure 2, the dual-probe result is final [V S5]; reading 1.4 [R]
in first: none, failed, outstanding, conflict, dual, single, either
in follow_up: none, failed, outstanding, conflict, dual, single, either
out governs: none, failed, outstanding, conflict, dual, single, either, follow_up
cross first \ follow_up | none        | failed      | outstanding | dual, either | single, conflict
none                    | none        | failed      | outstanding | follow_up    | conflict
failed                  | failed      | failed      | outstanding | follow_up    | conflict
outstanding             | outstanding | outstanding | outstanding | follow_up    | conflict
conflict                | conflict    | conflict    | outstanding | follow_up    | conflict
dual                    | dual        | dual        | outstanding | conflict     | conflict
single                  | single      | single      | outstanding | follow_up    | conflict
either                  | either      | either      | outstanding | follow_up    | conflict
""",
    VOCABULARIES,
)

FAILURE = Table.parse(
    """
table failure: Did the governing assay or the follow-up fail?
place: ASCO/CAP 2018, indeterminate [V S14]; reading 8.10 [R]
in governs: none, failed, outstanding, conflict, dual, single, either, follow_up
in follow_up: none, failed, outstanding, conflict, dual, single, either
outs flags: @flags
set governing: none, outstanding, conflict, dual, single, either, follow_up
set not_failed: none, outstanding, conflict, dual, single, either
row | governs   | follow_up  || flags
W1  | failed    | -          || ISH_INDETERMINATE
W2  | governing | failed     || ISH_INDETERMINATE
W3  | governing | not_failed || -
""",
    VOCABULARIES,
)

ROUTE = Table.parse(
    """
table route: What ISH leaves for the figures
place: order of the steps, reading 0 [V S2 S5 S6 S12]
in governs: none, failed, outstanding, conflict, dual, single, either, follow_up
in count: usable, few, contradictory, implausible, none
out tested: none, failed, outstanding, conflict, few, contradictory, implausible, dual, single, either
row | governs         | count         || tested
T1  | none            | -             || none
T2  | failed          | -             || failed
T3  | outstanding     | -             || outstanding
T4  | conflict        | -             || conflict
T5  | dual, follow_up | usable        || dual
T6  | single          | usable        || single
T7  | either          | usable        || either
T8  | dual, single, either, follow_up | few           || few
T9  | dual, single, either, follow_up | contradictory || contradictory
T10 | dual, single, either, follow_up | implausible   || implausible
T11!| dual, single, either, follow_up | none          || none
""",
    VOCABULARIES,
)

FDA_RATIO = Table.parse("""
table fda_ratio: The maker's and FDA's reading of a dual probe
place: maker's instructions [V S15 S47 S51]
in ratio: (0..)
out fda_ratio: amplified, not_amplified
row | ratio  || fda_ratio
F1  | >= 2.0 || amplified
F2  | < 2.0  || not_amplified
""")

# ---- figures: what every edition shares

RECORD = Table.parse(
    """
table record: Can the record be classified?
place: ASCO/CAP 2018, invasive breast carcinoma [V S4]; scope and validity, reading 0 [R]
in invasive: no, other
in site: other, breast
in values: sound, impossible
in pattern: same, other, uncovered
out outcome: invalid, on
row | invasive | site   | values     | pattern         || outcome
V1  | no       | -      | -          | -               || invalid
V2  | other    | other  | -          | -               || invalid
V3  | other    | breast | impossible | -               || invalid
V4  | other    | breast | sound      | other           || invalid
V5  | other    | breast | sound      | same, uncovered || on
""",
    VOCABULARIES,
)
SCOPE = Table.parse(
    """
table scope: Invasive component
place: ASCO/CAP 2018 [V S4]
in invasive: no, other
outs flags: @flags
row | invasive || flags
O1  | no       || NOT_INVASIVE
O2  | other    || -
""",
    VOCABULARIES,
)
SITE = Table.parse(
    """
table site: Breast carcinoma
place: ASCO/CAP 2018 [V S4]
in site: other, breast
outs flags: @flags
row | site   || flags
O3  | other  || OUT_OF_SCOPE_SITE
O4  | breast || -
""",
    VOCABULARIES,
)
PATTERN_CHECK = Table.parse(
    """
table pattern_check: Does the described pattern spell the score given?
place: reading 1.1 [R]
in pattern: same, other, uncovered
outs flags: @flags
row | pattern         || flags
O5  | other           || IHC_PATTERN_MISMATCH
O6  | same, uncovered || -
""",
    VOCABULARIES,
)

NO_USABLE_ISH = Table.parse(
    r"""
table no_usable_ish: IHC without a usable ISH
place: ASCO/CAP 2018 figure 1 [V S4 S14]; readings 8.10, 7.2 [R]
in tested: none, failed, outstanding, few, contradictory, implausible, conflict
in ihc: @ihc
out outcome: positive, negative, negative until ISH, equivocal, no test, indeterminate, wait, few, bad ISH, \
positive and wait, positive and few, positive and bad ISH
cross tested \ ihc            | 0, 1+                  | 2+        | 3+                   | none    | unusable
none                          | negative               | equivocal | positive             | no test | indeterminate
failed                        | negative               | indeterminate | positive         | indeterminate | indeterminate
outstanding                   | negative until ISH     | wait      | positive and wait    | wait    | wait
few                           | few                    | few       | positive and few     | few     | few
contradictory                 | bad ISH                | bad ISH   | positive and bad ISH | bad ISH | bad ISH
implausible                   | bad ISH                | bad ISH   | positive and bad ISH | bad ISH | bad ISH
conflict                      | bad ISH                | bad ISH   | positive and bad ISH | bad ISH | bad ISH
""".replace("\\\n", ""),
    VOCABULARIES,
)

# ---- answer

SURE_3PLUS = Table.parse(
    """
table sure_3plus: Would IHC 3+ be positive for every ISH result still to come?
place: readings 11, 14 [R]
in probe: dual, single, either
in group5_ihc_3plus: @group5_ihc_3plus
in single_probe_discordant: @single_probe_discordant
out certain: @yes_no
row | probe  | group5_ihc_3plus | single_probe_discordant || certain
B1  | dual   | review           | -                       || yes
B2  | dual   | hold             | -                       || no
B3  | single | -                | review                  || yes
B4  | single | -                | hold                    || no
B5  | either | review           | review                  || yes
B6  | either | review           | hold                    || no
B7  | either | hold             | -                       || no
""",
    VOCABULARIES,
)

CERTAINTY = Table.parse(
    """
table certainty: What is the same for every result still possible is certain
place: reading 7.2 [R]
in worlds: one, many
in statuses: agree, differ
in agreed: decided, open, invalid
in classes: same, differ
out rule: as found, certain, still open, pending
outs steps: @steps
outs flags: @flags
row | worlds | statuses | agreed  | classes || rule       | steps                       | flags
K1  | one    | agree    | -       | same    || as found   | -                           | -
K2! | one    | differ   | -       | same    || pending    | -                           | -
K3! | one    | -        | -       | differ  || pending    | -                           | -
K4  | many   | agree    | decided | differ  || certain    | complete_missing_ish_values | GROUP_UNKNOWN
K5  | many   | agree    | decided | same    || certain    | complete_missing_ish_values | -
K6  | many   | agree    | open    | -       || still open | complete_missing_ish_values | -
K7  | many   | agree    | invalid | -       || still open | -                           | -
K8  | many   | differ   | -       | -       || pending    | complete_missing_ish_values | -
""",
    VOCABULARIES,
)

FINAL = Table.parse(
    """
table final: Is the status final?
place: reading 11 [R]
in status: @statuses
in steps: none, waiting, open
in certain: @yes_no
out final: @yes_no
row | status                                     | steps   | certain || final
E1  | positive, negative                         | none    | -       || yes
E2  | positive, negative                         | waiting | yes     || yes
E3  | positive, negative                         | waiting | no      || no
E4  | positive, negative                         | open    | -       || no
E5  | equivocal, pending, indeterminate, invalid | -       | -       || no
""",
    VOCABULARIES,
)

ADVICE = Table.parse(
    """
table advice: A negative result from tissue that was handled otherwise
place: ASCO/CAP 2018, exceptions in the report [V S3]; reading 8.17 [R]
in status: @statuses
in deviation: @yes_no
outs steps: @steps
row | status                                               | deviation || steps
J1  | negative                                             | yes       || consider_repeat
J2  | negative                                             | no        || -
J3  | positive, equivocal, pending, indeterminate, invalid | -         || -
""",
    VOCABULARIES,
)

HETEROGENEITY = Table.parse(
    """
table heterogeneity: A distinct population on record
place: ASCO/CAP 2018, heterogeneity [K], not verified against the publication
in cluster: absent, few, unusable, usable
outs flags: @flags
row | cluster               || flags
G1  | absent                || -
G2  | few, unusable, usable || HETEROGENEITY
""",
    VOCABULARIES,
)

MEASURES = (IHC, STAINING, BLOCK, GOVERNS, FAILURE, ROUTE, FDA_RATIO, SCOPE, SITE, PATTERN_CHECK, HETEROGENEITY)
FIGURES = (RECORD, NO_USABLE_ISH)
ANSWERS = (OUTCOMES, SURE_3PLUS, CERTAINTY, FINAL, ADVICE)
