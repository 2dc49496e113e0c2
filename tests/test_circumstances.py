"""What a day is called: bridges, feasts, school holidays, and the sky that is forecast."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest

from forecast.circumstances import circumstances, holiday_names
from forecast.config import RunConfig
from forecast.feasts import EPOCH, FEASTS
from forecast.grid import make_grid
from forecast.matrix import FeatureMatrix
from forecast.territory import Territory


def territory(country: str = "FR", school: str = "Zone B", **zone: object) -> Territory:
    whole = {"id": "z", "name": "Z", "population": 9, "latitude": 49.4, "longitude": 0.1} | zone
    return RunConfig(
        id="essai", name="Essai", country=country, school=school, zones=[whole]
    ).territory()


def name_of(day: str, where: Territory) -> str:
    (found,) = holiday_names(where, 0, (date.fromisoformat(day) - EPOCH).days, 1)
    return found


@pytest.mark.parametrize(
    ("day", "name"),
    [
        ("2025-05-28", "veille de l'Ascension"),
        ("2025-05-29", "pont de l'Ascension"),
        ("2025-05-30", "pont de l'Ascension"),
        ("2025-05-31", "pont de l'Ascension"),  # pupils are free too: no school holidays
        ("2025-06-01", "pont de l'Ascension"),
        ("2025-06-02", "après l'Ascension"),
        ("2025-06-05", "avant la Pentecôte"),
        ("2025-06-07", "week-end de la Pentecôte"),
        ("2025-06-09", "week-end de la Pentecôte"),
        ("2025-04-20", "week-end de Pâques et vacances de printemps"),
        ("2025-07-12", "week-end du 14 Juillet et vacances d'été"),
        ("2025-07-15", "lendemain du 14 Juillet et vacances d'été"),
        ("2025-08-16", "week-end du 15 août et vacances d'été"),
        ("2025-11-11", "pont du 11 Novembre"),
        ("2025-10-25", "vacances de la Toussaint"),
        ("2025-12-26", "pont de Noël"),
        ("2025-12-29", "vacances de Noël"),
        ("2026-02-20", "vacances d'hiver"),
        ("2024-05-01", "jour férié du 1er Mai et vacances de printemps"),
        ("2025-09-16", ""),
        ("2026-01-20", ""),
    ],
)
def test_french_days(day: str, name: str) -> None:
    assert name_of(day, territory()) == name


def test_school_holidays_are_those_of_the_visitors() -> None:
    """The autumn break of North Rhine-Westphalia, for few or many visitors from there."""

    def of(share: float) -> str:
        markets = [
            {"country": "DE", "subdivision": "NW", "school": "NW", "share": share},
            {"country": "FR", "school": "Zone B", "share": 1 - share},
        ]
        return name_of("2025-10-14", territory(origin_markets=markets))

    assert of(0.2) == ""
    assert of(0.3) == "vacances scolaires"


def test_feasts_elsewhere() -> None:
    hong_kong = territory("HK", "")
    assert name_of("2025-01-30", hong_kong) == "week-end du Nouvel An chinois"
    assert name_of("2025-10-03", territory("DE", "")) == "week-end de la fête nationale"
    # A feast without a French name of its own.
    assert name_of("2025-07-01", hong_kong) == "pont"
    england = territory("GB", "", subdivision="ENG")
    assert name_of("2025-08-25", england) == "week-end prolongé et vacances scolaires"


def test_every_feast_is_named_or_meant_not_to_be() -> None:
    from forecast.circumstances import _FEASTS

    assert set(FEASTS) - set(_FEASTS) == {"(none)", "(other)", "Spring Bank Holiday"}


@pytest.mark.parametrize(
    ("columns", "sky"),
    [
        ({}, "unknown"),
        ({"weather_temperature_max": np.nan, "weather_precipitation": np.nan}, "unknown"),
        ({"weather_temperature_max": 25.0}, "dry"),
        ({"weather_sunshine": 9.0, "weather_precipitation": 0.2}, "dry"),
        ({"weather_temperature_max": np.nan, "weather_precipitation": 4.0}, "wet"),
    ],
)
def test_the_sky_is_the_one_forecast(columns: dict[str, float], sky: str) -> None:
    where = territory()
    grid = make_grid(["2025-05-30T06:00Z"], where.zone_ids, [1, 2], where.timezone)
    values = np.array([[value] * len(grid) for value in columns.values()], dtype=np.float32)
    matrix = FeatureMatrix(grid, tuple(columns), values.reshape(len(columns), len(grid)), False)
    day = (date(2025, 6, 1) - EPOCH).days
    found = circumstances(matrix, where, {(0, day): "Armada"})
    assert [f.sky for f in found] == [sky, sky]
    assert [f.event for f in found] == ["", "Armada"]
    assert [f.holidays for f in found] == ["pont de l'Ascension"] * 2
