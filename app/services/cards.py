"""What a card tells: only what someone has to do, or what is new. Nothing to say is no card.

Where Herald's record and the EHR's Observations differ, or where specimens differ and nothing says which is the newest,
that is told and none of them is chosen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import urlencode

from app.domain import codes
from app.domain.cards import card_uuid
from app.domain.problems import Problem
from app.interop.cds_hooks.cards import Card, Link, plain
from app.interop.cds_hooks.orders import Agent, Draft, agents_in
from app.interop.tabular import SHORT
from app.services import card_texts as texts
from app.services.assessment import EVIDENCE_SOURCE, withheld
from app.services.joining import fields_of
from app.services.known_results import Told, minute

# What stands first in a card that has several things to tell; each with its kind for feedback.
_KINDS = {
    "contradictory": "contradiction",
    "not-final": "missing",
    "changed": "changed",
    "unconfirmed": "status",
    "her2-low": "status",
}
_URGENT = ("contradictory", "not-final")
_EVIDENCE = {"endocrine": "evidence-endocrine", "anti-HER2": "evidence-anti-her2", "CDK4/6": "evidence-cdk46"}
_CONTEXT = {"er": "context.er", "pgr": "context.pgr", "setting": "context.setting"}
_NOTHING = Problem("MISSING_FIELD", "her2", "is not settled", "settle it first")
_NOT_COMPARED = "The EHR's HER2 Observations did not come: Herald's record was not compared with them."
_UNORDERED = "specimens differ and nothing says which is the newest"
_DIFFER = "Herald's record and the EHR's Observations differ on HER2"


@dataclass(frozen=True, slots=True)
class Situation:
    """What is known when a hook is called. stored: Herald's results, the oldest first; ehr: what the EHR's data say.

    compared: False where the EHR's Observations did not come, so that nothing was compared with them; patients:
    Herald's patients with these identifiers; complete: False where the EHR sent one page of a longer list; base: the
    address of this service; smart: whether this EHR can launch Herald as a SMART app; now: aware.
    """

    stored: tuple[Told, ...]
    ehr: tuple[Told, ...]
    patients: tuple[str, ...]
    complete: bool
    base: str
    smart: bool
    now: datetime
    compared: bool = True

    @property
    def differing(self) -> tuple[Told, ...]:
        """What the EHR's data say and no stored result says."""
        if not self.stored:
            return ()
        known = {each.says for each in self.stored}
        statuses = {each.answer["status"] for each in self.stored}
        return tuple(each for each in self.ehr if each.says not in known and not texts.reports_only(each, statuses))


# ---- patient-view


def patient_view(at: Situation) -> list[Card]:
    """The cards at the opening of a chart."""
    cards = list(_several_patients(at))
    if at.differing:
        cards.append(_differ(at))
    told = at.stored or at.ehr
    if not at.differing and not _is_newest_known(told):
        cards.append(_unordered(told, at))
    for number, each in enumerate(told):
        earlier = told[number - 1] if number == len(told) - 1 and number and _is_newest_known(told) else None
        cards += _about(each, earlier, at)
    if not at.complete:
        cards = [_incomplete(at), *cards]
    return cards


def _about(told: Told, earlier: Told | None, at: Situation) -> Iterator[Card]:
    """The card of one result; earlier: of the specimen before, where this is the newest."""
    reasons = dict(_reasons(told, earlier, at))
    if not reasons:
        return
    topic = next(each for each in _KINDS if each in reasons)
    others = [f"{text}." for each, text in reasons.items() if each not in _URGENT]
    detail = [*texts.about(told, at.now), *(plain(each) for each in others), texts.foot(told)]
    urgent = topic in _URGENT and not texts.is_reported_only(told)
    yield _card(topic, _KINDS[topic], "warning" if urgent else "info", reasons[topic], detail, told, at)


