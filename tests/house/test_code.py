"""The code itself: its size, its numbers, its prints, and that every test is run."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation

from app.guidelines.editions import EDITIONS
from tests.house.house import APP, ROOT, modules

LINES = 400
# What the thresholds are thresholds of: beside one of these, a whole number is a clinical number as well.
MEASURED = re.compile(
    r"ratio|cop(y|ies)|her2|cep17|cells|percent|share|purity|hours|minutes|days_old|section_age", re.I
)


def test_no_module_is_longer_than_a_subject() -> None:
    long = {name: lines for name, _ in modules() if (lines := (ROOT / name).read_text().count("\n")) > LINES}
    assert not long, f"more than {LINES} lines, so more than one subject: {long}"


def _thresholds() -> set[Decimal]:
    """Every number at which a table of an edition changes its answer, as a number and in millionths."""
    cuts: set[int] = set()
    for edition in EDITIONS.values():
        for table in edition.tables:
            for column in table.columns:
                cuts |= set(column.bounds[1:-1])
    # A condition `<= 10` ends one millionth after 10.
    whole = {cut - cut % 10 for cut in cuts}
    return {Decimal(cut) / 1_000_000 for cut in whole} | {Decimal(cut) for cut in whole}


def _numbers(node: ast.AST) -> Iterator[tuple[Decimal, bool]]:
    """The numbers in an expression, each with whether it is written as a decimal (2.0, "2.0", 2_000_000)."""
    for part in ast.walk(node):
        if (
            isinstance(part, ast.Constant)
            and isinstance(part.value, int | float | str)
            and not isinstance(part.value, bool)
        ):
            try:
                value = Decimal(str(part.value))
            except InvalidOperation:
                continue
            if value.is_finite():
                yield value, not isinstance(part.value, int) or value >= 1_000_000


def clinical_numbers(tree: ast.AST) -> list[int]:
    """The lines of a module on which something is compared with a clinical number."""
    thresholds, lines = _thresholds() - {Decimal(0), Decimal(1), Decimal(100)}, []
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            if all(isinstance(op, ast.In | ast.NotIn) for op in node.ops):
                continue
            measured = MEASURED.search(ast.unparse(node))
        elif isinstance(node, ast.MatchValue):
            measured = None
        else:
            continue
        if any(value in thresholds and (exact or measured) for value, exact in _numbers(node)):
            lines.append(node.lineno)
    return lines


def test_a_rule_is_written_once_so_no_clinical_number_is_compared_outside_the_guidelines() -> None:
    found = {
        f"{name}:{line}"
        for name, tree in modules()
        if not name.startswith("app/guidelines/")
        for line in clinical_numbers(tree)
    }
    assert not found


def test_the_search_for_clinical_numbers_finds_them() -> None:
    for line in (
        "x >= 2.0",
        'x < Decimal("4.0")',
        "case.ratio > 2",
        "6.0 <= copies",
        "value > micro('2.2')",
        "x < 1_800_000",
    ):
        assert clinical_numbers(ast.parse(line)), line
    for line in ("len(words) > 2", "x == 0", "percent <= 100", "port < 65535", "word == '2+'"):
        assert not clinical_numbers(ast.parse(line)), line


def test_nothing_prints_but_the_command_line() -> None:
    prints = {
        f"{name}:{node.lineno}"
        for name, tree in modules()
        if name != "app/cli.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("print", "pprint")
    }
    assert not prints


def _defines_tests(tree: ast.Module) -> bool:
    return any(
        (isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"))
        or (isinstance(node, ast.ClassDef) and node.name.startswith("Test"))
        for node in tree.body
    )


def test_every_test_file_is_collected() -> None:
    names = defaultdict(list)
    for name, tree in modules(ROOT / "tests"):
        path = ROOT / name
        if _defines_tests(tree):
            assert path.name.startswith("test_"), f"{name} holds tests but pytest does not collect that name"
        if path.name.startswith("test_"):
            names[path.name if not (path.parent / "__init__.py").exists() else name].append(name)
        if path.name == "conftest.py":
            assert "collect_ignore" not in path.read_text(), f"{name} hides tests"
    assert names
    twice = [files for files in names.values() if len(files) > 1]
    assert not twice, f"same file name without packages: pytest takes one of {twice}"


def test_every_room_has_its_folder_of_tests() -> None:
    packages = {path.parent.name for path in APP.glob("*/__init__.py")}
    assert packages >= {"api", "domain", "evidence", "guidelines", "interop", "mllp", "records", "services", "web"}
