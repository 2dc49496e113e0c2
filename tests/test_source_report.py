"""The report of sources and providers: missed runs, next tries, and plain JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.config import DEFAULT_DELAYS_HOURS, RunConfig
from forecast.features.base import sample_rows
from forecast.freshness import source_statuses
from forecast.lake import Lake
from forecast.source_report import ProviderStatus, lake_statuses, source_report

ZONE = {"id": "zone", "name": "Zone", "population": 10, "latitude": 49.4, "longitude": 0.1}
CONFIG = RunConfig(id="essai", name="Essai", zones=[ZONE])
NOW = pd.Timestamp("2026-05-20T06:00Z")
DAILY = ProviderStatus(
    "compteurs", "eco-counter", ("mobility",), 24.0, "Licence Ouverte 2.0", "Ville d'essai"
)


def ago(hours: float) -> pd.Timestamp:
    return NOW - pd.Timedelta(hours=hours)


def rows_of(source: str, last: str, days: int = 3, late_hours: float = 10) -> pd.DataFrame:
    first = pd.Timestamp(last) - pd.Timedelta(days=days - 1)
    rows = sample_rows(source, "value", np.ones(days), first=f"{first:%Y-%m-%d}")
    end = (rows["date"] + pd.Timedelta(days=1)).dt.tz_localize("UTC")
    return rows.assign(available_at=end + pd.Timedelta(hours=late_hours))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Mobility of yesterday, influx of last autumn, waste of long ago, a row not readable yet."""
    made = Lake(str(tmp_path / "lake"))
    for rows in (
        rows_of("mobility", "2026-05-18", 400),
        rows_of("influx", "2025-11-03"),
        rows_of("waste", "2021-02-01"),
        rows_of("weather", "2026-05-19", late_hours=48),
        rows_of("mobility", "2026-05-19").assign(zone_id="elsewhere"),
    ):
        made.append(rows, now=NOW)
    return made


# Sources


def test_the_newest_rows_are_those_that_the_whole_lake_gives(lake: Lake) -> None:
    whole = lake.read(zones=["zone"], known_at=NOW)
    found = lake_statuses(lake, CONFIG, NOW)
    assert found == source_statuses(whole, CONFIG, NOW)
    assert {s.source: s.newest_date for s in found} == {
        "influx": date(2025, 11, 3),
        "mobility": date(2026, 5, 18),
        "waste": date(2021, 2, 1),
        "weather": date(2026, 5, 17),
    }


def test_two_months_are_read_of_a_source_that_is_alive(lake: Lake, monkeypatch) -> None:
    sizes = []
    read = Lake.read

    def counted(self: Lake, **asked: object) -> pd.DataFrame:
        rows = read(self, **asked)
        sizes.append(rows.groupby("source", observed=True).size().to_dict())
        return rows

    monkeypatch.setattr(Lake, "read", counted)
    lake_statuses(lake, CONFIG, NOW)
    assert [size.get("mobility", 0) for size in sizes] == [59, 0, 0]
    assert [size.get("waste", 0) for size in sizes] == [0, 0, 3]


def test_every_source_is_in_the_report_heard_of_or_not(lake: Lake) -> None:
    report = source_report(CONFIG, lake_statuses(lake, CONFIG, NOW), [DAILY], NOW)
    assert [entry["source"] for entry in report] == sorted(DEFAULT_DELAYS_HOURS)
    by_name = {entry["source"]: entry for entry in report}
    assert by_name["mobility"] | {"providers": []} == {
        "source": "mobility",
        "newest_date": "2026-05-18",
        "read_at": "2026-05-19T10:00:00Z",
        "promised_delay_hours": 8.0,
        "missed_runs": 1,
        "fresh": True,
        "simulated": False,
        "next_try_at": "2026-05-20T06:00:00Z",
        "providers": [],
    }
    assert by_name["influx"]["missed_runs"] > 190 and by_name["influx"]["fresh"] is False
    silent = by_name["parking"]
    assert (silent["newest_date"], silent["read_at"], silent["missed_runs"]) == (None, None, None)
    assert (silent["fresh"], silent["next_try_at"], silent["providers"]) == (False, None, [])
    assert json.loads(json.dumps(report, allow_nan=False)) == report


