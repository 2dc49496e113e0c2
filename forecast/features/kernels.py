"""As-of kernels: the compiled loops that answer questions from what was readable at their origin.

Every kernel walks the asks of a zone in the order of their origins and replays its rows into a
line of days (see ``updates.py``), so that it never sees a row whose ``available_at`` lies after
the origin, and sees the latest revision of each row that does not. Days are positions in that
line; a day outside it is a day of which nothing is known. Zones are independent, so :func:`run`
spreads them over threads; the loops hold no lock.

This module holds what the kernels share; each ``kernels_*.py`` holds those of a kind of source.
Sums are in float64, the line and the answers in float32.
"""

from __future__ import annotations

import itertools
import os
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar, cast

import numba
import numpy as np
import numpy.typing as npt

from forecast.features.updates import DAY
from forecast.grid import Grid

Array = npt.NDArray[Any]
Function = TypeVar("Function", bound=Callable[..., Any])

NAN = np.float32(np.nan)
_VERSION = f"_{zlib.crc32(Path(__file__).read_bytes()):08x}"
STALE = 35
"""Days after which a source that fell silent says nothing of today [d]."""


def compiled(function: Function) -> Function:
    """Compile a function at its first call, keep the code beside its module, free the lock.

    Kept code is named by the function and dated by its module alone, yet it contains what it calls
    of this one: the name therefore says which version of this module that was.
    """
    function.__qualname__ += _VERSION
    return cast(Function, numba.njit(nogil=True, cache=True, error_model="numpy")(function))


def run(kernel: Callable[..., None], grid: Grid, *arguments: object) -> None:
    """Call ``kernel(low, high, asks, *arguments)`` over all zones asked about, in threads.

    ``asks`` are the arrays of ``grid`` that every kernel needs; ``low`` and ``high`` bound zones.
    """
    asks = (grid.zone_asks(), grid.ask_origin, grid.ask_day, grid.first_row, grid.target_day)
    asked = np.flatnonzero(np.diff(asks[0]))
    first, end = (asked[0], asked[-1] + 1) if len(asked) else (0, 0)
    threads = min(os.cpu_count() or 1, end - first)
    if threads <= 1 or len(grid) <= 20_000:
        # A thread costs more than the few questions of one origin.
        kernel(first, end, asks, *arguments)
        return
    bounds = np.linspace(first, end, 4 * threads + 1).astype(int)
    with ThreadPoolExecutor(threads) as pool:
        futures = [
            pool.submit(kernel, low, high, asks, *arguments)
            for low, high in itertools.pairwise(bounds.tolist())
            if high > low
        ]
        for future in futures:
            future.result()


@compiled
def replay(known: Array, newest: int, p: int, end: int, origin: int, rows: Any) -> tuple[int, int]:
    """Write the rows from ``p`` on that are readable at ``origin`` into the line of days.

    Returns the next row and the newest known day.
    """
    _zone_series, _start, date, at, value, first_day, _days = rows
    while p < end and at[p] <= origin:
        d = date[p] // DAY - first_day
        known[d] = value[p]
        newest = max(newest, d)
        p += 1
    return p, newest


@compiled
def ratio(value: float, base: float) -> float:
    """``value / base``, NaN where the base says nothing."""
    return value / base if base > 0 else np.nan


@compiled
def at_day(known: Array, day: int) -> float:
    """Value of a day, NaN outside the line."""
    return known[day] if 0 <= day < len(known) else np.nan


@compiled
def mean(known: Array, low: int, high: int) -> float:
    """Mean of the known days ``low`` to ``high`` inclusive, NaN if none."""
    total, count = 0.0, 0
    for d in range(max(low, 0), min(high + 1, len(known))):
        v = known[d]
        if not np.isnan(v):
            total += v
            count += 1
    return total / count if count else np.nan


@compiled
def steady_mean(values: Array, count: int, least: float) -> float:
    """Mean of the first ``count`` values, in which outliers count as the median.

    An outlier is less than an e-th of the median (as in ``forecast/outliers.py``). Of fewer than
    four values, or where their median is below ``least``, none is.
    """
    total = 0.0
    for i in range(count):
        total += values[i]
    if count < 4:
        return total / count if count else np.nan
    ordered = np.sort(values[:count])
    middle = (ordered[(count - 1) // 2] + ordered[count // 2]) / 2
    if middle < least:
        return total / count
    for i in range(count):
        if values[i] * np.e < middle:
            total += middle - values[i]
    return total / count
