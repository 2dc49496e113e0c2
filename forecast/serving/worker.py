"""A process beside the server that works for it, one question at a time.

It is started by the first question, started again after a crash, and stopped when nobody has asked
for a while. The server waits for it without blocking anything else.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from forecast.errors import WorkerError
from forecast.settings import Settings

QUIET = {"OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""Environment of processes beside the server: one thread each, which does not spin."""


@dataclass(frozen=True)
class Limits:
    """How many questions may wait, and for how long [s]."""

    waiting: int = 8
    load_seconds: float = 90.0
    answer_seconds: float = 10.0
    idle_seconds: float = 900.0


def environment(settings: Settings) -> dict[str, str]:
    """What a process beside the server finds in its environment: this home, and one thread."""
    home = {"AFFLUX_HOME": str(settings.home), "AFFLUX_LAKE": settings.lake}
    chosen = {"AFFLUX_CONFIG": str(settings.config)} if settings.config else {}
    return os.environ | QUIET | home | chosen


class Worker:
    """Runs ``python -m module`` and asks it; see :mod:`forecast.serving.scenario_worker`.

    :attr:`process` is None while there is none.
    """

    def __init__(self, module: str, settings: Settings, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.process: Process | None = None
        self._module, self._settings = module, settings
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._loaded = ""
        self._idle: asyncio.TimerHandle | None = None

    async def ask(self, question: Mapping[str, Any], about: str) -> tuple[str, bytes]:
        """Status and body of the answer; ``about`` is what must be loaded for it.

        Raises
        ------
        WorkerError
            If too many are waiting, the process ended, or it did not answer in time. The next
            question starts a new process.
        """
        if self._waiting >= self.limits.waiting:
            raise WorkerError(
                f"{self._waiting} questions are already waiting for their turn; ask again shortly"
            )
        self._waiting += 1
        try:
            async with self._turn:
                return await self._asked(question, about)
        finally:
            self._waiting -= 1

    async def stop(self) -> None:
        """End the process, if there is one."""
        if self._idle is not None:
            self._idle.cancel()
        process, self.process = self.process, None
        if process is not None:
            if process.returncode is None:
                process.kill()
            await process.wait()

    async def _asked(self, question: Mapping[str, Any], about: str) -> tuple[str, bytes]:
        if self._idle is not None:
            self._idle.cancel()
        loaded = self.process is not None and self._loaded == about
        seconds = self.limits.answer_seconds if loaded else self.limits.load_seconds
        answered = False
        try:
            async with asyncio.timeout(seconds):
                answer = await self._exchange(await self._running(), question)
            answered = True
        except TimeoutError:
            raise WorkerError(
                f"no answer within {seconds:g} s; the process that computes was started anew"
            ) from None
        except (OSError, ValueError, EOFError) as error:
            raise WorkerError(
                "the process that computes ended before it answered; the server's log may say why"
            ) from error
        finally:
            # Whatever came between, a cancelled request too: an answer half read would be taken
            # for the next one.
            if not answered:
                await self.stop()
        self._loaded = about
        loop = asyncio.get_running_loop()
        self._idle = loop.call_later(self.limits.idle_seconds, self._stop_idle)
        return answer

    async def _running(self) -> Process:
        if self.process is None or self.process.returncode is not None:
            await self.stop()
            self.process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                self._module,
                stdin=PIPE,
                stdout=PIPE,
                env=environment(self._settings),
            )
        return self.process

    async def _exchange(self, process: Process, question: Mapping[str, Any]) -> tuple[str, bytes]:
        assert process.stdin is not None  # noqa: S101 - both are pipes
        assert process.stdout is not None  # noqa: S101
        process.stdin.write(json.dumps(question, ensure_ascii=False).encode() + b"\n")
        await process.stdin.drain()
        head = json.loads(await process.stdout.readline())
        return head["status"], await process.stdout.readexactly(head["size"])

    def _stop_idle(self) -> None:
        """Give the memory back; who asks next waits for a new process."""
        if self.process is not None and not self._waiting and self.process.returncode is None:
            self.process.kill()
