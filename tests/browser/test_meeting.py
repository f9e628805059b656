"""A tumour board's meeting in the browser: made, filled, ordered, shown on a projector, decided, printed."""

from __future__ import annotations

import itertools
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import accessible, big_enough, reflows
from tests.journeys.server import Server

CHAIR = ("A. Chair", "chair of the board")
POSITIVE = {"ihc": "3+", "context": {"er": "positive", "setting": "metastatic"}}
_NAME_OF_FOCUS = "e => (e = document.activeElement, e.getAttribute('aria-label') || e.innerText || e.name)"
_numbers = itertools.count(1)


def report(site: Server, case: dict[str, Any], **specimen: str) -> dict[str, Any]:
    """A result of a new patient, with an accession number of its own."""
    number = next(_numbers)
    specimen = {"accession": f"S26-B{number}", "kind": "primary", **specimen}
    body = {**case, "patient": f"BOARD-{number}", "specimen": specimen}
    answer = site.http.post("/results", json=body)
    assert answer.status_code == 201, answer.text
    result: dict[str, Any] = answer.json()
    return {**result, "accession": f"S26-B{number}"}


def make(page: Page, title: str, days: int = 30) -> None:
    """Make a meeting by its form; the page is then that of its list."""
    page.goto("/browser/meetings")
    page.get_by_label("Date of the meeting").fill((datetime.now(UTC).date() + timedelta(days=days)).isoformat())
    page.get_by_label("Title").fill(title)
    sign(page)
    page.get_by_role("button", name="Make the meeting").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)


def sign(page: Page) -> None:
    page.get_by_label("Your name").last.fill(CHAIR[0])
    page.get_by_label("Your role").last.fill(CHAIR[1])


def add(page: Page, accession: str, question: str = "") -> None:
    page.get_by_label("Accession, result id, or patient id").fill(accession)
    page.get_by_label("Question for the board").fill(question)
    page.get_by_role("button", name="Add this case").click()


def cases(page: Page) -> list[str]:
    return page.locator(".case h3 a").all_inner_texts()


@pytest.fixture
def results(site: Server) -> list[dict[str, Any]]:
    return [report(site, POSITIVE), report(site, {"ihc": "2+"}), report(site, POSITIVE)]


@pytest.fixture
def board(page: Page, results: list[dict[str, Any]]) -> Page:
    """A page at the list of a meeting with three cases."""
    make(page, f"Board {next(_numbers)}")
    for each in results:
        add(page, each["accession"], "What follows?")
    return page


def test_a_meeting_is_made_filled_by_hand_and_ordered_by_buttons(board: Page, results: list[dict[str, Any]]) -> None:
    a, b, c = (each["accession"] for each in results)
    assert cases(board) == [a, b, c]
    expect(board.get_by_text("1 added.")).to_be_visible()
    assert board.get_by_label("Your name").input_value() == CHAIR[0], "this tab remembers who acts"
    board.get_by_role("button", name="Move case 3 up").click()
    assert cases(board) == [a, c, b]
    board.get_by_role("button", name="Remove case 1 from the list").click()
    assert cases(board) == [c, b]
    add(board, b)
    expect(board.get_by_text("0 added. 1 on the list already.")).to_be_visible()
    first = board.locator(".case").first
    expect(first).to_contain_text("HER2 positive")
    expect(first).to_contain_text("What follows?")
    expect(board.locator(".case").last).to_contain_text("Not final")


def test_a_meeting_is_filled_from_open_steps(page: Page, results: list[dict[str, Any]]) -> None:
    make(page, "Board of open steps")
    page.get_by_label("Waits for").select_option("laboratory")
    page.get_by_role("button", name="Add from open steps").click()
    assert results[1]["accession"] in cases(page)
    assert results[0]["accession"] not in cases(page)
    many = len(cases(page))
    page.get_by_label("Waits for").select_option("laboratory")
    page.get_by_role("button", name="Add from open steps").click()
    expect(page.get_by_text(f"0 added. {many} on the list already.")).to_be_visible()


