"""herald feed: is a feed file right, and what would a message give by it. Nothing is stored."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from app.commandline.settings import read_settings
from app.commandline.terminal import console, fail, grid, refuse, tell_problems
from app.interop.feeds import Feed, map_received, read_feed
from app.interop.hl7.envelope import peek
from app.interop.received import Mapped
from app.services.intake import load_feeds, read_payload
from app.services.payloads import FHIR_JSON, HL7V2, Payload

feed = typer.Typer(help="Feed files: what a sender's codes and words mean.", no_args_is_help=True)


class Format(StrEnum):
    """What a message is written in."""

    hl7v2 = "hl7v2"
    fhir = "fhir"


_File = Annotated[Path, typer.Argument(help="A feed file (TOML).")]


@feed.command("check")
def check(file: _File) -> None:
    """Read a feed file and tell every mistake; exit code 2 where there is one."""
    found = _feed(file)
    told = console()
    told.print(Text(f"{found.title or file.name}: no mistakes", style="bold"))
    told.print(Text(f"senders: {', '.join(found.senders) or 'none yet, name them in senders'}"), soft_wrap=True)


@feed.command("try")
def try_message(
    message: Annotated[Path, typer.Argument(help="A file with one message.")],
    feed_file: Annotated[Path | None, typer.Option("--feed", help="This feed file, whoever the sender is.")] = None,
    sender: Annotated[str | None, typer.Option(help="The sender; else MSH-3|MSH-4 of an HL7 v2 message.")] = None,
    written: Annotated[Format | None, typer.Option("--format", help="hl7v2 or fhir; else by its first byte.")] = None,
) -> None:
    """What a message would give, line by line, and why it would wait; exit code 1 where it would. Stores nothing."""
    content = _bytes(message)
    fhir = written is Format.fhir or (written is None and content.lstrip()[:1] == b"{")
    by = sender or ("" if fhir else peek(content)[0])
    if feed_file:
        found = _feed(feed_file)
    else:
        try:
            found = load_feeds(read_settings().feeds).of(by)
        except ValueError as error:
            fail(f"a file of HERALD_FEEDS does not hold: {error}", "run herald feed check FILE")
    received = read_payload(Payload(content, FHIR_JSON if fhir else HL7V2, by), found)
    mapped = map_received(received, found, {})
    console().print(Text(f"sender: {by or 'unknown'}; feed: {found.title or feed_file or 'no title'}", style="bold"))
    _show(mapped)
    if mapped.problems:
        tell_problems("The message would wait:", mapped.problems)
        raise typer.Exit(1)


def _show(mapped: Mapped) -> None:
    told = console()
    lines = grid("where", "code", "text", "field", "value", "note")
    for each in mapped.lines:
        cells = (Text(cell) for cell in (each.code, each.text))
        lines.add_row(
            each.where, *cells, Text(each.field, style="bold"), Text(each.value), Text(each.note, style="dim")
        )
    told.print(lines)
    for part in mapped.parts:
        names = {"case": part.accession, "specimen": part.specimen, "block": part.block, "by": part.laboratory}
        told.print(Text("a part: " + ", ".join(f"{name} {value}" for name, value in names.items() if value)))
    if not (mapped.parts or mapped.problems or mapped.merges):
        told.print(Text("nothing in it is about HER2"))


def _feed(file: Path) -> Feed:
    found = read_feed(_bytes(file).decode("utf-8", errors="replace"))
    if not isinstance(found, Feed):
        refuse(f"{file.name} does not hold:", found)
    return found


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        fail(f"{file} can't be read: {error.strerror}", "name a file that is there")
