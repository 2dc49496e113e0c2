"""A full car park hides demand: its reading is a lower bound."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.features import Evidence, build
from forecast.features.base import sample_rows
from forecast.features.parking import FULL, SOURCE

DAYS = 120


def ask(world, *lots: np.ndarray) -> dict[str, float]:
    zone = world.territory.zone_ids[0]
    rows = pd.concat(
        [
            sample_rows("parking", "occupancy", lot, site_id=str(i), zone_id=zone, delay_hours=2)
            for i, lot in enumerate(lots)
        ]
    )
    grid = world.grid(pd.Timestamp("2025-01-06T06:00Z") + pd.Timedelta(days=DAYS))
    found = build(grid, Evidence(rows, world.territory), [SOURCE])
    return {name: float(found.column(name)[0]) for name in found.columns}


@pytest.fixture
def usual() -> np.ndarray:
    """Nearly full all the time, a little more on Saturdays."""
    rng = np.random.default_rng(2)
    return 0.96 + 0.02 * (np.arange(DAYS) % 7 == 5) + rng.normal(0, 0.002, DAYS)


def test_a_full_car_park_counts_as_at_least_normal(usual: np.ndarray, world) -> None:
    lot = usual.copy()
    lot[-3:] = [0.905, 0.91, 0.92]  # below its normal, yet full for hours
    found = ask(world, lot)
    assert found["parking_index"] == 1
    assert found["parking_index_3"] == 1
    assert found["parking_full_7"] == 1
    lot[-3:] = [0.80, 0.81, 0.82]  # with places left it is what it reads
    found = ask(world, lot)
    assert found["parking_index"] == pytest.approx(0.82 / 0.96, rel=0.02)
    assert found["parking_full_7"] == pytest.approx(4 / 7)


def test_full_days_are_counted_over_lots_and_days(world) -> None:
    rng = np.random.default_rng(2)
    quiet, busy = (0.5 + rng.normal(0, 0.01, DAYS) for _ in range(2))
    assert ask(world, quiet, busy)["parking_full_7"] == 0
    busy[-4:] = [0.97, 1.0, 1.0, 1.0]
    found = ask(world, quiet, busy)
    assert found["parking_full_7"] == pytest.approx(4 / 14)
    assert ask(world, busy)["parking_index"] == pytest.approx(2, rel=0.05)


def test_three_full_days_alike_are_no_stuck_sensor_but_a_fortnight_is(usual, world) -> None:
    lot = usual.copy()
    lot[-5:] = 1.0
    assert ask(world, lot)["parking_full_7"] == 1
    assert ask(world, lot)["parking_sites"] == 1
    lot[-30:] = 1.0
    assert np.isnan(ask(world, lot)["parking_full_7"])
    assert ask(world, lot)["parking_sites"] == 0


def test_the_bound_itself_is_full(usual: np.ndarray, world) -> None:
    lot = usual - 0.3
    assert ask(world, lot)["parking_full_7"] == 0
    lot[-1] = FULL
    assert ask(world, lot)["parking_full_7"] == pytest.approx(1 / 7)
