"""Rolling-origin backtest: what the service would have said, week after week, and what happened.

The year is cut into folds. For each, a model is fitted on what was readable at the fold's first
origin, influx included, and answers that fold's weekly origins from features computed as of each.
The band of a fold is calibrated on the errors of the folds before it, never on its own; some twelve
weeks are replayed before the year begins, so that the first scored fold has errors to learn from.
The levels are verified on more origins, of which nothing is learnt (:mod:`.dataset`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from forecast.bands import Bands
from forecast.blending import MEMBERS, Blend
from forecast.calibration import Calibration, adapted
from forecast.cells import KINDS
from forecast.linear import CalendarRidge
from forecast.matrix import FeatureMatrix
from forecast.tables import quantile_name
from forecast.training.baselines import baseline_answers
from forecast.training.dataset import Dataset
from forecast.training.folds import Fold, cells_of, cuts_of, run_fold
from forecast.training.metrics import BRIDGE, regime_name
from forecast.training.rehearsal import present, under_outage
from forecast.truth import Truth, truth_at

Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Backtest:
    """Every answer of the year that was scored.

    ``rows`` has zone_id, origin, target_date, horizon_days, influx (what came true), the calibrated
    quantiles, the baselines, ``kind`` of day (weekday, weekend, holiday run, bridge), ``scale``
    (the denominator of MASE), ``fold`` and ``regime``; ``outages`` the same for each domain that
    was rehearsed silent. ``members`` are what those that are blended said of each row [visitors
    day⁻¹], NaN where they said nothing. ``verified`` has the same keys, influx, quantiles and
    fold for the questions on which the levels are verified. ``cuts`` are the instants at which the
    folds began.
    ``calibration`` and ``blend`` are learnt from all folds, for the model that will serve.
    """

    rows: pd.DataFrame
    members: pd.DataFrame
    outages: Mapping[str, pd.DataFrame]
    verified: pd.DataFrame
    cuts: tuple[pd.Timestamp, ...]
    calibration: Calibration
    blend: Blend
    quantiles: tuple[float, ...]
    perfect_weather: bool
    simulated: bool


def run_backtest(data: Dataset, progress: Callable[[str], None] | None = None) -> Backtest:
    """Replay the last ``training.backtest_days`` days; ``progress`` is told each fold's end."""
    test = data.matrix.take(data.test)
    cuts = cuts_of(data)
    say = progress or (lambda _: None)
    outages = {
        domain: under_outage(test, data.evidence, domain) for domain in present(data.evidence)
    }
    # The folds share the cores: threads of BLAS beside them make the ridges four times slower.
    with threadpool_limits(1, user_api="blas"):
        answers = Parallel(n_jobs=2, prefer="threads")(
            delayed(run_fold)(data, {"": test, **outages}, cut, until, f"{i + 1}/{len(cuts)}", say)
            for i, (cut, until) in enumerate(cuts)
        )
    grid, levels = test.grid, data.config.quantiles
    fold = np.full(len(grid), -1)
    raw = {regime: np.full((len(grid), len(levels)), np.nan) for regime in ["", *outages]}
    others = {regime: np.full((len(grid), len(MEMBERS)), np.nan) for regime in raw}
    for i, told in enumerate(answers):
        fold[told.rows] = i
        for regime, members in told.members.items():
            raw[regime][told.rows], others[regime][told.rows] = members
    observed = truth_at(data.evidence, data.now).of(grid)
    answered = {regime: np.full_like(values, np.nan) for regime, values in raw.items()}
    cells, verified = cells_of(test), []
    zones = len(grid.zone_ids)
    prior, boosters = data.config.training.blend, raw[""][:, len(levels) // 2].copy()
    for i, (cut, _) in enumerate(cuts):
        # Only days whose influx could be read when this fold began may blend and calibrate it.
        came_true, now = (
            np.where(fold < i, truth_at(data.evidence, cut).of(grid), np.nan),
            fold == i,
        )
        blend = Blend.fit(boosters, others[""], came_true, cells, zones, prior)
        for regime, values in raw.items():
            values[now] = blend.apply(values[now], others[regime][now], cells.where(now))
        bands = _calibration(levels, raw, answered, came_true, test, np.where(fold > i, -1, fold))
        for regime, values in raw.items():
            answered[regime][now] = bands.apply(values[now], cells.where(now), dead=[regime])
        verified.append(_verified(data, answers[i], blend, bands).assign(fold=i))
    scored = np.isfinite(observed) & (grid.row_origin >= data.first_test.value // 1000)
    ridges = [told.ridge for told in answers]
    tables = _rows(data, {"": test, **outages}, observed, answered, fold, ridges)
    members = pd.DataFrame(np.column_stack([boosters, others[""]]), columns=["boosters", *MEMBERS])
    kept = {regime: scored & np.isfinite(q).all(axis=1) for regime, q in answered.items()}
    tables = {regime: rows[kept[regime]].reset_index(drop=True) for regime, rows in tables.items()}
    return Backtest(
        rows=tables.pop(""),
        members=members[kept[""]].reset_index(drop=True),
        outages=tables,
        verified=pd.concat(verified, ignore_index=True),
        cuts=tuple(cut for cut, _ in cuts),
        calibration=_calibration(levels, raw, answered, observed, test, fold),
        blend=Blend.fit(boosters, others[""], observed, cells, zones, prior),
        quantiles=levels,
        perfect_weather=data.matrix.perfect_weather,
        simulated=data.config.simulated,
    )


def _calibration(
    levels: tuple[float, ...],
    raw: Mapping[str, Doubles],
    published: Mapping[str, Doubles],
    observed: Doubles,
    test: FeatureMatrix,
    fold: npt.NDArray[np.int64],
) -> Calibration:
    """What folds taught, those of ``fold`` ≥ 0; each regime learns from what its own bands held."""
    cells, day, sets = cells_of(test), test.grid.target_day, {}
    zones, age = int(cells.zone.max()) + 1, (fold.max() - fold).astype(np.float64)
    for regime, values in raw.items():
        width = adapted(levels, published[regime], observed, fold, day)
        sets[regime] = Bands.fit(levels, values, observed, cells, zones, age, width)
    fresh = sets.pop("")
    band = fresh.apply(raw[""], cells)
    band[fold < 0] = np.nan
    late = {r: bands.no_narrower(raw[r], cells, band) for r, bands in sets.items()}
    return Calibration(fresh, late)


def _verified(data: Dataset, told: Fold, blend: Blend, bands: Calibration) -> pd.DataFrame:
    """The answers of a fold on which its levels are verified, blended and calibrated as its own."""
    questions, cells = told.questions, cells_of(told.questions)
    answers = bands.apply(blend.apply(*told.verified, cells), cells)
    frame = questions.grid.frame()
    frame["influx"] = truth_at(data.evidence, data.now).of(questions.grid)
    names = [quantile_name(q) for q in data.config.quantiles]
    return frame.assign(**dict(zip(names, answers.T, strict=True))).dropna(
        subset=["influx", *names]
    )


def _rows(
    data: Dataset,
    tests: Mapping[str, FeatureMatrix],
    observed: Doubles,
    answered: Mapping[str, Doubles],
    fold: npt.NDArray[np.int64],
    ridges: Sequence[CalendarRidge],
) -> dict[str, pd.DataFrame]:
    """One table of answers for each regime, the baselines' beside them."""
    test, truth = tests[""], truth_at(data.evidence, data.now)
    grid = test.grid
    frame = grid.frame()
    frame["influx"] = observed
    kind = np.array(KINDS, dtype=object)[cells_of(test).kind]
    frame["kind"] = np.where(test.column("calendar_bridge") > 0, BRIDGE, kind)
    frame["scale"] = _weekly_steps(truth, int(grid.ask_day.min()))[grid.row_zone]
    frame["fold"] = fold
    known, tables = baseline_answers(test, truth, data, ridges, fold), {}
    names = [quantile_name(q) for q in data.config.quantiles]
    for regime, matrix in tests.items():
        answers = dict(zip(names, answered[regime].T, strict=True))
        # Baselines read influx alone: the silence of another domain changes nothing for them.
        less = regime == "influx"
        rules = baseline_answers(matrix, truth, data, ridges, fold) if less else known
        tables[regime] = frame.assign(**answers, **rules, regime=regime_name(regime))
    return tables


def _weekly_steps(truth: Truth, before_day: int) -> Doubles:
    """Mean absolute step over a week of each zone before a day, shape (zones,); NaN if unknown."""
    known = truth.values[:, : max(before_day - truth.first_day, 0)].astype(np.float64)
    steps = np.abs(known[:, 7:] - known[:, :-7])
    count = np.isfinite(steps).sum(axis=1)
    total = np.nansum(steps, axis=1)
    steps_known = (count > 0) & (total > 0)
    return np.asarray(np.divide(total, count, out=np.full(len(total), np.nan), where=steps_known))
