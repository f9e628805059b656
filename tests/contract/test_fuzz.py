"""Requests made from the exported contract, right ones and wrong ones, by schemathesis.

CI runs few examples from a fixed seed; HERALD_FUZZ_EXAMPLES=2000 pytest tests/contract runs more, from new seeds.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi import checks
from starlette.types import Receive, Scope, Send

from tests.api.cases import GROUP_4
from tests.contract.conftest import exported
from tests.fixtures_service import Service

_LONG = int(os.environ.get("HERALD_FUZZ_EXAMPLES", "0"))


def _settings(examples: int) -> settings:
    """Few examples from a fixed seed, or as many as were asked for from a new one."""
    return settings(
        max_examples=_LONG or examples,
        derandomize=not _LONG,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )


def _contract(mode: str, *, coverage: bool) -> Any:
    phases = {"coverage": {"enabled": coverage, "unexpected-methods": []}}
    project = {"generation": {"mode": mode}, "phases": phases}
    return schemathesis.openapi.from_dict(exported(), config=schemathesis.Config.from_dict(project))


right = _contract("positive", coverage=False)
# what takes neither body, parameter nor header cannot be asked wrongly
wrong = (
    _contract("negative", coverage=bool(_LONG))
    .exclude(
        path_regex=r"^/(healthz|readyz|guidelines|hl7v2|results/\{result_id\}(/history)?|fhir/(Observation/)?\$validate)$"
    )
    .exclude(method="POST", path_regex=r"^/fhir(/Observation|/DiagnosticReport)?$")
)  # a dry run tells it with 200

_ALWAYS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


class _Started:
    """An application that is running already: who asks it to start is told that it has."""

    def __init__(self, app: FastAPI) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        for event in ("startup", "shutdown"):
            await receive()
            await send({"type": f"lifespan.{event}.complete"})


def _asked(case: Any, service: Service, *more: Any) -> Any:
    """Send a case; whatever it was, the answer keeps the contract and is no error of ours."""
    response = case.call(app=_Started(service.app))
    assert response.status_code < 500, f"{case.method} {case.path} {case.body!r}: {response.text}"
    case.validate_response(response, checks=[*_ALWAYS, *more])
    if case.path.startswith("/fhir"):
        assert response.status_code < 400 or response.json()["resourceType"] == "OperationOutcome"
    elif response.status_code >= 400:
        assert response.headers["content-type"] == ["application/problem+json"]
        told = response.json()
        assert told["status"] == response.status_code
        assert told["type"].startswith("urn:herald:problem:")
    return response


_answered: Counter[str] = Counter()


@right.parametrize()
@_settings(25)
def test_a_request_by_the_contract_is_answered_by_it(case: Any, stateless: Service) -> None:
    """What is right by its shape may still contradict itself as a case: then a problem says so."""
    _answered[f"{case.method} {case.path} {_asked(case, stateless).status_code // 100}xx"] += 1


@wrong.parametrize()
@_settings(25)
def test_a_request_against_the_contract_is_refused_with_a_problem(case: Any, stateless: Service) -> None:
    _asked(case, stateless, checks.negative_data_rejection)


_verbs = right.include(path_regex=r"^/results/\{result_id\}")


@_verbs.parametrize()
@_settings(15)
def test_a_request_by_the_contract_about_a_result_that_is_there_is_answered_by_it(case: Any, service: Service) -> None:
    case.path_parameters = {"result_id": service.report(GROUP_4)["id"]}
    response = _asked(case, service)
    assert response.status_code != 404 or case.operation.path.endswith("/replay"), response.text


@pytest.mark.parametrize("path", ["/results", "/results/{result_id}/amendments", "/her2/classify"])
def test_the_contract_names_a_body_for_what_takes_one(path: str) -> None:
    assert wrong[path]["POST"].body
