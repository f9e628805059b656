"""Mutation tests: mutmut writes the changes, and each change is then held against the tests in a process of its own.

The tests are imported and collected once, before any was run; then a child is forked for each change, in which the
change is switched on, whatever the code remembers is forgotten, and the tests run until the first that fails. Changes
that are not noticed so are asked again in a fresh process, where they are there while the code is imported (a parser's
grid, a list of codes). Changes come in a random order by a fixed seed, so that any first part is a fair sample.

    python -m benchmarks.mutate                     all; results in mutants/results.json, gone on with if cut off
    python -m benchmarks.mutate --minutes 30        as many as that time allows
    python -m benchmarks.mutate --again             those not noticed, in fresh processes, by the present tests
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gc
import importlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
MUTANTS = ROOT / "mutants"
RESULTS = MUTANTS / "results.json"
# Quick and far-reaching first; the slow proofs last, which only changes that nobody noticed so far have to pass.
TESTS = ["tests/specs", "tests/domain", "tests/golden/cohorts", "tests/tables/test_mistakes.py"]
TESTS += ["tests/tables/test_table.py", "tests/oracle/test_agreement.py::test_100_000_random_cases[0]"]
TESTS += ["tests/properties", "tests/tables"]
# The proofs of the machine itself say nothing of what the editions and the domain make of it.
MACHINE, PROOF = "app.decision_table", "tests/tables/test_proof.py"
OPTIONS = ["-x", "-p", "no:xdist", "-p", "no:randomly", "-p", "no:cacheprovider", "--timeout", "0"]
# The longest a child may take, in seconds of processor time and of the clock; the unchanged tests take about 30.
CPU_SECONDS, SECONDS = 120, 400


def generate() -> list[str]:
    """Write the changes to mutants/ by mutmut's own generator; their names."""
    code = (
        "from mutmut.__main__ import *\n"
        "from mutmut.mutation.trampoline import set_mutant_under_test\n"
        "set_mutant_under_test('mutant_generation'); makedirs(Path('mutants'), exist_ok=True)\n"
        "copy_src_dir(); copy_also_copy_files(); setup_source_paths(); create_mutants(2)\n"
        "import json; found, _ = collect_source_file_mutation_data(mutant_names=())\n"
        "Path('mutants/names.json').write_text(json.dumps([each[1] for each in found]))\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    names: list[str] = json.loads((MUTANTS / "names.json").read_text())
    random.Random(2018).shuffle(names)
    return names


def forget() -> None:
    """Drop what importing and collecting made the code remember, so that a change is not hidden by an old answer."""
    for each in gc.get_objects():
        if isinstance(each, functools._lru_cache_wrapper) and str(each.__module__).startswith("app."):
            each.cache_clear()
    from app.decision_table import Table

    remembered = [name for name, told in vars(Table).items() if isinstance(told, functools.cached_property)]
    for table in [each for each in gc.get_objects() if type(each) is Table]:
        for name in remembered:
            table.__dict__.pop(name, None)
    for name, held in (("asking", "_asked"), ("asking", "_places"), ("classify", "_settled")):
        getattr(importlib.import_module(f"app.guidelines.{name}"), held).clear()


class Forks:
    """A pytest plugin: instead of running the tests, forks a child for each change, which does."""

    def __init__(self, names: list[str], children: int, until: float, done: dict[str, Any]) -> None:
        self.names, self.children, self.until, self.done = names, children, until, done

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: Any) -> bool:
        forget()
        gc.freeze()
        running: dict[int, tuple[str, float]] = {}
        # First no change at all: it must pass, or nothing that follows means anything.
        left = ["", *[name for name in self.names if name not in self.done]]
        while left or running:
            while left and len(running) < self.children and time.monotonic() < self.until:
                name = left.pop(0)
                child = os.fork()
                if child == 0:
                    _child(session, name)
                running[child] = name, time.monotonic()
                if not name:
                    break
            if not running:
                break
            child, status = os.waitpid(-1, 0)
            name, began = running.pop(child)
            code = os.waitstatus_to_exitcode(status)
            if not name and code:
                raise SystemExit(f"the tests fail without any change ({code})")
            test = MUTANTS / f"failed.{child}"
            failed = test.read_text() if test.exists() else ""
            test.unlink(missing_ok=True)
            if name:
                self.done[name] = {"code": code, "seconds": round(time.monotonic() - began, 2), "failed": failed}
                if len(self.done) % 10 == 0:
                    RESULTS.write_text(json.dumps(self.done, indent=0))
                    print(len(self.done), Counter(map(status_of, self.done.values())), flush=True)
            else:
                print(f"no change: passes in {time.monotonic() - began:.0f} s", flush=True)
        RESULTS.write_text(json.dumps(self.done, indent=0))
        return True


