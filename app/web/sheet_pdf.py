"""Sheets as a PDF: A4, one page for each sheet, letters that know every sign (DejaVu Sans)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal, cast

import segno

from app.services.sheets import Sheet
from app.web.catalogue import say
from app.web.sheet_view import SheetView, sheet_view

if TYPE_CHECKING:
    from fpdf import FPDF

_MARGIN, _WIDTH, _QR = 12.0, 186.0, 24.0
_SIZES = (9.0, 8.5, 8.0, 7.5, 7.0, 6.5)
_HIGH = 0.42  # mm of a line for each point of its letters


def sheets_pdf(sheets: Sequence[Sheet]) -> bytes:
    """The sheets in the order given, one A4 page each, as one PDF."""
    # Late: it takes a second to import, which only who prints should pay.
    from fpdf import FPDF

    pdf = FPDF(format="A4")
    pdf.set_margins(_MARGIN, _MARGIN)
    pdf.set_auto_page_break(True, _MARGIN)
    for style, name in (("", "DejaVuSans.ttf"), ("B", "DejaVuSans-Bold.ttf")):
        pdf.add_font("DejaVu", style, _fonts() / name)
    pdf.set_title(say("sheet.heading"))
    pdf.set_lang("en")
    for sheet in sheets:
        _page(pdf, sheet_view(sheet))
    return bytes(pdf.output())


@lru_cache(maxsize=1)
def _fonts() -> Path:
    # Found without importing the charting library, which takes a second.
    spec = find_spec("matplotlib")
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


def _page(pdf: FPDF, view: SheetView) -> None:
    """One sheet on one page: the largest letters with which it fits; else fewer considerations, which it says."""
    pdf.add_page()
    every = len(view.considerations)
    tries = [(size, every) for size in _SIZES] + [(_SIZES[-1], shown) for shown in range(every - 1, -1, -1)]
    size, shown = next((each for each in tries if _fits(pdf, view, *each)), tries[-1])
    _draw(pdf, view, size, shown)


def _fits(pdf: FPDF, view: SheetView, size: float, shown: int) -> bool:
    with pdf.offset_rendering() as trial:
        _draw(cast("FPDF", trial), view, size, shown)
    return not trial.page_break_triggered


def _draw(pdf: FPDF, view: SheetView, size: float, shown: int) -> None:
    """A sheet from the top of the page. shown: how many of its considerations."""
    beside = _WIDTH - _QR - 4 if view.link else _WIDTH
    if view.link:
        _qr(pdf, view.link)
    if view.superseded:
        _write(pdf, view.superseded, size + 1, beside, bold=True, border=1)
    _write(pdf, f"{view.heading}. {view.as_of}", size, beside)
    _write(pdf, view.status, size + 6, beside, bold=True)
    _write(pdf, "; ".join(each for each in (view.finality, view.confirmation) if each), size + 1, beside, bold=True)
    _write(pdf, _pairs(view.facts), size, beside)
    # What follows stands below the code too.
    pdf.set_y(max(pdf.get_y(), _MARGIN + _QR + 1 if view.link else 0))
    _part(pdf, "values", [_pairs(view.values)] if view.values else [], size)
    _part(pdf, "path", [view.path] if view.path else [], size)
    _part(pdf, "steps", view.steps or [say("sheet.no_steps")], size)
    _part(pdf, "notes", view.notes, size)
    if view.considerations or view.silence:
        _part(pdf, "considerations", [view.silence] if view.silence else [], size, always=True)
    for each in view.considerations[:shown]:
        pdf.ln(0.6)
        _write(pdf, f"{each.title} ({each.certainty})", size, bold=True)
        _write(pdf, each.supporting, size)
        _write(pdf, each.opposing, size)
    if left := len(view.considerations) - shown:
        _write(pdf, say("sheet.further", count=left), size, bold=True)
    for told in view.cautions:
        _write(pdf, told, size - 1)
    _part(pdf, "versions", view.versions, size - 1)
    asked = view.code and say("sheet.code", link=view.link, code=view.code)
    _write(pdf, asked or say("sheet.no_code"), size)
    _write(pdf, say("sheet.limits"), size)


def _part(pdf: FPDF, name: str, lines: Sequence[str], size: float, *, always: bool = False) -> None:
    """A heading with its lines; nothing where there are none, unless the heading is asked for."""
    if lines or always:
        pdf.ln(1)
        _write(pdf, say(f"sheet.{name}"), size + 1, bold=True)
    for line in lines:
        _write(pdf, line, size)


def _write(
    pdf: FPDF, text: str, size: float, width: float = _WIDTH, *, bold: bool = False, border: Literal[0, 1] = 0
) -> None:
    if text:
        pdf.set_font("DejaVu", "B" if bold else "", size)
        pdf.multi_cell(width, size * _HIGH, text, border=border, align="L", new_x="LMARGIN", new_y="NEXT")


def _pairs(pairs: Sequence[tuple[str, str]]) -> str:
    return " · ".join(f"{name}: {value}" for name, value in pairs)


def _qr(pdf: FPDF, link: str) -> None:
    """The link as a QR code in the upper right corner."""
    rows = tuple(segno.make(link, error="m", micro=False).matrix_iter(border=2))
    dot = _QR / len(rows)
    left = _MARGIN + _WIDTH - _QR
    pdf.set_fill_color(0)
    for down, row in enumerate(rows):
        for across, dark in enumerate(row):
            if dark:
                pdf.rect(left + across * dot, _MARGIN + down * dot, dot, dot, style="F")
