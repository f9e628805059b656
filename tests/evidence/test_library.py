"""A pack is refused for every kind of curator's mistake, with words that lead to the place."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from app.domain.evidence import PValue
from app.evidence.library import PackError, build_pack, digest, load_pack, pack_ids, read_pack

from .small import FILES, METASTATIC, STATEMENTS, documents, small_pack

PACK, REFERENCES, WEIGHED, STANDING = "pack.toml", "references.toml", "considerations.toml", "standings.toml"
MISTAKES = tomllib.loads((Path(__file__).parent / "mistakes.toml").read_text(encoding="utf-8"))["mistake"]


@pytest.mark.parametrize("mistake", MISTAKES, ids=[mistake["what"] for mistake in MISTAKES])
def test_a_mistake_is_refused_with_its_place(mistake: dict[str, Any]) -> None:
    old = FILES[mistake["file"]] if mistake["old"] == "*" else mistake["old"]
    with pytest.raises(PackError) as refused:
        small_pack(mistake["file"], old, mistake["new"])
    problems = refused.value.problems
    assert any(all(word in problem for word in mistake["says"]) for problem in problems), problems


def test_the_small_pack_loads() -> None:
    pack = small_pack()
    assert list(pack.statements) == ["first-failure", "first-no-failure", "in-cells"]
    assert pack.statements["first-failure"].effects[0].p == PValue("<", Decimal("0.00001"))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (STATEMENTS, '"cells resist"', '"one two three four five six seven eight"'),
        (STATEMENTS, "Cells resist.", "HER2, Ki67 and ESR1 of TRIAL-7 are names."),
        (WEIGHED, '"Tamoxifen may do less"', '"In 2001 tamoxifen did less: 1.45 in TRIAL-7"'),
        (PACK, '["TRIAL-7"]', '["TRIAL", "TRIAL-7"]'),
    ],
)
def test_what_is_no_mistake(file: str, old: str, new: str) -> None:
    assert small_pack(file, old, new)


def test_a_number_with_thousands_parted_is_the_same_number() -> None:
    broken = documents(STATEMENTS, "value = 1.45\nci95 = [1.34, 1.57]", "value = 1450")
    broken[STATEMENTS]["statement"][0]["summary"] = "It was 1,450."
    assert build_pack(broken)


def test_all_mistakes_are_told_at_once() -> None:
    broken = documents(STATEMENTS, 'direction = "less benefit"', 'direction = "useless"')
    del broken["considerations.toml"]["consideration"][1]["against_note"]
    with pytest.raises(PackError) as refused:
        build_pack(broken)
    assert len(refused.value.problems) == 2
    assert str(refused.value) == "\n".join(refused.value.problems)


def test_a_binary_float_is_refused() -> None:
    broken = documents()
    broken[STATEMENTS]["statement"][0]["effect"][0]["value"] = 1.45
    with pytest.raises(PackError, match=r"binary float \(1\.45\).*parse_float=Decimal"):
        build_pack(broken)


def _write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def test_a_duplicated_key_is_refused_with_its_file(tmp_path: Path) -> None:
    twice = METASTATIC.replace("value = 1.45\n", "value = 1.45\nvalue = 1.54\n")
    with pytest.raises(PackError, match=r"statements/1-metastatic\.toml: not TOML: .*line \d+"):
        read_pack(_write(tmp_path, {**FILES, STATEMENTS: twice}))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"references\.toml: the file is missing"):
        read_pack(_write(tmp_path, {name: text for name, text in FILES.items() if name != REFERENCES}))


def test_a_file_that_is_not_text_is_named(tmp_path: Path) -> None:
    (_write(tmp_path, FILES) / PACK).write_bytes(b'id = "\xff"')
    with pytest.raises(PackError, match=r"pack\.toml: not TOML"):
        read_pack(tmp_path)


def test_reading_a_folder_is_building_from_its_files(tmp_path: Path) -> None:
    assert read_pack(_write(tmp_path, FILES)).digest == small_pack().digest


def _same_content(value: Any) -> Any:
    """Keys the other way round, blanks doubled and lines broken."""
    if isinstance(value, dict):
        return {key: _same_content(value[key]) for key in reversed(list(value))}
    if isinstance(value, list):
        return [_same_content(each) for each in value]
    return f"\n {value.replace(' ', '  ')} " if isinstance(value, str) else value


def test_digest_is_blind_to_layout() -> None:
    assert digest(_same_content(documents())) == digest(documents())
    assert small_pack(STATEMENTS, "section", "# a comment\n\nsection").digest == small_pack().digest


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        (STATEMENTS, "1.34", "1.33"),
        (STATEMENTS, "1.34", "1.340"),
        (STATEMENTS, "Few patients", "Many patients"),
        (WEIGHED, "may do less", "may do more"),
        (REFERENCES, "10.1000/small", "10.1000/smaller"),
        (PACK, "The first.", "The very first."),
        (STANDING, '"valid"', '"corrected"'),
        (PACK, '["tamoxifen"]', '["tamoxifen", "nolvadex"]'),
    ],
)
def test_digest_changes_with_content(file: str, old: str, new: str) -> None:
    assert small_pack(file, old, new).digest != small_pack().digest


def test_shipped_packs_load_once() -> None:
    assert pack_ids() == ("alataki-dowsett-2022",)
    assert load_pack() is load_pack()
    with pytest.raises(KeyError):
        load_pack("no-such")


def test_printed_digits_are_kept() -> None:
    (effect,) = load_pack().statements["delaurentiis-2005-tamoxifen"].effects
    assert [f"{end:f}" for end in effect.ci95 or ()] == ["1.29", "1.70"]


def test_nothing_of_a_pack_is_a_float() -> None:
    for statement in load_pack().statements.values():
        for effect in statement.effects:
            values = [getattr(effect, field.name) for field in fields(effect)]
            assert not any(isinstance(value, float) for value in values)
            assert all(isinstance(number, Decimal) for number in effect.numbers())
