"""By which in situ hybridization: OBX-17 or Observation.method, kept beside the values (interop.md 1.3)."""

from __future__ import annotations

import pytest

from tests.interop.feeds.messages import Coding, facts, item, loinc, mapped, quantity, snomed, text

RATIO = item(loinc("49683-6"), values=(quantity("1.8"),))


@pytest.mark.parametrize(
    ("coding", "method"),
    [(snomed("1303773004"), "FISH"), (snomed("787997001"), "CISH"), (snomed("787998006"), "SISH"),
     (snomed("1363313004"), "ISH"), (Coding("", "DISH", "Dual ISH"), "DISH"), (Coding("", "M7", "by FISH"), "FISH")],
)  # fmt: skip
def test_the_method_stands_beside_the_ratio(coding: Coding, method: str) -> None:
    assert facts(mapped(RATIO._replace(method=(coding,)))) == {"ish.ratio": "1.8", "ish.method": method}


def test_without_one_none_is_said() -> None:
    assert facts(mapped(RATIO)) == {"ish.ratio": "1.8"}
    assert facts(mapped(RATIO._replace(method=(Coding("", "AUTO", "Analyser"),)))) == {"ish.ratio": "1.8"}


def test_a_named_one_stands_before_ish_alone() -> None:
    presence = item(snomed("434363004"), values=(text("amplified"),))
    told = facts(mapped(presence, RATIO._replace(method=(Coding("", "DISH"),))))
    assert told["ish.method"] in ("FISH", "DISH")
    assert told["ish.ratio"] == "1.8"
