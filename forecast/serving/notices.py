"""Notices of changed levels, sent by the publishing process after each publication.

A probability that wavers around a threshold sends one notice and not five: a level is told once
its probability reaches :data:`RAISE` and holds until it falls below :data:`LOWER`, or the day has
passed. What is told is kept first and delivered then, again at the next publications if it must be.
Signed as `Standard Webhooks <https://www.standardwebhooks.com>`_ 1.0 has it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import httpx2

import forecast
from forecast.errors import AffluxError, HookError
from forecast.serving.hook_store import Hook, HookStore, Message, Told
from forecast.serving.hook_urls import target_of
from forecast.serving.listing import LEVELS
from forecast.serving.options import ServerOptions
from forecast.serving.reader import read_publication
from forecast.settings import Settings

RAISE, LOWER = 0.5, 0.35
"""Probabilities from which a level is told, and below which it is taken back."""

PATIENCE = timedelta(days=5)
"""A webhook that fails for so long is disabled."""

SECONDS = 20.0
"""Time that publishing spends on notices at most [s]; what is left waits for the next time."""

_WAITS = (0.5, 1.0, 2.0, 4.0)
_REQUEST_SECONDS = 5.0
_AT_ONCE = 8
_GONE = 410
_SAID = ("origin", "published_at", "model_version", "lake_version", "regime", "unit", "simulated",
         "label", "licence", "attribution")  # fmt: skip
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Sent:
    """What became of the notices: delivered, left waiting, and webhooks disabled.

    ``problem`` is why nothing could be said at all, or None.
    """

    delivered: int = 0
    waiting: int = 0
    disabled: int = 0
    problem: str | None = None


def send(
    settings: Settings,
    now: datetime,
    options: ServerOptions | None = None,
    *,
    seconds: float = SECONDS,
) -> Sent:
    """Tell every webhook of this home what the current publication changes for it.

    Takes ``seconds`` at most, whatever the receivers do. Nothing is raised: a publication stands
    whether or not it could be told.
    """
    store, end = HookStore(settings.webhooks), time.monotonic() + seconds
    try:
        hooks = [hook for hook in store.hooks() if hook.disabled_at is None]
        if not hooks:
            return Sent()
        allowed = (options or ServerOptions.from_environment()).webhook_hosts
        publication = read_publication(settings.publications)
        answers = json.loads(publication.files["forecasts.json"])
        for hook in hooks:
            _tell(store, hook, publication.name, answers, now)
        courier = _Courier(store, now, allowed, end)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            outcomes = list(pool.map(courier.deliver, hooks))
    except AffluxError as error:
        return Sent(problem=str(error))
    return Sent(*(sum(column) for column in zip(*outcomes, strict=True)))


def _tell(
    store: HookStore, hook: Hook, name: str, answers: Mapping[str, Any], now: datetime
) -> None:
    about = answers["metadata"]
    today = now.astimezone(ZoneInfo(about["territory"]["timezone"])).date()
    told, changes = changed(hook, store.told(hook.id), answers["forecasts"], today)
    message = None
    if changes:
        data = {"publication": name, **{key: about[key] for key in _SAID}, "changes": changes}
        body = {"type": "levels.changed", "timestamp": _text(now), "data": data}
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        message = Message(f"msg_{secrets.token_hex(16)}", hook.id, text, _text(now))
    store.tell(hook.id, told, message)


def changed(
    hook: Hook, told: Told, forecasts: Iterable[Mapping[str, Any]], today: date
) -> tuple[Told, list[dict[str, Any]]]:
    """What a webhook is told as of these forecasts, and what of it is new.

    In a change ``level`` null says that the day is below the webhook's level again; ``probability``
    is that of ``level`` or worse, or of the webhook's level.
    """
    kept: Told = {key: level for key, level in told.items() if key[1] >= today.isoformat()}
    changes = []
    for record in forecasts:
        key = record["zone_id"], record["target_date"]
        chances = record["level_probabilities"]
        if (
            chances is None  # Nothing is known of its levels: what was told stands.
            or (hook.zone_ids and key[0] not in hook.zone_ids)
            or record["horizon_days"] > hook.horizon
            or key[1] < today.isoformat()
        ):
            continue
        before, level = kept.get(key), _held(hook.level, kept.get(key), chances)
        if level == before:
            continue
        if level is None:
            del kept[key]
        else:
            kept[key] = level
        changes.append(
            {
                "zone_id": key[0],
                "zone_name": record["zone_name"],
                "target_date": key[1],
                "level_before": before,
                "level": level,
                "probability": round(_reached(level or hook.level, chances), 3),
                "influx": record["influx"],
                "why": record["why"],
            }
        )
    return kept, changes


def _held(least: str, told: str | None, chances: Mapping[str, float]) -> str | None:
    """The most severe level that is reached, or was told and is still near enough."""
    standing = LEVELS.index(told) if told is not None else 0
    for rank in range(len(LEVELS) - 1, LEVELS.index(least) - 1, -1):
        enough = LOWER if rank <= standing else RAISE
        if _reached(LEVELS[rank], chances) >= enough - _ROUNDING:
            return LEVELS[rank]
    return None


def _reached(level: str, chances: Mapping[str, float]) -> float:
    return sum(chances[worse] for worse in LEVELS[LEVELS.index(level) :])


def signature(secret: str, message_id: str, timestamp: int, body: str) -> str:
    """The ``webhook-signature`` of a message; ``secret`` is ``whsec_`` and base64.

    >>> secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    >>> signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, '{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.{body}".encode()
    return "v1," + base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()


