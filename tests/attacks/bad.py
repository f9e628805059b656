"""Malformed and absurd bodies, each with the status it must get and the field that must be named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Fields = tuple[str, ...]


@dataclass(frozen=True)
class Bad:
    """One request. {id} in path stands for a stored result; fields: one of them must be named, empty asks nothing."""

    why: str
    method: str
    path: str
    statuses: tuple[int, ...]
    fields: Fields = ()
    content: bytes | None = None
    headers: dict[str, str] = field(default_factory=dict)


POSTS = (
    "/her2/classify",
    "/results",
    "/results?dry_run=true",
    "/results/{id}/amendments",
    "/results/{id}/recounts",
    "/results/{id}/adjudications",
    "/results/{id}/sign-offs",
    "/results/{id}/re-evaluations",
)
JSON = {"Content-Type": "application/json"}
PERSON = {"name": "Dr A", "role": "pathologist", "reason": "a reason"}


def _sent(why: str, path: str, body: Any, fields: Fields, status: int = 422) -> Bad:
    return Bad(why, "POST", path, (status,), fields, json.dumps(body).encode(), JSON)


# ---- bodies that are no JSON object

_BROKEN: dict[str, bytes] = {
    "nothing": b"",
    "blanks": b"  \n\t",
    "an open brace": b"{",
    "a closing brace": b"}",
    "an open string": b'{"ihc": "2+',
    "single quotes": b"{'ihc': '2+'}",
    "a name without quotes": b'{ihc: "2+"}',
    "a comma at the end": b'{"ihc": "2+",}',
    "no comma": b'{"ihc": "2+" "ratio": "1"}',
    "a comment": b'{"ihc": "2+"} // two plus',
    "two objects": b'{"ihc": "2+"}{"ihc": "3+"}',
    "lines of objects": b'{"ihc": "2+"}\n{"ihc": "3+"}\n',
    "an array": b'[{"ihc": "2+"}]',
    "a text": b'"2+"',
    "a number": b"2",
    "true": b"true",
    "null": b"null",
    "NaN": b"NaN",
    "a doubled key": b'{"ihc": "2+", "ihc": "3+"}',
    "a doubled key with the same value": b'{"ihc": "2+", "ihc": "2+"}',
    "a doubled key further down": b'{"ish": {"ratio": "1.8", "ratio": "2.8"}}',
    "a doubled key behind an escape": b'{"ihc": "2+", "\\u0069hc": "3+"}',
    "a leading zero": b'{"ratio": 01.8}',
    "a plus sign": b'{"ratio": +1.8}',
    "a point alone": b'{"ratio": .8}',
    "a point at the end": b'{"ratio": 1.}',
    "a hexadecimal number": b'{"ratio": 0x10}',
    "an unescaped newline": b'{"ihc": "2\n+"}',
    "a NUL between": b'{"ihc": \x00"2+"}',
    "a bad escape": b'{"ihc": "\\x32"}',
    "half an escape": b'{"ihc": "\\u00"}',
    "UTF-16": '{"ihc": "2+"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"ihc": "2+"}'.encode("utf-16-le"),
    "UTF-32": '{"ihc": "2+"}'.encode("utf-32"),
    "Latin-1": '{"specimen": {"site": "Brustdrüse"}}'.encode("latin-1"),
    "a byte that is none": b'{"ihc": "\xff"}',
    "an overlong encoding": b'{"ihc": "\xc0\xaf"}',
    "a surrogate in UTF-8": b'{"ihc": "\xed\xa0\x80"}',
    "a file of gzip": b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
    "a form": b"ihc=2%2B&ratio=1.8",
    "XML": b"<case><ihc>2+</ihc></case>",
    "YAML": b"ihc: 2+\nratio: 1.8\n",
    "HL7": b"MSH|^~\\&|LIS|LAB|||202601010000||ORU^R01|1|P|2.5\r",
    "many arrays": b"[" * 100_000,
    "many objects": b'{"a":' * 100_000,
    "many objects that close": b'{"specimen":' * 2_000 + b"1" + b"}" * 2_000,
    "a number without end": b'{"ratio": ' + b"9" * 10_000 + b"}",
}


def broken_bodies() -> Iterator[Bad]:
    for path in POSTS:
        for why, body in _BROKEN.items():
            yield Bad(f"{why} to {path}", "POST", path, (400,), ("body",), body, JSON)


# ---- media types

_MEDIA = (
    "text/plain", "text/html", "text/json", "application/xml", "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x", "application/octet-stream", "application/javascript", "image/png", "json", "*/*",
    "application/", "/json", "application/jsonp", "application/json2",
)  # fmt: skip


def media_types() -> Iterator[Bad]:
    for path in POSTS:
        for media in _MEDIA:
            yield Bad(
                f"{media} to {path}", "POST", path, (415,), ("Content-Type",), b'{"ihc":"2+"}', {"Content-Type": media}
            )


# ---- numbers

_NO_NUMBERS: tuple[Any, ...] = (
    "", " ", "1,8", "1.8x", "1.8 %", "about 2", "~2", "two", "²", "١.٨", "1.8.1", "1 8", "1'000", "--1", "+1.8", "1e2",
    "1E400", "0x10", "NaN", "nan", "Infinity", "-inf", "1/2", "1:2", ">", "<", "> >2", "=2", "<>2", "2-", "-", "1-2-3",
    "null", "None", "\u0000", "1\u00002", "1.8\n2", "9" * 41, True, False, [], [1.8], {}, {"value": 1.8}, "[1.8]",
    "${7*7}", "{{7*7}}", "' OR 1=1 --", "<script>alert(1)</script>", "../../etc/passwd",
)  # fmt: skip
_OUTSIDE: tuple[Any, ...] = ("-1", "-0.1", -1, "2.2-1.8", "9999999999999999", 10**30)
_NOT_ABOVE_ZERO: tuple[Any, ...] = ("0", 0, "0.0", "0.0000001", "-0")
_NUMBERS = {
    "average": ("ish.ratio", "ish.her2_copies", "ish.cep17_copies", "recount.ratio", "cluster.her2_copies"),
    "total": ("ish.her2_signals", "follow_up_ish.cep17_signals"),
    "cells": ("ish.cells", "ish.her2_cells", "third_count.cells"),
    "percent": ("ihc.percent", "specimen.purity_percent", "cluster.share_percent", "context.er_percent"),
    "duration": ("specimen.fixation_hours", "specimen.cold_ischaemia_minutes", "specimen.section_age_days"),
}
_MORE: dict[str, tuple[Any, ...]] = {
    "average": _NOT_ABOVE_ZERO,
    "total": (*_NOT_ABOVE_ZERO, "1.5", "100.1"),
    "cells": (*_NOT_ABOVE_ZERO, "1.5", ">20", "<20", ">=20", "20-40"),
    "percent": ("100.1", "101", 101, ">100", "50-101"),
    "duration": (),
}


def nested(path: str, value: Any) -> dict[str, Any]:
    """{"a": {"b": value}} for a.b."""
    for name in reversed(path.split(".")):
        value = {name: value}
    return value  # type: ignore[no-any-return]


def numbers() -> Iterator[Bad]:
    for kind, fields in _NUMBERS.items():
        for at in fields:
            for value in (*_NO_NUMBERS, *_OUTSIDE, *_MORE[kind]):
                yield _sent(f"{at} = {value!r}", "/her2/classify", nested(at, value), (at,))
    raw = ("NaN", "Infinity", "-Infinity", "1e400", "1e-400", "-1e5", "1.8e0", "-0.0", "0e0", "9" * 4000)
    for value in raw:
        body = f'{{"ish": {{"ratio": {value}}}}}'.encode()
        yield Bad(f"raw {value[:20]}", "POST", "/her2/classify", (422,), ("ish.ratio",), body, JSON)


# ---- values of the wrong type, or outside their list

_TEXTS = ("specimen.accession", "specimen.block", "specimen.site", "ihc.clone", "ish.method", "ish.failure_reason")
_NO_TEXTS: tuple[Any, ...] = (1, 1.5, True, False, [], ["A1"], {}, {"value": "A1"}, "x" * 501, "a\u0000b", "\ud800")
_CHOICES = (
    "edition", "policy.group1_ihc_negative", "specimen.kind", "specimen.procedure", "specimen.histology",
    "specimen.fixative", "specimen.grade", "ihc.controls", "ihc.membrane", "ihc.intensity", "ihc.scored_under",
    "ish.assay", "ish.controls", "context.er", "context.setting", "context.menopausal_status", "adjudication.group",
)  # fmt: skip
_NO_CHOICES: tuple[Any, ...] = (
    "", " ", "other thing", "PRIMARY", "passed ", 0, -1, 6, 1.5, True, False, [], ["passed"], {}, "null", "\u0000",
    "asco-cap-2018\n", "asco-cap-2024", "' OR ''='", "{{7*7}}", "../asco-cap-2018",
)  # fmt: skip
_FLAGS = (
    "specimen.invasive", "specimen.breast_carcinoma", "specimen.decalcified", "ish.failed", "recount.blinded",
    "recount.same_observer", "recount.in_ihc_2plus_area",
)  # fmt: skip
_NO_FLAGS: tuple[Any, ...] = ("true", "yes", "", 0, 1, 1.0, [], [True], {})
_BLOCKS = ("specimen", "ish", "follow_up_ish", "recount", "third_count", "cluster", "adjudication", "context", "policy")
_NO_BLOCKS: tuple[Any, ...] = ("x", "", 0, 1, 1.5, True, False, [], [{}], "{}")
_NO_SCORES: tuple[Any, ...] = (
    "positive", "negative", "equivocal", "2.5", "2-3", "1-2+", "4", "4+", "-1", "++", "+2", "2++", "2+ 3+", "2/3", "",
    " ", "II", "two", "2x", "²+", "1.0", 4, -1, 2.5, 2.0, True, False, [], [2], "unknown", "\u0000", "9" * 1000,
    "score", "score score 2+", "2+;DROP TABLE result", "<2+>",
)  # fmt: skip
NO_TIMES: tuple[Any, ...] = (
    "yesterday", "", "2026", "2026-01", "2026-13-01", "2026-02-30", "01.02.2026", "2026/01/02", "20260102",
    "2026-W01-1", "2026-01-02T10:00:00", "2026-01-02 10:00:00", "2026-01-02T25:00:00Z", "2026-01-02T10:00:00+99:00",
    "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "0000-00-00", "-2026-01-01", 20260102, 1.5, True, [], {},
)  # fmt: skip
_NO_LISTS: tuple[Any, ...] = ("tamoxifen", 1, True, {}, [1], [None], [["x"]], [1.5], ["x"] * 51, ["\u0000"])
_NO_LINES: tuple[Any, ...] = (0, -1, 100, 10**20, "1", "first", 1.5, True, [], {})


def wrong_types() -> Iterator[Bad]:
    groups: tuple[tuple[Fields, tuple[Any, ...]], ...] = (
        (_TEXTS, _NO_TEXTS),
        (_CHOICES, _NO_CHOICES),
        (_FLAGS, _NO_FLAGS),
        (_BLOCKS, _NO_BLOCKS),
        (("ihc", "ihc.score"), _NO_SCORES),
        (("specimen.collected_at", "specimen.reported_at"), NO_TIMES),
        (("context.prior_therapies",), _NO_LISTS),
        (("context.line",), _NO_LINES),
        (("context.biomarkers.pik3ca_mutation",), _NO_CHOICES),
    )
    for fields, values in groups:
        for at in fields:
            for value in values:
                if at == "ihc" and value == {}:
                    continue
                yield _sent(f"{at} = {value!r}"[:80], "/her2/classify", nested(at, value), (at,))
    for at in ("", *(f"{block}." for block in (*_BLOCKS, "ihc"))):
        for name in (
            "unheard_of",
            "__class__",
            "constructor",
            "Ratio",
            "ratio ",
            "",
            "x" * 300,
            "a.b",
            "\u0000",
            "$ne",
        ):
            yield _sent(
                f"unknown {at}{name!r}"[:80], "/her2/classify", nested(at[:-1], {name: 1}) if at else {name: 1}, ()
            )


# ---- reports and verbs

_NO_NAMES: tuple[Any, ...] = ("", " ", "\t", "a\nb", "a\u0000b", "\ud800", "x" * 2001, 0, 1.5, True, [], ["x"], {})


def reports_and_verbs() -> Iterator[Bad]:
    case = {"ihc": "3+"}
    yield _sent("no patient", "/results", case, ("patient",))
    for value in (None, *_NO_NAMES):
        yield _sent(f"patient {value!r}"[:60], "/results", {"patient": value, **case}, ("patient", "patient.value"))
        if value is not None:
            inner = {"value": "P", "system": value}
            yield _sent(f"system {value!r}"[:60], "/results", {"patient": inner, **case}, ("patient.system",))
            told = {"patient": "P", "laboratory": value, **case}
            yield _sent(f"laboratory {value!r}"[:60], "/results", told, ("laboratory",))
    for verb in ("amendments", "recounts", "adjudications", "sign-offs"):
        path = f"/results/{{id}}/{verb}"
        yield _sent(f"nothing to {verb}", path, {}, ("name",))
        whole = {"changes": {"ihc": "3+"}} if verb == "amendments" else {}
        whole |= {"count": {"ratio": "1"}} if verb == "recounts" else {}
        whole |= {"group": 4} if verb == "adjudications" else {}
        for name in ("name", "role", "reason"):
            for value in _NO_NAMES:
                told = {**PERSON, **whole, name: value}
                yield _sent(f"{verb} {name} {value!r}"[:60], path, told, (name,))
        for value in (*NO_TIMES, "2026-01-02", "2999-01-01T00:00:00Z"):
            told = {**PERSON, **whole, "performed_at": value}
            yield _sent(f"{verb} performed_at {value!r}"[:60], path, told, ("performed_at",))
    for value in (0, 6, -1, "4", 4.5, True, [], [4], {}, None, 10**30):
        told = {**PERSON, "group": value}
        yield _sent(f"group {value!r}", "/results/{id}/adjudications", told, ("group", "adjudication.group"))
    for value in (None, {}, [], "1.8", 1.8, True, [{"ratio": "1"}]):
        yield _sent(f"count {value!r}", "/results/{id}/recounts", {**PERSON, "count": value}, ("count",))
    for name in ("case", "changes"):
        for value in ([], "3+", 1, True, 1.5):
            yield _sent(f"{name} {value!r}", "/results/{id}/amendments", {**PERSON, name: value}, (name,))
    both = {**PERSON, "case": case, "changes": case}
    yield _sent("case and changes", "/results/{id}/amendments", both, ("case",))
    for changes in ({"patient": "other"}, {"laboratory": "x"}, {"id": "x"}, {"version": 7}, {"__proto__": {"x": 1}}):
        yield _sent(f"changes {changes}", "/results/{id}/amendments", {**PERSON, "changes": changes}, ())
    for value in _NO_CHOICES:
        yield _sent(f"edition {value!r}", "/results/{id}/re-evaluations", {"edition": value}, ("edition",))


IN_BODIES = {
    "bodies that are no JSON object": broken_bodies,
    "media types": media_types,
    "numbers": numbers,
    "wrong types": wrong_types,
    "reports and verbs": reports_and_verbs,
}
