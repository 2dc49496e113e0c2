"""Requests as JSON lines on standard output: what was asked of which route, never by whom.

No address, no query, no body, no header. What is polled (stored answers) is summed up once a minute
and route; everything else has a line of its own, found again by the ``Afflux-Request`` header.
"""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

from forecast.serving.counters import Counters, Tally, route_of

SUMMARY_SECONDS = 60.0
"""How often what is polled is summed up [s]."""

_log = logging.getLogger("afflux.access")


class JsonLines(logging.Formatter):
    """A record as one JSON object: time, level, what is said, and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        fields = getattr(record, "fields", {})
        line = {"time": time, "level": record.levelname, "event": record.getMessage(), **fields}
        return json.dumps(line, ensure_ascii=False)


def start() -> logging.Handler:
    """Send the log to standard output; returns what :func:`stop` takes."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    _log.addHandler(handler)
    _log.setLevel(logging.INFO)
    _log.propagate = False
    return handler


def stop(handler: logging.Handler) -> None:
    """Undo :func:`start`."""
    _log.removeHandler(handler)


def request(
    request_id: str, method: str, route: str, status: int, size: int, seconds: float
) -> None:
    """One line about one request."""
    fields = {
        "request": request_id,
        "method": method if len(method) < 16 else "other",
        "route": route,
        "status": status,
        "bytes": size,
        "milliseconds": round(1000 * seconds, 3),
    }
    _log.log(logging.ERROR if status >= 500 else logging.INFO, "request", extra={"fields": fields})


class Polled:
    """Sums up what has been polled since it was last asked."""

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._before: dict[tuple[str, int], tuple[int, int, float]] = {}

    def summarise(self) -> None:
        """One line for each route and status asked since, with the longest time since the start."""
        now: dict[tuple[str, int], Tally] = {}
        for (path, status), tally in list(self._counters.polled.items()):
            now.setdefault((route_of(path), status), Tally()).join(tally)
        for key, tally in now.items():
            count, size, seconds = self._before.get(key, (0, 0, 0.0))
            self._before[key] = (tally.count, tally.size, tally.seconds)
            if tally.count == count:
                continue
            fields = {
                "method": "GET",
                "route": key[0],
                "status": key[1],
                "requests": tally.count - count,
                "bytes": tally.size - size,
                "milliseconds_mean": round(
                    1000 * (tally.seconds - seconds) / (tally.count - count), 3
                ),
            }
            _log.info("polled", extra={"fields": fields})
