"""A stored version as the ORU that goes back to the LIS, and the acknowledgement that comes for it."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from typing import NamedTuple

from app.interop.hl7.segments import parse
from app.interop.hl7.writing import Told, write_oru
from app.interop.received import Identifier
from app.records.rows import Identity, VersionDetail
from app.services.deliveries import Line
from app.services.reporting import Context
from app.services.requests import OWN_NUMBERS


class Parties(NamedTuple):
    """Who sends and who receives, each as "MSH-3|MSH-4"."""

    sender: str
    receiver: str


class Acknowledged(NamedTuple):
    """code: MSA-1; control_id: MSA-2; both "" where it is no acknowledgement; error: ERR-3, or ERR-1.4 before 2.5."""

    code: str
    control_id: str
    error: str = ""


def control_id(line: Line) -> str:
    """MSH-10 of a line's message: the same for each attempt, 20 characters."""
    return hashlib.sha256(line.id.encode()).hexdigest()[:20]


def result_message(context: Context, line: Line, parties: Parties) -> bytes | None:
    """The message of a line about a version; the same at each attempt, for it tells what stood when it was made.

    Patient identifiers are those of now. None where the version's content was erased. Raises RecordsError.
    """
    with context.store.reading(context.organisation) as reading:
        history = reading.find_history(line.content["result"])
        result = reading.find_result(line.content["result"])
        timeline = reading.find_timeline(result.view.patient_id) if result else None
    about = next((place for place, each in enumerate(history, 1) if each.version.id == line.version_id), 0)
    versions = history[:about]
    answer = versions[-1].current if versions else None
    if timeline is None or answer is None or answer.answer is None:
        return None
    version, document = versions[-1].version, json.loads(answer.answer)
    before = [each for each in versions[:-1] if _told_as_final(context, each, line.made_at)]
    told = Told(
        patient=tuple(_identifier(each, parties) for each in timeline.identities),
        accession=version.accession or "",
        specimen="",
        block=version.block or "",
        result_id=version.result_id,
        version_number=version.number,
        status=answer.status,
        final=answer.final,
        her2_low=answer.her2_low or "",
        summary=document["summary"],
        next_steps=() if answer.final else tuple(document["texts"][code] for code in document["next_steps"]),
        edition=document["edition"]["version"],
        engine=answer.engine,
        signed=_signed(context, versions[-1], line.made_at),
        reported_at=version.created_at,
        replaced_status=_status(before[-1]) if before else "",
    )
    return write_oru(
        told, sender=parties.sender, receiver=parties.receiver, now=line.made_at, control_id=control_id(line)
    )


def acknowledged(answer: bytes) -> Acknowledged:
    """What an answer says. Raises nothing."""
    segments = parse(answer).segments
    said = next((each for each in segments if each.name == "MSA"), None)
    if said is None:
        return Acknowledged("", "")
    error = next((each for each in segments if each.name == "ERR"), None)
    code = (error.text(3) or error.text(1, 4, 1)) if error is not None else ""
    # a number of table 0357, for anything else may be a person's words
    return Acknowledged(said.text(1).upper(), said.text(2), code if code.isdigit() and len(code) <= 3 else "")


def _identifier(identity: Identity, parties: Parties) -> Identifier:
    """A number without an authority goes back so to the sender it came from; to others it says whose it is."""
    own = identity.system == f"{OWN_NUMBERS}{parties.receiver}"
    return Identifier("" if own else identity.system, identity.value)


def _status(detail: VersionDetail) -> str:
    answer = detail.current
    return answer.status if answer is not None else ""


def _signed(context: Context, detail: VersionDetail, at: datetime) -> bool:
    """Had a person confirmed it by then, or is none asked to?"""
    return not context.sign_off or detail.is_signed(at)


def _told_as_final(context: Context, detail: VersionDetail, at: datetime) -> bool:
    answer = detail.current
    final = answer is not None and answer.final and answer.status not in ("pending", "invalid")
    return final and _signed(context, detail, at)