class _Courier:
    """Delivers what waits, to several webhooks at once, until ``end`` on the monotonic clock."""

    def __init__(self, store: HookStore, now: datetime, allowed: Iterable[str], end: float) -> None:
        self._store, self._now, self._allowed = store, now, tuple(allowed)
        self._began, self._end = time.monotonic(), end

    def deliver(self, hook: Hook) -> tuple[int, int, int]:
        """Notices delivered, left waiting, and 1 if the webhook was disabled."""
        waiting = self._store.waiting(hook.id)
        for done, message in enumerate(waiting):
            error, gone = self._try(hook, message)
            if error is not None:
                since = datetime.fromisoformat(hook.failing_since or _text(self._now))
                disable = gone or self._now - since >= PATIENCE
                self._store.failed(hook.id, error, _text(self._now), disable=disable)
                return done, 0 if disable else len(waiting) - done, int(disable)
            self._store.delivered(message, _text(self._present()))
        return len(waiting), 0, 0

    def _try(self, hook: Hook, message: Message) -> tuple[str | None, bool]:
        """Why a notice did not arrive, None if it did; and whether the receiver is gone."""
        error = "no time was left to try"
        for wait in (0.0, *_WAITS):
            left = self._end - time.monotonic() - wait
            if left <= 0:
                break
            time.sleep(wait)
            try:
                status = self._post(hook, message, min(_REQUEST_SECONDS, left))
            except HookError as refused:
                return f"the URL {refused}", False
            except (httpx2.HTTPError, httpx2.InvalidURL, OSError, ValueError) as failed:
                error = f"{type(failed).__name__}: {failed}"
                continue
            if 200 <= status < 300:
                return None, False
            error = f"the receiver answered {status}"
            if status == _GONE:
                return error, True
        return error, False

    def _post(self, hook: Hook, message: Message, seconds: float) -> int:
        target = target_of(hook.url, self._allowed)
        timestamp = int(self._present().timestamp())
        headers = {
            "host": target.url.netloc,
            "content-type": "application/json",
            "user-agent": f"Afflux/{forecast.__version__}",
            "webhook-id": message.id,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": signature(hook.secret, message.id, timestamp, message.body),
        }
        # Redirects are not followed: where they lead has not been looked at.
        with (
            httpx2.Client(trust_env=False, timeout=seconds) as client,
            client.stream(
                "POST",
                target.pinned,
                content=message.body.encode(),
                headers=headers,
                extensions={"sni_hostname": target.host},
            ) as answer,
        ):
            return answer.status_code

    def _present(self) -> datetime:
        return self._now + timedelta(seconds=time.monotonic() - self._began)


def _text(instant: datetime) -> str:
    return instant.isoformat(timespec="seconds")
