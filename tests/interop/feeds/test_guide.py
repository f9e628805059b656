"""The guide's feed file holds, and what it says waits does wait."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from app.interop.feeds import Feed, read_feed
from tests.interop.feeds.messages import item, lines, loinc, mapped, text

GUIDE = (Path(__file__).parents[3] / "docs" / "feeds.md").read_text("utf-8")


def test_the_feed_file_of_the_guide_holds() -> None:
    (written,) = re.findall(r"```toml\n(.*?)```", GUIDE, re.DOTALL)
    feed = read_feed(written)
    assert isinstance(feed, Feed), feed
    assert (feed.codes[("", "HER2IHC")], feed.words["ihc.score"]["her2 +++"]) == ("ihc.score", "3+")


@pytest.mark.parametrize("written", ["2+ to 3+", "not 3+", "0/3+", "3+ in 5%", "4,5", "negative 3+", "4+", "weak 3+"])
def test_what_it_says_waits(written: str) -> None:
    assert f"`{written}" in GUIDE
    assert mapped(item(loinc("85319-2"), values=(text(written),))).problems


@pytest.mark.parametrize("line", ["HER2 status: positive (3+)", "HER2/CEP17 ratio: 1.8 (previous 2.3)"])
def test_which_lines_it_says_wait(line: str) -> None:
    assert f"`{line}`" in GUIDE
    assert lines(line).problems
