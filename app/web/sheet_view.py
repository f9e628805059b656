"""What stands on a printed sheet: the same lines for the page, its print and the PDF."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import segno

from app.services import decision
from app.services.sheets import Sheet, shown_code
from app.web.catalogue import moment, say

_VALUES = ("her2_signals", "cep17_signals")


@dataclass(frozen=True, slots=True)
class Weighed:
    """A consideration in short: its title, its certainty, and one line for each side."""

    title: str
    certainty: str
    supporting: str
    opposing: str


@dataclass(frozen=True, slots=True)
class SheetView:
    """A sheet in words. facts, values: pairs of name and value; link: what the QR code says, None without a code."""

    heading: str
    superseded: str | None
    status: str
    finality: str
    confirmation: str
    facts: tuple[tuple[str, str], ...]
    values: tuple[tuple[str, str], ...]
    path: str
    steps: tuple[str, ...]
    notes: tuple[str, ...]
    considerations: tuple[Weighed, ...]
    silence: str | None
    cautions: tuple[str, ...]
    versions: tuple[str, ...]
    as_of: str
    code: str | None
    link: str | None

    @property
    def dense(self) -> bool:
        """Is there so much that the page needs its smaller letters?"""
        return len(self.considerations) > 5

    def qr(self) -> str | None:
        """The link as a QR code, an SVG by attributes alone; None without a code."""
        if self.link is None:
            return None
        return segno.make(self.link, error="m", micro=False).svg_inline(
            border=2, omitsize=True, light="#fff", svgclass="qr", lineclass=None
        )


def sheet_view(sheet: Sheet) -> SheetView:
    """A sheet in words. Raises nothing for an erased version: it says that it was erased."""
    result, answer = sheet.result, sheet.result["classification"]
    told = {"version": result["version"], "at": moment(result["version_created_at"])}
    superseded = say("sheet.superseded", newest=sheet.newest, **told) if sheet.superseded else None
    as_of = say("sheet.as_of", as_of=moment(sheet.as_of), **told)
    code = None if sheet.code is None else shown_code(sheet.code)
    facts = tuple(_facts(result))
    if answer is None:
        erased = say("sheet.erased")
        return SheetView(
            say("sheet.heading"), superseded, erased, "", "", facts, (), "", (), (), (), None, (), (), as_of, code,
            sheet.link,
        )  # fmt: skip
    weighed = answer["considerations"]
    return SheetView(
        heading=say("sheet.heading"),
        superseded=superseded,
        status=say("sheet.status", status=answer["status"]),
        finality=say("sheet.final" if answer["final"] else "sheet.not_final"),
        confirmation=result["confirmation"],
        facts=facts,
        values=tuple(_values(result["input"] or {}, answer)),
        path="; ".join(_path(answer)),
        steps=tuple(_steps(result, answer)),
        notes=tuple(_notes(answer)),
        considerations=tuple(map(_weighed, weighed["considerations"])),
        silence=weighed["says_nothing"],
        cautions=(weighed["general_caution"], weighed["dated"]),
        versions=tuple(_versions(result, answer)),
        as_of=as_of,
        code=code,
        link=sheet.link,
    )


def _facts(result: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    specimen = (result["input"] or {}).get("specimen") or {}
    named = (
        ("accession", result["accession"]),
        ("block", result["block"]),
        ("specimen", specimen.get("kind")),
        ("procedure", specimen.get("procedure")),
        ("collected", (result["collected_at"] or "")[:10]),
        ("reported", (result["reported_at"] or "")[:10]),
        ("laboratory", result["laboratory"]),
    )
    for name, value in named:
        if value:
            yield say(f"sheet.{name}"), str(value)


def _values(document: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """What was measured, digits as written, and what the answer decided on."""
    ihc = document.get("ihc")
    score = ihc.get("score") if isinstance(ihc, Mapping) else ihc
    if score is not None:
        yield say("sheet.ihc"), str(score)
    for each in answer["measured"]:
        basis = "" if each["basis"] == "reported" else f" ({each['basis']})"
        yield say(f"sheet.{each['name']}"), f"{each['value']} {each['unit']}{basis}"
    ish = document.get("ish")
    for name in (*_VALUES, "cells"):
        if isinstance(ish, Mapping) and ish.get(name) is not None:
            yield say(f"sheet.{name}"), str(ish[name])
    if answer["ish_group"] is not None:
        yield say("sheet.ish_group"), str(answer["ish_group"])
    yield say("sheet.her2_low"), str(answer["her2_low"]).replace("_", " ")


def _path(answer: Mapping[str, Any]) -> Iterator[str]:
    """Each table that decided, with its row and what it said."""
    for shown in decision.path(answer):
        step = shown.step
        if shown.matters and step["says"]:
            said = ", ".join(str(word).replace("_", " ") for word in step["says"].values())
            yield f"{step['title'].rstrip('?')} [{step['row']}]: {said}"


def _steps(result: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    opened = {step["awaited"] for step in result["open_steps"]}
    for step in result["open_steps"]:
        who = say("sheet.step_who", who=step["who"]) if step["who"] else ""
        yield say("sheet.step", text=step["text"], since=step["since"][:10], due=step["due_at"][:10]) + who
    for code in answer["next_steps"]:
        if code not in opened:
            yield answer["texts"][code]


def _notes(answer: Mapping[str, Any]) -> Iterator[str]:
    codes = [answer["comment"], *answer["report_notes"], *answer["notes"], *answer["flags"]]
    yield from (answer["texts"][code] for code in codes if code is not None)
    if answer["retest"]:
        yield decision.meaning(answer, "retest")


def _weighed(each: Mapping[str, Any]) -> Weighed:
    supporting = _side("for", each["for"], None)
    return Weighed(
        each["title"],
        say("sheet.certainty", level=each["certainty"]["level"]),
        supporting,
        _side("against", each["against"], each["against_note"]),
    )


def _side(name: str, statements: list[Mapping[str, Any]], note: str | None) -> str:
    """One side in a line: how many findings, what they say; the same for both sides."""
    directions = dict.fromkeys(statement["direction"] for statement in statements)
    counted = say(f"sheet.{name}", count=len(statements), directions=", ".join(directions))
    return " ".join(each for each in (counted if statements else say(f"sheet.{name}_nothing"), note) if each)


def _versions(result: Mapping[str, Any], answer: Mapping[str, Any]) -> Iterator[str]:
    edition, pack = answer["edition"], answer["evidence"]
    yield say("sheet.edition", title=edition["title"], version=edition["version"], digest=edition["digest"])
    yield say("sheet.pack", id=pack["id"], version=pack["version"], digest=pack["digest"])
    yield say("sheet.engine", engine=answer["engine"], digest=result["digest"])
    yield say("sheet.result", id=result["id"])
