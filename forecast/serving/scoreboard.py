"""The scoreboard: how good the last twelve months were, and each past weekend, as JSON values.

Every figure is of answers given three days before or earlier (:data:`DAYS_BEFORE`): that is when
staff is decided upon. Runs at publication, never in the serving process.
"""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import Any

import numpy as np
import pandas as pd

from forecast.config import RunConfig
from forecast.grid import day_date, day_number
from forecast.levels import LEVELS
from forecast.serving.history import level_reached, measured, said
from forecast.tables import quantile_name
from forecast.track_record import BACKTEST, ISSUED, LIMITS, RULES, newest, newest_said

DAYS_BEFORE = 3
SCORED_DAYS = 365
RECENT_DAYS = 30
BANDS = {"coverage_50": (0.25, 0.75), "coverage_80": (0.1, 0.9)}
ALARMS = ("orange", "rouge")
NO_RECORD = (
    "no answer of the last twelve months is known: the champion was trained before backtests were "
    "kept with it, and nothing had been issued; train and promote again"
)


def scoreboard(record: pd.DataFrame, config: RunConfig, today: int) -> dict[str, Any]:
    """Everything of the scoreboard but its metadata.

    ``record`` is what had been said (:mod:`forecast.track_record`), ``today`` the local day of the
    origin [days since 1970-01-01].
    """
    rows = newest_said(record, DAYS_BEFORE)
    day = day_number(rows["target_date"]).astype(np.int64)
    rows = rows.assign(day=day)[(day >= today - SCORED_DAYS) & (day < today)]
    rows = _reached(rows[rows["influx"].notna()])
    counts = {basis: int((rows["basis"] == basis).sum()) for basis in (ISSUED, BACKTEST)}
    scores = [_score(None, config.name, rows, config)]
    scores += [_score(z.id, z.name, rows[rows["zone_id"] == z.id], config) for z in config.zones]
    recent = rows[rows["day"] >= today - RECENT_DAYS]
    return {
        "period": _period(today),
        "days_before": DAYS_BEFORE,
        "record": {**counts, "note": None if len(rows) else NO_RECORD},
        "scores": scores,
        "last_30_days": {"zone_days": len(recent), **_coverage(recent, config)},
        "weekends": weekends(record, config, today),
    }


def _period(today: int) -> dict[str, str]:
    first, last = day_date([today - SCORED_DAYS, today - 1])
    return {"start": f"{first:%Y-%m-%d}", "end": f"{last:%Y-%m-%d}"}


def _reached(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows with the position of the level said and reached, −1 where there is none."""
    limits = rows[list(LIMITS)].to_numpy(np.float64)
    reached = (rows["influx"].to_numpy(np.float64)[:, None] >= limits).sum(axis=1)
    known = ~np.isnan(limits).any(axis=1)
    rank = {level: i for i, level in enumerate(LEVELS)}
    told = np.array([rank.get(level, -1) for level in rows["level"]], dtype=np.int64)
    known &= told >= 0
    return rows.assign(_told=np.where(known, told, -1), _came=np.where(known, reached, -1))


def _score(zone_id: str | None, name: str, rows: pd.DataFrame, config: RunConfig) -> dict[str, Any]:
    """Figures of a zone, or of the territory, whose errors are those of its daily totals."""
    summed = rows
    if zone_id is None:
        groups = rows.groupby("target_date")
        numbers = ["influx", quantile_name(0.5), *RULES]
        # A total is one only where every zone is known and was answered.
        summed = groups[numbers].sum()[groups.size() == len(config.zones)]
    return {
        "zone_id": zone_id,
        "zone_name": name,
        "zone_days": len(rows),
        **_coverage(rows, config),
        "wape": _wape(summed, quantile_name(0.5)),
        "naive": _best_rule(summed),
        "alarms": {level: _alarms(rows, LEVELS.index(level)) for level in ALARMS},
    }


def _coverage(rows: pd.DataFrame, config: RunConfig) -> dict[str, float | None]:
    """How often each band held [1]; None where nothing says it."""
    found: dict[str, float | None] = {}
    for name, (low, high) in BANDS.items():
        found[name] = None
        if len(rows) and {low, high} <= set(config.quantiles):
            held = rows["influx"].between(rows[quantile_name(low)], rows[quantile_name(high)])
            found[name] = _short(held.mean())
    return found


def _wape(rows: pd.DataFrame, column: str) -> float | None:
    total = float(rows["influx"].sum())
    return _short((rows["influx"] - rows[column]).abs().sum() / total) if total > 0 else None


def _best_rule(rows: pd.DataFrame) -> dict[str, Any] | None:
    """The rule anyone could use that did best, on the same days."""
    known = rows.dropna(subset=list(RULES))
    figures = {rule: _wape(known, rule) for rule in RULES}
    scored = {rule: figure for rule, figure in figures.items() if figure is not None}
    if not scored or len(known) < len(rows):
        return None
    best = min(scored, key=lambda rule: scored[rule])
    return {"rule": best, "wape": scored[best]}


def _alarms(rows: pd.DataFrame, rank: int) -> dict[str, int]:
    """Days on which a level or worse was announced, and on which it was reached."""
    rows = rows[rows["_told"] >= 0]
    told, came = rows["_told"] >= rank, rows["_came"] >= rank
    return {
        "hits": int((told & came).sum()),
        "misses": int((~told & came).sum()),
        "false_alarms": int((told & ~came).sum()),
    }


def _short(share: float) -> float:
    return round(float(share), 4)


def weekends(record: pd.DataFrame, config: RunConfig, today: int) -> list[dict[str, Any]]:
    """Each past Friday to Sunday, newest first: what was said by its Wednesday, what happened."""
    day = day_number(record["target_date"]).astype(np.int64)
    weekday = (day + 3) % 7  # 1970-01-01 was a Thursday; Monday is 0
    kept = (weekday >= 4) & (day < today) & (day >= today - SCORED_DAYS)
    kept &= record["influx"].notna().to_numpy()
    since_wednesday = record["horizon_days"].to_numpy() - (weekday - 2)
    rows = newest(record.assign(_week=day - weekday)[kept], since_wednesday[kept])
    order = {zone.id: i for i, zone in enumerate(config.zones)}
    rows = rows.assign(_zone=rows["zone_id"].map(order)).sort_values(
        ["_week", "_zone", "target_date"], ascending=[False, True, True]
    )
    found = []
    for week, of_week in groupby(rows.to_dict("records"), key=itemgetter("_week")):
        start, end = day_date([week + 4, week + 6])
        zones = [
            {
                "zone_id": config.zones[zone].id,
                "zone_name": config.zones[zone].name,
                "days": [_day(row, config) for row in days],
            }
            for zone, days in groupby(of_week, key=itemgetter("_zone"))
        ]
        found.append({"start": f"{start:%Y-%m-%d}", "end": f"{end:%Y-%m-%d}", "zones": zones})
    return found


def _day(row: dict[Any, Any], config: RunConfig) -> dict[str, Any]:
    return {
        "target_date": f"{row['target_date']:%Y-%m-%d}",
        "said": said(row, config),
        "observed": measured(row["influx"]),
        "observed_level": level_reached(row["influx"], [row[limit] for limit in LIMITS]),
    }
