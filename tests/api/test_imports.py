"""POST /imports: a file kept, its rows recorded once, what was refused told by its row, the file given back."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter
from fastapi import FastAPI

from app.services.imports import CHUNK, Imports, upload
from tests.fixtures_service import Service, Start

EXAMPLES = Path(__file__).parents[2] / "examples"
CSV, TSV = "text/csv", "text/tab-separated-values"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PARQUET = "application/vnd.apache.parquet"
HEADER = ("patient", "specimen.accession", "specimen.block", "ihc.score", "ish.assay", "ish.ratio", "ish.her2_copies")
EQUIVOCAL = ("P-1", "E-1", "A1", "2+", "", "", "")
NEGATIVE = ("P-2", "E-2", "A1", "2+", "dual_probe", "1.10", "2.40")
SCORELESS = ("P-3", "E-3", "A1", "much", "", "", "")


def table(*rows: tuple[str, ...], header: tuple[str, ...] = HEADER) -> bytes:
    return "".join(",".join(cells) + "\n" for cells in (header, *rows)).encode()


def excel(*rows: tuple[str, ...]) -> bytes:
    """A workbook whose numbers are numbers, shown with two decimals."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(file, {"in_memory": True}) as book:
        page, two = book.add_worksheet(), book.add_format({"num_format": "0.00"})
        for at, cells in enumerate((HEADER, *rows)):
            for column, cell in enumerate(cells):
                if "." in cell and at:
                    page.write_number(at, column, float(cell), two)
                else:
                    page.write_string(at, column, cell)
    return file.getvalue()


def parquet(*rows: tuple[str, ...]) -> bytes:
    file = io.BytesIO()
    columns = [pa.array(each, pa.string()) for each in zip(*rows, strict=True)]
    pq.write_table(pa.Table.from_arrays(columns, names=list(HEADER)), file)
    return file.getvalue()


def post(service: Service, data: bytes, kind: str = CSV, query: str = "") -> Any:
    return service.post(f"/imports{query}", content=data, headers={"Content-Type": kind})


def ended(service: Service, location: str) -> dict[str, Any]:
    """The report once the job has ended."""
    for _ in range(600):
        report: dict[str, Any] = service.get(location).json()
        if report["state"] != "processing":
            return report
        time.sleep(0.05)
    raise AssertionError(f"still at work: {report}")


def imported(service: Service, data: bytes, kind: str = CSV, query: str = "") -> dict[str, Any]:
    answer = post(service, data, kind, query)
    assert answer.status_code == 202, answer.text
    return ended(service, answer.headers["location"])


