"""Mutated HL7 v2 and FHIR messages through the whole intake: each kept and answered, none an error of ours, none slow.

Mutations: bytes flipped, cut, doubled, swapped; separators and segments moved; JSON values replaced. SQLite, in batches
as the desk makes them. Prints what became of them, the slowest reading, and every kind of failure (bar: none).
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from app.interop.hl7.acknowledgement import acknowledge
from app.services.exchange import payload, verdict
from app.services.fhir_exchange import answered
from app.services.fhir_exchange import payload as fhir_payload
from app.services.intake import Intake, load_feeds
from app.services.payloads import HL7V2, Payload
from app.services.process import open_context
from benchmarks.mllp_common import oru

SAMPLES = Path(__file__).parents[1] / "tests" / "interop"
SECONDS = 1.0  # longer than this to read one message is a hang
BATCH = 64
_BITS = [b"|", b"^", b"~", b"&", b"\\", b"\r", b"\n", b"\x00", b"\xff", b"\x0b", b"OBX|", b"MSH|", b"2+", b"9999999999",
         b"<", b",", b'"', b"{", b"[", b"null", b"1e999", b'"valueQuantity":', b"\\X0D\\", "é".encode()]  # fmt: skip


def seeds() -> tuple[list[bytes], list[bytes]]:
    """Messages to start from: HL7 v2, and FHIR."""
    fhir = [path.read_bytes() for path in sorted((SAMPLES / "fhir" / "samples").glob("*.json"))]
    document = b"\r".join(
        [
            b"MSH|^~\\&|LIS|SOUTH|H|H|20261120101500||ORU^R01|M2|P|2.3",
            b"PID|1||P-2^^^SOUTH^MR",
            b"OBR|1||S26-2|PATH^Report^L|||20261118",
            *(
                b"OBX|%d|TX|D^Report^L||%s||||||F" % (number, line)
                for number, line in enumerate(
                    [b"HER2 Status: NEGATIVE", b"HER2/Chr17 Ratio = 1.85", b"Cells Counted:40", b"HER2 by IHC:2+"], 1
                )
            ),
        ]
    )
    return [oru("S1", 1).content, document], fhir


def mutated(seed: bytes, chance: random.Random) -> bytes:
    """A seed with one to six changes."""
    message = bytearray(seed)
    for _ in range(chance.choice((1, 1, 2, 4, 6))):
        at, end = sorted((chance.randrange(len(message) + 1), chance.randrange(len(message) + 1)))
        end = min(end, at + 200)
        match chance.randrange(6):
            case 0:
                message[at:at] = chance.choice(_BITS)
            case 1:
                del message[at:end]
            case 2:
                message[at:at] = message[at:end]
            case 3:
                message[at : at + 1] = bytes([chance.randrange(256)])
            case 4:
                message[at:end] = message[at:end][::-1]
            case _:
                message[at : at + len(bit)] = (bit := chance.choice(_BITS))
    return bytes(message)


def main() -> int:
    """Run; 0 where the bar holds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    chance = random.Random(asked.seed)
    hl7, fhir = seeds()
    states: Counter[str] = Counter()
    failures: Counter[str] = Counter()
    slowest, began, kept_all, answers = 0.0, time.perf_counter(), set(), 0
    with tempfile.TemporaryDirectory() as folder:
        context = open_context(f"sqlite:///{folder}/fuzz.sqlite3", "fuzz")
        intake = Intake(context, load_feeds(""))
        understand = intake.understand

        def timed(sent: Payload, *more: object) -> object:
            nonlocal slowest
            start = time.perf_counter()
            told = understand(sent, *more)  # type: ignore[arg-type]
            slowest = max(slowest, time.perf_counter() - start)
            return told

        intake.understand = timed  # type: ignore[method-assign, assignment]
        for start in range(0, asked.messages, BATCH):
            batch = []
            for number in range(start, min(start + BATCH, asked.messages)):
                if number % 2:
                    batch.append(fhir_payload(mutated(chance.choice(fhir), chance), "fuzz", ""))
                else:
                    fresh = oru(f"F{number}", 1).content if number % 4 else chance.choice(hl7)
                    batch.append(payload(mutated(fresh, chance)))
            try:
                kept = intake.keep(batch)
                outcomes = intake.record(kept)
            except Exception as error:
                failures[f"{type(error).__name__}: {error}"[:100]] += len(batch)
                continue
            kept_all |= {each.id for each in kept}
            for sent, outcome in zip(batch, outcomes, strict=True):
                states[outcome.state] += 1
                failures.update(each.code for each in outcome.problems if each.code == "INTERNAL")
                if sent.media_type == HL7V2:
                    code, errors = verdict(outcome)
                    answers += bool(acknowledge(sent.message, code, errors, datetime.now(UTC), "1"))
                else:
                    answers += bool(answered(sent.message, outcome).resource)
        sound = context.store.verify_audit("fuzz").sound
        context.store.close()
    print(f"{asked.messages} messages, {len(kept_all)} different ones kept, {answers} answered: {dict(states)}")
    print(f"slowest to read {slowest * 1000:.1f} ms; audit chain sound: {sound}; {time.perf_counter() - began:.0f} s")
    print(f"failures: {dict(failures) or 'none'}")
    return int(bool(failures) or slowest > SECONDS or answers != asked.messages or not sound)


if __name__ == "__main__":
    sys.exit(main())
