"""One journey without a mouse: from the calculator to a case, its sheet, a meeting, an outcome, and back."""

from __future__ import annotations

from playwright.sync_api import Page, expect

_MOST_STOPS = 300
_NAME = """() => { const e = document.activeElement;
  return (e.getAttribute('aria-label') || e.labels?.[0]?.innerText || e.innerText || '').trim(); }"""


def tab_to(page: Page, name: str, back: bool = False) -> None:
    """Press Tab until the focus is on what has this name."""
    for _ in range(_MOST_STOPS):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate(_NAME).split("\n")[0] == name:
            return
    raise AssertionError(f"{name!r} is not reached by keyboard")


def enter(page: Page, name: str) -> None:
    """Reach it and press Enter, which leads to another page."""
    tab_to(page, name)
    with page.expect_navigation():
        page.keyboard.press("Enter")


def write(page: Page, name: str, text: str) -> None:
    tab_to(page, name)
    page.keyboard.type(text)


def test_from_the_calculator_to_an_outcome_and_back(page: Page) -> None:
    page.goto("/")
    write(page, "IHC score", "2+")
    write(page, "HER2/CEP17 ratio", "1.10")
    write(page, "HER2 copies per cell", "2.4")
    write(page, "Cells counted", "40")
    page.keyboard.press("Enter")
    expect(page.locator(".verdict-status")).to_have_text("HER2 negative")
    expect(page.locator(".verdict-finality")).to_contain_text("Final")

    tab_to(page, "Cases", back=True)
    with page.expect_navigation():
        page.keyboard.press("Enter")
    write(page, "Accession", "DEMO-1-0019-A")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    enter(page, "DEMO-1-0019-A, A1")
    expect(page.get_by_role("heading", level=1)).to_have_text("Case DEMO-1-0019-A, block A1")
    expect(page.locator(".verdict-status")).to_have_text("HER2 positive")

    enter(page, "Sheet to print")
    expect(page.get_by_role("heading", level=1)).to_have_text("HER2 positive")
    enter(page, "Back to the case")
    enter(page, "Add to a meeting")
    write(page, "Your name", "A. Chair")
    write(page, "Your role", "chair of the board")
    write(page, "Question for the board", "Which specimen counts?")
    enter(page, "Add to this meeting")
    expect(page.locator(".case", has_text="Which specimen counts?")).to_contain_text("DEMO-1-0019-A")

    enter(page, "Present")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Case 1 of")
    while not page.get_by_text("Which specimen counts?").count():
        with page.expect_navigation():
            page.keyboard.press("ArrowRight")
    expect(page.locator(".verdict-status")).to_have_text("HER2 positive")
    enter(page, "Record the outcome")
    write(page, "What was decided", "The board takes the result as it stands.")
    enter(page, "Record the outcome")
    expect(page.locator(".outcome .decision")).to_have_text("The board takes the result as it stands.")

    enter(page, "The whole list")
    expect(page.locator(".case", has_text="Which specimen counts?")).to_contain_text("takes the result as it stands")
    enter(page, "Meetings")
    expect(page.get_by_role("heading", level=1)).to_have_text("Meetings")
