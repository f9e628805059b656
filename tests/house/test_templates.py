"""Pages: every word stands in the catalogue, nothing is inline, and every entry of the catalogue is used."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from jinja2 import Environment

from app.web.catalogue import catalogue
from tests.house.house import APP

WEB = APP / "web"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
SCRIPTS = sorted((WEB / "static").rglob("*.js"))
# attributes put together, and the names of classes
_MADE_OF_CODE = re.compile(r"\{% set \w+ %\}.*?\{% endset %\}|\{% block body_class %\}.*?\{% endblock %\}", re.S)
_SPOKEN = ("alt", "aria-label", "aria-description", "placeholder", "title", "value")
_WORD = re.compile(r"[A-Za-z]{2,}")
_KEY = re.compile(r"""['"]([a-z][a-z0-9]*(?:_[a-z0-9]+)*)\.([a-z][a-z0-9_-]*)['"]""")
# a key put together, such as 'site.' + name: its beginning is all that can be seen
_BEGINNING = re.compile(r"""['"]([a-z][a-z0-9_]*\.[a-z0-9_-]*)(?:%[ds])?['"]\s*(?:\+|~|%)""")
# what is asked for by name: the first word of a call, or its other choice
_ASKED = re.compile(r"""(?:\bt\(|\bsay\(|\belse )\s*['"]([a-z][a-z0-9_]*\.[a-z0-9_-]*[a-z0-9])['"]""")


class _Told(HTMLParser):
    """The words of a template that a reader would see, and what is inline."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.inline: list[str] = []
        self._within = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._within = tag
        given = dict(attrs)
        if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
            self.inline.append(f"<{tag} {given}>")
        if tag == "script" and "src" not in given and given.get("type") != "application/json":
            self.inline.append("<script> without src")
        self.words += [told for name in _SPOKEN if (told := given.get(name)) and _is_spoken(tag, name, told)]

    def handle_data(self, data: str) -> None:
        # a command to copy is not a word
        if _WORD.search(data) and self._within != "pre":
            self.words.append(data.strip())


def _is_spoken(tag: str, name: str, told: str) -> bool:
    """A value that is sent, as of an option or a hidden field, is no word to a reader."""
    return name != "value" and bool(_WORD.search(told))


def _data(template: Path) -> str:
    """The template's own text, each expression and statement of it replaced by nothing a reader would read."""
    lexed = Environment().lex(_MADE_OF_CODE.sub("", template.read_text("utf-8")))
    parts = []
    for _, kind, value in lexed:
        if kind == "data":
            parts.append(value)
        elif kind == "variable_end":
            parts.append("0")
    return "".join(parts)


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_holds_no_words_of_its_own_and_nothing_inline(template: Path) -> None:
    told = _Told()
    told.feed(_data(template))
    assert not told.words, "put these into app/web/strings"
    assert not told.inline, "the policy of the pages refuses these"


def _sources() -> str:
    code = [path for folder in (WEB,) for path in sorted(folder.rglob("*.py"))]
    return "\n".join(path.read_text("utf-8") for path in (*TEMPLATES, *code))


def test_every_text_that_is_asked_for_is_in_the_catalogue() -> None:
    pages = {key.split(".")[0] for key in catalogue()}
    asked = {key for key in _ASKED.findall(_sources()) if key.split(".")[0] in pages}
    assert len(asked) > 100
    assert not asked - set(catalogue())


def test_every_text_in_the_catalogue_is_asked_for() -> None:
    text = _sources()
    asked = {f"{page}.{name}" for page, name in _KEY.findall(text)}
    beginnings = tuple(set(_BEGINNING.findall(text)))
    unused = {key for key in catalogue() if key not in asked and not key.startswith(beginnings)}
    assert not unused


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_nothing_of_its_own(script: Path) -> None:
    code = re.sub(r"/\*.*?\*/|(?m:^\s*//.*$)", "", script.read_text("utf-8"), flags=re.S)
    literals = re.findall(r"\"([^\"\n]*)\"|'([^'\n]*)'|`([^`]*)`", code)
    sentences = [text for found in literals for text in found if re.search(r"[A-Z][a-z]+ [a-z]+ [a-z]+", text)]
    assert not sentences, "put these into app/web/strings"


def test_the_search_finds_words_and_what_is_inline() -> None:
    told = _Told()
    told.feed('<p style="x">Hello</p><a aria-label="Go on" onclick="x">0</a><script>x</script><p>0 · 0</p>')
    assert told.words == ["Hello", "Go on", "x"] or told.words == ["Hello", "Go on"]
    assert len(told.inline) == 3
