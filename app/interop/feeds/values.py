"""What a value says for a field of the case document: read whole or not at all, never a part of it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, NamedTuple

from app.domain.problems import Problem
from app.interop.feeds.amounts import read_amount
from app.interop.feeds.feed import Feed
from app.interop.feeds.scores import read_score
from app.interop.feeds.words import LONGEST, NOT_DONE, SAYS_NOTHING, folded, holds, opposed, status_of, without
from app.interop.received import LOINC, SNOMED, Coding, Item, Value
from app.interop.tabular import FIELDS, plain

_MEASURED = ("quantity", "range", "ratio")
_METHODS = re.compile(r"\b(FISH|CISH|SISH|D?DISH|ISH)\b", re.IGNORECASE)
_FLAGS = {"true": True, "yes": True, "false": False, "no": False}


class Said(NamedTuple):
    """facts: fields with their values; claims: fields that must hold this value elsewhere; note: for a person."""

    facts: tuple[tuple[str, Any], ...] = ()
    claims: tuple[tuple[str, Any], ...] = ()
    note: str = ""


def read_value(value: Value, target: str, feed: Feed, item: Item) -> Said | Problem:
    """What a value says where the feed sends it to a target, or why it stays open. Raises nothing."""
    if value.kind == "none" or not (value.text.strip() or value.codings):
        return Said(note="no value")
    if max((len(value.text), *(len(each.display) for each in value.codings))) > LONGEST:
        return Problem("AMBIGUOUS", value.where, "is too long to be one value", "send the value alone")
    word = _coded(value, feed)
    if isinstance(word, Problem):
        return word
    if word is None:
        own = feed.words.get(target, {}).get(plain(value.text))
        if own is not None:
            return Said(((target, own),)) if own != "" else Said(note="gives nothing, as the feed says")
    if target == "ihc.score":
        return _score(value, word, feed)
    if target == "reported_status":
        return _status(value, word, feed)
    if target.endswith("ish.method"):
        return _presence(value, word, feed, item, target)
    if target in ("context.er", "context.pgr"):
        return _receptor(value, word, target, feed)
    kind = FIELDS.get(target)
    if kind == "number":
        return _amount(value, word, target, feed)
    return _other(value, word, target, str(kind))


def contradiction(codings: tuple[Coding, ...], text: str, target: str, where: str, feed: Feed) -> Problem | None:
    """Does a code's display, or the text beside it, say what the code does not?"""
    code = _contradicted(codings, text, target.split(".")[0], feed)
    return None if code is None else _clash(where, f"code {code[:20]} and the name beside it contradict each other")


@lru_cache(maxsize=4096)
def _contradicted(codings: tuple[Coding, ...], text: str, head: str, feed: Feed) -> str | None:
    """The code whose names say what it does not: senders repeat the same few names."""
    told = [plain(text), *(plain(each.display) for each in codings)]
    for coding in codings:
        words = {*feed.contradicts.get((coding.system, coding.code), ()), *feed.foreign.get(head, ())}
        if any(holds(name, word) for name in told for word in words):
            return coding.code
    return None


def method_of(item: Item, feed: Feed) -> str:
    """FISH, CISH, SISH ... where a code of the method, or the code asked, says so; "" where none does."""
    for coding in item.method:
        if match := _METHODS.search(f"{coding.code} {coding.display}"):
            return match[1].upper()
    known = (feed.methods.get((each.system, each.code), "") for each in (*item.method, *item.codings))
    return next(filter(None, known), "")


def _coded(value: Value, feed: Feed) -> str | Problem | None:
    """The word of a coded answer; its display is looked at only for what contradicts it."""
    if not value.codings:
        return None
    word, clash = _word(value.codings, value.text, feed)
    return _clash(value.where, clash) if clash else word


