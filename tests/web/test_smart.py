"""The pages and cookies of a launch, and the file of servers, without a browser."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from pydantic import ValidationError

from app.settings import Settings
from app.web.smart.cookies import Cookies
from app.web.smart.oauth import OAuth
from app.web.smart.servers import Servers
from app.web.smart.trouble import Trouble
from tests.fixtures_service import Service, Start

ISS, SECRET = "https://ehr.example/fhir", "correct horse battery staple, and more"
ENTRY = f'[[server]]\niss = "{ISS}"\ntitle = "EHR"\nclient_id = "herald"\nscopes = "launch patient/Observation.rs"\n'
PATIENT = {
    "resourceType": "Patient", "id": "p1", "birthDate": "1960-01-02", "name": [{"family": "Testperson", "given": ["A"]}]
}  # fmt: skip


def listed(tmp_path: Path, text: str) -> Servers:
    file = tmp_path / "servers.toml"
    file.write_text(text)
    return Servers(file)


# ---- the file of servers


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (ENTRY.replace("https:", "http:"), "https"),
        (ENTRY.replace("/fhir", "/fhir/"), "slash"),
        (ENTRY.replace("/fhir", "/fhir?x=1"), "query"),
        (ENTRY + 'client_secret = "hush"\nprivate_key = "k.pem"\n', "one of them"),
        (ENTRY + 'private_key = "k.pem"\n', "k.pem"),
        (ENTRY + 'secret = "hush"\n', "secret"),
        (ENTRY + ENTRY, "one \\[\\[server\\]\\]"),
        ("", "one \\[\\[server\\]\\]"),
        ("not toml", "servers.toml"),
    ],
)
def test_a_file_that_does_not_hold_is_told_at_the_start_without_its_secrets(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(ValueError, match=told) as error:
        listed(tmp_path, text)
    assert "HERALD_SMART_SERVERS" in str(error.value)
    assert "hush" not in str(error.value)


def test_loopback_may_be_http_and_a_slash_at_the_end_names_the_same_server(tmp_path: Path) -> None:
    servers = listed(tmp_path, ENTRY.replace("https://ehr.example", "http://127.0.0.1:9000"))
    assert servers.find("http://127.0.0.1:9000/fhir/") is servers.all[0]
    for other in ("http://127.0.0.1:9000/FHIR", "http://127.0.0.1:9001/fhir", "http://127.0.0.1:9000/fhir/x", ""):
        assert servers.find(other) is None


@pytest.mark.parametrize("key", [None, "short"])
def test_without_a_session_key_that_is_long_enough_nothing_starts(tmp_path: Path, key: str | None) -> None:
    with pytest.raises(ValidationError, match="HERALD_SESSION_KEY"):
        Settings(smart_servers=tmp_path / "servers.toml", session_key=key)


# ---- cookies


def test_a_cookie_opens_with_its_name_and_its_key_only() -> None:
    cookies = Cookies(SECRET)
    sealed = cookies.seal("a", {"token": "t0ken"}, 60)
    assert cookies.open("a", sealed)["token"] == "t0ken"
    assert Cookies(SECRET).open("a", sealed)["token"] == "t0ken", "another worker opens it as well"
    changed = [sealed[:at] + ("A" if sealed[at] != "A" else "B") + sealed[at + 1 :] for at in range(0, len(sealed), 7)]
    for name, told, opener in [
        ("b", sealed, cookies), ("a", sealed, Cookies(SECRET + "x")), ("a", cookies.seal("a", {}, -1), cookies),
        ("a", "", cookies), ("a", "a.b.c.d.e", cookies), *(("a", each, cookies) for each in changed),
    ]:  # fmt: skip
        with pytest.raises(Trouble):
            opener.open(name, told)


# ---- the routes


class Ehr:
    """Stands for the reading of the EHR: gives what a test tells it."""

    def __init__(self, given: dict[str, Any]) -> None:
        self.given, self.asked = given, []  # type: ignore[var-annotated]

    async def read(self, access: Any, urls: dict[str, str], *, seconds: float | None = None) -> dict[str, Any]:
        self.asked.append((access.server, urls))
        return self.given


def _answer(request: httpx.Request) -> httpx.Response:
    if request.url.path.endswith("smart-configuration"):
        told: dict[str, Any] = {
            "authorization_endpoint": "https://ehr.example/authorize", "token_endpoint": "https://ehr.example/token",
            "code_challenge_methods_supported": ["S256"],
        }  # fmt: skip
        return httpx.Response(200, json=told)
    return httpx.Response(200, json={"access_token": "t0ken", "token_type": "bearer", "patient": "p1"})


@pytest.fixture
def herald(start: Start, shared_urls: Any, tmp_path: Path) -> Service:
    """Herald at an https address, with one listed server that answers well."""
    file = tmp_path / "servers.toml"
    file.write_text(ENTRY)
    told = {"smart_servers": file, "session_key": SECRET, "base_url": "https://herald.example"}
    service = start(shared_urls("sqlite"), **told)
    smart = service.app.state.smart
    smart.oauth = OAuth(smart.servers, transport=httpx.MockTransport(_answer))
    service.app.state.ehr = Ehr({"patient": PATIENT, "observations": searchset(), "conditions": searchset()})
    return service


def searchset(*resources: Any, **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": each} for each in resources], **more}


def cookie_of(answer: httpx.Response) -> tuple[str, str, str]:
    """The first cookie that an answer sets: name, value, attributes."""
    told = re.fullmatch(r"([^=]+)=([^;]*); (.*)", answer.headers.get_list("set-cookie")[0])
    assert told
    return told[1], told[2], told[3]


def begun(herald: Service) -> tuple[str, dict[str, str]]:
    """A launch on its way: its state, and the cookie that the browser keeps."""
    answer = herald.get(f"/smart/launch?iss={ISS}&launch=x")
    assert answer.status_code == 303
    name, value, _ = cookie_of(answer)
    return parse_qs(urlsplit(answer.headers["location"]).query)["state"][0], {"Cookie": f"{name}={value}"}


def opened(herald: Service) -> tuple[str, dict[str, str]]:
    """An open case page: its path, and the cookie that the browser keeps."""
    state, sent = begun(herald)
    answer = herald.get(f"/smart/callback?state={state}&code=c", headers=sent)
    assert answer.status_code == 303, answer.text
    name, value, _ = cookie_of(answer)
    return answer.headers["location"], {"Cookie": f"{name}={value}"}


def test_the_cookie_of_the_way_there_is_short_lived_and_goes_to_the_way_back_only(herald: Service) -> None:
    answer = herald.get(f"/smart/launch?iss={ISS}&launch=x")
    name, _, attributes = cookie_of(answer)
    assert attributes == "Max-Age=600; Path=/smart/callback; HttpOnly; SameSite=Lax; Secure"
    state = parse_qs(urlsplit(answer.headers["location"]).query)["state"][0]
    assert name == f"herald_smart_{state}"


def test_the_cookie_of_the_session_goes_to_its_own_case_page_only(herald: Service) -> None:
    state, sent = begun(herald)
    answer = herald.get(f"/smart/callback?state={state}&code=c", headers=sent)
    (_, _, attributes), path = cookie_of(answer), answer.headers["location"]
    assert attributes == f"Max-Age=3600; Path={path}; HttpOnly; SameSite=Lax; Secure"
    assert answer.headers.get_list("set-cookie")[1].startswith(f"herald_smart_{state}=; Max-Age=0")
    assert "t0ken" not in json.dumps(dict(answer.headers)) and "p1" not in path


def test_a_state_without_its_cookie_or_with_a_changed_one_opens_nothing(herald: Service) -> None:
    state, sent = begun(herald)
    other, _ = begun(herald)
    changed = {"Cookie": sent["Cookie"][:-1] + ("A" if sent["Cookie"][-1] != "A" else "B")}
    moved = {"Cookie": sent["Cookie"].replace(state, other)}
    for asked, headers in [(state, {}), (other, sent), (state, changed), (other, moved), ("", sent), ("<b>", sent)]:
        answer = herald.get(f"/smart/callback?state={asked}&code=c", headers=headers)
        assert (answer.status_code, "cannot be taken up" in answer.text) == (400, True), asked
        assert "set-cookie" not in answer.headers


def test_a_changed_session_cookie_opens_nothing(herald: Service) -> None:
    path, sent = opened(herald)
    assert herald.get(path, headers=sent).status_code == 200
    value = sent["Cookie"]
    for changed in ("", value[:-1] + ("A" if value[-1] != "A" else "B"), value[:60] + "x" + value[61:]):
        answer = herald.get(path, headers={"Cookie": changed})
        assert (answer.status_code, "No record is open" in answer.text) == (400, True)


def test_a_server_that_is_taken_off_the_list_ends_its_sessions(herald: Service, tmp_path: Path) -> None:
    path, sent = opened(herald)
    (tmp_path / "servers.toml").write_text(ENTRY.replace("ehr.example", "other.example"))
    herald.app.state.smart.servers = Servers(tmp_path / "servers.toml")
    assert herald.get(path, headers=sent).status_code == 403


def test_another_site_cannot_end_a_session(herald: Service) -> None:
    path, sent = opened(herald)
    answer = herald.request("POST", f"{path}/end", headers=sent | {"Sec-Fetch-Site": "cross-site"})
    assert "set-cookie" not in answer.headers
    assert herald.request("POST", f"{path}/end", headers=sent).headers["set-cookie"].endswith("Secure")


def test_a_token_that_no_browser_keeps_is_told(herald: Service) -> None:
    def large(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/token":
            noise = "".join(f"{each * 2654435761 % 4294967296:08x}" for each in range(900))
            return httpx.Response(200, json={"access_token": noise, "token_type": "Bearer", "patient": "p1"})
        return _answer(request)

    herald.app.state.smart.oauth = OAuth(herald.app.state.smart.servers, transport=httpx.MockTransport(large))
    state, sent = begun(herald)
    answer = herald.get(f"/smart/callback?state={state}&code=c", headers=sent)
    assert (answer.status_code, "token is too large" in answer.text) == (502, True)


def test_free_text_of_an_error_is_not_shown_and_its_code_is(herald: Service) -> None:
    state, sent = begun(herald)
    query = f"state={state}&error=invalid_scope&error_description=Mrs+Muster"
    answer = herald.get(f"/smart/callback?{query}", headers=sent)
    assert "invalid_scope" in answer.text and "Muster" not in answer.text


def test_over_plain_http_nothing_is_begun(start: Start, shared_urls: Any, tmp_path: Path) -> None:
    file = tmp_path / "servers.toml"
    file.write_text(ENTRY)
    service = start(shared_urls("sqlite"), smart_servers=file, session_key=SECRET)
    answer = service.get(f"/smart/launch?iss={ISS}&launch=x")
    assert (answer.status_code, "Not over https" in answer.text) == (400, True)


def test_without_servers_the_pages_say_so(stateless: Service) -> None:
    for path in ("/smart/start", "/smart/launch?iss=x&launch=y", "/smart/callback?state=x", "/smart/case/x"):
        answer = stateless.get(path)
        assert "No EHR is set up" in answer.text
        assert answer.status_code == (200 if path == "/smart/start" else 404)
    assert stateless.get("/smart/jwks.json").json() == {"keys": []}


# ---- the case page


def observation(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation", "id": "o1", "status": "final", "subject": {"reference": "Patient/p1"},
        "code": {"coding": [{"system": "http://loinc.org", "code": "85319-2"}]}, "valueString": "3+", **more,
    }  # fmt: skip


def test_the_open_patients_resources_are_asked_for_and_no_others(herald: Service) -> None:
    path, sent = opened(herald)
    herald.get(path, headers=sent)
    urls = {"patient": "Patient/p1", "observations": "Observation?patient=p1", "conditions": "Condition?patient=p1"}
    assert herald.app.state.ehr.asked == [(ISS, urls)]


def test_a_list_that_goes_on_is_said_to_be_incomplete(herald: Service) -> None:
    path, sent = opened(herald)
    link = [{"relation": "next", "url": f"{ISS}?page=2"}]
    herald.app.state.ehr.given["observations"] = searchset(observation(), link=link)
    assert "A result may be missing" in herald.get(path, headers=sent).text


def test_a_result_that_is_not_final_in_the_ehr_is_said_to_be_awaited(herald: Service) -> None:
    path, sent = opened(herald)
    herald.app.state.ehr.given["observations"] = searchset(observation(status="preliminary"))
    assert "not final there" in herald.get(path, headers=sent).text


@pytest.mark.parametrize(
    "identity", [(ISS, "p1"), (f"urn:fhir:{ISS}", "Patient/p1"), ("urn:fhir", f"{ISS}/Patient/p1")]
)
def test_what_a_card_finds_on_record_the_page_finds_too(herald: Service, identity: tuple[str, str]) -> None:
    herald.report({"ihc": "3+"}, patient={"system": identity[0], "value": identity[1]})
    path, sent = opened(herald)
    assert "/browser/patients/" in herald.get(path, headers=sent).text


def test_conditions_that_are_not_given_are_told(herald: Service) -> None:
    path, sent = opened(herald)
    del herald.app.state.ehr.given["conditions"]
    answer = herald.get(path, headers=sent)
    assert (answer.status_code, "did not give the patient&#39;s Conditions" in answer.text) == (200, True)


@pytest.mark.parametrize("missing", ["patient", "observations"])
def test_without_the_patient_or_the_observations_there_is_no_case_page(herald: Service, missing: str) -> None:
    path, sent = opened(herald)
    del herald.app.state.ehr.given[missing]
    answer = herald.get(path, headers=sent)
    assert (answer.status_code, "did not give the patient&#39;s data" in answer.text) == (502, True)


@pytest.mark.parametrize("whose", ["Patient/p2", "https://ehr.example/other/Patient/p1", f"{ISS}/Patient/p2"])
def test_an_observation_of_another_patient_takes_the_whole_page_away(herald: Service, whose: str) -> None:
    path, sent = opened(herald)
    found = searchset(observation(), observation(id="o2", subject={"reference": whose}))
    herald.app.state.ehr.given["observations"] = found
    answer = herald.get(path, headers=sent)
    assert (answer.status_code, "another patient" in answer.text) == (502, True)
    assert "Testperson" not in answer.text


def test_a_name_that_holds_markup_is_text(herald: Service) -> None:
    path, sent = opened(herald)
    herald.app.state.ehr.given["patient"] = PATIENT | {"name": [{"text": "<script>alert(1)</script>"}]}
    assert "<script>alert" not in herald.get(path, headers=sent).text
