"""Tokens of CDS clients as an EHR signs them, and as nobody should."""

from __future__ import annotations

import base64
import json
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, Key, RSAKey

from app.services.cds_clients import ALGORITHMS

BASE = "https://herald.example.org"
PATH = "/cds-services/her2-patient-view/feedback"
ENDPOINT = BASE + PATH
ISSUER = "https://ehr.example.org"
EC, RSA = ECKey.generate_key("P-384"), RSAKey.generate_key(2048)
STRANGER = ECKey.generate_key("P-384")
KIDS: dict[str, Key] = {"ec": EC, "rsa": RSA}


def key_set(**keys: Key) -> dict[str, Any]:
    return {"keys": [{**key.as_dict(private=False), "kid": kid} for kid, key in keys.items()]}


def signed(
    claims: dict[str, Any] | None = None, header: dict[str, Any] | None = None, *, key: Key = EC, **changed: Any
) -> str:
    """A token as an EHR makes one; with changes. A value of ... leaves a claim or a part of the header out."""
    now = int(time.time())
    whole = {"iss": ISSUER, "aud": ENDPOINT, "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex}
    whole |= (claims or {}) | changed
    told = {"alg": "ES384", "kid": "ec", "typ": "JWT", **(header or {})}
    payload = json.dumps({name: value for name, value in whole.items() if value is not ...})
    registry = jws.JWSRegistry(algorithms=[*ALGORITHMS, "HS384"], strict_check_header=False)
    told = {name: value for name, value in told.items() if value is not ...}
    return jws.serialize_compact(told, payload, key, registry=registry)


def raw_token(header: dict[str, Any], claims: dict[str, Any], signature: Callable[[bytes], bytes]) -> str:
    def part(content: bytes) -> bytes:
        return base64.urlsafe_b64encode(content).rstrip(b"=")

    content = part(json.dumps(header).encode()) + b"." + part(json.dumps(claims).encode())
    return (content + b"." + part(signature(content))).decode()


def claims_now() -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": ENDPOINT, "iat": now, "exp": now + 300, "jti": uuid.uuid4().hex}


def write_clients(folder: Path) -> Path:
    """A file of one client, with its keys in a file beside it."""
    (folder / "keys.json").write_text(json.dumps(key_set(**KIDS)))
    path = folder / "clients.toml"
    path.write_text(f'[[client]]\niss = "{ISSUER}"\njwks = "keys.json"\n')
    return path
