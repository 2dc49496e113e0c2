"""No count of fewer than 20 persons leaves, and contributions still add up."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest

from forecast.serving.changes import level_changes
from forecast.serving.listing import Selection
from forecast.serving.publication import write_publication
from forecast.serving.reader import Publication, read_publication
from forecast.serving.records import ModelStamp, checked, contributions, forecast_records


def test_a_forecast_of_few_people_stands_at_twenty(config, frame) -> None:
    few = frame()
    columns = [name for name in few.columns if name.startswith("influx_")]
    few[columns] = few[columns] / 2000
    few["usual"] = few["usual"] / 2000
    assert (few[columns] < 20).any(axis=None) and (few[columns] > 20).any(axis=None)
    seen = set()
    for row in forecast_records(checked(few, config, ModelStamp("7")), config):
        counts = [*row["influx"].values(), *row["interval_80"].values()]
        if row["usual"] is not None:
            counts.append(row["usual"])
            if row["contributions"]:
                told = sum(row["contributions"].values())
                assert told == row["influx"]["p50"] - row["usual"]
        assert min(counts) >= 20
        seen |= set(counts)
    assert 20 in seen and max(seen) > 20


def test_what_twenty_stands_for_is_of_the_largest_cause_alone() -> None:
    """A place that stands still has nobody because of its recent past, and not of the weather."""
    row = {"influx_p50": 0.0, "usual": 10_000.0}
    causes = {"history": -10_000.0, "weather": 0.0, "holidays": 0.0, "sea": 0.0}
    told = contributions(row | {f"contribution_{domain}": v for domain, v in causes.items()})
    assert told == {"history": -9980, "weather": 0, "holidays": 0, "sea": 0}
    causes = {"history": 40.4, "weather": -20.7, "holidays": 0.4, "sea": 0.0}
    row = {"influx_p50": 10_020.1, "usual": 10_000.0}
    told = contributions(row | {f"contribution_{domain}": v for domain, v in causes.items()})
    assert told is not None and sum(told.values()) == 20
    assert all(abs(told[domain] - exact) < 1 for domain, exact in causes.items())


@pytest.fixture
def few(tmp_path: Path, config, frame) -> Publication:
    """A publication of which many counts are below twenty, and some above."""
    rows = frame()
    columns = [name for name in rows.columns if name.startswith("influx_")]
    rows[columns] = rows[columns] / 2000
    rows["usual"] = rows["usual"] / 2000
    folder = write_publication(
        tmp_path,
        forecasts=rows,
        config=config,
        sources=[],
        published_at=pd.Timestamp("2026-07-01T06:05:00Z"),
        model=ModelStamp("7"),
    ).parent
    return read_publication(folder)


def test_totals_are_of_what_is_shown(few: Publication) -> None:
    answer = json.loads(few.files["weekend.json"])
    for total in answer["totals"]:
        days = [row for row in answer["forecasts"] if total["zone_id"] in (None, row["zone_id"])]
        assert total["influx"]["p50"] == sum(row["influx"]["p50"] for row in days)
        assert min(total["influx"].values()) >= 20


def test_every_format_has_the_same_figures(few: Publication) -> None:
    records = json.loads(few.files["forecasts.json"])["forecasts"]
    rows = pd.read_parquet(io.BytesIO(few.read("forecasts.parquet"))).to_dict("records")
    lines = list(csv.DictReader(io.StringIO(few.read("forecasts.csv").decode())))
    assert len(records) == len(rows) == len(lines)
    for record, row, line in zip(records, rows, lines, strict=True):
        for name, persons in record["influx"].items():
            assert persons == row[f"influx_{name}"] == int(line[f"influx_{name}"]) >= 20
        if record["usual"] is None:
            assert pd.isna(row["usual"])
        else:
            assert record["usual"] == row["usual"] >= 20
        for domain, persons in (record["contributions"] or {}).items():
            assert row[f"contribution_{domain}"] == persons


def test_changes_are_of_what_is_shown(few: Publication) -> None:
    known = {
        (row["zone_id"], row["target_date"]): row["influx"]
        for row in few.listings["forecasts.json"].records(Selection())
    }
    worse = few.files["forecasts.json"].replace(b'"level":"vert"', b'"level":"noir"')
    later = replace(few, files={**few.files, "forecasts.json": worse})
    found = level_changes(few, later)
    assert found
    for change in found:
        assert change["influx"] == known[change["zone_id"], change["target_date"]]
        assert min(change["influx"].values()) >= 20
