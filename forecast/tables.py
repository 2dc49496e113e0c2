"""The schema of every table that crosses the door of a room.

A table is a pandas frame; its :class:`TableSchema` names the columns with their units and bounds,
and :func:`check` refuses a frame that does not follow it, naming the column, the row and the value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from forecast.errors import SchemaError

Kind = Literal["text", "number", "integer", "date", "instant"]


@dataclass(frozen=True)
class Column:
    """One column of a table.

    ``low`` and ``high`` are inclusive bounds in ``unit``; ``required`` columns must be present and
    hold a value in every row; others may be absent, or empty in places.
    """

    name: str
    kind: Kind
    unit: str
    meaning: str
    low: float | None = None
    high: float | None = None
    required: bool = True
    example: str = ""


@dataclass(frozen=True)
class TableSchema:
    """A named table: what one row is, its columns, and the columns that identify a row."""

    name: str
    row: str
    columns: tuple[Column, ...]
    keys: tuple[str, ...]

    def column(self, name: str) -> Column:
        """Return the column of that name; raise :class:`KeyError` if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Column names, in order."""
        return tuple(column.name for column in self.columns)


def check(frame: pd.DataFrame, schema: TableSchema) -> pd.DataFrame:
    """Return ``frame`` unchanged if it follows ``schema``.

    Raises
    ------
    SchemaError
        Naming the table, the column, and the first row and value at fault.
    """
    for column in schema.columns:
        if column.name not in frame.columns:
            if column.required:
                raise SchemaError(
                    f"table {schema.name!r} lacks the column {column.name!r} "
                    f"({column.meaning}); it has {', '.join(map(str, frame.columns))}"
                )
            continue
        _check_column(frame[column.name], column, schema.name)
    return frame


def _check_column(values: pd.Series, column: Column, table: str) -> None:
    where = f"table {table!r}, column {column.name!r}"
    if not _has_kind(values.dtype, column.kind):
        raise SchemaError(f"{where}: expected {_EXPECTED[column.kind]}, got dtype {values.dtype}")
    missing = values.isna().to_numpy()
    if column.required and missing.any():
        raise SchemaError(f"{where}: row {int(np.argmax(missing))} is empty; a value is required")
    if column.kind not in ("number", "integer"):
        return
    low = -np.inf if column.low is None else column.low
    high = np.inf if column.high is None else column.high
    outside = ((values < low) | (values > high)).to_numpy()
    if outside.any():
        row = int(np.argmax(outside))
        raise SchemaError(
            f"{where}: row {row} is {values.iloc[row]}, expected {low} to {high} {column.unit}"
        )


_EXPECTED: dict[Kind, str] = {
    "instant": "UTC instants",
    "date": "dates without time zone",
    "text": "text",
    "number": "numbers",
    "integer": "numbers",
}


def _has_kind(dtype: Any, kind: Kind) -> bool:
    if kind == "instant":
        return isinstance(dtype, pd.DatetimeTZDtype) and str(dtype.tz) == "UTC"
    if kind == "date":
        return bool(pd.api.types.is_datetime64_dtype(dtype))
    if kind == "text":
        return isinstance(dtype, (pd.CategoricalDtype, pd.StringDtype)) or dtype == np.dtype(object)
    return isinstance(dtype, np.dtype) and dtype.kind in "fiu"


_ZONE = Column("zone_id", "text", "", "zone; for an intercommunality its SIREN")
_ORIGIN = Column("origin", "instant", "UTC", "instant at which the forecast is made")
_TARGET = Column("target_date", "date", "", "civil day the forecast is about")
_HORIZON = Column(
    "horizon_days", "integer", "d", "target_date minus the local date of origin", 0, 366
)

OBSERVATIONS = TableSchema(
    name="observations",
    row="one measured or forecast fact, and when it could be read",
    columns=(
        Column("source", "text", "", "data domain: influx, mobility, parking, waste, weather ..."),
        _ZONE,
        Column("site_id", "text", "", "sensor, car park, round or event; empty for the zone"),
        Column("variable", "text", "", "what was measured"),
        Column("date", "date", "", "civil day the fact is about, in the territory's time zone"),
        Column("available_at", "instant", "UTC", "instant from which the row could be read"),
        Column("value", "number", "by variable", "the value"),
        Column("provider", "text", "", "who said so; 'simulated' for simulated rows"),
    ),
    keys=("source", "zone_id", "site_id", "variable", "date", "available_at"),
)

GRID = TableSchema(
    name="grid",
    row="one question",
    columns=(_ZONE, _ORIGIN, _TARGET, _HORIZON),
    keys=("zone_id", "origin", "target_date"),
)


def quantile_name(quantile: float) -> str:
    """Column name of a quantile of influx.

    >>> quantile_name(0.1), quantile_name(0.5), quantile_name(0.025)
    ('influx_p10', 'influx_p50', 'influx_p2.5')
    """
    return f"influx_p{100 * quantile:g}"


CONTRIBUTIONS = {
    "weather": "the weather forecast, and the weather there lately was",
    "holidays": "public holidays, bridges and school holidays",
    "season": "the time of year and the weekday",
    "history": "the recent level of influx, its trend, and what no other domain says",
    "mobility": "passages counted on roads and paths",
    "parking": "the occupancy of car parks",
    "waste": "the waste collected",
    "events": "the events announced",
    "sea": "the tides",
}
"""Domains among which the distance of a forecast from what is usual is shared out."""


def contribution_name(domain: str) -> str:
    """Column name of what a domain contributes.

    >>> contribution_name("weather")
    'contribution_weather'
    """
    return f"contribution_{domain}"


def forecasts_schema(quantiles: tuple[float, ...], levels: tuple[str, ...]) -> TableSchema:
    """Schema of the forecasts table for these quantiles and levels."""
    answers = tuple(
        Column(quantile_name(q), "number", "visitors day⁻¹", f"quantile {q:g} of influx", low=0)
        for q in quantiles
    )
    probabilities = tuple(
        Column(
            f"probability_{level}",
            "number",
            "",
            f"probability of level {level}; empty while the zone has no reference",
            low=0,
            high=1,
            required=False,
        )
        for level in levels
    )
    explanations = (
        *(
            Column(
                contribution_name(domain),
                "number",
                "visitors day⁻¹",
                f"part of the median minus usual that is due to {meaning}",
                required=False,
            )
            for domain, meaning in CONTRIBUTIONS.items()
        ),
        Column("why", "text", "", "the largest contributions, in French", required=False),
    )
    return TableSchema(
        name="forecasts",
        row="one answer, kept for ever",
        columns=(
            _ZONE,
            _ORIGIN,
            _TARGET,
            _HORIZON,
            *answers,
            *probabilities,
            Column(
                "level",
                "text",
                "",
                "most severe level reached with probability at least one half; empty while the "
                "zone has no reference",
                required=False,
            ),
            Column(
                "usual",
                "number",
                "visitors day⁻¹",
                "usual influx of such a day",
                low=0,
                required=False,
            ),
            *explanations,
            Column("regime", "text", "", "sources that were fresh at the origin"),
            Column("model_version", "text", "", "version of the model that answered"),
            Column("lake_version", "integer", "", "version of the observations it read", low=0),
        ),
        keys=("zone_id", "origin", "target_date", "model_version"),
    )
