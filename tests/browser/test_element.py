"""<her2-card> on a page of another origin: what it asks, what it shows, and when it shows no status."""

from __future__ import annotations

import contextlib

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.host import STATUSES, Host, card, newest, shows, shows_no_status
from tests.journeys.server import Server


@pytest.fixture
def page(hosted: Page) -> Page:
    return hosted


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
    shows(page, f"HER2 {answer['status']}")
    expect(card(page).locator("h2")).to_contain_text("final" if answer["final"] else "not final")
    shown = card(page).inner_text()
    assert answer["summary"] in shown
    assert answer["edition"]["version"] in shown
    assert answer["evidence"]["version"] in shown
    for code in (*answer["next_steps"], *answer["flags"]):
        assert answer["texts"][code] in shown
    card(page).locator("summary").click()
    shown = card(page).inner_text()
    for each in answer["considerations"]["considerations"]:
        assert each["title"] in shown
        for statement in (*each["for"], *each["against"]):
            assert statement["summary"] in shown


def test_a_stored_result_is_shown_with_its_version_and_a_link_to_its_case(
    page: Page, host: Host, herald: Server
) -> None:
    result = newest(herald)
    page.goto(host.holds(f'<her2-card result="{result["id"]}"></her2-card>'))
    shows(page, f"HER2 {result['classification']['status']}")
    shown = card(page).inner_text()
    assert f"result version {result['version']}" in shown
    assert ("signed" if result["signed"] else result["confirmation"]) in shown.lower()
    link = card(page).locator("a")
    assert link.get_attribute("href") == f"{host.herald}/browser/patients/{result['patient_id']}"
    assert link.get_attribute("target") == "_blank" and "noopener" in (link.get_attribute("rel") or "")


def test_a_case_is_sent_with_every_digit(page: Page, host: Host) -> None:
    page.goto(host.holds("<her2-card></her2-card>"))
    with page.expect_request("**/her2/classify") as asked:
        page.evaluate("""document.querySelector("her2-card").case = '{"ihc": "2+", "ratio": 1.80, "copies": 3.50}'""")
    assert asked.value.method == "POST"
    assert asked.value.post_data == '{"ihc": "2+", "ratio": 1.80, "copies": 3.50}'
    shows(page, "HER2 negative")


def test_a_case_set_before_the_script_came_is_taken(page: Page, host: Host) -> None:
    script = 'document.querySelector("her2-card").case = {ihc: "3+"};'
    page.goto(host.holds("<her2-card></her2-card>", script=script))
    shows(page, "HER2 positive")


def test_a_change_takes_the_old_status_away_at_once_and_asks_once(page: Page, host: Host) -> None:
    page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    shows(page, "HER2 positive")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    between = page.evaluate(
        """() => {
          const card = document.querySelector("her2-card");
          for (const score of ["2+", "1+", "0"]) card.setAttribute("ihc", score);
          return card.shadowRoot.textContent;
        }"""
    )
    assert not [each for each in STATUSES if f"HER2 {each}" in between]
    assert "No status is shown until it answers" in between
    shows(page, "HER2 negative")
    assert [url.partition("?")[2] for url in asked] == ["ihc=0"]


def test_the_answer_to_the_last_question_stays(page: Page, host: Host) -> None:
    held: list[Route] = []
    page.route("**/her2/classify?ihc=3*", lambda route: held.append(route))
    with page.expect_request("**/her2/classify?ihc=3*"):
        page.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    page.evaluate('document.querySelector("her2-card").setAttribute("ihc", "1+")')
    shows(page, "HER2 negative")
    with contextlib.suppress(Exception):  # the browser may have given the first one up
        held[0].continue_()
    page.evaluate("new Promise((done) => setTimeout(done, 300))")
    shows(page, "HER2 negative")


