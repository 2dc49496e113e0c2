"""How often days like the one asked about reached a level, and what that is worth to a forecast.

The quantiles of a forecast are calibrated from the tenth to the ninetieth. What lies beyond hangs
on the shape of a tail, and whether a day is one of the ten fullest on the one year of errors that
is known: a forecast that calls many days record days is more often wrong than its quantiles say.
The probabilities of the rarer levels are therefore drawn towards the climatology (a linear pool:
Stone 1961, doi:10.1214/aoms/1177704873) by a share that is fixed, since a season's alarms do not
say what the next one's are worth. The word that is shown stays that of the quantiles.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from forecast.grid import days_like
from forecast.levels import HISTORY_DAYS, LEVELS, MIN_HISTORY_DAYS, SHOWN_FROM
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.integer[Any]]

ALARMS = LEVELS[1:]
"""Levels that are reached or not: orange, rouge, noir."""

CLIMATOLOGY_SHARES = (0.0, 0.15, 0.15)
"""What the climatology counts for in the probability of :data:`ALARMS` or worse [1]."""

_NOT_SHOWN = 0.5 - 1e-6
_PRIOR_DAYS = 10.0


def climatology(truth: Truth, limits: Doubles, zone: Ints, day: Ints) -> Doubles:
    """How often a day like each target reached each of :data:`ALARMS` before, shape (n, 3).

    ``limits``, shape (zones, 3), is where the levels begin [visitors day⁻¹]; ``zone`` (positions)
    and ``day`` (since 1970-01-01) have shape (n,). Like a target are those of
    :func:`~forecast.grid.days_like`; where few are known the share is drawn towards that of all
    days, as by ten days more of the latter. NaN in a zone of which too few days are known to say
    (:data:`~forecast.levels.MIN_HISTORY_DAYS`), or that has no limits.
    """
    values = truth.values.astype(np.float64)
    days = truth.first_day + np.arange(values.shape[1])
    newest = np.flatnonzero(np.isfinite(values).any(axis=0))
    recent = (
        slice(max(newest[-1] + 1 - HISTORY_DAYS, 0), newest[-1] + 1) if len(newest) else slice(0)
    )
    values, days = values[:, recent], days[recent]
    answer = np.full((len(day), len(ALARMS)), np.nan)
    for target in np.unique(day):
        like = days_like(target, days)
        rows = day == target
        lines = values[zone[rows]]
        measured = np.isfinite(lines)
        reached = lines[:, None, :] >= limits[zone[rows]][:, :, None]
        count, every = measured[:, like].sum(axis=1), np.maximum(measured.sum(axis=1), 1)
        base = reached.sum(axis=2) / every[:, None]
        found = (reached[:, :, like].sum(axis=2) + _PRIOR_DAYS * base) / (
            count[:, None] + _PRIOR_DAYS
        )
        known = (every >= MIN_HISTORY_DAYS)[:, None] & np.isfinite(limits[zone[rows]])
        answer[rows] = np.where(known, found, np.nan)
    return answer


def or_worse(level_probabilities: npt.ArrayLike) -> Doubles:
    """Probability of reaching each of :data:`ALARMS`, shape (n, 3), from those of the levels.

    >>> or_worse([[0.5, 0.25, 0.125, 0.125]])
    array([[0.5  , 0.25 , 0.125]])
    """
    reversed_levels = np.asarray(level_probabilities, dtype=np.float64)[:, ::-1]
    reached: Doubles = np.cumsum(reversed_levels, axis=1)[:, ::-1][:, 1:]
    return np.clip(reached, 0.0, 1.0)


def drawn_to_climatology(level_probabilities: npt.ArrayLike, usual: npt.ArrayLike) -> Doubles:
    """Probabilities of the levels, shape (n, 4), of which the rarer hear the climatology.

    ``level_probabilities``, shape (n, 4), are those of the quantiles, ``usual``, shape (n, 3), is
    what :func:`climatology` says; where it is NaN nothing changes. A worse level never becomes
    likelier than a lesser one, and none crosses one half, from which the word is shown: a zone
    whose median reaches a level is said to reach it.

    >>> drawn_to_climatology([[0.1, 0.2, 0.5, 0.2]], [[0.1, 0.04, 0.0]]).round(3)
    array([[0.1  , 0.299, 0.431, 0.17 ]])
    >>> drawn_to_climatology([[0.1, 0.4, 0.5, 0.0]], [[0.1, 0.04, 0.0]]).round(3)
    array([[0.1, 0.4, 0.5, 0. ]])
    >>> drawn_to_climatology([[1.0, 0.0, 0.0, 0.0]], [[0.1, 0.04, 0.0]])
    array([[1., 0., 0., 0.]])
    """
    own, others = or_worse(level_probabilities), np.asarray(usual, dtype=np.float64)
    share = np.where(np.isfinite(others), CLIMATOLOGY_SHARES, 0.0)
    drawn = (1 - share) * own + share * np.nan_to_num(others)
    shown = own >= SHOWN_FROM
    least = np.where(shown, np.minimum(own, 0.5), 0.0)
    most = np.where(shown, 1.0, np.maximum(own, _NOT_SHOWN))
    reached = np.minimum.accumulate(np.clip(drawn, least, most), axis=1)
    edges = np.column_stack([np.ones(len(reached)), reached, np.zeros(len(reached))])
    return np.asarray(edges[:, :-1] - edges[:, 1:])
