"""The questions: civil days across changes of the clock, order, and the table for people."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.grid import day_date, day_number, grid_from_frame, local_days, make_grid

ZONES = ("coast", "plateau")


def instants(*texts: str) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(list(texts)).tz_convert("UTC").as_unit("us")


@pytest.mark.parametrize(
    ("instant", "day"),
    [
        ("2026-03-28T22:59Z", "2026-03-28"),  # 23:59 before the clock goes forward
        ("2026-03-28T23:00Z", "2026-03-29"),
        ("2026-03-29T21:59Z", "2026-03-29"),
        ("2026-03-29T22:00Z", "2026-03-30"),  # midnight is an hour earlier in UTC now
        ("2026-10-24T22:00Z", "2026-10-25"),
        ("2026-10-25T22:59Z", "2026-10-25"),
        ("2026-10-25T23:00Z", "2026-10-26"),
        ("1969-12-31T23:30Z", "1970-01-01"),
    ],
)
def test_the_civil_day_of_an_instant(instant: str, day: str) -> None:
    assert local_days(instants(instant), "Europe/Paris") == day_number([day])


def test_days_and_numbers_are_inverse_before_1970_too() -> None:
    days = np.array([-400, -1, 0, 1, 20_000])
    assert day_number(day_date(days)).tolist() == days.tolist()


def test_questions_come_by_zone_then_origin_then_day() -> None:
    origins = ["2026-05-14T06:00Z", "2026-05-13T06:00Z", "2026-05-13T06:00:00Z"]
    grid = make_grid(instants(*origins), ZONES, [2, 0, 2], "Europe/Paris")
    frame = grid.frame()
    assert len(frame) == 2 * 2 * 2  # one instant was given twice, and so was a horizon
    assert frame.equals(frame.sort_values(["zone_id", "origin", "target_date"], ignore_index=True))
    assert set(frame["horizon_days"]) == {0, 2}
    assert grid.zone_asks().tolist() == [0, 2, 4]


def test_the_horizon_is_counted_in_civil_days_of_the_territory() -> None:
    late = instants("2026-06-30T22:30Z")  # already the first of July in Paris
    for timezone, day in (("Europe/Paris", "2026-07-01"), ("UTC", "2026-06-30")):
        frame = make_grid(late, ZONES, range(2), timezone).frame()
        assert frame["target_date"].min() == pd.Timestamp(day)
        assert frame["horizon_days"].tolist() == [0, 1, 0, 1]


def test_a_table_of_questions_is_read_back_whatever_its_order() -> None:
    grid = make_grid(
        instants("2026-05-13T06:00Z", "2026-05-20T06:00Z"), ZONES, range(4), "Europe/Paris"
    )
    shuffled = grid.frame().sample(frac=1, random_state=1)
    again = grid_from_frame(shuffled, ZONES, "Europe/Paris")
    pd.testing.assert_frame_equal(again.frame(), grid.frame())


def test_an_unknown_zone_stays_a_question() -> None:
    frame = make_grid(instants("2026-05-13T06:00Z"), ("moon",), range(2), "Europe/Paris").frame()
    grid = grid_from_frame(frame, ZONES, "Europe/Paris")
    assert grid.row_zone.tolist() == [-1, -1]
    assert grid.frame()["zone_id"].tolist() == ["(unknown)", "(unknown)"]


def test_some_asks_keep_their_rows() -> None:
    grid = make_grid(
        instants("2026-05-13T06:00Z", "2026-05-20T06:00Z"), ZONES, range(3), "Europe/Paris"
    )
    kept = np.array([False, True, True, False])
    some, rows = grid.take(kept)
    expected = grid.frame()[rows].reset_index(drop=True)
    pd.testing.assert_frame_equal(some.frame(), expected)
    assert len(some) == 6
