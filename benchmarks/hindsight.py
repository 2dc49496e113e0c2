"""What a forecast could know only afterwards, and what it would then err.

Three of them: the best constant mixture of its members, chosen by the errors it is measured on; the
error that all zones had in common on a day, known; and members fitted on every fortnight of the
panel but the one they answer, those after it included, which is what more history of the same
years could teach them (and, where a place changes, what was not yet true, so that they may also err
more). Pinballs are those of our own bands, moved to the other median in log.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits

from benchmarks.accuracy.ours import KEYS, Ours, civil
from benchmarks.accuracy.panels import HORIZON
from benchmarks.accuracy.scoring import figures
from forecast.blending import MEMBERS, Blend
from forecast.model import InfluxModel
from forecast.training.dataset import Dataset
from forecast.truth import Truth, truth_at


def best_mixture(
    rows: pd.DataFrame, members: pd.DataFrame, quantiles: tuple[float, ...]
) -> dict[str, float]:
    """Least errors of all constant mixtures of the members, in log, with shares in tenths.

    For each figure it is another mixture. ``rows`` are our answers with the facts, and ``members``
    what each member says, row by row.
    """
    logs = np.log(members.clip(lower=1e-9).to_numpy())
    tenths = [c for c in product(range(11), repeat=logs.shape[1]) if sum(c) == 10]
    mixtures = (pd.Series(np.exp(logs @ np.divide(c, 10))) for c in tenths)
    return dict(pd.DataFrame([moved(rows, mixture, quantiles) for mixture in mixtures]).min())


def common_error_known(rows: pd.DataFrame) -> pd.Series | None:
    """Our medians less the mean miss, in log, of all other zones that day; none for one zone."""
    miss = np.log(rows["influx"].clip(lower=1e-9) / rows["q50"].clip(lower=1e-9))
    day = miss.groupby(rows["target_date"])
    others = (day.transform("sum") - miss) / (day.transform("size") - 1)
    return rows["q50"] * np.exp(others) if others.notna().all() else None


def fitted_on_the_rest(data: Dataset) -> pd.DataFrame:
    """What members say of each question who know every day of the panel but those it was asked of.

    Columns: the keys, ``blended`` in the proportions that hold before any error is known, and the
    members [visitors day⁻¹]. Origins and features are those of the backtest. The features of later
    questions tell how full the fortnight was, which flatters them.
    """
    truth, instants = truth_at(data.evidence, data.now), data.matrix.grid.ask_origin[data.test]
    scored = np.unique(instants[instants >= data.first_test.value // 1000])
    with threadpool_limits(1, user_api="blas"):
        told = Parallel(n_jobs=2, prefer="threads")(
            delayed(asked_at)(data, truth, int(instant)) for instant in scored
        )
    return civil(pd.concat(told, ignore_index=True), data.config.timezone)


def asked_at(data: Dataset, truth: Truth, instant: int) -> pd.DataFrame:
    """The same of one origin [µs since 1970]; its fortnight is what ``truth`` is used without."""
    questions = data.matrix.take(data.test & (data.matrix.grid.ask_origin == instant))
    day = truth.first_day + np.arange(truth.values.shape[1])
    ahead = day - int(questions.grid.ask_day[0])
    rest = np.where((ahead >= 1) & (ahead <= HORIZON), np.nan, truth.values)
    model = InfluxModel.fit(
        data.matrix.take(data.train),
        replace(truth, values=rest),
        data.daily,
        quantiles=[0.5],
        parameters={**data.config.training.model_dump(), "threads": 1},
        until_day=int(day[np.isfinite(truth.values).any(axis=0)][-1]),
    )
    boosters, others = model.members(questions, data.daily)
    shares = Blend.constant(data.config.training.blend, len(model.zone_ids))
    blended = shares.apply(boosters, others, model.cells(questions))
    said = pd.DataFrame(np.hstack([blended, boosters, others]))
    said.columns = pd.Index(["blended", "boosters", *MEMBERS])
    return questions.grid.frame()[KEYS].join(complete(said))


def complete(members: pd.DataFrame) -> pd.DataFrame:
    """Members as the blend has them: the boosters where one says nothing."""
    return members.apply(lambda said: said.fillna(members["boosters"]))


def moved(rows: pd.DataFrame, median: pd.Series, quantiles: tuple[float, ...]) -> dict[str, float]:
    """Figures of our answers with their bands moved to another median, in log.

    Where ours is nobody no multiple of its band leads to another: only the median moves.
    """
    by = (median / rows["q50"]).where(rows["q50"] > 0, 1.0)
    bands = {name: rows[name] * by for name in (f"q{round(100 * q):02d}" for q in quantiles)}
    bands["q50"] = median
    told = figures(rows.assign(**bands), quantiles)
    return {name: told[name] for name in ("wape", "pinball", "weekend_wape")}


def in_hindsight(data: Dataset, ours: Ours, rows: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Figures of each member and of each of the three; ``rows`` are ``ours`` with the facts."""
    members, quantiles = complete(ours.members), ours.quantiles
    found = {f"{name} alone": moved(rows, said, quantiles) for name, said in members.items()}
    found["best mixture in hindsight"] = best_mixture(rows, members, quantiles)
    if (known := common_error_known(rows)) is not None:
        found["had the day's common error been known"] = moved(rows, known, quantiles)
    rest = rows[KEYS].merge(fitted_on_the_rest(data), on=KEYS, how="left")
    found["fitted on all other fortnights"] = moved(rows, rest["blended"], quantiles)
    found["best mixture of members so fitted"] = best_mixture(rows, rest[list(members)], quantiles)
    return found
