"""Standstills: places where nobody has been counted for a week, because they or a counter is shut.

A counter that stands still reports zero, as does a gate that a flood has shut, and neither says
when it will be open again. Members that add up logs cannot say zero, and those that average weeks
forecast such a place by half for a month before and after. So it is looked up and not learnt: a
place that stands still is said to go on so, in a band that reaches to its usual day, and the days
on which it did count as not measured in all that is learnt and in all that its members read, so
that once people are counted again it is forecast as before. Where zeros are nothing rare, on a pier
of two ships a week, none of this holds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from forecast.matrix import FeatureMatrix
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

_LOW_QUANTILES = 0.8
"""Quantiles up to this say nobody while a place stands still [1]: it may be open again."""

DAYS = 7
"""Known days in a row without anybody that are a standstill [d]: no weekday is left."""

RARE = 0.05
"""Share of the days outside standstills that may be empty in a place where that is rare [1]."""


def standstills(influx: npt.NDArray[Any]) -> Bools:
    """Which days, of shape (zones, days), belong to a standstill; days not known never do.

    None does in a zone where empty days are not rare.

    >>> line = np.array([[5.0, 0.0, 7.0, *[0.0] * 4, np.nan, *[0.0] * 3, *[6.0] * 30]])
    >>> np.flatnonzero(standstills(line)).tolist()
    [3, 4, 5, 6, 8, 9, 10]
    """
    found = np.zeros(influx.shape, dtype=bool)
    for line, mark in zip(influx, found, strict=True):
        known = np.flatnonzero(np.isfinite(line))
        empty = line[known] == 0
        if not empty.any():
            continue
        long = _long_runs(empty)
        if empty[~long].sum() <= RARE * (~long).sum():
            mark[known[long]] = True
    return found


def _long_runs(empty: Bools) -> Bools:
    """Which of the known days, shape (days,), lie in a run of :data:`DAYS` empty ones or more."""
    edges = np.flatnonzero(np.diff(empty)) + 1
    starts = np.concatenate([[0], edges])
    lengths = np.diff(np.concatenate([starts, [len(empty)]]))
    return np.asarray(np.repeat(empty[starts] & (lengths >= DAYS), lengths))


def measured(truth: Truth) -> Truth:
    """Truth without the days of standstills."""
    return replace(truth, values=np.where(standstills(truth.values), np.nan, truth.values))


@dataclass(frozen=True)
class Standstill:
    """Which zones can stand still: those where empty days are rare, shape (zones,), 1 or 0."""

    rare: Doubles

    @classmethod
    def none(cls, zones: int) -> Self:
        """Of zones of which nothing is known."""
        return cls(np.zeros(zones))

    @classmethod
    def fit(cls, truth: Truth) -> Self:
        """See where empty days are rare, standstills aside."""
        left = measured(truth).values
        known = np.maximum(np.isfinite(left).sum(axis=1), 1)
        return cls(((left == 0).sum(axis=1) <= RARE * known).astype(np.float64))

    @classmethod
    def read(cls, arrays: Mapping[str, npt.NDArray[Any]], zones: int) -> Self:
        """From :meth:`arrays`, among others; none from a bundle older than this rule."""
        return cls(arrays["standstill"]) if "standstill" in arrays else cls.none(zones)

    def arrays(self) -> dict[str, Doubles]:
        """What a file must keep, by name."""
        return {"standstill": self.rare}

    def goes_on(self, matrix: FeatureMatrix, zone: Ints) -> Bools:
        """Whether each question is asked while its zone stands still, shape (questions,).

        ``zone`` is the position of each question's zone, −1 where it is not known.
        """
        still = np.zeros(len(matrix.grid.ask_zone), dtype=bool)
        for ask, _, empty in self._asks(matrix, zone):
            still[ask] = empty[:DAYS].all()
        return np.asarray(still[matrix.grid.row_ask])

    def instead(
        self,
        still: Bools,
        level: Doubles,
        levels: Sequence[float],
        quantiles: Doubles,
        members: Doubles,
    ) -> tuple[Doubles, Doubles]:
        """Quantiles, shape (questions, quantiles), and members, (questions, members), where still.

        All members say nobody, and so do the quantiles but the uppermost, which say ``level``
        [visitors day⁻¹], shape (questions,): what is usual for the weekday where nothing stands
        still, as any day may be the first. ``levels`` are those of the quantiles.
        """
        far = np.asarray(levels) > _LOW_QUANTILES
        told = np.where(far, np.nan_to_num(level)[:, None], 0.0)
        return np.where(still[:, None], told, quantiles), np.where(still[:, None], 0.0, members)

    def measured(self, matrix: FeatureMatrix, zone: Ints) -> FeatureMatrix:
        """The same questions, in whose recent influx days of standstills are not known."""
        if matrix.recent is None:
            return matrix
        recent = matrix.recent.copy()
        for ask, known, empty in self._asks(matrix, zone):
            recent[ask, known[_long_runs(empty)]] = np.nan
        return replace(matrix, recent=recent)

    def _asks(self, matrix: FeatureMatrix, zone: Ints) -> list[tuple[int, Ints, Bools]]:
        """Asks that know of a week of empty days: their known days and which are empty."""
        if matrix.recent is None or not len(matrix.grid):
            return []
        can = np.zeros(len(matrix.grid.ask_zone), dtype=bool)
        can[matrix.grid.row_ask] = np.append(self.rare, 0.0)[np.minimum(zone, len(self.rare))] > 0
        found = []
        for ask in np.flatnonzero(can & ((matrix.recent == 0).sum(axis=1) >= DAYS)):
            known = np.flatnonzero(np.isfinite(matrix.recent[ask]))
            found.append((int(ask), known, matrix.recent[ask, known] == 0))
        return found
