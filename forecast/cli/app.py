"""The verbs of the `afflux` command, put together."""

from __future__ import annotations

import typer

from forecast import __version__
from forecast.cli import (
    bulletin,
    cycle,
    data,
    demo,
    explain,
    fetch,
    forecasts,
    keys,
    models,
    sources,
)

app = typer.Typer(
    name="afflux",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help=(
        "Prévisions d'affluence de visiteurs, jours 0 à 14.\n\n"
        "Visitor-influx forecasts, days 0 to 14. State lives under AFFLUX_HOME (default: the "
        "current folder): configs/, data/, models/. Add --debug to any command to see the "
        "traceback of an error."
    ),
)
for _commands in (
    demo,
    data,
    fetch,
    sources,
    models,
    forecasts,
    bulletin,
    cycle,
    explain,
    keys,
):
    _commands.add_to(app)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"afflux {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and stop."
    ),
) -> None:
    """Options before the verb."""
