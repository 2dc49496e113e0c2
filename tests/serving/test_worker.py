"""Processes beside the server: one question at a time, few in the queue, replaced when failing."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from forecast.errors import WorkerError
from forecast.serving.worker import Limits, Worker
from forecast.settings import Settings

MODULE = "forecast.serving.upload_worker"


def settings_of(home: Path) -> Settings:
    return Settings(home=home, lake=str(home / "data" / "lake"), config=None)


def question(folder: Path) -> dict:
    return {"folder": str(folder), "dry_run": True, "now": "2026-07-01T06:00:00+00:00"}


def test_it_answers_and_is_started_once(tmp_path: Path) -> None:
    async def run() -> None:
        worker = Worker(MODULE, settings_of(tmp_path))
        assert worker.process is None
        status, body = await worker.ask(question(tmp_path), "uploads")
        assert status == "unavailable" and "no configuration" in json.loads(body)["detail"]
        assert worker.process is not None
        first = worker.process.pid
        await worker.ask(question(tmp_path), "uploads")
        assert worker.process.pid == first
        await worker.stop()
        assert worker.process is None

    asyncio.run(run())


def test_it_is_replaced_when_it_hangs_or_dies(tmp_path: Path) -> None:
    async def run() -> None:
        worker = Worker(MODULE, settings_of(tmp_path), Limits(answer_seconds=0.5))
        await worker.ask(question(tmp_path), "uploads")
        assert worker.process is not None
        hung = worker.process
        os.kill(hung.pid, signal.SIGSTOP)
        with pytest.raises(WorkerError, match=r"no answer within 0\.5 s"):
            await worker.ask(question(tmp_path), "uploads")
        assert hung.returncode == -signal.SIGKILL
        asked = asyncio.create_task(worker.ask(question(tmp_path), "uploads"))
        while worker.process is None:
            await asyncio.sleep(0.01)
        worker.process.kill()  # While it starts.
        with pytest.raises(WorkerError, match="ended before it answered"):
            await asked
        assert (await worker.ask(question(tmp_path), "uploads"))[0] == "unavailable"
        await worker.stop()

    asyncio.run(run())


def test_an_abandoned_question_is_not_answered_to_the_next(tmp_path: Path) -> None:
    async def run() -> None:
        worker = Worker(MODULE, settings_of(tmp_path))
        asked = asyncio.create_task(worker.ask(question(tmp_path / "first"), "uploads"))
        while worker.process is None:
            await asyncio.sleep(0.01)
        asked.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asked
        assert worker.process is None
        status, _ = await worker.ask(question(tmp_path / "second"), "uploads")
        assert status == "unavailable"
        await worker.stop()

    asyncio.run(run())


def test_few_may_wait(tmp_path: Path) -> None:
    async def run() -> None:
        worker = Worker(MODULE, settings_of(tmp_path), Limits(waiting=2))
        asked = [asyncio.create_task(worker.ask(question(tmp_path), "u")) for _ in range(3)]
        done = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(found, WorkerError) for found in done] == [False, False, True]
        assert "2 questions are already waiting" in str(done[2])
        await worker.stop()

    asyncio.run(run())


def test_it_leaves_when_nobody_asks(tmp_path: Path) -> None:
    async def run() -> None:
        worker = Worker(MODULE, settings_of(tmp_path), Limits(idle_seconds=0.05))
        await worker.ask(question(tmp_path), "uploads")
        assert worker.process is not None
        assert await asyncio.wait_for(worker.process.wait(), 10) == -signal.SIGKILL
        assert (await worker.ask(question(tmp_path), "uploads"))[0] == "unavailable"
        await worker.stop()

    asyncio.run(run())


def test_it_ends_with_the_server(tmp_path: Path) -> None:
    """The end of the pipe is enough: nothing is left behind by a server that was killed."""

    async def run() -> None:
        worker = Worker(MODULE, settings_of(tmp_path))
        await worker.ask(question(tmp_path), "uploads")
        process = worker.process
        assert process is not None and process.stdin is not None
        process.stdin.close()
        assert await asyncio.wait_for(process.wait(), 10) == 0
        await worker.stop()

    asyncio.run(run())
