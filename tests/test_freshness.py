"""Freshness: counted in missed runs, whatever the clock does."""

from __future__ import annotations

from datetime import date

import pandas as pd
import pytest

from forecast.config import DEFAULT_DELAYS_HOURS, RunConfig
from forecast.features.base import sample_rows
from forecast.freshness import SourceStatus, regime, source_statuses, stale_domains

ZONE = {"id": "zone", "name": "Zone", "population": 10, "latitude": 49.4, "longitude": 0.1}
CONFIG = RunConfig(id="essai", name="Essai", zones=[ZONE])
DAILY = ("influx", "mobility", "parking", "waste", "weather")


def delivered(
    source: str, first: str, days: int, config: RunConfig = CONFIG, late_hours: float = 0
) -> pd.DataFrame:
    """A row a day, each readable when the source promises, as the input contract derives it."""
    rows = sample_rows(source, "value", [1.0] * days, first=first)
    ends = (rows["date"] + pd.Timedelta(days=1)).dt.tz_localize(config.timezone)
    delay = pd.Timedelta(hours=config.delay_hours(source) + late_hours)
    return rows.assign(available_at=ends.dt.tz_convert("UTC") + delay)


def issued(first: str, days: int) -> pd.DataFrame:
    """A weather forecast a day, at midnight UTC, for that day and the fourteen that follow."""
    issues = pd.date_range(first, periods=days, tz="UTC", unit="us")
    ahead = sample_rows("weather_forecast", "sunshine", [5.0] * 15)
    return pd.concat(
        [
            ahead.assign(
                date=pd.date_range(issue.tz_localize(None), periods=15, unit="us"),
                available_at=issue + pd.Timedelta(hours=DEFAULT_DELAYS_HOURS["weather_forecast"]),
            )
            for issue in issues
        ],
        ignore_index=True,
    )


def at(local: str, config: RunConfig = CONFIG) -> pd.Timestamp:
    return pd.Timestamp(local, tz=config.timezone).tz_convert("UTC").as_unit("us")


def status(rows: pd.DataFrame, origin: pd.Timestamp, config: RunConfig = CONFIG) -> SourceStatus:
    (found,) = source_statuses(rows, config, origin)
    return found


@pytest.mark.parametrize("source", DAILY)
@pytest.mark.parametrize("hour", [0, 3, 8, 9, 23])
@pytest.mark.parametrize(
    ("first", "day"), [("2026-03-10", "2026-03-24"), ("2026-10-06", "2026-10-20")]
)
def test_a_source_on_time_misses_no_run_through_a_change_of_the_clock(
    source: str, hour: int, first: str, day: str
) -> None:
    rows = delivered(source, first, 30)
    for step in range(10):
        origin = at(f"{pd.Timestamp(day) + pd.Timedelta(days=step):%Y-%m-%d} {hour:02}:30")
        found = status(rows, origin)
        assert (found.missed_runs, found.fresh) == (0, True), origin
        if rows["available_at"].max() <= origin:
            break


@pytest.mark.parametrize("timezone", ["Asia/Hong_Kong", "America/New_York", "UTC"])
def test_days_are_those_of_the_territory(timezone: str) -> None:
    config = CONFIG.model_copy(update={"timezone": timezone})
    rows = delivered("mobility", "2026-03-01", 31, config)
    for day in range(4, 28):
        assert status(rows, at(f"2026-03-{day:02} 08:00", config), config).missed_runs == 0


def test_runs_missed_are_counted_one_a_day_across_the_change_of_the_clock() -> None:
    rows = delivered("mobility", "2026-03-20", 6)  # the last one speaks of Wednesday 25 March
    found = {day: status(rows, at(f"2026-03-{day} 09:30")) for day in (26, 27, 28, 29, 30, 31)}
    assert {day: s.missed_runs for day, s in found.items()} == dict(
        zip(range(26, 32), range(6), strict=True)
    )
    assert [s.fresh for s in found.values()] == [True, True, False, False, False, False]
    assert {s.newest_date for s in found.values()} == {date(2026, 3, 25)}


def test_waste_is_given_a_week_because_rounds_are_not_daily() -> None:
    rows = delivered("waste", "2026-05-01", 1)
    last_fresh = at("2026-05-05 08:00") + pd.Timedelta(days=8)
    assert status(rows, last_fresh).missed_runs == 8
    assert status(rows, last_fresh).fresh
    assert not status(rows, last_fresh + pd.Timedelta(days=1)).fresh


def test_a_weather_forecast_ages_from_the_hour_it_could_be_read() -> None:
    rows = issued("2026-03-20", 8)  # the last one is read on the 27th at 06:00 UTC
    ages = {
        text: status(rows, pd.Timestamp(text)).missed_runs
        for text in ("2026-03-27T06:00Z", "2026-03-28T05:59Z", "2026-03-28T06:00Z",
                     "2026-03-29T06:00Z", "2026-03-31T05:00Z")
    }  # fmt: skip
    assert list(ages.values()) == [0, 0, 1, 2, 3]
    assert not status(rows, pd.Timestamp("2026-03-29T06:00Z")).fresh


def test_events_are_never_late() -> None:
    rows = delivered("events", "2026-05-01", 2)
    found = status(rows, at("2027-05-01 08:00"))
    assert (found.missed_runs, found.fresh) == (0, True)


def test_what_could_not_be_read_yet_does_not_count() -> None:
    rows = delivered("mobility", "2026-05-01", 10, late_hours=48)
    found = status(rows, at("2026-05-08 08:30"))
    assert (found.newest_date, found.missed_runs) == (date(2026, 5, 5), 2)
    assert found.read_at == rows["available_at"].iloc[4]
    assert source_statuses(rows, CONFIG, at("2026-05-01 08:00")) == []


def test_the_regime_names_the_domains_that_kept_their_promise() -> None:
    rows = pd.concat(
        [
            delivered("influx", "2026-05-01", 12),
            delivered("mobility", "2026-05-01", 9),
            delivered("weather", "2026-05-01", 3),
            issued("2026-05-01", 15),
        ]
    )
    statuses = source_statuses(rows, CONFIG, at("2026-05-15 08:30"))
    assert [s.source for s in statuses] == ["influx", "mobility", "weather", "weather_forecast"]
    # Only the forecast carries the weather of days to come: old observations do not make it stale.
    assert regime(statuses) == "influx+weather"
    assert stale_domains(statuses) == ("mobility",)


def test_with_nothing_fresh_only_the_calendar_is_left() -> None:
    rows = pd.concat([delivered(source, "2026-01-01", 5) for source in ("influx", "parking")])
    statuses = source_statuses(rows, CONFIG, at("2026-05-15 08:00"))
    assert regime(statuses) == "calendar"
    assert stale_domains(statuses) == ("influx", "parking")
