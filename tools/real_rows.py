"""Post every row of a registry table to a running service and set its answers beside the reported statuses.

    herald serve &
    python -m tools.real_rows TABLE.tsv [--mapping tcga-brca] [--url http://127.0.0.1:8000]

Prints how many rows were stored, how many refused and why, and the cross-tables with our status down and the reported
IHC and FISH status across; each disagreement is explained by the row of the tables that decided it.
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import httpx

from app.interop.tabular import Bound, read_row
from app.services.files import layout_of, mapping_text

_WORDS = ("Positive", "Negative", "Equivocal", "Indeterminate")
_DECIDING = {
    "no_usable_ish", "dual", "single", "whole", "second_count", "end_rule", "certainty", "count", "credible", "record",
}  # fmt: skip


def _deciding(answer: dict[str, Any]) -> str:
    """The rows that decided: of the count where it is unusable, else the last figure, the group and the final row."""
    steps = [(step["table"], step["row"]) for step in answer["trace"]]
    group = [f"group {row}" for table, row in steps if table == "group"]
    figure = [row if row.startswith(table) else f"{table} {row}" for table, row in steps if table in _DECIDING]
    return " > ".join([*group, figure[-1]] if figure else group)


def main() -> None:
    """Read, post, count, explain."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("table", type=Path)
    parser.add_argument("--mapping", default="tcga-brca")
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    asked = parser.parse_args()
    with asked.table.open(encoding="utf-8-sig", newline="") as file:
        header, *rows = csv.reader(file, delimiter="\t")
    bound = layout_of(mapping_text(asked.mapping), header, None)
    if not isinstance(bound, Bound):
        sys.exit("\n".join(f"{each.field}: {each.message}; {each.remedy}" for each in bound))
    at = {name: place for place, name in enumerate(header)}
    stored, codes = 0, Counter[str]()
    crosses: dict[str, Counter[tuple[str, str]]] = {"her2_status_by_ihc": Counter(), "her2_fish_status": Counter()}
    reasons: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    with httpx.Client(base_url=asked.url, timeout=30) as client:
        for number, cells in enumerate(rows, start=2):
            read = read_row(bound, cells)
            document = {**read.document, "patient": cells[at[bound.layout.id[0]]], "laboratory": "registry"}
            answer = client.post("/results", json=document, headers={"Idempotency-Key": f"{asked.table.stem}-{number}"})
            body = answer.json()
            if answer.status_code == 201:
                stored += 1
                told = body["classification"]
                ours = told["status"] + ("" if told["final"] else ", not final")
                why = _deciding(told)
            else:
                refused = sorted({problem["code"] for problem in body["problems"]})
                codes.update(refused)
                ours, why = "refused", " + ".join(refused)
            for column, cross in crosses.items():
                reported = cells[at[column]] if column in at else "absent"
                cross[ours, reported if reported in _WORDS else "not reported"] += 1
                agrees = reported.lower() == ours.partition(",")[0]
                if reported in _WORDS and not agrees:
                    reasons[column, ours, reported][why] += 1
    print(f"rows {len(rows)}, stored {stored}, refused {len(rows) - stored}: {dict(codes)}")
    for column, cross in crosses.items():
        print(f"\n### our status against {column}\n")
        across = [*_WORDS, "not reported"]
        print("| our status | " + " | ".join(across) + " |")
        print("| --- |" + " ---: |" * len(across))
        for ours in sorted({one for one, _ in cross}):
            print(f"| {ours} | " + " | ".join(str(cross[ours, word]) for word in across) + " |")
        print("\n| ours | reported | rows | decided by |\n| --- | --- | ---: | --- |")
        for (where, ours, reported), whys in sorted(reasons.items()):
            if where == column:
                for why, count in whys.most_common():
                    print(f"| {ours} | {reported} | {count} | {why} |")


if __name__ == "__main__":
    main()
