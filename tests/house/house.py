"""What the tests of the house share: where things lie, what git tracks, how an import is found."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APP = ROOT / "app"
_LEFT_OUT = {".git", ".venv", "mutants", "var", "build", "node_modules"}


@lru_cache
def tracked() -> tuple[Path, ...]:
    """Every file that is or is about to be committed; in a tree without git, every file but the caches'."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"], cwd=ROOT, capture_output=True
    )
    if listed.returncode == 0:
        return tuple(path for name in listed.stdout.decode().split("\0") if name and (path := ROOT / name).is_file())
    found = (path for path in ROOT.rglob("*") if path.is_file())
    return tuple(path for path in found if not any(part in _LEFT_OUT for part in path.relative_to(ROOT).parts))


def texts(suffix: str = "") -> Iterator[tuple[str, str]]:
    """Each tracked text file under its name, binary ones left out."""
    for path in tracked():
        if path.name.endswith(suffix):
            content = path.read_bytes()
            if b"\0" not in content:
                yield str(path.relative_to(ROOT)), content.decode()


def modules(under: Path = APP) -> Iterator[tuple[str, ast.Module]]:
    """Each Python file under a folder, parsed, under its name."""
    for path in sorted(under.rglob("*.py")):
        yield str(path.relative_to(ROOT)), ast.parse(path.read_text(), str(path))
