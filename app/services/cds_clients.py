"""Who may call the CDS services: EHRs with a JSON Web Token of their own key (CDS Hooks 2.0, trusting CDS clients).

Everything that is cheap is looked at before a signature is, and no key is ever fetched from where only the token says.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import heapq
import json
import time
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, OctKey, RSAKey

from app.domain.strict_json import NotJson, read_object
from app.services.errors import Refusal
from app.services.outward import NotFetched, fetch_object, safe_url

# Asymmetric ones only: with none or an HMAC whoever knows the public key could sign.
ALGORITHMS = frozenset(
    {"ES256", "ES384", "ES512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "EdDSA", "Ed25519"}
)
LONGEST_TOKEN = 8_192  # characters
_CLOCKS_DIFFER = 60  # seconds
_LONGEST_LIFE = 3_600  # seconds; what is remembered of a token is kept as long
_KEYS_KEPT = 3_600  # seconds until keys are fetched anew, so that one taken back is no longer trusted
_PAUSE = 60  # seconds between two fetches of one client's keys, whatever calls come
_FETCH_SECONDS, _FETCH_BYTES = 2, 200_000
_TOKENS_KEPT = 100_000
_LEAST_RSA_BITS = 2_048
_REGISTRY = jws.JWSRegistry(algorithms=list(ALGORITHMS), strict_check_header=False)

Keys = Mapping[str, Key]


@dataclass(slots=True)
class Client:
    """An EHR that may call. keys by kid; jku: where they are published, None where the file holds them."""

    issuer: str
    jku: str | None = None
    keys: Keys = field(default_factory=dict)
    tried_at: float = float("-inf")
    fetched_at: float = float("-inf")
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)


class _Remembered:
    """Values by digest until a moment, of bounded number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._values: dict[bytes, Any] = {}
        self._ends: list[tuple[float, bytes]] = []

    def find(self, digest: bytes, now: float) -> Any:
        while self._ends and self._ends[0][0] <= now:
            del self._values[heapq.heappop(self._ends)[1]]
        return self._values.get(digest)

    def add(self, digest: bytes, value: Any, until: float) -> bool:
        """False where there is no room."""
        if digest not in self._values:
            if len(self._values) >= self._most:
                return False
            heapq.heappush(self._ends, (until, digest))
            self._values[digest] = value
        return True


class CdsClients:
    """Tells callers from strangers. is_open: nobody needs a token; now: seconds since 1970."""

    def __init__(
        self,
        clients: Iterable[Client],
        http: httpx.AsyncClient,
        *,
        is_open: bool = False,
        log: Any = None,
        now: Callable[[], float] = time.time,
        most: int = _TOKENS_KEPT,
    ) -> None:
        self._clients = {client.issuer: client for client in clients}
        self.is_open = is_open and not self._clients
        self.now, self._http, self._log = now, http, log
        self._verified = _Remembered(most)
        # One client that calls too much must not close the door to the others.
        self._used = {issuer: _Remembered(most) for issuer in self._clients}

    async def authenticate(self, token: str, endpoint: str) -> str:
        """The issuer of a token for this endpoint (its URL without query). Raises Refusal: unauthenticated, busy."""
        if len(token) > LONGEST_TOKEN:
            raise _refused("The token is too long.")
        now, digest = self.now(), hashlib.sha256(token.encode()).digest()
        claims = self._verified.find(digest, now)
        if claims is None:
            claims = await self._verify(token, endpoint, now)
            self._verified.add(digest, claims, claims["exp"] + _CLOCKS_DIFFER)
        else:
            _check(claims, endpoint, now)
        self._use(claims, endpoint, now)
        return str(claims["iss"])

    async def _verify(self, token: str, endpoint: str, now: float) -> dict[str, Any]:
        try:
            signed = jws.extract_compact(token.encode(), registry=_REGISTRY)
            header, claims = signed.headers(), read_object(signed.payload)
        except (JoseError, NotJson, ValueError, TypeError, AttributeError, RecursionError) as error:
            raise _refused("The token is not a signed JSON Web Token.") from error
        algorithm, kid, kind = header.get("alg"), header.get("kid"), header.get("typ")
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS or "crit" in header:
            raise _refused("The token's alg is not one that is taken (such as ES384, RS384).")
        if not isinstance(kind, str) or kind.upper() != "JWT":
            raise _refused("The token's typ is not JWT.")
        issuer = claims.get("iss")
        client = self._clients.get(issuer) if isinstance(issuer, str) else None
        if client is None:
            raise _refused("The token's iss is not a client of this service.")
        if client.jku is not None and header.get("jku", client.jku) != client.jku:
            raise _refused("The token's jku is not the one on record for its iss.")
        _check(claims, endpoint, now)
        key = await self._key(client, kid) if isinstance(kid, str) else None
        if key is None:
            raise _refused("The token's kid is not a key of its iss.")
        try:
            holds = jws.validate_compact(signed, key, registry=_REGISTRY)
        except (JoseError, ValueError, TypeError):
            holds = False
        if not holds:
            raise _refused("The token's signature does not hold.")
        return claims

    async def _key(self, client: Client, kid: str) -> Key | None:
        if client.jku is None:
            return client.keys.get(kid)
        if kid not in client.keys or self.now() - client.fetched_at > _KEYS_KEPT:
            async with client.turn:
                if self.now() - client.tried_at > _PAUSE:
                    client.tried_at = self.now()
                    await self._fetch(client, client.jku)
        return client.keys.get(kid)

    async def _fetch(self, client: Client, jku: str) -> None:
        """Take the published keys; where they cannot be had those of before stay."""
        headers = {"Accept": "application/json"}
        try:
            async with asyncio.timeout(_FETCH_SECONDS):
                document, _ = await fetch_object(self._http, jku, headers, _FETCH_BYTES)
            client.keys, client.fetched_at = public_keys(document), self.now()
        except (NotFetched, TimeoutError, ValueError) as error:
            if self._log is not None:
                reason = error.reason if isinstance(error, NotFetched) else type(error).__name__
                self._log.error("keys_not_fetched", address=jku, error=reason)

    def _use(self, claims: Mapping[str, Any], endpoint: str, now: float) -> None:
        """A jti is a nonce: taken once at each endpoint, since one token may be made for several (aud is a list)."""
        used = self._used[claims["iss"]]
        digest = hashlib.sha256(json.dumps([endpoint, claims["jti"]]).encode()).digest()[:16]
        if used.find(digest, now) is not None:
            raise _refused("The token's jti was used here before; make a token for each call.")
        if not used.add(digest, True, claims["exp"] + _CLOCKS_DIFFER):
            raise Refusal("busy", "Too many tokens of this client are still valid; send shorter ones, or later.")


