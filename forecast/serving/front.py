"""What every request meets first: limits, the short cut to stored answers, headers, counts.

A stored answer without filters leaves here, before FastAPI routes anything; it costs a few
dictionary look-ups. The rest goes on to the application, watched.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from forecast.serving import access_log
from forecast.serving.answers import Reply
from forecast.serving.counters import Counters, age_and_missed
from forecast.serving.headers import RawHeaders, cors, flags
from forecast.serving.keys import HEADERS
from forecast.serving.limits import (
    Limiter,
    head_problem,
    header,
    largest_body,
    limited_receive,
    refused_by,
)
from forecast.serving.negotiation import takes
from forecast.serving.options import ServerOptions
from forecast.serving.problems import ProblemError
from forecast.serving.replies import problem_response
from forecast.serving.service import Service

LOOK_SECONDS = 0.5
"""How often it is looked whether something is wrong that every answer has to say [s]."""

SPENT = "afflux.spent"
"""Name in the ASGI scope of what the request has been counted for already."""

_READS = ("GET", "HEAD")


class Front:
    """Stands before an application; ``app`` is what it passes requests on to."""

    def __init__(
        self,
        app: ASGIApp,
        service: Service,
        options: ServerOptions,
        limiter: Limiter,
        counters: Counters,
        clock: Callable[[], datetime],
    ) -> None:
        self._app, self._service, self._options = app, service, options
        self._limiter, self._counters, self._clock = limiter, counters, clock
        self._origins = frozenset(origin.encode() for origin in options.cors_origins)
        self._flags: RawHeaders = []
        self._look_at = 0.0
        self._process = secrets.token_hex(4)
        self._number = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer from what is stored, or pass on."""
        began = time.perf_counter()
        polled = self.polled(scope)
        if polled is not None:
            reply, extra = polled
            headers = reply.headers + extra if extra else reply.headers
            await send({"type": "http.response.start", "status": reply.status, "headers": headers})
            await send({"type": "http.response.body", "body": reply.body})
            return
        spent = scope[SPENT] if SPENT in scope else self._limiter.ask(scope, began)
        extra = [*self._alarms(began)]
        if self._origins:
            extra += cors(header(scope, b"origin"), self._origins)
        app = self._app
        if spent is not None:
            extra += spent.headers()
            if spent.refused:
                app = _reply(refused_by(spent))
        await self._watched(scope, receive, send, extra, began, app)

    def polled(self, scope: Scope) -> tuple[Reply, RawHeaders] | None:
        """The stored answer this request gets, counted, and what is to be added to its headers.

        None leaves it to the application. How much of its quota is spent a client is told only
        when half of it is gone: what caches may keep should not be about one client.
        """
        served = self._service.served
        if served is None or scope["query_string"] or scope["method"] not in _READS:
            return None
        path = scope["path"].removeprefix(scope["root_path"])
        answer = served.answers.get(path)
        if answer is None or not takes(header(scope, b"accept"), answer.media_type):
            return None
        began = time.perf_counter()
        extra = self._alarms(began)
        spent = self._limiter.ask(scope, began)
        if spent is not None and spent.left * 2 < spent.quota:
            if spent.refused:
                scope[SPENT] = spent
                return None
            extra = [*extra, *spent.headers()]
        if self._origins:
            extra = [*extra, *cors(header(scope, b"origin"), self._origins)]
        reply = answer.chosen(scope)
        tally = self._counters.add(self._counters.polled, (path, reply.status))
        tally.add(len(reply.body), time.perf_counter() - began)
        return reply, extra

    def _alarms(self, now: float) -> RawHeaders:
        """What is wrong, if anything: found out anew from time to time."""
        return self._flags if now < self._look_at else self._looked(now)

    def _looked(self, now: float) -> RawHeaders:
        """What is wrong, if anything, found out anew."""
        service = self._service
        missed = age_and_missed(service.served, self._clock())[1] if service.served else 0
        self._flags = flags(service.refused is not None, missed)
        self._look_at = now + LOOK_SECONDS
        return self._flags

    async def _watched(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        extra: RawHeaders,
        began: float,
        app: ASGIApp,
    ) -> None:
        """Run ``app`` on the request within its limits; count and log what it answered."""
        self._number += 1
        request_id = f"{self._process}-{self._number:x}"
        inner = {**scope, HEADERS: [*extra, (b"afflux-request", request_id.encode())]}
        if scope["method"] == "HEAD":
            # The server leaves the body out: it goes by its own copy of the method.
            inner["method"] = "GET"
        status, size = 500, 0

        async def noted(message: Message) -> None:
            nonlocal status, size
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message.get("headers", []), *inner[HEADERS]]}
            else:
                size += len(message.get("body", b""))
            await send(message)

        problem = head_problem(scope, self._options)
        if problem is not None:
            app = _reply(problem)
        elif self._origins and _is_preflight(scope):
            app = _preflight
        elif scope["method"] not in _READS:
            most = largest_body(scope, self._options)
            receive = limited_receive(receive, most, self._options.body_seconds)
        try:
            await app(inner, receive, noted)
        finally:
            seconds = time.perf_counter() - began
            route = getattr(inner.get("route"), "path", "unmatched")
            self._counters.add(self._counters.routed, (route, status)).add(size, seconds)
            if self._options.access_log:
                access_log.request(request_id, scope["method"], route, status, size, seconds)


def _reply(problem: ProblemError) -> ASGIApp:
    async def reply(scope: Scope, receive: Receive, send: Send) -> None:
        await problem_response(Request(scope), problem)(scope, receive, send)

    return reply


def _is_preflight(scope: Scope) -> bool:
    wanted = header(scope, b"access-control-request-method")
    return scope["method"] == "OPTIONS" and wanted in (b"GET", b"HEAD")


async def _preflight(scope: Scope, receive: Receive, send: Send) -> None:
    """Whether a script may read: the origin's headers say so (see `headers.cors`)."""
    allowed = {
        "access-control-allow-methods": "GET, HEAD",
        "access-control-allow-headers": "If-None-Match, If-Modified-Since, Accept-Language",
        "access-control-max-age": "86400",
    }
    await Response(status_code=204, headers=allowed)(scope, receive, send)
