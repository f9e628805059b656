"""herald demo: a synthetic organisation to look at."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.progress import track
from rich.text import Text

from app.commandline.settings import read_settings
from app.commandline.store import opened
from app.commandline.terminal import console, fail, grid
from app.services.errors import Refusal


def demo(
    patients: Annotated[int, typer.Option(min=1, max=10_000, help="How many synthetic patients.")] = 200,
    seed: Annotated[int, typer.Option(help="The same seed makes the same patients, and stores nothing twice.")] = 1,
    organisation: Annotated[str, typer.Option(help="The organisation to fill.")] = "demo",
) -> None:
    """Fill an organisation with synthetic patients: every group, contradiction, amendment and open step."""
    from app.services.demo import make_demo, open_steps

    settings = read_settings()
    told = console()
    with opened(settings, organisation, migrate_first=True) as context:
        progress = console(stderr=True)
        steps = make_demo(context, patients, seed)
        shown = track(steps, "Making patients", patients, console=progress, disable=not progress.is_terminal)
        try:
            *_, made = shown
        except Refusal as refused:
            remedy = "another version of Herald may have made this demo: try another --seed or --organisation"
            fail(f"the demo stopped: {refused.detail}", remedy, code=1)
        told.print(Text(f"SYNTHETIC DATA: {patients} patients that never lived, organisation {organisation}", "bold"))
        table = grid("what", "how many")
        for what, count in sorted(made.counts.items()):
            table.add_row(what, str(count))
        table.add_row("open steps now", str(open_steps(context)))
        told.print(table)
    if made.replayed:
        told.print(Text(f"{made.replayed} were there already and were not stored again."))
    if made.refused:
        told.print(Text("Refused, as they should be (nothing is guessed):", "bold"))
        refusals = grid("case", "field", "problem")
        for case, field, code in dict.fromkeys(made.refused):
            refusals.add_row(case, field, code)
        told.print(refusals)
    told.print(Text("Three things to try:", "bold"))
    told.print(Text(f"  HERALD_ORGANISATION={organisation} herald serve"))
    told.print(Text(f"  curl -s http://{settings.host}:{settings.port}/open-steps"))
    if "patient" in made.look_at:
        told.print(Text(f"  curl -s http://{settings.host}:{settings.port}/patients/{made.look_at['patient']}/her2"))
    else:
        told.print(Text(f"  curl -s http://{settings.host}:{settings.port}/results"))
    if "meeting" in made.look_at:
        told.print(Text("A tumour board's list, in a browser:", "bold"))
        told.print(Text(f"  http://{settings.host}:{settings.port}/browser/meetings/{made.look_at['meeting']}"))
