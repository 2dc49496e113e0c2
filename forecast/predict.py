"""From observations to forecasts: today's questions through the same code as training's.

The frame that comes out is the ``forecasts`` table: one row for each zone and day, with the
quantiles, the probability of each level, what is usual for such a day, and the regime.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.analogue import run_days
from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.errors import ModelError
from forecast.features import build
from forecast.features.base import Evidence
from forecast.freshness import SourceStatus, regime, source_statuses, stale_domains
from forecast.grid import Grid, make_grid
from forecast.levels import LEVELS, level_of, probabilities, threshold_rows, thresholds
from forecast.model import InfluxModel
from forecast.tables import check, forecasts_schema, quantile_name
from forecast.territory import Territory
from forecast.truth import Truth, truth_at

_AROUND_DAYS = 21
"""A usual day is one of the same weekday at most so many days from that time of year [d]."""

_HISTORY_DAYS = 3 * 364


@dataclass(frozen=True)
class Answer:
    """Forecasts of one origin, how fresh the sources were, and the zones that have none."""

    forecasts: pd.DataFrame
    sources: list[SourceStatus]
    unanswered: tuple[str, ...]


def answer_at(
    origin: pd.Timestamp,
    config: RunConfig,
    observations: pd.DataFrame,
    model: InfluxModel,
    *,
    model_version: str,
    lake_version: int,
) -> Answer:
    """Forecast days 0 to ``max_horizon_days`` of every zone, as known at ``origin``.

    A zone about which neither the model nor the lake knows anything is left out and named in
    ``unanswered``; it never stops the others.

    Raises
    ------
    ModelError
        If the model reads features or answers quantiles other than the configuration's, or if no
        zone at all can be answered.
    """
    if model.quantiles != config.quantiles:
        raise ModelError(
            f"the model answers quantiles {model.quantiles}, the configuration asks for "
            f"{config.quantiles}: run `afflux train` and `afflux promote`"
        )
    territory, origin = config.territory(), origin.tz_convert("UTC")
    readable = observations[observations["available_at"] <= origin]
    evidence = Evidence(readable, territory)
    grid = make_grid(
        [origin], territory.zone_ids, range(config.max_horizon_days + 1), config.timezone
    )
    today = int(grid.ask_day[0])
    daily = Daily.of(territory, today - 450, today + config.max_horizon_days + 60)
    statuses = source_statuses(readable, config, origin)
    quantiles = model.predict(build(grid, evidence), daily, stale=stale_domains(statuses))
    truth = truth_at(evidence, origin)
    level_probabilities = probabilities(
        config.quantiles, quantiles, _thresholds(truth, config)[grid.row_zone]
    )
    frame = grid.frame()
    for i, quantile in enumerate(config.quantiles):
        frame[quantile_name(quantile)] = quantiles[:, i]
    for i, level in enumerate(LEVELS):
        frame[f"probability_{level}"] = level_probabilities[:, i]
    frame["level"] = pd.Series(level_of(level_probabilities), dtype="str")
    frame["usual"] = usual(grid, truth, territory)
    frame["regime"] = regime(statuses)
    frame["model_version"] = model_version
    frame["lake_version"] = lake_version
    answered = np.isfinite(quantiles.sum(axis=1))
    frame["zone_id"] = frame["zone_id"].astype("str")
    silent = tuple(frame.loc[~answered, "zone_id"].unique())
    if not answered.any():
        raise ModelError(
            f"no zone can be answered at {origin:%Y-%m-%d %H:%M} UTC: neither the model nor the "
            "lake knows any influx of these zones; ingest some, or train on it"
        )
    frame = frame.loc[answered].reset_index(drop=True)
    return Answer(check(frame, forecasts_schema(config.quantiles, LEVELS)), statuses, silent)


def _thresholds(truth: Truth, config: RunConfig) -> npt.NDArray[np.float64]:
    """Where each level begins, shape (zones, 3), from the last whole years that are known."""
    names = [zone.id for zone in config.zones]
    history = dict(zip(names, truth.values[:, -_HISTORY_DAYS:], strict=True))
    return threshold_rows(thresholds(history, config.levels), names)


def usual(grid: Grid, truth: Truth, territory: Territory) -> npt.NDArray[np.float64]:
    """What is usual for the day of each question [visitors day⁻¹], shape (questions,).

    The median of the known days of the same weekday within three weeks of that time of year, this
    year and before, holiday runs left out; NaN where fewer than three are known.
    """
    days = truth.first_day + np.arange(truth.values.shape[1])
    ordinary = np.where(
        run_days(territory, truth.first_day, len(days)), np.nan, truth.values.astype(np.float64)
    )
    answer = np.full(len(grid), np.nan)
    for i, (zone, target) in enumerate(zip(grid.row_zone, grid.target_day, strict=True)):
        away = np.abs((target - days + 182) % 365.2425 - 182)
        like = (away <= _AROUND_DAYS) & (days % 7 == target % 7) & np.isfinite(ordinary[zone])
        if like.sum() >= 3:
            answer[i] = np.median(ordinary[zone][like])
    return answer
