"""The examples of docs/cds-hooks.md run, and its table names every topic."""

from __future__ import annotations

import json
import re
from pathlib import Path

from app.interop.cds_hooks.cards import TOPICS
from tests.fixtures_cds import ORDER_SELECT, PATIENT_VIEW, broken_rules
from tests.fixtures_service import Service

GUIDE = (Path(__file__).parents[2] / "docs/cds-hooks.md").read_text("utf-8")


def example(hook: str) -> object:
    found = re.search(rf"```json {hook}\n(.*?)```", GUIDE, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_the_examples_give_the_cards_that_the_guide_tells(stateless: Service) -> None:
    answer = stateless.post(PATIENT_VIEW, example("patient-view")).json()
    assert not broken_rules(answer)
    assert [each["summary"] for each in answer["cards"]] == [
        "HER2 equivocal, not final. Next: IHC 2+: ISH on the same specimen, or IHC or ISH on a new one"
    ]
    assert answer["cards"][0]["summary"] in " ".join(GUIDE.split())
    answer = stateless.post(ORDER_SELECT, example("order-select")).json()
    assert not broken_rules(answer)
    assert [each["source"]["topic"]["code"] for each in answer["cards"]] == ["evidence"]


def test_the_guide_names_every_topic() -> None:
    assert {each for each in TOPICS if f"| `{each}` |" in GUIDE} == TOPICS.keys()
