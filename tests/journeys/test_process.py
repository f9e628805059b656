"""The process: it starts on an empty database, says how it is, keeps what it acknowledged, and ends in order."""

from __future__ import annotations

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.api.cases import AWAITS_ISH, GROUP_4, PERSON, POSITIVE, problem, recount
from tests.fixtures_database import PostgreSQL
from tests.journeys.server import Server, serve

REPORT: dict[str, Any] = {"patient": "P-1", "laboratory": "North", **GROUP_4}
SECRETS = ("Erika Mustermann", "MRN-00482913", "erika@clinic.example", "S26-SECRET", "Dr Geheim")


def _stored(server: Server, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    response = server.http.post("/results", json=body, headers=headers)
    assert response.status_code == 201, response.text
    told: dict[str, Any] = response.json()
    return told


@pytest.mark.parametrize("by", ["herald", "uvicorn"])
def test_it_starts_on_a_bare_database_and_finds_its_results_after_the_next_start(
    bare_url: str, tmp_path: Path, by: str
) -> None:
    with serve(bare_url, tmp_path, by=by) as server:
        assert server.http.get("/healthz").json()["status"] == "ok"
        assert server.http.get("/readyz").json()["status"] == "ready"
        stored = _stored(server, REPORT)
        assert server.stop() in (0, -signal.SIGTERM)
        events = [line["event"] for line in server.lines()]
        assert "started" in events
        assert "stopped" in events
    with serve(bare_url, tmp_path, by=by) as again:
        assert again.http.get(f"/results/{stored['id']}").json() == stored
        assert again.http.post(f"/results/{stored['id']}/replay").json()["equal"] is True


def test_an_acknowledged_result_outlives_the_process(bare_url: str, tmp_path: Path) -> None:
    with serve(bare_url, tmp_path) as server:
        stored = _stored(server, REPORT, **{"Idempotency-Key": "k-1"})
        assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    with serve(bare_url, tmp_path) as again:
        repeated = again.http.post("/results", json=REPORT, headers={"Idempotency-Key": "k-1"})
        assert repeated.json() == stored
        assert repeated.headers["idempotency-replayed"] == "true"
        assert len(again.http.get("/results").json()["items"]) == 1


def test_a_lis_that_heard_no_answer_sends_again_until_it_does(bare_url: str, tmp_path: Path) -> None:
    """The line breaks after the request: the sender repeats with the same key, and one result is there."""
    with serve(bare_url, tmp_path) as server:
        request = server.http.build_request("POST", "/results", json=REPORT, headers={"Idempotency-Key": "k-1"})
        head = "\r\n".join(["POST /results HTTP/1.1", *(f"{n}: {v}" for n, v in request.headers.items()), "", ""])
        for _ in range(5):
            with socket.create_connection(("127.0.0.1", server.port)) as line:
                line.sendall(head.encode() + request.read())
        answers = []
        until = time.monotonic() + 20
        while not answers and time.monotonic() < until:
            response = server.http.post("/results", json=REPORT, headers={"Idempotency-Key": "k-1"})
            if response.status_code == 201:
                answers.append(response.json())
            else:
                problem(response, response.status_code, response.json()["type"].rpartition(":")[2])
                assert response.status_code in (409, 503)
        (row,) = server.http.get("/results").json()["items"]
        assert answers[0]["id"] == row["id"]
        path = f"/results/{row['id']}"
        counted = server.http.post(f"{path}/recounts", json=recount(), headers={"If-Match": '"1"'})
        assert counted.json()["classification"]["final"] is True
        correction = {**PERSON, "changes": {"ish": {"cells": 60}}}
        assert server.http.post(f"{path}/amendments", json=correction, headers={"If-Match": '"1"'}).status_code == 412
        assert server.http.post(f"{path}/amendments", json=correction, headers={"If-Match": '"2"'}).status_code == 201
        assert server.http.post(f"{path}/sign-offs", json=PERSON).json()["confirmation"] == "confirmed"
        assert len(server.http.get(f"{path}/history").json()["versions"]) == 3


def test_many_senders_at_once_are_all_kept_once(bare_url: str, tmp_path: Path) -> None:
    with serve(bare_url, tmp_path) as server:

        def send(number: int) -> str:
            for _ in range(50):
                body = {**REPORT, "patient": f"P-{number % 7}"}
                response = server.http.post("/results", json=body, headers={"Idempotency-Key": f"k-{number % 40}"})
                if response.status_code == 201:
                    return str(response.json()["id"])
                assert response.status_code in (409, 503), response.text
                time.sleep(0.05)
            raise AssertionError("never answered")

        with ThreadPoolExecutor(8) as pool:
            # 40 keys, each sent by two; a key always with the same body
            ids = list(pool.map(lambda n: send(n * 7 if n < 40 else (n - 40) * 7), range(80)))
        listed = [row["id"] for row in server.http.get("/results?limit=500").json()["items"]]
        assert sorted(listed) == sorted(set(ids))


def test_it_is_not_ready_when_the_postgresql_database_is_gone_and_is_again_when_it_is_back(
    postgresql: PostgreSQL, tmp_path: Path
) -> None:
    url = postgresql.create(template="template1")
    text = url.render_as_string(hide_password=False)
    with serve(text, tmp_path) as server:
        assert server.http.get("/readyz").status_code == 200
        postgresql.drop(url)
        problem(server.http.get("/readyz"), 503, "unavailable")
        assert server.http.get("/healthz").status_code == 200
        assert server.http.get("/her2/classify?ihc=3").json()["status"] == "positive"
        for response in (
            server.http.post("/results", json=REPORT, headers={"Idempotency-Key": "k-1"}),
            server.http.get("/results"),
            server.http.get("/results/none"),
            server.http.get("/open-steps"),
            server.http.get("/patients/P-1/her2"),
        ):
            problem(response, 503, "unavailable")
            assert response.headers["retry-after"]
        assert "Traceback" not in server.log
        assert str(make_url(text).database) not in server.log


def test_it_is_not_ready_when_the_sqlite_file_is_gone(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    with serve(f"sqlite:///{folder}/herald.sqlite3", tmp_path) as server:
        _stored(server, REPORT)
        for file in folder.iterdir():
            file.unlink()
        problem(server.http.get("/readyz"), 503, "unavailable")
        problem(server.http.post("/results", json=REPORT), 503, "unavailable")
        assert server.http.get("/healthz").status_code == 200


def test_no_identifier_reaches_the_log(bare_url: str, tmp_path: Path) -> None:
    name, number, mail, accession, doctor = SECRETS
    person = {"name": doctor, "role": "pathologist", "reason": f"asked by {name}"}
    with serve(bare_url, tmp_path, log_level="debug") as server:
        case = {**AWAITS_ISH, "specimen": {"accession": accession, "site": name}}
        stored = _stored(server, {"patient": number, "laboratory": mail, **case}, **{"Idempotency-Key": number})
        path = f"/results/{stored['id']}"
        asked = [
            server.http.post(f"{path}/amendments", json={**person, "changes": {"ihc": "3+"}}),
            server.http.post(f"{path}/sign-offs", json=person),
            server.http.get("/results", params={"accession": accession}),
            server.http.get("/results", params={"cursor": name}),
            server.http.get(f"/patients/{number}/her2"),
            server.http.get(f"/patients/{name}/her2", params={"system": mail}),
            server.http.get(f"/{name}"),
            server.http.get("/her2/classify", params={"ihc": name, mail: number}),
            server.http.post("/her2/classify", json={"ihc": name, name: mail, "ratio": number}),
            server.http.post("/results", json={"patient": [name], "ihc": "3+"}, headers={"User-Agent": number}),
            server.http.post("/results", content=name, headers={"Content-Type": "application/json"}),
            server.http.post(f"{path}/sign-offs", json=person, headers={"If-Match": mail, "Cookie": name}),
        ]
        server.raw(f"GET /{number} HTTP/1.1\r\nbad header {mail}\r\n\r\n".encode())
        assert [response.status_code for response in asked] == [
            201, 201, 200, 422, 200, 404, 404, 422, 422, 422, 400, 422,
        ]  # fmt: skip
        server.stop()
        log = server.log
        assert [secret for secret in (*SECRETS, "Mustermann", "00482913", stored["id"]) if secret in log] == []
        routes = [line["route"] for line in server.lines() if line["event"] == "request"]
        assert "/results/{result_id}/amendments" in routes
        assert len([route for route in routes if route != "/healthz"]) == len(asked) + 1


def test_a_person_waits_for_nobody_when_it_is_told_to_end(tmp_path: Path, bare_url: str) -> None:
    with serve(bare_url, tmp_path) as server:
        _stored(server, {"patient": "P", **POSITIVE})
        with socket.create_connection(("127.0.0.1", server.port)):
            began = time.monotonic()
            assert server.stop() in (0, -signal.SIGTERM)
            assert time.monotonic() - began < 10
        assert "Traceback" not in server.log
