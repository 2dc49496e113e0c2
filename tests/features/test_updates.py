"""Rows in the order they became readable."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from forecast.features.base import sample_rows
from forecast.features.updates import Updates, zone_site_updates

EVERY = slice(None)


def table(*rows: tuple[str, str, int, int, float]) -> pd.DataFrame:
    """Rows of (zone, site, day, day of availability, value), days from 1 January 2025."""
    zone, site, day, at, value = zip(*rows, strict=True)
    start = pd.Timestamp("2025-01-01")
    frame = sample_rows("influx", "influx", value)
    return frame.assign(
        zone_id=zone,
        site_id=site,
        date=start + pd.to_timedelta(day, unit="D"),
        available_at=(start + pd.to_timedelta(at, unit="D")).tz_localize("UTC"),
    )


def told(updates: Updates, zone: int) -> list[tuple[int, int, float]]:
    """(day, day of availability, value) of the rows of a zone."""
    first, end = updates.zone_series[zone]
    rows = slice(updates.start[first], updates.start[end]) if end > first else slice(0)
    columns = (updates.day, vars(updates)["at"] // 86_400_000_000, updates.value)
    return [
        (int(day) - 20_089, int(at) - 20_089, float(value))
        for day, at, value in zip(*(column[rows] for column in columns), strict=True)
    ]


def test_what_the_lake_gives_is_read_in_place() -> None:
    frame = table(("a", "", 0, 1, 5), ("a", "", 1, 2, 6), ("a", "", 0, 9, 7), ("b", "", 0, 1, 8))
    for name in ("zone_id", "site_id"):
        frame[name] = frame[name].astype("category")
    updates = zone_site_updates(frame, EVERY, ("b", "c", "a"))
    assert np.shares_memory(updates.value, frame["value"].to_numpy())
    assert np.shares_memory(updates.at, frame["available_at"].array.asi8)
    assert told(updates, 0) == [(0, 1, 8)]
    assert told(updates, 1) == []
    assert told(updates, 2) == [(0, 1, 5), (1, 2, 6), (0, 9, 7)]
    assert (updates.first_day, updates.days) == (20_089, 2)
    assert updates.series_zone.tolist() == [2, 0]


def test_other_orders_are_sorted() -> None:
    frame = table(("b", "", 0, 9, 7), ("a", "", 1, 2, 6), ("b", "", 0, 1, 5), ("a", "", 0, 1, 8))
    updates = zone_site_updates(frame, EVERY, ("a", "b"))
    assert told(updates, 0) == [(0, 1, 8), (1, 2, 6)]
    assert told(updates, 1) == [(0, 1, 5), (0, 9, 7)]


def test_sites_add_up_as_they_become_known() -> None:
    frame = table(
        ("a", "north", 0, 1, 0.1),
        ("a", "south", 0, 3, 0.2),
        ("a", "north", 0, 5, 0.0),
        ("a", "south", 0, 6, 0.0),
        ("b", "north", 0, 2, 10),
        ("b", "south", 0, 2, 20),
    )
    for order in (range(6), [5, 3, 1, 4, 2, 0]):
        updates = zone_site_updates(frame.iloc[list(order)], EVERY, ("a", "b"), total=True)
        found = told(updates, 0)
        assert [row[:2] for row in found] == [(0, 1), (0, 3), (0, 5), (0, 6)]
        assert [row[2] for row in found[:3]] == pytest.approx([0.1, 0.3, 0.2], rel=1e-6)
        assert found[3][2] == 0  # exactly: a rest of rounding would pass for an observation
        assert told(updates, 1) == [(0, 2, 30)]  # never 10 or 20: both came at one instant


def test_of_rows_readable_at_one_instant_the_last_in_the_table_counts() -> None:
    for rows in (
        [("a", "", 0, 1, 5.0), ("a", "", 0, 1, 6.0)],
        [("a", "", 1, 9, 2.0), ("a", "", 0, 1, 5.0), ("a", "", 0, 1, 6.0)],
        [("a", "x", 0, 1, 5.0), ("a", "x", 0, 1, 6.0), ("b", "y", 0, 1, 9.0)],
    ):
        for total in (False, True):
            updates = zone_site_updates(table(*rows), EVERY, ("a", "b"), total=total)
            assert [row for row in told(updates, 0) if row[0] == 0][-1] == (0, 1, 6.0)


def test_unknown_zones_and_empty_values_are_left_out() -> None:
    frame = table(("a", "", 0, 1, 5), ("nowhere", "", -900, 2, 6), ("b", "", 0, 1, np.nan))
    updates = zone_site_updates(frame, EVERY, ("a", "b"))
    assert len(updates) == 1
    assert told(updates, 0) == [(0, 1, 5)]
    assert (updates.first_day, updates.days) == (20_089, 1)
    # Nor does an empty value take back one that was there, in whatever order rows come.
    frame = table(("a", "", 0, 1, 5), ("a", "", 1, 2, 6), ("a", "", 0, 3, np.nan))
    for rows in (EVERY, np.array([2, 1, 0])):
        assert told(zone_site_updates(frame, rows, ("a",)), 0) == [(0, 1, 5), (1, 2, 6)]


def test_some_rows_of_a_table() -> None:
    frame = table(("a", "", 0, 1, 5), ("a", "", 1, 2, 6), ("a", "", 2, 3, 7))
    assert told(zone_site_updates(frame, np.array([0, 2]), ("a",)), 0) == [(0, 1, 5), (2, 3, 7)]
    assert told(zone_site_updates(frame, slice(1, 3), ("a",)), 0) == [(1, 2, 6), (2, 3, 7)]


def test_no_rows_are_no_error() -> None:
    elsewhere = table(("b", "north", 0, 1, 5), ("b", "south", 0, 1, 6))
    for frame, total in itertools.product(
        (sample_rows("influx", "influx", []), elsewhere), (False, True)
    ):
        updates = zone_site_updates(frame, EVERY, ("a",), total=total)
        assert (len(updates), updates.days, updates.start.tolist()) == (0, 0, [0])
        assert updates.zone_series.tolist() == [[0, 0]]
