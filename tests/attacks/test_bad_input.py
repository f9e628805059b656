"""Malformed and absurd requests: each gets a problem that names the field, none an error of ours."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.api.cases import GROUP_4, PERSON, POSITIVE, fields_of, problem
from tests.attacks.bad import IN_BODIES, Bad
from tests.attacks.bad_addresses import AROUND_BODIES
from tests.fixtures_service import Service, Start

GROUPS = IN_BODIES | AROUND_BODIES


def _wrong(service: Service, bad: Bad, result_id: str) -> str | None:
    """What is wrong with the answer; None for a good problem."""
    told = {name: value.encode("utf-8") for name, value in bad.headers.items()}
    response = service.request(
        bad.method, bad.path.replace("{id}", result_id), content=bad.content, headers=list(told.items())
    )
    if response.status_code not in bad.statuses:
        return f"answered {response.status_code}: {response.text[:200]}"
    if response.headers.get("content-type") != "application/problem+json":
        return f"no problem document: {response.headers.get('content-type')}"
    if "Traceback" in response.text or 'File "' in response.text:
        return "a stack trace"
    document = response.json()
    if not all(document.get(name) for name in ("type", "title", "detail")) or document["status"] not in bad.statuses:
        return f"no whole problem document: {document}"
    if bad.fields and not set(bad.fields) & set(fields_of(document)):
        return f"names {fields_of(document)} and none of {bad.fields}"
    if document["status"] == 422 and not document["problems"]:
        return "names no field"
    return None


@pytest.mark.parametrize("group", GROUPS)
def test_each_bad_request_gets_a_problem_that_names_the_field(service: Service, group: str) -> None:
    stored = service.report(GROUP_4)
    asked = list(GROUPS[group]())
    wrong = [f"{bad.why}: {told}" for bad in asked if (told := _wrong(service, bad, stored["id"]))]
    assert not wrong, f"{len(wrong)} of {len(asked)}: " + "\n".join(wrong[:40])
    assert service.get(f"/results/{stored['id']}").json() == stored
    assert len(service.get("/results").json()["items"]) == 1
    assert service.post("/her2/classify", GROUP_4).status_code == 200
    assert service.report(POSITIVE)["classification"]["status"] == "positive"


def test_there_are_more_than_three_hundred_and_no_two_are_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    every = list(itertools.chain.from_iterable(group() for group in GROUPS.values()))
    sent = {(bad.method, bad.path, bad.content, tuple(bad.headers.items())) for bad in every}
    with capsys.disabled():
        print(f" {len(sent)} bad requests ", end="")
    assert len(sent) == len(every)
    assert len(sent) > 300


# ---- text is data: what looks like an attack is kept as it was sent, and does nothing

ATTACKS = [
    "'; DROP TABLE result; --", "' OR '1'='1", '" OR ""="', "1); DELETE FROM result_version; --", "%' --", "\\'; --",
    "{{7*7}}", "${7*7}", "<%= 7*7 %>", "{% raw %}", "#{7*7}", "<script>alert(1)</script>", "<img src=x>",
    "../../etc/passwd", "..\\..\\windows", "/dev/null", "%s%s%n", "$(reboot)", "`reboot`", "| cat /etc/passwd",
    "=HYPERLINK(1)", "@SUM(1)", "&lt;b&gt;", "\u202egnp.exe", "\u200b", "ＦＵＬＬ", "乳房", "🎗", "e\u0301", "\ufeffx",
    "\\u0000", "MSH|^~\\&|", "line\nbreak", "tab\there", "\r\nSet-Cookie: a=b", "null", "true", "{}", "[]", "__proto__",
    "x" * 500,
]  # fmt: skip


def test_text_that_looks_like_an_attack_is_kept_as_sent_and_does_nothing(service: Service) -> None:
    for text in ATTACKS:
        case = {
            **POSITIVE,
            "specimen": {"accession": text, "site": text},
            "ish": {"failed": True, "failure_reason": text},
        }
        stored = service.report(case)
        assert service.get(f"/results/{stored['id']}").json()["input"] == case, text
        found = service.get("/results", params={"accession": text}).json()["items"]
        assert [each["id"] for each in found] == [stored["id"]], text
    assert len(service.get("/results", params={"limit": 500}).json()["items"]) == len(ATTACKS)


def test_names_that_look_like_an_attack_are_kept_too(service: Service) -> None:
    for text in (each for each in ATTACKS if each.isprintable() and len(each) <= 100 and each.strip() == each):
        stored = service.report(POSITIVE, patient=text, laboratory=text)
        signed = service.post(f"/results/{stored['id']}/sign-offs", {"name": text, "role": text, "reason": text})
        assert signed.status_code == 201, text
        (act,) = signed.json()["acts"]
        assert (act["name"], act["role"], act["reason"]) == (text, text, text)
        rows = service.get("/results", params={"laboratory": text, "patient_id": stored["patient_id"]}).json()["items"]
        assert [row["id"] for row in rows] == [stored["id"]]


def test_nothing_sent_comes_back_as_a_header(service: Service) -> None:
    value = "a%0D%0ASet-Cookie:%20a=b"
    for path in (f"/results/{value}", f"/her2/classify?ihc={value}", f"/guidelines/{value}"):
        response = service.get(path)
        assert response.status_code in (404, 422)
        assert "set-cookie" not in response.headers
    response = service.get("/healthz", headers={"X-Request-Id": "a b; x"})
    assert response.headers["x-request-id"] != "a b; x"


# ---- what is unusual and right

GOOD_BODIES: dict[str, bytes] = {
    "a byte order mark": b'\xef\xbb\xbf{"ihc": "2+"}',
    "blanks around": b' \r\n\t{ "ihc" : "2+" } \n',
    "escapes": b'{"\\u0069hc": "2\\u002b"}',
}


@pytest.mark.parametrize("why", GOOD_BODIES)
def test_a_body_that_is_unusual_and_right_is_read(stateless: Service, why: str) -> None:
    wanted = stateless.post("/her2/classify", {"ihc": "2+"}).json()
    for media in ("application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "application/fhir+json"):
        response = stateless.request(
            "POST", "/her2/classify", content=GOOD_BODIES[why], headers={"Content-Type": media}
        )
        assert (response.status_code, response.json()) == (200, wanted), media


def test_a_case_as_deep_as_cases_are_and_as_long_as_the_limit_is_answered(service: Service) -> None:
    many = {"context": {"prior_therapies": ["trastuzumab"] * 50}, "specimen": {"site": "x" * 500}}
    assert service.report({**POSITIVE, **many})["input"]["specimen"]["site"] == "x" * 500


# ---- too large


def test_a_body_over_the_limit_is_refused_whether_its_length_is_told_or_not(start: Start, shared_url: str) -> None:
    service = start(shared_url, body_limit=10_000)
    stored = service.report(GROUP_4)
    big = b'{"ihc": "3+", "specimen": {"site": "' + b"x" * 10_000 + b'"}}'

    async def pieces() -> Any:
        for at in range(0, len(big), 1000):
            yield big[at : at + 1000]

    headers = {"Content-Type": "application/json"}
    for path in (
        "/her2/classify",
        "/results",
        f"/results/{stored['id']}/amendments",
        f"/results/{stored['id']}/sign-offs",
    ):
        for content in (big, pieces()):
            problem(service.request("POST", path, content=content, headers=headers), 413, "too_large")
    assert service.get(f"/results/{stored['id']}").json() == stored
    small = service.post(f"/results/{stored['id']}/sign-offs", PERSON)
    assert small.status_code == 201


# ---- numbers that are written rightly and cannot be

BEYOND: list[dict[str, Any]] = [
    {"ratio": "0.000001", "her2_copies": "999999999"},
    {"her2_copies": "999999999", "cep17_copies": "0.000001"},
    {"ratio": "999999999", "cep17_copies": "999999999"},
    {"ratio": "999999999", "her2_copies": "0.000001"},
    {"her2_signals": "999999999", "her2_cells": "1", "cep17_signals": 1, "cep17_cells": "999999999"},
    {"her2_signals": 1, "her2_cells": "999999999", "cep17_signals": "999999999", "cep17_cells": 1},
    {"her2_copies": "4000", "her2_cells": 1, "cep17_signals": "1", "cep17_cells": "300000"},
    {"ratio": ">999999999", "cep17_copies": ">999999999"},
    {"ratio": "<0.000002", "her2_copies": ">999999999"},
]


@pytest.mark.parametrize("block", ["ish", "follow_up_ish", "recount", "third_count", "cluster"])
@pytest.mark.parametrize("count", BEYOND)
def test_a_count_beyond_anything_is_not_credible_and_nothing_breaks(
    stateless: Service, block: str, count: dict[str, Any]
) -> None:
    around = {"ihc": "2+"} if block == "ish" else GROUP_4
    more = {"share_percent": "20"} if block == "cluster" else {"blinded": True, "in_ihc_2plus_area": True}
    more = more if block in ("cluster", "recount", "third_count") else {}
    response = stateless.post("/her2/classify", {**around, block: {"cells": 40, **count, **more}})
    assert response.status_code in (200, 422), response.text
    if response.status_code == 422:
        assert response.json()["problems"]
    else:
        assert not response.json()["final"], "not decided on what cannot be"
