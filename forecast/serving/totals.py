"""Totals of the coming weekend, by zone and for the territory, with an interval that is honest.

The median of a sum is taken to be the sum of the medians. Its other quantiles depend on how the
errors of its days and zones go together, which single forecasts do not say. Where the record has
thirty past weekends or more, they say it: the error of each past total, in units of the summed
half-band of its own forecast, gives the quantiles of the next (split conformal prediction: Lei et
al. 2018, doi:10.1080/01621459.2017.1307116). With fewer, quantiles are summed as if every error
went the same way, which is the widest they can be; ``interval_method`` says which it was.

Runs at publication, never in the serving process.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import RunConfig
from forecast.grid import day_number, local_days
from forecast.serving.small_counts import shown
from forecast.tables import quantile_name
from forecast.track_record import ISSUED

Doubles = npt.NDArray[np.float64]

LEAST_WEEKENDS = 30
"""Past weekends from which their errors make the interval."""

CONFORMAL, COMONOTONE = "conformal", "comonotone"


def weekend_totals(
    forecasts: pd.DataFrame, record: pd.DataFrame, config: RunConfig, days: Sequence[date]
) -> list[dict[str, Any]]:
    """One JSON object for the territory, then one for each zone that has every day of ``days``.

    ``forecasts`` is one run of the forecasts table, ``record`` what had been said of past days
    (:mod:`forecast.track_record`).
    """
    names = [quantile_name(q) for q in config.quantiles]
    dates = [pd.Timestamp(day) for day in days]
    rows = forecasts[forecasts["target_date"].isin(dates)]
    # What is summed is what is shown of each day, so that the two agree.
    rows = rows.assign(**{name: rows[name].map(shown) for name in names})
    groups = rows.groupby("zone_id", observed=True)
    sums = groups[names].sum()[groups.size() == len(days)]
    whole = {
        zone.id: sums.loc[zone.id].to_numpy(np.float64)
        for zone in config.zones
        if zone.id in sums.index
    }
    if not whole:
        return []
    today = int(local_days(pd.DatetimeIndex(rows["origin"]), config.timezone)[0])
    lead = int(day_number([days[0]])[0]) - today
    past = past_totals(record, config, [day.weekday() for day in days], lead)
    together = past[past["zone_id"].isin(list(whole))].groupby("week")
    every = together[[*names, "influx"]].sum()[together.size() == len(whole)]
    answer = [_total(None, config.name, np.sum(list(whole.values()), axis=0), every, config)]
    for zone in config.zones:
        if zone.id in whole:
            own = past[past["zone_id"] == zone.id]
            answer.append(_total(zone.id, zone.name, whole[zone.id], own, config))
    return answer


def past_totals(
    record: pd.DataFrame, config: RunConfig, weekdays: Sequence[int], lead: int
) -> pd.DataFrame:
    """Sums over these weekdays (Monday is 0) of one week, one row for each zone and week.

    Of each, the newest answer given at least ``lead`` days before the first of them, if it
    answered all of them and all of them came true: ``week`` (its Monday, days since 1970-01-01),
    ``zone_id``, the sums of the quantiles and of ``influx`` [visitors].
    """
    names = [quantile_name(q) for q in config.quantiles]
    day = day_number(record["target_date"]).astype(np.int64)
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday
    ahead = record["horizon_days"].to_numpy() - (weekday - weekdays[0])
    kept = np.isin(weekday, weekdays) & (ahead >= lead) & record["influx"].notna().to_numpy()
    rows = record[kept].assign(week=(day - weekday)[kept], _real=record["basis"] == ISSUED)
    keys = ["zone_id", "week"]
    newest = rows.sort_values(["_real", "origin"], kind="stable").drop_duplicates(keys, keep="last")
    rows = rows.merge(newest[[*keys, "origin", "_real"]], on=[*keys, "origin", "_real"])
    rows = rows.drop_duplicates([*keys, "target_date"], keep="last")
    groups = rows.groupby(keys, observed=True)
    sums = groups[[*names, "influx"]].sum()[groups.size() == len(weekdays)]
    return sums.reset_index()


def _total(
    zone_id: str | None, name: str, summed: Doubles, past: pd.DataFrame, config: RunConfig
) -> dict[str, Any]:
    levels = config.quantiles
    conformal = len(past) >= LEAST_WEEKENDS
    values = conformal_sum(summed, past, levels) if conformal else summed
    influx = {
        quantile_name(q).removeprefix("influx_"): shown(float(value))
        for q, value in zip(levels, values, strict=True)
    }
    return {
        "zone_id": zone_id,
        "zone_name": name,
        "influx": influx,
        "interval_80": (
            {"low": influx["p10"], "high": influx["p90"]}
            if {"p10", "p90"} <= influx.keys()
            else None
        ),
        "interval_method": CONFORMAL if conformal else COMONOTONE,
        "past_weekends": len(past),
    }


def conformal_sum(summed: Doubles, past: pd.DataFrame, levels: Sequence[float]) -> Doubles:
    """Quantiles of a total, shape (quantiles,), from those summed and from past totals.

    >>> past = pd.DataFrame({"influx_p10": 80.0, "influx_p50": 100.0, "influx_p90": 120.0,
    ...                      "influx": np.linspace(90, 110, 39)})
    >>> conformal_sum(np.array([160.0, 200.0, 240.0]), past, (0.1, 0.5, 0.9)).round()
    array([183., 200., 217.])
    """
    middle = list(levels).index(0.5)
    said = past[[quantile_name(q) for q in levels]].to_numpy(np.float64)
    off = past["influx"].to_numpy(np.float64) - said[:, middle]
    above, below = said[:, -1] - said[:, middle], said[:, middle] - said[:, 0]
    scores = np.sort(off / np.maximum(np.where(off > 0, above, below), 1.0))
    n = len(scores)
    found = []
    for level in levels:
        rank = math.floor((n + 1) * level) if level < 0.5 else math.ceil((n + 1) * level)
        score = scores[min(max(rank, 1), n) - 1]
        found.append(min(score, 0.0) if level < 0.5 else max(score, 0.0) if level > 0.5 else 0.0)
    reach = np.array(found)
    half = np.where(reach > 0, summed[-1] - summed[middle], summed[middle] - summed[0])
    return np.maximum.accumulate(np.maximum(summed[middle] + reach * half, 0.0))
