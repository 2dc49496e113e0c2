"""The contract of a source, held over every source there is.

The first of these tests is the one the house stands on: rows that were not readable at a question's
origin change nothing in its answer, whatever is done to them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast import features
from forecast.features import Evidence, FeatureMatrix, Source, build, build_parts, discover
from forecast.features.base import sample_rows
from forecast.grid import Grid, day_date, grid_from_frame
from forecast.tables import OBSERVATIONS, check

SOURCES = discover()
every_source = pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
ORIGINS = ("2024-05-08T06:00Z", "2025-08-14T16:30Z", "2026-01-04T23:30Z", "2026-05-12T06:00Z")


def same(found: np.ndarray, expected: np.ndarray) -> None:
    np.testing.assert_array_equal(found, expected)


# --- what was not readable changes nothing ------------------------------------------------------


def scaled(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(value=3 * rows["value"] + 1)


def shifted(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(date=rows["date"] + pd.Timedelta(days=11))


def removed(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.iloc[:0]


def added(rows: pd.DataFrame) -> pd.DataFrame:
    """Corrections of every row, days long before and long after, and sites nobody knew."""
    later = rows["available_at"] + pd.Timedelta(hours=1)
    long_ago, long_after = pd.Timedelta(days=4000), pd.Timedelta(days=800)
    return pd.concat(
        [
            rows,
            rows.assign(value=rows["value"] / 2, available_at=later),
            rows.assign(date=rows["date"] - long_ago),
            rows.assign(date=rows["date"] + long_after, value=0.0),
            rows.assign(site_id="new", value=7 * rows["value"]),
        ]
    )


def disordered(rows: pd.DataFrame) -> pd.DataFrame:
    return scaled(rows).sample(frac=1, random_state=5)


@pytest.fixture(scope="module")
def before(world) -> dict[str, FeatureMatrix]:
    return {origin: build(world.grid(origin), world.evidence) for origin in ORIGINS}


@pytest.mark.parametrize("origin", ORIGINS)
@pytest.mark.parametrize("change", [scaled, shifted, removed, added, disordered])
def test_what_was_not_readable_changes_no_column(
    change: Callable[[pd.DataFrame], pd.DataFrame], origin: str, world, before
) -> None:
    rows = world.observations
    unreadable = rows["available_at"] > pd.Timestamp(origin)
    # The last origin is that of the table's end: little is left that it could not read.
    assert unreadable.sum() > (30_000 if origin < "2026-05" else 500)
    changed = pd.concat([rows[~unreadable], change(rows[unreadable])], ignore_index=True)
    assert not changed.equals(rows)
    after = build(world.grid(origin), Evidence(changed, world.territory))
    for name, column, expected in zip(
        after.columns, after.values, before[origin].values, strict=True
    ):
        np.testing.assert_array_equal(column, expected, err_msg=name)


@every_source
def test_nor_does_it_where_a_source_died_long_ago(source: Source, world) -> None:
    """Then the target lies far beyond all that is known: what came later must not show."""
    rows = world.observations
    rows = rows.assign(available_at=rows["available_at"] + pd.Timedelta(days=130))
    for origin in ORIGINS[1:]:
        readable = rows[rows["available_at"] <= pd.Timestamp(origin)]
        found = build(world.grid(origin), Evidence(readable, world.territory), [source])
        same(build(found.grid, Evidence(rows, world.territory), [source]).values, found.values)
        if source.name == "history":
            assert np.isfinite(found.column("history_analogue")).all()


def test_the_latest_correction_readable_is_the_one_used(world) -> None:
    """The other half of the rule: rows that were readable do change the answer."""
    origin = pd.Timestamp(ORIGINS[1])
    rows = world.observations
    found = build(world.grid(origin), world.evidence)
    for source, columns in {
        "influx": "history_level",
        "mobility": "mobility_index_28",
        "parking": "parking_index_28",
        "waste": "waste_week",
        "weather": "weather_temperature_max_28",
        "weather_forecast": "weather_temperature_max",
    }.items():
        recent = rows[
            (rows["source"] == source)
            & (rows["available_at"] <= origin)
            & (rows["date"] > origin.tz_localize(None) - pd.Timedelta(days=40))
        ]
        correction = recent.assign(
            value=recent["value"] + np.arange(len(recent)) % 5, available_at=origin
        )
        changed = pd.concat([rows, correction], ignore_index=True)
        after = build(world.grid(origin), Evidence(changed, world.territory))
        moved = after.column(columns) != found.column(columns)
        assert moved.mean() > 0.5, source


# --- what a source is ---------------------------------------------------------------------------


@every_source
def test_names_units_and_meanings_are_declared(source: Source) -> None:
    module = f"forecast.features.{source.name}"
    assert sys.modules[module].SOURCE is source
    names = [feature.name for feature in source.features]
    assert len(set(names)) == len(names) > 0
    for feature in source.features:
        assert re.fullmatch(r"[a-z][a-z0-9_]*", feature.name)
        assert feature.unit.strip() and feature.availability.strip()
        assert len(feature.meaning) > 5


@every_source
def test_its_sample_is_what_it_reads_and_gives_an_answer(source: Source, world) -> None:
    rows = check(source.sample(), OBSERVATIONS)
    for name, variable in zip(rows["source"], rows["variable"], strict=True):
        assert variable in source.reads[name]
    if not source.reads:
        assert rows.empty
        return
    zone = world.territory.zone_ids[1]
    origin = rows["available_at"].max()
    rows = rows.assign(zone_id=zone)
    found = build(world.grid(origin), Evidence(rows, world.territory), [source])
    asked = found.grid.row_zone == 1
    assert np.isfinite(found.values[:, asked]).any()
    if source.name != "events":
        assert np.isnan(found.values[:, ~asked]).all()


def test_a_new_file_is_a_new_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "__path__", [*features.__path__, str(tmp_path)])
    (tmp_path / "kernels_of_mine.py").write_text("")
    new = tmp_path / "zoo.py"
    new.write_text("from forecast.features.sea import Sea\nSOURCE = Sea()\nSOURCE.name = 'zoo'\n")
    try:
        assert [source.name for source in discover()] == [*(s.name for s in SOURCES), "zoo"]
    finally:
        del sys.modules["forecast.features.zoo"]
    new.unlink()
    (tmp_path / "zebra.py").write_text("SOURCE = 'no source'\n")
    try:
        with pytest.raises(TypeError, match=r"features/zebra\.py defines no SOURCE"):
            discover()
    finally:
        del sys.modules["forecast.features.zebra"]


# --- how it answers -----------------------------------------------------------------------------


@every_source
def test_inputs_are_not_mutated(source: Source, world) -> None:
    grid, rows = world.grid(*ORIGINS), world.observations.copy(deep=True)
    arrays = {
        name: value.copy() for name, value in vars(grid).items() if isinstance(value, np.ndarray)
    }
    territory = {
        name: value.copy()
        for name, value in vars(world.territory).items()
        if isinstance(value, np.ndarray)
    }
    build(grid, Evidence(rows, world.territory), [source])
    assert rows.equals(world.observations)
    for name, value in arrays.items():
        same(getattr(grid, name), value)
    for name, value in territory.items():
        same(getattr(world.territory, name), value)


@every_source
def test_columns_are_the_same_for_one_question_and_for_a_thousand(source: Source, world) -> None:
    origins = pd.date_range("2025-01-06T06:00Z", periods=30, freq="7D")
    many = build(world.grid(*origins), world.evidence, [source])
    table = many.grid.frame()
    one = grid_from_frame(table.iloc[[700]], world.territory.zone_ids, world.territory.timezone)
    none = grid_from_frame(table.iloc[:0], world.territory.zone_ids, world.territory.timezone)
    for grid, rows in ((one, 1), (none, 0), (many.grid, 1350)):
        found = build(grid, world.evidence, [source])
        assert found.columns == many.columns == tuple(found.frame().columns[4:])
        assert found.values.shape == (len(source.features), rows)
        assert found.values.dtype == np.float32
    assert many.columns == tuple(f"{source.name}_{f.name}" for f in source.features)
    assert not np.isinf(many.values).any()


@every_source
def test_an_answer_is_the_same_alone_or_among_others(source: Source, world) -> None:
    zones, timezone = world.territory.zone_ids, world.territory.timezone
    table = build(world.grid(*ORIGINS), world.evidence, [source]).frame()
    features = list(table.columns[4:])
    for _, question in table.sample(12, random_state=1).iterrows():
        alone = grid_from_frame(question.to_frame().T, zones, timezone)
        found = build(alone, world.evidence, [source]).values[:, 0]
        same(found, question[features].to_numpy(dtype=np.float32))
    some = table.sample(40, random_state=2).sort_values(["zone_id", "origin", "target_date"])
    found = build(grid_from_frame(some, zones, timezone), world.evidence, [source]).values
    same(found.T, some[features].to_numpy(dtype=np.float32))


@every_source
def test_an_answer_depends_on_no_order_of_zones(source: Source, world) -> None:
    """Neither on that of the table's rows, nor on that of the territory."""
    expected = build(world.grid(*ORIGINS), world.evidence, [source])
    names = [f"{source.name}_{feature.name}" for feature in source.features]
    by_zone = world.observations.assign(zone_id=world.observations["zone_id"].astype(str))
    by_zone = by_zone.sort_values("zone_id", ascending=False, kind="stable")
    same(build(expected.grid, Evidence(by_zone, world.territory), [source]).values, expected.values)

    order = [2, 0, 1]
    t = world.territory
    turned = replace(
        t,
        zone_ids=tuple(t.zone_ids[i] for i in order),
        zone_names=tuple(t.zone_names[i] for i in order),
        home=tuple(t.home[i] for i in order),
        **{
            name: getattr(t, name)[order]
            for name in ("latitude", "longitude", "population", "coast", "shares")
        },
    )
    grid = grid_from_frame(expected.grid.frame(), turned.zone_ids, t.timezone)
    keys = ["zone_id", "origin", "target_date"]
    found = build(grid, Evidence(world.observations, turned), [source]).frame()
    found = found.assign(zone_id=found["zone_id"].astype(str)).sort_values(keys)
    wanted = expected.frame()
    wanted = wanted.assign(zone_id=wanted["zone_id"].astype(str)).sort_values(keys)
    same(found[names].to_numpy(), wanted[names].to_numpy())


