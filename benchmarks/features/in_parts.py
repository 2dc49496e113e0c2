"""The engine of the product when the matrix need not be in memory: `build_parts`, to a file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.features import ours
from benchmarks.features.world import HORIZONS, Table
from forecast.features import Evidence, FeatureMatrix, build_parts
from forecast.grid import make_grid


def prepare(world: dict[str, Table], origins: np.ndarray) -> Callable[[], FeatureMatrix]:
    """As `ours.prepare`; the answer is a memory map of a file of the same float32 lines."""
    observations, place, instants = ours.tables(world, origins)
    sources = ours.sources()

    def answer() -> FeatureMatrix:
        grid = make_grid(instants, place.zone_ids, range(HORIZONS), place.timezone)
        # The file has no name: it goes with the memory map.
        with tempfile.TemporaryFile() as file:
            done, columns = 0, ()
            for part in build_parts(grid, Evidence(observations, place), sources):
                for i, line in enumerate(part.values):
                    os.pwrite(file.fileno(), line.data, 4 * (i * len(grid) + done))
                done, columns = done + len(part.grid), part.columns
            shape = (len(columns), len(grid))
            values: Any = np.memmap(file, dtype=np.float32, mode="r", shape=shape)
        return FeatureMatrix(grid, columns, values)

    return answer
