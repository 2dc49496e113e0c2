"""Counts of what is served: counting is adding to plain numbers. Each process counts for itself."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime

from forecast.serving.headers import missed_runs
from forecast.serving.service import Served

BOUNDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5)
"""Upper bounds of the latency histogram [s]."""

DEFAULT_EVERY_HOURS = 24.0
"""Cadence of publications where their manifest does not say one [h]."""


@dataclass(slots=True)
class Tally:
    """Requests of one path and status: number, bytes, seconds, the longest, and by bound."""

    count: int = 0
    size: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    bounds: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS) + 1))

    def add(self, size: int, seconds: float) -> None:
        """Count one request."""
        self.count += 1
        self.size += size
        self.seconds += seconds
        if seconds > self.longest:
            self.longest = seconds
        self.bounds[bisect_left(BOUNDS, seconds)] += 1

    def join(self, other: Tally) -> None:
        """Count those of another tally too."""
        self.count += other.count
        self.size += other.size
        self.seconds += other.seconds
        self.longest = max(self.longest, other.longest)
        self.bounds = [a + b for a, b in zip(self.bounds, other.bounds, strict=True)]


@dataclass
class Counters:
    """What this process has served: by path as polled, and by route."""

    polled: dict[tuple[str, int], Tally] = field(default_factory=dict)
    routed: dict[tuple[str, int], Tally] = field(default_factory=dict)

    def add(self, which: dict[tuple[str, int], Tally], key: tuple[str, int]) -> Tally:
        """The tally of a path (or route) and status, new if need be."""
        found = which.get(key)
        if found is None:
            found = which[key] = Tally()
        return found

    def by_route(self) -> dict[tuple[str, int], Tally]:
        """Both together, paths folded into the routes they belong to."""
        found: dict[tuple[str, int], Tally] = {}
        for which in (self.polled, self.routed):
            for (path, status), tally in list(which.items()):
                route = route_of(path) if which is self.polled else path
                self.add(found, (route, status)).join(tally)
        return found


def route_of(path: str) -> str:
    """The route template of a stored answer's path.

    >>> route_of("/v1/zones/a b/é/forecasts"), route_of("/v1/forecasts")
    ('/v1/zones/{zone_id}/forecasts', '/v1/forecasts')
    """
    if not path.startswith("/v1/zones/"):
        return path
    last = path.rpartition("/")[2]
    if last.startswith("explanation"):
        return "/v1/zones/{zone_id}/forecasts/{target_date}/" + last
    return "/v1/zones/{zone_id}/" + last


def age_and_missed(served: Served, now: datetime) -> tuple[float, int]:
    """Seconds since publication, and publications missed since; 0 before a clock stepped back."""
    manifest = served.publication.manifest
    published_at = datetime.fromisoformat(manifest["published_at"])
    every = float(manifest.get("every_hours", DEFAULT_EVERY_HOURS))
    age = max(0.0, (now - published_at).total_seconds())
    return age, missed_runs(published_at, now, every)
