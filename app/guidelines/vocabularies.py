"""The closed lists of words that the grids name with @."""

from __future__ import annotations

from app.domain.codes import COMMENTS, FLAGS, NEXT_STEPS, POLICY_SWITCHES, STATUSES

VOCABULARIES = {
    "flags": tuple(FLAGS),
    "steps": tuple(NEXT_STEPS),
    "statuses": tuple(STATUSES),
    "comments": tuple(COMMENTS),
    "tested": ("none", "failed", "outstanding", "conflict", "few", "contradictory", "implausible", "dual", "single"),
    "ihc": ("0", "1+", "2+", "3+", "none", "unusable"),
    "groups": ("1", "2", "3", "4", "5"),
    "yes_no": ("yes", "no"),
} | dict(POLICY_SWITCHES.items())
