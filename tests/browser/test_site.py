"""What holds for every page: WCAG 2.2 AA as far as a machine can tell, keyboard alone, nothing from other hosts."""

from __future__ import annotations

import itertools

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import accessible, big_enough, reflows

PAGES = (
    "/",
    "/?ihc=2%2B&ratio=%3E1.8&copies=4.5&beside=asco-cap-2013",
    "/guidelines/asco-cap-2018?format=html",
    "/browser/messages",
    "/browser/messages/paste",
    "/browser/cases",
    "/browser/meetings",
    "/smart/start",
    "/browser/evidence",
    "/browser/evidence?q=trastuzumab&design=randomised",
    "/browser/evidence/ihc-screens-fish-confirms",
    "/browser/element",
    "/browser/webhooks",
)
_STEPS = 80
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
_MOVING = """() => [...document.querySelectorAll('*')]
  .filter(e => { const s = getComputedStyle(e);
    return s.animationName !== 'none' || s.transitionDuration.split(',').some(d => parseFloat(d) > 0); })
  .map(e => e.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("path", PAGES)
def test_every_page_is_accessible(page: Page, path: str) -> None:
    page.goto(path)
    accessible(page)
    reflows(page)
    big_enough(page)


@pytest.mark.parametrize("path", PAGES)
def test_the_keyboard_reaches_what_there_is_and_its_focus_is_always_seen(page: Page, path: str) -> None:
    page.goto(path)
    reached = []
    for _ in range(_STEPS):
        page.keyboard.press("Tab")
        focus = page.evaluate(_FOCUS)
        if focus is None:
            break
        reached.append(focus["what"])
        assert focus["inside"] and not focus["covered"], f"focus is hidden: {focus}"
        assert focus["shown"], f"focus cannot be seen: {focus}"
    assert len(reached) > 5
    assert "skip" in reached[0], "the first stop leads past the navigation"


@pytest.mark.parametrize("path", PAGES)
def test_nothing_moves_for_who_asks_for_less_motion(page: Page, path: str) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.goto(path)
    assert page.evaluate(_MOVING) == []


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_one_heading_and_a_strict_policy(page: Page, path: str) -> None:
    answer = page.goto(path)
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy and "*" not in policy and "http:" not in policy
    assert page.locator("h1").count() == 1
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3,h4,h5,h6')].map(e => +e.tagName[1])")
    assert levels[0] == 1 and all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.evaluate("document.documentElement.lang") == "en"
