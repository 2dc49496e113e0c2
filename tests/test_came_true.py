"""Scores of the forecasts whose days have become known, from a real lake."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.came_true import Previous, came_true, previous_forecast
from forecast.config import RunConfig
from forecast.features.base import sample_rows
from forecast.lake import Lake
from forecast.levels import LEVELS
from forecast.tables import contribution_name, forecasts_schema, quantile_name

ZONE = {"id": "zone", "name": "Zone", "population": 10, "latitude": 49.4, "longitude": 0.1}
CONFIG = RunConfig(id="essai", name="Essai", zones=[ZONE])
FIRST = pd.Timestamp("2026-05-10T06:00Z").as_unit("us")
NOW = FIRST + pd.Timedelta(days=4)


def forecasts(origin: pd.Timestamp, median: float, lake_version: int = 1) -> pd.DataFrame:
    """Days 0 to 14 of the zone; the band is the median ± 20."""
    days = np.arange(15)
    frame = pd.DataFrame({"zone_id": "zone", "origin": origin, "horizon_days": days})
    frame["target_date"] = origin.tz_localize(None).normalize() + pd.to_timedelta(days, unit="D")
    for quantile, offset in zip(CONFIG.quantiles, (-20, -10, 0, 10, 20), strict=True):
        frame[quantile_name(quantile)] = median + offset
    for column in forecasts_schema(CONFIG.quantiles, LEVELS).columns:
        if column.name not in frame:
            frame[column.name] = (
                "vert"
                if column.kind == "text"
                else lake_version
                if column.kind == "integer"
                else 0.0
            )
    assert contribution_name("weather") in frame
    return frame


def influx(first: str, values: list[float], days_later: float = 3) -> pd.DataFrame:
    rows = sample_rows("influx", "influx", values, first=first)
    end = (rows["date"] + pd.Timedelta(days=days_later)).dt.tz_localize("UTC")
    return rows.assign(available_at=end)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Influx of 1 to 7 May was known when the zone was first forecast on 10 May at 06:00."""
    made = Lake(str(tmp_path / "lake"))
    made.append(influx("2026-05-01", [90.0] * 7), now=FIRST)
    made.append_forecasts(forecasts(FIRST, 100.0, made.version()))
    return made


def previous(lake: Lake) -> Previous:
    found = previous_forecast(lake, NOW)
    assert found is not None
    return found


def test_the_previous_forecast_is_the_last_before_now(lake: Lake) -> None:
    assert previous(lake) == Previous(FIRST, lake.version())
    later = FIRST + pd.Timedelta(days=1)
    lake.append_forecasts(forecasts(later, 100.0, 7))
    lake.append_forecasts(forecasts(NOW, 100.0, 8))
    assert previous(lake) == Previous(later, 7)
    assert previous_forecast(lake, FIRST) is None
    assert previous_forecast(lake, NOW + pd.Timedelta(days=90)) == Previous(NOW, 8)
    assert previous_forecast(lake, NOW + pd.Timedelta(days=900)) == Previous(NOW, 8)


def test_what_has_become_known_is_scored_against_what_was_said_before(lake: Lake) -> None:
    # The 10th is the day of the forecast, the 14th is not readable yet.
    lake.append(influx("2026-05-08", [70.0, 70.0, 100.0, 110.0, 125.0, 90.0], 1), now=NOW)
    lake.append(influx("2026-05-14", [1000.0], 1), now=NOW)
    score = came_true(lake, CONFIG, previous(lake), NOW)
    assert (score.zone_days, score.held) == (3, 2)
    assert score.band == pytest.approx(0.8)
    assert score.error == pytest.approx((10 + 25 + 10) / (110 + 125 + 90))


def test_the_last_forecast_of_an_earlier_day_is_the_one_scored(lake: Lake) -> None:
    later = FIRST + pd.Timedelta(days=1)  # the 11th: its own day is horizon 0
    lake.append_forecasts(forecasts(later, 200.0, lake.version()))
    lake.append(influx("2026-05-11", [100.0, 200.0], 1), now=NOW)
    score = came_true(lake, CONFIG, Previous(FIRST, lake.version() - 1), NOW)
    assert (score.zone_days, score.held, score.error) == (2, 2, 0.0)


def test_a_past_origin_replayed_by_a_later_model_is_no_forecast(lake: Lake) -> None:
    """`publish --origin` of a past day, with a model that has seen what came of it."""
    replay = forecasts(FIRST + pd.Timedelta(days=1), 110.0, 1).assign(model_version="later")
    lake.append_forecasts(replay)
    lake.append(influx("2026-05-12", [110.0], 1), now=NOW)
    before, trained = Previous(FIRST, lake.version() - 1), {"later": NOW}
    assert came_true(lake, CONFIG, before, NOW, trained).error == pytest.approx(10 / 110)
    assert came_true(lake, CONFIG, before, NOW, {"later": FIRST}).error == 0.0


def test_history_that_arrives_late_with_early_instants_counts(lake: Lake) -> None:
    before = previous(lake)
    lake.append_forecasts(forecasts(FIRST - pd.Timedelta(days=3), 100.0, 0))
    lake.append(influx("2026-05-08", [100.0], 1), now=NOW)  # readable since the 9th, it says
    assert came_true(lake, CONFIG, before, NOW).zone_days == 1
    # The next cycle has seen it.
    later = NOW + pd.Timedelta(hours=1)
    lake.append_forecasts(forecasts(NOW, 100.0, lake.version()))
    seen = previous_forecast(lake, later)
    assert came_true(lake, CONFIG, seen, later).zone_days == 0


def test_a_revision_is_scored_again(lake: Lake) -> None:
    lake.append(influx("2026-05-11", [150.0], 1), now=NOW)
    lake.append_forecasts(forecasts(NOW, 100.0, lake.version()))
    later = NOW + pd.Timedelta(days=1)
    lake.append(influx("2026-05-11", [110.0], 4), now=later)
    score = came_true(lake, CONFIG, previous_forecast(lake, later), later)
    assert (score.zone_days, score.held) == (1, 1)


def test_a_version_that_is_gone_leaves_the_instants(lake: Lake) -> None:
    lake.append(influx("2026-05-11", [100.0], 1), now=NOW)
    assert came_true(lake, CONFIG, Previous(FIRST, 999), NOW).zone_days == 1


def test_nothing_to_score_is_no_error(lake: Lake, tmp_path: Path) -> None:
    score = came_true(lake, CONFIG, previous(lake), NOW)
    assert (score.zone_days, score.held) == (0, 0)
    assert np.isnan(score.error)
    empty = Lake(str(tmp_path / "empty"))
    assert previous_forecast(empty, NOW) is None
    assert came_true(empty, CONFIG, None, NOW).zone_days == 0
    lake.append(influx("2026-05-09", [0.0], 1), now=NOW)  # nobody had forecast it
    assert came_true(lake, CONFIG, previous(lake), NOW).zone_days == 0


def test_days_without_anybody_have_no_relative_error(lake: Lake) -> None:
    lake.append(influx("2026-05-11", [0.0], 1), now=NOW)
    score = came_true(lake, CONFIG, previous(lake), NOW)
    assert (score.zone_days, score.held) == (1, 0)
    assert np.isnan(score.error)
