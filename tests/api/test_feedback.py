"""Feedback on cards: stored as reported, all or nothing; counted without a word of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from app.domain.cards import KINDS, card_uuid
from app.records.board_tables import card_feedback
from tests.api.cases import fields_of, problem
from tests.fixtures_service import Service, Start

PATH, SUMMARY = "/cds-services/her2-patient-view/feedback", "/cds-services/feedback"
AT = "2026-01-31T09:30:00Z"
REASON = {"code": "known", "system": "https://herald.example.org/reasons", "display": "Already known"}
COMMENT = "Mrs Anderson decided\nin clinic"


def accepted(card: str, **changed: Any) -> dict[str, Any]:
    told = {"card": card, "outcome": "accepted", "acceptedSuggestions": [{"id": "s-1"}], "outcomeTimestamp": AT}
    return {**told, **changed}


def overridden(card: str, **reason: Any) -> dict[str, Any]:
    told = {"card": card, "outcome": "overridden", "outcomeTimestamp": AT}
    return {**told, "overrideReason": reason} if reason else told


def send(service: Service, *reports: dict[str, Any], path: str = PATH) -> Any:
    body = json.dumps({"feedback": list(reports)})
    return service.post(path, content=body, headers={"Content-Type": "application/json"})


def rows(service: Service, query: str = "") -> list[dict[str, Any]]:
    response = service.get(f"{SUMMARY}{query}")
    assert response.status_code == 200, response.text
    found: list[dict[str, Any]] = response.json()["rows"]
    return found


def stored(service: Service) -> list[Any]:
    context = service.app.state.context
    with context.store.reading(context.organisation) as records:
        mine = card_feedback.c.organisation == context.organisation
        return list(records.connection.execute(card_feedback.select().where(mine).order_by(card_feedback.c.id)))


def test_several_reports_are_stored_as_they_came(service: Service) -> None:
    taken, put_aside = card_uuid("evidence-endocrine"), card_uuid("missing")
    sent = [
        accepted(taken, outcomeTimestamp="2026-01-31T10:30:00.250+01:00"),
        overridden(put_aside.upper(), reason=REASON, userComment=COMMENT),
    ]
    response = send(service, *sent)
    assert (response.status_code, response.json()) == (200, {})
    first, second = stored(service)
    assert (first.service, first.card, first.kind) == ("her2-patient-view", taken, "evidence-endocrine")
    assert first.outcome_at.isoformat() == "2026-01-31T09:30:00.250000+00:00"
    assert (first.outcome, json.loads(first.content)["acceptedSuggestions"]) == ("accepted", ["s-1"])
    assert (second.card, second.kind, second.outcome) == (put_aside, "missing", "overridden")
    assert (second.reason_system, second.reason_code) == (REASON["system"], REASON["code"])
    assert (second.comment, json.loads(second.content)["reason"]) == (COMMENT, REASON)


def test_the_same_card_may_be_reported_many_times(service: Service) -> None:
    card = card_uuid("status")
    for _ in range(2):
        assert send(service, overridden(card), overridden(card)).status_code == 200
    (row,) = rows(service)
    assert (row["reports"], row["cards"]) == (4, 1)


def test_a_reason_needs_neither_comment_nor_system_and_a_comment_no_reason(service: Service) -> None:
    card = card_uuid("other")
    reports = [overridden(card, reason={"code": "known"}), overridden(card, userComment="seen"), overridden(card)]
    assert send(service, *reports).status_code == 200
    assert [(each.reason_code, each.comment) for each in stored(service)] == [
        ("known", None),
        (None, "seen"),
        (None, None),
    ]


def test_extensions_of_the_specification_are_passed_over(service: Service) -> None:
    report = {**overridden(card_uuid("status"), userComment="seen", extension={"x": 1}), "extension": {"y": 1}}
    assert service.post(PATH, {"feedback": [report], "extension": {"z": 1}}).status_code == 200


CARD = card_uuid("status")
WRONG: list[tuple[dict[str, Any], list[str]]] = [
    ({}, ["card", "outcome", "outcomeTimestamp"]),
    (accepted("card-1"), ["card"]),
    (accepted("0b0d1c3a-9b2e-4000-8d4c-2a1b3c4d5e6f"), ["card"]),
    ({**accepted(CARD), "card": 7}, ["card"]),
    (accepted(CARD, outcome="ignored"), ["outcome"]),
    (accepted(CARD, outcome=["accepted"]), ["outcome"]),
    (accepted(CARD, outcomeTimestamp="2026-01-31"), ["outcomeTimestamp"]),
    (accepted(CARD, outcomeTimestamp="2026-01-31T09:30:00"), ["outcomeTimestamp"]),
    (accepted(CARD, outcomeTimestamp="2999-01-31T09:30:00Z"), ["outcomeTimestamp"]),
    (accepted(CARD, outcomeTimestamp=1), ["outcomeTimestamp"]),
    (accepted(CARD, acceptedSuggestions=None), ["acceptedSuggestions"]),
    (accepted(CARD, acceptedSuggestions=[]), ["acceptedSuggestions"]),
    (accepted(CARD, acceptedSuggestions="s-1"), ["acceptedSuggestions"]),
    (
        accepted(CARD, acceptedSuggestions=[{"id": "s"}, {}, "s", {"id": ""}]),
        [f"acceptedSuggestions[{at}].id" for at in (1, 2, 3)],
    ),
    (accepted(CARD, overrideReason={"userComment": "no"}), ["overrideReason"]),
    ({**overridden(CARD), "acceptedSuggestions": [{"id": "s"}]}, ["acceptedSuggestions"]),
    ({**overridden(CARD), "overrideReason": "no"}, ["overrideReason"]),
    (overridden(CARD, reason="no"), ["overrideReason.reason"]),
    (overridden(CARD, reason={"system": "x"}), ["overrideReason.reason.code"]),
    (
        overridden(CARD, reason={"code": " ", "system": 1, "display": "\x00"}),
        [f"overrideReason.reason.{each}" for each in ("code", "display", "system")],
    ),
    (overridden(CARD, userComment="x" * 4_001), ["overrideReason.userComment"]),
    (overridden(CARD, userComment="\ud800"), ["overrideReason.userComment"]),
    (overridden(CARD, userComment={"text": "no"}), ["overrideReason.userComment"]),
    (overridden(CARD, comment="no"), ["overrideReason.comment"]),
    (accepted(CARD, outcomme="accepted"), ["outcomme"]),
]


@pytest.mark.parametrize(("wrong", "named"), WRONG)
def test_a_report_that_is_wrong_is_named_by_its_fields(
    service: Service, wrong: dict[str, Any], named: list[str]
) -> None:
    told = problem(send(service, overridden(CARD), wrong), 422, "invalid")
    assert fields_of(told) == [f"feedback[1].{each}" for each in named]
    assert stored(service) == []


def test_all_that_is_wrong_in_all_reports_is_told_at_once_and_nothing_is_stored(service: Service) -> None:
    body = {"feedback": [accepted(CARD), {}, "no", overridden("x")], "more": 1}
    told = problem(service.post(PATH, body), 422, "invalid")
    named = [f"feedback[1].{each}" for each in ("card", "outcome", "outcomeTimestamp")]
    assert {*named, "feedback[2]", "feedback[3].card", "more"} <= set(fields_of(told))
    assert stored(service) == []


@pytest.mark.parametrize("body", [{}, {"feedback": []}, {"feedback": {}}, {"feedback": [1] * 1_001}])
def test_feedback_is_a_list(service: Service, body: dict[str, Any]) -> None:
    assert fields_of(problem(service.post(PATH, body), 422, "invalid")) == ["feedback"]


def test_a_service_has_a_plain_name(service: Service) -> None:
    problem(send(service, overridden(CARD), path="/cds-services/her2%20view/feedback"), 404, "not_found")


def test_what_a_user_wrote_stands_neither_in_answers_nor_in_the_audit(service: Service) -> None:
    secret = "Anderson"
    wrong = {**overridden(CARD, userComment=COMMENT, reason={"code": [secret]}), "outcome": secret}
    assert secret not in send(service, wrong).text
    assert send(service, overridden(CARD, userComment=COMMENT, reason=REASON)).status_code == 200
    assert secret not in service.get(SUMMARY).text
    context = service.app.state.context
    with context.store.reading(context.organisation) as records:
        audit = records.connection.exec_driver_sql("SELECT content FROM audit_content").all()
    assert secret not in str(audit)
    assert any("card.feedback" in str(line) or "her2-patient-view" in str(line) for line in audit)
    report = context.store.verify_audit(context.organisation)
    assert (report.problems, report.lines, report.records) == ((), 1, 1)


# ---- the summary


def test_the_summary_counts_by_service_kind_outcome_and_reason(service: Service) -> None:
    cards = [card_uuid("missing") for _ in range(2)]
    known, other = {"code": "known", "system": "s"}, {"code": "other"}
    reports = [overridden(cards[0], reason=known), overridden(cards[1], reason=known), overridden(cards[0])]
    assert send(service, *reports, overridden(cards[0], reason=other), accepted(cards[0])).status_code == 200
    assert (
        send(service, accepted(card_uuid("changed")), path="/cds-services/her2-order-select/feedback").status_code
        == 200
    )

    def row(name: str, kind: str, outcome: str, reason: tuple[str | None, str | None], count: int) -> dict[str, Any]:
        told = {"service": name, "kind": kind, "outcome": outcome, "reports": count, "cards": count}
        return {**told, "reason_system": reason[0], "reason_code": reason[1]}

    mine = [
        row("her2-patient-view", "missing", "accepted", (None, None), 1),
        row("her2-patient-view", "missing", "overridden", (None, None), 1),
        row("her2-patient-view", "missing", "overridden", (None, "other"), 1),
        row("her2-patient-view", "missing", "overridden", ("s", "known"), 2),
    ]
    another = row("her2-order-select", "changed", "accepted", (None, None), 1)
    assert rows(service) == [another, *mine]
    assert rows(service, "?service=her2-patient-view") == mine
    assert rows(service, "?service=none") == []
    assert service.get(SUMMARY).json()["reports"] == 6


def test_the_summary_is_of_what_came_in_between(service: Service) -> None:
    assert send(service, accepted(CARD)).status_code == 200
    (row,) = stored(service)
    came = row.created_at.isoformat().replace("+00:00", "Z")
    assert len(rows(service, f"?from={came}&before=2999-01-01")) == 1
    assert rows(service, f"?before={came}") == []
    assert rows(service, "?from=2999-01-01") == []


@pytest.mark.parametrize("query", ["from=yesterday", "before=soon", "form=2026-01-01", "format=xml", "service=%00"])
def test_a_query_that_is_wrong_is_named(service: Service, query: str) -> None:
    told = problem(service.get(f"{SUMMARY}?{query}"), 422, "invalid")
    assert fields_of(told) == [query.split("=")[0]]


def test_the_summary_comes_as_csv_without_formulas(service: Service) -> None:
    reason = {"code": '=HYPERLINK("x")', "system": "a,b"}
    assert send(service, overridden(CARD, reason=reason)).status_code == 200
    response = service.get(f"{SUMMARY}?format=csv")
    assert response.headers["content-type"].startswith("text/csv")
    assert response.text.splitlines() == [
        "service,kind,outcome,reason_system,reason_code,reports,cards",
        'her2-patient-view,status,overridden,"a,b","\'=HYPERLINK(""x"")",1,1',
    ]


def test_one_organisation_does_not_count_anothers(start: Start, shared_url: str) -> None:
    north, south = start(shared_url, organisation="north"), start(shared_url, organisation="south")
    assert send(north, accepted(CARD)).status_code == 200
    assert (len(rows(north)), rows(south)) == (1, [])


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_card_can_be_stored(service: Service, kind: str) -> None:
    assert send(service, accepted(card_uuid(kind))).status_code == 200
    assert [row["kind"] for row in rows(service)] == [kind]
