"""Standstills: a place that has counted nobody for a week goes on so, and is then as before."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.cli.forecasts import print_answer
from forecast.config import RunConfig
from forecast.explanation import contributions
from forecast.features import Evidence, build, kernels_history
from forecast.features.base import sample_rows
from forecast.grid import day_number, make_grid
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.predict import answer_at
from forecast.sentence import AT_A_STANDSTILL
from forecast.standstill import DAYS, RARE, Standstill, measured, standstills
from forecast.training.backtest import run_backtest
from forecast.training.dataset import Dataset, make_dataset
from forecast.training.folds import fit
from forecast.truth import Truth, truth_at
from forecast.usual import usual

START, END = "2023-01-01", "2025-06-30"
FIRST, LAST = (int(day) for day in day_number([START, END]))
FLOOD, REPAIR = "2024-03-01", "2024-05-10"
"""From the one to the day before the other the gate was shut."""
BROKEN = "2025-05-20"
"""From this day on its counter reports zero."""
CONFIG = RunConfig(
    id="essai",
    name="Essai",
    timezone="UTC",
    country="FR",
    zones=[
        {"id": zone, "name": zone, "population": 100, "latitude": 49.5, "longitude": 0.1}
        for zone in ("gate", "pier", "street")
    ],
    training={"rounds": 40, "leaves": 7, "min_leaf": 10, "origin_stride_days": 4,
              "backtest_days": 56, "refit_days": 56},
)  # fmt: skip


def place(date: str) -> int:
    return int(day_number([date])[0]) - FIRST


def lines(*, shut: bool = True) -> dict[str, np.ndarray]:
    """A gate that was flooded and whose counter breaks, a pier with a ship on every third day,
    a street.
    """
    rng = np.random.default_rng(5)
    day = np.arange(FIRST, LAST + 1)
    weekday = np.where((day + 3) % 7 > 4, 2000.0, 1000.0)
    gate, street = (weekday * np.exp(rng.normal(0, 0.05, len(day))) for _ in range(2))
    if shut:
        gate[place(FLOOD) : place(REPAIR)] = 0
        gate[place(BROKEN) :] = 0
    pier = np.where(rng.random(len(day)) < 0.34, 800.0, 0.0)
    return {"gate": gate, "pier": pier, "street": street}


def dataset(until: str, *, shut: bool = True) -> Dataset:
    rows = pd.concat(
        sample_rows(
            "influx", "influx", line[: place(until) + 1], zone_id=zone, first=START, delay_hours=3
        )
        for zone, line in lines(shut=shut).items()
    )
    now = pd.Timestamp(until, tz="UTC").as_unit("us") + pd.Timedelta(hours=27)
    return make_dataset(CONFIG, rows, now)


def questions(evidence: Evidence, origin: str) -> FeatureMatrix:
    """About days 0 to 14, asked in the morning, by the features as the service builds them."""
    at = pd.Timestamp(f"{origin}T06:00Z").as_unit("us")
    return build(make_grid([at], CONFIG.territory().zone_ids, range(15), "UTC"), evidence)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return dataset(END)


@pytest.fixture(scope="module")
def model(data: Dataset) -> InfluxModel:
    """Fitted before the counter broke, when the flood was known."""
    return fit(data, pd.Timestamp("2025-05-19T06:00Z"), threads=2)


def test_a_week_without_anybody_is_one_and_six_days_are_not() -> None:
    line = np.full((1, 400), 9.0)
    line[0, 100 : 100 + DAYS] = 0
    line[0, 200 : 200 + DAYS - 1] = 0
    assert np.flatnonzero(standstills(line)).tolist() == list(range(100, 100 + DAYS))
    line[0, 102] = np.nan
    assert not standstills(line).any()  # six known days
    line[0, 107] = 0
    assert np.flatnonzero(standstills(line)).tolist() == [100, 101, *range(103, 108)]


def test_where_empty_days_are_nothing_rare_there_is_none() -> None:
    pier = lines()["pier"].copy()
    pier[300:330] = 0
    sundays = np.where((np.arange(len(pier)) % 7 == 6), 0.0, 50.0)
    sundays[300:330] = 0
    assert not standstills(np.stack([pier, sundays])).any()
    truth = Truth(FIRST, np.stack([pier, sundays, lines()["gate"]]).astype(np.float32))
    assert Standstill.fit(truth).rare.tolist() == [0, 0, 1]
    left = measured(truth)
    np.testing.assert_array_equal(left.values[:2], truth.values[:2])
    assert np.isnan(left.values[2, place(FLOOD) : place(REPAIR)]).all()
    assert np.isfinite(left.values[2, : place(FLOOD)]).all()


@pytest.mark.parametrize(("days", "still"), [(DAYS - 1, False), (DAYS, True), (30, True)])
def test_what_is_known_at_the_origin_decides(model, data, days: int, still: bool) -> None:
    """A day is known on the next morning, so a week is on the eighth."""
    origin = pd.Timestamp(BROKEN) + pd.Timedelta(days=days)
    asked = questions(data.evidence, f"{origin:%Y-%m-%d}")
    found = model.standstill.goes_on(asked, asked.grid.row_zone.astype(np.int64))
    gate, street = (asked.grid.row_zone == zone for zone in (0, 2))
    assert (found[gate] == still).all()
    assert not found[~gate].any()
    answer = model.predict(asked, data.daily)
    assert (answer[gate, :4] == 0).all() == still
    assert (answer[street, 2] > 500).all()


def test_the_band_reaches_to_the_usual_day(model, data) -> None:
    """Whoever knows less is never surer: any day may be the one on which the gate opens."""
    asked = questions(data.evidence, "2025-06-20")
    gate = asked.grid.row_zone == 0
    answer = model.predict(asked, data.daily)[gate]
    usual_day = np.where((asked.grid.target_day[gate] + 3) % 7 > 4, 2000.0, 1000.0)
    np.testing.assert_allclose(answer[:, -1], usual_day, rtol=0.1)
    before = questions(data.evidence, "2025-05-18")
    band = np.ptp(model.predict(before, data.daily)[before.grid.row_zone == 0], axis=1)
    assert np.ptp(answer, axis=1).mean() > band.mean()


def test_a_zone_that_is_not_known_never_stands_still(model, data) -> None:
    asked = questions(data.evidence, "2025-06-20")
    stranger = np.full(len(asked.grid), -1)
    assert not model.standstill.goes_on(asked, stranger).any()
    np.testing.assert_array_equal(model.standstill.measured(asked, stranger).recent, asked.recent)
    bare = replace(asked, recent=None)
    assert not model.standstill.goes_on(bare, bare.grid.row_zone.astype(np.int64)).any()
    assert model.standstill.measured(bare, stranger) is bare


@pytest.mark.parametrize("days", [2, 9])
def test_once_people_are_counted_again_the_place_is_forecast_as_before(days: int) -> None:
    """Shortly after ten weeks of flood, by a model of then: as if there had been none."""
    origin = f"{pd.Timestamp(REPAIR) + pd.Timedelta(days=days):%Y-%m-%d}"
    answers = []
    for shut in (True, False):
        data = dataset("2024-09-30", shut=shut)
        model = fit(data, pd.Timestamp(f"{origin}T06:00Z"), threads=2)
        asked = questions(data.evidence, origin)
        answers.append(model.predict(asked, data.daily)[asked.grid.row_zone == 0, 2])
    np.testing.assert_allclose(*answers, rtol=0.2)
    assert answers[0].mean() == pytest.approx(answers[1].mean(), rel=0.1)


def test_features_are_those_of_the_days_that_were_measured(data) -> None:
    """A flood whose days have zeros leaves the columns of one whose days have no rows."""
    origin = f"{pd.Timestamp(REPAIR) + pd.Timedelta(days=3):%Y-%m-%d}"
    zeros = lines()["gate"]
    gaps = zeros.copy()
    gaps[place(FLOOD) : place(REPAIR)] = np.nan
    found = []
    for line in (zeros, gaps):
        rows = sample_rows("influx", "influx", line, zone_id="gate", first=START, delay_hours=3)
        evidence = Evidence(rows.dropna(subset=["value"]), CONFIG.territory())
        asked = questions(evidence, origin)
        own = asked.grid.row_zone == 0
        found.append({name: asked.column(name)[own] for name in asked.columns})
    for name, values in found[0].items():
        np.testing.assert_array_equal(values, found[1][name], err_msg=name)
    assert (found[0]["history_level"] > 800).all()


def test_features_and_members_see_the_same_standstills() -> None:
    """The kernel has the rule again, because kept code is dated by its own module alone."""
    assert (kernels_history._STANDSTILL_DAYS, kernels_history._RARE) == (DAYS, RARE)
    rng = np.random.default_rng(3)
    seen = 0
    for share in (0.01, 0.04, 0.1):
        for _ in range(40):
            line = rng.uniform(1, 9, 300).astype(np.float32)
            line[rng.random(300) < share] = 0
            for at in rng.integers(0, 280, 3):
                line[at : at + rng.integers(1, 20)] = 0
            line[rng.random(300) < 0.1] = np.nan
            known = np.flatnonzero(np.isfinite(line))
            out = np.empty_like(line)
            kernels_history._measured(line, int(known[-1]), out)
            found = standstills(line[None])[0]
            np.testing.assert_array_equal(out, np.where(found, np.nan, line))
            seen += found.any()
    assert 20 < seen < 120  # some lines have none, as their empty days are not rare


def test_the_bundle_keeps_it_and_an_older_one_is_read_without(model, data, tmp_path) -> None:
    asked = questions(data.evidence, "2025-06-20")
    answer = model.predict(asked, data.daily)
    model.save(tmp_path / "bundle")
    again = InfluxModel.load(tmp_path / "bundle")
    np.testing.assert_array_equal(again.predict(asked, data.daily), answer)
    old = replace(model, standstill=Standstill.read({}, 3))
    assert (old.predict(asked, data.daily)[asked.grid.row_zone == 0, 2] > 0).all()


def test_the_answer_says_so_and_adds_up(model, data, capsys) -> None:
    asked = questions(data.evidence, "2025-06-20")
    truth = truth_at(data.evidence, pd.Timestamp("2025-06-20T06:00Z"))
    known = usual(asked.grid, truth, CONFIG.territory())
    median = model.predict(asked, data.daily)[:, 2]
    parts = contributions(model, asked, data.daily, median, known)
    gate = asked.grid.row_zone == 0
    assert (known.influx[gate] > 800).all()  # in the spring before the gate was flooded, too
    np.testing.assert_allclose(parts["history"][gate], -known.influx[gate])
    assert all((p[gate] == 0).all() for domain, p in parts.items() if domain != "history")
    answer = answer_at(
        pd.Timestamp("2025-06-20T06:00Z"),
        CONFIG,
        data.evidence.observations,
        model,
        model_version="1",
        lake_version=1,
    )
    print_answer(answer, CONFIG)
    assert f"gate : {AT_A_STANDSTILL}" in " ".join(capsys.readouterr().err.split())
    said = answer.forecasts
    own = said["zone_id"] == "gate"
    assert set(said.loc[own, "why"]) == {AT_A_STANDSTILL}
    assert AT_A_STANDSTILL not in set(said.loc[~own, "why"])
    assert set(said.loc[own, "level"]) == {"vert"}
    assert (said.loc[own, "influx_p50"] == 0).all()
    assert (said.loc[own, "influx_p90"] > 800).all()


def test_the_rules_beside_it_are_told_what_was_reported(data) -> None:
    """A backtest over the weeks in which the counter broke leaves no question out."""
    rows = run_backtest(data).rows
    gate = rows[(rows["zone_id"] == "gate") & (rows["target_date"] >= BROKEN)]
    late = gate[gate["origin"] >= pd.Timestamp(BROKEN, tz="UTC") + pd.Timedelta(days=8)]
    assert len(late) > 30
    for rule in ("lag7", "influx_p50"):
        assert (late[rule] == 0).all()
    assert not rows[["lag7", "lag364", "mean4", "analogue", "ridge"]].isna().any(axis=None)
    expected = len(data.config.zones) * rows[["origin", "target_date"]].drop_duplicates().shape[0]
    assert len(rows) == expected
