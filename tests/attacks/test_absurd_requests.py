# ruff: noqa: E501
"""More than 300 malformed or absurd requests: each is answered 4xx as a problem that names its field, none with 500."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings

NUMBERS = ("ratio", "her2_copies", "cep17_copies")
COUNTS = ("her2_signals", "cep17_signals", "cells", "her2_cells", "cep17_cells")
NOT_NUMBERS: tuple[Any, ...] = (
    "1,8", "1.8x", "x1.8", "NaN", "nan", "Infinity", "-inf", "1e3", "1.8.1", "--1", "+1", "2,0-2,2", ">", "<", "> <2",
    ">>2", "1-2-3", "\u0663", "\u00b2", "", " ", "positive", "not amplified", "1/2", "50%", "0x10", "1_000", [], {}, True,
    ["1.8"], {"value": 1.8}, "9" * 60,
)  # fmt: skip
IMPOSSIBLE: tuple[Any, ...] = ("0", 0, "-1", -1, "0.0", -0.5, "<0")
NOT_SCORES: tuple[Any, ...] = (
    "positive", "negative", "4", "4+", 4, -1, "1.5", 1.5, "1-2+", "2++", "++", "+2", "3 + 1", "score", "", " ", True,
    [], "two", "2+ or 3+", "0-1+",
)  # fmt: skip
WORDS = {
    "edition": "asco-cap-2017",
    "policy": {"group1_ihc_negative": "ignore"},
    "specimen": {"kind": "relapse"},
    "ihc": {"score": "2+", "membrane": "thick"},
    "ish": {"assay": "triple_probe"},
    "recount": {"blinded": "yes"},
    "adjudication": {"group": 6},
    "cluster": {"share_percent": "101"},
    "context": {"er": "high"},
}
BODIES: tuple[bytes, ...] = (
    b"", b"{", b"}", b"[]", b"null", b"1", b'"text"', b"{'ihc': '2+'}", b'{"ihc": }', b'{"ihc": "2+",}', b"\xff\xfe{}",
    b'{"ihc": "2+"} {}', b'{"ihc": "2+", "ihc": "3+"}', b'{"ish": {"ratio": 1, "ratio": 2}}', b"[" * 100_000,
    b'{"a":' * 20_000, b"\x00", '{"ihc": "2+"}'.encode("utf-16"), b'{"cells": ' + b"9" * 5000 + b"}", b"<xml/>", b"ihc=2%2B",
    b'{"ratio": 01.8}', b'{"ratio": .8}', b'{"ratio": 1.}', b'{"ratio": +1}', b'{"ihc": "2+"', b'{"ihc": "\xe9"}',
)  # fmt: skip
QUERIES = (
    "ihc=positive", "ihc=2%2B&ihc=3%2B", "ratio=1,8", "ratio=NaN", "ratio=-1", "copies=0", "cells=19.5", "cells=%3E20",
    "edition=2018", "assay=fish", "er=yes", "setting=curative", "unknown=1", "ihc=2%2B&her2=4", "ratio=", "cep17=abc",
    "her2_signals=12.5", "cep17_signals=-3", "ratio=1.8&ratio=1.8", "menopausal_status=maybe", "../etc/passwd=1",
)  # fmt: skip
PATHS = (
    ("GET", "/results/none"), ("GET", "/results/%00"), ("GET", "/results/..%2f..%2fetc"), ("GET", "/results/" + "a" * 3000),
    ("GET", "/results/'%20OR%201=1--"), ("GET", "/results/none/history"), ("POST", "/results/none/replay"),
    ("GET", "/patients/nobody/her2"), ("GET", "/patients/%00/her2"), ("GET", "/guidelines/asco-cap-1999"),
    ("GET", "/results?limit=0"), ("GET", "/results?limit=501"), ("GET", "/results?limit=x"), ("GET", "/results?cursor=x"),
    ("GET", "/results?status=good"), ("GET", "/results?statsu=positive"), ("GET", "/results?final=perhaps"),
    ("GET", "/results?ish_group=9"), ("GET", "/results?created_from=yesterday"), ("GET", "/results?accession=%00"),
    ("GET", "/results?status=positive&status=negative"), ("GET", "/open-steps?awaited=coffee"),
    ("GET", "/open-steps?due_before=soon"), ("GET", "/open-steps?limit=-1"), ("DELETE", "/results"), ("PUT", "/results"),
    ("DELETE", "/her2/classify"), ("PATCH", "/her2/classify"), ("PUT", "/her2/classify"), ("POST", "/open-steps"),
    ("POST", "/guidelines"), ("GET", "/nowhere"), ("GET", "/results/"), ("POST", "/healthz"),
    ("GET", "/guidelines/asco-cap-2018?format=pdf"), ("GET", "/healthz?verbose=1"),
)  # fmt: skip
VERBS = {
    "amendments": ({}, {"name": "A"}, {"name": 1, "role": 2, "reason": 3, "changes": {}}, {"name": "A", "role": "b",
                   "reason": "c"}, {"name": "A", "role": "b", "reason": "c", "case": {}, "changes": {}},
                   {"name": "A", "role": "b", "reason": "c", "changes": {"ihc": "positive"}},
                   {"name": "A", "role": "b", "reason": "c", "changes": []}),
    "recounts": ({}, {"name": "A", "role": "b"}, {"name": "A", "role": "b", "count": {}}, {"name": "A", "role": "b",
                 "count": [1]}, {"name": "A", "role": "b", "count": {"ratio": "x"}}),
    "adjudications": ({}, {"name": "A", "role": "b", "reason": "c"}, {"name": "A", "role": "b", "reason": "c",
                      "group": 9}, {"name": "A", "role": "b", "reason": "c", "group": True}),
    "sign-offs": ({}, {"name": ""}, {"name": "A", "role": "b", "performed_at": "tomorrow"}, {"name": "A\x00",
                  "role": "b"}, {"name": "A", "role": "b", "mood": "good"}),
    "re-evaluations": ({}, {"edition": "1999"}, {"edition": "asco-cap-2013", "policy": {"x": "y"}}),
}  # fmt: skip
REPORTS: tuple[dict[str, Any], ...] = (
    {"ihc": "2+"}, {"patient": "", "ihc": "2+"}, {"patient": 7, "ihc": "2+"}, {"patient": [], "ihc": "2+"},
    {"patient": {"value": "P", "age": 50}, "ihc": "2+"}, {"patient": "P", "laboratory": 3, "ihc": "2+"},
    {"patient": "P", "ihc": "positive"}, {"patient": "P\x00", "ihc": "2+"}, {"patient": "P", "ihc": "2+", "status": "x"},
    {"patient": "P", "ihc": "2+", "specimen": {"collected_at": "2026-13-01"}},
    {"patient": "P", "ihc": "2+", "specimen": {"accession": "\ud800"}},
)  # fmt: skip


def _documents() -> Iterator[tuple[str, dict[str, Any]]]:
    """(the field that must be named, the document)"""
    for name in NUMBERS:
        for value in (*NOT_NUMBERS, *IMPOSSIBLE):
            yield f"ish.{name}", {"ihc": "2+", "ish": {name: value}}
    for name in COUNTS:
        for value in (*IMPOSSIBLE, "1.5", "1,5", "x", [], {}, True):
            yield f"ish.{name}", {"ihc": "2+", "ish": {name: value}}
    for value in NOT_SCORES:
        yield "ihc", {"ihc": value}
        yield "ihc.score", {"ihc": {"score": value}}
    for name, value in WORDS.items():
        yield name, {name: value}
        yield name, {name: 7} if name != "ihc" else {"ihc": 7}
    for name in ("recount", "third_count", "follow_up_ish", "cluster"):
        yield f"{name}.ratio", {"ihc": "2+", name: {"ratio": "1,8"}}
        yield f"{name}.surprise", {"ihc": "2+", name: {"surprise": 1}}
    yield "surprise", {"surprise": 1}
    yield "specimen.invasive", {"ihc": "2+", "specimen": {"invasive": False}}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    folder: Path = tmp_path_factory.mktemp("absurd")
    settings = Settings(database_url=f"sqlite:///{folder}/absurd.sqlite3", log_level="error")
    with TestClient(create_app(settings), raise_server_exceptions=False) as service:
        yield service


def _refused(answer: Any, field: str | None = None) -> None:
    told = f"{answer.request.method} {answer.request.url} {answer.status_code} {answer.text[:300]}"
    assert 400 <= answer.status_code < 500, told
    assert answer.headers["content-type"] == "application/problem+json", told
    assert "Traceback" not in answer.text
    document = answer.json()
    assert document["status"] == answer.status_code
    if field is not None:
        named = [problem["field"] for problem in document["problems"]]
        assert any(each == field or each.startswith(f"{field}.") for each in named), (field, named, told)
        assert all(problem["message"] and problem["remedy"] for problem in document["problems"])


def test_more_than_300_absurd_requests(client: TestClient) -> None:
    sent = 0
    for field, document in _documents():
        _refused(client.post("/her2/classify", json=document), field)
        sent += 1
    for body in BODIES:
        _refused(client.post("/her2/classify", content=body, headers={"Content-Type": "application/json"}))
        sent += 1
    for kind in (
        "text/plain",
        "application/xml",
        "multipart/form-data",
        "image/png",
        "application/x-www-form-urlencoded",
    ):
        _refused(
            client.post("/her2/classify", content=b'{"ihc": "2+"}', headers={"Content-Type": kind}), "Content-Type"
        )
        sent += 1
    for query in QUERIES:
        _refused(client.get(f"/her2/classify?{query}"))
        sent += 1
    for method, path in PATHS:
        _refused(client.request(method, path))
        sent += 1
    for document in REPORTS:
        content = json.dumps(document).encode()
        _refused(client.post("/results", content=content, headers={"Content-Type": "application/json"}))
        sent += 1
    stored = client.post("/results", json={"patient": "P", "ihc": "2+"}).json()["id"]
    for verb, bodies in VERBS.items():
        for body in bodies:
            _refused(client.post(f"/results/{stored}/{verb}", json=body))
            _refused(client.post(f"/results/00000000-0000-7000-8000-000000000000/{verb}", json=body))
            sent += 2
    for tag in ("3", '"x"', '"1", "2"', "W/1"):
        answer = client.post(f"/results/{stored}/sign-offs", json={"name": "A", "role": "b"}, headers={"If-Match": tag})
        _refused(answer, "If-Match")
        sent += 1
    large = b'{"ihc": "2+", "reported_status": "' + b"a" * 1_100_000 + b'"}'
    _refused(client.post("/her2/classify", content=large, headers={"Content-Type": "application/json"}))
    sent += 1
    assert sent >= 300, sent
    print(f"{sent} absurd requests refused")
    assert client.get(f"/results/{stored}").json()["version"] == 1
    assert client.post("/her2/classify", json={"ihc": "3+"}).json()["status"] == "positive"
