"""Fetching from the few servers that a setting names: bounded, no redirects, no cookies, no proxies from outside."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Mapping
from functools import lru_cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import stamina

from app.domain.strict_json import NotJson, read_object

_PASSING = (429, 502, 503, 504)


class NotFetched(Exception):
    """Why nothing came, in words without address or value. again: whether another try may help."""

    def __init__(self, reason: str, *, again: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.again = reason, again


def is_loopback(host: str) -> bool:
    """Is this host name or address this very machine?"""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def safe_url(url: str) -> str:
    """The url, where it is https, or http to loopback, and has neither user, query nor fragment. Raises ValueError."""
    parts = urlsplit(url)
    secure = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if not secure or not parts.hostname or "@" in parts.netloc or "?" in url or "#" in url or not url.isprintable():
        raise ValueError(f"{url!r} is not an https address (http: of loopback only) without user, query and fragment")
    return url


def outward_client(ca: Path | None = None) -> httpx.AsyncClient:
    """A client for these fetches. ca: PEM of the authority that signed the servers' certificates, else the usual ones.

    Calls are bounded by whoever calls. Cookies are dropped: one user's session would be the next one's.
    """
    return httpx.AsyncClient(
        verify=trust(ca),
        trust_env=False,
        follow_redirects=False,
        timeout=None,  # noqa: S113
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
    )


@lru_cache(maxsize=4)
def trust(ca: Path | None) -> ssl.SSLContext:
    """Whose certificates are believed: one authority's (PEM), else the usual ones, whatever the environment says."""
    return ssl.create_default_context(cafile=str(ca)) if ca else httpx.create_ssl_context(trust_env=False)


async def fetch_object(
    client: httpx.AsyncClient, url: str, headers: Mapping[str, str], most_bytes: int
) -> tuple[dict[str, Any], int]:
    """The JSON object at a url, numbers with their digits, and its size in bytes. Raises NotFetched.

    What may pass (no connection, 429, 502 to 504) is tried once more, after some hundredths of a second.
    """
    async for attempt in stamina.retry_context(
        on=lambda error: isinstance(error, NotFetched) and error.again,
        attempts=2,
        timeout=None,
        wait_initial=0.02,
        wait_jitter=0.02,
    ):
        with attempt:
            raw = await _body(client, url, headers, most_bytes)
    try:
        return read_object(raw), len(raw)
    except NotJson as error:
        raise NotFetched("not a JSON object") from error


async def _body(client: httpx.AsyncClient, url: str, headers: Mapping[str, str], most_bytes: int) -> bytes:
    # Compressed, a small answer could become a huge one before anybody counts.
    headers = {**headers, "Accept-Encoding": "identity"}
    try:
        async with client.stream("GET", url, headers=headers) as response:
            if response.status_code != 200:
                raise NotFetched(f"status {response.status_code}", again=response.status_code in _PASSING)
            if response.headers.get("content-encoding", "identity") != "identity":
                raise NotFetched("compressed")
            parts, size = [], 0
            async for part in response.aiter_raw():
                size += len(part)
                if size > most_bytes:
                    raise NotFetched("too large")
                parts.append(part)
            return b"".join(parts)
    except httpx.TransportError as error:
        raise NotFetched(type(error).__name__, again=True) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise NotFetched(type(error).__name__) from None
