"""A pack to begin with: it loads as it is, says nothing of medicine, and has every kind of entry once."""

from __future__ import annotations

import json
from pathlib import Path

from app.evidence.fields import ID
from app.evidence.library import PackError, pack_ids

_PACK = """\
# Every text here is an example to be replaced. docs/evidence.md says how a pack is written and checked.
id = {id}
version = "1"
title = {title}
source = {title}
licence = "Say what may be taken from the source, and under which licence."
curators = ["Name who reads the source"]
general_caution = "Say what the source itself asks readers to be careful with."
dated = "Say when the source appeared and when its search ended."
historic_caveat = "Say how HER2 was defined in the older studies."
# Works cited with a year before this one measured HER2 by an older definition.
historic_before = 2018
# Names that hold digits which are not figures, such as the names of trials.
terms = ["HER2/neu"]

# The newest first.
[[changelog]]
version = "1"
date = {date}
text = "Begun."

# Classes of earlier therapy, and the words by which they are recognised.
[[therapy]]
name = "endocrine therapy"
words = ["endocrine", "tamoxifen", "letrozole"]

# What the source does not offer.
[[silence]]
id = "her2-open"
text = "The HER2 result is not final or contradicts itself: the source offers nothing yet."
[silence.when]
her2 = ["open"]
"""
_REFERENCES = """\
# title, doi and pmid only where they were seen in a source and the work is surely the one (identification "sure").

[[reference]]
key = {id}
cited_as = {title}
identification = "not identified"
"""
_STATEMENTS = """\
section = "example"

[[statement]]
id = "example-replace-me"
setting = "testing"
design = "narrative"
direction = "descriptive"
bears_on = "description"
population = {{ text = "not stated" }}
summary = "One finding in your own words; every number in it stands in an effect."
locator = "at most eight words of the source"
"""
_CONSIDERATIONS = """\
[[consideration]]
id = "example-replace-me"
title = "One thing to weigh, as a claim"
kind = "testing"
for = ["example-replace-me"]
against_note = "Say that the source has nothing against it, or list statements in against."
must_not_conclude = ["What a reader must not take from it."]
[consideration.applies_when]
her2 = ["open"]
"""


def write_skeleton(folder: Path, pack_id: str, title: str, today: str) -> None:
    """Write the files of a new pack into a new or empty folder; raises PackError with what stands against it."""
    problems = []
    if not ID.fullmatch(pack_id):
        problems.append(f"the id {pack_id!r} must be lower-case words and digits joined by '-'")
    if pack_id in pack_ids():
        problems.append(f"the id {pack_id!r} is that of a pack which ships with Herald")
    if not title.strip() or not title.isprintable():
        problems.append("the title must be one line of text")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        problems.append(f"{folder} is there already and not empty: nothing is overwritten")
    if problems:
        raise PackError(problems)
    # A JSON text is a TOML text.
    words = {
        name: json.dumps(text, ensure_ascii=False)
        for name, text in (("id", pack_id), ("title", title), ("date", today))
    }
    (folder / "statements").mkdir(parents=True)
    files = {
        "pack.toml": _PACK,
        "references.toml": _REFERENCES,
        "statements/1-example.toml": _STATEMENTS,
        "considerations.toml": _CONSIDERATIONS,
    }
    for name, text in files.items():
        (folder / name).write_text(text.format(**words), encoding="utf-8")
