"""`herald mllp` and `herald serve` as processes: real sockets, real database, stopped by a signal."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.mllp.client import Client, NoAnswer
from app.services.oru import acknowledged
from tests.mllp.desk import oru
from tests.mllp.receiver import field, receiving
from tests.mllp.wire import until

ROOT = Path(__file__).parents[2]
PATIENCE = 60


class Process:
    """A command with its own ports; ended with the test."""

    def __init__(self, url: str, log: Path, *command: str, **settings: object) -> None:
        self.mllp_port = free_port()
        told = {f"HERALD_{name.upper()}": str(value) for name, value in settings.items()}
        env = {**os.environ, "HERALD_DATABASE_URL": url, "HERALD_MLLP_PORT": str(self.mllp_port), **told}
        self.log = log
        with log.open("wb") as out:
            arguments = [sys.executable, "-m", "app.cli", *command]
            self.popen = subprocess.Popen(arguments, cwd=ROOT, env=env, stdout=out, stderr=out)

    def send(self, message: bytes) -> str:
        """The acknowledgement code, once the process listens."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self.popen.poll() is None:
            try:
                return acknowledged(asyncio.run(ask(self.mllp_port, message))).code
            except NoAnswer:
                time.sleep(0.1)
        raise AssertionError(f"no answer: {self.log.read_text()}")

    def stop(self) -> int:
        if self.popen.poll() is None:
            self.popen.send_signal(signal.SIGTERM)
        return self.popen.wait(PATIENCE)


async def ask(port: int, message: bytes) -> bytes:
    client = Client("127.0.0.1", port, seconds=PATIENCE)
    try:
        return await client.ask(message)
    finally:
        client.close()


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@pytest.fixture
def started(store_url: str, tmp_path: Path) -> Iterator[list[Process]]:
    processes: list[Process] = []
    yield processes
    for process in processes:
        process.popen.kill()
        process.popen.wait()


def test_herald_mllp_takes_messages_and_stops_when_told(store_url: str, tmp_path: Path, started: list[Process]) -> None:
    process = Process(store_url, tmp_path / "log", "mllp")
    started.append(process)
    assert process.send(oru("M1")) == "AA"
    assert process.send(oru("M1")) == "AA", "the same again"
    assert process.stop() == 0
    log = process.log.read_text()
    assert "mllp_started" in log and "mllp_stopped" in log and "P1" not in log


@pytest.mark.parametrize("store_url", ["postgresql"], indirect=True)
def test_of_several_workers_one_listens(store_url: str, tmp_path: Path, started: list[Process]) -> None:
    port = free_port()
    process = Process(store_url, tmp_path / "log", "serve", "--workers", "2", "--port", str(port))
    started.append(process)
    assert process.send(oru("M1")) == "AA"
    deadline = time.monotonic() + PATIENCE
    while "mllp_not_here" not in process.log.read_text() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    assert process.stop() == 0
    log = process.log.read_text()
    assert log.count("mllp_started") == 1 and log.count("mllp_not_here") == 1


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_port_in_use_is_told_in_one_line(store_url: str, tmp_path: Path, started: list[Process]) -> None:
    process = Process(store_url, tmp_path / "log", "mllp")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", process.mllp_port))
        taken.listen()
        started.append(process)
        assert process.popen.wait(PATIENCE) == 1
    assert "can't listen" in process.log.read_text() and "Traceback" not in process.log.read_text()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_result_goes_back_to_the_configured_receiver(store_url: str, tmp_path: Path, started: list[Process]) -> None:
    case = {"patient": "P-1", "laboratory": "North", "specimen": {"accession": "S26-1"}, "ihc": "3+"}

    async def test() -> None:
        async with receiving() as receiver:
            port = free_port()
            names = {"oru_names": "LIS|NORTH", "oru_receiver": f"127.0.0.1:{receiver.port}"}
            process = Process(store_url, tmp_path / "log", "serve", "--port", str(port), **names)
            started.append(process)
            async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=PATIENCE) as http:
                await asyncio.to_thread(process.send, oru("M1"))
                assert (await http.post("/results", json=case)).status_code == 201
                await until(lambda: len(receiver.got) == 2)
        assert [field(each, "OBR", 3) for each in receiver.got] == ["S1", "S26-1"]
        assert all(field(each, "MSH", 5) == "LIS" and field(each, "MSH", 6) == "NORTH" for each in receiver.got)

    asyncio.run(asyncio.wait_for(test(), PATIENCE))
