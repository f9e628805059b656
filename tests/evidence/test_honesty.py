"""The rules of honesty, held against the real pack."""

from __future__ import annotations

import re
from itertools import product

import pytest

from app.domain.evidence import TREATMENT_KINDS, PatientContext, Statement
from app.evidence.documents import to_document
from app.evidence.library import load_pack
from app.evidence.weighing import weigh

PACK = load_pack()
STATEMENTS = list(PACK.statements.values())
SETTINGS = ("metastatic", "neoadjuvant", "adjuvant")
EVERYTHING = {
    "er": "positive",
    "line": 1,
    "prior_therapies": ("letrozole", "palbociclib", "trastuzumab", "docetaxel"),
    "biomarkers": (("erbb2_mutation", "positive"), ("pam50_luminal", "positive")),
}
ANSWERS = [("positive", True, "not_applicable"), ("negative", True, "low"), ("negative", True, "null")]
DOCUMENTS = [
    to_document(weigh(PACK, PatientContext(setting=setting, **EVERYTHING), *answer))  # type: ignore[arg-type]
    for setting, answer in product(SETTINGS, ANSWERS)
]

# The review's main figures as printed: statement | value or groups | interval | P
PRINTED = """
delaurentiis-2005-pooled-failure          | 1.45      | 1.34 1.57 | P < 0.00001
delaurentiis-2005-tamoxifen               | 1.48      | 1.29 1.70 | P < 0.00001
delaurentiis-2005-other-endocrine         | 1.43      | 1.30 1.58 | P < 0.00001
ellis-2001-letrozole-tamoxifen-her        | 88 21     |           | P = 0.0004
ellis-2001-letrozole-tamoxifen-negative   | 54 42     |           | P = 0.078
ellis-2001-letrozole-by-her               | 88 54     |           | P = 0.018
ellis-2006-letrozole-by-her2              | 71 71     |           | P = 0.98
ellis-2006-tamoxifen-by-her2              | 33 49     |           | P = 0.49
impact-clinical-response                  | 22 58     |           | P = 0.18
ellis-2006-ki67                           | 45 89.1   |           | P = 0.0001
gun-1-tamoxifen-death                     | 0.73 1.33 |           |
calgb-8541-tamoxifen                      | 32 39     |           |
big-1-98-letrozole-her2-negative          | 0.72      | 0.59 0.87 |
big-1-98-letrozole-her2-positive          | 0.62      | 0.37 1.03 |
atac-recurrence-anastrozole               | 19.8 5.9  |           |
atac-recurrence-tamoxifen                 | 18.8 9    |           |
tandem-pfs                                | 5.6 3.8   |           | P < 0.006
patricia-luminal-pfs                      | 12.4 4.1  |           | P = 0.025
zenocutuzumab-endocrine-rescue            | 17        |           |
her2-gain-over-time                       | 20        |           |
"""


@pytest.mark.parametrize("line", PRINTED.strip().splitlines())
def test_numbers_are_as_printed(line: str) -> None:
    id_, values, interval, test = (part.strip() for part in line.split("|"))
    effect = PACK.statements[id_].effects[0]
    found = [effect.value] if effect.value is not None else [arm.value for arm in effect.arms]
    assert " ".join(f"{value:f}" for value in found) == values
    assert " ".join(f"{end:f}" for end in effect.ci95 or ()) == interval
    assert str(effect.p or "") == test


@pytest.mark.parametrize(
    ("id_", "test"),
    [("pooled-failure", "P = 0.27"), ("tamoxifen", "P = 0.09"), ("other-endocrine", "P = 0.64")],
)
def test_heterogeneity_is_as_printed(id_: str, test: str) -> None:
    assert str(PACK.statements[f"delaurentiis-2005-{id_}"].effects[0].p_heterogeneity) == test


@pytest.mark.parametrize(
    ("id_", "value", "test"),
    [("atac-recurrence-anastrozole", "2.25", "P = 0.0018"), ("atac-recurrence-tamoxifen", "3.27", "P < 0.0001")],
)
def test_the_odd_hazard_ratios_of_atac_are_carried_with_a_note(id_: str, value: str, test: str) -> None:
    statement = PACK.statements[id_]
    assert (f"{statement.effects[1].value:f}", str(statement.effects[1].p)) == (value, test)
    assert "look exchanged; they are carried as printed" in (statement.note_ours or "")
    assert statement.bears_on == "prognosis"


def test_what_is_not_significant_is_called_so() -> None:
    said = {s.id: reading for s in STATEMENTS for effect in s.effects for reading in effect.readings()}
    assert said == {
        "ellis-2001-letrozole-tamoxifen-negative": "not statistically significant",
        "ellis-2006-letrozole-by-her2": "not statistically significant",
        "ellis-2006-tamoxifen-by-her2": "not statistically significant",
        "impact-clinical-response": "not statistically significant",
        "big-1-98-letrozole-her2-positive": "the 95% interval includes no effect",
    }


def our_words() -> list[tuple[str, str]]:
    """Every text that speaks for the review, by where it stands; what must not be concluded is left out."""
    texts = [(s.id, text) for s in STATEMENTS for text in (s.summary, *s.caveats)]
    for each in PACK.considerations:
        texts += [(each.id, text) for text in (each.title, *each.caveats, *filter(None, [each.against_note]))]
    return [*texts, *((silence.id, silence.text) for silence in PACK.silences)]


@pytest.mark.parametrize(
    "words", ["recommend", "contraindicated", "ineffective", "should be given", "must be given", "mg"]
)
def test_nothing_sounds_like_an_order(words: str) -> None:
    # The one place that denies it is let stand: "They do not say that it should be given, or given alone."
    found = [id_ for id_, text in our_words() if re.search(rf"\b{words}", text)]
    assert found == (["conclusion-relative-not-absolute"] if words == "should be given" else [])


