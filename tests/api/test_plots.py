"""GET /evidence/plots: pictures of the evidence pack, and the same in words."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor

from tests.api.cases import fields_of, problem
from tests.fixtures_service import Service


def test_every_picture_listed_is_there_as_svg_and_as_text(stateless: Service) -> None:
    listed = stateless.get("/evidence/plots").json()
    assert listed
    for each in listed:
        assert set(each) == {"name", "title", "text_alternative", "link"}
        assert each["link"] == f"/evidence/plots/{each['name']}"
        picture = stateless.get(each["link"])
        assert (picture.status_code, picture.headers["content-type"]) == (200, "image/svg+xml")
        svg = ET.fromstring(picture.content)
        assert svg.get("role") == "img"
        assert [part.text for part in list(svg)[:2]] == [each["title"], each["text_alternative"]]
        assert stateless.get(f"{each['link']}?format=svg").content == picture.content
        told = stateless.get(f"{each['link']}?format=text")
        assert (told.status_code, told.headers["content-type"]) == (200, "text/plain; charset=utf-8")
        assert told.text == each["text_alternative"]


def test_an_unknown_picture_is_not_found(stateless: Service) -> None:
    for name in ("none", "ratios-", "%2e%2e", "Ki67"):
        for form in ("", "?format=text"):
            problem(stateless.get(f"/evidence/plots/{name}{form}"), 404, "not_found")


def test_what_cannot_be_asked_is_refused_by_name(stateless: Service) -> None:
    link = stateless.get("/evidence/plots").json()[0]["link"]
    assert fields_of(problem(stateless.get(f"{link}?format=png"), 422, "invalid")) == ["format"]
    assert fields_of(problem(stateless.get(f"{link}?size=3"), 422, "invalid")) == ["size"]
    assert fields_of(problem(stateless.get("/evidence/plots?format=text"), 422, "invalid")) == ["format"]
    problem(stateless.post("/evidence/plots", {}), 405, "method_not_allowed")


def test_many_readers_at_once_get_the_same_picture(stateless: Service) -> None:
    links = [each["link"] for each in stateless.get("/evidence/plots").json()] * 4
    with ThreadPoolExecutor(8) as threads:
        pictures = list(threads.map(lambda link: stateless.get(link).content, links))
    for link, picture in zip(links, pictures, strict=True):
        assert picture == stateless.get(link).content
