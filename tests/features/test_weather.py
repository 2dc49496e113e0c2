"""The weather of a target day is what was forecast of it by the origin."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.features import Evidence, FeatureMatrix, build
from forecast.features.base import sample_rows
from forecast.features.weather import SOURCE

START = "2025-05-01"


def issue(zone: str, day: int, temperature: float) -> pd.DataFrame:
    """Sixteen days, one degree warmer each, readable at 6 h UTC of the day."""
    first = pd.Timestamp(START) + pd.Timedelta(days=day)
    rows = sample_rows(
        "weather_forecast",
        "temperature_max",
        temperature + np.arange(16),
        zone_id=zone,
        first=str(first.date()),
    )
    return rows.assign(available_at=first.tz_localize("UTC") + pd.Timedelta(hours=6))


@pytest.fixture
def rows(world) -> pd.DataFrame:
    zone = world.territory.zone_ids[0]
    observed = sample_rows(
        "weather", "temperature_max", np.full(40, 12.0), zone_id=zone, first=START, delay_hours=12
    )
    return pd.concat([observed, issue(zone, 20, 100.0), issue(zone, 24, 200.0)])


def ask(world, evidence: Evidence, hours: float) -> FeatureMatrix:
    grid = world.grid(pd.Timestamp(START, tz="UTC") + pd.Timedelta(days=20, hours=hours))
    found = build(grid, evidence, [SOURCE])
    return found.take(grid.ask_zone == 0)


def test_a_question_gets_the_issue_of_its_lead(rows: pd.DataFrame, world) -> None:
    evidence = Evidence(rows, world.territory)
    found = ask(world, evidence, 5.99)
    assert np.isnan(found.column("weather_temperature_max")).all()
    found = ask(world, evidence, 6)
    np.testing.assert_array_equal(found.column("weather_temperature_max"), 100 + np.arange(15))
    np.testing.assert_array_equal(
        found.column("weather_temperature_max_after"), 101 + np.arange(15)
    )
    assert np.isnan(found.column("weather_temperature_max_before")[0])  # nobody forecast yesterday
    assert (found.column("weather_issue_age") == 0).all()
    assert (found.column("weather_warmer") == 88 + np.arange(15)).all()

    found = ask(world, evidence, 96 + 3)  # day 24, before its issue
    expected = 104.0 + np.arange(15)
    expected[12:] = np.nan  # beyond the first issue
    np.testing.assert_array_equal(found.column("weather_temperature_max"), expected)
    assert found.column("weather_issue_age")[:12] == pytest.approx(4 - 3 / 24)

    found = ask(world, evidence, 96 + 9)
    np.testing.assert_array_equal(found.column("weather_temperature_max"), 200 + np.arange(15))
    assert found.column("weather_temperature_max_before")[0] == 103  # as it was last forecast
    assert found.column("weather_issue_age") == pytest.approx(3 / 24)


def test_observations_speak_of_the_past_alone(rows: pd.DataFrame, world) -> None:
    observed = rows[rows["source"] == "weather"]
    found = ask(world, Evidence(observed, world.territory), 6)
    for name in ("", "_before", "_after"):
        assert np.isnan(found.column(f"weather_temperature_max{name}")).all()
    assert (found.column("weather_temperature_max_28") == 12).all()
    assert np.isnan(found.column("weather_warmer")).all()
    assert not found.perfect_weather
    # Forty days later they are no recent weather any more.
    found = ask(world, Evidence(observed, world.territory), 24 * 60)
    assert np.isnan(found.column("weather_temperature_max_28")).all()


def test_perfect_weather_is_the_weather_observed_and_says_so(rows: pd.DataFrame, world) -> None:
    perfect = Evidence(rows, world.territory, perfect_weather=True)
    found = ask(world, perfect, 6)
    assert found.perfect_weather
    assert (found.column("weather_temperature_max") == 12).all()
    assert (found.column("weather_temperature_max_before") == 12).all()
    assert np.isnan(found.column("weather_issue_age")).all()
    assert (found.column("weather_warmer") == 0).all()
    assert found.take(np.ones(1, dtype=bool)).perfect_weather
    # The recent weather is still that which was known.
    warm = rows.assign(value=rows["value"].where(rows["date"] < "2025-05-20", 30.0))
    found = ask(world, Evidence(warm, world.territory, perfect_weather=True), 6)
    assert (found.column("weather_temperature_max") == 30).all()
    assert (found.column("weather_temperature_max_7") == 12).all()


def test_a_late_forecast_leaves_the_older_one(rows: pd.DataFrame, world) -> None:
    late = Evidence(rows, world.territory).late(["weather_forecast"], 3)
    found = ask(world, late, 96 + 9)
    assert found.column("weather_temperature_max")[0] == 104
    assert found.column("weather_issue_age")[0] == pytest.approx(1 + 3 / 24)
