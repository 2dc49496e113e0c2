"""A Python client of the API: ``Afflux("http://localhost:8000").weekend()``.

Answers are the API's JSON as dictionaries, whose fields docs/api.md describes. Asking again for
what has not changed costs a 304: the client keeps the last answers with their ETag.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, NotRequired, Self, TypedDict
from urllib.parse import quote

import httpx2

from forecast.errors import ClientError

_KEPT = 64
"""Answers kept with their ETag, the least recently asked for leaving first."""

Answer = dict[str, Any]
Day = date | str


class Weather(TypedDict):
    """The weather supposed for a day; ``zone_id`` absent means every zone."""

    target_date: str
    zone_id: NotRequired[str]
    temperature_max: NotRequired[float]
    temperature_min: NotRequired[float]
    precipitation: NotRequired[float]
    sunshine: NotRequired[float]
    wind_gust: NotRequired[float]


class Event(TypedDict):
    """An event supposed; ``attendance`` [persons day⁻¹]."""

    zone_id: str
    date: str
    end_date: NotRequired[str]
    name: str
    attendance: float


class Afflux:
    """A server of Afflux; ``key`` is needed for what changes or computes something.

    Every method raises :class:`~forecast.errors.ClientError` if the server refuses, with what it
    says to do, or cannot be reached. Use it in a ``with`` statement, or :meth:`close` it.
    """

    def __init__(self, base_url: str, key: str | None = None, *, timeout: float = 60.0) -> None:
        headers = {"authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(base_url=base_url.rstrip("/"), headers=headers, timeout=timeout)
        self._known: dict[str, httpx2.Response] = {}

    def forecasts(
        self,
        *,
        zone_id: Sequence[str] | str | None = None,
        first: Day | None = None,
        last: Day | None = None,
        horizon_days: Sequence[int] | None = None,
        quantiles: Sequence[str] | None = None,
        level_at_least: str | None = None,
        as_of: datetime | None = None,
    ) -> Answer:
        """Forecasts by zone and day (``first`` and ``last`` included), as known at ``as_of``."""
        return self._ask("GET", "forecasts", {
            "zone_id": zone_id, "from": first, "to": last, "horizon_days": horizon_days,
            "quantiles": quantiles, "level_at_least": level_at_least, "as_of": as_of,
        })  # fmt: skip

    def weekend(self, *, zone_id: Sequence[str] | str | None = None) -> Answer:
        """The coming Friday to Sunday."""
        return self._ask("GET", "forecasts/weekend", {"zone_id": zone_id})

    def zones(self) -> Answer:
        """Zones of the territory."""
        return self._ask("GET", "zones")

    def explanation(self, zone_id: str, target_date: Day) -> Answer:
        """Why one forecast is what it is, and what changed since the day before."""
        return self._ask("GET", f"zones/{_quoted(zone_id)}/forecasts/{target_date}/explanation")

    def history(self, zone_id: str) -> Answer:
        """What was observed in a zone, beside what had been forecast."""
        return self._ask("GET", f"zones/{_quoted(zone_id)}/history")

    def changes(self, since: datetime | None = None) -> Answer:
        """Days whose level changed since an instant (default: a day ago), and why."""
        return self._ask("GET", "changes", {"since": since})

    def scoreboard(self) -> Answer:
        """How good the forecasts of the last twelve months were."""
        return self._ask("GET", "scoreboard")

    def sources(self) -> Answer:
        """How fresh each source is."""
        return self._ask("GET", "sources")

    def model(self) -> Answer:
        """The model that answers."""
        return self._ask("GET", "model")

    def scenario(
        self,
        *,
        weather: Sequence[Weather] = (),
        events: Sequence[Event] = (),
        zone_id: Sequence[str] | None = None,
        first: Day | None = None,
        last: Day | None = None,
    ) -> Answer:
        """The forecast as published beside what it would be; nothing is stored."""
        asked = _texts({"zone_id": zone_id, "from": first, "to": last})
        body = {"weather": list(weather), "events": list(events), **asked}
        return self._ask("POST", "scenarios", json=body)

    def upload(
        self, source: str, content: bytes, *, filename: str = "", dry_run: bool = False
    ) -> Answer:
        """Check a CSV file of a source and, unless ``dry_run``, store it, all rows or none."""
        asked = {"filename": filename, "dry_run": "true" if dry_run else "false"}
        headers = {"content-type": "text/csv"}
        path = f"sources/{_quoted(source)}/files"
        return self._ask("POST", path, params=asked, content=content, headers=headers)

    def webhooks(self) -> Answer:
        """The webhooks of this key."""
        return self._ask("GET", "webhooks")

    def add_webhook(self, url: str, **about: Any) -> Answer:
        """Be told of changed levels at ``url``; the answer alone has the secret."""
        return self._ask("POST", "webhooks", json={"url": url, **about})

    def remove_webhook(self, webhook_id: str) -> None:
        """Be told no more."""
        self._ask("DELETE", f"webhooks/{_quoted(webhook_id)}")

    def close(self) -> None:
        """Let the connections go."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _ask(
        self, method: str, path: str, params: Mapping[str, Any] | None = None, **more: Any
    ) -> Answer:
        request = self._http.build_request(method, f"/v1/{path}", params=_texts(params), **more)
        name = f"{method} {request.url}"
        known = self._known.pop(name, None)
        if known is not None:
            request.headers["if-none-match"] = known.headers["etag"]
        try:
            found = self._http.send(request)
        except httpx2.HTTPError as error:
            raise ClientError(
                f"{self._http.base_url}: cannot be reached ({error}); is `afflux serve` running?"
            ) from error
        if found.status_code == 304 and known is not None:
            found = known
        try:
            answer = {} if found.status_code == 204 else found.json()
        except ValueError:
            answer = None
        if found.status_code >= 400:
            raise ClientError.of(found.status_code, answer if isinstance(answer, dict) else {})
        if not isinstance(answer, dict):
            raise ClientError(f"{found.url}: this is no answer of Afflux; check its address")
        if "etag" in found.headers:
            self._known[name] = found
            if len(self._known) > _KEPT:
                self._known.pop(next(iter(self._known)))
        return answer


def _texts(given: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is given, days and instants as the API reads them."""
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in (given or {}).items()
        if value is not None
    }


def _quoted(part: str) -> str:
    return quote(part, safe="")
