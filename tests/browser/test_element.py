"""<her2-card> and the frame on a page of another origin, with a strict policy of its own."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import accessible, big_enough, reflows, watched
from tests.journeys.server import ROOT, Server, serve

_EXAMPLE = ROOT / "examples/host"
_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self' {herald}; connect-src {herald}; frame-src {herald}; "
    "base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
_TYPES = {".css": "text/css", ".js": "text/javascript", ".html": "text/html; charset=utf-8"}
_STATUSES = ("positive", "negative", "equivocal", "pending", "indeterminate")


@dataclass
class Host:
    """Other software, on a port of its own. files: what it serves, by path; herald: the origin that it lets in."""

    port: int = 0
    herald: str = ""
    policy: str = _POLICY
    files: dict[str, str] = field(default_factory=dict)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def holds(self, body: str, css: str = "", script: str = "") -> str:
        """Serve a page with this body; its address."""
        self.files["/host.css"], self.files["/host.js"] = css, script
        self.files["/page.html"] = (
            '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Host</title>'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            '<link rel="stylesheet" href="/host.css"><script src="/host.js" defer></script>'
            f'<script src="{self.herald}/her2-card.js" defer></script></head>'
            f"<body><main><h1>Host</h1>{body}</main></body></html>"
        )
        return f"{self.origin}/page.html"


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, host: Host, *given: Any) -> None:
        self.host = host
        super().__init__(*given)

    def do_GET(self) -> None:
        content = self.host.files.get(self.path.partition("?")[0])
        self.send_response(200 if content is not None else 404)
        self.send_header("Content-Type", _TYPES.get(Path(self.path.partition("?")[0]).suffix, "text/plain"))
        self.send_header("Content-Security-Policy", self.host.policy.format(herald=self.host.herald))
        self.end_headers()
        self.wfile.write((content or "").encode())

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def _host() -> Iterator[Host]:
    host = Host()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, host))
    host.port = server.server_port
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield host
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture(scope="module")
def hosts(demo_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Host, Host, Server]]:
    """Software whose origin Herald knows, software whose origin it does not, and Herald."""
    with _host() as known, _host() as stranger:
        folder = tmp_path_factory.mktemp("element")
        settings = {"cors_origins": known.origin, "frame_ancestors": known.origin}
        with serve(demo_url, folder, organisation="demo", **settings) as herald:
            for each in (known, stranger):
                each.herald = f"http://127.0.0.1:{herald.port}"
            yield known, stranger, herald


@pytest.fixture
def host(hosts: tuple[Host, Host, Server]) -> Host:
    hosts[0].policy = _POLICY
    return hosts[0]


@pytest.fixture
def herald(hosts: tuple[Host, Host, Server]) -> Server:
    return hosts[2]


@pytest.fixture
def page(browser: Browser, host: Host, herald: Server) -> Iterator[Page]:
    """A page from which requests go to its own host and to Herald only, without an error in the console."""
    yield from watched(browser, {f"127.0.0.1:{host.port}", f"127.0.0.1:{herald.port}"})


@pytest.fixture
def troubled(browser: Browser) -> Iterator[Page]:
    """A page where a refused request is expected, which the browser writes into the console."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    yield context.new_page()
    context.close()


def _card(page: Page) -> Locator:
    return page.locator("her2-card .card").first


def _status(page: Page, status: str) -> None:
    expect(_card(page).locator("h2")).to_contain_text(status)


def _shows_no_status(page: Page, why: str) -> None:
    expect(_card(page).locator("h2")).to_have_text("No status")
    expect(_card(page)).to_contain_text(why)
    text = _card(page).inner_text()
    assert not [each for each in _STATUSES if f"HER2 {each}" in text]


def _newest(herald: Server) -> dict[str, Any]:
    row = herald.http.get("/results?limit=1").json()["items"][0]
    result: dict[str, Any] = herald.http.get(f"/results/{row['id']}").json()
    return result


