"""CDS Hooks 2.0 at the door: the sandbox's calls, the standard's example, whatever an EHR may send."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Mapping
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fixtures_cds import (
    ORDER_SELECT,
    PATIENT_VIEW,
    SERVER,
    as_text,
    broken_discovery,
    broken_rules,
    cells,
    copies,
    ihc,
    observation,
    oestrogen,
    order_select,
    patient_view,
    ratio,
    searchset,
)
from tests.fixtures_service import Service, Start

NEGATIVE = (ihc("0"), ratio(1.1), copies(2.1), cells(40))


def cards(response: httpx.Response) -> list[dict[str, Any]]:
    """The cards of an answer that keeps every rule."""
    assert response.status_code == 200, response.text
    answer = response.json()
    assert not broken_rules(answer)
    found: list[dict[str, Any]] = answer["cards"]
    return found


def fields(response: httpx.Response) -> list[str]:
    """The fields of a problem document."""
    assert response.headers["content-type"] == "application/problem+json"
    return [each["field"] for each in response.json()["problems"]]


def topics(told: list[dict[str, Any]]) -> list[str]:
    return [each["source"]["topic"]["code"] for each in told]


# ---- discovery


def test_discovery_tells_two_services_and_what_to_prefetch(stateless: Service) -> None:
    answer = stateless.get("/cds-services").json()
    assert not broken_discovery(answer)
    assert {each["id"]: each["hook"] for each in answer["services"]} == {
        "her2-patient-view": "patient-view",
        "her2-order-select": "order-select",
    }
    prefetch = answer["services"][0]["prefetch"]
    assert prefetch["patient"] == "Patient/{{context.patientId}}"
    assert "http://loinc.org|85319-2" in prefetch["observations"]


def test_a_browser_of_an_allowed_origin_may_call(start: Start, shared_url: str) -> None:
    service = start(shared_url, cors_origins="https://sandbox.cds-hooks.org")
    headers = {
        "Origin": "https://sandbox.cds-hooks.org",
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    asked = service.request("OPTIONS", PATIENT_VIEW, headers=headers)
    assert asked.status_code == 200
    assert asked.headers["access-control-allow-origin"] == "https://sandbox.cds-hooks.org"


def test_an_unknown_service_is_not_found(stateless: Service) -> None:
    assert stateless.post("/cds-services/other", patient_view()).status_code == 404


# ---- the sandbox (sandbox.cds-hooks.org): no Bundle.type, category as an object, first without a medication


def sandbox(hook: str, order: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    context: dict[str, Any] = {"patientId": "p1", "userId": "Practitioner/COREPRACTITIONER1"}
    if order is not None:
        context["selections"] = ["MedicationRequest/request-123"]
        context["draftOrders"] = {"resourceType": "Bundle", "entry": [{"resource": order}]}
    sent = {"hookInstance": str(uuid.uuid4()), "hook": hook, "fhirServer": "https://r4.smarthealthit.org"}
    return {**sent, "context": context, **more}


BEFORE = {
    "resourceType": "MedicationRequest",
    "id": "request-123",
    "status": "draft",
    "subject": {"reference": "Patient/p1"},
}
AFTER = {
    **BEFORE,
    "intent": "order",
    "category": {"coding": [{"code": "outpatient"}]},
    "medicationCodeableConcept": {
        "text": "Tamoxifen 20 MG Oral Tablet",
        "coding": [{"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": "1", "display": "Tamoxifen"}],
    },
    "dispenseRequest": {"expectedSupplyDuration": {"value": 30, "unit": "days"}},
}


def test_the_sandbox_opens_a_chart(service: Service) -> None:
    sent = sandbox("patient-view", prefetch={"observations": searchset(ihc("2+"))})
    assert topics(cards(service.post(PATIENT_VIEW, sent))) == ["not-final"]


def test_the_sandbox_without_prefetch_is_answered_412(service: Service) -> None:
    response = service.post(PATIENT_VIEW, sandbox("patient-view"))
    assert response.status_code == 412
    assert fields(response) == ["prefetch.observations"]


def test_the_sandbox_before_a_drug_is_chosen_gets_no_card(service: Service) -> None:
    assert cards(service.post(ORDER_SELECT, sandbox("order-select", BEFORE))) == []


def test_the_sandbox_after_a_drug_is_chosen_gets_the_evidence(service: Service) -> None:
    prefetch = {"observations": searchset(ihc("3+"), oestrogen("Positive"))}
    (card,) = cards(service.post(ORDER_SELECT, sandbox("order-select", AFTER, prefetch=prefetch)))
    assert card["source"]["topic"]["code"] == "evidence"
    assert "- For: " in card["detail"] and "- Against: " in card["detail"]


def test_an_order_for_another_patient_is_refused_and_one_not_to_do_a_thing_is_no_order(stateless: Service) -> None:
    sent = order_select("trastuzumab", ihc("3+"))
    order = sent["context"]["draftOrders"]["entry"][0]["resource"]
    order["doNotPerform"] = True
    assert not cards(stateless.post(ORDER_SELECT, sent))
    order["subject"] = {"reference": "Patient/p2"}
    assert fields(stateless.post(ORDER_SELECT, sent)) == ["context.selections[0]"]


def test_the_standards_own_order_is_read(stateless: Service) -> None:
    # cds-hooks.hl7.org/hooks/order-select: a NutritionOrder and a MedicationRequest whose doseAndRate is an object
    context = {
        "userId": "PractitionerRole/123",
        "patientId": "1288992",
        "encounterId": "89284",
        "selections": ["NutritionOrder/pureeddiet-simple", "MedicationRequest/smart-MedicationRequest-103"],
        "draftOrders": {
            "resourceType": "Bundle",
            "entry": [
                {
                    "resource": {
                        "resourceType": "NutritionOrder",
                        "id": "pureeddiet-simple",
                        "status": "draft",
                        "oralDiet": {"type": [{"text": "Pureed diet"}]},
                    }
                },
                {
                    "resource": {
                        "resourceType": "MedicationRequest",
                        "id": "smart-MedicationRequest-103",
                        "status": "draft",
                        "intent": "order",
                        "medicationCodeableConcept": {"coding": [{"code": "617993", "display": "Amoxicillin"}]},
                        "dosageInstruction": [{"doseAndRate": {"doseQuantity": {"value": 10, "unit": "mL"}}}],
                    }
                },
            ],
        },
    }
    sent = {"hook": "order-select", "hookInstance": str(uuid.uuid4()), "context": context}
    assert cards(stateless.post(ORDER_SELECT, sent)) == []


# ---- requests that are wrong


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"hook": "order-sign"}, "hook"),
        ({"hook": None}, "hook"),
        ({"hookInstance": "1"}, "hookInstance"),
        ({"context": []}, "context"),
        ({"context": {"userId": "Practitioner/abc"}}, "context.patientId"),
        ({"context": {"userId": "abc", "patientId": "p1"}}, "context.userId"),
        ({"context": {"userId": "Practitioner/a", "patientId": "../x"}}, "context.patientId"),
        ({"fhirServer": "ftp://x"}, "fhirServer"),
        ({"fhirAuthorization": {"access_token": "t"}}, "fhirAuthorization.expires_in"),
        ({"prefetch": []}, "prefetch"),
        ({"prefetch": {"observations": 1}}, "prefetch.observations"),
        (
            {"prefetch": {"observations": searchset({"id": "x"})}},
            "prefetch.observations.entry[0].resource.resourceType",
        ),
        ({"prefetch": {"observations": {"resourceType": "Patient"}}}, "prefetch.observations"),
    ],
)
def test_what_is_wrong_is_told_by_its_field(stateless: Service, change: dict[str, Any], field: str) -> None:
    response = stateless.post(PATIENT_VIEW, {**patient_view(), **change})
    assert response.status_code == 400
    assert field in fields(response)


def test_an_observation_of_another_patient_is_refused(stateless: Service) -> None:
    response = stateless.post(PATIENT_VIEW, patient_view(ihc("3+", patient="p2")))
    assert response.status_code == 400
    assert response.json()["problems"][0]["code"] == "PATIENT_DIFFERS"


@pytest.mark.parametrize(
    "change",
    [
        {"subject": {"reference": "Patient/p2?x=Patient/p1"}},
        {"subject": {"reference": "Group/1"}},
        {"subject": {"reference": "#p"}, "contained": [{"resourceType": "Patient", "id": "p"}]},
        {"subject": {"reference": "https://other.example.org/fhir/Patient/p1"}},
        {"focus": [{"reference": "RelatedPerson/child"}]},
    ],
)
def test_only_what_is_clearly_the_patients_is_read(stateless: Service, change: dict[str, Any]) -> None:
    response = stateless.post(PATIENT_VIEW, patient_view(ihc("3+", **change), fhirServer=SERVER))
    assert response.status_code == 400
    assert response.json()["problems"][0]["code"] == "PATIENT_DIFFERS"
    own = {"subject": {"reference": f"{SERVER}/Patient/p1/_history/2"}}
    assert not cards(stateless.post(PATIENT_VIEW, patient_view(ihc("3+", **own), fhirServer=SERVER)))


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"selections": None}, "context.selections"),
        ({"selections": ["x"]}, "context.selections[0]"),
        ({"selections": ["MedicationRequest/r2"]}, "context.selections[0]"),
        ({"draftOrders": 1}, "context.draftOrders"),
        ({"draftOrders": {"resourceType": "Bundle", "entry": [{}]}}, "context.draftOrders.entry[0].resource"),
    ],
)
def test_what_is_wrong_with_orders_is_told(stateless: Service, change: dict[str, Any], field: str) -> None:
    sent = order_select("tamoxifen")
    sent["context"] = {**sent["context"], **change}
    response = stateless.post(ORDER_SELECT, sent)
    assert response.status_code == 400
    assert field in fields(response)


# ---- prefetch


def test_null_means_asked_and_nothing_found(stateless: Service) -> None:
    assert cards(stateless.post(PATIENT_VIEW, patient_view(prefetch={"observations": None}))) == []


def test_an_operation_outcome_is_as_if_nothing_was_sent(stateless: Service) -> None:
    sent = patient_view(prefetch={"observations": {"resourceType": "OperationOutcome"}})
    assert stateless.post(PATIENT_VIEW, sent).status_code == 412


def test_a_page_of_a_longer_list_is_told_as_incomplete(stateless: Service) -> None:
    page = searchset(*NEGATIVE, link=[{"relation": "next", "url": "https://x"}])
    told = cards(stateless.post(PATIENT_VIEW, patient_view(prefetch={"observations": page})))
    assert topics(told) == ["incomplete"]


@pytest.mark.parametrize(
    "more",
    [
        {"total": 3},
        {"link": [{"relation": "NEXT", "url": "x"}]},
        {"link": {"relation": "next"}},
        {"entry": [{"resource": ihc("3+")}, {"resource": {"resourceType": "OperationOutcome",
            "issue": [{"severity": "warning", "code": "suppressed"}]}}]},
    ],
)  # fmt: skip
def test_a_list_that_lacks_something_is_told_as_incomplete(stateless: Service, more: dict[str, Any]) -> None:
    sent = patient_view(prefetch={"observations": {**searchset(ihc("3+")), **more}})
    assert topics(cards(stateless.post(PATIENT_VIEW, sent))) == ["incomplete"]
    sent = order_select("trastuzumab", prefetch={"observations": {**searchset(ihc("3+")), **more}})
    assert topics(cards(stateless.post(ORDER_SELECT, sent))) == ["not-final"]


class Ehr:
    """Stands for the EHR's FHIR server: answers what it is told, and keeps what it was asked."""

    def __init__(self, came: Mapping[str, Any]) -> None:
        self.came, self.asked = came, dict[str, str]()

    def allows(self, server: str) -> bool:
        return server == SERVER

    async def read(self, access: Any, urls: Mapping[str, str]) -> Mapping[str, Any]:
        assert (access.server, access.token) == (SERVER, "secret")
        self.asked = dict(urls)
        return self.came