@lru_cache(maxsize=4096)
def _word(codings: tuple[Coding, ...], text: str, feed: Feed) -> tuple[str | None, str]:
    """The word of a coded answer, or what contradicts in it: senders repeat the same few answers."""
    words = {feed.answers[at] for each in codings if (at := (each.system, each.code)) in feed.answers}
    if not words:
        return None, ""
    statuses = {status for each in words if (status := status_of(each))}
    if len(words) > 1 and (len(statuses) < len(words) or any(opposed(a, b) for a in statuses for b in statuses)):
        return None, "its codes say different things"
    word = " and ".join(sorted(words))
    if any(_against(word, told, feed) for told in {text, *(each.display for each in codings)}):
        return None, "the code of the answer and the text beside it contradict each other"
    return word, ""


def _against(word: str, told: str, feed: Feed) -> bool:
    named = folded(told)
    mine, theirs = read_score(word, ""), read_score(named, "", feed.asides)
    if isinstance(mine, str) and isinstance(theirs, str) and mine.rstrip("+") != theirs.rstrip("+"):
        return True
    named = re.sub(r"\bher2\b|\b(?:breast )?carcinoma(?: of (?:the )?breast)?\b|[(),]", " ", named)
    status = status_of(" ".join(named.split()), feed.asides)
    if isinstance(mine, str):
        return bool(status) and isinstance(read_score(f"{word} ({status})", ""), Problem)
    return opposed(status_of(word), status)


# ---- by target


def _score(value: Value, word: str | None, feed: Feed) -> Said | Problem:
    where = value.where
    if value.kind == "quantity":
        whole = (
            value.number in ("0", "1", "2", "3") and not value.comparator and value.unit in ("", "1", "+", "{score}")
        )
        if not whole:
            return _clash(where, "a number stands where an IHC score is asked for")
        return Said((("ihc.score", "0" if value.number == "0" else f"{value.number}+"),))
    if value.kind in _MEASURED:
        return _clash(where, "a range or ratio stands where an IHC score is asked for")
    if value.codings and word is None:
        return _own_code(value, feed)
    text = folded(word or value.text)
    told = without(text, feed.asides)
    if told in SAYS_NOTHING:
        # another report's score must not be lost by it
        return Said(note=f"IHC: {told if told in NOT_DONE else 'no score yet'}; gives nothing")
    status = status_of(text, feed.asides)
    if status == "indeterminate":
        return Said((("ihc.score", "indeterminate"),))
    if status:
        return Said((("reported_status", f"{status} by IHC"),), note="a status, no score: ask for the score")
    read = read_score(text, where, feed.asides)
    if isinstance(read, Problem):
        return read
    if read is None:
        remedy = 'send 0, 1+, 2+ or 3+, or add the text to [words."ihc.score"] of the feed'
        return Problem("AMBIGUOUS", where, "is not clearly one score", remedy)
    return Said((("ihc.score", read),))


def _own_code(value: Value, feed: Feed) -> Said | Problem:
    """An answer from a sender's own list whose code is itself the score, and whose name says nothing else."""
    own = [each for each in value.codings if each.system not in (LOINC, SNOMED)]
    scores = {read_score(each.code, "") if "+" in each.code or each.code == "0" else None for each in own}
    names = {read_score(folded(each.display), "", feed.asides) or "" for each in own if each.display}
    score = next(iter(scores)) if len(scores) == 1 else None
    agreed = names <= {score, ""} or (score == "0" and names <= {"0", "0+", ""})
    words = {status_of(folded(each.display), feed.asides) for each in own}
    if isinstance(score, str) and len(own) == len(value.codings) and agreed:
        if any(word and isinstance(read_score(f"{score} ({word})", ""), Problem) for word in words):
            return _clash(value.where, "the code of the answer and the text beside it contradict each other")
        return Said((("ihc.score", score),))
    named = next((f"{each.system or 'local'}|{each.code[:20]}" for each in value.codings), "")
    remedy = "add it to [answers] of the feed, or its text to [words]"
    return Problem("UNKNOWN_CODE", value.where, f"the feed does not know the answer {named}", remedy)


