"""The words of cards: short Markdown about one result, and about what the evidence says for and against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from app.domain import codes
from app.interop.cds_hooks.cards import plain
from app.interop.cds_hooks.orders import Agent
from app.services.assessment import EVIDENCE_IDENTITY, EVIDENCE_SOURCE, weighed_anew
from app.services.known_results import Told

_SHOWN = 1  # statements of a side told in full; the others are named with their links
_WORDS = {"specimen.kind": "what was tested", "line": "line of treatment", "er": "ER", "pgr": "PgR"}
_AWAITED = "A result is in the EHR and is not final there: nothing of it is read"
_SETTINGS = ("metastatic", "neoadjuvant", "adjuvant")


def status_line(answer: Mapping[str, Any]) -> str:
    """The status in a few words: what it is, whether final, and the HER2-low class."""
    told = [f"HER2 {answer['status']}", "final" if answer["final"] else "not final"]
    if answer["her2_low"] in ("low", "ultralow"):
        told.append(f"HER2-{answer['her2_low']}")
    return ", ".join(told)


def is_reported_only(told: Told) -> bool:
    """Is a status all that was sent, without a score or a count by which it could be checked?"""
    return bool(told.document.get("reported_status")) and told.answer["next_steps"] == ["perform_ihc_or_ish"]


def reports_only(told: Told, statuses: Iterable[str]) -> bool:
    """Is all that was sent a status, and that one of these? It has less than they have, and differs in nothing."""
    said = str(told.document.get("reported_status") or "").split("; ")
    whole = {each.partition(" by ")[0] for each in said}
    return is_reported_only(told) and not told.problems and whole <= set(statuses)


def is_awaited(told: Told) -> bool:
    """Is nothing read yet of a result that is under way, so that no other test is to be done?"""
    return told.awaited and told.answer["next_steps"] == ["perform_ihc_or_ish"]


def why_open(told: Told) -> str:
    """Why a status is not final, in one line."""
    answer = told.answer
    if is_reported_only(told):
        reported = told.document["reported_status"]
        return f"HER2 is reported {reported}; the IHC score or ISH counts behind it are not there"
    if told.problems:
        problem = told.problems[0]
        return f"{problem.field}: {problem.message}"
    if is_awaited(told):
        return f"HER2 {answer['status']}, not final. {_AWAITED}"
    if answer["problems"]:
        problem = answer["problems"][0]
        return f"{problem['field']}: {problem['message']}"
    steps = [each for each in answer["next_steps"] if each not in codes.ADVICE_STEPS]
    return f"HER2 {answer['status']}, not final" + (f". Next: {answer['texts'][steps[0]]}" if steps else "")


def about(told: Told, now: datetime) -> Iterator[str]:
    """The paragraphs about one result: the status, what is missing, what contradicts."""
    answer = told.answer
    head = f"**{status_line(answer)}**"
    yield f"{head}, specimen {plain(told.specimen)}." if told.specimen else f"{head}."
    if is_reported_only(told):
        yield f"{plain(why_open(told))}. A reported status is kept and never used to classify."
    elif is_awaited(told):
        yield f"{_AWAITED}."
    elif steps := list(_steps(told, now)):
        yield "What is missing:\n" + "\n".join(f"- {each}" for each in steps)
    problems = [(each.field, each.message, each.remedy) for each in told.problems] or [
        (each["field"], each["message"], each["remedy"]) for each in answer["problems"]
    ]
    if problems:
        yield "What contradicts, or cannot be read:\n" + "\n".join(
            f"- {plain(field)}: {plain(message)}; {plain(remedy)}" for field, message, remedy in problems
        )


def _steps(told: Told, now: datetime) -> Iterator[str]:
    """What is still to be done, with who does it and since when it is overdue."""
    for each in told.steps:
        day = f"{each['due']:%Y-%m-%d}"
        due = f"overdue since {day}" if each["due"] < now else f"due {day}"
        yield f"{each['text']} ({', '.join(part for part in (each['who'], due) if part)})"
    if not told.steps and not told.answer["final"]:
        yield from (told.answer["texts"][each] for each in told.answer["next_steps"])


def is_overdue(told: Told, now: datetime) -> bool:
    return any(each["due"] < now for each in told.steps)


def foot(told: Told) -> str:
    """Of when a card is, and by which rules and evidence."""
    return f"{told.as_of}\n{_versions(told.answer)}"


def _versions(answer: Mapping[str, Any]) -> str:
    edition, evidence = answer["edition"], answer["evidence"]
    return f"{edition['title']} ({edition['version']}); evidence {evidence['id']} {evidence['version']}."


def present_evidence() -> str:
    """The pack at work, for a card that no answer stands behind."""
    return f"Evidence {EVIDENCE_IDENTITY['id']} {EVIDENCE_IDENTITY['version']}."


# ---- what the evidence says


def sections(told: Told, agents: Sequence[Agent], base: str) -> tuple[list[str], int]:
    """What the evidence says for a patient about the agents, as paragraphs, and how many considerations there are.

    A setting that is not known is not guessed: what holds in each is told apart.
    """
    context = told.document.get("context")
    setting = context.get("setting") if isinstance(context, Mapping) else None
    present = weighed_anew(told.document, told.answer)
    general = _about_agents(present, agents)
    paragraphs = [_consideration(each, base) for each in general]
    shown = {each["id"]: each for each in general}
    if setting in (None, "unknown"):
        for each_setting in _SETTINGS:
            here = _about_agents(weighed_anew(told.document, told.answer, each_setting), agents)
            here = [each for each in here if each["id"] not in shown]
            if here:
                paragraphs.append(f"**If the setting is {each_setting}** (it is not known):")
                paragraphs += [_consideration(each, base) for each in here]
            shown |= {each["id"]: each for each in here}
    if present["says_nothing"]:
        paragraphs.append(plain(present["says_nothing"]))
    if shown:
        caveats = dict.fromkeys(one for each in shown.values() for one in each["caveats"])
        listed = [*caveats, present["dated"], present["general_caution"]]
        paragraphs.append("Caveats:\n" + "\n".join(f"- {plain(each)}" for each in listed))
    if fields := [
        _WORDS.get(each["field"]) or each["field"].removeprefix("biomarkers.").replace("_", " ")
        for each in present["missing"]
    ]:
        paragraphs.append(f"Not known, and each could change this: {plain(', '.join(fields))}.")
    return paragraphs, len(shown)


def _about_agents(weighing: Mapping[str, Any], agents: Sequence[Agent]) -> list[Mapping[str, Any]]:
    """The considerations whose title or therapies speak of the agents."""
    words = {word for agent in agents for word in agent.about}
    unless = {word for agent in agents for word in agent.unless} - {word for agent in agents for word in agent.words}

    def is_about(consideration: Mapping[str, Any]) -> bool:
        texts = [each.casefold() for each in (consideration["title"], *consideration["therapies"])]
        return any(word in text for text in texts if not any(each in text for each in unless) for word in words)

    return [each for each in weighing["considerations"] if is_about(each)]


def _consideration(each: Mapping[str, Any], base: str) -> str:
    lines = [f"**{plain(each['title'])}** (certainty {each['certainty']['level']})"]
    for word, side in (("For", each["for"]), ("Against", each["against"])):
        lines += [f"- {word}: {_statement(one, base)}" for one in side[:_SHOWN]]
        if more := side[_SHOWN:]:
            lines.append(f"- {word}, also: {', '.join(_cited(one, base) for one in more)}")
    if not each["against"] and each["against_note"]:
        lines.append(f"- Against: {plain(each['against_note'])}")
    lines += [f"- Not to be concluded: {plain(one)}" for one in each["must_not_conclude"]]
    return "\n".join(lines)


def _statement(each: Mapping[str, Any], base: str) -> str:
    beside = [word for word, holds in _marks(each) if holds]
    told = f" ({plain('; '.join(beside))})" if beside else ""
    return f"{plain(each['summary'])} ({_cited(each, base)}){told}"


def _marks(each: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    differs = ", ".join(one["what"].replace("_", " ") for one in each["differs_in"])
    yield f"about others than this patient: {differs}", bool(differs)
    for reference in each["references"]:
        yield f"{reference['cited_as']}: {reference['standing']}", reference["standing"] not in ("valid", "unknown")
    yield "does not count", not each["counts"]


def _cited(each: Mapping[str, Any], base: str) -> str:
    by = "; ".join(each["cited_as"]) or EVIDENCE_SOURCE
    return f"[{plain(by)}]({base}/browser/evidence/{each['id']})"


def names_of(agents: Iterable[Agent]) -> str:
    """Agents by name, one sentence's beginning."""
    told = ", ".join(each.name for each in agents)
    return told[:1].upper() + told[1:]
