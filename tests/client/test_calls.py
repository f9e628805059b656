"""The calls against a running server, by both fronts."""

from __future__ import annotations

import asyncio
from decimal import Decimal
from typing import Any

import pytest

from herald_client import AsyncHerald, Herald, Refused, Stale

PERSON: Any = {"name": "Dr A. Reader", "role": "pathologist"}
SECOND: Any = {"name": "Dr B. Counter", "role": "second observer"}
COUNT: Any = {"ratio": "1.7", "her2_copies": "4.4", "cells": 20, "blinded": True, "in_ihc_2plus_area": True}
GROUP_4: Any = {"assay": "dual_probe", "ratio": Decimal("1.80"), "her2_copies": "4.50", "cells": 40}


def test_a_result_from_its_report_to_its_signature(herald: Herald) -> None:
    first = herald.report({"patient": "P/1 ü+", "specimen": {"accession": "S26-1"}, "ihc": "2+", "ish": GROUP_4})
    id_ = str(first["id"])
    assert [step["awaited"] for step in herald.open_steps(result_id=id_)] == ["blinded_recount_ihc2_area"]
    counted = herald.recount(id_, {**SECOND, "count": COUNT}, version=1)
    assert counted["classification"] is not None
    assert counted["classification"]["final"]
    amended = herald.amend(id_, {**PERSON, "reason": "read anew", "changes": {"ihc": "3+"}}, version=2)
    assert amended["version"] == 3
    with pytest.raises(Stale) as caught:
        herald.amend(id_, {**PERSON, "reason": "read anew", "changes": {"ihc": "1+"}}, version=2)
    assert caught.value.current_version == 3
    assert herald.sign_off(id_, PERSON)["confirmation"] == "confirmed"
    assert [version["cause"] for version in herald.history(id_)["versions"]] == ["reported", "recount", "amended"]
    assert [row["id"] for row in herald.timeline("P/1 ü+")["results"]] == [id_]
    assert list(herald.open_steps()) == []


def test_the_group_that_a_person_names_settles_a_recount_in_another_group(herald: Herald) -> None:
    first = herald.report({"patient": "P-1", "ihc": "2+", "ish": GROUP_4})
    herald.recount(str(first["id"]), {**SECOND, "count": {**COUNT, "ratio": "2.1"}})
    named = herald.adjudicate(str(first["id"]), {**PERSON, "reason": "by our procedure", "group": 1})
    assert named["classification"] is not None
    assert (named["classification"]["final"], named["classification"]["ish_group"]) == (True, 1)


def test_digits_are_stored_as_they_were_written(herald: Herald) -> None:
    stored = herald.report({"patient": "P-1", "ihc": "2+", "ish": GROUP_4})
    found = herald.find_result(str(stored["id"]))
    assert found["input"] is not None
    assert (found["input"]["ish"]["ratio"], found["input"]["ish"]["her2_copies"]) == ("1.80", "4.50")


def test_a_list_goes_over_its_pages(herald: Herald) -> None:
    ids = [herald.report({"patient": f"P-{number}", "ihc": "3+"})["id"] for number in range(5)]
    herald.report({"patient": "P-9", "ihc": "1+"})
    assert [row["id"] for row in herald.list_results(page_size=2, status="positive", final=True)] == ids[::-1]


def test_a_dry_run_stores_nothing(herald: Herald) -> None:
    told = herald.report({"patient": "P-1", "ihc": "3+"}, dry_run=True)
    assert told["id"] is None
    assert list(herald.list_results()) == []


def test_what_the_evidence_says_for_a_context(herald: Herald) -> None:
    told = herald.considerations(
        {"her2": {"status": "positive", "final": True}, "context": {"er": "positive", "setting": "metastatic"}}
    )
    assert told["her2"] == "positive"
    assert told["considerations"]


SECRET = "Mustermann"


@pytest.mark.parametrize(
    "document",
    [
        {"patient": {"value": SECRET, "system": ""}, "ihc": "3+"},
        {"patient": "P-1", "ihc": SECRET},
        {"patient": "P-1", "ish": {"ratio": SECRET, "cells": SECRET}},
        {"patient": "P-1", SECRET: 1},
        {"patient": [SECRET], "ihc": "3+"},
        {"patient": "P-1", "specimen": {"collected_at": SECRET}},
        {"patient": "P-1", "ihc": "3+", "context": {"er": SECRET}},
        {"patient": "P-1", "ihc": "3+", "laboratory": f"{SECRET}\n"},
    ],
)
def test_an_error_names_the_field_and_what_to_send_and_repeats_nothing(herald: Herald, document: Any) -> None:
    with pytest.raises(Refused) as caught:
        herald.report(document)
    error = caught.value
    assert (error.status, error.kind) == (422, "invalid")
    assert error.problems
    assert all(each.field in str(error) and each.remedy in str(error) for each in error.problems)
    if SECRET not in document:
        assert SECRET not in str(error)


def test_who_asks_for_another_patient_is_told_no_more_than_that(herald: Herald) -> None:
    with pytest.raises(Refused) as caught:
        herald.timeline(f"Erika {SECRET}")
    assert caught.value.kind == "not_found"
    assert SECRET not in str(caught.value)


def test_the_awaited_front_does_the_same(base_url: str) -> None:
    async def work() -> None:
        async with AsyncHerald(base_url) as herald:
            reported = [herald.report({"patient": f"P-{number}", "ihc": "2+"}) for number in range(4)]
            ids = {result["id"] for result in await asyncio.gather(*reported)}
            assert {row["id"] async for row in herald.list_results(page_size=3)} == ids
            assert {step["result_id"] async for step in herald.open_steps(page_size=3)} == ids
            id_ = str(min(map(str, ids)))
            amended = await herald.amend(id_, {**PERSON, "reason": "read anew", "changes": {"ihc": "3+"}}, version=1)
            assert amended["version"] == 2
            assert (await herald.sign_off(id_, PERSON))["signed"]
            assert len((await herald.history(id_))["versions"]) == 2
            assert (await herald.timeline("P-1"))["results"]
            assert (await herald.classify({"ihc": "1+"}))["status"] == "negative"
            with pytest.raises(Refused):
                await herald.find_result("0" * 36)

    asyncio.run(work())
