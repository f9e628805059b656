"""A real server process on a real socket."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[2]
_PATIENCE = 60


class Server:
    """A running process. http: a client for it; log: what it wrote to standard error."""

    def __init__(self, command: list[str], env: dict[str, str], port: int, log: Path) -> None:
        self.port, self._log = port, log
        with log.open("ab") as errors:
            self.process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=errors, stderr=errors)
        self.http = httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=_PATIENCE)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def lines(self) -> list[dict[str, Any]]:
        """The structured lines of the log."""
        return [json.loads(line) for line in self.log.splitlines() if line.startswith("{")]

    def wait(self) -> None:
        """Until it answers; an error with its log where it ends first."""
        until = time.monotonic() + _PATIENCE
        while time.monotonic() < until and self.process.poll() is None:
            with contextlib.suppress(httpx.TransportError):
                if self.http.get("/healthz").status_code == 200:
                    return
            time.sleep(0.05)
        raise AssertionError(f"not started: {self.log}")

    def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        """End the process; its exit code."""
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(_PATIENCE)

    def raw(self, *pieces: bytes, close: bool = True) -> bytes:
        """Send bytes as they are; what comes back until the server closes or is silent."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as connection:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for piece in pieces:
                    connection.sendall(piece)
                if close:
                    connection.shutdown(socket.SHUT_WR)
            told = b""
            with contextlib.suppress(TimeoutError, ConnectionResetError):
                while received := connection.recv(65536):
                    told += received
            return told


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


@contextlib.contextmanager
def serve(url: str, folder: Path, *, by: str = "herald", **settings: Any) -> Iterator[Server]:
    """A process on a database, by `herald serve` or by uvicorn; ended when the block ends."""
    port = _free_port()
    commands = {
        "herald": ["-m", "app.cli", "serve", "--port", str(port)],
        "uvicorn": ["-m", "uvicorn", "--factory", "app.main:create_app", "--port", str(port)],
    }
    told = {f"HERALD_{name.upper()}": str(value) for name, value in settings.items()}
    env = {**os.environ, "HERALD_DATABASE_URL": url, **told}
    server = Server([sys.executable, *commands[by]], env, port, folder / "server.log")
    try:
        server.wait()
        yield server
    finally:
        server.stop()
