"""What is made from the code is current: `make docs` writes it anew."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.domain.evidence import Condition
from app.evidence.library import load_pack
from app.guidelines.editions import EDITIONS
from tests.house.house import ROOT
from tools import make_docs
from tools.evidence_pages import conditions, effect_words

PAGES = make_docs.pages()


@pytest.mark.parametrize("page", PAGES)
def test_a_generated_page_is_current(page: str) -> None:
    assert (ROOT / page).read_text() == PAGES[page], f"{page} is out of date: make docs"


def test_no_generated_page_is_left_over() -> None:
    kept = {str(path.relative_to(ROOT)) for folder in make_docs.FOLDERS for path in (ROOT / folder).rglob("*.md")}
    assert kept == {page for page in PAGES if page.startswith(tuple(f"{folder}/" for folder in make_docs.FOLDERS))}


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


def test_every_number_and_caveat_of_a_statement_is_on_the_page_of_each_consideration_it_stands_in() -> None:
    pack = load_pack()
    for each in pack.considerations:
        page = PAGES[f"docs/evidence/considerations/{each.id}.md"]
        for statement in (pack.statements[id_] for id_ in (*each.supporting, *each.opposing)):
            assert f"### {statement.id}\n" in page
            for said in (statement.summary, *statement.cited_as, *statement.caveats):
                assert said in page
            for effect in statement.effects:
                line = effect_words(effect)
                assert f"- {line}\n" in page
                assert all(f"{number:f}" in line for number in effect.numbers())
        assert all(text in page for text in each.must_not_conclude)


def test_every_statement_has_its_line_and_its_place_to_link_to() -> None:
    page = PAGES["docs/evidence/README.md"]
    for id_, statement in load_pack().statements.items():
        (line,) = (line for line in page.splitlines() if f'<a id="{id_}"></a>' in line)
        assert statement.summary.replace("|", "\\|") in line


def test_a_condition_is_told_in_words() -> None:
    when = Condition(
        ("positive", "low"), er=("positive",), line=(1, 2), prior=("x", "y"), biomarkers=(("esr1_high", "positive"),)
    )
    assert list(conditions(when)) == [
        "HER2 is positive or low",
        "ER is positive",
        "the line of treatment is 1 or 2",
        "earlier treatment held x and y",
        "the biomarker `esr1_high` is positive",
    ]


def test_every_reading_and_source_that_a_row_cites_is_written_down() -> None:
    readings, sources = (set(make_docs.anchors(ROOT / f"docs/{name}.md")) for name in ("readings", "sources"))
    for edition in EDITIONS.values():
        for table in edition.tables:
            for place in {table.place, *(row.place for row in table.rows)}:
                assert make_docs.cited(place) <= readings | sources, f"{edition.id} {table.name}: {place}"
