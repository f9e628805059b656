"""Whatever arrives is answered: mutations of our samples, arbitrary bytes, and public files where they are at hand."""

from __future__ import annotations

import os
import random
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interop.hl7.acknowledgement import acknowledge, errors_of
from app.interop.hl7.envelope import peek, split_batch, wants
from app.interop.hl7.reading import read
from app.interop.received import Received
from tests.interop.hl7.samples import ALL

NOW = datetime(2026, 11, 3, tzinfo=UTC)
SAMPLES = os.environ.get("HL7_SAMPLES", "")
PIECES = (b"|", b"^", b"~", b"\\", b"&", b"\r", b"\n", b"MSH|", b"OBX|", b"PID|", b"SPM|", b"\\X", b"\\.br\\", b'""')
PIECES += (b"\x00", b"\xff", b"\xc3", b"\x1c\r", b"\x0b", b"9" * 50, b"+", b"^~\\&", b"20261399", b"UNICODE UTF-16")


def through(content: bytes) -> Received:
    received = read(content, "x")
    peek(content)
    wants(content)
    split_batch(content)
    answer = acknowledge(content, "AE", errors_of(received.problems), NOW, "A1")
    assert b"\x00" not in answer and b"MSA" in answer
    assert "\x00" not in repr(received)
    return received


def mutated(content: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.randint(1, 8)):
        first = chance.randrange(len(content) + 1)
        second = min(len(content), first + chance.randint(0, 30))
        middle = chance.choice(
            (b"", chance.choice(PIECES), bytes([chance.randrange(256)]), content[first:second] * 2, content[:first])
        )
        content = content[:first] + middle + content[second:]
        content = content[:20_000] or b"M"
    return content


@pytest.mark.parametrize("name", ALL)
def test_no_mutation_of_a_message_raises(name: str) -> None:
    chance = random.Random(name)
    for _ in range(500):
        through(mutated(ALL[name], chance))


@given(st.binary(max_size=300))
def test_no_bytes_raise(content: bytes) -> None:
    through(content)
    through(b"MSH|^~\\&|" + content)


@given(st.text(alphabet="|^~\\&\rOBXMSHPID1.F\n", max_size=300))
def test_no_text_of_separators_raises(text: str) -> None:
    through(b"MSH|^~\\&|L|L|||||ORU^R01|1|P|2.5.1\rPID|1\rOBR|1\r" + text.encode())


@pytest.mark.skipif(not SAMPLES, reason="HL7_SAMPLES names no folder")
def test_public_messages_are_read_and_their_control_id_is_found() -> None:
    files = sorted(Path(SAMPLES).rglob("*.hl7"))
    assert files
    for file in files:
        for content in split_batch(file.read_bytes()):
            received = through(content)
            assert received.control_id or received.problems, file.name
            assert peek(content)[1] == received.control_id, file.name
