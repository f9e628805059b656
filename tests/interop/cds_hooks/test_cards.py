"""Cards as text: summaries cut at a word, others' text kept plain, agents recognised by their names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.interop.cds_hooks.cards import TOPICS, Card, Link, plain, short, write_card, write_response
from app.interop.cds_hooks.orders import agents, agents_in
from app.interop.cds_hooks.request import HookRequest, Prefetched, identifiers_of
from tests.fixtures_cds import SERVER, broken_rules


@given(st.text())
def test_a_summary_is_shorter_than_140_characters_and_one_line(text: str) -> None:
    told = short(text)
    assert len(told) <= 139
    assert len(told.splitlines()) <= 1


def test_a_summary_is_cut_at_a_word() -> None:
    assert short("word " * 40) == "word " * 27 + "word" if len("word " * 28) <= 139 else True
    assert short("HER2 positive, final", 15) == "HER2 positive…"
    assert short("HER2  positive") == "HER2 positive"
    assert len(short("\N{DNA DOUBLE HELIX}" * 139).encode("utf-16-le")) // 2 < 140


def test_text_of_others_stays_text_in_markdown() -> None:
    assert plain("[x](http://evil) <b>*y*</b>") == r"\[x\]\(http\://evil\) \<b\>\*y\*\</b\>"
    # GitHub's Markdown makes links of these alone, and entities become what they name
    assert plain("WWW.evil.example a@b.c &lt;b&gt;") == r"WWW\.evil.example a\@b.c \&lt;b\&gt;"


@pytest.mark.parametrize("topic", TOPICS)
def test_a_card_of_each_topic_keeps_the_rules(topic: str) -> None:
    links = (Link("Case", "https://h/x"), Link("App", "https://h/smart/launch", {"topic": topic}))
    card = Card("8d7c8d0c-0000-8000-8000-000000000000", topic, "info", "HER2", "text", links)
    assert not broken_rules(write_response([card]))
    told = write_card(card)
    assert told["links"][1]["appContext"] == f'{{"topic":"{topic}"}}'
    assert "appContext" not in told["links"][0]


def test_the_checker_of_the_rules_can_fail() -> None:
    card = write_card(Card("8d7c8d0c-0000-8000-8000-000000000000", "evidence", "info", "HER2", "text"))
    assert broken_rules({"cards": [card | {"summary": "x" * 140}]})
    assert broken_rules({"cards": [card | {"links": []}]})
    assert broken_rules({"cards": [card | {"indicator": "hard-stop"}]})
    assert broken_rules({"cards": [card | {"detail": None}]})
    assert broken_rules({"cards": [card | {"suggestions": [{"label": "x"}]}]})
    assert broken_rules({"cards": [card | {"suggestions": [{"uuid": "x"}], "selectionBehavior": "any"}]})
    assert broken_rules({"cards": [card | {"source": card["source"] | {"url": "/relative"}}]})
    assert broken_rules({"cards": [card, card]})
    assert broken_rules({})


# ---- agents


@pytest.mark.parametrize("agent", agents(), ids=lambda each: each.name)
def test_each_agent_is_recognised_by_each_of_its_names(agent: object) -> None:
    for word in agent.words:  # type: ignore[attr-defined]
        assert agent in agents_in([f"{word.upper()} 20 MG Oral Tablet"])


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("fam-trastuzumab deruxtecan-nxki 100 MG Injection [Enhertu]", ["trastuzumab deruxtecan"]),
        ("ado-trastuzumab emtansine", ["trastuzumab emtansine"]),
        ("trastuzumab-dkst 150 MG Injection", ["trastuzumab"]),
        ("pertuzumab / trastuzumab / hyaluronidase [Phesgo]", ["trastuzumab", "pertuzumab"]),
        ("Ogivri 420 mg", ["trastuzumab"]),
        ("Letrozol 2,5 mg", ["letrozole"]),
        ("datopotamab deruxtecan", []),
        ("amoxicillin 500 MG", []),
        ("nontamoxifenlike", []),
    ],
)
def test_a_name_is_its_own_drug_and_no_other(name: str, wanted: list[str]) -> None:
    assert [each.name for each in agents_in([name])] == wanted


# ---- whose request


def test_a_patient_is_asked_for_by_the_ehrs_id_and_by_identifiers_in_force() -> None:
    identifier = [
        {"system": "urn:mrn", "value": "1"},
        {"system": "urn:mrn", "value": "2", "use": "old"},
        {"value": "3"},
    ]
    patient = {"resourceType": "Patient", "identifier": identifier}
    request = HookRequest("i", "p1", SERVER, prefetch={"patient": Prefetched((patient,))})
    assert identifiers_of(request) == (
        (SERVER, "p1"),
        (f"urn:fhir:{SERVER}", "Patient/p1"),
        ("urn:fhir", f"{SERVER}/Patient/p1"),
        ("urn:mrn", "1"),
    )
    assert identifiers_of(HookRequest("i", "p1")) == ()