def test_what_is_simulated_says_so() -> None:
    simulated = CONFIG.model_copy(update={"simulated": True})
    assert all(entry["simulated"] for entry in source_report(simulated, [], [], NOW))


def test_an_empty_lake_has_a_report(tmp_path: Path) -> None:
    assert lake_statuses(Lake(str(tmp_path / "none")), CONFIG, NOW) == []


# Providers


@pytest.mark.parametrize(
    ("hours", "missed"),
    [(0, 0), (23.9, 0), (24.0, 0), (25.0, 0), (26.5, 1), (48, 1), (50.5, 2), (24 * 10 + 3, 10)],
)
def test_a_try_is_missed_when_a_tenth_of_the_interval_has_passed(hours, missed) -> None:
    assert replace(DAILY, last_success_at=ago(hours)).missed_runs(NOW) == missed


@pytest.mark.parametrize(
    ("success", "failure", "missed"),
    [(1, 0.5, 1), (24, 0, 1), (48, 24, 1), (51, 27, 2), (None, 0, 1), (None, 51, 3)],
)
def test_a_failed_try_is_a_missed_run(success, failure, missed) -> None:
    status = replace(
        DAILY,
        last_success_at=None if success is None else ago(success),
        first_failure_at=ago(failure),
        last_error="compteurs: 503",
    )
    assert status.missed_runs(NOW) == missed


def test_one_that_was_never_tried_has_missed_nothing_that_is_known() -> None:
    assert DAILY.missed_runs(NOW) is None
    assert DAILY.next_try_at(NOW) == NOW


def test_a_clock_that_stepped_back_never_counts_below_zero() -> None:
    assert replace(DAILY, last_success_at=ago(-30)).missed_runs(NOW) == 0


def test_it_is_asked_next_when_the_last_try_said_or_now() -> None:
    assert replace(DAILY, planned_at=ago(-23)).next_try_at(NOW) == ago(-23)
    assert replace(DAILY, planned_at=ago(2)).next_try_at(NOW) == NOW
    assert replace(DAILY, planned_at=ago(-23), enabled=False).next_try_at(NOW) is None


def test_a_provider_is_listed_under_each_source_it_fills() -> None:
    weather = replace(
        DAILY,
        name="ciel",
        sources=("weather", "weather_forecast"),
        last_try_at=ago(1),
        last_success_at=ago(49),
        first_failure_at=ago(25),
        planned_at=ago(-0.5),
        last_error="https://example.org: 503",
        newest_date=date(2026, 5, 18),
    )
    off = replace(weather, name="éteint", enabled=False)
    report = {e["source"]: e for e in source_report(CONFIG, [], [DAILY, weather, off], NOW)}
    assert [p["name"] for p in report["weather"]["providers"]] == ["ciel", "éteint"]
    assert [p["name"] for p in report["mobility"]["providers"]] == ["compteurs"]
    assert report["weather_forecast"]["providers"][0] == {
        "name": "ciel",
        "kind": "eco-counter",
        "enabled": True,
        "every_hours": 24.0,
        "last_try_at": "2026-05-20T05:00:00Z",
        "last_success_at": "2026-05-18T05:00:00Z",
        "last_error": "https://example.org: 503",
        "missed_runs": 1,
        "next_try_at": "2026-05-20T06:30:00Z",
        "newest_date": "2026-05-18",
        "licence": "Licence Ouverte 2.0",
        "attribution": "Ville d'essai",
    }
    assert report["weather"]["providers"][1]["next_try_at"] is None
    assert report["weather"]["next_try_at"] == "2026-05-20T06:30:00Z"
