"""The pack against its source's text, with a made-up text."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.evidence import check
from app.evidence.check import Finding, check_against_text

from .small import STATEMENTS, small_pack

# Broken over lines, hyphenated, with other dashes and blanks: as text copied from a printed page is.
TEXT = """In TRIAL-7 the rela-
tive   risk was 1.45 (95% CI, 1.34–1.57; P < 0.00001) (First et  al. 1999,
2001). After five years the rates were 33 and
49% (P = 0.49). In the laboratory cells re\u00adsist.
"""


def messages(text: str, **change: str) -> list[tuple[str, str]]:
    return [(each.statement, each.what) for each in check_against_text(small_pack(**change), text)]


def test_a_text_that_bears_it_out() -> None:
    assert check_against_text(small_pack(), TEXT) == []


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ("1.45", "1.54", ("first-failure", "number")),
        ("1.57", "1.570", ("first-failure", "number")),
        ("1.45", "11.45", ("first-failure", "number")),
        ("P = 0.49", "P = 0.049", ("first-no-failure", "number")),
        ("five", "some", ("first-no-failure", "number")),
        ("2001", "2001b", ("first-failure", "citation")),
        ("First et", "Second et", ("first-failure", "citation")),
        ("the rates were", "the shares were", ("first-no-failure", "locator")),
        ("cells re", "cells resist, cells re", ("in-cells", "locator")),
    ],
)
def test_a_text_that_says_otherwise(old: str, new: str, found: tuple[str, str]) -> None:
    assert old in TEXT
    assert messages(TEXT.replace(old, new)) == [found]


def test_a_number_of_another_passage_does_not_count() -> None:
    away = TEXT.replace("1.45", "1.54") + "word " * 1000 + "1.45"
    assert messages(away) == [("first-failure", "number")]


def test_thousands_may_be_parted() -> None:
    effect = '[[statement.effect]]\nmeasure = "count"\nendpoint = "x"\nvalue = 1900\nunit = "trials"'
    locator = 'locator = "cells resist"'
    change = {"file": STATEMENTS, "old": locator, "new": f"{locator}\n{effect}"}
    assert messages(TEXT + "1,900", **change) == []
    assert messages(TEXT + "19,001", **change) == [("in-cells", "number")]


def test_what_is_said_names_the_place() -> None:
    (finding,) = check_against_text(small_pack(), TEXT.replace("the rates were", "elsewhere"))
    assert finding == Finding("first-no-failure", "locator", "'the rates were' does not stand in the text")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(check, "load_pack", small_pack)
    path = tmp_path / "text"
    path.write_text(TEXT, encoding="utf-8")
    assert check.main([str(path)]) == 0
    assert capsys.readouterr().out == "3 statements of small checked, 0 findings\n"
    path.write_text("", encoding="utf-8")
    assert check.main([str(path)]) == 1
    assert "in-cells: locator: " in capsys.readouterr().out
    assert check.main([]) == 2
