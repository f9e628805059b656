"""What the evidence says beside the answer, for the context that was sent."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fixtures_service import Service


def _considered(service: Service, body: dict[str, Any]) -> dict[str, Any]:
    response = service.post("/her2/classify", body)
    assert response.status_code == 200, response.text
    told: dict[str, Any] = response.json()["considerations"]
    return told


CONTEXTS = [
    ({"ihc": "3+"}, {"er": "positive", "setting": "metastatic"}, "positive"),
    ({"ihc": "3+"}, {"er": "positive", "setting": "neoadjuvant"}, "positive"),
    ({"ihc": "3+"}, {"er": "positive", "setting": "adjuvant", "menopausal_status": "post"}, "positive"),
    ({"ihc": "1+"}, {"er": "positive", "setting": "metastatic"}, "low"),
]


@pytest.mark.parametrize(("case", "context", "her2"), CONTEXTS)
def test_each_first_context_has_considerations_with_their_sources(
    stateless: Service, case: dict[str, Any], context: dict[str, Any], her2: str
) -> None:
    told = _considered(stateless, {**case, "context": context})
    assert told["her2"] == her2
    assert told["considerations"]
    for each in told["considerations"]:
        assert each["for"] or each["against"]
        assert each["certainty"]["level"] and each["certainty"]["row"]
        for statement in [*each["for"], *each["against"]]:
            assert statement["locator"] and statement["section"] and statement["summary"], statement["id"]


def test_endocrine_therapy_in_metastatic_disease_has_both_sides(stateless: Service) -> None:
    told = _considered(stateless, {"ihc": "3+", "context": {"er": "positive", "setting": "metastatic"}})
    assert any(each["for"] and each["against"] for each in told["considerations"])


@pytest.mark.parametrize("case", [{"ihc": "2+"}, {"ihc": "2+", "ratio": "1.8", "copies": "4.5"}, {}])
def test_a_status_that_is_not_final_is_settled_first(stateless: Service, case: dict[str, Any]) -> None:
    told = _considered(stateless, {**case, "context": {"er": "positive", "setting": "metastatic"}})
    assert told["her2"] == "open"
    assert "settle-her2-first" in [each["id"] for each in told["considerations"]]
    assert all(each["kind"] == "testing" for each in told["considerations"])


def test_where_the_review_has_nothing_the_answer_says_so(stateless: Service) -> None:
    told = _considered(stateless, {"ihc": "0", "context": {"er": "negative", "setting": "adjuvant"}})
    assert not any(each["kind"] in ("endocrine", "anti-HER2") for each in told["considerations"])
    assert any(value for name, value in told.items() if name not in ("her2", "considerations")), told


def test_what_is_unknown_is_named_and_never_read_as_negative(stateless: Service) -> None:
    absent = _considered(stateless, {"ihc": "3+"})
    unknown = _considered(stateless, {"ihc": "3+", "context": {"er": "unknown", "setting": "unknown"}})
    negative = _considered(stateless, {"ihc": "3+", "context": {"er": "negative", "setting": "unknown"}})
    assert absent == unknown
    assert negative != unknown
    assert absent.get("missing")


def test_the_same_context_gives_the_same_considerations_in_a_stored_result(service: Service) -> None:
    case = {"ihc": "3+", "context": {"er": "positive", "setting": "metastatic"}}
    assert service.report(case)["classification"]["considerations"] == _considered(service, case)
