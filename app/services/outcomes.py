"""What a meeting decided on a case: by whom, agreeing or not with which consideration and why, on which version."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from app.domain.problems import Problem, shown
from app.domain.reading import is_text
from app.records.meetings import Meetings
from app.records.queries import Reading
from app.records.rows import ResultDetail, VersionDetail
from app.records.writing import Transaction
from app.services.documents import differences, text_of
from app.services.errors import Refusal
from app.services.finding import reading
from app.services.meeting_views import Board, Entry, board_document, read_board, stands
from app.services.meetings import by_of, known_case, known_meeting, locked
from app.services.reporting import Context, Document, Key, Reply, in_transaction
from app.services.requests import Fields
from app.services.views import summary_document

VIEWS = ("agrees", "disagrees", "not_discussed")


def find_case(context: Context, meeting_id: str, patient_id: str, result_id: str | None = None) -> Document:
    """One case of a meeting: the meeting with its whole list, the case, and a result of it whole.

    result_id: another result of the patient than the one collected last.
    """

    def find(records: Reading) -> tuple[Board, Entry, ResultDetail | None]:
        board = read_board(records, known_meeting(Meetings(records), meeting_id))
        entry = known_case(board.entries, patient_id)
        mine = [each.id for each in board.results if each.patient_id in entry.family]
        if result_id is not None and result_id not in mine:
            raise Refusal("not_found", "This result is not the case's.")
        chosen = result_id or (mine[-1] if mine else None)
        return board, entry, records.find_result(chosen) if chosen else None

    board, entry, detail = reading(context, find)
    meeting = board_document(board, sign_off=context.sign_off)
    case = meeting["cases"][board.entries.index(entry)]
    result = summary_document(detail, sign_off=context.sign_off) if detail else None
    return {"meeting": meeting, "case": case, "result": result}


def offered(result: Mapping[str, Any] | None) -> dict[str, str]:
    """The considerations of a result's answer that can be agreed with or not: id to title."""
    answer = result["classification"] if result else None
    return {each["id"]: each["title"] for each in answer["considerations"]["considerations"]} if answer else {}


def record_outcome(
    context: Context, meeting_id: str, patient_id: str, body: Mapping[str, Any], key: Key | None
) -> Reply:
    """Record what was decided on a case. Those before it stay.

    body: decision, name, role; result_id and version (what was looked at, needed where the patient has results);
    views: consideration, view (agrees, disagrees, not_discussed), why; after: how many outcomes were there when
    the form was shown. Refuses as `stale`, with what changed, when the result is at another version by now.
    """
    fields = Fields(body)
    by, decision = by_of(fields), fields.text("decision", needed=True, lines=True) or ""
    result_id, version, after = (fields.take(name) for name in ("result_id", "version", "after"))
    wrong = _looked_at(result_id, version, after)
    views = _views(fields.take("views"), wrong)
    fields.close(*wrong)
    # read before the transaction: it counts only if the version is still the one that was looked at
    seen = find_case(context, meeting_id, patient_id, result_id)["result"]
    if seen is not None and version == seen["version"]:
        views = _titled(views, offered(seen))
    evidence = seen["classification"]["evidence"] if seen and seen["classification"] else None

    def record(tx: Transaction) -> Reply:
        meetings, entries = locked(tx, meeting_id)
        entry = known_case(entries, patient_id)
        version_id = _version_id(tx, meetings, entry, result_id, version)
        there = [
            each for each in meetings.outcomes([meeting_id]).get(meeting_id, ()) if each.patient_id in entry.family
        ]
        if after is not None and after != len(there):
            raise Refusal("conflict", _another(there[-1] if there else None))
        content = text_of({"evidence": evidence, "considerations": views})
        placed = entry.facts[0].patient_id
        meetings.append_outcome(meeting_id, placed, version_id, decision, content, name=by.name, role=by.role)
        looked = {"result": result_id, "version": version, "number": len(there) + 1}
        told = {"meeting": meeting_id, "patient": entry.patient_id, **looked}
        tx.append_audit("meeting.outcome", {**told, "name": by.name, "role": by.role})
        board = read_board(tx, known_meeting(meetings, meeting_id))
        document = board_document(board, sign_off=context.sign_off)
        case = next(each for each in document["cases"] if each["patient_id"] == entry.patient_id)
        return Reply({"meeting_id": meeting_id, "patient_id": entry.patient_id, **case["outcomes"][-1]}, None, None)

    return in_transaction(context, key, record)


