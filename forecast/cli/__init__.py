"""The `afflux` command. Each verb reads the clock and the environment, and calls one function.

Exit status: 0 done, 1 failed, 2 bad input or usage. An error is one line; ``--debug`` shows the
traceback.
"""

from __future__ import annotations

import os
import sys

import typer

from forecast import __version__
from forecast.cli import data, demo, forecasts, models
from forecast.cli.console import complain
from forecast.errors import AffluxError

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
for _commands in (demo, data, models, forecasts):
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


def main() -> None:
    """Run the command line; the entry point of the `afflux` script."""
    # libgomp reads this when it is loaded: its default, spinning while it waits, was measured
    # twenty times slower beside one busy process.
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    # OpenBLAS spins too: the partner's small systems were solved five times slower on two threads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    debug = "--debug" in sys.argv
    arguments = [argument for argument in sys.argv[1:] if argument != "--debug"]
    try:
        app(args=arguments)
    except AffluxError as error:
        if debug:
            raise
        complain(str(error))
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            raise
        complain(f"unexpected {type(error).__name__}: {error} (add --debug for the traceback)")
        sys.exit(1)
