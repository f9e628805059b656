"""Record messages of one batch in one transaction: what they need is found at once, what they add is added at once."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.domain.problems import Problem
from app.interop.received import Identifier, Mapped, Part, Received, part_of
from app.records.errors import Busy
from app.records.inbox import Contribution, InboxWriting
from app.records.rows import Identity, ResultView, Version
from app.records.writing import Transaction
from app.services.assessment import Assessment, assess, problem_document
from app.services.documents import text_of
from app.services.identity import apply_merge
from app.services.joining import assembled, cause_of, document_of, fields_of, renewed
from app.services.payloads import FHIR_JSON, HL7V2, TERMINAL, Kept, Outcome
from app.services.reporting import Context, new_version, record_version
from app.services.requests import OWN_NUMBERS, Person


@dataclass(frozen=True, slots=True)
class Understood:
    """A message as read and mapped; step: where the first problem arose."""

    received: Received | None
    mapped: Mapped
    step: str | None


class Waits(Exception):
    """problems: what a person has to settle."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__()
        self.problems = tuple(problems)


def waves(kept: Sequence[Kept], told: Mapping[str, Understood]) -> Iterator[list[Kept]]:
    """The messages in order, parted so that no specimen and no merge meets another message in its transaction."""
    wave: list[Kept] = []
    seen: set[str] = set()
    for each in kept:
        mapped = told[each.id].mapped
        keys = [join_key(part, each.payload.sender) for part in mapped.parts]
        names = {f"{each.payload.sender}|{each.payload.control_id}", *keys}
        if wave and (mapped.merges or len(set(keys)) < len(keys) or names & seen):
            yield wave
            wave, seen = [], set()
        wave.append(each)
        seen |= names
        if mapped.merges or len(set(keys)) < len(keys):
            yield wave
            wave, seen = [], set()
    if wave:
        yield wave


