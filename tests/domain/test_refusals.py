"""What is wrong with a document: a code and a field for every mistake, all in one pass, nothing echoed that names."""

from __future__ import annotations

import pytest

from app.domain.case import Case, Count
from app.domain.numbers import CELLS, Digits
from app.domain.reading import read_case
from tests.domain.test_reading import COUNT, Document, number, told

# One wrong value for every field: what is sent, and the code and field that must be told.
WRONG: list[tuple[Document, str, str]] = [
    ({"edition": "2018"}, "UNKNOWN_VALUE", "edition"),
    ({"policy": {"group1_ihc_negative": "include"}}, "UNKNOWN_VALUE", "policy.group1_ihc_negative"),
    ({"policy": {"group5_ihc_3plus": True}}, "UNKNOWN_VALUE", "policy.group5_ihc_3plus"),
    ({"policy": {"single_probe_discordant": 1}}, "UNKNOWN_VALUE", "policy.single_probe_discordant"),
    ({"policy": {"low_in_groups_2_to_4": "hold"}}, "UNKNOWN_VALUE", "policy.low_in_groups_2_to_4"),
    ({"specimen": {"accession": 5}}, "WRONG_TYPE", "specimen.accession"),
    ({"specimen": {"accession": Digits("1.5")}}, "WRONG_TYPE", "specimen.accession"),
    ({"specimen": {"block": "x" * 501}}, "WRONG_TYPE", "specimen.block"),
    ({"specimen": {"site": "\x00"}}, "WRONG_TYPE", "specimen.site"),
    ({"specimen": {"site": "\ud800"}}, "WRONG_TYPE", "specimen.site"),
    ({"specimen": {"kind": "lymph node"}}, "UNKNOWN_VALUE", "specimen.kind"),
    ({"specimen": {"procedure": "biopsy"}}, "UNKNOWN_VALUE", "specimen.procedure"),
    ({"specimen": {"invasive": "yes"}}, "WRONG_TYPE", "specimen.invasive"),
    ({"specimen": {"breast_carcinoma": 0}}, "WRONG_TYPE", "specimen.breast_carcinoma"),
    ({"specimen": {"collected_at": "25.11.2026"}}, "WRONG_TYPE", "specimen.collected_at"),
    ({"specimen": {"reported_at": "2026-11-25T14:30:00"}}, "WRONG_TYPE", "specimen.reported_at"),
    ({"specimen": {"histology": "papillary"}}, "UNKNOWN_VALUE", "specimen.histology"),
    ({"specimen": {"grade": 4}}, "UNKNOWN_VALUE", "specimen.grade"),
    ({"specimen": {"grade": True}}, "UNKNOWN_VALUE", "specimen.grade"),
    ({"specimen": {"grade": "1"}}, "UNKNOWN_VALUE", "specimen.grade"),
    ({"specimen": {"grade": 1.0}}, "UNKNOWN_VALUE", "specimen.grade"),
    ({"specimen": {"purity_percent": 101}}, "VALUE_OUT_OF_RANGE", "specimen.purity_percent"),
    ({"specimen": {"little_invasive_tumour": "no"}}, "WRONG_TYPE", "specimen.little_invasive_tumour"),
    ({"specimen": {"excision_differs": 1}}, "WRONG_TYPE", "specimen.excision_differs"),
    ({"specimen": {"handling_doubt": "?"}}, "WRONG_TYPE", "specimen.handling_doubt"),
    ({"specimen": {"cold_ischaemia_minutes": "1h"}}, "MALFORMED_NUMBER", "specimen.cold_ischaemia_minutes"),
    ({"specimen": {"fixation_hours": -1}}, "VALUE_OUT_OF_RANGE", "specimen.fixation_hours"),
    ({"specimen": {"fixative": "formalin"}}, "UNKNOWN_VALUE", "specimen.fixative"),
    ({"specimen": {"decalcified": "EDTA"}}, "WRONG_TYPE", "specimen.decalcified"),
    ({"specimen": {"section_age_days": "6 weeks"}}, "MALFORMED_NUMBER", "specimen.section_age_days"),
    ({"specimen": "A"}, "WRONG_TYPE", "specimen"),
    ({"ihc": {"controls": "ok"}}, "UNKNOWN_VALUE", "ihc.controls"),
    ({"ihc": {"membrane": "partial"}}, "UNKNOWN_VALUE", "ihc.membrane"),
    ({"ihc": {"intensity": "strong"}}, "UNKNOWN_VALUE", "ihc.intensity"),
    ({"ihc": {"percent": "10%"}}, "MALFORMED_NUMBER", "ihc.percent"),
    ({"ihc": {"scored_under": "2013"}}, "UNKNOWN_VALUE", "ihc.scored_under"),
    ({"ihc": {"clone": 4}}, "WRONG_TYPE", "ihc.clone"),
    ({"ish": {"assay": "dual"}}, "UNKNOWN_VALUE", "ish.assay"),
    ({"ish": {"failed": "yes"}}, "WRONG_TYPE", "ish.failed"),
    ({"ish": {"failure_reason": 1}}, "WRONG_TYPE", "ish.failure_reason"),
    ({"ish": {"controls": True}}, "UNKNOWN_VALUE", "ish.controls"),
    ({"ish": {"method": []}}, "WRONG_TYPE", "ish.method"),
    ({"ish": {"observer": 1}}, "WRONG_TYPE", "ish.observer"),
    ({"ish": [1]}, "WRONG_TYPE", "ish"),
    ({"follow_up_ish": "x"}, "WRONG_TYPE", "follow_up_ish"),
    ({"recount": {"same_observer": "A"}}, "WRONG_TYPE", "recount.same_observer"),
    ({"recount": {"observer": 1}}, "WRONG_TYPE", "recount.observer"),
    ({"recount": {"blinded": "yes"}}, "WRONG_TYPE", "recount.blinded"),
    ({"recount": {"in_ihc_2plus_area": 1}}, "WRONG_TYPE", "recount.in_ihc_2plus_area"),
    ({"recount": 1}, "WRONG_TYPE", "recount"),
    ({"third_count": {"blinded": "yes"}}, "WRONG_TYPE", "third_count.blinded"),
    ({"adjudication": {"group": 6}}, "UNKNOWN_VALUE", "adjudication.group"),
    ({"adjudication": {"group": "2"}}, "UNKNOWN_VALUE", "adjudication.group"),
    ({"adjudication": 2}, "WRONG_TYPE", "adjudication"),
    ({"cluster": {"share_percent": "a third"}}, "MALFORMED_NUMBER", "cluster.share_percent"),
    ({"cluster": True}, "WRONG_TYPE", "cluster"),
    ({"reported_status": 1}, "WRONG_TYPE", "reported_status"),
    ({"context": {"er": "pos"}}, "UNKNOWN_VALUE", "context.er"),
    ({"context": {"er_percent": 101}}, "VALUE_OUT_OF_RANGE", "context.er_percent"),
    ({"context": {"pgr": 1}}, "UNKNOWN_VALUE", "context.pgr"),
    ({"context": {"pgr_percent": "high"}}, "MALFORMED_NUMBER", "context.pgr_percent"),
    ({"context": {"setting": "palliative"}}, "UNKNOWN_VALUE", "context.setting"),
    ({"context": {"menopausal_status": "yes"}}, "UNKNOWN_VALUE", "context.menopausal_status"),
    ({"context": {"line": 0}}, "VALUE_OUT_OF_RANGE", "context.line"),
    ({"context": {"line": 100}}, "VALUE_OUT_OF_RANGE", "context.line"),
    ({"context": {"line": True}}, "VALUE_OUT_OF_RANGE", "context.line"),
    ({"context": {"line": "1"}}, "VALUE_OUT_OF_RANGE", "context.line"),
    ({"context": {"prior_therapies": "letrozole"}}, "WRONG_TYPE", "context.prior_therapies"),
    ({"context": {"prior_therapies": [1]}}, "WRONG_TYPE", "context.prior_therapies"),
    ({"context": {"prior_therapies": ["x"] * 51}}, "WRONG_TYPE", "context.prior_therapies"),
    ({"context": {"biomarkers": {"aib1_high": "yes"}}}, "UNKNOWN_VALUE", "context.biomarkers.aib1_high"),
    ({"context": {"biomarkers": {"brca": "positive"}}}, "UNKNOWN_FIELD", "context.biomarkers.brca"),
    ({"context": {"biomarkers": "none"}}, "WRONG_TYPE", "context.biomarkers"),
    ({"context": []}, "WRONG_TYPE", "context"),
    ({"her2": "2+"}, "UNKNOWN_FIELD", "her2"),
    ({"Erika Mustermann": 1}, "UNKNOWN_FIELD", "?"),
    *[({block: {"mrn": 1}}, "UNKNOWN_FIELD", f"{block}.mrn") for block in ("policy", "specimen", "ihc", "ish",
      "follow_up_ish", "recount", "third_count", "adjudication", "cluster", "context")],
    *[({block: {name: "x"}}, "MALFORMED_NUMBER", f"{block}.{name}")
      for block in ("ish", "follow_up_ish", "recount", "third_count", "cluster") for name in COUNT],
]  # fmt: skip


