"""herald evidence as a curator types it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app
from app.evidence.library import load_pack, read_pack

HEADER = "Record ID,OriginalPaperDOI,OriginalPaperPubMedID,RetractionDate,RetractionNature\n"


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def evidence(*words: str) -> Result:
    return CliRunner().invoke(app, ["evidence", *words])


@pytest.fixture(name="begun")
def _begun(tmp_path: Path) -> Path:
    folder = tmp_path / "own"
    told = evidence("new-pack", str(folder), "--id", "own-source", "--title", 'Our "own" source {2024}')
    assert told.exit_code == 0, told.output
    return folder


def test_list_names_each_pack_with_its_releases() -> None:
    told = evidence("list")
    assert told.exit_code == 0
    for part in ("alataki-dowsett-2022", load_pack().version, "2026.1", load_pack().digest[:12]):
        assert part in told.stdout
    (one,) = json.loads(evidence("list", "--json").stdout)
    assert one["digest"] == load_pack().digest


def test_the_shipped_pack_passes_its_check() -> None:
    told = evidence("check")
    assert told.exit_code == 0
    assert "0 findings" in told.stdout


def test_a_new_pack_passes_its_check_and_carries_its_names(begun: Path) -> None:
    assert evidence("check", str(begun)).exit_code == 0
    pack = read_pack(begun)
    assert (pack.id, pack.title, pack.version) == ("own-source", 'Our "own" source {2024}', "1")


def test_a_new_pack_overwrites_nothing_and_tells_all_that_stands_against_it(begun: Path) -> None:
    told = evidence("new-pack", str(begun), "--id", "Own Source", "--title", " ")
    assert told.exit_code == 2
    for part in ("lower-case", "must be one line", "nothing is overwritten"):
        assert part in told.stderr
    assert "ships with Herald" in evidence("new-pack", str(begun), "--id", load_pack().id, "--title", "x").stderr


def test_check_tells_every_mistake_and_exits_1(begun: Path) -> None:
    path = begun / "considerations.toml"
    path.write_text(path.read_text().replace('for = ["example', 'fore = ["example'))
    (begun / "references.toml").write_text("[[reference]]\n")
    told = evidence("check", str(begun))
    assert told.exit_code == 1
    for part in ("unknown field 'fore'", "missing field 'for'", "missing field 'key'", "source names no reference"):
        assert part in told.stdout


def test_check_holds_a_pack_against_a_text(begun: Path, tmp_path: Path) -> None:
    review = tmp_path / "review.txt"
    review.write_text("Here stand at most eight words of the source.")
    assert evidence("check", str(begun), "--review", str(review)).exit_code == 0
    review.write_text("Nothing of it.")
    told = evidence("check", str(begun), "--review", str(review))
    assert told.exit_code == 1
    assert "does not stand in the text" in told.stdout
    assert evidence("check", str(begun), "--review", str(tmp_path / "none.txt")).exit_code == 2


def test_diff_tells_what_changed_between_a_release_and_a_folder(begun: Path, tmp_path: Path) -> None:
    released = tmp_path / "1.json"
    released.write_text(evidence("release", str(begun)).stdout)
    assert "no difference in content" in evidence("diff", str(released), str(begun)).stdout
    path = begun / "considerations.toml"
    path.write_text(path.read_text().replace("as a claim", "as a question"))
    told = evidence("diff", str(released), str(begun))
    assert told.exit_code == 0
    assert "title: One thing to weigh, as a claim -> One thing to weigh, as a question" in told.stdout
    document = json.loads(evidence("diff", str(released), str(begun), "--json").stdout)
    (entry,) = document["considerations"]["changed"]
    assert entry["id"] == "example-replace-me"
    assert document["statements"] == {"added": [], "removed": [], "changed": []}


def test_diff_knows_versions_by_name_and_says_which() -> None:
    assert "2026.1" in evidence("diff", "2026.1", load_pack().version).stdout
    told = evidence("diff", "2026.1", "1999.1")
    assert told.exit_code == 2
    assert "none of 2026.1" in told.stderr


def test_standings_prints_a_file_that_the_pack_loads_with(tmp_path: Path) -> None:
    work = load_pack().source
    export = tmp_path / "export.csv"
    export.write_bytes(f"{HEADER}1,{work.doi},0,1/2/2026 0:00,Expression of concern\n2,\xe9,0,,\n".encode("latin-1"))
    told = evidence("standings", str(export))
    assert told.exit_code == 0
    entries = {each["key"]: each for each in tomllib.loads(told.stdout)["standing"]}
    assert entries[work.key]["standing"] == "expression of concern"
    assert entries[work.key]["date"] == "2026-01-02"
    kept = {each.key for each in load_pack().references.values() if each.standing != "unknown"}
    assert set(entries) == kept | {work.key}


def test_checked_on_makes_works_with_a_doi_valid_as_of_that_day(tmp_path: Path) -> None:
    export = tmp_path / "export.csv"
    export.write_text(HEADER)
    entries = tomllib.loads(evidence("standings", str(export), "--checked-on", "2026-11-20").stdout)["standing"]
    valid = {each["key"] for each in entries if each["standing"] == "valid"}
    works = load_pack().references.values()
    assert valid == {work.key for work in works if work.doi and work.standing in ("unknown", "valid")}


@pytest.mark.parametrize(
    ("text", "more", "says"),
    [
        ("DOI,Date\n", (), "OriginalPaperDOI, OriginalPaperPubMedID"),
        (HEADER, ("--checked-on", "20.11.2026"), "not a day written YYYY-MM-DD"),
        (HEADER + "1,{doi},0,soon,Retraction\n", (), "RetractionDate 'soon' is not a date"),
    ],
)
def test_an_export_that_cannot_be_used_prints_nothing(
    tmp_path: Path, text: str, more: tuple[str, ...], says: str
) -> None:
    export = tmp_path / "export.csv"
    export.write_text(text.replace("{doi}", load_pack().source.doi or ""))
    told = evidence("standings", str(export), *more)
    assert (told.exit_code, told.stdout) == (2, "")
    assert says in told.stderr
