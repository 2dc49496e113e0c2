"""Rolling-origin backtest: what the service would have said, week after week, and what happened.

The year is cut into folds. For each, a model is fitted on what was readable at the fold's first
origin, influx included, and answers that fold's weekly origins from features computed as of each.
The band of a fold is calibrated on the errors of the folds before it, never on its own; some twelve
weeks are replayed before the year begins, so that the first scored fold has errors to learn from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed

from forecast.calibration import KINDS, Calibration, Cells, Shifts, day_kind, horizon_group
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.tables import quantile_name
from forecast.training.baselines import baseline_answers
from forecast.training.dataset import Dataset, rehearsal_days
from forecast.training.rehearsal import present, under_outage
from forecast.truth import Truth, truth_at

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Backtest:
    """Every answer of the year that was scored.

    ``rows`` has zone_id, origin, target_date, horizon_days, influx (what came true), the calibrated
    quantiles, the baselines, ``kind`` of day (weekday, weekend, holiday run), ``scale`` (the
    denominator of MASE) and ``fold``. ``calibration`` is learnt from all folds, for the model that
    will serve.
    """

    rows: pd.DataFrame
    calibration: Calibration
    quantiles: tuple[float, ...]
    perfect_weather: bool
    simulated: bool


def run_backtest(data: Dataset, progress: Callable[[str], None] | None = None) -> Backtest:
    """Replay the last ``training.backtest_days`` days; ``progress`` is told each fold's end."""
    test = data.matrix.take(data.test)
    cuts = _cuts(data)
    say = progress or (lambda _: None)
    outages = {
        domain: under_outage(test, data.evidence, domain) for domain in present(data.evidence)
    }
    answers = Parallel(n_jobs=2, prefer="threads")(
        delayed(_fold)(data, {"": test, **outages}, cut, until, f"{i + 1}/{len(cuts)}", say)
        for i, (cut, until) in enumerate(cuts)
    )
    grid, levels = test.grid, data.config.quantiles
    fold = np.full(len(grid), -1)
    raw = {regime: np.full((len(grid), len(levels)), np.nan) for regime in ["", *outages]}
    for i, (asks, answer) in enumerate(answers):
        rows = asks[grid.row_ask]
        fold[rows] = i
        for regime, values in answer.items():
            raw[regime][rows] = values
    observed = truth_at(data.evidence, data.now).of(grid)
    answered = np.full_like(raw[""], np.nan)
    cells = _cells(test)
    zones = len(grid.zone_ids)
    for i, (cut, _) in enumerate(cuts):
        # Only days whose influx could be read when this fold began may calibrate it.
        came_true = np.where(fold < i, truth_at(data.evidence, cut).of(grid), np.nan)
        shifts = Shifts.fit(levels, raw[""], came_true, cells, zones)
        now = fold == i
        answered[now] = Calibration(shifts).apply(raw[""][now], cells.where(now))
    scored = np.isfinite(observed) & np.isfinite(answered).all(axis=1)
    scored &= grid.row_origin >= data.first_test.value // 1000
    return Backtest(
        rows=_rows(data, test, observed, answered, fold)[scored].reset_index(drop=True),
        calibration=Calibration(
            Shifts.fit(levels, raw[""], observed, cells, zones),
            {name: Shifts.fit(levels, raw[name], observed, cells, zones) for name in outages},
        ),
        quantiles=levels,
        perfect_weather=data.matrix.perfect_weather,
        simulated=data.config.simulated,
    )


def _cells(test: FeatureMatrix) -> Cells:
    """Cells of the backtest's questions; its zones are those of every model it fits."""
    return Cells(
        horizon_group(test.grid.horizon),
        day_kind(test.column("calendar_weekday"), test.column("calendar_run_length")),
        test.grid.row_zone.astype(np.int64),
    )


def _cuts(data: Dataset) -> list[tuple[pd.Timestamp, pd.Timestamp]]:
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


def _fold(
    data: Dataset,
    tests: Mapping[str, FeatureMatrix],
    cut: pd.Timestamp,
    until: pd.Timestamp,
    name: str,
    say: Callable[[str], None],
) -> tuple[npt.NDArray[np.bool_], dict[str, Doubles]]:
    """Fit on what was readable at ``cut``; answer the asks of each test until ``until``."""
    start, end = cut.value // 1000, until.value // 1000
    model = fit(data, cut, threads=1)
    origin = tests[""].grid.ask_origin
    asks = (origin >= start) & (origin < end)
    answer = {
        regime: model.predict(test.take(asks), data.daily, raw=True)
        for regime, test in tests.items()
    }
    say(f"fold {name}, from {cut:%Y-%m-%d}")
    return asks, answer


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


def _rows(
    data: Dataset,
    test: FeatureMatrix,
    observed: Doubles,
    quantiles: Doubles,
    fold: npt.NDArray[np.int64],
) -> pd.DataFrame:
    grid, truth = test.grid, truth_at(data.evidence, data.now)
    frame = grid.frame()
    frame["influx"] = observed
    for i, quantile in enumerate(data.config.quantiles):
        frame[quantile_name(quantile)] = quantiles[:, i]
    for name, answer in baseline_answers(test, truth).items():
        frame[name] = answer
    frame["kind"] = np.array(KINDS)[_cells(test).kind]
    frame["scale"] = _weekly_steps(truth, int(grid.ask_day.min()))[grid.row_zone]
    frame["fold"] = fold
    return frame


def _weekly_steps(truth: Truth, before_day: int) -> Doubles:
    """Mean absolute step over a week of each zone before a day, shape (zones,); NaN if unknown."""
    known = truth.values[:, : max(before_day - truth.first_day, 0)].astype(np.float64)
    steps = np.abs(known[:, 7:] - known[:, :-7])
    count = np.isfinite(steps).sum(axis=1)
    total = np.nansum(steps, axis=1)
    steps_known = (count > 0) & (total > 0)
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=steps_known))
