"""The fan chart of a zone as SVG coordinates: the past weeks, the coming days and their bands."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

WIDTH, HEIGHT = 860.0, 300.0
"""Size of the drawing, in its own units."""
_LEFT, _RIGHT, _TOP, _BOTTOM = 62.0, 8.0, 10.0, 28.0


@dataclass(frozen=True)
class Point:
    """One day of a line, with what its tooltip says."""

    x: float
    y: float
    day: date
    value: float


@dataclass(frozen=True)
class Fan:
    """A fan chart: closed paths of the two bands, lines, and axis ticks (place, value or day)."""

    outer: str
    inner: str
    median: str
    observed: str
    said: str
    coming: tuple[Point, ...]
    past: tuple[Point, ...]
    values: tuple[tuple[float, float], ...]
    days: tuple[tuple[float, date], ...]
    today: float


def fan(forecasts: Sequence[Mapping[str, Any]], history: Sequence[Mapping[str, Any]]) -> Fan:
    """Draw the ``forecasts`` of a zone after the days of its ``history``.

    ``forecasts`` are records of ``/v1/forecasts`` of one zone by day; ``history`` has records with
    target_date, observed (or None), and said (the median three days before, or None).
    """
    coming = [(date.fromisoformat(r["target_date"]), r["influx"]) for r in forecasts]
    past = [(date.fromisoformat(r["target_date"]), r["observed"], r["said"]) for r in history]
    days = [day for day, _ in coming] + [day for day, *_ in past]
    first, last = min(days), max(days)
    values = [quantiles["p90"] for _, quantiles in coming]
    values += [value for _, *both in past for value in both if value is not None]
    top = float(max(values))
    step = _step(top)
    top = step * math.ceil(top / step)

    def x(day: date) -> float:
        return round(
            _LEFT + (WIDTH - _LEFT - _RIGHT) * (day - first).days / ((last - first).days or 1), 1
        )

    def y(value: float) -> float:
        return round(_TOP + (HEIGHT - _TOP - _BOTTOM) * (1 - value / top), 1)

    def band(low: str, high: str) -> str:
        above = [f"{x(day)} {y(q[high])}" for day, q in coming]
        below = [f"{x(day)} {y(q[low])}" for day, q in reversed(coming)]
        return f"M{'L'.join(above + below)}Z"

    seen = [Point(x(day), y(value), day, value) for day, value, _ in past if value is not None]
    said = [(x(day), y(value)) for day, _, value in past if value is not None]
    medians = [Point(x(day), y(q["p50"]), day, q["p50"]) for day, q in coming]
    mondays = sorted({day for day in days if day.weekday() == 0})
    return Fan(
        outer=band("p10", "p90"),
        inner=band("p25", "p75"),
        median=_line([(p.x, p.y) for p in medians]),
        observed=_line([(p.x, p.y) for p in seen]),
        said=_line(said),
        coming=tuple(medians),
        past=tuple(seen),
        values=tuple((y(k * step), k * step) for k in range(round(top / step) + 1)),
        days=tuple((x(day), day) for day in mondays),
        today=x(coming[0][0]),
    )


def _line(points: Sequence[tuple[float, float]]) -> str:
    return "M" + "L".join(f"{x} {y}" for x, y in points) if points else ""


def _step(top: float) -> float:
    """The round distance between two ticks that gives three to six of them.

    >>> _step(61_000), _step(980), _step(12)
    (20000, 200, 5)
    """
    unit = int(10 ** math.floor(math.log10(max(top, 10) / 3)))
    return next(unit * k for k in (1, 2, 5, 10) if top / (unit * k) <= 5)
