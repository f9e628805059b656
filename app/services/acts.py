"""A person's verbs on a stored result: amend, count again, adjudicate, sign off. Each with name, role, time, reason."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.domain.problems import Problem, shown
from app.domain.reading import read_case
from app.records.errors import NotFound, Stale
from app.records.rows import NewAct
from app.records.writing import Transaction
from app.services.documents import merged, text_of
from app.services.errors import Refusal
from app.services.reporting import Context, Document, Key, Reply, check_id, in_transaction, new_version_of, reply_of
from app.services.requests import Fields


def amend(context: Context, result_id: str, body: Mapping[str, Any], key: Key | None, expected: int | None) -> Reply:
    """A new version with a reason: the whole case in `case`, or a JSON Merge Patch in `changes`."""
    fields = Fields(body)
    person = fields.person(datetime.now(UTC), reason_needed=True)
    case, changes = fields.take("case"), fields.take("changes")
    laboratory = fields.text("laboratory")
    wrong = []
    if (case is None) == (changes is None):
        wrong.append(
            Problem(
                "MISSING_FIELD",
                "case",
                "exactly one of case and changes is needed",
                "send the whole case, or what changes",
            )
        )
    elif not isinstance(case if changes is None else changes, Mapping):
        wrong.append(
            Problem("WRONG_TYPE", "case" if changes is None else "changes", "is not an object", "send an object")
        )
    else:
        # A name nobody knows is told also where the merge would leave it out.
        wrong += [each for each in read_case(changes or {}).problems if each.code == "UNKNOWN_FIELD"]
    fields.close(*wrong)

    def change(document: Document) -> Document:
        return dict(case) if case is not None else merged(document, changes)

    return new_version_of(context, result_id, key, expected, "amended", change, person, laboratory=laboratory)


def record_recount(
    context: Context, result_id: str, body: Mapping[str, Any], key: Key | None, expected: int | None
) -> Reply:
    """A second count by a person; a later one is kept as the third count."""
    fields = Fields(body)
    person = fields.person(datetime.now(UTC), reason_needed=False)
    count = fields.take("count")
    wrong = []
    if count is None or count == {}:
        wrong.append(Problem("MISSING_FIELD", "count", "is needed", "send the count's values"))
    elif not isinstance(count, Mapping):
        wrong.append(Problem("WRONG_TYPE", "count", "is not an object", "send an object with the count's values"))
    fields.close(*wrong)

    def change(document: Document) -> Document:
        told = {"observer": person.name, **count}
        first = document.get("ish") or {}
        if isinstance(first, Mapping) and str(first.get("observer", "")).casefold() == person.name.casefold():
            told["same_observer"] = True
        if document.get("recount") is None:
            return {**document, "recount": told}
        if document.get("third_count") is None:
            return {**document, "third_count": told}
        raise Refusal("conflict", "A second and a third count are on record; amend the result to replace one.")

    return new_version_of(context, result_id, key, expected, "recount", change, person, act="recount", detail=count)


def record_adjudication(
    context: Context, result_id: str, body: Mapping[str, Any], key: Key | None, expected: int | None
) -> Reply:
    """The group a person names by the laboratory's own procedure."""
    fields = Fields(body)
    person = fields.person(datetime.now(UTC), reason_needed=True)
    group = fields.take("group")
    wrong = []
    if group is None:
        wrong.append(Problem("MISSING_FIELD", "group", "is needed", "send one of 1, 2, 3, 4, 5"))
    elif isinstance(group, bool) or group not in (1, 2, 3, 4, 5):
        wrong.append(
            Problem("UNKNOWN_VALUE", "group", f"{shown(group)} is not an ISH group", "send one of 1, 2, 3, 4, 5")
        )
    fields.close(*wrong)

    def change(document: Document) -> Document:
        return {**document, "adjudication": {"group": group}}

    return new_version_of(
        context, result_id, key, expected, "adjudication", change, person, act="adjudication", detail={"group": group}
    )


def sign_off(context: Context, result_id: str, body: Mapping[str, Any], key: Key | None, expected: int | None) -> Reply:
    """A person confirms the present version. No new version; the answer then says confirmed."""
    fields = Fields(body)
    person = fields.person(datetime.now(UTC), reason_needed=False)
    meaning = fields.text("meaning") or "I confirm this HER2 result."
    fields.close()
    if not context.sign_off:
        raise Refusal("conflict", "This laboratory does not use sign-off (setting HERALD_SIGN_OFF).")

    check_id(result_id)

    def record(tx: Transaction) -> Reply:
        detail = tx.find_result(result_id)
        if detail is None:
            raise NotFound("result", result_id)
        version = detail.view.version
        if expected is not None and expected != version.number:
            raise Stale(result_id, expected, version.number)
        act = NewAct("sign_off", person.name, person.role, meaning, person.performed_at, person.reason)
        tx.append_act(version.id, act)
        tx.append_audit("result.signed", {"result": result_id, "version": version.number})
        tx.append_outbox(
            "result.signed", text_of({"result": result_id, "version": version.number}), version_id=version.id
        )
        return reply_of(context, tx, result_id)

    return in_transaction(context, key, record)
