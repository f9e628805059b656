"""What holds for every page: WCAG 2.2 AA as far as a machine can tell, keyboard alone, nothing from other hosts."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.addresses import BARE, CASES, FIXED, FOUND
from tests.browser.conftest import accessible, big_enough, reflows
from tests.journeys.server import Server

PAGES = (*FIXED, *FOUND)
_STEPS = 250
_FOCUS = """() => {
  let e = document.activeElement;
  while (e?.shadowRoot?.activeElement) e = e.shadowRoot.activeElement;
  if (!e || e === document.body) return null;
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  const x = Math.min(Math.max(box.x + Math.min(box.width, 40) / 2, 0), innerWidth - 1);
  const y = Math.min(Math.max(box.y + Math.min(box.height, 24) / 2, 0), innerHeight - 1);
  const top = e.getRootNode().elementFromPoint(x, y);
  return {
    what: e.outerHTML.slice(0, 120),
    inside: box.bottom > 0 && box.top < innerHeight && box.right > 0 && box.left < innerWidth,
    covered: !(top && (e.contains(top) || top.contains(e))),
    shown: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
  };
}"""
# WCAG 1.4.12, as a user's own style sheet would set it.
_SPACING = """() => { const sheet = new CSSStyleSheet(); sheet.replaceSync(
  '* { line-height: 1.5 !important; letter-spacing: .12em !important; word-spacing: .16em !important }' +
  'p { margin-bottom: 2em !important }'); document.adoptedStyleSheets = [sheet]; }"""
_CUT_OFF = """() => [...document.querySelectorAll('main *')]
  .filter(e => { const s = getComputedStyle(e), cuts = v => v === 'hidden' || v === 'clip';
    return e.checkVisibility() && e.clientWidth > 1 && !e.closest('svg, select, input')
      && ((cuts(s.overflowX) && e.scrollWidth > e.clientWidth + 1)
        || (cuts(s.overflowY) && e.scrollHeight > e.clientHeight + 1)); })
  .map(e => e.outerHTML.slice(0, 120))"""
_TINY = """() => [...document.querySelectorAll('body *')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) && e.checkVisibility()
    && parseFloat(getComputedStyle(e).fontSize) < 12)
  .map(e => `${getComputedStyle(e).fontSize} ${e.outerHTML.slice(0, 120)}`)"""
_OPEN = "document.querySelectorAll('details').forEach(each => each.open = true)"
_HEADINGS = "[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(e => e.innerText)"
_MOVING = """() => [...document.querySelectorAll('*')]
  .filter(e => { const s = getComputedStyle(e);
    return s.animationName !== 'none' || s.transitionDuration.split(',').some(d => parseFloat(d) > 0); })
  .map(e => e.outerHTML.slice(0, 120))"""


@pytest.fixture
def without_script(browser: Browser, site: Server) -> Iterator[Page]:
    context = browser.new_context(java_script_enabled=False, base_url=f"http://127.0.0.1:{site.port}")
    yield context.new_page()
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_page_is_accessible_with_all_that_is_folded_open(
    page: Page, addresses: dict[str, str], name: str
) -> None:
    page.goto(addresses[name])
    page.evaluate(_OPEN)
    accessible(page)
    reflows(page)
    big_enough(page)
    assert page.evaluate(_TINY) == [], "text below 12 px"


@pytest.mark.parametrize("name", PAGES)
def test_the_keyboard_reaches_what_there_is_and_its_focus_is_always_seen(
    page: Page, addresses: dict[str, str], name: str
) -> None:
    page.goto(addresses[name])
    reached = []
    for _ in range(_STEPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        if focus is None:
            break
        reached.append(focus["what"])
        assert focus["inside"] and not focus["covered"], f"focus is hidden: {focus}"
        assert focus["shown"], f"focus cannot be seen: {focus}"
    else:
        pytest.fail("the end of the page is not reached by keyboard")
    if name not in BARE:
        assert "skip" in reached[0], "the first stop leads past the navigation"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_moves_for_who_asks_for_less_motion(page: Page, addresses: dict[str, str], name: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(addresses[name])
    assert page.evaluate(_MOVING) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_page_has_one_heading_a_title_of_its_own_and_a_strict_policy(
    page: Page, addresses: dict[str, str], name: str
) -> None:
    answer = page.goto(addresses[name])
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy and "http:" not in policy
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(e => +e.tagName[1])")
    assert levels[0] == 1 and all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.evaluate("document.documentElement.lang") == "en"
    what, _, whose = page.title().rpartition(" · ")
    assert whose == "Herald"
    heading = page.locator("h1").inner_text()
    assert what.split(" · ")[0] in heading or heading in what, f"title {what!r} and heading {heading!r} differ"


def test_no_two_pages_have_the_same_title(page: Page, addresses: dict[str, str]) -> None:
    told: dict[str, str] = {}
    for name in PAGES:
        page.goto(addresses[name])
        kind = name.split(",")[0]
        assert told.setdefault(page.title(), kind) == kind


@pytest.mark.parametrize("name", PAGES)
def test_wider_spacing_of_text_cuts_nothing_off(page: Page, addresses: dict[str, str], name: str) -> None:
    page.goto(addresses[name])
    page.evaluate(_OPEN)
    page.evaluate(_SPACING)
    assert page.evaluate(_CUT_OFF) == []
    reflows(page)


@pytest.mark.parametrize("name", PAGES)
def test_without_script_each_page_says_the_same(
    page: Page, without_script: Page, addresses: dict[str, str], name: str
) -> None:
    page.goto(addresses[name])
    without_script.goto(addresses[name])
    heads = [each.inner_text() for each in without_script.locator("h1, h2, h3, h4, h5, h6").all()]
    assert heads == page.evaluate(_HEADINGS)
    assert len(without_script.locator("main").inner_text()) >= 0.9 * len(page.locator("main").inner_text())


@pytest.mark.parametrize("name", [*CASES, "embed, result", "embed, not final", "presenter", "embed, classify"])
def test_in_forced_colours_status_and_finality_are_read_and_framed(
    page: Page, addresses: dict[str, str], name: str
) -> None:
    page.emulate_media(forced_colors="active")
    page.goto(addresses[name])
    verdict = page.locator(".verdict").first
    for part in (".verdict-status", ".verdict-finality"):
        shown = verdict.locator(part)
        assert shown.inner_text().strip()
        colours = shown.evaluate("e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]")
        assert colours[0] != colours[1]
    final = "verdict-final" in str(verdict.get_attribute("class")).split()
    assert verdict.evaluate("e => getComputedStyle(e).borderStyle") == ("solid" if final else "dashed")


@pytest.mark.parametrize("name", CASES)
def test_a_case_prints_its_answer_and_no_address_over_it(page: Page, addresses: dict[str, str], name: str) -> None:
    page.goto(addresses[name])
    page.emulate_media(media="print")
    assert page.locator(".verdict-status").is_visible() and page.locator(".verdict-finality").is_visible()
    assert not page.locator("header.site, form, .screen").locator("visible=true").count()
    after = "[...document.querySelectorAll('a')].map(e => getComputedStyle(e, '::after').content)"
    assert set(page.evaluate(after)) <= {"none", "normal"}
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"
    assert page.pdf().startswith(b"%PDF-")
