"""Hourly values folded into the civil days of a territory.

A civil day lasts 23 or 25 hours when the clocks change; its hours are counted as they are. An hour
that is missing spoils a day's value only where it could have changed it: rain of the night counts,
sunshine of the night does not. What is spoilt is left out, never filled in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.grid import local_days

HOUR_SECONDS = 3600
BATHING = (10, 18)
"""Local hours of bathing: from 10 to 18 h."""

_MARGIN = 26
"""Hours beyond those given that may belong to the first and the last civil day."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Daily:
    """How an hourly quantity becomes a daily variable.

    ``hourly`` is the quantity, in ``unit``; a daily unit holds ``per`` of those. A value stands for
    the instant it is given for, or, with ``preceding``, for the hour that ends there. Local hours
    from ``since`` to ``until`` count; of these, none from ``whole_from`` on may be missing.
    """

    name: str
    hourly: str
    unit: str
    how: Literal["max", "min", "mean", "sum"]
    preceding: bool = False
    since: int = 0
    until: int = 24
    whole_from: int = 0
    per: float = 1.0


def by_civil_day(
    instants: Ints, values: Floats, daily: Daily, timezone: str
) -> tuple[npt.NDArray[np.int32], Floats]:
    """Fold hourly values into civil days.

    Parameters
    ----------
    instants
        Whole hours, in order [s since 1970 UTC], shape (hours,).
    values
        In ``daily.unit``, NaN where missing, shape (places, hours).
    daily
        What to make of them.
    timezone
        Whose civil days.

    Returns
    -------
    tuple
        The days [days since 1970], shape (days,), and their values, shape (places, days): NaN
        where a missing hour could have changed the value.

    >>> rain = Daily("precipitation", "precipitation", "mm", "sum", preceding=True)
    >>> hours = np.arange(50) * 3600
    >>> days, sums = by_civil_day(hours, np.ones((1, 50)), rain, "Europe/Paris")
    >>> days.tolist(), sums.tolist()
    ([0, 1, 2], [[24.0, 24.0, nan]])
    """
    begins = instants - HOUR_SECONDS if daily.preceding else instants
    hours = np.arange(
        begins[0] - _MARGIN * HOUR_SECONDS, begins[-1] + (_MARGIN + 1) * HOUR_SECONDS, HOUR_SECONDS
    )
    table = np.full((len(values), len(hours)), np.nan)
    table[:, _MARGIN + (begins - begins[0]) // HOUR_SECONDS] = values / daily.per

    clock = pd.DatetimeIndex(hours.astype("datetime64[s]"), tz="UTC")
    day = local_days(clock, timezone)
    hour = clock.tz_convert(timezone).hour.to_numpy()
    counted = (day >= day[_MARGIN]) & (day <= day[-_MARGIN - 1])
    counted &= (hour >= daily.since) & (hour < daily.until)
    table, day, hour = table[:, counted], day[counted], hour[counted]
    heads = np.flatnonzero(np.append(True, day[1:] != day[:-1]))

    missing = np.isnan(table)
    spoilt = np.logical_or.reduceat(missing & (hour >= daily.whole_from), heads, axis=1)
    if daily.how == "max":
        folded = np.fmax.reduceat(table, heads, axis=1)
    elif daily.how == "min":
        folded = np.fmin.reduceat(table, heads, axis=1)
    else:
        folded = np.add.reduceat(np.where(missing, 0.0, table), heads, axis=1)
        if daily.how == "mean":
            folded /= np.maximum(1, np.add.reduceat(~missing, heads, axis=1, dtype=np.int64))
    return day[heads], np.where(spoilt, np.nan, np.round(folded, 3))
