"""Pictures of every page on the demo's patients, at 1280 and 360 px: `make screenshots`. Needs a chromium.

They go to docs/screenshots, with docs/pages.md that shows them. Look at them after each change of a page.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from app.records import migrate, open_store
from app.services.demo import make_demo
from app.services.reporting import Context
from tests.journeys.server import serve

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
HOME = DOCS / "screenshots"
WIDTHS = (1280, 360)
_TALLEST = {1280: 1600, 360: 2000}
_COLOURS = 48
_SETTINGS = {"webhook_key": "synthetic " * 4, "webhook_targets": "https://board.example.org"}


class Shot(NamedTuple):
    """One page. title: above its pictures; told: a line below; window: height in px where only the window is shown."""

    name: str
    title: str
    told: str
    path: str
    window: int | None = None


def shots(http: httpx.Client) -> Iterator[Shot]:
    """Every page, by the demo's patients in whom there is something to see."""
    coming, past = _meetings(http)
    final = _result(http, status="positive", final=True)
    changed = http.get("/patients/DEMO-1-0026/her2").json()["patient_id"]
    near = "/?ihc=2%2B&ratio=1.95&copies=4.5&cells=40&er=positive&setting=metastatic"
    yield Shot("calculator", "Calculator", "A count near the thresholds waits for a second observer.", near)
    beside = "/?ihc=2%2B&ratio=1.8&copies=4.5&beside=asco-cap-2013"
    yield Shot("editions", "Two editions", "The same values under 2018 and 2013.", beside)
    yield Shot("cases", "Cases", "What is open, the first due first; then the newest results.", "/browser/cases")
    case = f"/browser/patients/{final['patient_id']}"
    yield Shot("case", "Case page", "Status, values on the thresholds, the path through the tables.", case)
    ledger = f"{case}#considerations"
    yield Shot("ledger", "For and against", "What the evidence says on the same page, both sides.", ledger, 900)
    timeline = f"/browser/patients/{changed}"
    yield Shot("changed", "Changed in the metastasis", "Specimens beside each other, never merged.", timeline)
    sheet = f"/browser/results/{final['id']}/sheet"
    yield Shot("sheet", "Printed sheet", "One page A4, also as PDF, with a short code.", sheet)
    yield Shot("meetings", "Meetings", "Coming and past boards.", "/browser/meetings")
    yield Shot(
        "meeting", "A meeting", "Cases in order, from hand, open steps or a FHIR List.", f"/browser/meetings/{coming}"
    )
    present = f"/browser/meetings/{coming}/present?case=3"
    yield Shot("present", "Presenter", "One case on a projector.", present, 720)
    yield Shot("outcomes", "Outcomes", "What a past board decided, and on which version.", f"/browser/meetings/{past}")
    yield Shot("element", "Element", "<her2-card> within other software.", "/browser/element")
    yield Shot("evidence", "Evidence", "Statements of the review, to search.", "/browser/evidence?q=trastuzumab")
    yield Shot("guideline", "Guideline tables", "An edition as it decides.", "/guidelines/asco-cap-2018?format=html")
    yield Shot("messages", "Messages", "What came from the LIS, and what waits.", "/browser/messages")
    waiting = http.get("/messages", params={"state": "quarantined"}).json()["items"][-1]["id"]
    told = "Raw beside read beside recorded, and a code to map."
    yield Shot("message", "A message that waits", told, f"/browser/messages/{waiting}")
    webhook = http.get("/webhooks").json()["items"][0]["id"]
    yield Shot("webhook", "A webhook", "Its deliveries, each with what came back.", f"/browser/webhooks/{webhook}")


def _meetings(http: httpx.Client) -> tuple[str, str]:
    newest_first = [each["id"] for each in http.get("/meetings").json()["items"]]
    return newest_first[0], newest_first[-1]


def _result(http: httpx.Client, **narrow: Any) -> dict[str, Any]:
    """The result with ISH of which the evidence says most."""
    found = [each for each in http.get("/results", params=narrow).json()["items"] if each["ish_group"]]
    whole: list[dict[str, Any]] = [http.get(f"/results/{each['id']}").json() for each in found]
    return max(whole, key=lambda each: len(each["classification"]["considerations"]["considerations"]))


def page(made: list[Shot]) -> str:
    """docs/pages.md."""
    lines = ["# Pages", "", "Made by `make screenshots` on synthetic patients (`herald demo`).", ""]
    for each in made:
        wide, narrow = (f"screenshots/{each.name}-{width}.png" for width in WIDTHS)
        lines += [f"## {each.title}", "", each.told.replace("<", "`<").replace(">", ">`"), ""]
        lines += [f"![{each.title} at 1280 px]({wide})", "", f"![{each.title} at 360 px]({narrow})", ""]
    return "\n".join(lines).rstrip() + "\n"


def main() -> int:
    """Make them all; 1 where there is no chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.stderr.write("There is no chromium on this machine.\n")
        return 1
    HOME.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite:///{folder}/demo.sqlite3"
        migrate(url)
        store = open_store(url)
        store.append_organisation("demo")
        *_, _ = make_demo(Context(store, "demo"), 40, 1)
        store.close()
        with serve(url, Path(folder), organisation="demo", **_SETTINGS) as server, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            made = list(shots(server.http))
            for shot in made:
                for width in WIDTHS:
                    _take(browser, f"http://127.0.0.1:{server.port}", shot, width)
            browser.close()
    (DOCS / "pages.md").write_text(page(made), encoding="utf-8")
    return 0


def _take(browser: Browser, base: str, shot: Shot, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": shot.window or 900}, base_url=base)
    page.goto(shot.path)
    page.wait_for_load_state("networkidle")
    if shot.window is None:
        # a window as tall as the page: what sticks to its edge then stands where the page ends
        tall = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": width, "height": min(tall, _TALLEST[width])})
    drawn = Image.open(io.BytesIO(page.screenshot()))
    page.close()
    drawn.convert("RGB").quantize(_COLOURS).save(HOME / f"{shot.name}-{width}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
