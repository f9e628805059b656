"""The three users against a plain `uvicorn --factory`: identifiers in addresses, both sides, all pages in a browser.

They ask by herald_client; test_over_a_socket.py asks `herald serve` for the rest of what they do, by plain HTTP.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest

from herald_client import Herald, Stale
from herald_client.answers import Result
from herald_client.sent import Amendment, Report, SignOff

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
WIDTHS = (1280, 360)
PATIENT, SYSTEM, ACCESSION, PERSON_NAME = "Erika-Mustermann-1958", "urn:clinic-mrn", "S26-GEHEIM", "Dr Vertraulich"
IDENTIFIERS = (PATIENT, SYSTEM, ACCESSION, PERSON_NAME)
PERSON: SignOff = {"name": PERSON_NAME, "role": "pathologist"}
CORRECTION: Amendment = {
    "name": PERSON_NAME,
    "role": "pathologist",
    "reason": "score typed wrong",
    "changes": {"ihc": "3+"},
}
REPORT: Report = {
    "patient": {"value": PATIENT, "system": SYSTEM},
    "laboratory": "North",
    "specimen": {"accession": ACCESSION, "block": "A1", "kind": "primary", "collected_at": "2026-01-05"},
    "ihc": "2+",
    "ish": {"assay": "dual_probe", "ratio": "1.80", "her2_copies": "4.5", "cells": 40},
    "context": {"er": "positive", "setting": "metastatic", "line": 1},
}
EDITIONS = ("asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007")
_PATIENCE = 60


@dataclass
class Seen:
    """What a browser saw: by edition its row ids and its page, by edition and width how wide it was."""

    origin: str = ""
    asked: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    rows: dict[str, list[str]] = field(default_factory=dict)
    pages: dict[str, str] = field(default_factory=dict)
    widths: dict[tuple[str, int], int] = field(default_factory=dict)


class Served:
    """A running process. http and herald: clients for it; log: all it wrote."""

    def __init__(self, url: str, folder: Path) -> None:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        self._log = folder / "stderr.log"
        command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", str(port)]
        env = {**os.environ, "HERALD_DATABASE_URL": url}
        with self._log.open("wb") as errors:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=errors, stderr=errors)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE)
        self.herald = Herald(f"http://127.0.0.1:{port}", sender="North LIS", timeout=_PATIENCE)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait(self) -> None:
        """Until it answers; an error with its log where it ends first."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if self.http.get("/readyz").status_code == 200:
                    return
            time.sleep(0.1)
        raise AssertionError(f"not started: {self.log}")

    def stop(self) -> int:
        self.http.close()
        self.herald.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@contextlib.contextmanager
def _serving(url: str, folder: Path) -> Iterator[Served]:
    server = Served(url, folder)
    try:
        server.wait()
        yield server
    finally:
        server.stop()


def _a_lis(herald: Herald) -> Result:
    """Report, repeat, amend, sign; the result as it then is."""
    first = herald.report(REPORT, key=ACCESSION)
    assert herald.report(REPORT, key=ACCESSION) == first
    assert len(list(herald.list_results(accession=ACCESSION))) == 1
    id_ = str(first["id"])
    amended = herald.amend(id_, CORRECTION, version=1)
    assert amended["version"] == 2
    with pytest.raises(Stale) as stale:
        herald.amend(id_, CORRECTION, version=1)
    assert stale.value.current_version == 2
    assert herald.sign_off(id_, PERSON, version=2)["confirmation"] == "confirmed"
    return herald.find_result(id_)


def _software(server: Served) -> None:
    """Ask on one connection: the pool may hold no other."""
    limits = httpx.Limits(max_connections=1)
    with httpx.Client(base_url=server.http.base_url, timeout=_PATIENCE, limits=limits) as http:
        streams = set()
        for _ in range(20):
            answer = http.get("/her2/classify", params={"ihc": "3+"})
            assert answer.json()["status"] == "positive"
            streams.add(answer.extensions["network_stream"].get_extra_info("client_addr"))
        assert len(streams) == 1


