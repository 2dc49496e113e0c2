"""Terms of the linear partner: what the calendar of a zone says of each day, as numbers.

The ridge has one penalty, so a term's scale says how readily it is believed: a feast that came
once must be learnt from one day, a wave of the season need not.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forecast.daily import Daily

Doubles = npt.NDArray[np.float64]

_WEEKDAY, _SEASON, _HOLIDAY, _FEAST = 1.5, 0.8, 2.0, 3.0
_READILY = 3.0
_LONGEST_RUN = 8
_FEASTS, _BEFORE, _AFTER = 40, -4, 8


def design(daily: Daily, zone: int, last_day: int) -> Doubles:
    """Terms of the regression for one zone, shape (days, terms)."""
    weekday = daily.column("weekday", zone).astype(int)
    angle = 2 * np.pi * daily.column("year_fraction", zone)
    seasons = np.stack([f(k * angle) for k in (1, 2, 3) for f in (np.sin, np.cos)], axis=1)
    days, weekend = np.eye(7)[weekday], (weekday >= 5).astype(float)[:, None]
    school, home = (_known(daily, zone, c)[:, None] for c in ("school_share", "school_home"))
    holiday = [
        _known(daily, zone, c)
        for c in ("holiday", "eve", "after", "bridge", "holiday_share", "off_share")
    ]
    # The trend stops at the end of what was seen: a ridge must not extrapolate a slope.
    year = (np.minimum(daily.first_day + np.arange(daily.days), last_day) - last_day) / 365.25
    return np.concatenate(
        [
            _WEEKDAY * days,
            _SEASON * (days[:, :, None] * seasons[:, None, :4]).reshape(len(days), -1),
            _SEASON * seasons,
            school,
            home,
            school * days,
            home * weekend,
            school * seasons[:, :2],
            _HOLIDAY * np.stack(holiday, axis=1),
            np.stack([year, np.abs(year + 1), np.maximum(year + 0.25, 0)], axis=1),
            _HOLIDAY * _run_terms(daily, zone, days),
            np.stack([_known(daily, zone, "run_to", 30) == k for k in (1, 2, 3)], axis=1),
            _FEAST * _feast_terms(daily, zone),
            _market_terms(daily, zone, weekend),
        ],
        axis=1,
    ).astype(np.float64)


def _known(daily: Daily, zone: int, column: str, otherwise: float = 0.0) -> Doubles:
    return np.nan_to_num(daily.column(column, zone), nan=otherwise)


def _run_terms(daily: Daily, zone: int, days: Doubles) -> Doubles:
    """What any holiday run does, whatever its feast: by weekday, length, and day of it."""
    length, position = _known(daily, zone, "run_length"), _known(daily, zone, "run_position")
    run = (length > 0).astype(float)
    return np.column_stack(
        [
            run,
            run[:, None] * days,
            np.minimum(length, _LONGEST_RUN) / _LONGEST_RUN,
            *(run * (position == k) for k in (1, 2)),
            *(run * (length - position == k) for k in (0, 1)),
        ]
    )


def _market_terms(daily: Daily, zone: int, weekend: Doubles) -> Doubles:
    """What the calendar of each market does by itself: how much each counts is learnt.

    Days off and their eves, school holidays, those of the weekend, and the days on which a break
    begins and ends, when everyone is on the road. A market that sends few of the zone's visitors is
    believed less readily.
    """
    readily = np.minimum(np.sqrt(_READILY * daily.shares[zone]), 1.0)
    off, pupils = daily.markets.astype(np.float64).transpose(0, 2, 1) * readily
    before, after = (np.roll(pupils, k, axis=0) for k in (3, -3))
    tomorrow = np.roll(pupils, -1, axis=0)
    return np.concatenate(
        [
            off,
            np.roll(off, -1, axis=0),
            pupils,
            pupils * weekend,
            np.maximum(pupils - before, 0),
            np.maximum(pupils - after, 0),
            np.maximum(tomorrow - pupils, 0),
        ],
        axis=1,
    )


def _feast_terms(daily: Daily, zone: int) -> Doubles:
    """One term per feast and day around it, from four before to eight after."""
    feast = _known(daily, zone, "feast").astype(int)
    offset = _known(daily, zone, "feast_offset", 99).astype(int)
    span = _AFTER - _BEFORE + 1
    terms = np.zeros((daily.days, _FEASTS * span))
    inside = (feast > 0) & (offset >= _BEFORE) & (offset <= _AFTER)
    column = (feast % _FEASTS) * span + np.clip(offset - _BEFORE, 0, span - 1)
    terms[np.flatnonzero(inside), column[inside]] = 1.0
    return terms
