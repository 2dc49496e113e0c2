"""One fold of a backtest: a model of what was readable when it began, and what its members say."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.cells import Cells
from forecast.fitting import matrix_cells
from forecast.linear import CalendarRidge
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.training.dataset import Dataset, rehearsal_days
from forecast.truth import truth_at

Doubles = npt.NDArray[np.float64]


def cells_of(test: FeatureMatrix) -> Cells:
    """Cells of the backtest's questions; its zones are those of every model it fits."""
    return matrix_cells(test, test.grid.row_zone.astype(np.int64))


def cuts_of(data: Dataset) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
    """Instants at which the folds begin and end, at the local hour of the origins."""
    days, timezone = data.config.training.refit_days, data.config.timezone
    refit = pd.Timedelta(days=days)
    end = pd.Timestamp(data.matrix.grid.ask_origin[data.test].max(), unit="us", tz="UTC")
    first, last = (t.tz_convert(timezone).tz_localize(None) for t in (data.first_test, end))
    starts = [first - pd.Timedelta(days=rehearsal_days(days))]
    while starts[-1] + refit <= last:
        starts.append(starts[-1] + refit)
    cuts = [
        start.tz_localize(timezone, nonexistent="shift_forward", ambiguous=True).tz_convert("UTC")
        for start in starts
    ]
    return list(zip(cuts, [*cuts[1:], end + refit], strict=True))


@dataclass(frozen=True)
class Fold:
    """What the members of one fold said [visitors day⁻¹], boosters and others as ``model.members``.

    ``rows``, shape (rows of the test,), marks those it answers, ``members`` holds its answers to
    them by regime; ``verified`` those to ``questions``, on which the levels are verified.
    """

    rows: npt.NDArray[np.bool_]
    members: Mapping[str, tuple[Doubles, Doubles]]
    questions: FeatureMatrix
    verified: tuple[Doubles, Doubles]
    ridge: CalendarRidge


def run_fold(
    data: Dataset,
    tests: Mapping[str, FeatureMatrix],
    cut: pd.Timestamp,
    until: pd.Timestamp,
    name: str,
    say: Callable[[str], None],
) -> Fold:
    """Fit on what was readable at ``cut``; answer the asks of each test until ``until``.

    The model's calendar ridge comes along: alone, it is a baseline.
    """
    model = fit(data, cut, threads=1)
    asks, later = (
        (grid.ask_origin >= cut.value // 1000) & (grid.ask_origin < until.value // 1000)
        for grid in (tests[""].grid, data.verified.grid)
    )
    members = {regime: model.members(test.take(asks), data.daily) for regime, test in tests.items()}
    questions = data.verified.take(later)
    verified = model.members(questions, data.daily)
    say(f"fold {name}, from {cut:%Y-%m-%d}")
    return Fold(asks[tests[""].grid.row_ask], members, questions, verified, model.linear)


def fit(data: Dataset, cut: pd.Timestamp, threads: int = 0) -> InfluxModel:
    """Fit a model on the training questions asked before ``cut``, with influx as known then."""
    truth = truth_at(data.evidence, cut)
    past = data.train & (data.matrix.grid.ask_origin < cut.value // 1000)
    newest = np.flatnonzero(np.isfinite(truth.values).any(axis=0))
    training = data.config.training
    return InfluxModel.fit(
        data.matrix.take(past),
        truth,
        data.daily,
        quantiles=data.config.quantiles,
        parameters={**training.model_dump(), "threads": threads},
        until_day=truth.first_day + int(newest[-1]) if len(newest) else truth.first_day,
    )