def test_a_pasted_fhir_list_tells_entry_by_entry_whom_it_cannot_find(page: Page, results: list[dict[str, Any]]) -> None:
    make(page, "Board of a List")
    known = results[0]["patient_id"]
    page.get_by_label("FHIR List").fill(
        '{"resourceType": "List", "status": "current", "mode": "working", "entry": ['
        '{"item": {"identifier": {"system": "urn:hospital", "value": "secret"}}},'
        f'{{"item": {{"reference": "Patient/{known}"}}}}]}}'
    )
    page.get_by_role("button", name="Add from this List").click()
    assert cases(page) == [results[0]["accession"]]
    expect(page.locator("#told")).to_contain_text("List.entry[0].item names nobody known here")
    assert "secret" not in page.content()


def test_a_patient_is_added_to_a_meeting_from_elsewhere(page: Page, results: list[dict[str, Any]]) -> None:
    make(page, "Board for one patient")
    day = (datetime.now(UTC).date() + timedelta(days=30)).isoformat()
    page.goto(f"/browser/meetings?patient={results[0]['patient_id']}")
    expect(page.get_by_text(results[0]["accession"])).to_be_visible()
    page.locator("select[name=meeting]").select_option(label=f"Board for one patient, {day}")
    page.get_by_role("button", name="Add to this meeting").click()
    assert cases(page) == [results[0]["accession"]]
    page.goto(f"/browser/meetings?patient={results[0]['patient_id']}")
    expect(page.locator("section[aria-labelledby=add] li")).to_contain_text("Board for one patient")
    accessible(page)


def test_the_presenter_goes_by_keys_and_shows_the_essential_without_scrolling(board: Page) -> None:
    board.set_viewport_size({"width": 1280, "height": 720})
    board.get_by_role("link", name="Present").click()
    heading = board.get_by_role("heading", level=1)
    expect(heading).to_have_text("Case 1 of 3")
    board.wait_for_load_state()
    for key, place in (("ArrowRight", 2), ("PageDown", 3), ("ArrowRight", 3), ("ArrowLeft", 2), ("PageUp", 1)):
        board.keyboard.press(key)
        expect(heading).to_have_text(f"Case {place} of 3")
        board.wait_for_load_state()
        box = board.locator(".essential").bounding_box()
        assert box is not None and box["y"] + box["height"] <= 720
        expect(board.locator(".verdict")).to_be_in_viewport(ratio=1)
        assert "BOARD-" not in board.content(), "no identifier of a patient is shown"
    board.keyboard.press("Escape")
    expect(board.get_by_role("heading", name="Cases in order")).to_be_visible()


def test_an_outcome_agrees_with_one_consideration_and_disagrees_with_another(board: Page) -> None:
    board.locator(".case h3 a").first.click()
    views = board.locator("fieldset.view")
    assert views.count() >= 2
    agreed, refused = (views.nth(at).locator("legend").inner_text() for at in (0, 1))
    views.nth(0).get_by_role("radio", name="Agrees", exact=True).check()
    views.nth(1).get_by_role("radio", name="Disagrees").check()
    board.get_by_role("textbox", name="What was decided").fill("First this,\nthen that.")
    sign(board)
    board.get_by_role("button", name="Record the outcome").click()
    expect(board.get_by_role("alert")).to_contain_text("say why the meeting disagrees")
    assert board.get_by_role("textbox", name="What was decided").input_value() == "First this,\nthen that.", (
        "nothing written is lost"
    )
    expect(views.nth(1).get_by_role("radio", name="Disagrees")).to_be_checked()
    views.nth(1).get_by_role("textbox").fill("Other disease is in front.")
    board.get_by_role("button", name="Record the outcome").click()
    told = board.locator(".outcome")
    expect(told).to_have_count(1)
    for words in ("First this,", CHAIR[0], CHAIR[1], f"Agrees: {agreed}", f"Disagrees: {refused}", "Other disease"):
        expect(told).to_contain_text(words)
    expect(told).to_contain_text("Looked at: version 1, HER2 positive, final")
    board.get_by_role("link", name="The whole list").click()
    expect(board.locator(".case").first).to_contain_text("First this,")
    assert board.get_by_role("button", name="Remove case 1 from the list").count() == 0


