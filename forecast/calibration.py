"""Conformal calibration of quantiles: each is shifted until it covers what it promises.

Conformalised quantile regression (Romano, Patterson, Candès 2019, arXiv:1905.03222), one shift per
quantile so that the band may be asymmetric, learnt from forecasts the model made for days it had
not seen: first by group of horizons, then by kind of day, then by zone. The latter two correct what
the former left, and are drawn towards no correction where few days speak for them. The median stays
where the model put it. As errors of one season do not promise those of the next, how far a shift
must reach follows what the bands already published have held (Gibbs, Candès 2021,
arXiv:2106.00170). There is one such set where every source is fresh and one for each source that
may fail: while it is late the wider holds, once it is dead its own.
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

HORIZON_GROUPS = ((0, 1), (2, 3), (4, 7), (8, 14))
"""Horizons [d] that are calibrated and reported together; later ones join the last."""

KINDS = ("weekday", "weekend", "holiday run")
"""Kinds of day that are calibrated and reported together."""

RUN = KINDS.index("holiday run")

_MIN_POINTS = 100
_SHRINKAGE = 1000
_PACE, _FARTHEST = 0.25, 0.08
_WIDER = 1.02
"""Least width of a band that lacks a source, in widths of the band that has it."""


def horizon_group(horizon: npt.NDArray[Any]) -> Ints:
    """Index into :data:`HORIZON_GROUPS` of each horizon [d].

    >>> horizon_group(np.array([0, 1, 3, 7, 14, 20])).tolist()
    [0, 0, 1, 2, 3, 3]
    """
    starts = np.array([low for low, _ in HORIZON_GROUPS])
    return np.searchsorted(starts, horizon, side="right").astype(np.int64) - 1


def day_kind(weekday: npt.NDArray[Any], run_length: npt.NDArray[Any]) -> Ints:
    """Index into :data:`KINDS` of each day, from its weekday (0 on Monday) and run length [d].

    >>> day_kind(np.array([0, 5, 4]), np.array([0, 0, 4])).tolist()
    [0, 1, 2]
    """
    return np.where(np.nan_to_num(run_length) > 0, 2, np.where(weekday >= 5, 1, 0)).astype(np.int64)


@dataclass(frozen=True)
class Cells:
    """What the shifts of each question depend on: arrays of shape (n,).

    ``group`` indexes :data:`HORIZON_GROUPS`, ``kind`` :data:`KINDS` and ``zone`` the zones of the
    model (−1 for one it does not know).
    """

    group: Ints
    kind: Ints
    zone: Ints

    def where(self, mask: npt.NDArray[np.bool_]) -> Cells:
        """The cells of some questions."""
        return Cells(self.group[mask], self.kind[mask], self.zone[mask])


@dataclass(frozen=True)
class Shifts:
    """Shifts by horizon group, kind of day and zone, to be added up.

    In units of the raw distance between the outer quantiles; shapes (groups, quantiles),
    (kinds, quantiles) and (zones, quantiles).
    """

    horizon: Doubles
    kind: Doubles
    zone: Doubles

    @classmethod
    def none(cls, quantiles: int, zones: int) -> Self:
        """Shifts of zero: the raw quantiles."""
        return cls(*(np.zeros((n, quantiles)) for n in (len(HORIZON_GROUPS), len(KINDS), zones)))

    @classmethod
    def fit(
        cls,
        quantiles: Sequence[float],
        raw: Doubles,
        observed: Doubles,
        cells: Cells,
        zones: int,
        reach: Doubles | None = None,
    ) -> Self:
        """Learn shifts from ``raw`` quantiles, shape (n, quantiles), and what came true.

        ``observed`` has shape (n,) and the unit of ``raw``; rows in which either is not known are
        left out, and fewer than 100 of them teach nothing. ``reach``, shape (quantiles,), is what
        :func:`adapted` says; by default the quantiles themselves.
        """
        known = np.isfinite(observed) & np.isfinite(raw).all(axis=1)
        if known.sum() < _MIN_POINTS:
            return cls.none(len(quantiles), zones)
        score = (observed[known, None] - raw[known]) / spread(raw[known])[:, None]
        score[:, len(quantiles) // 2] = 0.0
        cells, levels = cells.where(known), np.asarray(quantiles) if reach is None else reach
        everywhere = np.zeros(len(score), dtype=np.int64)
        pooled = _by(everywhere, 1, score, levels, 0)
        horizon = _by(cells.group, len(HORIZON_GROUPS), score - pooled, levels, 0) + pooled
        score = score - horizon[cells.group]
        kind = _by(cells.kind, len(KINDS), score, levels, _SHRINKAGE)
        zone = _by(cells.zone, zones, score - kind[cells.kind], levels, _SHRINKAGE)
        return cls(horizon, kind, zone)

    def no_narrower(self, raw: Doubles, cells: Cells, fresh: Doubles) -> Self:
        """These shifts, carried outward until the bands of ``raw`` are wider than ``fresh`` ones.

        ``raw``, shape (n, quantiles), lacked a source, ``fresh`` are calibrated and had it. Where
        the source is worth nothing the former may be narrower by chance; yet to know less is never
        to be surer.
        """
        if not (known := np.asarray(np.isfinite(np.hstack([raw, fresh])).all(axis=1))).any():
            return self
        late = Calibration(self).apply(raw[known], cells.where(known))
        missing = _WIDER * _reach(fresh[known]) - _reach(late)
        side = np.sign(np.arange(raw.shape[1]) - raw.shape[1] // 2)
        more = side * np.maximum(missing, 0.0) / spread(raw[known]).mean()
        return replace(self, horizon=self.horizon + more)

    def of(self, cells: Cells) -> Doubles:
        """Total shift of each question, shape (n, quantiles)."""
        zone = np.vstack([self.zone, np.zeros(self.zone.shape[1])])
        return np.asarray(self.horizon[cells.group] + self.kind[cells.kind] + zone[cells.zone])


def adapted(
    quantiles: Sequence[float], published: Doubles, observed: Doubles, fold: Ints
) -> Doubles:
    """Levels at which the errors are read, shape (quantiles,), from what bands have held so far.

    ``published``, shape (n, quantiles), are calibrated quantiles of earlier folds and ``observed``,
    shape (n,), what came true, NaN where not known yet; ``fold`` orders them. The first fold counts
    for nothing: nothing was known to calibrate it by. After each other a quantile that too few days
    lay below reaches farther, by a part of what was missing.

    >>> low = np.tile([1.0, 2.0, 3.0], (50, 1))
    >>> adapted((0.1, 0.5, 0.9), low, np.full(50, 9.0), np.ones(50, dtype=int)).round(3).tolist()
    [0.175, 0.5, 0.98]
    """
    levels = np.asarray(quantiles, dtype=np.float64)
    change = np.zeros(len(levels))
    known = np.isfinite(observed) & np.isfinite(published).all(axis=1) & (fold > 0)
    for k, f in enumerate(np.unique(fold[known])):
        rows = known & (fold == f)
        below = (observed[rows, None] <= published[rows]).mean(axis=0)
        # Boldly at first, slowly later.
        pace = _PACE + 0.5 / (k + 1)
        change = np.clip(change + pace * (levels - below), -_FARTHEST, _FARTHEST)
    change[len(levels) // 2] = 0.0
    return np.asarray(np.clip(levels + change, 0.005, 0.995))


def _by(cell: Ints, cells: int, score: Doubles, levels: Doubles, shrinkage: float) -> Doubles:
    """Quantiles of ``score`` in each cell, shape (cells, quantiles); 0 where fewer than 100."""
    shifts = np.zeros((cells, len(levels)))
    for c in range(cells):
        chosen = score[cell == c]
        n = len(chosen)
        if n >= _MIN_POINTS:
            # (n + 1) / n: with few points the promised share needs a slightly wider reach.
            reach = np.clip(0.5 + (levels - 0.5) * (n + 1) / n, 0, 1)
            shifts[c] = [np.quantile(chosen[:, i], q) for i, q in enumerate(reach)]
            shifts[c] *= n / (n + shrinkage)
    return shifts


@dataclass(frozen=True)
class Calibration:
    """Shifts where every source is ``fresh``, and those for each source that may be ``stale``."""

    fresh: Shifts
    stale: Mapping[str, Shifts] = field(default_factory=dict)

    def apply(
        self, raw: Doubles, cells: Cells, stale: Collection[str] = (), dead: Collection[str] = ()
    ) -> Doubles:
        """Shifted quantiles, in order and never negative, shape (n, quantiles).

        With sources ``stale`` each quantile takes the shift that reaches farthest; one without
        shifts of its own changes nothing. Those of fresh days count too, unless all that are late
        are ``dead``: silent for as long as their shifts were learnt from.
        """
        late = [source for source in sorted({*stale, *dead}) if source in self.stale]
        known = [] if late and set(late) <= set(dead) else [self.fresh.of(cells)]
        shifts = functools.reduce(wider, known + [self.stale[source].of(cells) for source in late])
        away, middle = raw + shifts * spread(raw)[:, None], raw.shape[1] // 2
        # What passes the median stops there: a band's errors say little of the middle's.
        low, median = np.arange(raw.shape[1]) <= middle, raw[:, [middle]]
        answer: Doubles = np.where(low, np.minimum(away, median), np.maximum(away, median))
        return np.asarray(np.maximum(np.sort(answer, axis=1), 0.0))

    def arrays(self) -> dict[str, Doubles]:
        """All shifts by name, for a file; :meth:`from_arrays` is the inverse."""
        sets = {"fresh": self.fresh} | {f"stale_{name}": s for name, s in self.stale.items()}
        return {f"{name}.{part}": getattr(s, part) for name, s in sets.items() for part in _PARTS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Doubles]) -> Self:
        """Read what :meth:`arrays` gave, among other arrays; raise :class:`KeyError` if absent."""
        names = {name.split(".")[0] for name in arrays if name.startswith("stale_")}
        sets = {
            name.removeprefix("stale_"): Shifts(*(arrays[f"{name}.{part}"] for part in _PARTS))
            for name in ["fresh", *sorted(names)]
        }
        return cls(sets.pop("fresh"), sets)


_PARTS = ("horizon", "kind", "zone")


def wider(shifts: Doubles, other: Doubles) -> Doubles:
    """Of two sets of shifts, for each quantile the farther; the median keeps that of ``other``.

    >>> wider(np.array([[-0.1, 0.0, 0.2]]), np.array([[-0.3, 0.1, 0.1]]))
    array([[-0.3,  0.1,  0.2]])
    """
    answer, middle = other.copy(), shifts.shape[1] // 2
    answer[:, :middle] = np.minimum(shifts[:, :middle], other[:, :middle])
    answer[:, middle + 1 :] = np.maximum(shifts[:, middle + 1 :], other[:, middle + 1 :])
    return answer


def _reach(quantiles: Doubles) -> Doubles:
    """Mean distance of each quantile from the median, shape (quantiles,)."""
    middle = quantiles.shape[1] // 2
    return np.asarray(np.abs(quantiles - quantiles[:, [middle]]).mean(axis=0))


def spread(raw: Doubles) -> Doubles:
    """Distance between the outer quantiles, at least a hundredth of the median, shape (n,)."""
    return np.maximum(raw[:, -1] - raw[:, 0], 0.01 * np.abs(raw[:, raw.shape[1] // 2]) + 1e-9)
