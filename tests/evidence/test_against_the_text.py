"""The shipped pack against the review's text, where there is one: REVIEW=path. The text is not part of Herald."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.evidence.check import check_against_text
from app.evidence.library import load_pack

REVIEW = os.environ.get("REVIEW")


@pytest.mark.skipif(not REVIEW, reason="the review's text is not here: set REVIEW to its path")
def test_every_locator_citation_and_number_stands_in_the_text() -> None:
    assert REVIEW
    assert check_against_text(load_pack(), Path(REVIEW).read_text(encoding="utf-8")) == []