@pytest.mark.parametrize(
    ("attributes", "query"),
    [
        ('ihc="3+"', "ihc=3%2B"),
        ('ihc="2+" copies="4.60" cep17="2.5" cells="20"', "ihc=2%2B&copies=4.60&cep17=2.5&cells=20"),
        ('ihc="1+" er="positive" setting="metastatic"', "ihc=1%2B&er=positive&setting=metastatic"),
        ('her2_signals="92" cep17_signals="50" cells="20" ihc=""', "her2_signals=92&cep17_signals=50&cells=20"),
        ('ihc="2+" edition="asco-cap-2013"', "ihc=2%2B&edition=asco-cap-2013"),
    ],
)
def test_values_get_the_answer_of_the_api(page: Page, host: Host, herald: Server, attributes: str, query: str) -> None:
    answer = herald.http.get(f"/her2/classify?{query}").json()
    page.goto(host.holds(f"<her2-card {attributes}></her2-card>"))
    _status(page, f"HER2 {answer['status']}")
    card = _card(page)
    expect(card.locator("h2")).to_contain_text("final" if answer["final"] else "not final")
    shown = card.inner_text()
    assert answer["summary"] in shown
    assert answer["edition"]["version"] in shown
    assert answer["evidence"]["version"] in shown
    for code in (*answer["next_steps"], *answer["flags"]):
        assert answer["texts"][code] in shown
    card.locator("summary").click()
    shown = card.inner_text()
    for each in answer["considerations"]["considerations"]:
        assert each["title"] in shown
        for statement in (*each["for"], *each["against"]):
            assert statement["summary"] in shown


def test_a_stored_result_is_shown_with_its_version_and_a_link_to_its_case(
    page: Page, host: Host, herald: Server
) -> None:
    result = _newest(herald)
    page.goto(host.holds(f'<her2-card result="{result["id"]}"></her2-card>'))
    _status(page, f"HER2 {result['classification']['status']}")
    shown = _card(page).inner_text()
    assert f"result version {result['version']}" in shown
    assert ("signed" if result["signed"] else result["confirmation"]) in shown.lower()
    link = _card(page).locator("a")
    assert link.get_attribute("href") == f"{host.herald}/browser/patients/{result['patient_id']}"
    assert link.get_attribute("target") == "_blank" and "noopener" in (link.get_attribute("rel") or "")


def test_a_case_is_sent_with_every_digit(page: Page, host: Host) -> None:
    page.goto(host.holds("<her2-card></her2-card>"))
    with page.expect_request("**/her2/classify") as asked:
        page.evaluate("""document.querySelector("her2-card").case = '{"ihc": "2+", "ratio": 1.80, "copies": 3.50}'""")
    assert asked.value.method == "POST"
    assert asked.value.post_data == '{"ihc": "2+", "ratio": 1.80, "copies": 3.50}'
    _status(page, "HER2 negative")


def test_a_case_set_before_the_script_came_is_taken(page: Page, host: Host) -> None:
    script = 'document.querySelector("her2-card").case = {ihc: "3+"};'
    page.goto(host.holds("<her2-card></her2-card>", script=script))
    _status(page, "HER2 positive")


def test_a_change_takes_the_old_status_away_at_once_and_asks_once(page: Page, host: Host) -> None:
    page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    _status(page, "HER2 positive")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    between = page.evaluate(
        """() => {
          const card = document.querySelector("her2-card");
          for (const score of ["2+", "1+", "0"]) card.setAttribute("ihc", score);
          return card.shadowRoot.textContent;
        }"""
    )
    assert not [each for each in _STATUSES if f"HER2 {each}" in between]
    assert "No status is shown until it answers" in between
    _status(page, "HER2 negative")
    assert [url.partition("?")[2] for url in asked] == ["ihc=0"]


def test_the_answer_to_the_last_question_stays(page: Page, host: Host) -> None:
    held: list[Route] = []
    page.route("**/her2/classify?ihc=3*", lambda route: held.append(route))
    with page.expect_request("**/her2/classify?ihc=3*"):
        page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    page.evaluate('document.querySelector("her2-card").setAttribute("ihc", "1+")')
    _status(page, "HER2 negative")
    with contextlib.suppress(Exception):  # the browser may have given the first one up
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    _status(page, "HER2 negative")


def test_a_token_is_asked_for_each_time_and_sent(page: Page, host: Host) -> None:
    script = "let many = 0; window.heraldToken = async () => `token-${++many}`;"
    address = host.holds('<her2-card ihc="3+" token-callback="heraldToken"></her2-card>', script=script)
    with page.expect_request(lambda request: "/her2/classify" in request.url) as first:
        page.goto(address)
    assert first.value.all_headers()["authorization"] == "Bearer token-1"
    _status(page, "HER2 positive")
    with page.expect_request(lambda request: "/her2/classify" in request.url) as second:
        page.evaluate('document.querySelector("her2-card").setAttribute("ihc", "0")')
    assert second.value.all_headers()["authorization"] == "Bearer token-2"
    _status(page, "HER2 negative")


