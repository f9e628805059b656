"""SMART App Launch in a real browser, between a real Herald and a simulated EHR."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from app.records import migrate, open_store
from tests.browser.conftest import accessible, big_enough, reflows
from tests.browser.ehr import CLIENT, Ehr, free_port, running
from tests.browser.ehr_patients import MRN
from tests.journeys.server import Server, serve

CASE = {"patient": {"system": MRN, "value": "MRN-mara"}, "laboratory": "North"}


class World(NamedTuple):
    """Herald; an EHR that it lists, one that may hold it in a frame as well, one that it does not list; its folder."""

    herald: Server
    ehr: Ehr
    framing: Ehr
    stranger: Ehr
    folder: Path


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder = tmp_path_factory.mktemp("smart")
    url = f"sqlite:///{folder}/herald.sqlite3"
    migrate(url)
    store = open_store(url)
    store.append_organisation("demo")
    store.close()
    ehr, framing, stranger = Ehr(free_port(), ""), Ehr(free_port(), "", secret="s3cret"), Ehr(free_port(), "")
    servers = folder / "servers.toml"
    servers.write_text(
        f"""
        [[server]]
        iss = "{ehr.iss}"
        title = "Simulated EHR"
        client_id = "{CLIENT}"
        [[server]]
        iss = "{framing.iss}"
        title = "Framing EHR"
        client_id = "{CLIENT}"
        client_secret = "s3cret"
        framed_by = "http://localhost:{framing.port}"
        """
    )
    told = {"organisation": "demo", "smart_servers": servers, "session_key": "k" * 40}
    with serve(url, folder, **told) as herald, running(ehr), running(framing), running(stranger):
        for each in (ehr, framing, stranger):
            each.herald = f"http://127.0.0.1:{herald.port}"
        yield World(herald, ehr, framing, stranger, folder)


@pytest.fixture
def herald(world: World) -> Server:
    return world.herald


@pytest.fixture
def ehr(world: World) -> Iterator[Ehr]:
    """The listed EHR; what a test changes of how it answers is taken back."""
    before = dict(vars(world.ehr))
    yield world.ehr
    vars(world.ehr).update({name: before[name] for name in ("wrong", "wrong_patient", "app_context", "name_patient")})


@pytest.fixture
def tabs(browser: Browser, world: World) -> Iterator[BrowserContext]:
    """A browser of which no request may leave for another host than Herald and the EHRs, and no policy is broken."""
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    ports = {world.herald.port, world.ehr.port, world.framing.port, world.stranger.port}
    foreign: list[str] = []
    errors: list[str] = []
    context.on("request", lambda sent: None if urlsplit(sent.url).port in ports else foreign.append(sent.url))
    context.on("weberror", lambda error: errors.append(str(error.error)))
    context.on("console", lambda told: errors.append(told.text) if "Policy" in told.text else None)
    yield context
    context.close()
    assert not foreign
    assert not errors


def launched(tabs: BrowserContext, ehr: Ehr, patient: str) -> Page:
    """A tab in which the EHR launched Herald for a patient and the user allowed it."""
    page = tabs.new_page()
    page.goto(f"{ehr.base}/launch/{patient}")
    answer(page, "Allow", ehr)
    return page


def answer(page: Page, button: str, ehr: Ehr) -> None:
    """Press a button of the EHR's authorization page and be back at Herald."""
    page.get_by_role("button", name=button).click()
    page.wait_for_url(f"{ehr.herald}/**")


def title(page: Page) -> str:
    return page.get_by_role("heading", level=1).inner_text()


def checked(page: Page) -> None:
    accessible(page)
    reflows(page)
    big_enough(page)


def test_an_ehr_launch_opens_the_case_page_with_what_the_ehr_holds(tabs: BrowserContext, ehr: Ehr) -> None:
    page = launched(tabs, ehr, "mara")
    assert title(page) == "HER2 from the EHR"
    told = page.get_by_role("main").inner_text()
    assert "Mara Testperson" in told and "1961-04-02" in told
    assert "nothing was stored" in told
    status = page.locator(".specimen .answer").inner_text()
    assert "negative" in status and "positive" not in status
    assert "Specimen S26-0412-A" in told
    checked(page)


def test_each_digit_of_the_ehr_is_kept(tabs: BrowserContext, ehr: Ehr) -> None:
    page = launched(tabs, ehr, "mara")
    told = page.locator(".specimen .values dd").all_inner_texts()
    assert told == ["2+", "1.80", "3.10", "1.72", "40"]


