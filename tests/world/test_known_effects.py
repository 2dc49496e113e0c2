"""The trained model finds what the simulated world is made of.

Each test asks the same question twice and changes one thing, the sky or the day, then compares the
ratio of the two answers with the ratio in the world itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from forecast.daily import Daily
from forecast.demo_weather import Weather, usual_maximum
from forecast.demo_world import expected_influx
from forecast.features import build
from forecast.features.base import Evidence
from forecast.grid import day_number, make_grid

COEUR_COTE_FLEURIE, HONFLEUR, ROUMOIS = "241400415", "200066827", "200066405"
SKIES = {
    "fine": {"warmer": 5.0, "precipitation": 0.0, "sunshine": 14.0, "wind_gust": 30.0},
    "wet": {"warmer": -4.0, "precipitation": 12.0, "sunshine": 1.0, "wind_gust": 60.0},
}
DAYS = 15

Ask = Callable[..., pd.DataFrame]
World = Callable[[str], pd.DataFrame]


def year_fraction(days: np.ndarray) -> np.ndarray:
    return (days - int(day_number(["2025-01-01"])[0])) / 365.2425


@pytest.fixture(scope="module")
def told(world) -> Ask:
    """Median by zone and target date, were this sky forecast for every day from the origin on."""
    territory = world.config.territory()

    def ask(sky: str, origin: pd.Timestamp = world.now) -> pd.DataFrame:
        rows = world.observations[world.observations["available_at"] <= origin].copy()
        latest = rows["source"] == "weather_forecast"
        latest &= rows["available_at"] > origin - pd.Timedelta(days=1)
        usual = usual_maximum(year_fraction(day_number(rows.loc[latest, "date"])), True)
        sky_now = SKIES[sky]
        values = {
            "temperature_max": usual + sky_now["warmer"],
            "temperature_min": usual + sky_now["warmer"] - 7,
            **{name: np.full(len(usual), value) for name, value in sky_now.items()},
        }
        variable = rows.loc[latest, "variable"].to_numpy()
        rows.loc[latest, "value"] = np.select(
            [variable == name for name in values], list(values.values())
        )
        grid = make_grid([origin], territory.zone_ids, range(DAYS), territory.timezone)
        today = int(grid.ask_day[0])
        daily = Daily.of(territory, today - 450, today + DAYS + 60)
        answer = world.champion.predict(build(grid, Evidence(rows, territory)), daily)
        frame = grid.frame().assign(median=answer[:, 2])
        return frame.pivot_table("median", "target_date", "zone_id", observed=True)

    return ask


@pytest.fixture(scope="module")
def true(world) -> World:
    """What the simulated world would have, by zone and date, under a sky; no noise."""
    territory = world.config.territory()

    def of(sky: str, first: str = "2025-05-01", days: int = 60) -> pd.DataFrame:
        start = int(day_number([first])[0])
        warm = usual_maximum(year_fraction(start + np.arange(days)), True) + SKIES[sky]["warmer"]
        same = np.ones((len(territory.zone_ids), days))
        found = expected_influx(
            territory,
            start,
            Weather(
                temperature_max=same * warm,
                temperature_min=same * warm - 7,
                precipitation=same * SKIES[sky]["precipitation"],
                sunshine=same * SKIES[sky]["sunshine"],
                wind_gust=same * SKIES[sky]["wind_gust"],
            ),
        )
        return pd.DataFrame(
            found.T, index=pd.date_range(first, periods=days), columns=list(territory.zone_ids)
        )

    return of


def recovered(told_ratio: float, true_ratio: float) -> float:
    """Share of a true effect that was found, on the logarithm."""
    return float(np.log(told_ratio) / np.log(true_ratio))


@pytest.mark.parametrize("saturday", ["2025-05-31", "2025-06-07"])  # Ascension, Pentecost
def test_the_sky_decides_how_full_the_coast_is_on_a_long_weekend(
    told: Ask, true: World, saturday: str
) -> None:
    ratio = told("fine").loc[saturday] / told("wet").loc[saturday]
    world = true("fine").loc[saturday] / true("wet").loc[saturday]
    assert world[COEUR_COTE_FLEURIE] > 1.6
    assert world[ROUMOIS] < 1.06
    assert ratio[COEUR_COTE_FLEURIE] > 1.2
    assert recovered(ratio[COEUR_COTE_FLEURIE], world[COEUR_COTE_FLEURIE]) > 1 / 3
    assert ratio[HONFLEUR] > 1.08
    assert 0.97 < ratio[ROUMOIS] < 1.12
    assert ratio[COEUR_COTE_FLEURIE] > 1.1 * ratio[ROUMOIS]


def test_the_sky_matters_by_the_sea_on_ordinary_days_too(told: Ask, true: World) -> None:
    week = slice("2025-06-02", "2025-06-05")
    ratio = (told("fine") / told("wet")).loc[week].mean()
    world = (true("fine") / true("wet")).loc[week].mean()
    assert recovered(ratio[COEUR_COTE_FLEURIE], world[COEUR_COTE_FLEURIE]) > 0.5
    assert ratio[COEUR_COTE_FLEURIE] > 1.15 * ratio[ROUMOIS]
    assert ratio[ROUMOIS] < 1.1


def test_a_sunny_long_weekend_fills_the_coast_and_barely_moves_the_plateau(
    told: Ask, true: World
) -> None:
    """The Saturday of Ascension against one two weeks before, asked the day before each."""
    feast, ordinary = "2025-05-31", "2025-05-17"
    before = pd.Timestamp("2025-05-16T06:00Z").as_unit("us")
    ratio = told("fine").loc[feast] / told("fine", before).loc[ordinary]
    world = true("fine").loc[feast] / true("fine").loc[ordinary]
    assert world[COEUR_COTE_FLEURIE] > 2.3
    assert world[ROUMOIS] < 1.15
    assert ratio[COEUR_COTE_FLEURIE] > 1.6
    assert recovered(ratio[COEUR_COTE_FLEURIE], world[COEUR_COTE_FLEURIE]) > 0.5
    assert 0.97 < ratio[ROUMOIS] < 1.25
    assert ratio[COEUR_COTE_FLEURIE] > 1.3 * ratio[ROUMOIS]


def test_the_week_after_the_long_weekend_is_ordinary_again(told: Ask, true: World) -> None:
    tuesday, saturday = "2025-06-03", "2025-05-31"
    ratio = told("fine").loc[saturday] / told("fine").loc[tuesday]
    world = true("fine").loc[saturday] / true("fine").loc[tuesday]
    assert recovered(ratio[COEUR_COTE_FLEURIE], world[COEUR_COTE_FLEURIE]) > 0.4
    assert ratio[ROUMOIS] < 1.3
