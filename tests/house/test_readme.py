"""What README shows is what the service answers."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.house.house import ROOT
from tools import make_docs

README = (ROOT / "README.md").read_text()
BLOCKS = re.findall(r"```(\w+)\n(.*?)```", README, re.S)


@pytest.fixture
def client(tmp_path: Path) -> Iterator[TestClient]:
    with TestClient(create_app(Settings(database_url=f"sqlite:///{tmp_path}/herald.sqlite3"))) as client:
        yield client


def test_the_answer_shown_is_the_answer_given(client: TestClient) -> None:
    assert make_docs.SHOWN.search(README)
    assert make_docs.readme(lambda path: client.get(path).json()) == README, "README is out of date: make docs"


def test_the_result_shown_is_stored(client: TestClient) -> None:
    (command,) = [text for kind, text in BLOCKS if kind == "sh" and "-X POST" in text]
    words = shlex.split(command)
    headers = dict(words[i + 1].split(": ") for i, word in enumerate(words) if word == "-H")
    told = client.post("/results", content=words[words.index("-d") + 1], headers=headers)
    assert told.status_code == 201, told.text
    assert told.headers["location"]
    assert told.headers["etag"]


def test_every_request_in_the_table_is_in_the_contract() -> None:
    contract = json.loads((ROOT / "openapi/openapi.json").read_text())["paths"]
    routes = {
        (method.upper(), re.sub(r"\{\w+\}", "{}", path)) for path, methods in contract.items() for method in methods
    }
    rows = re.findall(r"^\| (`(?:GET|POST) .*?) \|", README, re.M)
    assert rows
    for row in rows:
        verb, start = "GET", ""
        for text in re.findall(r"`([^`]+)`", row):
            verb, path = text.split(" ") if " " in text else (verb, text)
            if path == "/openapi.json":
                continue
            whole = re.sub(r"\{\w+\}", "{}", path if " " in text or not start else start + path)
            start = whole.rpartition("/")[0] if "/{}/" in whole else ""
            assert (verb, whole) in routes, text
