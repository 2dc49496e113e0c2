"""How far quantiles lie from the median: normalised conformal prediction, in log.

Quantile boosters promise too much on days they have not seen, yet they know which days are less
sure than others. So their band says how sure a day is against others, and what came true says how
far it must reach: the score of a past day is its error in log over the size of its band on that
side of the median (Papadopoulos, Gammerman, Vovk 2008), read by group of horizons. Sizes are drawn
towards what is usual for the zone and the kind of day, and corrected by how far errors of that kind
and of that zone reached; each the less, the fewer days speak for it. A band is lopsided by three
tenths, in log, as the day's own is: that past errors fell on one side does not say on which the
next will fall. The median stays where the model put it. Older errors weigh less.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import NormalDist
from typing import Self

import numpy as np
import numpy.typing as npt

from forecast.cells import HORIZON_GROUPS, KINDS, Cells

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_MIN_POINTS = 60
"""Questions of which fewer teach nothing."""
_OWN = 0.6
"""What the band of the day itself counts for in its size, in log; the rest is what is usual."""
_HALF_LIFE = 8.0
"""Folds after which an error counts half."""
_BY_GROUP, _BY_ZONE, _USUALLY = 1000, 500, 20
"""Questions that all together count for, where one group or zone is looked at."""
_BY_KIND = 12
"""The same for a kind of day, in days: zones err alike on one, and one zone has few runs."""
_LOPSIDED, _MOST_LOPSIDED = 0.3, 0.8
"""What the sides of the day's own band count for, in log, and how far from even they may be [1]."""
_LEAST_REACH, _LEAST_BAND = 0.02, 0.01
"""Least reach of a quantile in sizes of a band, and least size of a raw band in log [1]."""
_LEAST_SHARE = 0.01
"""Share of a zone's mean day [1] below which it is empty: less is not told apart, nor said."""
_MOST_MISSED, _FARTHEST = np.log(5.0), 3.0
"""What an error counts for at most, and the farthest a quantile reaches, in log: that a counter
stood still, or a gate was shut, does not say how far the other days err."""
WIDER = 1.02
"""Least width of a band that lacks a source, in widths of the band that has it."""


