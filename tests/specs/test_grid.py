"""The reader of spec grids refuses what a pathologist could mistype, with file and line."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.specs import grid
from tests.specs.grid import SpecError, micro, read, said

GOOD = """# A remark.
table band
given edition = x
row | her2 || band | cited
B1  | 6.0  || high | 1.4 [V S5]
"""

BROKEN = {
    "no grid": ("table band", "tabel band", ":2: a grid starts with 'table NAME' or 'cases TITLE'"),
    "no double bar": ("6.0  ||", "6.0  |", ":5: no '||' in the line"),
    "other size": ("|| high |", "|| high | low |", ":5: 2 || 3 cells under a header of other size"),
    "no citation": ("1.4 [V S5]", "figure two", ":5: no place is cited"),
    "no cited column": ("| cited", "| place", ":4: the last column must be 'cited'"),
    "no lines": ("B1  | 6.0  || high | 1.4 [V S5]\n", "", "a grid without lines"),
}


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(grid, "HERE", tmp_path)
    return tmp_path / "band.txt"


def test_a_sound_grid(path: Path) -> None:
    path.write_text(GOOD)
    (one,) = read(path)
    assert (one.kind, one.name, one.given) == ("table", "band", {"edition": "x"})
    (line,) = one.lines
    assert (line.name, line.given, line.expected) == ("B1", {"her2": "6.0"}, {"band": "high"})
    assert (line.cited, line.where) == ("1.4 [V S5]", "band.txt:5")


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_grid(kind: str, path: Path) -> None:
    old, new, message = BROKEN[kind]
    path.write_text(GOOD.replace(old, new))
    with pytest.raises(SpecError) as caught:
        read(path)
    assert message in str(caught.value)


def test_values_and_outputs() -> None:
    assert micro("1.999999") == 1_999_999
    with pytest.raises(SpecError, match="more than six places"):
        micro("1.9999999")
    assert [said(output) for output in (None, "", (), "high", ("A", "B"))] == ["-", "-", "-", "high", "A, B"]
