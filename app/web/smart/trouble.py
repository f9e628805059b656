"""What can go wrong at a launch: each is a page that says what to do."""

from __future__ import annotations


class Trouble(Exception):
    """A launch that does not go on. key: of the texts in smart.toml; code: of OAuth, where the EHR gave one."""

    def __init__(self, key: str, status: int = 400, code: str = "") -> None:
        super().__init__(key)
        self.key, self.status, self.code = key, status, code
