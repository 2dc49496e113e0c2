"""The training set: past questions, their evidence as known then, and what came true."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.errors import ModelError
from forecast.features import build
from forecast.features.base import Evidence
from forecast.grid import day_date, day_number, make_grid
from forecast.matrix import FeatureMatrix
from forecast.training.rehearsal import rehearse

WARM_UP_DAYS = 56
"""Days of influx a zone needs before a question about it teaches anything [d]."""

LEAST_DAYS = 91
"""Days of origins the first model of a backtest is trained on, at least [d]."""

VERIFIED_EVERY = 2
"""Days between two origins on which the levels are verified [d]: peaks are few, and of origins a
fortnight apart half the days of a year are never asked about a week ahead, of origins that all are
Sundays no Saturday the day before."""


@dataclass(frozen=True)
class Dataset:
    """Everything a training run reads.

    ``matrix`` holds the questions of training and of the backtest together: features are computed
    once, and are as-of by construction. ``train`` and ``test`` mark the asks of each. ``verified``
    are the questions on which the levels are verified: those of every second day of the scored
    year. Nothing is learnt from their answers.
    """

    config: RunConfig
    evidence: Evidence
    matrix: FeatureMatrix
    daily: Daily
    train: npt.NDArray[np.bool_]
    test: npt.NDArray[np.bool_]
    verified: FeatureMatrix
    first_test: pd.Timestamp
    now: pd.Timestamp


def rehearsal_days(refit_days: int) -> int:
    """Length of the folds replayed before the scored year: whole refits of at least twelve weeks.

    Their errors calibrate the first scored fold.

    >>> rehearsal_days(28), rehearsal_days(91)
    (84, 91)
    """
    return -(-84 // refit_days) * refit_days


def origins_every(stride_days: int, first: int, last: int, config: RunConfig) -> pd.DatetimeIndex:
    """Origins at the configured local hour, every ``stride_days`` back from the day ``last``.

    ``first`` and ``last`` are civil days since 1970-01-01, both included.
    """
    days = np.arange(last, first - 1, -stride_days)[::-1]
    local = day_date(days) + pd.Timedelta(hours=config.training.origin_hour)
    return pd.DatetimeIndex(
        local.tz_localize(config.timezone, nonexistent="shift_forward", ambiguous=True)
    ).tz_convert("UTC")


def make_dataset(config: RunConfig, observations: pd.DataFrame, now: pd.Timestamp) -> Dataset:
    """Build the training set from every observation readable at ``now``.

    Raises
    ------
    ModelError
        If the history of influx is too short to train on and to score a year, or what there is.
    """
    territory, training = config.territory(), config.training
    evidence = Evidence(observations, territory, training.perfect_weather)
    updates = evidence.updates("influx", "influx")
    if not len(updates):
        raise ModelError("no influx of these zones has been ingested: run `afflux ingest FOLDER`")
    start, newest = int(updates.day.min()), int(updates.day.max())
    if training.start:
        start = max(start, int(day_number([training.start])[0]))
    start = max(start, newest - training.history_days)
    stride = training.backtest_stride_days
    last_test = newest - config.max_horizon_days
    first_test = last_test - training.backtest_days + stride
    first_fold = first_test - rehearsal_days(training.refit_days)
    needed = newest - first_fold + WARM_UP_DAYS + LEAST_DAYS
    if newest - start < needed:
        raise ModelError(
            f"influx is known for {newest - start} days; training and a backtest of "
            f"{training.backtest_days} days need {needed}: ingest a longer history, or lower "
            "training.backtest_days and training.refit_days in the configuration"
        )
    train = origins_every(training.origin_stride_days, start + WARM_UP_DAYS, newest, config)
    test = origins_every(stride, first_fold, last_test, config)
    horizons = range(config.max_horizon_days + 1)
    grid = make_grid(train.union(test), territory.zone_ids, horizons, config.timezone)
    instants = pd.DatetimeIndex(grid.ask_origin.astype("datetime64[us]"), tz="UTC")
    matrix = build(grid, evidence)
    rehearse(matrix, evidence, instants.isin(train) & ~instants.isin(test), training.seed)
    checked = origins_every(VERIFIED_EVERY, first_test, last_test, config)
    verified = make_grid(checked, territory.zone_ids, horizons, config.timezone)
    return Dataset(
        config=config,
        evidence=evidence,
        matrix=matrix,
        daily=Daily.of(territory, start - 450, newest + config.max_horizon_days + 60),
        train=instants.isin(train),
        test=instants.isin(test),
        verified=build(verified, evidence),
        first_test=origins_every(stride, first_test, last_test, config)[0],
        now=now,
    )
