"""From a folder to the lake: availability, events, batches, skipping, repeating, revising."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.errors import ContractError
from forecast.ingest import check_folder, ingest_folder
from forecast.ingest.contract import CONTRACT
from forecast.ingest.docs import example
from forecast.lake import Lake
from forecast.tables import OBSERVATIONS, check

INFLUX = "zone_id;date;influx\n01234;01/01/2026;1 500\n200084952;01/07/2026;2500,5\n"


@pytest.fixture
def lake(tmp_path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def test_every_example_of_the_documentation_follows_the_contract(folder, now):
    territory = (folder.path / "territory.toml").read_text(encoding="utf-8")
    folder.put("territory.toml", territory.replace("01234", "200066827"))
    for table in CONTRACT.values():
        folder.put(f"{table.name}.csv", example(table))
    checked = check_folder(folder.path, now=now)
    assert checked.report.ok, checked.report.text()
    check(checked.observations, OBSERVATIONS)
    assert set(checked.observations["source"]) == set(CONTRACT)
    for source, rows in checked.observations.groupby("source", observed=True):
        assert set(rows["variable"]) == set(CONTRACT[source].variables)
    assert not checked.derived.any()


def test_availability_is_derived_from_the_end_of_the_local_day_and_the_delay(folder, now):
    territory = (folder.path / "territory.toml").read_text(encoding="utf-8")
    folder.put("territory.toml", territory + "\n[sources.influx]\npublication_delay_hours = 10.5\n")
    folder.put("influx.csv", INFLUX)
    folder.put(
        "weather_forecast.csv",
        "zone_id;issued_at;date;sunshine\n01234;2026-07-01T00:00Z;2026-07-03;5\n",
    )
    folder.put("events.csv", "zone_id;event;date;attendance\n01234;Fête;2026-12-24;900\n")
    checked = check_folder(folder.path, now=now)
    known = checked.observations.set_index("source")["available_at"]
    assert known["influx"].tolist() == [
        pd.Timestamp("2026-01-02T09:30Z"),
        pd.Timestamp("2026-07-02T08:30Z"),
    ]
    assert known["weather_forecast"] == pd.Timestamp("2026-07-01T06:00Z")
    assert known["events"] == pd.Timestamp("2026-11-24T23:00Z")
    assert checked.derived.all()


def test_only_rows_without_a_stated_instant_are_derived(folder, now):
    folder.put(
        "influx.csv",
        "zone_id;date;influx;available_at\n01234;2026-01-01;1;\n"
        "01234;2026-01-02;2;2026-01-09 10:00\n",
    )
    checked = check_folder(folder.path, now=now)
    assert checked.derived.tolist() == [True, False]
    assert checked.observations["available_at"][1] == pd.Timestamp("2026-01-09T09:00Z")


def test_an_event_has_one_row_for_each_of_its_days(folder, now):
    folder.put(
        "events.csv",
        "zone_id;event;date;end_date;attendance\n01234;Armada;28/06/2026;01/07/2026;1 000,5\n",
    )
    rows = check_folder(folder.path, now=now).observations
    assert rows["date"].dt.strftime("%d/%m").tolist() == ["28/06", "29/06", "30/06", "01/07"]
    assert set(rows["site_id"]) == {"Armada"}
    assert set(rows["value"]) == {1000.5}
    assert len(set(rows["available_at"])) == 1


def test_provider_tells_simulated_files(folder, now):
    folder.put("influx.csv", INFLUX)
    assert set(check_folder(folder.path, now=now).observations["provider"]) == {"files"}
    territory = (folder.path / "territory.toml").read_text(encoding="utf-8")
    folder.put("territory.toml", "simulated = true\n" + territory)
    assert set(check_folder(folder.path, now=now).observations["provider"]) == {"simulated"}


def test_a_given_configuration_replaces_the_folders(folder, now):
    folder.put("influx.csv", INFLUX)
    config = check_folder(folder.path, now=now).config
    (folder.path / "territory.toml").unlink()
    checked = check_folder(folder.path, config, now=now)
    assert checked.report.ok
    assert checked.config is config


def test_ingesting_twice_changes_nothing_and_a_new_value_is_a_revision(folder, now, lake):
    folder.put("influx.csv", INFLUX)
    told: list[str] = []
    first = ingest_folder(folder.path, lake, config=None, now=now, progress=told.append)
    assert (first.new, first.known, first.revised) == (2, 0, 0)
    assert told == ["influx.csv", "lake"]
    again = ingest_folder(folder.path, lake, config=None, now=now + pd.Timedelta("1D"))
    assert (again.new, again.known, again.revised) == (0, 2, 0)
    assert again.version == first.version
    folder.put("influx.csv", INFLUX.replace("1 500", "1 600"))
    later = now + pd.Timedelta("2D")
    revised = ingest_folder(folder.path, lake, config=None, now=later)
    assert (revised.new, revised.known, revised.revised) == (0, 1, 1)
    rows = lake.read(zones=["01234"]).sort_values("available_at")
    assert rows["value"].tolist() == [1500.0, 1600.0]
    assert rows["available_at"].iloc[1] == later


def test_what_check_refuses_is_not_ingested(folder, now, lake):
    folder.put("influx.csv", INFLUX + "01234;02/01/2026;-5\n")
    folder.put("mobility.csv", "zone_id;site_id;date;count\n01234;P;2026-01-01;5\n")
    with pytest.raises(ContractError, match="--skip-bad-rows") as caught:
        ingest_folder(folder.path, lake, config=None, now=now)
    assert caught.value.report.counts["out_of_bounds"] == 1
    assert lake.read().empty


def test_bad_rows_are_skipped_on_request_and_counted(folder, now, lake):
    folder.put("influx.csv", INFLUX + "01234;02/01/2026;-5\n9;03/01/2026;5\n01234;x\n")
    done = ingest_folder(folder.path, lake, config=None, now=now, skip_bad_rows=True)
    assert (done.new, done.skipped) == (2, 3)
    assert done.report.errors == 3
    assert set(lake.read()["zone_id"]) == {"01234", "200084952"}


def test_a_file_without_rows_is_ingested_as_nothing(folder, now, lake):
    folder.put("events.csv", "zone_id;event;date;attendance\n")
    done = ingest_folder(folder.path, lake, config=None, now=now)
    assert (done.new, done.known, done.revised, done.skipped) == (0, 0, 0, 0)
    assert done.report.counts == {"short_history": 1}


@pytest.mark.parametrize(
    "content",
    [
        "zone_id;date\n01234;2026-01-01\n",
        "zone_id;date,influx\n01234;2026-01-01,5\n",
        "zone_id;date;influx\n01234;01/13/2026;5\n01234;01/02/2026;5\n",
        b"zone_id;date;influx\n\x81\x8d\n",
    ],
)
def test_a_file_that_cannot_be_understood_refuses_the_batch_even_then(folder, now, lake, content):
    folder.put("mobility.csv", "zone_id;site_id;date;count\n01234;P;2026-01-01;5\n")
    folder.put("influx.csv", content)
    with pytest.raises(ContractError, match="nothing was ingested"):
        ingest_folder(folder.path, lake, config=None, now=now, skip_bad_rows=True)
    assert lake.read().empty


def test_a_large_file_is_checked_as_a_whole(folder, now):
    n = 20_000
    rng = np.random.default_rng(0)
    k = np.arange(n)
    issued = pd.Timestamp("2024-01-01", tz="UTC") + pd.to_timedelta(k // 30 * 6, unit="h")
    frame = pd.DataFrame(
        {
            "zone_id": np.where(k % 2, "01234", "200084952"),
            "issued_at": issued.strftime("%d/%m/%Y %H:%M:%SZ"),
            "date": (issued + pd.to_timedelta(k // 2 % 15, unit="D")).strftime("%d/%m/%Y"),
        }
    )
    variables = CONTRACT["weather_forecast"].variables
    for name in variables:
        frame[name] = rng.uniform(0, 8, n).round(4)
    frame.loc[n - 1, "sunshine"] = 99
    folder.put("weather_forecast.csv", frame.to_csv(index=False, sep=";", decimal=","))
    checked = check_folder(folder.path, now=now)
    assert [(p.kind, p.line) for p in checked.report.problems] == [("out_of_bounds", n + 1)]
    assert len(checked.observations) == len(variables) * (n - 1)
    frame["date"] = pd.to_datetime(frame["date"], dayfirst=True).dt.date
    frame["issued_at"] = issued
    (folder.path / "weather_forecast.csv").unlink()
    frame.to_parquet(folder.path / "weather_forecast.parquet")
    typed = check_folder(folder.path, now=now)
    assert [(p.kind, p.line) for p in typed.report.problems] == [("out_of_bounds", n)]
    assert typed.observations.equals(checked.observations)