def test_nothing_of_the_ehr_is_stored_logged_or_put_into_an_address(
    tabs: BrowserContext, ehr: Ehr, world: World
) -> None:
    def stored() -> tuple[Any, Any, bytes]:
        files = b"".join(each.read_bytes() for each in world.folder.glob("herald.sqlite3*"))
        return *(world.herald.http.get(path).json()["items"] for path in ("/results", "/messages")), files

    results, messages, before = stored()
    page = launched(tabs, ehr, "mara")
    page.get_by_role("link", name="Read again").click()
    token = list(ehr.tokens)[-1]
    assert "mara" not in page.url.lower()
    assert token not in page.url
    assert stored()[:2] == (results, messages)
    kept = stored()[2]
    for secret in ("mara", "Testperson", "1961-04-02", token, "S26-0412-A", "Practitioner/p-17"):
        assert secret not in world.herald.log
        assert kept.count(secret.encode()) == before.count(secret.encode())


def test_only_encrypted_cookies_that_no_script_reads_hold_the_session(tabs: BrowserContext, ehr: Ehr) -> None:
    page = launched(tabs, ehr, "mara")
    mine = [each for each in tabs.cookies() if each["name"].startswith("herald_smart_")]
    assert len(mine) == 1, "the cookie of the way there is taken back"
    assert mine[0]["httpOnly"] and mine[0]["sameSite"] == "Lax"
    assert mine[0]["path"] == urlsplit(page.url).path
    assert list(ehr.tokens)[-1] not in mine[0]["value"]
    assert mine[0]["value"].count(".") == 4, "a JWE"
    assert page.evaluate("document.cookie") == ""


def test_standalone_a_patient_is_chosen_at_the_ehr(tabs: BrowserContext, ehr: Ehr) -> None:
    page = tabs.new_page()
    page.goto(f"{ehr.herald}/smart/start")
    checked(page)
    page.get_by_role("link", name="Sign in at Simulated EHR").click()
    page.get_by_label("Patient").select_option("ines")
    answer(page, "Allow", ehr)
    assert "Ines Sampleton" in page.get_by_role("main").inner_text()
    status = page.locator(".specimen .answer").inner_text()
    assert "positive" in status and "negative" not in status
    checked(page)


def test_each_specimen_has_its_own_answer_and_what_it_lacks(tabs: BrowserContext, ehr: Ehr) -> None:
    page = launched(tabs, ehr, "olga")
    one, two = page.locator(".specimen").all()
    assert "S25-1180-A" in one.inner_text() and "S26-0901-C" in two.inner_text()
    assert "negative" in one.locator(".answer").inner_text()
    assert "equivocal" in two.locator(".answer").inner_text()
    assert not one.get_by_role("heading", name="Next steps").count()
    assert two.get_by_role("heading", name="Next steps").count() == 1
    checked(page)


def test_a_patient_without_her2_is_not_called_negative(tabs: BrowserContext, ehr: Ehr) -> None:
    page = launched(tabs, ehr, "ruth")
    told = page.get_by_role("main").inner_text()
    assert "No HER2 result" in told
    assert "not a negative result" in told
    checked(page)


def test_who_denies_is_told_what_to_do(tabs: BrowserContext, ehr: Ehr) -> None:
    page = tabs.new_page()
    page.goto(f"{ehr.base}/launch/mara")
    answer(page, "Deny", ehr)
    assert title(page) == "Access was not given"
    assert "The user said no" not in page.content(), "free text of another server is not shown"
    checked(page)


def test_a_tampered_state_opens_nothing(tabs: BrowserContext, ehr: Ehr) -> None:
    page = tabs.new_page()
    page.goto(f"{ehr.base}/launch/mara")
    state = page.locator("input[name=state]")
    state.evaluate("each => { each.value = 'A'.repeat(32) }")
    answer(page, "Allow", ehr)
    assert title(page) == "This sign-in cannot be taken up"
    assert "POST /token" not in ehr.seen[-3:], "the code is not even sent"
    checked(page)


def test_a_code_cannot_be_used_by_another_browser(tabs: BrowserContext, ehr: Ehr, browser: Browser) -> None:
    page = tabs.new_page()
    page.route(f"{ehr.herald}/smart/callback*", lambda route: route.abort())
    page.goto(f"{ehr.base}/launch/mara")
    with page.expect_request(lambda sent: "/smart/callback" in sent.url) as sent:
        page.get_by_role("button", name="Allow").click(no_wait_after=True)
    other = browser.new_context()
    victim = other.new_page()
    victim.goto(sent.value.url)
    assert title(victim) == "This sign-in cannot be taken up"
    other.close()


