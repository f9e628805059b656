"""POST /her2/classify against a FastAPI route with the same models that does nothing: same process, same run.

One worker of uvicorn on loopback, a client process of plain sockets with keep-alive; the routes take turns.
A third lane, a bare Starlette echo of the same bytes, shows what the server itself costs.
"""

from __future__ import annotations

import json
import os
import random
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from benchmarks.server import free_port, wait

CONNECTIONS, SECONDS, ROUNDS = 8, 2.0, 5


def create_app() -> FastAPI:
    """The service with two idle routes beside it."""
    from app.api.answers import Answer
    from app.api.schemas import Case
    from app.main import create_app as service
    from app.services.assessment import assess
    from app.settings import Settings

    app = service(Settings(log_level="error"))
    constant = assess({"ihc": "1+", "ish": {"ratio": "1.13", "her2_copies": "2.45", "cells": 40}}).answer
    told = json.dumps(constant).encode()

    beside = {"er": "positive", "setting": "metastatic"}
    weighed = assess(
        {"ihc": "3+", "ish": {"ratio": "2.5", "her2_copies": "6.5", "cells": 40}, "context": beside}
    ).answer

    @app.post("/idle", response_model=Answer)
    async def idle(case: Case) -> Any:
        return constant if case.context is None else weighed

    @app.post("/echo")
    async def echo(request: Request) -> Response:
        await request.body()
        return Response(told, media_type="application/json")

    return app


def bodies(context: bool) -> list[bytes]:
    """Cases with numbers drawn anew in each round, two places each: as laboratories write them, seldom the same."""
    rng = random.Random()
    drawn = []
    for _ in range(20_000):
        ish = {
            "assay": "dual_probe",
            "ratio": f"{rng.uniform(0.8, 3.5):.2f}",
            "her2_copies": f"{rng.uniform(1.5, 9):.2f}",
            "cells": rng.randint(20, 60),
        }
        document: dict[str, Any] = {"ihc": rng.choice(["0", "1+", "2+", "3+"]), "ish": ish}
        if context:
            document["context"] = {"er": "positive", "setting": rng.choice(["metastatic", "adjuvant", "neoadjuvant"])}
        drawn.append(json.dumps(document).encode())
    return drawn


def _connection(port: int, path: str, payloads: list[bytes], until: float, counts: list[int], place: int) -> None:
    rng = random.Random(place)
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
        while time.perf_counter() < until:
            body = rng.choice(payloads)
            link.sendall(f"{head}{len(body)}\r\n\r\n".encode() + body)
            data = link.recv(65536)
            while b"\r\n\r\n" not in data:
                data += link.recv(65536)
            front, _, rest = data.partition(b"\r\n\r\n")
            length = next(int(line[15:]) for line in front.lower().split(b"\r\n") if line.startswith(b"content-length"))
            got = len(rest)
            while got < length:
                got += len(link.recv(65536))
            # Only correct answers count.
            if front.startswith((b"HTTP/1.1 200", b"HTTP/1.1 422")):
                counts[place] += 1


def client(port: int, path: str, context: bool) -> float:
    """Requests a second over a few connections."""
    payloads, counts = bodies(context), [0] * CONNECTIONS
    until = time.perf_counter() + SECONDS
    threads = [
        threading.Thread(target=_connection, args=(port, path, payloads, until, counts, place))
        for place in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def main() -> None:
    """Print requests a second and the ratios, medians over rounds that take turns."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HERALD_DATABASE_URL": f"sqlite:///{Path(folder)}/bench.sqlite3"}
        command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.http:create_app", "--port", str(port)]
        server = subprocess.Popen([*command, "--no-access-log", "--log-level", "error"], env=env)
        try:
            wait(port)
            lanes = [
                ("/her2/classify", False),
                ("/idle", False),
                ("/echo", False),
                ("/her2/classify", True),
                ("/idle", True),
            ]
            rates: dict[tuple[str, bool], list[float]] = {lane: [] for lane in lanes}
            for lane in lanes:
                client(port, *lane)
            for _ in range(ROUNDS):
                for lane in lanes:
                    rates[lane].append(client(port, *lane))
        finally:
            server.terminate()
            server.wait()
    medians = {lane: statistics.median(values) for lane, values in rates.items()}
    for (path, context), rate in medians.items():
        print(f"{path:<16}{' with context' if context else '':<14}{rate:8.0f} requests/s")
    for context in (False, True):
        pairs = zip(rates["/her2/classify", context], rates["/idle", context], strict=True)
        ratio = statistics.median(one / other for one, other in pairs)
        print(f"ratio classify/idle{' with context' if context else ''}: {ratio:.2f}")


if __name__ == "__main__":
    main()
