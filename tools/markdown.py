"""What all generated pages share: the line that says they are made, and a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

MADE = "<!-- Made by `make docs`; edit the code it is made from. -->\n"


def grid(header: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """A table, line by line."""
    names = list(header)
    yield "| " + " | ".join(names) + " |"
    yield "|" + " --- |" * len(names)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
