"""/: the calculator. A plain form that also answers as it is filled; nothing is stored, a link holds the entry."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.domain.codes import DEFAULT_EDITION, EDITIONS
from app.services import decision
from app.services.assessment import guideline_identities
from app.services.query import PARAMETERS, calculate
from app.web import site

router = APIRouter(include_in_schema=False)

# The fields of the form: of each part those at hand, then those behind a further click.
_BIOMARKERS = tuple(name for name in PARAMETERS if name.startswith("biomarker_"))
_RECOUNT = tuple(name for name in PARAMETERS if name.startswith("recount_"))
_FOLLOW_UP = tuple(name for name in PARAMETERS if name.startswith("follow_up_"))
_FORM: tuple[tuple[str, tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]], ...] = (
    ("ihc", ("ihc",), (("staining", ("membrane", "intensity", "percent", "ihc_controls")),)),
    (
        "ish",
        ("assay", "ratio", "copies", "cep17", "cells"),
        (
            ("totals", ("her2_signals", "cep17_signals", "ish_controls", "ish_failed")),
            ("recount", (*_RECOUNT, "adjudicated_group")),
            ("follow_up", _FOLLOW_UP),
        ),
    ),
    (
        "context",
        ("er", "pgr", "setting"),
        (("more", ("er_percent", "pgr_percent", "line", "menopausal_status", "specimen_kind", *_BIOMARKERS)),),
    ),
)
_SCORES = ("0", "0+", "1+", "2+", "3+", "indeterminate")
_EXAMPLES = {
    "positive_ihc": "ihc=3%2B",
    "group_1": "ihc=2%2B&ratio=2.6&copies=6.4&cells=40",
    "group_2": "ihc=2%2B&ratio=2.3&copies=3.5&cells=40",
    "group_3": "ihc=2%2B&ratio=1.6&copies=6.8&cells=40",
    "group_4": "ihc=2%2B&ratio=1.90&copies=4.5&cells=40",
    "her2_low": "ihc=2%2B&ratio=1.2&copies=2.4&cells=40&er=positive&setting=metastatic",
    "interval": "ihc=2%2B&ratio=%3E1.8&copies=4.5&cells=40",
    "contradictory": "ihc=2%2B&ratio=2.1&copies=4.0&cep17=3.0&cells=40",
    "missing": "ihc=2%2B&ratio=1.6",
    "two_editions": "ihc=2%2B&ratio=1.5&copies=5.0&cells=40&beside=asco-cap-2013",
}


@router.get("/")
async def calculator_page(request: Request) -> Response:
    """The form with what the query holds, the answer beside it, the limits below."""
    entered = _entered(request)
    return site.page(
        "calculator.html",
        here="calculator",
        form=_FORM,
        parameters=PARAMETERS,
        scores=_SCORES,
        editions=guideline_identities(),
        entered=dict(entered),
        examples=_EXAMPLES,
        **_answer(request, entered),
    )


@router.get("/calculator/answer")
async def answer(request: Request) -> Response:
    """The answer alone, for the page's script."""
    return site.page("calculator_answer.html", **_answer(request, _entered(request)))


def _entered(request: Request) -> list[tuple[str, str]]:
    """What was entered; an empty field of the form asks nothing."""
    return [(name, value) for name, value in request.query_params.multi_items() if value.strip()]


def _answer(request: Request, entered: list[tuple[str, str]]) -> dict[str, Any]:
    """The parts of the answer: none where nothing but an edition was entered."""
    beside = [value for name, value in entered if name == "beside"]
    items = [(name, value) for name, value in entered if name != "beside"]
    asked = any(name != "edition" for name, _ in items)
    first = calculate(items)
    found = [first]
    if beside and beside[0] in EDITIONS and beside[0] != dict(items).get("edition", DEFAULT_EDITION):
        found.append(
            calculate([*((name, value) for name, value in items if name != "edition"), ("edition", beside[0])])
        )
    answers = [each.answer for each in found if each.answer is not None] if asked else []
    base = site.base_of(request)
    return {
        "asked": asked,
        "answers": answers,
        "problems": first.problems if asked else (),
        "compared": decision.compared(*answers) if len(answers) > 1 else (),
        "link": urlencode([*first.query, *(("beside", each) for each in beside[:1] if each in EDITIONS)]),
        "calls": [f"{base}/her2/classify?{urlencode(each.query)}" for each in found] if answers else [],
    }
