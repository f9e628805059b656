"""A trouble is told twice: when it starts and when it has ended, never each time it strikes."""

from __future__ import annotations

from typing import Any


class Alarm:
    """One kind of trouble. log: a logger; name: the event of its first line, and with `_ended` of its last."""

    def __init__(self, log: Any, name: str, **fields: Any) -> None:
        self.count = 0
        self._log, self._name, self._fields = log, name, fields

    def strike(self, error: str) -> None:
        """It happened. error: its kind, nothing that was sent."""
        self.count += 1
        if self.count == 1:
            self._log.error(self._name, error=error, **self._fields)

    def end(self) -> None:
        """It works again."""
        if self.count:
            self._log.warning(f"{self._name}_ended", count=self.count, **self._fields)
            self.count = 0
