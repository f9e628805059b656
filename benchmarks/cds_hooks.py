"""patient-view with prefetch against a FastAPI route that echoes the same bodies: same process, same run.

One worker of uvicorn on loopback, a client process of plain sockets with keep-alive; the lanes take turns. Bodies are
about 8 kB: a Patient, six Observations as EHRs write them, a Condition; ids and numbers are drawn anew, so that no
request is like another, save in the lanes `again`: there the charts of 200 patients are opened again and again, with
the same data each time and another hookInstance, as EHRs do. `looked for`: Herald asks its record for the patient;
`known`: the patient has a result there, so that its answer is read and compared.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from starlette.responses import Response

from benchmarks.server import free_port, wait

CONNECTIONS, SECONDS, ROUNDS, DRAWN, KNOWN, AGAIN = 8, 2.0, 5, 2_000, 200, 200
SERVER = "https://ehr.example.org/fhir"
SERVICE = "/cds-services/her2-patient-view"


_MARK = b"feedfeedfeedfeed"


def create_app() -> FastAPI:
    """The service with two echoing routes beside it."""
    from app.main import create_app as service
    from app.settings import Settings

    app = service(Settings(log_level="error"))

    @app.post("/echo")
    async def echo(body: dict[str, Any]) -> dict[str, Any]:
        return body

    @app.post("/echo-bytes")
    async def echo_bytes(request: Request) -> Response:
        return Response(await request.body(), media_type="application/json")

    return app


def _observation(patient: str, code: str, display: str, specimen: str, value: dict[str, Any]) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": _MARK.decode() + code,
        "meta": {"versionId": "1", "lastUpdated": "2026-11-20T10:11:12.000+01:00"},
        "status": "final",
        "category": [
            {
                "coding": [
                    {
                        "system": "http://terminology.hl7.org/CodeSystem/observation-category",
                        "code": "laboratory",
                        "display": "Laboratory",
                    }
                ],
                "text": "Laboratory",
            }
        ],
        "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": display}], "text": display},
        "subject": {"reference": f"Patient/{patient}", "display": "Example, Patient"},
        "encounter": {"reference": f"Encounter/{uuid.uuid4().hex}"},
        "effectiveDateTime": "2026-11-18T09:30:00+01:00",
        "issued": "2026-11-20T10:11:12.000+01:00",
        "performer": [{"reference": "Organization/lab-1", "display": "Pathology North"}],
        "specimen": {"reference": f"Specimen/{specimen}"},
        **value,
    }


def _coded(code: str, display: str) -> dict[str, Any]:
    coding = {"system": "http://loinc.org", "code": code, "display": display}
    return {"valueCodeableConcept": {"coding": [coding], "text": display}}


def _number(value: str, unit: str) -> dict[str, Any]:
    return {"valueQuantity": {"value": float(value), "unit": unit, "system": "http://unitsofmeasure.org", "code": unit}}


def body(rng: random.Random, server: bool, patient: str) -> bytes:
    """One request. server: with fhirServer and the Patient's identifiers, so that Herald looks for the patient."""
    specimen = uuid.uuid4().hex
    score = rng.choice([("LA6111-4", "0"), ("LA11841-6", "1+"), ("LA11842-4", "2+"), ("LA11843-2", "3+")])
    receptor = [("LA6576-8", "Positive"), ("LA6577-6", "Negative")]
    rows = [
        ("85319-2", "HER2 [Presence] in Breast cancer specimen by Immune stain", _coded(*score)),
        ("49683-6", "ERBB2 gene copy number/Chromosome 17 copy number", _number(f"{rng.uniform(0.8, 3.5):.2f}", "1")),
        ("74860-8", "ERBB2 gene copy number/nucleus", _number(f"{rng.uniform(1.5, 9):.2f}", "1")),
        ("62361-1", "Cells counted", {"valueInteger": rng.randint(20, 60)}),
        ("85337-4", "Estrogen receptor Ag [Presence]", _coded(*rng.choice(receptor))),
        ("85339-0", "Progesterone receptor Ag [Presence]", _coded(*rng.choice(receptor))),
    ]
    entries = [
        {
            "fullUrl": f"{SERVER}/Observation/{uuid.uuid4().hex}",
            "resource": _observation(patient, code, display, specimen, value),
            "search": {"mode": "match"},
        }
        for code, display, value in rows
    ]
    condition = {
        "resourceType": "Condition",
        "id": uuid.uuid4().hex,
        "code": {
            "coding": [
                {"system": "http://snomed.info/sct", "code": "254837009", "display": "Malignant neoplasm of breast"}
            ]
        },
        "subject": {"reference": f"Patient/{patient}"},
    }
    prefetch: dict[str, Any] = {
        "observations": {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries},
        "conditions": {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [{"resource": condition}]},
    }
    request: dict[str, Any] = {
        "hook": "patient-view",
        "hookInstance": str(uuid.uuid4()),
        "context": {"userId": "Practitioner/abc", "patientId": patient},
        "prefetch": prefetch,
    }
    if server:
        request["fhirServer"] = SERVER
        identifier = {"system": "urn:oid:1.2.36.146.595.217.0.1", "value": f"MRN-{patient}"}
        prefetch["patient"] = {
            "resourceType": "Patient",
            "id": patient,
            "identifier": [identifier],
            "name": [{"family": "Example", "given": ["Patient"]}],
            "gender": "female",
            "birthDate": "1961-02-03",
        }
    return json.dumps(request).encode()


