"""HER2-low, ultralow and null: descriptors beside a negative status, never a status."""

from __future__ import annotations

from app.decision_table import Table
from app.domain.codes import HER2_LOW as LOW_WORDS
from app.guidelines.vocabularies import VOCABULARIES

_VOCABULARIES = VOCABULARIES | {"low": tuple(LOW_WORDS)}

HER2_LOW = Table.parse(
    """
table her2_low: HER2-low beside the status
place: label and trial definitions [V S25 S26 S28 C1 C2 P1]; reading 8.5 [R]
in status: @statuses
in ihc: @ihc
in staining: some, none, unknown
in group: @groups, none
in low_in_groups_2_to_4: @low_in_groups_2_to_4
out her2_low: @low
outs flags: @flags
set open: equivocal, pending, indeterminate, invalid
set untested: none, unusable
row | status   | ihc      | staining | group      | low_in_groups_2_to_4 || her2_low         | flags
Z1  | positive | -        | -        | -          | -                    || not_applicable   | -
Z2  | open     | -        | -        | -          | -                    || undetermined     | -
Z3  | negative | 0        | some     | -          | -                    || ultralow         | -
Z4  | negative | 0        | none     | -          | -                    || null             | -
Z5  | negative | 0        | unknown  | -          | -                    || zero_unspecified | ULTRALOW_UNKNOWN
Z6  | negative | 1+       | -        | 1, 5, none | -                    || low              | -
Z7  | negative | 1+       | -        | 2, 3, 4    | -                    || low              | LOW_NOT_GROUP5
Z8  | negative | 2+       | -        | 1, 5, none | -                    || low              | -
Z9  | negative | 2+       | -        | 2, 3, 4    | include              || low              | LOW_NOT_GROUP5
Z10 | negative | 2+       | -        | 2, 3, 4    | exclude              || undetermined     | LOW_NOT_GROUP5
Z11 | negative | untested | -        | -          | -                    || undetermined     | IHC_MISSING_FOR_LOW
Z12!| negative | 3+       | -        | -          | -                    || undetermined     | -
""",
    _VOCABULARIES,
)

# Under 2007 a 1+ had no lower percentage, so it does not say what 1+ says today.
HER2_LOW_2007 = Table.parse(
    """
table her2_low: HER2-low beside the status, score made by the 2007 definitions
place: label and trial definitions [V S25 S26 S28]; 2007 scores [V S19 S21]; reading 11 [R]
in status: @statuses
in ihc: @ihc
in staining: some, none, unknown
out her2_low: @low
outs flags: @flags
set open: equivocal, pending, indeterminate, invalid
set untested: none, unusable
row | status   | ihc      | staining || her2_low         | flags
Z1  | positive | -        | -        || not_applicable   | -
Z2  | open     | -        | -        || undetermined     | -
Z3  | negative | 0        | some     || ultralow         | -
Z4  | negative | 0        | none     || null             | -
Z5  | negative | 0        | unknown  || zero_unspecified | ULTRALOW_UNKNOWN
Z6  | negative | 1+       | -        || undetermined     | -
Z7  | negative | 2+       | -        || low              | -
Z8  | negative | untested | -        || undetermined     | IHC_MISSING_FOR_LOW
Z9! | negative | 3+       | -        || undetermined     | -
""",
    _VOCABULARIES,
)
