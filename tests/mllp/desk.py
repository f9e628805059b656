"""A desk that keeps in memory and does as it is told; and HL7 messages for it."""

from __future__ import annotations

import asyncio
import itertools

from app.domain.problems import Problem
from app.services.errors import Refusal
from app.services.payloads import Kept, Outcome, Payload


class FakeDesk:
    """kept, recorded: in the order in which it was done. state, problems: what becomes of each message."""

    def __init__(self, state: str = "recorded", *problems: Problem) -> None:
        self.kept: list[Payload] = []
        self.recorded: list[str] = []
        self.state, self.problems = state, problems
        self.not_kept: Exception | None = None
        self.not_recorded: Exception | None = None
        self.may_record = asyncio.Event()
        self.may_record.set()
        self._numbers = itertools.count(1)

    async def keep(self, payload: Payload) -> Kept:
        await asyncio.sleep(0)
        if self.not_kept is not None:
            raise self.not_kept
        self.kept.append(payload)
        return Kept(str(next(self._numbers)), payload, True)

    async def record(self, kept: Kept) -> Outcome:
        await self.may_record.wait()
        if self.not_recorded is not None:
            raise self.not_recorded
        self.recorded.append(kept.id)
        return Outcome(kept.id, self.state, problems=self.problems)


def unavailable() -> Refusal:
    return Refusal("unavailable", "The database cannot be reached.")


def oru(control_id: str = "M1", *, asks: str = "", version: str = "2.5.1") -> bytes:
    """asks: MSH-15 and MSH-16, as "AL|NE"."""
    header = f"MSH|^~\\&|LIS|NORTH|HERALD|HOSP|20260301090000+0100||ORU^R01|{control_id}|P|{version}"
    if asks:
        header += f"|||{asks}"
    return f"{header}\rPID|1||P1^^^NORTH^MR\rOBR|1||S1|85319-2^^LN\rOBX|1|ST|85319-2^^LN||2+||||||F\r".encode()


def fields(answer: bytes | None, segment: str) -> list[str]:
    """The fields of the first segment of a name; [] where there is none. MSH-1 counts."""
    assert answer is not None
    for line in answer.decode().split("\r"):
        if line.startswith(segment):
            parts = line.split("|")
            return [parts[0], "|", *parts[1:]] if segment == "MSH" else parts
    return []
