"""Imports: a file kept as it came, its rows recorded chunk by chunk; what is done is a fact beside the rows it is of.

A job that died goes on where its last chunk ended: the chunk's count, its rows and their results are one transaction.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

from app.domain.problems import Problem
from app.interop.received import part_of
from app.interop.sheets import SUFFIXES, Sheet, write
from app.records.errors import Busy, Duplicate, Stale, Unavailable, Unstorable
from app.records.inbox import Inbox, InboxWriting, MessageState
from app.records.rows import Message
from app.records.writing import Transaction
from app.services.assessment import problem_document
from app.services.documents import text_of
from app.services.errors import Refusal
from app.services.files import mapping_names, mapping_text
from app.services.import_rows import ImportRow, ImportTable, import_table, row_problem, withdrawn
from app.services.intake import Intake, refusing
from app.services.payloads import TERMINAL, Kept, Payload
from app.services.recorder import Recorder, Waits, join_key

MEDIA_TYPES = tuple(dict.fromkeys(SUFFIXES.values()))
CHUNK = 100  # rows in one transaction
_TRIES = 5
_ADDED = ("herald.status", "herald.problem")
_LONGEST = 200
_INTERNAL = Problem("INTERNAL", "row", "an error on our side", "send the row again; tell the maintainers")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to import. mapping: its text, None where columns are named as the fields."""

    data: bytes
    media_type: str
    mapping: str | None
    sender: str
    laboratory: str


def upload(
    data: bytes,
    media_type: str,
    mapping: str | None,
    sender: str | None,
    laboratory: str | None,
    *,
    text: str | None = None,
) -> Upload:
    """A file with the name of a mapping that comes with Herald, or with a mapping's text.

    Raises Refusal with everything that is wrong.
    """
    problems = []
    if mapping is not None:
        text = mapping_text(mapping)
    if mapping is not None and text is None:
        known = ", ".join(mapping_names())
        problems.append(Problem("UNKNOWN_VALUE", "mapping", "there is no such mapping", f"use one of {known}, or none"))
    for name, value in (("sender", sender), ("laboratory", laboratory)):
        if value is not None and not (0 < len(value.strip()) <= _LONGEST and value.isprintable()):
            wanted = f"a printable text of 1 to {_LONGEST} characters"
            problems.append(Problem("WRONG_TYPE", name, f"is not {wanted}", f"send {wanted}, or leave it out"))
    if problems:
        raise Refusal("invalid", "The file cannot be imported as asked.", problems)
    return Upload(data, media_type, text, (sender or "import").strip(), (laboratory or "").strip())


