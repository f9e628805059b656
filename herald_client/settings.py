"""What both clients are set up with."""

from __future__ import annotations

from typing import Any

# The states in which an import has ended.
SETTLED = frozenset({"recorded", "recorded_in_part", "quarantined", "set_aside", "refused", "dismissed"})


class Settings:
    """The arguments for httpx (`http`) and stamina (`again`)."""

    def __init__(self, base_url: str, sender: str | None, timeout: float, retries: int, token: str | None) -> None:
        headers = {}
        if sender is not None:
            headers["Herald-Sender"] = sender
        if token is not None:
            if not token.isascii() or not token.isprintable():
                raise ValueError("the token holds characters that a header cannot carry")
            headers["Authorization"] = f"Bearer {token}"
        self.http: dict[str, Any] = {"base_url": base_url, "timeout": timeout, "headers": headers}
        self.again: dict[str, Any] = {"attempts": retries + 1, "timeout": None, "wait_max": 10.0}
