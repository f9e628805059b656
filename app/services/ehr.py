"""Reading from an EHR's FHIR server on behalf of who is logged in there: little, soon, and only where allowed."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.services.outward import NotFetched, fetch_object, safe_url

# A search or a read by id; what else a url could hold would lead away from the server.
_RELATIVE = re.compile(r"([A-Za-z]+)(?:/(?!\.\.?(?:\?|$))[A-Za-z0-9.\-]{1,64})?(\?[!\"$-~]*)?")


@dataclass(frozen=True, slots=True)
class Access:
    """An EHR as its request names it: base URL of its FHIR server, and the bearer token that it gave, if any."""

    server: str
    token: str | None = field(repr=False)


class Ehr:
    """The FHIR servers that may be asked. allowed: their base URLs; seconds: for all reads of one call together.

    pages, most_bytes: of one search. Raises ValueError for a server that is not https, loopback apart.
    """

    def __init__(
        self,
        allowed: Iterable[str],
        seconds: float,
        *,
        client: httpx.AsyncClient,
        log: Any = None,
        pages: int = 5,
        most_bytes: int = 2_000_000,
    ) -> None:
        self._allowed = frozenset(safe_url(server).rstrip("/") for server in allowed)
        self._seconds, self._client, self._log = seconds, client, log
        self._pages, self._most_bytes = pages, most_bytes

    def allows(self, server: str) -> bool:
        """Is this base URL, up to a slash at its end, one that may be asked?"""
        return server.rstrip("/") in self._allowed

    async def read(self, access: Access, urls: Mapping[str, str], *, seconds: float | None = None) -> dict[str, Any]:
        """FHIR resources by key; urls: key -> "Observation?patient=..." or "Patient/1". No server makes it raise.

        As in prefetch: a key that is absent was not read, and a searchset that still has a link `next` is incomplete.
        Pages are joined. seconds: instead of the usual time.
        """
        found: dict[str, Any] = {}
        if self.allows(access.server):
            try:
                async with asyncio.timeout(self._seconds if seconds is None else seconds), asyncio.TaskGroup() as reads:
                    for key, url in urls.items():
                        reads.create_task(self._read(access, key, url, found))
            except TimeoutError:
                self._tell(access, "time")
        return {key: found[key] for key in urls if key in found}

    async def _read(self, access: Access, key: str, url: str, found: dict[str, Any]) -> None:
        asked = _RELATIVE.fullmatch(url)
        if asked is None:
            self._tell(access, "not a relative FHIR url")
            return
        base = access.server.rstrip("/")
        try:
            resource, size = await self._page(access, f"{base}/{url}", self._most_bytes)
            if asked[2] is None:
                if resource.get("resourceType") != asked[1]:
                    raise NotFetched("another resource")
                found[key] = resource
                return
            found[key] = bundle = _searchset(resource)
            for _ in range(self._pages - 1):
                link = _next(base, bundle)
                if link is None:
                    break
                page, more = await self._page(access, link, self._most_bytes - size)
                size += more
                bundle["entry"] = [*bundle["entry"], *_searchset(page)["entry"]]
                bundle["link"] = page["link"]
        except NotFetched as error:
            self._tell(access, error.reason)

    async def _page(self, access: Access, url: str, most_bytes: int) -> tuple[dict[str, Any], int]:
        headers = {"Accept": "application/fhir+json"}
        if access.token is not None:
            headers["Authorization"] = f"Bearer {access.token}"
        return await fetch_object(self._client, url, headers, most_bytes)

    def _tell(self, access: Access, reason: str) -> None:
        if self._log is not None:
            self._log.info("ehr_not_read", address=access.server, error=reason)


def _searchset(resource: dict[str, Any]) -> dict[str, Any]:
    """A page of a search, with lists where it has none. Raises NotFetched for anything else."""
    if (resource.get("resourceType"), resource.get("type")) != ("Bundle", "searchset"):
        raise NotFetched("not a searchset")
    for name in ("entry", "link"):
        each = resource.setdefault(name, [])
        if not isinstance(each, list) or not all(isinstance(part, dict) for part in each):
            raise NotFetched("not a searchset")
    return resource


def _next(base: str, bundle: Mapping[str, Any]) -> str | None:
    """Where the next page is; None where there is none, or on another server."""
    for link in bundle["link"]:
        if link.get("relation") == "next" and isinstance(link.get("url"), str):
            try:
                url, own = httpx.URL(f"{base}/").join(link["url"]), httpx.URL(base)
            except httpx.InvalidURL:
                return None
            same = (url.scheme, url.netloc, url.userinfo) == (own.scheme, own.netloc, b"")
            under = url.path == own.path or url.path.startswith(f"{own.path.rstrip('/')}/")
            return str(url) if same and under and ".." not in url.path else None
    return None
