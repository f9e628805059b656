"""What has become of the works cited: shown beside each finding, and a retracted one speaks for nothing."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from typing import Any

import pytest

from app.domain.evidence import STANDINGS, Pack, PatientContext, WeighedConsideration
from app.evidence.documents import to_document
from app.evidence.library import build_pack, load_pack
from app.evidence.standings import COLUMNS, Refreshed, Standing, read_export, refreshed, written
from app.evidence.weighing import RETRACTED, weigh

from .small import STATEMENTS, documents, small_pack

PATIENT = PatientContext(er="positive", setting="metastatic", biomarkers=(("erbb2_mutation", "positive"),))
FIRST = {"key": "first-2001", "standing": "retracted", "date": "2026-02-03", "source": "the journal"}


def standing(word: str, key: str = "first-2001", cited: list[str] | None = None, effect: str = "first-failure") -> Pack:
    """The small pack with one work surely identified and so standing; `cited` is what the statement `effect` cites."""
    made: dict[str, dict[str, Any]] = documents()
    made["references.toml"]["reference"][1]["identification"] = "sure"
    made["standings.toml"]["standing"] = [{**FIRST, "key": key, "standing": word}]
    for statement in made[STATEMENTS]["statement"]:
        if statement["id"] == effect and cited is not None:
            statement["cited_as"] = cited
    return build_pack(made)


def weighed(pack: Pack) -> WeighedConsideration:
    (each,) = weigh(pack, PATIENT, "positive", True, "not_applicable").considerations
    return each


def test_a_work_that_nobody_looked_up_is_unknown() -> None:
    works = small_pack().references
    assert works["First et al. 2001"].standing == "unknown"
    assert works["First et al. 2001"].standing_date is None
    looked_up = works["Reviewer 2020"]
    assert (looked_up.standing, looked_up.standing_date, looked_up.standing_source) == ("valid", "2026-01", "looked up")


def test_a_finding_of_retracted_works_only_is_shown_and_does_not_count() -> None:
    each = weighed(standing("retracted"))
    (finding,) = each.supporting
    assert not finding.counts
    assert finding.caveats[-1] == "First et al. 2001 has been retracted (2026-02-03; the journal)."
    assert (each.certainty.level, each.certainty.row) == ("none", "N2")
    assert RETRACTED in each.caveats


def test_a_finding_with_another_work_behind_it_keeps_its_vote_and_its_caveat() -> None:
    each = weighed(standing("retracted", cited=["First et al. 2001", "Reviewer 2020"]))
    assert each.supporting[0].counts
    assert "has been retracted" in each.supporting[0].caveats[-1]
    assert each.certainty == weighed(small_pack()).certainty
    assert RETRACTED not in each.caveats


def test_a_retracted_finding_contradicts_nobody() -> None:
    opposed = weighed(small_pack())
    freed = weighed(standing("retracted", "reviewer-2020", ["Reviewer 2020"], effect="first-no-failure"))
    assert dict(opposed.certainty.because)["consistency"] == "contradicted"
    assert dict(freed.certainty.because)["consistency"] == "consistent"
    assert [finding.statement.id for finding in freed.opposing] == ["first-no-failure"]


def test_where_the_source_itself_is_retracted_its_own_words_do_not_count_and_all_say_so() -> None:
    each = weighed(standing("retracted", "reviewer-2020"))
    assert not each.opposing[0].counts
    assert "Reviewer 2020 has been retracted (2026-02-03; the journal)." in each.caveats


@pytest.mark.parametrize(
    ("word", "says"),
    [
        (
            "expression of concern",
            "The journal has expressed concern about First et al. 2001 (2026-02-03; the journal).",
        ),
        ("corrected", "First et al. 2001 has been corrected (2026-02-03; the journal); the figures"),
        ("superseded", "First et al. 2001 has been superseded (2026-02-03; the journal)."),
    ],
)
def test_a_work_in_doubt_keeps_its_vote_with_a_caveat(word: str, says: str) -> None:
    each = weighed(standing(word))
    assert each.supporting[0].counts
    assert each.supporting[0].caveats[-1].startswith(says)
    assert each.certainty == weighed(small_pack()).certainty


def test_a_valid_work_needs_no_caveat() -> None:
    assert weighed(standing("valid")).supporting[0].caveats == ("Few patients.",)


def test_the_answer_gives_identification_and_standing() -> None:
    weighing = weigh(standing("retracted"), PATIENT, "positive", True, "not_applicable")
    (finding,) = to_document(weighing)["considerations"][0]["for"]
    assert finding["counts"] is False
    assert finding["references"][0] == {
        "cited_as": "First et al. 2001",
        "identification": "sure",
        "standing": "retracted",
        "standing_date": "2026-02-03",
        "standing_source": "the journal",
        "title": None,
        "doi": None,
        "pmid": None,
    }


def test_every_standing_shipped_names_who_said_so() -> None:
    for work in load_pack().references.values():
        assert work.standing in STANDINGS
        assert (work.standing == "unknown") == (work.standing_date is None) == (work.standing_source is None)


def looked_up(*rows: str, pack: Pack | None = None, on: str | None = None) -> Refreshed:
    """Each row: DOI, PMID, date, nature."""
    lines = [",".join(COLUMNS), *rows]
    return refreshed(pack or standing("valid", "reviewer-2020"), read_export(lines), on)


def words(found: Refreshed) -> dict[str, tuple[str, str]]:
    assert not found.mistakes
    return {each.key: (each.standing, each.date) for each in found.standings}


@pytest.mark.parametrize(
    "row",
    [
        "10.1000/SMALL,0,2/3/2026 0:00,Retraction",
        "https://doi.org/10.1000/small,,2026-02-03,Retraction",
        "unavailable,12345678,2/3/2026,retraction",
    ],
)
def test_a_work_is_found_by_doi_or_pmid(row: str) -> None:
    found = looked_up(row)
    assert found.standings == (Standing("reviewer-2020", "retracted", "2026-02-03", "Retraction Watch: retraction"),)


def test_what_is_not_in_the_export_stays_as_it_was() -> None:
    other = "10.1000/other,87654321,2/3/2026 0:00,Retraction"
    assert words(looked_up(other)) == {"reviewer-2020": ("valid", "2026-02-03")}
    assert words(looked_up(other, pack=build_pack({**documents(), "standings.toml": {}}))) == {}


def test_absence_is_valid_only_as_of_the_day_the_operator_names_and_only_with_a_doi() -> None:
    untouched = build_pack({**documents(), "standings.toml": {}})
    (found,) = looked_up(pack=untouched, on="2026-11-20").standings
    assert found == Standing("reviewer-2020", "valid", "2026-11-20", "not in Retraction Watch export of 2026-11-20")


def test_absence_does_not_lift_what_was_listed() -> None:
    assert words(looked_up(pack=standing("corrected", "reviewer-2020"), on="2026-11-20")) == {
        "reviewer-2020": ("corrected", "2026-02-03")
    }


@pytest.mark.parametrize(
    ("notices", "holds"),
    [
        (["1/1/2020,Expression of concern", "1/1/2021,Correction"], ("expression of concern", "2020-01-01")),
        (["1/1/2021,Retraction", "1/1/2020,Expression of concern"], ("retracted", "2021-01-01")),
        (["1/1/2020,Retraction", "1/1/2022,Reinstatement"], ("valid", "2022-01-01")),
        (["1/1/2020,Retraction", "1/1/2022,Reinstatement", "1/1/2023,Correction"], ("corrected", "2023-01-01")),
        (["1/1/2022,Retraction", "1/1/2022,Reinstatement"], ("retracted", "2022-01-01")),
    ],
)
def test_the_gravest_notice_since_the_last_reinstatement_holds(notices: list[str], holds: tuple[str, str]) -> None:
    untouched = build_pack({**documents(), "standings.toml": {}})
    rows = [f"10.1000/small,12345678,{notice}" for notice in notices]
    assert words(looked_up(*rows, pack=untouched)) == {"reviewer-2020": holds}


@pytest.mark.parametrize(
    ("listed", "notice", "holds"),
    [
        ("retracted", "1/1/2020,Correction", "retracted"),
        ("corrected", "1/1/2020,Retraction", "retracted"),
        ("retracted", "3/1/2026,Reinstatement", "valid"),
        ("superseded", "1/1/2020,Correction", "superseded"),
    ],
)
def test_a_hit_replaces_what_was_listed_where_it_is_later_or_graver(listed: str, notice: str, holds: str) -> None:
    found = words(looked_up(f"10.1000/small,12345678,{notice}", pack=standing(listed, "reviewer-2020")))
    assert found["reviewer-2020"][0] == holds


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("10.1000/small,0,31/31/2026,Retraction", "RetractionDate '31/31/2026' is not a date"),
        ("10.1000/small,0,,Retraction", "RetractionDate '' is not a date"),
        ("10.1000/small,0,1/1/2026,Vanished", "RetractionNature 'Vanished' is not known"),
    ],
)
def test_a_hit_that_cannot_be_read_is_told_and_not_guessed(row: str, says: str) -> None:
    assert looked_up(row).mistakes == (f"row 2: reviewer-2020: {says}",)


def test_a_row_whose_identifiers_are_of_two_works_is_left_aside_and_told() -> None:
    found = looked_up("10.1000/other,12345678,1/1/2026,Retraction")
    assert words(found) == {"reviewer-2020": ("valid", "2026-02-03")}
    (note,) = found.notes
    assert "not of one work (reviewer-2020)" in note


def test_an_export_without_its_columns_is_refused() -> None:
    with pytest.raises(ValueError, match="RetractionDate, RetractionNature are missing"):
        read_export(["OriginalPaperDOI,OriginalPaperPubMedID"])


def test_what_is_written_is_read_back() -> None:
    found = looked_up('10.1000/small,12345678,1/1/2027,"Expression of concern"').standings
    odd = replace(found[0], source='a "quoted" \\ source – with a dash')
    again = build_pack({**documents(), "standings.toml": tomllib.loads(written([odd]))})
    assert again.source.standing == "expression of concern"
    assert again.source.standing_source == odd.source
