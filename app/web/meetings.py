"""/browser/meetings: a tumour board's lists, its cases one by one, the presenter and the prints. Plain forms."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from starlette.responses import Response

from app.domain import codes
from app.domain.strict_json import NotJson, read_object
from app.services import meetings, outcomes
from app.services.errors import Refusal
from app.services.finding import find_timeline
from app.services.meeting_patients import ROLES
from app.services.outcomes import VIEWS
from app.services.reporting import Context, Key
from app.services.sheets import sheet_of
from app.web import site
from app.web.catalogue import say
from app.web.sheet_pdf import sheets_pdf
from app.web.sheet_view import sheet_view

router = APIRouter(prefix="/browser/meetings", include_in_schema=False)

T = TypeVar("T")
_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WHO = ("name", "role")
_AT_ONCE = 50


async def _ask(request: Request, work: Callable[..., T], *parts: Any, **more: Any) -> T:
    """A use case on this process's context, beside the event loop."""
    return await run_in_threadpool(work, request.app.state.context, *parts, **more)


def _page(name: str, status: int = 200, **parts: Any) -> Response:
    return site.page(name, status, here="meetings", **parts)


# ---- meetings


@router.get("")
async def list_page(request: Request) -> Response:
    """Meetings to come and past; a form for a new one; with ?patient= the offer to put that patient on a list."""

    async def work() -> Response:
        query, day = request.query_params, meetings.today()
        coming = await _ask(request, meetings.list_meetings, {"held_from": day}, None, _AT_ONCE, earliest_first=True)
        past = await _ask(request, meetings.list_meetings, {"held_before": day}, query.get("cursor"), _AT_ONCE)
        patient = query.get("patient", "").strip()
        timeline = await _ask(request, find_timeline, patient, None) if patient else None
        listed = await _ask(request, meetings.meetings_of, timeline["patient_id"]) if timeline else []
        token = secrets.token_hex(16)
        return _page("meetings.html", coming=coming, past=past, timeline=timeline, listed=listed, token=token)

    return await site.answered(work)


@router.post("")
async def make(request: Request) -> Response:
    """Make a meeting; with a patient, put that patient on its list."""

    async def work() -> Response:
        form = await site.form(request)
        body, token = _filled(form, *_WHO, "title", "held_on"), form.get("token")
        # the page's own key: a form sent twice makes one meeting
        key = Key(f"page-{token}", f"POST {request.url.path}", body) if token else None
        made = await _ask(request, meetings.make_meeting, body, key)
        if placed := _filled(form, "patient"):
            await _ask(request, meetings.place_case, made.body["id"], {**_filled(form, *_WHO), **placed}, None)
        return site.there(f"/browser/meetings/{made.body['id']}")

    return await site.answered(work)


@router.post("/placements")
async def place_patient(request: Request) -> Response:
    """Put a patient on the list of the meeting chosen in the form."""

    async def work() -> Response:
        form = await site.form(request)
        meeting_id, body = form.get("meeting", ""), _filled(form, *_WHO, "patient", "question")
        placed = await _ask(request, meetings.place_case, meeting_id, body, None)
        return _there(meeting_id, placed.body)

    return await site.answered(work)


@router.get("/{meeting_id}")
async def meeting_page(request: Request, meeting_id: str) -> Response:
    """One list: the cases in order, and the ways to add to it."""

    async def work() -> Response:
        meeting = await _ask(request, meetings.find_meeting, meeting_id)
        query = request.query_params
        told = _whole(query, "placed", "already", "left")
        return _list_page(meeting, told)

    return await site.answered(work)


def _list_page(meeting: Mapping[str, Any], told: Mapping[str, int], unknown: Any = (), status: int = 200) -> Response:
    return _page(
        "meeting.html",
        status,
        meeting=meeting,
        told=told,
        unknown=unknown,
        roles=ROLES,
        steps=codes.NEXT_STEPS,
        day=meetings.today(),
    )


