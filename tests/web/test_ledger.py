"""The ledger: every consideration with both its sides, every number as printed, ratios where they belong."""

from __future__ import annotations

import html
import math
import re
from decimal import Decimal
from typing import Any

import pytest

from app.domain.evidence import RATIO_MEASURES, UNKNOWN, Consideration, PatientContext, Statement, Weighing
from app.evidence.certainty import CERTAINTY
from app.evidence.documents import statement_document, to_document
from app.evidence.library import load_pack
from app.evidence.weighing import weigh
from app.web import ledger
from app.web.catalogue import catalogue
from app.web.pages import _environment

PACK = load_pack()
ANSWERS = {
    "positive": ("positive", True, "not_applicable", "3+"),
    "low": ("negative", True, "low", "1+"),
    "ultralow": ("negative", True, "ultralow", "0"),
    "negative": ("negative", True, "null", "0"),
    "open": ("equivocal", False, "undetermined", "2+"),
}


def _weighing(each: Consideration) -> Weighing:
    """For a patient to whom the consideration applies."""
    when = each.applies_when
    therapies = {therapy.name: therapy.words[0] for therapy in PACK.therapies}
    patient = PatientContext(
        er=(when.er or (UNKNOWN,))[0],
        pgr=(when.pgr or (UNKNOWN,))[0],
        setting=(when.setting or (UNKNOWN,))[0],
        menopausal_status=(when.menopausal or (UNKNOWN,))[0],
        line=when.line[0] if when.line else None,
        prior_therapies=tuple(therapies.get(name, name) for name in when.prior) or None,
        biomarkers=when.biomarkers,
        specimen_kind=(when.specimen or (UNKNOWN,))[0],
    )
    return weigh(PACK, patient, *ANSWERS[when.her2[0]])


def _render(weighed: dict[str, Any]) -> str:
    return _environment.from_string("{% import 'parts/ledger.html' as l %}{{ l.ledger(w) }}").render(w=weighed)


