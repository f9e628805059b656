"""Keys and tokens of CDS clients: which keys count, how long a token is remembered, what the file may say."""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, Key, OctKey, OKPKey, RSAKey

from app.services.cds_clients import ALGORITHMS, CdsClients, Client, load_clients, public_keys
from app.services.errors import Refusal
from app.services.outward import outward_client
from tests.fixtures_outside import Outside, as_json, outside
from tests.fixtures_tokens import (
    BASE,
    EC,
    ENDPOINT,
    ISSUER,
    KIDS,
    RSA,
    STRANGER,
    claims_now,
    key_set,
    raw_token,
    signed,
    write_clients,
)  # fmt: skip

NOW = 1_800_000_000
with warnings.catch_warnings():
    warnings.simplefilter("ignore", SecurityWarning)
    WEAK = RSAKey.generate_key(1024)


async def authenticate(client: Client, *tokens: str, **settings: Any) -> str:
    """The issuer of the last token."""
    async with outward_client() as http:
        clients = CdsClients([client], http, **settings)
        issuers = [await clients.authenticate(token, ENDPOINT) for token in tokens]
    return issuers[-1]


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")
def test_every_algorithm_that_is_taken_is_asymmetric_and_works() -> None:
    curves = {"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}
    for algorithm in ALGORITHMS:
        key: Key = RSA
        if algorithm in curves:
            key = ECKey.generate_key(curves[algorithm])
        elif algorithm.startswith("Ed"):
            key = OKPKey.generate_key("Ed25519")
        token = signed(header={"alg": algorithm, "kid": "k"}, key=key)
        assert asyncio.run(authenticate(Client(ISSUER, keys=public_keys(key_set(k=key))), token)) == ISSUER
    assert not {each for each in ALGORITHMS if each.startswith("HS")} | ({"none"} & ALGORITHMS)


def test_a_key_of_another_curve_is_not_taken() -> None:
    key = ECKey.generate_key("P-256")
    client = Client(ISSUER, keys=public_keys(key_set(ec=key)))
    token = raw_token({"alg": "ES384", "kid": "ec", "typ": "JWT"}, claims_now(), lambda _: b"\x01" * 64)
    with pytest.raises(Refusal, match="signature"):
        asyncio.run(authenticate(client, token))


@pytest.mark.parametrize(
    "token",
    ["..", "a.b.c", "a.b.c.d", "." * 100, "e30.e30.e30", "bnVsbA.bnVsbA.bnVsbA", "W10.W10.W10", "é.é.é", "🔑", "\x00"],
)
def test_what_is_no_token_is_refused(token: str) -> None:
    with pytest.raises(Refusal) as refusal:
        asyncio.run(authenticate(Client(ISSUER, keys=public_keys(key_set(**KIDS))), token))
    assert refusal.value.kind == "unauthenticated"


def test_a_token_nested_without_end_is_refused() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 3_000).decode().rstrip("=")
    header = signed().split(".")[0]
    for token in (f"{header}.{deep}.x", f"{deep}.e30.x"):
        with pytest.raises(Refusal, match="not a signed"):
            asyncio.run(authenticate(Client(ISSUER, keys=public_keys(key_set(**KIDS))), token))


def test_a_token_that_is_too_long_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    token = signed(jti="x" * 10_000)
    monkeypatch.setattr("app.services.cds_clients.jws", None)  # whoever looks at it fails
    with pytest.raises(Refusal, match="too long"):
        asyncio.run(authenticate(Client(ISSUER, keys=public_keys(key_set(**KIDS))), token))


# ---- once


def test_a_jti_is_remembered_as_long_as_its_token_is_taken_and_no_longer() -> None:
    clock = [float(NOW)]

    async def story() -> None:
        async with outward_client() as http:
            client = Client(ISSUER, keys=public_keys(key_set(**KIDS)))
            clients = CdsClients([client], http, now=lambda: clock[0], most=2)
            first, second, third = (signed(iat=NOW, exp=NOW + 300) for _ in range(3))
            await clients.authenticate(first, ENDPOINT)
            await clients.authenticate(second, ENDPOINT)
            with pytest.raises(Refusal) as full:
                await clients.authenticate(third, ENDPOINT)
            assert full.value.kind == "busy", "what it cannot remember it does not let in"
            clock[0] = NOW + 359
            with pytest.raises(Refusal, match="used"):
                await clients.authenticate(first, ENDPOINT)
            clock[0] = NOW + 361
            with pytest.raises(Refusal, match="expired"):
                await clients.authenticate(first, ENDPOINT)
            await clients.authenticate(signed(iat=NOW + 350, exp=NOW + 600), ENDPOINT)

    asyncio.run(story())


