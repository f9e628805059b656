"""The command as its users type it: output, problems, exit codes, nothing dropped."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import time_machine
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
    assert "changes of status between specimens" in first.stdout
    again = herald("demo", "--patients", "58").stdout
    assert "were there already" in again
    # Nothing doubled: the counts are the same, those of what is open included.
    assert again.split("Refused")[0].startswith(first.stdout.split("Refused")[0].strip())
    # Another seed is other patients.
    assert "were there already" not in herald("demo", "--patients", "3", "--seed", "2").stdout


def test_the_editions_are_listed_and_shown() -> None:
    assert "asco-cap-2013" in herald("guideline", "list").stdout
    assert "second count" in herald("guideline", "show", "asco-cap-2018", "--table", "dual").stdout
    assert herald("guideline", "show", "asco-cap-1999").exit_code == 2


def test_a_demo_made_again_after_months_doubles_nothing() -> None:
    with time_machine.travel("2026-01-05T10:00:00Z"):
        first = herald("demo", "--patients", "3").stdout
    with time_machine.travel("2026-09-05T10:00:00Z"):
        again = herald("demo", "--patients", "3").stdout
    assert "results 3" in " ".join(first.split())
    assert "3 were there already" in again


@pytest.mark.parametrize("edition", ["asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007"])
def test_every_table_of_an_edition_is_drawn(edition: str) -> None:
    told = herald("guideline", "show", edition)
    assert told.exit_code == 0, told.exception
    document = json.loads(herald("guideline", "show", edition, "--json").stdout)
    assert [table["title"] for table in document["tables"] if table["title"] not in told.stdout] == []


def test_what_a_command_cannot_do_is_told_in_words(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "twice.json").write_text('{"ihc": "2+", "ihc": "3+"}')
    for words, told in (
        (("serve", "--workers", "2"), "needs PostgreSQL"),
        (("classify", "--input", str(tmp_path / "none.json")), "can't be read"),
        (("classify", "--input", str(tmp_path / "twice.json")), "a key twice"),
        (("classify", "--ihc", "3+", "--input", "-"), "a whole case"),
        (("guideline", "show", "asco-cap-2018", "--table", "duel"), "did you mean dual?"),
    ):
        answer = herald(*words)
        assert (answer.exit_code, told in answer.stderr) == (2, True), (words, answer.output)
    monkeypatch.setenv("HERALD_PORT", "many")
    answer = herald("serve")
    assert answer.exit_code == 2
    assert "HERALD_PORT" in answer.stderr


def test_a_refusal_with_json_is_the_problem_document_of_the_api() -> None:
    told = herald("classify", "--ihc", "2+", "--ratio", "2.2", "--copies", "3.2", "--cep17", "2.7", "--json")
    assert told.exit_code == 2
    problem = json.loads(told.stdout)
    assert (problem["type"], problem["status"]) == ("urn:herald:problem:invalid", 422)
    assert [each["code"] for each in problem["problems"]] == ["RATIO_MISMATCH"]
    assert "RATIO_MISMATCH" in told.stderr


def test_considerations_are_shown_where_a_context_is_given() -> None:
    told = herald("classify", "--ihc", "3+", "--er", "positive", "--setting", "metastatic")
    assert "Considerations" in told.stdout
    assert "certainty" in told.stdout
    assert "Considerations" not in herald("classify", "--ihc", "3+").stdout


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
