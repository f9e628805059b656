"""The OAuth of a launch, without a browser: what is sent to the EHR, and what of its answers is believed."""

from __future__ import annotations

import base64
import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, OctKey, RSAKey

from app.web.smart.oauth import Granted, OAuth, Pending
from app.web.smart.servers import Server, Servers
from app.web.smart.trouble import Trouble
from tests.fixtures_service import Loop

ISS, AUTH, CLIENT = "https://ehr.example/fhir", "https://ehr.example/auth", "herald"
REDIRECT = "https://herald.example/smart/callback"
KEY = ECKey.generate_key("P-256", {"kid": "k1", "use": "sig"})
PENDING = Pending(ISS, "s" * 32, "v" * 64, "n" * 32, REDIRECT)


class EhrServer:
    """Answers discovery, keys and token requests as a test tells it, and keeps what it was asked."""

    def __init__(self) -> None:
        self.configuration: dict[str, Any] = {
            "issuer": "https://ehr.example",
            "jwks_uri": "https://ehr.example/jwks",
            "authorization_endpoint": f"{AUTH}/authorize?tenant=1",
            "token_endpoint": f"{AUTH}/token",
            "code_challenge_methods_supported": ["S256"],
        }
        self.claims: dict[str, Any] = {
            "iss": "https://ehr.example", "sub": "u1", "aud": CLIENT, "exp": int(time.time()) + 300,
            "iat": int(time.time()), "nonce": PENDING.nonce, "fhirUser": "Practitioner/1",
        }  # fmt: skip
        self.sign: Callable[[dict[str, Any]], str] = lambda claims: jwt.encode(
            {"alg": "ES256", "kid": "k1"}, claims, KEY
        )
        self.token: dict[str, Any] = {
            "access_token": "t0ken", "token_type": "Bearer", "expires_in": 600, "patient": "p1",
        }  # fmt: skip
        self.asked: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.asked.append(request)
        if request.url.path.endswith("/.well-known/smart-configuration"):
            return httpx.Response(200, json=self.configuration)
        if request.url.path == "/jwks":
            return httpx.Response(200, json={"keys": [KEY.as_dict(private=False)]})
        return httpx.Response(200, json={"id_token": self.sign(self.claims), **self.token})

    @property
    def form(self) -> dict[str, str]:
        """What the last request sent as a form."""
        return {name: value[0] for name, value in parse_qs(self.asked[-1].content.decode()).items()}

    def token_request(self) -> httpx.Request:
        return next(each for each in self.asked if each.url.path == "/auth/token")


@pytest.fixture
def ehr() -> EhrServer:
    return EhrServer()


@pytest.fixture
def made(tmp_path: Path, ehr: EhrServer) -> Callable[..., tuple[OAuth, Server]]:
    """OAuth with one listed server, with more lines in its entry."""

    def make(more: str = "") -> tuple[OAuth, Server]:
        file = tmp_path / "servers.toml"
        file.write_text(f'[[server]]\niss = "{ISS}"\ntitle = "EHR"\nclient_id = "{CLIENT}"\n{more}')
        servers = Servers(file)
        return OAuth(servers, transport=httpx.MockTransport(ehr)), servers.all[0]

    return make


@pytest.fixture
def finish(made: Callable[..., tuple[OAuth, Server]], loop: Loop) -> Callable[..., Granted]:
    """The end of a launch: the code is `c0de`."""

    def run(more: str = "", pending: Pending = PENDING) -> Granted:
        oauth, server = made(more)
        granted: Granted = loop.run(oauth.finish(server, pending, "c0de"))
        return granted

    return run


def refused(work: Callable[[], Any]) -> str:
    with pytest.raises(Trouble) as trouble:
        work()
    return trouble.value.key


def test_the_way_there_carries_the_challenge_and_never_the_verifier(made: Any, loop: Loop) -> None:
    oauth, server = made()
    url, pending = loop.run(oauth.begin(server, REDIRECT, "l4unch"))
    query = {name: value[0] for name, value in parse_qs(urlsplit(url).query).items()}
    digest = hashlib.sha256(pending.verifier.encode()).digest()
    assert query == {
        "tenant": "1", "response_type": "code", "client_id": CLIENT, "redirect_uri": REDIRECT, "aud": ISS,
        "scope": "launch openid fhirUser patient/Patient.rs patient/Observation.rs patient/Condition.rs",
        "launch": "l4unch", "state": pending.state, "nonce": pending.nonce, "code_challenge_method": "S256",
        "code_challenge": base64.urlsafe_b64encode(digest).rstrip(b"=").decode(),
    }  # fmt: skip
    assert 43 <= len(pending.verifier) <= 128
    assert pending.verifier not in url


