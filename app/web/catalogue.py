"""The one catalogue of what pages say: app/web/strings/<page>.toml, read once.

A text is asked for by `page.name`; `{word}` in it is filled by a named value. Texts are plain: templates escape them.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import lru_cache
from importlib import resources


@lru_cache(maxsize=1)
def catalogue() -> Mapping[str, str]:
    """Every text by its key. Raises ValueError where an entry is not a text."""
    texts: dict[str, str] = {}
    for file in sorted((resources.files("app.web") / "strings").iterdir(), key=lambda each: each.name):
        if not file.name.endswith(".toml"):
            continue
        page = file.name.removesuffix(".toml")
        for name, told in tomllib.loads(file.read_text("utf-8")).items():
            if not isinstance(told, str):
                raise ValueError(f"{file.name}: {name} is not a text")
            texts[f"{page}.{name}"] = told
    return texts


def say(key: str, **values: object) -> str:
    """The text of a key with its values. Raises KeyError for a key, or a value, that is not there."""
    told = catalogue()[key]
    return told.format(**values) if values else told


def moment(text: str | None) -> str:
    """A time of a document as pages show it: to the minute, in UTC; empty where there is none."""
    return "" if text is None else f"{text[:16].replace('T', ' ')} UTC"
