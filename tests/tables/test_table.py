"""What a proved table answers: the row, every row that a range meets, its cuts, its cells, its content and digest."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest

from app.decision_table import Column, Table, TableError
from app.domain.numbers import UNBOUNDED

M = 1_000_000
BAND = """
table band: Copies, a figure: with a colon
place: figure 2
in her2: (0..), missing
in probe: @probes, other
out band: high, mid, low, none
outs flags: @flags, F9
set known: @probes
row | her2        | probe || band | flags      | place
B1  | >= 6.0      | known || high | F1, F2     | figure 2, right
B2  | [4.0..6.0)  | known || mid  | -          |
B3  | < 4.0       | known || low  |            | figure 2, left
B4! | missing     | known || -    | F9         |
B5  | -           | other || none | F1         | elsewhere
"""
WORDS = {"probes": ("dual", "single"), "flags": ("F1", "F2")}


@pytest.fixture
def band() -> Table:
    return Table.parse(BAND, WORDS)


def row(table: Table, her2: int | None, probe: str) -> str:
    return table.decide({"her2": her2, "probe": probe}).id


def test_what_was_written_is_kept(band: Table) -> None:
    assert (band.name, band.title, band.place) == ("band", "Copies, a figure: with a colon", "figure 2")
    assert band.inputs == ("her2", "probe")
    assert band.outputs == ("band", "flags")
    assert band.down_across is None
    assert [each.id for each in band.rows] == ["B1", "B2", "B3", "B4", "B5"]
    assert [each.impossible for each in band.rows] == [False, False, False, True, False]
    assert [each.place for each in band.rows] == [
        "figure 2, right", "figure 2", "figure 2, left", "figure 2", "elsewhere",
    ]  # fmt: skip
    assert [each["band"] for each in band.rows] == ["high", "mid", "low", None, "none"]
    assert [each["flags"] for each in band.rows] == [("F1", "F2"), (), (), ("F9",), ("F1",)]
    assert band.rows[0].conditions == (("her2", ">= 6.0"), ("probe", "dual, single"))
    assert band.columns[1] == Column("probe", ("dual", "single", "other"), (), False)
    assert band.columns[0] == Column("her2", (), (1, 4 * M, 6 * M, UNBOUNDED + 1), True)


def test_decide_at_the_thresholds(band: Table) -> None:
    told = [row(band, value, "dual") for value in (1, 4 * M - 1, 4 * M, 6 * M - 1, 6 * M, UNBOUNDED, None)]
    assert told == ["B3", "B3", "B2", "B2", "B1", "B1", "B4"]
    assert {row(band, value, "other") for value in (1, 5 * M, UNBOUNDED, None)} == {"B5"}
    assert row(band, 5 * M, "single") == "B2"
    # Asked again, the same row.
    assert band.decide({"her2": 5 * M, "probe": "single"}) is band.decide({"her2": 5 * M + 1, "probe": "single"})


def test_an_answer_does_not_hang_on_what_was_asked_before() -> None:
    asked = list(itertools.product((1, 4 * M, 6 * M, None), ("dual", "single", "other")))
    first = Table.parse(BAND, WORDS)
    forwards = {key: row(first, *key) for key in asked}
    second = Table.parse(BAND, WORDS)
    assert {key: row(second, *key) for key in reversed(asked)} == forwards


def test_meeting_gives_every_row_that_a_range_touches(band: Table) -> None:
    def met(low: int, high: int, probe: str = "dual") -> list[str]:
        return [each.id for each in band.meeting({"her2": (low, high), "probe": probe})]

    assert met(4 * M, 4 * M) == ["B2"]
    assert met(4 * M - 1, 4 * M) == ["B2", "B3"]
    assert met(6 * M - 1, 6 * M) == ["B1", "B2"]
    assert met(1, UNBOUNDED) == ["B1", "B2", "B3"]
    assert met(5 * M, 5 * M, "other") == ["B5"]
    # Ends outside the domain are its ends.
    assert met(-5, 0) == ["B3"]
    assert met(UNBOUNDED + 5, UNBOUNDED + 9) == ["B1"]
    assert [each.id for each in band.meeting({"her2": None, "probe": "single"})] == ["B4"]
    assert [each.id for each in band.meeting({"her2": 7 * M, "probe": "single"})] == ["B1"]


def test_cuts_cells_and_sizes(band: Table) -> None:
    assert band.cuts("her2") == (4 * M, 6 * M)
    assert [column.size for column in band.columns] == [4, 3]
    assert band.columns[0].cells() == [
        "[1..4000000)", "[4000000..6000000)", f"[6000000..{UNBOUNDED + 1})", "missing",
    ]  # fmt: skip
    assert band.columns[1].cells() == ["dual", "single", "other"]
    every = list(band.every_cell())
    assert len(every) == 12
    assert every[0] == {"her2": 1, "probe": "dual"}
    assert every[-1] == {"her2": None, "probe": "other"}
    assert len({tuple(cell.items()) for cell in every}) == 12
    assert [band.decide(cell).id for cell in every if cell["probe"] == "dual"] == ["B3", "B2", "B1", "B4"]


def test_numbers_and_key(band: Table) -> None:
    assert band.numbers == 1
    assert band.key({"probe": "dual", "her2": 5, "more": 1}) == (5, "dual")


def test_the_document_holds_all(band: Table) -> None:
    assert band.document() == {
        "name": "band",
        "title": "Copies, a figure: with a colon",
        "place": "figure 2",
        "inputs": ["her2", "probe"],
        "outputs": ["band", "flags"],
        "cross": None,
        "rows": [
            {"id": one, "when": {"her2": her2, "probe": probe}, "then": {"band": said, "flags": flags}, "place": place,
             "impossible": never}
            for one, her2, probe, said, flags, place, never in [
                ("B1", ">= 6.0", "dual, single", "high", ("F1", "F2"), "figure 2, right", False),
                ("B2", "[4.0..6.0)", "dual, single", "mid", (), "figure 2", False),
                ("B3", "< 4.0", "dual, single", "low", (), "figure 2, left", False),
                ("B4", "missing", "dual, single", None, ("F9",), "figure 2", True),
                ("B5", "-", "other", "none", ("F1",), "elsewhere", False),
            ]
        ],
    }  # fmt: skip


CHANGES: dict[str, tuple[str, str]] = {
    "name": ("table band", "table bend"),
    "title": ("Copies,", "Copies;"),
    "place": ("place: figure 2\n", "place: figure 3\n"),
    "input name": ("her2", "her3"),
    "threshold": ("6.0", "6.1"),
    "threshold as written": ("6.0", "6.00"),
    "output word": ("mid", "middle"),
    "flag": ("F1, F2     |", "F2, F1     |"),
    "flag gone": ("F9         |", "-          |"),
    "row place": ("figure 2, left", "figure 2, at left"),
    "row id": ("B5", "B6"),
    "impossible": ("B4!", "B4"),
    "output name": ("flags", "codes"),
}


@pytest.mark.parametrize("what", CHANGES)
def test_any_change_changes_the_digest(what: str, band: Table) -> None:
    old, new = CHANGES[what]
    changed = Table.parse(BAND.replace(old, new), WORDS | {"codes": WORDS["flags"]})
    assert changed.digest != band.digest


def test_the_digest_is_of_the_content_alone(band: Table) -> None:
    spaced = BAND.replace(" | ", "   |  ").replace("\n", "\n\n")
    assert Table.parse(spaced, WORDS).digest == band.digest
    assert len(band.digest) == 64
    # Typed here: a digest that changes between releases without a change of the table breaks stored answers.
    assert Table.parse(CROSS).digest == "0878ae43b541ebd85bc554fdee89cc88c6fce0b7162bef1e120115678c4add2c"


def test_ids_end_as_written_and_lists_are_spelt_alike() -> None:
    text = "table t: T\nplace: p\nin n: a, b, c\nout o: x, y\nset two: b,c\nrow | n || o\nAX! | a || x\nBX | two || y\n"
    table = Table.parse(text)
    assert [(row.id, row.impossible) for row in table.rows] == [("AX", True), ("BX", False)]
    assert table.rows[1].conditions == (("n", "b, c"),)
    joined = Table.parse(text.replace("| two |", "| b,c |"))
    assert joined.rows[1].conditions == (("n", "b, c"),)
    with pytest.raises(TableError, match="t row BX: the id is used twice"):
        Table.parse(text.replace("AX!", "BX!"))


CROSS = r"""
table figure: As the figure
place: figure 3
in down: 1, 2, 3
in across: 0, 1+, 2+
out outcome: yes, no, ask
cross down \ across | 0, 1+ | 2+
1, 2                | yes   | no
3                   | no    | ask
"""


def test_a_figure() -> None:
    figure = Table.parse(CROSS)
    assert figure.down_across == ("down", "across")
    assert figure.document()["cross"] == ["down", "across"]
    assert [each.id for each in figure.rows] == [
        "figure[1 2, 0 1+]", "figure[1 2, 2+]", "figure[3, 0 1+]", "figure[3, 2+]",
    ]  # fmt: skip
    said = {(down, across): figure.decide({"down": down, "across": across})["outcome"]
            for down in "123" for across in ("0", "1+", "2+")}  # fmt: skip
    assert said == {
        ("1", "0"): "yes", ("1", "1+"): "yes", ("1", "2+"): "no", ("2", "0"): "yes", ("2", "1+"): "yes",
        ("2", "2+"): "no", ("3", "0"): "no", ("3", "1+"): "no", ("3", "2+"): "ask",
    }  # fmt: skip
    assert {each.place for each in figure.rows} == {"figure 3"}
    assert not any(each.impossible for each in figure.rows)
    assert figure.rows[0].conditions == (("down", "1, 2"), ("across", "0, 1+"))


# Every form of a condition over [0..100] with missing, and what it holds for.
AT: list[int | None] = [0, 1, 10 * M - 1, 10 * M, 10 * M + 1, 20 * M - 1, 20 * M, 20 * M + 1, 100 * M, None]
FORMS: dict[str, str] = {
    "-": "yyyyyyyyyy",
    "< 10": "yyynnnnnnn",
    "<= 10": "yyyynnnnnn",
    "> 10": "nnnnyyyyyn",
    ">= 10": "nnnyyyyyyn",
    "10": "nnnynnnnnn",
    "= 10": "nnnynnnnnn",
    "[10..20]": "nnnyyyynnn",
    "[10..20)": "nnnyyynnnn",
    "(10..20]": "nnnnyyynnn",
    "(10..20)": "nnnnyynnnn",
    "[10..]": "nnnyyyyyyn",
    "(10..)": "nnnnyyyyyn",
    "[0..10]": "yyyynnnnnn",
    "(0..10]": "nyyynnnnnn",
    "missing": "nnnnnnnnny",
    "< 10, missing": "yyynnnnnny",
    "< 10,>20,missing": "yyynnnnyyy",
    "> 0": "nyyyyyyyyn",
    "= 0, missing": "ynnnnnnnny",
    "10.0": "nnnynnnnnn",
    "< 10.000001": "yyyynnnnnn",
    ">= 0": "yyyyyyyyyn",
    "<= 100": "yyyyyyyyyn",
}


# The ranges between and at the values of AT, of which row B takes what row A leaves.
PIECES = [
    "= 0", "(0..9.999999)", "= 9.999999", "= 10", "= 10.000001", "(10.000001..20)", "= 20", "= 20.000001",
    "(20.000001..100]", "missing",
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_condition(form: str) -> None:
    rest = ", ".join(piece for piece, told in zip(PIECES, FORMS[form], strict=True) if told == "n")
    text = f"table t: T\nplace: p\nin n: [0..100], missing\nout o: a, b\nrow | n || o\nA | {form} || a\n"
    table = Table.parse(text + (f"B | {rest} || b\n" if rest else ""))
    assert "".join("y" if table.decide({"n": at}).id == "A" else "n" for at in AT) == FORMS[form]


def test_a_table_is_not_changed_by_asking(band: Table) -> None:
    before: dict[str, Any] = band.document()
    list(band.every_cell())
    band.meeting({"her2": (1, 9 * M), "probe": "dual"})
    assert band.document() == before
    assert replace(band, title="another").digest != band.digest


def test_a_range_reaches_the_last_number_of_a_domain_also_where_it_stands_alone() -> None:
    share = Table.parse("""
table share: A share
place: here
in share: [0..100]
out word: all, some
row | share  || word
S1  | >= 100 || all
S2  | < 100  || some
""")
    assert [each.id for each in share.meeting({"share": (99 * M, 200 * M)})] == ["S1", "S2"]
    assert [each.id for each in share.meeting({"share": (100 * M, 200 * M)})] == ["S1"]
    assert [each.id for each in share.meeting({"share": (0, 100 * M - 1)})] == ["S2"]
