"""The serving process: ``uvicorn --factory forecast.serving.app:create_door``.

What is polled all day (the unfiltered answers) is sent from memory before FastAPI routes anything.
The door can do that as soon as the publication is read; FastAPI, which takes three times as long to
load, comes meanwhile, and the first requests for anything else wait for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from starlette.types import Receive, Scope, Send

from forecast.serving.options import ServerOptions
from forecast.serving.parts import Parts
from forecast.settings import Settings

if TYPE_CHECKING:
    from forecast.serving.application import Application


def _now() -> datetime:
    return datetime.now(UTC)


def create_app(
    settings: Settings | None = None,
    options: ServerOptions | None = None,
    clock: Callable[[], datetime] = _now,
) -> Application:
    """The application that serves the publications of ``settings`` (default: the environment's).

    It starts without a publication (503 with Retry-After) and takes up each new one by itself.
    ``options`` are the environment's too by default; ``clock`` gives the present instant (UTC).

    Raises
    ------
    ConfigError
        If a variable of the environment cannot be used.
    """
    from forecast.serving.application import application

    settings = settings or Settings.from_environment()
    return application(Parts.of(settings, options or ServerOptions.from_environment(), clock))


def create_door() -> Door:
    """The door that serves the publications of the environment's settings.

    Raises
    ------
    ConfigError
        If a variable of the environment cannot be used.
    """
    return Door(Parts.of(Settings.from_environment(), ServerOptions.from_environment(), _now))


class Door:
    """Answers what is stored at once, and lets the rest in to the application, once it is there."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self.front = parts.front(self._inside)
        self._application: asyncio.Task[Application] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the life of the process (ASGI)."""
        if scope["type"] == "http":
            await self.front(scope, receive, send)
        elif scope["type"] == "lifespan":
            await self._live(receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(self._parts.at_work())
            except Exception as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            self._application = asyncio.create_task(asyncio.to_thread(self._build))
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    def _build(self) -> Application:
        from forecast.serving.application import application

        return application(self._parts)

    async def _inside(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self._application is not None, "no request comes before the start"  # noqa: S101
        app = await asyncio.shield(self._application)
        await app.routed(scope, receive, send)
