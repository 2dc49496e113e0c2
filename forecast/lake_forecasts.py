"""The forecasts table: every answer ever published, appended and never changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from forecast.errors import InputError
from forecast.lake_rows import arrow_column, arrow_schema, categorical
from forecast.lake_table import LakeTable
from forecast.tables import TableSchema, check, forecasts_schema

SCHEMA: TableSchema = forecasts_schema((), ())
"""The columns of every forecast; those of quantiles and levels depend on the configuration."""

COLUMNS = arrow_schema(SCHEMA)


def append_forecasts(table: LakeTable, forecasts: pd.DataFrame) -> int:
    """Append the answers that are not stored yet; see ``Lake.append_forecasts``."""
    check(forecasts, SCHEMA)
    keys = list(SCHEMA.keys)
    batch = forecasts.reset_index(drop=True)
    twice = batch.duplicated(keys).to_numpy()
    if twice.any():
        row = int(np.argmax(twice))
        raise InputError(
            f"forecasts: row {row} has the {', '.join(keys)} of an earlier row "
            f"({', '.join(str(batch[key].iloc[row]) for key in keys)}); one answer is expected"
        )
    if batch.empty:
        return 0
    arrow = _to_arrow(batch)
    origins = pa.array(arrow["origin"].unique())
    added = 0

    def missing(now: Any | None) -> pa.Table:
        nonlocal added
        rows = arrow
        if now is not None:
            known = table.scan(now, ds.field("origin").isin(origins)).select(keys)
            known = known.cast(pa.schema([COLUMNS.field(key) for key in keys]))
            rows = arrow.join(known, keys=keys, join_type="left anti")
        added = rows.num_rows
        return rows.sort_by([(key, "ascending") for key in keys])

    table.append(missing, {})
    return added


def _to_arrow(frame: pd.DataFrame) -> pa.Table:
    """The frame with the types of the table; columns it does not know keep their kind."""
    table = pa.table({str(name): arrow_column(frame[name]) for name in frame.columns})
    fields = []
    for field in table.schema:
        # A further column without any value has no type yet; it reads as empty anyway.
        if pa.types.is_null(field.type) and field.name not in COLUMNS.names:
            table = table.drop_columns(field.name)
            continue
        if field.name in COLUMNS.names:
            kind = COLUMNS.field(field.name).type
        elif pa.types.is_floating(field.type):
            kind = pa.float64()
        elif pa.types.is_integer(field.type):
            kind = pa.int64()
        elif pa.types.is_dictionary(field.type) or pa.types.is_large_string(field.type):
            kind = pa.string()
        else:
            kind = field.type
        fields.append(pa.field(field.name, kind))
    return table.cast(pa.schema(fields))


def read_forecasts(table: LakeTable, rows: ds.Expression | None, *, latest: bool) -> pd.DataFrame:
    """Rows that satisfy an expression, by zone, target date and origin."""
    now = table.open()
    arrow = table.scan(now, rows) if now is not None else COLUMNS.empty_table()
    place = arrow.schema.get_field_index("target_date")
    days = arrow["target_date"].cast(pa.timestamp("us"))
    frame: pd.DataFrame = arrow.set_column(place, "target_date", days).to_pandas()
    # A table written by an earlier release lacks what was added since: it reads as empty.
    absent = [field for field in COLUMNS if field.name not in frame.columns]
    nothing = pa.schema(absent).empty_table().to_pandas().reindex(frame.index)
    frame = pd.concat([frame, nothing], axis=1)
    for column in SCHEMA.columns:
        if column.kind == "text":
            frame[column.name] = categorical(frame[column.name])
    order = ["zone_id", "target_date", "origin", "lake_version", "model_version"]
    frame = frame.drop_duplicates(list(SCHEMA.keys)).sort_values(order, ignore_index=True)
    if latest:
        frame = frame.drop_duplicates(["zone_id", "target_date"], keep="last", ignore_index=True)
    return frame
