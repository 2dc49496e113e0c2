"""The shortest way from `afflux serve` to the server: nothing is loaded that it does not need."""

from __future__ import annotations

import sys
from typing import NoReturn, TypedDict

from forecast.serving.server import serve
from forecast.settings import Settings


class Options(TypedDict, total=False):
    """Options of `afflux serve`; those not given keep the server's defaults."""

    host: str
    port: int
    root_path: str
    workers: int
    refresh: str


def plain_options(arguments: list[str]) -> Options | None:
    """Options of a plainly written `afflux serve`; None leaves the rest, mistakes too, to Typer.

    >>> plain_options(["serve", "--port", "8080"])
    {'port': 8080}
    >>> plain_options(["serve", "--port", "http"]), plain_options(["serve", "--help"])
    (None, None)
    """
    if arguments[:1] != ["serve"] or len(arguments) % 2 == 0:
        return None
    found: Options = {}
    for name, text in zip(arguments[1::2], arguments[2::2], strict=True):
        number = int(text) if text.isdecimal() and text.isascii() else 0
        match name:
            case "--host":
                found["host"] = text
            case "--root-path":
                found["root_path"] = text
            case "--refresh":
                found["refresh"] = text
            case "--port" if number:
                found["port"] = number
            case "--workers" if number:
                found["workers"] = number
            case _:
                return None
    return found


def start(
    host: str = "127.0.0.1",
    port: int = 8000,
    root_path: str = "",
    workers: int = 1,
    refresh: str | None = None,
) -> NoReturn:
    """Say where, and become the server, with the errors of `forecast.serving.server.serve`.

    With ``refresh``, a duration like ``60m``, a process beside the server runs a cycle so often.
    """
    settings, beside = Settings.from_environment(), None
    if refresh is not None:
        from forecast.cli.refresh import refresher

        beside = refresher(refresh, settings)
    sys.stdout.write(f"http://{host}:{port}/ for people, /docs for programs, until Ctrl-C\n")
    sys.stdout.flush()
    serve(settings, host, port, root_path, workers, beside)
