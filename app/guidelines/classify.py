"""The one path from a case to a classification: a fold over an edition's tables."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain import codes
from app.domain.case import Case
from app.domain.classification import Classification, Settled
from app.domain.problems import Problem
from app.guidelines.answer import settle
from app.guidelines.editions import EDITIONS
from app.guidelines.governing import Ish, class_step, cluster_words, fda_ratio_of, governing, worlds_of
from app.guidelines.walk import World
from app.guidelines.words import ihc_words, used_values


def classify(case: Case, problems: Sequence[Problem] = ()) -> Classification:
    """Classify one case under its edition and policy.

    problems: what could not be read (app.domain.reading); any makes the record invalid. Source: the edition's tables.
    """
    edition = EDITIONS[case.edition]
    policy = case.policy if edition.switched else codes.DEFAULT_POLICY
    words, steps = ihc_words(case.ihc, edition)
    trace = list(steps)
    ish = governing(case, edition, trace)
    cluster, cluster_notes = cluster_words(case, edition, trace)
    specimen = case.specimen
    words = {
        **words,
        **cluster,
        "invasive": "no" if specimen.invasive is False else "other",
        "site": "other" if specimen.breast_carcinoma is False else "breast",
        "values": "impossible" if problems else "sound",
        "probe": ish.probe,
    }
    worlds = worlds_of(ish, edition)
    key = _key(case, policy, words, ish, worlds, problems)
    settled = _settled.get(key) if key else None  # pragma: no mutate
    if settled is None:
        settled = settle(case, edition, policy, words, ish, cluster_notes, worlds, problems)
        if key:
            if len(_settled) >= _REMEMBERED:
                _settled.clear()
            _settled[key] = settled
    classes = class_step(worlds[0], edition, ish) if len(worlds) == 1 else ()
    return Classification(
        settled,
        fda_ratio_of(ish),
        used_values(ish.judged) if ish.judged else (),
        (*trace, *classes, *settled.trace),
    )


# The second and third storey are pure functions of words: remembered, since records repeat themselves.
_settled: dict[tuple[Any, ...], Settled] = {}
_REMEMBERED = 50_000


def _key(
    case: Case,
    policy: dict[str, str],
    words: dict[str, Any],
    ish: Ish,
    worlds: Sequence[World],
    problems: Sequence[Problem],
) -> tuple[Any, ...] | None:
    """Everything `settle` reads; None for records whose further counts or problems it reads in full."""
    if problems or case.recount or case.third_count or case.cluster or case.adjudicated_group is not None:
        return None
    judged = ish.judged
    return (
        case.edition,
        *policy.values(),
        *words.values(),
        ish.field,
        ish.tested,
        ish.flags,
        (judged.word, judged.why, judged.notes) if judged else None,
        *[(world.tested, world.row.id if world.row else None) for world in worlds],
        case.specimen,
        case.er,
        case.pgr,
        case.ihc.score is None,
        case.ihc.scored_under,
    )
