"""Routes of webhooks: who is told when a level changes. What they are told: ``notices.py``."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Request
from fastapi import Path as PathParameter
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import JSONResponse, Response

from forecast.errors import AffluxError, HookError
from forecast.serving.deps import Nothing, ServiceDep, given_once, published
from forecast.serving.hook_store import MOST_PER_KEY, Hook, HookStore
from forecast.serving.hook_urls import target_of
from forecast.serving.key_store import KeyStore
from forecast.serving.keys import OPEN, require, unreadable
from forecast.serving.options import ServerOptions
from forecast.serving.problems import (
    INVALID_PARAMETER,
    MAX_LISTED,
    RETRY_AFTER_SECONDS,
    UNKNOWN_WEBHOOK,
    WORKER_UNAVAILABLE,
    ProblemError,
    fault,
)
from forecast.serving.schemas import ProblemDetails

_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_PROBLEM: dict[str, Any] = {"model": ProblemDetails}
_TOLD = Literal["orange", "rouge", "noir"]


class HookRequest(BaseModel):
    """Where notices go, and what they are about."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(max_length=2000, description="https", examples=["https://example.org/afflux"])
    level_at_least: _TOLD = Field("orange", description="Least severe level to be told of")
    zone_id: list[str] | None = Field(
        None, min_length=1, max_length=2000, description="Only these zones; all where absent"
    )
    horizon_days_at_most: int = Field(14, ge=0, le=60, description="Farthest day told of [d]")


class HookState(BaseModel):
    """A webhook and how it fares."""

    model_config = ConfigDict(extra="forbid")

    id: str
    url: str
    level_at_least: _TOLD
    zone_id: list[str] | None
    horizon_days_at_most: int
    status: Literal["active", "failing", "disabled"] = Field(
        description="'disabled' after five days of failure or a 410: remove it and add it again"
    )
    created_at: datetime
    delivered_at: datetime | None = Field(description="When a notice last arrived [UTC]")
    failing_since: datetime | None
    last_error: str | None


class NewHook(HookState):
    """A webhook just added, with its secret, which is not shown again."""

    secret: str = Field(description="Signs each notice (Standard Webhooks, v1)")


class Hooks(BaseModel):
    """The webhooks of the calling key."""

    webhooks: list[HookState]


Key = Annotated[str, Depends(require("webhooks"))]

router = APIRouter(
    prefix="/v1/webhooks",
    tags=["webhooks"],
    dependencies=[Depends(given_once)],
    responses={
        401: {**_PROBLEM, "description": "No valid key"},
        403: {**_PROBLEM, "description": "The key lacks the scope"},
        422: {**_PROBLEM, "description": "What is sent cannot be; see errors"},
        429: {**_PROBLEM, "description": "Too many requests; see Retry-After"},
        503: {**_PROBLEM, "description": "Not available just now; see Retry-After"},
    },
)


@router.post("", status_code=201, response_model=NewHook, summary="Be told when a level changes")
def add(
    request: Request, service: ServiceDep, _: Nothing, key_id: Key, hook: HookRequest
) -> Response:
    """Each publication that changes a level is told in one signed POST; see docs/api.md."""
    known = published(service).zone_index
    faults = [
        fault(f"zone_id.{i}", zone, "unknown zone", list(known)[:MAX_LISTED])
        for i, zone in enumerate(hook.zone_id or [])
        if zone not in known
    ]
    options: ServerOptions = request.app.state.options
    try:
        target_of(hook.url, options.webhook_hosts)
    except HookError as error:
        faults.append(fault("url", hook.url, str(error)))
    if faults:
        names = ", ".join(entry["parameter"] for entry in faults[:10])
        detail = f"{names}: {faults[0]['message']}. {INVALID_PARAMETER.remedy}"
        raise ProblemError(INVALID_PARAMETER, detail, faults[:MAX_LISTED])
    clock: Callable[[], datetime] = request.app.state.clock
    made = Hook(
        id=f"hook_{secrets.token_hex(8)}",
        owner=_owner(request, key_id),
        url=hook.url,
        secret="whsec_" + base64.b64encode(secrets.token_bytes(32)).decode(),
        level=hook.level_at_least,
        zone_ids=tuple(dict.fromkeys(hook.zone_id or [])),
        horizon=hook.horizon_days_at_most,
        created_at=clock().isoformat(timespec="seconds"),
    )
    try:
        added = _store(request).add(made)
    except HookError as error:
        raise _unavailable() from error
    if not added:
        message = f"this key has {MOST_PER_KEY} webhooks, the most there may be; remove one"
        detail = f"url: {message}. {INVALID_PARAMETER.remedy}"
        raise ProblemError(INVALID_PARAMETER, detail, [fault("url", hook.url, message)])
    return JSONResponse({**_state(made), "secret": made.secret}, 201, _NO_STORE)


@router.get("", response_model=Hooks, summary="Your webhooks")
def listed(request: Request, _: Nothing, key_id: Key) -> Response:
    """Those that were added with the calling key, and whether they are reached."""
    try:
        hooks = _store(request).hooks(_owner(request, key_id))
    except HookError as error:
        raise _unavailable() from error
    return JSONResponse({"webhooks": [_state(hook) for hook in hooks]}, headers=_NO_STORE)


@router.delete(
    "/{webhook_id}",
    status_code=204,
    response_class=Response,
    responses={404: {**_PROBLEM, "description": "No such webhook of this key"}},
    summary="Be told no more",
)
def remove(
    request: Request,
    webhook_id: Annotated[str, PathParameter(examples=["hook_0123456789abcdef"])],
    _: Nothing,
    key_id: Key,
) -> Response:
    """Its secret and what it was told are forgotten."""
    try:
        removed = _store(request).remove(_owner(request, key_id), webhook_id)
    except HookError as error:
        raise _unavailable() from error
    if not removed:
        raise ProblemError(
            UNKNOWN_WEBHOOK,
            f"There is no webhook {webhook_id[:64]!r} of this key. {UNKNOWN_WEBHOOK.remedy}",
            [fault("webhook_id", webhook_id[:64], "unknown webhook")],
        )
    return Response(status_code=204, headers=_NO_STORE)


def _store(request: Request) -> HookStore:
    return HookStore(request.app.state.settings.webhooks)


def _owner(request: Request, key_id: str) -> str:
    """The name of the calling key, which stays when the key is rotated."""
    keys: KeyStore = request.app.state.keys
    if key_id == OPEN:
        return OPEN
    try:
        return next((key.name for key in keys.all() if key.id == key_id), key_id)
    except AffluxError as error:
        raise unreadable() from error


def _state(hook: Hook) -> dict[str, Any]:
    failing = "failing" if hook.failing_since else "active"
    return {
        "id": hook.id,
        "url": hook.url,
        "level_at_least": hook.level,
        "zone_id": list(hook.zone_ids) or None,
        "horizon_days_at_most": hook.horizon,
        "status": "disabled" if hook.disabled_at else failing,
        "created_at": hook.created_at,
        "delivered_at": hook.delivered_at,
        "failing_since": hook.failing_since,
        "last_error": hook.last_error,
    }


def _unavailable() -> ProblemError:
    return ProblemError(
        WORKER_UNAVAILABLE,
        f"The webhooks cannot be read. {WORKER_UNAVAILABLE.remedy}",
        headers={"retry-after": str(RETRY_AFTER_SECONDS)},
    )
