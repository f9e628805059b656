"""Answer a hook of CDS Hooks: read the request, get what is missing, look up what is stored, tell the cards."""

from __future__ import annotations

import hashlib
import pickle
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Protocol

from app.domain.problems import Problem
from app.interop.cds_hooks.cards import write_response
from app.interop.cds_hooks.orders import agents_in
from app.interop.cds_hooks.request import HookRequest, identifiers_of, read_given, read_request
from app.interop.cds_hooks.services import (
    CONDITIONS,
    OBSERVATIONS,
    PATIENT,
    SERVICES,
    discovery,
    filled,
    prefetch_templates,
)
from app.interop.feeds.feed import STANDARD
from app.services.cards import Situation, order_select, patient_view
from app.services.ehr import Access
from app.services.ehr_results import Found, Resource, found_in
from app.services.errors import Refusal
from app.services.intake import Intake
from app.services.known_results import Stored, stored_of, told_by_ehr
from app.services.payloads import Outcome, Payload

_UNREADABLE = "The request of the hook cannot be read."
_NOT_SENT = "The HER2 Observations were not sent and could not be fetched, and nothing is on record here."

_MANY = 100  # resources of one patient; all of breast pathology is far less

_MISSING = Problem(
    "MISSING_FIELD",
    f"prefetch.{OBSERVATIONS}",
    "is needed",
    f"send prefetch.{OBSERVATIONS}, or fhirServer with fhirAuthorization of a server that is allowed here",
)
SERVICE_IDS = tuple(SERVICES)


class Reader(Protocol):
    """Reads from the FHIR servers that are on the allow-list."""

    def allows(self, server: str) -> bool:
        """Is this server on the list?"""
        ...

    async def read(self, access: Access, urls: Mapping[str, str]) -> Mapping[str, Any]:
        """The resources at addresses relative to the server, by key; what did not come in time is missing."""
        ...


@lru_cache(maxsize=1)
def told() -> dict[str, Any]:
    """What discovery answers."""
    return discovery(_codes())


@lru_cache(maxsize=1)
def _codes() -> tuple[tuple[str, str], ...]:
    """The codes of Observations that are read as a value, a status or a receptor."""
    return tuple(at for at, target in STANDARD.codes.items() if target not in ("ignore", "document", "note"))


class Hooks:
    """Answers hooks by the feeds of an intake. Remembers for a while what it read of the same data.

    A chart is opened again and again, and each click in an order asks anew: what was read is kept in memory alone, by a
    digest of the data. most: how many patients' data.
    """

    def __init__(self, intake: Intake, most: int = 4_000) -> None:
        self._intake, self._most = intake, most
        self._kept: OrderedDict[bytes, tuple[Found, ...]] = OrderedDict()

    async def answer(
        self,
        service_id: str,
        body: Callable[[], Awaitable[Mapping[str, Any]]],
        *,
        ehr: Reader | None,
        base: str,
        in_thread: Callable[..., Awaitable[Any]],
    ) -> dict[str, Any]:
        """The cards of a service. body: reads the request's; base: this service's address; in_thread: runs a function.

        Raises Refusal: "not_found" for an unknown service, "malformed" with every field that is wrong,
        "prefetch_missing", "unavailable".
        """
        if (service := SERVICES.get(service_id)) is None:
            raise Refusal("not_found", "There is no such service; GET /cds-services lists them.")
        request = read_request(await body(), service)
        if isinstance(request, tuple):
            raise Refusal("malformed", _UNREADABLE, request)
        if service.hook == "order-select" and not any(agents_in(each.names) for each in request.drafts):
            return write_response(())
        smart = bool(request.fhir_server) and ehr is not None and ehr.allows(request.fhir_server)
        if ehr is not None and smart:
            request = await _fetched(request, ehr)
        stored = Stored()
        if identifiers := identifiers_of(request):
            stored = await in_thread(stored_of, self._intake.context, identifiers, request.fhir_server)
        if not request.of(OBSERVATIONS).satisfied and not stored.patients:
            raise Refusal("prefetch_missing", _NOT_SENT, [_MISSING])
        resources = (*request.of(OBSERVATIONS).resources, *request.of(CONDITIONS).resources)
        read = resources, request.fhir_server, dict(stored.codes or {})
        # Few are read sooner than a thread begins; many would keep all others waiting.
        found = await in_thread(self._found, *read) if len(resources) > _MANY else self._found(*read)
        at = _situation(request, stored, found, base, smart=smart)
        return write_response(order_select(request.drafts, at) if service.hook == "order-select" else patient_view(at))

    def _found(
        self, resources: tuple[Resource, ...], sender: str, codes: dict[tuple[str, str], str]
    ) -> tuple[Found, ...]:
        """What the resources say: the same resources from the same sender, by the same codes, always say the same."""
        key = hashlib.sha256(pickle.dumps((sender, sorted(codes.items()), resources))).digest()
        known = self._kept.get(key)
        if known is None:

            def preview(payload: Payload) -> Outcome:
                return self._intake.preview_by(replace(payload, sender=sender), codes)

            known = found_in(preview, resources)
            if len(resources) <= _MANY:
                self._kept[key] = known
            if len(self._kept) > self._most:
                self._kept.popitem(last=False)
        return known


def _situation(request: HookRequest, stored: Stored, found: tuple[Found, ...], base: str, *, smart: bool) -> Situation:
    now = datetime.now(UTC)
    return Situation(
        stored=stored.results,
        ehr=tuple(told_by_ehr(each, now) for each in found),
        patients=stored.patients,
        complete=request.of(OBSERVATIONS).complete,
        base=base,
        smart=smart,
        now=now,
        compared=request.of(OBSERVATIONS).satisfied,
    )


async def _fetched(request: HookRequest, ehr: Reader) -> HookRequest:
    """The request with what was not prefetched, as far as it came in time."""
    templates = prefetch_templates(_codes())
    missing = [key for key in (PATIENT, OBSERVATIONS, CONDITIONS) if not request.of(key).satisfied]
    if OBSERVATIONS not in missing:
        return request
    urls = {key: filled(templates[key], request.patient_id) for key in missing}
    came = await ehr.read(Access(request.fhir_server, request.token or None), urls)
    read = dict(request.prefetch)
    for key, value in came.items():
        problems: list[Problem] = []
        given = read_given(value, key, request.patient_id, request.fhir_server, key, problems)
        if not problems:
            read[key] = given
    return replace(request, prefetch=read)
