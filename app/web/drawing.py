"""Draw a plot as SVG text with matplotlib: no pyplot, no state kept, the same bytes for the same plot.

Everything is placed in inches from the top, so that the rows of text and the marks beside them share one scale.
"""

from __future__ import annotations

import html
import io
import textwrap
import threading
from collections.abc import Iterable

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from app.web.plots import FOREST, NO_EFFECT, Mark, Plot

# Settings of matplotlib are one for the process, and its fonts are not made for threads: one picture at a time.
_LOCK = threading.Lock()
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}

_MARGIN, _LINE, _GAP, _AXIS = 0.3, 0.17, 0.26, 0.45
_ABOUT, _GROUP, _CHART, _PRINTED = 4.6, 2.5, 3.7, 3.3
_SIZE, _TITLE = 9.0, 13.0
# A line of this many characters of the font fills an inch at most, unless it is all capitals.
_PER_INCH = 13.2
_INK, _FAINT, _MARK = "#1a1a1a", "#5a5a5a", "#1f4e79"
_TICKS = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_BAR = 0.16


class _Sheet:
    """A picture that grows downwards: texts and marks are kept until its height is known."""

    def __init__(self, groups: bool) -> None:
        self.group = _MARGIN + _ABOUT
        self.chart = self.group + (_GROUP if groups else 0)
        self.printed = self.chart + _CHART + 0.25
        self.width = self.printed + _PRINTED + _MARGIN
        self.y = _MARGIN
        self.texts: list[tuple[float, float, str, str | None, dict[str, object]]] = []

    def write(self, x: float, y: float, text: str, gid: str | None = None, **style: object) -> None:
        self.texts.append((x, y, text, gid, style))

    def block(
        self, x: float, y: float, width: float, paragraphs: Iterable[str], gid: str | None = None, **style: object
    ) -> float:
        """Paragraphs wrapped to a width in inches; gives where the next line begins."""
        for paragraph in paragraphs:
            for line in textwrap.wrap(paragraph, int(width * _PER_INCH), break_on_hyphens=False):
                self.write(x, y, line, gid, **style)
                y += _LINE
        return y


def svg(plot: Plot) -> str:
    """The plot as SVG with role, title and description."""
    with _LOCK, matplotlib.rc_context():
        drawn = figure(plot)
        out = io.StringIO()
        drawn.savefig(out, format="svg", metadata=_NO_METADATA)
    text = out.getvalue()
    # Without XML declaration and document type: the type names an address, and a page can hold the element itself.
    opening, _, rest = text[text.index("<svg") :].partition(">")
    ids = f"{plot.name}-title", f"{plot.name}-desc"
    told = f'<title id="{ids[0]}">{html.escape(plot.title)}</title>\n'
    told += f'<desc id="{ids[1]}">{html.escape(plot.text_alternative)}</desc>'
    return f'{opening} role="img" aria-labelledby="{ids[0]}" aria-describedby="{ids[1]}">\n{told}{rest}'


def figure(plot: Plot) -> Figure:
    """The plot as a figure. Changes matplotlib's settings: call it inside rc_context."""
    matplotlib.rcdefaults()
    matplotlib.rc("svg", fonttype="none", hashsalt="herald")
    # The font that comes with matplotlib, so that lines are measured alike everywhere; a viewer may have another.
    matplotlib.rc("font", **{"family": ["sans-serif"], "sans-serif": ["DejaVu Sans"]})
    matplotlib.rc("text", parse_math=False)
    sheet = _Sheet(any(mark.group for row in plot.rows for mark in row.marks))
    whole = sheet.width - 2 * _MARGIN
    sheet.write(_MARGIN, sheet.y + 0.08, plot.title, fontsize=_TITLE, fontweight="bold")
    sheet.y = sheet.block(_MARGIN, sheet.y + 0.4, whole, [plot.source, plot.how], color=_FAINT) + _AXIS
    top = sheet.y - 0.12
    marks = _rows(sheet, plot)
    bottom = sheet.y - _GAP / 2
    sheet.y = bottom + _AXIS + 0.35
    notes = [f"[{number}] {note}" for number, note in enumerate(plot.notes, 1)]
    sheet.y = sheet.block(_MARGIN, sheet.y, whole, notes) + (_LINE / 2 if notes else 0)
    height = sheet.block(_MARGIN, sheet.y, whole, plot.cautions, color=_FAINT) + _MARGIN

    drawn = Figure(figsize=(sheet.width, height))
    box = (sheet.chart / sheet.width, 1 - bottom / height, _CHART / sheet.width, (bottom - top) / height)
    axes = drawn.add_axes(box)
    axes.set_ylim(bottom, top)
    axes.set_yticks([])
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.tick_params(labelsize=_SIZE)
    (_forest if plot.kind == FOREST else _bars)(axes, marks, top)
    for x, y, text, gid, style in sheet.texts:
        style = {"fontsize": _SIZE, "color": _INK, "va": "center", **style}
        drawn.text(x / sheet.width, 1 - y / height, text, gid=gid, **style)  # type: ignore[arg-type]
    return drawn


