"""For every test and doctest: the network is out of reach, loopback aside.

An audit hook sees each connection of this process whatever library makes it, and cannot be taken
off again. What is not Python (delta-rs) and what tests start as subprocesses honour the usual
proxy variables, which lead to a port of the loopback where nothing listens; besides, the
subprocesses are only given addresses of the loopback.
"""

from __future__ import annotations

import os
import socket
import sys

import pytest
from hypothesis import HealthCheck, settings

# Time limits for single examples measure how busy the machine is.
settings.register_profile("afflux", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("afflux")

# As the `afflux` command does, before numpy and LightGBM load: their threads would spin while they
# wait, which beside one busy process is ten times slower.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

_NOWHERE, _HERE = "http://127.0.0.1:9", "localhost,127.0.0.1,::1"
for _name in ("http_proxy", "https_proxy", "all_proxy"):
    os.environ |= {_name: _NOWHERE, _name.upper(): _NOWHERE}
os.environ |= {"no_proxy": _HERE, "NO_PROXY": _HERE}


def _stays_here(host: object) -> bool:
    name = host.decode() if isinstance(host, bytes) else host
    return name in (None, "", "localhost", "::1") or str(name).startswith("127.")


def _guard(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("socket.connect", "socket.sendto"):
        address = arguments[1]
        # Unix sockets have a path for an address, not a host and a port.
        if isinstance(address, tuple) and not _stays_here(address[0]):
            raise RuntimeError(f"a test reached for the network: {event} {address}")
    elif event in ("socket.getaddrinfo", "socket.gethostbyname") and not _stays_here(arguments[0]):
        raise socket.gaierror(f"no name is resolved in tests: {arguments[0]!r}")


sys.addaudithook(_guard)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep tests that share a slow session fixture on one worker: the world is trained once."""
    for item in items:
        room = item.path.parent.name
        if room == "world" or item.path.stem == "test_registry":
            item.add_marker(pytest.mark.xdist_group(item.path.stem if room != "world" else room))
