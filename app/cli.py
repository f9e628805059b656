"""The `herald` command: what it is made of. Each subject has its module in app.commandline."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from app import ENGINE_VERSION
from app.commandline import classify, classify_file, demo, evidence, feeds, guideline, imports, mllp, serving, webhooks

app = typer.Typer(
    name="herald",
    help="HER2 status, HER2-low and considerations, by the published tables; and a record that is kept.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in (
    serving.serve, serving.migrate, mllp.mllp, classify.classify, classify_file.classify_file, demo.demo,
):  # fmt: skip
    app.command(_command.__name__.replace("_", "-"))(_command)
app.command("import")(imports.import_file)
app.add_typer(guideline.guideline, name="guideline")
app.add_typer(evidence.evidence, name="evidence")
app.add_typer(feeds.feed, name="feed")
app.add_typer(webhooks.webhooks, name="webhooks")
app.command("openapi")(serving.openapi)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"herald {ENGINE_VERSION}")
        raise typer.Exit


@app.callback()
def _herald(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    pass


def main() -> None:
    """The console script."""
    try:
        app()
    except BrokenPipeError:
        # The reader of a pipe has gone: nothing is left to tell.
        sys.stderr.close()


if __name__ == "__main__":
    main()
