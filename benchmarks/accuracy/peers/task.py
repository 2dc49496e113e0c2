"""What every peer is given, and the form of its answers. Runs in the peers' own environment.

Nothing here imports the product: a panel reaches the peers as two Parquet files and a JSON file
(see :mod:`benchmarks.accuracy.exchange`).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

ID, DAY, VALUE = "unique_id", "ds", "y"
"""Names the forecasting libraries expect."""

LIGHTGBM = {
    "objective": "l1",
    "n_estimators": 400,
    "learning_rate": 0.05,
    "num_leaves": 31,
    "min_child_samples": 20,
    "colsample_bytree": 0.8,
    "subsample": 0.8,
    "subsample_freq": 1,
    "n_jobs": 1,
    "verbose": -1,
    "random_state": 1,
}
"""The booster of the peers that forecast by LightGBM."""


@dataclass(frozen=True)
class Task:
    """One panel as its peers see it.

    ``series`` has :data:`ID`, :data:`DAY` and :data:`VALUE`, one row per known day; ``calendar``
    has :data:`ID`, :data:`DAY` and the columns of the almanac for every day, to the last target.
    ``origins`` are the days that are scored from, ``validation`` earlier ones to choose among
    variants by. ``closed`` says that a day without a row is one on which the place was closed.
    """

    series: pd.DataFrame
    calendar: pd.DataFrame
    origins: list[pd.Timestamp]
    validation: list[pd.Timestamp]
    quantiles: list[float]
    horizon: int
    country: str
    closed: bool

    @classmethod
    def read(cls, folder: Path) -> Task:
        """Read a panel from its folder; columns of the almanac nobody knows are left out."""
        facts = json.loads((folder / "task.json").read_text(encoding="utf-8"))
        calendar = pd.read_parquet(folder / "calendar.parquet").dropna(axis=1, how="all")
        return cls(
            series=pd.read_parquet(folder / "series.parquet"),
            calendar=calendar.fillna(0.0),
            origins=[pd.Timestamp(day) for day in facts.pop("origins")],
            validation=[pd.Timestamp(day) for day in facts.pop("validation")],
            **{name: facts[name] for name in cls.__dataclass_fields__ if name in facts},
        )

    @property
    def columns(self) -> list[str]:
        """Columns of the calendar."""
        return [name for name in self.calendar if name not in (ID, DAY)]

    def known(self, origin: pd.Timestamp) -> pd.DataFrame:
        """Days known at an origin, with the calendar; nothing is filled."""
        return self.series[self.series[DAY] <= origin].merge(self.calendar, on=[ID, DAY])

    def whole(self, origin: pd.Timestamp) -> pd.DataFrame:
        """Every day up to an origin, with the calendar and ``weight``: 0 where y was filled.

        A closed day is filled with zero; a missing one with the same weekday of the week before
        (at the very beginning, of the week after).
        """
        parts = []
        for zone, rows in self.series[self.series[DAY] <= origin].groupby(ID, observed=True):
            days = pd.date_range(rows[DAY].min(), origin)
            y = rows.set_index(DAY)[VALUE].reindex(days)
            weight = y.notna().astype(float)
            if self.closed:
                y = y.fillna(0.0)
            else:
                weekly = y.groupby(days.day_of_week)
                y = weekly.ffill().fillna(weekly.bfill())
            parts.append(
                pd.DataFrame(
                    {ID: zone, DAY: days, VALUE: y.to_numpy(), "weight": weight.to_numpy()}
                )
            )
        return pd.concat(parts, ignore_index=True).merge(self.calendar, on=[ID, DAY])

    def future(self, origin: pd.Timestamp) -> pd.DataFrame:
        """The calendar of the days asked about at an origin."""
        day = self.calendar[DAY]
        asked = (day > origin) & (day <= origin + pd.Timedelta(days=self.horizon))
        return self.calendar[asked].reset_index(drop=True)


def column(quantile: float) -> str:
    """Name of a quantile's column.

    >>> column(0.1)
    'q10'
    """
    return f"q{round(100 * quantile):02d}"


def from_levels(rows: pd.DataFrame, model: str) -> pd.DataFrame:
    """Answers from Nixtla's columns: the forecast, and central intervals of 50 and 80 %."""
    names = {
        f"{model}-lo-80": "q10",
        f"{model}-lo-50": "q25",
        model: "q50",
        f"{model}-hi-50": "q75",
        f"{model}-hi-80": "q90",
    }
    return rows.reset_index()[[ID, DAY, *names]].rename(columns=names)
