"""Two meetings of the synthetic organisation: one to come, and one past with outcomes, one of which has aged since."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from app.services import acts, meetings, outcomes
from app.services.finding import find_result
from app.services.reporting import Context, Key

_BY = {"name": "Dr Demo", "role": "chair of the board"}
_COMING = ("recount differs", "2+ waits for ISH", "changed in metastasis", "group 1, IHC 1+", "cluster", "ultralow")
_PAST = ("3+", "few cells", "group 4 without IHC")
_QUESTIONS = {
    "recount differs": "Two counts differ, and the final category is not named yet. Discuss today, or wait?",
    "changed in metastasis": "Primary negative, metastasis positive: which specimen guides us?",
    "group 1, IHC 1+": "Amplified by ISH, IHC 1+. Is the IHC to be read again?",
    "few cells": "Twelve cells were counted. Does the board wait for more?",
}
_MORE_CELLS = {"ish": {"ratio": "1.25", "her2_copies": "3.1", "cells": 50}}
_DECISIONS = {
    "3+": "HER2 positive by IHC. The board takes the result as it stands.",
    "few cells": "More cells are counted first; the board decides nothing on this count.",
    "group 4 without IHC": "IHC on the same tissue first; the case comes back to the board.",
}


def make_meetings(context: Context, look_at: Mapping[str, str], seed: int) -> str | None:
    """Both meetings from the results worth a look (kind to result id); the id of the coming one, None without results.

    Under keys of the seed, so that a second time stores nothing.
    """
    results = {kind: look_at[kind] for kind in (*_COMING, *_PAST) if kind in look_at}
    if not results:
        return None
    today = datetime.now(UTC).date()
    past = _meeting(context, seed, "past", (today - timedelta(days=14)).isoformat(), "Breast board (synthetic)")
    _place(context, seed, past, _PAST, results)
    for kind in _PAST:
        if kind in results:
            _decide(context, seed, past, kind, results[kind])
    if "few cells" in results:
        body = {"name": "Dr Demo", "role": "pathologist", "reason": "more cells counted", "changes": _MORE_CELLS}
        acts.amend(context, results["few cells"], body, _key(seed, "amended", body), None)
    coming = _meeting(context, seed, "coming", (today + timedelta(days=7)).isoformat(), "Breast board (synthetic)")
    _place(context, seed, coming, _COMING, results)
    return coming


def _meeting(context: Context, seed: int, which: str, day: str, title: str) -> str:
    # the day is not of the key: made again later it is the same meeting
    body = {**_BY, "held_on": day, "title": title}
    return str(meetings.make_meeting(context, body, _key(seed, which, title)).body["id"])


def _place(context: Context, seed: int, meeting: str, kinds: Sequence[str], results: Mapping[str, str]) -> None:
    for kind in kinds:
        if kind in results:
            asked = {"question": _QUESTIONS[kind]} if kind in _QUESTIONS else {}
            body = {**_BY, "result_id": results[kind], **asked}
            meetings.place_case(context, meeting, body, _key(seed, f"{meeting}-{kind}", body))


def _decide(context: Context, seed: int, meeting: str, kind: str, result_id: str) -> None:
    """Agree with the first thing that the evidence offers, and leave the rest not discussed."""
    result = find_result(context, result_id)
    views: list[dict[str, Any]] = [
        {"consideration": each, "view": "not_discussed" if at else "agrees"}
        for at, each in enumerate(outcomes.offered(result))
    ]
    body = {**_BY, "decision": _DECISIONS[kind], "result_id": result_id, "version": result["version"], "views": views}
    # a second time the result may be at a later version: the key is of what was decided
    key = _key(seed, f"{meeting}-{kind}-outcome", _DECISIONS[kind])
    outcomes.record_outcome(context, meeting, result["patient_id"], body, key)


def _key(seed: int, name: str, body: Any) -> Key:
    return Key(f"demo-{seed}-meeting-{name}".replace(" ", "-"), f"demo {seed}", body)
