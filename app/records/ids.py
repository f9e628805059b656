"""Identifiers that sort by time: UUID version 7 (RFC 9562), never running backwards inside one process."""

from __future__ import annotations

import re
import secrets
import threading
import time
import uuid

_COUNTER_BITS = 12
_ID = re.compile(r"[0-9a-f-]{36}")
_lock = threading.Lock()
_last = 0  # milliseconds since 1970 and the counter, joined: what the next id must exceed


def new_id() -> str:
    """A new id: 36 characters, lower case; later ids of this process are greater as text."""
    global _last
    with _lock:
        # a clock set back, or more than 4096 ids in a millisecond, borrows from the next millisecond
        _last = max(_last + 1, (time.time_ns() // 1_000_000) << _COUNTER_BITS)
        stamp = _last
    milliseconds, counter = stamp >> _COUNTER_BITS, stamp & ((1 << _COUNTER_BITS) - 1)
    value = (milliseconds << 80) | (0x7 << 76) | (counter << 64) | (0b10 << 62) | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def is_id(text: str) -> bool:
    """Can this be the id of a row? Asked before the database is."""
    return _ID.fullmatch(text) is not None
