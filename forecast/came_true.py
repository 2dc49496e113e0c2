"""How the forecasts fared whose days have become known since the previous publication.

Nothing of it is stored: forecasts and influx are in the lake for ever, so that a score can always
be computed again, and differs only where the influx itself was revised.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import pandas as pd

from forecast.config import RunConfig
from forecast.errors import LakeError
from forecast.lake import Lake
from forecast.tables import quantile_name
from forecast.track_record import replayed

WINDOW_DAYS = 100
"""Days before the previous forecast from which on influx is looked at [d]."""

_KEYS = ["zone_id", "date"]


@dataclass(frozen=True)
class Previous:
    """The last forecast before this one: its origin (UTC), and the lake version it was made of."""

    origin: pd.Timestamp
    lake_version: int


@dataclass(frozen=True)
class CameTrue:
    """Zone-days scored, those whose influx fell in the band, and the error of the median.

    ``band`` is the nominal share of the widest band [1]; ``error`` the sum of the absolute errors
    of the median over the sum of the influx [1], NaN where nothing could be scored.
    """

    zone_days: int
    held: int
    band: float
    error: float


def previous_forecast(lake: Lake, now: pd.Timestamp) -> Previous | None:
    """The last forecast kept before ``now``; None if there is none.

    Raises
    ------
    LakeError
        If the lake cannot be read.
    """
    until = now - pd.Timedelta(microseconds=1)
    for days in (2, 60, None):  # nearly always it is of today or yesterday
        since = None if days is None else now - pd.Timedelta(days=days)
        kept = lake.read_forecasts(origin_since=since, origin_until=until)
        if len(kept):
            last = kept[kept["origin"] == kept["origin"].max()]
            return Previous(last["origin"].iloc[0], int(last["lake_version"].max()))
    return None


def came_true(
    lake: Lake,
    config: RunConfig,
    previous: Previous | None,
    now: pd.Timestamp,
    trained_at: Mapping[str, pd.Timestamp] | None = None,
) -> CameTrue:
    """Score the forecasts of the zone-days whose influx has become known since ``previous``.

    A zone-day counts if its influx is known at ``now`` and was not, or not with this value, in the
    lake as ``previous`` saw it. The forecast scored is the last one made on an earlier civil day;
    a zone-day for which there was none is left out. ``trained_at`` says when each model version was
    trained: a past origin replayed by a later model is no forecast that was made then.

    Raises
    ------
    LakeError
        If the lake cannot be read.
    """
    low, high = (quantile_name(q) for q in (config.quantiles[0], config.quantiles[-1]))
    band = config.quantiles[-1] - config.quantiles[0]
    nothing = CameTrue(0, 0, band, float("nan"))
    news = _news(lake, config, previous, now) if previous else pd.DataFrame()
    if news.empty:
        return nothing
    said = lake.read_forecasts(since=news["date"].min(), until=news["date"].max(), origin_until=now)
    if said.empty:
        return nothing
    made = (said["horizon_days"] >= 1).to_numpy() & ~replayed(said, trained_at or {})
    said = said[made].drop_duplicates(["zone_id", "target_date"], keep="last")
    columns = said[["zone_id", low, quantile_name(0.5), high]].assign(date=said["target_date"])
    columns["zone_id"] = columns["zone_id"].astype("str")
    both = news.merge(columns, on=_KEYS, how="inner")
    if both.empty:
        return nothing
    value = both["value"].to_numpy(dtype=float)
    held = (both[low].to_numpy() <= value) & (value <= both[high].to_numpy())
    wrong = np.abs(both[quantile_name(0.5)].to_numpy() - value).sum()
    error = float(wrong / value.sum()) if value.sum() else float("nan")
    return CameTrue(len(both), int(held.sum()), band, error)


def _news(lake: Lake, config: RunConfig, previous: Previous, now: pd.Timestamp) -> pd.DataFrame:
    """Influx known at ``now`` that the previous forecast did not know: zone_id, date, value."""
    since = (previous.origin - pd.Timedelta(days=WINDOW_DAYS)).date()
    known = _influx(lake, config, since, now, None)
    try:
        before = _influx(lake, config, since, previous.origin, previous.lake_version)
    except LakeError:  # that version is no longer kept: by the instants alone
        before = _influx(lake, config, since, previous.origin, None)
    seen = known.merge(before, on=[*_KEYS, "value"], how="left", indicator=True)["_merge"]
    return known[(seen == "left_only").to_numpy()]


def _influx(
    lake: Lake,
    config: RunConfig,
    since: date,
    known_at: pd.Timestamp,
    version: int | None,
) -> pd.DataFrame:
    rows = lake.snapshot(
        known_at,
        sources=["influx"],
        variables=["influx"],
        zones=[zone.id for zone in config.zones],
        since=since,
        version=version,
    )
    return rows[[*_KEYS, "value"]].astype({"zone_id": "str"})
