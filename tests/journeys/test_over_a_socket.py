"""The three users over a real socket against a real server process, on both databases."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

CHROMIUM = Path("/usr/bin/chromium")
PATIENT = "Erika-Mustermann-1958"
REPORT = {
    "patient": PATIENT,
    "laboratory": "North",
    "specimen": {"accession": "S26-77", "block": "A1", "kind": "primary", "collected_at": "2026-01-05"},
    "ihc": "2+",
    "ish": {"assay": "dual_probe", "ratio": 1.80, "her2_copies": "4.5", "cells": 40},
    "context": {"er": "positive", "setting": "metastatic", "line": 1},
}


@dataclass
class Served:
    http: httpx.Client
    process: subprocess.Popen[bytes]
    log: Path


@pytest.fixture
def served(bare_url: str, tmp_path: Path) -> Iterator[Served]:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
    log = tmp_path / "stderr.log"
    env = {**os.environ, "HERALD_DATABASE_URL": bare_url}
    command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
    with log.open("wb") as errors:
        process = subprocess.Popen(command, env=env, stderr=errors, stdout=errors)
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=20) as http:
        for _ in range(300):
            try:
                if http.get("/readyz").status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.1)
        else:
            raise AssertionError(log.read_text())
        yield Served(http, process, log)
    process.send_signal(signal.SIGTERM)
    process.wait(20)


def test_a_lis_reports_repeats_amends_and_signs_and_no_log_names_the_patient(served: Served) -> None:
    key = {"Idempotency-Key": "S26-77-A1"}
    first = served.http.post("/results", json=REPORT, headers=key)
    again = served.http.post("/results", json=REPORT, headers=key)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    result = first.json()
    assert result["confirmation"] == "computed, not yet confirmed"
    assert [step["awaited"] for step in result["open_steps"]] == ["blinded_recount_ihc2_area"]

    person = {"name": "Dr A", "role": "pathologist"}
    correction = {**person, "reason": "score typed wrong", "changes": {"ihc": "3+"}}
    path = f"/results/{result['id']}"
    amended = served.http.post(f"{path}/amendments", json=correction, headers={"If-Match": first.headers["ETag"]})
    assert amended.json()["classification"]["status"] == "positive"
    stale = served.http.post(f"{path}/amendments", json=correction, headers={"If-Match": first.headers["ETag"]})
    assert stale.status_code == 412
    assert served.http.post(f"{path}/sign-offs", json=person).json()["confirmation"] == "confirmed"
    assert served.http.get("/open-steps").json()["items"] == []

    served.process.send_signal(signal.SIGTERM)
    assert served.process.wait(20) in (0, -signal.SIGTERM)
    assert "Mustermann" not in served.log.read_text()
    assert "/results" in served.log.read_text()


def test_software_asks_many_times_on_one_connection(served: Served) -> None:
    for _ in range(200):
        answer = served.http.get("/her2/classify", params={"ihc": "2+", "ratio": "1.1", "copies": "2.4", "cells": "40"})
        assert answer.json()["her2_low"] == "low"
    posted = served.http.post("/her2/classify", json={"ihc": "2+", "ratio": "1.1", "copies": "2.4", "cells": 40})
    assert posted.json() == answer.json()


def test_a_tumour_board_reads_timeline_history_and_both_sides(served: Served) -> None:
    served.http.post(
        "/results", json={**REPORT, "ihc": "1+", "ish": {"ratio": "1.1", "her2_copies": "2.1", "cells": 40}}
    )
    later = {"accession": "S26-99", "kind": "metastasis", "collected_at": "2026-06-01"}
    second = served.http.post("/results", json={**REPORT, "specimen": later, "ihc": "3+", "ish": None})
    timeline = served.http.get(f"/patients/{PATIENT}/her2").json()
    assert [row["status"] for row in timeline["results"]] == ["negative", "positive"]
    assert "HER2 status changed from negative to positive" in [change["text"] for change in timeline["changes"]]
    weighed = second.json()["classification"]["considerations"]["considerations"]
    assert weighed
    assert all(each["against"] or each["against_note"] for each in weighed)
    assert len(served.http.get(f"/results/{second.json()['id']}/history").json()["versions"]) == 1


def test_the_page_of_an_edition_shows_every_row_of_its_tables(served: Served) -> None:
    document = served.http.get("/guidelines/asco-cap-2018").json()
    page = served.http.get("/guidelines/asco-cap-2018", headers={"Accept": "text/html"}).text
    for table in document["tables"]:
        assert table["title"].replace("'", "&#39;") in page
        for row in table["rows"]:
            assert row["id"] in page


@pytest.mark.skipif(not CHROMIUM.exists(), reason="Debian's chromium is not installed")
@pytest.mark.parametrize("width", [1280, 360])
def test_the_page_in_a_browser(served: Served, width: int) -> None:
    from playwright.sync_api import sync_playwright

    origin = str(served.http.base_url)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": width, "height": 800})
        asked: list[str] = []
        wrong: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)
        page.goto(f"{origin}/guidelines/asco-cap-2018?format=html")
        assert page.locator("h1").inner_text().startswith("ASCO/CAP HER2 testing")
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        browser.close()
    assert [url for url in asked if not url.startswith(origin)] == []
    assert wrong == []
