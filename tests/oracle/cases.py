"""Documents for comparing the two routes: random ones, and a grid over every cell between thresholds."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from random import Random
from typing import Any

Document = dict[str, Any]

EDITIONS = ("asco-cap-2018", "asco-cap-2013", "asco-cap-2007", "asco-cap-2023")
RATIOS = (
    "0.9", "1.0", "1.2", "1.5", "1.79", "1.8", "1.80", "1.81", "1.9", "1.95", "1.99", "1.999", "1.999999", "2", "2.0",
    "2.00", "2.000001", "2.01", "2.1", "2.19", "2.2", "2.20", "2.21", "2.5", "3.0", "4.1", "9.5",
)  # fmt: skip
COPIES = (
    "1.1", "2.0", "2.5", "3.0", "3.5", "3.9", "3.99", "3.999999", "4", "4.0", "4.000001", "4.01", "4.3", "4.4", "4.5",
    "5", "5.0", "5.5", "5.9", "5.99", "6", "6.0", "6.000001", "6.01", "6.5", "8.0", "12.4", "20.0", "20.1", "25",
)  # fmt: skip
CEP17 = (
    "1.0", "1.5", "1.9", "2", "2.0", "2.1", "2.15", "2.2", "2.5", "2.7", "3.0", "3.01", "4", "4.0", "6.0", "6.1", "8",
)  # fmt: skip
RATIO_SPANS = (
    "<2.0",
    "<=2.0",
    ">2.0",
    ">=2.0",
    ">1.8",
    "<1.8",
    ">2.2",
    "≥2.0",
    "≤1.79",
    "1.8-2.2",
    "1.2-1.9",
    "2.0-4.0",
)
COPY_SPANS = (
    "<4.0",
    "<=4.0",
    ">4.0",
    ">=4.0",
    ">6.0",
    "≥6.0",
    "<6.0",
    "4.0-5.9",
    "4.0-6.0",
    "3.5-4.5",
    "2.0-3.9",
    ">20",
)
CEP17_SPANS = ("<2.0", ">2.0", ">=3.0", "1.5-2.5", ">6.0", "6.1-8", ">12")
UNCREDIBLE = {
    "ratio": ("51", "50.1", ">50"),
    "her2_copies": ("61", "185", ">60"),
    "cep17_copies": ("12.1", "160", "12.5"),
}
BAD_NUMBERS = ("1,8", "NaN", "abc", "-1", "0", "0.0", "", "<0", "1e1", "Infinity", True, -2.5, "1.8 2.0", "~2")
BAD_CELLS = ("20.5", "0", "-20", "<20", "20-60", "many", 19.5, "≥20")
BAD_SCORES = ("1.5+", "2+/3+", "4+", "positive", "1-2+", 4, 1.5, True)
PERCENTS = ("0", "1", "5", "9", "9.99", "10", "10.0", "10.01", "11", "29", "30", "30.1", "40", "90", "100")
PERCENT_SPANS = ("<10", "<=10", ">10", ">=10", "≤10", "1-10", "5-15", "10-19", "11-30", "31-60", ">0", ">30")
GROUPS: dict[int, tuple[tuple[str, str], ...]] = {
    1: (("2.0", "4.0"), ("2.5", "5.0"), ("3.0", "9.0"), ("2.2", "6.0")),
    2: (("2.0", "3.99"), ("2.5", "3.0"), ("2.21", "3.9")),
    3: (("1.99", "6.0"), ("1.5", "6.5"), ("1.2", "8.0")),
    4: (("1.99", "4.0"), ("1.5", "4.5"), ("1.8", "5.99")),
    5: (("1.99", "3.99"), ("1.2", "2.5"), ("1.0", "3.0")),
}


def maybe(rng: Random, chance: float) -> bool:
    return rng.random() < chance


def as_sent(rng: Random, text: str) -> Any:
    """Sometimes a JSON number in place of the text."""
    if maybe(rng, 0.2) and text.replace(".", "", 1).isdigit():
        return float(text) if "." in text else int(text)
    return text


def _value(rng: Random, name: str) -> Any:
    plain, spans = {
        "ratio": (RATIOS, RATIO_SPANS), "her2_copies": (COPIES, COPY_SPANS), "cep17_copies": (CEP17, CEP17_SPANS),
    }[name]  # fmt: skip
    roll = rng.random()
    if roll < 0.14:
        return rng.choice(spans)
    if roll < 0.17:
        return rng.choice(UNCREDIBLE[name])
    if roll < 0.18:
        return rng.choice(BAD_NUMBERS)
    return as_sent(rng, rng.choice(plain))


def _totals(rng: Random, block: Document) -> None:
    """Total signals, alone or beside reported values that agree, nearly agree or do not."""
    cells = rng.choice((19, 20, 20, 30, 40, 60))
    her2 = round(cells * float(rng.choice(COPIES[:26]))) + rng.choice((0, 0, 0, -1, 1))
    cep17 = max(1, round(cells * float(rng.choice(CEP17))) + rng.choice((0, 0, 0, -1, 1)))
    if maybe(rng, 0.3):
        cep17 = max(1, her2 // 2 + rng.choice((0, 0, 1, -1)))
    if maybe(rng, 0.9):
        block["her2_signals"] = as_sent(rng, str(her2))
    if maybe(rng, 0.85):
        block["cep17_signals"] = as_sent(rng, str(cep17))
    if maybe(rng, 0.06):
        block[rng.choice(("her2_signals", "cep17_signals"))] = rng.choice((">80", "<=79", "70-90", "80.5", "0", "x"))
    digits = rng.choice((0, 1, 1, 2))
    near = {"ratio": her2 / cep17, "her2_copies": her2 / cells, "cep17_copies": cep17 / cells}
    for name, number in near.items():
        if maybe(rng, 0.3):
            value = f"{number:.{digits}f}"
            block[name] = value if float(value) > 0 else "1"
        elif maybe(rng, 0.1):
            block[name] = _value(rng, name)
    if maybe(rng, 0.75):
        block["cells"] = cells
    if maybe(rng, 0.2):
        block["her2_cells"] = rng.choice((cells, 19, 20, 40))
    if maybe(rng, 0.2):
        block["cep17_cells"] = rng.choice((cells, 19, 20, 40))


def count(rng: Random, group: int | None = None) -> Document:
    """One count; with a group mostly a sound count of that group."""
    block: Document = {}
    roll = rng.random()
    if group is not None and roll < 0.85:
        ratio, copies = rng.choice(GROUPS[group])
        block = {"ratio": as_sent(rng, ratio), "her2_copies": as_sent(rng, copies)}
        if maybe(rng, 0.25):
            block["cep17_copies"] = f"{float(copies) / float(ratio):.{rng.choice((0, 1, 2))}f}"
        if maybe(rng, 0.1):
            del block[rng.choice(("ratio", "her2_copies"))]
    elif roll < 0.55:
        for name, chance in (("ratio", 0.75), ("her2_copies", 0.8), ("cep17_copies", 0.5)):
            if maybe(rng, chance):
                block[name] = _value(rng, name)
    elif roll < 0.7:
        quotient, bottom = float(rng.choice(RATIOS)), float(rng.choice(CEP17))
        block = {"ratio": f"{quotient:.1f}", "cep17_copies": f"{bottom:.1f}", "her2_copies": f"{quotient * bottom:.1f}"}
        if maybe(rng, 0.5):
            del block[rng.choice(("ratio", "her2_copies", "cep17_copies"))]
    else:
        _totals(rng, block)
    if "cells" not in block and maybe(rng, 0.85):
        block["cells"] = rng.choice((20, "20", "20.0", 20, 40, 60, 100, 40, 20, 20, 25, 30, 19, 1))
    if maybe(rng, 0.01):
        block[rng.choice(("cells", "her2_cells"))] = rng.choice(BAD_CELLS)
    return block


def _ish(rng: Random, group: int | None) -> Document:
    block = count(rng, group)
    roll = rng.random()
    if roll < 0.5:
        block["assay"] = "dual_probe"
    elif roll < 0.7:
        block["assay"] = "single_probe"
        if maybe(rng, 0.85):
            for name in ("ratio", "cep17_copies", "cep17_signals"):
                block.pop(name, None)
            if maybe(rng, 0.7):
                block["her2_copies"] = _value(rng, "her2_copies")
    elif roll < 0.8:
        for name in ("ratio", "cep17_copies", "cep17_signals"):
            block.pop(name, None)
    if maybe(rng, 0.06):
        block = {"assay": block["assay"]} if "assay" in block else {}
        if maybe(rng, 0.2):
            block["cells"] = rng.choice((10, 20))
    if maybe(rng, 0.05):
        block["failed"] = True
    elif maybe(rng, 0.05):
        block["failed"] = False
    if maybe(rng, 0.06):
        block["controls"] = rng.choice(("passed", "failed"))
    return block


def _extra_count(rng: Random, group: int | None) -> Document:
    block = count(rng, group)
    for name in ("blinded", "in_ihc_2plus_area"):
        if maybe(rng, 0.95):
            block[name] = maybe(rng, 0.94)
    if maybe(rng, 0.2):
        block["same_observer"] = maybe(rng, 0.2)
    return block


def _ihc(rng: Random) -> Any:
    score: Any = rng.choice(
        ("0", "0+", "1+", "1+", "2+", "2+", "2+", "2+", "2+", "3+", "3+", "indeterminate", 0, 1, 2, 3)
    )
    if maybe(rng, 0.01):
        score = rng.choice(BAD_SCORES)
    if maybe(rng, 0.7):
        return score
    block: Document = {"score": score}
    if maybe(rng, 0.1):
        del block["score"]
    if maybe(rng, 0.1):
        block["controls"] = rng.choice(("passed", "failed"))
    if maybe(rng, 0.7):
        block["membrane"] = rng.choice(("none", "incomplete", "complete"))
    if maybe(rng, 0.7):
        block["intensity"] = rng.choice(("faint", "weak", "moderate", "intense"))
    if maybe(rng, 0.7):
        block["percent"] = rng.choice(PERCENT_SPANS) if maybe(rng, 0.2) else as_sent(rng, rng.choice(PERCENTS))
        if maybe(rng, 0.02):
            block["percent"] = rng.choice(("101", "-1", "10 %", ">100"))
    if maybe(rng, 0.4):  # a pattern that spells the score more often than chance would
        fit = {
            "1+": ("incomplete", "faint", "20"),
            "2+": ("complete", "weak", "20"),
            "3+": ("complete", "intense", "40"),
        }
        found = fit.get(str(score), ("incomplete", "faint", "5"))
        block.update(zip(("membrane", "intensity", "percent"), found, strict=True))
    if maybe(rng, 0.25):  # no staining
        block = {"score": rng.choice(("0", "0", "0", 0, "0+", "1+")), "membrane": "none"}
        if maybe(rng, 0.5):
            block["percent"] = rng.choice(("0", 0, "0.0", "5", "<10"))
    if maybe(rng, 0.2):
        block["scored_under"] = rng.choice(EDITIONS)
    return block


def _specimen(rng: Random) -> Document:
    block: Document = {}
    if maybe(rng, 0.6):
        block["procedure"] = rng.choice(("core", "core", "excision", "cytology", "other"))
    if maybe(rng, 0.6):
        block["grade"] = rng.choice((1, 1, 2, 3))
    if maybe(rng, 0.5):
        block["histology"] = rng.choice(
            ("ductal", "lobular", "tubular", "mucinous", "cribriform", "adenoid_cystic", "other")
        )
    if maybe(rng, 0.4):
        block["purity_percent"] = rng.choice(("89", "89.9", "90", 95, "100", ">=90", ">80", "85-95"))
    for name in ("little_invasive_tumour", "excision_differs", "handling_doubt", "decalcified"):
        if maybe(rng, 0.12):
            block[name] = maybe(rng, 0.7)
    if maybe(rng, 0.3):
        block["cold_ischaemia_minutes"] = rng.choice(("0", "30", "60", "60.1", "61", 90, "<60", "<=60", ">60", "30-90"))
    if maybe(rng, 0.3):
        block["fixation_hours"] = rng.choice(
            ("5.9", "6", "24", "48", "48.1", "72", "72.1", 80, "<6", "<=6", ">72", ">48", "6-48", "5-7", "60-80")
        )
    if maybe(rng, 0.2):
        block["section_age_days"] = rng.choice(("42", "42.5", 43, "10", ">42", ">=42", "<42"))
    if maybe(rng, 0.2):
        block["fixative"] = rng.choice(("neutral_buffered_formalin", "other"))
    if maybe(rng, 0.03):
        block[rng.choice(("invasive", "breast_carcinoma"))] = maybe(rng, 0.4)
    if maybe(rng, 0.01):
        block["fixation_hours"] = rng.choice(("-1", "long", "6,5"))
    return block


def random_case(rng: Random) -> Document:
    """One random document; a theme leads it into the deep branches often."""
    document: Document = {}
    if maybe(rng, 0.9):
        document["edition"] = rng.choice((*EDITIONS, EDITIONS[0], EDITIONS[0], EDITIONS[0], EDITIONS[3]))
    if maybe(rng, 0.35):
        document["policy"] = {
            name: rng.choice(choices)
            for name, choices in (
                ("group1_ihc_negative", ("review", "hold")),
                ("group5_ihc_3plus", ("review", "hold")),
                ("single_probe_discordant", ("review", "hold")),
                ("low_in_groups_2_to_4", ("include", "exclude")),
            )
            if maybe(rng, 0.7)
        }
    theme = rng.choice(("any", "any", "values", "workup", "workup", "cluster", "follow_up", "ihc"))
    group = rng.randint(1, 5) if maybe(rng, 0.6) else None
    if maybe(rng, 0.85):
        document["ihc"] = _ihc(rng)
    if theme == "workup":
        group = rng.choice((2, 3, 4))
        document["ihc"] = "2+" if maybe(rng, 0.9) else _ihc(rng)
        document["ish"] = {**count(rng, group), "assay": "dual_probe"} if maybe(rng, 0.9) else _ish(rng, None)
    elif theme == "values":
        document["ish"] = _ish(rng, None)
    elif theme != "ihc" and maybe(rng, 0.9):
        document["ish"] = _ish(rng, group)
    if theme == "follow_up":
        document["follow_up_ish"] = _ish(rng, rng.choice((1, 2, 3, 4, 5, None)))
        if maybe(rng, 0.7):
            document["ish"] = {"assay": "single_probe", "her2_copies": _value(rng, "her2_copies"), "cells": 20}
        if document["follow_up_ish"].get("assay") == "single_probe" and maybe(rng, 0.7):
            del document["follow_up_ish"]["assay"]
    if maybe(rng, 0.85 if theme == "workup" else 0.12):
        other = group if group is not None and maybe(rng, 0.4) else rng.randint(1, 5)
        document["recount"] = _extra_count(rng, other)
        if maybe(rng, 0.5 if theme == "workup" else 0.2):
            names = [other, rng.randint(1, 5)] + ([group] if group else [])
            if maybe(rng, 0.4):
                third = rng.randint(1, 5)
                document["third_count"] = _extra_count(rng, third)
                names.append(third)
            document["adjudication"] = {"group": rng.choice(names)}
    elif maybe(rng, 0.1):
        document["adjudication"] = {"group": rng.randint(1, 5)}
    if theme == "cluster" or maybe(rng, 0.05):
        document["cluster"] = count(rng, rng.choice((1, 1, 1, 2, 3, 4, 5, 5, None)))
        if maybe(rng, 0.9):
            document["cluster"]["share_percent"] = rng.choice(
                ("5", "10", "10.0", "10.1", "11", "20", "40", "30", ">10", "<=10", ">=10", "<10", "5-15", 15, 10)
            )
        if maybe(rng, 0.01):
            document["cluster"]["share_percent"] = rng.choice(("101", "many"))
    if "ish" in document and maybe(rng, 0.08):  # the short forms
        block = document["ish"]
        for name, short in (
            ("ratio", "ratio"),
            ("her2_copies", "copies"),
            ("cep17_copies", "cep17"),
            ("cells", "cells"),
        ):
            if name in block:
                document[short] = block.pop(name)
        if not block:
            del document["ish"]
    if maybe(rng, 0.35):
        document["specimen"] = _specimen(rng)
        if maybe(rng, 0.7):
            document["context"] = {
                "er": rng.choice(("positive", "positive", "negative", "unknown")),
                "pgr": rng.choice(("positive", "positive", "negative", "unknown")),
            }
    return document


IHC_GRID: tuple[str | None, ...] = (None, "0", "1+", "2+", "3+", "indeterminate")
RATIO_GRID = (None, "1.79", "1.8", "1.99", "2.0", "2.2", "2.21", ">1.8")
COPIES_GRID = (None, "3.99", "4.0", "5.99", "6.0", "6.01", "3.5-4.5")
ASSAYS = (None, "dual_probe", "single_probe")
CELLS = (None, 19, 20)
POLICIES: tuple[Document, ...] = (
    {},
    {"group1_ihc_negative": "hold", "group5_ihc_3plus": "hold", "single_probe_discordant": "hold",
     "low_in_groups_2_to_4": "exclude"},
)  # fmt: skip


def _filled(**fields: Any) -> Document:
    return {name: value for name, value in fields.items() if value is not None}


def grid_cases() -> Iterator[Document]:
    """Every cell between thresholds: first the ISH plane, then the second count and its adjudication."""
    for edition, policy, ihc, ratio, copies, assay, cells in product(
        EDITIONS, POLICIES, IHC_GRID, RATIO_GRID, COPIES_GRID, ASSAYS, CELLS
    ):
        if policy and edition == "asco-cap-2007":
            continue
        block = _filled(assay=assay, ratio=ratio, her2_copies=copies, cells=cells)
        yield {**_filled(edition=edition, ihc=ihc, policy=policy or None), "ish": block}
    for edition, ihc, group in product(EDITIONS, IHC_GRID, (1, 2, 3, 4, 5)):
        ratio, copies = GROUPS[group][0]
        main = {"assay": "dual_probe", "ratio": ratio, "her2_copies": copies}
        for second, named, cells in product((None, 1, 2, 3, 4, 5, 0), (None, 1, 2, 3, 4, 5), CELLS):
            # Cells vary in the first count where there is no second one, in the second otherwise.
            document = _filled(edition=edition, ihc=ihc)
            document["ish"] = {**main, **_filled(cells=cells if second is None else 20)}
            if second is not None:
                again = {} if second == 0 else dict(zip(("ratio", "her2_copies"), GROUPS[second][0], strict=True))
                document["recount"] = {**again, **_filled(cells=cells), "blinded": True, "in_ihc_2plus_area": True}
            if named is not None:
                document["adjudication"] = {"group": named}
            yield document
    # A second count beside a group that is not certain.
    for edition, ihc, ratio, copies, assay, second, named in product(
        EDITIONS[:2], ("1+", "2+"), RATIO_GRID, COPIES_GRID, ASSAYS, (1, 2, 3, 4, 5), (None, 2, 4)
    ):
        again = dict(zip(("ratio", "her2_copies"), GROUPS[second][0], strict=True))
        document = {
            "edition": edition,
            "ihc": ihc,
            "ish": _filled(assay=assay, ratio=ratio, her2_copies=copies, cells=20),
            "recount": {**again, "cells": 20, "blinded": True, "in_ihc_2plus_area": True},
        }
        if named is not None:
            document["adjudication"] = {"group": named}
        yield document
