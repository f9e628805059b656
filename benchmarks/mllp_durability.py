"""kill -9 of the server and restarts of PostgreSQL under a feed over MLLP: every message once, nothing out of order.

Each case has several messages, a report and its corrections, each later by its own time. The sender sends again what
was not acknowledged. First every case comes in order over one connection; then everything twice or thrice, shuffled
over all connections. Half of the restarts of PostgreSQL are crashes.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import httpx
import psycopg

from app.records import open_store
from benchmarks.mllp_common import Database, Ledger, Message, Server, oru, scalar, send_all, serving, wait_for

COUNTS = {
    "stored": "SELECT count(*) FROM inbox",
    "distinct": "SELECT count(DISTINCT (sender, control_id)) FROM inbox",
    "recorded": "SELECT count(DISTINCT message_id) FROM inbox_state WHERE state = 'recorded'",
    "recorded twice": "SELECT count(*) - count(DISTINCT message_id) FROM inbox_state WHERE state = 'recorded'",
    "not recorded": "SELECT count(*) FROM inbox i WHERE NOT EXISTS "
    "(SELECT 1 FROM inbox_state s WHERE s.message_id = i.id AND s.state = 'recorded')",
    "said twice": "SELECT count(*) - count(DISTINCT message_id) FROM contribution",
    "results": "SELECT count(*) FROM result",
    "cases": "SELECT count(DISTINCT accession) FROM result_version",
    "versions without an answer": "SELECT count(*) FROM result_version v WHERE NOT EXISTS "
    "(SELECT 1 FROM classification c WHERE c.version_id = v.id AND c.purpose = 'current')",
    "versions without an outbox line": "SELECT count(*) FROM result_version v WHERE NOT EXISTS "
    "(SELECT 1 FROM outbox o WHERE o.version_id = v.id)",
}


@dataclass(frozen=True, slots=True)
class Plan:
    """How much, and how often what is broken."""

    messages: int
    connections: int
    kills: int
    restarts: int
    window: int
    per_case: int
    seed: int


Arrange = Callable[[Plan, list[list[Message]], random.Random], list[list[Message]]]


def cases(plan: Plan, name: str) -> list[list[Message]]:
    """The messages of each case, in order."""
    many = -(-plan.messages // plan.per_case)
    return [[oru(f"{name}{case:06d}", number + 1) for number in range(plan.per_case)] for case in range(many)]


def in_order(plan: Plan, feed: list[list[Message]], rng: random.Random) -> list[list[Message]]:
    """What each connection sends: whole cases, interleaved, each case's messages in their order."""
    lanes: list[list[Message]] = [[] for _ in range(plan.connections)]
    for lane in range(plan.connections):
        turns = [case for case in range(lane, len(feed), plan.connections) for _ in range(plan.per_case)]
        # a window of cases at a time, as a laboratory reports: corrections come a while after the report
        for start in range(0, len(turns), 30 * plan.per_case):
            part = turns[start : start + 30 * plan.per_case]
            rng.shuffle(part)
            seen: Counter[int] = Counter()
            for case in part:
                lanes[lane].append(feed[case][seen[case]])
                seen[case] += 1
    return lanes


def shuffled(plan: Plan, feed: list[list[Message]], rng: random.Random) -> list[list[Message]]:
    """Everything once, twice or thrice, in any order over any connection."""
    everything = [each for case in feed for each in case for _ in range(rng.choice((1, 1, 2, 3)))]
    rng.shuffle(everything)
    return [everything[lane :: plan.connections] for lane in range(plan.connections)]


async def breaking(plan: Plan, server: Server, database: Database, ledger: Ledger, sending: asyncio.Task[None]) -> None:
    """Kill and restart, spread over the feed by what is acknowledged."""
    events = [(share, "kill") for share in _spread(plan.kills)] + [(share, "pg") for share in _spread(plan.restarts)]
    rng = random.Random(plan.seed)
    crashes = 0
    for share, what in sorted(events):
        while len(ledger.acknowledged) < share * plan.messages and not sending.done():  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        if sending.done():
            raise SystemExit("the feed ended before everything was broken: send more, or break less")
        if what == "kill":
            await asyncio.to_thread(server.kill)
            await asyncio.sleep(rng.uniform(0, 0.3))
            server.start()
            await wait_for(server.mllp_port)
        else:
            crashes += 1
            await asyncio.to_thread(database.restart, "immediate" if crashes % 2 else "fast")