@dataclass(frozen=True)
class Bands:
    """How far each quantile reaches from the median, in log.

    ``reach``, shape (groups, quantiles), in sizes of a band; ``kind``, shape (kinds,), and
    ``zone``, shape (zones,), are factors of its size, and ``usual``, shape (zones + 1, kinds), the
    log of the raw band that is usual there (the last row: in any other zone), NaN where none was
    seen. ``least``, shape (zones + 1,), is the influx below which a zone is empty [visitors day⁻¹].
    """

    reach: Doubles
    kind: Doubles
    zone: Doubles
    usual: Doubles
    least: Doubles

    @classmethod
    def none(cls, quantiles: Sequence[float], zones: int) -> Self:
        """As wide as the raw band, and of normal shape: what holds before any error is known."""
        normal = np.array([NormalDist().inv_cdf(q) for q in quantiles])
        return cls(
            np.tile(normal / max(normal[-1] - normal[0], 1e-9), (len(HORIZON_GROUPS), 1)),
            np.ones(len(KINDS)),
            np.ones(zones),
            np.full((zones + 1, len(KINDS)), np.nan),
            np.zeros(zones + 1),
        )

    @classmethod
    def fit(
        cls,
        quantiles: Sequence[float],
        raw: Doubles,
        observed: Doubles,
        cells: Cells,
        zones: int,
        age: Doubles | None = None,
        width: float = 1.0,
    ) -> Self:
        """Learn from ``raw`` quantiles, shape (n, quantiles), and what came true.

        ``observed`` has shape (n,) and the unit of ``raw``; rows in which either is not known are
        left out, and fewer than 60 of them teach nothing. ``age``, shape (n,), is how long ago each
        was said [folds]; ``width`` is what :func:`adapted` says.
        """
        known = np.isfinite(observed) & np.isfinite(raw).all(axis=1) & (cells.zone >= 0)
        least = _LEAST_SHARE * _means(observed[known], cells.zone[known], zones)
        # That a place stands still is looked up, and how long it will is nothing to learn here.
        known &= raw[:, raw.shape[1] // 2] > least[cells.zone]
        if known.sum() < _MIN_POINTS:
            return cls.none(quantiles, zones)
        raw, cells = raw[known], cells.where(known)
        weight = np.ones(len(raw)) if age is None else 0.5 ** (age[known] / _HALF_LIFE)
        plain = replace(cls.none(quantiles, zones), usual=_usual(raw, cells, zones))
        said, came = raw[:, raw.shape[1] // 2], np.maximum(observed[known], least[cells.zone])
        error = np.log(np.maximum(came, 1e-9) / np.maximum(said, 1e-9))
        error = np.clip(error, -_MOST_MISSED, _MOST_MISSED)
        size = plain.size(raw, cells)
        score = np.abs(error) / np.where(error < 0, size[:, 0], size[:, 1])
        pull = _BY_KIND * len(np.unique(cells.zone))
        kind = _factors(cells.kind, len(KINDS), score, weight, pull)
        score = score / kind[cells.kind]
        zone = _factors(cells.zone, zones, score, weight, _BY_ZONE)
        score = score / zone[cells.zone]
        # (n + 1) / n: with few points the promised share needs a slightly wider reach.
        n, side = len(score), 2 * np.asarray(quantiles, dtype=np.float64) - 1
        held = np.minimum(np.abs(side) * (n + 1) / n, 1)
        everywhere = _quantiles(score, weight, held)
        reach = np.tile(everywhere, (len(HORIZON_GROUPS), 1))
        for g in np.unique(cells.group):
            own = cells.group == g
            n = own.sum()
            told = _quantiles(score[own], weight[own], held)
            reach[g] = (n * told + _BY_GROUP * everywhere) / (n + _BY_GROUP)
        reach = np.sign(side) * np.maximum(reach, _LEAST_REACH)
        return cls(width * reach, kind, zone, plain.usual, least)

    def size(self, raw: Doubles, cells: Cells) -> Doubles:
        """Size of the band of each question below and above its median, in log, shape (n, 2)."""
        band, usual = _band(raw), self.usual[cells.zone, cells.kind]
        drawn = _OWN * band + (1 - _OWN) * np.where(np.isfinite(usual), usual, band)
        factor = self.kind[cells.kind] * np.append(self.zone, 1.0)[cells.zone]
        return np.asarray((np.exp(drawn) * factor)[:, None] * _sides(raw))

    def of(self, raw: Doubles, cells: Cells) -> Doubles:
        """Distance of each quantile from the median of each question, in log."""
        reach = self.reach[cells.group]
        size = self.size(raw, cells)
        away = reach * np.where(reach < 0, size[:, [0]], size[:, [1]])
        return np.asarray(np.clip(away, -_FARTHEST, _FARTHEST))

    def apply(self, raw: Doubles, cells: Cells) -> Doubles:
        """Calibrated quantiles, in order and never negative, shape (n, quantiles)."""
        return self.reached(raw, self.of(raw, cells), cells)

    def reached(self, raw: Doubles, away: Doubles, cells: Cells) -> Doubles:
        """Quantiles ``away`` from the median of ``raw``, in log; both of shape (n, quantiles).

        Less than a zone has when it is empty is none. Where the median is nobody, ``raw`` stays: no
        multiple of it says when there will be somebody.
        """
        median = np.maximum(raw[:, [raw.shape[1] // 2]], 0.0)
        said = median * np.exp(away)
        said = np.where(said < self.least[cells.zone][:, None], 0.0, said)
        return np.where(median == 0, np.maximum(raw, 0.0), said)

    def no_narrower(self, raw: Doubles, cells: Cells, fresh: Doubles) -> Self:
        """These bands, carried outward until those of ``raw`` are wider than ``fresh`` ones.

        ``raw``, shape (n, quantiles), lacked a source, ``fresh`` are calibrated and had it. Where
        the source is worth nothing the former may be narrower by chance; yet to know less is never
        to be surer.
        """
        known = np.isfinite(np.hstack([raw, fresh])).all(axis=1)
        known &= raw[:, raw.shape[1] // 2] > 0
        if not known.any():
            return self
        bands, wanted = self, WIDER * _reach(fresh[known])
        for _ in range(20):  # below the median a band in log gains less than it is carried
            late = _reach(bands.apply(raw[known], cells.where(known)))
            factor = np.clip(wanted / np.maximum(late, 1e-9), 1.0, 2.0)
            if (factor < 1 + 1e-9).all():
                break
            bands = replace(bands, reach=bands.reach * factor)
        return bands


def _band(raw: Doubles) -> Doubles:
    """Log of the distance, in log, between the outer quantiles, shape (n,)."""
    low, high = (np.maximum(raw[:, i], 1e-9) for i in (0, -1))
    return np.asarray(np.log(np.maximum(np.log(high / low), _LEAST_BAND)))


def _sides(raw: Doubles) -> Doubles:
    """How far the raw band lies below and above its median, in halves of it, shape (n, 2)."""
    low, median, high = (np.log(np.maximum(raw[:, i], 1e-9)) for i in (0, raw.shape[1] // 2, -1))
    below = np.divide(median - low, high - low, out=np.full(len(raw), 0.5), where=high > low)
    uneven = np.clip(2 * below - 1, -_MOST_LOPSIDED, _MOST_LOPSIDED)
    return np.asarray(np.stack([1 + uneven, 1 - uneven], axis=1) ** _LOPSIDED)


def _means(observed: Doubles, zone: Ints, zones: int) -> Doubles:
    """Mean influx of each zone, shape (zones + 1,); 0 where none is known, and in any other."""
    count = np.maximum(np.bincount(zone, None, zones + 1), 1)
    return np.asarray(np.bincount(zone, observed, zones + 1) / count)


def _usual(raw: Doubles, cells: Cells, zones: int) -> Doubles:
    """Mean of :func:`_band` by zone and kind of day, drawn towards that of all zones."""
    band, shape = _band(raw), (zones, len(KINDS))
    cell = cells.zone * len(KINDS) + cells.kind
    count, total = (
        np.bincount(cell, w, zones * len(KINDS)).reshape(shape) for w in (np.ones(len(band)), band)
    )
    seen = count.sum(axis=0)
    everywhere = np.divide(total.sum(axis=0), seen, out=np.full(len(KINDS), np.nan), where=seen > 0)
    return np.vstack([(total + _USUALLY * everywhere) / (count + _USUALLY), everywhere])


def _factors(cell: Ints, cells: int, score: Doubles, weight: Doubles, pull: float) -> Doubles:
    """How far the larger scores of each cell reach against those of all, shape (cells,)."""
    far, factors = np.array([0.8]), np.ones(cells)
    everywhere = _quantiles(score, weight, far)[0]
    for c in np.unique(cell):
        own = cell == c
        ratio = max(_quantiles(score[own], weight[own], far)[0], 1e-3) / max(everywhere, 1e-3)
        factors[c] = ratio ** (own.sum() / (own.sum() + pull))
    return factors


def _quantiles(values: Doubles, weight: Doubles, levels: Doubles) -> Doubles:
    """Weighted quantiles, at the middle of each value's weight."""
    order = np.argsort(values)
    total = np.cumsum(weight[order])
    return np.asarray(np.interp(levels * total[-1], total - weight[order] / 2, values[order]))


def _reach(quantiles: Doubles) -> Doubles:
    """Mean distance of each quantile from the median, shape (quantiles,)."""
    middle = quantiles.shape[1] // 2
    return np.asarray(np.abs(quantiles - quantiles[:, [middle]]).mean(axis=0))