@pytest.mark.parametrize(("document", "code", "field"), WRONG, ids=[f"{field} {code}" for _, code, field in WRONG])
def test_a_wrong_value(document: Document, code: str, field: str) -> None:
    reading = read_case(document)
    assert [(problem.code, problem.field) for problem in reading.problems] == [(code, field)]
    (problem,) = reading.problems
    assert problem.message and problem.remedy


def test_a_refused_value_is_as_an_absent_one() -> None:
    reading = read_case(
        {"specimen": {"invasive": "no", "grade": 9}, "ish": {"ratio": "x", "cells": 20}, "edition": "x"}
    )
    assert reading.case == Case(ish=Count(cells=number("20", CELLS)))


def test_all_problems_in_one_pass() -> None:
    document = {
        "edition": "x", "extra": 1, "ihc": "4+", "copies": "five",
        "ish": {"ratio": "1,8", "cells": -1, "colour": "red"},
        "specimen": {"grade": 9, "invasive": "no"}, "policy": {"switch": 1}, "context": {"line": 0},
        "adjudication": {"group": 9}, "cluster": {"ratio": 0},
    }  # fmt: skip
    assert told(document) == {
        ("UNKNOWN_VALUE", "edition"), ("UNKNOWN_FIELD", "extra"), ("UNKNOWN_SCORE", "ihc"),
        ("MALFORMED_NUMBER", "ish.ratio"), ("VALUE_OUT_OF_RANGE", "ish.cells"), ("UNKNOWN_FIELD", "ish.colour"),
        ("MALFORMED_NUMBER", "ish.her2_copies"), ("UNKNOWN_VALUE", "specimen.grade"),
        ("WRONG_TYPE", "specimen.invasive"), ("UNKNOWN_FIELD", "policy.switch"), ("VALUE_OUT_OF_RANGE", "context.line"),
        ("UNKNOWN_VALUE", "adjudication.group"), ("VALUE_OUT_OF_RANGE", "cluster.ratio"),
    }  # fmt: skip


