"""Cursors: where a list goes on. Opaque, and good only for the organisation, list and filters they were made for."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json

from app.records.errors import BadCursor

_CHECK_BYTES = 12


def make_cursor(organisation: str, of: str, keys: tuple[str, ...]) -> str:
    """of: names the list and its filters; keys: the sort keys of the last row shown."""
    place = json.dumps(keys, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_check(organisation, of, place) + place).decode().rstrip("=")


def read_cursor(organisation: str, of: str, cursor: str, length: int) -> tuple[str, ...]:
    """The sort keys, `length` of them. Raises BadCursor."""
    try:
        joined = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        check, place = joined[:_CHECK_BYTES], joined[_CHECK_BYTES:]
        keys = json.loads(place)
    except (binascii.Error, ValueError, RecursionError):
        raise BadCursor from None
    fits = isinstance(keys, list) and len(keys) == length and all(isinstance(k, str) for k in keys)
    if not fits or check != _check(organisation, of, place):
        raise BadCursor
    return tuple(keys)


def _check(organisation: str, of: str, place: bytes) -> bytes:
    # guards against mixing lists up; it is no secret, and needs none: every query names its organisation anyway
    return hashlib.sha256(b"\0".join((organisation.encode(), of.encode(), place))).digest()[:_CHECK_BYTES]