def _opened_again(sent: bytes) -> bytes:
    """The same data with another hookInstance."""
    told = {**json.loads(sent), "hookInstance": str(uuid.uuid4())}
    return json.dumps(told).encode().replace(_MARK, b"0123456789abcdef")


def _connection(port: int, path: str, payloads: list[bytes], until: float, times: list[float], place: int) -> None:
    rng = random.Random(place)
    with socket.create_connection(("127.0.0.1", port)) as link:
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: "
        while (began := time.perf_counter()) < until:
            # an id that no other request has: what was read before is then of no use
            sent = rng.choice(payloads).replace(_MARK, secrets.token_hex(8).encode())
            link.sendall(f"{head}{len(sent)}\r\n\r\n".encode() + sent)
            data = link.recv(65536)
            while b"\r\n\r\n" not in data:
                data += link.recv(65536)
            front, _, rest = data.partition(b"\r\n\r\n")
            length = next(int(line[15:]) for line in front.lower().split(b"\r\n") if line.startswith(b"content-length"))
            while len(rest) < length:
                rest += link.recv(65536)
            # Only correct answers count.
            if front.startswith(b"HTTP/1.1 200") and (path != SERVICE or rest.startswith(b'{"cards":[')):
                times.append(time.perf_counter() - began)


def client(port: int, path: str, payloads: list[bytes]) -> list[float]:
    """The seconds of each request over a few connections."""
    times: list[float] = []
    until = time.perf_counter() + SECONDS
    threads = [
        threading.Thread(target=_connection, args=(port, path, payloads, until, times, place))
        for place in range(CONNECTIONS)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return times


def _record(port: int, patients: list[str]) -> None:
    """A result on record for each of these patients of the EHR."""
    import httpx

    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as herald:
        for patient in patients:
            case = {"ihc": "2+", "ish": {"ratio": "2.50", "her2_copies": "6.50", "cells": 40}}
            identity = {"patient": {"system": SERVER, "value": patient}, "laboratory": "North"}
            herald.post("/results", json={**case, **identity}).raise_for_status()


def main() -> None:
    """Print requests a second, percentiles and the ratios, medians over rounds that take turns."""
    rng = random.Random()
    patients = [uuid.uuid4().hex for _ in range(KNOWN)]
    alone = [body(rng, False, uuid.uuid4().hex) for _ in range(DRAWN)]
    again = [_opened_again(each) for each in rng.choices(alone[:AGAIN], k=DRAWN)]
    asked = [body(rng, True, uuid.uuid4().hex) for _ in range(DRAWN)]
    searched = [_opened_again(each) for each in rng.choices(asked[:AGAIN], k=DRAWN)]
    known = [body(rng, True, rng.choice(patients)) for _ in range(DRAWN)]
    lanes = {
        "echo": ("/echo", alone),
        "echo of bytes": ("/echo-bytes", alone),
        "patient-view, data alone": (SERVICE, alone),
        "patient-view, again": (SERVICE, again),
        "patient-view, looked for, again": (SERVICE, searched),
        "patient-view, looked for": (SERVICE, asked),
        "patient-view, known": (SERVICE, known),
    }
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        env = {**os.environ, "HERALD_DATABASE_URL": f"sqlite:///{Path(folder)}/bench.sqlite3"}
        command = [sys.executable, "-m", "uvicorn", "--factory", "benchmarks.cds_hooks:create_app", "--port", str(port)]
        server = subprocess.Popen([*command, "--no-access-log", "--log-level", "error"], env=env)
        try:
            wait(port)
            _record(port, patients)
            times: dict[str, list[list[float]]] = {name: [] for name in lanes}
            for lane in lanes.values():
                client(port, *lane)
            for _ in range(ROUNDS):
                for name, lane in lanes.items():
                    times[name].append(client(port, *lane))
        finally:
            server.terminate()
            server.wait()
    print(f"bodies of {statistics.mean(map(len, alone)):.0f} bytes, {CONNECTIONS} connections, {ROUNDS} rounds")
    for name, rounds in times.items():
        rate = statistics.median(len(each) / SECONDS for each in rounds)
        cuts = statistics.quantiles((1000 * each for one in rounds for each in one), n=100)
        told = "   ".join(f"p{p} {cuts[p - 1]:6.1f} ms" for p in (50, 95, 99))
        print(f"{name:<32}{rate:7.0f} requests/s   {told}")
    for name in lanes:
        if name.startswith("patient-view"):
            pairs = zip(times[name], times["echo"], strict=True)
            print(f"ratio {name} / echo: {statistics.median(len(one) / len(other) for one, other in pairs):.2f}")


if __name__ == "__main__":
    main()
