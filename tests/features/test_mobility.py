"""Sensors that lie move nothing; a surge that all of them see moves the zone."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.features import Evidence, FeatureMatrix, build
from forecast.features.base import sample_rows
from forecast.features.mobility import SOURCE as MOBILITY
from forecast.features.parking import SOURCE as PARKING

DAYS = 120
INDICES = ("index", "index_3", "index_7", "weekday_1", "weekday_2")

Counts = dict[str, np.ndarray]


def counts(source: str, sites: int) -> Counts:
    """Sites of one zone with their own size and shape of the week, and 1 % of noise."""
    rng, day = np.random.default_rng(5), np.arange(DAYS)
    size = 4000.0 if source == "mobility" else 0.3
    return {
        f"site {s}": size / (1 + s % 2) * (1 + 0.2 * (day % 7 > 4) * s) * rng.normal(1, 0.01, DAYS)
        for s in range(sites)
    }


def ask(source, world, sites: Counts) -> FeatureMatrix:
    zone = world.territory.zone_ids[0]
    variable = source.reads[source.name][0]
    rows = pd.concat(
        [
            sample_rows(source.name, variable, values, site_id=name, zone_id=zone, delay_hours=4)
            for name, values in sites.items()
        ]
    ).dropna(subset="value")
    grid = world.grid(pd.Timestamp("2025-01-06T06:00Z") + pd.Timedelta(days=DAYS))
    found = build(grid, Evidence(rows, world.territory), [source])
    return found.take(grid.ask_zone == 0)


def dead(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(DAYS) < DAYS - 20, values, np.nan)


def stuck(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(DAYS) < DAYS - 20, values, 1.7 * values[DAYS - 20])


def nought(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(DAYS) < DAYS - 20, values, 0.0)


def new(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(DAYS) < DAYS - 18, np.nan, values * np.linspace(1, 9, DAYS))


def recalibrated(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(DAYS) < DAYS - 12, values, 1.8 * values)


def halved(values: np.ndarray) -> np.ndarray:
    return np.where(np.arange(DAYS) < DAYS - 12, values, 0.5 * values)


@pytest.mark.parametrize("source", [MOBILITY, PARKING], ids=lambda source: source.name)
@pytest.mark.parametrize("number", [2, 3])
@pytest.mark.parametrize("fault", [dead, stuck, nought, new, recalibrated, halved])
def test_one_bad_sensor_moves_the_zone_by_less_than_five_percent(
    fault, number: int, source, world
) -> None:
    healthy = counts(source.name, number)
    faulty = healthy | {"site 1": fault(healthy["site 1"])}
    expected, found = ask(source, world, healthy), ask(source, world, faulty)
    for name in INDICES:
        column = f"{source.name}_{name}"
        assert found.column(column) == pytest.approx(expected.column(column), rel=0.05)
    silent = fault in (dead, stuck, nought, new)
    assert (found.column(f"{source.name}_sites") == number - silent).all()
    # The fault is there: alone, the sensor is old, says nothing, or would move the zone.
    alone = ask(source, world, {"site 1": faulty["site 1"]})
    index = alone.column(f"{source.name}_index_7")
    if fault is dead:
        assert (alone.column(f"{source.name}_age") == 21).all()
    else:
        assert np.isnan(index).all() if silent else (np.abs(index - 1) > 0.3).all()


@pytest.mark.parametrize("source", [MOBILITY, PARKING], ids=lambda source: source.name)
@pytest.mark.parametrize("fault", [None, dead, new])
def test_a_surge_that_all_see_moves_the_zone(fault, source, world) -> None:
    sites = counts(source.name, 3)
    surge = np.where(np.arange(DAYS) < DAYS - 3, 1.0, 1.6)
    sites = {name: values * surge for name, values in sites.items()}
    if fault:
        sites["site 1"] = fault(sites["site 1"])
    found = ask(source, world, sites)
    assert found.column(f"{source.name}_index") == pytest.approx(1.6, rel=0.06)
    assert found.column(f"{source.name}_index_3") == pytest.approx(1.6, rel=0.06)
    assert found.column(f"{source.name}_index_28") == pytest.approx(1 + 0.6 * 3 / 28, rel=0.06)


def test_an_index_answers_for_the_weekday_of_the_target(world) -> None:
    sites = counts("mobility", 2)
    day = np.arange(DAYS)
    # The second last Saturday of both (the table begins on a Monday) counts half as much again.
    saturday = day[day % 7 == 5][-2]
    for values in sites.values():
        values[saturday] *= 1.5
    found = ask(MOBILITY, world, sites)
    is_saturday = (found.grid.target_day + 3) % 7 == 5
    assert is_saturday.any()
    assert found.column("mobility_weekday_2")[is_saturday] == pytest.approx(1.5, rel=0.05)
    assert found.column("mobility_weekday_1") == pytest.approx(1, abs=0.06)
    assert found.column("mobility_weekday_2")[~is_saturday] == pytest.approx(1, abs=0.06)


@pytest.mark.parametrize("source", [MOBILITY, PARKING], ids=lambda source: source.name)
def test_silence_of_all_says_nothing_of_today(source, world) -> None:
    for days, told in ((34, True), (35, False)):
        values = counts(source.name, 2)
        sites = {
            name: np.where(np.arange(DAYS) < DAYS - days, v, np.nan) for name, v in values.items()
        }
        found = ask(source, world, sites)
        assert np.isfinite(found.column(f"{source.name}_index_7")).all() == told
        assert (found.column(f"{source.name}_age") == days + 1).all()


@pytest.mark.parametrize("weeks", range(1, 9))
def test_a_correction_of_an_old_normal_is_taken_up(weeks: int, world) -> None:
    """Indices are kept from ask to ask: whatever they are made of must make them anew."""
    zone = world.territory.zone_ids[0]
    rng = np.random.default_rng(weeks)
    rows = sample_rows(
        "mobility", "count", rng.integers(900, 1100, DAYS), zone_id=zone, delay_hours=4
    )
    origins = pd.Timestamp("2025-01-06T06:00Z") + pd.to_timedelta([DAYS, DAYS + 1], unit="D")
    # The last day known at both is the last of the table; a normal of it triples in between.
    old = rows.iloc[[DAYS - 1 - 7 * weeks]]
    corrected = old.assign(value=3000.0, available_at=origins[0] + pd.Timedelta(hours=1))
    evidence = Evidence(pd.concat([rows, corrected]), world.territory)
    both = build(world.grid(*origins), evidence, [MOBILITY])
    alone = build(world.grid(origins[1]), evidence, [MOBILITY])
    ours = both.grid.ask_zone == 0
    first, second = (
        both.take(ours & (both.grid.ask_origin == o)) for o in both.grid.ask_origin[:2]
    )
    expected = alone.take(alone.grid.ask_zone == 0)
    np.testing.assert_array_equal(second.values, expected.values)
    changed = first.column("mobility_index") != second.column("mobility_index")
    assert changed.all() == (old["value"].iloc[0] <= median_above(rows, weeks))


def median_above(rows: pd.DataFrame, weeks: int) -> float:
    """The lower middle of the eight normals: raising one at or below it moves their median."""
    values = rows["value"].to_numpy()
    return float(np.sort(values[[DAYS - 1 - 7 * k for k in range(1, 9)]])[4])
