"""Explanations of the trained model: they add up, and find what the simulated world is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.blending import Blend
from forecast.daily import Daily
from forecast.demo_weather import usual_maximum
from forecast.explanation import log_parts
from forecast.features import build
from forecast.features.base import Evidence
from forecast.grid import day_number, make_grid
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.predict import answer_at
from forecast.sentence import AS_LATELY, ORDINARY
from forecast.tables import CONTRIBUTIONS, contribution_name

COEUR_COTE_FLEURIE, ROUMOIS = "241400415", "200066405"
SATURDAY = pd.Timestamp("2025-05-31")  # of the Ascension weekend
COLUMNS = [contribution_name(domain) for domain in CONTRIBUTIONS]
SKIES = {
    "fine": {"warmer": 5.0, "precipitation": 0.0, "sunshine": 14.0, "wind_gust": 30.0},
    "wet": {"warmer": -4.0, "precipitation": 12.0, "sunshine": 1.0, "wind_gust": 60.0},
}

Ask = Callable[[pd.DataFrame], pd.DataFrame]


@pytest.fixture(scope="module")
def ask(world) -> Ask:
    """Forecasts of every zone, by zone and day, from these observations."""

    def answer(observations: pd.DataFrame) -> pd.DataFrame:
        found = answer_at(
            world.now,
            world.config,
            observations,
            world.champion,
            model_version="1",
            lake_version=1,
        )
        return found.forecasts.set_index(["zone_id", "target_date"])

    return answer


@pytest.fixture(scope="module")
def told(world, ask: Ask) -> dict[str, pd.DataFrame]:
    """Forecasts were this sky forecast, the last time, for every day."""
    rows = world.observations[world.observations["available_at"] <= world.now]
    latest = (rows["source"] == "weather_forecast") & (
        rows["available_at"] > world.now - pd.Timedelta(days=1)
    )
    fraction = (day_number(rows.loc[latest, "date"]) - day_number(["2025-01-01"])[0]) / 365.2425
    usual, answers = usual_maximum(fraction, True), {}
    variable = rows.loc[latest, "variable"].to_numpy()
    for name, sky in SKIES.items():
        warmest = usual + sky["warmer"]
        values = {"temperature_max": warmest, "temperature_min": warmest - 7, **sky}
        changed = rows.copy()
        changed.loc[latest, "value"] = np.select(
            [variable == v for v in values],
            [np.broadcast_to(v, len(usual)) for v in values.values()],
        )
        answers[name] = ask(changed)
    return answers


@pytest.fixture(scope="module")
def questions(world) -> tuple[FeatureMatrix, Daily, list[np.ndarray]]:
    """Today's questions, their calendar, and the days each is compared with."""
    territory = world.config.territory()
    grid = make_grid([world.now], territory.zone_ids, range(15), territory.timezone)
    today = int(grid.ask_day[0])
    readable = world.observations[world.observations["available_at"] <= world.now]
    matrix = build(grid, Evidence(readable, territory))
    daily = Daily.of(territory, today - 450, today + 74)
    return matrix, daily, [day - 371 + np.array([0, 7, 14]) for day in grid.target_day]


def blended(model: InfluxModel, share: float, zones: int) -> InfluxModel:
    return replace(model, blend=Blend.constant(share, zones))


def test_the_causes_of_every_forecast_add_up_to_its_distance_from_usual(world) -> None:
    rows = world.published.answer.forecasts
    assert len(rows) == 8 * 15
    assert rows[COLUMNS].notna().all(axis=None)
    distance = rows["influx_p50"] - rows["usual"]
    np.testing.assert_allclose(rows[COLUMNS].sum(axis=1), distance, rtol=1e-6, atol=1e-6)
    assert (rows[COLUMNS].abs().mean() > 0).all()
    assert rows["why"].str.len().between(10, 250).all()


def test_the_parts_of_the_log_are_the_whole_answer_of_the_median_booster(world, questions) -> None:
    """Asked alone: among the other quantiles it may lose its place, and it is calibrated."""
    champion, (matrix, daily, compared) = world.champion, questions
    median = replace(champion, quantiles=(0.5,), boosters=[champion.boosters[2]])
    zones = len(champion.zone_ids)
    doubted = replace(median, trust=np.linspace(0.0, 1.0, zones))
    shared = [
        blended(model, share, zones) for share in (0.0, 0.4, 1.0) for model in (median, doubted)
    ]
    silent = replace(matrix, recent=np.full_like(matrix.recent, np.nan))
    for model, asked in (*((model, matrix) for model in (median, *shared)), (median, silent)):
        members = model.members(asked, daily)
        assert np.isfinite(members[1][:, 2:]).all() == (asked is matrix)
        logs = log_parts(model, asked, daily, compared)
        found = logs.level * np.exp(sum(logs.parts.values()))
        expected = model.blend.apply(*members, model.cells(asked))[:, 0]
        np.testing.assert_allclose(found, expected, rtol=1e-6)
        assert set(logs.parts) == set(CONTRIBUTIONS)