@pytest.mark.parametrize("script", ["", 'window.heraldToken = () => Promise.reject(new Error("no"));'])
def test_without_its_token_herald_is_not_asked(page: Page, host: Host, script: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(host.holds('<her2-card ihc="3+" token-callback="heraldToken"></her2-card>', script=script))
    _shows_no_status(page, "The token of this page could not be had")
    assert not [url for url in asked if "classify" in url]


def test_no_page_address_and_no_cookie_goes_to_herald(page: Page, host: Host) -> None:
    with page.expect_request(lambda request: "/her2/classify" in request.url) as asked:
        page.goto(host.holds('<her2-card ihc="3+"></her2-card>') + "?patient=P-1")
    sent = asked.value.all_headers()
    assert "referer" not in sent and "cookie" not in sent
    _status(page, "HER2 positive")


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ("", "Neither a result nor values are given"),
        ('edition="asco-cap-2018"', "Neither a result nor values are given"),
        ('result="x" ihc="3+"', "Give one of them"),
        ('result="x" edition="asco-cap-2018"', "A stored result keeps its edition"),
    ],
)
def test_what_can_be_meant_in_two_ways_gets_no_status(page: Page, host: Host, attributes: str, why: str) -> None:
    page.goto(host.holds(f"<her2-card {attributes}></her2-card>"))
    _shows_no_status(page, why)


def test_an_origin_that_herald_does_not_know_is_told_so(troubled: Page, hosts: tuple[Host, Host, Server]) -> None:
    stranger = hosts[1]
    troubled.goto(stranger.holds('<her2-card ihc="3+"></her2-card>'))
    _shows_no_status(troubled, "Herald does not allow the origin of this page")


def test_problems_are_told_by_field_with_what_to_send(troubled: Page, host: Host) -> None:
    script = """window.told = [];
      for (const name of ["her2-answer", "her2-error"])
        document.addEventListener(name, (event) => window.told.push([name, event.detail.kind, event.detail.status]));"""
    troubled.goto(host.holds('<her2-card ihc="positive" copies="many"></her2-card>', script=script))
    _shows_no_status(troubled, "Herald cannot classify what was sent")
    lines = _card(troubled).locator("li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("ihc: ")
    expect(lines.first).to_contain_text("Send instead: ")
    assert troubled.evaluate("window.told") == [["her2-error", "invalid", 422]]


def test_a_result_that_is_not_there_is_told_so(troubled: Page, host: Host) -> None:
    troubled.goto(host.holds('<her2-card result="none"></her2-card>'))
    _shows_no_status(troubled, "Herald has no such result")


def test_without_network_no_status_stands_and_asking_again_brings_it(troubled: Page, host: Host) -> None:
    troubled.route("**/her2/classify?*", lambda route: route.abort())
    troubled.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    _shows_no_status(troubled, "Herald could not be reached")
    troubled.unroute("**/her2/classify?*")
    troubled.keyboard.press("Tab")
    assert troubled.evaluate("document.activeElement.shadowRoot.activeElement.tagName") == "BUTTON"
    troubled.keyboard.press("Enter")
    _status(troubled, "HER2 positive")
    # What had the focus is gone: the card itself has it now.
    assert troubled.evaluate("document.activeElement.shadowRoot.activeElement.className") == "card final"


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (200, '{"status": "negative"}', "not an answer of Herald"),
        (200, '{"status": "her2-zero", "final": true}', "not an answer of Herald"),
        (200, "<html>Sign in</html>", "not an answer of Herald"),
        (401, "{}", "did not allow this"),
        (503, "busy", "cannot answer now"),
        (404, "nothing", "not an answer of Herald"),
    ],
)
def test_what_is_no_whole_answer_shows_no_status(troubled: Page, host: Host, status: int, body: str, why: str) -> None:
    headers = {"Access-Control-Allow-Origin": host.origin}
    troubled.route(
        "**/her2/classify?*",
        lambda route: route.fulfill(status=status, body=body, headers=headers, content_type="application/json"),
    )
    troubled.goto(host.holds('<her2-card ihc="1+"></her2-card>'))
    _shows_no_status(troubled, why)


def test_another_result_than_the_one_asked_for_is_not_shown(troubled: Page, host: Host, herald: Server) -> None:
    other = _newest(herald)
    troubled.route(
        "**/results/mine",
        lambda route: route.fulfill(json=other, headers={"Access-Control-Allow-Origin": host.origin}),
    )
    troubled.goto(host.holds('<her2-card result="mine"></her2-card>'))
    _shows_no_status(troubled, "not an answer of Herald")


def test_a_stored_result_is_asked_for_again_when_the_reader_comes_back(page: Page, host: Host, herald: Server) -> None:
    result = _newest(herald)
    page.goto(host.holds(f'<her2-card result="{result["id"]}"></her2-card>'))
    _status(page, "HER2")
    with page.expect_response(f"**/results/{result['id']}"):
        page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
    _status(page, "HER2")


