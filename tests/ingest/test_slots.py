"""From readings to a day's figure: what counts as a day, and what it weighs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.grid import day_number
from forecast.ingest.place import HOUR, Place
from forecast.ingest.slots import fill, flow_days, occupancy_days

PARIS = Place({}, {}, "Europe/Paris", {}, "files")


def readings(
    day: str, values: float | list[float], *, every: str = "6min", variable: str = "flow"
) -> pd.DataFrame:
    """One reading every so often, all through a day of Paris."""
    bounds = pd.DatetimeIndex([day, pd.Timestamp(day) + pd.Timedelta(days=1)])
    start, end = bounds.tz_localize("Europe/Paris")
    at = pd.date_range(start, end, freq=every, inclusive="left").tz_convert("UTC")
    return pd.DataFrame(
        {"site_id": "S", "zone_id": "z", "variable": variable, "at": at, "value": values}
    )


def flows(samples: pd.DataFrame, day: str, step_hours: float = 0.1) -> pd.DataFrame:
    days = day_number([day]).tolist()
    return flow_days(samples, days, PARIS, step_hours=step_hours, least=0.8).rows


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-07-14", 24), ("2026-03-29", 23), ("2026-10-25", 25)]
)
def test_a_steady_flow_lasts_as_long_as_the_day(day: str, hours: int) -> None:
    (row,) = flows(readings(day, 100.0), day).to_dict("records")
    assert row == {
        "zone_id": "z", "site_id": "S", "date": pd.Timestamp(day), "count": 100.0 * hours,
    }  # fmt: skip


def test_a_gap_at_night_does_not_weigh_like_one_at_noon() -> None:
    samples = readings("2026-07-14", 0.0)
    hour = samples["at"].dt.tz_convert("Europe/Paris").dt.hour
    samples["value"] = np.where(hour.between(6, 21), 900.0, 60.0)
    (whole,) = flows(samples, "2026-07-14")["count"]
    assert whole == 16 * 900 + 8 * 60
    (night,) = flows(samples[~hour.between(1, 3)], "2026-07-14")["count"]
    assert night == whole


def test_too_few_readings_are_no_day_and_are_counted() -> None:
    samples = readings("2026-07-14", 100.0)
    days = day_number(["2026-07-13", "2026-07-14"]).tolist()
    most = flow_days(samples.iloc[: 240 * 8 // 10], days, PARIS, step_hours=0.1, least=0.8)
    assert most.rows["count"].tolist() == [2400.0] and not most.left_out
    less = flow_days(samples.iloc[: 240 * 78 // 100], days, PARIS, step_hours=0.1, least=0.8)
    assert less.rows.empty and sum(less.left_out.values()) == 1


def test_polls_that_are_not_quite_on_time_are_a_whole_day() -> None:
    rng = np.random.default_rng(3)
    samples = readings("2026-07-14", 100.0, every="60min")
    samples["at"] += pd.to_timedelta(rng.integers(-14, 15, len(samples)), unit="min")
    assert flows(samples, "2026-07-14", step_hours=1.0)["count"].tolist() == [2400.0]


def test_more_polls_than_promised_weigh_no_more() -> None:
    samples = readings("2026-07-14", 100.0, every="60min")
    burst = readings("2026-07-14", 900.0, every="1min").iloc[600:660]
    (count,) = flows(pd.concat([samples, burst]), "2026-07-14", step_hours=1.0)["count"]
    assert 23 * 100 + 880 < count <= 23 * 100 + 900


def test_what_comes_later_changes_nothing() -> None:
    today, tomorrow = readings("2026-07-14", 100.0).iloc[:-20], readings("2026-07-15", 9e3)
    alone = flows(today, "2026-07-14")
    pd.testing.assert_frame_equal(flows(pd.concat([today, tomorrow]), "2026-07-14"), alone)


def test_occupancy_is_that_of_the_day_by_the_clock_on_the_wall() -> None:
    samples = readings("2026-07-14", 0.1, every="15min", variable="occupancy")
    hour = samples["at"].dt.tz_convert("Europe/Paris").dt.hour
    samples["value"] = np.select([hour.between(9, 13), hour.between(14, 18)], [0.5, 0.96], 0.1)
    samples.loc[hour == 18, "value"] = 1.0
    spaces = samples.assign(variable="capacity", value=np.where(hour < 12, 200.0, 220.0))
    made = occupancy_days(
        pd.concat([samples, spaces]),
        day_number(["2026-07-14"]).tolist(),
        PARIS,
        step_hours=0.25,
        least=0.8,
    )
    (row,) = made.rows.to_dict("records")
    assert row["occupancy"] == pytest.approx((5 * 0.5 + 4 * 0.96 + 1.0) / 10)
    assert row["occupancy_peak"] == 1.0 and row["full_share"] == 0.5 and row["capacity"] == 220.0


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25"])
def test_occupancy_of_a_day_on_which_the_clocks_change(day: str) -> None:
    samples = readings(day, 0.0, every="15min", variable="occupancy")
    hour = samples["at"].dt.tz_convert("Europe/Paris").dt.hour
    samples["value"] = np.where(hour.between(9, 18), 0.7, 0.0)
    made = occupancy_days(samples, day_number([day]).tolist(), PARIS, step_hours=0.25, least=1.0)
    assert made.rows["occupancy"].tolist() == pytest.approx([0.7])
    assert made.rows["capacity"].isna().all()


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 24 * 60 - 1), st.floats(0, 5000)), min_size=1, max_size=60),
    st.sampled_from([0.1, 0.25, 1.0, 5.0, 50.0]),
)
def test_a_mean_lies_between_the_readings(found: list[tuple[int, float]], step: float) -> None:
    table = pd.DataFrame(sorted(found), columns=["minute", "value"])
    at, values = table["minute"].to_numpy() * (HOUR // 60), table["value"].to_numpy()
    slots, seen = fill(at, values, 0, 24 * HOUR, step)
    assert values.min() - 1e-6 <= slots.mean() <= values.max() + 1e-6
    assert 0 < seen <= 1
