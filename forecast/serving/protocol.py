"""Connections: stored answers without detour, and an end for slow, silent, huge or too many ones.

A stored answer needs no application, so it is written as soon as the request's head is read: less
than half the time that uvicorn takes to call one. What only a reverse proxy used to do is here too:
uvicorn closes a connection that is idle between two requests; this protocol also ends one whose
request does not come (slow or endless headers), whose client does not read its answer, or that goes
on sending a body nobody reads; and it answers 503 beyond the most connections it holds.
"""

from __future__ import annotations

import asyncio
import json
import resource
from asyncio.events import TimerHandle
from functools import cache

from uvicorn._types import ASGI3Application
from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)

from forecast.serving.answers import rendered
from forecast.serving.options import ServerOptions
from forecast.serving.problems import (
    HEAD_TOO_LARGE,
    MEDIA_TYPE,
    TOO_MANY_CONNECTIONS,
    TOO_SLOW,
    Kind,
)
from forecast.serving.replies import said

SLOWEST_READER = 1024
"""A client that reads its answer more slowly than this loses the connection [bytes per second]."""

_REASONS = {408: b"Request Timeout", 431: b"Request Header Fields Too Large",
            503: b"Service Unavailable"}  # fmt: skip


@cache
def _options() -> ServerOptions:
    return ServerOptions.from_environment()


class GuardedProtocol(HttpToolsProtocol):
    """One connection, looked after, with the options of the environment.

    Costs a request a few assignments and a connection one timer, which looks every
    ``head_seconds / 2`` at what has happened since.
    """

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Count and watch a new connection."""
        super().connection_made(transport)
        self._in_head = self._in_body = self._began = self._answering = False
        self._head_bytes = 0
        self._since = self.loop.time()
        self._responses = self._seen_responses = self._buffered = 0
        self._watcher: TimerHandle | None = None
        if len(self.connections) > most_connections():
            self._refuse(TOO_MANY_CONNECTIONS, {"retry-after": "5"})
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching."""
        if self._watcher is not None:
            self._watcher.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take what came; a head may not grow without end."""
        if self.transport.is_closing():
            return
        super().data_received(data)
        if self._in_head:
            # The chunk in which it began may hold the end of the request before it.
            self._head_bytes = 0 if self._began else self._head_bytes + len(data)
            self._began = False
            if self._head_bytes > _options().max_head + _options().max_url:
                # Up to here the application says, more exactly, what is too large.
                self._refuse(HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """The first byte of a request."""
        self._in_head = self._began = True
        self._since = self.loop.time()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """The head is here: a body may follow."""
        self._in_head, self._in_body = False, True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The request is here in full."""
        self._in_body = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """An answer has been handed to the transport."""
        self._responses += 1
        super().on_response_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        """Send a stored answer at once, without a task; leave everything else to uvicorn."""
        if self._answering:
            # The next of a pipeline: after the one before it, not within it, or a client that
            # sends a thousand at once would exhaust the stack.
            self.loop.call_soon(self._start_next, cycle, app)
            return
        front = getattr(app, "front", None)
        if front is None or not cycle.keep_alive or self.flow.write_paused:
            super()._start_asgi_task(cycle, app)
            return
        polled = front.polled(cycle.scope)
        if polled is None:
            super()._start_asgi_task(cycle, app)
            return
        reply, extra = polled
        head = [STATUS_LINE[reply.status], rendered(self.server_state.default_headers), reply.lines]
        if extra:
            head.append(rendered(extra))
        self.transport.write(b"".join((*head, b"\r\n", reply.body)))
        cycle.response_started = cycle.response_complete = self._answering = True
        try:
            self.on_response_complete()
        finally:
            self._answering = False

    def _start_next(self, cycle: RequestResponseCycle, app: ASGI3Application) -> None:
        if not self.transport.is_closing():
            self._start_asgi_task(cycle, app)

    def _watch(self) -> None:
        """Look at the connection now and then; end it if it stands still."""
        seconds = _options().head_seconds
        buffered = self.transport.get_write_buffer_size()
        answered = self.cycle is None or self.cycle.response_complete
        late = self.loop.time() - self._since >= seconds and not self.transport.is_closing()
        if buffered:
            moved = self._buffered - buffered >= SLOWEST_READER * seconds / 2
            if self._buffered and not moved and self._responses == self._seen_responses:
                self.transport.abort()
                return
        elif late and answered:
            if self._in_head:
                self._refuse(TOO_SLOW)
            elif self._in_body or not self._responses:
                self.transport.close()  # Nobody reads that body; or nothing was ever asked.
        self._buffered, self._seen_responses = buffered, self._responses
        self._watcher = self.loop.call_later(seconds / 2, self._watch)

    def _refuse(self, kind: Kind, headers: dict[str, str] | None = None) -> None:
        """Answer outside the application, which never sees such a request, and close."""
        body = json.dumps(said(kind, instance="/")).encode()
        lines = [b"HTTP/1.1 %d %s" % (kind.status, _REASONS[kind.status])]
        fields = {
            "content-type": MEDIA_TYPE,
            "content-length": str(len(body)),
            "content-language": "en",
            "cache-control": "no-store",
            "connection": "close",
            **(headers or {}),
        }
        lines += [f"{name}: {value}".encode() for name, value in fields.items()]
        self.transport.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
        self.transport.close()


@cache
def most_connections() -> int:
    """Connections held at once: as configured, else what open files leave beside the server's."""
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return _options().max_connections or max(16, files - 100)
