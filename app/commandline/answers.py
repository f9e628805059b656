"""An answer for a reader at a terminal: status large, what is missing, the path through the tables, versions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from app.commandline.terminal import badge, grid

_LEVELS = {"high": "green", "moderate": "yellow", "low": "dark_orange", "very low": "red"}


def show_answer(told: Console, answer: Mapping[str, Any], *, context_given: bool) -> None:
    """Print one answer."""
    told.print(Text.assemble(badge(answer["status"]), "  ", _finality(answer)))
    told.print(Text(answer["summary"], style="bold"))
    told.print()
    told.print(_facts(answer))
    for title, codes in (
        ("What is missing", answer["next_steps"]),
        ("Flags", answer["flags"]),
        ("Comment", [answer["comment"]] if answer["comment"] else []),
        ("Notes", [*answer["report_notes"], *answer["notes"]]),
    ):
        if codes:
            _section(told, title, _texts(codes, answer["texts"]))
    _section(told, "Path through the tables", _path(answer["trace"]))
    for world in answer["worlds"]:
        _section(told, f"If {world['assumption']}: {world['status']}", _path(world["trace"]))
    if context_given:
        _section(told, "Considerations, in short (--json gives the statements)", _considerations(answer))
    edition, evidence = answer["edition"], answer["evidence"]
    told.print()
    foot = (
        f"{edition['id']} {edition['version']} {edition['digest'][:12]} · "
        f"evidence {evidence['id']} {evidence['version']} {evidence['digest'][:12]} · herald {answer['engine']}"
    )
    told.print(Text(foot, style="dim"))


def _finality(answer: Mapping[str, Any]) -> Text:
    final = Text("final", style="bold green") if answer["final"] else Text("not final", style="bold yellow")
    if answer["review_required"]:
        final.append(", review by a pathologist required", style="yellow")
    return final


def _facts(answer: Mapping[str, Any]) -> RenderableType:
    table = grid()
    group = answer["ish_group"]
    rows = [
        ("ISH group", str(group) if group else "none"),
        ("HER2-low", answer["her2_low"].replace("_", " ")),
        *((f"{each['name']}", f"{each['value']} {each['unit']} ({each['basis']})") for each in answer["measured"]),
    ]
    if answer["fda_ratio"]:
        rows.append(("by ratio alone", answer["fda_ratio"].replace("_", " ")))
    if answer["retest"]:
        rows.append(("retest", answer["retest"].replace("_", " ")))
    changed = [f"{name} = {word}" for name, word in answer["policy"].items()]
    rows.append(("policy", ", ".join(changed)))
    for name, value in rows:
        table.add_row(Text(name, style="dim"), Text(value))
    return table


def _section(told: Console, title: str, content: RenderableType) -> None:
    told.print()
    told.print(Text(title, style="bold underline"))
    told.print(Padding(content, (0, 0, 0, 2)))


def _texts(codes: Sequence[str], texts: Mapping[str, str]) -> RenderableType:
    table = grid()
    for code in codes:
        table.add_row(Text(code, style="cyan"), Text(texts.get(code, "")))
    return table


def _path(trace: Sequence[Mapping[str, Any]]) -> RenderableType:
    table = grid("table", "row", "observed", "so", "place")
    for step in trace:
        observed = ", ".join(f"{name} {value}" for name, value in step["observed"].items())
        says = ", ".join(f"{name} {value}" for name, value in step["says"].items()) or "nothing to add"
        table.add_row(step["table"], Text(step["row"], style="cyan"), observed, Text(says), Text(step["place"], "dim"))
    return table


def _considerations(answer: Mapping[str, Any]) -> RenderableType:
    weighed = answer["considerations"]
    lines: list[Text] = []
    for each in weighed["considerations"]:
        level = each["certainty"]["level"]
        counts = f"{_count(each['for'])} for, {_count(each['against'])} against"
        certainty = (f"certainty {level}", _LEVELS.get(level, ""))
        lines.append(Text.assemble((each["title"], "bold"), " (", each["kind"], ", ", counts, ", ", certainty, ")"))
        lines += [Text(f"  not to conclude: {text}", style="dim") for text in each["must_not_conclude"]]
    lines += [Text(f"unknown: {each['field']}: {each['text']}", style="yellow") for each in weighed["missing"]]
    lines += [Text(text) for text in (weighed["says_nothing"], weighed["dated"]) if text]
    return Group(*lines)


def _count(findings: Sequence[Mapping[str, Any]]) -> str:
    retracted = sum(not finding["counts"] for finding in findings)
    return f"{len(findings)}" + (f" ({retracted} retracted)" if retracted else "")
