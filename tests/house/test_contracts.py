"""Each import contract has a failing example: a small tree of rooms, one import too many, and the contract's name."""

from __future__ import annotations

import ast
import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.house import APP, ROOT, modules

CONFIG = ROOT / ".importlinter"
EXAMPLES = [
    ("rooms", "app/records/__init__.py", "import app.guidelines"),
    ("rooms", "app/services/__init__.py", "import app.settings"),
    ("rooms", "app/domain/__init__.py", "import app.evidence"),
    ("rooms", "app/api/__init__.py", "import app.web"),
    ("rooms", "app/mllp/__init__.py", "import app.api"),
    ("rooms", "app/unplaced.py", "'a module that nobody has placed'"),
    ("pure", "app/guidelines/__init__.py", "import sqlite3"),
    ("pure", "app/evidence/__init__.py", "import httpx"),
    ("pure", "app/domain/__init__.py", "import pydantic"),
    ("interop", "app/interop/__init__.py", "import urllib.request"),
    ("doors", "app/api/__init__.py", "from app import records"),
    ("doors", "app/cli.py", "import app.guidelines.editions"),
    ("doors", "app/mllp/__init__.py", "import app.records"),
    ("fastapi", "app/services/__init__.py", "from fastapi import HTTPException"),
    ("sql", "app/services/__init__.py", "from sqlalchemy import select"),
    ("editions", "app/guidelines/asco_cap_2018.py", "from app.guidelines import asco_cap_2013"),
    ("routers", "app/api/routes_results.py", "from app.api import routes_her2"),
]


def _contracts() -> configparser.ConfigParser:
    config = configparser.ConfigParser()
    config.read(CONFIG)
    return config


def _names() -> dict[str, str]:
    config = _contracts()
    sections = [section for section in config.sections() if ":contract:" in section]
    return {section.rpartition(":")[2]: config[section]["name"] for section in sections}


def _lines(contract: str, key: str) -> list[str]:
    return _contracts()[f"importlinter:contract:{contract}"][key].split()


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    """The modules that the contracts name, empty."""
    wanted = {word for contract in _names() for word in _contracts()[f"importlinter:contract:{contract}"].values()}
    named = {word for text in wanted for word in text.split() if word.startswith("app.")}
    named |= {f"app.{word}" for word in _lines("rooms", "layers") if word != "|"}
    named.add("app.guidelines.editions")
    folders = {name.rpartition(".")[0] for name in named} | {
        f"app.{path.name}" for path in APP.iterdir() if path.is_dir()
    }
    for name in named | {"app"}:
        path = tmp_path / name.replace(".", "/")
        path = path / "__init__.py" if name in folders else path.with_suffix(".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    (tmp_path / "app/decision_table.py").write_text("import app.domain.numbers\nimport app.domain.pairs")
    return tmp_path


def _lint(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    linter = [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"]
    return subprocess.run(
        [*linter, "--no-logo", "--no-cache", *options, str(CONFIG)],
        cwd=tree,
        env=os.environ | {"PYTHONPATH": str(tree), "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
    )


def test_rooms_that_import_nothing_keep_every_contract(rooms: Path) -> None:
    told = _lint(rooms)
    assert told.returncode == 0, told.stdout + told.stderr
    assert f"Contracts: {len(_names())} kept, 0 broken." in told.stdout


@pytest.mark.parametrize(("contract", "where", "line"), EXAMPLES)
def test_one_import_too_many_breaks_its_contract(rooms: Path, contract: str, where: str, line: str) -> None:
    with (rooms / where).open("a") as module:
        module.write(f"\n{line}\n")
    told = _lint(rooms, "--contract", contract)
    assert told.returncode == 1, told.stdout + told.stderr
    assert f"{_names()[contract]} BROKEN" in told.stdout


def test_every_contract_has_a_failing_example() -> None:
    assert {contract for contract, _, _ in EXAMPLES} == set(_names())


def test_every_edition_is_in_its_contract() -> None:
    editions = {f"app.guidelines.{path.stem}" for path in (APP / "guidelines").glob("asco_cap_*.py")}
    assert set(_lines("editions", "modules")) == editions


def test_every_router_is_in_its_contract() -> None:
    routers = {
        name.removesuffix(".py").replace("/", ".")
        for name, tree in modules(APP / "api")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "APIRouter"
    }
    assert set(_lines("routers", "modules")) == routers