class Recorder:
    """One transaction's messages. told: what each says."""

    def __init__(self, context: Context, tx: Transaction, kept: Sequence[Kept], told: Mapping[str, Understood]) -> None:
        self._context, self._tx, self._kept, self._told = context, tx, kept, told
        self._inbox = InboxWriting(tx)
        old = [each.id for each in kept if not each.new]
        self._newest = self._inbox.newest(old) if old else {}
        self._settled: dict[str, list[str]] = {}

    def record(self) -> dict[str, Outcome]:
        """Record all of them. Raises Waits and what the store raises: then nothing of any is recorded."""
        reused = self._inbox.reused([(e.id, e.payload.sender, e.payload.control_id) for e in self._kept])
        parts = [(each, part) for each in self._kept for part in self._told[each.id].mapped.parts]
        keys = [join_key(part, each.payload.sender) for each, part in parts]
        alone = len(set(keys)) < len(keys) or any(self._told[each.id].mapped.merges for each in self._kept)
        self._find(parts)
        if not alone:
            self._tx.defer()
        outcomes = {each.id: self._one(each, each.id in reused, alone) for each in self._kept}
        self._audit()
        return outcomes

    def join(self, part: Part, run: int, sequence: int) -> dict[str, Any]:
        """One part of the one message, at once; its state is the caller's. Raises Waits before anything is appended."""
        (kept,) = self._kept
        self._find([(kept, part)])
        return self._join(kept, part, run, sequence)

    def _find(self, parts: Sequence[tuple[Kept, Part]]) -> None:
        """What stands of the specimens and patients of these parts."""
        keys = [join_key(part, each.payload.sender) for each, part in parts]
        self._heads = self._inbox.heads_by_key(keys) if keys else {}
        ids = [view.id for view in self._heads.values()]
        self._said = self._inbox.contributions(ids) if ids else {}
        self._owners = self._inbox.owners(i for each, part in parts for i in _identities(part.patient, each))

    def set_down(self, problems: Sequence[Problem]) -> Outcome:
        """The one message waits for a person."""
        (kept,) = self._kept
        outcome = self._settle(kept, "quarantined", "record", tuple(problems), ())
        self._audit()
        return outcome

    def _audit(self) -> None:
        for state, ids in self._settled.items():
            self._tx.append_audit(f"message.{state}", {"messages": ids})

    def _one(self, kept: Kept, reused: bool, alone: bool) -> Outcome:
        told = self._told[kept.id]
        if reused:
            problem = Problem(
                "CONTROL_ID_REUSED",
                "MSH[1].10" if kept.payload.media_type == HL7V2 else "control id",
                "came before from this sender with other content",
                "send each message with a control id of its own",
            )
            return self._settle(kept, "quarantined", "read", (problem,), ())
        if told.mapped.problems:
            return self._settle(kept, "quarantined", told.step, told.mapped.problems, ())
        for merge in told.mapped.merges:
            person = Person(kept.payload.sender or "unknown sender", "system", f"message {kept.id}", self._tx.now)
            apply_merge(self._tx, _identities(merge.into, kept), _identities(merge.given_up, kept), person)
        run = self._run(kept)
        results = []
        for sequence, part in enumerate(told.mapped.parts, 1):
            if alone:  # the part, or the merge, before may have made what this one joins
                self._find([(kept, part)])
            results.append(self._join(kept, part, run, sequence))
        state = "recorded" if results or told.mapped.merges else "set_aside"
        return self._settle(kept, state, None, (), results)

    def _join(self, kept: Kept, part: Part, run: int, sequence: int) -> dict[str, Any]:
        """Give a part to the result of its specimen, and renew that."""
        key = join_key(part, kept.payload.sender)
        identities = _identities(part.patient, kept)
        head = self._heads.get(key)
        stored = self._said.get(head.id, ()) if head else ()
        # what an earlier run of this message said is replaced by this one
        before = _parts(each for each in stored if each.message_id != kept.id or each.number == run)
        fields, contradictory = assembled([*before, part])
        if contradictory:
            raise Waits(contradictory)
        if head is None:
            told = self._begin(kept, part, key, identities, fields)
        else:
            self._expect_patient(head, identities)
            if any(each not in self._owners for each in identities):
                self._patient(identities)  # an identifier that first comes with this message is the patient's too
            told = self._renew(kept, part, head, assembled(_parts(stored))[0], fields, [*before, part])
        self._inbox.append_contribution(
            {
                "message_id": kept.id,
                "number": run,
                "sequence": sequence,
                "result_id": told["id"],
                "accession": part.accession,
                "content": text_of(part.document),
            }
        )
        return told

    def _expect_patient(self, head: ResultView, identities: Sequence[Identity]) -> None:
        if {self._owners.get(each) for each in identities} == {head.patient_id}:
            return
        if self._tx.find_patients(identities) != (self._tx.find_survivor(head.patient_id),):
            remedy = "if they are one person, merge the patients; else move the result; then process it again"
            message = "this case of the laboratory stands with another patient"
            raise Waits([Problem("PATIENT_DIFFERS", "patient", message, remedy)])

    def _begin(
        self, kept: Kept, part: Part, key: str, identities: Sequence[Identity], fields: Mapping[str, Any]
    ) -> dict[str, Any]:
        document = document_of(fields)
        found = _assessed(document, part)
        row = replace(new_version(document, cause_of(part), part.laboratory or None), source=_source(kept))
        version = self._tx.append_result(self._patient(identities), row, join_key=key)
        record_version(self._context, self._tx, version, found, f"result.{row.cause}", first=True)
        return _result(version, found)

    def _renew(
        self,
        kept: Kept,
        part: Part,
        head: ResultView,
        old: Mapping[str, Any],
        fields: Mapping[str, Any],
        parts: Sequence[Part],
    ) -> dict[str, Any]:
        current = json.loads(head.version.document or "{}")
        amended = "" if fields_of(current) == old else self._amended(head)
        newest = {fact.field: fact.at for each in parts for fact in sorted(each.facts, key=lambda f: f.at)}
        document = renewed(current, old, fields, newest, amended)
        answered = head.classification
        if fields_of(document) == fields_of(current):
            status, final = (answered.status, answered.final) if answered else ("pending", False)
            return {"id": head.id, "version": head.version.number, "status": status, "final": final, "changed": False}
        found = _assessed(document, part)
        row = replace(new_version(document, cause_of(part), part.laboratory or None), source=_source(kept))
        version = self._tx.append_version_after(head.version, row)
        record_version(self._context, self._tx, version, found, f"result.{row.cause}", before=answered)
        return _result(version, found)

    def _amended(self, head: ResultView) -> str:
        """When a person last changed the result, "" for never: a message may have come since."""
        versions = [each.version for each in self._tx.find_history(head.id)]
        times = [each.created_at for each in versions if each.source == "api"]
        return max(times).isoformat(timespec="microseconds") if times else ""

    def _patient(self, identities: Sequence[Identity]) -> str:
        owners = {owner for each in identities if (owner := self._owners.get(each))}
        if len(owners) > 1:
            return self._tx.find_or_append_patient(identities)
        patient_id = owners.pop() if owners else self._tx.append_patient()
        for each in identities:
            if each not in self._owners:
                self._tx.append_identity(patient_id, each)
                self._owners[each] = patient_id
        return patient_id

    def _settle(
        self,
        kept: Kept,
        state: str,
        step: str | None,
        problems: tuple[Problem, ...],
        results: Iterable[dict[str, Any]],
    ) -> Outcome:
        """Append what became of a message. Parts that wait are kept without a result, so their case is found."""
        results = tuple(results)
        if state == "quarantined":
            run = self._run(kept)
            for sequence, part in enumerate(self._told[kept.id].mapped.parts, 1):
                said = {"accession": part.accession or None, "content": text_of(part.document), "result_id": None}
                self._inbox.append_contribution({"message_id": kept.id, "number": run, "sequence": sequence, **said})
            told = {"message": kept.id, "sender": kept.payload.sender}
            self._tx.append_outbox("message.quarantined", text_of(told))
        detail: dict[str, Any] = {"results": results}
        if problems:
            detail |= {"step": step, "problems": [problem_document(each) for each in problems]}
        if not self._tx.append_message_state(kept.id, self._next(kept), state, step=step, detail=text_of(detail)):
            raise Busy("another process is at this message")
        self._settled.setdefault(state, []).append(kept.id)
        return Outcome(kept.id, state, step, problems, results)

    def _next(self, kept: Kept) -> int:
        newest = self._newest.get(kept.id)
        if newest is not None and newest.state in TERMINAL:
            raise Busy("another process has recorded this message")
        return newest.number + 1 if newest else 1

    def _run(self, kept: Kept) -> int:
        said = () if kept.new else self._inbox.said_by(kept.id)
        return said[-1].number + 1 if said else 1


