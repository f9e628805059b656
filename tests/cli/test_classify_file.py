"""herald classify-file: nothing dropped, row numbers right, whole files or none."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app


@pytest.fixture(autouse=True)
def _plain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")


def classify(path: Path, content: str, *options: str) -> Result:
    path.write_text(content)
    return CliRunner().invoke(app, ["classify-file", str(path), *options])


def lines(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if path.suffix == ".tsv" else ","))


ODD = (
    "case,ihc,ratio,copies\n"
    '"a\nb",2+,1.2,3.0\n'  # a quoted line end
    "c,positive,1.2,3.0\n"
    "d,2+,1.2\n"  # a cell short
    "\n"
    ",,,\n"
    'e,2+,"2,2",abc\n'
)


def test_every_row_is_in_the_output_and_every_problem_has_its_place(tmp_path: Path) -> None:
    told = classify(tmp_path / "t.csv", ODD)
    assert told.exit_code == 0, told.output
    answers, problems = lines(tmp_path / "t.answers.csv"), lines(tmp_path / "t.problems.csv")
    assert [(row["row"], row["line"], row["case"], row["status"]) for row in answers] == [
        ("2", "2", "a\nb", "negative"),
        ("3", "4", "c", "invalid"),
        ("4", "5", "d", "invalid"),
        ("6", "7", "", "pending"),
        ("7", "8", "e", "invalid"),
    ]
    assert [(row["row"], row["column"], row["value"], row["code"]) for row in problems] == [
        ("3", "ihc", "positive", "UNKNOWN_SCORE"),
        ("4", "", "", "WRONG_TYPE"),
        ("7", "ratio", "2,2", "MALFORMED_NUMBER"),
        ("7", "copies", "abc", "MALFORMED_NUMBER"),
    ]
    assert all(row["message"] and row["remedy"] and row["effect"] == "invalid" for row in problems)
    for count in (r"rows in\s+5", r"rows out\s+5", r"invalid\s+3", r"blank lines\s+1"):
        assert re.search(count, told.stdout), count


def test_an_answer_stands_with_all_that_explains_it(tmp_path: Path) -> None:
    classify(tmp_path / "t.tsv", "case\tihc\tratio\tcopies\tstatus\nx\t2+\t1.5\t4.5\tPositive\n")
    (row,) = lines(tmp_path / "t.answers.tsv")
    assert row["file.status"] == "Positive"
    assert (row["status"], row["final"], row["ish_group"], row["her2_low"]) == ("pending", "false", "4", "undetermined")
    assert row["next_steps"] == "blinded_recount_ihc2_area"
    assert row["flags"] == "CELLS_NOT_REPORTED"
    assert "dual:dual[4, 2+]" in row["rows"]
    assert (row["edition"], len(row["edition_digest"]), len(row["evidence_digest"])) == ("asco-cap-2018", 64, 64)
    assert (row["review_required"], row["retest"], row["comment"], row["problems"]) == ("false", "", "", "")


def test_what_is_still_possible_is_told_way_by_way(tmp_path: Path) -> None:
    classify(tmp_path / "t.csv", "ihc,ratio\n2+,2.6\n")
    (row,) = lines(tmp_path / "t.answers.csv")
    assert row["possible"].count(" | ") == 1
    assert "positive if dual probe" in row["possible"]


def test_an_edition_is_for_all_rows_and_not_beside_a_column(tmp_path: Path) -> None:
    told = classify(tmp_path / "t.csv", "ihc,ratio,copies\n2+,1.5,4.5\n", "--edition", "asco-cap-2013")
    assert told.exit_code == 0
    (row,) = lines(tmp_path / "t.answers.csv")
    assert (row["status"], row["edition"]) == ("equivocal", "asco-cap-2013")
    told = classify(tmp_path / "u.csv", "ihc,edition\n2+,asco-cap-2007\n", "--edition", "asco-cap-2013")
    assert told.exit_code == 2
    assert "in a column" in told.stderr
    assert classify(tmp_path / "t.csv", "ihc\n2+\n", "--edition", "2018").exit_code == 2


def test_a_misspelt_field_is_carried_along_and_said_so(tmp_path: Path) -> None:
    told = classify(tmp_path / "t.csv", "ihc,raito\n2+,2.4\n")
    assert "carried through, not read: raito" in told.stderr
    assert "did you mean ratio" in told.stderr


def test_a_cell_read_as_otherwise_is_noted_and_its_row_answered(tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text(
        '[columns]\nihc = "ihc"\nER = { field = "context.er", values = { P = "positive" }, otherwise = "unknown" }\n'
    )
    told = classify(tmp_path / "t.csv", "ihc,ER\n3+,strong\n", "--mapping", str(tmp_path / "m.toml"))
    (problem,) = lines(tmp_path / "t.problems.csv")
    assert (problem["effect"], problem["column"], problem["value"]) == ("noted", "ER", "strong")
    assert lines(tmp_path / "t.answers.csv")[0]["status"] == "positive"
    assert "answered with a note" in told.stdout


@pytest.mark.parametrize(
    ("content", "options", "words"),
    [
        ("a,b\n1,2\n", [], "no column holds an IHC score"),
        ("", [], "holds no header"),
        ("ihc\n2+\n", ["--mapping", "nowhere.toml"], "tcga-brca"),
        ("ihc\n2+\n", ["--encoding", "nothing"], "no encoding nothing"),
        ("ihc\n2+\n", ["--delimiter", "x"], "is not a delimiter"),
        ('case,ihc\n"a,2+\n', [], "--no-quotes"),
        ("ihc\n2+\n", ["--out", "missing-folder/out.csv"], "can't be written"),
    ],
)
def test_what_cannot_be_done_leaves_no_file_and_exits_2(
    content: str, options: list[str], words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = classify(tmp_path / "t.csv", content, *options)
    assert told.exit_code == 2
    assert words in told.stderr
    assert "Traceback" not in told.output
    assert [path.name for path in tmp_path.iterdir()] == ["t.csv"]


def test_the_file_itself_is_never_written_over(tmp_path: Path) -> None:
    told = classify(tmp_path / "t.csv", "ihc\n2+\n", "--out", str(tmp_path / "t.csv"))
    assert told.exit_code == 2
    assert (tmp_path / "t.csv").read_text() == "ihc\n2+\n"