def _child(session: Any, name: str) -> None:
    import resource

    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    signal.alarm(SECONDS)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.environ["MUTANT_UNDER_TEST"] = name
    code = 3
    try:
        with contextlib.suppress(session.Failed):
            items = [item for item in session.items if name.startswith(MACHINE) or not name or PROOF not in item.nodeid]
            for index, item in enumerate(items):
                following = items[index + 1] if index + 1 < len(items) else None
                item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
                if session.testsfailed:
                    (MUTANTS / f"failed.{os.getpid()}").write_text(item.nodeid)
                    break
        code = 1 if session.testsfailed else 0
    finally:
        os._exit(code)


def status_of(result: dict[str, Any]) -> str:
    """killed: a test failed (its name is kept); timeout: ended by our limits; error: neither."""
    if result["code"] == 0:
        return "survived"
    if result["code"] == 1 and result["failed"]:
        return "killed"
    return "timeout" if result["code"] in (-signal.SIGALRM, -signal.SIGXCPU, -signal.SIGKILL) else "error"


def run_fresh(name: str) -> dict[str, Any]:
    """The tests in a fresh process with the change in place from the start."""
    began = time.monotonic()
    env = os.environ | {"MUTANT_UNDER_TEST": name, "PYTHONPATH": str(MUTANTS), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", *OPTIONS, *TESTS]
    try:
        done = subprocess.run(command, cwd=MUTANTS, env=env, capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return {"code": -signal.SIGALRM, "seconds": SECONDS, "failed": ""}
    failed = next((line for line in done.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))), "")
    # A change that breaks the import stops the collection (2) or a plugin (3, 4): the tests notice that as well.
    code = 1 if done.returncode in (2, 3, 4) else done.returncode
    told = failed or (f"pytest ended with {done.returncode}: {done.stderr.strip()[-200:]}" if done.returncode else "")
    return {"code": code, "seconds": round(time.monotonic() - began, 2), "failed": told}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--again", action="store_true", help="ask those not noticed again, in fresh processes")
    parser.add_argument("--minutes", type=float, default=1e6, help="start no more changes after so many minutes")
    parser.add_argument("--children", type=int, default=2, help="how many processes at once")
    arguments = parser.parse_args()
    names = json.loads((MUTANTS / "names.json").read_text()) if arguments.again else generate()
    shutil.copytree(ROOT / "tests", MUTANTS / "tests", dirs_exist_ok=True)
    done: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    until = time.monotonic() + 60 * arguments.minutes
    if not arguments.again:
        os.chdir(MUTANTS)
        sys.path[:] = [str(MUTANTS), *[path for path in sys.path if path not in ("", str(ROOT))]]
        os.environ["MUTANT_UNDER_TEST"] = ""
        pytest.main([*OPTIONS, *TESTS], plugins=[Forks(names, arguments.children, until, done)])
        done = json.loads(RESULTS.read_text())
    else:
        if run_fresh("")["code"]:
            raise SystemExit("the tests fail without any change")
        doubtful = [name for name, result in done.items() if status_of(result) != "killed"]
        with ThreadPoolExecutor(arguments.children) as pool:
            for name, result in zip(doubtful, pool.map(run_fresh, doubtful), strict=True):
                done[name] = result
                RESULTS.write_text(json.dumps(done, indent=0))
    counted = Counter(map(status_of, done.values()))
    for name, result in sorted(done.items()):
        if status_of(result) != "killed":
            print(status_of(result), name)
    print(f"{len(done)} of {len(names)} changes tried:", dict(counted))
    print(f"noticed by a failing test: {100 * counted['killed'] / max(len(done), 1):.1f} percent")


if __name__ == "__main__":
    main()
