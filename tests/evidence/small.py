"""A made-up pack of the smallest size that loads: each test of a curator's mistake breaks it in one place."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from typing import Any

from app.domain.evidence import Pack
from app.evidence.library import build_pack

PACK = """
id = "small"
version = "1"
title = "A small review"
source = "Reviewer 2020"
licence = "made up"
curators = ["nobody"]
general_caution = "With caution."
dated = "Of 2020."
historic_caveat = "Measured otherwise."
historic_before = 2018
terms = ["TRIAL-7"]

[[changelog]]
version = "1"
date = "2020-12-31"
text = "The first."

[[therapy]]
name = "tamoxifen"
words = ["tamoxifen"]

[[silence]]
id = "er-negative"
text = "Nothing for this."
[silence.when]
her2 = ["positive"]
er = ["negative"]
"""

REFERENCES = """
[[reference]]
key = "reviewer-2020"
cited_as = "Reviewer 2020"
identification = "sure"
title = "A small review"
doi = "10.1000/small"
pmid = "12345678"

[[reference]]
key = "first-2001"
cited_as = "First et al. 2001"
identification = "candidate"
"""

METASTATIC = """
section = "metastatic"

[[statement]]
id = "first-failure"
setting = "metastatic"
design = "meta-analysis"
direction = "less benefit"
bears_on = "prediction"
cited_as = ["First et al. 2001"]
population = { text = "everybody", er = ["positive"], her2 = ["positive", "negative"], prior = ["tamoxifen"] }
contradicts = ["first-no-failure"]
summary = "In TRIAL-7 the relative risk was 1.45."
locator = "the relative risk was"
caveats = ["Few patients."]
[[statement.effect]]
measure = "relative risk"
endpoint = "failure"
compares = "HER2-positive against HER2-negative"
value = 1.45
ci95 = [1.34, 1.57]
p = { below = 0.00001 }

[[statement]]
id = "first-no-failure"
setting = "metastatic"
design = "subgroup"
direction = "no difference"
bears_on = "prediction"
population = { text = "everybody", er = ["positive"], her2 = ["positive", "negative"] }
contradicts = ["first-failure"]
summary = "The rates were 33% and 49%."
locator = "the rates were"
[[statement.effect]]
measure = "rate"
endpoint = "response"
unit = "%"
p = { equals = 0.49 }
at = { years = 5 }
arms = [{ group = "one", value = 33 }, { group = "other", value = 49 }]

[[statement]]
id = "in-cells"
setting = "preclinical"
design = "preclinical"
direction = "resistance"
bears_on = "mechanism"
population = { text = "cells" }
summary = "Cells resist."
locator = "cells resist"
"""

CONSIDERATIONS = """
[[consideration]]
id = "weigh-this"
title = "Tamoxifen may do less"
kind = "endocrine"
therapies = ["tamoxifen"]
for = ["first-failure"]
against = ["first-no-failure"]
must_not_conclude = ["That it does nothing."]
[consideration.applies_when]
her2 = ["positive"]
er = ["positive"]
setting = ["metastatic"]
biomarkers = { erbb2_mutation = "positive" }

[[consideration]]
id = "test-again"
title = "Test again"
kind = "testing"
for = ["in-cells"]
against_note = "Nothing against."
must_not_conclude = ["Anything."]
[consideration.applies_when]
her2 = ["open"]
"""

STANDING = """
[[standing]]
key = "reviewer-2020"
standing = "valid"
date = "2026-01"
source = "looked up"
"""

FILES = {
    "pack.toml": PACK,
    "references.toml": REFERENCES,
    "statements/1-metastatic.toml": METASTATIC,
    "considerations.toml": CONSIDERATIONS,
    "standings.toml": STANDING,
}
STATEMENTS = "statements/1-metastatic.toml"


def documents(file: str = "", old: str = "", new: str = "") -> dict[str, dict[str, Any]]:
    """The parsed files, with one place of one file changed."""
    files = dict(FILES)
    if file:
        assert old in files[file], f"{old!r} is not in {file}"
        files[file] = files[file].replace(old, new, 1)
    return {name: tomllib.loads(text, parse_float=Decimal) for name, text in files.items()}


def small_pack(file: str = "", old: str = "", new: str = "") -> Pack:
    return build_pack(documents(file, old, new))
