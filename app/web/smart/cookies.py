"""The encrypted cookies of a launch: one for each tab, each bound to its name, its path and its time."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwe import JWERegistry
from joserfc.jwk import OctKey
from starlette.requests import Request
from starlette.responses import Response

from app.web.smart.servers import Server
from app.web.smart.trouble import Trouble

_ALGORITHMS = ["dir", "A256GCM"]
_LARGEST = 4000  # bytes that every browser keeps in one cookie, with its name and attributes


class Cookies:
    """Seals and opens. secret: HERALD_SESSION_KEY."""

    def __init__(self, secret: str) -> None:
        self._key = OctKey.import_key(hashlib.sha256(b"herald smart cookie\0" + secret.encode()).digest())

    def seal(self, name: str, content: Mapping[str, Any], seconds: int) -> str:
        """The content encrypted, good for this name and so many seconds."""
        header = {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}
        claims = {**content, "aud": name, "exp": int(time.time()) + seconds}
        return jwt.encode(header, claims, self._key, registry=JWERegistry(algorithms=[*_ALGORITHMS, "DEF"]))

    def open(self, name: str, sealed: str) -> dict[str, Any]:
        """What was sealed. Raises Trouble where it was changed, is of another name, or its time is over."""
        try:
            told = jwt.decode(sealed, self._key, registry=JWERegistry(algorithms=[*_ALGORITHMS, "DEF"])).claims
            jwt.JWTClaimsRegistry(aud={"essential": True, "value": name}, exp={"essential": True}).validate(told)
        except (JoseError, ValueError) as error:
            raise Trouble("no_session") from error
        return told

    def set(
        self, response: Response, attributes: str, name: str, path: str, content: Mapping[str, Any], seconds: int
    ) -> None:
        """Give the browser a cookie for one path. Raises Trouble where it would be larger than browsers keep."""
        sealed = self.seal(name, content, seconds)
        if len(name) + len(sealed) > _LARGEST:
            raise Trouble("too_large", 502)
        _append(response, name, sealed, seconds, path, attributes)

    def get(self, request: Request, name: str) -> dict[str, Any]:
        """What stands in a cookie of this request. Raises Trouble where it is not there or not good."""
        return self.open(name, request.cookies.get(name, ""))


def drop(response: Response, attributes: str, name: str, path: str) -> None:
    """Take a cookie back."""
    _append(response, name, "", 0, path, attributes)


def attributes(server: Server, base: str) -> str:
    """In a frame of another site a browser sends only a cookie that is None, Secure and kept apart by that site."""
    if server.framed_by:
        return "SameSite=None; Secure; Partitioned"
    return "SameSite=Lax; Secure" if base.startswith("https:") else "SameSite=Lax"


def _append(response: Response, name: str, value: str, seconds: int, path: str, attributes: str) -> None:
    # By hand: the standard library knows Partitioned from Python 3.14 on.
    told = f"{name}={value}; Max-Age={seconds}; Path={path}; HttpOnly; {attributes}"
    response.headers.append("set-cookie", told)
