"""The packs of evidence as their curators handle them: listed, checked, compared, begun, looked up."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app.domain.evidence import UNKNOWN, Pack
from app.evidence import releases, standings
from app.evidence.check import check_against_text
from app.evidence.fields import is_date
from app.evidence.library import PACKS, PackError, load_pack, pack_ids, read_pack
from app.evidence.skeleton import write_skeleton


class PackProblems(Exception):
    """What stands against doing it; `problems` says everything at once."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Checked:
    """What was checked, in a line, and everything that was found."""

    title: str
    findings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """The text of the new standings.toml, and the rows that were left aside."""

    text: str
    notes: tuple[str, ...]


def pack_identities() -> list[dict[str, Any]]:
    """Every shipped pack: id, version, its date, digest, title, how much it holds, its releases."""
    return [
        {
            "id": pack.id,
            "version": pack.version,
            "date": pack.changelog[0].date,
            "digest": pack.digest,
            "title": pack.title,
            "statements": len(pack.statements),
            "considerations": len(pack.considerations),
            "references": len(pack.references),
            "looked_up": sum(work.standing != UNKNOWN for work in pack.references.values()),
            "releases": list(releases.shipped(pack.id)),
        }
        for pack in map(load_pack, pack_ids())
    ]


def shipped_folder() -> Path:
    """Where the pack lies that Herald answers from."""
    return PACKS / load_pack().id


def check_pack(folder: Path, review: Path | None = None) -> Checked:
    """Everything that is wrong with the pack in a folder; with a review, also what does not stand in its text."""
    try:
        pack = read_pack(folder)
    except PackError as error:
        return Checked(str(folder), tuple(error.problems))
    title = f"{pack.id} {pack.version}: {len(pack.statements)} statements, digest {pack.digest[:12]}"
    if review is None:
        return Checked(title, ())
    found = check_against_text(pack, _text(review))
    return Checked(title, tuple(f"{each.statement}: {each.what}: {each.message}" for each in found))


def own_pack(folder: Path) -> Pack:
    """A hospital's own pack. Raises PackProblems, also where it takes the id of a pack that ships with Herald."""
    try:
        pack = read_pack(folder)
    except PackError as error:
        raise PackProblems([f"{folder}: {problem}" for problem in error.problems]) from None
    if pack.id in pack_ids():
        raise PackProblems([f"{folder}: the id {pack.id} is that of a pack which ships with Herald"])
    return pack


def pack_difference(before: str, after: str) -> dict[str, Any]:
    """What differs between two of: a pack's folder, a release file, a version of a shipped pack."""
    one, other = _release(before), _release(after)
    document: dict[str, Any] = {
        name: {"id": each.id, "version": each.version, "digest": each.digest}
        for name, each in (("before", one), ("after", other))
    }
    for kind, changes in releases.difference(one, other).items():
        document[kind] = {
            "added": list(changes.added),
            "removed": list(changes.removed),
            "changed": [
                {"id": id_, "fields": [{"field": c.field, "before": c.before, "after": c.after} for c in fields]}
                for id_, fields in changes.changed
            ],
        }
    return document


def release_text(folder: Path) -> str:
    """The pack in a folder as a release file."""
    try:
        return releases.write(releases.release_of(folder))
    except PackError as error:
        raise PackProblems(error.problems) from None


def begin_pack(folder: Path, pack_id: str, title: str) -> None:
    """A skeleton in a new or empty folder, that passes `check_pack` as it is."""
    try:
        write_skeleton(folder, pack_id, title, datetime.now(UTC).date().isoformat())
    except PackError as error:
        raise PackProblems(error.problems) from None
    except OSError as error:
        raise PackProblems([f"{folder} cannot be written: {error.strerror}"]) from None


def look_up_standings(export: Path, folder: Path, checked_on: str | None = None) -> Lookup:
    """What has become of a pack's references by a Crossref/Retraction Watch export; nothing is written."""
    if checked_on is not None and not is_date(checked_on):
        raise PackProblems([f"checked-on {checked_on!r} is not a day written YYYY-MM-DD"])
    try:
        pack = read_pack(folder)
        rows = standings.read_export(io.StringIO(_text(export), newline=""))
        found = standings.refreshed(pack, rows, checked_on)
    except PackError as error:
        raise PackProblems(error.problems) from None
    except (ValueError, csv.Error) as error:
        raise PackProblems([f"{export}: {error}"]) from None
    if found.mistakes:
        raise PackProblems([f"{export}: {mistake}" for mistake in found.mistakes])
    return Lookup(standings.written(found.standings), found.notes)


def _release(name: str) -> releases.Release:
    try:
        return releases.find(name)
    except PackError as error:
        raise PackProblems([f"{name}: {problem}" for problem in error.problems]) from None
    except (LookupError, UnicodeDecodeError) as error:
        raise PackProblems([f"{name}: {error}" if isinstance(error, ValueError) else str(error.args[0])]) from None


def _text(path: Path) -> str:
    """A file's text. What is asked of it is plain letters and digits: a stray byte in a name is no reason to refuse."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")
    except OSError as error:
        raise PackProblems([f"{path} cannot be read: {error.strerror}"]) from None
