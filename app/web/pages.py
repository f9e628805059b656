"""Pages from templates: server-rendered, no script needed."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app import ENGINE_VERSION
from app.domain.codes import ADVICE_STEPS
from app.services import decision
from app.services.views import CONFIRMED
from app.web import ledger
from app.web.catalogue import catalogue, moment, say

_environment = Environment(
    loader=PackageLoader("app.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)

_NOT_IN_ANCHOR = re.compile(r"[^A-Za-z0-9.+]+")


@lru_cache(maxsize=64)
def static(name: str) -> str:
    """The address of a file in static/, with its digest, so that a browser may keep it for ever."""
    content = (resources.files("app.web") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


def column(name: str) -> str:
    """The name of a table's column, or a word of it, as a reader says it."""
    return catalogue().get(f"answer.column_{name}", name.replace("_", " "))


def assumption(told: str) -> str:
    """What a world takes for given, its columns named as a reader says them."""
    probe, *conditions = told.split(", ")
    named = [each.partition(" ") for each in conditions]
    return decision.plain(", ".join([probe, *(f"{column(name)} {asked}" for name, _, asked in named)]))


def anchor(table: str, row: str) -> str:
    """Where a row of a table stands in the page of its edition; a cell of a crosstab is a row too."""
    return f"{table}-{_NOT_IN_ANCHOR.sub('-', row).strip('-')}"


_environment.globals.update(
    anchor=anchor,
    assumption=assumption,
    t=say,
    static=static,
    engine=ENGINE_VERSION,
    decision=decision,
    column=column,
    advice_steps=ADVICE_STEPS,
    confirmed=CONFIRMED,
    told=ledger.told,
    forest=ledger.forest,
    moment=moment,
)


def prepare() -> None:
    """Read every template, so that the first reader of a page does not wait for it: about a second in all."""
    for name in _environment.list_templates(extensions=["html"]):
        _environment.get_template(name)


def render(name: str, **parts: Any) -> str:
    """A template of this room with its parts; every text in them is escaped."""
    return _environment.get_template(name).render(parts)
