"""Classifications back to the LIS: each line about a result as an ORU over MLLP."""

from __future__ import annotations

import asyncio
from datetime import datetime

from app.mllp.client import Client, NoAnswer
from app.services.deliveries import Delivered, Failed, Line
from app.services.oru import Parties, acknowledged, control_id, result_message
from app.services.reporting import Context

_TAKEN = ("AA", "CA")
_REFUSED = ("AE", "AR", "CE", "CR")


class OruDestination:
    """A receiver of ORU. AE and AR are tried again too: most often the receiver's set-up is mended, not the message."""

    name = "oru"
    topics: tuple[str, ...] = ("result.",)

    def __init__(
        self, context: Context, client: Client, parties: Parties, *, seconds: float, since: datetime | None = None
    ) -> None:
        self._context, self._client, self._parties = context, client, parties
        self.since = since
        # a kept connection may have to be made anew
        self.seconds = 2 * seconds + 10

    async def deliver(self, line: Line) -> Delivered | Failed:
        """Delivered once AA or CA has come for this very message."""
        message = await asyncio.to_thread(result_message, self._context, line, self._parties)
        if message is None:
            return Failed("erased by order", permanent=True)
        try:
            said = acknowledged(await self._client.ask(message))
        except NoAnswer as error:
            return Failed(str(error), unreachable=True)
        if said.control_id != control_id(line):
            self._client.close()
            return Failed("the answer is to another message", unreachable=True)
        if said.code in _TAKEN:
            return Delivered(said.code)
        if said.code in _REFUSED:
            return Failed(f"{said.code} {said.error}".strip())
        self._client.close()
        return Failed("the answer is no acknowledgement", unreachable=True)
