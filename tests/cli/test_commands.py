"""The command as its users type it: output, problems, exit codes, nothing dropped."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from app.cli import app

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(autouse=True)
def _settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HERALD_DATABASE_URL", f"sqlite:///{tmp_path}/cli.sqlite3")
    monkeypatch.setenv("NO_COLOR", "1")


def herald(*words: str, sent: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=sent)


def test_classify_shows_status_path_and_versions() -> None:
    told = herald("classify", "--ihc", "2+", "--ratio", "1.8", "--copies", "4.5")
    assert told.exit_code == 0
    for part in ("P E N D I N G", "not final", "blinded_recount_ihc2_area", "dual[4, 2+]", "asco-cap-2018", "2022"):
        assert part in told.stdout
    assert "\x1b[" not in told.stdout


def test_classify_json_is_the_answer_of_the_api() -> None:
    told = herald("classify", "--ihc", "1+", "--ratio", "1.10", "--copies", "2.0", "--json")
    answer = json.loads(told.stdout)
    assert (answer["status"], answer["final"], answer["her2_low"]) == ("negative", True, "low")
    assert answer["measured"][1] == {
        "name": "her2_copies",
        "value": "2.0",
        "unit": "signals per cell",
        "basis": "reported",
    }


def test_an_invalid_case_exits_2_and_names_every_field() -> None:
    told = herald("classify", "--ihc", "positive", "--ratio", "2,1")
    assert told.exit_code == 2
    assert "UNKNOWN_SCORE" in told.stderr
    assert "ish.ratio" in told.stderr
    assert "Traceback" not in told.output


def test_a_whole_case_is_read_from_a_file_and_from_standard_input(tmp_path: Path) -> None:
    case = '{"ihc": "2+", "ish": {"her2_signals": 143, "cep17_signals": 48, "cells": 30}}'
    (tmp_path / "case.json").write_text(case)
    by_file = json.loads(herald("classify", "--input", str(tmp_path / "case.json"), "--json").stdout)
    by_pipe = json.loads(herald("classify", "--input", "-", "--json", sent=case).stdout)
    assert by_file == by_pipe
    assert by_file["ish_group"] == 1


def test_the_published_example_of_a_table_passes_and_no_row_is_dropped(tmp_path: Path) -> None:
    out, problems = tmp_path / "out.csv", tmp_path / "problems.csv"
    files = ("--out", str(out), "--problems", str(problems))
    told = herald("classify-file", str(EXAMPLES / "results.csv"), "--mapping", str(EXAMPLES / "results.toml"), *files)
    assert told.exit_code == 0
    answered = list(csv.DictReader(out.open()))
    assert [row["status"] for row in answered] == ["negative", "positive", "positive", "invalid"]
    assert [row["row"] for row in answered] == ["2", "3", "4", "5"]
    (problem,) = csv.DictReader(problems.open())
    assert (problem["row"], problem["column"], problem["code"]) == ("5", "Score", "UNKNOWN_SCORE")


def test_an_unknown_column_of_a_mapping_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("a,b\n1,2\n")
    (tmp_path / "m.toml").write_text('[columns]\nScore = "ihc.score"\n')
    told = herald("classify-file", str(tmp_path / "t.csv"), "--mapping", str(tmp_path / "m.toml"))
    assert told.exit_code == 2
    assert "Score" in told.stderr


def test_the_demo_covers_every_group_and_status_and_is_not_stored_twice() -> None:
    first = herald("demo", "--patients", "58")
    assert first.exit_code == 0
    kinds = [f"ISH group {group}" for group in range(1, 6)]
    kinds += [f"status {word}" for word in ("positive", "negative", "pending", "equivocal", "indeterminate")]
    kinds += ["recounts", "adjudications", "amendments", "sign-offs", "open steps now", "SYNTHETIC"]
    kinds += ["IMPLAUSIBLE_VALUE", "RATIO_MISMATCH"]
    assert [kind for kind in kinds if kind not in first.stdout] == []
    assert "were there already" in herald("demo", "--patients", "58").stdout


def test_the_editions_are_listed_and_shown() -> None:
    assert "asco-cap-2013" in herald("guideline", "list").stdout
    assert "second count" in herald("guideline", "show", "asco-cap-2018", "--table", "dual").stdout
    assert herald("guideline", "show", "asco-cap-1999").exit_code == 2


def test_the_contract_is_printed_and_compared(tmp_path: Path) -> None:
    contract = herald("openapi").stdout
    assert json.loads(contract)["info"]["title"] == "Herald"
    (tmp_path / "kept.json").write_text(contract)
    assert herald("openapi", "--check", str(tmp_path / "kept.json")).exit_code == 0
    (tmp_path / "kept.json").write_text("{}\n")
    assert herald("openapi", "--check", str(tmp_path / "kept.json")).exit_code == 1


def test_a_database_that_cannot_be_opened_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HERALD_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    told = herald("migrate")
    assert told.exit_code == 1
    assert "secret" not in told.output
    assert "Traceback" not in told.output
