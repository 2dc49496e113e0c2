"""What the serving process is made of, apart from the routes: shared by the door and what lies
behind it.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from starlette.types import ASGIApp

from forecast.serving import access_log
from forecast.serving.counters import Counters
from forecast.serving.front import Front
from forecast.serving.key_store import FILE as KEYS_FILE
from forecast.serving.key_store import KeyStore
from forecast.serving.limits import Limiter
from forecast.serving.options import ServerOptions
from forecast.serving.service import Service
from forecast.serving.worker import Limits, Worker
from forecast.settings import Settings

UPLOAD_LIMITS = Limits(waiting=4, load_seconds=300.0, answer_seconds=300.0, idle_seconds=60.0)
"""A month is checked in a second or two, ten years of a country in minutes."""


@dataclass(frozen=True)
class Parts:
    """The parts; ``clock`` gives the present instant (UTC).

    ``scenarios`` and ``uploads`` are the processes beside the server: none until something is asked
    of them.
    """

    settings: Settings
    options: ServerOptions
    clock: Callable[[], datetime]
    service: Service
    limiter: Limiter
    counters: Counters
    keys: KeyStore
    scenarios: Worker
    uploads: Worker

    @classmethod
    def of(cls, settings: Settings, options: ServerOptions, clock: Callable[[], datetime]) -> Self:
        """The parts that serve the publications of ``settings``."""
        return cls(
            settings=settings,
            options=options,
            clock=clock,
            service=Service(settings.publications),
            limiter=Limiter(options),
            counters=Counters(),
            keys=KeyStore(settings.publications.parent / KEYS_FILE),
            scenarios=Worker("forecast.serving.scenario_worker", settings),
            uploads=Worker("forecast.serving.upload_worker", settings, UPLOAD_LIMITS),
        )

    def front(self, app: ASGIApp) -> Front:
        """What every request meets before ``app``."""
        return Front(app, self.service, self.options, self.limiter, self.counters, self.clock)

    @asynccontextmanager
    async def at_work(self) -> AsyncIterator[None]:
        """Take up what is published, as long as this lasts, and write the log."""
        self.service.refresh()
        # What is here now stays: the collector need not look at it again with every few requests.
        gc.collect()
        gc.freeze()
        tasks = [asyncio.create_task(self.service.watch())]
        handler = access_log.start() if self.options.access_log else None
        polled = access_log.Polled(self.counters)
        if handler is not None:
            tasks.append(asyncio.create_task(_summaries(polled)))
        yield
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        for worker in (self.scenarios, self.uploads):
            await worker.stop()
        if handler is not None:
            polled.summarise()
            access_log.stop(handler)


async def _summaries(polled: access_log.Polled) -> None:
    while True:
        await asyncio.sleep(access_log.SUMMARY_SECONDS)
        polled.summarise()
