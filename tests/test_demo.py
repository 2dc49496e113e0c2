"""The simulated estuary: the effects it is built on, and the folder it writes."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig, read_config
from forecast.daily import Daily
from forecast.demo import Simulated, last_morning, simulate
from forecast.demo_sensors import Presence, parking, waste
from forecast.demo_weather import (
    LEADS,
    Weather,
    anomalies,
    forecast_anomalies,
    skill,
    usual_clear,
    usual_maximum,
    weather,
)
from forecast.demo_world import expected_influx
from forecast.feasts import EPOCH
from forecast.ingest.folder import ingest_folder
from forecast.lake import Lake
from forecast.territory import Territory

CONFIG = Path(__file__).parents[1] / "configs" / "estuaire.toml"
COEUR_COTE_FLEURIE, HONFLEUR, LE_HAVRE = "241400415", "200066827", "200084952"
ROUMOIS, CAMPAGNE_DE_CAUX = "200066405", "247600505"
TODAY = date(2026, 5, 12)


@pytest.fixture(scope="module")
def config() -> RunConfig:
    return read_config(CONFIG)


@pytest.fixture(scope="module")
def territory(config: RunConfig) -> Territory:
    return config.territory()


@pytest.fixture(scope="module")
def simulated(config: RunConfig, tmp_path_factory: pytest.TempPathFactory) -> Simulated:
    return simulate(tmp_path_factory.mktemp("demo"), config, today=TODAY, years=2)


def influx(territory: Territory, when: str, sky: str) -> dict[str, float]:
    """Expected influx of each zone on one day under a given sky."""
    day = date.fromisoformat(when)
    number = (day - EPOCH).days
    fraction = np.array([(day - date(day.year, 1, 1)).days / 365.2425])
    coast = territory.coast[:, None]
    usual = np.where(coast, usual_maximum(fraction, True), usual_maximum(fraction, False))
    fine = sky == "fine"
    clear = 0.85 if fine else 0.1 if sky == "wet" else float(usual_clear(fraction)[0])
    same = np.ones((len(territory.zone_ids), 1))
    found = expected_influx(
        territory,
        number,
        Weather(
            temperature_max=usual + (4 if fine else 0),
            temperature_min=usual - 6,
            precipitation=same * (15 if sky == "wet" else 0),
            sunshine=same * clear * 13,
            wind_gust=same * 40,
        ),
    )
    return dict(zip(territory.zone_ids, found[:, 0], strict=True))


def test_a_sunny_ascension_fills_the_coast_and_barely_moves_the_inland(
    territory: Territory,
) -> None:
    fine, wet = influx(territory, "2026-05-16", "fine"), influx(territory, "2026-10-10", "wet")
    assert 3 < fine[COEUR_COTE_FLEURIE] / wet[COEUR_COTE_FLEURIE] < 8
    assert fine[ROUMOIS] / wet[ROUMOIS] < 1.25


def test_presence_stays_within_the_public_figures(territory: Territory) -> None:
    population = dict(zip(territory.zone_ids, territory.population, strict=True))
    winter, peak = influx(territory, "2026-01-20", "usual"), influx(territory, "2025-08-16", "fine")
    present = {z: (1 + winter[z] / population[z], 1 + peak[z] / population[z]) for z in population}
    assert present[COEUR_COTE_FLEURIE] == (
        pytest.approx(1.3, abs=0.05),
        pytest.approx(4.5, abs=0.5),
    )
    assert present[HONFLEUR] == (pytest.approx(1.2, abs=0.05), pytest.approx(2.0, abs=0.2))
    assert present[LE_HAVRE] == (pytest.approx(1.03, abs=0.02), pytest.approx(1.15, abs=0.05))
    assert present[CAMPAGNE_DE_CAUX][1] < 1.06


def test_the_weekday_and_the_sky_matter_by_the_sea(territory: Territory) -> None:
    tuesday, saturday = (influx(territory, f"2026-06-{d}", "usual") for d in ("16", "20"))
    assert saturday[COEUR_COTE_FLEURIE] > 1.5 * tuesday[COEUR_COTE_FLEURIE]
    wet, fine = (influx(territory, "2026-07-18", sky) for sky in ("wet", "fine"))
    assert fine[COEUR_COTE_FLEURIE] > 1.3 * wet[COEUR_COTE_FLEURIE]
    assert fine[ROUMOIS] < 1.1 * wet[ROUMOIS]


def test_the_ships_parade_passes_roumois_once(territory: Territory) -> None:
    parade, sunday = (influx(territory, f"2027-06-{d}", "usual") for d in ("27", "20"))
    assert parade[ROUMOIS] - sunday[ROUMOIS] == pytest.approx(15000, rel=0.05)
    assert parade[HONFLEUR] == pytest.approx(sunday[HONFLEUR], rel=0.10)


def test_weather_has_the_seasons_of_the_bay(territory: Territory) -> None:
    first, days = (date(2016, 1, 1) - EPOCH).days, 3653
    found = weather(territory, first, anomalies(8, days, np.random.default_rng(1)))
    month = pd.DatetimeIndex(pd.date_range("2016-01-01", periods=days)).month
    july, january = month == 7, month == 1
    assert found.temperature_max[0, july].mean() == pytest.approx(20.5, abs=1.5)
    assert found.temperature_max[0, january].mean() == pytest.approx(8, abs=1.5)
    assert 550 < found.precipitation[0].sum() / 10 < 950
    assert 1400 < found.sunshine[0].sum() / 10 < 2000
    assert (found.temperature_max > found.temperature_min).all()
    assert np.corrcoef(found.sunshine[0, july], found.precipitation[0, july])[0, 1] < -0.4
    near = np.corrcoef(found.wind_gust[0], found.wind_gust[5])[0, 1]
    assert 0.85 < near < 1


def test_forecasts_lose_skill_with_lead_and_are_revised_little_by_little() -> None:
    rng = np.random.default_rng(2)
    truth = anomalies(2, 6000, rng)
    issued = forecast_anomalies(truth, rng)
    found = [np.corrcoef(issued[1, lead, 0], truth[1, 0])[0, 1] for lead in range(LEADS)]
    np.testing.assert_allclose(found, skill(np.arange(LEADS)), atol=0.07)
    assert found[0] > 0.95
    assert found[14] == pytest.approx(0.2, abs=0.1)
    # The same target seen on two successive days is nearer to itself than to the truth.
    error = issued - truth[:, None]
    successive = np.corrcoef(error[1, 5, 0], error[1, 6, 0])[0, 1]
    assert 0.6 < successive < 0.98
    assert issued[0].std() == pytest.approx(1, abs=0.1)


def presence(territory: Territory, influx_value: np.ndarray) -> Presence:
    first = (date(2025, 1, 1) - EPOCH).days
    zones = len(territory.zone_ids)
    values = np.broadcast_to(influx_value, (zones, len(influx_value))).copy()
    return Presence(territory.zone_ids, first, territory.population, values)


def test_a_full_car_park_hides_demand_but_says_how_long_it_was_full(territory: Territory) -> None:
    rising = np.linspace(0, 50_000, 365)
    found = parking(presence(territory, rising), np.random.default_rng(3))
    lot = found[found["site_id"] == "Étretat, Grandval"].dropna()
    busy, busier = lot.iloc[250:300], lot.iloc[-50:]
    assert (found["occupancy_peak"].dropna() <= 1).all()
    assert busy["occupancy_peak"].mean() > 0.97
    assert busier["occupancy_peak"].mean() - busy["occupancy_peak"].mean() < 0.03
    assert busier["full_share"].mean() > busy["full_share"].mean() + 0.03
    assert (lot["occupancy"] <= lot["occupancy_peak"]).all()


def test_refuse_follows_presence_and_holidays_shift_the_round(territory: Territory) -> None:
    wave = np.zeros(365)
    wave[100] = 60_000  # Friday 11 April
    quiet, one_day = (
        waste(
            past,
            Daily.of(territory, past.first_day, past.first_day + 364),
            "Europe/Paris",
            np.random.default_rng(4),
        )
        for past in (presence(territory, 0 * wave), presence(territory, wave))
    )
    extra = one_day["tonnage"] - quiet["tonnage"]
    rounds = one_day[one_day["site_id"] == "ordures ménagères"]
    seen = rounds[extra[rounds.index] > 10]["date"]
    lag = (seen - pd.Timestamp("2025-04-11")).dt.days
    assert len(seen) == len(territory.zone_ids)
    assert lag.between(1, 4).all()
    assert (rounds["available_at"].dt.tz_localize(None) - rounds["date"] > pd.Timedelta("3D")).all()
    dates = set(rounds["date"].dt.strftime("%Y-%m-%d"))
    assert "2025-04-21" not in dates  # Easter Monday
    assert "2025-05-01" not in dates  # a Thursday
    assert {"2025-04-22", "2025-05-02"} <= dates


def read(simulated: Simulated, source: str) -> pd.DataFrame:
    path = simulated.folder / f"{source}.csv"
    return pd.read_csv(path, dtype={"zone_id": str}, parse_dates=["date"])


def test_the_folder_says_that_it_is_simulated(simulated: Simulated, config: RunConfig) -> None:
    written = read_config(simulated.folder / "territory.toml")
    assert written == simulated.config
    assert written.simulated
    assert written.name == "Estuaire de la Seine (données simulées)"
    assert written.zones == config.zones
    assert (simulated.folder / "estuaire.geojson").is_file()


def test_sources_end_as_their_delays_say(simulated: Simulated) -> None:
    ends = {
        source: (pd.Timestamp(TODAY) - read(simulated, source)["date"].max()).days
        for source in ("influx", "mobility", "weather", "parking", "waste")
    }
    assert ends == {"influx": 3, "mobility": 1, "weather": 2, "parking": 5, "waste": ends["waste"]}
    assert 4 <= ends["waste"] <= 8
    issued = pd.read_parquet(simulated.folder / "weather_forecast.parquet")
    assert issued["issued_at"].max() == pd.Timestamp(TODAY, tz="UTC")
    assert (issued["date"].max() - pd.Timestamp(TODAY)).days == LEADS - 1
    lead = issued["date"] - issued["issued_at"].dt.tz_localize(None)
    assert set(lead.dt.days) == set(range(LEADS))


@pytest.mark.parametrize(
    ("now", "day"),
    [
        ("2026-11-22T23:30Z", "2026-11-22"),
        ("2026-11-23T06:59Z", "2026-11-22"),
        ("2026-11-23T07:00Z", "2026-11-23"),
        ("2026-03-29T05:59Z", "2026-03-28"),
        ("2026-03-29T06:00Z", "2026-03-29"),
    ],
)
def test_the_last_morning_at_eight_local(config: RunConfig, now: str, day: str) -> None:
    assert last_morning(pd.Timestamp(now), config) == date.fromisoformat(day)


def test_a_demo_made_at_night_holds_nothing_that_is_not_known_yet(
    config: RunConfig, tmp_path: Path
) -> None:
    night = pd.Timestamp("2026-11-23T01:25Z")
    made = simulate(tmp_path / "input", config, today=last_morning(night, config), years=1)
    lake = Lake(str(tmp_path / "lake"))
    ingest_folder(made.folder, lake, config=made.config, now=night)
    assert lake.read()["available_at"].max() <= night


def test_a_month_is_corrected_afterwards(simulated: Simulated) -> None:
    table = read(simulated, "influx").sort_values("available_at", kind="stable")
    twice = table[table.duplicated(["zone_id", "date"], keep=False)]
    assert set(twice["date"].dt.strftime("%Y-%m")) == {"2025-03"}
    first = twice.drop_duplicates(["zone_id", "date"], keep="first")["influx"].sum()
    last = twice.drop_duplicates(["zone_id", "date"], keep="last")["influx"].sum()
    assert first / last == pytest.approx(0.88, abs=0.001)
    assert not table.duplicated(["zone_id", "date", "available_at"]).any()


def test_counters_have_their_faults(simulated: Simulated) -> None:
    table = read(simulated, "mobility")
    span = table.groupby("site_id")["date"].agg(["min", "max"])
    end = pd.Timestamp(TODAY)
    assert ((end - span["max"]).dt.days > 190).sum() == 1  # died
    assert ((span["min"] - pd.Timestamp(simulated.first)).dt.days > 200).sum() == 1  # new
    assert table["count"].isna().any()
    half = table["date"] < pd.Timestamp("2025-05-12")
    before, after = (table[part].groupby("site_id")["count"].median() for part in (half, ~half))
    assert (after / before > 1.4).sum() == 1  # recalibrated


def test_forecasts_tell_of_the_weather_that_came(simulated: Simulated) -> None:
    observed = read(simulated, "weather").set_index(["zone_id", "date"])["sunshine"]
    issued = pd.read_parquet(simulated.folder / "weather_forecast.parquet")
    lead = (issued["date"] - issued["issued_at"].dt.tz_localize(None)).dt.days
    error = {}
    for days in (0, 5, 14):
        told = issued[lead == days].set_index(["zone_id", "date"])["sunshine"]
        both = told.to_frame("told").join(observed.rename("came"), how="inner")
        error[days] = (both["told"] - both["came"]).abs().mean()
    assert error[0] < 0.4 * error[5]
    assert error[5] < 0.8 * error[14]


def test_the_same_seed_gives_the_same_bytes(config: RunConfig, tmp_path: Path) -> None:
    few = config.model_copy(update={"zones": config.zones[4:7]})
    one, same, other = (
        simulate(tmp_path / name, few, today=TODAY, years=1, seed=seed).folder
        for name, seed in (("one", 5), ("same", 5), ("other", 6))
    )
    names = sorted(path.name for path in one.iterdir())
    assert len(names) == 9
    for name in names:
        assert (one / name).read_bytes() == (same / name).read_bytes(), name
    assert (one / "influx.csv").read_bytes() != (other / "influx.csv").read_bytes()


def test_progress_is_told(config: RunConfig, tmp_path: Path) -> None:
    said: list[str] = []
    few = config.model_copy(update={"zones": config.zones[:1]})
    simulate(tmp_path, few, today=TODAY, years=1, progress=said.append)
    assert said == sorted(set(said), key=said.index)
    assert "visiteurs" in said


def test_zones_without_a_profile_of_their_own_are_simulated(territory: Territory) -> None:
    abroad = replace(territory, zone_ids=tuple(f"z{i}" for i in range(8)))
    found = influx(abroad, "2026-08-15", "fine")
    coast = [found[z] for z, shore in zip(abroad.zone_ids, abroad.coast, strict=True) if shore]
    assert all(np.isfinite(list(found.values())))
    assert min(coast) > 0


def test_the_estuary_has_its_eight_zones_and_an_outline_for_each(config: RunConfig) -> None:
    assert len(config.zones) == 8
    assert sum(zone.population for zone in config.zones) == 560_326
    assert not config.simulated
    outline = resources.files("forecast").joinpath("assets", config.geometry).read_text("utf-8")
    found = {feature["id"] for feature in json.loads(outline)["features"]}
    assert found == {zone.id for zone in config.zones}


def test_assets_keep_their_credit() -> None:
    assets = resources.files("forecast").joinpath("assets")
    assert "Attribution 4.0" in assets.joinpath("le_havre_tide.json").read_text("utf-8")
    assert "Licence Ouverte" in assets.joinpath("estuaire.geojson").read_text("utf-8")
