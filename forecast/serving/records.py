"""What the answers say: forecasts and zones as JSON values, before they become bytes.

Runs at publication, never in the serving process.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from forecast.config import RunConfig
from forecast.errors import PublicationError
from forecast.levels import LEVELS
from forecast.serving.small_counts import shown
from forecast.tables import check, contribution_name, forecasts_schema, quantile_name

OWN_HISTORY, CAPACITY, UNDER_CONSTRUCTION = "own history", "capacity", "under construction"


@dataclass(frozen=True)
class ModelStamp:
    """Which model answered: its version and, if known, when it was trained."""

    version: str
    trained_at: pd.Timestamp | None = None


def instant(value: pd.Timestamp) -> str:
    """An instant as UTC text, to the second.

    >>> instant(pd.Timestamp("2026-07-03T08:00:00+02:00"))
    '2026-07-03T06:00:00Z'
    """
    return value.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")


def weekend_days(day: date) -> tuple[date, ...]:
    """The coming Friday to Sunday; on a Friday or a Saturday what remains of the one under way.

    On a Sunday it is the next one: what is decided on a Sunday is decided for the week that comes.

    >>> [f"{d:%a %d}" for d in weekend_days(date(2026, 7, 1))]
    ['Fri 03', 'Sat 04', 'Sun 05']
    >>> [f"{d:%a %d}" for d in weekend_days(date(2026, 7, 4))]
    ['Sat 04', 'Sun 05']
    >>> [f"{d:%a %d}" for d in weekend_days(date(2026, 7, 5))]
    ['Fri 10', 'Sat 11', 'Sun 12']
    """
    if day.weekday() == 6:
        day += timedelta(days=1)
    first = day + timedelta(days=max(0, 4 - day.weekday()))
    return tuple(first + timedelta(days=i) for i in range(7 - first.weekday()))


def checked(forecasts: pd.DataFrame, config: RunConfig, model: ModelStamp) -> pd.DataFrame:
    """The forecasts of one run, sorted by zone (the territory's order) and day.

    Raises
    ------
    SchemaError
        If a column is absent or holds what it may not.
    PublicationError
        If the rows are not one run of this territory: none at all, several origins or models, an
        unknown zone or level, a day given twice, a number that is not finite.
    """
    check(forecasts, forecasts_schema(config.quantiles, LEVELS))
    if forecasts.empty:
        raise PublicationError("there is no forecast to publish; run `afflux predict` to see why")
    for column in ("origin", "model_version", "lake_version"):
        found = forecasts[column].unique()
        if len(found) != 1:
            raise PublicationError(
                f"a publication is one run, but {column} has {len(found)} values: "
                f"{', '.join(map(str, found[:5]))}"
            )
    if str(forecasts["model_version"].iloc[0]) != model.version:
        raise PublicationError(
            f"the forecasts were made by model {forecasts['model_version'].iloc[0]}, "
            f"not by {model.version}; predict again"
        )
    order = {zone.id: i for i, zone in enumerate(config.zones)}
    unknown = sorted(set(forecasts["zone_id"]) - set(order))
    if unknown:
        raise PublicationError(
            f"zone {unknown[0]!r} is forecast but is not in the configuration {config.id!r}"
        )
    _check_levels(forecasts)
    answers = forecasts[[quantile_name(q) for q in config.quantiles]].to_numpy(dtype=float)
    if not np.isfinite(answers).all():
        row = int(np.argmin(np.isfinite(answers).all(axis=1)))
        raise PublicationError(
            f"the forecast of zone {forecasts['zone_id'].iloc[row]!r} for "
            f"{forecasts['target_date'].iloc[row]:%Y-%m-%d} is not a finite number"
        )
    twice = forecasts.duplicated(["zone_id", "target_date"])
    if twice.any():
        row = int(np.argmax(twice))
        raise PublicationError(
            f"zone {forecasts['zone_id'].iloc[row]!r} has two forecasts for "
            f"{forecasts['target_date'].iloc[row]:%Y-%m-%d}"
        )
    rank = forecasts["zone_id"].map(order).astype(int)
    return forecasts.assign(_zone=rank).sort_values(["_zone", "target_date"], ignore_index=True)


def _check_levels(forecasts: pd.DataFrame) -> None:
    columns = ["level", *(f"probability_{level}" for level in LEVELS)]
    absent = [column for column in columns if column not in forecasts.columns]
    if absent:
        raise PublicationError(f"the forecasts lack the column {absent[0]!r}; it may be empty")
    wrong = sorted(set(forecasts["level"].dropna()) - {*LEVELS, ""})
    if wrong:
        raise PublicationError(f"level {wrong[0]!r} is none of {', '.join(LEVELS)}")
    alone = (_level(forecasts) != "") & forecasts[columns[1:]].isna().any(axis=1)
    if alone.any():
        raise PublicationError(
            f"zone {forecasts['zone_id'].iloc[int(np.argmax(alone))]!r} has a level without its "
            "probabilities"
        )


def _level(forecasts: pd.DataFrame) -> pd.Series:
    """Level of each row, empty where there is none, whatever kind of text the column is."""
    return forecasts["level"].astype(object).where(forecasts["level"].notna(), "")


def forecast_records(forecasts: pd.DataFrame, config: RunConfig) -> Iterator[dict[str, Any]]:
    """One JSON object per row of :func:`checked` forecasts; influx in whole persons."""
    names = {zone.id: zone.name for zone in config.zones}
    against = {z.id: CAPACITY if z.capacity else OWN_HISTORY for z in config.zones}
    quantiles = {quantile_name(q).removeprefix("influx_"): q for q in config.quantiles}
    for row in forecasts.to_dict("records"):
        influx = {key: shown(row[f"influx_{key}"]) for key in quantiles}
        level = row.get("level")
        known = isinstance(level, str) and level != ""
        usual = row.get("usual")
        yield {
            "zone_id": row["zone_id"],
            "zone_name": names[row["zone_id"]],
            "target_date": f"{row['target_date']:%Y-%m-%d}",
            "horizon_days": int(row["horizon_days"]),
            "influx": influx,
            "interval_80": (
                {"low": influx["p10"], "high": influx["p90"]}
                if {"p10", "p90"} <= influx.keys()
                else None
            ),
            "level": level if known else None,
            "level_probabilities": _probabilities(row) if known else None,
            "reference": against[row["zone_id"]] if known else UNDER_CONSTRUCTION,
            "usual": None if usual is None or pd.isna(usual) else shown(usual),
            "contributions": contributions(row),
            "why": row["why"] if isinstance(row.get("why"), str) else None,
            "regime": row["regime"],
        }


def contributions(row: Mapping[Any, Any]) -> dict[str, int] | None:
    """Whole persons by domain that add up to the rounded median minus the rounded usual influx.

    Or, where nothing is usual, to the sum of ``row`` (one row of the forecasts table), rounded.
    None if the row was not explained.
    """
    start = contribution_name("")
    exact = {
        str(name).removeprefix(start): float(value)
        for name, value in row.items()
        if str(name).startswith(start) and not pd.isna(value)
    }
    if not exact:
        return None
    if pd.isna(row.get("usual")):
        total = round(sum(exact.values()))
    else:
        total = shown(row[quantile_name(0.5)]) - shown(row["usual"])
    # What rounding of both, and the least that is shown, leave out is of the largest; the parts are
    # then rounded down, and what is missing goes to those that lost most.
    exact[max(exact, key=lambda domain: abs(exact[domain]))] += total - sum(exact.values())
    whole = {domain: int(np.floor(persons)) for domain, persons in exact.items()}
    lost = sorted(whole, key=lambda domain: whole[domain] - exact[domain])
    more = lost[: total - sum(whole.values())]
    return {domain: persons + (domain in more) for domain, persons in whole.items()}


def _probabilities(row: dict[Any, Any]) -> dict[str, float]:
    """Probabilities in thousandths that still sum to 1: the largest takes what rounding left."""
    rounded = {level: round(1000 * row[f"probability_{level}"]) for level in LEVELS}
    rounded[max(LEVELS, key=lambda level: rounded[level])] += 1000 - sum(rounded.values())
    return {level: parts / 1000 for level, parts in rounded.items()}


def zone_records(forecasts: pd.DataFrame, config: RunConfig) -> Iterator[dict[str, Any]]:
    """One JSON object per zone of the territory, in its order."""
    known = set(forecasts["zone_id"][_level(forecasts) != ""])
    for zone in config.zones:
        against = CAPACITY if zone.capacity else OWN_HISTORY
        yield {
            "zone_id": zone.id,
            "zone_name": zone.name,
            "population": round(zone.population),
            "latitude": zone.latitude,
            "longitude": zone.longitude,
            "coast": zone.coast,
            "reference": against if zone.id in known else UNDER_CONSTRUCTION,
        }