def join_key(part: Part, sender: str) -> str:
    """Where split reports of one specimen meet: laboratory, else sender; accession, specimen and block."""
    return text_of([part.laboratory or sender, part.accession, part.specimen, part.block])


def located(problems: Iterable[Problem], part: Part) -> list[Problem]:
    """The rules' problems at the places of the message that gave the fields."""
    places = {fact.field.split(".")[0]: fact.where for fact in reversed(part.facts)}
    places |= {fact.field: fact.where for fact in part.facts}
    return [
        Problem(
            "NOT_ACCEPTED",
            places.get(each.field, each.field),
            f"{each.field}: {each.message} ({each.code})",
            each.remedy,
        )
        for each in problems
    ]


def _assessed(document: dict[str, Any], part: Part) -> Assessment:
    found = assess(document)
    if found.classification.status == "invalid":
        raise Waits(located(found.classification.problems, part))
    return found


def _result(version: Version, found: Assessment) -> dict[str, Any]:
    told = found.classification
    number = version.number
    return {"id": version.result_id, "version": number, "status": told.status, "final": told.final, "changed": True}


def _parts(stored: Iterable[Contribution]) -> list[Part]:
    return [part_of(json.loads(each.content)) for each in stored if each.content]


def _identities(identifiers: Iterable[Identifier], kept: Kept) -> list[Identity]:
    # a number without its authority is the sender's own: another sender's same number is another patient
    own = f"{OWN_NUMBERS}{kept.payload.sender}"
    return [Identity(each.system or own, each.value) for each in identifiers]


def _source(kept: Kept) -> str:
    return {FHIR_JSON: "fhir", HL7V2: "hl7v2"}.get(kept.payload.media_type, "file")
