"""A feature matrix written to a file a few zones at a time, so that it need not fit in memory."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.features import build_parts, discover
from forecast.features.base import Evidence
from forecast.grid import Grid
from forecast.matrix import FeatureMatrix


def write_matrix(grid: Grid, evidence: Evidence, path: Path | None) -> dict[str, tuple[int, float]]:
    """Answer every question of ``grid`` into a Parquet file, or into none.

    Returns for each source how many columns it has, and the share of their cells that it could
    fill [1]. The file is there whole or, if this fails, not at all; one that stood there is
    replaced.
    """
    sources = discover()
    known = np.zeros(len(sources))
    with ExitStack() as stack:
        writer, unfinished = None, None
        for part in build_parts(grid, evidence):
            for i, source in enumerate(sources):
                columns = [part.columns.index(f"{source.name}_{f.name}") for f in source.features]
                known[i] += np.isfinite(part.values[columns]).sum()
            if path is None:
                continue
            table = _table(part)
            if writer is None:
                unfinished = path.with_name(f".{path.name}.unfinished")
                stack.callback(unfinished.unlink, missing_ok=True)
                writer = stack.enter_context(pq.ParquetWriter(unfinished, table.schema))
            writer.write_table(table)
        if path is not None and writer is not None and unfinished is not None:
            writer.close()
            unfinished.replace(path)
    return {
        source.name: (len(source.features), float(known[i] / (len(source.features) * len(grid))))
        for i, source in enumerate(sources)
    }


def _table(part: FeatureMatrix) -> pa.Table:
    """The rows of ``FeatureMatrix.frame`` for Arrow."""
    utc = pa.timestamp("us", tz="UTC")
    columns: dict[str, pa.Array] = {}
    for name, values in part.frame().items():
        # Arrow reads a column with a time zone in a way that pandas 3.1 warns of.
        instants = isinstance(values.dtype, pd.DatetimeTZDtype)
        columns[str(name)] = (
            pa.array(values.dt.tz_convert(None)).cast(utc) if instants else pa.array(values)
        )
    return pa.table(columns)