def counts(report: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(report[name] for name in ("state", "rows", "done", "recorded", "refused"))


def results(service: Service) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = service.get("/results?limit=500").json()["items"]
    return found


@pytest.mark.parametrize(("kind", "made"), [(CSV, table), (XLSX, excel), (PARQUET, parquet)])
def test_the_rows_of_a_file_become_results_with_the_digits_as_written(service: Service, kind: str, made: Any) -> None:
    report = imported(service, made(EQUIVOCAL, NEGATIVE), kind, "?sender=lab&laboratory=North")
    assert counts(report) == ("recorded", 2, 2, 2, 0)
    assert (report["progress_percent"], report["problems"]) == (100, [])
    by_accession = {each["accession"]: each for each in results(service)}
    assert {name: each["status"] for name, each in by_accession.items()} == {"E-1": "equivocal", "E-2": "negative"}
    assert by_accession["E-2"]["laboratory"] == "North"
    stored = service.get(f"/results/{by_accession['E-2']['id']}").json()["input"]
    assert (stored["ish"]["ratio"], stored["ish"]["her2_copies"]) == ("1.10", "2.40")


def test_a_refused_row_is_told_by_its_number_and_column_and_the_others_are_recorded(service: Service) -> None:
    nobody, caseless = ("", "E-4", "A1", "1+", "", "", ""), ("P-5", "", "A1", "1+", "", "", "")
    data = table(EQUIVOCAL, SCORELESS, ("",) * 7, nobody, caseless, ("P-6", "E-6"))
    report = imported(service, data)
    assert counts(report) == ("recorded_in_part", 5, 5, 1, 4)
    told = [(each["row"], each["column"], each["code"]) for each in report["problems"]]
    assert told == [
        (3, "ihc.score", "UNKNOWN_SCORE"),
        (5, "patient", "NO_PATIENT"),
        (6, "specimen.accession", "NO_ACCESSION"),
        (7, "", "WRONG_TYPE"),
    ]
    assert "much" not in str(report)
    assert len(results(service)) == 1


@pytest.mark.parametrize("kind", [CSV, TSV, XLSX])
def test_the_file_is_given_back_with_status_and_problems_and_can_be_mended_and_sent_again(
    service: Service, kind: str
) -> None:
    plain = table(NEGATIVE, SCORELESS)
    data = {CSV: plain, TSV: plain.replace(b",", b"\t"), XLSX: excel(NEGATIVE, SCORELESS)}[kind]
    report = imported(service, data, kind)
    back = service.get(f"/imports/{report['id']}/file")
    assert back.headers["content-type"].split(";")[0] == kind
    if kind == XLSX:
        again = imported(service, back.content, kind)
        assert counts(again) == ("recorded_in_part", 2, 2, 1, 1)
        return
    rows = list(csv.reader(io.StringIO(back.text), delimiter="\t" if kind == TSV else ","))
    assert rows[0] == [*HEADER, "herald.status", "herald.problem"]
    assert rows[1] == [*NEGATIVE, "negative", ""]
    assert rows[2][:-1] == [*SCORELESS, "refused"]
    assert rows[2][-1].startswith("UNKNOWN_SCORE: ihc.score: ")
    mended = imported(service, back.content.replace(b"much", b"3+"), kind)
    assert (mended["recorded"], mended["changed"], len(results(service))) == (2, 1, 2)


def test_the_same_file_again_is_the_same_import_and_doubles_nothing(service: Service) -> None:
    data = table(EQUIVOCAL, NEGATIVE)
    first, again = imported(service, data), imported(service, data)
    assert first == again
    assert [each["version"] for each in results(service)] == [1, 1]


def test_a_changed_row_is_a_new_version_and_an_identical_row_changes_nothing(service: Service) -> None:
    imported(service, table(EQUIVOCAL, NEGATIVE))
    report = imported(service, table((*EQUIVOCAL[:4], "dual_probe", "2.30", "6.10"), NEGATIVE))
    assert (report["recorded"], report["changed"]) == (2, 1)
    found = {each["accession"]: (each["version"], each["status"]) for each in results(service)}
    assert found == {"E-1": (2, "positive"), "E-2": (1, "negative")}


def test_a_value_of_an_earlier_file_whose_cell_is_empty_now_waits_for_a_word(service: Service) -> None:
    imported(service, table(NEGATIVE))
    report = imported(service, table((*NEGATIVE[:4], "dual_probe", "", "2.40")))
    told = [(each["row"], each["column"], each["code"]) for each in report["problems"]]
    assert told == [(2, "ish.ratio", "AMBIGUOUS")]
    assert [(each["version"], each["status"]) for each in results(service)] == [(1, "negative")]


def test_a_column_that_is_left_out_says_nothing_of_an_earlier_value(service: Service) -> None:
    imported(service, table(NEGATIVE))
    report = imported(service, table((*NEGATIVE[:3], "2+", "positive"), header=(*HEADER[:4], "context.er")))
    assert (report["state"], report["changed"]) == ("recorded", 1)
    (result,) = results(service)
    assert service.get(f"/results/{result['id']}").json()["input"]["ish"]["ratio"] == "1.10"


def test_a_case_that_stands_with_another_patient_is_refused(service: Service) -> None:
    imported(service, table(EQUIVOCAL))
    report = imported(service, table(("P-9", *EQUIVOCAL[1:])))
    assert [(each["row"], each["code"]) for each in report["problems"]] == [(2, "PATIENT_DIFFERS")]
    assert "P-9" not in str(report)
    assert [each["version"] for each in results(service)] == [1]


def test_the_same_number_of_two_senders_is_two_patients(service: Service) -> None:
    imported(service, table(EQUIVOCAL), query="?sender=one")
    imported(service, table(EQUIVOCAL), query="?sender=two")
    assert len({each["patient_id"] for each in results(service)}) == 2


def test_rows_of_one_file_that_contradict_each_other_are_all_refused(service: Service) -> None:
    report = imported(service, table(EQUIVOCAL, (*EQUIVOCAL[:3], "3+", "", "", ""), NEGATIVE, NEGATIVE))
    assert [(each["row"], each["code"]) for each in report["problems"]] == [(2, "CONTRADICTORY"), (3, "CONTRADICTORY")]
    assert (report["recorded"], len(results(service))) == (2, 1)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (table(header=HEADER), "no row"),
        (table(("1+",), header=("ihc.score",)), "column patient; the file has: ihc.score"),
        (table(("P", "E"), header=("patient", "specimen.accession")), "the file has: patient, specimen.accession"),
        (b"\xff\xfe\xfa", "utf-16"),
    ],
)
def test_a_file_that_is_no_such_table_waits_with_the_reason(service: Service, data: bytes, told: str) -> None:
    report = imported(service, data)
    assert counts(report) == ("quarantined", 0, 0, 0, 0)
    said = " ".join(f"{each['message']}; {each['remedy']}" for each in report["problems"])
    assert told in said
    assert "docs/file-mapping.md" in said or "no row" in told
    assert service.get(f"/imports/{report['id']}/file").status_code == 409


