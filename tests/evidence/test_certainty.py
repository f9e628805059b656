"""The rule of certainty: read off the statements, total, and never better for knowing less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.domain.evidence import DESIGNS, Difference, Statement
from app.evidence.certainty import CERTAINTY, LEVELS, certainty

from .small import small_pack

STATEMENT = small_pack().statements["first-no-failure"]
ELSEWHERE = (Difference("setting", "adjuvant", "metastatic"),)


def finding(design: str, study: str, setting: str = "metastatic", size: str = "not stated") -> Statement:
    return replace(STATEMENT, id=study, design=design, study=study, setting=setting, size=size, contradicts=())


def word(name: str, supporting: list[Statement], opposing: list[Statement] | None = None) -> str:
    found = certainty(supporting, opposing or [], [()] * len(supporting))
    return dict(found.because)[name]


def test_every_row_is_reached() -> None:
    assert {CERTAINTY.decide(values).id for values in CERTAINTY.every_cell()} == {row.id for row in CERTAINTY.rows}


@pytest.mark.parametrize(
    ("column", "worse_to_better"),
    [
        ("directness", ["indirect", "direct"]),
        ("consistency", ["contradicted", "single", "consistent"]),
        ("size", ["small", "unstated", "large"]),
        ("design", ["preclinical", "ongoing", "opinion", "weak", "subgroup", "randomised", "pooled"]),
    ],
)
def test_a_better_word_never_lowers_certainty(column: str, worse_to_better: list[str]) -> None:
    for values in CERTAINTY.every_cell():
        levels = [LEVELS.index(CERTAINTY.decide({**values, column: each})["level"]) for each in worse_to_better]
        assert levels == sorted(levels), values


def test_every_design_has_a_class() -> None:
    for design in DESIGNS:
        assert certainty([finding(design, "a")], [], [()]).row


@pytest.mark.parametrize(
    ("designs", "said"),
    [
        (["meta-analysis", "preclinical"], "pooled"),
        (["subgroup", "randomised"], "randomised"),
        (["retrospective subgroup", "narrative"], "subgroup"),
        (["not stated", "guideline"], "weak"),
        (["narrative", "ongoing"], "opinion"),
        (["ongoing", "preclinical"], "ongoing"),
    ],
)
def test_the_best_design_speaks(designs: list[str], said: str) -> None:
    assert word("design", [finding(design, str(i)) for i, design in enumerate(designs)]) == said


def test_two_studies_agree_and_one_stands_alone() -> None:
    assert word("consistency", [finding("subgroup", "a"), finding("subgroup", "b")]) == "consistent"
    assert word("consistency", [finding("subgroup", "a"), finding("subgroup", "a")]) == "single"
    assert word("consistency", [finding("subgroup", "a"), finding("narrative", "b")]) == "single"
    assert word("consistency", [finding("meta-analysis", "a")]) == "consistent"


def test_works_cited_together_count_each() -> None:
    cited = replace(STATEMENT, study=None, cited_as=("One 2001", "Other 2002"), contradicts=())
    assert word("consistency", [cited]) == "consistent"
    assert word("consistency", [replace(cited, cited_as=())]) == "single"


def test_contradicted_only_by_a_clinical_finding_of_the_same_setting() -> None:
    supporting = [finding("subgroup", "a"), finding("subgroup", "b")]
    assert word("consistency", supporting, [finding("subgroup", "c")]) == "contradicted"
    assert word("consistency", supporting, [finding("subgroup", "c", setting="adjuvant")]) == "consistent"
    assert word("consistency", supporting, [finding("narrative", "c")]) == "consistent"


def test_size_is_what_the_source_says_of_the_best() -> None:
    assert word("size", [finding("subgroup", "a", size="large")]) == "large"
    assert word("size", [finding("subgroup", "a", size="large"), finding("subgroup", "b", size="small")]) == "small"
    assert word("size", [finding("subgroup", "a"), finding("narrative", "b", size="small")]) == "unstated"


def test_direct_only_if_every_best_finding_is() -> None:
    pair = [finding("subgroup", "a"), finding("subgroup", "b")]
    assert dict(certainty(pair, [], [(), ELSEWHERE]).because)["directness"] == "indirect"
    assert dict(certainty(pair, [], [(), ()]).because)["directness"] == "direct"
    weaker = [finding("subgroup", "a"), finding("narrative", "b")]
    assert dict(certainty(weaker, [], [(), ELSEWHERE]).because)["directness"] == "direct"


def test_preclinical_and_ongoing_give_no_certainty() -> None:
    assert certainty([finding("preclinical", "a", size="large")], [], [()]).level == "none"
    assert certainty([finding("ongoing", "a", size="large")], [], [()]).level == "none"


def test_where_nothing_is_left_that_supports_there_is_no_certainty() -> None:
    sure = certainty([], [], [])
    assert (sure.level, sure.row, dict(sure.because)["design"]) == ("none", "N2", "none left")