def _spread(count: int) -> list[float]:
    return [(number + 1) / (count + 1) * 0.95 for number in range(count)]


async def feed_all(plan: Plan, lanes: list[list[Message]], server: Server, database: Database) -> Ledger:
    """Send everything while things break."""
    ledger = Ledger()

    async def send() -> None:
        async with asyncio.TaskGroup() as group:
            for lane in lanes:
                group.create_task(send_all(server.mllp_port, lane, ledger, window=plan.window))

    sending = asyncio.create_task(send())
    await breaking(plan, server, database, ledger, sending)
    await sending
    return ledger


async def unlike_the_latest(port: int, feed: list[list[Message]]) -> int:
    """How many cases do not stand as their latest message, by its own time, says; a case without a result counts."""
    wrong = 0
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as http:
        for messages in feed:
            rows = (await http.get("/results", params={"accession": messages[0].case})).json()["items"]
            if len(rows) != 1:
                wrong += 1
                continue
            result = (await http.get(f"/results/{rows[0]['id']}")).json()
            wrong += result["input"].get("ish", {}).get("ratio") != messages[-1].ratio
    return wrong


def run(
    name: str, plan: Plan, arrange: Callable[[Plan, list[list[Message]], random.Random], list[list[Message]]]
) -> bool:
    """One feed on a new database; prints the counts and says whether all held."""
    rng = random.Random(plan.seed)
    database = Database()
    try:
        with serving(database.url) as server:
            feed = cases(plan, name[:1].upper())
            lanes = arrange(plan, feed, rng)
            asyncio.run(wait_for(server.mllp_port))
            began = time.perf_counter()
            ledger = asyncio.run(feed_all(plan, lanes, server, database))
            took = time.perf_counter() - began
            with psycopg.connect(database.url, autocommit=True) as connection:
                counts = {what: scalar(connection, query) for what, query in COUNTS.items()}
            wrong = asyncio.run(unlike_the_latest(server.port, feed))
        store = open_store(database.url)
        sound = store.verify_audit("default").sound
        store.close()
    finally:
        database.close()
    messages = [each for case in feed for each in case]
    lost = len(messages) - counts["distinct"]
    doubled = counts["stored"] - counts["distinct"] + counts["results"] - counts["cases"] + counts["recorded twice"]
    size = sum(len(each.content) for each in messages) // len(messages)
    held = (
        sound
        and not (lost or doubled or wrong or ledger.rejected or counts["not recorded"] or counts["said twice"])
        and not (counts["versions without an answer"] or counts["versions without an outbox line"])
        and counts["results"] == len(feed)
        and len(ledger.acknowledged) == len(messages)
    )
    print(
        f"{name}: {len(messages)} messages of {size} bytes in {len(feed)} cases over {plan.connections} connections, "
        f"{plan.kills} kills, {plan.restarts} restarts of PostgreSQL, {took:.0f} s"
    )
    print(
        f"  sent {ledger.sent} ({ledger.again} again), acknowledged {len(ledger.acknowledged)}, "
        f"rejected {len(ledger.rejected)} {dict(Counter(ledger.rejected.values()))}"
    )
    print(f"  stored once {counts['distinct']}, results {counts['results']} of {len(feed)}")
    print(f"  lost {lost}, doubled {doubled}, out of order {wrong}; audit chain sound: {sound}")
    print(f"  {counts}; {'HELD' if held else 'FAILED'}", flush=True)
    return held


def main() -> None:
    """Both feeds; exit code 1 where anything was lost, doubled or out of order."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--restarts", type=int, default=5)
    parser.add_argument("--window", type=int, default=4, help="messages unanswered at once on a connection")
    parser.add_argument("--per-case", type=int, default=3, help="messages of one case: a report and its corrections")
    parser.add_argument("--seed", type=int, default=1)
    plan = Plan(**vars(parser.parse_args()))
    held = run("in order", plan, in_order)
    held &= run("shuffled and doubled", plan, shuffled)
    sys.exit(0 if held else 1)


if __name__ == "__main__":
    main()