AUTHORIZED = {
    "fhirServer": f"{SERVER}/",
    "fhirAuthorization": {
        "access_token": "secret",
        "token_type": "Bearer",
        "expires_in": 300,
        "scope": "patient/Observation.read",
        "subject": "herald",
    },
}


def test_what_was_not_prefetched_is_fetched_from_an_allowed_server(service: Service) -> None:
    service.app.state.ehr = ehr = Ehr({"observations": searchset(ihc("2+"))})
    (card,) = cards(service.post(PATIENT_VIEW, patient_view(prefetch={}, **AUTHORIZED)))
    assert ehr.asked["patient"] == "Patient/p1"
    assert ehr.asked["observations"].startswith("Observation?patient=p1&code=")
    smart = card["links"][-1]
    assert smart["type"] == "smart" and smart["url"] == "http://herald.test/smart/launch"
    assert "secret" not in as_text(card)


@pytest.mark.parametrize("came", [{}, {"observations": searchset(ihc("3+", patient="p2"))}, {"observations": 1}])
def test_what_did_not_come_is_not_there(service: Service, came: dict[str, Any]) -> None:
    service.app.state.ehr = Ehr(came)
    assert service.post(PATIENT_VIEW, patient_view(prefetch={}, **AUTHORIZED)).status_code == 412


