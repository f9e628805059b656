"""Feed files: every mistake is told with its place and what to write; a sender's feed adds to the standard one."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.interop.feeds import Feed, Feeds, read_feed
from app.interop.feeds.feed import STANDARD, FeedProblems
from app.interop.received import LOINC, SNOMED

MISTAKES = [
    ("title = HER2", "WRONG_TYPE", "feed"),
    ("titel = 'x'", "UNKNOWN_FIELD", "titel"),
    ("title = 3", "WRONG_TYPE", "title"),
    ("decimal_comma = 'yes'", "WRONG_TYPE", "decimal_comma"),
    ("ae_for_quarantine = 1", "WRONG_TYPE", "ae_for_quarantine"),
    ("senders = 'LIS'", "WRONG_TYPE", "senders"),
    ("senders = [1]", "WRONG_TYPE", "senders"),
    ("block_from = 'obx'", "UNKNOWN_VALUE", "block_from"),
    ("block_from = ['group']", "UNKNOWN_VALUE", "block_from"),
    ("zone = 'Mars/Base'", "UNKNOWN_VALUE", "zone"),
    ("charset = 'latin-99'", "UNKNOWN_VALUE", "charset"),
    ("comments = 'Disclaimer'", "WRONG_TYPE", "comments"),
    ("[foreign]\nihc = 'fish'", "WRONG_TYPE", "foreign.ihc"),
    ("[words.'ihc.score']\n'x' = '4+'", "UNKNOWN_SCORE", "words.ihc.score.x"),
    ("[phrases]\n'HER-2 IHC' = 'ihc.score'\n'HER2/neu IHC' = 'note'", "TWICE_STATED", "phrases.HER2/neu IHC"),
    ("[codes.local]\nX1 = 'adjudication.group'", "UNKNOWN_VALUE", "codes.local.X1"),
    ("codes = 1", "WRONG_TYPE", "codes"),
    ("[codes]\n'85319-2' = 'ihc.score'", "WRONG_TYPE", "codes.85319-2"),
    ("[codes.local]\nX1 = 'ihc.scor'", "UNKNOWN_VALUE", "codes.local.X1"),
    ("[codes.local]\nX1 = ['ihc.score']", "UNKNOWN_VALUE", "codes.local.X1"),
    ("[answers.local]\nX1 = 3", "WRONG_TYPE", "answers.local.X1"),
    ("[contradicts.local]\nX1 = 'fish'", "WRONG_TYPE", "contradicts.local.X1"),
    ("[contradicts.local]\nX1 = 3", "WRONG_TYPE", "contradicts.local.X1"),
    ("[phrases]\n'HER2' = 'her2'", "UNKNOWN_VALUE", "phrases.HER2"),
    ("[phrases]\n'' = 'ihc.score'", "UNKNOWN_VALUE", "phrases"),
    ("[headings]\n'FISH' = 'fish'", "UNKNOWN_VALUE", "headings.FISH"),
    ("[headings]\n'FISH' = ['ish']", "UNKNOWN_VALUE", "headings.FISH"),
    ("[words.'ihc.scor']\n'x' = '3+'", "UNKNOWN_VALUE", "words.ihc.scor"),
    ("[words.'ish.ratio']\n'normal' = 1.8", "WRONG_TYPE", "words.ish.ratio.normal"),
    ("[words]\n'ihc.score' = '3+'", "WRONG_TYPE", "words.ihc.score"),
]


@pytest.mark.parametrize(("written", "code", "place"), MISTAKES)
def test_a_mistake_is_told_with_its_place_and_a_remedy(written: str, code: str, place: str) -> None:
    problems = read_feed(written)
    assert not isinstance(problems, Feed)
    (problem,) = problems
    assert (problem.code, problem.field) == (code, place)
    assert problem.message
    assert problem.remedy


def test_all_mistakes_are_told_at_once() -> None:
    problems = read_feed("titel = 'x'\nzone = 'Mars'\n[phrases]\n'HER2' = 'her2'\n")
    assert not isinstance(problems, Feed)
    assert [each.field for each in problems] == ["titel", "zone", "phrases.HER2"]


def test_the_remedy_names_what_may_have_been_meant() -> None:
    problems = read_feed("[codes.local]\nX1 = 'ihc.scor'")
    assert not isinstance(problems, Feed)
    assert "ihc.score" in problems[0].remedy


def test_a_sender_s_feed_adds_to_the_standard() -> None:
    feed = read_feed(
        "[codes.loinc]\n'48676-1' = 'note'\n[codes.local]\nX1 = 'ihc.score'\n[codes.snomed]\n'1' = 'note'\n"
        "[codes.'urn:x']\nY = 'ish.ratio'\n[phrases]\n'HER2-Score' = 'ihc.score'\n"
    )
    assert isinstance(feed, Feed)
    assert feed.codes[(LOINC, "48676-1")] == "note"
    assert feed.codes[(LOINC, "85319-2")] == "ihc.score"
    assert (feed.codes[("", "X1")], feed.codes[(SNOMED, "1")], feed.codes[("urn:x", "Y")]) == (
        "ihc.score", "note", "ish.ratio",
    )  # fmt: skip
    assert feed.phrases["her2-score"] == "ihc.score"
    assert feed.phrases["her2 ihc"] == "ihc.score"
    assert STANDARD.codes[(LOINC, "48676-1")] == "reported_status"


def test_the_feeds_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "north.toml").write_text("senders = ['LIS|NORTH']\nlaboratory = 'North'\n")
    feeds = Feeds.load(tmp_path)
    assert feeds.of("LIS|NORTH").laboratory == "North"
    assert feeds.of("LIS|SOUTH") is STANDARD
    assert Feeds.load(None).of("x") is STANDARD


def test_two_files_for_one_sender_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("senders = ['LIS']\n")
    (tmp_path / "b.toml").write_text("senders = ['LIS']\n")
    with pytest.raises(FeedProblems) as told:
        Feeds.load(tmp_path)
    assert [(each.code, each.field) for each in told.value.problems] == [("TWICE_STATED", "b.toml: senders")]


def test_mistakes_of_every_file_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text("zone = 'Mars'\n")
    (tmp_path / "b.toml").write_text("titel = 'x'\n")
    (tmp_path / "c.toml").write_bytes(b"title = '\xff'\n")
    with pytest.raises(FeedProblems) as told:
        Feeds.load(tmp_path)
    assert [each.field for each in told.value.problems] == ["a.toml: zone", "b.toml: titel", "c.toml: feed"]
