"""The package: it stands alone, both fronts are the same, and the example in its docstring runs."""

from __future__ import annotations

import ast
import inspect
import re
import sys
from pathlib import Path
from typing import get_type_hints

import pytest

import herald_client
from herald_client import AsyncHerald, AsyncJob, Herald, Job

FOLDER = Path(herald_client.__file__).parent
PUBLIC = [name for name, _ in inspect.getmembers(Herald, inspect.isfunction) if not name.startswith("_")]


def _imported(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {name.name for node in nodes if isinstance(node, ast.Import) for name in node.names}
    named = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in plain | named}


def test_it_needs_httpx_and_stamina_only() -> None:
    imported = set().union(*(_imported(path) for path in FOLDER.glob("*.py")))
    assert imported - set(sys.stdlib_module_names) == {"httpx", "stamina", "herald_client"}


def test_it_says_that_it_is_typed() -> None:
    assert (FOLDER / "py.typed").exists()


@pytest.mark.parametrize("name", PUBLIC)
def test_both_fronts_take_the_same(name: str) -> None:
    plain, other = getattr(Herald, name), getattr(AsyncHerald, name)
    assert inspect.signature(plain).parameters == inspect.signature(other).parameters
    lists = "Iterator" in str(inspect.signature(plain).return_annotation)
    assert inspect.iscoroutinefunction(other) is not lists


def test_both_fronts_have_the_same_calls() -> None:
    for plain, other in ((Herald, AsyncHerald), (Job, AsyncJob)):
        names = [
            {name for name, _ in inspect.getmembers(each, inspect.isfunction) if not name.startswith("_")}
            for each in (plain, other)
        ]
        assert names[0] == names[1]


@pytest.mark.parametrize("name", PUBLIC)
def test_every_call_says_what_it_does_and_gives(name: str) -> None:
    assert getattr(Herald, name).__doc__
    assert "return" in get_type_hints(getattr(Herald, name))


def test_the_example_of_its_docstring_runs(base_url: str, capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", herald_client.__doc__ or "", re.S)
    exec(example.replace("http://127.0.0.1:8000", base_url), {})
    status, told = capsys.readouterr().out.splitlines()
    assert status == "positive"
    assert told.startswith("ihc")
