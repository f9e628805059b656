"""docs/connect-your-lis.md: what can be pasted is sent, section by section, and the answers shown are those given.

A block with a name (```hl7 coded.hl7) is a file; ```sh is a request; the block after it is what the answer holds at
least.
"""

from __future__ import annotations

import json
import re
import shlex
import time
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from herald_client import acknowledgement
from herald_client.settings import SETTLED

GUIDE = Path(__file__).parents[2] / "docs/connect-your-lis.md"
ORIGIN = "http://127.0.0.1:8000"
_BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.M | re.S)


class Block(NamedTuple):
    """A fenced block. name: of the file that it is, "" where it is a request or an answer."""

    kind: str
    name: str
    text: str


class Sent(NamedTuple):
    """What a curl command sends."""

    method: str
    url: str
    headers: dict[str, str]
    file: str

    @property
    def path(self) -> str:
        return httpx.URL(self.url).path


def _sections() -> dict[str, list[Block]]:
    """The blocks under each heading that has a request."""
    parts = re.split(r"^#{2,3} (.+)$", GUIDE.read_text(encoding="utf-8"), flags=re.M)
    texts = dict(zip(parts[1::2], parts[2::2], strict=True))
    found = {title: [Block(*each) for each in _BLOCK.findall(text)] for title, text in texts.items()}
    return {title: blocks for title, blocks in found.items() if any(block.kind == "sh" for block in blocks)}


SECTIONS = _sections()


def _sent(command: str) -> Sent:
    words = shlex.split(command)
    assert words[0] == "curl"
    values = {
        name: [words[at + 1] for at, word in enumerate(words) if word == name] for name in ("-H", "--data-binary")
    }
    (url,) = (word for word in words if word.startswith(ORIGIN))
    files = [each.removeprefix("@") for each in values["--data-binary"]]
    headers = dict(each.split(": ", 1) for each in values["-H"])
    return Sent("POST" if files else "GET", url, headers, files[0] if files else "")


def _exchanges(blocks: list[Block]) -> Iterator[tuple[Sent, Block]]:
    """Each request with the block after it."""
    for block, answer in pairwise(blocks):
        if block.kind == "sh":
            yield _sent(block.text), answer


def _held(shown: Any, given: Any, at: str = "") -> None:
    """Everything that is shown is given: fields of an object, all of a list."""
    if isinstance(shown, dict):
        assert isinstance(given, dict), at
        for name, value in shown.items():
            assert name in given, f"{at}.{name}"
            _held(value, given[name], f"{at}.{name}")
    elif isinstance(shown, list):
        assert len(shown) == len(given), f"{at}: {given}"
        for number, (value, other) in enumerate(zip(shown, given, strict=True)):
            _held(value, other, f"{at}[{number}]")
    else:
        assert shown == given, at


def _missing(base_url: str, blocks: list[Block]) -> list[str]:
    """The requests of a section to which this server has no route."""
    paths = httpx.get(f"{base_url}/openapi.json").json()["paths"]
    routes = [
        (method.upper(), re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)) + r"\Z"))
        for path, methods in paths.items()
        for method in methods
    ]
    sent = {(each.method, each.path) for each, _ in _exchanges(blocks)}
    return sorted(
        f"{method} {path}"
        for method, path in sent
        if not any(method == known and route.match(path) for known, route in routes)
    )


def _held_hl7(shown: str, given: bytes) -> None:
    """The acknowledgement has the code and control id, and for each ERR shown one that begins like it."""
    wanted, told = acknowledgement(f"MSH|^~\\&|HERALD\r{shown}".encode()), acknowledgement(given)
    assert (told.code, told.control_id) == (wanted.code, wanted.control_id), given
    assert len(told.errors) == len(wanted.errors), given
    for error, other in zip(wanted.errors, told.errors, strict=True):
        assert other.place.startswith(error.place)
        assert (other.code, other.severity) == (error.code, error.severity)


def _answered(http: httpx.Client, sent: Sent, files: dict[str, str], import_id: str) -> httpx.Response:
    url = sent.url.replace(ORIGIN, "")
    if not sent.file:
        until = time.monotonic() + 60
        while True:
            response = http.get(url.replace("/ID", f"/{import_id}"))
            if not import_id or response.json().get("state") in SETTLED or time.monotonic() > until:
                return response
            time.sleep(0.05)
    return http.post(url, content=files[sent.file].encode(), headers=sent.headers)


@pytest.mark.parametrize("title", SECTIONS)
def test_the_answers_shown_are_the_answers_given(title: str, base_url: str) -> None:
    blocks = SECTIONS[title]
    missing = _missing(base_url, blocks)
    if missing:
        pytest.skip(f"not merged yet: {', '.join(missing)}")
    files = {block.name: block.text for block in blocks if block.name}
    import_id = ""
    with httpx.Client(base_url=base_url, timeout=30) as http:
        for sent, shown in _exchanges(blocks):
            response = _answered(http, sent, files, import_id)
            if shown.kind == "hl7":
                _held_hl7(shown.text, response.content)
            elif shown.kind == "http":
                assert response.status_code == int(shown.text.split()[1]), response.text
                import_id = response.headers["Location"].rpartition("/")[2]
            else:
                _held(json.loads(shown.text), response.json())


def test_the_guide_says_of_each_door_that_is_not_there_that_it_is_not(base_url: str) -> None:
    told = re.search(r"^> Not in this version yet: (.*?)\n\n", GUIDE.read_text(encoding="utf-8"), re.M | re.S)
    said = set(re.findall(r"`((?:GET|POST) [^`]+)`", told[1])) if told else set()
    missing = {each for blocks in SECTIONS.values() for each in _missing(base_url, blocks)}
    assert said == missing


def test_every_request_is_followed_by_its_answer_and_every_file_is_sent() -> None:
    for title, blocks in SECTIONS.items():
        exchanges = list(_exchanges(blocks))
        assert len(exchanges) == sum(block.kind == "sh" for block in blocks), title
        assert all(answer.kind != "sh" and not answer.name for _, answer in exchanges), title
        assert {sent.file for sent, _ in exchanges} - {""} == {block.name for block in blocks if block.name}, title


def test_the_example_in_python_prints_what_is_shown(base_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    text = GUIDE.read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.S)
    exec(example[0].replace(ORIGIN, base_url), {})
    assert capsys.readouterr().out == example[1]


def test_a_control_id_and_an_accession_are_never_used_twice() -> None:
    messages = [block.text for blocks in SECTIONS.values() for block in blocks if block.name.endswith(".hl7")]
    ids = [message.split("|")[9] for message in messages]
    assert len(ids) == len(set(ids))