@router.post("/{meeting_id}/cases")
async def place(request: Request, meeting_id: str) -> Response:
    """Add a case named by hand, those of open steps, or those of a FHIR List that was pasted."""

    async def work() -> Response:
        form = await site.form(request)
        if form.get("way") == "list":
            return await _place_list(request, meeting_id, form)
        if form.get("way") == "steps":
            steps = {**_filled(form, "who", "awaited"), "overdue": form.get("overdue") == "yes"}
            body = {**_filled(form, *_WHO), "open_steps": steps}
            return _there(meeting_id, (await _ask(request, meetings.place_case, meeting_id, body, None)).body)
        return _there(meeting_id, await _place_by_hand(request, meeting_id, form))

    return await site.answered(work)


async def _place_by_hand(request: Request, meeting_id: str, form: Mapping[str, str]) -> Mapping[str, Any]:
    """The case that one field names: an accession, the id of a result or patient, or an identifier."""
    body, case = _filled(form, *_WHO, "question"), form.get("case", "").strip() or None
    kinds = ("patient", "result_id") if _ID.fullmatch(case or "") else ("accession", "patient")
    for kind in kinds:
        try:
            return (await _ask(request, meetings.place_case, meeting_id, {**body, kind: case}, None)).body
        except Refusal as refused:
            if refused.kind != "not_found" or kind == kinds[-1] or not refused.problems:
                raise
    raise AssertionError("one of the kinds has answered")


async def _place_list(request: Request, meeting_id: str, form: Mapping[str, str]) -> Response:
    try:
        document = read_object(form.get("list", "").encode())
    except NotJson as error:
        raise Refusal("invalid", say("meetings.list_unread", why=error.message)) from error
    more = _filled(form, *_WHO, "sender")
    placed = (await _ask(request, meetings.place_list, meeting_id, document, None, **more)).body
    if not placed["unknown"]:
        return _there(meeting_id, placed)
    meeting = await _ask(request, meetings.find_meeting, meeting_id)
    return _list_page(meeting, _counts(placed), placed["unknown"])


@router.post("/{meeting_id}/cases/{patient_id}/moves")
async def move(request: Request, meeting_id: str, patient_id: str) -> Response:
    """Move a case one place up or down."""

    async def work() -> Response:
        body = _filled(await site.form(request), *_WHO, "direction")
        await _ask(request, meetings.move_case, meeting_id, patient_id, body, None)
        return site.there(f"/browser/meetings/{meeting_id}#case-{patient_id}")

    return await site.answered(work)


@router.post("/{meeting_id}/cases/{patient_id}/removals")
async def remove(request: Request, meeting_id: str, patient_id: str) -> Response:
    """Take a case off the list."""

    async def work() -> Response:
        body = _filled(await site.form(request), *_WHO)
        await _ask(request, meetings.remove_case, meeting_id, patient_id, body, None)
        return site.there(f"/browser/meetings/{meeting_id}#cases")

    return await site.answered(work)


# ---- one case


@router.get("/{meeting_id}/cases/{patient_id}")
async def case_page(request: Request, meeting_id: str, patient_id: str) -> Response:
    """One case: what there is to know, and the form for the outcome."""

    async def work() -> Response:
        found = await _ask(request, outcomes.find_case, meeting_id, patient_id, request.query_params.get("result"))
        return _case_page(found, {}, None)

    return await site.answered(work)


def _case_page(
    found: Mapping[str, Any], form: Mapping[str, str], refused: Refusal | None, status: int = 200
) -> Response:
    return _page("meeting_case.html", status, **found, form=form, refused=refused, views=VIEWS)


@router.post("/{meeting_id}/cases/{patient_id}/outcomes")
async def record(request: Request, meeting_id: str, patient_id: str) -> Response:
    """Record the outcome; where it is refused the form comes back as it was filled, with the reason."""

    async def work() -> Response:
        form = await site.form(request)
        body = _outcome(form)
        try:
            await _ask(request, outcomes.record_outcome, meeting_id, patient_id, body, None)
        except Refusal as refused:
            if refused.kind not in ("invalid", "conflict", "stale"):
                raise
            found = await _ask(request, outcomes.find_case, meeting_id, patient_id, body.get("result_id"))
            return _case_page(found, form, refused, site.STATUS.get(refused.kind, 422))
        return site.there(f"/browser/meetings/{meeting_id}/cases/{patient_id}#outcomes")

    return await site.answered(work)


