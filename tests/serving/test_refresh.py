"""`afflux serve --refresh`: cycles beside the server, which they can never touch.

The homes here have no configuration, so that each cycle fails at once; tests/world has one in which
cycles publish.
"""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import pytest

from forecast.cli.refresh import refresher, seconds_of
from forecast.errors import InputError
from forecast.settings import Settings

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="reads /proc")


class Serving:
    """`afflux serve` as a user starts it, on a free port."""

    def __init__(self, home: Path, *options: str) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url, self.log = f"http://127.0.0.1:{port}", home / "serve.log"
        script = Path(sys.executable).with_name("afflux")
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [script, "serve", "--port", str(port), *options],
                env=os.environ | {"AFFLUX_HOME": str(home)},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def said(self) -> str:
        return self.log.read_text("utf-8")

    def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, self.said()
            time.sleep(0.05)

    def answers(self) -> bool:
        assert self.process.poll() is None, self.said()
        try:
            return httpx2.get(f"{self.url}/v1/zones", trust_env=False).status_code == 200
        except httpx2.TransportError:
            return False

    def refresher(self) -> int:
        """The process beside the server, once it is there."""
        self.until(lambda: "refresh: a cycle every" in self.said())
        return int(re.findall(r"process (\d+)", self.said())[0])


@pytest.fixture
def serving(tmp_path: Path, publish) -> Iterator[Callable[..., Serving]]:
    """Start it on a home with one publication; whatever is left of it is killed at the end."""
    publish(tmp_path)
    started = []

    def start(*options: str) -> Serving:
        started.append(Serving(tmp_path, *options))
        return started[-1]

    yield start
    for server in started:
        try:
            os.killpg(server.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            continue
        server.process.wait(10)


def parent(pid: int) -> int:
    """Parent of a process; 0 if there is none of that number, or only what is left of it."""
    try:
        state, above = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[:2]
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return 0 if state == "Z" else int(above)


def children(pid: int) -> list[int]:
    return [
        int(entry.name)
        for entry in Path("/proc").iterdir()
        if entry.name.isdecimal() and parent(int(entry.name)) == pid
    ]


def test_cycles_that_fail_are_said_and_the_server_answers_on(serving) -> None:
    server = serving("--refresh", "1s")
    server.until(server.answers)
    beside = server.refresher()
    assert parent(beside) == server.process.pid
    server.until(lambda: server.said().count("the cycle ended with status 2") >= 2)
    assert "no configuration in" in server.said()
    assert server.answers()
    assert "Traceback" not in server.said()


@pytest.mark.parametrize("ending", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_it_ends_with_the_server_however_that_ends(serving, ending) -> None:
    server = serving("--refresh", "1s")
    beside = server.refresher()
    server.until(server.answers)
    server.until(lambda: children(beside))  # in the middle of a cycle
    (cycle,) = children(beside)
    os.kill(server.process.pid, ending)
    server.process.wait(15)
    server.until(lambda: not parent(beside) and not parent(cycle))
    assert "Traceback" not in server.said()


def test_ctrl_c_in_a_terminal_reaches_all_and_ends_all(serving) -> None:
    server = serving("--refresh", "1s")
    beside = server.refresher()
    server.until(server.answers)
    server.until(lambda: children(beside))
    os.killpg(server.process.pid, signal.SIGINT)
    server.process.wait(15)
    server.until(lambda: not parent(beside))
    assert "Traceback" not in server.said()


def test_two_workers_have_one_refresher(serving) -> None:
    server = serving("--refresh", "60m", "--workers", "2")
    beside = server.refresher()
    server.until(server.answers)
    server.until(lambda: len(children(server.process.pid)) >= 3)
    assert server.said().count("refresh: a cycle every 3600 s") == 1
    server.process.terminate()
    server.process.wait(20)
    server.until(lambda: not parent(beside))


def test_a_fresh_publication_is_not_made_again_at_once(serving, tmp_path: Path) -> None:
    server = serving("--refresh", "60m")
    beside = server.refresher()
    server.until(server.answers)
    time.sleep(1.5)
    assert children(beside) == []
    server.process.terminate()
    server.process.wait(15)
    old = time.time() - 3601
    os.utime(tmp_path / "data" / "publications" / "current", (old, old))
    again = serving("--refresh", "60m")
    again.until(lambda: "the cycle ended with status 2" in again.said())


def test_without_the_option_nothing_runs_beside_the_server(serving) -> None:
    server = serving()
    server.until(server.answers)
    assert children(server.process.pid) == []


def test_it_holds_little_memory(serving) -> None:
    beside = serving("--refresh", "60m").refresher()
    status = Path(f"/proc/{beside}/status").read_text()
    assert int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) < 24 * 1024


@pytest.mark.parametrize("text", ["", "60", "0m", "1.5h", "-1h", "60 m", "1w", "31d", "٣m", "m"])
def test_what_is_no_duration_is_bad_input(text: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="like 60m or 6h"):
        refresher(text, Settings(tmp_path, "", None))
    done = subprocess.run(
        [Path(sys.executable).with_name("afflux"), "serve", f"--refresh={text}"],
        env=os.environ | {"AFFLUX_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
    ) if text in ("", "60") else None  # fmt: skip
    if done is not None:
        assert done.returncode == 2
        assert "--refresh" in done.stderr and "Traceback" not in done.stderr


def test_durations() -> None:
    assert [seconds_of(t) for t in ("2s", "60m", "24h", "30d")] == [2, 3600, 86400, 2592000]