def _reasons(told: Told, earlier: Told | None, at: Situation) -> Iterator[tuple[str, str]]:
    """What has to be known or done, in one line each, by topic."""
    answer = told.answer
    if answer["status"] == "invalid" or (told.problems and not answer["final"]):
        yield "contradictory", f"HER2 not settled. {texts.why_open(told)}"
    elif told.problems:
        yield "contradictory", f"{texts.status_line(answer)}; {told.problems[0].message}"
    elif not answer["final"]:
        yield "not-final", ("Overdue: " if texts.is_overdue(told, at.now) else "") + texts.why_open(told)
    if not answer["final"]:
        return
    if told.before is not None:
        yield "changed", f"{texts.status_line(answer)}; the version before said {told.before}"
    elif earlier is not None and earlier.answer["final"] and earlier.answer["status"] != answer["status"]:
        when = f" of {earlier.at:%Y-%m-%d}" if earlier.at else ""
        yield "changed", f"{texts.status_line(answer)}; the specimen before{when} was {earlier.answer['status']}"
    if told.awaits_sign_off:
        yield "unconfirmed", f"{texts.status_line(answer)}; computed, not yet confirmed by sign-off"
    if answer["her2_low"] in ("low", "ultralow"):
        meaning = codes.HER2_LOW[answer["her2_low"]].text
        yield "her2-low", f"HER2-{answer['her2_low']}: {meaning}"


def _several_patients(at: Situation) -> Iterator[Card]:
    if len(at.patients) > 1:
        told = "The identifiers of this patient belong to several patients in Herald; their results are not shown"
        detail = [f"{told}.", "Merge the patients in Herald where they are one person.", _now(at)]
        yield _card("records-differ", "contradiction", "warning", told, detail, None, at)


def _is_newest_known(told: Sequence[Told]) -> bool:
    """Do specimens say the same, or is the last of another day than every other, all with a day?"""
    if len({each.says for each in told}) < 2:
        return True
    days = [each.at.astimezone(UTC).date() for each in told if each.at]
    return len(days) == len(told) and all(day < days[-1] for day in days[:-1])


def _unordered(told: Sequence[Told], at: Situation) -> Card:
    lines = "\n".join(f"- {_in_short(each)}" for each in told)
    detail = [f"{_UNORDERED}. None is chosen here.", lines, texts.foot(told[-1])]
    return _card("contradictory", "contradiction", "warning", f"HER2: {_UNORDERED}", detail, told[-1], at)


def _incomplete(at: Situation) -> Card:
    told = "The EHR sent only a part of the HER2 Observations: others may say otherwise"
    return _card("incomplete", "other", "info", told, [f"{told}.", _now(at)], None, at)


def _differ(at: Situation) -> Card:
    lines = [f"- Herald: {_in_short(each)}" for each in at.stored]
    lines += [f"- EHR: {_in_short(each)}" for each in at.ehr]
    detail = [f"{_DIFFER}. Neither is chosen here.", "\n".join(lines), texts.foot(at.stored[-1])]
    said = f"{_DIFFER}: {at.stored[-1].answer['status']} and {at.differing[-1].answer['status']}"
    return _card("records-differ", "contradiction", "warning", said, detail, at.stored[-1], at)


def _in_short(told: Told) -> str:
    specimen = f" (specimen {plain(told.specimen)})" if told.specimen else ""
    return f"{texts.status_line(told.answer)}{specimen}. {told.as_of}"


def _now(at: Situation) -> str:
    return f"As of {minute(at.now)}. {texts.present_evidence()}"


# ---- order-select


def order_select(drafts: Iterable[Draft], at: Situation) -> list[Card]:
    """The cards when orders are selected: () where none of them is an endocrine, anti-HER2 or CDK4/6 agent."""
    agents = tuple(dict.fromkeys(agent for draft in drafts for agent in agents_in(draft.names)))
    if not agents:
        return []
    told, why = _counting(at)
    if told is None:
        return [_open(agents, why, at)]
    return [_evidence([each for each in agents if each.kind == kind], told, at) for kind in _kinds(agents)]


