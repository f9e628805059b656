"""Which FHIR servers may launch Herald: the file named by HERALD_SMART_SERVERS, checked when the process starts."""

from __future__ import annotations

import tomllib
from pathlib import Path
from urllib.parse import urlsplit

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from app.services.outward import is_loopback, safe_url

SigningKey = ECKey | RSAKey
_SCOPES = "launch openid fhirUser patient/Patient.rs patient/Observation.rs patient/Condition.rs"


class Server(BaseModel):
    """One FHIR server. iss: its base URL without a slash at the end; framed_by: origins whose pages hold ours."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    iss: str
    title: str = Field(min_length=1)
    client_id: str = Field(min_length=1)
    client_secret: SecretStr | None = None
    private_key: Path | None = None
    scopes: str = _SCOPES
    framed_by: str = Field("", pattern=r"^[^;,\r\n]*$")

    @model_validator(mode="after")
    def _whole(self) -> Server:
        if safe_url(self.iss).endswith("/"):
            raise ValueError("iss is the FHIR base URL, without a slash at the end")
        if self.client_secret is not None and self.private_key is not None:
            raise ValueError("client_secret and private_key: an app has one of them, or none")
        return self

    @property
    def wants_user(self) -> bool:
        """Is it asked who the user is?"""
        return "openid" in self.scopes.split()

    def scope(self, *, launched: bool) -> str:
        """The scopes to ask for. launched: by the EHR; else the EHR has to ask for a patient."""
        rest = [each for each in self.scopes.split() if each not in ("launch", "launch/patient")]
        return " ".join(["launch" if launched else "launch/patient", *rest])

    def serves(self, url: str) -> bool:
        """May this server name that address as one of its own? https, or both on loopback."""
        told = urlsplit(url)
        if told.scheme == "http":
            return is_loopback(told.hostname or "") and is_loopback(urlsplit(self.iss).hostname or "")
        return told.scheme == "https" and bool(told.hostname)


class Servers:
    """The servers by iss, and the private key of each that has one. Raises ValueError for a file that does not hold."""

    def __init__(self, file: Path) -> None:
        try:
            listed = tomllib.loads(file.read_text("utf-8")).get("server", [])
            self.all = tuple(Server.model_validate(each) for each in listed)
        except (OSError, ValueError) as error:
            raise ValueError(f"HERALD_SMART_SERVERS, {file.name}: {_told(error)}") from error
        self._by_iss = {each.iss: each for each in self.all}
        if not self.all or len(self._by_iss) < len(self.all):
            raise ValueError(f"HERALD_SMART_SERVERS, {file.name}: one [[server]] for each iss is needed")
        self.keys = {
            each.iss: _key(file.parent / each.private_key) for each in self.all if each.private_key is not None
        }

    def find(self, iss: str) -> Server | None:
        """The listed server of an iss, with or without a slash at the end."""
        return self._by_iss.get(iss.removesuffix("/"))

    @property
    def ancestors(self) -> str:
        """Of frame-ancestors: whose pages may hold ours."""
        return " ".join(dict.fromkeys(" ".join(each.framed_by for each in self.all).split())) or "'none'"

    def jwks(self) -> dict[str, list[dict[str, object]]]:
        """The public keys, as an EHR fetches them."""
        return {"keys": [dict(key.as_dict(private=False), use="sig", alg=alg(key)) for key in self.keys.values()]}


def alg(key: SigningKey) -> str:
    """The algorithm that SMART names for a kind of key."""
    return "ES384" if isinstance(key, ECKey) else "RS384"


def _key(path: Path) -> SigningKey:
    """A private key, EC P-384 or RSA, with its thumbprint as its id."""
    try:
        pem = path.read_bytes()
        key: SigningKey
        try:
            key = ECKey.import_key(pem)
        except JoseError:
            key = RSAKey.import_key(pem)
        if not key.is_private or (isinstance(key, ECKey) and key.curve_name != "P-384"):
            raise ValueError("another kind of key")
    except (OSError, ValueError, JoseError) as error:
        told = f"HERALD_SMART_SERVERS, private_key {path.name}: not a private key of EC P-384 or RSA in PEM"
        raise ValueError(told) from error
    key.ensure_kid()
    return key


def _told(error: Exception) -> str:
    """What is wrong, without the values: a secret may be among them."""
    if isinstance(error, ValidationError):
        parts = [f"{'.'.join(map(str, each['loc'])) or 'server'}: {each['msg']}" for each in error.errors()]
        return "; ".join(parts)
    return error.strerror or "cannot be read" if isinstance(error, OSError) else str(error)
