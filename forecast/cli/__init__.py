"""The `afflux` command. Each verb reads the clock and the environment, and calls one function.

Exit status: 0 done, 1 failed, 2 bad input or usage. An error is one line; ``--debug`` shows the
traceback.
"""

from __future__ import annotations

import os
import sys

from forecast.errors import AffluxError


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
        _run(arguments)
    except AffluxError as error:
        if debug:
            raise
        _complain(str(error))
        sys.exit(error.exit_code)
    except Exception as error:
        if debug:
            raise
        _complain(f"unexpected {type(error).__name__}: {error} (add --debug for the traceback)")
        sys.exit(1)


def _run(arguments: list[str]) -> None:
    # A server restarts in half a second; loading Typer and Rich would be a third of it.
    from forecast.cli.start import plain_options, start

    options = plain_options(arguments)
    if options is not None:
        start(**options)
    from forecast.cli.app import app

    app(args=arguments)


def _complain(message: str) -> None:
    from forecast.cli.console import complain

    complain(message)
