"""Webhooks: secrets are shown once and stored nowhere; only listed origins are called; the receiver of the guide."""

from __future__ import annotations

import json
import re
import threading
from datetime import UTC, datetime, timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.records.schema import metadata
from app.services import webhooks
from app.services.reporting import Context
from app.services.webhook_sending import secrets_of
from app.services.webhook_targets import BadTarget, Targets, origin_of
from tests.fixtures_webhooks import KEY, Receiver
from tests.services.hooks import (
    POSITIVE,
    WHO,
    Log,
    delivering,
    hooks,
    log_of,
    run,
    stored,
    subscribe,
    until,
)

# ---- secrets


def test_for_24_hours_after_a_rotation_both_secrets_sign_and_then_the_new_one_alone(
    context: Context, receiver: Receiver
) -> None:
    async def test() -> None:
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        (old,) = receiver.secrets
        new = webhooks.rotate_secret(use, id, WHO).body["secret"]
        assert new != old and new.startswith("whsec_")
        for secret in (old, new):
            receiver.secrets = [secret]
            assert (await webhooks.try_out(use, id, {"name": "A", "role": "b"}))["delivered"]
        assert receiver.signatures[0].count("v1,") == 2
        with context.store.reading("north") as reading:
            of = webhooks.Subscriptions(reading).find(id)
        assert of is not None
        now = datetime.now(UTC)
        assert secrets_of(of, now) == (2, 1)
        assert secrets_of(of, now + timedelta(hours=25)) == (2,)

    run(test)


def test_no_secret_is_in_the_database_or_the_log(context: Context, receiver: Receiver, tmp_path: Any) -> None:
    async def test() -> None:
        use, log = hooks(context, receiver.origin), Log()
        id = subscribe(use, receiver)
        receiver.secrets.append(webhooks.rotate_secret(use, id, WHO).body["secret"])
        receiver.answer = lambda message: 500 if len(receiver.tried) < 3 else 204
        stored(context, POSITIVE)
        async with delivering(use, log):
            await until(lambda: len(receiver.got) == 1)
        shown = json.dumps([webhooks.find_webhook(use, id), webhooks.list_webhooks(use), log_of(use, id)])
        dumped = shown + repr(log.lines) + dump(context)
        for secret in (*receiver.secrets, KEY):
            assert secret not in dumped and secret.removeprefix("whsec_") not in dumped

    run(test)


def dump(context: Context) -> str:
    """Every row of every table as text."""
    with context.store.reading("north") as reading:
        return "".join(repr(list(reading.connection.execute(table.select()))) for table in metadata.sorted_tables)


# ---- targets


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.test/x",
        "http://hooks.test:443/x",
        "https://hooks.test@evil.test/x",
        "https://evil.test#@hooks.test/",
        "https://hooks.test:8443/x",
        "https://evil.test\\@hooks.test/",
        "https://hooks.test.evil.test/",
        "https://hooks.test./x",
        "https://hooks%2etest/x",
        "https:///hooks.test/x",
        "https:hooks.test",
        "//hooks.test/x",
        "ftp://hooks.test/x",
        "file:///etc/passwd",
        "https://hooks.test\n.evil.test/",
        " https://hooks.test/",
        "https://hooks.test:99999/",
        "https://hooks.test:0/",
        "https://hooks.test:/",
        "https://ｈooks.test/",
        "http://2130706433:9000/x",
        "http://0x7f.1:9000/x",
        "http://127.1:9000/x",
        "http://0:9000/x",
        "http://[::ffff:127.0.0.1]:9000/x",
        "http://[::1%25lo]:9000/x",
        "http://[::]:9000/x",
        "http://169.254.169.254/latest/meta-data",
        "http://localhost.evil.test:9000/x",
        "https://127.0.0.1:9000/x",
        "http://127.0.0.1:9001/x",
        "",
        "https://hooks.test/" + "a" * 2000,
    ],
)
def test_an_address_whose_origin_is_not_exactly_listed_is_refused(url: str) -> None:
    assert not Targets(["https://hooks.test", "http://127.0.0.1:9000"]).allow(url)


@pytest.mark.parametrize(
    ("listed", "url"),
    [
        ("https://hooks.test", "https://HOOKS.test:443/a/b?c=d%20e"),
        ("https://hooks.test:8443/", "https://hooks.test:8443"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9000/x"),
        ("http://[::1]:9000", "http://[::1]:9000/x"),
        ("http://localhost:9000", "http://localhost:9000/x"),
    ],
)
def test_an_address_of_a_listed_origin_is_allowed_and_means_the_same_to_the_client(listed: str, url: str) -> None:
    assert Targets([listed]).allow(url)
    told = httpx.URL(url)
    host = f"[{told.host}]" if ":" in told.host else told.host
    assert origin_of(url) == f"{told.scheme}://{host}:{told.port or {'https': 443, 'http': 80}[told.scheme]}"
    assert not told.userinfo


def test_the_list_takes_origins_only() -> None:
    for listed in ("https://hooks.test/path", "http://hooks.test", "hooks.test", "https://*.test"):
        with pytest.raises(BadTarget):
            Targets([listed])


def test_a_redirect_is_never_followed_and_no_proxy_of_the_environment_is_asked(
    context: Context, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test() -> None:
        inner = Receiver()
        monkeypatch.setenv("HTTP_PROXY", inner.origin)
        monkeypatch.setenv("ALL_PROXY", inner.origin)
        use = hooks(context, receiver.origin)
        id = subscribe(use, receiver)
        inner.secrets = receiver.secrets
        receiver.answer = lambda message: (307, {"Location": inner.url})
        said = await webhooks.try_out(use, id, {"name": "A", "role": "b"})
        assert (said["delivered"], said["status"]) == (False, 307)
        assert inner.tried == [] and inner.unverified == 0
        inner.stop()

    run(test)


# ---- the guide


def test_the_receiver_of_the_guide_takes_a_message_once_and_refuses_what_is_not_signed(
    context: Context, capsys: pytest.CaptureFixture[str]
) -> None:
    guide = (Path(__file__).parents[2] / "docs/webhooks.md").read_text("utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", guide, re.S)
    namespace: dict[str, Any] = {}
    exec(compile(example, "docs/webhooks.md", "exec"), namespace)
    namespace["Receiver"].log_message = lambda *told: None
    server = ThreadingHTTPServer(("127.0.0.1", 0), namespace["Receiver"])
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    origin = f"http://127.0.0.1:{server.server_address[1]}"

    async def test() -> None:
        use = hooks(context, origin)
        made = webhooks.subscribe(use, {"url": origin, "topics": ["result.final"], **WHO}).body
        namespace["SECRET"] = made["secret"]
        result = stored(context, POSITIVE)
        async with delivering(use):
            await until(lambda: bool(log_of(use, made["id"], "delivered")))
            webhooks.replay(use, made["id"], {"delivery": log_of(use, made["id"])[0]["id"], **WHO})
            await until(lambda: len(log_of(use, made["id"], "delivered")) == 1)
        assert capsys.readouterr().out == f"{result} 1 positive True\n"

    try:
        run(test)
        assert httpx.post(origin, content=b"{}", trust_env=False).status_code == 401
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)
