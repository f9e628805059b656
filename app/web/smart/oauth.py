"""The OAuth of SMART App Launch 2: what a server offers, the way there with PKCE, and the way back to a token."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from app.services.outward import trust
from app.web.smart.servers import Server, Servers, alg
from app.web.smart.trouble import Trouble

_SECONDS, _KEPT, _LEEWAY, _ASSERTION = 10.0, 3600.0, 60, 240
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "ES256", "ES384", "ES512"]
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_LONGEST = 8 * 3600  # a working day, whatever the server would allow
_UNTOLD = 3600  # expires_in is recommended only

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What a server's smart-configuration names. issuer and keys: "" where it says nothing of the user."""

    authorize: str
    token: str
    issuer: str = ""
    keys: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """A launch on its way: what has to come back the same."""

    iss: str
    state: str
    verifier: str
    nonce: str
    redirect_uri: str

    @property
    def document(self) -> dict[str, Any]:
        """As the cookie keeps it."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Granted:
    """What a server granted. user: its reference or subject; app_context: of the card that the app was opened from."""

    patient: str
    user: str
    token: str
    seconds: int
    app_context: str


class OAuth:
    """Launches at the listed servers. ca: PEM of their authority, else the usual ones; transport: in tests."""

    def __init__(
        self, servers: Servers, ca: Path | None = None, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.servers = servers
        self._options: Any = {
            "timeout": _SECONDS, "trust_env": False, "verify": trust(ca), "transport": transport
        }  # fmt: skip
        self._kept: dict[str, tuple[float, Any]] = {}

    async def begin(self, server: Server, redirect_uri: str, launch: str | None) -> tuple[str, Pending]:
        """Where to send the browser, and what has to be kept until it is back. launch: of an EHR launch."""
        endpoints = await self.endpoints(server)
        state, verifier, nonce = (secrets.token_urlsafe(each) for each in (24, 48, 24))
        pending = Pending(server.iss, state, verifier, nonce, redirect_uri)
        async with self._client(server, endpoints, redirect_uri) as client:
            asked = {"aud": server.iss, "nonce": pending.nonce} | ({"launch": launch} if launch else {})
            url, _ = client.create_authorization_url(
                endpoints.authorize,
                state=pending.state,
                code_verifier=pending.verifier,
                scope=server.scope(launched=launch is not None),
                **asked,
            )
        return str(url), pending

    async def finish(self, server: Server, pending: Pending, code: str) -> Granted:
        """The token for a code, with the user proved and a patient in context. Raises Trouble."""
        endpoints = await self.endpoints(server)
        try:
            async with self._client(server, endpoints, pending.redirect_uri) as client:
                told = await client.fetch_token(
                    endpoints.token, grant_type="authorization_code", code=code, code_verifier=pending.verifier
                )
        except AuthlibBaseError as error:
            raise Trouble("no_token", 502, code_of(error.error)) from error
        except (httpx.HTTPError, httpx.InvalidURL, TypeError, ValueError) as error:
            raise Trouble("unreachable", 502) from error
        token, kind = told.get("access_token"), told.get("token_type")
        if not isinstance(token, str) or not token or str(kind).lower() != "bearer":
            raise Trouble("no_token", 502)
        user = await self._user(server, endpoints, pending, told) if server.wants_user else ""
        patient = told.get("patient")
        if not isinstance(patient, str) or not _ID.fullmatch(patient):
            raise Trouble("no_patient")
        context = told.get("appContext")
        return Granted(patient, user, token, _seconds(told), context if isinstance(context, str) else "")

    async def endpoints(self, server: Server) -> Endpoints:
        """What the server offers, kept for an hour. Raises Trouble where it offers too little for a safe launch."""
        return await self._once(f"{server.iss}/.well-known/smart-configuration", lambda told: _endpoints(server, told))

    async def _user(self, server: Server, endpoints: Endpoints, pending: Pending, told: Mapping[str, Any]) -> str:
        """Who signed in, proved by the id_token: signature, issuer, audience, time, nonce."""
        try:
            keys = await self._once(endpoints.keys, KeySet.import_key_set)
            found = jwt.decode(str(told.get("id_token") or ""), keys, algorithms=_ALGORITHMS)
            options: Any = {
                "iss": {"essential": True, "value": endpoints.issuer},
                "aud": {"essential": True, "value": server.client_id},
            }
            expected = {"nonce": pending.nonce, "client_id": server.client_id, "access_token": told["access_token"]}
            CodeIDToken(found.claims, found.header, options, expected).validate(leeway=_LEEWAY)
        except (JoseError, AuthlibBaseError, ValueError) as error:
            # Keys that changed within the hour are fetched at the next launch.
            self._kept.pop(endpoints.keys, None)
            raise Trouble("no_user", 502) from error
        return str(found.claims.get("fhirUser") or found.claims["sub"])

    async def _once(self, url: str, read: Callable[[Any], T]) -> T:
        """A JSON document of a listed server, read, and kept for an hour."""
        at, kept = self._kept.get(url, (0.0, None))
        if kept is not None and time.monotonic() - at < _KEPT:
            return kept  # type: ignore[no-any-return]
        try:
            async with httpx.AsyncClient(**self._options) as client:
                answer = await client.get(url, headers={"Accept": "application/json"})
            answer.raise_for_status()
            found = read(answer.json())
        except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
            raise Trouble("unreachable", 502) from error
        self._kept[url] = time.monotonic(), found
        return found

    def _client(self, server: Server, endpoints: Endpoints, redirect_uri: str) -> AsyncOAuth2Client:
        """Authlib's client, as this server knows us: public, with a secret, or with a key."""
        key = self.servers.keys.get(server.iss)
        secret = server.client_secret.get_secret_value() if server.client_secret else None
        method = "private_key_jwt" if key else "client_secret_basic" if secret else "none"
        client = AsyncOAuth2Client(
            server.client_id,
            key or secret,
            token_endpoint_auth_method=method,
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            **self._options,
        )
        if key is not None:
            # SMART allows an assertion five minutes at most; authlib's own is good for an hour.
            claims, header = {"exp": int(time.time()) + _ASSERTION}, {"typ": "JWT", "kid": key.kid}
            client.register_client_auth_method(PrivateKeyJWT(endpoints.token, claims, header, alg(key)))
        return client


def _endpoints(server: Server, told: Any) -> Endpoints:
    if not isinstance(told, dict):
        raise ValueError("no object")
    methods = told.get("code_challenge_methods_supported")
    if not isinstance(methods, list) or "S256" not in methods:
        raise Trouble("no_pkce", 502)
    names = ["authorization_endpoint", "token_endpoint", *(["issuer", "jwks_uri"] if server.wants_user else [])]
    found = [str(told.get(each) or "") for each in names]
    # The issuer is a name, compared and never fetched.
    if not all(url and (name == "issuer" or server.serves(url)) for name, url in zip(names, found, strict=True)):
        raise Trouble("incomplete_setup", 502)
    return Endpoints(*found)


def _seconds(told: Mapping[str, Any]) -> int:
    """For how long the token may be used, as the server says in a number that authlib could read."""
    return max(1, min(int(told.get("expires_in") or _UNTOLD), _LONGEST))


def code_of(told: object) -> str:
    """An error code of OAuth, shown to who has to mend it; never free text."""
    return told if isinstance(told, str) and re.fullmatch(r"[a-z_]{1,40}", told) else ""
