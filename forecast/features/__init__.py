"""Feature sources: one file per data domain, discovered by being there."""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from forecast.drift import RECENT_DAYS
from forecast.features.base import Evidence, Feature, Source
from forecast.features.kernels import run
from forecast.features.kernels_days import latest
from forecast.grid import Grid
from forecast.matrix import FeatureMatrix

__all__ = ["Evidence", "Feature", "FeatureMatrix", "Source", "build", "build_parts", "discover"]

_HELPERS = ("base", "kernels", "updates")
"""A module whose name begins so is no source."""


def discover() -> tuple[Source, ...]:
    """Every source of this package, in alphabetical order.

    Raises
    ------
    TypeError
        If a module here has no ``SOURCE`` that follows the protocol.
    """
    found = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if module.name.startswith(_HELPERS):
            continue
        source = getattr(importlib.import_module(f"{__name__}.{module.name}"), "SOURCE", None)
        if not isinstance(source, Source):
            raise TypeError(f"forecast/features/{module.name}.py defines no SOURCE; see base.py")
        found.append(source)
    return tuple(found)


def build(grid: Grid, evidence: Evidence, sources: Sequence[Source] | None = None) -> FeatureMatrix:
    """Answer every question of ``grid`` with the columns of every source (default: all found).

    Raises
    ------
    ValueError
        If the grid numbers other zones, or in another order, than the evidence's territory.
    """
    if grid.zone_ids != evidence.territory.zone_ids:
        raise ValueError(
            "the grid and the territory list different zones: make the grid with "
            "territory.zone_ids, all of them and in that order"
        )
    chosen = discover() if sources is None else tuple(sources)
    columns = tuple(f"{s.name}_{f.name}" for s in chosen for f in s.features)
    values = np.empty((len(columns), len(grid)), dtype=np.float32)
    row = 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for source in chosen:
            mine = values[row : row + len(source.features)]
            # The first touch of memory costs more than the answers: every core takes a part.
            list(pool.map(lambda column: column.fill(np.nan), mine))
            source.fill(grid, evidence, mine)
            row += len(source.features)
    recent = recent_influx(grid, evidence) if sources is None else None
    return FeatureMatrix(grid, columns, values, evidence.perfect_weather, recent)


def recent_influx(grid: Grid, evidence: Evidence) -> npt.NDArray[np.float32]:
    """Influx of the days up to each origin, as known then: ``FeatureMatrix.recent``."""
    recent = np.full((len(grid.ask_zone), RECENT_DAYS), np.nan, dtype=np.float32)
    run(latest, grid, evidence.updates("influx", "influx").rows, recent)
    return recent


def build_parts(
    grid: Grid,
    evidence: Evidence,
    sources: Sequence[Source] | None = None,
    *,
    questions: int = 500_000,
) -> Iterator[FeatureMatrix]:
    """The matrix of :func:`build` a few zones at a time, in order: about so many questions each.

    For a matrix that need not be in memory whole. Every part has the columns and the exact figures
    that the whole would have.
    """
    ends = grid.first_row[grid.zone_asks()]
    low, zones = -1, len(grid.zone_ids)  # zones outside the territory are numbered -1
    while low < zones:
        start = ends[low] if low >= 0 else 0
        high = max(int(np.searchsorted(ends, start + questions, side="right")) - 1, low + 1)
        part, _ = grid.take((grid.ask_zone >= low) & (grid.ask_zone < high))
        if len(part):
            yield build(part, evidence, sources)
        low = high
