"""What of a patient is read, and what is left open."""

from __future__ import annotations

import pytest

from app.domain.evidence import PatientContext
from app.domain.numbers import PERCENT, Measure, read_measure
from app.evidence.context import Known, known_context
from app.evidence.library import load_pack

PACK = load_pack()


def known(**given: object) -> Known:
    return known_context(PACK, PatientContext(**given))  # type: ignore[arg-type]


def percent(text: str) -> Measure:
    read = read_measure(text, PERCENT, "er_percent")
    assert isinstance(read, Measure)
    return read


@pytest.mark.parametrize(
    ("er", "text", "read", "contradicts"),
    [
        ("positive", "0", "unknown", True),
        ("positive", "0.5", "positive", False),
        ("positive", "<1", "positive", False),
        ("negative", "0", "negative", False),
        ("unknown", "0", "unknown", False),
    ],
)
def test_er_and_its_percentage(er: str, text: str, read: str, contradicts: bool) -> None:
    found = known(er=er, er_percent=percent(text))
    assert (found.er, found.er_contradicts) == (read, contradicts)


@pytest.mark.parametrize(
    ("written", "classes", "unrecognised"),
    [
        (("Letrozole",), {"endocrine therapy"}, 0),
        (("fulvestrant + ribociclib",), {"endocrine therapy", "CDK4/6 inhibitor"}, 0),
        (("CDK4/6 inhibitor",), {"CDK4/6 inhibitor"}, 0),
        (("TRASTUZUMAB/docetaxel",), {"trastuzumab", "chemotherapy"}, 0),
        (("trastuzumab emtansine",), set(), 1),
        (("radiotherapy", "surgery", "tamoxifen"), {"endocrine therapy"}, 2),
        (("refused chemotherapy",), set(), 1),
        (("tamoxifen not tolerated",), set(), 1),
        (("tamoxifen; nothing else",), {"endocrine therapy"}, 0),
        ((), set(), 0),
    ],
)
def test_earlier_therapies(written: tuple[str, ...], classes: set[str], unrecognised: int) -> None:
    found = known(prior_therapies=written)
    assert found.prior == frozenset(classes)
    assert found.unrecognised == unrecognised


def test_nothing_sent_is_not_none_given() -> None:
    assert known(prior_therapies=None).prior is None


def test_biomarkers_are_read_by_name() -> None:
    sent = (("erbb2_mutation", "positive"), ("pik3ca_mutation", "unknown"), ("a", "positive"), ("b", "unknown"))
    found = known(biomarkers=sent)
    assert found.biomarkers == (("erbb2_mutation", "positive"),)
    assert found.unread_biomarkers == 2


def test_the_rest_is_taken_as_it_is() -> None:
    found = known(
        er="negative", pgr="positive", setting="adjuvant", menopausal_status="pre", line=2, specimen_kind="nodal"
    )
    assert (found.er, found.pgr, found.setting, found.menopausal) == ("negative", "positive", "adjuvant", "pre")
    assert (found.line, found.specimen) == (2, "nodal")
