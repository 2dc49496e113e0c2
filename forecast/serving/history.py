"""What happened beside what had been said, zone by zone and day by day, as JSON values.

Runs at publication, never in the serving process.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd

from forecast.config import RunConfig
from forecast.grid import day_date
from forecast.levels import LEVELS
from forecast.serving.small_counts import LEAST_PERSONS, shown
from forecast.tables import quantile_name
from forecast.track_record import LIMITS, RECORD_DAYS, newest_said
from forecast.truth import Truth

DAYS_BEFORE = (1, 3, 7)
"""How long before a day its forecasts are shown [d]."""

SHOWN = (0.1, 0.5, 0.9)
"""Quantiles of past forecasts that are shown, where they are configured."""


def measured(value: float) -> int | None:
    """A measured influx in whole persons; None if unknown or too small to be published.

    >>> measured(61_000.4), measured(19.0), measured(float("nan"))
    (61000, None, None)
    """
    return round(value) if value >= LEAST_PERSONS else None


def level_reached(value: float, limits: list[float]) -> str | None:
    """The level that an influx reached; None if it or the limits are unknown.

    >>> level_reached(30.0, [20.0, 30.0, 40.0]), level_reached(1.0, [float("nan")] * 3)
    ('rouge', None)
    """
    if np.isnan(value) or np.isnan(limits).any():
        return None
    return LEVELS[sum(value >= limit for limit in limits)]


def said(row: dict[Any, Any], config: RunConfig) -> dict[str, Any]:
    """What one row of a record had said."""
    return {
        "origin": f"{row['origin']:%Y-%m-%dT%H:%M:%SZ}",
        "horizon_days": int(row["horizon_days"]),
        "influx": {
            quantile_name(q).removeprefix("influx_"): shown(row[quantile_name(q)])
            for q in SHOWN
            if q in config.quantiles
        },
        "level": row["level"] if isinstance(row["level"], str) else None,
        "basis": row["basis"],
    }


def zone_histories(
    record: pd.DataFrame, truth: Truth, config: RunConfig, today: int
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Each zone and its days before ``today`` (since 1970-01-01), oldest first.

    The history of a zone ends yesterday and begins :data:`RECORD_DAYS` before, or with the first
    day of which anything is known.
    """
    told: dict[tuple[str, pd.Timestamp], list[dict[str, Any]]] = {}
    limits: dict[tuple[str, pd.Timestamp], list[float]] = {}
    for before in DAYS_BEFORE:
        for row in newest_said(record, before).to_dict("records"):
            key = (row["zone_id"], row["target_date"])
            told.setdefault(key, []).append({"days_before": before, **said(row, config)})
            limits.setdefault(key, [row[limit] for limit in LIMITS])
    days = day_date(np.arange(today - RECORD_DAYS, today))
    unknown = [float("nan")] * 3
    for position, zone in enumerate(config.zones):
        values = _line(truth, position, today)
        rows = [
            {
                "target_date": f"{day:%Y-%m-%d}",
                "observed": measured(value),
                "suppressed": value < LEAST_PERSONS,
                "observed_level": level_reached(value, limits.get((zone.id, day), unknown)),
                "said": told.get((zone.id, day), []),
            }
            for day, value in zip(days, values, strict=True)
        ]
        known = [i for i, row in enumerate(rows) if row["observed"] is not None or row["said"]]
        yield zone.id, rows[known[0] :] if known else []


def _line(truth: Truth, position: int, today: int) -> list[float]:
    """Influx of a zone on the days before ``today``, NaN where it is not known."""
    line = np.full(RECORD_DAYS, np.nan)
    first = today - RECORD_DAYS
    low, high = max(first, truth.first_day), min(today, truth.first_day + truth.values.shape[1])
    if low < high:
        line[low - first : high - first] = truth.values[
            position, low - truth.first_day : high - truth.first_day
        ]
    return [float(value) for value in line]
