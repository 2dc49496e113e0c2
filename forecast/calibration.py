"""Conformal calibration of quantiles: each is shifted until it covers what it promises.

Conformalised quantile regression (Romano, Patterson, Candès 2019, arXiv:1905.03222), one shift per
quantile so that the band may be asymmetric, learnt by group of horizons from forecasts the model
made for days it had not seen. A group with fewer than 100 such days shares the shifts of all.
There is one set of shifts where every source is fresh and one for each source that may fail, at
least as wide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]

HORIZON_GROUPS = ((0, 1), (2, 3), (4, 7), (8, 14))
"""Horizons [d] that are calibrated and reported together; later ones join the last."""

_MIN_POINTS = 100


def horizon_group(horizon: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Index into :data:`HORIZON_GROUPS` of each horizon [d].

    >>> horizon_group(np.array([0, 1, 3, 7, 14, 20])).tolist()
    [0, 0, 1, 2, 3, 3]
    """
    starts = np.array([low for low, _ in HORIZON_GROUPS])
    return np.searchsorted(starts, horizon, side="right").astype(np.int64) - 1


@dataclass(frozen=True)
class Calibration:
    """Shifts by horizon group and quantile, in units of the raw distance between outer quantiles.

    ``shifts`` has shape (groups, quantiles); ``stale`` holds one such array for each source that
    may be stale at the origin.
    """

    shifts: Doubles
    stale: Mapping[str, Doubles] = field(default_factory=dict)

    def apply(self, raw: Doubles, horizon: npt.NDArray[Any], stale: Iterable[str] = ()) -> Doubles:
        """Shifted quantiles, in order and never negative, shape (n, quantiles).

        With several sources ``stale`` each quantile takes the shift that reaches farthest; one
        without shifts of its own changes nothing.
        """
        shifts = self.shifts
        for source in sorted(stale):
            shifts = wider(shifts, self.stale.get(source, shifts))
        shifted = raw + shifts[horizon_group(horizon)] * spread(raw)[:, None]
        return np.maximum(np.sort(shifted, axis=1), 0.0)


def fit_shifts(
    quantiles: Sequence[float],
    raw: Doubles,
    observed: Doubles,
    horizon: npt.NDArray[Any],
) -> Doubles:
    """Learn shifts from ``raw`` quantiles, shape (n, quantiles), and what came true.

    ``observed`` and ``horizon`` [d] have shape (n,); ``observed`` is in the unit of ``raw``. Rows
    in which either is not known are left out. Returns shape (groups, quantiles).
    """
    known = np.isfinite(observed) & np.isfinite(raw).all(axis=1)
    score = (observed[known, None] - raw[known]) / spread(raw[known])[:, None]
    group = horizon_group(horizon[known])
    shifts = np.zeros((len(HORIZON_GROUPS), len(quantiles)))
    for g in range(len(HORIZON_GROUPS)):
        chosen = group == g if (group == g).sum() >= _MIN_POINTS else np.full(len(group), True)
        n = int(chosen.sum())
        if n < _MIN_POINTS:
            continue
        # (n + 1) / n: with few points the promised share needs a slightly wider reach.
        for i, level in enumerate(0.5 + (np.asarray(quantiles) - 0.5) * (n + 1) / n):
            shifts[g, i] = np.quantile(score[chosen, i], min(max(level, 0.0), 1.0))
    return shifts


def wider(shifts: Doubles, other: Doubles) -> Doubles:
    """Of two sets of shifts, for each quantile the one that reaches farther from the median.

    The median keeps the shift of ``other``.

    >>> wider(np.array([[-0.1, 0.0, 0.2]]), np.array([[-0.3, 0.1, 0.1]]))
    array([[-0.3,  0.1,  0.2]])
    """
    middle = shifts.shape[1] // 2
    answer = other.copy()
    answer[:, :middle] = np.minimum(shifts[:, :middle], other[:, :middle])
    answer[:, middle + 1 :] = np.maximum(shifts[:, middle + 1 :], other[:, middle + 1 :])
    return answer


def spread(raw: Doubles) -> Doubles:
    """Distance between the outer quantiles, at least a hundredth of the median, shape (n,)."""
    floor = 0.01 * np.abs(raw[:, raw.shape[1] // 2]) + 1e-9
    return np.maximum(raw[:, -1] - raw[:, 0], floor)
