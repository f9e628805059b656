"""Two sequences of one length, side by side."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

A = TypeVar("A")
B = TypeVar("B")


def pairs(one: Iterable[A], other: Iterable[B]) -> Iterable[tuple[A, B]]:
    """What belongs together. Raises ValueError where the lengths differ: a slip of ours is never cut short quietly."""
    return zip(one, other, strict=True)
