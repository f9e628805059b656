"""Part by part: when a consideration applies, what is missing, what a finding differs in, and the whole document."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from app.domain.evidence import PatientContext
from app.evidence.documents import to_document
from app.evidence.weighing import weigh

from .small import CONSIDERATIONS, STATEMENTS, small_pack

POSITIVE = ("positive", True, "not_applicable")
MUTATED = (("erbb2_mutation", "positive"),)
PATIENT = PatientContext(er="positive", setting="metastatic", prior_therapies=("tamoxifen",), biomarkers=MUTATED)
WEIGHED = "considerations.toml"
ASKED = 'setting = ["metastatic"]\n'

# what is asked for | the context's field | a value that holds | one that fails | not given | the field as missing
PARTS = [
    ('er = ["positive"]', "er", "positive", "negative", "unknown", "er"),
    ('setting = ["metastatic"]', "setting", "metastatic", "adjuvant", "unknown", "setting"),
    ('pgr = ["negative"]', "pgr", "negative", "positive", "unknown", "pgr"),
    ('menopausal = ["pre", "peri"]', "menopausal_status", "peri", "post", "unknown", "menopausal_status"),
    ('specimen = ["metastasis"]', "specimen_kind", "metastasis", "primary", "unknown", "specimen.kind"),
    ("line = [1, 2]", "line", 2, 3, None, "line"),
    ('prior = ["tamoxifen"]', "prior_therapies", ("tamoxifen",), (), None, "prior_therapies"),
    (
        'biomarkers = { erbb2_mutation = "positive" }',
        "biomarkers",
        MUTATED,
        (("erbb2_mutation", "negative"),),
        (),
        "biomarkers.erbb2_mutation",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "field", "holds", "fails", "blank", "missing"), PARTS, ids=[p[1] for p in PARTS])
def test_each_part_of_a_condition(asked: str, field: str, holds: Any, fails: Any, blank: Any, missing: str) -> None:
    pack = small_pack() if asked in CONSIDERATIONS else small_pack(WEIGHED, ASKED, f"{ASKED}{asked}\n")

    def applies(value: Any) -> bool:
        return bool(weigh(pack, PATIENT._replace(**{field: value}), *POSITIVE).considerations)

    assert applies(holds)
    assert not applies(fails)
    assert not applies(blank)
    said = {each.field: each for each in weigh(pack, PATIENT._replace(**{field: blank}), *POSITIVE).missing}
    assert said[missing].opens == ("weigh-this",)
    assert "It decides on 1 further consideration." in said[missing].text
    assert missing not in {each.field for each in weigh(pack, PATIENT._replace(**{field: holds}), *POSITIVE).missing}


@pytest.mark.parametrize(
    ("population", "context", "expected"),
    [
        ("", {}, []),
        ('er = ["negative"]', {}, [("er", "negative", "positive")]),
        ('er = ["positive", "unknown"]', {}, [("er", "positive or unknown", "positive")]),
        ('pgr = ["positive"]', {"pgr": "positive"}, []),
        ('pgr = ["positive"]', {}, [("pgr", "positive", "unknown")]),
        ('pgr = ["positive", "negative"]', {"pgr": "negative"}, [("pgr", "positive or negative", "negative")]),
        ('her2 = ["low", "negative"]', {}, [("her2", "low and negative", "positive")]),
        ('her2 = ["low", "positive"]', {}, []),
        ('menopausal = ["post"]', {"menopausal_status": "post"}, []),
        ('menopausal = ["pre", "peri"]', {"menopausal_status": "post"}, [("menopausal_status", "pre or peri", "post")]),
        ("line = [1, 2]", {"line": 2}, []),
        ("line = [1, 2]", {"line": 3}, [("line", "1 or 2", "3")]),
        ("line = [1]", {}, [("line", "1", "unknown")]),
        ('prior = ["tamoxifen"]', {}, []),
        ('prior = ["tamoxifen"]', {"prior_therapies": None}, [("prior_therapies", "tamoxifen", "unknown")]),
        ('prior = ["tamoxifen"]', {"prior_therapies": ()}, [("prior_therapies", "tamoxifen", "none recognised")]),
    ],
)
def test_what_a_finding_differs_in(
    population: str, context: dict[str, Any], expected: list[tuple[str, str, str]]
) -> None:
    whom = f'population = {{ text = "everybody"{", " * bool(population)}{population} }}\ncontradicts = ["first-no'
    old = (
        'population = { text = "everybody", er = ["positive"], her2 = ["positive", "negative"], prior = ["tamoxifen"] }'
        '\ncontradicts = ["first-no'
    )
    weighing = weigh(small_pack(STATEMENTS, old, whom), PATIENT._replace(**context), *POSITIVE)
    (finding,) = weighing.considerations[0].supporting
    assert [(each.what, each.finding, each.patient) for each in finding.differs_in] == expected


@pytest.mark.parametrize("setting", ["adjuvant", "neoadjuvant"])
def test_another_setting_is_a_difference(setting: str) -> None:
    pack = small_pack(STATEMENTS, 'setting = "metastatic"', f'setting = "{setting}"')
    (finding,) = weigh(pack, PATIENT, *POSITIVE).considerations[0].supporting
    assert [(each.what, each.finding, each.patient) for each in finding.differs_in] == [
        ("setting", setting, "metastatic")
    ]


@pytest.mark.parametrize("setting", ["biology", "testing", "strategy"])
def test_what_is_not_of_a_clinical_setting_does_not_differ_in_it(setting: str) -> None:
    pack = small_pack(STATEMENTS, 'setting = "metastatic"', f'setting = "{setting}"')
    (finding,) = weigh(pack, PATIENT, *POSITIVE).considerations[0].supporting
    assert finding.differs_in == ()


@pytest.mark.parametrize(
    ("old", "new", "directness"),
    [
        ("historic_before = 2018", "historic_before = 2001", "direct"),
        ("historic_before = 2018", "historic_before = 2002", "indirect"),
    ],
)
def test_an_older_definition_of_her2_is_indirect(old: str, new: str, directness: str) -> None:
    (weighed,) = weigh(small_pack("pack.toml", old, new), PATIENT, *POSITIVE).considerations
    assert dict(weighed.certainty.because)["directness"] == directness


@pytest.mark.parametrize("left_out", ['er = ["positive"], ', 'her2 = ["positive", "negative"], '])
def test_a_population_not_stated_in_full_is_indirect(left_out: str) -> None:
    pack = small_pack(STATEMENTS, left_out, "")
    (weighed,) = weigh(pack, PATIENT, *POSITIVE).considerations
    assert weighed.supporting[0].differs_in == ()
    assert dict(weighed.certainty.because)["directness"] == "indirect"


@pytest.mark.parametrize(
    ("blank", "field", "population"),
    [
        ({}, "pgr", 'pgr = ["positive"]'),
        ({}, "menopausal_status", 'menopausal = ["post"]'),
        ({}, "line", "line = [1]"),
        ({"prior_therapies": None}, "prior_therapies", ""),
    ],
)
def test_what_a_shown_finding_is_limited_by_is_missing(blank: dict[str, Any], field: str, population: str) -> None:
    pack = small_pack(
        STATEMENTS, 'prior = ["tamoxifen"]', ", ".join(filter(None, ['prior = ["tamoxifen"]', population]))
    )
    said = {each.field: each for each in weigh(pack, PATIENT._replace(**blank), *POSITIVE).missing}
    assert list(said) == [field]
    assert said[field].text.endswith(" not given. Findings limited by it count as indirect.")
    assert said[field].opens == ()


def test_er_and_setting_are_asked_for_even_where_they_open_nothing() -> None:
    weighing = weigh(small_pack(), PatientContext(), "negative", True, "low")
    assert [(each.field, each.text) for each in weighing.missing] == [
        ("er", "ER status is not given. With it the review still has nothing to add here."),
        (
            "setting",
            "The setting (metastatic, neoadjuvant, adjuvant) is not given. "
            "With it the review still has nothing to add here.",
        ),
    ]


def test_several_considerations_are_counted() -> None:
    more = '[[consideration]]\nid = "more"\ntitle = "More"\nkind = "monitoring"\nfor = ["in-cells"]\n'
    more += 'against_note = "None."\nmust_not_conclude = ["Any."]\n[consideration.applies_when]\n'
    more += 'her2 = ["positive"]\ner = ["positive"]\nspecimen = ["primary", "unknown"]\n\n'
    pack = small_pack(WEIGHED, "[[consideration]]", more + "[[consideration]]")
    said = {each.field: each for each in weigh(pack, PATIENT._replace(er="unknown"), *POSITIVE).missing}
    assert said["er"].opens == ("more", "weigh-this")
    assert said["er"].text == "ER status is not given. It decides on 2 further considerations."
    said = {each.field: each for each in weigh(pack, PATIENT, *POSITIVE).missing}
    assert said["specimen.kind"].text.endswith("is not given. It could take away a consideration shown here.")


def test_the_whole_document() -> None:
    """small_weighing.json was read against small.py by eye; a change here is a change of the public answer."""
    weighing = weigh(small_pack(), PATIENT._replace(setting="metastatic"), *POSITIVE)
    golden = json.loads((Path(__file__).parent / "small_weighing.json").read_text(encoding="utf-8"))
    document = to_document(weighing)
    assert len(document["evidence"].pop("digest")) == 64
    assert document == golden
