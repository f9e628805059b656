"""Cases to send, and what an answer must hold."""

from __future__ import annotations

from typing import Any

import httpx

Case = dict[str, Any]

GROUP_4 = {"ihc": "2+", "ish": {"assay": "dual_probe", "ratio": "1.80", "her2_copies": "4.5", "cells": 40}}
GROUP_1 = {"ihc": "2+", "ish": {"assay": "dual_probe", "ratio": "2.5", "her2_copies": "6.5", "cells": 40}}
GROUP_5 = {"ihc": "2+", "ish": {"assay": "dual_probe", "ratio": "1.2", "her2_copies": "2.4", "cells": 40}}
AWAITS_ISH = {"ihc": "2+"}
POSITIVE = {"ihc": "3+"}
NEGATIVE = {"ihc": "1+"}
PERSON = {"name": "Dr A. Reader", "role": "pathologist", "reason": "second reading"}

ANSWER_FIELDS = {
    "status", "final", "summary", "ish_group", "ish_result", "fda_ratio", "her2_low", "comment", "report_notes",
    "notes", "next_steps", "flags", "review_required", "retest", "problems", "texts", "measured", "policy", "trace",
    "worlds", "edition", "evidence", "engine", "considerations",
}  # fmt: skip


def recount(**count: Any) -> Case:
    """A second count that can be used; with changes."""
    usable = {"ratio": "1.7", "her2_copies": "4.4", "cells": 20, "blinded": True, "in_ihc_2plus_area": True}
    return {"name": "Dr B. Counter", "role": "second observer", "count": {**usable, **count}}


def versions_missing(answer: Case) -> list[str]:
    """The version stamps that an answer lacks: identity, version and digest of edition and pack, and the engine."""
    wanted = [(part, name) for part in ("edition", "evidence") for name in ("id", "version", "digest")]
    wanted += [("edition", name) for name in ("title", "errata_date")]
    missing = [f"{part}.{name}" for part, name in wanted if not (answer.get(part) or {}).get(name)]
    errata = (answer.get("edition") or {}).get("errata")
    missing += [] if isinstance(errata, int) else ["edition.errata"]
    digests = [(answer.get(part) or {}).get("digest") or "" for part in ("edition", "evidence")]
    missing += [] if all(len(digest) == 64 for digest in digests) else ["digest of 64 characters"]
    return missing if answer.get("engine") else [*missing, "engine"]


def problem(response: httpx.Response, status: int, kind: str) -> Case:
    """The problem document of an answer, after checking that it is one by RFC 9457."""
    assert response.status_code == status, f"{response.status_code}: {response.text[:500]}"
    assert response.headers["content-type"] == "application/problem+json"
    document: Case = response.json()
    assert document["type"] == f"urn:herald:problem:{kind}"
    assert document["status"] == status
    assert document["title"]
    assert document["detail"]
    for each in document["problems"]:
        assert set(each) == {"code", "field", "message", "remedy"}
        assert all(isinstance(value, str) and value for value in each.values()), each
    assert "Traceback" not in response.text
    assert 'File "' not in response.text
    return document


def fields_of(document: Case) -> list[str]:
    return sorted(each["field"] for each in document["problems"])
