from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.features.base import Evidence, Floats
from forecast.features.sea import SOURCE, near_le_havre
from forecast.grid import Grid, grid_from_frame, make_grid
from forecast.tables import OBSERVATIONS, check
from forecast.territory import Territory

PARIS = "Europe/Paris"


@pytest.fixture(scope="module")
def territory() -> Territory:
    def zone(name: str, latitude: float, longitude: float, coast: bool) -> dict[str, object]:
        place = {"latitude": latitude, "longitude": longitude, "coast": coast}
        return {"id": name, "name": name, "population": 1000, **place}

    zones = [
        zone("Deauville", 49.36, 0.07, True),
        zone("Lisieux", 49.15, 0.23, False),
        zone("Biarritz", 43.48, -1.56, True),
        zone("Dieppe", 49.92, 1.08, True),
    ]
    return RunConfig.model_validate({"id": "t", "name": "T", "zones": zones}).territory()


def answer(grid: Grid, territory: Territory) -> Floats:
    out = np.full((len(SOURCE.features), len(grid)), np.nan, dtype=np.float32)
    SOURCE.fill(grid, Evidence(pd.DataFrame(), territory), out)
    return out


def test_only_the_shore_near_le_havre_is_answered(territory: Territory) -> None:
    assert near_le_havre(territory).tolist() == [True, False, False, False]  # Dieppe: 86 km
    grid = make_grid([pd.Timestamp("2026-03-20T06:00Z")], territory.zone_ids, [0, 1], PARIS)
    found = answer(grid, territory)
    assert np.isfinite(found[:, :2]).all()
    assert np.isnan(found[:, 2:]).all()
    # High at 09:58 and low at 17:34 UTC: 7.4 m, and low water too late for bathing.
    assert found[0, 0] == pytest.approx(7.43, abs=0.15)
    assert found[1, :2].tolist() == [0, 0]
    assert found[3, 0] == pytest.approx(18.58, abs=0.1)


def test_low_water_falls_in_bathing_hours_and_leaves_them(territory: Territory) -> None:
    grid = make_grid([pd.Timestamp("2026-07-01T06:00Z")], ["Deauville"], range(30), PARIS)
    found = answer(grid, territory)
    inside = found[1] == 1
    assert 0 < inside.sum() < 30
    np.testing.assert_array_equal(inside, (found[3] >= 10) & (found[3] <= 18))
    assert found[2][inside].mean() > found[2][~inside].mean()


def test_one_question_is_answered_as_among_others(territory: Territory) -> None:
    origins = pd.date_range("2025-03-01T06:00Z", periods=30, freq="13D")
    grid = make_grid(origins, territory.zone_ids, range(15), PARIS)
    whole, frame = answer(grid, territory), grid.frame()
    for row in np.linspace(0, len(grid) - 1, 19).astype(int):
        alone = grid_from_frame(frame.iloc[[row]], territory.zone_ids, PARIS)
        np.testing.assert_allclose(answer(alone, territory)[:, 0], whole[:, row], rtol=1e-6)


def test_an_unknown_zone_and_a_territory_inland_get_nothing(territory: Territory) -> None:
    frame = pd.DataFrame(
        {
            "zone_id": ["elsewhere", "Deauville"],
            "origin": pd.DatetimeIndex(["2026-05-13T06:00Z"] * 2),
            "target_date": pd.DatetimeIndex(["2026-05-14"] * 2),
        }
    )
    grid = grid_from_frame(frame, territory.zone_ids, PARIS)
    found = answer(grid, territory)
    assert np.isnan(found[:, 0]).all()
    assert np.isfinite(found[:, 1]).all()
    inland = replace(territory, coast=np.zeros(4, dtype=bool))
    assert np.isnan(answer(grid, inland)).all()


def test_no_observation_is_read() -> None:
    assert SOURCE.reads == {}
    assert check(SOURCE.sample(), OBSERVATIONS).empty
