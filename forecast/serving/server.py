"""Start the serving process."""

from __future__ import annotations

import errno
import os
import socket
import sys
from typing import NoReturn

from forecast.errors import AffluxError, InputError
from forecast.settings import Settings

GRACEFUL_SECONDS = 10
"""Time that requests under way have to end once the server is told to stop [s]."""


def serve(
    settings: Settings,
    host: str = "127.0.0.1",
    port: int = 8000,
    root_path: str = "",
    workers: int = 1,
) -> NoReturn:
    """Become the server: this process is replaced by uvicorn, so nothing loaded so far stays.

    SIGTERM and SIGINT reach uvicorn directly; it stops listening, lets requests under way end
    (:data:`GRACEFUL_SECONDS` at most) and exits.

    Raises
    ------
    InputError
        If host or port cannot be what they are.
    AffluxError
        If the port is taken or may not be used.
    """
    _check_free(host, port)
    environment = os.environ | {"AFFLUX_HOME": str(settings.home)}
    os.execve(sys.executable, command(host, port, root_path, workers), environment)  # noqa: S606


def command(host: str, port: int, root_path: str = "", workers: int = 1) -> list[str]:
    """The command line that serves."""
    return [
        sys.executable,
        *("-m", "uvicorn", "--factory", "forecast.serving.app:create_app"),
        *("--host", host, "--port", str(port)),
        *("--root-path", root_path, "--workers", str(workers)),
        *("--timeout-graceful-shutdown", str(GRACEFUL_SECONDS)),
        *("--no-access-log", "--no-server-header"),
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
