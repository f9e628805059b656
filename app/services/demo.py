"""A synthetic organisation: patients that never lived, so that every group, status and verb can be looked at.

HER2 copies are drawn around the published means (null 1.95, ultralow 2.03, 1+ 2.25, 2+ not amplified 3.29).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from app.services import acts, finding
from app.services.demo_feeds import make_feeds, make_webhook
from app.services.demo_meetings import make_meetings
from app.services.errors import Refusal
from app.services.reporting import Context, Key, Reply, report

Document = dict[str, Any]
_COPIES = {"null": (1.95, 0.54), "ultralow": (2.03, 0.43), "1+": (2.25, 0.65), "2+": (3.29, 0.6)}
_KEPT = 36_500
_SETTINGS = ("metastatic", "adjuvant", "neoadjuvant")


@dataclass
class Made:
    """What was made: how many of each kind, what was refused, and ids worth a look."""

    counts: Counter[str] = field(default_factory=Counter)
    refused: list[tuple[str, str, str]] = field(default_factory=list)
    look_at: dict[str, str] = field(default_factory=dict)
    replayed: int = 0


def make_demo(context: Context, patients: int, seed: int) -> Iterator[Made]:
    """Fill the context's organisation; yields after each patient. The same seed twice stores nothing twice.

    A webhook is there before them; after the last come a few messages of a LIS and two meetings, look_at["meeting"] the
    one to come.

    Raises Refusal where the keys of this seed were used for other patients (by another version of Herald).
    """
    # The keys have to outlive any setting, or a demo run later would double.
    context = replace(context, idempotency_days=_KEPT)
    rng, made = random.Random(seed), Made()
    make_webhook(context, seed)
    for number in range(patients):
        _patient(context, rng, made, number, seed)
        yield made
    for state, many in make_feeds(context, seed).items():
        made.counts[f"messages {state}"] += many
    if meeting := make_meetings(context, made.look_at, seed):
        made.look_at["meeting"] = meeting


def _patient(context: Context, rng: random.Random, made: Made, number: int, seed: int) -> None:
    kind, patient = _KINDS[number % len(_KINDS)], f"DEMO-{seed}-{number:04d}"
    made.counts["patients"] += 1
    for part, document in enumerate(_documents(kind, rng, patient)):
        key = f"demo-{seed}-{number}-{part}"
        try:
            reply = report(context, document, Key(key, "POST /results", document))
        except Refusal as refused:
            if refused.kind != "invalid":
                raise
            made.counts["reports refused, then sent corrected"] += 1
            made.refused += [(kind, problem.field, problem.code) for problem in refused.problems]
            continue
        made.replayed += reply.replayed
        _count(made, kind, _follow(context, kind, reply, key, made))
    if kind == "changed in metastasis":
        made.counts["changes of status between specimens"] += len(
            finding.find_timeline(context, patient, None)["changes"]
        )
        made.look_at.setdefault("patient", patient)


def _count(made: Made, kind: str, reply: Reply) -> None:
    """Count a result as it stands after what persons did."""
    answer = reply.body["classification"]
    made.counts["results"] += 1
    made.counts[f"status {answer['status']}"] += 1
    made.counts[f"HER2-low {answer['her2_low']}"] += 1
    if answer["ish_group"]:
        made.counts[f"ISH group {answer['ish_group']}"] += 1
    made.look_at.setdefault(kind, str(reply.result_id))


def _follow(context: Context, kind: str, reply: Reply, key: str, made: Made) -> Reply:
    """What persons do afterwards: count again, adjudicate, amend, sign. The newest answer."""
    person = {"name": "Dr Demo", "role": "pathologist"}
    steps: list[tuple[str, Document]] = []
    if kind in ("recount agrees", "recount differs", "adjudicated"):
        ratio, copies = ("1.6", "4.5") if kind == "recount agrees" else ("2.3", "5.0")
        count = {"ratio": ratio, "her2_copies": copies, "cells": 25, "blinded": True, "in_ihc_2plus_area": True}
        steps.append(("recount", {**person, "name": "Dr Second", "count": count}))
    if kind == "adjudicated":
        steps.append(("adjudication", {**person, "reason": "third reading, laboratory procedure", "group": 1}))
    if kind == "amended":
        steps.append(("amendment", {**person, "reason": "score typed wrong", "changes": {"ihc": "3+"}}))
    if kind in ("3+", "null", "recount agrees", "adjudicated", "amended"):
        steps.append(("sign-off", person))
    verbs = {
        "recount": acts.record_recount,
        "adjudication": acts.record_adjudication,
        "amendment": acts.amend,
        "sign-off": acts.sign_off,
    }
    result_id = reply.result_id or ""
    for place, (verb, body) in enumerate(steps):
        reply = verbs[verb](context, result_id, body, Key(f"{key}-{place}", f"POST {verb} {result_id}", body), None)
        made.counts[f"{verb}s"] += 1
    return reply


def _documents(kind: str, rng: random.Random, patient: str) -> Iterator[Document]:
    """The reports of one patient: one, or a primary and its metastasis, or a refused one and its correction."""
    base: Document = {
        "patient": patient,
        "laboratory": rng.choice(["North (synthetic)", "South (synthetic)"]),
        "context": {
            "er": rng.choice(["positive", "positive", "positive", "negative", "unknown"]),
            "setting": rng.choice(_SETTINGS),
            "menopausal_status": rng.choice(["pre", "post", "post"]),
        },
    }
    specimen = {
        "accession": f"{patient}-A",
        "block": "A1",
        "kind": "primary",
        "procedure": rng.choice(["core", "core", "excision"]),
        "invasive": True,
        "breast_carcinoma": True,
        "collected_at": f"2025-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}",
        "grade": rng.choice([1, 2, 2, 3]),
        "histology": rng.choice(["ductal", "ductal", "lobular", "mucinous"]),
    }
    yield {**base, "specimen": specimen, **_tests(kind, rng)}
    if kind == "changed in metastasis":
        later = {"accession": f"{patient}-B", "block": "B1", "kind": "metastasis", "collected_at": "2026-06-15"}
        yield {**base, "specimen": specimen | later, "ihc": "3+"}
    if kind in _CORRECTED:
        yield {**base, "specimen": specimen, "ihc": "2+", "ish": _CORRECTED[kind]}


def _dual(ratio: float, copies: float, cells: int = 40) -> Document:
    return {"ish": {"assay": "dual_probe", "ratio": f"{ratio:.2f}", "her2_copies": f"{copies:.2f}", "cells": cells}}


def _drawn(rng: random.Random, name: str) -> float:
    mean, deviation = _COPIES[name]
    return min(max(rng.gauss(mean, deviation), 1.0), 3.9)


def _tests(kind: str, rng: random.Random) -> Document:
    """The assays of one kind of case."""
    low_ratio = rng.uniform(0.9, 1.6)
    tests: dict[str, Document] = {
        "3+": {"ihc": {"score": "3+", "membrane": "complete", "intensity": "intense", "percent": "80"}},
        "null": {"ihc": {"score": "0", "membrane": "none"}, **_dual(low_ratio, _drawn(rng, "null"))},
        "ultralow": {"ihc": "0+", **_dual(low_ratio, _drawn(rng, "ultralow"))},
        "zero, staining not told": {"ihc": "0"},
        "1+": {"ihc": "1+", **_dual(low_ratio, _drawn(rng, "1+"))},
        "2+ group 5": {"ihc": "2+", **_dual(low_ratio, _drawn(rng, "2+"))},
        "2+ waits for ISH": {"ihc": "2+"},
        "group 1": {"ihc": "2+", **_dual(rng.uniform(2.3, 6), rng.uniform(6, 20))},
        "group 1, IHC 1+": {"ihc": "1+", **_dual(rng.uniform(2.3, 3), rng.uniform(5, 8))},
        "group 5, IHC 3+": {"ihc": "3+", **_dual(low_ratio, 2.5)},
        "group 2": {"ihc": "1+", **_dual(2.2, 3.4)},
        "group 2, 2+": {"ihc": "2+", **_dual(2.15, 3.6)},
        "group 3": {"ihc": "1+", **_dual(1.7, 6.4)},
        "group 3, 2+": {"ihc": "2+", **_dual(1.8, 6.2)},
        "group 4": {"ihc": "1+", **_dual(1.5, 4.8)},
        "recount agrees": {"ihc": "2+", **_dual(1.5, 4.6)},
        "recount differs": {"ihc": "2+", **_dual(1.9, 5.2)},
        "adjudicated": {"ihc": "2+", **_dual(1.9, 5.4)},
        "group 4 without IHC": _dual(1.6, 4.4),
        "amended": {"ihc": "2+"},
        "few cells": {"ihc": "2+", **_dual(1.2, 3.0, cells=12)},
        "ISH failed": {"ihc": "2+", "ish": {"assay": "dual_probe", "failed": True}},
        "single probe": {"ihc": "2+", "ish": {"assay": "single_probe", "her2_copies": "4.6", "cells": 30}},
        "totals": {"ihc": "2+", "ish": {"her2_signals": 143, "cep17_signals": 48, "cells": 30}},
        "interval": {"ihc": "2+", "ish": {"ratio": ">1.8", "her2_copies": "5.0", "cells": 30}},
        "cluster": {
            "ihc": "1+",
            **_dual(1.1, 2.2),
            "cluster": {"share_percent": "25", "ratio": "3.1", "her2_copies": "8.0", "cells": 25},
        },
        "changed in metastasis": {"ihc": "1+"},
        "totals as averages": {"ihc": "2+", "ish": {"ratio": "1.1", "her2_copies": "185", "cep17_copies": "160"}},
        "contradiction": {"ihc": "2+", "ish": {"ratio": "2.2", "her2_copies": "3.2", "cep17_copies": "2.7"}},
    }
    return tests[kind]


# What is sent after the refusal: totals in their own fields, the ratio typed right.
_CORRECTED: dict[str, Document] = {
    "totals as averages": {"her2_signals": 185, "cep17_signals": 160, "cells": 60},
    "contradiction": {"ratio": "1.2", "her2_copies": "3.2", "cep17_copies": "2.7", "cells": 40},
}
_KINDS = (
    "3+", "null", "ultralow", "zero, staining not told", "1+", "2+ group 5", "2+ waits for ISH", "group 1",
    "group 1, IHC 1+", "group 5, IHC 3+", "group 2", "group 2, 2+", "group 3", "group 3, 2+", "group 4",
    "recount agrees", "recount differs", "adjudicated", "group 4 without IHC", "amended", "few cells", "ISH failed",
    "single probe", "totals", "interval", "cluster", "changed in metastasis", "totals as averages", "contradiction",
)  # fmt: skip


def open_steps(context: Context) -> int:
    """How many steps are open now."""
    total, cursor = 0, None
    while True:
        page = finding.list_open_steps(context, {}, cursor, 500)
        total, cursor = total + len(page["items"]), page["next_cursor"]
        if cursor is None:
            return total
