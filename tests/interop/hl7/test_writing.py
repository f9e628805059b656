"""The classification that goes back, read by ourselves, by python-hl7 and by hl7apy."""

from __future__ import annotations

from datetime import UTC, datetime

import hl7
import pytest
from hl7apy.consts import VALIDATION_LEVEL
from hl7apy.parser import parse_message
from hl7apy.validation import Validator

from app.domain.codes import HER2_LOW, STATUSES
from app.interop.hl7.reading import read
from app.interop.hl7.writing import Told, Version, write_oru
from app.interop.received import Coding, Identifier

NOW = datetime(2026, 11, 3, 14, 30, tzinfo=UTC)
TOLD = Told(
    patient=(Identifier("urn:oid:1.2.276.0.76.3", "4711", "MR"), Identifier("urn:hl7v2:NAT", "99", "NI")),
    accession="S26-100",
    specimen="S26-100-A",
    block="A1",
    result_id="r-1",
    version_number=2,
    status="negative",
    final=True,
    her2_low="low",
    summary="HER2 negative | ratio <2.0 & ≥4.0 copies",
    next_steps=(),
    edition="asco-cap-2018",
    engine="1.4.0",
    signed=True,
    reported_at=NOW,
)


def written(told: Told, version: Version = "2.5.1") -> bytes:
    return write_oru(told, sender="HERALD|HOSP", receiver="LIS|PATHLAB", now=NOW, control_id="H1", version=version)


def observations(told: Told) -> list[tuple[str, str, str]]:
    """OBX-5.1, OBX-8 and OBX-11 as python-hl7 reads them."""
    parsed = hl7.parse(written(told).decode())
    return [(str(each[5]).partition("^")[0], str(each[8]), str(each[11])) for each in parsed.segments("OBX")]


@pytest.mark.parametrize("version", ["2.5", "2.5.1", "2.6", "2.7"])
@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("replaced", ["", "positive"])
def test_a_strict_reader_takes_what_is_written(version: Version, status: str, replaced: str) -> None:
    told = TOLD._replace(status=status, final=status not in ("pending", "invalid"), replaced_status=replaced)
    text = written(told, version).decode()
    assert Validator.validate(parse_message(text, validation_level=VALIDATION_LEVEL.TOLERANT))
    parse_message(text, validation_level=VALIDATION_LEVEL.STRICT)


@pytest.mark.parametrize("version", ["2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"])
def test_what_is_written_reads_back(version: Version) -> None:
    received = read(written(TOLD, version), "x")
    assert not received.problems and received.control_id == "H1"
    (report,) = received.reports
    assert (report.patient, report.accession, report.specimen, report.block) == (
        TOLD.patient, "S26-100", "S26-100-A", "A1",
    )  # fmt: skip
    assert report.reported_at == "2026-11-03T14:30:00+00:00"
    status, low = report.items
    assert status.codings[0].code == "48676-1"
    assert status.values[0].codings == (Coding("http://loinc.org", "LA6577-6", "Negative"),)
    assert status.method[0].code == "asco-cap-2018"
    assert status.notes == (
        "computed, confirmed",
        "HER2 negative | ratio <2.0 & ≥4.0 copies",
        "edition asco-cap-2018, engine 1.4.0",
        "result r-1, version 2",
    )
    assert low.values[0].codings == (Coding("99HERALD", "low", HER2_LOW["low"].text),)


@pytest.mark.parametrize(
    ("changes", "status", "low"),
    [
        ({}, ("LA6577-6", "NEG", "F"), ("low", "", "F")),
        ({"status": "positive", "her2_low": "not_applicable"}, ("LA6576-8", "POS", "F"), None),
        ({"status": "equivocal", "final": False, "her2_low": ""}, ("LA11885-3", "", "P"), None),
        ({"status": "indeterminate", "her2_low": ""}, ("LA11884-6", "", "F"), None),
        ({"signed": False}, ("LA6577-6", "NEG", "P"), ("low", "", "P")),
        ({"status": "pending", "final": False, "her2_low": "undetermined"}, ("", "", "P"), None),
        ({"status": "invalid", "final": True}, ("", "", "P"), None),
        ({"replaced_status": "positive"}, ("LA6577-6", "NEG", "C"), ("low", "", "C")),
        (
            {"status": "positive", "her2_low": "", "replaced_status": "negative"},
            ("LA6576-8", "POS", "C"),
            ("", "", "X"),
        ),
        ({"status": "pending", "final": False, "replaced_status": "positive"}, ("", "", "X"), ("", "", "X")),
        ({"status": "equivocal", "final": False, "replaced_status": "negative"}, ("", "", "X"), ("", "", "X")),
        ({"signed": False, "replaced_status": "positive"}, ("", "", "X"), ("", "", "X")),
    ],
)
def test_only_what_is_final_and_signed_is_told_as_final(
    changes: dict[str, object], status: tuple[str, str, str], low: tuple[str, str, str] | None
) -> None:
    found = observations(TOLD._replace(**changes))  # type: ignore[arg-type]
    assert found[0] == status
    assert low is None or found[1:] == [low]


def test_what_is_missing_and_that_nobody_confirmed_is_said() -> None:
    told = TOLD._replace(
        status="pending", final=False, signed=False, next_steps=("Do ISH.",), replaced_status="equivocal"
    )
    notes = read(written(told), "x").reports[0].items[0].notes
    assert notes[:5] == (
        "computed, not yet confirmed",
        "not final",
        "replaces: equivocal",
        told.summary,
        "missing: Do ISH.",
    )


def test_a_result_without_specimen_has_no_spm_and_the_instance_is_named_from_2_7_on() -> None:
    bare = TOLD._replace(specimen="", block="", patient=())
    assert b"\rSPM" not in written(bare)
    assert b"r-1/2" in written(TOLD, "2.7") and b"r-1/2" not in written(TOLD)