def _words(markup: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", markup)).split())


def _article(page: str, title: str) -> str:
    articles = page.split('<article class="weighed">')[1:]
    (found,) = [each for each in articles if f"<h3>{title}</h3>" in html.unescape(each)]
    return found


@pytest.mark.parametrize("each", PACK.considerations, ids=lambda each: each.id)
def test_every_consideration_shows_both_sides_alike_with_its_certainty_and_what_must_not_be_concluded(
    each: Consideration,
) -> None:
    weighed = to_document(_weighing(each))
    (told,) = [one for one in weighed["considerations"] if one["id"] == each.id]
    article = _article(_render(weighed), each.title)
    _, supporting, opposing = article.split('<section class="side">')
    for side, name, statements in ((supporting, "For", told["for"]), (opposing, "Against", told["against"])):
        side = side.split("</section>")[0]
        words = _words(side)
        assert words.startswith(name)
        assert side.count("/browser/evidence/") == len(statements)
        for statement in statements:
            for said in (statement["summary"], statement["population"]["text"], *statement["caveats"]):
                assert " ".join(said.split()) in words
            assert f"Design: {statement['design']}. Says: {statement['direction']}" in words
            assert f'href="/browser/evidence/{statement["id"]}"' in side
            for reference in statement["references"]:
                assert reference["cited_as"] in words
                if reference["doi"]:
                    assert f'href="https://doi.org/{html.escape(reference["doi"])}"' in side
            for note in (statement["curator_note"] or {}).values():
                assert note is None or note in words
        assert statements or (told["against_note"] or "No finding") in words
    words = _words(article)
    assert all(line in words for line in (*told["must_not_conclude"], *told["caveats"]))
    assert f"Certainty of what speaks for it: {told['certainty']['level']} (" in words
    assert "<details" not in supporting.split("<li>")[0], "one side is not folded more than the other"


def test_what_a_finding_differs_in_stands_beside_it() -> None:
    each = next(one for one in PACK.considerations if one.id == "metastatic-endocrine-with-anti-her2")
    weighed = to_document(_weighing(each))
    words = _words(_render(weighed))
    differs = [
        difference
        for one in weighed["considerations"]
        for statement in one["for"] + one["against"]
        for difference in statement["differs_in"]
    ]
    assert differs
    for difference in differs:
        assert f"{difference['finding']}; this patient: {difference['patient']}" in words


def test_general_caution_and_date_are_told_once_and_missing_context_in_full() -> None:
    weighed = to_document(_weighing(PACK.considerations[1]))
    words = _words(_render(weighed))
    assert words.count(weighed["general_caution"]) == words.count(weighed["dated"]) == 1
    assert weighed["missing"] and all(each["text"] in words for each in weighed["missing"])


def test_nothing_is_inline_so_that_the_strict_policy_holds() -> None:
    for each in PACK.considerations:
        page = _render(to_document(_weighing(each)))
        assert not re.search(r"\sstyle=|\son[a-z]+=|<script|<style", page)


@pytest.mark.parametrize("statement", PACK.statements.values(), ids=lambda each: each.id)
def test_every_number_is_told_as_printed(statement: Statement) -> None:
    document = statement_document(PACK, statement)
    for effect, printed in zip(document["effects"], statement.effects, strict=True):
        told = ledger.told(effect)
        words = " ".join([told.about, *told.printed, *told.said])
        for number in printed.numbers():
            assert re.search(rf"(?<![\d.]){re.escape(f'{number:f}')}(?![\d]|\.\d)", words), (number, words)


def test_a_ratio_without_an_interval_is_hollow_and_one_with_it_has_a_line() -> None:
    hollow = ledger.forest(statement_document(PACK, PACK.statements["atac-recurrence-anastrozole"]))
    full = ledger.forest(statement_document(PACK, PACK.statements["delaurentiis-2005-tamoxifen"]))
    assert hollow is not None and full is not None
    assert hollow.rows[0].interval is None and "no interval printed" in hollow.alternative
    assert full.rows[0].interval is not None and "1.48 (95% CI 1.29 to 1.70)" in full.alternative
    page = _render(to_document(_weighing(PACK.considerations[1])))
    assert page.count('class="span"') == sum(each.ci95 is not None for each in _ratios(PACK.considerations[1]))


def _ratios(each: Consideration) -> list[Any]:
    weighing = _weighing(each)
    return [
        effect
        for one in weighing.considerations
        for side in (one.supporting, one.opposing)
        for weighed in side
        for effect in weighed.statement.effects
        if effect.measure in RATIO_MEASURES
    ]


def test_what_prints_no_ratio_has_no_picture() -> None:
    for statement in PACK.statements.values():
        drawn = ledger.forest(statement_document(PACK, statement))
        ratios = [effect for effect in statement.effects if effect.measure in RATIO_MEASURES]
        assert (drawn is None) == (not ratios)


def test_positions_are_exact_on_a_logarithmic_axis_with_no_effect_in_the_middle() -> None:
    labels = ("0.2", "0.5", "1", "2", "5")
    assert ledger.place(Decimal("0.2"), labels) == "10.00"
    assert ledger.place(Decimal("1"), labels) == "140.00"
    assert ledger.place(Decimal("5"), labels) == "270.00"
    for text in ("0.37", "0.62", "0.73", "1.33", "1.48", "2.25", "3.27"):
        share = math.log(float(text) / 0.2) / math.log(25)
        assert float(ledger.place(Decimal(text), labels)) == pytest.approx(10 + 260 * share, abs=0.006)


def test_a_ratio_beyond_the_axis_gets_a_wider_one_and_one_beyond_all_stands_at_the_edge() -> None:
    assert _axis_of("0.15") == ("0.1", "10")
    assert _axis_of("40") == ("0.01", "100")
    assert _axis_of("400") == ("0.01", "100")
    assert ledger.place(Decimal("400"), ("0.01", "100")) == "270.00"
    assert ledger.place(Decimal(0), ("0.01", "100")) == "10.00"


def _axis_of(value: str) -> tuple[str, str]:
    effect = {"measure": "hazard ratio", "endpoint": "death", "value": value, "span": None, "arms": [], "unit": None}
    drawn = ledger.forest({"effects": [{**effect, "qualifier": None, "ci95": None}]})
    assert drawn is not None
    return drawn.ticks[0][1], drawn.ticks[-1][1]


def test_every_word_of_certainty_difference_and_kind_has_its_text() -> None:
    texts = catalogue()
    for column in CERTAINTY.columns:
        for word in column.words:
            assert f"ledger.{column.name}_{word.replace(' ', '_')}" in texts
    for what in ("setting", "er", "pgr", "her2", "menopausal_status", "line", "prior_therapies"):
        assert f"ledger.what_{what}" in texts
    for each in PACK.considerations:
        assert f"ledger.{each.kind.lower().replace('-', '_')}" in texts


def test_a_retracted_finding_is_told_not_to_count() -> None:
    weighed = to_document(_weighing(PACK.considerations[1]))
    first = weighed["considerations"][0]["for"][0]
    page = _render(
        {**weighed, "considerations": [{**weighed["considerations"][0], "for": [{**first, "counts": False}]}]}
    )
    assert "Does not count" in page