def _a_tumour_board(herald: Herald, result: Result) -> None:
    """Timeline by pseudonym and by id, what changed and why, what speaks for and against."""
    herald.report(
        {
            "patient": REPORT["patient"],
            "specimen": {"accession": "S26-99", "kind": "metastasis", "collected_at": "2026-06-01"},
            "ihc": "1+",
        }
    )
    timeline = herald.timeline(PATIENT, system=SYSTEM)
    assert [row["status"] for row in timeline["results"]] == ["positive", "negative"]
    assert timeline["changes"]
    assert herald.timeline(str(result["patient_id"])) == timeline
    before, after = herald.history(str(result["id"]))["versions"]
    assert (before["version"], after["version"]) == (1, 2)
    assert (after["name"], after["reason"]) == (PERSON_NAME, "score typed wrong")
    assert ("ihc", "2+", "3+") in [(each["field"], each["before"], each["after"]) for each in after["changes"]]
    assert result["classification"] is not None
    weighed = result["classification"]["considerations"]["considerations"]
    assert any(each["for"] for each in weighed)
    assert any(each["against"] for each in weighed)
    assert all(each["against"] or each["against_note"] for each in weighed)


def test_the_three_users_and_no_line_of_the_log_names_whom_it_is_about(bare_url: str, tmp_path: Path) -> None:
    with _serving(bare_url, tmp_path) as server:
        assert server.http.get("/healthz").json()["status"] == "ok"
        assert server.http.get("/readyz").json()["status"] == "ready"
        result = _a_lis(server.herald)
        _software(server)
        _a_tumour_board(server.herald, result)
        # refused, with identifiers where they are refused
        for response in (
            server.http.get(f"/results/{PATIENT}"),
            server.http.get("/results", params={"limit": PATIENT}),
            server.http.post("/results", json={**REPORT, "ihc": ACCESSION, PATIENT: 1}),
            server.http.post(f"/results/{result['id']}/sign-offs", json=PERSON, headers={"If-Match": PATIENT}),
        ):
            assert 400 <= response.status_code < 500
            assert response.headers["content-type"] == "application/problem+json"
    assert server.process.returncode in (0, -signal.SIGTERM)
    assert '"event": "started"' in server.log
    assert "/patients/" in server.log, "requests are logged, by their route"
    assert [name for name in IDENTIFIERS if name in server.log] == []
    assert "Traceback" not in server.log


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Seen:
    """Each edition's page opened in a browser at each width."""
    if not CHROMIUM.exists():
        pytest.skip("Debian's chromium is not installed")
    sync_api = pytest.importorskip("playwright.sync_api")
    folder = tmp_path_factory.mktemp("browser")
    seen = Seen()
    with _serving(f"sqlite:///{folder}/herald.sqlite3", folder) as server, sync_api.sync_playwright() as playwright:
        seen.origin = str(server.http.base_url).rstrip("/")
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        page = browser.new_page()
        page.on("request", lambda request: seen.asked.append(request.url))
        page.on(
            "console", lambda told: seen.wrong.append(f"{told.text} {told.location}") if told.type == "error" else 0
        )
        page.on("pageerror", lambda error: seen.wrong.append(str(error)))
        for edition in EDITIONS:
            tables = server.http.get(f"/guidelines/{edition}").json()["tables"]
            seen.rows[edition] = [row["id"] for table in tables for row in table["rows"]]
            for width in WIDTHS:
                page.set_viewport_size({"width": width, "height": 800})
                page.goto(f"{seen.origin}/guidelines/{edition}?format=html")
                seen.widths[edition, width] = page.evaluate("document.documentElement.scrollWidth")
                seen.pages[edition] = page.content()
        browser.close()
    return seen


def test_each_page_in_a_browser_shows_every_row_scrolls_not_sideways_and_asks_nobody_else(seen: Seen) -> None:
    for edition in EDITIONS:
        assert seen.rows[edition]
        assert [each for each in seen.rows[edition] if each not in seen.pages[edition]] == [], edition
    assert {at: wide for at, wide in seen.widths.items() if wide > at[1]} == {}
    assert [url for url in seen.asked if not url.startswith(f"{seen.origin}/")] == []


def test_each_page_in_a_browser_says_nothing_in_the_console(seen: Seen) -> None:
    assert seen.wrong == []