def test_an_unlisted_server_is_never_contacted(tabs: BrowserContext, world: World) -> None:
    page = tabs.new_page()
    page.goto(f"{world.herald.http.base_url}/smart/launch?{urlencode({'iss': world.stranger.iss, 'launch': 'x'})}")
    assert title(page) == "This EHR is not known here"
    assert world.stranger.seen == []
    checked(page)


def test_when_the_access_has_run_out_the_page_says_so(tabs: BrowserContext, ehr: Ehr) -> None:
    page = launched(tabs, ehr, "mara")
    ehr.tokens = {token: (patient, 0) for token, (patient, _) in ehr.tokens.items()}
    page.reload()
    assert title(page) == "The EHR did not give the patient's data"
    checked(page)


def test_two_tabs_with_two_patients_keep_apart(tabs: BrowserContext, ehr: Ehr) -> None:
    mara = tabs.new_page()
    mara.goto(f"{ehr.base}/launch/mara")
    ines = launched(tabs, ehr, "ines")
    answer(mara, "Allow", ehr)
    for page in (mara, ines, mara):
        page.reload()
        mine, other = ("Mara", "Ines") if page is mara else ("Ines", "Mara")
        told = page.get_by_role("main").inner_text()
        assert mine in told and other not in told


def test_the_end_forgets_the_access_in_this_tab_only(tabs: BrowserContext, ehr: Ehr) -> None:
    mara, ines = launched(tabs, ehr, "mara"), launched(tabs, ehr, "ines")
    address = mara.url
    mara.get_by_role("button", name="End").click()
    mara.wait_for_url("**/end")
    assert title(mara) == "Ended"
    checked(mara)
    mara.goto(address)
    assert title(mara) == "No record is open in this tab"
    checked(mara)
    ines.reload()
    assert title(ines) == "HER2 from the EHR"


def test_a_server_that_names_no_patient_opens_nothing(tabs: BrowserContext, ehr: Ehr) -> None:
    ehr.name_patient = False
    page = launched(tabs, ehr, "mara")
    assert title(page) == "No patient is open"
    checked(page)


def test_data_of_another_patient_are_not_shown(tabs: BrowserContext, ehr: Ehr) -> None:
    ehr.wrong_patient = "ines"
    page = launched(tabs, ehr, "mara")
    assert title(page) == "The EHR gave another patient's data"
    assert "Mara" not in page.content()


@pytest.mark.parametrize("wrong", [{"nonce": "another"}, {"aud": "another"}, {"iss": "https://another.example"}])
def test_a_user_who_is_not_proved_opens_nothing(tabs: BrowserContext, ehr: Ehr, wrong: dict[str, str]) -> None:
    ehr.wrong = wrong
    page = launched(tabs, ehr, "mara")
    assert title(page) == "Who signed in cannot be proved"


def test_the_record_stands_beside_the_ehr_and_says_where_they_differ(
    tabs: BrowserContext, ehr: Ehr, herald: Server
) -> None:
    stored = herald.http.post("/results", json={**CASE, "ihc": {"score": "3+"}}).json()
    ehr.app_context = json.dumps({"topic": "status", "result": stored["id"]})
    page = launched(tabs, ehr, "mara")
    told = page.get_by_role("main").inner_text()
    assert "On record: positive, final. By the EHR's values: negative, final." in told
    assert "Opened from a card" in told
    link = page.get_by_role("link", name="Open the case in Herald")
    assert link.get_attribute("href") == f"/browser/patients/{stored['patient_id']}"
    checked(page)
    other = launched(tabs, ehr, "ines")
    assert "not on record under this patient's identifiers" in other.get_by_role("main").inner_text()


def test_in_a_frame_of_an_ehr_that_may_hold_it_the_session_is_that_frames_own(
    tabs: BrowserContext, world: World
) -> None:
    page = tabs.new_page()
    # The browser takes localhost and 127.0.0.1 for two sites, as an EHR and Herald are.
    page.goto(f"http://localhost:{world.framing.port}/frame/mara")
    frame = page.frame_locator("iframe")
    frame.get_by_role("button", name="Allow").click()
    frame.get_by_role("heading", name="HER2 from the EHR").wait_for()
    frame.get_by_role("link", name="Read again").click()
    assert "Mara Testperson" in frame.get_by_role("main").inner_text()
    frame.get_by_role("button", name="End").click()
    frame.get_by_role("heading", name="Ended").wait_for()


def test_no_other_page_may_hold_ours_in_a_frame(world: World) -> None:
    policy = world.herald.http.get("/smart/start").headers["content-security-policy"]
    assert policy.endswith(f"frame-ancestors http://localhost:{world.framing.port}")
    assert "unsafe" not in policy and "*" not in policy
