"""What a subscriber is told: which line of the outbox is which event, and its payload.

result.final: the first version of a result whose answer is final. result.amended: each later version of a result that
was final before, and each amendment, correction or cancellation of one that was not. status.changed, result.signed,
result.moved: as the line says. A version that is none of these is no event.
"""

from __future__ import annotations

from typing import Any

from app.records.queries import Reading
from app.records.subscriptions import Place, Subscriptions
from app.services.deliveries import Line

EVENTS = ("result.final", "result.amended", "status.changed", "result.signed", "result.moved")
TEST_EVENT = "herald.test"
_VERSIONS = ("result.final", "result.amended")
_AS_THEY_ARE = ("status.changed", "result.signed", "result.moved")
_AMENDING = ("amended", "corrected", "cancelled")
# every topic under which a version is told: final, or its cause
VERSION_TOPICS = (
    "result.final", "result.reported", "result.preliminary", "result.corrected", "result.cancelled", "result.amended",
    "result.recount", "result.adjudication",
)  # fmt: skip


def with_companions(events: set[str], sees: str) -> tuple[str, ...]:
    """The events with those that must not be missed beside them, in one order.

    Who is told that a result is final is told when it is amended; who sees the patient is told when the result moves.
    """
    more = {"result.amended"} if "result.final" in events else set()
    if sees == "patient" and events & set(_VERSIONS):
        more |= {"result.moved"}
    return tuple(each for each in EVENTS if each in events | more)


def topics_of(events: tuple[str, ...]) -> tuple[str, ...]:
    """The topics of the outbox in which these events can be."""
    versions = VERSION_TOPICS if set(events) & set(_VERSIONS) else ()
    return (*versions, *(each for each in events if each in _AS_THEY_ARE))


def event_of(topic: str, place: Place | None) -> str | None:
    """The event that a line is; None where it is none. place: of the version that it is about."""
    if topic in _AS_THEY_ARE:
        return topic
    if place is None or topic not in VERSION_TOPICS:
        return None
    if place.final and not place.final_before:
        return "result.final"
    return "result.amended" if place.final_before or (place.number > 1 and place.cause in _AMENDING) else None


def payload(reading: Reading, line: Line, event: str, *, sees: str, base_url: str) -> dict[str, Any] | None:
    """What is sent: of the version that the line is about, as things stood when the line was made, at each attempt.

    sees: nothing, or patient for Herald's own id of the patient. None where the content was erased by order.
    """
    result_id = line.content["result"]
    history = reading.find_history(result_id)
    about = next((each for each in history if each.version.id == line.version_id), None)
    answer = about.current if about is not None else None
    if about is None or answer is None or answer.answer is None:
        return None
    data: dict[str, Any] = {
        "result_id": result_id,
        "version": about.version.number,
        "cause": about.version.cause,
        "status": answer.status,
        "final": answer.final,
        "her2_low": answer.her2_low,
        "signed": about.is_signed(line.made_at),
        "edition": answer.edition_id,
    }
    if event == "status.changed":
        data |= {"from": line.content["from"], "to": line.content["to"]}
    links = {
        "result": f"{base_url}/results/{result_id}",
        "history": f"{base_url}/results/{result_id}/history",
    }
    if sees == "patient":
        data["patient_id"] = Subscriptions(reading).patient_at(result_id, line.made_at)
        links["case"] = f"{base_url}/browser/patients/{data['patient_id']}"
        if event == "result.moved":
            data |= {"from_patient_id": line.content["from"]}
    return {"type": event, "timestamp": line.made_at.isoformat(), "data": {**data, "links": links}}
