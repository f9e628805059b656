"""Mutation tests: mutmut, and then a second look at every change that it did not see noticed.

mutmut imports the code once and then switches a change on, so what runs at import (a parser's grid, a list of codes, an
edition's fields) is over before the change. Those survivors, and changes that ran out of time, are asked again: each in
a process of its own, in which the change is there from the start.

    python -m benchmarks.mutate              all of it, and the figures
    python -m benchmarks.mutate --again      the second look alone, with the tests as they are now
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MUTANTS = ROOT / "mutants"
MUTMUT = [sys.executable, "-m", "mutmut"]
# How long the tests may take with a change, in multiples of what they take without one.
PATIENCE = 4


def results() -> dict[str, str]:
    """Every change by its name, and what mutmut found."""
    listed = subprocess.run([*MUTMUT, "results", "--all", "true"], cwd=ROOT, capture_output=True, text=True, check=True)
    lines = (line.strip().rpartition(": ") for line in listed.stdout.splitlines() if "__mutmut_" in line)
    return {name: status for name, _, status in lines}


def run_tests(change: str, limit: float | None) -> bool:
    """Do the tests pass with the change in place from the start?"""
    with open(ROOT / "pyproject.toml", "rb") as file:
        settings = tomllib.load(file)["tool"]["mutmut"]
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:randomly", *settings["pytest_add_cli_args"]]
    command += settings["pytest_add_cli_args_test_selection"]
    try:
        done = subprocess.run(
            command,
            cwd=MUTANTS,
            env=os.environ | {"MUTANT_UNDER_TEST": change, "PYTHONPATH": str(MUTANTS), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            timeout=limit,
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def ask_again(changes: Iterable[str], children: int) -> list[str]:
    """The changes that no test notices even from the start."""
    shutil.copytree(ROOT / "tests", MUTANTS / "tests", dirs_exist_ok=True)
    started = time.monotonic()
    if not run_tests("", None):
        raise SystemExit("the tests fail without any change")
    limit = PATIENCE * children * (time.monotonic() - started)
    changes = list(changes)
    with ThreadPoolExecutor(children) as pool:
        passed = pool.map(lambda change: run_tests(change, limit), changes)
        return [change for change, unnoticed in zip(changes, passed, strict=True) if unnoticed]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="only ask again what the last run did not see noticed")
    parser.add_argument("--children", type=int, default=2, help="how many processes at once")
    arguments = parser.parse_args()
    if not arguments.again:
        subprocess.run([*MUTMUT, "run", "--max-children", str(arguments.children)], cwd=ROOT, check=False)
    found = results()
    print("mutmut:", ", ".join(f"{status} {number}" for status, number in Counter(found.values()).most_common()))
    doubtful = [name for name, status in found.items() if status not in ("killed", "caught by type check")]
    left = ask_again(doubtful, arguments.children)
    print("\n".join(left))
    noticed = len(found) - len(left)
    print(f"{noticed} of {len(found)} changes noticed: {100 * noticed / max(len(found), 1):.1f} percent")


if __name__ == "__main__":
    main()
