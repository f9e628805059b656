"""Printed sheets: one version of a result on one page, and what its short code says later."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from app.records.errors import NotFound
from app.records.queries import Reading
from app.records.rows import VersionDetail
from app.records.sheets import PrintedSheet, Sheets, SheetWriting
from app.records.writing import Transaction
from app.services.errors import Refusal
from app.services.finding import reading
from app.services.reporting import Context, Reply, check_id, in_transaction
from app.services.views import act_document, confirmation, history_document, step_document

# Without I, L, O and U: read aloud or written by hand, nothing is mistaken (Crockford's base 32).
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LENGTH = 10
_FORGIVEN = str.maketrans("OIL", "011", " -")


@dataclass(frozen=True, slots=True)
class Sheet:
    """One version of a result for one page, with the present version's number.

    result: the version as GET /results/{id}/history tells it, with id, accession, block, collected_at, reported_at;
    code: None where no short code was made; base: the address that links begin with, such as https://herald.example.
    """

    result: dict[str, Any]
    newest: int
    code: str | None
    as_of: str
    base: str = ""

    @property
    def superseded(self) -> bool:
        """Is there a later version?"""
        return bool(self.result["version"] != self.newest)

    @property
    def link(self) -> str | None:
        """The address of the short code; None where none was made."""
        return None if self.code is None else f"{self.base}/s/{self.code}"


@dataclass(frozen=True, slots=True)
class FoundSheet:
    """What a short code says now. then, now: the printed and the present version; acts: done on it since its printing.

    changes: field by field from the printed version's input to the present one's.
    """

    code: str
    result_id: str
    patient_id: str
    printed_at: str
    then: dict[str, Any]
    now: dict[str, Any]
    acts: list[dict[str, Any]]
    changes: list[dict[str, Any]]

    @property
    def superseded(self) -> bool:
        """Is there a version later than the printed one?"""
        return bool(self.then["version"] != self.now["version"])


def shown_code(code: str) -> str:
    """A code as it is printed, in two groups."""
    return f"{code[:5]}-{code[5:]}"


def read_code(text: str) -> str | None:
    """A code as typed: in any case, with O for 0, I or L for 1, with or without its dash; None where it is none."""
    code = text.upper().translate(_FORGIVEN)
    return code if len(code) == _LENGTH and set(code) <= set(ALPHABET) else None


def make_sheet(context: Context, result_id: str) -> str:
    """The short code of the present version; made where there is none, so asking twice gives the same."""
    check_id(result_id)

    def record(tx: Transaction) -> Reply:
        there = tx.find_result(result_id)
        if there is None:
            raise NotFound("result", result_id)
        version = there.view.version
        sheet, new = SheetWriting(tx).append(version.id, _random_code)
        if new:
            tx.append_audit("sheet.made", {"result": result_id, "version": version.number})
        return Reply({"code": sheet.code}, result_id, version.number)

    return str(in_transaction(context, None, record).body["code"])


def sheet_of(context: Context, result_id: str, *, number: int | None = None, base: str = "") -> Sheet:
    """A version of a result for printing, the present one where no number is given. Raises Refusal.

    base: the address that links begin with.
    """

    def find(records: Reading) -> tuple[tuple[VersionDetail, ...], PrintedSheet | None]:
        versions = records.find_history(result_id)
        chosen = _chosen(versions, number)
        return versions, None if chosen is None else Sheets(records).of_version(chosen.version.id)

    versions, printed = reading(context, find)
    chosen = _chosen(versions, number)
    if chosen is None:
        raise Refusal("not_found", "There is no such result or version.")
    code = None if printed is None else printed.code
    return Sheet(_told(context, chosen), versions[-1].version.number, code, _now(), base)


def find_sheet(context: Context, text: str) -> FoundSheet:
    """What a short code says now. Raises Refusal where there is no such sheet."""
    code = read_code(text)

    def find(records: Reading) -> Any:
        sheet = None if code is None else Sheets(records).by_code(code)
        if sheet is None:
            return None
        view = records.find_result(sheet.result_id)
        assert view is not None
        return sheet, records.find_history(sheet.result_id), view.view.patient_id

    found = reading(context, find)
    if found is None:
        raise Refusal("not_found", "There is no sheet with this code.")
    sheet, versions, patient_id = found
    then = _chosen(versions, sheet.version)
    assert then is not None
    later = [each for each in history_document(versions, sign_off=context.sign_off) if each["version"] > sheet.version]
    return FoundSheet(
        code=sheet.code,
        result_id=sheet.result_id,
        patient_id=patient_id,
        printed_at=sheet.created_at.isoformat(),
        then=_told(context, then),
        now=_told(context, versions[-1]),
        acts=[act_document(act) for act in versions[-1].acts if act.recorded_at > sheet.created_at],
        changes=[{"version": each["version"], **change} for each in later for change in each["changes"]],
    )


def _chosen(versions: Sequence[VersionDetail], number: int | None) -> VersionDetail | None:
    wanted = [each for each in versions if number is None or each.version.number == number]
    return wanted[-1] if wanted else None


def _told(context: Context, chosen: VersionDetail) -> dict[str, Any]:
    version = chosen.version
    signed, current = chosen.is_signed(), chosen.current
    return {
        "id": version.result_id,
        "version": version.number,
        "version_created_at": version.created_at.isoformat(),
        "cause": version.cause,
        "name": version.person_name,
        "role": version.person_role,
        "reason": version.reason,
        "laboratory": version.laboratory,
        "accession": version.accession,
        "block": version.block,
        "collected_at": version.collected_at.isoformat() if version.collected_at else None,
        "reported_at": version.reported_at.isoformat() if version.reported_at else None,
        "digest": version.digest,
        "input": json.loads(version.document) if version.document else None,
        "classification": json.loads(current.answer) if current and current.answer else None,
        "signed": signed,
        "confirmation": confirmation(signed, context.sign_off),
        "acts": [act_document(act) for act in chosen.acts],
        "open_steps": [step_document(step) for step in chosen.steps if step.closed_at is None],
    }


def _random_code() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(_LENGTH))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
