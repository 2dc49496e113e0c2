"""The tide against values of another program: @neaps/tide-predictor 0.11.0, nodes of Schureman."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecast import tides

EPOCH = date(1970, 1, 1)


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


@pytest.mark.parametrize(
    ("when", "height", "high"),
    [
        ("2026-03-20T05:18", -3.850, False),
        ("2026-03-20T09:58", 3.348, True),
        ("2026-03-20T17:35", -4.076, False),
        ("2026-03-20T22:20", 3.342, True),
        ("2019-07-17T04:51", -3.503, False),
        ("2019-07-17T10:48", 2.539, True),
        ("2022-11-01T09:18", -1.971, False),
        ("2027-08-10T03:37", 1.976, True),
        ("2027-08-10T22:32", -1.861, False),
    ],
)
def test_extremes_agree_with_another_program(when: str, height: float, high: bool) -> None:
    found = tides.extremes(day(when[:10]), 1)
    wanted = pd.Timestamp(when, tz="UTC").value // 1000
    i = int(np.argmin(np.abs(found.instant - wanted)))
    assert abs(found.instant[i] - wanted) <= 4 * 60e6
    assert found.height[i] == pytest.approx(height, abs=0.1)
    assert found.high[i] == high


def test_high_and_low_waters_alternate_at_the_lunar_pace() -> None:
    found = tides.extremes(day("2021-01-01"), 6 * 365)
    assert (found.high[1:] != found.high[:-1]).all()
    assert np.diff(found.instant[found.high]).mean() / 3.6e9 == pytest.approx(12.4206, abs=0.005)
    assert found.height.max() < 8.7 - 4.97 + 0.1  # highest astronomical tide less mean sea level
    assert found.height.min() > 0.22 - 4.97 - 0.1


def test_an_extreme_does_not_depend_on_the_span_asked() -> None:
    whole = tides.extremes(day("2026-03-01"), 40)
    alone = tides.extremes(day("2026-03-20"), 1)
    inside = np.isin(whole.instant, alone.instant)
    assert inside.sum() == len(alone.instant) == 4
    np.testing.assert_allclose(whole.height[inside], alone.height)


def test_daily_facts_follow_the_local_clock() -> None:
    facts = tides.daily(day("2026-03-20"), 1, "Europe/Paris")
    assert facts.low_time[0] == pytest.approx(17 + 35 / 60 + 1, abs=0.05)
    assert not facts.low_bathing[0]  # 18:35 local, after bathing hours
    assert facts.range[0] == pytest.approx(3.35 + 4.08, abs=0.15)
    in_utc = tides.daily(day("2026-03-20"), 1, "UTC")
    assert in_utc.low_time[0] == pytest.approx(17 + 35 / 60, abs=0.05)
    assert in_utc.low_bathing[0]


def test_spring_tides_bare_the_sands_longer_than_neaps() -> None:
    facts = tides.daily(day("2025-01-01"), 365, "Europe/Paris")
    midday = np.abs(facts.low_time - 14) < 1.5
    spring, neap = facts.range > np.quantile(facts.range, 0.6), facts.range < 4
    assert facts.low_hours[midday & spring].min() > facts.low_hours[midday & neap].mean()
    assert facts.low_hours.min() >= 0
    assert facts.low_hours.max() <= 8
