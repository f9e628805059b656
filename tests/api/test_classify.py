"""POST and GET /her2/classify: one answer, complete, with every version it depends on."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

import pytest

from tests.api.cases import ANSWER_FIELDS, fields_of, problem, versions_missing
from tests.fixtures_service import Service

EDITIONS = ("asco-cap-2018", "asco-cap-2023", "asco-cap-2013", "asco-cap-2007")

# As a query; the body that says the same.
SAME = [
    ({"ihc": "2+", "ratio": "1.8", "copies": "4.5"}, {"ihc": "2+", "ratio": "1.8", "copies": "4.5"}),
    ({"ihc": "2+"}, {"ihc": "2+"}),
    ({"ihc": "3"}, {"ihc": "3+"}),
    ({"ihc": "score 2+", "ratio": "2.0"}, {"ihc": {"score": "2+"}, "ish": {"ratio": "2.0"}}),
    ({"ratio": "2.2", "copies": ">6.0"}, {"ish": {"ratio": "2.2", "her2_copies": ">6.0"}}),
    ({"ihc": "1+", "ratio": "1.8-2.2"}, {"ihc": "1+", "ish": {"ratio": "1.8-2.2"}}),
    ({"copies": "5.0", "cep17": "2.1", "cells": "20"}, {"copies": "5.0", "cep17": "2.1", "cells": 20}),
    (
        {"her2_signals": "143", "cep17_signals": "61", "cells": "20"},
        {"ish": {"her2_signals": 143, "cep17_signals": 61, "cells": 20}},
    ),
    (
        {"ihc": "2+", "assay": "single_probe", "copies": "4.5"},
        {"ihc": "2+", "ish": {"assay": "single_probe", "her2_copies": "4.5"}},
    ),
    (
        {"ihc": "3+", "er": "positive", "pgr": "negative", "setting": "metastatic", "menopausal_status": "post"},
        {
            "ihc": "3+",
            "context": {"er": "positive", "pgr": "negative", "setting": "metastatic", "menopausal_status": "post"},
        },
    ),
    *(
        (
            {"ihc": "2+", "ratio": "1.9", "copies": "5.2", "edition": edition},
            {"ihc": "2+", "ratio": "1.9", "copies": "5.2", "edition": edition},
        )
        for edition in EDITIONS
    ),
]


@pytest.mark.parametrize(("query", "body"), SAME)
def test_get_and_post_give_the_same_answer(stateless: Service, query: dict[str, str], body: dict[str, Any]) -> None:
    got, posted = stateless.get(f"/her2/classify?{urlencode(query)}"), stateless.post("/her2/classify", body)
    assert (got.status_code, posted.status_code) == (200, 200), posted.text
    assert got.json() == posted.json()


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ({"ihc": "positive", "ratio": "2,1"}, {"ihc": "positive", "ratio": "2,1"}),
        ({"copies": "0", "cells": "-1"}, {"copies": "0", "cells": "-1"}),
        ({"ihc": "2+", "ratio": "3.0", "copies": "4.0", "cep17": "4.0"}, None),
        ({"ihc": "3+", "edition": "asco-cap-2019"}, None),
        ({"ihc": "1+", "her2_signals": "143", "cep17_signals": "0", "cells": "20"}, None),
    ],
)
def test_get_and_post_give_the_same_problem(stateless: Service, query: dict[str, str], body: Any) -> None:
    nested = {name: value for name, value in query.items() if "signals" not in name}
    signals = {name: value for name, value in query.items() if "signals" in name}
    body = body or {**nested, **({"ish": signals} if signals else {})}
    got, posted = stateless.get("/her2/classify", params=query), stateless.post("/her2/classify", body)
    assert (got.status_code, posted.status_code) == (422, 422)
    assert got.json() == posted.json()


@pytest.mark.parametrize("score", ["0", "1", "2", "3", "0+", "1+", "2+", "3+"])
def test_a_plus_that_is_not_escaped_in_a_query_is_read_as_the_blank_it_arrives_as(
    stateless: Service, score: str
) -> None:
    asked = stateless.get(f"/her2/classify?ihc={score}&ratio=1.5&copies=3.0")
    if score == "0+":  # a blank after 0 cannot be told from 0 alone
        assert fields_of(problem(asked, 422, "invalid")) == ["ihc"]
        return
    answer = asked.json()
    escaped = stateless.get("/her2/classify", params={"ihc": score, "ratio": "1.5", "copies": "3.0"}).json()
    assert answer == escaped


@pytest.mark.parametrize(
    ("spellings", "standard"),
    [
        (["0", 0, "IHC 0", "score 0", "Score: 0", " 0 "], "0"),
        (["0+", "0 +", "score 0+"], "0+"),
        (["1", 1, "1+", "1 +", "SCORE 1+", "ihc 1+", "HER2 IHC: 1+"], "1+"),
        (["2", 2, "2+", "2 +", "score 2+", "Score 2", "IHC score 2+", " 2+ ", "Her2/neu by IHC 2+"], "2+"),
        (["3", 3, "3+", "3 +", "sCoRe 3+", "ihc=3+"], "3+"),
    ],
)
def test_every_spelling_of_a_score_is_read_alike(stateless: Service, spellings: list[Any], standard: str) -> None:
    wanted = stateless.post("/her2/classify", {"ihc": {"score": standard}}).json()
    for spelling in spellings:
        for ihc in (spelling, {"score": spelling}):
            response = stateless.post("/her2/classify", {"ihc": ihc})
            assert response.status_code == 200, (ihc, response.text)
            assert response.json() == wanted, ihc


@pytest.mark.parametrize("written", ["2.0", "2.00", "2", "02.0", "2.000000"])
def test_digits_are_kept_as_written(stateless: Service, written: str) -> None:
    body = {"ihc": "2+", "ish": {"ratio": written, "her2_copies": "4.10"}}
    measured = {each["name"]: each for each in stateless.post("/her2/classify", body).json()["measured"]}
    assert measured["ratio"]["value"] == written
    assert measured["ratio"]["basis"] == "reported"
    assert "4.10" in {each["value"] for each in measured.values()}


@pytest.mark.parametrize("number", ["1.80", "1.8", "2.000", "2"])
def test_a_json_number_keeps_its_digits_and_is_classified_as_the_text_is(stateless: Service, number: str) -> None:
    body = f'{{"ihc": "2+", "ish": {{"ratio": {number}, "her2_copies": 4.50}}}}'
    sent = stateless.request("POST", "/her2/classify", content=body, headers={"Content-Type": "application/json"})
    assert sent.status_code == 200, sent.text
    text = stateless.post("/her2/classify", {"ihc": "2+", "ish": {"ratio": number, "her2_copies": "4.50"}})
    assert sent.json() == text.json()
    assert number in {each["value"] for each in sent.json()["measured"]}


ANSWERED: list[dict[str, Any]] = [
    {},
    {"ihc": "3+"},
    {"ihc": "2+", "ratio": "1.8", "copies": "4.5"},
    {"ihc": "2+", "ratio": ">1.8", "copies": "5.0"},
    {"ihc": "indeterminate"},
    {"ihc": "0+", "context": {"er": "positive", "setting": "metastatic"}},
    *({"ihc": "1+", "ratio": "1.2", "copies": "2.5", "edition": edition} for edition in EDITIONS),
]


@pytest.mark.parametrize("body", ANSWERED)
def test_every_answer_is_complete_and_stamped_with_versions_and_digests(
    stateless: Service, body: dict[str, Any]
) -> None:
    answer = stateless.post("/her2/classify", body).json()
    assert set(answer) == ANSWER_FIELDS
    assert versions_missing(answer) == []
    assert answer["edition"]["id"] == body.get("edition", "asco-cap-2018")
    assert answer["trace"] or answer["worlds"]
    told = [*answer["next_steps"], *answer["flags"], *answer["report_notes"], *answer["notes"]]
    assert set(answer["texts"]) == {*told, *([answer["comment"]] if answer["comment"] else [])}
    for step in [*answer["trace"], *(step for world in answer["worlds"] for step in world["trace"])]:
        assert step["table"] and step["row"] and step["place"] and step["text"], step


def test_a_null_stamp_is_noticed() -> None:
    whole = {
        "edition": {"id": "e", "version": "1", "digest": "d" * 64, "title": "t", "errata": 0, "errata_date": "x"},
        "evidence": {"id": "p", "version": "1", "digest": "d" * 64},
        "engine": "0.1.0",
    }
    assert versions_missing(whole) == []
    assert versions_missing({**whole, "engine": None}) == ["engine"]
    assert versions_missing({**whole, "evidence": None})
    assert versions_missing({**whole, "edition": {**whole["edition"], "version": None}}) == ["edition.version"]  # type: ignore[dict-item]


def test_a_refused_case_is_stamped_too(stateless: Service) -> None:
    refused = stateless.post("/her2/classify", {"ihc": "4+"}).json()
    assert versions_missing(refused["classification"]) == []
    assert refused["classification"]["status"] == "invalid"


def test_each_edition_is_selected_by_name_and_2018_by_default(stateless: Service) -> None:
    case = {"ihc": "2+", "ratio": "1.5", "copies": "5.0", "cells": 40}
    answers = {each: stateless.post("/her2/classify", {**case, "edition": each}).json() for each in EDITIONS}
    assert {each: answer["edition"]["id"] for each, answer in answers.items()} == {each: each for each in EDITIONS}
    assert len({answer["edition"]["digest"] for answer in answers.values()}) == len(EDITIONS)
    assert stateless.post("/her2/classify", case).json() == answers["asco-cap-2018"]
    assert answers["asco-cap-2018"]["status"] == "pending"
    assert answers["asco-cap-2013"]["status"] == "equivocal"


def test_only_2023_adds_its_report_note(stateless: Service) -> None:
    notes = {
        each: stateless.post("/her2/classify", {"ihc": "0", "edition": each}).json()["report_notes"]
        for each in EDITIONS
    }
    assert {each for each, told in notes.items() if told} == {"asco-cap-2023"}
    assert notes["asco-cap-2023"] == ["LOW_EXPRESSION_2023"]


@pytest.mark.parametrize(
    ("switch", "words", "case", "seen"),
    [
        ("group1_ihc_negative", ("review", "hold"), {"ihc": "1+", "ratio": "2.5", "copies": "6.5"}, "status"),
        ("group5_ihc_3plus", ("review", "hold"), {"ihc": "3+", "ratio": "1.2", "copies": "2.4"}, "status"),
        (
            "single_probe_discordant",
            ("review", "hold"),
            {"ihc": "3+", "ish": {"assay": "single_probe", "her2_copies": "2.4"}},
            "status",
        ),
        (
            "low_in_groups_2_to_4",
            ("include", "exclude"),
            {
                "ihc": "2+",
                "ish": {"ratio": "1.5", "her2_copies": "4.5", "cells": 40},
                "recount": {
                    "ratio": "1.5",
                    "her2_copies": "4.4",
                    "cells": 20,
                    "blinded": True,
                    "in_ihc_2plus_area": True,
                },
            },
            "her2_low",
        ),
    ],
)
def test_each_policy_switch_changes_what_it_names_and_is_named_in_the_answer(
    stateless: Service, switch: str, words: tuple[str, str], case: dict[str, Any], seen: str
) -> None:
    case = {**case, "cells": 40} if "ish" not in case else case
    default = stateless.post("/her2/classify", case).json()
    answers = [stateless.post("/her2/classify", {**case, "policy": {switch: word}}).json() for word in words]
    assert [answer["policy"][switch] for answer in answers] == list(words)
    assert default == answers[0]
    assert answers[0][seen] != answers[1][seen]
    assert len(default["policy"]) == 4


def test_nothing_is_kept_between_two_questions(stateless: Service) -> None:
    first = stateless.post("/her2/classify", {"ihc": "3+"}).content
    stateless.post("/her2/classify", {"ihc": "1+", "policy": {"group5_ihc_3plus": "hold"}, "edition": "asco-cap-2007"})
    stateless.post("/her2/classify", {"ihc": "nonsense"})
    assert stateless.post("/her2/classify", {"ihc": "3+"}).content == first


def test_null_is_as_absent(stateless: Service) -> None:
    nulls = {"edition": None, "policy": None, "specimen": None, "ish": None, "context": {"er": None}, "ratio": None}
    assert stateless.post("/her2/classify", {"ihc": "3+", **nulls}).json() == (
        stateless.post("/her2/classify", {"ihc": "3+", "context": {}}).json()
    )
