"""The guideline as a pathologist reads it: an independent second route to every answer.

Source: the fact sheet only. Every `# READING:` marks a place where the sheet is silent.
"""

from __future__ import annotations

from typing import Any

from tests.oracle.advice import describe_low, preanalytic_flags, retest
from tests.oracle.figures import Outcome, walk
from tests.oracle.record import Case, Finding, ish_findings, read

WAITING = {"count_more_cells", "complete_missing_ish_values", "verify_data"}


def classify(document: dict[str, Any]) -> dict[str, Any]:
    """The answer to one document."""
    case = read(document)
    if case.problems:
        return _answer(case, _unreadable(case), final=False)
    findings = ish_findings(case)
    several = len(findings) > 1
    outcomes = [walk(case, found, several=several) for found in findings]
    for outcome in outcomes:
        describe_low(case, outcome)
    if not several:
        only = outcomes[0]
        return _answer(case, only, final=_final(only, certain=only.certain))
    agreed = _agree(outcomes, findings)
    # READING: agreement of all worlds is final only if at least one of them is final by itself.
    final = _final(agreed, certain=True) and any(_final(one, certain=one.certain) for one in outcomes)
    return _answer(case, agreed, final=final)


def _unreadable(case: Case) -> Outcome:
    """Out of scope, impossible values, a score in dispute: all problems at once."""
    problems = set(case.problems)
    # READING: an invalid record also lists why its governing ISH count is unusable, when that can be read.
    if case.broken.isdisjoint({"ish", "follow_up_ish"}):
        findings = ish_findings(case)
        if all(found.kind == "unusable" for found in findings):
            for found in findings:
                problems |= found.why
    # READING: every invalid record, one out of scope included, asks to verify the data.
    return Outcome("invalid", ["verify_data"], problems=problems)


def _agree(outcomes: list[Outcome], findings: list[Finding]) -> Outcome:
    """What is the same in every world is certain; the rest stays open."""
    first = outcomes[0]
    statuses = {outcome.status for outcome in outcomes}
    common = [step for step in first.steps if all(step in other.steps for other in outcomes)]
    agreed = Outcome(
        first.status if len(statuses) == 1 else "pending",
        common if statuses == {"invalid"} else ["complete_missing_ish_values"],
        set.intersection(*(outcome.flags for outcome in outcomes)),
        comment=_same([outcome.comment for outcome in outcomes]),
        review=all(outcome.review for outcome in outcomes),
        group=_same([outcome.group for outcome in outcomes]),
        ish_result=_same([outcome.ish_result for outcome in outcomes]),
        fda=_same([outcome.fda for outcome in outcomes]),
        low=_same([outcome.low for outcome in outcomes]) or "undetermined",
    )
    if statuses == {"invalid"}:
        agreed.problems = set().union(*(outcome.problems for outcome in outcomes))
        return agreed
    agreed.steps += [step for step in common if step not in agreed.steps]
    if len(statuses) > 1:
        agreed.low = "undetermined"
    # READING: the group is unknown when the status is certain but the classes of the worlds (single probe and the
    # READING: older editions included) differ, unless an adjudication names one group in all of them.
    classes = {(found.group, found.cls) for found in findings}
    if agreed.status in ("positive", "negative") and len(classes) > 1 and agreed.group is None:
        agreed.flags.add("GROUP_UNKNOWN")
    return agreed


def _same(values: list[Any]) -> Any:
    return values[0] if all(value == values[0] for value in values) else None


def _final(outcome: Outcome, *, certain: bool) -> bool:
    """Positive or negative, not under review, and no open step could change it."""
    if outcome.status not in ("positive", "negative") or outcome.review:
        return False
    steps = set(outcome.steps)
    if certain:
        steps -= WAITING
    return not steps


def _answer(case: Case, outcome: Outcome, *, final: bool) -> dict[str, Any]:
    """The answer fields, with the advice that never changes a status."""
    steps, flags = list(outcome.steps), set(outcome.flags)
    deviations = preanalytic_flags(case)
    if outcome.status == "negative" and deviations:
        steps.append("consider_repeat")
    flags |= deviations
    notes = ["LOW_EXPRESSION_2023"] if case.edition == "2023" and outcome.status == "negative" else []
    if outcome.status == "invalid":
        # READING: an invalid record shows its problems only, no flags.
        flags = set()
    return {
        "status": outcome.status,
        "final": final,
        "ish_group": outcome.group,
        "ish_result": outcome.ish_result,
        "fda_ratio": outcome.fda,
        "comment": outcome.comment,
        "report_notes": notes,
        "her2_low": outcome.low,
        "next_steps": steps,
        "flags": flags,
        "review_required": outcome.review,
        "retest": retest(case, outcome.status, deviations),
        "problems": set(outcome.problems),
    }
