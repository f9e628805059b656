"""Imports in the background of a serving process: one task an import, each row's transaction in a thread."""

from __future__ import annotations

import asyncio
from typing import Any

from app.services.errors import Refusal
from app.services.imports import Imports


class ImportJobs:
    """Runs imports beside the requests. log: told when one stops before its end; it is taken up at the next start."""

    def __init__(self, imports: Imports, log: Any) -> None:
        self._imports, self._log = imports, log
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def begin(self, message_id: str) -> None:
        """Record the import's rows from where it stands; nothing where it is at work already."""
        if message_id not in self._tasks:
            task = asyncio.create_task(self._run(message_id))
            self._tasks[message_id] = task
            task.add_done_callback(lambda _: self._tasks.pop(message_id, None))

    async def resume(self) -> None:
        """Take up every import that was begun and not finished."""
        try:
            left = await asyncio.to_thread(self._imports.unfinished)
        except Refusal as refused:
            self._log.error("imports not taken up", why=refused.kind)
            return
        for message_id in left:
            self.begin(message_id)

    async def stop(self) -> None:
        """End after the chunks that are being recorded."""
        self._imports.stop()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _run(self, message_id: str) -> None:
        try:
            await asyncio.to_thread(self._imports.run, message_id)
        except Exception as error:
            # its words can hold what was sent
            self._log.error("import stopped", message=message_id, error=type(error).__name__)
