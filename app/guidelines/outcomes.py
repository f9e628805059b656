"""What each outcome word of a figure means, once: a status, comment, steps, flags, review; or where the walk goes on."""

from __future__ import annotations

from app.decision_table import Table
from app.guidelines.vocabularies import VOCABULARIES

# Each outcome word of a figure, once: what it means, or where the walk goes on.
OUTCOMES = Table.parse(
    """
table outcomes: What a figure's word means
place: ASCO/CAP 2018 figures 1-6 [V S4-S9]
in outcome: invalid, on, positive, negative, negative G2, negative G3, negative G4, negative until ISH, equivocal, \
no test, indeterminate, wait, few, bad ISH, positive and wait, \
positive and few, positive and bad ISH, main decides, dual, single, whole, no usable ISH, second count, do IHC, \
do IHC or dual, do dual, recount, recount unsupported, adjudicate, complete, verify unsupported, end by count, \
end by adjudication, ISH+ IHC-, ISH- IHC+, single+ IHC-, single- IHC+, positive with IHC, negative with IHC, \
cluster incomplete, cluster few, cluster discordant, ISH equivocal, reconcile
in group1_ihc_negative: @group1_ihc_negative
in group5_ihc_3plus: @group5_ihc_3plus
in single_probe_discordant: @single_probe_discordant
out next: usable, probe, dual, single, whole, no_usable_ish, second_count, end_rule
out status: @statuses
out comment: @comments
out review: yes
out certain: by switch
outs steps: @steps
outs flags: @flags
row | outcome | group1_ihc_negative | group5_ihc_3plus | single_probe_discordant || next | status | comment | review | certain | steps | flags | place
Q1  | on                     | - | - | - || usable        | -             | -  | -   | -   | -                           | -                        | reading 0
Q2  | main decides           | - | - | - || probe         | -             | -  | -   | -   | -                           | -                        | heterogeneity [K], not verified against the publication
Q3  | dual                   | - | - | - || dual          | -             | -  | -   | -   | -                           | -                        | ASCO/CAP 2018 figure 3 [V S6]
Q4  | single                 | - | - | - || single        | -             | -  | -   | -   | -                           | -                        | ASCO/CAP 2018 figure 2 [V S5]
Q5  | whole                  | - | - | - || whole         | -             | -  | -   | -   | -                           | -                        | reading 2.2 [R]
Q6  | no usable ISH          | - | - | - || no_usable_ish | -             | -  | -   | -   | -                           | -                        | ASCO/CAP 2018 figure 1 [V S4]
Q7  | second count           | - | - | - || second_count  | -             | -  | -   | -   | -                           | -                        | ASCO/CAP 2018 figures 4-6 [V S7 S8 S9]
Q8  | end by count           | - | - | - || end_rule      | -             | -  | -   | -   | -                           | -                        | ASCO/CAP 2018 figures 4-6 [V S7 S8 S9]
Q9  | end by adjudication    | - | - | - || end_rule      | -             | -  | -   | -   | -                           | -                        | ASCO/CAP 2018, adjudicated category [V S2]; end rule [R]
Q10 | invalid                | - | - | - || -             | invalid       | -  | -   | -   | verify_data                 | -                        | reading 0 [R]
Q11 | positive               | - | - | - || -             | positive      | -  | -   | -   | -                           | -                        | ASCO/CAP 2018 figures 1-6 [V S4-S9]
Q12 | negative               | - | - | - || -             | negative      | -  | -   | -   | -                           | -                        | ASCO/CAP 2018 figures 1-3 [V S4-S6]
Q13 | negative G2            | - | - | - || -             | negative      | G2 | -   | -   | -                           | -                        | ASCO/CAP 2018 figure 4 [V S7]
Q14 | negative G3            | - | - | - || -             | negative      | G3 | -   | -   | -                           | -                        | ASCO/CAP 2018 figure 5 [V S8]
Q15 | negative G4            | - | - | - || -             | negative      | G4 | -   | -   | -                           | -                        | ASCO/CAP 2018 figure 6 [V S9]
Q16 | negative until ISH     | - | - | - || -             | negative      | -  | -   | -   | complete_missing_ish_values | -                        | reading 7.2 [R]
Q17 | equivocal              | - | - | - || -             | equivocal     | -  | -   | -   | reflex_ish_or_new_specimen  | -                        | ASCO/CAP 2018 figure 1 [V S4]
Q18 | no test                | - | - | - || -             | pending       | -  | -   | -   | perform_ihc_or_ish          | -                        | reading 0 [R]
Q19 | indeterminate          | - | - | - || -             | indeterminate | -  | -   | -   | repeat_or_new_specimen      | -                        | ASCO/CAP 2018, indeterminate [V S14]
Q20 | wait                   | - | - | - || -             | pending       | -  | -   | -   | complete_missing_ish_values | -                        | reading 7.2 [R]
Q21 | positive and wait      | - | - | - || -             | positive      | -  | -   | by switch | complete_missing_ish_values | -                        | ASCO/CAP 2018 figure 1 [V S4]; reading 7.2 [R]
Q22 | few                    | - | - | - || -             | pending       | -  | -   | -   | count_more_cells            | -                        | ASCO/CAP 2018, 20 cells or more [V S12]
Q23 | positive and few       | - | - | - || -             | positive      | -  | -   | by switch | count_more_cells            | -                        | ASCO/CAP 2018 figure 1 [V S4]; section 0 [R]
Q24 | bad ISH                | - | - | - || -             | invalid       | -  | -   | -   | verify_data                 | -                        | readings 7.3, 7.4 [R]
Q25 | positive and bad ISH   | - | - | - || -             | positive      | -  | -   | by switch | verify_data                 | -                        | ASCO/CAP 2018 figure 1 [V S4]; readings 7.3, 7.4 [R]
Q26 | do IHC                 | - | - | - || -             | pending       | -  | -   | -   | perform_ihc_same_tissue     | -                        | ASCO/CAP 2018 figures 3-6 [V S6-S9]
Q27 | do IHC or dual         | - | - | - || -             | pending       | -  | -   | -   | perform_ihc_or_dual_probe   | -                        | ASCO/CAP 2018 figure 2 [V S5]
Q28 | do dual                | - | - | - || -             | pending       | -  | -   | -   | perform_dual_probe          | -                        | ASCO/CAP 2018 figure 2 [V S5]
Q29 | recount                | - | - | - || -             | pending       | -  | -   | -   | blinded_recount_ihc2_area   | -                        | ASCO/CAP 2018 figures 4-6 [V S2 S7 S8 S9]
Q30 | recount unsupported    | - | - | - || -             | pending       | -  | -   | -   | blinded_recount_ihc2_area   | ADJUDICATION_UNSUPPORTED | reading 7.5 [R]
Q31 | adjudicate             | - | - | - || -             | pending       | -  | -   | -   | adjudicate_ish_category     | -                        | ASCO/CAP 2018, second count in another category [V S2]
Q32 | complete               | - | - | - || -             | pending       | -  | -   | -   | complete_missing_ish_values | -                        | reading 7.2 [R]
Q33 | verify unsupported     | - | - | - || -             | invalid       | -  | -   | -   | verify_data                 | ADJUDICATION_UNSUPPORTED | reading 7.5 [R]
Q34 | ISH+ IHC-      | review | - | - || -             | positive      | -  | yes | -   | review_discordance          | DISCORDANT_IHC_ISH       | ASCO/CAP 2018 figure 3 [V S6]; reading 8.1 [R]
Q35 | ISH+ IHC-      | hold   | - | - || -             | pending       | -  | yes | -   | review_discordance          | DISCORDANT_IHC_ISH       | ASCO/CAP 2018 figure 3 [V S6]; reading 8.1 [R]
Q36 | ISH- IHC+      | - | review | - || -             | positive      | -  | yes | -   | review_discordance          | DISCORDANT_IHC_ISH       | ASCO/CAP 2018 figure 1 [V S4]; reading 8.2 [R]
Q37 | ISH- IHC+      | - | hold   | - || -             | pending       | -  | yes | -   | review_discordance          | DISCORDANT_IHC_ISH       | ASCO/CAP 2018 figure 1 [V S4]; reading 8.2 [R]
Q38 | single+ IHC-   | - | - | review || -             | positive      | -  | yes | -   | perform_dual_probe, review_discordance | DISCORDANT_IHC_ISH | ASCO/CAP 2018 figure 2 [V S5]; reading 8.6 [R]
Q39 | single+ IHC-   | - | - | hold   || -             | pending       | -  | yes | -   | perform_dual_probe, review_discordance | DISCORDANT_IHC_ISH | ASCO/CAP 2018 figure 2 [V S5]; reading 8.6 [R]
Q40 | single- IHC+   | - | - | review || -             | positive      | -  | yes | -   | review_discordance          | DISCORDANT_IHC_ISH       | ASCO/CAP 2018 figures 1, 2 [V S4 S5]; reading 8.6 [R]
Q41 | single- IHC+   | - | - | hold   || -             | pending       | -  | yes | -   | review_discordance          | DISCORDANT_IHC_ISH       | ASCO/CAP 2018 figures 1, 2 [V S4 S5]; reading 8.6 [R]
Q42 | positive with IHC      | - | - | - || -             | positive      | -  | -   | -   | concomitant_ihc_review      | SINGLE_PROBE             | ASCO/CAP 2018 figure 2 [V S5]
Q43 | negative with IHC      | - | - | - || -             | negative      | -  | -   | -   | concomitant_ihc_review      | SINGLE_PROBE             | ASCO/CAP 2018 figure 2 [V S5]
Q44 | cluster incomplete     | - | - | - || -             | pending       | -  | -   | -   | complete_missing_ish_values | -                        | reading 1.6 [R]
Q45 | cluster few            | - | - | - || -             | pending       | -  | -   | -   | count_more_cells            | FEWER_THAN_20_CELLS      | heterogeneity [K], not verified against the publication; reading 1.6 [R]
Q46 | cluster discordant     | - | - | - || -             | pending       | -  | yes | -   | review_discordance          | -                        | reading 8.13 [R]
Q47 | ISH equivocal          | - | - | - || -             | equivocal     | -  | -   | -   | resolve_equivocal_ish       | -                        | ASCO/CAP 2013 [V S20], 2007 [V S39]
Q48 | reconcile              | - | - | - || -             | positive      | -  | yes | -   | review_discordance          | DISCORDANT_IHC_ISH       | reading 2.2 [R]
""".replace("\\\n", ""),
    VOCABULARIES,
)