@every_source
def test_an_unknown_zone_gets_nan(source: Source, world) -> None:
    table = world.grid(ORIGINS[1]).frame()
    table = pd.concat([table, table.head(15).assign(zone_id="999999999")])
    grid = grid_from_frame(table, world.territory.zone_ids, world.territory.timezone)
    found = build(grid, world.evidence, [source]).values
    unknown = grid.row_zone < 0
    assert unknown.sum() == 15
    assert np.isnan(found[:, unknown]).all()
    same(found[:, ~unknown], build(world.grid(ORIGINS[1]), world.evidence, [source]).values)


@every_source
def test_a_missing_month_and_a_missing_source_are_no_errors(source: Source, world) -> None:
    origin = pd.Timestamp(ORIGINS[1])
    rows, month = world.observations, origin.tz_localize(None) - pd.Timedelta(days=45)
    gap = (rows["date"] > month) & (rows["date"] < month + pd.Timedelta(days=31))
    full = build(world.grid(origin), world.evidence, [source]).values
    found = build(world.grid(origin), Evidence(rows[~gap], world.territory), [source]).values
    assert not np.isinf(found).any()
    if source.name == "history":
        assert np.isfinite(found[0]).all()
    if source.name == "events":
        assert (found >= 0).all()

    without = rows[~rows["source"].isin(list(source.reads))]
    for nothing in (without, rows.iloc[:0]):
        found = build(world.grid(origin), Evidence(nothing, world.territory), [source]).values
        if not source.reads:
            same(found, full)
        elif source.name == "events":
            assert (found == 0).all()  # none announced: see the source
        else:
            assert np.isnan(found).all()


