"""The case page, its ledger and its sheet in a browser."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessible, big_enough, reflows
from tests.journeys.server import Server

# What the demo made: where in its order each kind stands.
CASES = {
    "group 2, 2+": ("DEMO-1-0011-A", "HER2 pending", "Not final"),
    "amended": ("DEMO-1-0019-A", "HER2 positive", "Final"),
    "changed in metastasis": ("DEMO-1-0026-B", "HER2 positive", "Final"),
    "2+ waits for ISH": ("DEMO-1-0006-A", "HER2 equivocal", "Not final"),
}
PERSON = {"name": "Dr A. Reader", "role": "pathologist", "reason": "score typed wrong"}


def _row(site: Server, accession: str) -> dict[str, Any]:
    (row,) = site.http.get("/results", params={"accession": accession}).json()["items"]
    found: dict[str, Any] = row
    return found


def _open(page: Page, site: Server, accession: str) -> dict[str, Any]:
    row = _row(site, accession)
    page.goto(f"/browser/patients/{row['patient_id']}")
    return row


@pytest.mark.parametrize("kind", CASES)
def test_the_case_page_is_accessible_and_says_status_and_finality_large(page: Page, site: Server, kind: str) -> None:
    accession, status, finality = CASES[kind]
    _open(page, site, accession)
    expect(page.get_by_role("heading", level=1)).to_contain_text(accession)
    expect(page.get_by_text(status, exact=True).first).to_be_visible()
    expect(page.get_by_text(finality, exact=True).first).to_be_visible()
    page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    accessible(page)
    reflows(page)
    big_enough(page)


def test_a_change_between_specimens_is_told_and_the_earlier_one_is_a_click_away(page: Page, site: Server) -> None:
    _open(page, site, "DEMO-1-0026-B")
    expect(page.get_by_text("HER2 status changed from negative to positive.")).to_be_visible()
    page.get_by_role("link", name="DEMO-1-0026-A, A1").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("DEMO-1-0026-A")
    page.get_by_role("link", name="Show the newest").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("DEMO-1-0026-B")


def test_the_ledger_folds_by_keyboard_and_shows_both_sides(page: Page, site: Server) -> None:
    _open(page, site, "DEMO-1-0026-B")
    summary = page.locator(".weighed summary", has_text="Against: 7 findings").first
    summary.focus()
    article = page.locator(".weighed").first
    page.keyboard.press("Enter")
    expect(article.get_by_role("heading", name="For", exact=True)).to_be_hidden()
    page.keyboard.press("Enter")
    expect(article.get_by_role("heading", name="For", exact=True)).to_be_visible()
    expect(article.get_by_role("heading", name="Against", exact=True)).to_be_visible()
    plot = article.get_by_role("img", name=re.compile("relative risk.*1.45 .95% CI 1.34 to 1.57"))
    expect(plot.first).to_be_visible()
    sides = [box for box in (each.bounding_box() for each in article.locator(".side").all()) if box]
    assert sides[0]["width"] == sides[1]["width"] and sides[0]["y"] == sides[1]["y"]


def test_the_page_is_walked_by_keyboard_alone_and_focus_is_never_hidden(page: Page, site: Server) -> None:
    _open(page, site, "DEMO-1-0011-A")
    seen = []
    for _ in range(80):
        page.keyboard.press("Tab")
        found = page.evaluate(
            """() => { const e = document.activeElement; const box = e.getBoundingClientRect();
            const at = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
            return [e.tagName, e.textContent.trim().slice(0, 40), e.contains(at) || at?.contains(e) || false]; }"""
        )
        if found[0] == "BODY":
            break
        seen.append(found)
    assert all(visible for _, _, visible in seen), seen
    names = [name for _, name, _ in seen]
    assert {"Skip to the content", "Sheet to print", "Its history", "Next steps"} <= set(names)


def test_the_list_leads_to_a_case_by_accession(page: Page) -> None:
    page.goto("/browser/cases")
    page.get_by_label("Accession").fill("DEMO-1-0011-A")
    page.keyboard.press("Enter")
    page.get_by_role("link", name="DEMO-1-0011-A, A1").first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("DEMO-1-0011-A")


@pytest.mark.parametrize("accession", ["DEMO-1-0026-B", "DEMO-1-0011-A", "DEMO-1-0025-A"])
def test_the_sheet_prints_on_one_page(page: Page, site: Server, accession: str) -> None:
    _open(page, site, accession)
    page.get_by_role("button", name="Sheet to print").click()
    page.wait_for_url("**/sheet")
    accessible(page)
    reflows(page)
    big_enough(page)
    expect(page.get_by_role("img", name=re.compile(r"code [0-9A-Z]{5}-[0-9A-Z]{5}"))).to_be_visible()
    page.emulate_media(media="print")
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(page.get_by_role("link", name="The sheet as PDF")).to_be_hidden()
    printed = page.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type /Page\b(?!s)", printed)) == 1


def test_a_short_code_says_superseded_after_an_amendment(page: Page, site: Server) -> None:
    case = {"patient": "BROWSER-SHEET", "laboratory": "North", "ihc": "2+", "specimen": {"accession": "SHEET-1"}}
    result = site.http.post("/results", json=case).json()
    page.goto(f"/browser/results/{result['id']}")
    page.get_by_role("button", name="Sheet to print").click()
    page.wait_for_url("**/sheet")
    (code,) = set(re.findall(r"/s/([0-9A-Z]{10})", page.content()))
    page.goto(f"/s/{code.lower()}")
    expect(page.get_by_text("This sheet is the present version.")).to_be_visible()
    accessible(page)
    site.http.post(f"/results/{result['id']}/amendments", json={**PERSON, "changes": {"ihc": "3+"}})
    page.reload()
    expect(page.get_by_text("This sheet is superseded.")).to_be_visible()
    accessible(page)
    reflows(page)
    page.get_by_role("link", name="See the printed version").click()
    expect(page.get_by_text("Superseded: this is version 1")).to_be_visible()
    page.go_back()
    page.get_by_role("link", name="Open the present case").click()
    expect(page.get_by_text("HER2 positive", exact=True).first).to_be_visible()


def test_the_history_is_accessible(page: Page, site: Server) -> None:
    page.goto(f"/browser/results/{_row(site, 'DEMO-1-0019-A')['id']}/history")
    accessible(page)
    reflows(page)
    big_enough(page)
