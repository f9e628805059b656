"""A version of a pack as one file that never changes, and what differs between two versions.

A release holds the parsed files of the pack with every digit, and their digest; it is compared as it was written, so
that one of an older form needs no loader of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from app.evidence.library import (
    PACKS,
    PackError,
    build_pack,
    canonical,
    canonical_json,
    digest,
    pack_ids,
    read_documents,
)
from app.evidence.standings import FILE as STANDINGS

# 1: a reference's identification was called standing.
FORMAT = 2
_FIELDS = ("format", "id", "version", "digest", "content")
# How entries are told apart, by the file and the list they stand in.
_KEYED = {
    "references": ("references.toml", "reference", "key"),
    "considerations": ("considerations.toml", "consideration", "id"),
    "silences": ("pack.toml", "silence", "id"),
    "therapies": ("pack.toml", "therapy", "name"),
}
KINDS = ("pack", "statements", *_KEYED)
# Every release changes these: they are told beside the differences.
_OF_THE_RELEASE = frozenset({"version", "changelog", "silence", "therapy"})

Entries = dict[str, dict[str, Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Release:
    """One version of a pack: its parsed files by name, and the digest over them."""

    format: int
    id: str
    version: str
    digest: str
    content: Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Change:
    """One field of an entry, as it was and as it is; None where it was not there. Decimals as printed, in text."""

    field: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class Changes:
    """What differs among the entries of one kind, by their ids."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    changed: tuple[tuple[str, tuple[Change, ...]], ...]

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed)


def release_of(folder: Path) -> Release:
    """The pack in a folder as a release. Raises PackError where the pack has a mistake: none is released."""
    content = read_documents(folder)
    pack = build_pack(content)
    return Release(FORMAT, pack.id, pack.version, pack.digest, content)


def write(release: Release) -> str:
    """The release as one canonical JSON text: the same release is the same bytes."""
    return canonical_json({name: getattr(release, name) for name in _FIELDS}) + "\n"


def read(text: str) -> Release:
    """A release from its file. Raises PackError for one that is none, or that is not what its digest says."""
    try:
        raw = json.loads(text)
    except ValueError as error:
        raise PackError([f"not JSON: {error}"]) from None
    if not isinstance(raw, dict) or set(raw) != set(_FIELDS) or not isinstance(raw["content"], dict):
        raise PackError([f"not a release: it must hold {', '.join(_FIELDS)}"])
    if raw["format"] not in range(1, FORMAT + 1):
        raise PackError([f"a release of format {raw['format']!r}: this Herald reads up to {FORMAT}"])
    content = _parsed(raw["content"])
    if digest(content) != raw["digest"]:
        raise PackError([f"the content is not what the digest {raw['digest']!r} says: the file was changed"])
    release = Release(raw["format"], raw["id"], raw["version"], raw["digest"], content)
    head = content.get("pack.toml", {})
    try:
        _entries(release)
    except (KeyError, TypeError, AttributeError) as error:
        raise PackError([f"not a release: its content has not the form of a pack ({error})"]) from None
    if (head.get("id"), head.get("version")) != (release.id, release.version):
        raise PackError(["its id and version are not those of its content"])
    return release


def shipped(pack_id: str) -> dict[str, Release]:
    """The releases kept beside a shipped pack, by version, the oldest first."""
    # By length first: 2026.10 comes after 2026.9.
    files = sorted((PACKS / pack_id / "releases").glob("*.json"), key=lambda file: (len(file.name), file.name))
    return {release.version: release for release in (read(file.read_text(encoding="utf-8")) for file in files)}


def find(name: str) -> Release:
    """The release that a folder, a release file or a version of a shipped pack names. Raises LookupError for none."""
    path = Path(name)
    if (path / "pack.toml").is_file():
        return release_of(path)
    if path.is_file():
        return read(path.read_text(encoding="utf-8"))
    known: dict[str, Release] = {}
    for pack_id in pack_ids():
        present = release_of(PACKS / pack_id)
        # A version under way has no file yet; once it has one, the file is what was released.
        known |= {present.version: present, pack_id: present} | shipped(pack_id)
    if name not in known:
        raise LookupError(f"{name!r} is no folder of a pack, no release file, and none of {', '.join(sorted(known))}")
    return known[name]


def difference(before: Release, after: Release) -> dict[str, Changes]:
    """What was added, removed and changed from one release to another, by kind."""
    one, other = _entries(before), _entries(after)
    return {kind: _changes(one[kind], other[kind]) for kind in KINDS}


def _changes(before: Entries, after: Entries) -> Changes:
    changed = []
    for id_ in (id_ for id_ in after if id_ in before):
        fields = dict.fromkeys((*before[id_], *after[id_]))
        pairs = ((name, before[id_].get(name), after[id_].get(name)) for name in fields)
        if found := tuple(Change(name, old, new) for name, old, new in pairs if old != new):
            changed.append((id_, found))
    return Changes(
        added=tuple(id_ for id_ in after if id_ not in before),
        removed=tuple(id_ for id_ in before if id_ not in after),
        changed=tuple(changed),
    )


def _entries(release: Release) -> dict[str, Entries]:
    content = _printed(canonical(release.content))
    found: dict[str, Entries] = {"statements": {}}
    for name, file in content.items():
        if name.startswith("statements/"):
            # The section is the file's, and so is each of its statements'.
            found["statements"] |= {
                each["id"]: {"section": file.get("section"), **each} for each in file.get("statement", ())
            }
    for kind, (name, entry, key) in _KEYED.items():
        found[kind] = {each[key]: each for each in content.get(name, {}).get(entry, ())}
    if release.format == 1:
        renamed = {"standing": "identification"}
        found["references"] = {
            key: {renamed.get(name, name): value for name, value in each.items()}
            for key, each in found["references"].items()
        }
    for each in content.get(STANDINGS, {}).get("standing", ()):
        looked_up = {"standing": each["standing"], "standing_date": each["date"], "standing_source": each["source"]}
        found["references"].get(each["key"], {}).update(looked_up)
    head = content.get("pack.toml", {})
    found["pack"] = {"pack.toml": {name: value for name, value in head.items() if name not in _OF_THE_RELEASE}}
    return found


def _parsed(value: Any) -> Any:
    """The parsed files again from their canonical form."""
    if isinstance(value, dict):
        if set(value) == {"decimal"} and isinstance(value["decimal"], str):
            try:
                return Decimal(value["decimal"])
            except InvalidOperation:
                raise PackError([f"{value['decimal']!r} is not a decimal"]) from None
        return {key: _parsed(each) for key, each in value.items()}
    return [_parsed(each) for each in value] if isinstance(value, list) else value


def _printed(value: Any) -> Any:
    """The canonical form with decimals as their printed digits."""
    if isinstance(value, dict):
        return value["decimal"] if set(value) == {"decimal"} else {key: _printed(each) for key, each in value.items()}
    return [_printed(each) for each in value] if isinstance(value, list) else value
