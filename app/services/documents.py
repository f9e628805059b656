"""Documents as stored: canonical text, digests, and the differences between two of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any


def text_of(document: Any) -> str:
    """A document as JSON text, digits and order as received."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def canonical(document: Any) -> str:
    """The same text for the same content: keys sorted."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


def digest(document: Any) -> str:
    """SHA-256 of the canonical text, in hex."""
    return hashlib.sha256(canonical(document).encode("utf-8", "surrogatepass")).hexdigest()


def differences(before: Any, after: Any, at: str = "") -> Iterator[dict[str, Any]]:
    """Each field in which two documents differ: its dotted path, the value before and after (null where absent)."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in sorted({*before, *after}):
            yield from differences(before.get(name), after.get(name), f"{at}.{name}" if at else name)
    elif before != after:
        yield {"field": at, "before": before, "after": after}


def merged(document: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """JSON Merge Patch (RFC 7396): null removes, objects merge, the rest replaces.

    Unlike there, an object that only removes makes nothing where nothing was.
    """
    result = dict(document)
    for name, value in changes.items():
        if value is None:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            there = result.get(name)
            left = merged(there if isinstance(there, Mapping) else {}, value)
            if left or there is not None or not value:
                result[name] = left
        else:
            result[name] = value
    return result