def _looked_at(result_id: Any, version: Any, after: Any) -> list[Problem]:
    wrong = []
    if result_id is not None and not (isinstance(result_id, str) and is_text(result_id)):
        wrong.append(Problem("WRONG_TYPE", "result_id", "is not a text", "send the id of the result looked at"))
    if (result_id is None) != (version is None):
        missing = "result_id" if result_id is None else "version"
        wrong.append(Problem("MISSING_FIELD", missing, "is needed", "send result_id and version of what was looked at"))
    for name, value, least in (("version", version, 1), ("after", after, 0)):
        if value is not None and not (type(value) is int and value >= least):
            wrong.append(Problem("WRONG_TYPE", name, "is not a whole number", f"send a whole number from {least} on"))
    return wrong


def _views(told: Any, wrong: list[Problem]) -> list[Document]:
    if told is None:
        return []
    if not isinstance(told, list) or len(told) > 500:
        wrong.append(Problem("WRONG_TYPE", "views", "is not a list", "send a list of objects"))
        return []
    views = []
    for at, each in enumerate(told):
        fields = Fields(each, f"views[{at}]")
        name, view = fields.take("consideration"), fields.take("view")
        why = fields.text("why", lines=True)
        if not isinstance(name, str):
            fields.problems.append(
                Problem("MISSING_FIELD", f"views[{at}].consideration", "is needed", "send its id as a text")
            )
        if view not in VIEWS:
            remedy = f"send one of {', '.join(VIEWS)}"
            fields.problems.append(Problem("UNKNOWN_VALUE", f"views[{at}].view", f"{shown(view)} is none", remedy))
        if view == "disagrees" and why is None:
            fields.problems.append(
                Problem("MISSING_FIELD", f"views[{at}].why", "is needed", "say why the meeting disagrees")
            )
        try:
            fields.close()
        except Refusal as refused:
            wrong += refused.problems
        views.append({"consideration": name, "view": view, "why": why})
    return views


def _titled(views: list[Document], known: Mapping[str, str]) -> list[Document]:
    """The views with the titles of what they are about. Raises Refusal for one that was not offered, or given twice."""
    wrong: list[Problem] = []
    titled: dict[str, Document] = {}
    for at, each in enumerate(views):
        name, field = each["consideration"], f"views[{at}].consideration"
        if name not in known:
            remedy = f"send one of {', '.join(known)}" if known else "send no views"
            wrong.append(Problem("UNKNOWN_VALUE", field, "is no consideration of this result", remedy))
        elif name in titled:
            wrong.append(Problem("TWICE_STATED", field, "is given twice", "send one view of it"))
        else:
            titled[name] = {**each, "title": known[name]}
    if wrong:
        raise Refusal("invalid", "The request has fields that cannot be read.", wrong)
    return list(titled.values())


def _version_id(tx: Transaction, meetings: Meetings, entry: Entry, result_id: str | None, version: int) -> str | None:
    """The row of the version looked at, where it is the newest. Raises Refusal, stale, with what changed since."""
    results = meetings.results(entry.family)
    if result_id is None:
        if results:
            remedy = "send result_id and version of what was looked at"
            problem = Problem("MISSING_FIELD", "result_id", "is needed: this patient has a result", remedy)
            raise Refusal("invalid", "The outcome does not say which result was looked at.", [problem])
        return None
    view = next((each for each in results if each.id == result_id), None)
    if view is None:
        raise Refusal("not_found", "This result is not the case's.")
    if view.version.number != version:
        raise Refusal(
            "stale", _changed(tx.find_history(result_id), version), extra={"current_version": view.version.number}
        )
    return view.version.id


def _changed(history: tuple[VersionDetail, ...], seen: int) -> str:
    """What became of a result since a version: which fields, by whom, and what its status was and is."""
    now = history[-1]
    then = next((each for each in history if each.version.number == seen), None)
    if then is None:
        return f"There is no version {seen} of this result; it is at version {now.version.number}."
    documents = [json.loads(each.version.document or "null") for each in (then, now)]
    fields = ", ".join(each["field"] for each in differences(*documents)) or "nothing of the values"
    who = f" by {now.version.person_name}, {now.version.person_role}" if now.version.person_name else ""
    return (
        f"The result was at version {seen} ({_said(then)}) when the form was shown; now it is at version "
        f"{now.version.number} ({_said(now)}), {now.version.cause}{who}. Changed: {fields}. "
        "Look at it again and record anew."
    )


def _said(detail: VersionDetail) -> str:
    current = detail.current
    return stands(current.status if current else None, current.final if current else None)


def _another(newest: Any) -> str:
    if newest is None:
        return "There is no such outcome any more; read the case again."
    who = f"{newest.person_name}, {newest.person_role}, {newest.created_at:%Y-%m-%d %H:%M} UTC"
    return (
        f"Another outcome was recorded since the form was shown, by {who}. Read it, and record yours again if it holds."
    )
