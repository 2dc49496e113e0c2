"""What had been said: only what was really issued, only with what was known then."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.errors import ModelIntegrityError
from forecast.lake import Lake
from forecast.levels import LEVELS
from forecast.track_record import (
    RECORD,
    columns,
    empty_record,
    influx_evidence,
    issued,
    newest_said,
    read_record,
    with_truth,
    write_record,
)
from forecast.truth import truth_at

UNTIL = pd.Timestamp("2026-07-01T06:00Z").as_unit("us")
FIRST = pd.Timestamp("2026-06-20").as_unit("us")


@pytest.fixture(scope="module")
def config() -> RunConfig:
    zones = [
        {"id": i, "name": i, "population": 9, "latitude": 49, "longitude": 0} for i in ("a", "b")
    ]
    return RunConfig(id="essai", name="Essai", zones=zones)


def observed(days: int = 300) -> pd.DataFrame:
    """Influx of zone a: its number of the day, readable two days later; revised on 25 June."""
    dates = pd.date_range(end="2026-06-29", periods=days, unit="us")
    rows = pd.DataFrame(
        {
            "source": "influx",
            "zone_id": "a",
            "site_id": "",
            "variable": "influx",
            "date": dates,
            "available_at": (dates + pd.Timedelta(days=2)).tz_localize("UTC"),
            "value": np.arange(1000.0, 1000.0 + days),
            "provider": "test",
        }
    )
    late = rows[rows["date"] == "2026-06-25"].assign(value=5000.0)
    late["available_at"] = UNTIL - pd.Timedelta(hours=1)
    return pd.concat([rows, late], ignore_index=True)


def said(config: RunConfig, origin: pd.Timestamp, version: str = "1-x") -> pd.DataFrame:
    """Forecasts of zone a, days 0 to 14."""
    days = np.arange(15)
    first = origin.tz_convert("Europe/Paris").tz_localize(None).normalize().as_unit("us")
    frame = pd.DataFrame(
        {
            "zone_id": "a",
            "origin": origin.as_unit("us"),
            "target_date": first + pd.to_timedelta(days, unit="D").as_unit("us"),
            "horizon_days": days,
        }
    )
    for i, quantile in enumerate(config.quantiles):
        frame[f"influx_p{100 * quantile:g}"] = 1200.0 + 10 * i + origin.day
    for level in LEVELS:
        frame[f"probability_{level}"] = 0.25
    frame["level"] = "orange"
    return frame.assign(regime="influx", model_version=version, lake_version=1)


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, config: RunConfig) -> Lake:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    lake.append(observed(), now=UNTIL)
    for day in range(8):
        origin = (FIRST + pd.Timedelta(days=day, hours=6)).tz_localize("UTC")
        lake.append_forecasts(said(config, origin))
    lake.append_forecasts(said(config, UNTIL + pd.Timedelta(hours=1)))
    return lake


def test_what_was_issued_stands_beside_what_came_true(lake: Lake, config: RunConfig) -> None:
    record = issued(lake, config, UNTIL)
    assert list(record.columns) == columns(config.quantiles)
    assert set(record["basis"]) == {"issued"}
    assert record["origin"].max() < UNTIL  # nothing that was said later
    truth = record.drop_duplicates("target_date").set_index("target_date")["influx"]
    assert truth["2026-06-24"] == 1294.0
    assert truth["2026-06-25"] == 5000.0  # as revised since
    assert np.isnan(truth["2026-06-30"])  # not readable yet
    assert issued(lake, config, FIRST.tz_localize("UTC")).empty


def test_rules_and_limits_are_those_known_at_the_origin(lake: Lake, config: RunConfig) -> None:
    record = issued(lake, config, UNTIL)
    rows = record[record["origin"].dt.strftime("%m-%d") == "06-25"].set_index("horizon_days")
    # At six on the 25th (a Thursday) Tuesday the 23rd was the newest day known: the value of a day
    # is its number, so each rule says how far it looks back.
    value = {f"{day:%m-%d}": 1000.0 + i for i, day in enumerate(
        pd.date_range(end="2026-06-29", periods=300))}  # fmt: skip
    assert rows.loc[0, "lag7"] == value["06-18"]
    assert rows.loc[4, "lag7"] == value["06-22"]  # the 29th is a Monday
    assert rows.loc[5, "lag7"] == value["06-23"]
    assert rows.loc[6, "lag7"] == value["06-17"]
    assert rows.loc[4, "mean4"] == np.mean([value[d] for d in ("06-22", "06-15", "06-08", "06-01")])
    # The revision of the 25th came later: no limit knows it.
    assert record["limit_noir"].max() < 1300
    later = record[record["origin"].dt.strftime("%m-%d") == "06-27"]
    assert later["limit_orange"].iloc[0] > rows["limit_orange"].iloc[0]


def test_an_answer_of_a_model_trained_later_was_not_issued(lake: Lake, config: RunConfig) -> None:
    """`afflux publish --origin` in the past is a replay."""
    trained = {"1-x": pd.Timestamp("2026-06-24T12:00Z")}
    record = issued(lake, config, UNTIL, trained_at=trained)
    assert record["origin"].min() == pd.Timestamp("2026-06-25T06:00Z")
    assert len(issued(lake, config, UNTIL, trained_at={"other": UNTIL})) == 8 * 15


def test_the_newest_answer_counts_and_issued_ones_go_first(lake: Lake, config: RunConfig) -> None:
    real = issued(lake, config, UNTIL)
    weekly = real.assign(basis="backtest", origin=real["origin"] + pd.Timedelta(minutes=1))
    both = pd.concat([weekly, real], ignore_index=True)
    found = newest_said(both, 3).set_index("target_date")
    assert set(found["basis"]) == {"issued"}
    assert found.loc["2026-06-26", "horizon_days"] == 3
    assert found.loc["2026-07-05", "horizon_days"] == 8  # the newest there is
    # A backtest asks once a week: what is older than that stands for nothing.
    alone = newest_said(weekly, 0).set_index("target_date")
    assert alone["horizon_days"].max() == 6
    assert "2026-07-05" not in alone.index
    assert newest_said(empty_record(config.quantiles), 1).empty


def test_a_record_survives_its_file_byte_for_byte(lake, config: RunConfig, tmp_path: Path) -> None:
    record = issued(lake, config, UNTIL)
    for name in ("one", "two"):
        write_record(record, tmp_path / name)
    assert (tmp_path / "one" / RECORD).read_bytes() == (tmp_path / "two" / RECORD).read_bytes()
    pd.testing.assert_frame_equal(read_record(tmp_path / "one", config.quantiles), record)


def test_a_bundle_without_a_record_has_an_empty_one(config: RunConfig, tmp_path: Path) -> None:
    assert read_record(tmp_path, config.quantiles).empty
    write_record(empty_record((0.1, 0.5, 0.9)), tmp_path)
    assert list(read_record(tmp_path, config.quantiles).columns) == columns(config.quantiles)
    (tmp_path / RECORD).write_bytes(b"PAR1")
    with pytest.raises(ModelIntegrityError, match=r"record\.parquet: cannot be read"):
        read_record(tmp_path, config.quantiles)


def test_the_truth_of_a_record_is_that_of_the_publication(lake: Lake, config: RunConfig) -> None:
    record = issued(lake, config, UNTIL)
    before = UNTIL - pd.Timedelta(days=2)
    evidence = influx_evidence(lake.read(known_at=before), config)
    told = with_truth(record, truth_at(evidence, before), config)
    truth = told.drop_duplicates("target_date").set_index("target_date")["influx"]
    assert truth["2026-06-25"] == 1295.0
    assert np.isnan(truth["2026-06-28"])
    other = record.assign(zone_id="elsewhere")
    assert with_truth(other, truth_at(evidence, before), config).empty