def test_each_launch_has_its_own_state_verifier_and_nonce(made: Any, loop: Loop) -> None:
    oauth, server = made()
    (_, one), (_, two) = (loop.run(oauth.begin(server, REDIRECT, "x")) for _ in range(2))
    assert {one.state, one.verifier, one.nonce}.isdisjoint({two.state, two.verifier, two.nonce})


def test_standalone_the_ehr_is_asked_for_a_patient(made: Any, loop: Loop) -> None:
    oauth, server = made()
    url, _ = loop.run(oauth.begin(server, REDIRECT, None))
    query = parse_qs(urlsplit(url).query)
    assert query["scope"][0].split()[:2] == ["launch/patient", "openid"]
    assert "launch" not in query


def test_what_a_server_offers_is_asked_once(made: Any, loop: Loop, ehr: EhrServer) -> None:
    oauth, server = made()
    for _ in range(2):
        loop.run(oauth.begin(server, REDIRECT, "x"))
    assert len(ehr.asked) == 1
    assert ehr.asked[0].url == f"{ISS}/.well-known/smart-configuration"


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"code_challenge_methods_supported": ["plain"]}, "no_pkce"),
        ({"code_challenge_methods_supported": None}, "no_pkce"),
        ({"token_endpoint": None}, "incomplete_setup"),
        ({"token_endpoint": "http://ehr.example/token"}, "incomplete_setup"),
        ({"token_endpoint": "http://127.0.0.1/token"}, "incomplete_setup"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "incomplete_setup"),
        ({"jwks_uri": "http://10.0.0.1/keys"}, "incomplete_setup"),
        ({"issuer": ""}, "incomplete_setup"),
    ],
)
def test_a_server_that_offers_too_little_is_not_used(
    made: Any, loop: Loop, ehr: EhrServer, changed: dict[str, Any], key: str
) -> None:
    ehr.configuration |= changed
    oauth, server = made()
    assert refused(lambda: loop.run(oauth.begin(server, REDIRECT, "x"))) == key


def test_the_code_is_exchanged_with_the_verifier_by_a_public_client(finish: Any, ehr: EhrServer) -> None:
    assert finish() == Granted("p1", "Practitioner/1", "t0ken", 600, "")
    sent = ehr.token_request()
    form = {name: value[0] for name, value in parse_qs(sent.content.decode()).items()}
    assert form == {
        "grant_type": "authorization_code", "code": "c0de", "redirect_uri": REDIRECT, "client_id": CLIENT,
        "code_verifier": PENDING.verifier,
    }  # fmt: skip
    assert "authorization" not in sent.headers


def test_a_client_with_a_secret_shows_it_in_the_header_only(finish: Any, ehr: EhrServer) -> None:
    finish('client_secret = "hush"')
    sent = ehr.token_request()
    assert sent.headers["authorization"] == "Basic " + base64.b64encode(b"herald:hush").decode()
    assert b"hush" not in sent.content


@pytest.mark.parametrize(("key", "alg"), [(ECKey.generate_key("P-384"), "ES384"), (RSAKey.generate_key(2048), "RS384")])
def test_a_client_with_a_key_signs_an_assertion_of_five_minutes_at_most(
    finish: Any, made: Any, ehr: EhrServer, tmp_path: Path, key: Any, alg: str
) -> None:
    (tmp_path / "key.pem").write_bytes(key.as_pem(private=True))
    finish('private_key = "key.pem"')
    form = {name: value[0] for name, value in parse_qs(ehr.token_request().content.decode()).items()}
    assert form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
    published = made('private_key = "key.pem"')[0].servers.jwks()
    told = jwt.decode(form["client_assertion"], KeySet.import_key_set(published), algorithms=[alg])
    assert told.header == {"alg": alg, "typ": "JWT", "kid": published["keys"][0]["kid"]}
    assert (told.claims["iss"], told.claims["sub"], told.claims["aud"]) == (CLIENT, CLIENT, f"{AUTH}/token")
    assert told.claims["exp"] - time.time() <= 300
    assert told.claims["jti"]
    assert "d" not in published["keys"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        {"nonce": "another"}, {"nonce": None}, {"aud": "another"}, {"aud": ["another"]}, {"iss": "https://x.example"},
        {"exp": int(time.time()) - 3600}, {"iat": int(time.time()) + 3600}, {"sub": None}, {"exp": None},
        {"aud": [CLIENT, "another"], "azp": "another"},
    ],
    ids=["nonce", "no nonce", "aud", "auds", "iss", "expired", "of later", "no sub", "no exp", "azp"],
)  # fmt: skip
def test_an_id_token_with_wrong_claims_is_refused(finish: Any, ehr: EhrServer, wrong: dict[str, Any]) -> None:
    ehr.claims = {name: value for name, value in (ehr.claims | wrong).items() if value is not None}
    assert refused(finish) == "no_user"