def test_the_styles_of_the_page_stay_outside(page: Page, host: Host) -> None:
    css = """* { color: rgb(255, 0, 0) !important; font-size: 40px !important; letter-spacing: 1em !important; }
      h2, p, .card { display: none !important; } her2-card { text-transform: uppercase; line-height: 5; }"""
    page.goto(host.holds('<her2-card ihc="3+" theme="light"></her2-card>', css=css))
    _status(page, "HER2 positive")
    expect(_card(page).locator("h2")).to_be_visible()
    found = (
        _card(page)
        .locator("h2")
        .evaluate(
            """(e) => { const s = getComputedStyle(e);
        return [s.color, s.fontSize, s.letterSpacing, s.textTransform, s.lineHeight]; }"""
        )
    )
    assert found == ["rgb(27, 31, 36)", "25.6px", "normal", "none", "30.72px"]


def test_the_theme_is_the_readers_or_the_one_that_is_set(page: Page, host: Host) -> None:
    def paper() -> Any:
        return _card(page).evaluate("(e) => getComputedStyle(e).backgroundColor")

    light, dark = "rgb(255, 255, 255)", "rgb(20, 24, 28)"
    page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    _status(page, "HER2 positive")
    assert paper() == light
    page.emulate_media(color_scheme="dark")
    assert paper() == dark
    page.evaluate('document.querySelector("her2-card").setAttribute("theme", "light")')
    assert paper() == light
    page.emulate_media(color_scheme="light")
    page.evaluate('document.querySelector("her2-card").setAttribute("theme", "dark")')
    assert paper() == dark


_WHOLE = (
    '<her2-card ihc="2+" copies="4.6" cep17="2.5" cells="20"></her2-card>'
    '<her2-card ihc="3+" ratio="2.10" copies="6.4" cells="20" er="positive" setting="metastatic"></her2-card>'
    '<her2-card ihc="1+" compact></her2-card><her2-card></her2-card>'
    '<her2-card ihc="3+" theme="dark"></her2-card><her2-card ihc="3+" theme="light"></her2-card>'
)


def _open_all(page: Page) -> None:
    expect(page.locator("her2-card [aria-busy]")).to_have_count(0)
    expect(page.locator("her2-card h2")).to_have_count(page.locator("her2-card").count())
    page.evaluate(
        """document.querySelectorAll("her2-card")
        .forEach((card) => card.shadowRoot.querySelectorAll("details").forEach((each) => { each.open = true; }))"""
    )


def test_the_element_is_accessible_in_the_page(page: Page, host: Host) -> None:
    host.policy = _POLICY.partition("; require-trusted")[0]  # axe itself writes HTML
    page.goto(host.holds(_WHOLE))
    _open_all(page)
    accessible(page)
    reflows(page)


def test_a_narrow_place_is_enough(page: Page, host: Host) -> None:
    page.goto(host.holds(_WHOLE, css="her2-card { width: 320px; margin-bottom: 1rem; }"))
    _open_all(page)
    wide = page.evaluate(
        """[...document.querySelectorAll("her2-card")].flatMap((card) => [...card.shadowRoot.querySelectorAll("*")])
        .filter((e) => e.scrollWidth > e.clientWidth + 1 && e.clientWidth > 1).map((e) => e.outerHTML.slice(0, 100))"""
    )
    assert not wide


def test_targets_are_big_enough(page: Page, host: Host, herald: Server) -> None:
    page.goto(host.holds(f'{_WHOLE}<her2-card result="{_newest(herald)["id"]}"></her2-card>'))
    _open_all(page)
    small = page.evaluate(
        """[...document.querySelectorAll("her2-card")]
        .flatMap((card) => [...card.shadowRoot.querySelectorAll("a, button, summary")])
        .map((e) => e.getBoundingClientRect()).filter((box) => box.width < 24 || box.height < 24)"""
    )
    assert not small


def test_the_keyboard_reaches_all_and_what_was_opened_stays_open(page: Page, host: Host, herald: Server) -> None:
    result = _newest(herald)
    page.goto(host.holds(f'<her2-card result="{result["id"]}"></her2-card>'))
    _status(page, "HER2")

    def focused() -> Any:
        return page.evaluate(
            """() => { const e = document.activeElement.shadowRoot?.activeElement; if (!e) return null;
            return [e.tagName, getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]; }"""
        )

    page.keyboard.press("Tab")
    assert focused() == ["SUMMARY", "solid", "3px"]
    page.keyboard.press("Enter")
    expect(_card(page).locator("details")).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    assert focused() == ["A", "solid", "3px"]
    with page.expect_response(f"**/results/{result['id']}"):
        page.evaluate('document.querySelector("her2-card").refresh()')
    expect(_card(page).locator("details")).to_have_attribute("open", "")


