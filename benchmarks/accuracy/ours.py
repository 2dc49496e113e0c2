"""Our own answers: the product's backtest over a panel, with what came true and the baselines."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from benchmarks.accuracy.panels import HORIZON, dataset, seeded
from forecast.tables import quantile_name
from forecast.training.backtest import run_backtest
from forecast.training.baselines import BASELINES
from forecast.training.dataset import Dataset, make_dataset
from forecast.training.verification import level_rows, verify
from forecast.truth import truth_at

KEYS = ["zone_id", "origin", "target_date"]


@dataclass(frozen=True)
class Ours:
    """Answers of the product to one panel.

    ``facts`` has the keys, horizon_days, influx, kind and scale of every question scored, and
    ``members``, row by row, what each member of the blend said of it;
    ``answers`` has one table for the product and for each baseline, of the keys and the columns
    q10 … q90 (a baseline answers the median alone). ``levels`` is
    :attr:`forecast.training.verification.Verification.scores`, of an origin every second day.
    ``seconds`` is everything, features included.
    """

    facts: pd.DataFrame
    members: pd.DataFrame
    answers: dict[str, pd.DataFrame]
    levels: pd.DataFrame
    quantiles: tuple[float, ...]
    seconds: float


def backtest(name: str, seed: int | None = None) -> Ours:
    """Run the product over a panel. Origins and targets come out as civil days."""
    config, observations, now = dataset(name)
    start = time.monotonic()
    ours = scored(make_dataset(seeded(config, seed), observations, now))
    return replace(ours, seconds=time.monotonic() - start)


def scored(data: Dataset) -> Ours:
    """Run the product over a panel's training set; its features are not in ``seconds``."""
    config, start = data.config, time.monotonic()
    found = run_backtest(data)
    seconds = time.monotonic() - start
    asked = found.rows["horizon_days"].between(1, HORIZON)
    rows = found.rows[asked].reset_index(drop=True)
    known = [truth_at(data.evidence, cut) for cut in found.cuts]
    rows = civil(rows, config.timezone)
    names = {quantile_name(q): f"q{round(100 * q):02d}" for q in config.quantiles}
    keys = rows[KEYS]
    answers = {"afflux": keys.join(rows[list(names)].rename(columns=names).astype(np.float64))}
    for rule in BASELINES:
        answers[rule] = keys.assign(q50=rows[rule].astype(np.float64))
    return Ours(
        facts=rows[[*KEYS, "horizon_days", "influx", "kind", "scale"]],
        members=found.members[asked].reset_index(drop=True),
        answers=answers,
        levels=verify(level_rows(found.verified, known, config)).scores,
        quantiles=config.quantiles,
        seconds=seconds,
    )


def civil(rows: pd.DataFrame, timezone: str) -> pd.DataFrame:
    """The rows with zones as text, and their origins as civil days of ``timezone``."""
    local = pd.DatetimeIndex(rows["origin"]).tz_convert(timezone).tz_localize(None)
    return rows.assign(
        zone_id=rows["zone_id"].astype(str),
        origin=local.normalize().astype("datetime64[ns]"),
        target_date=rows["target_date"].astype("datetime64[ns]"),
    )
