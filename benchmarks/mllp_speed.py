"""Messages a second over MLLP against bare inserts of the same bytes: same PostgreSQL, same run, lanes take turns.

Three lanes at 1, 8 and 64 connections, each sender waiting for its answer before it sends the next message:
  bare      the bytes inserted and committed through psycopg, by threads and by asyncio; the quicker of both counts
  durable   enhanced mode (MSH-15 AL, MSH-16 NE): CA, once the message is on disk
  recorded  original mode: AA, once result, classification, open steps, audit and outbox lines are on disk too
Every message is a new case. What CA was said for is recorded behind it; before the next lane all of it has been.
Then where the time goes: the intake alone in this process, profiled, by what each part of the program took itself.
"""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import itertools
import pstats
import statistics
import sys
import threading
import time
import uuid
from collections import defaultdict
from collections.abc import Callable

import psycopg

from app.interop.hl7.envelope import peek
from app.mllp.framing import BlockReader, framed
from app.services.exchange import payload
from app.services.intake import Intake, load_feeds
from app.services.oru import acknowledged
from app.services.process import open_context
from benchmarks.mllp_common import PATIENCE, Database, Server, oru, scalar, serving, wait_for

INSERT = "INSERT INTO bare (id, sender, control_id, message) VALUES (%s, %s, %s, %s)"
PENDING = """SELECT count(*) FROM inbox i
WHERE NOT EXISTS (SELECT 1 FROM inbox_state s WHERE s.message_id = i.id AND s.state <> 'received')"""
NOT_RECORDED = """SELECT count(*) FROM inbox i
WHERE NOT EXISTS (SELECT 1 FROM inbox_state s WHERE s.message_id = i.id AND s.state = 'recorded')"""
# What a frame belongs to, by a part of its file's name; the first that fits.
PARTS = (
    ("waiting for PostgreSQL", ("psycopg",)),
    ("SQL and rows (SQLAlchemy, records)", ("sqlalchemy", "app/records")),
    ("reading HL7", ("app/interop/hl7", "/hl7/")),
    ("mapping by the feed", ("app/interop",)),
    ("rules (guidelines, tables, words)", ("app/guidelines", "app/decision_table", "app/domain")),
    ("evidence", ("app/evidence",)),
    ("services", ("app/services",)),
)
_numbers = itertools.count(1)


def new_message(asks: str = "") -> bytes:
    """A case that was never sent before."""
    return oru(f"S{next(_numbers):08d}", 1, asks=asks).content


# ---- bare inserts


def _insert(connection: psycopg.Connection[tuple[object, ...]], until: float, counts: list[int], place: int) -> None:
    with connection.cursor() as cursor:
        while time.perf_counter() < until:
            message = new_message()
            sender, control_id = peek(message)
            cursor.execute(INSERT, (str(uuid.uuid4()), sender, control_id, message), prepare=True)
            counts[place] += 1


def bare_threads(url: str, connections: int, seconds: float) -> float:
    """Inserts a second, a thread for each connection; each statement its own transaction."""
    links = [psycopg.connect(url, autocommit=True) for _ in range(connections)]
    counts = [0] * connections
    until = time.perf_counter() + seconds
    threads = [threading.Thread(target=_insert, args=(link, until, counts, place)) for place, link in enumerate(links)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for link in links:
        link.close()
    return sum(counts) / seconds


def bare_asyncio(url: str, connections: int, seconds: float) -> float:
    """The same on one event loop."""

    async def insert(link: psycopg.AsyncConnection[tuple[object, ...]], until: float) -> int:
        done = 0
        async with link.cursor() as cursor:
            while time.perf_counter() < until:
                message = new_message()
                sender, control_id = peek(message)
                await cursor.execute(INSERT, (str(uuid.uuid4()), sender, control_id, message), prepare=True)
                done += 1
        return done

    async def lane() -> float:
        links = [await psycopg.AsyncConnection.connect(url, autocommit=True) for _ in range(connections)]
        until = time.perf_counter() + seconds
        counts = await asyncio.gather(*(insert(link, until) for link in links))
        for link in links:
            await link.close()
        return sum(counts) / seconds

    return asyncio.run(lane())


# ---- messages


def mllp(server: Server, connections: int, seconds: float, asks: str, code: str) -> float:
    """Messages a second that were answered with this code; another code ends the run."""

    async def send(until: float) -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.mllp_port)
        blocks = BlockReader(reader, limit=1_000_000, idle_seconds=PATIENCE, frame_seconds=PATIENCE)
        done = 0
        while time.perf_counter() < until:
            writer.write(framed(new_message(asks)))
            block = await blocks.next()
            if block is None or acknowledged(block.message).code != code:
                raise SystemExit(f"expected {code}, got {block}")
            done += 1
        writer.close()
        return done

    async def lane() -> float:
        await wait_for(server.mllp_port)
        until = time.perf_counter() + seconds
        return sum(await asyncio.gather(*(send(until) for _ in range(connections)))) / seconds

    return asyncio.run(lane())