def test_a_change_is_told_to_those_who_do_not_see_it(page: Page, host: Host) -> None:
    page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    told = _card(page).get_by_role("status")
    expect(told).to_have_text("HER2 positive, final, computed from the values given; not signed, not stored")
    page.evaluate('document.querySelector("her2-card").setAttribute("ihc", "2+")')
    expect(told).to_contain_text("HER2 equivocal, not final")


def test_words_from_outside_stay_words(page: Page, host: Host) -> None:
    evil = '<img src=x onerror="window.harmed = true">'

    def changed(route: Route) -> None:
        response = route.fetch()
        answer = response.json()
        answer["summary"] = answer["edition"]["version"] = evil
        route.fulfill(response=response, json=answer)

    page.route("**/her2/classify?*", changed)
    page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    _status(page, "HER2 positive")
    assert evil in _card(page).inner_text()
    assert _card(page).locator("img").count() == 0
    assert page.evaluate("window.harmed") is None


def test_the_frame_is_shown_and_says_how_tall_it_is(page: Page, host: Host, herald: Server) -> None:
    query = "ihc=2%2B&copies=4.6&cep17=2.5&cells=20"
    answer = herald.http.get(f"/her2/classify?{query}").json()
    script = """window.told = [];
      addEventListener("message", (event) => window.told.push([event.origin, event.data]));"""
    frame = f'<iframe title="HER2" src="{host.herald}/embed/classify?{query.replace("&", "&amp;")}"></iframe>'
    page.goto(host.holds(frame, css="iframe { width: 100%; height: 300px; }", script=script))
    expect(page.frame_locator("iframe").get_by_text(answer["summary"]).first).to_be_visible()
    page.wait_for_function("window.told.length > 0")
    origin, data = page.evaluate("window.told[0]")
    assert origin == host.herald and data["herald"] == "height"
    assert data["height"] == page.frames[1].evaluate("Math.ceil(document.body.getBoundingClientRect().height)")


@pytest.mark.parametrize("query", ["ihc=2%2B&her2_signals=92&cep17_signals=50&cells=20", "ihc=3%2B&er=positive"])
def test_the_frame_is_accessible_with_all_of_it_open(page: Page, herald: Server, query: str) -> None:
    page.goto(f"http://127.0.0.1:{herald.port}/embed/classify?{query}")
    page.evaluate("document.querySelectorAll('details').forEach((each) => { each.open = true; })")
    accessible(page)
    reflows(page)
    big_enough(page)


def test_a_page_that_is_not_named_cannot_hold_the_frame(troubled: Page, hosts: tuple[Host, Host, Server]) -> None:
    stranger = hosts[1]
    told: list[str] = []
    troubled.on("console", lambda line: told.append(line.text))
    troubled.goto(stranger.holds(f'<iframe title="HER2" src="{stranger.herald}/embed/classify?ihc=3%2B"></iframe>'))
    assert "HER2" not in troubled.frames[1].evaluate("document.body.innerText")
    assert any("frame-ancestors" in line for line in told)


def test_the_example_of_a_host_works_as_it_stands(page: Page, host: Host) -> None:
    for file in _EXAMPLE.iterdir():
        content = file.read_text("utf-8").replace("http://127.0.0.1:8000", host.herald)
        host.files[f"/example/{file.name}"] = content
    page.goto(f"{host.origin}/example/index.html")
    _status(page, "HER2 pending")
    expect(page.frame_locator("iframe").get_by_text("HER2 pending, ISH group 4").first).to_be_visible()
    page.wait_for_function('document.querySelector("iframe").style.height !== ""')
    page.get_by_label("IHC score").fill("3+")
    _status(page, "HER2 positive")


def test_the_page_of_the_element_changes_the_card_and_the_line_to_copy(browser: Browser, herald: Server) -> None:
    for page in watched(browser, {f"127.0.0.1:{herald.port}"}, base_url=f"http://127.0.0.1:{herald.port}"):
        page.goto("/browser/element")
        _status(page, "HER2 pending")
        page.get_by_label("IHC score").select_option("3+")
        _status(page, "HER2 positive")
        page.get_by_label("Compact").check()
        line = '<her2-card ihc="3+" copies="4.6" cep17="2.5" cells="20" compact=""></her2-card>'
        expect(page.locator("#tried-code")).to_have_text(line.replace('compact=""', "compact"))
