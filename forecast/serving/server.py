"""Start the serving process."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import Callable
from typing import NoReturn

from forecast.errors import AffluxError, InputError
from forecast.serving.options import ServerOptions
from forecast.settings import Settings


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    root_path: str = "",
    workers: int = 1,
    beside: Callable[[], None] | None = None,
) -> NoReturn:
    """Become the server: this process is replaced by uvicorn, so nothing loaded so far stays.

    SIGTERM and SIGINT reach uvicorn directly; it stops listening, lets requests under way end
    (ten seconds at most) and exits. ``beside`` is called just before: what it starts
    is a child of the server.

    Raises
    ------
    InputError
        If host or port, or an option of the environment, cannot be what they are.
    AffluxError
        If the port is taken or may not be used.
    """
    _check_free(host, port)
    ServerOptions.from_environment()  # What is wrong there is a sentence here, a trace there.
    if beside is not None:
        beside()
    environment = os.environ | {"AFFLUX_HOME": str(settings.home)}
    os.execve(sys.executable, command(host, port, root_path, workers), environment)  # noqa: S606


def command(host: str, port: int, root_path: str = "", workers: int = 1) -> list[str]:
    """The command line that serves."""
    return [
        sys.executable,
        *("-m", "forecast.serving.run"),
        *("--host", host, "--port", str(port)),
        *("--root-path", root_path, "--workers", str(workers)),
    ]


def _check_free(host: str, port: int) -> None:
    """Ask for the port once before becoming the server: a taken port is a sentence, not a trace."""
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            # As uvicorn does, so that connections just closed do not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except (socket.gaierror, OverflowError) as error:
        raise InputError(f"cannot serve on {host!r} port {port}: {error}") from error
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise AffluxError(
                f"port {port} of {host} is in use: stop what uses it, or choose another with --port"
            ) from error
        raise AffluxError(
            f"cannot serve on {host} port {port} ({error.strerror}): choose another with --host "
            "and --port"
        ) from error