def _refused(detail: str) -> Refusal:
    return Refusal("unauthenticated", detail)


def _check(claims: Mapping[str, Any], endpoint: str, now: float) -> None:
    """For whom the token is, and when. Raises Refusal."""
    audience = claims.get("aud")
    if endpoint not in (audience if isinstance(audience, list) else [audience]):
        raise _refused("The token's aud is not the URL of this endpoint.")
    begins, ends, valid_from = claims.get("iat"), claims.get("exp"), claims.get("nbf", 0)
    if type(begins) is not int or type(ends) is not int or type(valid_from) is not int:
        raise _refused("The token's iat and exp are not whole seconds since 1970.")
    if max(begins, valid_from) > now + _CLOCKS_DIFFER:
        raise _refused("The token is of the future: compare the clocks.")
    if ends <= now - _CLOCKS_DIFFER:
        raise _refused("The token has expired.")
    if not begins < ends <= begins + _LONGEST_LIFE:
        raise _refused(f"The token is valid for longer than {_LONGEST_LIFE} seconds, or for no time.")
    nonce = claims.get("jti")
    if not isinstance(nonce, str) or not 1 <= len(nonce) <= 500:
        raise _refused("The token's jti is not a text of 1 to 500 characters.")


def public_keys(document: Any) -> Keys:
    """The keys for signatures of a JSON Web Key Set, by kid; those of a sort not known here are left out.

    Raises ValueError for what is no key set.
    """
    listed = document.get("keys") if isinstance(document, Mapping) else None
    if not isinstance(listed, list):
        raise ValueError("is not a JSON Web Key Set: keys is not a list")
    keys: dict[str, Key] = {}
    for each in listed:
        # A key of a sort that is new to us must not take the others with it.
        with contextlib.suppress(Exception):
            key = JWKRegistry.import_key(each)
            strong = (
                key.public_key.key_size >= _LEAST_RSA_BITS if isinstance(key, RSAKey) else not isinstance(key, OctKey)
            )
            if strong and isinstance(key.kid, str) and each.get("use", "sig") == "sig":
                keys[key.kid] = key
    return keys


def load_clients(path: Path | None) -> tuple[Client, ...]:
    """The clients of a file (docs/ehr-security.md), none without one. Raises ValueError with every mistake, OSError."""
    if path is None:
        return ()
    document = tomllib.loads(path.read_text("utf-8"))
    listed = document.pop("client", [])
    wrong = [f"{name}: there is no such field" for name in document]
    if not isinstance(listed, list) or not listed:
        raise ValueError(f"{path.name}: no [[client]] in it")
    clients: dict[str, Client] = {}
    for number, each in enumerate(listed, 1):
        try:
            client = _client(each, path.parent)
            if client.issuer in clients:
                raise ValueError("iss stands here twice")
            clients[client.issuer] = client
        except (ValueError, OSError) as error:
            wrong.append(f"client {number}: {error}")
    if wrong:
        raise ValueError(f"{path.name}: {'; '.join(wrong)}")
    return tuple(clients.values())


def _client(told: Any, folder: Path) -> Client:
    left = dict(told)
    issuer, jku, jwks = left.pop("iss", None), left.pop("jku", None), left.pop("jwks", None)
    if left:
        raise ValueError(f"{', '.join(left)}: there is no such field")
    if not isinstance(issuer, str) or not issuer:
        raise ValueError("iss is needed, a text")
    if (jku is None) == (jwks is None):
        raise ValueError("give either jku or jwks")
    if jku is not None:
        return Client(issuer, safe_url(str(jku)))
    document = json.loads((folder / jwks).read_text("utf-8")) if isinstance(jwks, str) else jwks
    keys = public_keys(document)
    if not keys or len(keys) != len(document["keys"]):
        raise ValueError("jwks: every key needs kty EC, OKP or RSA (2048 bits or more), a kid of its own, and use sig")
    if any(key.is_private for key in keys.values()):
        raise ValueError("jwks holds a private key; take the public part, and have the client make a new pair")
    return Client(issuer, keys=keys)
