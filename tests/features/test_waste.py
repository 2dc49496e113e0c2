"""Waste says who was there before it was collected, and is published later still."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.features import Evidence, FeatureMatrix, build
from forecast.features.base import sample_rows
from forecast.features.waste import SOURCE

DAYS = 119  # seventeen weeks from Monday, 6 January 2025
MONDAY, THURSDAY, SATURDAY = 0, 3, 5


def collected(thrown: np.ndarray, weekdays: tuple[int, ...], site: str, zone: str) -> pd.DataFrame:
    """What rounds on these weekdays take: all that was thrown away since the one before."""
    days = [d for d in range(7, DAYS) if d % 7 in weekdays]
    tonnage = np.full(DAYS, np.nan)
    for before, day in zip([0, *days[:-1]], days, strict=True):
        tonnage[day] = thrown[before:day].sum()
    rows = sample_rows("waste", "tonnage", tonnage, site_id=site, zone_id=zone, delay_hours=72)
    return rows.dropna(subset="value")


def ask(world, rows: pd.DataFrame, day: float) -> FeatureMatrix:
    grid = world.grid(pd.Timestamp("2025-01-06T06:00Z") + pd.Timedelta(days=day))
    found = build(grid, Evidence(rows, world.territory), [SOURCE])
    return found.take(grid.ask_zone == 0)


def on(found: FeatureMatrix, column: str, weekday: int) -> np.ndarray:
    return found.column(column)[(found.grid.target_day + 3) % 7 == weekday]


@pytest.fixture
def zone(world) -> str:
    return world.territory.zone_ids[0]


def test_a_crowded_saturday_collected_on_monday_shows_on_the_weekend(world, zone: str) -> None:
    thrown = np.full(DAYS, 10.0)
    thrown[110] = 50.0  # the last Saturday that a Monday's round (day 112) takes
    assert SATURDAY == 110 % 7
    found = ask(world, collected(thrown, (MONDAY, THURSDAY), "omr", zone), 118)
    for weekday in (THURSDAY, SATURDAY, 6):
        assert on(found, "waste_weekday", weekday) == pytest.approx(80 / 40)
    assert (found.column("waste_age") == 118 - 112).all()
    for weekday in (MONDAY, 2):
        assert on(found, "waste_weekday", weekday) == pytest.approx(1)
    assert found.column("waste_week") == pytest.approx(110 / 70)
    assert found.column("waste_month") == pytest.approx(320 / 280)


def test_a_round_is_known_when_it_is_published(world, zone: str) -> None:
    thrown = np.full(DAYS, 10.0)
    thrown[105:112] = 30.0
    rows = collected(thrown, (MONDAY,), "omr", zone)
    day = rows["date"] == pd.Timestamp("2025-01-06") + pd.Timedelta(days=112)
    assert day.sum() == 1
    published = 112 + 1 + 3  # its day ends, and three days pass
    before, after = ask(world, rows, published - 1), ask(world, rows, published)
    assert before.column("waste_week") == pytest.approx(1)
    assert (before.column("waste_age") == published - 1 - 105).all()
    assert after.column("waste_week") == pytest.approx(3)
    assert (after.column("waste_age") == published - 112).all()


def test_a_day_with_nought_is_a_day_without_a_round(world, zone: str) -> None:
    thrown = np.full(DAYS, 10.0) + 5 * (np.arange(DAYS) % 7 > 4)
    rows = collected(thrown, (MONDAY, THURSDAY), "omr", zone)
    noughts = sample_rows("waste", "tonnage", np.zeros(DAYS), site_id="omr", zone_id=zone)
    noughts = noughts[~noughts["date"].isin(rows["date"])]
    found = ask(world, pd.concat([rows, noughts]), 118)
    expected = ask(world, rows, 118)
    np.testing.assert_array_equal(found.values[[0, 1, 2, 4]], expected.values[[0, 1, 2, 4]])
    assert np.isfinite(expected.values[[0, 1, 2, 4]]).all()


def test_glass_once_a_month_reads_as_no_surge(world, zone: str) -> None:
    rows = collected(np.full(DAYS, 10.0), (MONDAY, THURSDAY), "omr", zone)
    glass = sample_rows("waste", "tonnage", np.full(4, 300.0), site_id="glass", zone_id=zone)
    glass["date"] = pd.Timestamp("2025-01-07") + pd.to_timedelta([28, 56, 84, 105], unit="D")
    expected, found = ask(world, rows, 118), ask(world, pd.concat([rows, glass]), 118)
    for name in ("week", "month", "weekday"):
        assert found.column(f"waste_{name}") == pytest.approx(expected.column(f"waste_{name}"))
    assert found.column("waste_week") == pytest.approx(1)


def test_a_round_that_stops_does_not_empty_the_zone(world, zone: str) -> None:
    going = collected(np.full(DAYS, 10.0), (MONDAY, THURSDAY), "north", zone)
    stops = collected(np.full(DAYS, 40.0), (MONDAY,), "south", zone)
    stops = stops[stops["date"] < "2025-04-20"]
    found = ask(world, pd.concat([going, stops]), 118)
    assert found.column("waste_week") == pytest.approx(1)
    assert found.column("waste_month") == pytest.approx(1)


def test_the_year_before_is_that_of_the_same_round(world, zone: str) -> None:
    day = np.arange(DAYS + 364)
    tonnage = np.where(day % 7 == MONDAY, np.where(day > 400, 24.0, 20.0), np.nan)
    rows = sample_rows("waste", "tonnage", tonnage, site_id="omr", zone_id=zone).dropna()
    new = rows[rows["date"] > "2026-03-01"].assign(site_id="new", value=500.0)
    found = ask(world, pd.concat([rows, new]), DAYS + 363)
    assert found.column("waste_year") == pytest.approx(1.2)
