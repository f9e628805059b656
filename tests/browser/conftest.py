"""A real browser against a real server: chromium of the machine, driven by Playwright.

`site` is one server for all tests of the process, with the demo's patients; `page` is a fresh page of which no request
may leave for another host, and in which no error may stand in the console.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, ConsoleMessage, Page, Playwright, Request, sync_playwright

from app.records import migrate, open_store
from app.services.demo import make_demo
from app.services.reporting import Context
from tests.browser.addresses import find
from tests.browser.host import POLICY, Host, hosting
from tests.fixtures_webhooks import KEY
from tests.journeys.server import Server, serve

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


# Of the package, not the session: while it is there its event loop runs, and asyncio.run of other tests would refuse.
@pytest.fixture(scope="package")
def playwright() -> Iterator[Playwright]:
    if _CHROMIUM is None:
        pytest.skip("there is no chromium on this machine")
    with sync_playwright() as started:
        yield started


@pytest.fixture(scope="package")
def browser(playwright: Playwright) -> Iterator[Browser]:
    started = playwright.chromium.launch(executable_path=_CHROMIUM, args=["--no-sandbox"])
    yield started
    started.close()


@pytest.fixture(scope="session")
def demo_url(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A migrated SQLite file with synthetic patients in the organisation demo."""
    url = f"sqlite:///{tmp_path_factory.mktemp('demo')}/demo.sqlite3"
    migrate(url)
    store = open_store(url)
    store.append_organisation("demo")
    *_, _ = make_demo(Context(store, "demo"), 30, 1)
    store.close()
    return url


@pytest.fixture(scope="session")
def site(demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("site")
    ehrs = folder / "ehrs.toml"
    ehrs.write_text(
        '[[server]]\niss = "https://ehr.example.org/fhir"\ntitle = "North hospital"\nclient_id = "herald"\n'
    )
    keys = {"webhook_key": KEY, "session_key": KEY, "smart_servers": ehrs}
    with serve(demo_url, folder, organisation="demo", **keys) as server:
        yield server


@pytest.fixture(scope="session")
def addresses(site: Server) -> dict[str, str]:
    """The path of every page, by name."""
    return find(site)


@pytest.fixture
def page(browser: Browser, site: Server) -> Iterator[Page]:
    """A page at 1280 by 900, with the site as base address."""
    yield from watched(browser, {f"127.0.0.1:{site.port}"}, base_url=f"http://127.0.0.1:{site.port}")


@pytest.fixture(scope="session")
def hosts(demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Host, Server]]:
    """Software whose origin Herald knows, software whose origin it does not, and Herald."""
    with hosting() as known, hosting() as stranger:
        folder = tmp_path_factory.mktemp("element")
        settings = {"cors_origins": known.origin, "frame_ancestors": known.origin}
        with serve(demo_url, folder, organisation="demo", **settings) as herald:
            for each in (known, stranger):
                each.herald = f"http://127.0.0.1:{herald.port}"
            yield known, stranger, herald


@pytest.fixture
def host(hosts: tuple[Host, Host, Server]) -> Host:
    hosts[0].policy = POLICY
    return hosts[0]


@pytest.fixture
def herald(hosts: tuple[Host, Host, Server]) -> Server:
    return hosts[2]


@pytest.fixture
def hosted(browser: Browser, host: Host, herald: Server) -> Iterator[Page]:
    """A page from which requests go to its own host and to Herald only, without an error in the console."""
    yield from watched(browser, {f"127.0.0.1:{host.port}", f"127.0.0.1:{herald.port}"})


@pytest.fixture
def troubled(browser: Browser) -> Iterator[Page]:
    """A page where a refused request is expected, which the browser writes into the console."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def watched(browser: Browser, hosts: set[str], **options: Any) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
    opened = context.new_page()
    foreign: list[str] = []
    errors: list[str] = []

    def seen(request: Request) -> None:
        if urlsplit(request.url).scheme in ("http", "https") and urlsplit(request.url).netloc not in hosts:
            foreign.append(request.url)

    def refused(told: ConsoleMessage) -> bool:
        """A page of ours that says why something was not done is answered 4xx on purpose."""
        return "status of 4" in told.text and urlsplit(told.location["url"]).path.startswith(("/browser/", "/s/"))

    opened.on("request", seen)
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda told: errors.append(told.text) if told.type == "error" and not refused(told) else None)
    yield opened
    context.close()
    assert not foreign, f"requests left for another host: {foreign}"
    assert not errors, f"errors in the console: {errors}"


def accessible(page: Page) -> None:
    """No violation that axe-core finds of WCAG 2.2 A and AA, light and dark, and nothing wider than the window."""
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": _WCAG}})
        told = [
            f"{scheme}: {each['id']}: {node['html'][:200]} {node.get('failureSummary', '')}"
            for each in found.response["violations"]
            for node in each["nodes"]
        ]
        assert not told, "\n".join(told)
    page.emulate_media(color_scheme="light")


def reflows(page: Page) -> None:
    """At 320 px (400 % zoom of 1280) nothing has to be scrolled sideways, save what scrolls in a box of its own."""
    page.set_viewport_size({"width": 320, "height": 640})
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= 320, f"the page is {width} px wide at 320"
    page.set_viewport_size({"width": 1280, "height": 900})


def big_enough(page: Page) -> None:
    """Targets of 24 px (WCAG 2.5.8), save links within a sentence."""
    small = page.evaluate(
        """() => [...document.querySelectorAll('a, button, input, select, textarea, summary')]
        .filter(e => e.offsetParent !== null && e.type !== 'hidden')
        .filter(e => !(e.matches('p a, li a, dd a, td a') && getComputedStyle(e).display === 'inline'))
        .map(e => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
        .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24))
        .map(([html, box]) => `${html} ${box.width.toFixed()}x${box.height.toFixed()}`)"""
    )
    assert not small, f"targets below 24 px: {small}"


def screenshot(page: Page, path: Path, width: int) -> None:
    """The whole page as a picture at a width in px."""
    page.set_viewport_size({"width": width, "height": 900})
    page.screenshot(path=path, full_page=True)