def _status(value: Value, word: str | None, feed: Feed) -> Said | Problem:
    if value.kind in _MEASURED:
        return _clash(value.where, "a number stands where a status is asked for")
    text = folded(word or value.text)
    status = status_of(text, feed.asides)
    if status:
        return Said((("reported_status", status),))
    if without(text, feed.asides) in SAYS_NOTHING:
        return Said(note="no status yet")
    written = (word or value.text or value.codings[0].display or value.codings[0].code).strip()[:300]
    if word is None and re.search(r"\d|\+\+|\bplus\b", re.sub(r"her2|cep17", "", without(text, feed.asides))):
        score = read_score(text, "")
        if isinstance(score, str):
            return Said((("reported_status", written),), (("ihc.score", score),))
        remedy = "send scores and numbers by their own codes, or add the text to [words.reported_status]"
        return Problem("AMBIGUOUS", value.where, "holds a number where a status is asked for", remedy)
    return Said((("reported_status", written),), note="kept as written, never used to classify")


def _presence(value: Value, word: str | None, feed: Feed, item: Item, target: str) -> Said | Problem:
    """Amplified or not: a status. That ISH was done is known, its values are not: an ISH that is outstanding."""
    text = without(folded(word or value.text), feed.asides)
    if value.kind in _MEASURED or re.search(r"\d", re.sub(r"her2|cep17", "", text)):
        return _clash(value.where, "a number stands where amplified or not is asked for")
    if text in NOT_DONE:
        return Said(note="ISH was not done; gives nothing")
    if not status_of(text) and text not in SAYS_NOTHING and not _METHODS.fullmatch(text):
        remedy = f'send amplified or not amplified, or add the text to [words."{target}"] of the feed'
        return Problem("AMBIGUOUS", value.where, "is not clearly a result of ISH", remedy)
    method = method_of(item, feed) or "ISH"
    if match := _METHODS.fullmatch(text):
        return Said(((target, match[1].upper()),))
    told: tuple[tuple[str, Any], ...] = ((target, method),)
    if status := status_of(text):
        told = (("reported_status", f"{status} by ISH"), *told)
    return Said(told, note="ISH without its values: outstanding")


def _receptor(value: Value, word: str | None, target: str, feed: Feed) -> Said:
    text = folded(word or value.text)
    share = re.fullmatch(r"(.*?)\s*\(\s*([<>]?=?\d{1,3})\s*%[^()]*\)", text)
    status = status_of(share[1] if share else text, feed.asides)
    if status not in ("positive", "negative") or value.kind in _MEASURED:
        return Said(note="not clearly positive or negative: not taken")
    return Said(((target, status), *([(f"{target}_percent", share[2])] if share else [])))


def _amount(value: Value, word: str | None, target: str, feed: Feed) -> Said | Problem:
    told = without(folded(word or value.text), feed.asides)
    if told in SAYS_NOTHING:
        return Said(note="no number yet; gives nothing")
    if word is not None or value.kind == "coded":
        return _clash(value.where, f"a coded answer stands where {target} asks for a number")
    read = read_amount(value, target, feed.decimal_comma, feed.asides)
    return read if isinstance(read, Problem) else Said(((target, read),))


def _other(value: Value, word: str | None, target: str, kind: str) -> Said | Problem:
    """Words and flags of the case document; its reading says where one is not in the list."""
    if word is None and value.codings:
        remedy = f'add the answer to [answers], or its text to [words."{target}"]'
        return Problem("UNKNOWN_CODE", value.where, f"the feed does not know this answer for {target}", remedy)
    text = (word or value.text).strip()
    if kind == "flag":
        return Said(((target, _FLAGS.get(plain(text), text)),))
    if kind == "whole" and text in ("1", "2", "3"):
        return Said(((target, int(text)),))
    return Said(((target, text if kind == "text" else plain(text)),))


def _clash(where: str, message: str) -> Problem:
    return Problem("CONTRADICTORY", where, message, "send what was reported, once and by its right code")
