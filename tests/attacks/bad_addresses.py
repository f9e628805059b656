"""Malformed and absurd paths, queries, headers and methods."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

from tests.attacks.bad import JSON, PERSON, Bad

_NO_IDS = (
    "none", "0", "-1", "*", "%2e%2e%2f%2e%2e%2fetc%2fpasswd", "..%5c..%5cwindows", "%00", "a%00b", "%ff", "%ed%a0%80",
    "%0d%0aSet-Cookie:x=1", quote("' OR 1=1 --"), quote("1; DROP TABLE result"), quote("{{7*7}}"), quote("<script>"),
    "x" * 300, "x" * 5000, "%F0%9F%92%A9", "null", "undefined", "true", "1e400", "%25s%25n", "results",
)  # fmt: skip


def paths() -> Iterator[Bad]:
    for bad in _NO_IDS:
        for path in ("/results/{}", "/results/{}/history", "/patients/{}/her2", "/guidelines/{}"):
            yield Bad(path.format(bad)[:60], "GET", path.format(bad), (404,))
        yield Bad(f"replay of {bad}"[:60], "POST", f"/results/{bad}/replay", (404,))
        body = json.dumps(PERSON).encode()
        yield Bad(f"sign-off of {bad}"[:60], "POST", f"/results/{bad}/sign-offs", (404,), (), body, JSON)
    for path in ("/nowhere", "/admin", "/docs", "/.env", "/results/{id}/nothing", "/her2", "/.//results", "/results/"):
        yield Bad(path, "GET", path, (404, 405))


_QUERIES: dict[str, tuple[str, ...]] = {
    "status": ("", "good", "POSITIVE", "positive'", "%00", "positive,negative"),
    "final": ("maybe", "2", "", "%00"),
    "her2_low": ("high", ""),
    "ish_group": ("0", "6", "-1", "x", "1.5", "", "1e1", "9" * 30),
    "edition": ("2018", "asco", ""),
    "review_required": ("x",),
    "signed": ("x", "-1"),
    "patient_id": ("x" * 101, "%00"),
    "accession": ("x" * 501, "%00", "a%00b"),
    "laboratory": ("x" * 201, "%00"),
    "collected_from": ("x", "2026-13-01", "0001-01-01T00:00:00%2B14:00", "2026-01-01T10:00:00", "%00"),
    "collected_before": ("x", "9999-12-31T23:59:59-12:00"),
    "created_from": ("x", "1", "2026-01-01 10:00", "2026-01-01T10:00:00 01:00"),
    "created_before": ("x", ""),
    "cursor": ("x", "%00", "x" * 1001, "AAAA", "%C3%A9", ""),
    "limit": ("0", "-1", "501", "x", "", "1.5", "9" * 30, "1e2", "%00"),
    "unheard_of": ("1",),
    "statsu": ("positive",),
}
_STEPS: dict[str, tuple[str, ...]] = {
    "awaited": ("x", "", "%00"),
    "who": ("x" * 101, "%00"),
    "result_id": ("x" * 101, "%00"),
    "due_before": ("x", "0001-01-01T00:00:00%2B14:00", "2026-01-01T10:00:00"),
    "cursor": ("x", "%00"),
    "limit": ("0", "501", "x"),
    "unheard_of": ("1",),
}
_CLASSIFY: dict[str, tuple[str, ...]] = {
    "ihc": ("positive", "4%2B", "", "%00", "%ff"),
    "ratio": ("1,8", "x", "0", "-1", "", "NaN", "1.8x", "2.2-1.8", "1e400", "%00"),
    "copies": ("x", "0", "%3E"),
    "cep17": ("x", "0"),
    "cells": ("0", "1.5", "x", "%3E20"),
    "her2_signals": ("0", "x", "1.5"),
    "cep17_signals": ("0", "x"),
    "edition": ("2018", "x", ""),
    "assay": ("x", ""),
    "er": ("yes",),
    "pgr": ("no",),
    "setting": ("x",),
    "menopausal_status": ("x",),
    "unheard_of": ("1",),
    "policy": ("hold",),
}


_SHORT = {"copies": "ish.her2_copies", "cep17": "ish.cep17_copies"}


def queries() -> Iterator[Bad]:
    for path, table in (("/results", _QUERIES), ("/open-steps", _STEPS), ("/her2/classify", _CLASSIFY)):
        for name, values in table.items():
            for value in values:
                told = (name, f"ish.{name}", f"context.{name}", _SHORT.get(name, name))
                yield Bad(f"{path} {name}={value}"[:60], "GET", f"{path}?{name}={value}", (422,), told)
    for doubled in (
        "/results?status=positive&status=negative", "/results?limit=1&limit=2", "/open-steps?who=a&who=b",
        "/her2/classify?ihc=2&ihc=3", "/her2/classify?ratio=1&ratio=1", "/patients/x/her2?system=a&system=b",
        "/guidelines/asco-cap-2018?format=json&format=html",
    ):  # fmt: skip
        name = doubled.split("?")[1].split("=")[0]
        yield Bad(f"doubled {doubled}", "GET", doubled, (422,), (name,))
    yield Bad("format", "GET", "/guidelines/asco-cap-2018?format=xml", (422,), ("format",))
    yield Bad("dryrun", "POST", "/results?dryrun=true", (422,), ("dryrun",), b'{"patient":"P","ihc":"3+"}', JSON)
    yield Bad("dry_run", "POST", "/results?dry_run=maybe", (422,), ("dry_run",), b'{"patient":"P","ihc":"3+"}', JSON)
    for value in ("0", "-1", "x", "9" * 30, ""):
        yield Bad(f"version {value}", "POST", f"/results/{{id}}/replay?version={value}", (422,), ("version",))
    yield Bad("version 99", "POST", "/results/{id}/replay?version=99", (404,))


def headers() -> Iterator[Bad]:
    body = json.dumps(PERSON).encode()
    for value in ("", " ", "a b", "a\tb", "x" * 201, "é", "ключ", "\x7f"):
        named = {**JSON, "Idempotency-Key": value}
        yield Bad(f"key {value!r}"[:60], "POST", "/results/{id}/sign-offs", (422,), ("Idempotency-Key",), body, named)
    for value in ("1", '"x"', '"-1"', '"1', "", '""', "W/1", '"1.0"', "' OR 1=1", '"' + "9" * 30 + '"'):
        named = {**JSON, "If-Match": value}
        yield Bad(f"tag {value!r}"[:60], "POST", "/results/{id}/sign-offs", (412, 422), (), body, named)
    for value in ('"2"', '"0"', '"999999999"'):
        yield Bad(f"tag {value}", "POST", "/results/{id}/sign-offs", (412,), (), body, {**JSON, "If-Match": value})


_ALLOWED = {
    "/her2/classify": ("GET", "POST"),
    "/results": ("GET", "POST"),
    "/results/{id}": ("GET",),
    "/results/{id}/history": ("GET",),
    "/results/{id}/amendments": ("POST",),
    "/results/{id}/recounts": ("POST",),
    "/results/{id}/adjudications": ("POST",),
    "/results/{id}/sign-offs": ("POST",),
    "/results/{id}/replay": ("POST",),
    "/results/{id}/re-evaluations": ("POST",),
    "/patients/x/her2": ("GET",),
    "/open-steps": ("GET",),
    "/guidelines": ("GET",),
    "/guidelines/asco-cap-2018": ("GET",),
    "/healthz": ("GET",),
    "/readyz": ("GET",),
}


def methods() -> Iterator[Bad]:
    for path, allowed in _ALLOWED.items():
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND", "NONSENSE"):
            if method not in allowed:
                yield Bad(f"{method} {path}", method, path, (405,))


AROUND_BODIES = {
    "paths": paths,
    "queries": queries,
    "headers": headers,
    "methods": methods,
}