def test_one_clients_tokens_leave_room_for_anothers() -> None:
    async def story() -> None:
        async with outward_client() as http:
            listed = [Client(each, keys=public_keys(key_set(**KIDS))) for each in ("a", "b")]
            clients = CdsClients(listed, http, most=1)
            await clients.authenticate(signed(iss="a"), ENDPOINT)
            with pytest.raises(Refusal):
                await clients.authenticate(signed(iss="a"), ENDPOINT)
            assert await clients.authenticate(signed(iss="b"), ENDPOINT) == "b"

    asyncio.run(story())


def test_a_signature_is_checked_once_for_all_endpoints_of_its_token(monkeypatch: pytest.MonkeyPatch) -> None:
    token, other = signed(aud=[ENDPOINT, BASE + "/cds-services"]), BASE + "/cds-services"

    async def story() -> None:
        async with outward_client() as http:
            clients = CdsClients([Client(ISSUER, keys=public_keys(key_set(**KIDS)))], http)
            await clients.authenticate(token, ENDPOINT)
            monkeypatch.setattr("app.services.cds_clients.jws", None)
            await clients.authenticate(token, other)
            for endpoint in (ENDPOINT, BASE + "/cds-services/third"):
                with pytest.raises(Refusal):
                    await clients.authenticate(token, endpoint)

    asyncio.run(story())


# ---- published keys


class Published:
    """A client whose keys are published outside, and a clock."""

    def __init__(self, server: Outside) -> None:
        self.server, self.clock, self.jku = server, float(NOW), f"{server.url}/jwks.json"

    def run(self, story: Callable[[CdsClients], Any]) -> None:
        async def whole() -> None:
            async with outward_client() as http:
                await story(CdsClients([Client(ISSUER, self.jku)], http, now=lambda: self.clock))

        asyncio.run(whole())

    def token(self, kid: Any = "ec", key: Key = EC, claims: dict[str, Any] | None = None, **header: Any) -> str:
        now = int(self.clock)
        return signed({"iat": now, "exp": now + 300, **(claims or {})}, {"kid": kid, **header}, key=key)


@pytest.fixture
def published() -> Iterator[Published]:
    with outside() as server:
        server.answer("/jwks.json", as_json(key_set(ec=EC)))
        yield Published(server)


def test_published_keys_are_fetched_once(published: Published) -> None:
    async def story(clients: CdsClients) -> None:
        tokens = [published.token(jku=published.jku), *(published.token() for _ in range(9))]
        await asyncio.gather(*(clients.authenticate(token, ENDPOINT) for token in tokens))

    published.run(story)
    assert published.server.paths() == ["/jwks.json"]


def test_a_jku_that_is_not_on_record_is_never_fetched(published: Published) -> None:
    with outside() as evil:
        evil.answer("/jwks.json", as_json(key_set(ec=STRANGER)))

        async def story(clients: CdsClients) -> None:
            for jku in (f"{evil.url}/jwks.json", f"{published.jku}?", published.jku.replace("http:", "https:")):
                with pytest.raises(Refusal, match="jku"):
                    await clients.authenticate(published.token(key=STRANGER, jku=jku), ENDPOINT)

        published.run(story)
        assert evil.asked == published.server.asked == []


def test_strangers_cause_no_fetch(published: Published) -> None:
    async def story(clients: CdsClients) -> None:
        wrong = [
            published.token(claims={"iss": "https://stranger.example.org"}),
            published.token(claims={"aud": "https://other.example.org"}),
            published.token(alg="HS384", key=OctKey.generate_key(384)),
            published.token(claims={"iat": 1, "exp": 2}),
            published.token(claims={"jti": ...}),
            published.token(kid=...),
        ]
        for token in wrong:
            with pytest.raises(Refusal):
                await clients.authenticate(token, ENDPOINT)

    published.run(story)
    assert published.server.asked == []


def test_a_new_key_is_found_and_one_taken_back_is_forgotten(published: Published) -> None:
    new = ECKey.generate_key("P-384")

    async def story(clients: CdsClients) -> None:
        await clients.authenticate(published.token(), ENDPOINT)
        published.server.answer("/jwks.json", as_json(key_set(ec2=new)))
        published.clock += 61
        await clients.authenticate(published.token("ec2", new), ENDPOINT)
        with pytest.raises(Refusal, match="kid"):
            await clients.authenticate(published.token(), ENDPOINT)

    published.run(story)
    assert len(published.server.asked) == 2


def test_an_unknown_kid_causes_at_most_one_fetch_a_minute(published: Published) -> None:
    async def story(clients: CdsClients) -> None:
        for _ in range(3):
            for _ in range(20):
                with pytest.raises(Refusal, match="kid"):
                    await clients.authenticate(published.token(uuid.uuid4().hex), ENDPOINT)
            published.clock += 61
        await clients.authenticate(published.token(), ENDPOINT)

    published.run(story)
    assert len(published.server.asked) == 3