def test_the_values_of_a_failed_assay_are_not_read() -> None:
    reading = read_case({"ish": {**dict.fromkeys(COUNT, "x"), "failed": True, "controls": "failed"}})
    assert reading.problems == ()
    assert reading.case.ish == Count(failed=True, controls="failed")
    assert told({"ish": {"failed": False, "ratio": "x"}}) == {("MALFORMED_NUMBER", "ish.ratio")}
    assert told({"ish": {"failed": True, "mrn": 1}}) == {("UNKNOWN_FIELD", "ish.mrn")}
    assert told({"follow_up_ish": {"failed": True, "ratio": "x"}}) == set()


SECRETS = [
    "Erika Mustermann",
    "MRN 00482913",
    "00482913",
    "1950-03-12",
    "12.03.1950",
    "erika@example.org",
    "S26-001234",
]


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("place", range(9))
def test_what_may_name_a_patient_is_not_echoed(secret: str, place: int) -> None:
    documents: list[Document] = [
        {secret: 1}, {"ihc": secret}, {"ish": {"ratio": secret + " of"}}, {"ish": {secret: 1}}, {"edition": secret},
        {"specimen": {"invasive": secret}}, {"context": {"prior_therapies": secret}}, {"recount": secret},
        {"specimen": {"collected_at": secret + " at home"}},
    ]  # fmt: skip
    problems = read_case(documents[place]).problems
    assert problems
    assert not any(secret in part for each in problems for part in (each.field, each.message, each.remedy))


def test_the_words_of_a_message() -> None:
    messages = {
        problem.field: (problem.message, problem.remedy)
        for problem in read_case(
            {"ihc": "4+", "edition": "2018", "specimen": {"invasive": "1", "block": 7}, "ish": 5, "her3": 1,
             "context": {"line": 0, "prior_therapies": 5}}
        ).problems
    }  # fmt: skip
    assert messages["ihc"] == (
        "a text of 2 characters is not an IHC score",
        "send 0, 0+, 1+, 2+, 3+ or indeterminate as scored by the pathologist; a word such as positive is a status",
    )
    assert messages["edition"] == (
        "'2018' is not in the list",
        "send one of asco-cap-2018, asco-cap-2023, asco-cap-2013, asco-cap-2007",
    )
    assert messages["specimen.invasive"] == ("'1' is not true or false", "send true or false")
    assert messages["specimen.block"] == ("'7' is not a text", "send at most 500 characters")
    assert messages["ish"] == ("'5' is not an object", "send an object of fields")
    assert messages["her3"][0] == "there is no such field here"
    assert messages["her3"][1].startswith("use one of adjudication, cells, cep17, cluster, context, copies, edition,")
    assert messages["context.line"] == ("'0' is not a line of treatment", "send 1, 2, 3 ...")
    assert messages["context.prior_therapies"] == ("'5' is not a list of texts", "send a list of names")
