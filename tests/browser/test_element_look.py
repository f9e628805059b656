"""<her2-card> and the frame in the page that holds them: styles, themes, keyboard, narrow places, examples."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.conftest import accessible, big_enough, reflows, watched
from tests.browser.host import POLICY, Host, card, newest, shows
from tests.journeys.server import ROOT, Server

_EXAMPLE = ROOT / "examples/host"


@pytest.fixture
def page(hosted: Page) -> Page:
    return hosted


def test_the_styles_of_the_page_stay_outside(page: Page, host: Host) -> None:
    css = """* { color: rgb(255, 0, 0) !important; font-size: 40px !important; letter-spacing: 1em !important; }
      h2, p, .card { display: none !important; } her2-card { text-transform: uppercase; line-height: 5; }"""
    page.goto(host.holds('<her2-card ihc="3+" theme="light"></her2-card>', css=css))
    shows(page, "HER2 positive")
    expect(card(page).locator("h2")).to_be_visible()
    found = (
        card(page)
        .locator("h2")
        .evaluate(
            """(e) => { const s = getComputedStyle(e);
        return [s.color, s.fontSize, s.letterSpacing, s.textTransform, s.lineHeight]; }"""
        )
    )
    assert found == ["rgb(27, 31, 36)", "25.6px", "normal", "none", "30.72px"]


def test_the_theme_is_the_readers_or_the_one_that_is_set(page: Page, host: Host) -> None:
    def paper() -> Any:
        return card(page).evaluate("(e) => getComputedStyle(e).backgroundColor")

    light, dark = "rgb(255, 255, 255)", "rgb(20, 24, 28)"
    page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    shows(page, "HER2 positive")
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
    host.policy = POLICY.partition("; require-trusted")[0]  # axe itself writes HTML
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
    page.goto(host.holds(f'{_WHOLE}<her2-card result="{newest(herald)["id"]}"></her2-card>'))
    _open_all(page)
    small = page.evaluate(
        """[...document.querySelectorAll("her2-card")]
        .flatMap((card) => [...card.shadowRoot.querySelectorAll("a, button, summary")])
        .map((e) => e.getBoundingClientRect()).filter((box) => box.width < 24 || box.height < 24)"""
    )
    assert not small


def test_the_keyboard_reaches_all_and_what_was_opened_stays_open(page: Page, host: Host, herald: Server) -> None:
    result = newest(herald)
    page.goto(host.holds(f'<her2-card result="{result["id"]}"></her2-card>'))
    shows(page, "HER2")

    def focused() -> Any:
        return page.evaluate(
            """() => { const e = document.activeElement.shadowRoot?.activeElement; if (!e) return null;
            return [e.tagName, getComputedStyle(e).outlineStyle, getComputedStyle(e).outlineWidth]; }"""
        )

    page.keyboard.press("Tab")
    assert focused() == ["SUMMARY", "solid", "3px"]
    page.keyboard.press("Enter")
    expect(card(page).locator("details")).to_have_attribute("open", "")
    page.keyboard.press("Tab")
    assert focused() == ["A", "solid", "3px"]
    with page.expect_response(f"**/results/{result['id']}"):
        page.evaluate('document.querySelector("her2-card").refresh()')
    expect(card(page).locator("details")).to_have_attribute("open", "")


def test_a_change_is_told_to_those_who_do_not_see_it(page: Page, host: Host) -> None:
    page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    told = card(page).get_by_role("status")
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
    shows(page, "HER2 positive")
    assert evil in card(page).inner_text()
    assert card(page).locator("img").count() == 0
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
    shows(page, "HER2 pending")
    expect(page.frame_locator("iframe").get_by_text("HER2 pending, ISH group 4").first).to_be_visible()
    page.wait_for_function('document.querySelector("iframe").style.height !== ""')
    page.get_by_label("IHC score").fill("3+")
    shows(page, "HER2 positive")


def test_the_page_of_the_element_changes_the_card_and_the_line_to_copy(browser: Browser, herald: Server) -> None:
    for page in watched(browser, {f"127.0.0.1:{herald.port}"}, base_url=f"http://127.0.0.1:{herald.port}"):
        page.goto("/browser/element")
        shows(page, "HER2 pending")
        page.get_by_label("IHC score").select_option("3+")
        shows(page, "HER2 positive")
        page.get_by_label("Compact").check()
        line = '<her2-card ihc="3+" copies="4.6" cep17="2.5" cells="20" compact=""></her2-card>'
        expect(page.locator("#tried-code")).to_have_text(line.replace('compact=""', "compact"))