def test_a_server_that_is_not_allowed_is_never_asked(service: Service) -> None:
    service.app.state.ehr = ehr = Ehr({})
    sent = patient_view(prefetch={}, **AUTHORIZED) | {"fhirServer": "https://other.example.org/fhir"}
    assert service.post(PATIENT_VIEW, sent).status_code == 412
    assert not ehr.asked


# ---- with what is stored


def stored(service: Service, case: dict[str, Any]) -> dict[str, Any]:
    return service.report(case, patient={"system": SERVER, "value": "p1"})


def test_what_is_stored_answers_without_any_prefetch(service: Service) -> None:
    result = stored(service, {"ihc": "2+"})
    (card,) = cards(service.post(PATIENT_VIEW, patient_view(prefetch={}, fhirServer=SERVER)))
    assert card["source"]["topic"]["code"] == "not-final"
    assert "result version 1" in card["detail"]
    assert card["links"][0]["url"] == f"http://herald.test/browser/patients/{result['patient_id']}"


def test_a_patient_is_found_by_an_identifier_too(service: Service) -> None:
    service.report({"ihc": "2+"}, patient={"system": "urn:mrn", "value": "42"})
    patient = {"resourceType": "Patient", "id": "p1", "identifier": [{"system": "urn:mrn", "value": "42"}]}
    told = cards(service.post(PATIENT_VIEW, patient_view(prefetch={"patient": patient})))
    assert topics(told) == ["not-final"]


