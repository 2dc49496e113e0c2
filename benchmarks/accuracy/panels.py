"""The panels under one convention, so that our model and its peers know the same days.

An origin is a Sunday at 23:00 local, and every row about a day can be read from 23:00 of that day,
so that the Sunday itself is the newest day anyone knows. Origins follow each other by a fortnight
and are asked about days 1 to 14: each day is forecast once. There is no weather. Influx ends with
the last day that is asked about.
"""

from __future__ import annotations

import importlib
import os
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.panels import folder, muenster_lots, nantes
from benchmarks.panels.tickets import DATA as TICKETS
from forecast.config import RunConfig, read_config
from forecast.ingest.folder import ingest_folder
from forecast.lake import Lake

DATASETS = Path(os.environ.get("AFFLUX_DATASETS") or folder.BESIDE)
HORIZON = 14
"""Days 1 to this are scored [d]."""
STRIDE = 14
"""Days from one origin to the next [d]."""
REFIT = 28
"""Days from one fit of our model to the next [d]; the peers are fitted at every origin."""
HOUR = 23
"""Local hour of the origin, at which rows about its day have just become readable."""
_WEATHER = ("weather", "weather_forecast")


@dataclass(frozen=True)
class Window:
    """Which module of :mod:`benchmarks.panels` makes a panel of which data set, and its first and
    last origin (Sundays).

    ``closed`` says that a day without a row is one on which the place was closed.
    """

    panel: str
    data: str
    first: pd.Timestamp
    last: pd.Timestamp
    ask: int = HORIZON
    closed: bool = False

    @property
    def newest(self) -> pd.Timestamp:
        """Newest day of influx in the panel."""
        return self.last + pd.Timedelta(days=self.ask)

    @property
    def origins(self) -> pd.DatetimeIndex:
        """Civil days of the origins."""
        return pd.date_range(self.first, self.last, freq=f"{STRIDE}D")


def _window(panel: str, data: str, first: str, last: str) -> Window:
    # A backtest counts its origins back from the newest day with influx less the days asked.
    # Weighbridges are closed on their last Sunday, so their panels end on the Monday after it.
    closed = data == TICKETS
    ask = HORIZON + 1 if closed else HORIZON
    return Window(panel, data, pd.Timestamp(first), pd.Timestamp(last), ask, closed)


def _before(window: Window, years: int) -> Window:
    past = pd.Timedelta(days=364 * years)
    return replace(window, first=window.first - past, last=window.last - past)


WINDOWS = {
    "hk_visitors": _window("hk_visitors", "hk_visitors", "2024-09-01", "2025-08-17"),
    "cerema_traffic": _window("cerema_traffic", "cerema_traffic", "2023-01-01", "2023-08-13"),
    "muenster": _window("muenster", "muenster", "2023-08-27", "2024-08-11"),
    "austin": _window("austin", TICKETS, "2016-07-24", "2017-07-09"),
    "ballarat": _window("ballarat", TICKETS, "2014-03-23", "2015-03-08"),
    "nantes": _window("nantes", nantes.DATA, "2018-12-30", "2019-12-15"),
    "muenster_lots": _window("muenster_lots", muenster_lots.DATA, "2023-08-27", "2024-08-11"),
}
WINDOWS |= {
    f"{name}{suffix}": _before(WINDOWS[name], years)
    for years, suffix in ((1, "_before"), (2, "_two_before"))
    for name in ("muenster", "austin", "ballarat")
}
PANELS = ("hk_visitors", "cerema_traffic", "muenster", "austin", "ballarat")
"""The panels by whose scored windows constants of the recipe were chosen."""
UNSEEN = tuple(name for name in WINDOWS if name not in PANELS)
"""Those looked at once the recipe was made: other series, and one and two years before where the
history is long enough. Some constants were chosen with the first of them in sight (README)."""


def load(name: str, data: Path = DATASETS) -> tuple[dict[str, Any], dict[str, pd.DataFrame]]:
    """Content of territory.toml and the tables of a panel, cut to the convention above."""
    window = WINDOWS[name]
    module = importlib.import_module(f"benchmarks.panels.{window.panel}")
    territory, tables = module.panel(data / window.data)
    last = f"{window.newest:%Y-%m-%d}"
    kept = {
        source: table[table["date"] <= last]
        for source, table in tables.items()
        if source not in _WEATHER
    }
    training = {
        "start": territory["training"]["start"],
        "origin_hour": HOUR,
        "backtest_days": (window.last - window.first).days + STRIDE,
        "backtest_stride_days": STRIDE,
        "refit_days": REFIT,
    }
    return {
        **territory,
        "max_horizon_days": window.ask,
        "sources": {source: {"publication_delay_hours": float(HOUR - 24)} for source in kept},
        "training": training,
    }, kept


def write(name: str, out: Path, data: Path = DATASETS) -> None:
    """Write a panel as an input folder."""
    folder.write(out, *load(name, data))


def dataset(name: str, data: Path = DATASETS) -> tuple[RunConfig, pd.DataFrame, pd.Timestamp]:
    """The configuration of a panel, its observations as the lake gives them, and an instant.

    At that instant, the day after the newest influx, every row can be read.
    """
    now = (WINDOWS[name].newest + pd.Timedelta(days=2)).tz_localize("UTC")
    with tempfile.TemporaryDirectory() as place:
        inputs, lake = Path(place) / "input", Lake(str(Path(place) / "lake"))
        write(name, inputs, data)
        config = read_config(inputs / "territory.toml")
        ingest_folder(inputs, lake, config=config, now=now)
        return config, lake.read(), now


def seeded(config: RunConfig, seed: int | None) -> RunConfig:
    """The configuration with another seed of the model, if one is given."""
    if seed is None:
        return config
    training = config.training.model_copy(update={"seed": seed})
    return config.model_copy(update={"training": training})
