"""Feature sources: one file per data domain, discovered by being there."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence

import numpy as np

from forecast.features.base import Evidence, Feature, Floats, Source
from forecast.grid import Grid
from forecast.matrix import FeatureMatrix

__all__ = ["Evidence", "Feature", "FeatureMatrix", "Source", "build", "discover"]

_HELPERS = {"base", "kernels", "updates"}


def discover() -> tuple[Source, ...]:
    """Every source of this package, in alphabetical order.

    Raises
    ------
    TypeError
        If a module here has no ``SOURCE`` that follows the protocol.
    """
    found = []
    for module in sorted(pkgutil.iter_modules(__path__), key=lambda m: m.name):
        if module.name in _HELPERS:
            continue
        source = getattr(importlib.import_module(f"{__name__}.{module.name}"), "SOURCE", None)
        if not isinstance(source, Source):
            raise TypeError(f"forecast/features/{module.name}.py defines no SOURCE; see base.py")
        found.append(source)
    return tuple(found)


def build(grid: Grid, evidence: Evidence, sources: Sequence[Source] | None = None) -> FeatureMatrix:
    """Answer every question of ``grid`` with the columns of every source (default: all found)."""
    chosen = discover() if sources is None else tuple(sources)
    columns = tuple(f"{s.name}_{f.name}" for s in chosen for f in s.features)
    values = np.full((len(columns), len(grid)), np.nan, dtype=np.float32)
    row = 0
    for source in chosen:
        source.fill(grid, evidence, values[row : row + len(source.features)])
        row += len(source.features)
    return FeatureMatrix(grid, columns, values, evidence.perfect_weather)
