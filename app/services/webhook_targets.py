"""Which addresses may be called: exactly the origins on the list, spelled as there. What is not plain is refused."""

from __future__ import annotations

import re
from collections.abc import Iterable
from ipaddress import ip_address
from urllib.parse import urlsplit

_PORTS = {"https": 443, "http": 80}
_LONGEST = 2000
# printable ASCII without what parsers disagree about
_PLAIN = re.compile(r"[!$&'()*+,\-./0-9:;=?@A-Z_a-z~%\[\]#]+")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?|[0-9a-f:.]*:[0-9a-f:.]*")


class BadTarget(ValueError):
    """The address cannot be a target; its text says why, and never repeats the address."""


def origin_of(url: str) -> str:
    """scheme://host:port of an address that may be called. Raises BadTarget.

    https only, or http to this machine; no user, no fragment; hosts as lower-case ASCII names or addresses.
    """
    if len(url) > _LONGEST or not _PLAIN.fullmatch(url):
        raise BadTarget("is not a plain address of at most 2000 characters (other characters escaped, hosts in ASCII)")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise BadTarget("is not an address") from None
    if parts.scheme not in _PORTS:
        raise BadTarget("is not an https address")
    if "@" in parts.netloc or parts.fragment or "#" in url:
        raise BadTarget("holds a user or a fragment")
    if not _HOST.fullmatch(host) or port == 0 or parts.netloc.endswith(":"):
        raise BadTarget("names no plain host and port")
    if parts.scheme == "http" and not _is_here(host):
        raise BadTarget("is http to another machine; only https may leave this one")
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}:{port or _PORTS[parts.scheme]}"


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class Targets:
    """The allow-list. listed: origins such as https://hooks.example.org:8443. Raises BadTarget for one with a path."""

    def __init__(self, listed: Iterable[str]) -> None:
        self._origins = set()
        for each in listed:
            parts = urlsplit(each)
            if parts.path.strip("/") or parts.query:
                raise BadTarget("is an address and not an origin (scheme://host:port)")
            self._origins.add(origin_of(each))

    def allow(self, url: str) -> bool:
        """Is it an address whose origin is listed?"""
        try:
            return origin_of(url) in self._origins
        except BadTarget:
            return False
