"""What is made from the code is current: `make docs` writes it anew."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.guidelines.editions import EDITIONS
from tests.house.house import ROOT
from tools import make_docs

PAGES = make_docs.pages()


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_current(page: str) -> None:
    assert (ROOT / page).read_text() == PAGES[page], f"{page} is out of date: make docs"


def test_no_generated_page_is_left_over() -> None:
    kept = {str(path.relative_to(ROOT)) for path in (ROOT / "docs/guidelines").glob("*.md")}
    assert kept == {page for page in PAGES if page.startswith("docs/guidelines/")}


def test_the_exported_contract_is_current() -> None:
    told = subprocess.run(
        [Path(sys.executable).parent / "herald", "openapi"], capture_output=True, text=True, check=True
    )
    assert (ROOT / "openapi/openapi.json").read_text() == told.stdout, "openapi/openapi.json is out of date: make docs"


def test_every_row_is_on_its_page() -> None:
    for edition in EDITIONS.values():
        page = PAGES[f"docs/guidelines/{edition.id}.md"]
        for table in edition.tables:
            assert f'<a id="{table.name}"></a>' in page
            for row in table.rows if not table.down_across else ():
                assert re.search(rf"^\| `{re.escape(row.id)}`", page, re.M), f"{edition.id}: {table.name} {row.id}"


def test_every_reading_and_source_that_a_row_cites_is_written_down() -> None:
    readings, sources = (set(make_docs.anchors(ROOT / f"docs/{name}.md")) for name in ("readings", "sources"))
    for edition in EDITIONS.values():
        for table in edition.tables:
            for place in {table.place, *(row.place for row in table.rows)}:
                assert make_docs.cited(place) <= readings | sources, f"{edition.id} {table.name}: {place}"