def test_a_dry_run_tells_each_row_and_stores_nothing(service: Service) -> None:
    answer = post(service, table(EQUIVOCAL, SCORELESS), query="?dry_run=true")
    body = answer.json()
    assert (answer.status_code, body["state"], body["rows"]) == (200, "recorded_in_part", 2)
    assert [(each["row"], each["accepted"], each["status"]) for each in body["answers"]] == [
        (2, True, "equivocal"),
        (3, False, "invalid"),
    ]
    assert results(service) == []


def _many(rows: int) -> bytes:
    return table(*((f"P-{each}", f"E-{each}", "A1", "1+", "", "", "") for each in range(rows)))


def _imports(service: Service) -> Imports:
    app: FastAPI = service.app
    imports: Imports = app.state.imports
    return imports


def test_a_job_that_died_goes_on_at_the_next_start_and_doubles_nothing(start: Start, shared_url: str) -> None:
    first = start(shared_url)
    imports = _imports(first)
    import_id = imports.keep(upload(_many(2 * CHUNK + 50), CSV, None, None, None))
    imports.run(import_id, chunks=1)
    report = first.get(f"/imports/{import_id}").json()
    assert counts(report) == ("processing", 250, CHUNK, CHUNK, 0)
    assert report["progress_percent"] == 40
    assert first.get(f"/imports/{import_id}/file").status_code == 409
    first.stop()
    second = start(shared_url)
    assert counts(ended(second, f"/imports/{import_id}")) == ("recorded", 250, 250, 250, 0)
    first_page = second.get("/results?limit=500").json()
    assert (len(first_page["items"]), {each["version"] for each in first_page["items"]}) == (250, {1})


def test_a_job_that_died_goes_on_when_its_file_is_sent_again(service: Service) -> None:
    imports, data = _imports(service), _many(CHUNK + 1)
    import_id = imports.keep(upload(data, CSV, None, None, None))
    imports.run(import_id, chunks=1)
    report = imported(service, data)
    assert (report["id"], *counts(report)) == (import_id, "recorded", CHUNK + 1, CHUNK + 1, CHUNK + 1, 0)


def test_two_processes_at_one_import_record_each_row_once(start: Start, shared_url: str) -> None:
    services = [start(shared_url), start(shared_url)]
    answers = [post(service, _many(3 * CHUNK)) for service in services]
    assert len({answer.headers["location"] for answer in answers}) == 1
    report = ended(services[0], answers[0].headers["location"])
    assert counts(report) == ("recorded", 300, 300, 300, 0)
    assert {each["version"] for each in results(services[0])} == {1}


@pytest.mark.parametrize(
    ("name", "mapping"), [("import.csv", None), ("import_laboratory.csv", "import_laboratory.toml")]
)
def test_the_published_templates_pass(service: Service, name: str, mapping: str | None) -> None:
    text = (EXAMPLES / mapping).read_text() if mapping else None
    imports = _imports(service)
    import_id = imports.keep(upload((EXAMPLES / name).read_bytes(), CSV, None, None, None, text=text))
    imports.run(import_id)
    report = imports.report(import_id)
    assert report["problems"] == []
    assert report["state"] == "recorded"


@pytest.mark.parametrize(
    ("kind", "query", "status", "field"),
    [
        ("application/json", "", 415, "Content-Type"),
        (CSV, "?mapping=mine", 422, "mapping"),
        (CSV, "?sender=%0A", 422, "sender"),
        (CSV, f"?laboratory={'x' * 201}", 422, "laboratory"),
        (CSV, "?colour=red", 422, "colour"),
    ],
)
def test_what_cannot_be_imported_as_asked_is_refused_and_nothing_kept(
    stateless: Service, kind: str, query: str, status: int, field: str
) -> None:
    answer = post(stateless, table(EQUIVOCAL), kind, query)
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (status, field)


def test_a_file_may_be_larger_than_other_bodies_but_not_than_its_own_limit(start: Start, shared_url: str) -> None:
    service = start(shared_url, body_limit=1_000, import_limit=10_000)
    assert post(service, _many(100)).status_code == 202
    assert post(service, _many(1_000)).status_code == 413
    assert service.post("/her2/classify", content=b" " * 2_000).status_code == 413


@pytest.mark.parametrize("path", ["/imports/none", "/imports/none/file"])
def test_an_import_that_is_not_there_is_not_found(stateless: Service, path: str) -> None:
    assert stateless.get(path).status_code == 404
