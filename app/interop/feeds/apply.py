"""Map a message by a sender's feed."""

from __future__ import annotations

from collections.abc import Mapping

from app.interop.feeds.feed import Feed
from app.interop.received import Mapped, Received


def map_received(received: Received, feed: Feed, overlay: Mapping[tuple[str, str], str]) -> Mapped:
    """The parts of a message, told line by line."""
    return Mapped((), (), received.problems, received.merges)
