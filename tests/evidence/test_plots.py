"""Pictures of the pack: each printed figure once, as printed, with what belongs to it, and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import xml.etree.ElementTree as ET
from dataclasses import replace
from decimal import Decimal
from itertools import combinations
from types import MappingProxyType

import matplotlib
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.text import Text

from app.domain.evidence import RATIO_MEASURES, Arm, Effect, Pack
from app.evidence.library import load_pack
from app.web import drawing
from app.web.plots import BARS, FOREST, NO_EFFECT, NO_INTERVAL, Plot, plots_of
from tests.evidence.small import small_pack

PACK = load_pack()
PLOTS = plots_of(PACK)
EACH = [pytest.param(plot, id=name) for name, plot in PLOTS.items()]
_SVG = "{http://www.w3.org/2000/svg}"
_SIGNS = r"\d+(?:\.\d+)?"


def _parsed(plot: Plot) -> ET.Element:
    return ET.fromstring(plot.svg())


def _texts(plot: Plot, prefix: str) -> list[str]:
    """The text of every group of the picture whose id begins so, in the order drawn."""
    groups = [each for each in _parsed(plot).iter(f"{_SVG}g") if each.get("id", "").startswith(prefix)]
    return ["".join(group.itertext()).strip() for group in groups]


def _effects(pack: Pack) -> list[tuple[str, str, Effect]]:
    return [
        (statement.setting, f"{statement.id}-{count}", effect)
        for statement in pack.statements.values()
        for count, effect in enumerate(statement.effects, 1)
    ]


def _figures(effect: Effect) -> list[Decimal]:
    """The numbers of an effect that stand beside its marks."""
    return [
        *([effect.value] if effect.value is not None else []),
        *(effect.span or ()),
        *(effect.ci95 or ()),
        *(arm.value for arm in effect.arms),
    ]


def test_every_ratio_stands_in_the_forest_plot_of_its_setting_and_in_no_other_with_its_digits() -> None:
    ratios = [each for each in _effects(PACK) if each[2].measure in RATIO_MEASURES]
    assert ratios
    for setting, id_, effect in ratios:
        drawn = [name for name, plot in PLOTS.items() if any(row.id == id_ for row in plot.rows)]
        assert drawn == [f"ratios-{setting}"], id_
        plot = PLOTS[drawn[0]]
        assert plot.kind == FOREST
        printed = " ".join(_texts(plot, f"printed-{id_}-"))
        assert set(map("{:f}".format, _figures(effect))) <= set(re.findall(_SIGNS, printed)), id_
        assert (NO_INTERVAL in printed) is (effect.ci95 is None), id_
        said = " ".join(_texts(plot, f"said-{id_}"))
        for test in filter(None, (effect.p, effect.p_heterogeneity, effect.p_interaction)):
            assert str(test) in said


@pytest.mark.parametrize("plot", EACH)
def test_nothing_stands_beside_a_mark_but_what_the_pack_has_printed(plot: Plot) -> None:
    effects = {id_: effect for _, id_, effect in _effects(PACK)}
    for row in plot.rows:
        effect = effects[row.id]
        known = {f"{number:f}" for number in effect.numbers()}
        for text in (*_texts(plot, f"printed-{row.id}-"), *_texts(plot, f"said-{row.id}")):
            for reading in effect.readings():
                text = text.replace(reading, "")
            assert set(re.findall(_SIGNS, text)) <= known, text
        assert [mark.values for mark in row.marks] == (
            [(arm.value,) for arm in effect.arms] or [effect.span or (effect.value,)]
        )
        assert [mark.interval for mark in row.marks] == [effect.ci95] * len(row.marks)


def test_what_is_drawn_by_her2_status_names_it() -> None:
    for plot in PLOTS.values():
        for row in plot.rows if plot.kind == BARS else ():
            assert len(row.statement.population.her2) > 1
            assert "HER2" in " ".join(mark.group for mark in row.marks)


def test_no_effect_is_drawn_twice() -> None:
    drawn = [row.id for plot in PLOTS.values() for row in plot.rows]
    assert len(set(drawn)) == len(drawn)


@pytest.mark.parametrize("plot", EACH)
def test_prognosis_stands_apart_from_prediction_and_else_the_source_s_order_holds(plot: Plot) -> None:
    order = [id_ for _, id_, _ in _effects(PACK)]
    bearings = [row.statement.bears_on for row in plot.rows]
    assert bearings == sorted(bearings, key=list(dict.fromkeys(bearings)).index)
    for bearing in set(bearings):
        places = [order.index(row.id) for row in plot.rows if row.statement.bears_on == bearing]
        assert places == sorted(places)


@pytest.mark.parametrize("plot", EACH)
def test_the_text_alternative_holds_every_row_with_what_belongs_to_it(plot: Plot) -> None:
    for row in plot.rows:
        statement = row.statement
        (told,) = [
            part
            for part in plot.text_alternative.split("\n\n")
            if f"(statement {statement.id})" in part and all(mark.printed in part for mark in row.marks)
        ]
        starred = f"{row.citation} *" in told
        assert starred is bool(row.notes)
        for line in (*row.about, *row.said, *(mark.group for mark in row.marks), statement.population.text):
            assert line in told
        for caveat in (*statement.caveats, statement.note_ours, statement.note_outside):
            assert caveat is None or (caveat in told and starred), (statement.id, caveat)
        for id_ in statement.contradicts:
            for said in (id_, PACK.statements[id_].summary, *PACK.statements[id_].caveats):
                assert said in told
    assert PACK.general_caution in plot.text_alternative
    assert PACK.dated in plot.text_alternative


@pytest.mark.parametrize("plot", EACH)
def test_a_picture_is_whole_and_names_and_describes_itself(plot: Plot) -> None:
    svg = _parsed(plot)
    title, described = list(svg)[:2]
    assert (svg.tag, svg.get("role")) == (f"{_SVG}svg", "img")
    assert (title.tag, title.text) == (f"{_SVG}title", plot.title)
    assert (described.tag, described.text) == (f"{_SVG}desc", plot.text_alternative)
    assert [svg.get("aria-labelledby"), svg.get("aria-describedby")] == [title.get("id"), described.get("id")]
    shown = " ".join(" ".join(each.itertext()) for each in svg.iter(f"{_SVG}text"))
    for row in plot.rows:
        assert f"{row.citation} *" in " ".join(_texts(plot, f"row-{row.id}")) or not row.notes
        assert row.statement.id in shown
    for note in (*plot.notes, *plot.cautions):
        assert note in shown
    assert (NO_EFFECT in shown) is (plot.kind == FOREST or NO_EFFECT in "".join(plot.notes))


@pytest.mark.parametrize("plot", EACH)
def test_a_picture_asks_nothing_of_another_host(plot: Plot) -> None:
    text = plot.svg()
    assert not re.findall(r"""(?:href|src)=["'](?!#)""", text)
    assert "<!DOCTYPE" not in text and "<script" not in text


