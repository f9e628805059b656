"""The script of <her2-card>, the pages for frames, and the recipe of docs/embed.md."""

from __future__ import annotations

import json
import re
import tomllib
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from app.domain import codes
from app.services.query import PARAMETERS
from app.settings import Settings
from tests.fixtures_service import Service

_ROOT = Path(__file__).parents[2]
_RECIPE = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)
_WORDS = tomllib.loads((_ROOT / "app/web/strings/element.toml").read_text("utf-8"))


def _script(service: Service) -> str:
    return service.get("/her2-card.js").text


def test_the_script_is_kept_for_minutes_and_asked_for_by_its_tag(service: Service) -> None:
    first = service.get("/her2-card.js")
    assert first.headers["content-type"].startswith("text/javascript")
    assert first.headers["cache-control"] == "public, max-age=300"
    assert service.get("/her2-card.js", headers={"If-None-Match": first.headers["etag"]}).status_code == 304
    assert service.get("/her2-card.js", headers={"If-None-Match": '"other"'}).status_code == 200


def test_any_page_may_check_the_script_by_its_digest(service: Service) -> None:
    answer = service.get("/her2-card.js", headers={"Origin": "https://anywhere.example.org"})
    assert answer.headers["access-control-allow-origin"] == "*"


def test_the_script_is_below_20_kb(service: Service) -> None:
    size = len(service.get("/her2-card.js").content)
    print(f"her2-card.js: {size} bytes, its words included")
    assert size < 20_000


def test_the_script_says_every_word_of_the_catalogue_and_no_other(service: Service) -> None:
    asked = set(re.findall(r'say\("(\w+)"', _script(service)))
    assert asked <= set(_WORDS)
    composed = {
        name for name in _WORDS if name.startswith(("status_", "error_", "measured_")) or name in ("for", "against")
    }
    by_choice = {"final", "not_final", "advice", "next_steps", "caveats", "not_concluded"}
    assert set(_WORDS) == asked | composed | by_choice


def test_the_element_has_words_for_every_status_and_every_kind_of_no_status(service: Service) -> None:
    assert {f"status_{status}" for status in codes.STATUSES} <= set(_WORDS)
    kinds = set(re.findall(r'NoStatus\("(\w+)"', _script(service))) | set(
        re.findall(r'return "(\w+)";', _script(service))
    )
    assert {f"error_{kind}" for kind in kinds} <= set(_WORDS)


def test_the_element_takes_the_parameters_of_the_query(service: Service) -> None:
    (listed,) = re.findall(r'const VALUES = "(.*?)"', _script(service))
    assert listed.split() == list(PARAMETERS)


def test_the_element_inserts_text_only(service: Service) -> None:
    written = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "DOMParser")
    assert not [each for each in written if each in _script(service)]


