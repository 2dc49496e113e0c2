"""``python -m forecast.serving.run``: the serving process, as `afflux serve` becomes it."""

from __future__ import annotations

import argparse
import resource
from collections.abc import Sequence

import uvicorn

from forecast.serving.options import ServerOptions

GRACEFUL_SECONDS = 10
"""Time that requests under way have to end once the server is told to stop [s]."""

KEEP_ALIVE_SECONDS = 65
"""How long a connection may rest between two requests [s]: longer than reverse proxies keep theirs
(60 s with nginx), so that none sends a request into a connection just closed."""

BACKLOG = 4096
"""Connections that wait to be accepted."""

_FILES = 65_536


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve with the options of the environment, until SIGTERM or SIGINT."""
    parser = argparse.ArgumentParser(prog="python -m forecast.serving.run")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--root-path", default="")
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args(arguments)
    proxies = ServerOptions.from_environment().trusted_proxies
    raise_open_files()
    uvicorn.run(
        "forecast.serving.app:create_door",
        factory=True,
        host=given.host,
        port=given.port,
        root_path=given.root_path,
        workers=given.workers,
        http="forecast.serving.protocol:GuardedProtocol",
        ws="none",
        backlog=BACKLOG,
        access_log=False,
        server_header=False,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=[str(network) for network in proxies],
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=GRACEFUL_SECONDS,
    )


def raise_open_files() -> None:
    """Let this process open as many files as it may: each connection is one."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _FILES if hard == resource.RLIM_INFINITY else min(hard, _FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


if __name__ == "__main__":
    main()