def test_of_the_partner_alone_only_what_it_reads_counts(world, questions) -> None:
    matrix, daily, compared = questions
    model = blended(world.champion, 1.0, len(world.champion.zone_ids))
    logs = log_parts(model, matrix, daily, compared)
    for domain, part in logs.parts.items():
        assert (np.abs(part) > 1e-12).any() == (
            domain in ("weather", "holidays", "season", "history")
        )
    frame = matrix.grid.frame().assign(holidays=logs.parts["holidays"])
    frame = frame[frame["zone_id"] == COEUR_COTE_FLEURIE].set_index("target_date")
    assert frame.loc[SATURDAY, "holidays"] > frame.loc["2025-06-03", "holidays"] + 0.2


def test_only_what_the_like_of_a_day_lacks_is_a_cause(world, questions) -> None:
    """Compared with itself, no day owes anything to its holidays or its season."""
    matrix, daily, _ = questions
    model = blended(world.champion, 1.0, len(world.champion.zone_ids))
    itself, winter = ([np.array([d - k]) for d in matrix.grid.target_day] for k in (0, 140))
    own, other = (log_parts(model, matrix, daily, days).parts for days in (itself, winter))
    for domain in ("holidays", "season"):
        np.testing.assert_allclose(own[domain], 0, atol=1e-12)
        assert np.abs(other[domain]).max() > 0.05
    np.testing.assert_array_equal(own["weather"], other["weather"])
    np.testing.assert_allclose(sum(own.values()), sum(other.values()), atol=1e-9)


def test_a_source_of_one_s_own_is_a_domain_of_its_own(world, questions) -> None:
    """As if the car parks' columns had come from a source that nobody here knows."""
    champion, (matrix, daily, compared) = world.champion, questions

    def renamed(columns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.replace("parking_", "beach_") for name in columns)

    model = replace(champion, columns=renamed(champion.columns))
    theirs = log_parts(model, replace(matrix, columns=renamed(matrix.columns)), daily, compared)
    ours = log_parts(champion, matrix, daily, compared)
    np.testing.assert_array_equal(theirs.parts["beach"], ours.parts["parking"])
    assert not theirs.parts["parking"].any()


def test_a_sunny_long_weekend_is_told_from_a_wet_one(told) -> None:
    fine, wet = (told[sky].loc[(COEUR_COTE_FLEURIE, SATURDAY)] for sky in ("fine", "wet"))
    assert fine["contribution_weather"] > 0.05 * fine["usual"]
    assert wet["contribution_weather"] < 0
    for row in (fine, wet):
        assert row["contribution_holidays"] > 0.1 * row["usual"]
        assert "pont de l'Ascension\u00a0+" in row["why"]
    assert "beau temps annoncé\u00a0+" in fine["why"]
    assert "pluie annoncée\u00a0\u2212" in wet["why"]
    # The sky moves the part of the weather, and hardly any other.
    moved = (fine[COLUMNS] - wet[COLUMNS]).astype(float)
    assert moved.idxmax() == "contribution_weather"
    assert moved["contribution_weather"] > 0.7 * moved.sum()


def test_the_sky_explains_the_coast_and_not_the_plateau(told) -> None:
    def share(zone: str) -> float:
        row = told["fine"].loc[(zone, SATURDAY)]
        return float(row["contribution_weather"] / row["usual"])

    assert share(COEUR_COTE_FLEURIE) > 2 * abs(share(ROUMOIS))


def test_some_days_are_ordinary_but_none_of_a_long_weekend_by_the_sea(world) -> None:
    rows = world.published.answer.forecasts.set_index(["zone_id", "target_date"])
    ordinary = rows["why"] == ORDINARY
    assert 0 < ordinary.sum() < len(rows) / 2
    for day in ("2025-05-30", "2025-05-31", "2025-06-07", "2025-06-09"):
        assert not ordinary[(COEUR_COTE_FLEURIE, pd.Timestamp(day))]


def test_where_nothing_is_usual_the_level_stands_in_for_it(world, ask: Ask) -> None:
    found = ask(world.observations.iloc[:0])
    assert found["usual"].isna().all()
    assert set(found["level"].dropna()) == set()
    zone = world.champion.zone_ids.index(COEUR_COTE_FLEURIE)
    rows = found.loc[COEUR_COTE_FLEURIE]
    level = world.champion.levels[zone, day_number(rows.index) % 7]
    distance = rows["influx_p50"] - level
    np.testing.assert_allclose(rows[COLUMNS].sum(axis=1), distance, rtol=1e-6, atol=1e-6)
    assert found["why"].notna().all()
    assert not found["why"].str.contains("beau temps|pluie").any()  # no weather is known
    assert AS_LATELY in set(found["why"])