def _kinds(agents: Sequence[Agent]) -> list[str]:
    return list(dict.fromkeys(each.kind for each in agents))


def _counting(at: Situation) -> tuple[Told | None, str]:
    """The result by which evidence is looked for, or why there is none."""
    if len(at.patients) > 1:
        return None, "the identifiers belong to several patients in Herald"
    if at.differing:
        return None, _DIFFER
    told = at.stored or at.ehr
    if not told:
        return None, "no HER2 result is known"
    newest = told[-1]
    if not _is_newest_known(told):
        return None, _UNORDERED
    if not newest.answer["final"]:
        return None, texts.why_open(newest)
    if newest.problems:
        return None, newest.problems[0].message
    if not at.complete:
        return None, "the EHR sent only a part of the HER2 Observations"
    return newest, ""


def _open(agents: Sequence[Agent], why: str, at: Situation) -> Card:
    """The warning in place of evidence while HER2 is open."""
    told = (at.stored or at.ehr)[-1] if at.stored or at.ehr else None
    silence = withheld({}, [_NOTHING])["considerations"]["says_nothing"]
    named = texts.names_of(agents)
    detail = [f"{named} selected. HER2 is not settled: {plain(why)}.", plain(silence)]
    if at.differing:
        detail.append("\n".join(f"- {_in_short(each)}" for each in (*at.stored, *at.ehr)))
    elif told is not None:
        detail += [*texts.about(told, at.now), texts.foot(told)]
    if told is None or at.differing:
        detail.append(_now(at))
    kind = "contradiction" if at.differing else "missing"
    topic = "records-differ" if at.differing else "not-final"
    return _card(topic, kind, "warning", f"HER2 not settled: {why}", detail, told, at)


def _evidence(agents: Sequence[Agent], told: Told, at: Situation) -> Card:
    paragraphs, number = texts.sections(told, agents, at.base)
    named, status = texts.names_of(agents), texts.status_line(told.answer)
    says = f"{number} considerations" if number > 1 else "one consideration" if number else "nothing"
    summary = f"{named}; {status}: {EVIDENCE_SOURCE} offers {says} for and against"
    if not number:
        summary = f"{named}; {status}: {EVIDENCE_SOURCE} offers nothing on it for this patient"
    others = [each for each in (at.stored or at.ehr)[:-1] if each.says != told.says]
    beside = [f"An earlier specimen: {_in_short(each)}" for each in others]
    detail = [*texts.about(told, at.now), *beside, *paragraphs, texts.foot(told)]
    return _card("evidence", _EVIDENCE[agents[0].kind], "info", summary, detail, told, at)


# ---- the card itself


def _card(
    topic: str,
    kind: str,
    indicator: Literal["info", "warning", "critical"],
    summary: str,
    detail: Sequence[str],
    told: Told | None,
    at: Situation,
) -> Card:
    paragraphs = [*detail[:-1], *([] if at.compared else [_NOT_COMPARED]), *detail[-1:]]
    return Card(card_uuid(kind), topic, indicator, summary, "\n\n".join(paragraphs), tuple(_links(topic, told, at)))


def _links(topic: str, told: Told | None, at: Situation) -> Iterator[Link]:
    if told is not None and told.patient_id:
        yield Link("Open the case in Herald", f"{at.base}/browser/patients/{told.patient_id}")
    elif told is not None and not told.problems and (query := _query(told.document)):
        yield Link("Open these values in Herald's calculator", f"{at.base}/?{query}")
    if at.smart:
        context = {"topic": topic} | ({"result": told.result_id} if told is not None and told.result_id else {})
        yield Link("Open in Herald as a SMART app", f"{at.base}/smart/launch", context)


def _query(document: Mapping[str, object]) -> str:
    """The values of a case that the calculator takes: nothing that names a patient or a specimen."""
    fields = fields_of(document)
    return urlencode({name: str(fields[path]) for name, path in (SHORT | _CONTEXT).items() if path in fields})
