"""What a use case refuses, in words that every door can turn into its own protocol."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.problems import Problem


class Refusal(Exception):
    """A request that was not done. kind: a key of app.api.problems.KINDS; extra: members for the problem document."""

    def __init__(
        self, kind: str, detail: str, problems: Sequence[Problem] = (), extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.problems, self.extra = kind, detail, tuple(problems), dict(extra or {})
