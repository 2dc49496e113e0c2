"""The tide at Le Havre from its harmonic constituents.

The height is Σ f·A·cos(V + u − g) over the constituents: A and g (Greenwich phase lag) come from
``assets/le_havre_tide.json``; V from the mean longitudes of moon and sun; f and u correct for the
18.6-year cycle of the lunar nodes. Doodson numbers and nodal formulas are those of the list of the
IHO Tides, Water Level and Currents Working Group (also in Pugh & Woodworth, *Sea-Level Science*,
2014, tables 4.1 to 4.3). Heights are in metres about mean sea level, instants are UTC.

The French *coefficient de marée* is defined by the semidiurnal tide at Brest; it is not computed
here, since these constituents are those of Le Havre. Weather surges are not predicted.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from importlib import resources
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
STATION = (49.481892, 0.10598)
"""Latitude and longitude of the Le Havre gauge [degrees]."""
LOW_WATER = -1.5
"""Height under which the sands and rocks lie bare [m about mean sea level]."""
STEP_MINUTES = 10
_STEPS = 24 * 60 // STEP_MINUTES

# name: (multiples of tau, s, h, p, N', p1), quarter turns added, whose nodal correction
_PRINCIPAL: dict[str, tuple[tuple[int, ...], int, str]] = {
    "SA": ((0, 0, 1, 0, 0, 0), 0, ""),
    "SSA": ((0, 0, 2, 0, 0, 0), 0, ""),
    "MM": ((0, 1, 0, -1, 0, 0), 0, "MM"),
    "MF": ((0, 2, 0, 0, 0, 0), 0, "MF"),
    "MTM": ((0, 3, 0, -1, 0, 0), 0, "MF"),
    "MSQM": ((0, 4, -2, 0, 0, 0), 0, "MF"),
    "2Q1": ((1, -3, 0, 2, 0, 0), -1, "O1"),
    "Q1": ((1, -2, 0, 1, 0, 0), -1, "O1"),
    "RHO1": ((1, -2, 2, -1, 0, 0), -1, "O1"),
    "O1": ((1, -1, 0, 0, 0, 0), -1, "O1"),
    "P1": ((1, 1, -2, 0, 0, 0), -1, ""),
    "S1": ((1, 1, -1, 0, 0, 0), 0, ""),
    "K1": ((1, 1, 0, 0, 0, 0), 1, "K1"),
    "J1": ((1, 2, 0, -1, 0, 0), 1, "J1"),
    "OO1": ((1, 3, 0, 0, 0, 0), 1, "OO1"),
    "EP2": ((2, -3, 2, 1, 0, 0), 0, "M2"),
    "2N2": ((2, -2, 0, 2, 0, 0), 0, "M2"),
    "MU2": ((2, -2, 2, 0, 0, 0), 0, "M2"),
    "N2": ((2, -1, 0, 1, 0, 0), 0, "M2"),
    "NU2": ((2, -1, 2, -1, 0, 0), 0, "M2"),
    "MA2": ((2, 0, -1, 0, 0, 0), 0, "M2"),
    "M2": ((2, 0, 0, 0, 0, 0), 0, "M2"),
    "MB2": ((2, 0, 1, 0, 0, 0), 0, "M2"),
    "LAMBDA2": ((2, 1, -2, 1, 0, 0), 2, "M2"),
    "L2": ((2, 1, 0, -1, 0, 0), 2, "L2"),
    "T2": ((2, 2, -3, 0, 0, 1), 0, ""),
    "S2": ((2, 2, -2, 0, 0, 0), 0, ""),
    "R2": ((2, 2, -1, 0, 0, -1), 2, ""),
    "K2": ((2, 2, 0, 0, 0, 0), 0, "K2"),
    "S3": ((3, 3, -3, 0, 0, 0), 0, ""),
}
# Overtides and compounds of shallow water: their parts, each with its factor.
_COMPOUND: dict[str, dict[str, int]] = {
    "MSF": {"S2": 1, "M2": -1},
    "MKS2": {"M2": 1, "K2": 1, "S2": -1},
    "2SM2": {"S2": 2, "M2": -1},
    "N4": {"N2": 2},
    "MN4": {"M2": 1, "N2": 1},
    "M4": {"M2": 2},
    "MS4": {"M2": 1, "S2": 1},
    "S4": {"S2": 2},
    "2MK5": {"M2": 2, "K1": 1},
    "2MO5": {"M2": 2, "O1": 1},
    "M6": {"M2": 3},
    "2MS6": {"M2": 2, "S2": 1},
    "M8": {"M2": 4},
}


@dataclass(frozen=True)
class Extremes:
    """High and low waters in order of time, shape (extremes,).

    ``instant`` is in µs since 1970 UTC, ``height`` in m about mean sea level; ``high`` marks high
    water.
    """

    instant: npt.NDArray[np.int64]
    height: Floats
    high: npt.NDArray[np.bool_]


@dataclass(frozen=True)
class DailyTides:
    """What the tide does on each civil day, arrays of shape (days,).

    ``range`` is the highest less the lowest height of the day [m]; ``low_bathing`` says whether
    low water falls in bathing hours, 10 to 18 h local time; ``low_hours`` is the time within
    them that the sea stands below :data:`LOW_WATER` [h]; ``low_time`` is the local time of the
    low water nearest to 14 h [h].
    """

    range: Floats
    low_bathing: npt.NDArray[np.bool_]
    low_hours: Floats
    low_time: Floats


@lru_cache(maxsize=1)
def _constituents() -> tuple[tuple[str, ...], Floats, Floats]:
    """Names, amplitudes [m] and Greenwich phase lags [degrees] of the constituents in use.

    M1, M3, SGM, 3L2, 3N2, T3 and R3 of the file are left out: authors do not agree on their
    arguments, and together they stay under 4 cm.
    """
    text = resources.files("forecast").joinpath("assets/le_havre_tide.json").read_text("utf-8")
    known = json.loads(text)["constituents"]
    names = tuple(name for name in known if name in _PRINCIPAL or name in _COMPOUND)
    values = np.array([known[name] for name in names])
    return names, values[:, 0], values[:, 1]


def _longitudes(days: Floats) -> Floats:
    """Mean longitudes s, h, p, N, p1 [degrees], shape (5, days), at days since 1970 UTC."""
    century = (days - 10957.5) / 36525  # since J2000.0; Meeus, Astronomical Algorithms, 1998
    start = np.array([218.3164477, 280.46646, 83.3532465, 125.04452, 282.93735])
    speed = np.array([481267.88123421, 36000.76983, 4069.0137287, -1934.136261, 1.71946])
    return start[:, None] + speed[:, None] * century


def _nodal(perigee: Floats, node: Floats) -> dict[str, npt.NDArray[np.complex128]]:
    """Nodal corrections f·exp(iu) by name, each of shape (days,); arguments in degrees."""
    n, p = np.radians(node), np.radians(perigee)

    def form(f: tuple[float, ...], u: tuple[float, ...]) -> npt.NDArray[np.complex128]:
        size = sum(c * np.cos(k * n) for k, c in enumerate(f))
        turn = sum(c * np.sin(k * n) for k, c in enumerate(u, start=1))
        return np.asarray(size * np.exp(1j * np.radians(turn)))

    lunar = -0.0156 * np.exp(1j * (2 * p - 2 * n)) - 0.1102 * np.exp(1j * (2 * p - n))
    return {
        "": np.ones(len(n), dtype=complex),
        "MM": form((1.0, -0.130, 0.0013), (0.0,)),
        "MF": form((1.043, 0.414), (-23.7, 2.7, -0.4)),
        "O1": form((1.009, 0.187, -0.015), (10.8, -1.3, 0.2)),
        "K1": form((1.006, 0.115, -0.009), (-8.9, 0.7)),
        "J1": form((1.013, 0.168, -0.017), (-12.9, 1.3, -0.2)),
        "OO1": form((1.1027, 0.6504, 0.0317, -0.0014), (-36.7, 4.0, -0.6)),
        "M2": form((1.0, -0.037), (-2.1,)),
        "K2": form((1.024, 0.286, 0.008), (-17.7, 0.7)),
        "L2": 1 - 0.2505 * np.exp(2j * p) + lunar - 0.0370 * np.exp(1j * n),
    }


def heights(first_day: int, days: int) -> Floats:
    """Predicted height every ten minutes, shape (days, 144) [m about mean sea level].

    ``first_day`` is in days since 1970-01-01; each day starts at 00:00 UTC.
    """
    names, amplitude, phase = _constituents()
    day = first_day + np.arange(days, dtype=np.float64)
    s, h, p, node, perihelion = _longitudes(day)
    rates = np.diff(_longitudes(np.array([0.0, 1.0])))[:, 0] / 24
    longitudes = np.stack([h - s, s, h, p, -node, perihelion])
    speeds = np.array([15 + rates[1] - rates[0], *rates[:3], -rates[3], rates[4]])
    correction = _nodal(p, node)
    argument, speed = np.empty((len(names), days)), np.empty(len(names))
    nodal = np.empty((len(names), days), dtype=complex)
    for i, name in enumerate(names):
        doodson, quarter, factor = np.zeros(6), 0, np.ones(days, dtype=complex)
        for part, times in _COMPOUND.get(name, {name: 1}).items():
            numbers, quarters, formula = _PRINCIPAL[part]
            doodson += times * np.array(numbers)
            quarter += times * quarters
            one = correction[formula]
            factor *= (one if times > 0 else one.conj()) ** abs(times)
        argument[i] = doodson @ longitudes + 90 * quarter - phase[i]
        speed[i], nodal[i] = doodson @ speeds, factor
    wave = amplitude[:, None] * nodal * np.exp(1j * np.radians(argument))
    hours = np.arange(_STEPS) * STEP_MINUTES / 60
    turn = np.exp(1j * np.radians(speed[:, None] * hours))
    return np.asarray((wave.T @ turn).real)


def extremes(first_day: int, days: int) -> Extremes:
    """High and low waters whose instant falls within the span of UTC days.

    Le Havre holds its high water for two hours or more, often with two humps: an extreme is the
    highest (lowest) point within four hours on either side, refined by a parabola.
    """
    level = heights(first_day - 1, days + 2).ravel()
    reach = 4 * 60 // STEP_MINUTES
    around = np.lib.stride_tricks.sliding_window_view(level, 2 * reach + 1)
    centre = np.arange(reach, len(level) - reach)
    high = level[centre] == around.max(axis=1)
    at = centre[high | (level[centre] == around.min(axis=1))]
    before, here, after = level[at - 1], level[at], level[at + 1]
    shift = 0.5 * (before - after) / (before - 2 * here + after)
    minute = (first_day - 1) * 1440 + (at + shift) * STEP_MINUTES
    inside = (minute >= first_day * 1440) & (minute < (first_day + days) * 1440)
    return Extremes(
        instant=np.rint(minute[inside] * 60e6).astype(np.int64),
        height=(here - 0.25 * (before - after) * shift)[inside],
        high=high[at - reach][inside],
    )


@lru_cache(maxsize=8)
def daily(first_day: int, days: int, timezone: str) -> DailyTides:
    """Facts of the tide on each civil day of ``timezone``; see :class:`DailyTides`."""
    zone, start = ZoneInfo(timezone), datetime(1970, 1, 1, 12)
    offset = np.array(
        [
            (start + timedelta(days=first_day + i)).replace(tzinfo=zone).utcoffset()
            for i in range(days)
        ],
        dtype="timedelta64[m]",
    ).astype(np.int64)
    level = heights(first_day - 1, days + 2).ravel()
    midnight = ((1 + np.arange(days)) * 1440 - offset) // STEP_MINUTES
    civil = level[midnight[:, None] + np.arange(_STEPS)]
    bathing = civil[:, 10 * 60 // STEP_MINUTES : 18 * 60 // STEP_MINUTES]
    found = extremes(first_day - 1, days + 2)
    low = found.instant[~found.high]
    noon = ((first_day + np.arange(days)) * 1440 - offset + 14 * 60) * 60_000_000
    after = np.clip(np.searchsorted(low, noon), 1, len(low) - 1)
    gap = np.stack([low[after - 1] - noon, low[after] - noon])
    nearest = np.where(np.abs(gap[0]) <= np.abs(gap[1]), gap[0], gap[1]) / 3.6e9
    return DailyTides(
        range=np.ptp(civil, axis=1),
        low_bathing=np.abs(nearest) <= 4,
        low_hours=(bathing < LOW_WATER).sum(axis=1) * (STEP_MINUTES / 60),
        low_time=14 + nearest,
    )
