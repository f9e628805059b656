"""Who calls a CDS service is known before its body is read: signed tokens of clients on record, each taken once."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from app.domain.cards import card_uuid
from app.settings import Settings
from tests.api.cases import problem
from tests.fixtures_outside import outside
from tests.fixtures_service import Loop, Service, Start
from tests.fixtures_tokens import (
    BASE,
    EC,
    ENDPOINT,
    ISSUER,
    KIDS,
    PATH,
    RSA,
    STRANGER,
    claims_now,
    key_set,
    raw_token,
    signed,
    write_clients,
)  # fmt: skip

REPORT = {
    "feedback": [{"card": card_uuid("status"), "outcome": "overridden", "outcomeTimestamp": "2026-01-31T09:30:00Z"}]
}


@pytest.fixture
def clients_file(tmp_path: Path) -> Path:
    return write_clients(tmp_path)


@pytest.fixture
def closed(start: Start, shared_urls: Callable[[str], str], clients_file: Path) -> Service:
    return start(shared_urls("sqlite"), base_url=BASE, cds_clients=clients_file)


def call(service: Service, token: str | None, path: str = PATH) -> httpx.Response:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    return service.post(path, REPORT, headers=headers)


def refused(response: httpx.Response, why: str = "") -> None:
    told = problem(response, 401, "unauthenticated")
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert why in told["detail"]


# ---- who is let in


@pytest.mark.parametrize(("algorithm", "kid"), [("ES384", "ec"), ("RS384", "rsa"), ("PS512", "rsa")])
def test_a_client_on_record_is_let_in(closed: Service, algorithm: str, kid: str) -> None:
    assert call(closed, signed(header={"alg": algorithm, "kid": kid}, key=KIDS[kid])).status_code == 200


def test_an_audience_may_be_a_list(closed: Service) -> None:
    assert call(closed, signed(aud=["https://elsewhere.example.org", ENDPOINT])).status_code == 200


def test_a_query_is_no_part_of_the_audience(closed: Service) -> None:
    assert call(closed, signed(), f"{PATH}?x=1").status_code == 422


def test_clocks_may_differ_a_little(closed: Service) -> None:
    now = int(time.time())
    assert call(closed, signed(iat=now + 30, exp=now + 300)).status_code == 200
    assert call(closed, signed(iat=now - 300, exp=now - 30)).status_code == 200


# ---- who is not


@pytest.mark.parametrize(
    "given", [None, "", "Basic dXNlcjpwYXNz", "Bearer", "Bearer ", "Bearer a", "bearer a.b", "a.b.c"]
)
def test_without_a_token_nobody_is_let_in(closed: Service, given: str | None) -> None:
    headers = {} if given is None else {"Authorization": given}
    refused(closed.post(PATH, REPORT, headers=headers))


def test_two_authorizations_are_none(closed: Service) -> None:
    headers = [("Authorization", f"Bearer {signed()}"), ("Authorization", f"Bearer {signed()}")]
    refused(closed.request("POST", PATH, json=REPORT, headers=headers))


NOW = int(time.time())
CLAIMS: list[tuple[dict[str, Any], str]] = [
    ({"iss": ...}, "iss"),
    ({"iss": "https://stranger.example.org"}, "iss"),
    ({"iss": [ISSUER]}, "iss"),
    ({"aud": ...}, "aud"),
    ({"aud": BASE}, "aud"),
    ({"aud": f"{ENDPOINT}/"}, "aud"),
    ({"aud": "https://other.example.org" + PATH}, "aud"),
    ({"aud": []}, "aud"),
    ({"aud": [[ENDPOINT]]}, "aud"),
    ({"aud": {"url": ENDPOINT}}, "aud"),
    ({"exp": ...}, "exp"),
    ({"exp": str(NOW + 300)}, "exp"),
    ({"exp": True}, "exp"),
    ({"exp": 1e12}, "exp"),
    ({"exp": float("nan")}, "exp"),
    ({"iat": NOW - 3_000, "exp": NOW - 2_000}, "expired"),
    ({"exp": NOW + 100_000}, "longer"),
    ({"iat": NOW - 100_000}, "longer"),
    ({"iat": NOW + 3_000, "exp": NOW + 2_900}, "future"),
    ({"iat": ...}, "iat"),
    ({"iat": NOW + 3_000, "exp": NOW + 3_300}, "future"),
    ({"iat": float("-inf")}, "iat"),
    ({"iat": None}, "iat"),
    ({"nbf": NOW + 3_000}, "future"),
    ({"nbf": "now"}, "iat"),
    ({"jti": ...}, "jti"),
    ({"jti": ""}, "jti"),
    ({"jti": 7}, "jti"),
    ({"jti": "x" * 501}, "jti"),
]


@pytest.mark.parametrize(("claims", "why"), CLAIMS)
def test_every_claim_has_to_be_right(closed: Service, claims: dict[str, Any], why: str) -> None:
    refused(call(closed, signed(claims)), why)


HEADERS: list[tuple[dict[str, Any], str]] = [
    ({"typ": ...}, "typ"),
    ({"typ": "at+jwt"}, "typ"),
    ({"kid": ...}, "kid"),
    ({"kid": "unknown"}, "kid"),
    ({"kid": "rsa"}, "signature"),
    ({"crit": ["b64"], "b64": True}, "alg"),
]


@pytest.mark.parametrize(("header", "why"), HEADERS)
def test_every_part_of_the_header_has_to_be_right(closed: Service, header: dict[str, Any], why: str) -> None:
    refused(call(closed, signed(header=header)), why)


@pytest.mark.parametrize(
    "header", [{"typ": 1}, {"crit": ["exp"], "exp": 1}, {"kid": 1}, {"alg": ["ES384"]}, {"jku": 1}]
)
def test_a_header_that_is_none_is_refused(closed: Service, header: dict[str, Any]) -> None:
    told = {"alg": "ES384", "kid": "ec", "typ": "JWT", **header}
    refused(call(closed, raw_token(told, claims_now(), lambda _: b"x" * 96)))


def test_a_signature_of_another_key_does_not_hold(closed: Service) -> None:
    refused(call(closed, signed(key=STRANGER)), "signature")
    refused(call(closed, signed(header={"jwk": STRANGER.as_dict(private=False)}, key=STRANGER)), "signature")


def test_a_token_that_was_changed_does_not_hold(closed: Service) -> None:
    header, _, signature = signed().split(".")
    _, claims, _ = signed().split(".")
    refused(call(closed, f"{header}.{claims}.{signature}"), "signature")
    refused(call(closed, f"{header}.{claims}."), "signature")


@pytest.mark.parametrize("algorithm", ["none", "None", "NONE", "HS256", "HS384", "HS512", "ES384 ", "", "X", None, 1])
def test_only_asymmetric_algorithms_are_taken(closed: Service, algorithm: Any) -> None:
    secrets = [b"", json.dumps(key_set(ec=EC)).encode(), EC.as_pem(private=False), RSA.as_pem(private=False)]
    for secret in secrets:
        token = raw_token(
            {"alg": algorithm, "kid": "ec", "typ": "JWT"},
            claims_now(),
            lambda content, secret=secret: hmac.digest(secret, content, hashlib.sha384),
        )
        refused(call(closed, token))
    refused(call(closed, raw_token({"alg": algorithm, "kid": "ec", "typ": "JWT"}, claims_now(), lambda _: b"")))


def test_another_host_in_the_request_does_not_make_another_audience(closed: Service) -> None:
    forged = "https://evil.example.org"
    response = closed.post(
        PATH, REPORT, headers={"Authorization": f"Bearer {signed(aud=forged + PATH)}", "Host": "evil.example.org"}
    )
    refused(response, "aud")


def test_the_body_of_a_stranger_is_not_read(closed: Service, loop: Loop) -> None:
    async def ask(token: str | None) -> int:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            raise AssertionError("the body was read")

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        headers = [(b"transfer-encoding", b"chunked"), (b"authorization", f"Bearer {token}".encode())]
        scope = {"type": "http", "method": "POST", "path": PATH, "query_string": b"", "headers": headers}
        await closed.app({**scope, "asgi": {"version": "3.0"}, "http_version": "1.1", "scheme": "http"}, receive, send)
        status: int = sent[0]["status"]
        return status

    assert loop.run(ask("a.b.c")) == 401
    assert loop.run(ask(signed())) == 500, "who is known is read: the test would notice"


# ---- once


def test_a_token_is_taken_once(closed: Service) -> None:
    token = signed()
    assert call(closed, token).status_code == 200
    refused(call(closed, token), "jti")
    assert call(closed, signed()).status_code == 200


def test_another_token_with_the_same_jti_is_refused(closed: Service) -> None:
    assert call(closed, signed(jti="once")).status_code == 200
    refused(call(closed, signed(jti="once", exp=int(time.time()) + 200)), "jti")


def test_a_token_for_two_endpoints_is_taken_once_at_each(closed: Service) -> None:
    other = "/cds-services/her2-order-select/feedback"
    token = signed(aud=[ENDPOINT, BASE + other])
    assert [call(closed, token, path).status_code for path in (PATH, other, PATH, other)] == [200, 200, 401, 401]


def test_a_refused_token_does_not_use_up_its_jti(closed: Service) -> None:
    refused(call(closed, signed(jti="mine", key=STRANGER)), "signature")
    assert call(closed, signed(jti="mine")).status_code == 200


def test_a_jku_of_a_client_with_pinned_keys_is_not_fetched(closed: Service) -> None:
    with outside() as elsewhere:
        assert call(closed, signed(header={"jku": f"{elsewhere.url}/jwks.json"})).status_code == 200
        assert elsewhere.asked == []


# ---- when it is off


def test_on_loopback_without_clients_it_is_open(start: Start, shared_urls: Callable[[str], str]) -> None:
    for host in ("127.0.0.1", "localhost", "::1"):
        assert call(start(shared_urls("sqlite"), host=host), None).status_code == 200


def test_behind_a_proxy_that_others_reach_it_is_closed(start: Start, shared_urls: Callable[[str], str]) -> None:
    refused(call(start(shared_urls("sqlite"), host="127.0.0.1", base_url=BASE), None))
    assert call(start(shared_urls("sqlite"), host="127.0.0.1", base_url="http://localhost:8000"), None).is_success


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "herald.example.org"])
def test_elsewhere_without_clients_it_is_closed(start: Start, shared_urls: Callable[[str], str], host: str) -> None:
    service = start(shared_urls("sqlite"), host=host, base_url=BASE)
    refused(call(service, None))
    refused(call(service, signed()), "iss")


def test_with_clients_it_is_closed_on_loopback_too(closed: Service) -> None:
    assert closed.app.state.settings.host == "127.0.0.1"
    refused(call(closed, None))


def test_what_is_no_cds_service_needs_no_token(closed: Service) -> None:
    assert closed.get("/healthz").status_code == 200
    assert closed.get("/cds-services/feedback").status_code == 200


def test_the_contract_tells_of_it(closed: Service) -> None:
    responses = closed.get("/openapi.json").json()["paths"]["/cds-services/{service}/feedback"]["post"]["responses"]
    assert responses["401"]["description"] == "The caller is not known"


def test_clients_need_the_address_that_tokens_are_made_for(clients_file: Path) -> None:
    with pytest.raises(ValidationError, match="HERALD_BASE_URL"):
        Settings(cds_clients=clients_file)


@pytest.mark.parametrize(("method", "path"), [("GET", "/cds-services"), ("POST", "/cds-services/her2-patient-view")])
def test_discovery_and_cards_ask_for_a_token_of_their_own_address(closed: Service, method: str, path: str) -> None:
    refused(closed.request(method, path, json=None if method == "GET" else {}))
    own = {"Authorization": f"Bearer {signed(aud=f'{BASE}{path}')}"}
    assert closed.request(method, path, json=None if method == "GET" else {}, headers=own).status_code != 401
