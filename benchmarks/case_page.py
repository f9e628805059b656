"""The case page with 1,000 results stored on SQLite: server time by the request log, beside /healthz, and its weight.

Processor time is that of the whole server process, /healthz included: it says the same on a busy machine (Linux only).
"""

from __future__ import annotations

import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from app.records import migrate, open_store
from app.services import finding
from app.services.demo import make_demo
from app.services.reporting import Context, report
from benchmarks.server import free_port

PATIENTS, ROUNDS = 970, 300
_LINKED = re.compile(r'(?:href|src)="(/static/[^"]+)"')


def _fill(url: str) -> str:
    """About 1,000 results of the demo and one with the most considerations; that patient's id."""
    migrate(url)
    store = open_store(url)
    store.append_organisation("bench")
    context = Context(store, "bench")
    for _ in make_demo(context, PATIENTS, 1):
        pass
    markers = ("pam50_luminal", "erbb2_mutation", "pik3ca_mutation", "esr1_high", "aib1_high", "pam50_her2_enriched")
    beside: dict[str, Any] = {"er": "positive", "pgr": "positive", "setting": "adjuvant", "menopausal_status": "post"}
    beside |= {"line": 1, "prior_therapies": ["trastuzumab"]}
    beside["biomarkers"] = dict.fromkeys((*markers, "fish_ratio_low"), "positive")
    specimen = {"accession": "MOST-1", "block": "A1", "kind": "primary", "invasive": True, "breast_carcinoma": True}
    ish = {"assay": "dual_probe", "ratio": "2.30", "her2_copies": "6.50", "cells": 40}
    body = {"patient": "MOST", "laboratory": "North", "ihc": "3+", "ish": ish, "specimen": specimen, "context": beside}
    reply = report(context, body, None)
    patient_id = finding.find_result(context, str(reply.result_id))["patient_id"]
    store.close()
    return str(patient_id)


def _ready(client: httpx.Client) -> None:
    for _ in range(400):
        try:
            client.get("/healthz")
            return
        except httpx.TransportError:
            time.sleep(0.05)
    raise SystemExit("the server did not start")


def _processor(pid: int) -> float:
    """Milliseconds of processor time that a process has used."""
    stat = Path(f"/proc/{pid}/stat")
    if not stat.exists():
        return 0.0
    user, system = stat.read_text().rsplit(")", 1)[1].split()[11:13]
    return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


def _weigh(client: httpx.Client, path: str) -> int:
    """Bytes of a page with all that it links from static/."""
    page = client.get(path)
    linked = set(_LINKED.findall(page.text))
    return len(page.content) + sum(len(client.get(each).content) for each in linked)


def main() -> None:
    """Print medians, 99th percentiles and weights."""
    with tempfile.TemporaryDirectory() as folder:
        url, port, log = f"sqlite:///{Path(folder)}/bench.sqlite3", free_port(), Path(folder) / "log"
        most = _fill(url)
        env = {**os.environ, "HERALD_DATABASE_URL": url, "HERALD_ORGANISATION": "bench", "HERALD_LOG_LEVEL": "info"}
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(port)]
        with log.open("wb") as told:
            server = subprocess.Popen(command, env=env, stdout=told, stderr=told)
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as client:
                _ready(client)
                results: list[dict[str, Any]] = []
                cursor = None
                while cursor is not None or not results:
                    page = client.get(
                        "/results", params={"limit": 500, **({"cursor": cursor} if cursor else {})}
                    ).json()
                    results += page["items"]
                    cursor = page["next_cursor"]
                patients = sorted({each["patient_id"] for each in results})
                print(f"{len(results)} results of {len(patients)} patients")
                lanes = {"most considerations": [most], "patients in turn": patients}
                for name, ids in lanes.items():
                    began = _processor(server.pid)
                    for turn in range(ROUNDS):
                        client.get("/healthz")
                        assert client.get(f"/browser/patients/{ids[turn % len(ids)]}").status_code == 200
                    spent = (_processor(server.pid) - began) / ROUNDS
                    _tell(name, log, "/browser/patients/{patient_id}")
                    print(f"{name}: processor time {spent:.2f} ms a page")
                for _ in range(ROUNDS):
                    client.get("/browser/cases")
                _tell("list of cases", log, "/browser/cases")
                print(
                    f"weight, most considerations: {_weigh(client, f'/browser/patients/{most}') / 1000:.1f} kB in all"
                )
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()


def _tell(name: str, log: Path, route: str) -> None:
    """The last requests of a route, and of /healthz, by the log's milliseconds."""
    time.sleep(0.5)
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    for asked in (route, "/healthz"):
        took = [each["milliseconds"] for each in lines if each.get("route") == asked][-ROUNDS:]
        cut = statistics.quantiles(took, n=100)[98]
        print(f"{name}: {asked}: median {statistics.median(took):.2f} ms, p99 {cut:.2f} ms, n = {len(took)}")


if __name__ == "__main__":
    main()