def _unsigned(claims: dict[str, Any]) -> str:
    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=").decode() for each in parts) + "."


FORGED: dict[str, Callable[[dict[str, Any]], str]] = {
    "another key": lambda claims: jwt.encode({"alg": "ES256", "kid": "k1"}, claims, ECKey.generate_key("P-256")),
    "no signature": _unsigned,
    "the public key as a shared secret": lambda claims: jwt.encode(
        {"alg": "HS256", "kid": "k1"}, claims, OctKey.import_key(json.dumps(KEY.as_dict(private=False)).encode())
    ),
    "an unknown key": lambda claims: jwt.encode({"alg": "ES256", "kid": "k2"}, claims, KEY),
    "no token": lambda claims: "",
}


@pytest.mark.parametrize("how", FORGED)
def test_an_id_token_that_the_server_did_not_sign_is_refused(finish: Any, ehr: EhrServer, how: str) -> None:
    ehr.sign = FORGED[how]
    assert refused(finish) == "no_user"


def test_an_id_token_of_another_launch_is_refused(finish: Any) -> None:
    assert refused(lambda: finish(pending=replace(PENDING, nonce="m" * 32))) == "no_user"


def test_who_asks_for_no_user_needs_no_id_token(finish: Any, ehr: EhrServer) -> None:
    ehr.sign = lambda claims: ""
    ehr.configuration = {
        name: ehr.configuration[name] for name in ehr.configuration if name not in ("issuer", "jwks_uri")
    }
    assert finish('scopes = "launch patient/Observation.rs"').user == ""


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"patient": None}, "no_patient"),
        ({"patient": "p1/../../admin"}, "no_patient"),
        ({"patient": "p1?_include=*"}, "no_patient"),
        ({"token_type": "mac"}, "no_token"),
        ({"access_token": ""}, "no_token"),
        ({"expires_in": "soon"}, "unreachable"),
        ({"expires_in": [600]}, "unreachable"),
        ({"error": "invalid_grant", "error_description": "Mrs X is not here"}, "no_token"),
    ],
)
def test_a_token_answer_that_lacks_something_opens_nothing(
    finish: Any, ehr: EhrServer, changed: dict[str, Any], key: str
) -> None:
    ehr.token |= changed
    assert refused(finish) == key


@pytest.mark.parametrize(("told", "seconds"), [(600, 600), ("600", 600), (None, 3600), (10**9, 28800)])
def test_a_session_lasts_as_long_as_the_token_and_a_working_day_at_most(
    finish: Any, ehr: EhrServer, told: Any, seconds: int
) -> None:
    ehr.token["expires_in"] = told
    assert finish().seconds == seconds


def test_the_context_of_the_card_comes_back_with_the_token(finish: Any, ehr: EhrServer) -> None:
    ehr.token["appContext"] = '{"topic":"status"}'
    assert finish().app_context == '{"topic":"status"}'


def test_a_server_that_answers_elsewhere_is_not_followed(made: Any, loop: Loop) -> None:
    oauth, server = made()
    asked: list[str] = []

    def away(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        return httpx.Response(302, headers={"Location": "http://10.0.0.1/"})

    moved = OAuth(oauth.servers, transport=httpx.MockTransport(away))
    assert refused(lambda: loop.run(moved.begin(server, REDIRECT, "x"))) == "unreachable"
    assert asked == [f"{ISS}/.well-known/smart-configuration"]
