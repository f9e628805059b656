"""What cards tell, and when there is none; and what an EHR's Observations give."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from app.domain.cards import kind_of
from app.domain.strict_json import read_object
from app.interop.cds_hooks.cards import Card
from app.interop.cds_hooks.orders import Draft
from app.services.assessment import assess
from app.services.cards import Situation, order_select, patient_view
from app.services.ehr_results import Found, found_in
from app.services.intake import Intake, load_feeds
from app.services.known_results import Told, told_by_ehr
from tests.fixtures_cds import cells, copies, ihc, observation, oestrogen, ratio

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
POSITIVE = {"ihc": "3+", "context": {"er": "positive", "setting": "metastatic"}}


def told(document: dict[str, Any], **more: Any) -> Told:
    found = Told(assess(document).answer, document, "S26-1", NOW, "As of now, result version 1.", "r", "p")
    return replace(found, **more)


def situation(*stored: Told, **more: Any) -> Situation:
    at = Situation(stored, (), ("p",) if stored else (), True, "https://h", False, NOW)
    return replace(at, **more)


def topics(cards: list[Card]) -> list[str]:
    return [each.topic for each in cards]


# ---- patient-view


@pytest.mark.parametrize(
    "document", [{"ihc": "3+"}, {"ihc": "0", "ish": {"ratio": "1.1", "her2_copies": "2.1", "cells": 40}}]
)
def test_a_final_and_confirmed_result_needs_no_card(document: dict[str, Any]) -> None:
    assert patient_view(situation(told(document))) == []


def test_what_is_not_final_is_told_with_what_is_missing_and_since_when_it_is_overdue() -> None:
    step = {"text": "Do ISH", "who": "laboratory", "due": NOW - timedelta(days=1)}
    (card,) = patient_view(situation(told({"ihc": "2+"}, steps=(step,))))
    assert (card.topic, card.indicator, kind_of(card.uuid)) == ("not-final", "warning", "missing")
    assert card.summary.startswith("Overdue: HER2 equivocal, not final")
    assert "- Do ISH (laboratory, overdue since 2026-11-24)" in card.detail
    assert "As of now, result version 1." in card.detail
    assert "asco-cap-2018+errata" in card.detail and "evidence alataki-dowsett-2022" in card.detail


def test_her2_low_is_told() -> None:
    (card,) = patient_view(situation(told({"ihc": "1+"})))
    assert (card.topic, card.indicator) == ("her2-low", "info")


def test_what_awaits_sign_off_is_told() -> None:
    (card,) = patient_view(situation(told({"ihc": "3+"}, awaits_sign_off=True)))
    assert (card.topic, kind_of(card.uuid)) == ("unconfirmed", "status")


def test_a_change_from_the_version_or_the_specimen_before_is_told() -> None:
    (card,) = patient_view(situation(told({"ihc": "3+"}, before="negative")))
    assert card.topic == "changed"
    earlier, later = told({"ihc": "3+"}, at=NOW - timedelta(days=300)), told({"ihc": "0"})
    (card,) = patient_view(situation(earlier, later))
    assert card.summary == "HER2 negative, final; the specimen before of 2026-01-29 was positive"


def test_contradictory_values_are_told() -> None:
    (card,) = patient_view(situation(told({"ihc": "3+", "ish": {"ratio": "0"}})))
    assert (card.topic, card.indicator) == ("contradictory", "warning")


def test_a_status_without_a_score_is_not_final_and_no_alarm() -> None:
    (card,) = patient_view(situation(told({"reported_status": "positive"})))
    assert (card.topic, card.indicator) == ("not-final", "info")
    assert "reported positive" in card.summary


def test_identifiers_of_several_patients_show_no_result() -> None:
    (card,) = patient_view(situation(patients=("p", "q")))
    assert card.topic == "records-differ"


def test_a_smart_link_stands_where_the_ehr_can_launch() -> None:
    (card,) = patient_view(situation(told({"ihc": "1+"}), smart=True))
    assert [(each.url, each.context) for each in card.links] == [
        ("https://h/browser/patients/p", None),
        ("https://h/smart/launch", {"topic": "her2-low", "result": "r"}),
    ]


# ---- order-select


def select(name: str, at: Situation) -> list[Card]:
    return order_select([Draft("MedicationRequest/1", (name,))], at)


def test_another_drug_needs_no_card() -> None:
    assert select("amoxicillin", situation(told(POSITIVE))) == []


def test_the_evidence_is_told_for_and_against_with_links_to_its_statements() -> None:
    (card,) = select("Tamoxifen 20 MG Oral Tablet", situation(told(POSITIVE)))
    assert (card.topic, card.indicator, kind_of(card.uuid)) == ("evidence", "info", "evidence-endocrine")
    assert "- For: " in card.detail and "- Against: " in card.detail and "- Not to be concluded: " in card.detail
    assert "Caveats:" in card.detail and "Not known, and each could change this: " in card.detail
    assert "https://h/browser/evidence/delaurentiis-2005-tamoxifen" in card.detail
    assert "anti-HER2 agents as first-line" not in card.detail


def test_of_long_sides_every_statement_is_named() -> None:
    (card,) = select("tamoxifen", situation(told(POSITIVE)))
    weighed = assess(POSITIVE).answer["considerations"]["considerations"]
    shown = next(each for each in weighed if each["id"] == "metastatic-endocrine-relative-resistance")
    assert all(f"/evidence/{each['id']})" in card.detail for each in (*shown["for"], *shown["against"]))


def test_a_setting_that_is_not_known_is_not_guessed() -> None:
    (card,) = select("letrozole", situation(told({"ihc": "3+", "context": {"er": "positive"}})))
    for setting in ("metastatic", "neoadjuvant", "adjuvant"):
        assert f"**If the setting is {setting}** (it is not known):" in card.detail


def test_each_class_of_agent_has_its_card() -> None:
    drafts = [Draft("MedicationRequest/1", ("palbociclib",)), Draft("MedicationRequest/2", ("trastuzumab",))]
    cards = order_select(drafts, situation(told(POSITIVE)))
    assert [kind_of(each.uuid) for each in cards] == ["evidence-cdk46", "evidence-anti-her2"]


@pytest.mark.parametrize(
    "at", [situation(), situation(told({"ihc": "2+"})), situation(told({"ihc": "3+"}), complete=False)]
)
def test_while_her2_is_open_a_warning_stands_in_place_of_evidence(at: Situation) -> None:
    (card,) = select("trastuzumab", at)
    assert (card.topic, card.indicator) == ("not-final", "warning")
    assert card.summary.startswith("HER2 not settled: ")
    assert "- For:" not in card.detail


def test_specimens_that_differ_without_a_date_leave_it_open() -> None:
    later = told({"ihc": "0"}, at=None)
    (card,) = select("trastuzumab", situation(told({"ihc": "3+"}), later))
    assert "nothing says which is the newest" in card.summary
    earlier = told({"ihc": "3+"}, at=NOW - timedelta(days=9))
    for others in ((later, earlier), (told({"ihc": "3+"}, at=None), earlier)):
        (card,) = select("trastuzumab", situation(*others, told({"ihc": "0"})))
        assert "nothing says which is the newest" in card.summary
        (first, *_) = patient_view(situation(*others, told({"ihc": "0"})))
        assert (first.topic, first.indicator) == ("contradictory", "warning")
    (card,) = select("trastuzumab", situation(earlier, told({"ihc": "0"})))
    assert "An earlier specimen: HER2 positive, final" in card.detail


def test_a_status_that_the_ehr_only_reports_differs_where_it_is_another() -> None:
    positive = told({"ihc": "3+"})
    same, other = (told({"reported_status": each}, result_id="") for each in ("positive by IHC", "negative"))
    assert patient_view(situation(positive, ehr=(same,))) == []
    assert topics(patient_view(situation(positive, ehr=(other,)))) == ["records-differ"]


def test_a_record_that_was_not_compared_with_the_ehr_says_so() -> None:
    (card,) = select("trastuzumab", situation(told({"ihc": "3+"}), compared=False))
    assert "was not compared" in card.detail


# ---- Observations


def read(*resources: dict[str, Any], context: dict[str, Any] | None = None) -> tuple[Found, ...]:
    intake = Intake(None, load_feeds(""))  # type: ignore[arg-type]
    read = read_object(json.dumps({"resources": resources}).encode())["resources"]
    return found_in(lambda payload: intake.preview_by(payload, {}), read, context)


def test_one_answer_comes_of_the_observations_of_one_specimen() -> None:
    (found,) = read(ihc("2+"), ratio(2.5), copies(6.5), cells(40), oestrogen("positive"))
    assert (found.answer["status"], found.answer["final"], found.problems) == ("positive", True, ())
    assert found.document["context"] == {"er": "positive"}
    assert found.sources == tuple(f"Observation/{each}" for each in ("ihc", "ratio", "copies", "cells", "er"))
    assert (found.specimen, found.effective) == ("Specimen/s1", "2026-11-18T09:30:00+01:00")


def test_two_specimens_give_two_answers_the_oldest_first() -> None:
    old = ihc("0", id="old", specimen={"reference": "Specimen/s0"}, effectiveDateTime="2020-01-01")
    assert [each.answer["status"] for each in read(ihc("3+"), old)] == ["negative", "positive"]


def test_without_a_specimen_another_day_is_another_tissue() -> None:
    later = ratio(2.5, specimen=None, effectiveDateTime="2026-11-19")
    assert len(read(ihc("2+", specimen=None), later)) == 2


@pytest.mark.parametrize(
    "other",
    [
        ihc("0", id="other"),
        observation("other", "48676-1", valueString="negative"),
        observation("other", "99999-9", code={"text": "HER2 something"}, valueString="x"),
        ihc("Insufficient tissue\nrepeat on the excision", id="other"),
    ],
)
def test_what_contradicts_or_is_not_understood_takes_the_status_away(other: dict[str, Any]) -> None:
    (found,) = read(ihc("3+"), other)
    assert (found.answer["status"], found.answer["final"]) == ("invalid", False)
    assert found.problems[0].field.startswith(("Observation/", "reported_status"))
    assert "Bundle" not in f"{found.problems[0].field} {found.problems[0].message}"
    assert found.answer["considerations"]["her2"] == "open"


def test_a_preliminary_observation_does_not_classify() -> None:
    (found,) = read(ihc("3+", status="preliminary"), ratio(1.1))
    assert found.document.get("ihc") is None


def test_er_of_another_specimen_is_not_taken_and_of_none_only_where_all_agree() -> None:
    elsewhere = oestrogen("positive", specimen={"reference": "Specimen/s9"})
    assert "context" not in read(ihc("3+"), elsewhere)[0].document
    (found,) = read(ihc("3+"), oestrogen("positive", specimen=None))
    assert found.document["context"] == {"er": "positive"}
    both = [
        oestrogen("positive", specimen=None),
        oestrogen("negative", id="er2", specimen=None, effectiveDateTime="2020-01-01"),
    ]
    assert "context" not in read(ihc("3+"), *both)[0].document


def test_er_of_another_day_without_a_specimen_is_not_taken() -> None:
    before = oestrogen("positive", specimen=None, effectiveDateTime="2010-01-01")
    assert "context" not in read(ihc("3+"), before)[0].document


ISH = (ratio(2.5), copies(6.5), cells(40))


def ish(**more: Any) -> list[dict[str, Any]]:
    return [{name: value for name, value in {**each, **more}.items() if value is not None} for each in ISH]


TISSUES = {
    "two days beside a specimen": [
        {"resourceType": "Specimen", "id": "s9"},
        ihc("2+", specimen=None, effectiveDateTime="2020-01-01"),
        *ish(specimen=None),
    ],
    "two specimens that have no identifier": [
        {"resourceType": "Specimen", "id": "s1"},
        {"resourceType": "Specimen", "id": "s2"},
        ihc("2+"),
        *ish(specimen={"reference": "Specimen/s2"}),
    ],
    "contained specimens of one local id": [
        ihc("2+", specimen={"reference": "#a"}, contained=[{"resourceType": "Specimen", "id": "a"}]),
        *ish(),
    ],
    "specimens told by their words": [ihc("2+", specimen={"display": "A1"}), *ish(specimen={"display": "B7"})],
    "identifiers of two systems": [
        ihc("2+", specimen={"identifier": {"system": "urn:a", "value": "1"}}),
        *ish(specimen={"identifier": {"system": "urn:b", "value": "1"}}),
    ],
    "two reports without a specimen": [
        {
            "resourceType": "DiagnosticReport",
            "id": "d1",
            "status": "final",
            "result": [{"reference": "Observation/ihc"}],
        },
        {
            "resourceType": "DiagnosticReport",
            "id": "d2",
            "status": "final",
            "result": [{"reference": f"Observation/{each['id']}"} for each in ISH],
        },
        ihc("2+", specimen=None),
        *ish(specimen=None),
    ],
}


@pytest.mark.parametrize("resources", TISSUES.values(), ids=TISSUES)
def test_ihc_and_ish_of_what_may_be_two_tissues_are_never_one_result(resources: list[dict[str, Any]]) -> None:
    for found in read(*resources):
        assert not ("ihc" in found.document and "ish" in found.document), found.document


def test_what_was_made_from_one_specimen_is_one_result() -> None:
    blocks = [{"resourceType": "Specimen", "id": each, "parent": [{"reference": "Specimen/s0"}]} for each in "ab"]
    whole = {"resourceType": "Specimen", "id": "s0"}
    sent = [ihc("2+", specimen={"reference": "Specimen/a"}), *ish(specimen={"reference": "Specimen/b"})]
    (found,) = read(*sent, *blocks, whole)
    assert (found.answer["status"], found.answer["final"]) == ("positive", True)


def test_without_a_specimen_and_a_day_nothing_says_that_results_belong_together() -> None:
    (found,) = read(ihc("2+", specimen=None, effectiveDateTime=None), *ish(specimen=None, effectiveDateTime=None))
    assert not found.answer["final"]
    assert found.problems[0].field == "Observation/ihc.specimen"
    assert read(ihc("3+", specimen=None, effectiveDateTime=None))[0].answer["final"]


def test_what_was_entered_in_error_is_nothing_and_what_is_preliminary_is_awaited() -> None:
    assert read(ihc("3+", status="entered-in-error")) == ()
    (found,) = read(ihc("3+", status="preliminary"))
    assert found.awaited
    (card,) = patient_view(situation(ehr=(told_by_ehr(found, NOW),)))
    assert "not final there" in card.summary and "none is on record" not in card.detail


def test_context_that_is_known_beside_holds_where_no_observation_says_otherwise() -> None:
    (found,) = read(ihc("3+"), oestrogen("negative"), context={"er": "positive", "setting": "metastatic"})
    assert found.document["context"] == {"er": "negative", "setting": "metastatic"}


def test_a_diagnosis_that_says_otherwise_is_told_and_the_results_count() -> None:
    code = {"coding": [{"system": "http://snomed.info/sct", "code": "431396003"}]}
    (found,) = read(ihc("3+"), {"resourceType": "Condition", "id": "c", "code": code})
    assert found.answer["status"] == "positive"
    assert [each.field for each in found.problems] == ["Condition/c.code"]


def test_nothing_about_her2_gives_nothing() -> None:
    assert read() == read(oestrogen("positive")) == ()
