"""Printed sheets, on both databases: one code a version for ever, and what a code says after the case went on."""

from __future__ import annotations

import re
import threading
import zlib
from collections.abc import Iterator
from typing import Any

import pytest

from app.records.store import Store
from app.services import acts, sheets
from app.services.errors import Refusal
from app.services.reporting import Context, report
from app.web.sheet_pdf import sheets_pdf
from app.web.sheet_view import sheet_view

PERSON = {"name": "Dr Ä. Reader", "role": "pathologist", "reason": "score typed wrong"}
SPECIMEN = {"accession": "S26-1", "block": "A1", "kind": "primary", "collected_at": "2026-11-02"}
CASE = {"patient": "P-secret", "laboratory": "Nörd ≥ 1", "specimen": SPECIMEN}
MARKERS = ("pam50_luminal", "erbb2_mutation", "pik3ca_mutation", "esr1_high", "aib1_high", "pam50_her2_enriched")
MOST = {"er": "positive", "pgr": "positive", "setting": "adjuvant", "line": 1, "prior_therapies": ["trastuzumab"]}


@pytest.fixture
def context(store: Store) -> Iterator[Context]:
    yield Context(store, "north")
    assert store.verify_audit("north").sound


def _reported(where: Context, **parts: Any) -> str:
    return str(report(where, {**CASE, "ihc": "2+", **parts}, None).result_id)


def _amended(context: Context, result_id: str) -> None:
    acts.amend(context, result_id, {**PERSON, "changes": {"ihc": "3+"}}, None, None)


def test_a_version_has_one_code_and_the_next_version_another(context: Context) -> None:
    result_id = _reported(context)
    assert sheets.sheet_of(context, result_id).code is None
    first = sheets.make_sheet(context, result_id)
    assert sheets.make_sheet(context, result_id) == first
    assert sheets.sheet_of(context, result_id).code == first
    _amended(context, result_id)
    assert sheets.sheet_of(context, result_id).code is None
    second = sheets.make_sheet(context, result_id)
    assert second != first
    assert sheets.sheet_of(context, result_id, number=1).code == first


