"""Observations between pandas and Arrow, and the expressions that choose rows of a table."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from functools import reduce
from operator import and_, or_
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from forecast.errors import InputError, SchemaError
from forecast.tables import OBSERVATIONS, TableSchema, check

Day = pd.Timestamp | dt.date | str

_TYPES = {
    "text": pa.string(),
    "number": pa.float64(),
    "integer": pa.int64(),
    "date": pa.date32(),
    "instant": pa.timestamp("us", "UTC"),
}


def arrow_schema(schema: TableSchema) -> pa.Schema:
    """Arrow types of a table's columns, as they are stored."""
    return pa.schema([(column.name, _TYPES[column.kind]) for column in schema.columns])


COLUMNS = arrow_schema(OBSERVATIONS)
_TEXTS = tuple(column.name for column in OBSERVATIONS.columns if column.kind == "text")


def checked(observations: pd.DataFrame) -> pd.DataFrame:
    """The columns of an ``observations`` table in their usual dtypes, rows numbered from zero.

    Raises
    ------
    SchemaError
        If it breaks its schema, a name is empty or not text, a value is infinite, or a date has
        a time of day.
    """
    check(observations, OBSERVATIONS)
    batch = observations[list(OBSERVATIONS.names)].reset_index(drop=True)
    batch = batch.assign(
        date=batch["date"].dt.as_unit("us"),
        available_at=batch["available_at"].dt.as_unit("us"),
        value=batch["value"].astype("float64"),
        **{name: batch[name].astype("category") for name in _TEXTS},
    )
    for name in _TEXTS:
        for text in batch[name].cat.categories:
            if not isinstance(text, str) or (text == "" and name != "site_id"):
                _refuse(batch, name, batch[name] == text, "text, and only site_id may be empty")
        batch[name] = categorical(batch[name])
    _refuse(batch, "value", ~np.isfinite(batch["value"]), "a finite number")
    _refuse(batch, "date", batch["date"] != batch["date"].dt.normalize(), "a day at 00:00")
    return batch


def _refuse(batch: pd.DataFrame, name: str, bad: pd.Series, expected: str) -> None:
    if bad.any():
        row = int(np.argmax(bad.to_numpy()))
        cell = batch[name].iloc[row]
        if name in ("value", "date"):
            cell = str(cell)
        raise SchemaError(
            f"table 'observations', column {name!r}: row {row} is {cell!r}, expected {expected}"
        )


def to_arrow(batch: pd.DataFrame) -> pa.Table:
    """The rows as they are stored."""
    return pa.table({name: arrow_column(batch[name]) for name in COLUMNS.names}).cast(COLUMNS)


def arrow_column(values: pd.Series) -> pa.Array:
    """One column of a frame in Arrow, instants as such in UTC, a missing value as null."""
    if isinstance(values.dtype, pd.DatetimeTZDtype):
        utc = values.dt.tz_convert("UTC").dt.tz_localize(None).dt.as_unit("us").to_numpy()
        return pa.array(utc).cast(_TYPES["instant"])
    if isinstance(values.dtype, pd.CategoricalDtype):
        return pa.array(values.array)
    return pa.array(values.to_numpy(), from_pandas=True)


def to_pandas(rows: pa.Table) -> pd.DataFrame:
    """Stored rows as a frame; text that Arrow holds as dictionaries becomes categorical."""
    rows = rows.select(list(OBSERVATIONS.names))
    place = rows.schema.get_field_index("date")
    rows = rows.set_column(place, "date", rows["date"].cast(pa.timestamp("us")))
    frame: pd.DataFrame = rows.to_pandas()
    return frame.assign(**{name: categorical(frame[name]) for name in _TEXTS})


def empty() -> pd.DataFrame:
    """No rows, with the dtypes of :func:`to_pandas`."""
    return to_pandas(COLUMNS.empty_table())


def categorical(texts: pd.Series) -> pd.Series:
    """The column as categories that occur, in alphabetical order, of dtype ``str`` even if none.

    >>> categorical(pd.Series(["b", "a", "b"])).cat.categories.tolist()
    ['a', 'b']
    """
    column = texts.astype("category")
    names, codes = column.cat.categories, column.cat.codes.to_numpy()
    used = np.bincount(codes[codes >= 0], minlength=len(names)) > 0
    return column.cat.set_categories(pd.Index(sorted(names[used]), dtype="str"))


def same_days(batch: pd.DataFrame) -> ds.Expression:
    """Stored rows that may tell of the same facts: per source, the batch's span of dates."""
    spans = batch.groupby("source", observed=True)["date"].agg(["min", "max"])
    parts = [
        where({"source": [str(source)]}, date=(span["min"], span["max"]))
        for source, span in spans.iterrows()
    ]
    return reduce(or_, parts)


def where(
    among: Mapping[str, Sequence[str] | None],
    **between: tuple[Day | None, Day | None],
) -> ds.Expression | None:
    """Rows whose texts are among those given and whose days or instants lie in the bounds.

    Bounds are inclusive; those of ``available_at`` and ``origin`` are instants, others are days.
    ``None`` leaves a column or a side open.
    """
    tests: list[Any] = [
        ds.field(name).isin(pa.array([str(choice) for choice in choices], pa.string()))
        for name, choices in among.items()
        if choices is not None
    ]
    for name, (low, high) in between.items():
        is_instant = name in ("available_at", "origin")
        for bound, side in ((low, "__ge__"), (high, "__le__")):
            if bound is None:
                continue
            value: Any
            if is_instant:
                value = pa.scalar(instant(pd.Timestamp(bound), name), _TYPES["instant"])
            else:
                value = pa.scalar(_day(bound, name), _TYPES["date"])
            tests.append(getattr(ds.field(name), side)(value))
    return reduce(and_, tests) if tests else None


def instant(moment: pd.Timestamp, name: str) -> pd.Timestamp:
    """The instant in UTC, to the microsecond; an instant without time zone is refused."""
    if moment.tzinfo is None:
        raise InputError(f"{name} is {moment}, expected an instant with its time zone, as UTC")
    return moment.tz_convert("UTC").as_unit("us")


def _day(day: Day, name: str) -> dt.date:
    try:
        return pd.Timestamp(day).date()
    except ValueError as error:
        raise InputError(f"{name}: {day!r} is not a date; expected one like 2026-05-14") from error
