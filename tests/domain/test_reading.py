"""A document as received becomes a case, or everything that is wrong with it in one pass."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.case import Case, Cluster, Count, Ihc, Specimen
from app.domain.codes import DEFAULT_POLICY
from app.domain.evidence import PatientContext
from app.domain.numbers import AVERAGE, CELLS, DURATION, PERCENT, TOTAL, Digits, Kind, Measure, read_measure
from app.domain.reading import Reading, is_text, moment, read_case

Document = dict[str, Any]
Told = set[tuple[str, str]]


def told(document: Document) -> Told:
    return {(problem.code, problem.field) for problem in read_case(document).problems}


def number(text: str, kind: Kind = AVERAGE) -> Measure:
    got = read_measure(text, kind, "")
    assert isinstance(got, Measure)
    return got


COUNT = {
    "ratio": "2.1", "her2_copies": "5.0", "cep17_copies": "2.4", "her2_signals": 100, "cep17_signals": "48",
    "cells": 20, "her2_cells": 21, "cep17_cells": "22",
}  # fmt: skip
READ = {
    "ratio": number("2.1"), "her2": number("5.0"), "cep17": number("2.4"), "her2_signals": number("100", TOTAL),
    "cep17_signals": number("48", TOTAL), "cells": number("20", CELLS), "her2_cells": number("21", CELLS),
    "cep17_cells": number("22", CELLS),
}  # fmt: skip


def test_an_empty_document() -> None:
    assert read_case({}) == Reading(Case(), PatientContext(), ())
    assert Case().edition == "asco-cap-2018"
    assert Case().policy == DEFAULT_POLICY


def test_every_field_is_read() -> None:
    document = {
        "edition": "asco-cap-2013",
        "policy": {"group1_ihc_negative": "hold", "low_in_groups_2_to_4": "exclude"},
        "specimen": {
            "accession": "S-1", "block": "A2", "site": "left breast", "kind": "metastasis", "procedure": "core",
            "invasive": True, "breast_carcinoma": False, "collected_at": "2026-11-25",
            "reported_at": "2026-11-25T14:30:00+01:00", "histology": "lobular", "grade": 2, "purity_percent": "95",
            "little_invasive_tumour": True, "excision_differs": True, "handling_doubt": True,
            "cold_ischaemia_minutes": 30, "fixation_hours": "<6", "fixative": "other", "decalcified": True,
            "section_age_days": 41,
        },
        "ihc": {
            "score": "2+", "controls": "passed", "membrane": "complete", "intensity": "weak", "percent": "10-19",
            "scored_under": "asco-cap-2007", "clone": "4B5",
        },
        "ish": {**COUNT, "assay": "dual_probe", "failed": False, "failure_reason": "", "controls": "failed",
                "method": "FISH", "observer": "A"},
        "follow_up_ish": {**COUNT, "assay": "single_probe", "failed": False},
        "recount": {**COUNT, "same_observer": False, "observer": "B", "blinded": True, "in_ihc_2plus_area": True},
        "third_count": {**COUNT, "same_observer": True, "blinded": False},
        "adjudication": {"group": 4},
        "cluster": {**COUNT, "share_percent": "12.5"},
        "reported_status": "positive",
        "context": {
            "er": "positive", "er_percent": "90", "pgr": "negative", "pgr_percent": 0, "setting": "metastatic",
            "menopausal_status": "post", "line": 2, "prior_therapies": ["letrozole"],
            "biomarkers": {"pik3ca_mutation": "positive"},
        },
    }  # fmt: skip
    reading = read_case(document)
    assert reading.problems == ()
    assert reading.case == Case(
        edition="asco-cap-2013",
        policy=DEFAULT_POLICY | {"group1_ihc_negative": "hold", "low_in_groups_2_to_4": "exclude"},
        specimen=Specimen(
            procedure="core", invasive=True, breast_carcinoma=False, histology="lobular", grade=2,
            purity_percent=number("95", PERCENT), little_invasive_tumour=True, excision_differs=True,
            handling_doubt=True, cold_ischaemia_minutes=number("30", DURATION), fixation_hours=number("<6", DURATION),
            fixative="other", decalcified=True, section_age_days=number("41", DURATION),
        ),
        ihc=Ihc("2+", "passed", "complete", "weak", number("10-19", PERCENT), "asco-cap-2007"),
        ish=Count(assay="dual_probe", failed=False, controls="failed", **READ),
        follow_up_ish=Count(assay="single_probe", **READ),
        recount=Count(**READ, same_observer=False, blinded=True, in_ihc2_area=True),
        third_count=Count(**READ, same_observer=True),
        adjudicated_group=4,
        cluster=Cluster(number("12.5", PERCENT), Count(**READ)),
        er="positive",
        pgr="negative",
    )  # fmt: skip
    assert reading.context == PatientContext(
        er="positive", er_percent=number("90", PERCENT), pgr="negative", pgr_percent=number("0", PERCENT),
        setting="metastatic", menopausal_status="post", line=2, prior_therapies=("letrozole",),
        biomarkers=(("pik3ca_mutation", "positive"),), specimen_kind="metastasis",
    )  # fmt: skip


SCORES: dict[Any, str | None] = {
    "0": "0", "0+": "0+", "1+": "1+", "2+": "2+", "3+": "3+", "1": "1+", "2": "2+", "3": "3+", 0: "0", 3: "3+",
    " 2+ ": "2+", "2 +": "2+", "Score 2+": "2+", "score: 3+": "3+", "IHC 1+": "1+", "HER2 IHC score = 3+": "3+",
    "HER-2/neu by IHC: 0": "0", "her2 0+": "0+", "indeterminate": "indeterminate", "Indeterminate": "indeterminate",
    "Cannot be determined": "indeterminate", "not done": None, "NOT PERFORMED": None, "not_done": None,
}  # fmt: skip


@pytest.mark.parametrize("written", SCORES, ids=repr)
def test_a_score(written: Any) -> None:
    for document in ({"ihc": written}, {"ihc": {"score": written}}):
        reading = read_case(document)
        assert reading.case.ihc.score == SCORES[written]
        assert reading.problems == ()


@pytest.mark.parametrize(
    "written", ["4+", "1.5+", "2+/3+", "1-2+", "positive", "equivocal", "", "+", 4, -1, 2.0, True, [], "2++", "3+ 2+",
     "٣"],
    ids=repr,
)  # fmt: skip
def test_no_score(written: Any) -> None:
    assert told({"ihc": written}) == {("UNKNOWN_SCORE", "ihc")}
    assert told({"ihc": {"score": written}}) == {("UNKNOWN_SCORE", "ihc.score")}
    assert read_case({"ihc": written}).case.ihc.score is None


def test_short_forms() -> None:
    reading = read_case({"ratio": "2.1", "copies": 5, "cep17": "2.4", "cells": 20})
    assert reading.case.ish == Count(
        ratio=number("2.1"), her2=number("5"), cep17=number("2.4"), cells=number("20", CELLS)
    )
    assert reading.problems == ()
    both = read_case({"ratio": "2.1", "ish": {"ratio": "2.1", "assay": "dual_probe"}})
    assert both.problems == ()
    assert both.case.ish == Count(assay="dual_probe", ratio=number("2.1"))


@pytest.mark.parametrize(
    ("short", "long"), [("ratio", "ratio"), ("copies", "her2_copies"), ("cep17", "cep17_copies"), ("cells", "cells")]
)
def test_a_short_form_that_differs(short: str, long: str) -> None:
    reading = read_case({short: "3", "ish": {long: "2"}})
    (problem,) = reading.problems
    assert (problem.code, problem.field) == ("TWICE_STATED", short)
    assert problem.message == f"{short} and ish.{long} are both given and differ"
    assert problem.remedy == f"send ish.{long} alone"
    assert told({short: None, "ish": {long: "2"}}) == set()
    assert told({short: "3", "ish": {long: None}}) == set()


def test_short_forms_beside_a_block_that_is_none() -> None:
    assert told({"ratio": "2.1", "ish": "2.1"}) == {("WRONG_TYPE", "ish")}


NULLS = [
    "edition", "policy", "specimen", "ihc", "ish", "follow_up_ish", "recount", "third_count", "adjudication", "cluster",
    "context", "reported_status", "ratio", "copies", "cep17", "cells",
]  # fmt: skip


def test_null_is_as_absent() -> None:
    assert read_case(dict.fromkeys(NULLS)) == read_case({})
    nulls = {"specimen": {"grade": None}, "ihc": {"score": None}, "recount": None, "context": {"er": None}}
    assert read_case(nulls).case == Case()
    assert read_case({"ish": {"ratio": None}}).case.ish == Count()
    assert read_case({"cluster": {}}).case.cluster == Cluster(None, Count())


def test_texts() -> None:
    assert is_text("") and is_text("Größe ✓") and is_text("x" * 9)
    assert not any(is_text(value) for value in (None, 1, Digits("1"), "a\x00b", "a\ud800", "\udfff", b"a"))
    assert told({"specimen": {"accession": "x" * 500}}) == set()
    assert told({"context": {"prior_therapies": ["x"] * 50}}) == set()
    assert told({"context": {"line": 1}}) == told({"context": {"line": 99}}) == set()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-25", "2026-11-25T00:00:00+00:00"),
        ("2026-11-25T14:30:00+01:00", "2026-11-25T13:30:00+00:00"),
        ("2026-11-25T14:30Z", "2026-11-25T14:30:00+00:00"),
        ("2026-11-25t14:30:00.5z", "2026-11-25T14:30:00.500000+00:00"),
        ("2024-02-29", "2024-02-29T00:00:00+00:00"),
    ],
)
def test_a_moment(written: str, read: str) -> None:
    assert moment(written).isoformat() == read
    assert told({"specimen": {"collected_at": written, "reported_at": written}}) == set()


@pytest.mark.parametrize(
    "written",
    ["25.11.2026", "2026-11-25 14:30:00Z", "2026-11-25T14:30:00", "2026-11-25T14Z", "20261125", "2026-W01-1",
     "2025-02-29",
     "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-25T25:00:00Z", "", 20261125, None,
     "2026-11-25\n"],
    ids=repr,
)  # fmt: skip
def test_no_moment(written: Any) -> None:
    with pytest.raises(ValueError):
        moment(written)
    if written is not None:
        (problem,) = read_case({"specimen": {"collected_at": written}}).problems
        assert problem.message == "not a date or a date-time with an offset"
        assert problem.remedy == ("send a date (2026-11-25) or a date-time with its offset (2026-11-25T14:30:00+01:00)")


def test_an_unread_receptor_is_unknown() -> None:
    reading = read_case({"context": {"er": "x", "pgr": "positive"}})
    assert (reading.case.er, reading.case.pgr) == (None, "positive")
    assert (reading.context.er, reading.context.pgr) == ("unknown", "positive")
    assert read_case({"specimen": {"kind": "primary"}}).context.specimen_kind == "primary"
    assert read_case({"specimen": {"kind": "primary"}}).case.specimen == Specimen()


def test_biomarkers_are_sorted() -> None:
    given = {"pik3ca_mutation": "negative", "esr1_high": "positive"}
    reading = read_case({"context": {"biomarkers": given}})
    assert reading.problems == ()
    assert reading.context.biomarkers == (("esr1_high", "positive"), ("pik3ca_mutation", "negative"))


def test_what_a_count_holds() -> None:
    assert not Count().valued and not Count(cells=number("20", CELLS)).valued
    for name in ("ratio", "her2", "cep17", "her2_signals", "cep17_signals"):
        assert Count(**{name: READ[name]}).valued
        assert Count(**{name: READ[name]}).second_colour == (name in ("ratio", "cep17", "cep17_signals"))
