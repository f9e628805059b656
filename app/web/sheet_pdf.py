"""Sheets as a PDF: A4, one page for each sheet, letters that know every sign (DejaVu Sans)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import segno
from fpdf import FPDF

from app.services.sheets import Sheet
from app.web.catalogue import say
from app.web.sheet_view import SheetView, sheet_view

_MARGIN, _WIDTH, _QR = 12.0, 186.0, 24.0
_SIZES = (9.0, 8.5, 8.0, 7.5, 7.0, 6.5)
_HIGH = 0.42  # mm of a line for each point of its letters


def sheets_pdf(sheets: Sequence[Sheet]) -> bytes:
    """The sheets in the order given, one A4 page each, as one PDF."""
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
    for size in _SIZES:
        with pdf.offset_rendering() as trial:
            _draw(trial, view, size, len(view.considerations))
        if not trial.page_break_triggered:
            return _draw(pdf, view, size, len(view.considerations))
    for shown in range(len(view.considerations) - 1, -1, -1):
        with pdf.offset_rendering() as trial:
            _draw(trial, view, _SIZES[-1], shown)
        if not trial.page_break_triggered:
            break
    _draw(pdf, view, _SIZES[-1], shown)


def _draw(pdf: FPDF, view: SheetView, size: float, shown: int) -> None: ...
