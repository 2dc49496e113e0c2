"""Recursive members: LightGBM that forecasts a day from the days before it, one after the other.

The boosters of ``model.py`` answer each horizon directly and see the recent past in a few means.
These two see each of its days, and what they forecast of one day is the past of the next: where a
level wanders they follow it sooner. One forecasts the influx of a zone in multiples of its spread,
the other what the zone's calendar leaves of its log. They err apart from the boosters and from each
other, so that the blend of all errs less. They read influx and the calendar, nothing else; the
weather's step is added by whoever asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from forecast import trees
from forecast.daily import Daily
from forecast.matrix import FeatureMatrix
from forecast.outliers import EMPTY, without_outliers

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

LEFT, INFLUX = 0, 1
"""Of what the calendar leaves, and of influx itself: positions on the last axis of the answers."""
KINDS = ("left", "influx")

_LAGS = (*range(1, 15), 21, 28)
_WINDOW = 28
_MIN_DAYS = 60
_LEAST_ROWS = 200
_LEAST_SHARE, _FARTHEST = 0.01, 2.0
"""Least influx told apart, in means of the zone [1], and the farthest from its calendar, in log."""


@dataclass(frozen=True)
class Recursive:
    """Both members; ``boosters`` are none where there was too little to learn from.

    ``centre`` and ``spread``, shape (zones,), are the mean and the standard deviation of a zone's
    influx [visitors day⁻¹], NaN in a zone with fewer than 60 known days, which has no answer.
    """

    zone_ids: tuple[str, ...]
    boosters: tuple[trees.Booster, ...]
    centre: Doubles
    spread: Doubles
    threads: int = 0

    @classmethod
    def fit(
        cls,
        daily: Daily,
        influx: Doubles,
        unseen: Doubles,
        parameters: Mapping[str, Any],
    ) -> Self:
        """Fit on ``influx`` [visitors day⁻¹], shape (zones, days), on the days of ``daily``.

        ``unseen``, of the same shape, is the calendar's effect on log influx by ridges that had not
        seen the day, NaN where none is the zone's own. ``parameters`` are
        ``rounds``, ``learning_rate``, ``seed`` and ``threads``, as of ``InfluxModel.fit``.
        """
        enough = (np.isfinite(influx).sum(axis=1) >= _MIN_DAYS)[:, None]
        known = np.where(enough & (influx >= 0), influx, np.nan)
        count = np.maximum(np.isfinite(known).sum(axis=1), 1)
        centre = np.where(enough[:, 0], np.nansum(known, axis=1) / count, np.nan)
        away = known - centre[:, None]
        spread = np.sqrt(np.nansum(away**2, axis=1) / count)
        centre, spread = (np.where(spread > 0, line, np.nan) for line in (centre, spread))
        members = cls(daily.zone_ids, (), centre, spread, int(parameters["threads"]))
        zone, place = np.arange(len(influx)), np.arange(daily.days)
        calendar = members._calendar(daily, zone[:, None], place, zone[:, None], unseen)
        found: list[trees.Booster] = []
        calm = members._calm(influx, zone[:, None], unseen)
        for kind in (LEFT, INFLUX):
            line, past = (members._scaled(kind, x, zone[:, None], unseen) for x in (influx, calm))
            rows = np.isfinite(line)
            rows &= place >= rows.argmax(axis=1)[:, None] + _WINDOW
            if rows.sum() < _LEAST_ROWS:
                return members
            z, day = np.nonzero(rows)
            table = _table(_past(past, z, day), calendar[z, day], kind)
            # By persons, a zone that few days move would be told what the others have on a feast.
            weight = np.exp(unseen[rows]) if kind == LEFT else np.sqrt(spread[z])
            found += trees.train(table, line[rows], weight, [trees.recursive(parameters)])
        return cls(daily.zone_ids, tuple(found), centre, spread, members.threads)

    def answers(self, matrix: FeatureMatrix, daily: Daily, effects: Doubles) -> Doubles:
        """Influx by each member [visitors day⁻¹], shape (questions, 2), before any weather.

        ``effects``, shape (zones of ``daily``, days), is what the calendar says of log influx, NaN
        where a zone has none of its own. NaN where a zone is not known to the members, or nothing
        of it is known of the last 56 days, or the day is before its origin.
        """
        grid = matrix.grid
        if matrix.recent is None or not len(grid):
            return np.full((len(grid), len(KINDS)), np.nan)
        paths = self.paths(matrix, daily, effects, max(int(grid.horizon.max()), 0))
        said = paths[grid.row_ask, np.maximum(grid.horizon, 0)]
        return np.where(grid.horizon[:, None] >= 0, said, np.nan)

    def paths(self, matrix: FeatureMatrix, daily: Daily, effects: Doubles, horizon: int) -> Doubles:
        """The days from the origin to ``horizon`` [d] of each ask, shape (asks, days, 2)."""
        grid, recent = matrix.grid, matrix.recent
        paths = np.full((len(grid.ask_zone), horizon + 1, len(KINDS)), np.nan)
        own = self._positions(grid.zone_ids)[grid.ask_zone]
        if recent is None or not self.boosters or not (asked := np.flatnonzero(own >= 0)).size:
            return paths
        own, zone = own[asked, None], grid.ask_zone[asked, None].astype(np.int64)
        past = recent.shape[1]
        day = grid.ask_day[asked, None].astype(np.int64) + np.arange(1 - past, horizon + 1)
        place = np.clip(day - daily.first_day, 0, daily.days - 1)
        expected = effects[zone, place]
        calendar = self._calendar(daily, zone, place, own, expected)
        known = self._calm(recent[asked, ::-1].astype(np.float64), own, expected[:, :past])
        for kind in (LEFT, INFLUX):
            line = np.full(day.shape, np.nan)
            line[:, :past] = self._scaled(kind, known, own, expected[:, :past])
            said = self._run(kind, line, calendar, past)
            persons = np.exp(said + expected)
            if kind == INFLUX:
                persons = self.centre[own] + self.spread[own] * said
            persons = np.maximum(persons, _LEAST_SHARE * self.centre[own])
            paths[asked, :, kind] = persons[:, past - 1 :]
        return paths

    def texts(self) -> dict[str, str]:
        """The boosters by file name; :meth:`read` is the inverse."""
        names = map(_file, KINDS)
        return {n: b.model_to_string() for n, b in zip(names, self.boosters, strict=False)}

    def arrays(self) -> dict[str, Doubles]:
        """What else a file must keep, by name."""
        return {"recursive_centre": self.centre, "recursive_spread": self.spread}

    @classmethod
    def read(
        cls, zone_ids: tuple[str, ...], texts: Mapping[str, str], arrays: Mapping[str, Doubles]
    ) -> Self:
        """Members from :meth:`texts` and :meth:`arrays`, among others.

        Raises
        ------
        KeyError, ModelIntegrityError
            If an array is absent, or the text of a booster cannot be read.
        """
        found = tuple(trees.read(texts[name]) for name in map(_file, KINDS) if name in texts)
        return cls(zone_ids, found, arrays["recursive_centre"], arrays["recursive_spread"])

    def _run(self, kind: int, line: Doubles, calendar: Doubles, past: int) -> Doubles:
        """Fill ``line`` day by day after the last known one; only what was forecast comes back."""
        said = np.full_like(line, np.nan)
        known = np.isfinite(line)
        last = np.where(known.any(axis=1), past - 1 - known[:, past - 1 :: -1].argmax(axis=1), past)
        last[~known.any(axis=1)] = line.shape[1]
        for at in range(max(int(last.min()) + 1, _WINDOW), line.shape[1]):
            rows = np.flatnonzero(last < at)
            before = _past(line, rows, np.full(len(rows), at))
            table = _table(before, calendar[rows, at], kind)
            said[rows, at] = trees.predict(self.boosters[kind], table, self.threads)
            # A weekday that never came in four weeks is one on which the place is closed.
            closed = np.isnan(before[:, 6::7]).all(axis=1)
            line[rows, at] = np.where(closed, np.nan, said[rows, at])
        return said

    def _scaled(self, kind: int, influx: Doubles, own: Ints, expected: Doubles) -> Doubles:
        """Influx as the members see it; zones ``own``, NaN where nothing is known."""
        if kind == INFLUX:
            return np.asarray((influx - self.centre[own]) / self.spread[own])
        return np.clip(self._left(influx, own, expected), -_FARTHEST, _FARTHEST)

    def _left(self, influx: Doubles, own: Ints, expected: Doubles) -> Doubles:
        """Log of influx beyond what the calendar expects, NaN where either is not known."""
        least = _LEAST_SHARE * self.centre[own]
        return np.log(np.where(np.isfinite(influx), np.maximum(influx, least), np.nan)) - expected

    def _calm(self, influx: Doubles, own: Ints, expected: Doubles) -> Doubles:
        """Influx of past days, oldest first, as it is read: without outliers."""
        left = self._left(influx, own, expected)
        full = np.exp(expected) >= EMPTY * self.centre[own]
        calm = without_outliers(left, full)
        return np.where(np.isfinite(left) & (calm != left), np.exp(calm + expected), influx)

    def _calendar(
        self, daily: Daily, zone: Ints, place: Ints, own: Ints, expected: Doubles
    ) -> Doubles:
        """Columns of each day: the calendar's, what it expects in means of the zone, the zone."""
        lines = daily.lines[:, daily.group[zone], place]
        mean = np.exp(expected) / self.centre[own]
        which = np.broadcast_to(own, mean.shape).astype(np.float64)
        return np.stack([*lines, mean, which], axis=-1)

    def _positions(self, zone_ids: tuple[str, ...]) -> Ints:
        """Position of each of ``zone_ids`` among the zones of the members, −1 if it has none."""
        told = {z: i for i, z in enumerate(self.zone_ids) if np.isfinite(self.centre[i])}
        return np.array([told.get(zone, -1) for zone in zone_ids] + [-1], dtype=np.int64)


def _past(line: Doubles, row: Ints, at: Ints) -> Doubles:
    """The four weeks before each day, the newest first, shape (n, 28)."""
    return np.asarray(line[row[:, None], at[:, None] - np.arange(1, _WINDOW + 1)])


def _table(past: Doubles, calendar: Doubles, kind: int) -> npt.NDArray[np.float32]:
    """Lags, the means of one week and of four, and the calendar, shape (n, columns)."""
    means = []
    for days in (7, _WINDOW):
        known = np.isfinite(past[:, :days])
        total, count = np.where(known, past[:, :days], 0.0).sum(axis=1), known.sum(axis=1)
        means.append(np.where(count > 0, total / np.maximum(count, 1), np.nan))
    lags = past[:, np.array(_LAGS) - 1]
    if kind == INFLUX:
        calendar = np.delete(calendar, -2, axis=1)
    return np.column_stack([lags, *means, calendar]).astype(np.float32)


def _file(kind: str) -> str:
    return f"recursive_{kind}.txt"