def test_withholding_is_only_ever_denied() -> None:
    found = [(id_, text) for id_, text in our_words() if "withh" in text]
    assert [id_ for id_, _ in found] == ["conclusion-relative-not-absolute"]
    assert "not necessarily be withheld" in found[0][1]


def test_endocrine_considerations_say_neither_withhold_nor_give_alone() -> None:
    for id_ in ("metastatic-endocrine-relative-resistance", "neoadjuvant-tamoxifen-poorer-response"):
        each = next(each for each in PACK.considerations if each.id == id_)
        assert any("withheld because of HER2" in text for text in each.must_not_conclude)
    assert "nor do they say that it should be given alone" in PACK.general_caution


def test_no_threshold_is_ascribed_to_the_review() -> None:
    for id_, text in our_words():
        assert not re.search(r"(ratio|ESR1|Ki67|ER|PgR) (of|above|below|over|under|>=?|<=?|≥|≤) ?\d", text), id_
    for statement in STATEMENTS:
        assert "ultralow" not in statement.population.her2


def test_overall_survival_is_never_claimed_for_an_anti_her2_drug() -> None:
    for statement in STATEMENTS:
        if "overall survival" in f"{statement.summary} {statement.endpoint}":
            assert statement.intervention == "tamoxifen"


def test_a_sentence_without_citation_is_shown_as_the_authors_own() -> None:
    for document in DOCUMENTS:
        for statement in statements_of(document):
            own = any("authors' own words" in caveat for caveat in statement["caveats"])
            assert own is (not statement["cited_as"])


def test_preclinical_findings_stand_for_no_treatment() -> None:
    for each in PACK.considerations:
        designs = {PACK.statements[id_].design for id_ in (*each.supporting, *each.opposing)}
        assert "preclinical" not in designs or each.kind not in TREATMENT_KINDS


def test_prognosis_supports_no_treatment() -> None:
    for each in PACK.considerations:
        if each.kind in TREATMENT_KINDS:
            assert "prognosis" not in {PACK.statements[id_].bears_on for id_ in each.supporting}


def test_menopausal_status_only_where_the_review_states_it() -> None:
    assert {s.study for s in STATEMENTS if s.population.menopausal} == {"ATAC"}


def test_contradicting_findings_stand_beside() -> None:
    for document in DOCUMENTS:
        for each in document["considerations"]:
            shown = {statement["id"] for statement in (*each["for"], *each["against"])}
            for statement in each["for"]:
                assert shown.issuperset(PACK.statements[statement["id"]].contradicts)


def test_caveats_and_notes_travel_with_the_finding() -> None:
    for document in DOCUMENTS:
        assert document["general_caution"] == PACK.general_caution
        assert "newest citation is of 2021" in document["dated"]
        for shown in statements_of(document):
            statement = PACK.statements[shown["id"]]
            assert set(statement.caveats) <= set(shown["caveats"])
            note = shown["curator_note"] or {"outside_the_review": None, "our_reading": None}
            assert note == {"outside_the_review": statement.note_outside, "our_reading": statement.note_ours}


def test_older_definitions_of_her2_are_told() -> None:
    for document in DOCUMENTS:
        for each in document["considerations"]:
            years = [int(re.sub(r"\D", "", cited)) for s in each["for"] for cited in s["cited_as"] if measured(s)]
            if years and max(years) < PACK.historic_before:
                assert PACK.historic_caveat in each["caveats"], each["id"]


def test_numbers_of_the_cited_works_stay_out_of_the_review_s() -> None:
    # From outside: 10.6 and 4.2 months in the abstract of PATRICIA, 11% in Gutierrez, 35% in DiGiovanna.
    for id_, outside in {
        "patricia-luminal-pfs": ["10.6", "4.2"],
        "her2-gain-over-time": ["11"],
        "phosphorylated-her2-minority": ["35"],
        "her2-share-of-er-positive": ["10.6"],
    }.items():
        statement = PACK.statements[id_]
        printed = {f"{number:f}" for effect in statement.effects for number in effect.numbers()}
        assert printed.isdisjoint(outside)
        assert all(number in (statement.note_outside or "") for number in outside)


def test_identifiers_only_of_works_that_are_surely_the_ones_cited() -> None:
    for reference in PACK.references.values():
        if reference.identification != "sure":
            assert (reference.title, reference.doi, reference.pmid) == (None, None, None)


def test_every_reference_is_told_apart() -> None:
    for name in ("doi", "pmid", "title"):
        given = [getattr(r, name) for r in PACK.references.values() if getattr(r, name)]
        assert len(set(given)) == len(given)


def test_locators_are_short_and_lead_to_one_place() -> None:
    locators = [statement.locator for statement in STATEMENTS]
    assert len(set(locators)) == len(locators)
    assert max(len(locator.split()) for locator in locators) <= 8


def measured(statement: dict[str, object]) -> bool:
    return statement["design"] not in ("guideline", "narrative", "ongoing", "preclinical")


def statements_of(document: dict[str, list[dict[str, list[dict[str, object]]]]]) -> list[dict[str, object]]:
    return [s for each in document["considerations"] for side in ("for", "against") for s in each[side]]


def test_every_citation_of_a_statement_is_written_as_in_the_text() -> None:
    statement: Statement
    for statement in STATEMENTS:
        for cited in statement.cited_as:
            assert re.fullmatch(r"(EBCTCG|[A-Z][\w'& -]+( et al\.)?) \d{4}[ab]?", cited), cited
