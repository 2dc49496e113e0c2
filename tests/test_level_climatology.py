"""How often days like it reached a level, and what that adds to a forecast's own probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.level_climatology import (
    CLIMATOLOGY_SHARES,
    climatology,
    drawn_to_climatology,
    or_worse,
)
from forecast.levels import level_of
from forecast.truth import Truth

FIRST = 19000
ONE = np.zeros(1, dtype=np.int64)


def truth(values: list[np.ndarray]) -> Truth:
    return Truth(FIRST, np.array(values, dtype=np.float32))


def test_climatology_knows_season_and_weekday() -> None:
    """Two years in which only Saturdays of one quarter reach the level."""
    day = FIRST + np.arange(728)
    summer = np.abs((day - FIRST - 180) % 365.2425 - 0) < 60
    saturday = day % 7 == 3
    values = np.where(summer & saturday, 100.0, 10.0)
    limits = np.array([[50.0, 80.0, 200.0]])
    asked = np.array([FIRST + 728 + 210, 0, FIRST + 728 + 20])
    asked[0] += (3 - asked[0]) % 7
    asked[1] = asked[0] + 1
    found = climatology(truth([values]), limits, np.zeros(3, dtype=np.int64), asked)
    base = (values >= 50).mean()
    like = 12  # the Saturdays within three weeks of that time, in two years
    assert found[0, 0] == pytest.approx((like + 10 * base) / (like + 10), abs=0.03)
    assert found[0, 0] > 0.5 > 0.1 > found[1, 0] > 0
    assert found[2, 0] < 0.1
    assert (found[:, 2] == 0).all()


@pytest.mark.parametrize("measured", [0, 30, 179])
def test_too_short_a_history_has_no_climatology(measured: int) -> None:
    values = np.where(np.arange(400) < measured, 100.0, np.nan)
    limits, asked = np.array([[50.0, 80.0, 200.0]]), np.array([FIRST + 400])
    assert np.isnan(climatology(truth([values]), limits, ONE, asked)).all()
    enough = truth([np.where(np.arange(400) < 180, 100.0, np.nan)])
    assert climatology(enough, limits, ONE, asked).tolist() == [[1, 1, 0]]
    assert np.isnan(climatology(enough, limits * np.nan, ONE, asked)).all()


chances = st.lists(st.floats(0, 1), min_size=4, max_size=4).filter(lambda c: sum(c) > 0.01)
shares = st.lists(st.floats(0, 1), min_size=3, max_size=3)


@given(chances, shares)
def test_it_stays_a_distribution_between_both(own: list[float], usual: list[float]) -> None:
    levels = np.array([own]) / sum(own)
    others = np.sort(np.array([usual]), axis=1)[:, ::-1]
    found = drawn_to_climatology(levels, others)
    assert (found >= -1e-12).all()
    assert found.sum() == pytest.approx(1)
    told, before = or_worse(found), or_worse(levels)
    assert told[0, 0] == pytest.approx(before[0, 0]), "orange is the quantiles' own"
    assert (np.diff(told, axis=1) <= 1e-12).all()
    np.testing.assert_array_equal(level_of(found), level_of(levels), "the word is the quantiles'")
    low, high = np.minimum(before, others), np.maximum(before, others)
    assert (told >= low - 1e-9).all()
    assert (told <= high + 1e-9).all()


def test_a_sure_forecast_of_a_record_day_is_drawn_by_the_share() -> None:
    found = or_worse(drawn_to_climatology([[0.0, 0.0, 0.0, 1.0]], [[0.3, 0.1, 0.0]]))
    share = CLIMATOLOGY_SHARES[1]
    assert found[0].tolist() == pytest.approx([1, 1 - 0.9 * share, 1 - share])
    nearly = or_worse(drawn_to_climatology([[0.0, 0.0, 0.48, 0.52]], [[0.3, 0.1, 0.0]]))
    assert nearly[0].tolist() == pytest.approx([1, 1 - 0.9 * share, 0.5])
    frequent = or_worse(drawn_to_climatology([[0.0, 0.52, 0.48, 0.0]], [[0.9, 0.9, 0.0]]))
    assert frequent[0].tolist() == pytest.approx([1, 0.5, 0], abs=1e-5)
    assert frequent[0, 1] < 0.5
    unknown = drawn_to_climatology([[0.0, 0.0, 0.0, 1.0]], [[np.nan] * 3])
    assert unknown.tolist() == [[0, 0, 0, 1]]
    none = drawn_to_climatology([[np.nan] * 4], [[0.3, 0.1, 0.0]])
    assert np.isnan(none).all()
