"""How the members of a forecast are blended: by zone, group of horizons and kind of day.

Three forecasts that err differently are better together: the boosters, the linear partner, and the
recent level of the weekday, which is all a careful person would use. The proportions depend on the
place: a border gate is best told by trees, a motorway by its calendar, a weighbridge leans on its
last weeks, and a holiday run, of which trees see a handful, is nearly everywhere best told by the
calendar. They are learnt from answers to days none of the members had seen, as the calibration is,
and from past origins only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from forecast.cells import HORIZON_GROUPS, RUN, Cells

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MEMBERS = ("partner", "level")
"""Members beside the boosters, in the order of the last axis of ``Blend.shares``."""

_CHOICES = np.array([(p, q) for p in range(11) for q in range(6) if p + q <= 10]) / 10
_POOLED = 400
_PRIOR = 300
"""Questions that all zones together, and the configured share, count for in one zone's choice."""
_LEVEL, _LEVEL_ON_RUNS, _ON_RUNS = 0.2, 0.1, 0.3
"""Shares of the level on ordinary days and on days of runs, and what the partner's gains there."""


@dataclass(frozen=True)
class Blend:
    """Shares of the members beside the boosters, in log, shape (zones + 1, groups, 2, members).

    The last zone is any other; the third axis is for ordinary days and for days of holiday runs.
    """

    shares: Doubles

    @classmethod
    def constant(cls, share: float, zones: int) -> Self:
        """What is configured, the ``share`` of the partner, before any error was seen."""
        return cls(np.tile(_prior(share), (zones + 1, len(HORIZON_GROUPS), 1, 1)))

    @classmethod
    def fit(
        cls,
        median: Doubles,
        members: Doubles,
        observed: Doubles,
        cells: Cells,
        zones: int,
        prior: float,
    ) -> Self:
        """Choose the shares with the least absolute error.

        ``median``, shape (n,), is what the boosters say, ``members``, shape (n, members), what the
        others do, ``observed``, shape (n,), what came true [visitors day⁻¹]; rows in which one is
        not known are left out. A zone's own errors weigh against those of all zones and against
        ``prior``, the share of the partner, by the number of its questions.
        """
        known = np.isfinite(observed) & (median > 0) & (members > 0).all(axis=1)
        shape = (zones + 1, len(HORIZON_GROUPS), 2)
        cell = np.ravel_multi_index(_place(cells.where(known), zones), shape)
        truth, logs = observed[known], np.log(median[known])
        away = np.log(members[known]) - logs[:, None]
        persons, questions = _sum(cell, truth, shape), _sum(cell, np.ones(len(cell)), shape)
        loss = np.stack(
            [_sum(cell, np.abs(np.exp(logs + away @ pair) - truth), shape) for pair in _CHOICES]
        )
        own = loss / np.maximum(persons, 1e-9)
        pooled = loss.sum(axis=1) / np.maximum(persons.sum(axis=0), 1e-9)
        # Seen from one zone: its own errors, those of all, and a pull to what was configured.
        pull = 0.1 * ((_CHOICES[:, None] - _prior(prior)) ** 2).sum(axis=2)
        total = questions * own + _POOLED * pooled[:, None] + _PRIOR * pull[:, None, None]
        return cls(_CHOICES[np.argmin(total, axis=0)])

    def of(self, cells: Cells) -> Doubles:
        """Shares of the members beside the boosters in each question, shape (n, members)."""
        shares: Doubles = self.shares[_place(cells, len(self.shares) - 1)]
        return shares

    def apply(self, quantiles: Doubles, members: Doubles, cells: Cells) -> Doubles:
        """Quantiles, shape (n, quantiles), moved together as far as their median is drawn."""
        median = np.maximum(quantiles[:, [quantiles.shape[1] // 2]], 1e-9)
        away = np.log(np.maximum(members, 1e-9) / median)
        drawn = (self.of(cells) * np.where(np.isfinite(members), away, 0.0)).sum(axis=1)
        return np.asarray(quantiles * np.exp(drawn)[:, None])


def _prior(share: float) -> Doubles:
    ordinary = min(share, 1 - _LEVEL)
    on_runs = min(share + _ON_RUNS, 1 - _LEVEL_ON_RUNS)
    return np.array([(ordinary, _LEVEL), (on_runs, _LEVEL_ON_RUNS)])


def _place(cells: Cells, zones: int) -> tuple[Ints, Ints, Ints]:
    zone = np.where(cells.zone >= 0, cells.zone, zones)
    return zone, cells.group, (cells.kind == RUN).astype(np.int64)


def _sum(cell: Ints, values: Doubles, shape: tuple[int, ...]) -> Doubles:
    total = np.bincount(cell, weights=values, minlength=int(np.prod(shape)))
    return total.astype(np.float64).reshape(shape)
