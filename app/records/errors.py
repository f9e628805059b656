"""What a store refuses, and what the world refuses it. Each says enough for a door to answer without guessing."""

from __future__ import annotations

from sqlalchemy.exc import DontWrapMixin


class RecordsError(Exception):
    """Base of everything this room raises on purpose."""


class NotFound(RecordsError):
    """Nothing of this kind has this id in this organisation."""

    def __init__(self, kind: str, id: str) -> None:
        super().__init__(f"no {kind} {id} in this organisation")
        self.kind, self.id = kind, id


class UnknownOrganisation(RecordsError):
    """The organisation was never appended; see Store.append_organisation."""

    def __init__(self, organisation: str) -> None:
        super().__init__(f"unknown organisation {organisation!r}")
        self.organisation = organisation


class Stale(RecordsError):
    """Someone else appended the next version first. current: the newest number (1, 2, ...)."""

    def __init__(self, result_id: str, expected: int, current: int) -> None:
        super().__init__(f"result {result_id} is at version {current}, not {expected}")
        self.result_id, self.expected, self.current = result_id, expected, current


class Duplicate(RecordsError):
    """A unique constraint says that the record is already there. existing_id: the one that was first."""

    def __init__(self, kind: str, existing_id: str) -> None:
        super().__init__(f"{kind} {existing_id} is already there")
        self.kind, self.existing_id = kind, existing_id


class IdentityConflict(RecordsError):
    """The identifiers given belong to different patients: only a person's merge may join those."""

    def __init__(self, patient_ids: tuple[str, ...]) -> None:
        super().__init__(f"the identifiers belong to {len(patient_ids)} different patients")
        self.patient_ids = patient_ids


class LinkConflict(RecordsError):
    """Patients are linked in another way than the merge or unmerge supposes. The text names them by Herald's ids."""

    def __init__(self, told: str, patient_ids: tuple[str, ...]) -> None:
        super().__init__(told)
        self.patient_ids = patient_ids


class BrokenReference(RecordsError):
    """A record refers to one that is not in this organisation. Nothing was stored."""


class BadCursor(RecordsError):
    """The cursor is damaged, or was made for another organisation, list or set of filters."""

    def __init__(self) -> None:
        super().__init__("the cursor does not belong to this list")


class Unstorable(RecordsError, DontWrapMixin, ValueError):
    """A text that one of the two databases cannot hold (NUL, lone surrogate, too long a key): refused on both."""


class Unaudited(RecordsError):
    """A bug in the caller: records were appended and the transaction has no audit line. Nothing was stored."""


class Unfinished(RecordsError):
    """A bug in the caller: an idempotency key was claimed and never given its answer. Nothing was stored."""


class Busy(RecordsError):
    """Waited for another writer too long, or was chosen to give way. Nothing was stored; may be sent again."""


class Unavailable(RecordsError):
    """The database can't be reached or can't write. If it happened during the commit the outcome is unknown:
    the same request with the same idempotency key finds out."""