def drained(url: str) -> float:
    """Wait until all that was kept has been recorded; the seconds it took."""
    began = time.perf_counter()
    with psycopg.connect(url, autocommit=True) as connection:
        while scalar(connection, PENDING):
            time.sleep(0.05)
    return time.perf_counter() - began


# ---- where the time goes


def profile(url: str, batch: int, messages: int) -> None:
    """Keep and record messages in this process, so many at a time; print what each part took of its own."""
    context = open_context(url, "profile")
    intake = Intake(context, load_feeds(""))
    recorder = cProfile.Profile()
    # one more, which only warms up
    batches = [[payload(new_message()) for _ in range(batch)] for _ in range(-(-messages // batch) + 1)]
    intake.record(intake.keep(batches.pop()))
    keeping = recording = 0.0
    for each in batches:
        began = time.perf_counter()
        recorder.enable()
        kept = intake.keep(each)
        kept_at = time.perf_counter()
        intake.record(kept)
        recorder.disable()
        keeping += kept_at - began
        recording += time.perf_counter() - kept_at
    context.store.close()
    many = len(batches) * batch
    own: dict[str, float] = defaultdict(float)
    for (path, _, name), row in pstats.Stats(recorder).stats.items():  # type: ignore[attr-defined]
        own[_part(path, name)] += row[2]
    whole = sum(own.values())
    print(
        f"  {batch} at a time: keep {keeping / many * 1e3:.2f} ms, record {recording / many * 1e3:.2f} ms a message "
        "(with the profiler on)"
    )
    for part, seconds in sorted(own.items(), key=lambda each: -each[1]):
        if seconds > 0.01 * whole:
            print(f"    {seconds / whole:5.0%}  {part}")


def _part(path: str, name: str) -> str:
    told = path.replace("\\", "/")
    if told == "~" and "psycopg" in name:
        return PARTS[0][0]
    if told == "~":
        return "built-in functions"
    return next((part for part, names in PARTS if any(each in told for each in names)), "other Python")


# ---- all of it


def main() -> None:
    """Print rates, ratios and the breakdown; exit code 1 where a ratio is below its bar."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--connections", type=int, nargs="+", default=[1, 8, 64])
    parser.add_argument("--seconds", type=float, default=3.0, help="of each lane in each round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--profiled", type=int, default=512, help="messages of each breakdown; 0: none")
    asked = parser.parse_args()
    database = Database()
    try:
        held = _run(database.url, asked.connections, asked.seconds, asked.rounds)
        if asked.profiled:
            print("where the time goes")
            for batch in (1, 8, 64):
                profile(database.url, batch, asked.profiled)
    finally:
        database.close()
    sys.exit(0 if held else 1)


def _run(url: str, connections: list[int], seconds: float, rounds: int) -> bool:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE bare (id text PRIMARY KEY, sender text NOT NULL, control_id text NOT NULL, "
            "message bytea NOT NULL, received_at timestamptz NOT NULL DEFAULT now(), UNIQUE (sender, control_id))"
        )
        durable = connection.execute(
            "SELECT current_setting('fsync'), current_setting('synchronous_commit'), version()"
        ).fetchone()
    print(f"message of {len(new_message())} bytes; fsync, synchronous_commit, server: {durable}")
    held = True
    with serving(url) as server:
        lanes: dict[str, Callable[[int], float]] = {
            "bare threads": lambda many: bare_threads(url, many, seconds),
            "bare asyncio": lambda many: bare_asyncio(url, many, seconds),
            "durable": lambda many: mllp(server, many, seconds, "AL|NE", "CA"),
            "recorded": lambda many: mllp(server, many, seconds, "", "AA"),
        }
        for many in connections:
            mllp(server, many, 0.5, "", "AA")
            rates: dict[str, list[float]] = {lane: [] for lane in lanes}
            waits = []
            for _ in range(rounds):
                for lane, measure in lanes.items():
                    rates[lane].append(measure(many))
                    waits.append(drained(url))
            best = [max(pair) for pair in zip(rates["bare threads"], rates["bare asyncio"], strict=True)]
            ratios = {
                lane: statistics.median(one / other for one, other in zip(rates[lane], best, strict=True))
                for lane in ("durable", "recorded")
            }
            told = ", ".join(f"{lane} {statistics.median(found):.0f}/s" for lane, found in rates.items())
            print(f"{many} connections: {told}")
            print(
                f"  durable/bare {ratios['durable']:.2f} (bar 0.5), recorded/bare {ratios['recorded']:.2f} (bar 0.25); "
                f"longest wait until what CA was said for was recorded {max(waits):.1f} s",
                flush=True,
            )
            held &= ratios["durable"] >= 0.5 and ratios["recorded"] >= 0.25
    with psycopg.connect(url, autocommit=True) as connection:
        left = scalar(connection, NOT_RECORDED)
        stored = scalar(connection, "SELECT count(*) FROM inbox")
    print(f"{stored} messages stored, {left} of them not recorded as results")
    return held and not left


if __name__ == "__main__":
    main()
