"""FHIR messages in the words of messages: digits kept, places named, nothing chosen where two things differ."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.codes import MESSAGE_PROBLEMS, SHAPE_PROBLEMS
from app.interop.fhir.reading import read
from app.interop.received import Identifier, Value
from tests.interop.fhir.messages import NAMES, as_bytes, bundle, observation, only, raw, reading, sample, told


def test_the_published_mcode_bundle_gives_three_coded_statuses_of_one_patient_and_no_assay() -> None:
    received = read(raw("mcode-patient-bundle-jenny-m"), "north")
    assert (received.event, received.problems) == ("Bundle/collection", ())
    (report,) = received.reports
    assert report.patient == (Identifier("http://hospital.example.org", "MRN1234", "MR"),)
    assert (report.accession, report.specimen, report.block) == ("", "", "")
    assert [(item.codings[0].code, item.values[0].codings[0].code) for item in report.items] == [
        ("85337-4", "LA6576-8"),
        ("85339-0", "LA6577-6"),
        ("48676-1", "LA6577-6"),
    ]
    assert {item.status for item in report.items} == {"final"}
    assert {item.values[0].kind for item in report.items} == {"coded"}


def test_a_lone_observation_names_its_patient_by_the_senders_own_reference() -> None:
    (report,) = read(raw("mcode-tumor-marker-test-her2-jenny-m"), "north").reports
    assert report.patient == (Identifier("urn:fhir:north", "Patient/cancer-patient-jenny-m", ""),)


def test_a_report_without_its_results_gives_no_item_and_says_so() -> None:
    received = read(raw("mcode-us-core-diagnosticreport-lab-jenny-m"), "north")
    assert received.reports == ()
    assert "DiagnosticReport.result[1]: refers to what is not in the message" in received.notes


def test_two_values_in_one_resource_are_contradictory_and_neither_is_taken() -> None:
    item = only(read(raw("two-values"), "lab"))
    assert item.values == ()
    assert told(item.problems) == [("CONTRADICTORY", "Observation.value[x]")]
    assert [coding.code for coding in item.codings] == ["48676-1", "85319-2"]


def test_a_ratio_and_its_components_keep_their_digits() -> None:
    item = only(read(raw("ratio-with-components"), "lab"))
    assert item.values == (Value("ratio", "2.40 : 1", "Observation.valueRatio", "", "2.40", "1"),)
    assert [(each.where, each.values[0].number) for each in item.components] == [
        ("Observation.component[0]", "2.40"),
        ("Observation.component[1]", "1.0"),
        ("Observation.component[2]", "50"),
    ]
    assert [each.values[0].unit for each in item.components] == ["#", "{copies}/nucleus", ""]
    assert item.interpretation[0].code == "NEG"
    assert item.method[0].code == "1303773004"
    assert item.at == datetime(2025, 2, 5, 9, 15, 30, 123456, UTC)


def test_a_status_with_assays_as_components_keeps_both_national_codes() -> None:
    item = only(read(raw("german-status-with-components"), "lab"))
    assert [coding.code for coding in item.values[0].codings] == ["N", "low", "1381317004"]
    assert [each.values[0].codings[0].code for each in item.components] == ["LA11842-4", "LA6577-6"]


def test_a_number_on_an_ordinal_code_is_read_as_it_stands_for_the_feed_to_judge() -> None:
    item = only(read(raw("number-on-ordinal-code"), "lab"))
    assert (item.codings[0].code, item.values[0].kind, item.values[0].number) == ("85318-4", "quantity", "4")


def test_an_answer_in_words_alone_is_a_text() -> None:
    assert only(read(raw("score-as-text"), "lab")).values[0][:2] == ("text", "1+")


def test_a_ratio_whose_denominator_has_a_comparator_is_not_computed() -> None:
    item = only(read(raw("bent-ratio"), "lab"))
    assert item.values == ()
    assert told(item.problems) == [("AMBIGUOUS", "Observation.valueRatio.denominator.comparator")]


@pytest.mark.parametrize(
    ("status", "word"),
    [
        ("registered", "preliminary"),
        ("preliminary", "preliminary"),
        ("final", "final"),
        ("amended", "corrected"),
        ("corrected", "corrected"),
        ("cancelled", "cancelled"),
        ("entered-in-error", "deleted"),
        ("unknown", "preliminary"),
    ],
)
def test_each_status_of_r4_has_its_word(status: str, word: str) -> None:
    assert only(reading(observation() | {"status": status})).status == word


@pytest.mark.parametrize(("status", "code"), [("done", "UNKNOWN_VALUE"), (None, "MISSING_FIELD")])
def test_a_status_outside_the_list_or_missing_is_named_and_never_final(status: str | None, code: str) -> None:
    document = observation() | {"status": status}
    if status is None:
        del document["status"]
    item = only(reading(document))
    assert item.status == "preliminary"
    assert told(item.problems) == [(code, "Observation.status")]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"valueQuantity": {"value": 2, "comparator": "<"}}, ("quantity", "<", "2", "", "")),
        ({"valueQuantity": {"value": 2, "unit": "{ratio}"}}, ("quantity", "", "2", "", "{ratio}")),
        ({"valueInteger": 3}, ("quantity", "", "3", "", "")),
        ({"valueString": "2+"}, ("text", "", "", "", "")),
        ({"valueRange": {"low": {"value": 4}, "high": {"value": 6}}}, ("range", "", "4", "6", "")),
        ({"valueRange": {"low": {"value": 4}}}, ("quantity", ">=", "4", "", "")),
        ({"valueRange": {"high": {"value": 6}}}, ("quantity", "<=", "6", "", "")),
        ({"dataAbsentReason": {"coding": [{"code": "not-performed"}]}}, ("none", "", "", "", "")),
        (
            {"valueRatio": {"numerator": {"value": 2, "comparator": ">"}, "denominator": {"value": 1}}},
            ("ratio", ">", "2", "1", ""),
        ),
    ],
)
def test_each_kind_of_value_is_read(value: dict[str, Any], expected: tuple[str, ...]) -> None:
    (found,) = only(reading(observation(**value))).values
    assert (found.kind, found.comparator, found.number, found.second, found.unit) == expected


@pytest.mark.parametrize("digits", ["1.80", "2.0", "2.000000000000000001", "18e-1", "0.10"])
def test_digits_are_kept_as_written(digits: str) -> None:
    message = as_bytes(observation("49683-6", valueQuantity={"value": 7777})).replace(b"7777", digits.encode())
    assert only(read(message, "lab")).values[0].number == digits


@pytest.mark.parametrize(
    ("more", "code", "field"),
    [
        ({"valueBoolean": True}, "UNSUPPORTED", "Observation.valueBoolean"),
        ({"valueDateTime": "2026-01-01"}, "UNSUPPORTED", "Observation.valueDateTime"),
        ({"valueQuantity": {"value": "2.0"}}, "WRONG_TYPE", "Observation.valueQuantity.value"),
        ({"valueQuantity": {"value": 2, "comparator": "~"}}, "UNKNOWN_VALUE", "Observation.valueQuantity.comparator"),
        ({"valueQuantity": {"value": 2, "comparator": "ad"}}, "UNKNOWN_VALUE", "Observation.valueQuantity.comparator"),
        ({"valueQuantity": {"unit": "1"}}, "MISSING_FIELD", "Observation.valueQuantity.value"),
        ({"valueCodeableConcept": "2+"}, "WRONG_TYPE", "Observation.valueCodeableConcept"),
        ({"valueCodeableConcept": {"id": "x"}}, "UNREADABLE", "Observation.valueCodeableConcept"),
        ({"valueQuantitty": {"value": 2}}, "UNKNOWN_FIELD", "Observation.valueQuantitty"),
        ({"valueRatio": {"numerator": {"value": 2}}}, "MISSING_FIELD", "Observation.valueRatio"),
        ({"issued": "2026-01-01T10:00:00"}, "UNREADABLE", "Observation.issued"),
        ({"modifierExtension": [{"url": "urn:not"}]}, "UNSUPPORTED", "Observation.modifierExtension"),
        ({"implicitRules": "urn:rules"}, "UNSUPPORTED", "Observation.implicitRules"),
        ({"component": [{"valueInteger": 3}]}, "MISSING_FIELD", "Observation.component[0].code"),
        (
            {"valueString": "2+", "dataAbsentReason": {"text": "unknown"}},
            "CONTRADICTORY",
            "Observation.value[x]",
        ),
    ],
)
def test_what_is_wrong_with_an_observation_is_named_at_its_expression(more: Any, code: str, field: str) -> None:
    received = reading(observation(**more))
    problems = (*received.problems, *only(received).problems)
    assert (code, field) in told(problems)
    assert code in MESSAGE_PROBLEMS | SHAPE_PROBLEMS


@pytest.mark.parametrize(
    ("document", "field"),
    [
        (observation(note=[]), "Observation.note"),
        (observation(issued=None), "Observation.issued"),
        (observation(valueString=""), "Observation.valueString"),
        (observation(method={}), "Observation.method"),
        (bundle(observation(valueQuantity=None)), "Bundle.entry[0].resource.valueQuantity"),
    ],
)
def test_null_and_empty_members_are_unreadable(document: Any, field: str) -> None:
    assert told(reading(document).problems) == [("UNREADABLE", field)]


def test_a_null_beside_an_extension_of_a_simple_value_is_right() -> None:
    patient = {"resourceType": "Patient", "name": [{"given": ["A", None], "_given": [None, {"id": "x"}]}]}
    assert reading(bundle(patient, observation())).problems == ()


@pytest.mark.parametrize(
    ("message", "code"),
    [
        (b"", "UNREADABLE"),
        (b"\xff\xfe", "UNREADABLE"),
        (b"<Bundle/>", "UNREADABLE"),
        (b"MSH|^~\\&|", "UNREADABLE"),
        (b"[]", "UNREADABLE"),
        (b'{"resourceType": "Observation", "resourceType": "Observation"}', "UNREADABLE"),
        (b"[" * 100_000, "UNREADABLE"),
        (b'{"resourceType":"Observation","a":' + b"[" * 500 + b"1" + b"]" * 500 + b"}", "UNREADABLE"),
        (b"{}", "UNSUPPORTED"),
        (b'{"resourceType": "Patient"}', "UNSUPPORTED"),
        (b'{"resourceType": ["Observation"]}', "UNSUPPORTED"),
        (b'{"resourceType": "Bundle"}', "MISSING_FIELD"),
        (b'{"resourceType": "Bundle", "type": "history"}', "UNSUPPORTED"),
    ],
)
def test_what_is_no_message_is_told_and_gives_no_report(message: bytes, code: str) -> None:
    received = read(message, "lab")
    assert [each.code for each in received.problems] == [code]
    assert received.reports == ()


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"request": {"method": "DELETE", "url": "Observation/x"}}, "UNSUPPORTED", "Bundle.entry[0].request.method"),
        ({"request": None}, "MISSING_FIELD", "Bundle.entry[0].request"),
        ({"resource": {"resourceType": "Bundle"}}, "UNSUPPORTED", "Bundle.entry[0].resource"),
    ],
)
def test_what_a_transaction_cannot_do_is_told(change: Any, code: str, field: str) -> None:
    document = bundle(observation(), kind="transaction")
    document["entry"][0] = {name: value for name, value in (document["entry"][0] | change).items() if value is not None}
    assert (code, field) in told(reading(document).problems)


def test_a_message_starts_with_its_header_and_is_known_by_it() -> None:
    header = {"resourceType": "MessageHeader", "id": "m-1"}
    assert reading(bundle(header, observation(), kind="message")).control_id == "m-1"
    assert told(reading(bundle(observation(), kind="message")).problems) == [("MISSING_FIELD", "Bundle.entry")]


def test_test_data_is_told_apart() -> None:
    label = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}
    assert reading(observation(meta={"security": [label]})).processing == "T"


def test_no_problem_repeats_a_name_or_a_number_of_a_patient() -> None:
    secret = "Erika Mustermann 19640812"
    document = observation(valueQuantity={"value": secret, "comparator": secret}, **{secret: 1}) | {"status": secret}
    received = reading(bundle(document, {"resourceType": secret}) | {"type": "collection"})
    assert secret not in repr((received.problems, received.notes, only(received).problems))
    assert secret not in repr(reading({"resourceType": secret}).problems)


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A sample with some of its values exchanged for anything, or with some bytes changed."""
    name = draw(st.sampled_from(NAMES))
    if draw(st.booleans()):
        message = bytearray(raw(name))
        for _ in range(draw(st.integers(1, 4))):
            message[draw(st.integers(0, len(message) - 1))] = draw(st.integers(0, 255))
        return bytes(message)
    document = sample(name)
    for _ in range(draw(st.integers(1, 4))):
        place: Any = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            inner = place[key]
            if not isinstance(inner, dict | list) or draw(st.integers(0, 3)) == 0:
                place[key] = draw(_ANYTHING)
                break
            place = inner
    return as_bytes(document)


_ANYTHING = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(["#", "Patient/", "2018", "Bundle"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["reference", "value", "coding", "resourceType", "code"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(damaged())
def test_no_bytes_raise(message: bytes) -> None:
    received = read(message, "lab")
    problems = [
        *received.problems,
        *(each for report in received.reports for item in report.items for each in item.problems),
    ]
    assert {each.code for each in problems} <= MESSAGE_PROBLEMS.keys() | SHAPE_PROBLEMS.keys()
