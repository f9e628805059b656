"""Read an HL7 v2 message: ORU^R01 as reports, ADT^A40 and A47 as merges. Judges nothing, raises nothing."""

from __future__ import annotations

import re
from datetime import tzinfo
from zoneinfo import ZoneInfo

from app.domain.problems import Problem
from app.interop.hl7.orders import identifiers_of, orders_of, patient_of, reports_of
from app.interop.hl7.segments import Segment, parse
from app.interop.hl7.times import moment, zone_of
from app.interop.received import Merge, Received, Report

_VERSION = re.compile(r"2\.[3-8](?:\.[0-9])?", re.ASCII)
_MERGES = ("A40", "A47")
_TAKEN = "Herald takes ORU^R01, ADT^A40 and ADT^A47."


def read(
    message: bytes,
    sender: str,
    *,
    charset: str = "",
    accept: frozenset[str] = frozenset({"P", ""}),
    zone: str = "UTC",
) -> Received:
    """What a message says. charset: this sender's, where MSH-18 is empty; accept: the MSH-11 that are taken.

    zone: IANA name for times sent without an offset, where MSH-7 has none either.
    """
    parsed = parse(message, charset)
    if not parsed.segments:
        return Received("hl7v2", sender, "", "", problems=parsed.problems, notes=parsed.notes)
    header = parsed.header
    local = zone_of(header.text(7)) or ZoneInfo(zone)
    kind, trigger = header.text(9, 1).upper(), header.text(9, 2).upper()
    if kind == "ORU" and not trigger:
        trigger = "R01"
    problems = [*parsed.problems, *_header_problems(header, kind, trigger, accept)]
    notes = list(parsed.notes)
    if not header.text(12):
        notes.append("MSH-12 is empty: read as HL7 v2.3 to 2.8")
    reports: list[Report] = []
    merges: list[Merge] = []
    if (kind, trigger) == ("ORU", "R01"):
        reports = _reports(parsed.segments, local, problems, notes)
    elif kind == "ADT" and trigger in _MERGES:
        merges = _merges(parsed.segments, problems)
    return Received(
        format="hl7v2",
        sender=sender,
        control_id=header.text(10),
        event=f"{kind}^{trigger}" if trigger else kind,
        reports=tuple(reports),
        merges=tuple(merges),
        version=header.text(12),
        processing=header.text(11).upper(),
        at=moment(header.text(7), local),
        problems=tuple(problems),
        notes=tuple(notes),
    )


def _header_problems(header: Segment, kind: str, trigger: str, accept: frozenset[str]) -> list[Problem]:
    problems = []
    if not kind:
        problems.append(Problem("MISSING_FIELD", header.place(9), "The type of message is missing.", _TAKEN))
    elif kind not in ("ORU", "ADT"):
        problems.append(Problem("UNSUPPORTED", f"{header.place(9)}.1", "This type of message is not taken.", _TAKEN))
    elif (kind, trigger) != ("ORU", "R01") and not (kind == "ADT" and trigger in _MERGES):
        problems.append(Problem("UNSUPPORTED", f"{header.place(9)}.2", "This event is not taken.", _TAKEN))
    if not header.text(10):
        what = "The message has no control id."
        problems.append(Problem("MISSING_FIELD", header.place(10), what, "Send a control id, each only once."))
    if header.text(11).upper() not in accept:
        what = "The message is not marked as production (P)."
        problems.append(Problem("NOT_PRODUCTION", header.place(11), what, "Send it to a test system, or mark it P."))
    version = header.text(12)
    if version and not _VERSION.fullmatch(version):
        what = "This version of HL7 is not taken."
        problems.append(Problem("UNSUPPORTED", header.place(12), what, "Send HL7 v2.3 to 2.8."))
    return problems


def _reports(segments: tuple[Segment, ...], zone: tzinfo, problems: list[Problem], notes: list[str]) -> list[Report]:
    header = segments[0]
    sent = moment(header.text(7), zone)
    facility = header.text(4) or header.text(4, 2)
    orders, said = orders_of(segments)
    notes.extend(said)
    if not orders:
        problems.append(Problem("MISSING_FIELD", "OBR", "There is no OBR, so no report.", "Send an OBR for each case."))
    return [report for order in orders for report in reports_of(order, zone, facility, sent)]


def _merges(segments: tuple[Segment, ...], problems: list[Problem]) -> list[Merge]:
    """Each PID with the MRG that follows it: PID-3 stays, MRG-1 is given up."""
    merges: list[Merge] = []
    patient: Segment | None = None
    waiting = False
    for segment in segments:
        if segment.name == "PID":
            if waiting and patient is not None:
                problems.append(_missing(patient.where, "No MRG follows this PID.", "Send MRG-1."))
            patient, waiting = segment, True
        elif segment.name == "MRG":
            into, given_up = patient_of(patient), identifiers_of(segment.elements(1))
            if not into or not waiting:
                problems.append(_missing(segment.where, "No PID before it says which patient stays.", "Send PID-3."))
            if not given_up:
                problems.append(
                    _missing(segment.place(1), "The identifier that is given up is missing.", "Send MRG-1.")
                )
            if into and given_up and waiting:
                merges.append(Merge(segment.where, into, given_up))
            waiting = False
    if waiting or (not merges and not problems):
        problems.append(_missing("MRG", "No MRG says which patient is given up.", "Send MRG-1."))
    return merges


def _missing(place: str, what: str, remedy: str) -> Problem:
    return Problem("MISSING_FIELD", place, what, remedy)
