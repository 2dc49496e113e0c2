"""Who may do what: ``Depends(require("scenarios"))`` gives a route the id of the caller's key."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from starlette.requests import Request

from forecast.errors import AffluxError
from forecast.serving.key_store import KeyStore
from forecast.serving.limits import Limiter, header, refused_by
from forecast.serving.options import SCOPES, ServerOptions
from forecast.serving.problems import (
    FORBIDDEN,
    KEYS_UNREADABLE,
    RETRY_AFTER_SECONDS,
    UNAUTHORIZED,
    ProblemError,
)

OPEN = "open"
"""Who the caller of an open scope is, having sent no key."""

HEADERS = "afflux.headers"
"""Name in the ASGI scope of the headers that every reply to this request gets."""


def require(scope: str) -> Callable[[Request], Coroutine[Any, Any, str]]:
    """A dependency that lets through who has a key with ``scope`` and gives the key's id.

    ``scope`` is one of :data:`~forecast.serving.options.SCOPES`. Where the server has it open
    (``AFFLUX_OPEN_SCOPES``), no key is needed and the id is :data:`OPEN`; a key that is sent is
    looked at all the same.

    Raises
    ------
    ProblemError
        401 without a valid key, 403 with one of another scope, 429 beyond the key's limit, 503 if
        the keys cannot be read.
    """
    if scope not in SCOPES:
        raise ValueError(f"{scope!r} is none of {SCOPES}")

    async def allowed(request: Request) -> str:
        return authorize(request, scope)

    return allowed


def authorize(request: Request, scope: str) -> str:
    """What :func:`require` does, for a request at hand."""
    options: ServerOptions = request.app.state.options
    given = header(request.scope, b"authorization")
    if given is None and scope in options.open_scopes:
        return OPEN
    kind, _, token = (given or b"").decode("latin-1").partition(" ")
    if kind.lower() != "bearer" or not token.strip():
        raise _challenge(f"This needs a key with the scope {scope}.", "")
    keys: KeyStore = request.app.state.keys
    clock: Callable[[], datetime] = request.app.state.clock
    try:
        key = keys.find(token.strip(), clock())
    except AffluxError as error:
        raise unreadable() from error
    if key is None:
        raise _challenge("The key is not known, or no longer valid.", ', error="invalid_token"')
    if scope not in key.scopes:
        raise ProblemError(
            FORBIDDEN,
            f"The key {key.id} has not the scope {scope}, but {', '.join(key.scopes)}. "
            f"{FORBIDDEN.remedy}",
            headers={
                "www-authenticate": f'Bearer realm="afflux", error="insufficient_scope", '
                f'scope="{scope}"'
            },
        )
    limiter: Limiter = request.app.state.limiter
    spent = limiter.keys.take(key.id, time.monotonic())
    request.scope.setdefault(HEADERS, []).extend(spent.headers())
    if spent.refused:
        raise refused_by(spent)
    return key.id


def unreadable() -> ProblemError:
    """The 503 while the file of keys cannot be read."""
    return ProblemError(
        KEYS_UNREADABLE,
        f"The keys of this server cannot be read. {KEYS_UNREADABLE.remedy}",
        headers={"retry-after": str(RETRY_AFTER_SECONDS)},
    )


def _challenge(detail: str, error: str) -> ProblemError:
    return ProblemError(
        UNAUTHORIZED,
        f"{detail} {UNAUTHORIZED.remedy}",
        headers={"www-authenticate": f'Bearer realm="afflux"{error}'},
    )
