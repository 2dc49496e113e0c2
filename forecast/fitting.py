"""What a model reads: its columns and table, the lines of influx, and the level of last resort."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from forecast.cells import Cells, day_kind, horizon_group
from forecast.daily import Daily
from forecast.grid import Grid
from forecast.linear import OWN
from forecast.matrix import FeatureMatrix
from forecast.truth import Truth

Doubles = npt.NDArray[np.float64]

LEVEL = "history_level"
"""The column by which influx is scaled."""

OWN_COLUMNS = (*(f"model_{name}" for name in OWN), "model_zone")
"""Columns the model adds to those of the matrix: what its partner says, and which zone it is."""

_NEEDED = (LEVEL, "calendar_weekday", "calendar_run_length", "calendar_horizon_days")


def trainable_columns(matrix: FeatureMatrix) -> tuple[str, ...]:
    """Columns in which anything is known; a territory without car parks has no use for theirs."""
    return tuple(
        name
        for name, line in zip(matrix.columns, matrix.values, strict=True)
        if name in _NEEDED or np.isfinite(line).any()
    )


def zone_positions(zone_ids: tuple[str, ...], grid: Grid) -> npt.NDArray[np.int64]:
    """Position of each question's zone among ``zone_ids``, −1 if it is not there."""
    index = {zone: i for i, zone in enumerate(zone_ids)}
    code = np.array([index.get(z, -1) for z in grid.zone_ids] + [-1], dtype=np.int64)
    return np.asarray(code[grid.row_zone])


def model_table(
    matrix: FeatureMatrix,
    columns: tuple[str, ...],
    said: Doubles,
    zone: npt.NDArray[np.int64],
) -> npt.NDArray[np.float32]:
    """``columns`` of the matrix and :data:`OWN_COLUMNS`, shape (columns, questions).

    ``said`` is what the partner says, shape (4, questions).
    """
    table = np.empty((len(columns) + len(OWN_COLUMNS), len(matrix.grid)), dtype=np.float32)
    for i, name in enumerate(columns):
        table[i] = matrix.column(name)
    table[len(columns) : -1] = said
    table[-1] = np.where(zone >= 0, zone, np.nan)
    return table


def matrix_cells(matrix: FeatureMatrix, zone: npt.NDArray[np.int64]) -> Cells:
    """What the blend and the calibration of each question depend on."""
    return Cells(
        horizon_group(matrix.grid.horizon),
        day_kind(matrix.column("calendar_weekday"), matrix.column("calendar_run_length")),
        zone,
    )


def table_cells(columns: tuple[str, ...], table: npt.NDArray[np.float32]) -> Cells:
    """The same of the rows of a prepared table, shape (questions, columns and own columns)."""
    weekday, run, horizon = (
        table[:, columns.index(f"calendar_{name}")]
        for name in ("weekday", "run_length", "horizon_days")
    )
    return Cells(horizon_group(np.nan_to_num(horizon)), day_kind(weekday, run), table_zones(table))


def table_zones(table: npt.NDArray[np.float32]) -> npt.NDArray[np.int64]:
    """Zone of the rows of a prepared table, shape (questions,), −1 where it is not known."""
    return np.nan_to_num(table[:, -1], nan=-1).astype(np.int64)


def truth_lines(truth: Truth, daily: Daily) -> Doubles:
    """Truth on the days of ``daily``, shape (zones, days), NaN outside."""
    lines = np.full((len(daily.zone_ids), daily.days), np.nan)
    start = truth.first_day - daily.first_day
    low, high = max(start, 0), min(start + truth.values.shape[1], daily.days)
    if high > low:
        lines[:, low:high] = truth.values[:, low - start : high - start]
    return lines


def trust_in(trust: Doubles, zone: npt.NDArray[np.int64]) -> Doubles:
    """Trust in the partner of the zone of each question, shape (questions,); 1 in any other.

    >>> trust_in(np.array([0.0, 0.5]), np.array([1, 0, -1])).tolist()
    [0.5, 0.0, 1.0]
    """
    return np.asarray(np.append(trust, 1.0)[zone])


def weekday_levels(truth: Truth, until_day: int) -> Doubles:
    """Median influx by weekday (days since 1970, modulo 7) over the last year of each zone."""
    day = truth.first_day + np.arange(truth.values.shape[1])
    levels = np.full((len(truth.values), 7), np.nan)
    for z, line in enumerate(truth.values):
        for w in range(7):
            known = line[(day % 7 == w) & np.isfinite(line) & (day > until_day - 364)]
            if len(known):
                levels[z, w] = np.median(known)
    return levels


def level_of(matrix: FeatureMatrix, levels: Doubles, zone: npt.NDArray[np.int64]) -> Doubles:
    """Level of each question [visitors day⁻¹]: the matrix's, else that kept for zone and weekday.

    ``levels`` are :func:`weekday_levels`; NaN where nothing is known.
    """
    level = matrix.column(LEVEL).astype(np.float64)
    kept = np.vstack([levels, np.full(7, np.nan)])
    return np.where(level > 0, level, kept[zone, matrix.grid.target_day % 7])
