"""Build the application: settings, store, routes, the exported contract."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

from app import ENGINE_VERSION
from app.api import (
    problems,
    routes_cds,
    routes_evidence,
    routes_feedback,
    routes_fhir,
    routes_guidelines,
    routes_health,
    routes_her2,
    routes_hl7,
    routes_imports,
    routes_meetings,
    routes_messages,
    routes_patients,
    routes_plots,
    routes_results,
    routes_webhooks,
)
from app.api.contract import describe
from app.api.middleware import RequestLayer
from app.background import beside, outward
from app.logs import configure, logger
from app.services.desk import IntakeDesk
from app.services.evidence import evidence_pack
from app.services.exchange import Exchange
from app.services.hooks import Hooks
from app.services.import_jobs import ImportJobs
from app.services.imports import Imports
from app.services.intake import Intake, load_feeds
from app.services.process import open_context, ready
from app.services.webhook_sending import Webhooks
from app.services.webhook_targets import Targets
from app.settings import Settings
from app.web import calculator, cases, embed, site
from app.web import evidence as evidence_browser
from app.web import meetings as meeting_pages
from app.web import messages as message_browser
from app.web import webhooks as webhook_pages
from app.web.guideline import guideline_page
from app.web.pages import prepare
from app.web.plots import plots_of
from app.web.smart import routes as smart
from app.web.smart.servers import Servers

# Pictures before statements: /evidence/plots is no statement.
_ROUTERS = (
    routes_her2, routes_results, routes_patients, routes_plots, routes_evidence, routes_guidelines, routes_health,
    routes_hl7, routes_fhir, routes_imports, routes_messages, routes_meetings, routes_webhooks, routes_cds,
    routes_feedback,
)  # fmt: skip
_PAGES = (
    site, calculator, cases, meeting_pages, message_browser, evidence_browser, webhook_pages, embed, smart,
)  # fmt: skip
# What a browser of another origin may send; credentials are tokens, never cookies.
_ALLOWED_HEADERS = ["Accept", "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "Herald-Sender"]
_DESCRIPTION = """\
HER2 status by ASCO/CAP 2018 (also 2023, 2013, 2007), the HER2-low class, and what one review says for and against
endocrine and anti-HER2 therapy. Not final, and what is missing, is a good answer; a guess is never given.
"""


def create_app(settings: Settings | None = None) -> FastAPI:
    """The application on its settings; the store is opened when it starts."""
    settings = settings or Settings()
    configure(settings.log_level, settings.log_format)
    log = logger()
    servers = Servers(settings.smart_servers) if settings.smart_servers is not None else None
    launching = [each.iss for each in servers.all] if servers is not None else []

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        context = open_context(
            settings.database_url,
            settings.organisation,
            migrate_first=settings.migrate_on_start,
            idempotency_days=settings.idempotency_days,
            step_due_days=settings.step_due_days,
            sign_off=settings.sign_off,
            evidence_packs=settings.evidence_packs,
        )
        app.state.context, app.state.ready = context, lambda: ready(context)
        intake = Intake(context, load_feeds(settings.feeds), log)
        desk = IntakeDesk(intake, log)
        exchange = Exchange(desk, log=log, strict=intake.is_strict)
        imports = Imports(intake)
        jobs = ImportJobs(imports, log)
        app.state.intake, app.state.desk, app.state.exchange = intake, desk, exchange
        app.state.imports, app.state.import_jobs = imports, jobs
        webhooks = Webhooks(
            context,
            key=settings.webhook_key.get_secret_value(),
            targets=Targets(settings.webhook_targets.split()),
            base_url=settings.base_url,
            seconds=settings.webhook_seconds,
            ca=settings.webhook_ca,
        )
        app.state.webhooks = webhooks
        app.state.hooks = Hooks(intake)
        desk.start()
        await jobs.resume()
        log.info("started", version=ENGINE_VERSION)
        preparing = asyncio.create_task(asyncio.to_thread(prepare))
        try:
            async with (
                outward(settings, log, launching) as (app.state.ehr, app.state.cds_clients),
                beside(settings, context, exchange, webhooks, log),
            ):
                yield
        finally:
            await preparing
            await exchange.finish()
            await jobs.stop()
            await desk.stop()
            await webhooks.close()
            context.store.close()
            log.info("stopped", version=ENGINE_VERSION)

    app = FastAPI(
        title="Herald",
        version=ENGINE_VERSION,
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redirect_slashes=False,
        redoc_url=None,
        openapi_url="/openapi.json",
        separate_input_output_schemas=False,
    )
    app.state.guideline_page = guideline_page
    app.state.plots = plots_of(evidence_pack())
    for routes in (*_ROUTERS, *_PAGES):
        app.include_router(routes.router)
    app.include_router(routes_feedback.summaries)
    app.mount("/static", site.Static(packages=[("app.web", "static")]), name="static")
    app.state.settings = settings
    if servers is not None and settings.session_key is not None:
        key = settings.session_key.get_secret_value()
        app.state.smart = smart.Smart(servers, key, settings.base_url, settings.fhir_ca)
    problems.install(app)
    limits = {"/imports": settings.import_limit}
    app.add_middleware(RequestLayer, body_limit=settings.body_limit, log=log, limits=limits)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins.split(),
        allow_methods=["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"],
        allow_headers=_ALLOWED_HEADERS,
        expose_headers=["ETag", "Location", "Idempotency-Replayed", "X-Request-Id"],
        max_age=600,
    )
    describe(app)
    return app
