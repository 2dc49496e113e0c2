"""What the partner says for training, by ridges that had not seen the day.

A step fitted on its own day would look better to the boosters than it will be when it counts, so
the history is cut into fifths, and each is answered by a ridge of the others.

The recursive member goes from day to day, so that what it learns from must hang together as what a
forecast leaves does. A fifth of less than two years takes the only example of a season with it, and
what the ridge then misses no forecast would. The effects that member learns beside are therefore
cut otherwise where no zone's history is longer: in the first year every fifth block of four weeks
is left out at a time, and each later block is answered by the days before it alone, as a forecast
is.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from forecast.daily import Daily
from forecast.linear import OWN, CalendarRidge, Designs
from forecast.matrix import FeatureMatrix

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Days = npt.NDArray[np.int64]
Parts = Iterator[tuple[Bools, Bools]]

SHORT_DAYS = 730
"""History [d] of which a fifth, left out, takes away the only example of its season."""
_PARTS, _BLOCK_DAYS, _YEAR_DAYS = 5, 28, 365


def cross_fitted(
    matrix: FeatureMatrix, level: Doubles, daily: Daily, influx: Doubles, until_day: int
) -> tuple[Doubles, Doubles]:
    """:meth:`CalendarRidge.say` for training, shape (4, questions), and effects of the calendar.

    Each question is answered by a ridge that did not see its target day. So are the effects, shape
    (zones, days of ``daily``); NaN where no such ridge has any of the zone's own.
    """
    grid, terms = matrix.grid, Designs(daily, until_day)
    known = np.flatnonzero(np.isfinite(influx).any(axis=0))
    day, span = np.arange(daily.days) - known[0], int(known[-1] - known[0]) + 1
    target = np.clip(grid.target_day - daily.first_day, 0, daily.days - 1)
    answer = np.full((len(OWN), len(grid)), np.nan)
    unseen = np.full((len(daily.zone_ids), daily.days), np.nan)

    def fitted(answered: Bools, hidden: Bools) -> tuple[CalendarRidge, Doubles]:
        ridge = CalendarRidge.fit(daily, np.where(hidden, np.nan, influx), until_day, terms)
        effects, told = ridge.effects(daily, terms), np.ix_(ridge.own(daily), answered)
        unseen[told] = effects[told]
        return ridge, effects

    for answered, hidden in fifths(day, span):
        ridge, effects = fitted(answered, hidden)
        if (rows := answered[target]).any():
            answer[:, rows] = ridge.say(matrix, level, daily, effects)[:, rows]
    if span < SHORT_DAYS:
        for answered, hidden in blocks(day, span):
            fitted(answered, hidden)
    return answer, unseen


def fifths(day: Days, span: int) -> Parts:
    """Days to answer and days to hide of each fifth, shape (days,); ``day`` is 0 on the first.

    >>> [np.flatnonzero(hidden).tolist() for _, hidden in fifths(np.arange(7), 6)]
    [[0], [1], [2], [3], [4, 5, 6]]
    """
    edges = np.linspace(0, span, _PARTS + 1).astype(int)
    part = np.clip(np.searchsorted(edges, day, side="right") - 1, 0, _PARTS - 1)
    for number in range(_PARTS):
        yield part == number, part == number


def blocks(day: Days, span: int) -> Parts:
    """The same of a short history, in blocks of four weeks, or of a fifth of it if that is less.

    >>> for answered, hidden in blocks(np.arange(430), 430):
    ...     print(np.flatnonzero(answered)[[0, -1]], answered.sum(), hidden.sum())
    [  0 307] 84 84
    [ 28 335] 84 84
    [ 56 363] 84 84
    [ 84 364] 57 57
    [112 279] 56 56
    [365 392] 28 65
    [393 420] 28 37
    [421 429] 9 9
    """
    day = np.clip(day, 0, span - 1)
    length = max(1, min(_BLOCK_DAYS, span // _PARTS))
    later = _PARTS + (day - _YEAR_DAYS) // length
    part = np.where(day < _YEAR_DAYS, day // length % _PARTS, later)
    for number in np.unique(part):
        yield part == number, part == number if number < _PARTS else part >= number