@every_source
def test_rows_without_a_value_say_nothing(source: Source, world) -> None:
    rows = world.observations
    empty = rows.sample(frac=0.02, random_state=8).assign(value=np.nan)
    empty["available_at"] += pd.Timedelta(hours=5)
    more = pd.concat([rows, empty], ignore_index=True)
    found = build(world.grid(*ORIGINS), Evidence(more, world.territory), [source])
    same(found.values, build(found.grid, world.evidence, [source]).values)


def test_an_outage_is_the_same_as_rows_that_came_later(world) -> None:
    grid, rows = world.grid(*ORIGINS), world.observations
    hit = rows["source"].isin(["influx", "weather_forecast"])
    moved = rows.assign(
        available_at=rows["available_at"].where(~hit, rows["available_at"] + pd.Timedelta(days=21))
    )
    by_hand = build(grid, Evidence(moved, world.territory)).values
    rehearsed = world.evidence.late(["influx", "weather_forecast"], 21.0)
    same(build(grid, rehearsed).values, by_hand)
    assert np.nanmax(by_hand[:, :] - build(grid, world.evidence).values) > 0
    same(build(grid, rehearsed.late(["influx", "weather_forecast"], 0)).values[0], by_hand[0])


def test_columns_are_contiguous_and_nothing_is_copied(world) -> None:
    found = build(world.grid(*ORIGINS), world.evidence)
    assert found.values.flags.c_contiguous
    assert found.column("history_level").base is not None
    assert np.shares_memory(found.column("history_level"), found.values)


