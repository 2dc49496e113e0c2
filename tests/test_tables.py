"""The doors of the rooms: what a table must hold, and what is said of one that does not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import SchemaError
from forecast.tables import GRID, OBSERVATIONS, Column, TableSchema, check, forecasts_schema

DAYS = pd.date_range("2026-05-01", periods=3, unit="us")
SCHEMA = TableSchema(
    name="gate",
    row="one passage",
    columns=(
        Column("place", "text", "", "where"),
        Column("day", "date", "", "civil day"),
        Column("at", "instant", "UTC", "instant"),
        Column("share", "number", "1", "share", low=0, high=1, required=False),
        Column("count", "integer", "passages", "how many", low=0),
    ),
    keys=("place", "day"),
)


def gate(**changes: object) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "place": ["a", "b", "c"],
            "day": DAYS,
            "at": DAYS.tz_localize("UTC"),
            "share": [0.0, 1.0, np.nan],
            "count": [0, 3, 5],
        }
    )
    return frame.assign(**changes)


def test_a_good_table_comes_back_as_it_went_in() -> None:
    frame = gate()
    before = frame.copy()
    assert check(frame, SCHEMA) is frame
    pd.testing.assert_frame_equal(frame, before)


def test_an_optional_column_may_be_absent_a_required_one_may_not() -> None:
    check(gate().drop(columns="share"), SCHEMA)
    with pytest.raises(SchemaError, match=r"'gate' lacks the column 'count' \(how many\).*place"):
        check(gate().drop(columns="count"), SCHEMA)


@pytest.mark.parametrize(
    ("column", "values", "said"),
    [
        ("count", [1, -2, 3], "row 1 is -2, expected 0 to inf passages"),
        ("share", [0.5, 0.5, 1.01], "row 2 is 1.01, expected 0 to 1 1"),
        ("place", ["a", None, "c"], "row 1 is empty"),
        ("place", [1, 2, 3], "expected text, got dtype int64"),
        ("count", ["1", "2", "3"], "expected numbers"),
        ("count", [True, False, True], "expected numbers, got dtype bool"),
        ("day", DAYS.tz_localize("UTC"), "expected dates without time zone"),
        ("at", DAYS, "expected UTC instants"),
        ("at", DAYS.tz_localize("Europe/Paris"), "expected UTC instants"),
    ],
)
def test_what_a_column_may_not_hold(column: str, values: object, said: str) -> None:
    with pytest.raises(SchemaError) as caught:
        check(gate(**{column: values}), SCHEMA)
    assert f"column {column!r}" in str(caught.value)
    assert said in str(caught.value)


def test_a_column_is_found_by_name() -> None:
    assert GRID.column("origin").unit == "UTC"
    with pytest.raises(KeyError):
        GRID.column("cutoff")


@pytest.mark.parametrize("schema", [OBSERVATIONS, GRID, forecasts_schema((0.5,), ("vert",))])
def test_every_column_says_what_it_means_and_keys_are_columns(schema: TableSchema) -> None:
    assert all(column.meaning for column in schema.columns)
    assert set(schema.keys) <= set(schema.names)
    assert len(set(schema.names)) == len(schema.names)


def test_the_forecasts_table_follows_the_configuration() -> None:
    schema = forecasts_schema((0.1, 0.5, 0.975), ("vert", "noir"))
    assert {"influx_p10", "influx_p50", "influx_p97.5"} < set(schema.names)
    assert schema.column("influx_p10").low == 0
    assert not schema.column("probability_noir").required
