"""What refuses nothing and deserves a look: sensors that died, stuck, jumped or left holes.

Each test looks at one series (a zone, or a site of a zone) of one variable, laid out as a line of
days; series are handled together, as a matrix (series × days).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.grid import day_number
from forecast.ingest.contract import SourceTable
from forecast.ingest.coverage import iso, series_of
from forecast.ingest.report import Bools, Findings, Ints

Floats = npt.NDArray[np.float64]

FLAT_DAYS = 7
"""Days of one same value that make a flat line."""
SPIKE_Z = 10.0
"""Robust z-score, against the same weekday of the six neighbouring weeks, that makes a spike."""


_ZERO_IS_ODD = {"influx", "count", "occupancy", "occupancy_peak", "tonnage"}
_SPIKES = _ZERO_IS_ODD | {"temperature_max", "temperature_min"}
_FLAT = _SPIKES | {"sunshine", "wind_gust", "precipitation"}
_CELLS = 1_000_000


@dataclass(frozen=True)
class Lines:
    """Some series of one variable: ``matrix`` and ``line`` have shape (series, days)."""

    names: list[str]
    variable: str
    first_day: int
    matrix: Floats
    line: Ints


def suspect_series(
    file: str, table: SourceTable, observations: pd.DataFrame, findings: Findings
) -> None:
    """Record what looks wrong in the values of the measured series of one file."""
    if not table.measured or observations.empty:
        return
    series, labels = series_of(observations)
    day = day_number(observations["date"]).astype(np.int64)
    for variable in table.variables:
        rows = np.flatnonzero((observations["variable"] == variable).to_numpy())
        if variable not in _FLAT or not len(rows):
            continue
        for lines in _lay_out(variable, observations.iloc[rows], series[rows], labels, day[rows]):
            _flat(file, lines, findings)
            _zeros(file, lines, findings)
            _spikes(file, lines, findings)


def _lay_out(
    variable: str, rows: pd.DataFrame, series: Ints, labels: list[str], day: Ints
) -> list[Lines]:
    """Series as lines of days, in blocks that fit in memory; a revision hides what it revises."""
    order = np.lexsort((rows["available_at"].to_numpy(), day, series))
    series, day = series[order], day[order]
    value, line = rows["value"].to_numpy()[order], rows["line"].to_numpy()[order]
    first, days = int(day.min()), int(day.max() - day.min()) + 1
    per_block = max(1, _CELLS // days)
    blocks = []
    for start in range(0, int(series.max()) + 1, per_block):
        a, b = np.searchsorted(series, [start, start + per_block])
        if a == b:
            continue
        n = int(series[b - 1]) - start + 1
        values, lines = np.full((n, days), np.nan), np.zeros((n, days), dtype=np.int64)
        values[series[a:b] - start, day[a:b] - first] = value[a:b]
        lines[series[a:b] - start, day[a:b] - first] = line[a:b]
        blocks.append(Lines(labels[start : start + n], variable, first, values, lines))
    return blocks


def _runs(mask: Bools) -> tuple[Ints, Ints, Ints]:
    """Series, first day and length of every run of True along the days."""
    edge = np.diff(np.pad(mask, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    series, start = np.nonzero(edge == 1)
    return series, start, np.nonzero(edge == -1)[1] - start


def _flat(file: str, lines: Lines, findings: Findings) -> None:
    values = lines.matrix
    same = np.zeros(values.shape, dtype=bool)
    same[:, 1:] = (values[:, 1:] == values[:, :-1]) & (values[:, 1:] != 0)
    for series, start, length in zip(*_runs(same), strict=True):
        if length + 1 >= FLAT_DAYS:
            _add(
                findings,
                "flat_line",
                file,
                lines,
                series,
                start - 1,
                f"{lines.names[series]}: the same value {length + 1} days running "
                f"{_span(lines, start - 1, length + 1)}",
                "is the sensor stuck, or are the days filled in?",
            )


def _zeros(file: str, lines: Lines, findings: Findings) -> None:
    if lines.variable not in _ZERO_IS_ODD:
        return
    values = lines.matrix
    series, start, length = _runs(values == 0)
    if not len(series):
        return
    runs = np.bincount(series, minlength=len(values))
    rare = (runs > 0) & (runs <= np.maximum(1, 0.02 * np.sum(~np.isnan(values), axis=1)))
    for s in np.flatnonzero(rare):
        positive = values[s][values[s] > 0]
        # A series that often comes close to zero may well reach it.
        rare[s] = len(positive) > FLAT_DAYS and bool(
            np.quantile(positive, 0.05) > 0.1 * np.median(positive)
        )
    for s, first, n in zip(series, start, length, strict=True):
        if rare[s]:
            _add(
                findings,
                "zeros",
                file,
                lines,
                s,
                first,
                f"{lines.names[s]}: zero {_span(lines, first, n)}, and rarely otherwise",
                "if the sensor was down, leave the cells empty",
            )


def _spikes(file: str, lines: Lines, findings: Findings) -> None:
    values = lines.matrix
    if lines.variable not in _SPIKES or values.shape[1] < 29:
        return
    padded = np.pad(values, ((0, 0), (21, 21)), constant_values=np.nan)
    days = values.shape[1]
    around = np.stack([padded[:, 21 + k : 21 + k + days] for k in (-21, -14, -7, 7, 14, 21)])
    known = np.sum(~np.isnan(around), axis=0)
    middle = _median(around, known)
    scale = 1.4826 * _median(np.abs(around - middle), known)
    enough = (known >= 4) & ~np.isnan(values)
    usual = np.array(
        [np.median(s[e]) if e.any() else 0.0 for s, e in zip(scale, enough, strict=True)]
    )
    far = np.abs(values - middle) > SPIKE_Z * np.maximum(scale, usual[:, None])
    if lines.variable in _ZERO_IS_ODD:
        far &= values > 3 * np.fmax.reduce(around, axis=0)
    far &= enough & (np.maximum(scale, usual[:, None]) > 0)
    for s, t in zip(*np.nonzero(far), strict=True):
        _add(
            findings,
            "spike",
            file,
            lines,
            s,
            t,
            f"{lines.names[s]}: {values[s, t]:g} on {iso(lines.first_day + t)}, where the same "
            f"weekday of the weeks around has {middle[s, t]:g}",
            "is it a count of several days, or a real crowd?",
        )


def _median(stack: Floats, known: Ints) -> Floats:
    """Median over the first axis of the ``known`` numbers; NaN sorts last."""
    ordered = np.sort(stack, axis=0)
    low, high = np.maximum(known - 1, 0) // 2, np.minimum(known // 2, len(stack) - 1)
    both: list[Floats] = [np.take_along_axis(ordered, at[None], axis=0)[0] for at in (low, high)]
    return (both[0] + both[1]) / 2


def _add(
    findings: Findings, kind: str, file: str, lines: Lines, s: int, t: int, what: str, advice: str
) -> None:
    findings.add(kind, file, what, line=int(lines.line[s, t]), column=lines.variable, advice=advice)


def _span(lines: Lines, start: int, length: int) -> str:
    first = lines.first_day + int(start)
    if length == 1:
        return f"on {iso(first)}"
    return f"from {iso(first)} to {iso(first + int(length) - 1)}"