@pytest.mark.parametrize("questions", [1, 60, 100, 10**9])
def test_parts_hold_what_the_whole_holds(world, questions: int) -> None:
    frame = world.grid(*ORIGINS).frame().astype({"zone_id": str})
    stranger = frame.iloc[:3].assign(zone_id="stranger")
    grid = grid_from_frame(pd.concat([frame, stranger]), world.territory.zone_ids, "Europe/Paris")
    whole = build(grid, world.evidence)
    parts = list(build_parts(grid, world.evidence, questions=questions))
    assert len(parts) > 1 or questions > len(grid)
    assert {part.columns for part in parts} == {whole.columns}
    same(np.hstack([part.values for part in parts]), whole.values)
    pd.testing.assert_frame_equal(
        pd.concat([part.grid.frame() for part in parts], ignore_index=True), grid.frame()
    )


def test_a_grid_of_other_zones_is_refused(world) -> None:
    grid = world.grid(ORIGINS[0])
    fewer = grid_from_frame(grid.frame(), world.territory.zone_ids[1:], grid.timezone)
    with pytest.raises(ValueError, match=r"different zones.*territory\.zone_ids"):
        build(fewer, world.evidence)


def test_variables_of_a_source_may_alternate_row_by_row(world) -> None:
    """As a wide table gives them when it is melted day by day."""
    rows = world.observations
    rows = rows[rows["source"].isin(["weather", "weather_forecast"])]
    by_day = rows.sort_values(["date", "variable"], kind="stable").astype({"source": str})
    grid = world.grid(*ORIGINS)
    weather = [source for source in SOURCES if source.name == "weather"]
    expected = build(grid, Evidence(rows, world.territory), weather).values
    same(build(grid, Evidence(by_day, world.territory), weather).values, expected)
    assert np.isfinite(expected).any()


def test_dates_and_instants_are_read_in_any_unit(world) -> None:
    zone = world.territory.zone_ids[0]
    rows = sample_rows("influx", "influx", np.arange(70.0), zone_id=zone)
    grid = world.grid(day_date([20_200])[0].tz_localize("UTC"))
    expected = build(grid, Evidence(rows, world.territory)).values
    for unit in ("s", "ns"):
        other = rows.assign(
            date=rows["date"].dt.as_unit(unit), available_at=rows["available_at"].dt.as_unit(unit)
        )
        same(build(grid, Evidence(other, world.territory)).values, expected)
    assert isinstance(grid, Grid)
    assert np.isfinite(expected).any()