class _Page(HTMLParser):
    """The links and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[dict[str, str | None]] = []
        self.base: dict[str, str | None] = {}
        self.tags: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        if tag == "a":
            self.links.append(dict(attrs))
        if tag == "base":
            self.base = dict(attrs)


@pytest.mark.parametrize("path", ["/embed/classify?ihc=3%2B", "/embed/classify?ihc=9", "/embed/result/none"])
def test_no_page_may_hold_the_frame_unless_it_is_named(service: Service, path: str) -> None:
    assert "frame-ancestors 'none'" in service.get(path).headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/embed/classify?ihc=3%2B", "/embed/classify?ihc=9", "/embed/result/none"])
def test_the_pages_that_are_named_may_hold_the_frame(
    service: Service, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    named = Settings(frame_ancestors="https://ehr.example.org https://lis.example.org")
    monkeypatch.setattr(service.app.state, "settings", named)
    policy = service.get(path).headers["content-security-policy"]
    assert policy.endswith("frame-ancestors https://ehr.example.org https://lis.example.org")
    assert "unsafe" not in policy
    # Only these: every other page stays closed.
    assert "frame-ancestors 'none'" in service.get("/browser/element").headers["content-security-policy"]


def test_the_frame_of_values_shows_the_answer_to_the_same_query(service: Service) -> None:
    query = "ihc=2%2B&her2_signals=92&cep17_signals=50&cells=20"
    answer = service.get(f"/her2/classify?{query}").json()
    frame = service.get(f"/embed/classify?{query}")
    assert frame.status_code == 200
    assert answer["summary"] in frame.text
    assert answer["texts"][answer["next_steps"][0]] in frame.text
    assert answer["edition"]["version"] in frame.text


def test_the_frame_of_a_result_shows_its_version_and_how_far_a_person_stands_behind_it(service: Service) -> None:
    result = service.report({"ihc": "3+"})
    frame = service.get(f"/embed/result/{result['id']}").text
    assert result["classification"]["summary"] in frame
    assert result["confirmation"] in frame
    assert "result version 1" in frame
    page = _Page(frame)
    assert f"/browser/patients/{result['patient_id']}" in [link["href"] for link in page.links]
    # A link within the page would open a tab of its own.
    assert not [link for link in page.links if str(link["href"]).startswith("#")]
    assert page.base["target"] == "_blank" and "href" not in page.base
    assert not page.tags & {"nav", "form", "style"}


def test_a_frame_of_what_cannot_be_classified_shows_no_status_and_names_each_field(service: Service) -> None:
    frame = service.get("/embed/classify?ihc=9&copies=many")
    assert frame.status_code == 422
    assert "No status" in frame.text
    assert all(f"<code>{field}</code>: " in frame.text for field in ("ihc", "ish.her2_copies"))
    for status in codes.STATUSES:
        assert f"HER2 {status}" not in frame.text


def test_a_frame_of_no_such_result_shows_no_status(service: Service) -> None:
    frame = service.get("/embed/result/none")
    assert frame.status_code == 404
    assert "There is no such result." in frame.text


def test_what_the_query_says_is_shown_as_text(service: Service) -> None:
    frame = service.get("/embed/classify?ihc=%3Cscript%3Ealert(1)%3C/script%3E&%3Ci%3E=1").text
    assert "<script>alert" not in frame and "<i>" not in frame


def test_the_page_of_the_element_has_the_address_by_which_others_reach_herald(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service.app.state, "settings", Settings(base_url="https://herald.example.org"))
    text = service.get("/browser/element").text
    assert "https://herald.example.org/her2-card.js" in text and "herald.test" not in text


def _exchanges() -> list[tuple[str, dict[str, Any]]]:
    """The files that the recipe sends, each with the answer shown after it."""
    blocks = _RECIPE.findall((_ROOT / "docs/embed.md").read_text("utf-8"))
    files = {name: text for _, name, text in blocks if name}
    sent = [(re.search(r"@(\S+)", text), told) for (kind, _, text), (_, _, told) in pairwise(blocks) if kind == "sh"]
    return [(files[found[1]], json.loads(told)) for found, told in sent if found]


@pytest.mark.parametrize(("body", "shown"), _exchanges())
def test_the_requests_of_the_recipe_give_the_answers_shown(service: Service, body: str, shown: dict[str, Any]) -> None:
    answer = service.post("/her2/classify", json=json.loads(body)).json()
    assert {name: answer[name] for name in shown} == shown


def test_the_recipe_sends_what_the_form_was_told_and_not_what_it_rounded() -> None:
    blocks = {
        name: json.loads(text) for _, name, text in _RECIPE.findall((_ROOT / "docs/embed.md").read_text()) if name
    }
    form, case = blocks["ish-form.json"], blocks["case.json"]
    names = {"numberOfcancerNuclei": "cells", "averageHer2": "copies", "averageChrom": "cep17", "herScore": "ihc"}
    assert case == {name: form[field] for field, name in names.items()}
