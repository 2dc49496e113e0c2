"""How the members of a forecast are blended: by zone, group of horizons and kind of day.

Forecasts that err differently are better together: the boosters, the linear partner, the recent
level of the weekday, which is all a careful person would use, and the two recursive members. The
proportions depend on the place: a border gate is best told by trees, a motorway by its calendar, a
weighbridge leans on its last weeks, and a holiday run, of which trees see a handful, is nearly
everywhere best told by the calendar. They are learnt from answers to days none of the members had
seen, as the calibration is, and from past origins only. On days of holiday runs the recent level
has hardly a say: a few that were like any other day would else teach that a feast is one.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Self

import numpy as np
import numpy.typing as npt

from forecast.cells import HORIZON_GROUPS, RUN, Cells

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

MEMBERS = ("partner", "level", "recursive left", "recursive influx")
"""Members beside the boosters, in the order of the last axis of ``Blend.shares``."""
_LEVEL = MEMBERS.index("level")

_STEPS = (range(0, 101, 10), (0, 5, 10, 20, 30), range(0, 61, 10), range(0, 41, 10))
"""Shares that each may have [hundredths]: boosters never lose more to one whose trees know less."""
_CHOICES = np.array([c for c in product(*_STEPS) if sum(c) <= 100]) / 100
_POOLED, _PRIOR = 1200, 2400
"""Questions that all zones together, and what is configured, count for in one zone's choice."""
_OTHERS, _OTHERS_ON_RUNS, _ON_RUNS = (0.05, 0.2, 0.2), (0.0, 0.2, 0.2), 0.1
"""Shares of the members after the partner before any error is known, on ordinary days and on days
of runs, and what the partner gains on the latter."""
_MOST_LEVEL_ON_RUNS = 0.1

_BAND_OF_A_NORMAL, _LEAST_BAND = 2.56, 0.01
"""Width of a normal distribution's 80 % band in standard deviations, and the least band in log."""


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
        others do, NaN where they say nothing, ``observed``, shape (n,), what came true
        [visitors day⁻¹]; rows in which the first or the last is not known are left out. A zone's
        own errors weigh against those of all zones and against ``prior``, the share of the partner,
        by the number of its questions.
        """
        known = np.isfinite(observed) & (median > 0)
        shape = (zones + 1, len(HORIZON_GROUPS), 2)
        cell = np.ravel_multi_index(_place(cells.where(known), zones), shape)
        truth, logs = observed[known], np.log(median[known])
        away = _away(median[known, None], members[known])
        persons, questions = _sum(cell, truth, shape), _sum(cell, np.ones(len(cell)), shape)
        loss = np.stack(
            [_sum(cell, np.abs(np.exp(logs + away @ shares) - truth), shape) for shares in _CHOICES]
        )
        own = loss / np.maximum(persons, 1e-9)
        pooled = loss.sum(axis=1) / np.maximum(persons.sum(axis=0), 1e-9)
        # Seen from one zone: its own errors, those of all, and a pull to what was configured.
        pull = 0.1 * ((_CHOICES[:, None] - _prior(prior)) ** 2).sum(axis=2)
        total = questions * own + _POOLED * pooled[:, None] + _PRIOR * pull[:, None, None]
        total[_CHOICES[:, _LEVEL] > _MOST_LEVEL_ON_RUNS, ..., 1] = np.inf
        return cls(_CHOICES[np.argmin(total, axis=0)])

    def of(self, cells: Cells) -> Doubles:
        """Shares of the members beside the boosters in each question, shape (n, members)."""
        shares: Doubles = self.shares[_place(cells, len(self.shares) - 1)]
        return shares

    def apply(self, quantiles: Doubles, members: Doubles, cells: Cells) -> Doubles:
        """Quantiles, shape (n, quantiles), moved together as far as their median is drawn.

        They lie as much farther from it as the members differ: a day on which these say different
        things is less sure than the boosters alone know. Where the median is nobody all stay.
        """
        away = _away(quantiles[:, [quantiles.shape[1] // 2]], members)
        drawn = (self.of(cells) * away).sum(axis=1)
        moved = _widened(quantiles, away) * np.exp(drawn)[:, None]
        return np.where(quantiles[:, [quantiles.shape[1] // 2]] == 0, quantiles, moved)


def _away(median: Doubles, members: Doubles) -> Doubles:
    """Log of each member over the boosters' median; one that says nothing draws nothing."""
    away = np.log(np.maximum(members, 1e-9) / np.maximum(median, 1e-9))
    return np.where(np.isfinite(members), away, 0.0)


def _widened(quantiles: Doubles, away: Doubles) -> Doubles:
    """Quantiles as far from their median, in log, as the variance within and between members.

    ``away``, shape (n, members), is where the others lie from the boosters, in log.
    """
    logs = np.log(np.maximum(quantiles, 1e-9))
    median, band = logs[:, [logs.shape[1] // 2]], np.maximum(logs[:, -1] - logs[:, 0], _LEAST_BAND)
    between = np.column_stack([np.zeros(len(away)), away]).std(axis=1) * _BAND_OF_A_NORMAL
    return np.asarray(np.exp(median + (logs - median) * np.hypot(1.0, between / band)[:, None]))


def _prior(share: float) -> Doubles:
    kinds = ((share, _OTHERS), (share + _ON_RUNS, _OTHERS_ON_RUNS))
    return np.array([(min(own, 1 - sum(others)), *others) for own, others in kinds])


def _place(cells: Cells, zones: int) -> tuple[Ints, Ints, Ints]:
    zone = np.where(cells.zone >= 0, cells.zone, zones)
    return zone, cells.group, (cells.kind == RUN).astype(np.int64)


def _sum(cell: Ints, values: Doubles, shape: tuple[int, ...]) -> Doubles:
    total = np.bincount(cell, weights=values, minlength=int(np.prod(shape)))
    return total.astype(np.float64).reshape(shape)