def test_a_token_is_asked_for_each_time_and_sent(page: Page, host: Host) -> None:
    script = "let many = 0; window.heraldToken = async () => `token-${++many}`;"
    address = host.holds('<her2-card ihc="3+" token-callback="heraldToken"></her2-card>', script=script)
    with page.expect_request(lambda request: "/her2/classify" in request.url) as first:
        page.goto(address)
    assert first.value.all_headers()["authorization"] == "Bearer token-1"
    shows(page, "HER2 positive")
    with page.expect_request(lambda request: "/her2/classify" in request.url) as second:
        page.evaluate('document.querySelector("her2-card").setAttribute("ihc", "0")')
    assert second.value.all_headers()["authorization"] == "Bearer token-2"
    shows(page, "HER2 negative")


@pytest.mark.parametrize("script", ["", 'window.heraldToken = () => Promise.reject(new Error("no"));'])
def test_without_its_token_herald_is_not_asked(page: Page, host: Host, script: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(host.holds('<her2-card ihc="3+" token-callback="heraldToken"></her2-card>', script=script))
    shows_no_status(page, "The token of this page could not be had")
    assert not [url for url in asked if "classify" in url]


def test_no_page_address_and_no_cookie_goes_to_herald(page: Page, host: Host) -> None:
    with page.expect_request(lambda request: "/her2/classify" in request.url) as asked:
        page.goto(host.holds('<her2-card ihc="3+"></her2-card>') + "?patient=P-1")
    sent = asked.value.all_headers()
    assert "referer" not in sent and "cookie" not in sent
    shows(page, "HER2 positive")


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
    shows_no_status(page, why)


def test_an_origin_that_herald_does_not_know_is_told_so(troubled: Page, hosts: tuple[Host, Host, Server]) -> None:
    stranger = hosts[1]
    troubled.goto(stranger.holds('<her2-card ihc="3+"></her2-card>'))
    shows_no_status(troubled, "Herald does not allow the origin of this page")


def test_problems_are_told_by_field_with_what_to_send(troubled: Page, host: Host) -> None:
    script = """window.told = [];
      for (const name of ["her2-answer", "her2-error"])
        document.addEventListener(name, (event) => window.told.push([name, event.detail.kind, event.detail.status]));"""
    troubled.goto(host.holds('<her2-card ihc="positive" copies="many"></her2-card>', script=script))
    shows_no_status(troubled, "Herald cannot classify what was sent")
    lines = card(troubled).locator("li")
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text("ihc: ")
    expect(lines.first).to_contain_text("Send instead: ")
    assert troubled.evaluate("window.told") == [["her2-error", "invalid", 422]]


def test_a_result_that_is_not_there_is_told_so(troubled: Page, host: Host) -> None:
    troubled.goto(host.holds('<her2-card result="none"></her2-card>'))
    shows_no_status(troubled, "Herald has no such result")


def test_without_network_no_status_stands_and_asking_again_brings_it(troubled: Page, host: Host) -> None:
    troubled.route("**/her2/classify?*", lambda route: route.abort())
    troubled.goto(host.holds('<her2-card ihc="3+"></her2-card>'))
    shows_no_status(troubled, "Herald could not be reached")
    troubled.unroute("**/her2/classify?*")
    troubled.keyboard.press("Tab")
    assert troubled.evaluate("document.activeElement.shadowRoot.activeElement.tagName") == "BUTTON"
    troubled.keyboard.press("Enter")
    shows(troubled, "HER2 positive")
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
    shows_no_status(troubled, why)


def test_another_result_than_the_one_asked_for_is_not_shown(troubled: Page, host: Host, herald: Server) -> None:
    other = newest(herald)
    troubled.route(
        "**/results/mine",
        lambda route: route.fulfill(json=other, headers={"Access-Control-Allow-Origin": host.origin}),
    )
    troubled.goto(host.holds('<her2-card result="mine"></her2-card>'))
    shows_no_status(troubled, "not an answer of Herald")


def test_a_stored_result_is_asked_for_again_when_the_reader_comes_back(page: Page, host: Host, herald: Server) -> None:
    result = newest(herald)
    page.goto(host.holds(f'<her2-card result="{result["id"]}"></her2-card>'))
    shows(page, "HER2")
    with page.expect_response(f"**/results/{result['id']}"):
        page.evaluate('document.dispatchEvent(new Event("visibilitychange"))')
    shows(page, "HER2")
