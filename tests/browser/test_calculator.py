"""The calculator at /, driven as people drive it: by keyboard, by link, without script, on a bad network."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Browser, Page, Response, Route, expect

from tests.browser.conftest import accessible, big_enough, reflows
from tests.journeys.server import Server

NEAR = "ihc=2%2B&ratio=1.90&copies=4.5&cells=40"
FINAL = "ihc=2%2B&ratio=2.6&copies=6.4&cells=40"
CONTRADICTORY = "ihc=2%2B&ratio=2.1&copies=4.0&cep17=3.0&cells=40"
UNREAD = "ihc=2%2B&ratio=abc&copies=4.5"
INTERVAL = "ihc=2%2B&ratio=%3E1.8&copies=4.5&cells=40"
TWO = "ihc=2%2B&ratio=1.5&copies=5.0&cells=40&beside=asco-cap-2013"
LOW = "ihc=2%2B&ratio=1.2&copies=2.4&cells=40&er=positive&setting=metastatic"


@pytest.fixture
def plain(browser: Browser, site: Server) -> Iterator[Page]:
    """A browser without JavaScript."""
    context = browser.new_context(base_url=f"http://127.0.0.1:{site.port}", java_script_enabled=False)
    yield context.new_page()
    context.close()


def enter(page: Page, **values: str) -> None:
    for name, value in values.items():
        field = page.locator(f"[name={name}]")
        if field.evaluate("each => each.tagName") == "SELECT":
            field.select_option(value)
        else:
            field.press_sequentially(value)


def asked(page: Page) -> dict[str, list[str]]:
    return parse_qs(urlsplit(page.url).query)


def test_typing_gives_the_answer_and_the_words_are_those_of_the_api(page: Page) -> None:
    page.goto("/")
    expect(page.locator(".empty")).to_be_visible()
    enter(page, ihc="2+", ratio="1.90", copies="4.5", cells="40")
    expect(page.locator(".verdict-status")).to_have_text("HER2 pending")
    answer: dict[str, Any] = page.request.get(f"/her2/classify?{NEAR}").json()
    expect(page.locator(".verdict")).to_contain_text(answer["summary"])
    expect(page.locator(".verdict-finality")).to_contain_text("Not final")
    region = page.locator("#region")
    for text in answer["texts"].values():
        expect(region).to_contain_text(text)
    expect(region).to_contain_text("0.10 below 2.0")
    expect(region).to_contain_text(answer["edition"]["version"])


def test_the_focus_stays_where_one_types_and_the_answer_is_said_once_in_a_line(page: Page) -> None:
    page.goto("/")
    enter(page, ihc="2+", ratio="1.90", copies="4.5")
    told = page.locator("#told")
    expect(told).to_contain_text("Not final: HER2 pending, ISH group 4")
    expect(page.locator("[name=copies]")).to_be_focused()
    assert told.get_attribute("role") == "status" and told.get_attribute("aria-live") == "polite"
    assert page.locator("#region").get_attribute("aria-live") is None
    page.evaluate(
        "() => { window.said = 0; new MutationObserver(() => window.said++).observe("
        "document.getElementById('told'), {childList: true, characterData: true, subtree: true}); }"
    )
    with page.expect_response(lambda each: "calculator/answer" in each.url):
        enter(page, er="positive")
    expect(page.locator("#region")).not_to_have_attribute("aria-busy", "true")
    assert page.evaluate("window.said") == 0


def test_the_address_bar_holds_a_link_that_reproduces_the_answer(page: Page) -> None:
    page.goto("/")
    enter(page, ihc="2+", ratio="1.90", copies="4.5", cells="40")
    expect(page.locator("#region")).to_contain_text("ISH group 4")
    page.wait_for_url("**/?*cells=40*")
    assert asked(page) == {
        "ihc": ["2+"], "ratio": ["1.90"], "copies": ["4.5"], "cells": ["40"], "edition": ["asco-cap-2018"],
    }  # fmt: skip
    shown = page.locator("#region").inner_text()
    page.goto(page.url)
    assert page.locator("#region").inner_text() == shown
    assert page.locator("[name=ratio]").input_value() == "1.90"


def test_what_cannot_be_read_is_told_at_its_field_and_stays_out_of_the_address(page: Page) -> None:
    page.goto("/")
    enter(page, ihc="2+", ratio="Smith", copies="4.5")
    problem = page.locator("#problem-ratio")
    expect(problem).to_contain_text("is not a plain decimal or interval")
    ratio = page.locator("[name=ratio]")
    expect(ratio).to_have_attribute("aria-invalid", "true")
    assert ratio.get_attribute("aria-describedby") == "problem-ratio"
    page.wait_for_url("**/?*copies=4.5*")
    assert "Smith" not in page.url and "Smith" not in page.locator("#region").inner_text()
    ratio.fill("1.9")
    expect(problem).to_be_hidden()
    expect(ratio).not_to_have_attribute("aria-invalid", "true")


def test_an_example_is_one_click_away(page: Page) -> None:
    page.goto("/")
    examples = page.locator(".examples a")
    assert 6 <= examples.count() <= 10
    for number in range(examples.count()):
        page.locator(".examples a").nth(number).click()
        expect(page.locator(".verdict").first).to_be_visible()
    page.get_by_role("link", name="Interval: ratio >1.8").click()
    assert page.locator("[name=ratio]").input_value() == ">1.8"
    expect(page.locator(".world")).to_have_count(2)


def test_two_editions_stand_side_by_side_and_say_in_words_what_differs(page: Page) -> None:
    page.goto(f"/?{TWO}")
    expect(page.locator(".verdict-status")).to_have_text(["HER2 pending", "HER2 equivocal"])
    row = page.locator(".compared tr", has=page.get_by_role("rowheader", name="status"))
    expect(row).to_contain_text("different")
    expect(page.locator(".compared tr", has=page.get_by_role("rowheader", name="final"))).to_contain_text("same")
    one, other = (page.locator(".editions > section").nth(number).bounding_box() for number in (0, 1))
    assert one and other and one["y"] == other["y"] and one["x"] < other["x"]
    page.locator("[name=beside]").select_option("")
    expect(page.locator(".verdict-status")).to_have_count(1)
    page.wait_for_url(lambda url: "beside" not in url)


def test_the_same_by_api_is_a_url_that_answers_the_same(page: Page) -> None:
    page.goto(f"/?{NEAR}")
    curl = page.locator("pre", has_text="curl").inner_text()
    address = curl.removeprefix("curl -s '").removesuffix("'")
    assert page.request.get(address).json() == page.request.get(f"/her2/classify?{NEAR}").json()
    opened = page.get_by_role("link", name="Open the JSON").get_attribute("href")
    assert opened and page.request.get(opened).json() == page.request.get(address).json()


def test_the_call_is_copied_by_a_button(page: Page) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.goto(f"/?{NEAR}")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#told")).to_have_text("Copied.")
    assert page.evaluate("navigator.clipboard.readText()").startswith("curl -s")


def test_where_there_is_no_clipboard_the_call_is_selected_and_that_is_said(page: Page) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.goto(f"/?{NEAR}")
    page.get_by_role("button", name="Copy").click()
    expect(page.locator("#told")).to_contain_text("Selected; copy it")
    assert page.evaluate("getSelection().toString()").startswith("curl -s")


def test_by_keyboard_alone_a_case_is_entered_and_its_answer_read(page: Page) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    expect(page.locator(".skip")).to_be_focused()
    page.keyboard.press("Enter")

    def tab_to(name: str) -> None:
        for _ in range(40):
            page.keyboard.press("Tab")
            if page.evaluate("document.activeElement.name") == name:
                return
        raise AssertionError(f"{name} is not reached by the keyboard")

    tab_to("ihc")
    page.keyboard.type("2")
    tab_to("ratio")
    page.keyboard.type("2.6")
    tab_to("copies")
    page.keyboard.type("6.4")
    expect(page.locator(".verdict-status")).to_have_text("HER2 positive")
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.getElementById('region').contains(document.activeElement)"):
            break
    box = page.evaluate(
        "(() => { const b = document.activeElement.getBoundingClientRect(); return [b.top, b.bottom]; })()"
    )
    assert 0 <= box[0] < box[1] <= 900
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_without_javascript_the_form_answers_by_its_button(plain: Page) -> None:
    plain.goto("/")
    plain.locator("[name=ihc]").select_option("2+")
    plain.locator("[name=ratio]").fill("1.90")
    plain.locator("[name=copies]").fill("4.5")
    plain.get_by_role("button", name="Show the answer").click()
    expect(plain.locator(".verdict-status")).to_have_text("HER2 pending")
    assert plain.locator("[name=ratio]").input_value() == "1.90"
    assert plain.get_by_role("button", name="Copy").count() == 0
    plain.goto(f"/?{UNREAD}")
    expect(plain.locator("#problem-ratio")).to_be_visible()


@pytest.mark.parametrize("query", ["", NEAR, FINAL, CONTRADICTORY, UNREAD, INTERVAL, TWO, LOW])
def test_the_calculator_is_accessible_whatever_it_answers(page: Page, query: str) -> None:
    page.goto(f"/?{query}")
    accessible(page)
    reflows(page)
    big_enough(page)


def test_a_slow_network_is_told_in_words_and_no_old_answer_stands_beside_a_new_entry(page: Page) -> None:
    page.goto(f"/?{FINAL}")

    def late(route: Route) -> None:
        time.sleep(2)
        route.continue_()

    page.route("**/calculator/answer*", late)
    page.locator("[name=ratio]").fill("1.5")
    expect(page.locator("#region")).to_contain_text("is not here yet")
    expect(page.locator(".verdict")).to_have_count(0)
    expect(page.locator(".verdict-status")).to_have_text("HER2 pending")  # group 3 asks for a second count


def test_the_last_entry_wins_over_an_answer_that_comes_late(page: Page) -> None:
    page.goto("/")

    def by_value(route: Route) -> None:
        if "ratio" not in route.request.url:
            time.sleep(1)
        route.continue_()

    page.route("**/calculator/answer*", by_value)
    enter(page, ihc="3+")
    page.wait_for_timeout(300)
    page.locator("[name=ratio]").fill("1.2")
    page.locator("[name=copies]").fill("2.4")
    expect(page.locator(".verdict")).to_contain_text("ISH group 5")
    page.wait_for_timeout(1200)
    expect(page.locator(".verdict")).to_contain_text("ISH group 5")


def test_a_failing_network_is_told_in_words_and_asked_again_by_a_button(browser: Browser, site: Server) -> None:
    context = browser.new_context(base_url=f"http://127.0.0.1:{site.port}")
    page = context.new_page()
    page.goto(f"/?{FINAL}")
    page.route("**/calculator/answer*", lambda route: route.abort())
    page.locator("[name=ratio]").fill("1.5")
    expect(page.locator("#region")).to_contain_text("could not be reached")
    expect(page.locator(".verdict")).to_have_count(0)
    expect(page.locator("#told")).to_contain_text("could not be reached")
    page.unroute("**/calculator/answer*")
    page.route("**/calculator/answer*", lambda route: route.fulfill(status=503, body="busy"))
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator("#region")).to_contain_text("answered 503")
    page.unroute("**/calculator/answer*")
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".verdict-status")).to_have_text("HER2 pending")
    context.close()


@pytest.mark.parametrize("query", ["", LOW, TWO])
def test_the_page_weighs_less_than_150_kb_in_all(page: Page, query: str) -> None:
    responses: list[Response] = []
    page.on("response", lambda response: responses.append(response))
    page.goto(f"/?{query}", wait_until="networkidle")
    sizes = [len(each.body()) for each in responses]
    assert len(sizes) >= 5
    assert sum(sizes) < 150_000, sizes


def test_identifiers_are_refused_and_repeated_nowhere(page: Page) -> None:
    answer = page.request.get("/?ihc=3%2B&accession=S26-4711&patient=Smith")
    assert answer.status == 200
    assert "S26-4711" not in answer.text() and "Smith" not in answer.text()
    assert "there is no such parameter" in answer.text()


def test_the_calculator_is_a_page_and_no_part_of_the_contract(page: Page) -> None:
    answer = page.request.get("/")
    assert answer.headers["content-type"].startswith("text/html")
    assert "'unsafe" not in answer.headers["content-security-policy"]
    paths = page.request.get("/openapi.json").json()["paths"]
    assert not {"/", "/calculator/answer"} & paths.keys()
