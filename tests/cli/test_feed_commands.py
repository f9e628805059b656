"""herald feed check and herald feed try: every mistake is told, and nothing is stored."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app

HL7 = (
    "MSH|^~\\&|LIS|NORTH|HERALD|HOSP|20261103142500+0100||ORU^R01^ORU_R01|1|P|2.5.1||||||UNICODE UTF-8\r"
    "PID|1||P-1^^^NORTH^MR\r"
    "OBR|1||S1^NORTH|74885-5^HER2 panel^LN|||20261101|||||||||||||||20261103120000+0100||SP|F\r"
    "OBX|1|ST|HER2X^HER2 stain^L||2+||||||F\r"
)
FEED = "title = 'North'\nsenders = ['LIS|NORTH']\n[codes.local]\nHER2X = 'ihc.score'\n"


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.chdir(tmp_path)
    Path("message.hl7").write_bytes(HL7.encode())
    Path("north.toml").write_text(FEED)


def herald(*words: str) -> Result:
    return CliRunner().invoke(app, ["feed", *words])


def test_a_file_without_mistakes() -> None:
    told = herald("check", "north.toml")
    assert (told.exit_code, "no mistakes" in told.output, "LIS|NORTH" in told.output) == (0, True, True)


def test_every_mistake_of_a_file_is_told() -> None:
    Path("north.toml").write_text("titel = 'x'\n[phrases]\n'HER2' = 'her2'\n")
    told = herald("check", "north.toml")
    assert told.exit_code == 2
    assert all(each in told.output for each in ("titel", "phrases.HER2", "UNKNOWN_VALUE"))


def test_a_file_that_is_not_there() -> None:
    told = herald("check", "none.toml")
    assert (told.exit_code, "none.toml" in told.output) == (2, True)


def test_a_message_by_a_feed() -> None:
    told = herald("try", "message.hl7", "--feed", "north.toml")
    assert told.exit_code == 0, told.output
    assert all(each in told.output for each in ("ihc.score", "2+", "case S1"))


def test_a_message_that_would_wait() -> None:
    told = herald("try", "message.hl7")
    assert told.exit_code == 1
    assert "UNKNOWN_CODE" in told.output


def test_the_feed_of_the_sender_from_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HERALD_FEEDS", str(tmp_path))
    assert herald("try", "message.hl7").exit_code == 0
    assert herald("try", "message.hl7", "--sender", "other").exit_code == 1


def test_a_fhir_message_is_seen_by_its_first_byte() -> None:
    Path("message.json").write_text(
        '{"resourceType": "Observation", "status": "final", "valueString": "2+",'
        ' "code": {"coding": [{"system": "http://loinc.org", "code": "85319-2"}]},'
        ' "subject": {"identifier": {"system": "N", "value": "P-1"}}}'
    )
    told = herald("try", "message.json")
    assert told.exit_code == 1
    assert all(each in told.output for each in ("ihc.score", "NO_ACCESSION"))
    assert "NO_ACCESSION" not in herald("try", "message.json", "--format", "hl7v2").output


def test_nothing_is_stored(tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    herald("try", "message.hl7", "--feed", "north.toml")
    assert sorted(tmp_path.iterdir()) == before
