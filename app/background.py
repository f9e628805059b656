"""What runs beside the HTTP door of a process: the MLLP listener, the deliveries, and what asks EHRs."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from app.mllp.client import Client
from app.mllp.listener import Limits, Listener
from app.mllp.oru import OruDestination
from app.mllp.tls import client_context, server_context
from app.services.cds_clients import CdsClients, load_clients
from app.services.deliveries import Deliveries, Destination, Patience
from app.services.ehr import Ehr
from app.services.exchange import Exchange
from app.services.oru import Parties
from app.services.outward import is_loopback, outward_client
from app.services.reporting import Context
from app.services.webhook_sending import Webhooks
from app.settings import Settings

# Seconds: a target that is back is found within ten minutes.
_WEBHOOKS_MOST = 600.0


@contextlib.asynccontextmanager
async def beside(
    settings: Settings, context: Context, exchange: Exchange, webhooks: Webhooks, log: Any
) -> AsyncIterator[None]:
    """Start what the settings ask for; at the end, finish what was begun. Raises OSError: no file, or a port in use."""
    async with contextlib.AsyncExitStack() as stack:
        if destinations := _destinations(settings, context):
            patience = Patience(parked_after=timedelta(days=settings.delivery_days))
            deliveries = Deliveries(context, destinations, log=log, patience=patience)
            deliveries.start()
            stack.push_async_callback(deliveries.stop)
        if webhooks.on:
            patience = Patience(most=_WEBHOOKS_MOST, parked_after=timedelta(days=settings.delivery_days))
            deliveries = Deliveries(context, (), log=log, patience=patience, source=webhooks.follow)
            deliveries.start()
            stack.push_async_callback(deliveries.stop)
        if settings.mllp_port is not None:
            listener = _listener(settings, settings.mllp_port, exchange, log)
            stack.push_async_callback(listener.stop)
            try:
                await listener.start()
            except OSError as error:
                # of several workers the first one listens
                if error.errno != errno.EADDRINUSE or settings.workers == 1:
                    raise
                log.info("mllp_not_here", address=f"{settings.mllp_host}:{settings.mllp_port}")
        yield


@contextlib.asynccontextmanager
async def outward(settings: Settings, log: Any, launching: Sequence[str] = ()) -> AsyncIterator[tuple[Ehr, CdsClients]]:
    """The EHRs that may be read from, and those that may call. Raises ValueError, OSError for a wrong setting.

    launching: base URLs of the FHIR servers that may launch Herald, which are read as well.
    """
    async with outward_client(settings.fhir_ca) as client:
        ehr = Ehr([*settings.fhir_servers.split(), *launching], settings.fhir_seconds, client=client, log=log)
        listed = load_clients(settings.cds_clients)
        yield ehr, CdsClients(listed, client, is_open=_only_here(settings), log=log)


def _only_here(settings: Settings) -> bool:
    """Can none but this machine call? Not where the service is told that others reach it by another address."""
    reached = urlsplit(settings.base_url).hostname if settings.base_url else None
    return is_loopback(settings.host) and (reached is None or is_loopback(reached))


def _listener(settings: Settings, port: int, exchange: Exchange, log: Any) -> Listener:
    tls = None
    if settings.mllp_certificate is not None:
        tls = server_context(settings.mllp_certificate, settings.mllp_key, settings.mllp_client_ca)
    limits = Limits(
        connections=settings.mllp_connections,
        idle_seconds=settings.mllp_idle_seconds or None,
        frame_seconds=settings.mllp_frame_seconds,
        frame_bytes=settings.mllp_frame_bytes,
    )
    return Listener(exchange.answers, exchange.refuse, settings.mllp_host, port, log=log, tls=tls, limits=limits)


def _destinations(settings: Settings, context: Context) -> list[Destination]:
    if not settings.oru_receiver:
        return []
    host, _, port = settings.oru_receiver.rpartition(":")
    tls = client_context(settings.oru_ca, settings.mllp_certificate, settings.mllp_key) if settings.oru_ca else None
    client = Client(host.strip("[]"), int(port), seconds=settings.oru_seconds, tls=tls)
    parties = Parties(settings.oru_own_names, settings.oru_names)
    return [OruDestination(context, client, parties, seconds=settings.oru_seconds, since=settings.oru_since)]
