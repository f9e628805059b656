"""Scalar classification with full trace against the same tables in zen-engine, side by side in one run, no HTTP.

For each case zen gets the tables that our trace names, as one graph in one call, with every derived fact already
computed: it is spared the arithmetic, the worlds and the walk. Ours starts from the case and renders its trace.
"""

from __future__ import annotations

import itertools
import json
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import zen

from app.decision_table import Column, Table
from app.domain.case import Case
from app.domain.classification import Classification, Step
from app.domain.problems import Problem
from app.domain.reading import read_case
from app.guidelines.classify import classify
from app.guidelines.editions import EDITIONS

CASES, ROUNDS = 400, 5


def documents() -> list[dict[str, Any]]:
    """IHC alone, every dual-probe group, single probe, recounts: numbers drawn anew for each."""
    rng = random.Random(7)
    drawn = []
    for _ in range(CASES):
        ihc = rng.choice(["0", "1+", "2+", "3+"])
        kind = rng.choice(["ihc", "dual", "dual", "dual", "single", "recount"])
        ratio, copies = round(rng.uniform(0.8, 3.5), 2), round(rng.uniform(1.5, 9.0), 2)
        document: dict[str, Any] = {"ihc": ihc}
        if kind == "single":
            document["ish"] = {"assay": "single_probe", "her2_copies": str(copies), "cells": 40}
        elif kind != "ihc":
            document["ish"] = {"assay": "dual_probe", "ratio": str(ratio), "her2_copies": str(copies), "cells": 40}
        if kind == "recount":
            document |= {"ihc": "2+", "recount": {"ratio": str(ratio), "her2_copies": str(copies), "cells": 20}}
            document["recount"] |= {"blinded": True, "in_ihc_2plus_area": True}
        drawn.append(document)
    return drawn


def rendered(case: Case, problems: tuple[Problem, ...]) -> Classification:
    """Our side: classify, and render every step of the trace."""
    found = classify(case, problems)
    for step in found.trace:
        _ = step.document
    return found


def _unary(column: Column, text: str) -> str:
    """A number cell in zen's notation; missing is -1 there, since zen drops null."""
    if text == "-":
        return ""
    parts = []
    for part in (part.strip() for part in text.split(",")):
        if part == "missing":
            parts.append("-1")
        elif part.startswith("<="):
            parts.append(f"[0..{part[2:].strip()}]")
        elif part.startswith("<"):
            parts.append(f"[0..{part[1:].strip()})")
        elif part.startswith("= "):
            parts.append(part[2:])
        else:
            parts.append(part.replace("..)", "..1000000000]"))
    return ", ".join(parts)


def _node(table: Table, place: int) -> dict[str, Any]:
    rules = []
    for row, cells in zip(table.rows, table.cells, strict=True):
        rule: dict[str, str] = {"_id": row.id}
        for column, covered, (name, text) in zip(table.columns, cells, row.conditions, strict=True):
            words = ", ".join(f'"{column.words[i]}"' for i in sorted(covered)) if column.words else ""
            rule[name] = "" if text == "-" else words or _unary(column, text)
        for name, said in row.outputs.items():
            rule[f"out_{name}"] = json.dumps(said)
        rules.append(rule)
    key = f"t{place}"
    return {
        "id": key,
        "name": f"{table.name}{place}",
        "type": "decisionTableNode",
        "position": {"x": 0, "y": 0},
        "content": {
            "hitPolicy": "first",
            "inputs": [{"id": name, "name": name, "field": f"{key}_{name}"} for name in table.inputs],
            "outputs": [{"id": f"out_{name}", "name": name, "field": f"{key}_out.{name}"} for name in table.outputs],
            "rules": rules,
            "passThrough": True,
        },
    }


def graph(tables: list[Table]) -> str:
    """The tables of one trace as one graph, one after the other."""
    nodes: list[dict[str, Any]] = [{"id": "in", "name": "in", "type": "inputNode", "position": {"x": 0, "y": 0}}]
    nodes += [_node(table, place) for place, table in enumerate(tables)]
    nodes.append({"id": "out", "name": "out", "type": "outputNode", "position": {"x": 0, "y": 0}})
    edges = [
        {"id": f"e{i}", "sourceId": one["id"], "targetId": other["id"], "type": "edge"}
        for i, (one, other) in enumerate(itertools.pairwise(nodes))
    ]
    return json.dumps({"nodes": nodes, "edges": edges})


def _value(text: str, column: Column) -> Any:
    if column.words:
        return text
    return -1 if text == "missing" else float(text)


def asked(steps: tuple[Step, ...]) -> tuple[list[Table], dict[str, Any]]:
    """The tables of a trace and the values each was asked with."""
    by_name = {table.name: table for table in EDITIONS["asco-cap-2018"].tables}
    tables, values = [], {}
    for place, step in enumerate(steps):
        table = by_name[step.table]
        tables.append(table)
        for column, (name, text) in zip(table.columns, step.observed, strict=True):
            values[f"t{place}_{name}"] = _value(text, column)
    return tables, values


def _time(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def main() -> None:
    """Print microseconds a case and the ratio, medians over rounds that alternate."""
    engine = zen.ZenEngine()
    prepared, decisions = [], {}
    for document in documents():
        reading = read_case(document)
        found = rendered(reading.case, reading.problems)
        tables, values = asked(found.trace)
        path = tuple(step.table for step in found.trace)
        if path not in decisions:
            decisions[path] = engine.create_decision(graph(tables))
        prepared.append((reading, found, decisions[path], values))
    agreed = 0
    for _, found, decision, values in prepared:
        result = decision.evaluate(values, {"trace": True})["result"]
        for place, step in enumerate(found.trace):
            said = result.get(f"t{place}_out", {})
            told = dict(step.at.outcome)
            assert {k: (", ".join(v) if isinstance(v, list) else v) for k, v in said.items() if v} == told, (step, said)
        agreed += 1

    ours, theirs, fresh = [], [], []
    from app.guidelines import asking
    from app.guidelines import classify as remembered

    for _ in range(ROUNDS):
        ours.append(_time(lambda: [rendered(each.case, each.problems) for each, *_ in prepared]))
        theirs.append(_time(lambda: [decision.evaluate(values, {"trace": True}) for *_, decision, values in prepared]))

        def cold() -> None:
            for each, *_ in prepared:
                remembered._settled.clear()
                asking._asked.clear()
                rendered(each.case, each.problems)

        fresh.append(_time(cold))
    scale = 1_000_000 / len(prepared)
    mine, zens, colds = (statistics.median(times) * scale for times in (ours, theirs, fresh))
    steps = statistics.mean(len(found.trace) for _, found, *_ in prepared)
    print(f"cases {len(prepared)}, tables a case {steps:.1f}, every outcome equal on {agreed}")
    print(f"Herald, edition with rendered trace   {mine:9.1f} us a case")
    print(f"Herald, nothing remembered            {colds:9.1f} us a case")
    print(f"zen-engine, the same tables with trace {zens:8.1f} us a case")
    print(f"ratio zen/Herald {zens / mine:.1f} (nothing remembered: {zens / colds:.1f})")


if __name__ == "__main__":
    main()
