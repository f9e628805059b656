"""A simulated EHR for tests and for a demonstration: FHIR R4 with SMART App Launch 2. Its patients are invented.

By hand: `python -m tests.browser.ehr --port 9000 --herald http://127.0.0.1:8000`, see docs/smart.md.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import hashlib
import html
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode

import uvicorn
from fastapi import FastAPI, Request
from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from app.domain.strict_json import write
from tests.browser.ehr_patients import PATIENTS, resources

CLIENT = "herald"


@dataclass
class Ehr:
    """The EHR's address, who its client is, and what a test may change of it."""

    port: int
    herald: str
    secret: str = ""
    expires_in: int = 3600
    scopes_s256: bool = True
    consent: bool = True
    name_patient: bool = True
    wrong: dict[str, Any] = field(default_factory=dict)  # claims of the id_token to be wrong
    wrong_patient: str = ""  # whose data are sent, whoever is open
    app_context: str = ""
    seen: list[str] = field(default_factory=list)
    launches: dict[str, str] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, tuple[str, float]] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "ehr-1", "use": "sig"}))

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def iss(self) -> str:
        return f"{self.base}/fhir"

    @property
    def redirect_uri(self) -> str:
        return f"{self.herald}/smart/callback"


def application(ehr: Ehr) -> FastAPI:
    """The EHR as an ASGI application."""
    app = FastAPI(openapi_url=None)

    @app.middleware("http")
    async def note(request: Request, call_next: Any) -> Response:
        ehr.seen.append(f"{request.method} {request.url.path}")
        answer: Response = await call_next(request)
        return answer

    @app.get("/")
    async def chart() -> Response:
        rows = "".join(
            f"<li>{html.escape(name)} <a href='/launch/{each}'>Open Herald for {html.escape(name)}</a></li>"
            for each, name in _names().items()
        )
        return _page("Patients", f"<ul>{rows}</ul>")

    @app.get("/frame/{patient}")
    async def frame(patient: str) -> Response:
        return _page("Chart", f"<iframe title='Herald' width='900' height='700' src='/launch/{patient}'></iframe>")

    @app.get("/launch/{patient}")
    async def launch(patient: str) -> Response:
        handle = secrets.token_urlsafe(8)
        ehr.launches[handle] = patient
        told = urlencode({"iss": ehr.iss, "launch": handle})
        return RedirectResponse(f"{ehr.herald}/smart/launch?{told}", 303)

    @app.get("/fhir/.well-known/smart-configuration")
    async def configuration() -> Response:
        return JSONResponse(
            {
                "issuer": ehr.base,
                "jwks_uri": f"{ehr.base}/jwks",
                "authorization_endpoint": f"{ehr.base}/authorize",
                "token_endpoint": f"{ehr.base}/token",
                "grant_types_supported": ["authorization_code"],
                "code_challenge_methods_supported": ["S256"] if ehr.scopes_s256 else ["plain"],
                "capabilities": ["launch-ehr", "launch-standalone", "client-public", "sso-openid-connect"],
            }
        )

    @app.get("/jwks")
    async def jwks() -> Response:
        return JSONResponse({"keys": [ehr.key.as_dict(private=False)]})

    @app.get("/authorize")
    async def authorize(request: Request) -> Response:
        query = dict(request.query_params)
        right = {
            "response_type": "code", "client_id": CLIENT, "redirect_uri": ehr.redirect_uri, "aud": ehr.iss,
            "code_challenge_method": "S256",
        }  # fmt: skip
        wrong = [name for name, value in right.items() if query.get(name) != value]
        wrong += [name for name in ("state", "nonce", "code_challenge") if len(query.get(name, "")) < 20]
        scopes = query.get("scope", "").split()
        if "launch" in scopes:
            if query.get("launch") not in ehr.launches:
                wrong.append("launch")
        elif "launch/patient" not in scopes:
            wrong.append("scope")
        if wrong:
            return _page("Refused", f"<p>Not as registered: {html.escape(', '.join(wrong))}</p>", 400)
        kept = "".join(f"<input type='hidden' name='{name}' value='{html.escape(query[name])}'>" for name in query)
        if "launch" in scopes:
            asked = f"<p>Patient: {html.escape(_names()[ehr.launches[query['launch']]])}</p>"
        else:
            options = "".join(f"<option value='{each}'>{html.escape(name)}</option>" for each, name in _names().items())
            asked = f"<p><label>Patient <select name='patient'>{options}</select></label></p>"
        buttons = (
            "<button name='decision' value='allow'>Allow</button> <button name='decision' value='deny'>Deny</button>"
        )
        told = f"<p>Herald asks for: {html.escape(query['scope'])}</p>"
        return _page(
            "May Herald read this?", f"<form method='post' action='/authorize'>{kept}{told}{asked}{buttons}</form>"
        )

    @app.post("/authorize")
    async def decide(request: Request) -> Response:
        form = await _form(request)
        if form["decision"] == "deny":
            return _back(form, error="access_denied", error_description="The user said no")
        code = secrets.token_urlsafe(16)
        patient = form.get("patient") or ehr.launches.pop(form["launch"])
        ehr.codes[code] = form | {"patient": patient}
        return _back(form, code=code)

    @app.post("/token")
    async def token(request: Request) -> Response:
        form = await _form(request)
        if not _is_client(ehr, request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = ehr.codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            asked is None
            or form.get("grant_type") != "authorization_code"
            or form.get("redirect_uri") != asked["redirect_uri"]
            or challenge != asked["code_challenge"]
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        access = secrets.token_urlsafe(24)
        ehr.tokens[access] = asked["patient"], time.time() + ehr.expires_in
        return JSONResponse(_granted(ehr, asked, access), headers={"Cache-Control": "no-store"})

    @app.get("/fhir/{kind}")
    async def search(request: Request, kind: str, patient: str) -> Response:
        if _open(ehr, request) != patient:
            return Response(status_code=401)
        told = resources(ehr.wrong_patient or patient, kind)
        entries = [{"fullUrl": f"{ehr.iss}/{kind}/{each['id']}", "resource": each} for each in told]
        return _fhir({"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries})

    @app.get("/fhir/Patient/{patient}")
    async def read(request: Request, patient: str) -> Response:
        return _fhir(PATIENTS[patient]) if _open(ehr, request) == patient else Response(status_code=401)

    return app


def _names() -> dict[str, str]:
    return {each: f"{told['name'][0]['given'][0]} {told['name'][0]['family']}" for each, told in PATIENTS.items()}


def _page(title: str, body: str, status: int = 200) -> Response:
    head = f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{title} - simulated EHR</title>"
    return HTMLResponse(
        f"{head}<link rel='icon' href='data:,'></head><body><h1>{title}</h1>{body}</body></html>", status
    )


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode(), keep_blank_values=True))


def _back(form: dict[str, str], **told: str) -> Response:
    return RedirectResponse(f"{form['redirect_uri']}?{urlencode({**told, 'state': form['state']})}", 303)


def _is_client(ehr: Ehr, request: Request, form: dict[str, str]) -> bool:
    """A client with a secret shows it by HTTP Basic; one without tells its id, and nothing more."""
    authorization = request.headers.get("authorization", "")
    if ehr.secret:
        return authorization == "Basic " + base64.b64encode(f"{CLIENT}:{ehr.secret}".encode()).decode()
    return not authorization and form.get("client_id") == CLIENT


def _granted(ehr: Ehr, asked: dict[str, str], access: str) -> dict[str, Any]:
    now = int(time.time())
    claims = {
        "iss": ehr.base, "sub": "u-1", "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
        "fhirUser": "Practitioner/p-17",
    }  # fmt: skip
    told = {
        "access_token": access, "token_type": "Bearer", "expires_in": ehr.expires_in, "scope": asked["scope"],
        "id_token": jwt.encode({"alg": "ES256", "kid": "ehr-1"}, claims | ehr.wrong, ehr.key),
        "need_patient_banner": True,
    }  # fmt: skip
    if ehr.name_patient:
        told["patient"] = asked["patient"]
    if ehr.app_context:
        told["appContext"] = ehr.app_context
    return told


def _open(ehr: Ehr, request: Request) -> str:
    """Whose record the request's token opens now, "" where none."""
    token = request.headers.get("authorization", "").removeprefix("Bearer ")
    patient, until = ehr.tokens.get(token, ("", 0.0))
    return patient if time.time() < until else ""


def _fhir(resource: Any) -> Response:
    return Response(write(resource), media_type="application/fhir+json")


@contextlib.contextmanager
def running(ehr: Ehr) -> Iterator[Ehr]:
    """The EHR on its port, in a thread of this process; ended when the block ends."""
    server = uvicorn.Server(uvicorn.Config(application(ehr), port=ehr.port, log_level="warning"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the simulated EHR did not start"
        time.sleep(0.02)
    try:
        yield ehr
    finally:
        server.should_exit = True
        thread.join()


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        port: int = found.getsockname()[1]
        return port


def main() -> None:
    """Serve until Ctrl-C."""
    told = argparse.ArgumentParser(description="A simulated EHR with invented patients.")
    told.add_argument("--port", type=int, default=9000)
    told.add_argument("--herald", default="http://127.0.0.1:8000", help="where Herald is")
    given = told.parse_args()
    uvicorn.run(application(Ehr(given.port, given.herald)), port=given.port)


if __name__ == "__main__":
    main()
