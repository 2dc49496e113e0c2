"""Every kind of error, with its place, its value and what to do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from forecast.ingest import check_folder
from forecast.ingest.kinds import KINDS


def errors(folder, now, name="", content=""):
    if name:
        folder.put(name, content)
    return [p for p in check_folder(folder.path, now=now).report.problems if p.severity == "error"]


@pytest.mark.parametrize(
    ("zone", "advice"),
    [
        ("1234", "leading zeros"),
        ("200084952.0", "decimal number of 200084952"),
        ("200084952,0", "decimal number of 200084952"),
        ("2,00E+08", "power of ten"),
        ("200 084 952", "without spaces"),
        ("LE HAVRE", "give the id of Le Havre: 200084952"),
        ("200084953", "nearest: 200084952 (Le Havre)"),
        ("honfleurs", "nearest: 01234 (Honfleur)"),
        ("xyz", "the zones are 01234 (Honfleur), 200084952 (Le Havre)"),
    ],
)
def test_unknown_zones_are_explained(folder, now, zone, advice):
    [problem] = errors(folder, now, "influx.csv", f"zone_id;date;influx\n{zone};2026-01-01;5\n")
    assert (problem.kind, problem.line, problem.column) == ("unknown_zone", 2, "zone_id")
    assert problem.value == zone
    assert advice in problem.advice


@pytest.mark.parametrize(
    ("name", "row", "kind", "column", "said"),
    [
        ("influx", "date;influx|2026-01-01;-1", "out_of_bounds", "influx", "0 to 5,000,000"),
        ("influx", "date;influx|2026-01-01;1e400", "out_of_bounds", "influx", "5,000,000"),
        ("influx", "date;influx|;1", "empty_cell", "date", "empty"),
        ("influx", "date;influx|2026-09-01;1", "date_in_future", "date", "not over"),
        ("influx", "date;influx|2027-01-01;1", "date_in_future", "date", "not over"),
        (
            "parking",
            "site_id;date;occupancy|P;2026-01-01;85",
            "out_of_bounds",
            "occupancy",
            "divide by 100",
        ),
        ("parking", "site_id;date;occupancy|;2026-01-01;0,85", "empty_cell", "site_id", "empty"),
        ("waste", "date;tonnage|2026-01-01;430000", "out_of_bounds", "tonnage", "kilograms"),
        ("weather", "date;sunshine|2026-01-01;25", "out_of_bounds", "sunshine", "0 to 24 h"),
        (
            "weather",
            "date;temperature_max;available_at|2026-01-01;5;2026-01-01T22:59Z",
            "available_too_early",
            "available_at",
            "midnight",
        ),
        (
            "weather",
            "date;temperature_max;available_at|2026-01-01;5;2026-09-01T12:01Z",
            "available_in_future",
            "available_at",
            "after now",
        ),
        (
            "weather_forecast",
            "issued_at;date;sunshine|2026-01-02T00:00Z;2026-01-01;5",
            "forecast_of_past",
            "date",
            "over when",
        ),
        (
            "weather_forecast",
            "issued_at;date;sunshine|2026-09-02T00:00Z;2026-09-03;5",
            "available_in_future",
            "issued_at",
            "after now",
        ),
        (
            "weather_forecast",
            "issued_at;date;sunshine;available_at|2026-01-02T00:00Z;2026-01-03;5;2026-01-01T00:00Z",
            "available_too_early",
            "available_at",
            "before the forecast",
        ),
        (
            "events",
            "event;date;end_date;attendance|A;2026-01-02;2026-01-01;5",
            "end_before_start",
            "end_date",
            "ends before",
        ),
        (
            "events",
            "event;date;end_date;attendance|A;2026-01-02;2028-01-01;5",
            "end_before_start",
            "end_date",
            "more than 366",
        ),
    ],
)
def test_rows_that_are_refused(folder, now, name, row, kind, column, said):
    header, cells = row.split("|")
    content = f"zone_id;{header}\n01234;{cells}\n"
    [problem] = errors(folder, now, f"{name}.csv", content)
    assert (problem.kind, problem.line, problem.column) == (kind, 2, column)
    assert said in problem.text()
    checked = check_folder(folder.path, now=now)
    assert checked.observations.empty
    assert checked.counts[0].skipped == 1


def test_a_measurement_is_known_at_the_earliest_when_its_day_ends_here(folder, now):
    # The first of January ends at 23:00 UTC in Paris.
    text = "zone_id;date;influx;available_at\n01234;2026-01-01;5;2026-01-01T23:00Z\n"
    assert errors(folder, now, "influx.csv", text) == []


def test_yesterday_is_over(folder, now):
    assert errors(folder, now, "influx.csv", "zone_id;date;influx\n01234;31/08/2026;5\n") == []


def test_all_problems_of_all_files_come_in_one_pass_most_important_first(folder, now):
    folder.put("influx.csv", "zone_id;date;influx\n9;2026-01-01;x\n01234;31/02/2026;-5\n")
    folder.put("mobility.csv", "zone_id;date\n01234;2026-01-01\n")
    folder.put("weather.parquet", b"not parquet")
    found = [(p.file, p.kind) for p in errors(folder, now)]
    assert found == [
        ("weather.parquet", "unreadable"),
        ("mobility.csv", "missing_column"),
        ("mobility.csv", "missing_column"),
        ("influx.csv", "unknown_zone"),
        ("influx.csv", "not_a_date"),
        ("influx.csv", "not_a_number"),
        ("influx.csv", "out_of_bounds"),
    ]


def test_repeats_are_dropped_and_contradictions_name_both_lines(folder, now):
    folder.put(
        "mobility.csv",
        "zone_id;site_id;date;count\n01234;P;2026-01-01;5\n01234;P;01/01/2026;5,0\n"
        "01234;Q;2026-01-01;5\n01234;Q;2026-01-01;6\n01234;R;2026-01-01;7\n",
    )
    checked = check_folder(folder.path, now=now)
    by_kind = {p.kind: p for p in checked.report.problems}
    assert by_kind["duplicate_row"].severity == "warning"
    assert by_kind["duplicate_row"].line == 3
    assert "lines 4 and 5" in by_kind["conflicting_rows"].what
    assert by_kind["conflicting_rows"].severity == "error"
    assert checked.observations["site_id"].tolist() == ["P", "R"]
    [count] = checked.counts
    assert (count.rows, count.skipped, count.repeated, count.observations) == (5, 2, 1, 2)


def test_revisions_of_one_fact_are_not_contradictions(folder, now):
    text = (
        "zone_id;date;influx;available_at\n01234;2026-01-01;5;2026-01-03T00:00Z\n"
        "01234;2026-01-01;6;2026-01-09T00:00Z\n"
    )
    assert errors(folder, now, "influx.csv", text) == []
    assert len(check_folder(folder.path, now=now).observations) == 2


def test_rows_that_complete_each_other_agree(folder, now):
    folder.put(
        "weather.csv",
        "zone_id;date;temperature_max;sunshine\n01234;2026-01-01;5;\n01234;2026-01-01;5;3\n",
    )
    checked = check_folder(folder.path, now=now)
    assert checked.report.ok
    assert sorted(checked.observations["variable"]) == ["sunshine", "temperature_max"]


def test_one_event_with_two_attendances_is_a_contradiction(folder, now):
    text = "zone_id;event;date;end_date;attendance\n01234;A;01/07/2026;03/07/2026;100\n"
    found = errors(folder, now, "events.csv", text + "01234;A;03/07/2026;;200\n")
    assert [p.kind for p in found] == ["conflicting_rows"]


def test_a_thousand_bad_rows_are_counted_and_a_few_shown(folder, now):
    rows = "".join(f"01234;P{i};2026-01-01;-1\n" for i in range(1000))
    checked = check_folder(
        folder.put("mobility.csv", "zone_id;site_id;date;count\n" + rows).path, now=now
    )
    assert checked.report.errors == 1000
    assert sum(p.kind == "out_of_bounds" for p in checked.report.problems) == 5
    assert "and 995 more: out of bounds × 995" in checked.report.text()
    assert checked.report.as_dict()["counts"]["out_of_bounds"] == 1000


def test_a_month_first_column_refuses_its_file(folder, now):
    text = "zone_id;date;influx\n01234;01/02/2026;5\n01234;01/13/2026;5\n"
    [problem] = errors(folder, now, "influx.csv", text)
    assert (problem.kind, problem.line, problem.value) == ("month_first", 3, "01/13/2026")


def test_parquet_columns_may_be_typed_or_text(folder, now):
    frame = pd.DataFrame(
        {
            "zone_id": pd.Categorical(["01234", "200084952"]),
            "date": pd.to_datetime(["2026-01-01", "2026-01-02"]),
            "influx": pd.array([5, None], dtype="Int32"),
            "available_at": pd.to_datetime(["2026-01-05T00:00Z", None]),
        }
    )
    frame.to_parquet(folder.path / "influx.parquet")
    frame.assign(
        date=["01/01/2026", "02/01/2026"], temperature_max=["1,5", ""], influx=0
    ).to_parquet(folder.path / "weather.parquet")
    checked = check_folder(folder.path, now=now)
    assert checked.report.ok, checked.report.text()
    read = checked.observations
    assert read["value"].tolist() == [5.0, 1.5]
    assert read["available_at"].tolist() == [pd.Timestamp("2026-01-05T00:00Z")] * 2


def test_parquet_types_that_do_not_fit_are_reported(folder, now):
    pd.DataFrame(
        {
            "zone_id": [1234],
            "date": pd.to_datetime(["2026-01-01 10:00"]),
            "influx": [True],
        }
    ).to_parquet(folder.path / "influx.parquet")
    found = errors(folder, now)
    assert [(p.kind, p.column) for p in found] == [
        ("column_type", "date"),
        ("column_type", "influx"),
        ("column_type", "zone_id"),
    ]
    assert "leading zeros" in found[2].expected


def test_parquet_rows_are_checked_like_lines(folder, now):
    pd.DataFrame(
        {
            "zone_id": ["01234", None],
            "date": pd.to_datetime(["2026-01-01", None]),
            "influx": [np.inf, 1],
        }
    ).to_parquet(folder.path / "influx.parquet")
    found = errors(folder, now)
    assert [(p.kind, p.line, p.column) for p in found] == [
        ("empty_cell", 2, "date"),
        ("empty_cell", 2, "zone_id"),
        ("out_of_bounds", 1, "influx"),
    ]
    assert "row 2" in found[0].text()


def test_the_folder_itself(folder, now, tmp_path):
    assert [p.kind for p in errors(folder, now)] == ["no_file"]
    folder.put("influx.csv", "zone_id;date;influx\n01234;2026-01-01;5\n")
    folder.put("INFLUX.parquet", b"")
    assert [p.kind for p in errors(folder, now)] == ["source_twice"]
    missing = check_folder(tmp_path / "nowhere", now=now).report
    assert [p.kind for p in missing.problems] == ["no_file"]


def test_a_wrong_territory_does_not_hide_what_else_is_wrong(folder, now):
    folder.put("territory.toml", 'id = "T T"\nzons = 1\n')
    found = errors(folder, now, "influx.csv", "zone_id;date;influx\n9;2026-01-01;-5\n")
    assert [p.kind for p in found] == ["territory"] * 4 + ["out_of_bounds"]
    (folder.path / "territory.toml").unlink()
    assert [p.kind for p in errors(folder, now)] == ["territory", "out_of_bounds"]


def test_every_kind_has_a_title_and_a_meaning():
    assert all(kind.title and kind.meaning for kind in KINDS.values())
    severities = [kind.severity for kind in KINDS.values()]
    assert severities == sorted(severities)
