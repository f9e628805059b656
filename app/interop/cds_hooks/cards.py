"""Cards written as the standard asks: nothing is null or empty but the list of cards. No suggestions, no actions."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

SUMMARY_LONGEST = 139  # the standard: fewer than 140 characters
SYSTEM = "urn:herald:card"
OVERRIDE_SYSTEM = "urn:herald:card-override"
LABEL = "Herald HER2"

# What a card can be about; source.topic.
TOPICS = {
    "not-final": "HER2 status not final",
    "contradictory": "HER2 results contradict each other",
    "changed": "HER2 status changed",
    "unconfirmed": "HER2 status not yet confirmed",
    "her2-low": "HER2-low",
    "records-differ": "Herald's record and the EHR differ on HER2",
    "incomplete": "HER2 data incomplete",
    "evidence": "Evidence beside an order",
}
OVERRIDE_REASONS = {
    "known": "Already known to the team",
    "not-relevant": "Not relevant to this visit",
    "other-specimen": "A newer result of another specimen counts",
    "out-of-date": "The data are out of date",
    "wrong": "The card is wrong",
}
_REASONS = [{"code": code, "system": OVERRIDE_SYSTEM, "display": display} for code, display in OVERRIDE_REASONS.items()]
# What Markdown marks with, entities, and what GitHub's makes links of without any mark.
_MARKED = re.compile(r"([\\`*_{}\[\]<>()#|!~&@]|:(?=//)|(?<=www)\.)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Link:
    """A link of a card. context: for a SMART application, told to it at its launch; None for a plain address."""

    label: str
    url: str
    context: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """One card. topic: a key of TOPICS; detail: Markdown; summary: cut where it is too long."""

    uuid: str
    topic: str
    indicator: Literal["info", "warning", "critical"]
    summary: str
    detail: str
    links: tuple[Link, ...] = ()


def short(text: str, longest: int = SUMMARY_LONGEST) -> str:
    """A text of at most so many characters, cut at a word. Counted in UTF-16, as browsers and Java count."""
    told = " ".join(text.split())
    if _length(told) <= longest:
        return told
    cut = told[: longest - 1]
    while _length(cut) > longest - 1:
        cut = cut[:-1]
    whole = cut if told[len(cut)] == " " else cut.rpartition(" ")[0] or cut
    return whole.rstrip(" .,;:(") + "…"


def _length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def plain(text: str) -> str:
    """A text that others wrote, for Markdown: it stays text, whatever it holds."""
    return _MARKED.sub(r"\\\1", " ".join(text.split()))


def write_card(card: Card) -> dict[str, Any]:
    """A card as JSON types."""
    told: dict[str, Any] = {
        "uuid": card.uuid,
        "summary": short(card.summary),
        "indicator": card.indicator,
        "detail": card.detail,
        "source": {
            "label": LABEL,
            "topic": {"system": SYSTEM, "code": card.topic, "display": TOPICS[card.topic]},
        },
        "overrideReasons": _REASONS,
    }
    if card.links:
        told["links"] = [_link(each) for each in card.links]
    return told


def write_response(cards: Iterable[Card]) -> dict[str, Any]:
    """The answer of a service."""
    return {"cards": [write_card(each) for each in cards]}


def _link(link: Link) -> dict[str, str]:
    told = {"label": link.label, "url": link.url, "type": "absolute" if link.context is None else "smart"}
    if link.context:
        told["appContext"] = json.dumps(dict(link.context), separators=(",", ":"), sort_keys=True)
    return told
