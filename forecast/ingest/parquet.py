"""Parquet files: typed columns are taken as they are, types that do not fit are reported."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from forecast.ingest.contract import SourceTable
from forecast.ingest.raw import RawTable, check_header, text_series
from forecast.ingest.report import Findings
from forecast.tables import Kind

_EXPECTED = {
    "text": "text (string); identifiers stored as numbers lose their leading zeros",
    "number": "numbers (float64 or an integer type)",
    "integer": "integers",
    "date": "days (date32, or timestamps without time zone at midnight) or text",
    "instant": "timestamps or text",
}


def read_parquet(path: Path, table: SourceTable, findings: Findings) -> RawTable | None:
    """Read a Parquet file, or record why it cannot be read and return None."""
    file = path.name
    try:
        with pq.ParquetFile(path) as parquet:
            names = [str(name) for name in parquet.schema_arrow.names]
            places = check_header(file, names, table, findings, line=None)
            if places is None:
                return None
            data = parquet.read(columns=[names[place] for place in places.values()])
    except (pa.ArrowException, OSError, ValueError) as error:
        findings.add(
            "unreadable",
            file,
            f"the file is not readable Parquet ({str(error).splitlines()[0][:120]})",
            advice="write it again",
        )
        return None
    columns: dict[str, pd.Series] = {}
    for name, place in places.items():
        column = data.column(names[place])
        series = _series(column, table.schema.column(name).kind)
        if series is None:
            findings.add(
                "column_type",
                file,
                f"the column is stored as {column.type}",
                column=name,
                expected=_EXPECTED[table.schema.column(name).kind],
                advice="convert the column before writing the file",
            )
        else:
            columns[name] = series
    if len(columns) < len(places):
        return None
    rows = data.num_rows
    return RawTable(file, columns, np.arange(1, rows + 1), np.zeros(rows, dtype=bool))


def _series(column: Any, kind: Kind) -> pd.Series | None:
    """The column as text, floats, days or instants; None if its type does not fit."""
    held = column.type
    if pa.types.is_dictionary(held):
        held = held.value_type
        column = column.cast(held)
    if pa.types.is_null(held):
        return text_series([""] * len(column))
    if pa.types.is_string(held) or pa.types.is_large_string(held) or pa.types.is_string_view(held):
        return text_series(column.fill_null("").to_pylist())
    numeric = pa.types.is_integer(held) or pa.types.is_floating(held) or pa.types.is_decimal(held)
    if kind in ("number", "integer") and numeric:
        return pd.Series(column.cast(pa.float64(), safe=False).to_numpy())
    dated = pa.types.is_date(held)
    timed = pa.types.is_timestamp(held)
    if (kind == "date" and (dated or (timed and held.tz is None))) or (kind == "instant" and timed):
        try:
            stamp = pa.timestamp("us", held.tz if timed else None)
            moments = pd.DatetimeIndex(column.cast(stamp, safe=False).to_pandas())
        except (pa.ArrowException, ValueError, OverflowError):
            return None
        if kind == "date" and not (moments.dropna() == moments.dropna().normalize()).all():
            return None
        return pd.Series(moments if moments.tz is None else moments.tz_convert("UTC"))
    return None
