"""What a use case refuses, in words that every door can turn into its own protocol."""

from __future__ import annotations

import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from app.domain.problems import Problem

_PACKAGE = Path(__file__).parents[1]


def told_of(error: Exception) -> dict[str, str]:
    """What may be logged of an error of ours: its kind, and where it was met in this package; no value."""
    own = [each for each in traceback.extract_tb(error.__traceback__) if Path(each.filename).is_relative_to(_PACKAGE)]
    where = f"{Path(own[-1].filename).name}:{own[-1].lineno} {own[-1].name}" if own else "outside"
    return {"error": type(error).__name__, "where": where}


class Refusal(Exception):
    """A request that was not done. kind: a key of app.api.problems.KINDS; extra: members for the problem document."""

    def __init__(
        self, kind: str, detail: str, problems: Sequence[Problem] = (), extra: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(detail)
        self.kind, self.detail, self.problems, self.extra = kind, detail, tuple(problems), dict(extra or {})