class Imports:
    """Imports of one organisation, on its intake. Thread-safe; stop() ends every job after its present chunk."""

    def __init__(self, intake: Intake) -> None:
        self._intake, self._context = intake, intake.context
        self._stopped = threading.Event()

    def stop(self) -> None:
        """Let jobs end after their present chunk; they are taken up again by `unfinished` and `run`."""
        self._stopped.set()

    def keep(self, sent: Upload) -> str:
        """Store a file as it came, with what it was sent for; its id. The same file sent again has the same id."""
        asked = {"mapping": sent.mapping, "laboratory": sent.laboratory}
        control = f"import:{hashlib.sha256(text_of(asked).encode()).hexdigest()[:32]}"
        with refusing(), self._context.store.transaction(self._context.organisation) as tx:
            inbox = InboxWriting(tx)
            ((message_id, new),) = inbox.keep([(sent.sender, control, sent.data, sent.media_type)])
            if new:
                # in the same transaction: a file must never be taken for a message that waits to be read
                tx.append_message_state(message_id, 1, "processing", detail=text_of({"import": asked, "done": 0}))
                tx.append_audit("message.kept", {"messages": [message_id]})
        return message_id

    def preview(self, sent: Upload) -> dict[str, Any]:
        """What would become of each row; nothing is stored, and nothing stored is looked at."""
        table = import_table(sent.data, sent.media_type, sent.mapping, sent.laboratory, _text(datetime.now(UTC)))
        if not isinstance(table, ImportTable):
            told = [problem_document(each) for each in table]
            return {"dry_run": True, "state": "quarantined", "rows": 0, "problems": told, "answers": []}
        answers = [
            {
                "row": row.number,
                "accepted": row.part is not None,
                "status": row.answer["status"] if row.answer else "invalid",
                "final": bool(row.answer and row.answer["final"]),
                "problems": row.documents,
            }
            for row in table.rows
        ]
        state = "recorded" if all(row.part for row in table.rows) else "recorded_in_part"
        return {"dry_run": True, "state": state, "rows": len(answers), "problems": [], "answers": answers}

    # ---- record

    def unfinished(self) -> tuple[str, ...]:
        """Imports that were begun and not finished."""
        with refusing(), self._context.store.reading(self._context.organisation) as reading:
            return Inbox(reading).waiting(("processing",))

    def run(self, message_id: str, *, chunks: int | None = None) -> None:
        """Record the rows that are not recorded yet. chunks: how many transactions at most, None for all of them."""
        message, facts = self._stored(message_id)
        if facts[-1].state in TERMINAL or message.message is None:
            return
        asked = json.loads(facts[0].detail or "{}")["import"]
        table = import_table(
            message.message, message.media_type, asked["mapping"], asked["laboratory"], _text(message.received_at)
        )
        kept = Kept(message_id, Payload(message.message, message.media_type, message.sender), False)
        if not isinstance(table, ImportTable):
            self._end(message_id, facts[-1].number, "quarantined", {"step": "read", "rows": 0}, table)
            return
        done, number = _done(facts), facts[-1].number
        while done < len(table.rows) and chunks != 0 and not self._stopped.is_set():
            done, number = self._chunk(kept, table, done, number)
            chunks = None if chunks is None else chunks - 1
        if done == len(table.rows) and number:
            self._finish(message_id)

    def _chunk(self, kept: Kept, table: ImportTable, done: int, number: int) -> tuple[int, int]:
        """Record the next rows; where done and the number of facts stand then, which a rival may have moved."""
        for attempt in range(_TRIES):
            rows = table.rows[done : done + CHUNK]
            try:
                return self._record(kept, rows, len(table.rows), done, number)
            except (Busy, Stale, Duplicate) as error:
                if attempt == _TRIES - 1:
                    raise Refusal("busy", "The database is busy; the import goes on when it is sent again.") from error
                facts = self._stored(kept.id)[1]
                if facts[-1].state in TERMINAL:
                    return len(table.rows), 0
                done, number = _done(facts), facts[-1].number
                if done >= len(table.rows):
                    return done, number
            except Unavailable as error:
                raise Refusal("unavailable", "The database cannot be reached; the file is kept.") from error
            except Exception:
                # one row does not go with the others: each by itself, and the one that fails is refused
                for row in rows:
                    done, number = self._alone(kept, row, len(table.rows), done, number)
                return done, number
        raise AssertionError("unreachable")

    def _alone(self, kept: Kept, row: ImportRow, rows: int, done: int, number: int) -> tuple[int, int]:
        try:
            return self._record(kept, [row], rows, done, number)
        except (Busy, Stale, Duplicate) as error:
            raise Refusal("busy", "The database is busy; the import goes on when it is sent again.") from error
        except Unstorable:
            problem = Problem("WRONG_TYPE", "row", "holds a key that is too long", "send shorter accession and block")
        except Exception as error:
            self._intake.ours(error)
            problem = _INTERNAL
        return self._record(kept, [row], rows, done, number, (problem,))

    def _record(
        self,
        kept: Kept,
        rows: Sequence[ImportRow],
        total: int,
        done: int,
        number: int,
        refused_for: tuple[Problem, ...] = (),
    ) -> tuple[int, int]:
        """Rows, their results and the count of them in one transaction. Raises Busy where a rival was first."""
        told: dict[str, Any] = {"rows": total, "done": done + len(rows), "recorded": 0, "changed": 0, "refused": 0}
        row_problems: list[dict[str, Any]] = []
        row_results: list[list[Any]] = []
        with self._context.store.transaction(self._context.organisation) as tx:
            for row in rows:
                why: Sequence[dict[str, Any]] = [row_problem(row.number, "", each) for each in refused_for]
                result = None if why else self._join(tx, kept, row)
                if isinstance(result, dict):
                    told["recorded"] += 1
                    told["changed"] += result["changed"]
                    row_results.append([row.number, result["id"], result["version"], result["status"]])
                    continue
                told["refused"] += 1
                row_problems += why or result or row.documents
            detail = text_of({**told, "row_problems": row_problems, "row_results": row_results})
            if not tx.append_message_state(kept.id, number + 1, "processing", detail=detail):
                raise Busy("another process is at this import")
            tx.append_audit("import.rows", {"message": kept.id, **told})
        return done + len(rows), number + 1

    def _join(self, tx: Transaction, kept: Kept, row: ImportRow) -> dict[str, Any] | list[dict[str, Any]] | None:
        """The result that a row reached, or why it reached none; None where the row itself says why."""
        if row.part is None:
            return None
        inbox, key = Inbox(tx), join_key(row.part, kept.payload.sender)
        head = inbox.heads_by_key([key]).get(key) if row.empty else None
        if head is not None:
            stored = inbox.contributions([head.id]).get(head.id, ())
            before = [part_of(json.loads(e.content)) for e in stored if e.content and e.message_id != kept.id]
            if problems := withdrawn(row, before):
                return problems
        try:
            return Recorder(self._context, tx, [kept], {}).join(row.part, 1, row.number)
        except Waits as waits:
            return [row_problem(row.number, "", each) for each in waits.problems]

    def _finish(self, message_id: str) -> None:
        facts = self._stored(message_id)[1]
        if facts[-1].state in TERMINAL:
            return
        totals = _totals(facts)
        state = "recorded_in_part" if totals["refused"] else "recorded"
        self._end(message_id, facts[-1].number, state, {**totals, "results": []}, ())

    def _end(
        self, message_id: str, number: int, state: str, detail: dict[str, Any], problems: Sequence[Problem]
    ) -> None:
        told = detail | ({"problems": [asdict(each) for each in problems]} if problems else {})
        with refusing(), self._context.store.transaction(self._context.organisation) as tx:
            ended = tx.append_message_state(
                message_id, number + 1, state, step=detail.get("step"), detail=text_of(told)
            )
            if not ended:
                return  # another process has ended it with the same facts
            tx.append_audit(f"message.{state}", {"message": message_id})
            if state == "quarantined":
                tx.append_outbox("message.quarantined", text_of({"message": message_id}))

    # ---- told

    def report(self, message_id: str) -> dict[str, Any]:
        """How far an import has come: counts of rows, and the problems by row. Raises Refusal: not_found."""
        message, facts = self._stored(message_id)
        totals = _totals(facts)
        newest = json.loads(facts[-1].detail or "{}")
        ended = facts[-1].state in TERMINAL
        percent = 100 * totals["done"] // totals["rows"] if totals["rows"] else 100 * ended
        return {
            "id": message_id,
            "state": facts[-1].state,
            "sender": message.sender,
            "laboratory": json.loads(facts[0].detail or "{}")["import"]["laboratory"] or None,
            "media_type": message.media_type,
            "received_at": message.received_at.isoformat(),
            "progress_percent": percent,
            **totals,
            "problems": [
                *({"row": None, "column": "", **each} for each in newest.get("problems", ())),
                *(problem for fact in facts for problem in json.loads(fact.detail or "{}").get("row_problems", ())),
            ],
        }

    def given_back(self, message_id: str) -> tuple[str, bytes]:
        """The media type and the bytes of the file with two more columns: each row's status and its problems.

        Raises Refusal: not_found; conflict while rows are being recorded, and for a file that is no table.
        """
        message, facts = self._stored(message_id)
        if facts[-1].state not in TERMINAL:
            raise Refusal("conflict", "The import is not finished; ask for its state first.")
        asked = json.loads(facts[0].detail or "{}")["import"]
        table = import_table(message.message or b"", message.media_type, asked["mapping"], asked["laboratory"], "")
        if not isinstance(table, ImportTable):
            raise Refusal("conflict", "The file could not be read as a table, so there is none to give back.", table)
        details = [json.loads(fact.detail or "{}") for fact in facts]
        status = {number: said for told in details for number, _, _, said in told.get("row_results", ())}
        problems: dict[int, list[str]] = {}
        for each in (problem for told in details for problem in told.get("row_problems", ())):
            place = each["column"] or each["field"]
            line = f"{each['code']}: {place}: {each['message']}; {each['remedy']}"
            problems.setdefault(each["row"], []).append(line)
        return message.media_type, write(_with_columns(table.sheet, status, problems))

    def _stored(self, message_id: str) -> tuple[Message, tuple[MessageState, ...]]:
        with refusing(), self._context.store.reading(self._context.organisation) as reading:
            inbox = Inbox(reading)
            message, facts = inbox.message(message_id), inbox.states(message_id)
        if message is None or not facts or "import" not in json.loads(facts[0].detail or "{}"):
            raise Refusal("not_found", "There is no such import.")
        return message, facts


def _with_columns(sheet: Sheet, status: dict[int, str], problems: dict[int, list[str]]) -> Sheet:
    wide = max(len(sheet.header), *(len(cells) for _, cells in sheet.rows))
    header = (*sheet.header, *[""] * (wide - len(sheet.header)), *_ADDED)
    rows = []
    for number, cells in sheet.rows:
        told = (status.get(number, "refused"), "\n".join(problems.get(number, ())))
        rows.append((number, (*cells, *[""] * (wide - len(cells)), *told)))
    return replace(sheet, header=header, rows=tuple(rows))


def _done(facts: Sequence[MessageState]) -> int:
    return max(int(json.loads(fact.detail or "{}").get("done", 0)) for fact in facts)


def _totals(facts: Sequence[MessageState]) -> dict[str, int]:
    """Counts of rows over all chunks; rows: how many the file has, 0 before the first chunk."""
    chunks = [json.loads(fact.detail or "{}") for fact in facts if fact.state == "processing"]
    sums = {name: sum(chunk.get(name, 0) for chunk in chunks) for name in ("recorded", "changed", "refused")}
    return {"rows": max(chunk.get("rows", 0) for chunk in chunks), "done": _done(facts), **sums}


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")
