"""Considerations for a context, nothing remembered, and full-text search over HTTP: medians, without a bar asserted."""

from __future__ import annotations

import itertools
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from fastapi.testclient import TestClient

from app.domain.evidence import BIOMARKERS, PATIENT_SETTINGS, PatientContext
from app.evidence import weighing
from app.evidence.documents import to_document
from app.evidence.library import load_pack
from app.main import create_app
from app.settings import Settings

QUERIES = ("letrozole", "trastuzumab esr1", "her2 ki67 neoadjuvant", "resistance", "no such word")


def _milliseconds(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return (time.perf_counter() - began) * 1000


def contexts() -> list[tuple[PatientContext, str, bool, str]]:
    """Contexts that all differ."""
    found = []
    answers = (("positive", True, "not_applicable"), ("negative", True, "low"), ("negative", True, "null"))
    for setting, line, name, answer in itertools.product(PATIENT_SETTINGS, (1, 2, 3), BIOMARKERS, answers):
        context = PatientContext(er="positive", setting=setting, line=line, biomarkers=((name, "positive"),))
        found.append((context, *answer))
    return found


def main() -> None:
    """Print the medians and the slowest."""
    pack, told = load_pack(), contexts()
    for remembered in (weighing.weigh, weighing._asked, weighing._weighed):
        remembered.cache_clear()
    took = [_milliseconds(lambda each=each: to_document(weighing.weigh(pack, *each))) for each in told]
    print(f"considerations, {len(told)} contexts: median {statistics.median(took):.2f} ms, slowest {max(took):.2f} ms")
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(database_url=f"sqlite:///{Path(folder)}/bench.sqlite3", log_level="error")
        with TestClient(create_app(settings)) as client:
            client.get("/evidence?q=warm")
            for query in QUERIES:
                asked = [_milliseconds(lambda q=query: client.get("/evidence", params={"q": q})) for _ in range(200)]
                print(f"GET /evidence?q={query}: median {statistics.median(asked):.2f} ms, slowest {max(asked):.2f} ms")


if __name__ == "__main__":
    main()
