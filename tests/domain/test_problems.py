"""What a message repeats of what was sent: a measurement or a known word, never what could name a patient."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.problems import named, shown

SHOWN: dict[Any, str] = {
    "1,8": "'1,8'", "2.0": "'2.0'", "-3": "'-3'", "<2.0": "'<2.0'", "≤ 2": "'≤ 2'", "1.8-2.2": "'1.8-2.2'",
    "1.8 – 2.2": "'1.8 – 2.2'", "": "''", "NaN": "'NaN'", "Positive": "'Positive'", "not amplified": "'not amplified'",
    "20.5": "'20.5'", -2.5: "'-2.5'", "Smith": "a text of 5 characters", "2024-000123": "a text of 11 characters",
    "12345678": "a text of 8 characters", "A1": "a text of 2 characters", "1.8 2.0": "a text of 7 characters",
    "12.3.1950": "a text of 9 characters", "1" * 25: "a text of 25 characters", 20201230123: "a number", "x" * 500:
    "a text of 500 characters", True: "true", False: "false", None: "none",
}  # fmt: skip


@pytest.mark.parametrize("value", SHOWN, ids=repr)
def test_what_is_shown(value: Any) -> None:
    assert shown(value) == SHOWN[value]


def test_things_are_named_by_their_kind() -> None:
    assert (shown([1]), shown({"a": 1}), shown(10**30)) == ("a list", "an object", "a number")
    assert shown("1." + "0" * 18) == "'1." + "0" * 18 + "'"
    assert shown("1." + "0" * 19) == "a text of 21 characters"


def test_the_longest_that_is_repeated() -> None:
    longest = "10000.1 - 20000.12345678"
    assert (len(longest), shown(longest)) == (24, f"'{longest}'")
    assert shown(longest + "9") == "a text of 25 characters"


NAMED = {
    ("ish", "her2copies"): "ish.her2copies", ("", "Name"): "Name", ("", "copies_x"): "copies_x", ("ish", "cep17-x"):
    "ish.cep17-x", ("ish", "x" * 40): "ish." + "x" * 40, ("ish", "x" * 41): "ish.?", ("ish", "Erika Muster"): "ish.?",
    ("ish", "2ratio"): "ish.?", ("", "00482913"): "?", ("cluster", "p123"): "cluster.?",
    ("cluster", "p12"): "cluster.p12", ("", ""): "?", ("ish", "größe"): "ish.?", ("ish", "a.b"): "ish.?",
}  # fmt: skip


@pytest.mark.parametrize(("where", "name"), NAMED)
def test_an_unknown_key(where: str, name: str) -> None:
    assert named(where, name) == NAMED[where, name]