def _rows(sheet: _Sheet, plot: Plot) -> list[tuple[float, str, Mark]]:
    """Write each row's texts and give its marks with their heights."""
    marks = []
    bearing = ""
    for row in plot.rows:
        if row.bearing != bearing:
            bearing = row.bearing
            sheet.y = sheet.block(_MARGIN, sheet.y, _ABOUT, [bearing], color=_MARK, fontsize=_SIZE + 1) + 0.08
        begin = sheet.y
        stars = " * " + " ".join(f"[{note}]" for note in row.notes) if row.notes else ""
        left = sheet.block(_MARGIN, begin, _ABOUT * 0.9, [row.citation + stars], f"row-{row.id}", fontweight="bold")
        left = sheet.block(_MARGIN, left, _ABOUT, row.about)
        left = sheet.block(_MARGIN, left, _ABOUT, [row.statement.id], color=_FAINT)
        right = begin
        for number, mark in enumerate(row.marks, 1):
            marks.append((right, f"mark-{row.id}-{number}", mark))
            named = sheet.block(sheet.group, right, _GROUP - 0.1, [mark.group])
            told = sheet.block(sheet.printed, right, _PRINTED, [mark.printed], f"printed-{row.id}-{number}")
            right = max(named, told, right + 0.2) + 0.06
        right = sheet.block(sheet.printed, right, _PRINTED, row.said, f"said-{row.id}")
        sheet.y = max(left, right) + _GAP
    return marks


def _forest(axes: Axes, marks: list[tuple[float, str, Mark]], top: float) -> None:
    ends = [float(n) for _, _, mark in marks for n in (*mark.values, *(mark.interval or ())) if n > 0]
    low, high = min([*ends, 0.6]) / 1.25, max([*ends, 1.6]) * 1.25
    axes.set_xscale("log")
    axes.set_xlim(low, high)
    ticks = [tick for tick in _TICKS if low <= tick <= high]
    axes.set_xticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.axvline(1, color=_FAINT, linewidth=1, linestyle=(0, (4, 3)), zorder=1)
    axes.text(1, top - 0.12, NO_EFFECT, ha="center", va="center", fontsize=_SIZE, color=_FAINT)
    axes.set_xlabel("ratio as printed, logarithmic axis", fontsize=_SIZE)
    for y, gid, mark in marks:
        across = [float(n) for n in mark.interval or mark.values]
        # An interval printed from 0 has no place on a logarithmic axis: it is drawn to the edge.
        across = [max(n, low) for n in across]
        if mark.interval is not None:
            axes.plot(across, [y, y], color=_MARK, linewidth=1.6, marker="|", markersize=8, gid=f"{gid}-interval")
        elif len(across) > 1:
            axes.plot(across, [y, y], color=_MARK, linewidth=1, linestyle=":")
        face = "white" if mark.hollow else _MARK
        points = [max(float(n), low) for n in mark.values]
        axes.plot(
            points, [y] * len(points), "o", markersize=7, markerfacecolor=face, markeredgecolor=_MARK,
            markeredgewidth=1.5, linestyle="none", gid=gid, zorder=3,
        )  # fmt: skip


def _bars(axes: Axes, marks: list[tuple[float, str, Mark]], top: float) -> None:
    axes.set_xlim(0, max([100.0, *(float(n) for _, _, mark in marks for n in mark.values)]))
    axes.set_xlabel("% as printed", fontsize=_SIZE)
    axes.xaxis.grid(visible=True, color="#e4e4e4", zorder=0)
    axes.set_axisbelow(True)
    for y, gid, mark in marks:
        (bar,) = axes.barh([y], [float(mark.values[-1])], height=_BAR, color=_MARK)
        bar.set_gid(gid)
