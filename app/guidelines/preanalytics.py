"""Handling of the tissue: what deviates is reported, advises, and never changes the computed status."""

from __future__ import annotations

from app.decision_table import Table
from app.guidelines.vocabularies import VOCABULARIES

ISCHAEMIA = Table.parse(
    """
table ischaemia: Time to fixation in minutes
place: ASCO/CAP, 1 hour or less [V S13 C3]
in cold_ischaemia_minutes: [0..), missing
outs flags: @flags
row | cold_ischaemia_minutes || flags
Y1  | <= 60, missing         || -
Y2  | > 60                   || PREANALYTIC_ISCHAEMIA
""",
    VOCABULARIES,
)
SECTION_AGE = Table.parse(
    """
table section_age: Age of the cut sections in days
place: ASCO/CAP, preferably not older than 6 weeks [V S3]
in section_age_days: [0..), missing
outs flags: @flags
row | section_age_days || flags
Y3  | <= 42, missing   || -
Y4  | > 42             || PREANALYTIC_SECTION_AGE
""",
    VOCABULARIES,
)
FIXATIVE = Table.parse(
    """
table fixative: Fixative
place: ASCO/CAP, 10% neutral buffered formalin [V S3]
in fixative: neutral_buffered_formalin, other, none
outs flags: @flags
row | fixative                        || flags
Y5  | neutral_buffered_formalin, none || -
Y6  | other                           || PREANALYTIC_FIXATIVE
""",
    VOCABULARIES,
)
DECALCIFIED = Table.parse(
    """
table decalcified: Decalcified tissue
place: CAP 2025, assay not validated [V C2]
in decalcified: @yes_no
outs flags: @flags
row | decalcified || flags
Y7  | no          || -
Y8  | yes         || PREANALYTIC_DECALCIFIED
""",
    VOCABULARIES,
)

DOUBT = Table.parse(
    """
table doubt: Doubt about the handling of the core
place: ASCO/CAP 2018, repeat testing [V S11]
in stated: @yes_no
in ischaemia: @yes_no
in fixation: @yes_no
out doubt: @yes_no
row | stated | ischaemia | fixation || doubt
Y9  | yes    | -         | -        || yes
Y10 | no     | yes       | -        || yes
Y11 | no     | no        | yes      || yes
Y12 | no     | no        | no       || no
""",
    VOCABULARIES,
)
REASON = Table.parse(
    """
table reason: A reason to test the excision after a negative core
place: ASCO/CAP 2018, repeat testing [V S11]
in grade: 3, other
in little_invasive_tumour: @yes_no
in excision_differs: @yes_no
out reason: @yes_no
row | grade | little_invasive_tumour | excision_differs || reason
Y13 | 3     | -                      | -                || yes
Y14 | other | yes                    | -                || yes
Y15 | other | no                     | yes              || yes
Y16 | other | no                     | no               || no
""",
    VOCABULARIES,
)

TABLES = (ISCHAEMIA, SECTION_AGE, FIXATIVE, DECALCIFIED, DOUBT, REASON)