def _inside(box: tuple[float, ...], size: tuple[float, float]) -> bool:
    left, bottom, right, top = box
    return min(left, bottom) >= 0 and right <= size[0] and top <= size[1]


def _extents(plot: Plot) -> tuple[list[tuple[str, tuple[float, ...]]], tuple[float, float]]:
    """Where each text lies, in pixels, and how large the picture is."""
    with matplotlib.rc_context():
        figure = drawing.figure(plot)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        boxes = [
            (text.get_text(), text.get_window_extent(canvas.get_renderer()).extents)
            for text in figure.findobj(Text)
            if text.get_visible() and text.get_text()
        ]
        return boxes, (figure.bbox.width, figure.bbox.height)


@pytest.mark.parametrize("plot", EACH)
def test_no_text_is_clipped_and_none_lies_on_another(plot: Plot) -> None:
    boxes, size = _extents(plot)
    for text, box in boxes:
        assert _inside(box, size), text
    for (one, a), (other, b) in combinations(boxes, 2):
        # Half a pixel: a letter's box is wider than its ink.
        apart = a[2] <= b[0] + 0.5 or b[2] <= a[0] + 0.5 or a[3] <= b[1] + 0.5 or b[3] <= a[1] + 0.5
        assert apart, (one, other)


def _with(effect: Effect, **parts: object) -> Pack:
    """The small pack with another effect in its first statement."""
    pack = small_pack()
    statement = replace(pack.statements["first-failure"], effects=(effect,), **parts)  # type: ignore[arg-type]
    return replace(pack, statements=MappingProxyType({**pack.statements, statement.id: statement}))


HARD = [
    Effect("hazard ratio", "death", span=(Decimal("0.50"), Decimal("2.0")), qualifier="about"),
    Effect("hazard ratio", "death", "one against other", Decimal("0.30"), ci95=(Decimal("0.00"), Decimal("40"))),
    Effect("hazard ratio", "death <& $x$", arms=(Arm("a long name of a group " * 4, Decimal("9.0"), 12),) * 3),
    Effect("relative risk", "failure of the treatment " * 6, "everybody against nobody " * 6, Decimal("12.50")),
]


@pytest.mark.parametrize("effect", HARD)
def test_hard_figures_are_drawn_as_printed(effect: Effect) -> None:
    plot = plots_of(_with(effect, study="A_STUDY-" + "X" * 90))["ratios-metastatic"]
    printed = " ".join(_texts(plot, "printed-"))
    assert set(map("{:f}".format, _figures(effect))) <= set(re.findall(_SIGNS, printed))
    boxes, size = _extents(plot)
    assert all(_inside(box, size) for _, box in boxes)


def test_a_pack_without_such_figures_has_no_pictures() -> None:
    assert plots_of(_with(Effect("duration", "survival", value=Decimal(3), unit="months"))) == {}


def test_the_same_pack_gives_the_same_bytes_in_any_process() -> None:
    program = (
        "from app.services.evidence import evidence_pack; from app.web.plots import plots_of; import sys;"
        "sys.stdout.write(''.join(plot.svg() for plot in reversed(plots_of(evidence_pack()).values())))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert told.stdout == "".join(plot.svg() for plot in reversed(PLOTS.values()))


def test_drawing_leaves_the_settings_of_the_process_alone() -> None:
    before = dict(matplotlib.rcParams)
    drawing.svg(next(iter(PLOTS.values())))
    assert dict(matplotlib.rcParams) == before


def test_the_charting_library_is_not_imported_by_a_service_that_draws_nothing() -> None:
    program = (
        "import sys; from app.main import create_app; from app.services.assessment import assess; create_app();"
        "assess({'ihc': '3+'}); sys.exit('matplotlib' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_has_become_of_a_cited_work_is_told_beside_its_picture() -> None:
    pack = load_pack()
    cited = "De Laurentiis et al. 2005"
    work = replace(pack.references[cited], standing="retracted", standing_date="2026", standing_source="an example")
    other = replace(pack, references={**pack.references, cited: work})
    told = plots_of(other)["ratios-metastatic"].text_alternative
    assert f"{cited} has been retracted (2026; an example)." in told
    assert "retracted" not in plots_of(pack)["ratios-metastatic"].text_alternative
