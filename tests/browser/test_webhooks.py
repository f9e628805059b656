"""The pages of webhooks: subscribe, see the secret once, read the log, send again, pause, rotate, end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.conftest import accessible, big_enough, reflows, watched
from tests.fixtures_webhooks import KEY, Receiver
from tests.journeys.server import Server, serve


@pytest.fixture
def hooked(demo_url: str, tmp_path: Path, receiver: Receiver) -> Iterator[Server]:
    """A server with a key and the receiver on its list."""
    with serve(demo_url, tmp_path, organisation="hooks", webhook_key=KEY, webhook_targets=receiver.origin) as server:
        yield server


@pytest.fixture
def hooks(browser: Browser, hooked: Server) -> Iterator[Page]:
    """A page on that server."""
    yield from watched(browser, {f"127.0.0.1:{hooked.port}"}, base_url=f"http://127.0.0.1:{hooked.port}")


def wait(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until, "never came true"
        time.sleep(0.05)


def who(page: Page, within: str = "main") -> None:
    form = page.locator(within)
    for name, value in (("name", "Ada Engineer"), ("role", "interface engineer"), ("reason", "asked for")):
        if form.locator(f"input[name={name}]").count():
            form.locator(f"input[name={name}]").fill(value)


def subscribed(page: Page, receiver: Receiver) -> str:
    """Subscribe by the form; the secret shown."""
    page.goto("/browser/webhooks")
    page.get_by_label("Address").fill(receiver.url)
    who(page)
    page.get_by_role("button", name="Subscribe").click()
    secret = page.locator("pre.secret").inner_text()
    receiver.secrets.append(secret)
    return secret


def report(server: Server, **case: object) -> None:
    answer = server.http.post("/results", json={"patient": "DEMO-HOOK", "laboratory": "North", **case})
    assert answer.status_code == 201, answer.text


def act(page: Page, name: str) -> None:
    """Open what can be done by its name, say who, and do it."""
    details = page.locator("details", has=page.locator("summary", has_text=name)).last
    if details.get_attribute("open") is None:
        details.locator("summary").click()
    for field, value in (("name", "Ada Engineer"), ("role", "interface engineer"), ("reason", "asked for")):
        if details.locator(f"input[name={field}]").count():
            details.locator(f"input[name={field}]").fill(value)
    details.get_by_role("button").click()


def check(page: Page) -> None:
    accessible(page)
    reflows(page)
    big_enough(page)


def test_a_subscription_is_made_watched_and_ended_by_a_person(hooks: Page, hooked: Server, receiver: Receiver) -> None:
    secret = subscribed(hooks, receiver)
    assert secret.startswith("whsec_")
    check(hooks)
    hooks.get_by_role("link", name="To the subscription").click()
    assert secret not in hooks.content()
    where = hooks.url

    receiver.answer = lambda message: 422 if message["data"].get("status") == "negative" else 204
    report(hooked, ihc="3+")
    report(hooked, ihc="1+")
    wait(lambda: len(receiver.got) == 1 and len(receiver.tried) >= 3)
    hooks.goto(where)
    assert hooks.locator(".state.delivered").count() == 1
    assert hooks.locator(".state.failing").count() == 1
    check(hooks)
    hooks.goto("/browser/webhooks")
    check(hooks)
    hooks.get_by_role("link", name="1 failing of").click()
    assert hooks.locator("tbody .state.failing").count() == 1
    assert hooks.locator("tbody .state.delivered").count() == 0

    hooks.goto(f"{where}?state=delivered")
    hooks.locator("input[name=delivery]").check()
    who(hooks, "form:has(table)")
    hooks.get_by_role("button", name="Send again").click()
    wait(lambda: len(receiver.got) == 2)
    assert receiver.got[0] == receiver.got[1]

    act(hooks, "Send a test")
    assert "The test was delivered: answered 204" in hooks.get_by_role("status").inner_text()
    hooks.goto(where)
    act(hooks, "Pause")
    assert hooks.locator("dl .state").inner_text() == "paused"
    act(hooks, "Activate")
    assert hooks.locator("dl .state").inner_text() == "active"
    act(hooks, "Make a new secret")
    rotated = hooks.locator("pre.secret").inner_text()
    assert rotated not in (secret, "")
    hooks.goto(where)
    act(hooks, "End")
    assert hooks.locator("dl .state").inner_text() == "ended"
    assert hooks.get_by_role("button").count() == 0
    check(hooks)


def test_a_form_of_another_site_is_refused(hooked: Server) -> None:
    sent = {"url": "https://x.test", "topics": "result.final", "name": "a", "role": "b", "reason": "c"}
    for path in ("", "/x/states", "/x/secrets", "/x/replays", "/x/test"):
        answer = hooked.http.post(f"/browser/webhooks{path}", data=sent, headers={"Origin": "https://evil.test"})
        assert answer.status_code == 409, path


def test_what_is_not_listed_is_refused_on_a_page(hooked: Server) -> None:
    sent = {"url": "https://evil.test/x", "topics": "result.final", "name": "a", "role": "b", "reason": "c"}
    answer = hooked.http.post("/browser/webhooks", data=sent)
    assert answer.status_code == 422
    assert "HERALD_WEBHOOK_TARGETS" in answer.text and "evil" not in answer.text
