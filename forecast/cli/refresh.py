"""`afflux serve --refresh`: a process beside the server that runs `afflux run` again and again.

It is forked before the server is started, holds nothing but the standard library, and ends with the
server, however that ends. Each cycle is a process of its own: one that fails or hangs is said in
the log, and never touches the serving.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from forecast.errors import InputError
from forecast.settings import Settings

CYCLE = (sys.executable, "-P", "-c", "from forecast.cli import main; main()", "run")
"""The command line of one cycle: `afflux run`, whatever is on PATH."""

LONGEST_HOURS = 12
"""A cycle that takes longer is stopped [h]; the first one may fetch years of history."""

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_LOOK_SECONDS = 0.5
_PATIENCE_SECONDS = 10


def seconds_of(text: str, option: str = "--refresh") -> int:
    """A duration as it is written on the command line [s].

    >>> [seconds_of(text) for text in ("90s", "60m", "6h", "1d")]
    [90, 3600, 21600, 86400]

    Raises
    ------
    InputError
        If it is none, or longer than thirty days.
    """
    found = re.fullmatch(r"([1-9][0-9]{0,6})([smhd])", text)
    seconds = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 1 <= seconds <= 30 * 86400:
        raise InputError(
            f"{option} {text!r} is not a duration; expected a whole number and s, m, h or d, "
            "like 60m or 6h, thirty days at most"
        )
    return seconds


def refresher(text: str, settings: Settings) -> Callable[[], None]:
    """What starts the process that runs a cycle every ``text`` (like ``60m``), and returns.

    Raises
    ------
    InputError
        If ``text`` is not a duration.
    """
    return partial(_fork, seconds_of(text), settings)


def _fork(every: int, settings: Settings) -> None:
    server = os.getpid()
    sys.stdout.flush()
    sys.stderr.flush()
    if os.fork():
        return
    status = 1
    try:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
        # Ctrl-C is for the server; cycles inherit this, and end when the server has.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.nice(10)
        os.environ["AFFLUX_HOME"] = str(settings.home)
        _say(f"a cycle every {every} s, process {os.getpid()}")
        _repeat(every, settings.publications / "current", lambda: os.getppid() == server)
        status = 0
    except SystemExit:
        status = 0
    except Exception as error:
        _say(f"given up ({type(error).__name__}: {error}); no cycle is run until a restart")
    finally:
        os._exit(status)


def _repeat(every: int, current: Path, serving: Callable[[], bool]) -> None:
    """Run a cycle when the current publication is ``every`` seconds old, and so on from there."""
    due = time.monotonic() + _first_wait(every, current)
    while serving():
        if time.monotonic() < due:
            time.sleep(_LOOK_SECONDS)
            continue
        due = time.monotonic() + every
        try:
            status = _cycle(serving)
        except OSError as error:
            _say(f"the cycle could not be started ({error.strerror})")
            continue
        if status and serving():
            _say(f"the cycle ended with status {status}; the next one begins as planned")


def _first_wait(every: int, current: Path) -> float:
    """So that a server restarted every minute does not run a cycle every minute [s]."""
    try:
        age = time.time() - current.stat().st_mtime
    except OSError:
        return 0.0
    return min(max(0.0, every - age), every)


def _cycle(serving: Callable[[], bool]) -> int:
    """Run one cycle to its end, or until the server has gone; return its exit status."""
    process = subprocess.Popen(CYCLE, stdin=subprocess.DEVNULL)  # noqa: S603
    limit = time.monotonic() + LONGEST_HOURS * 3600
    try:
        while serving() and time.monotonic() < limit:
            try:
                return process.wait(_LOOK_SECONDS)
            except subprocess.TimeoutExpired:
                continue
        if serving():
            _say(f"the cycle is stopped after {LONGEST_HOURS} h")
        return -signal.SIGTERM
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that is still there: whatever it was doing is all or nothing."""
    if process.poll() is not None:
        return
    process.terminate()
    try:
        process.wait(_PATIENCE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _say(message: str) -> None:
    sys.stderr.write(f"refresh: {message}\n")
    sys.stderr.flush()
