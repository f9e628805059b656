"""herald import as its users type it: counts, the file beside it with the problems, exit codes."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, sqlite_template: Path) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "cli.sqlite3")
    monkeypatch.setenv("HERALD_DATABASE_URL", f"sqlite:///{tmp_path}/cli.sqlite3")
    monkeypatch.setenv("NO_COLOR", "1")


def herald(*words: object) -> Result:
    return CliRunner().invoke(app, ["import", *map(str, words)])


def counted(told: Result) -> dict[str, str]:
    return dict(line.split() for line in told.stdout.splitlines() if len(line.split()) == 2)


def test_a_template_is_recorded_and_a_second_time_changes_nothing(tmp_path: Path) -> None:
    file = shutil.copy(EXAMPLES / "import_laboratory.csv", tmp_path)
    words = (file, "--mapping", EXAMPLES / "import_laboratory.toml", "--laboratory", "North")
    first, again = herald(*words), herald(*words)
    assert (first.exit_code, again.exit_code) == (0, 0), first.output
    assert {"state": "recorded", "rows": "3", "recorded": "3", "refused": "0"}.items() <= counted(first).items()
    assert first.stdout == again.stdout


def test_refused_rows_exit_2_and_stand_in_the_file_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("patient,specimen.accession,ihc.score\nP-1,E-1,3+\nP-2,E-2,much\n")
    told = herald(file)
    assert told.exit_code == 2
    assert {"state": "recorded_in_part", "recorded": "1", "refused": "1"}.items() <= counted(told).items()
    assert "UNKNOWN_SCORE" in told.stderr
    header, good, bad = csv.reader((tmp_path / "rows.problems.csv").open())
    assert header[-2:] == ["herald.status", "herald.problem"]
    assert good[-2:] == ["positive", ""]
    assert bad[-2] == "refused"
    assert bad[-1].startswith("UNKNOWN_SCORE: ihc.score: ")


def test_a_dry_run_tells_each_row_and_writes_nothing(tmp_path: Path) -> None:
    file = Path(shutil.copy(EXAMPLES / "import.csv", tmp_path))
    told = herald(file, "--dry-run")
    assert told.exit_code == 0
    assert "positive" in told.stdout
    assert not (tmp_path / "import.problems.csv").exists()


@pytest.mark.parametrize(
    ("name", "text", "words", "told"),
    [
        ("rows.doc", "", (), "no suffix of a table"),
        ("rows.csv", "a,b\n1,2\n", (), "no column holds an IHC score"),
        ("rows.csv", "ihc.score\n3+\n", ("--dry-run",), "NO_PATIENT"),
        ("rows.csv", "ihc.score\n3+\n", ("--mapping", "none"), "the mapping none can't be read"),
    ],
)
def test_a_file_that_cannot_be_imported_exits_2_with_the_reason(
    tmp_path: Path, name: str, text: str, words: tuple[str, ...], told: str
) -> None:
    (tmp_path / name).write_text(text)
    answer = herald(tmp_path / name, *words)
    assert answer.exit_code == 2
    assert told in answer.stderr
    assert "Traceback" not in answer.output
