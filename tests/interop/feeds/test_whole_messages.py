"""Whole messages through the real readers: HL7 v2 and FHIR (interop.md 1.1, 1.4; lessons.md)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from app.interop.feeds import map_received
from app.interop.feeds.feed import STANDARD
from app.interop.fhir.reading import read as read_fhir
from app.interop.hl7.reading import read as read_hl7
from app.interop.received import LOINC, Mapped
from tests.interop.feeds.messages import facts, waits

SAMPLES = Path(__file__).parents[1] / "fhir" / "samples"
HEAD = (
    "MSH|^~\\&|LIS|NORTH|HERALD|HOSP|20261103142500+0100||ORU^R01^ORU_R01|1|P|2.5.1||||||UNICODE UTF-8\r"
    "PID|1||P-1^^^NORTH^MR\r"
    "OBR|1||S1^NORTH|74885-5^HER2 panel^LN|||20261101|||||||||||||||20261103120000+0100||SP|F\r"
)


def hl7(*segments: str) -> Mapped:
    return map_received(read_hl7((HEAD + "\r".join(segments) + "\r").encode(), "LIS|NORTH"), STANDARD, {})


def fhir(document: Any) -> Mapped:
    return map_received(read_fhir(json.dumps(document).encode(), "S"), STANDARD, {})


def sample(name: str) -> Mapped:
    return map_received(read_fhir((SAMPLES / f"{name}.json").read_bytes(), "S"), STANDARD, {})


def observation(code: str, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "status": "final", "code": {"coding": [{"system": LOINC, "code": code}]},
        "subject": {"identifier": {"system": "N", "value": "P-1"}}, **more,
    }  # fmt: skip


def test_coded_hl7() -> None:
    told = hl7(
        "OBX|1|CWE|85319-2^HER2 IHC^LN||LA11842-4^2+^LN||||||F",
        "OBX|2|SN|49683-6^HER2/CEP17^LN||^1.20||||||F",
        "OBX|3|NM|74860-8^HER2 copies^LN||2.40||||||F",
        "OBX|4|SN|74861-6^CEP17 copies^LN||<^2.0||||||F",
    )
    assert not told.problems
    assert facts(told) == {
        "ihc.score": "2+", "ish.ratio": "1.20", "ish.her2_copies": "2.40", "ish.cep17_copies": "<2.0",
    }  # fmt: skip


def test_sn_as_range_and_ratio() -> None:
    told = hl7("OBX|1|SN|74860-8^HER2^LN||^4.0^-^6.0||||||F", "OBX|2|SN|49683-6^R^LN||^2.4^:^1||||||F")
    assert facts(told) == {"ish.her2_copies": "4.0-6.0", "ish.ratio": "2.4"}


def test_text_with_escaped_lines() -> None:
    told = hl7(r"OBX|1|TX|22637-3^Final diagnosis^LN||HER2 IHC: 2+\.br\HER2/CEP17 ratio: 1.80||||||F")
    assert (facts(told), told.problems) == ({"ihc.score": "2+", "ish.ratio": "1.80"}, ())


def test_the_real_feed_as_lines_of_one_local_code() -> None:
    report = ("HER2 Status: NEGATIVE", "HER2/Chr17 Ratio = 1.85", "Cells Counted:40", "HER2 by IHC:2+",
              "HER2 By ISH Recount", "HER2/Chr17 Ratio = 1.95", "Cells Counted:60")  # fmt: skip
    told = hl7(*(f"OBX|{at}|TX|RPT^Report^L||{line}||||||F" for at, line in enumerate(report, 1)))
    assert not told.problems
    assert facts(told) == {
        "reported_status": "NEGATIVE", "ish.ratio": "1.85", "ish.cells": "40", "ihc.score": "2+",
        "recount.ratio": "1.95", "recount.cells": "60",
    }  # fmt: skip


def test_mcode_s_published_her2_gives_a_reported_status_only() -> None:
    told = sample("mcode-tumor-marker-test-her2-jenny-m")
    assert facts(told) == {"reported_status": "negative"}
    assert "NO_ACCESSION" in waits(told)


def test_the_german_profile_takes_the_components_as_assays_and_the_value_as_status() -> None:
    told = sample("german-status-with-components")
    assert "ihc.score" in facts(told)
    assert "reported_status" in facts(told)


def test_a_ratio_over_one_with_components_keeps_its_digits() -> None:
    one = {"valueRatio": {"numerator": {"value": 2.4}, "denominator": {"value": 1}}}
    part = {"code": {"coding": [{"system": LOINC, "code": "74860-8"}]}, "valueQuantity": {"value": 4.8, "unit": "#"}}
    told = fhir(observation("49683-6", **one, component=[part]))
    assert facts(told) == {"ish.ratio": "2.4", "ish.her2_copies": "4.8"}


def test_samples_that_contradict_wait() -> None:
    assert sample("number-on-ordinal-code").problems
    assert sample("two-values").problems
    assert sample("bent-ratio").problems


def test_a_coded_answer_without_display() -> None:
    answer = {"coding": [{"system": LOINC, "code": "LA11843-2"}]}
    assert facts(fhir(observation("85319-2", valueCodeableConcept=answer))) == {"ihc.score": "3+"}


def test_interpretation_is_never_a_value() -> None:
    negative = [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation",
                             "code": "NEG", "display": "Negative"}]}]  # fmt: skip
    told = fhir(observation("49683-6", valueQuantity={"value": 2.4}, interpretation=negative))
    assert facts(told) == {"ish.ratio": "2.4"}
