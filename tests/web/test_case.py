"""The case page, the list of cases, the sheet and its short code, on both databases."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import httpx
import pytest

from tests.fixtures_service import Service, Start

SPECIMEN = {"accession": "S26-1", "block": "A1", "kind": "primary", "collected_at": "2026-01-02"}
LATER = {"accession": "S26-2", "block": "B1", "kind": "metastasis", "collected_at": "2026-06-15"}
WAITS = {"ihc": "2+", "ish": {"assay": "dual_probe", "ratio": "1.80", "her2_copies": "4.50", "cells": 40}}
PERSON = {"name": "Dr A. Reader", "role": "pathologist", "reason": "score typed wrong"}
POLICY = "default-src 'none'"


def _words(response: httpx.Response) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", response.text.split("<main", 1)[1])).split())


def _page(service: Service, path: str, status: int = 200) -> httpx.Response:
    response = service.get(path)
    assert response.status_code == status, response.text
    assert POLICY in response.headers["content-security-policy"]
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|<script>", response.text)
    return response


def _two(service: Service) -> tuple[dict[str, Any], dict[str, Any]]:
    """A primary and, changed in the metastasis, the later specimen; the later is reported first."""
    later = service.report({"ihc": "3+", "specimen": LATER}, patient="P-secret")
    first = service.report({"ihc": "1+", "specimen": SPECIMEN}, patient="P-secret")
    return first, later


# ---- the page of a case


def test_the_newest_collected_specimen_stands_on_top_and_the_others_beside_it(service: Service) -> None:
    first, later = _two(service)
    assert first["patient_id"] == later["patient_id"]
    response = _page(service, f"/browser/patients/{first['patient_id']}")
    words = _words(response)
    assert "Case S26-2, block B1 HER2 positive" in words
    assert "One other specimen is on record" in words
    assert "HER2 status changed from negative to positive." in words
    assert "HER2-low class changed from low to not applicable." in words
    assert words.index("Collected 2026-01-02, primary") < words.index("Collected 2026-06-15, metastasis")
    assert f"?result={first['id']}" in response.text and "This is not this patient's newest" not in words


def test_another_specimen_can_be_chosen_and_says_that_it_is_not_the_newest(service: Service) -> None:
    first, _ = _two(service)
    words = _words(_page(service, f"/browser/patients/{first['patient_id']}?result={first['id']}"))
    assert "Case S26-1, block A1" in words and "This is not this patient's newest specimen." in words
    assert words.index("HER2 negative") < words.index("HER2 positive")


def test_a_not_final_answer_tells_its_steps_with_since_due_and_who(service: Service) -> None:
    result = service.report({**WAITS, "specimen": SPECIMEN})
    words = _words(_page(service, f"/browser/patients/{result['patient_id']}"))
    (step,) = result["open_steps"]
    assert f"{step['due_at'][:10]} {step['text']} {step['who']} {step['since'][:10]}" in words
    assert "overdue" not in words
    assert "Not final" in words


def test_an_overdue_step_is_marked_in_words(service: Service) -> None:
    # Steps of this laboratory are due at once.
    service.app.state.context = replace(service.app.state.context, step_due_days=0)
    result = service.report({**WAITS, "specimen": SPECIMEN})
    for path in (f"/browser/patients/{result['patient_id']}", "/browser/cases"):
        assert f"{result['open_steps'][0]['due_at'][:10]} overdue" in _words(_page(service, path))


def test_digits_are_kept_and_every_version_and_digest_stands_at_the_foot(service: Service) -> None:
    result = service.report({**WAITS, "specimen": SPECIMEN})
    words = _words(_page(service, f"/browser/patients/{result['patient_id']}"))
    history = service.get(f"/results/{result['id']}/history").json()["versions"]
    assert "1.80" in words and "4.50" in words
    answer = result["classification"]
    for told in (answer["edition"]["digest"], answer["evidence"]["digest"], history[0]["digest"], result["id"]):
        assert told in words
    assert re.search(r"As of 20\d\d-\d\d-\d\d \d\d:\d\d UTC", words)


def test_the_page_shows_no_patient_identifier(service: Service) -> None:
    first, later = _two(service)
    paths = [f"/browser/patients/{first['patient_id']}", "/browser/cases", f"/browser/results/{later['id']}/history"]
    paths += [f"/browser/results/{later['id']}/sheet"]
    for path in paths:
        assert "P-secret" not in _page(service, path).text


def test_a_merged_patient_is_told_and_shown_with_the_one_who_stays(service: Service) -> None:
    old = service.report({"ihc": "1+", "specimen": SPECIMEN}, patient="T-1")
    new = service.report({"ihc": "3+", "specimen": LATER}, patient="P-1")
    merge = {"into": "P-1", "given_up": "T-1", **PERSON}
    assert service.post("/patients/merge", merge).status_code == 201
    words = _words(_page(service, f"/browser/patients/{old['patient_id']}"))
    assert f"Patient {old['patient_id']} was merged into patient {new['patient_id']}" in words
    assert "score typed wrong" in words and "Case S26-2" in words


def test_what_persons_did_is_told(service: Service) -> None:
    result = service.report({"ihc": "3+", "specimen": SPECIMEN})
    service.post(f"/results/{result['id']}/sign-offs", PERSON)
    words = _words(_page(service, f"/browser/patients/{result['patient_id']}"))
    assert "I confirm this HER2 result. Dr A. Reader, pathologist." in words and "confirmed" in words


@pytest.mark.parametrize("path", ["/browser/patients/nobody", "/browser/results/nothing", "/s/00000-00000", "/s/x"])
def test_what_is_not_there_is_a_page_that_says_so(service: Service, path: str) -> None:
    _page(service, path, 404)


def test_a_result_of_another_patient_is_not_shown_on_this_one(service: Service) -> None:
    mine, other = service.report({"ihc": "3+"}), service.report({"ihc": "1+"})
    _page(service, f"/browser/patients/{mine['patient_id']}?result={other['id']}", 404)


def test_a_result_leads_to_its_case(service: Service) -> None:
    result = service.report({"ihc": "3+"})
    response = service.get(f"/browser/results/{result['id']}")
    assert response.status_code == 303
    assert response.headers["location"] == f"/browser/patients/{result['patient_id']}?result={result['id']}"


def test_the_history_tells_who_changed_what_and_why(service: Service) -> None:
    result = service.report({"ihc": "2+", "specimen": SPECIMEN})
    service.post(f"/results/{result['id']}/amendments", {**PERSON, "changes": {"ihc": "3+"}})
    words = _words(_page(service, f"/browser/results/{result['id']}/history"))
    assert words.index("Version 2: HER2 positive, final") < words.index("Version 1: HER2 equivocal, not final")
    assert "By Dr A. Reader, pathologist. Reason: score typed wrong" in words and "ihc 2+ 3+" in words


# ---- the list


def test_the_list_shows_what_is_awaited_first_and_then_the_newest_results(service: Service) -> None:
    waits = service.report({**WAITS, "specimen": SPECIMEN})
    service.report({"ihc": "3+", "specimen": LATER})
    response = _page(service, "/browser/cases")
    words = _words(response)
    assert words.index("second, blinded observer") < words.index("HER2 positive ✓ Final computed, not yet confirmed")
    assert f"/browser/patients/{waits['patient_id']}?result={waits['id']}" in response.text


def test_the_list_is_searched_by_accession(service: Service) -> None:
    service.report({**WAITS, "specimen": SPECIMEN})
    service.report({"ihc": "3+", "specimen": LATER})
    words = _words(_page(service, "/browser/cases?accession=S26-1"))
    assert "S26-1, A1" in words and "S26-2" not in words and "second, blinded observer" in words
    for unknown in ("S26-9", "%00"):
        words = _words(_page(service, f"/browser/cases?accession={unknown}"))
        assert "No result with the accession" in words and "S26-1" not in words


def test_the_list_goes_on_where_it_ended(service: Service) -> None:
    for number in range(27):
        service.report({"ihc": "3+", "specimen": {**SPECIMEN, "accession": f"S{number:02d}"}})
    first = _page(service, "/browser/cases").text
    (following,) = re.findall(r'href="(/browser/cases\?cursor=[^"]+)"', first)
    second = _page(service, html.unescape(following)).text
    shown = [set(re.findall(r"S\d\d, A1", each)) for each in (first, second)]
    assert (len(shown[0]), len(shown[1])) == (25, 2) and not shown[0] & shown[1]


# ---- the sheet


def test_making_a_sheet_twice_gives_one_code_which_says_present_then_superseded(service: Service) -> None:
    result = service.report({"ihc": "2+", "specimen": SPECIMEN})
    path = f"/browser/results/{result['id']}/sheet"
    assert "Make a short code" in _page(service, path).text
    for _ in range(2):
        assert service.post(path).headers["location"] == path
    page = _page(service, path).text
    (code,) = set(re.findall(r"http://herald\.test/s/([0-9A-Z]{10})", page))
    assert f"{code[:5]}-{code[5:]}" in page and "Make a short code" not in page
    assert 'class="qr"' in page
    assert "This sheet is the present version." in _words(_page(service, f"/s/{code.lower()}"))
    service.post(f"/results/{result['id']}/amendments", {**PERSON, "changes": {"ihc": "3+"}})
    told = _page(service, f"/s/{code[:5]}-{code[5:]}")
    words = _words(told)
    assert "This sheet is superseded." in words
    assert re.search(r"The present version is 2 of 20\S+ \S+ UTC \(amended\): HER2 positive, final", words)
    assert "2 ihc 2+ 3+" in words
    assert f"/browser/patients/{result['patient_id']}?result={result['id']}" in told.text
    assert "Superseded: this is version 1 of" in _words(_page(service, f"{path}?version=1"))
    _page(service, f"{path}?version=9", 404)


def test_the_link_of_a_sheet_begins_with_the_address_of_the_settings(start: Start, shared_url: str) -> None:
    service = start(shared_url, base_url="https://herald.example.org")
    result = service.report({"ihc": "3+"})
    path = f"/browser/results/{result['id']}/sheet"
    service.post(path)
    assert "https://herald.example.org/s/" in service.get(path).text


def test_a_sheet_is_made_by_this_sites_own_form_only(service: Service) -> None:
    result = service.report({"ihc": "3+"})
    path = f"/browser/results/{result['id']}/sheet"
    assert service.post(path, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 409
    assert "No short code was made" in service.get(path).text


def test_the_sheet_is_also_a_pdf(service: Service) -> None:
    result = service.report({"ihc": "3+"})
    response = service.get(f"/browser/results/{result['id']}/sheet.pdf")
    assert response.headers["content-type"] == "application/pdf" and response.content.startswith(b"%PDF-")
    assert response.headers["cache-control"] == "no-store"
    assert service.get("/browser/results/nothing/sheet.pdf").status_code == 404


def test_the_log_names_no_letter_of_a_sheet_that_its_font_lacks(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    result = service.report({"ihc": "3+", "specimen": {**SPECIMEN, "accession": "病理 12"}})
    assert service.get(f"/browser/results/{result['id']}/sheet.pdf").status_code == 200
    assert "病" not in caplog.text
