"""A stored classification as ORU^R01, back to the laboratory's own system."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from app.domain.codes import HER2_LOW
from app.interop.hl7.escapes import Dialect, escaped
from app.interop.hl7.times import written
from app.interop.received import Identifier

Version = Literal["2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"]

_OWN = "99HERALD"
_DIALECT = Dialect()
_CODE = ("48676-1", "HER2 [Interpretation] in Tissue", "LN")
# Pending and invalid are no results: they have no value here.
_ANSWERS = {
    "positive": ("LA6576-8", "Positive", "LN"),
    "negative": ("LA6577-6", "Negative", "LN"),
    "equivocal": ("LA11885-3", "Equivocal", "LN"),
    "indeterminate": ("LA11884-6", "Indeterminate", "LN"),
}
_FLAGS = {"positive": "POS", "negative": "NEG"}


class Told(NamedTuple):
    """A classification to be told. version_number: of the result; status: as in app.domain.codes.

    signed: a person confirmed it, or the laboratory asks for no confirmation; her2_low: "" where it is not said.
    next_steps: what is missing, in words; replaced_status: the status told as final before, "" where none was.
    """

    patient: tuple[Identifier, ...]
    accession: str
    specimen: str
    block: str
    result_id: str
    version_number: int
    status: str
    final: bool
    her2_low: str
    summary: str
    next_steps: tuple[str, ...]
    edition: str
    engine: str
    signed: bool
    reported_at: datetime
    replaced_status: str = ""


def write_oru(
    told: Told, *, sender: str, receiver: str, now: datetime, control_id: str, version: Version = "2.5.1"
) -> bytes:
    """The message in UTF-8, segments ended by CR. sender, receiver: "MSH-3|MSH-4" of us and of them; now: aware.

    Only a final, signed status is F, or C where one was told before. All else is P; or X without a value where one was
    told before, for a P does not take back an F.
    """
    state = _state(told)
    specimen = [_specimen(told)] if told.specimen or told.block else []
    segments = [
        _header(sender, receiver, now, control_id, version),
        _segment("PID", "1", "", "~".join(_identifier(each) for each in told.patient), "", "^^^^^^U"),
        _request(told, state),
        *_observations(told, state, version),
        *specimen,
    ]
    return "".join(f"{segment}\r" for segment in segments).encode()


def _state(told: Told) -> Literal["F", "C", "P", "X"]:
    """OBX-11."""
    if told.status in _ANSWERS and told.final and told.signed:
        return "C" if told.replaced_status else "F"
    return "X" if told.replaced_status else "P"


def _header(sender: str, receiver: str, now: datetime, control_id: str, version: str) -> str:
    names = []
    for each in (sender, receiver):
        application, _, facility = each.partition("|")
        names += [_text(application), _text(facility)]
    fields = ("", "ORU^R01^ORU_R01", _text(control_id), "P", version, "", "", "", "", "", "UNICODE UTF-8")
    return "|".join((f"MSH|{_DIALECT.characters}", *names, written(now), *fields))


def _identifier(identifier: Identifier) -> str:
    """CX: the assigning authority as an OID, a UUID, a URI or the name that HL7 v2 knew it by."""
    system = identifier.system
    authority = ""
    if system.startswith("urn:oid:"):
        authority = f"&{_text(system.removeprefix('urn:oid:'))}&ISO"
    elif system.startswith("urn:uuid:"):
        authority = f"&{_text(system.removeprefix('urn:uuid:'))}&UUID"
    elif system.startswith("urn:hl7v2:"):
        authority = _text(system.removeprefix("urn:hl7v2:"))
    elif system:
        authority = f"&{_text(system)}&URI"
    return "^".join((_text(identifier.value), "", "", authority, _text(identifier.kind))).rstrip("^")


def _request(told: Told, state: str) -> str:
    """OBR: the filler's number is the accession as the laboratory sent it."""
    fields = ["1", "", _text(told.accession), "^".join(_CODE), *[""] * 17, written(told.reported_at), "", "SP"]
    return _segment("OBR", *fields, "C" if state == "X" else state)


def _observations(told: Told, state: str, version: str) -> list[str]:
    valued = told.status in _ANSWERS and state != "X"
    answer = "^".join(_ANSWERS[told.status]) if valued else ""
    flag = _FLAGS.get(told.status, "") if valued else ""
    instance = f"{told.result_id}/{told.version_number}" if told.result_id else ""
    segments = [_observation("1", "^".join(_CODE), answer, flag, state, told, instance if version >= "2.7" else "")]
    lines = [
        "computed, confirmed" if told.signed else "computed, not yet confirmed",
        *(["not final"] if not told.final or told.status not in _ANSWERS else []),
        *([f"replaces: {told.replaced_status}"] if told.replaced_status else []),
        told.summary,
        *(f"missing: {step}" for step in told.next_steps),
        f"edition {told.edition}, engine {told.engine}",
        f"result {told.result_id}, version {told.version_number}",
    ]
    segments += _comments(lines)
    # Told again without a category, lest one that was told before stand on.
    if told.her2_low in HER2_LOW or told.replaced_status:
        category = told.her2_low if valued and told.her2_low in HER2_LOW else ""
        value = _own(category, HER2_LOW[category].text) if category else ""
        kept = state if category or not told.replaced_status else "X"
        segments.append(_observation("2", _own("her2-low", "HER2-low category"), value, "", kept, told, ""))
        segments += _comments(["Herald's own list of codes"])
    return segments


def _observation(number: str, name: str, value: str, flag: str, state: str, told: Told, instance: str) -> str:
    method = _own(told.edition, told.edition)
    analysed = written(told.reported_at)
    fields = [number, "CWE", name, _text(told.block), value, "", "", flag, "", "", state, "", "", "", "", "", method]
    return _segment("OBX", *fields, "", analysed, "", _text(instance))


def _own(code: str, name: str) -> str:
    return "^".join((_text(code), _text(name), _OWN))


def _comments(texts: Sequence[str]) -> list[str]:
    return [_segment("NTE", str(number), "L", _text(text)) for number, text in enumerate(filter(None, texts), 1)]


def _specimen(told: Told) -> str:
    specimen = f"^{_text(told.specimen)}" if told.specimen else ""
    described = f"Block {_text(told.block)}" if told.block else ""
    return _segment("SPM", "1", specimen, "", "TISS^Tissue^HL70487", *[""] * 9, described)


def _text(text: str) -> str:
    return escaped(text, _DIALECT)


def _segment(*fields: str) -> str:
    return "|".join(fields).rstrip("|")
