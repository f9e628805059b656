"""The address of every page: some are fixed, the others need an id of the demo's records."""

from __future__ import annotations

import re
from typing import Any

from tests.journeys.server import Server

FIXED = {
    "calculator": "/",
    "calculator, two editions": "/?ihc=2%2B&ratio=%3E1.8&copies=4.5&beside=asco-cap-2013",
    "calculator, near the thresholds": "/?ihc=2%2B&ratio=1.99&copies=4.01&cep17=2.02&cells=20",
    "calculator, refused": "/?ihc=2%2B&ratio=many&copies=-3",
    "guideline": "/guidelines/asco-cap-2018?format=html",
    "guideline of 2013": "/guidelines/asco-cap-2013?format=html",
    "messages": "/browser/messages",
    "paste a message": "/browser/messages/paste",
    "cases": "/browser/cases",
    "cases, none found": "/browser/cases?accession=none",
    "meetings": "/browser/meetings",
    "smart start": "/smart/start",
    "evidence": "/browser/evidence",
    "evidence, searched": "/browser/evidence?q=trastuzumab&design=randomised",
    "evidence, none found": "/browser/evidence?q=nowhere",
    "statement": "/browser/evidence/ihc-screens-fish-confirms",
    "element": "/browser/element",
    "webhooks": "/browser/webhooks",
    "refusal": "/browser/results/none/history",
    "refusal, code": "/s/NOSUCHCODE",
    "embed, classify": "/embed/classify?ihc=2%2B&ratio=1.5&copies=4.5",
}
# What the demo made, by accession.
CASES = {
    "case, final": "DEMO-1-0000-A",
    "case, not final": "DEMO-1-0011-A",
    "case, equivocal": "DEMO-1-0006-A",
    "case, amended": "DEMO-1-0019-A",
    "case, changed in metastasis": "DEMO-1-0026-B",
}
_OF_RESULTS = ("history", "sheet", "sheet, not final", "code, superseded", "embed, result", "embed, not final")
_OF_MEETINGS = (
    "meeting",
    "meeting, past",
    "meeting's case",
    "meeting's case, decided",
    "presenter",
    "print of a meeting",
)
FOUND = (
    *CASES,
    *_OF_RESULTS,
    *_OF_MEETINGS,
    "add to a meeting",
    "message, recorded",
    "message, quarantined",
    "webhook",
)
BARE = ("embed, classify", "embed, result", "embed, not final")
"""Pages for a frame: without the site's header."""


def result(site: Server, accession: str) -> dict[str, Any]:
    """The row of a result by its accession."""
    (row,) = site.http.get("/results", params={"accession": accession}).json()["items"]
    found: dict[str, Any] = row
    return found


def find(site: Server) -> dict[str, str]:
    """The path of each page, by its name in FIXED and FOUND."""
    rows = {name: result(site, accession) for name, accession in CASES.items()}
    pages = {name: f"/browser/patients/{row['patient_id']}" for name, row in rows.items()}
    amended, pending = rows["case, amended"]["id"], rows["case, not final"]["id"]
    pages |= {
        "history": f"/browser/results/{amended}/history",
        "sheet": f"/browser/results/{amended}/sheet",
        "sheet, not final": f"/browser/results/{pending}/sheet",
        "code, superseded": _code_superseded(site),
        "embed, result": f"/embed/result/{amended}",
        "embed, not final": f"/embed/result/{pending}",
        "add to a meeting": f"/browser/meetings?patient={rows['case, final']['patient_id']}",
        **_meetings(site),
        "webhook": f"/browser/webhooks/{site.http.get('/webhooks').json()['items'][0]['id']}",
    }
    for state in ("recorded", "quarantined"):
        pages[f"message, {state}"] = _message(site, state)
    return FIXED | pages


def _code_superseded(site: Server) -> str:
    """The short code of a sheet whose result was amended after the sheet was made."""
    case = {"patient": "SHEET-1", "laboratory": "North", "ihc": "2+"}
    made = site.http.post("/results", json=case).json()
    page = site.http.post(f"/browser/results/{made['id']}/sheet", follow_redirects=True).text
    match = re.search(r"/s/[A-Z0-9]+", page)
    assert match, "the sheet names its code"
    change = {"name": "Dr A. Reader", "role": "pathologist", "reason": "score typed wrong", "changes": {"ihc": "3+"}}
    amended = site.http.post(f"/results/{made['id']}/amendments", json=change)
    assert amended.status_code == 201, amended.text
    return match[0]


def _meetings(site: Server) -> dict[str, str]:
    listed = [
        each for each in site.http.get("/meetings").json()["items"] if each["title"] == "Breast board (synthetic)"
    ]
    past, coming = (f"/browser/meetings/{each['id']}" for each in sorted(listed, key=lambda each: each["held_on"]))
    first = {path: site.http.get(path.removeprefix("/browser")).json()["cases"][0] for path in (past, coming)}
    return {
        "meeting": coming,
        "meeting, past": past,
        "meeting's case": f"{coming}/cases/{first[coming]['patient_id']}",
        "meeting's case, decided": f"{past}/cases/{first[past]['patient_id']}",
        "presenter": f"{coming}/present",
        "print of a meeting": f"{past}/print",
    }


def _message(site: Server, state: str) -> str:
    found = site.http.get("/messages", params={"state": state}).json()["items"]
    return f"/browser/messages/{next(each['id'] for each in found if each['control_id'])}"
