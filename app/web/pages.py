"""Pages from templates: server-rendered, no script needed."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from app import ENGINE_VERSION
from app.web.catalogue import say

_environment = Environment(
    loader=PackageLoader("app.web"),
    autoescape=select_autoescape(default=True, default_for_string=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


@lru_cache(maxsize=64)
def static(name: str) -> str:
    """The address of a file in static/, with its digest, so that a browser may keep it for ever."""
    content = (resources.files("app.web") / "static" / name).read_bytes()
    return f"/static/{name}?v={hashlib.sha256(content).hexdigest()[:12]}"


_environment.globals.update(t=say, static=static, engine=ENGINE_VERSION)


def render(name: str, **parts: Any) -> str:
    """A template of this room with its parts; every text in them is escaped."""
    return _environment.get_template(name).render(parts)