def test_keys_are_fetched_anew_after_an_hour_and_kept_while_they_cannot_be(published: Published) -> None:
    async def story(clients: CdsClients) -> None:
        await clients.authenticate(published.token(), ENDPOINT)
        published.server.answer("/jwks.json", as_json({}, 500))
        published.clock += 3_601
        for _ in range(5):
            await clients.authenticate(published.token(), ENDPOINT)
        assert len(published.server.asked) == 2
        published.server.answer("/jwks.json", as_json(key_set(other=EC)))
        published.clock += 61
        with pytest.raises(Refusal, match="kid"):
            await clients.authenticate(published.token(), ENDPOINT)

    published.run(story)


@pytest.mark.parametrize(
    "answer",
    [
        as_json({"keys": []}),
        as_json({"keys": "none"}),
        as_json([]),
        as_json({"keys": [{"kty": "EC", "kid": "ec"}, {"kty": "new", "kid": "ec"}, 7]}),
        as_json({"keys": [{"kty": "oct", "kid": "ec", "k": "c2VjcmV0"}]}),
        as_json({"keys": [{**EC.as_dict(private=False), "kid": "ec", "use": "enc"}]}),
        as_json({"keys": [{**EC.as_dict(private=False), "kid": "ec"}], "x": "x" * 200_000}),
        (200, {}, b"<html>"),
        (302, {"Location": "/elsewhere.json"}, b""),
        as_json({}, 500),
    ],
)
def test_keys_that_cannot_be_had_let_nobody_in(published: Published, answer: Any) -> None:
    async def story(clients: CdsClients) -> None:
        published.server.answer("/jwks.json", answer)
        published.server.answer("/elsewhere.json", as_json(key_set(ec=EC)))
        with pytest.raises(Refusal, match="kid"):
            await clients.authenticate(published.token(), ENDPOINT)

    published.run(story)
    assert set(published.server.paths()) == {"/jwks.json"}


def test_one_key_of_an_unknown_sort_does_not_take_the_others_with_it() -> None:
    keys = public_keys({"keys": [{"kty": "AKP", "kid": "new"}, *key_set(ec=EC)["keys"], 7]})
    assert set(keys) == {"ec"}


# ---- the file


@pytest.fixture
def clients_file(tmp_path: Path) -> Path:
    return write_clients(tmp_path)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no [[client]]"),
        ("clients = 1", "no [[client]]"),
        ('[[client]]\niss = "a"\n', "client 1: give either jku or jwks"),
        ('[[client]]\njku = "https://a/jwks"\n', "client 1: iss is needed"),
        (
            '[[client]]\niss = "a"\njku = "http://ehr.example.org/jwks"\n',
            "client 1: 'http://ehr.example.org/jwks' is not",
        ),
        ('[[client]]\niss = "a"\njku = "https://a/jwks"\njwks = "keys.json"\n', "client 1: give either"),
        ('[[client]]\niss = "a"\njku = "https://a/jwks"\njwkz = 1\n', "client 1: jwkz: there is no such field"),
        ('[[client]]\niss = "a"\njwks = "none.json"\n', "client 1: "),
        ('[[client]]\niss = "a"\njwks = "keys.json"\n' * 2, "client 2: iss stands here twice"),
        ('[[client]]\niss = "a"\n[client.jwks]\nkeys = []\n', "client 1: jwks: every key needs"),
        ('[[client]]\niss = "a"\njwks = "private.json"\n', "client 1: jwks holds a private key"),
        ('[[client]]\niss = "a"\njwks = "weak.json"\n', "client 1: jwks: every key needs"),
        ('other = 1\n[[client]]\niss = "a"\njwks = "keys.json"\n', "other: there is no such field"),
    ],
)
def test_a_file_that_is_wrong_says_where(clients_file: Path, text: str, why: str) -> None:
    folder = clients_file.parent
    (folder / "private.json").write_text(json.dumps({"keys": [{**EC.as_dict(private=True), "kid": "ec"}]}))
    (folder / "weak.json").write_text(json.dumps(key_set(rsa=WEAK)))
    clients_file.write_text(text)
    with pytest.raises(ValueError) as told:
        load_clients(clients_file)
    assert why in str(told.value)


def test_keys_may_stand_in_the_file_itself(clients_file: Path) -> None:
    ((kid, key),) = ((each["kid"], each) for each in key_set(ec=EC)["keys"])
    lines = [f'{name} = "{value}"' for name, value in key.items()]
    clients_file.write_text("\n".join([f'[[client]]\niss = "{ISSUER}"', "[[client.jwks.keys]]", *lines]))
    (client,) = load_clients(clients_file)
    assert (client.issuer, client.jku, set(client.keys)) == (ISSUER, None, {kid})
