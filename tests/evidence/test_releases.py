"""A release is one file that is read back to the digit; two releases are told apart entry by entry, field by field."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.evidence.library import PACKS, PackError, load_pack, pack_ids
from app.evidence.releases import KINDS, Change, Changes, Release, difference, find, read, release_of, shipped, write

from .small import FILES, STATEMENTS

NONE = Changes((), (), ())


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        (tmp_path / "pack" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "pack" / name).write_text(text, encoding="utf-8")
    return tmp_path / "pack"


def changed(folder: Path, file: str, old: str, new: str) -> tuple[Release, Release]:
    """The folder as it was and with one place changed."""
    before = release_of(folder)
    text = (folder / file).read_text(encoding="utf-8")
    assert old in text
    (folder / file).write_text(text.replace(old, new, 1), encoding="utf-8")
    return before, release_of(folder)


def test_a_release_is_read_back_to_the_same_digest_and_the_same_bytes(folder: Path) -> None:
    release = release_of(folder)
    again = read(write(release))
    assert (again.id, again.version, again.digest) == ("small", "1", release.digest)
    assert write(again) == write(release)
    assert set(difference(release, again).values()) == {NONE}


def test_digits_are_kept(folder: Path) -> None:
    before, after = changed(folder, STATEMENTS, "ci95 = [1.34,", "ci95 = [1.340,")
    ((id_, (field,)),) = difference(before, read(write(after)))["statements"].changed
    assert (id_, field.field) == ("first-failure", "effect")
    assert (field.before[0]["ci95"], field.after[0]["ci95"]) == (["1.34", "1.57"], ["1.340", "1.57"])


def test_a_changed_field_is_told_before_and_after(folder: Path) -> None:
    found = difference(*changed(folder, STATEMENTS, "Few patients.", "Very few patients."))
    change = Change("caveats", ["Few patients."], ["Very few patients."])
    assert found.pop("statements") == Changes((), (), (("first-failure", (change,)),))
    assert set(found.values()) == {NONE}


def test_what_came_and_what_went_is_told(folder: Path) -> None:
    entry = '\n[[reference]]\nkey = "new-2020"\ncited_as = "New 2020"\nidentification = "candidate"\n'
    before, after = changed(folder, "references.toml", "\n[[reference]]", f"{entry}\n[[reference]]")
    assert difference(before, after)["references"] == Changes(("new-2020",), (), ())
    assert difference(after, before)["references"] == Changes((), ("new-2020",), ())


def test_a_new_standing_is_a_change_of_its_reference(folder: Path) -> None:
    found = difference(*changed(folder, "standings.toml", '"valid"', '"corrected"'))
    assert found["references"].changed == (("reviewer-2020", (Change("standing", "valid", "corrected"),)),)


@pytest.mark.parametrize(
    ("file", "old", "new", "kind"),
    [
        ("pack.toml", "With caution.", "With more caution.", "pack"),
        ("pack.toml", '["tamoxifen"]', '["tamoxifen", "nolvadex"]', "therapies"),
        ("pack.toml", "Nothing for this.", "Nothing at all.", "silences"),
        ("considerations.toml", "may do less", "may do more", "considerations"),
        (STATEMENTS, 'section = "metastatic"', 'section = "other"', "statements"),
    ],
)
def test_every_part_of_a_pack_is_compared(folder: Path, file: str, old: str, new: str, kind: str) -> None:
    found = difference(*changed(folder, file, old, new))
    assert [name for name in KINDS if found[name]] == [kind]


def test_line_breaks_are_no_difference(folder: Path) -> None:
    before, after = changed(folder, STATEMENTS, '"Cells resist."', '"""\nCells\nresist."""')
    assert set(difference(before, after).values()) == {NONE}


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("Few patients", "Many patients", "the file was changed"),
        ('"id":"small","version"', '"id":"other","version"', "not those of its content"),
        ('"format":2', '"format":3', "reads up to 2"),
        ('"format":2', '"form":2', "not a release"),
        ('{"content"', '["content"', "not JSON"),
        ('"1.45"', '"1.45x"', "not a decimal"),
    ],
)
def test_a_file_that_is_no_release_is_refused(folder: Path, old: str, new: str, says: str) -> None:
    text = write(release_of(folder)).rstrip()
    assert old in text
    with pytest.raises(PackError, match=says):
        read(text.replace(old, new))


def test_a_pack_with_a_mistake_is_not_released(folder: Path) -> None:
    (folder / "considerations.toml").write_text("", encoding="utf-8")
    with pytest.raises(PackError, match="no consideration"):
        release_of(folder)


@pytest.mark.parametrize("pack_id", pack_ids())
def test_the_shipped_releases_are_what_they_say_and_each_has_its_line_in_the_changelog(pack_id: str) -> None:
    pack = load_pack(pack_id)
    told = [each.version for each in pack.changelog]
    for path in (PACKS / pack_id / "releases").glob("*.json"):
        text = path.read_text(encoding="utf-8")
        release = read(text)
        assert (release.id, f"{release.version}.json") == (pack_id, path.name)
        assert write(release) == text
        assert release.version in told
        # What was released under a version stays that; a change needs a new version.
        assert release.version != pack.version or release.digest == pack.digest


def test_the_first_release_is_kept_with_its_digest_and_the_present_differs_from_it() -> None:
    first = shipped("alataki-dowsett-2022")["2026.1"]
    assert first.digest == "25c8c8c9f9c3ef18e503e8ed42f25ad23d9f7930a4d2c5f3cc4ae1b3c9b76862"
    found = difference(first, find("alataki-dowsett-2022"))
    assert any(found.values())
    # The word for how surely a work is identified was renamed; that alone changes no reference.
    assert not [each for _, fields in found["references"].changed for each in fields if each.field == "identification"]


def test_a_release_is_found_by_folder_file_or_version(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text(write(release_of(folder)), encoding="utf-8")
    assert find(str(folder)).digest == find(str(tmp_path / "1.json")).digest
    assert find("2026.1").version == "2026.1"
    with pytest.raises(LookupError, match=r"'2020\.1' is no folder of a pack"):
        find("2020.1")
    assert json.loads(write(find("2026.1")))["id"] == "alataki-dowsett-2022"