def test_record_and_ehr_that_differ_are_both_told_and_none_is_chosen(service: Service) -> None:
    stored(service, {"ihc": "3+"})
    sent = patient_view(*NEGATIVE, fhirServer=SERVER)
    first = cards(service.post(PATIENT_VIEW, sent))[0]
    assert first["source"]["topic"]["code"] == "records-differ"
    assert "HER2 positive, final" in first["detail"] and "HER2 negative, final" in first["detail"]
    (card,) = cards(service.post(ORDER_SELECT, order_select("trastuzumab", *NEGATIVE, fhirServer=SERVER)))
    assert card["source"]["topic"]["code"] == "records-differ"
    assert "- For:" not in card["detail"]


def test_the_base_url_of_the_settings_stands_in_links(start: Start, shared_url: str) -> None:
    service = start(shared_url, base_url="http://localhost:9000")
    (card,) = cards(service.post(PATIENT_VIEW, patient_view(ihc("2+"))))
    assert card["links"][0]["url"] == "http://localhost:9000/?ihc=2%2B"


# ---- anything


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-5, 300), st.text(max_size=8),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from(["final", "preliminary", "85319-2", "http://loinc.org", "3+", "Patient/p1", "Specimen/s1"]),
)  # fmt: skip
_NAMES = st.sampled_from(
    ["resourceType", "status", "code", "coding", "system", "valueString", "valueQuantity", "value", "specimen",
     "subject", "reference", "effectiveDateTime", "component", "entry", "resource", "link", "id", "identifier",
     "display", "text"]
)  # fmt: skip
_ANYTHING = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=4), max_leaves=12
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_ANYTHING, _NAMES, st.sampled_from(["observations", "patient", "conditions"]), st.booleans())
def test_no_prefetch_is_answered_by_an_error_of_ours(
    stateless: Service, odd: Any, name: str, key: str, whole: bool
) -> None:
    sent = patient_view(*copy.deepcopy(NEGATIVE))
    if whole:
        sent["prefetch"][key] = odd
    else:
        sent["prefetch"]["observations"]["entry"][0]["resource"][name] = odd
    response = stateless.post(PATIENT_VIEW, sent)
    assert response.status_code in (200, 400, 412), response.text
    if response.status_code == 200:
        cards(response)


def test_an_observation_about_her2_that_nobody_mapped_takes_the_status_away(stateless: Service) -> None:
    local = observation("odd", "x", code={"coding": [{"system": "urn:local", "code": "H2", "display": "HER2 special"}]})
    (card,) = cards(stateless.post(PATIENT_VIEW, patient_view(ihc("3+"), {**local, "valueString": "strong"})))
    assert card["source"]["topic"]["code"] == "contradictory"
    assert "Observation/odd" in card["detail"]
