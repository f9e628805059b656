"""Post every row of a registry table to a running service and set its answers beside the reported statuses.

    herald serve &
    python -m tools.real_rows TABLE.tsv [--mapping tcga-brca] [--url http://127.0.0.1:8000]

Prints how many rows were stored, which were refused and why, and the cross-tables with our status down and the reported
IHC and FISH status across; each disagreement is explained by the row of the tables that decided it. The first column of
the mapping's `id` is sent as the patient's pseudonym and is not printed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from app.commandline.tables import TableFile, Unreadable, open_table
from app.interop.mapping import read_mapping
from app.interop.tabular import Bound, Layout, plain, read_row
from app.services.documents import digest
from app.services.files import Row, layout_of, mapping_text

_REPORTED = ("her2_status_by_ihc", "her2_fish_status")
_WORDS = ("Positive", "Negative", "Equivocal", "Indeterminate")
_DECIDING = {
    "no_usable_ish", "dual", "single", "whole", "second_count", "end_rule", "certainty", "count", "credible", "record",
}  # fmt: skip


@dataclass
class Told:
    """What the service said: rows stored, rows refused by code, and the two cross-tables with their reasons."""

    rows: int = 0
    stored: int = 0
    refused: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    cross: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: {name: Counter() for name in _REPORTED})
    why: dict[tuple[str, str, str], Counter[str]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, number: int, reported: dict[str, str], ours: str, why: str) -> None:
        self.rows += 1
        for column, cell in reported.items():
            word = next((each for each in _WORDS if plain(each) == plain(cell)), "not reported")
            self.cross[column][ours, word] += 1
            if word in _WORDS and word.lower() != ours.partition(",")[0]:
                self.why[column, ours, word][why] += 1
        if ours == "refused":
            self.refused[why].append(number)
        else:
            self.stored += 1


def deciding(answer: dict[str, Any]) -> str:
    """The rows that decided: the group where there is one, and the last figure asked."""
    steps = [(step["table"], step["row"]) for step in answer["trace"]]
    group = [f"group {row}" for table, row in steps if table == "group"]
    figure = [row if row.startswith(table) else f"{table} {row}" for table, row in steps if table in _DECIDING]
    return " > ".join([*group, *figure[-1:]])


def post(client: httpx.Client, bound: Bound, row: Row, key: str) -> tuple[str, str]:
    """Our status of one row and why; `refused` with the codes where the service, or the mapping, refused it."""
    read = read_row(bound, row.cells)
    if not read.readable:
        codes = {each.problem.code for each in read.problems if not each.noted}
        return "refused", " + ".join(sorted(codes)) + ", by the mapping"
    document = {**read.document, "patient": row.cells[bound.id[0]].strip(), "laboratory": "registry"}
    answer = client.post("/results", json=document, headers={"Idempotency-Key": f"{key}-{row.number}"})
    body = answer.json()
    if answer.status_code == 201:
        told = body["classification"]
        return told["status"] + ("" if told["final"] else ", not final"), deciding(told)
    if not body.get("problems"):
        sys.exit(f"row {row.number}: {answer.status_code} {body.get('detail')}")
    return "refused", " + ".join(sorted({problem["code"] for problem in body["problems"]}))


def report(told: Told) -> Iterator[str]:
    """The lines to print."""
    yield f"rows {told.rows}, stored {told.stored}, refused {told.rows - told.stored}\n"
    for code, numbers in sorted(told.refused.items()):
        yield f"- {code}: {len(numbers)} rows, in lines {', '.join(map(str, numbers))}"
    across = [*_WORDS, "not reported"]
    for column, cross in told.cross.items():
        if not cross:
            continue
        yield f"\n### our status against {column}\n"
        yield "| our status | " + " | ".join(across) + " |"
        yield "| --- |" + " ---: |" * len(across)
        for ours in sorted({one for one, _ in cross}):
            yield f"| {ours} | " + " | ".join(str(cross[ours, word]) for word in across) + " |"
        yield "\n| ours | reported | rows | decided by |\n| --- | --- | ---: | --- |"
        for (where, ours, reported), whys in sorted(told.why.items()):
            for why, count in whys.most_common() if where == column else ():
                yield f"| {ours} | {reported} | {count} | {why} |"


def opened(path: Path, mapping: str) -> tuple[TableFile, Bound]:
    """The table and its columns; leaves with what is wrong."""
    text = mapping_text(mapping) or Path(mapping).read_text("utf-8")
    layout = read_mapping(text)
    if not isinstance(layout, Layout):
        sys.exit("\n".join(f"{each.field}: {each.message}; {each.remedy}" for each in layout))
    known = {plain(column.name) for column in layout.columns}
    try:
        table = open_table(path, lambda header: len(known & set(map(plain, header))), comment=layout.comment)
    except Unreadable as error:
        sys.exit(f"{error}; {error.remedy}")
    bound = layout_of(text, table.header, None)
    if not isinstance(bound, Bound):
        sys.exit("\n".join(f"{each.field}: {each.message}; {each.remedy}" for each in bound))
    return table, bound


def main() -> None:
    """Read, post, count, explain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--mapping", default="tcga-brca")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    asked = parser.parse_args()
    table, bound = opened(asked.table, asked.mapping)
    places = {column: at for at, name in enumerate(bound.header) for column in _REPORTED if plain(name) == column}
    told = Told()
    with httpx.Client(base_url=asked.url, timeout=30) as client:
        for row in table.rows():
            reported = {column: row.cells[at] for column, at in places.items() if at < len(row.cells)}
            # The same row again is the same key: a second run stores nothing twice.
            key = digest([asked.table.name, list(row.cells)])[:32]
            told.add(row.line, reported, *post(client, bound, row, key))
    for line in report(told):
        print(line)
    if told.rows != table.records:
        sys.exit(f"{table.records} rows were read and {told.rows} sent")


if __name__ == "__main__":
    main()