def test_a_result_that_changed_meanwhile_is_told_before_anything_is_recorded(
    board: Page, site: Server, results: list[dict[str, Any]]
) -> None:
    board.locator(".case h3 a").nth(1).click()
    board.get_by_role("textbox", name="What was decided").fill("Wait for the ISH.")
    sign(board)
    body = {"name": "Dr Reader", "role": "pathologist", "reason": "typed wrong", "changes": {"ihc": "3+"}}
    assert site.http.post(f"/results/{results[1]['id']}/amendments", json=body).status_code == 201
    board.get_by_role("button", name="Record the outcome").click()
    alert = board.get_by_role("alert")
    expect(alert).to_contain_text("The result was at version 1 (HER2 equivocal, not final)")
    expect(alert).to_contain_text("version 2 (HER2 positive, final), amended by Dr Reader")
    expect(board.locator(".verdict-status")).to_have_text("HER2 positive")
    board.get_by_role("textbox", name="What was decided").fill("Seen: positive.")
    board.get_by_role("button", name="Record the outcome").click()
    expect(board.locator(".outcome")).to_contain_text("Looked at: version 2")


def test_the_print_has_one_page_for_each_case_in_order(
    board: Page, site: Server, results: list[dict[str, Any]]
) -> None:
    # a core with a negative result: whether to test the excision again stands on its sheet
    ish = {"assay": "dual_probe", "ratio": "1.2", "her2_copies": "2.4", "cells": 40}
    core = report(site, {"ihc": "2+", "ish": ish}, procedure="core")
    add(board, core["accession"])
    board.get_by_role("link", name="Print all").click()
    pages = board.locator(".case-page")
    expect(pages).to_have_count(4)
    for at, each in enumerate([*results, core]):
        expect(pages.nth(at)).to_contain_text(each["accession"])
    board.emulate_media(media="print")
    printed = board.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", printed)) == 4
    board.emulate_media(media="screen")
    answer = board.request.get(board.url.replace("/print", "/sheets.pdf"))
    assert answer.headers["content-type"] == "application/pdf"
    assert len(re.findall(rb"/Type\s*/Page\b", answer.body())) == 4


def test_a_meeting_goes_by_keyboard_alone(board: Page, results: list[dict[str, Any]]) -> None:
    a, b, c = (each["accession"] for each in results)

    def reach(name: str) -> None:
        """Press Tab until the element of this name has the focus, and see that it is not hidden."""
        for _ in range(150):
            board.keyboard.press("Tab")
            if board.evaluate(_NAME_OF_FOCUS) == name:
                expect(board.locator(":focus")).to_be_in_viewport()
                return
        raise AssertionError(f"{name} was not reached by Tab")

    board.goto(board.url.split("?")[0])
    reach("name")
    board.keyboard.press("Enter")
    assert cases(board) == [a, b, c], "Enter in a field does not press the first button"
    reach("Move case 1 down")
    board.keyboard.press("Enter")
    expect(board.locator(".case h3 a").first).to_have_text(b)
    reach(b)
    board.keyboard.press("Enter")
    board.wait_for_url(re.compile(r"/cases/[0-9a-f-]{36}$"))
    reach("decision")
    board.keyboard.type("Decided by keyboard.")
    reach("Record the outcome")
    board.keyboard.press("Enter")
    expect(board.locator(".outcome")).to_contain_text("Decided by keyboard.")


@pytest.mark.parametrize("part", ["", "/present?case=1", "/print", "/cases/{patient}"])
def test_every_page_of_a_meeting_is_accessible(board: Page, results: list[dict[str, Any]], part: str) -> None:
    base = board.url.split("?")[0].split("#")[0]
    board.goto(base + part.format(patient=results[0]["patient_id"]))
    accessible(board)
    reflows(board)
    big_enough(board)


def test_without_script_a_meeting_works(browser: Any, site: Server, results: list[dict[str, Any]]) -> None:
    context = browser.new_context(java_script_enabled=False, base_url=f"http://127.0.0.1:{site.port}")
    page = context.new_page()
    make(page, "Board without script")
    sign(page)
    add(page, results[0]["accession"])
    assert cases(page) == [results[0]["accession"]]
    page.get_by_role("link", name="Present").click()
    page.get_by_role("link", name="Leave").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Board without script")
    context.close()
