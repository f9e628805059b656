"""Which case, specimen, block, report and patient a result of a FHIR message belongs to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from app.interop.fhir.reading import read
from app.interop.received import LOINC, Coding, Identifier
from tests.interop.fhir.messages import as_bytes, bundle, observation, only, reading, told

SPECIMEN = {
    "resourceType": "Specimen",
    "id": "s1",
    "accessionIdentifier": {"value": "S26-1"},
    "identifier": [{"value": "A"}],
    "collection": {"collectedDateTime": "2026-01-02"},
}


@pytest.mark.parametrize(
    ("reference", "entry"),
    [
        ("urn:uuid:1", ("urn:uuid:1", SPECIMEN)),
        ("http://a.example/fhir/Specimen/s1", ("http://a.example/fhir/Specimen/s1", SPECIMEN)),
        ("Specimen/s1", ("http://a.example/fhir/Specimen/s1", SPECIMEN)),
        ("Specimen/s1/_history/2", ("http://a.example/fhir/Specimen/s1", SPECIMEN)),
        ("Specimen/s1", ("urn:uuid:1", SPECIMEN)),
        ("Specimen/s1", SPECIMEN),
    ],
)
def test_a_specimen_is_found_however_it_is_referred_to(reference: str, entry: Any) -> None:
    one = ("http://a.example/fhir/Observation/o1", observation(specimen={"reference": reference}))
    (report,) = reading(bundle(entry, one)).reports
    assert (report.accession, report.specimen, report.collected_at) == ("S26-1", "A", "2026-01-02")


def test_contained_results_and_specimen_belong_to_their_report() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "status": "final",
        "identifier": [{"type": {"coding": [_kind("ACSN")]}, "value": "S26-9"}],
        "subject": {"reference": "Patient/p1"},
        "issued": "2026-01-03T10:00:00Z",
        "performer": [{"reference": "Organization/o", "display": "North"}],
        "conclusion": "HER2 2+",
        "specimen": [{"reference": "#s"}],
        "contained": [
            observation(valueString="2+") | {"id": "o", "subject": {"reference": "Patient/p1"}},
            {"resourceType": "Specimen", "id": "s", "identifier": [{"value": "A"}]},
        ],
        "result": [{"reference": "#o"}],
    }
    (found,) = reading(report).reports
    assert found.where == "DiagnosticReport"
    assert found.items[0].where == "DiagnosticReport.contained[0]"
    assert (found.accession, found.specimen, found.laboratory, found.notes) == ("S26-9", "A", "North", ("HER2 2+",))
    assert found.at == datetime(2026, 1, 3, 10, tzinfo=UTC)


def _kind(code: str) -> dict[str, str]:
    return {"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": code}


def test_a_slide_is_of_its_block_and_the_block_of_its_part() -> None:
    def made(name: str, container: str | None, parent: str | None) -> tuple[str, dict[str, Any]]:
        document: dict[str, Any] = {"resourceType": "Specimen", "identifier": [{"value": name}]}
        if container:
            coding = {"system": "http://snomed.info/sct", "code": container}
            document["container"] = [{"type": {"coding": [coding]}}]
        if parent:
            document["parent"] = [{"reference": f"urn:uuid:{parent}"}]
        return f"urn:uuid:{name}", document

    entries = [made("slide", "433466003", "A1"), made("A1", "434464009", "A"), made("A", None, None)]
    result = observation(specimen={"reference": "urn:uuid:slide"})
    (report,) = reading(bundle(*entries, result)).reports
    assert (report.specimen, report.block) == ("A", "A1")


def test_several_specimens_give_several_reports_of_one_case() -> None:
    specimens = [(f"urn:uuid:{name}", SPECIMEN | {"id": name, "identifier": [{"value": name}]}) for name in ("A", "B")]
    results = [observation(specimen={"reference": f"urn:uuid:{name}"}) for name in ("A", "B", "A")]
    reports = reading(bundle(*specimens, *results)).reports
    assert [(each.accession, each.specimen, len(each.items)) for each in reports] == [
        ("S26-1", "A", 2),
        ("S26-1", "B", 1),
    ]


@pytest.mark.parametrize(
    ("identifiers", "specimen", "problem"),
    [
        ([{"value": "1", "use": "official"}, {"value": "2"}], "1", False),
        (
            [{"value": "1", "type": {"coding": [_kind("PLAC")]}}, {"value": "2", "type": {"coding": [_kind("FILL")]}}],
            "2",
            False,
        ),
        ([{"value": "1", "use": "old"}, {"value": "2"}], "2", False),
        ([{"value": "1"}, {"value": "2"}], "", True),
    ],
)
def test_of_several_specimen_identifiers_the_laboratorys_counts(identifiers: Any, specimen: str, problem: bool) -> None:
    tissue = SPECIMEN | {"identifier": identifiers}
    received = reading(bundle(tissue, observation(specimen={"reference": "Specimen/s1"})))
    assert received.reports[0].specimen == specimen
    assert bool(received.problems) is problem


@pytest.mark.parametrize(
    ("more", "accession"),
    [
        ({"basedOn": [{"identifier": {"value": "S1"}}]}, "S1"),
        ({"basedOn": [{"identifier": {"value": "S1", "type": {"coding": [_kind("PLAC")]}}}]}, ""),
        ({"basedOn": [{"reference": "ServiceRequest/r"}]}, "S2"),
        ({"identifier": [{"value": "S9"}]}, ""),
    ],
)
def test_the_accession_comes_from_the_order_where_the_specimen_has_none(more: Any, accession: str) -> None:
    order = {
        "resourceType": "ServiceRequest",
        "id": "r",
        "identifier": [
            {"value": "P", "type": {"coding": [_kind("PLAC")]}},
            {"value": "S2", "type": {"coding": [_kind("FILL")]}},
        ],
    }
    assert reading(bundle(order, observation(**more))).reports[0].accession == accession


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ({"reference": "Patient/x"}, Identifier("urn:fhir:lab", "Patient/x")),
        (
            {"reference": "https://ehr.example/fhir/Patient/x"},
            Identifier("urn:fhir:lab", "https://ehr.example/fhir/Patient/x"),
        ),
        ({"identifier": {"system": "urn:mrn", "value": "7"}}, Identifier("urn:mrn", "7")),
        ({"reference": "Patient?identifier=urn%3Amrn|7"}, Identifier("urn:mrn", "7")),
    ],
)
def test_a_patient_is_named_by_the_reference_where_no_patient_is_in_the_message(
    subject: Any, expected: Identifier
) -> None:
    assert reading(observation() | {"subject": subject}).reports[0].patient == (expected,)


def test_a_temporary_name_of_a_patient_names_nobody() -> None:
    assert reading(observation() | {"subject": {"reference": "urn:uuid:0"}}).reports[0].patient == ()


def test_a_result_and_a_report_of_different_patients_wait() -> None:
    report = {"resourceType": "DiagnosticReport", "status": "final", "subject": {"reference": "Patient/p2"}}
    one = observation() | {"id": "o"}
    received = reading(bundle(report | {"result": [{"reference": "Observation/o"}]}, one))
    assert told(received.problems) == [("PATIENT_DIFFERS", "Bundle.entry[1].resource.subject")]


def test_a_result_that_stands_in_a_report_taken_back_is_contradictory() -> None:
    report = {
        "resourceType": "DiagnosticReport",
        "status": "entered-in-error",
        "result": [{"reference": "Observation/o"}],
    }
    item = only(reading(bundle(report, observation() | {"id": "o"})))
    assert told(item.problems) == [("CONTRADICTORY", "Bundle.entry[1].resource.status")]


def test_panels_hand_their_report_on_to_their_members() -> None:
    report = {"resourceType": "DiagnosticReport", "status": "final", "issued": "2026-01-03T10:00:00Z"}
    panel = observation("74885-5", hasMember=[{"reference": "Observation/m"}]) | {"id": "panel"}
    member = observation("49683-6", valueQuantity={"value": 2}) | {"id": "m"}
    document = bundle(report | {"result": [{"reference": "Observation/panel"}]}, panel, member)
    (found,) = reading(document).reports
    assert [item.codings for item in found.items] == [(Coding(LOINC, "74885-5"),), (Coding(LOINC, "49683-6"),)]


def test_two_entries_of_one_url_contradict() -> None:
    entry = ("urn:uuid:1", SPECIMEN)
    assert told(reading(bundle(entry, entry, observation())).problems) == [
        ("CONTRADICTORY", "Bundle.entry[1].resource")
    ]


@pytest.mark.parametrize("subject", [{"reference": "Patient/x"}, {"identifier": {"value": "7"}}])
def test_without_a_senders_name_a_patient_of_its_own_numbering_is_nobody(subject: Any) -> None:
    (report,) = read(as_bytes(observation() | {"subject": subject}), "").reports
    assert report.patient == ()


def test_a_specimen_whose_meaning_is_changed_is_not_read_past() -> None:
    tissue = SPECIMEN | {"modifierExtension": [{"url": "urn:not-this-patient", "valueBoolean": True}]}
    received = reading(bundle(tissue, observation(specimen={"reference": "Specimen/s1"})))
    assert told(received.problems) == [("UNSUPPORTED", "Bundle.entry[0].resource.modifierExtension")]