def _outcome(form: Mapping[str, str]) -> dict[str, Any]:
    """The body of an outcome: one view for each consideration of the form, view:<id> with why:<id>."""
    body: dict[str, Any] = {**_filled(form, *_WHO, "decision", "result_id")}
    body |= _whole(form, "version", "after")
    views = []
    for name, view in form.items():
        kind, _, consideration = name.partition(":")
        if kind == "view":
            why = form.get(f"why:{consideration}", "").strip()
            views.append({"consideration": consideration, "view": view, **({"why": why} if why else {})})
    return {**body, "views": views}


# ---- in the room, and on paper


@router.get("/{meeting_id}/present")
async def present(request: Request, meeting_id: str) -> Response:
    """One case on a projector. ?case=: its place on the list, 1, 2, ..."""

    async def work() -> Response:
        meeting = await _ask(request, meetings.find_meeting, meeting_id)
        place = _whole(request.query_params, "case").get("case", 1)
        cases = meeting["cases"]
        if not cases:
            return _page("meeting_present.html", meeting=meeting, case=None, result=None, place=0)
        place = min(max(place, 1), len(cases))
        found = await _ask(request, outcomes.find_case, meeting_id, cases[place - 1]["patient_id"])
        return _page("meeting_present.html", **found, place=place)

    return await site.answered(work)


@router.get("/{meeting_id}/print")
async def print_page(request: Request, meeting_id: str) -> Response:
    """All cases in order, one to a printed page."""

    async def work() -> Response:
        meeting = await _ask(request, meetings.find_meeting, meeting_id)
        sheets = {
            each.result["id"]: sheet_view(each) for each in await _ask(request, _sheets, meeting, site.base_of(request))
        }
        return _page("meeting_print.html", meeting=meeting, sheets=sheets)

    return await site.answered(work)


@router.get("/{meeting_id}/sheets.pdf")
async def sheets(request: Request, meeting_id: str) -> Response:
    """The sheets of all cases in order, as one PDF."""

    async def work() -> Response:
        meeting = await _ask(request, meetings.find_meeting, meeting_id)
        found = await _ask(request, _sheets, meeting, site.base_of(request))
        if not found:
            raise Refusal("not_found", say("meetings.no_sheets"))
        content = await run_in_threadpool(sheets_pdf, found)
        name = f"inline; filename=meeting-{meeting['held_on']}.pdf"
        return Response(content, headers={**site.headers(), "Content-Disposition": name}, media_type="application/pdf")

    return await site.answered(work)


def _sheets(context: Context, meeting: Mapping[str, Any], base: str) -> list[Any]:
    """The sheet of each case that has a result, in order."""
    return [sheet_of(context, each["result_id"], base=base) for each in meeting["cases"] if each["result_id"]]


# ---- shared


def _filled(form: Mapping[str, str], *names: str) -> dict[str, str]:
    """Those of the named fields of a form that were filled."""
    return {name: form[name].strip() for name in names if form.get(name, "").strip()}


def _whole(form: Mapping[str, str], *names: str) -> dict[str, int]:
    """Those of the named fields that hold a whole number of at most nine digits."""
    return {name: int(form[name]) for name in names if form.get(name, "").isdecimal() and len(form[name]) < 10}


def _counts(placed: Mapping[str, Any]) -> dict[str, int]:
    return {"placed": len(placed["placed"]), "already": len(placed["already"]), "left": placed["left"]}


def _there(meeting_id: str, placed: Mapping[str, Any]) -> Response:
    return site.there(f"/browser/meetings/{meeting_id}?{urlencode(_counts(placed))}#told")
