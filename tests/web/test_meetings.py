"""The pages of meetings by their forms and addresses, on both databases."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest

from tests.fixtures_service import Service

BY = {"name": "A. Chair", "role": "chair"}
FORM = {"content-type": "application/x-www-form-urlencoded"}
MANY_DIGITS = "9" * 5000


def _board(service: Service) -> tuple[str, dict[str, str]]:
    """The page of a meeting with one case, and that case's result."""
    result = service.report({"ihc": "3+"})
    meeting = service.post("/meetings", {**BY, "held_on": "2026-12-03", "title": "Breast board"}).json()["id"]
    assert service.post(f"/meetings/{meeting}/cases", {**BY, "result_id": result["id"]}).status_code == 201
    return f"/browser/meetings/{meeting}", result


@pytest.mark.parametrize("query", ["left=1", "already=2", "placed=0", f"placed={MANY_DIGITS}", "placed=²"])
def test_a_list_is_shown_whatever_its_address_counts(service: Service, query: str) -> None:
    page, _ = _board(service)
    assert service.get(f"{page}?{query}").status_code == 200


@pytest.mark.parametrize("place", ["0", "99", "-1", "x", "²", MANY_DIGITS])
def test_the_presenter_shows_a_case_whatever_place_is_asked_for(service: Service, place: str) -> None:
    page, _ = _board(service)
    assert service.get(f"{page}/present?case={place}").status_code == 200


@pytest.mark.parametrize("name", ["version", "after"])
def test_a_form_with_a_number_that_is_none_is_refused_or_taken_and_never_breaks(service: Service, name: str) -> None:
    page, result = _board(service)
    case = f"{page}/cases/{result['patient_id']}"
    sent = {**BY, "decision": "as seen", "result_id": result["id"], "version": "1", "after": "0", name: MANY_DIGITS}
    expected = {"version": 422, "after": 303}
    response = service.request("POST", f"{case}/outcomes", content=urlencode(sent), headers=FORM)
    assert response.status_code == expected[name]
