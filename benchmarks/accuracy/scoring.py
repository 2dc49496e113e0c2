"""Figures of several models on the same questions, and how far each is from the best peer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from forecast.training.metrics import losses

KEYS = ["zone_id", "origin", "target_date"]

LIMITS: dict[str, dict[str, float | None]] = {
    "hk_visitors": {"wape": 0.82, "pinball": 0.80, "weekend_wape": 0.90},
    "cerema_traffic": {"wape": 0.78, "pinball": 0.72, "weekend_wape": 0.75},
    "muenster": {"wape": 0.96, "pinball": 0.92, "weekend_wape": 0.95},
    "austin": {"wape": 0.93, "pinball": 0.92, "weekend_wape": None},
    "ballarat": {"wape": 0.98, "pinball": 0.92, "weekend_wape": None},
}
"""Wanted: our error over that of the best peer, by panel and metric."""
UNLIMITED: dict[str, float | None] = {"wape": None, "pinball": None, "weekend_wape": None}
"""Metrics of a panel for which nothing was wanted beforehand."""

COVERAGE = {"coverage_80": (0.78, 0.82), "weekend_80": (0.75, 0.85), "run_80": (0.75, 0.85)}
"""Wanted: bounds of the coverage of the 80 % interval, overall, on weekends, on holiday runs."""

_RUNS = ("holiday run", "bridge")


def align(facts: pd.DataFrame, answers: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Answers with the facts beside them, on the questions that every model answered.

    ``facts`` has :data:`KEYS` and at least influx; ``answers`` the keys and q10 … q90, or q50
    alone. A question counts where influx is known and nobody's answer is missing. All tables come
    with the same rows in the same order.
    """
    shared = facts[facts["influx"].notna()]
    for rows in answers.values():
        answered = rows.dropna(subset=[name for name in rows if name not in KEYS])
        shared = shared.merge(answered[KEYS], on=KEYS, validate="one_to_one")
    shared = shared.sort_values(KEYS, ignore_index=True)
    return {name: shared.merge(rows, on=KEYS) for name, rows in answers.items()}


def figures(rows: pd.DataFrame, quantiles: Sequence[float]) -> dict[str, float]:
    """Every figure of one model; those of its band are NaN where it gives none.

    Errors, bias, pinball and widths are shares of influx (pinball as in
    :func:`forecast.training.metrics.pinball`), MASE and coverages are means over rows. Weekends
    are Saturdays and Sundays of any kind; holiday runs come with their bridges.
    """
    observed, median = rows["influx"].to_numpy(float), rows["q50"].to_numpy(float)
    error, total = np.abs(observed - median), observed.sum()
    weekend = rows["target_date"].dt.day_of_week.to_numpy() >= 5
    run = rows["kind"].astype(str).isin(_RUNS).to_numpy()
    found = {
        "wape": error.sum() / total,
        "mase": (error / rows["scale"].to_numpy(float)).mean(),
        "pinball": np.nan,
        "bias": (median - observed).sum() / total,
        "weekend_wape": _ratio(error[weekend].sum(), observed[weekend].sum()),
    }
    names = [f"q{round(100 * q):02d}" for q in quantiles]
    if not set(names) <= set(rows):
        return found
    answers = rows[names].to_numpy(float)
    found["pinball"] = losses(observed, answers, quantiles).sum() / total
    for low, high, level in (("q25", "q75", "50"), ("q10", "q90", "80")):
        inside = (observed >= rows[low]) & (observed <= rows[high])
        found[f"coverage_{level}"] = inside.mean()
        found[f"width_{level}"] = (rows[high] - rows[low]).sum() / total
    found["weekend_80"] = _ratio(inside[weekend].sum(), weekend.sum())
    found["run_80"] = _ratio(inside[run].sum(), run.sum())
    return {name: float(value) for name, value in found.items()}


def table(aligned: Mapping[str, pd.DataFrame], quantiles: Sequence[float]) -> pd.DataFrame:
    """One row per model, one column per figure."""
    return pd.DataFrame({name: figures(rows, quantiles) for name, rows in aligned.items()}).T


def verdicts(panel: str, scores: pd.DataFrame, peers: Sequence[str]) -> pd.DataFrame:
    """Our error over the best peer's, metric by metric, beside the limit; index: the metric."""
    found = {}
    for metric, limit in LIMITS.get(panel, UNLIMITED).items():
        best = scores.loc[list(peers), metric].astype(float).idxmin()
        ratio = scores.loc["afflux", metric] / scores.loc[best, metric]
        found[metric] = {
            "afflux": scores.loc["afflux", metric],
            "best_peer": best,
            "peer": scores.loc[best, metric],
            "ratio": ratio,
            "limit": np.nan if limit is None else limit,
            "met": None if limit is None else bool(ratio <= limit),
        }
    return pd.DataFrame(found).T


def covered(scores: pd.DataFrame) -> dict[str, bool]:
    """Whether our 80 % interval covers what it should, by :data:`COVERAGE`."""
    mine = scores.loc["afflux"]
    return {name: bool(low <= mine[name] <= high) for name, (low, high) in COVERAGE.items()}


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else float("nan")
