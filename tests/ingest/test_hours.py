"""Hourly values folded into civil days, the days of 23 and 25 hours included."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.grid import day_number
from forecast.ingest.hours import Daily, by_civil_day
from forecast.ingest.open_meteo_api import WEATHER

PARIS = "Europe/Paris"
WARMEST, COLDEST, RAIN, SUN, GUST, RAIN_BATHING, SUN_BATHING = WEATHER


def hours(first: str, last: str) -> np.ndarray:
    """Whole hours from one local time to another, both included [s since 1970 UTC]."""
    ends = [pd.Timestamp(text, tz=PARIS).timestamp() for text in (first, last)]
    return np.arange(int(ends[0]), int(ends[1]) + 1, 3600)


def folded(instants: np.ndarray, values: np.ndarray, daily: Daily) -> dict[str, float]:
    days, table = by_civil_day(instants, values[None], daily, PARIS)
    names = days.astype("datetime64[D]").astype(str)
    return dict(zip(names.tolist(), table[0].tolist(), strict=True))


@pytest.mark.parametrize(
    ("day", "length"), [("2026-03-29", 23), ("2026-10-25", 25), ("2026-07-14", 24)]
)
def test_a_day_has_the_hours_it_has(day, length):
    following = str((pd.Timestamp(day) + pd.Timedelta(days=1)).date())
    instants = hours(f"{day} 01:00", f"{following} 00:00")
    assert len(instants) == length
    # Stamped at the end of its hour, the rain up to midnight belongs to the day before it.
    assert folded(instants, np.ones(length), RAIN) == {day: length}
    count = replace(RAIN, preceding=False)
    instants = hours(f"{day} 00:00", f"{day} 23:00")
    assert folded(instants, np.ones(length), count) == {day: length}
    assert folded(instants, np.arange(length) * 1.0, WARMEST) == {day: length - 1}


def test_the_hours_before_midnight_are_of_the_day_before():
    instants = hours("2026-07-13 01:00", "2026-07-15 00:00")
    rain = np.zeros(48)
    rain[23] = 5  # from 23 h to midnight of the 13th
    rain[24] = 7  # from midnight to 1 h of the 14th
    assert folded(instants, rain, RAIN) == {"2026-07-13": 5, "2026-07-14": 7}


def test_bathing_hours_are_counted_apart():
    instants = hours("2026-07-14 01:00", "2026-07-15 00:00")
    sun = np.full(24, 1800.0)
    assert folded(instants, sun, SUN) == {"2026-07-14": 12}
    assert folded(instants, sun, SUN_BATHING) == {"2026-07-14": 4}
    rain = np.zeros(24)
    rain[[9, 17]] = 1, 2  # from 9 to 10 h, from 17 to 18 h
    assert folded(instants, rain, RAIN_BATHING) == {"2026-07-14": 2}


@pytest.mark.parametrize(
    ("local_hour", "left"),
    [
        (1, {"temperature_max", "sunshine", "precipitation_bathing", "sunshine_bathing"}
            | {"temperature_min"}),
        (3, {"temperature_max", "sunshine", "precipitation_bathing", "sunshine_bathing"}),
        (5, {"temperature_max", "precipitation_bathing", "sunshine_bathing"}),
        (9, {"precipitation_bathing", "sunshine_bathing"}),
        (14, set()),
        (20, {"precipitation_bathing", "sunshine_bathing"}),
    ],
)  # fmt: skip
def test_a_missing_hour_spoils_what_it_could_have_changed(local_hour, left):
    instants = hours("2026-07-14 00:00", "2026-07-15 00:00")
    whole = set()
    for daily in WEATHER:
        values = np.ones(25)
        # The hour from `local_hour` on: stamped at its end where values precede their stamp.
        values[local_hour + daily.preceding] = np.nan
        if np.isfinite(folded(instants, values, daily)["2026-07-14"]):
            whole.add(daily.name)
    assert whole == left


def test_a_mean_leaves_out_what_is_missing_before_it_must_be_whole():
    sea = Daily("sea_temperature", "t", "°C", "mean", since=10, until=18, whole_from=12)
    instants = hours("2026-07-14 00:00", "2026-07-14 23:00")
    values = np.arange(24.0)
    values[11] = np.nan
    assert folded(instants, values, sea)["2026-07-14"] == pytest.approx(
        np.mean([10, 12, 13, 14, 15, 16, 17]), abs=1e-3
    )
    values[12] = np.nan
    assert np.isnan(folded(instants, values, sea)["2026-07-14"])


def test_nothing_given_is_nothing_known():
    instants = hours("2026-07-14 00:00", "2026-07-15 00:00")
    for daily in WEATHER:
        assert np.isnan(list(folded(instants, np.full(25, np.nan), daily).values())).all()


@settings(max_examples=60, deadline=None)
@given(
    start=st.integers(0, 24 * 800),
    length=st.integers(2, 200),
    gap=st.integers(0, 199),
    daily=st.sampled_from(WEATHER),
    timezone=st.sampled_from(
        [PARIS, "UTC", "America/New_York", "Asia/Kolkata", "Pacific/Auckland"]
    ),
)
def test_it_agrees_with_a_plain_count(start, length, gap, daily, timezone):
    """Against the definition, one day after the other."""
    instants = (
        pd.Timestamp("2025-01-01").value // 10**9 // 3600 + start + np.arange(length)
    ) * 3600
    values = np.random.default_rng(start).uniform(0, 50, length)
    values[gap % length] = np.nan
    given_at = {
        int(at) - 3600 * daily.preceding: value
        for at, value in zip(instants, values / daily.per, strict=True)
    }
    days, table = by_civil_day(instants, values[None], daily, timezone)
    assert len(days) == len(set(days))
    for day, value in zip(days, table[0], strict=True):
        name = np.datetime64(int(day), "D").astype(str)
        wall = pd.date_range(f"{name} 00:00", periods=26, freq="h", tz="UTC")
        spread = pd.DatetimeIndex(wall.append(wall - pd.Timedelta(hours=26))).union(
            wall + pd.Timedelta(hours=26)
        )
        local = spread.tz_convert(timezone)
        mine = spread[
            (day_number(local.tz_localize(None)) == day)
            & (local.hour >= daily.since)
            & (local.hour < daily.until)
        ]
        got = [(at.tz_convert(timezone).hour, given_at.get(int(at.timestamp()))) for at in mine]
        there = [v for _, v in got if v is not None and np.isfinite(v)]
        needed = [v for hour, v in got if hour >= daily.whole_from]
        if any(v is None or np.isnan(v) for v in needed) or not there:
            assert np.isnan(value)
            continue
        expected = {"max": max, "min": min, "sum": sum}[daily.how](there)
        assert value == pytest.approx(expected, abs=1e-3)
