"""What is committed: two commands that work anywhere, locks with hashes, no host and no path of a machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pip._internal.models.index import PyPI, TestPyPI

from tests.house.house import ROOT, texts, tracked

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-build.lock")
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)((?:[^\n]*\\\n)+[^\n]*)", re.M)


def _locked(lock: str) -> dict[str, tuple[str, str]]:
    """Name -> version, what follows it."""
    text = (ROOT / lock).read_text()
    return {canonicalize_name(name): (version, rest) for name, version, rest in _LOCKED.findall(text)}


def _wanted(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], *(project["optional-dependencies"][extra] for extra in extras)]
    return {canonicalize_name(Requirement(line).name) for lines in lists for line in lines}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_has_a_hash(lock: str) -> None:
    lines = [line for line in (ROOT / lock).read_text().splitlines() if line and line[0] not in " #"]
    locked = _locked(lock)
    assert locked
    assert len(lines) == len(locked)
    assert not [name for name, (_, rest) in locked.items() if "--hash=sha256:" not in rest]


def test_every_dependency_is_locked() -> None:
    run, dev = _locked("requirements.lock"), _locked("requirements-dev.lock")
    assert _wanted() <= set(run)
    assert _wanted("dev") <= set(dev)
    assert {name: version for name, (version, _) in run.items()}.items() <= {n: v for n, (v, _) in dev.items()}.items()


def test_what_is_locked_satisfies_what_is_asked_for() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text())
    locked = _locked("requirements-dev.lock") | _locked("requirements-build.lock")
    lines = [
        *build["project"]["dependencies"],
        *build["project"]["optional-dependencies"]["dev"],
        *build["build-system"]["requires"],
    ]
    for requirement in map(Requirement, lines):
        assert requirement.specifier.contains(locked[canonicalize_name(requirement.name)][0]), requirement


def test_every_data_file_of_the_package_is_installed_with_it() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]
    installed = {
        path
        for room, names in patterns.items()
        for name in names
        for path in (ROOT / room.replace(".", "/")).glob(name)
    }
    kept = {path for path in tracked() if path.is_relative_to(ROOT / "app") and path.suffix != ".py"}
    assert kept
    assert kept <= installed


def _registry_hosts() -> set[str]:
    """The hosts that this machine's package clients ask, and the clients' own defaults. None is written down here."""
    told = [f"//{PyPI.netloc}", f"//{PyPI.file_storage_domain}", f"//{TestPyPI.netloc}"]
    clients = ([sys.executable, "-m", "pip", "config", "list"], ["npm", "config", "get", "registry"])
    told += [
        subprocess.run(command, capture_output=True, text=True).stdout
        for command in clients
        if shutil.which(command[0])
    ]
    told += [value for name, value in os.environ.items() if "INDEX" in name or "PROXY" in name.upper()]
    for path in [Path("/etc/apt/sources.list"), *Path("/etc/apt/sources.list.d").glob("*")]:
        if path.is_file():
            told.append(path.read_text())
    hosts = {host.rpartition("@")[2].partition(":")[0] for host in re.findall(r"//([^/\s'\"]+)", "\n".join(told))}
    return {host for host in hosts if "." in host and not re.fullmatch(r"[\d.]+", host)}


def test_no_registry_is_named() -> None:
    hosts = _registry_hosts()
    assert hosts
    found = [f"{name}: {host}" for name, text in texts() for host in hosts if host in text]
    assert not found


def test_no_path_of_a_machine_is_named() -> None:
    home, here = str(Path.home()), str(ROOT)
    paths = re.compile(
        "|".join([r"/work/(?:main|shared)\b", r"/root/", r"/home/[a-z]", r"/Users/[A-Za-z]", re.escape(here)])
    )
    own = "tests/house/test_repository.py"
    found = [f"{name}: {match[0]}" for name, text in texts() if name != own for match in paths.finditer(text)]
    assert not found
    assert not [name for name, text in texts() if name != own and len(home) > len("/root") and home in text]


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))


def test_the_make_commands_that_are_written_down_exist() -> None:
    told = {
        (name, target)
        for name, text in texts(".md")
        for block, inline in re.findall(r"```\w*\n(.*?)```|`([^`\n]+)`", text, re.S)
        for target in re.findall(r"^make ([a-z-]+)", block or inline, re.M)
    }
    assert ("README.md", "serve") in told
    assert ("README.md", "test") in told
    assert not {(name, target) for name, target in told if target not in _targets()}


def test_the_readme_opens_with_the_two_commands() -> None:
    commands = re.findall(r"^(?: {4}|\$ )?(make [a-z-]+)", (ROOT / "README.md").read_text(), re.M)
    assert commands[:2] == ["make serve", "make test"]


def test_every_target_has_a_help_text_and_is_phony() -> None:
    makefile = (ROOT / "Makefile").read_text()
    assert set(re.findall(r"^([a-z-]+):.*## \S", makefile, re.M)) == _targets()
    (phony,) = re.findall(r"^\.PHONY: (.*)$", makefile, re.M)
    assert set(phony.split()) == _targets()


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ +(.+?) *$", text, re.M)
    made = {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}
    return made | set(re.findall(r'<a id="([^"]+)"', text))


def test_every_link_of_the_docs_resolves() -> None:
    pages = dict(texts(".md"))
    broken = []
    for name, text in pages.items():
        for target in re.findall(r"\]\(([^)\s]+)\)", re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.S)):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            goal = ((ROOT / name).parent / path).resolve() if path else ROOT / name
            if not goal.exists():
                broken.append(f"{name}: {target}")
            elif anchor and anchor not in _anchors(pages[str(goal.relative_to(ROOT))]):
                broken.append(f"{name}: {target} has no such place")
    assert not broken
