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
HOME = ROOT / "docs" / "screenshots"
_WIDTHS = (1280, 360)
_TALLEST = 2000
_COLOURS = 64


class Shot(NamedTuple):
    """One picture. told: a line below it; height: px of the window where more than the window is not wanted."""

    name: str
    told: str
    path: str
    height: int | None = None


def shots(http: httpx.Client) -> Iterator[Shot]:
    """Every page, with the demo's patients whose situation is worth seeing."""
    changed = _patient(http, "changed in metastasis")
    del changed
    yield Shot("calculator", "The calculator: a count near the thresholds.", "/?ihc=2%2B&ratio=1.8&copies=4.5&cells=40")


def _patient(http: httpx.Client, kind: str) -> dict[str, Any]:
    raise NotImplementedError


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
        with serve(url, Path(folder), organisation="demo") as server, sync_playwright() as driver:
            browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
            base = f"http://127.0.0.1:{server.port}"
            for shot in shots(server.http):
                for width in _WIDTHS:
                    _take(browser, base, shot, width)
            browser.close()
    return 0


def _take(browser: Browser, base: str, shot: Shot, width: int) -> None:
    page = browser.new_page(viewport={"width": width, "height": shot.height or 900}, base_url=base)
    page.goto(shot.path)
    page.wait_for_load_state("networkidle")
    drawn = Image.open(io.BytesIO(page.screenshot(full_page=shot.height is None)))
    page.close()
    drawn = drawn.crop((0, 0, drawn.width, min(drawn.height, _TALLEST))).convert("RGB").quantize(_COLOURS)
    drawn.save(HOME / f"{shot.name}-{width}.png", optimize=True)


if __name__ == "__main__":
    sys.exit(main())
