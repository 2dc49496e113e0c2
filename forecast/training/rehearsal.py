"""Rehearsed outages: late and dead sources, replayed exactly, in training and for calibration.

A model that only ever saw fresh sources is over-confident the day one dies. Some training
questions are therefore answered from evidence in which one source comes so many days later than it
did (the features themselves are recomputed as of then, nothing is blanked by hand), and the
backtest's questions are answered again under each outage, to learn how wide the band must be.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forecast.features import build
from forecast.features.base import Evidence
from forecast.freshness import OUTAGE_DAYS
from forecast.matrix import FeatureMatrix

OUTAGES: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "influx": (("influx",), (7.0, OUTAGE_DAYS["influx"])),
    "mobility": (("mobility",), (10.0, OUTAGE_DAYS["mobility"])),
    "parking": (("parking",), (10.0, OUTAGE_DAYS["parking"])),
    "waste": (("waste",), (21.0, OUTAGE_DAYS["waste"])),
    "weather": (("weather", "weather_forecast"), (3.0, OUTAGE_DAYS["weather"])),
}
"""Domain: the observation sources that go silent together, and for how long each time [d]."""

SHARES = dict.fromkeys(OUTAGES, 0.04) | {"weather": 0.08}
"""Share of the training questions that rehearses each outage of each length, by domain: twice as
many where most is lost, or the answer without weather errs more than a model that never had it."""


def present(evidence: Evidence) -> tuple[str, ...]:
    """Domains of :data:`OUTAGES` of which the evidence holds any row at all."""
    there = set(evidence.observations["source"].unique())
    return tuple(domain for domain, (sources, _) in OUTAGES.items() if there & set(sources))


def rehearse(
    matrix: FeatureMatrix, evidence: Evidence, among: npt.NDArray[np.bool_], seed: int
) -> None:
    """Rewrite the columns of a random share of the asks of ``among`` as under an outage.

    Works in place, on a share of :data:`SHARES` for each domain and length, by a seeded draw.
    """
    draw = np.random.default_rng(seed).random(len(among))
    low = 0.0
    for domain in present(evidence):
        sources, lengths = OUTAGES[domain]
        for days in lengths:
            chosen = among & (draw >= low) & (draw < low + SHARES[domain])
            low += SHARES[domain]
            if chosen.any():
                grid, rows = matrix.grid.take(chosen)
                under = build(grid, evidence.late(sources, days))
                matrix.values[:, rows] = under.values
                if matrix.recent is not None and under.recent is not None:
                    matrix.recent[chosen] = under.recent


def under_outage(matrix: FeatureMatrix, evidence: Evidence, domain: str) -> FeatureMatrix:
    """The same questions with a domain silent for the longest rehearsed time."""
    sources, lengths = OUTAGES[domain]
    return build(matrix.grid, evidence.late(sources, lengths[-1]))
