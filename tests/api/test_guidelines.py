"""GET /guidelines: an edition as data and as a page, both drawn from its tables."""

from __future__ import annotations

import html
import re

import pytest

from tests.api.cases import fields_of, problem
from tests.fixtures_service import Service

EDITIONS = ("asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007")


def test_the_editions_are_listed_the_default_first(stateless: Service) -> None:
    listed = stateless.get("/guidelines").json()
    assert [each["id"] for each in listed] == list(EDITIONS)
    for each in listed:
        assert each["version"] and each["title"] and len(each["digest"]) == 64 and each["errata_date"]
        answer = stateless.post("/her2/classify", {"ihc": "3+", "edition": each["id"]}).json()
        assert answer["edition"] == each


@pytest.mark.parametrize("edition", EDITIONS)
def test_every_row_of_every_table_stands_on_the_page(stateless: Service, edition: str) -> None:
    document = stateless.get(f"/guidelines/{edition}").json()
    response = stateless.get(f"/guidelines/{edition}", headers={"Accept": "text/html,application/xhtml+xml"})
    assert response.headers["content-type"].startswith("text/html")
    page = html.unescape(response.text)
    assert document["digest"] in page
    sections = dict(re.findall(r'<section aria-labelledby="([^"]+)">(.*?)</section>', page, re.S))
    rows = 0
    for table in document["tables"]:
        section = sections[table["name"]]
        assert table["title"] in section and table["place"] in section
        for row in table["rows"]:
            rows += 1
            assert row["id"] in section, (table["name"], row["id"])
            for said in row["then"].values():
                for word in [said] if isinstance(said, str) else said or []:
                    assert word in section, (table["name"], row["id"], word)
            for condition in row["when"].values():
                assert condition in section, (table["name"], row["id"], condition)
    assert rows > 50


@pytest.mark.parametrize("edition", EDITIONS)
def test_what_a_trace_names_stands_in_the_tables(stateless: Service, edition: str) -> None:
    document = stateless.get(f"/guidelines/{edition}").json()
    known = {(table["name"], row["id"]) for table in document["tables"] for row in table["rows"]}
    case = {"ihc": "2+", "ratio": "1.9", "copies": "4.5", "cells": 40, "edition": edition}
    trace = stateless.post("/her2/classify", case).json()["trace"]
    assert trace
    assert {(step["table"], step["row"]) for step in trace} <= known


def test_the_form_is_chosen_by_the_reader_or_by_name(stateless: Service) -> None:
    path = "/guidelines/asco-cap-2018"
    for accept, form in ((None, "json"), ("*/*", "json"), ("application/json", "json"), ("text/html", "html")):
        headers = {} if accept is None else {"Accept": accept}
        assert form in stateless.get(path, headers=headers).headers["content-type"], accept
    assert (
        "html" in stateless.get(f"{path}?format=html", headers={"Accept": "application/json"}).headers["content-type"]
    )
    assert "json" in stateless.get(f"{path}?format=json", headers={"Accept": "text/html"}).headers["content-type"]
    assert fields_of(problem(stateless.get(f"{path}?format=pdf"), 422, "invalid")) == ["format"]


def test_a_page_asks_nothing_of_another_host(stateless: Service) -> None:
    page = stateless.get("/guidelines/asco-cap-2018?format=html").text
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert "<script" not in page
    assert '<html lang="en">' in page