def test_a_code_asked_for_at_once_from_many_sides_is_one(context: Context) -> None:
    result_id, found = _reported(context), []
    threads = [threading.Thread(target=lambda: found.append(sheets.make_sheet(context, result_id))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4 and len(set(found)) == 1


def test_a_code_taken_by_chance_is_made_anew(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    codes = iter(["0" * 10, "0" * 10, "1" * 10])
    monkeypatch.setattr(sheets, "_random_code", lambda: next(codes))
    assert sheets.make_sheet(context, _reported(context)) == "0" * 10
    assert sheets.make_sheet(context, _reported(context, patient="P-2")) == "1" * 10


def test_a_code_has_ten_unambiguous_characters_in_two_groups(context: Context) -> None:
    code = sheets.make_sheet(context, _reported(context))
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{10}", code)
    assert sheets.shown_code(code) == f"{code[:5]}-{code[5:]}"


def test_a_code_is_read_in_any_case_and_forgives_what_is_mistaken() -> None:
    for typed in ("01ABC-DE0FG", "01abcde0fg", "olabc de0fg", " OIABC-DEOFG "):
        assert sheets.read_code(typed) == "01ABCDE0FG"
    for typed in ("", "01ABC", "01ABCDE0FGH", "01ABCDE0F!", "01ABCDE0FU"):
        assert sheets.read_code(typed) is None


def test_a_code_says_present_until_a_later_version_supersedes_it(context: Context) -> None:
    result_id = _reported(context)
    code = sheets.make_sheet(context, result_id)
    assert not sheets.find_sheet(context, code.lower()).superseded
    _amended(context, result_id)
    acts.sign_off(context, result_id, PERSON, None, None)
    found = sheets.find_sheet(context, sheets.shown_code(code))
    assert found.superseded
    assert (found.then["version"], found.now["version"], found.now["cause"]) == (1, 2, "amended")
    assert (found.then["classification"]["status"], found.now["classification"]["status"]) == ("equivocal", "positive")
    assert found.changes == [{"version": 2, "field": "ihc", "before": "2+", "after": "3+"}]
    assert [(act["kind"], act["name"]) for act in found.acts] == [("sign_off", PERSON["name"])]


def test_a_signature_after_the_printing_is_told_though_the_version_is_the_same(context: Context) -> None:
    result_id = _reported(context, ihc="3+")
    code = sheets.make_sheet(context, result_id)
    acts.sign_off(context, result_id, PERSON, None, None)
    found = sheets.find_sheet(context, code)
    assert not found.superseded and [act["kind"] for act in found.acts] == ["sign_off"]


@pytest.mark.parametrize("typed", ["00000-00000", "nothing", "\0"])
def test_an_unknown_code_is_refused(context: Context, typed: str) -> None:
    with pytest.raises(Refusal) as refused:
        sheets.find_sheet(context, typed)
    assert refused.value.kind == "not_found"


@pytest.mark.parametrize("result_id", ["01a21352-f932-7000-b6a6-fa9b29800d48", "x", "\0"])
def test_an_unknown_result_has_no_sheet(context: Context, result_id: str) -> None:
    for ask in (sheets.make_sheet, sheets.sheet_of):
        with pytest.raises(Refusal) as refused:
            ask(context, result_id)
        assert refused.value.kind == "not_found"


def test_another_organisation_does_not_know_the_code(context: Context) -> None:
    code = sheets.make_sheet(context, _reported(context))
    with pytest.raises(Refusal):
        sheets.find_sheet(Context(context.store, "south"), code)


def test_a_sheet_shows_status_values_steps_both_sides_and_versions(context: Context) -> None:
    ish = {"assay": "dual_probe", "ratio": "1.80", "her2_copies": "4.50", "cells": 40}
    result_id = _reported(context, ish=ish)
    code = sheets.make_sheet(context, result_id)
    view = sheet_view(sheets.sheet_of(context, result_id, base="https://herald.example.org"))
    assert (view.status, view.finality) == ("HER2 pending", "Not final")
    assert view.confirmation == "computed, not yet confirmed"
    values = dict(view.values)
    assert values["HER2/CEP17 ratio"].startswith("1.80 ") and values["HER2 copies per cell"].startswith("4.50 ")
    assert (values["IHC score"], values["Cells counted"], values["ISH group"]) == ("2+", "40", "4")
    assert any("second, blinded observer" in step and "due 20" in step for step in view.steps)
    assert view.link == f"https://herald.example.org/s/{code}"
    assert view.superseded is None and view.as_of.startswith("Version 1 of ")
    (weighed,) = view.considerations
    assert weighed.supporting.startswith("For (2): ") and weighed.opposing.startswith("Against: no finding. ")
    assert sum("SHA-256" in line for line in view.versions) == 3


def test_an_old_version_says_that_it_is_superseded(context: Context) -> None:
    result_id = _reported(context)
    _amended(context, result_id)
    view = sheet_view(sheets.sheet_of(context, result_id, number=1))
    assert view.superseded is not None and view.superseded.startswith("Superseded: this is version 1 ")
    assert view.superseded.endswith("the present version is 2.")
    assert view.status == "HER2 equivocal"
    assert view.superseded in _text(sheets_pdf([sheets.sheet_of(context, result_id, number=1)]))


# ---- the PDF


def _streams(pdf: bytes) -> Iterator[bytes]:
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL):
        try:
            # What is compressed may end like a line: the rest is checksum.
            yield zlib.decompressobj().decompress(stream)
        except zlib.error:
            yield stream


def _text(pdf: bytes) -> str:
    """What a reader of the PDF gets: each font's characters by its own map, the lines in order."""
    streams = list(_streams(pdf))
    maps = [
        {int(code, 16): chr(int(sign, 16)) for code, sign in re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]{4})>\n", each)}
        for each in streams
        if b"beginbfchar" in each
    ]
    lines, font = [], 0
    escapes = {b"r": b"\r", b"n": b"\n", b"t": b"\t"}
    for page in (each for each in streams if b" Tf ET" in each):
        for name, written in re.findall(rb"/F(\d) [\d.]+ Tf|\(((?:\\.|[^\\)])*)\) Tj", page, re.DOTALL):
            if name:
                font = int(name) - 1
                continue
            codes = re.sub(rb"\\(.)", lambda sign: escapes.get(sign[1], sign[1]), written, flags=re.DOTALL)
            pairs = zip(codes[::2], codes[1::2], strict=True)
            lines.append("".join(maps[font][high * 256 + low] for high, low in pairs))
    return " ".join(" ".join(lines).split())


def _pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type /Page\n", pdf))


def test_the_pdf_is_one_a4_page_with_title_language_and_the_lines_of_the_view(context: Context) -> None:
    result_id = _reported(context, ihc="3+", context={"er": "positive", "setting": "adjuvant"})
    sheets.make_sheet(context, result_id)
    sheet = sheets.sheet_of(context, result_id, base="https://herald.example.org")
    pdf, view = sheets_pdf([sheet]), sheet_view(sheet)
    assert _pages(pdf) == 1 and b"/MediaBox [0 0 595.28 841.89]" in pdf
    assert b"/Lang (en)" in pdf and b"/Title (HER2 result)" in pdf
    text = _text(pdf)
    expected = [view.status, view.confirmation, view.as_of, view.path, *view.versions, *view.cautions]
    expected += [line for each in view.considerations for line in (each.title, each.supporting, each.opposing)]
    assert len(view.considerations) > 3
    for line in (*expected, "Nörd ≥ 1", "S26-1", str(view.link), str(view.code)):
        assert line in text


def test_the_fullest_case_is_still_one_page_with_every_consideration(context: Context) -> None:
    biomarkers = dict.fromkeys((*MARKERS, "fish_ratio_low"), "positive")
    result_id = _reported(context, ihc="3+", context={**MOST, "biomarkers": biomarkers})
    sheet = sheets.sheet_of(context, result_id)
    pdf, view = sheets_pdf([sheet]), sheet_view(sheet)
    assert _pages(pdf) == 1
    text = _text(pdf)
    assert len(view.considerations) > 9 and all(each.title in text for each in view.considerations)


def test_more_considerations_than_a_page_holds_are_counted_and_not_cut_silently(context: Context) -> None:
    result_id = _reported(context, ihc="3+", context={"er": "positive", "setting": "adjuvant"})
    sheet = sheets.sheet_of(context, result_id)
    weighed = sheet.result["classification"]["considerations"]
    weighed["considerations"] *= 12
    pdf = sheets_pdf([sheet])
    assert _pages(pdf) == 1
    left = re.search(r"(\d+) further considerations are on the page of the case", _text(pdf))
    assert left is not None
    shown = _text(pdf).count("For (")
    assert int(left[1]) + shown == len(weighed["considerations"])


def test_several_sheets_are_one_document_in_the_order_given(context: Context) -> None:
    ids = [_reported(context, patient=f"P-{n}", specimen={**SPECIMEN, "accession": f"S26-{n}"}) for n in (1, 2, 3)]
    pdf = sheets_pdf([sheets.sheet_of(context, each) for each in reversed(ids)])
    text = _text(pdf)
    assert _pages(pdf) == 3
    assert text.index("S26-3") < text.index("S26-2") < text.index("S26-1")


def test_a_sheet_names_no_patient(context: Context) -> None:
    result_id = _reported(context)
    assert "P-secret" not in _text(sheets_pdf([sheets.sheet_of(context, result_id)]))
