"""Pages of what was erased by order: each still answers, and says that it was erased."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import text

from app.records import tables as t
from app.records.board_tables import meeting_case, meeting_outcome
from tests.fixtures_service import Service

BY = {"name": "A. Chair", "role": "chair"}
PERSON = {"name": "Dr A. Reader", "role": "pathologist", "reason": "score typed wrong"}


def _erase(service: Service, result_id: str) -> None:
    """Everything of a result that can be erased, as an order of erasure does it."""
    context = service.app.state.context
    at = {"at": "2026-03-01T12:00:00.000000Z", "o": context.organisation, "e": f"e-{context.organisation}"}
    with context.store.transaction(context.organisation) as tx:
        connection = tx.connection
        named = "organisation, id, subject_kind, subject_id, person_name, person_role, reason, ordered_at, performed_at"
        order = f"INSERT INTO erasure ({named}) VALUES (:o, :e, 'patient', 'p', 'n', 'r', 'w', :at, :at)"
        connection.execute(text(order), at)
        for table in (t.result_version, t.classification, t.act, t.outbox, meeting_case, meeting_outcome):
            emptied = ", ".join(f"{column.name} = NULL" for column in t.erasable_columns(table))
            ids = connection.execute(text(f"SELECT id FROM {table.name} WHERE organisation = :o"), at).scalars()
            for number, id in enumerate(list(ids)):
                row = {**at, "i": f"{table.name}-{number}-{context.organisation}", "t": table.name, "id": id}
                connection.execute(text("INSERT INTO erasure_item VALUES (:o, :i, :e, :t, :id)"), row)
                connection.execute(text(f"UPDATE {table.name} SET {emptied} WHERE organisation = :o AND id = :id"), row)
        tx.append_audit("test", {})


@pytest.fixture
def erased(service: Service) -> dict[str, Any]:
    """A result at version 2, on a list with an outcome, its sheet printed, all of it erased."""
    case = {"ihc": "3+", "specimen": {"accession": "S-secret", "block": "A"}, "context": {"er": "positive"}}
    result = service.report(case)
    path = f"/results/{result['id']}"
    assert service.post(f"{path}/amendments", {**PERSON, "changes": {"ihc": "1+"}}).status_code in (200, 201)
    sheet = service.request("POST", f"/browser{path}/sheet", content="", headers={})
    assert sheet.status_code == 303
    meeting = service.post("/meetings", {**BY, "held_on": "2026-12-03", "title": "Breast board"}).json()["id"]
    placed = {**BY, "result_id": result["id"], "question": "secret question"}
    assert service.post(f"/meetings/{meeting}/cases", placed).status_code == 201
    outcome = {**BY, "decision": "secret decision", "result_id": result["id"], "version": 2}
    at = f"/meetings/{meeting}/cases/{result['patient_id']}"
    assert service.post(f"{at}/outcomes", outcome).status_code == 201
    _erase(service, result["id"])
    return {
        "result": path,
        "patient": f"/patients/{result['patient_id']}",
        "meeting": f"/meetings/{meeting}",
        "case": at,
    }


@pytest.mark.parametrize(
    "page",
    ["{patient}", "{result}/history", "{result}/sheet", "{result}/sheet?version=1", "{result}/sheet.pdf", "{meeting}",
     "{meeting}/present", "{meeting}/print", "{meeting}/sheets.pdf", "{case}"],
)  # fmt: skip
def test_a_page_of_what_was_erased_answers_and_says_so(service: Service, erased: dict[str, Any], page: str) -> None:
    answer = service.get("/browser" + page.format(**erased))
    assert answer.status_code == 200, answer.text
    if ".pdf" not in page:
        assert "secret" not in answer.text
        assert "erased" in answer.text, page


def test_the_code_of_an_erased_sheet_says_so(service: Service, erased: dict[str, Any]) -> None:
    (code,) = set(re.findall(r"/s/([0-9A-Z]{10})", service.get(f"/browser{erased['result']}/sheet").text))
    answer = service.get(f"/s/{code.lower()}")
    assert answer.status_code == 200 and "erased" in answer.text and "secret" not in answer.text


def test_lists_with_erased_cases_answer(service: Service, erased: dict[str, Any]) -> None:
    for path in ("/browser/cases", "/browser/meetings", "/meetings", erased["meeting"]):
        answer = service.get(path)
        assert answer.status_code == 200 and "secret" not in answer.text, path
