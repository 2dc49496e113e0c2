"""The lake keeps every row, whatever happens to the processes that write it."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast import lake_forecasts
from forecast.errors import InputError, LakeError, SchemaError
from forecast.lake import Appended, Lake
from forecast.lake_facts import in_order, latest, news
from forecast.lake_rows import COLUMNS, checked, empty, to_arrow
from forecast.lake_table import RETENTION_DAYS, LakeTable
from forecast.tables import OBSERVATIONS, check

NOW = pd.Timestamp("2026-06-01T09:00Z")
FACT = ["source", "zone_id", "site_id", "variable", "date"]


def observation(
    value: float,
    day: str = "2026-05-14",
    at: str = "2026-05-15T08:00Z",
    *,
    source: str = "mobility",
    zone: str = "246000001",
    site: str = "a29",
    variable: str = "count",
) -> dict[str, object]:
    return {
        "source": source,
        "zone_id": zone,
        "site_id": site,
        "variable": variable,
        "date": pd.Timestamp(day),
        "available_at": pd.Timestamp(at),
        "value": float(value),
        "provider": "files",
    }


def table(*rows: dict[str, object]) -> pd.DataFrame:
    return pd.DataFrame(list(rows), columns=list(OBSERVATIONS.names))


def days(count: int, *, first: str = "2026-01-01", **more: str) -> pd.DataFrame:
    """One row per day, readable at six the day after."""
    return table(
        *(
            observation(
                i, f"{day:%Y-%m-%d}", f"{day + pd.Timedelta(30, 'h'):%Y-%m-%dT%H:%MZ}", **more
            )
            for i, day in enumerate(pd.date_range(first, periods=count))
        )
    )


def derived(frame: pd.DataFrame) -> np.ndarray:
    return np.ones(len(frame), dtype=bool)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path / "lake"))


def values(frame: pd.DataFrame) -> list[float]:
    return frame["value"].tolist()


# --- reading ---------------------------------------------------------------------------------


def test_an_empty_lake_reads_as_an_empty_table(lake: Lake, tmp_path: Path) -> None:
    frame = check(lake.read(), OBSERVATIONS)
    assert len(frame) == 0
    assert lake.version() == 0
    assert lake.read(version=0).dtypes.equals(frame.dtypes)
    lake.append(days(3), now=NOW)
    numbers = ["date", "available_at", "value"]
    assert frame.dtypes[numbers].equals(lake.read().dtypes[numbers])
    assert len(lake.read(version=0)) == 0
    assert not (tmp_path / "lake" / "forecasts").exists()


def test_what_is_appended_is_read_back(lake: Lake) -> None:
    batch = pd.concat([days(5), days(4, source="influx", site="")], ignore_index=True)
    assert lake.append(batch, now=NOW) == Appended(new=9, known=0, revised=0, version=1)
    frame = check(lake.read(), OBSERVATIONS)
    assert str(frame["available_at"].dtype) == "datetime64[us, UTC]"
    assert str(frame["date"].dtype) == "datetime64[us]"
    assert all(isinstance(frame[c].dtype, pd.CategoricalDtype) for c in [*FACT[:4], "provider"])
    assert frame["source"].cat.categories.tolist() == ["influx", "mobility"]
    expected = batch.sort_values(["source", "date"], ignore_index=True)
    pd.testing.assert_frame_equal(
        frame.astype(dict.fromkeys([*FACT[:4], "provider"], "str")),
        expected.astype({"date": "datetime64[us]", "available_at": "datetime64[us, UTC]"}),
    )


def test_filters_choose_sources_variables_zones_and_days(lake: Lake) -> None:
    batch = pd.concat(
        [
            days(10, zone=zone, source=source, variable=variable)
            for zone in ("1", "2", "3")
            for source, variable in (
                ("parking", "occupancy"),
                ("parking", "capacity"),
                ("waste", "t"),
            )
        ]
    )
    lake.append(batch, now=NOW)
    assert set(lake.read(zones=["1", "3"])["zone_id"]) == {"1", "3"}
    assert set(lake.read(sources=["waste"])["variable"]) == {"t"}
    assert len(lake.read(variables=["capacity"], sources=["parking"])) == 30
    some = lake.read(since="2026-01-04", until=pd.Timestamp("2026-01-06"))
    assert sorted(set(some["date"].dt.day)) == [4, 5, 6]
    assert len(lake.read(zones=[])) == 0
    assert len(lake.read(zones=["unknown"])) == 0
    assert len(lake.snapshot(NOW, zones=["2"], sources=["waste"], since="2026-01-09")) == 2
    with pytest.raises(InputError, match=r"date: 'next friday' is not a date"):
        lake.read(since="next friday")
    with pytest.raises(InputError, match="expected an instant with its time zone"):
        lake.read(known_at=pd.Timestamp("2026-01-01"))


def test_reading_as_known_at_an_instant_is_exact_to_the_microsecond(lake: Lake) -> None:
    lake.append(table(observation(1, at="2026-05-15T08:00:00.000500Z")), now=NOW)
    lake.append(table(observation(2, at="2026-05-15T08:00:00.000501Z")), now=NOW)
    for _ in range(2):
        assert values(lake.read(known_at=pd.Timestamp("2026-05-15T08:00:00.000499Z"))) == []
        assert values(lake.snapshot(pd.Timestamp("2026-05-15T08:00:00.000500Z"))) == [1]
        assert values(lake.snapshot(pd.Timestamp("2026-05-15T10:00:00.000501+02:00"))) == [2]
        assert values(lake.read(known_at=pd.Timestamp("2026-05-15T08:00:00.000501Z"))) == [1, 2]
        lake.compact()


def test_versions_stay_readable(lake: Lake) -> None:
    counts = [0]
    for month in range(1, 5):
        lake.append(days(10 * month, first=f"2026-0{month}-01", zone=str(month)), now=NOW)
        counts.append(counts[-1] + 10 * month)
    assert [len(lake.read(version=v)) for v in range(5)] == counts
    assert values(lake.snapshot(NOW, version=2)) == values(lake.read(version=2))
    with pytest.raises(LakeError, match="no version 9; expected 0 to 4"):
        lake.read(version=9)
    with pytest.raises(LakeError, match="no version -1"):
        lake.read(version=-1)


def test_a_file_url_is_the_same_place(tmp_path: Path) -> None:
    folder = tmp_path / "with space"
    lake = Lake(folder.as_uri())
    lake.append(days(3), now=NOW)
    assert len(Lake(str(folder)).read()) == 3
    assert lake.compact().files_after == 1


# --- what is new, known, revised -----------------------------------------------------------------


def test_the_same_rows_again_change_nothing(lake: Lake) -> None:
    batch = pd.concat([days(20), days(20, source="waste", site="omr")])
    lake.append(batch, now=NOW)
    again = lake.append(batch.sample(frac=1, random_state=1), now=NOW + pd.Timedelta(1, "D"))
    assert again == Appended(new=0, known=40, revised=0, version=1)
    assert lake.append(batch.iloc[:0], now=NOW) == Appended(0, 0, 0, 1)
    grown = lake.append(pd.concat([batch, days(1, first="2026-03-01")]), now=NOW)
    assert grown == Appended(new=1, known=40, revised=0, version=2)


def test_stated_revisions_and_late_history_are_kept(lake: Lake) -> None:
    lake.append(table(observation(100, at="2026-05-15T08:00Z")), now=NOW)
    revision = lake.append(table(observation(110, at="2026-05-20T08:00Z")), now=NOW)
    history = lake.append(table(observation(90, at="2026-05-14T20:00Z")), now=NOW)
    assert (revision.new, history.new, history.revised) == (1, 1, 0)
    assert values(lake.read()) == [90, 100, 110]
    answers = [
        values(lake.snapshot(pd.Timestamp(f"2026-05-{day}T23:00Z"))) for day in (13, 14, 15, 20)
    ]
    assert answers == [[], [90], [100], [110]]
    assert values(lake.snapshot(NOW, version=1)) == [100]


def test_another_value_for_a_stated_instant_is_refused(lake: Lake) -> None:
    lake.append(days(10), now=NOW)
    batch = pd.concat([days(1, first="2026-02-01"), days(10).assign(value=7.0)], ignore_index=True)
    with pytest.raises(InputError) as refused:
        lake.append(batch, now=NOW)
    message = str(refused.value)
    assert "row 1 (mobility, zone '246000001', site 'a29', count of 2026-01-01" in message
    assert "says 7" in message
    assert "stored with 0" in message
    assert "later available_at" in message
    assert "9 such rows" in message
    assert lake.version() == 1
    assert len(lake.read()) == 10


def test_a_batch_that_contradicts_itself_is_refused_as_a_whole(lake: Lake) -> None:
    twice = pd.concat([days(5), days(5)], ignore_index=True)
    assert lake.append(twice, now=NOW) == Appended(new=5, known=5, revised=0, version=1)
    other = pd.concat([days(5, zone="2"), days(5, zone="2").assign(value=3.5)], ignore_index=True)
    for flags in (None, derived(other)):
        with pytest.raises(InputError, match=r"row 5 .* row 0 of the batch, with 0"):
            lake.append(other, now=NOW, derived=flags)
    assert len(lake.read()) == 5


def test_a_changed_value_with_a_derived_instant_is_a_revision_from_now(lake: Lake) -> None:
    first = days(10)
    lake.append(first, now=NOW, derived=derived(first))
    second = first.assign(value=first["value"].where(first.index != 4, 44.0))
    later = NOW + pd.Timedelta(1, "D")
    assert lake.append(second, now=later, derived=derived(second)) == Appended(0, 9, 1, 2)
    day = {"since": "2026-01-05", "until": "2026-01-05"}
    assert values(lake.snapshot(later - pd.Timedelta(1, "us"), **day)) == [4]
    assert values(lake.snapshot(later, **day)) == [44]
    # Either file again, in whatever order, changes nothing.
    for again in (second, first, second, first):
        much_later = later + pd.Timedelta(9, "D")
        assert lake.append(again, now=much_later, derived=derived(again)).known == 10
    third = first.assign(value=first["value"].where(first.index != 4, 45.0))
    assert lake.append(third, now=later, derived=derived(third)).revised == 1
    assert lake.append(second, now=NOW, derived=derived(second)).known == 10
    assert values(lake.read(**day)) == [4, 44, 45]
    assert values(lake.snapshot(later + pd.Timedelta(1, "us"), **day)) == [45]


def test_a_revision_follows_what_will_only_be_readable_later(lake: Lake) -> None:
    event = table(observation(500, "2026-08-15", "2026-07-16T00:00Z", source="events"))
    lake.append(event, now=NOW, derived=derived(event))
    changed = event.assign(value=800.0)
    assert lake.append(changed, now=NOW, derived=derived(event)).revised == 1
    assert values(lake.snapshot(pd.Timestamp("2026-08-01T00:00Z"))) == [800]
    assert values(lake.snapshot(pd.Timestamp("2026-07-16T00:00Z"))) == [500]


def test_issues_of_one_forecast_revised_together_keep_their_order(lake: Lake) -> None:
    issues = table(
        *(
            observation(20 + i, "2026-05-30", f"2026-05-{20 + i}T06:00Z", source="weather_forecast")
            for i in range(5)
        )
    )
    assert lake.append(issues, now=NOW, derived=derived(issues)).new == 5
    assert values(lake.snapshot(pd.Timestamp("2026-05-22T12:00Z"))) == [22]
    changed = issues.assign(value=issues["value"] + 0.5).iloc[::-1]
    assert lake.append(changed, now=NOW, derived=derived(issues)).revised == 5
    assert values(lake.snapshot(NOW + pd.Timedelta(1, "s"))) == [24.5]
    for again in (changed, issues):
        assert lake.append(again, now=NOW, derived=derived(issues)).known == 5


def test_a_revision_cannot_share_its_instant_with_a_stated_row(lake: Lake) -> None:
    row = table(observation(1))
    lake.append(row, now=NOW, derived=derived(row))
    both = table(observation(2), observation(3, at="2026-06-01T09:00Z"))
    with pytest.raises(InputError, match="later available_at"):
        lake.append(both, now=NOW, derived=np.array([True, False]))
    assert values(lake.read()) == [1]


@pytest.mark.parametrize(
    ("column", "bad", "message"),
    [
        ("value", float("nan"), "'value': row 2 is empty"),
        ("value", float("inf"), "'value': row 2 is 'inf', expected a finite number"),
        ("zone_id", "", "'zone_id': row 2 is '', expected text"),
        ("source", 3, "'source': row 2 is 3, expected text"),
        ("date", pd.Timestamp("2026-01-01T12:00"), "'date': row 2 is .*expected a day"),
    ],
)
def test_rows_that_break_the_schema_are_named(
    lake: Lake, column: str, bad: object, message: str
) -> None:
    batch = days(4)
    cells = batch[column].astype(object).tolist()
    cells[2] = bad
    batch[column] = pd.Series(cells, dtype=None if column in ("value", "date") else object)
    with pytest.raises(SchemaError, match=message):
        lake.append(batch, now=NOW)
    assert lake.version() == 0


def test_flags_must_match_and_now_must_have_a_zone(lake: Lake) -> None:
    with pytest.raises(InputError, match=r"derived has shape \(2,\) for 3"):
        lake.append(days(3), now=NOW, derived=np.array([True, False]))
    with pytest.raises(InputError, match=r"now is .*time zone"):
        lake.append(days(3), now=pd.Timestamp("2026-01-01"))


def test_the_note_is_kept_in_the_history(lake: Lake, tmp_path: Path) -> None:
    lake.append(days(3), now=NOW, note={"file": "mobility.csv", "sha256": "ab12"})
    written = DeltaTable(str(tmp_path / "lake" / "observations")).history(1)[0]
    assert written["note"] == {"file": "mobility.csv", "sha256": "ab12"}


def test_the_batch_is_not_changed(lake: Lake) -> None:
    batch = days(6).sample(frac=1, random_state=3)
    before = batch.copy(deep=True)
    lake.append(batch, now=NOW, derived=derived(batch))
    pd.testing.assert_frame_equal(batch, before)


# --- against a slow and obvious reference ------------------------------------------------------


def reference_snapshot(frame: pd.DataFrame, known_at: pd.Timestamp) -> dict[tuple, float]:
    answer: dict[tuple, tuple[pd.Timestamp, float]] = {}
    for row in frame.itertuples():
        fact = tuple(getattr(row, name) for name in FACT)
        readable = row.available_at <= known_at
        if readable and (fact not in answer or row.available_at > answer[fact][0]):
            answer[fact] = (row.available_at, row.value)
    return {fact: value for fact, (_, value) in answer.items()}


def as_dict(frame: pd.DataFrame) -> dict[tuple, float]:
    return {tuple(getattr(r, name) for name in FACT): r.value for r in frame.itertuples()}


START = pd.Timestamp("2026-05-01T00:00Z")
ROWS = st.tuples(
    st.sampled_from(["influx", "mobility", "weather_forecast"]),
    st.sampled_from(["1", "2"]),
    st.sampled_from(["", "s"]),
    st.sampled_from(["u", "v"]),
    st.integers(1, 3),
    st.integers(0, 6),
)


@settings(max_examples=15, deadline=None)
@given(
    batches=st.lists(st.dictionaries(ROWS, st.integers(0, 9), max_size=12), min_size=1, max_size=4),
    known_at=st.integers(-1, 7),
    compact=st.booleans(),
)
def test_snapshot_equals_the_reference(
    tmp_path_factory: pytest.TempPathFactory,
    batches: list[dict[tuple, int]],
    known_at: int,
    compact: bool,
) -> None:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    stored: dict[tuple, int] = {}
    for batch in batches:
        fresh = {key: value for key, value in batch.items() if key not in stored}
        overlap = {key: stored[key] for key in batch if key in stored}
        rows = [
            observation(
                value,
                f"2026-05-0{day}",
                str(START + pd.Timedelta(at, "h")),
                source=source,
                zone=zone,
                site=site,
                variable=variable,
            )
            for (source, zone, site, variable, day, at), value in {**fresh, **overlap}.items()
        ]
        frame = table(*rows).astype({"date": "datetime64[us]"})
        if not rows:
            frame["available_at"] = pd.DatetimeIndex([], tz="UTC")
            frame["value"] = frame["value"].astype(float)
        result = lake.append(frame, now=NOW)
        assert (result.new, result.known) == (len(fresh), len(overlap))
        stored |= fresh
    if compact:
        lake.compact()
    moment = START + pd.Timedelta(known_at, "h")
    everything = lake.read()
    assert len(everything) == len(stored)
    assert as_dict(lake.snapshot(moment)) == reference_snapshot(everything, moment)
    wanted = {"sources": ["mobility", "influx"], "zones": ["2"], "since": "2026-05-02"}
    chosen = everything[
        everything["source"].isin(["mobility", "influx"])
        & (everything["zone_id"] == "2")
        & (everything["date"] >= "2026-05-02")
    ]
    assert as_dict(lake.snapshot(moment, **wanted)) == reference_snapshot(chosen, moment)


@settings(max_examples=30, deadline=None)
@given(
    files=st.lists(
        st.dictionaries(st.tuples(st.integers(1, 3), st.integers(0, 2)), st.integers(0, 3)),
        min_size=1,
        max_size=5,
    ),
    again=st.lists(st.integers(0, 4), max_size=4),
)
def test_any_file_again_in_any_order_changes_nothing(
    files: list[dict[tuple[int, int], int]], again: list[int]
) -> None:
    stored, ingested = empty(), []
    for i, file in enumerate(files):
        if not file:
            continue
        rows = (
            observation(value, f"2026-05-0{day}", str(START + pd.Timedelta(at, "h")))
            for (day, at), value in file.items()
        )
        batch = checked(table(*rows))
        found = news(stored, batch, derived(batch), NOW + pd.Timedelta(i, "h"))
        stored = in_order(checked(pd.concat([stored, found.rows])))
        ingested.append(batch)
        assert not stored.duplicated([*FACT, "available_at"]).any()
        for row in batch.itertuples():
            same = (stored["date"] == row.date) & (stored["available_at"] >= row.available_at)
            assert row.value in stored.loc[same, "value"].tolist()
    for index in again:
        if index < len(ingested):
            late = NOW + pd.Timedelta(9, "D")
            found = news(stored, ingested[index], derived(ingested[index]), late)
            assert len(found.rows) == 0
    assert len(latest(stored)) == stored.drop_duplicates(FACT).shape[0]


# --- processes that are killed, or write at once -------------------------------------------------

WRITER = """
import sys
import pandas as pd
from forecast.lake import Lake

url, size, batches = sys.argv[1], int(sys.argv[2]), map(int, sys.argv[3].split(","))
lake = Lake(url)
print("ready", flush=True)
sys.stdin.readline()
for batch in batches:
    site = [f"s{i}" for i in range(size)]
    day = pd.Timestamp("2020-01-01") + pd.Timedelta(batch, "D")
    frame = pd.concat(
        pd.DataFrame(
            {
                "source": source, "zone_id": "1", "site_id": site, "variable": "v", "date": day,
                "available_at": day.tz_localize("UTC"), "value": float(batch), "provider": "files",
            }
        )
        for source in ("mobility", "parking", "waste")
    )
    done = lake.append(frame, now=pd.Timestamp("2026-01-01T00:00Z"))
    print(batch, done.new, flush=True)
"""


def writer(lake: Path, size: int, batches: list[int]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(lake), str(size), ",".join(map(str, batches))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def start(*processes: subprocess.Popen[str]) -> None:
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()


def wait_for_new_file(folder: Path) -> None:
    # Nothing but the listing between two looks: the commit follows its data within milliseconds.
    before, deadline = len(list(folder.iterdir())), time.monotonic() + 20
    while len(list(folder.iterdir())) == before:
        assert time.monotonic() < deadline, f"no new file appeared in {folder}"


def uncommitted(folder: Path) -> list[Path]:
    in_use = {Path(name).name for name in DeltaTable(str(folder)).file_uris()}
    return [path for path in folder.glob("source=*/*") if path.name not in in_use]


def test_a_killed_process_leaves_all_or_none_of_its_batch(tmp_path: Path) -> None:
    folder = tmp_path / "lake" / "observations"
    size, first = 6000, 0
    moments: list[str | float] = [0.0, "_delta_log", 0.004, "source=mobility", 0.009, "_delta_log"]
    moments += [0.015, "source=waste", 0.022, "_delta_log", 0.031]
    # A process killed between its data and its commit is the case that matters most. How often the
    # kill lands there depends on the machine, so it is sought until it is met.
    moments += ["source=mobility", "source=parking", "source=waste"] * 20
    for turn, moment in enumerate(moments):
        if turn > 10 and uncommitted(folder):
            break
        process = writer(tmp_path / "lake", size, list(range(first, first + 60)))
        start(process)
        acknowledged = int(process.stdout.readline().split()[0])
        if isinstance(moment, str):
            wait_for_new_file(folder / moment)
        else:
            time.sleep(moment)
        os.kill(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        assert process.returncode == -signal.SIGKILL
        for line in output.splitlines():
            acknowledged = int(line.split()[0])

        frame = Lake(str(tmp_path / "lake")).read()
        counts = frame.groupby("date")["value"].agg(["size", "min", "max"])
        stored = len(counts)
        assert counts["size"].eq(3 * size).all()
        assert counts["min"].eq(np.arange(stored)).all()
        assert counts["max"].eq(np.arange(stored)).all()
        # What was acknowledged is there, and at most the batch under way beside it.
        assert acknowledged + 1 <= stored <= acknowledged + 2
        first = stored
    assert uncommitted(folder), "no process was killed between its data and its commit"
    assert Lake(str(tmp_path / "lake")).append(frame.iloc[:1], now=NOW).known == 1


def test_processes_that_append_at_once_store_each_row_once(tmp_path: Path) -> None:
    plans = [list(range(12)), [*range(8), *range(17, 11, -1)], list(range(11, -1, -1))]
    processes = [writer(tmp_path / "lake", 50, plan) for plan in plans]
    start(*processes)
    written = 0
    for process in processes:
        output, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
        written += sum(int(line.split()[1]) for line in output.splitlines())
    frame = Lake(str(tmp_path / "lake")).read()
    assert not frame.duplicated([*FACT, "available_at"]).any()
    assert sorted(set(frame["value"])) == list(range(18))
    assert len(frame) == written == 18 * 150


@pytest.mark.parametrize("exists", [False, True])
def test_a_commit_in_between_is_noticed(tmp_path: Path, exists: bool) -> None:
    lake = Lake(str(tmp_path / "lake"))
    if exists:
        lake.append(days(2, zone="other"), now=NOW)
    one = LakeTable(str(tmp_path / "lake" / "observations"), COLUMNS, "date", ("source",))
    rows = to_arrow(checked(days(3)))
    asked = []

    def missing(table: DeltaTable | None) -> pa.Table:
        asked.append(table)
        if len(asked) == 1:
            lake.append(days(3), now=NOW)
            return rows
        return rows.slice(0, 0)

    assert one.append(missing, {}) == lake.version()
    assert len(asked) == 2
    assert len(lake.read(zones=["246000001"])) == 3


def test_a_table_that_stays_busy(lake: Lake, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("forecast.lake_table._ATTEMPTS", 3)
    one = LakeTable(str(tmp_path / "lake" / "observations"), COLUMNS, "date", ("source",))
    zones = iter("abcdef")

    def always_too_late(_: DeltaTable | None) -> pa.Table:
        lake.append(days(1, zone=next(zones)), now=NOW)
        return to_arrow(checked(days(3)))

    with pytest.raises(LakeError, match="other processes were writing at each of 3 attempts"):
        one.append(always_too_late, {})
    assert sorted(set(lake.read()["zone_id"])) == ["a", "b", "c"]


def test_appending_while_another_compacts(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path / "lake"))
    process = writer(tmp_path / "lake", 50, list(range(25)))
    start(process)
    while process.poll() is None:
        lake.compact()
    assert process.returncode == 0, process.stderr.read()
    process.communicate()
    assert len(lake.read()) == 25 * 150
    assert lake.compact().files_after == 3


# --- compaction ------------------------------------------------------------------------------


def test_compaction_keeps_every_row_answer_and_version(lake: Lake) -> None:
    first = days(30)
    for i, part in enumerate(np.array_split(np.arange(30), 6)):
        lake.append(first.iloc[part].assign(zone_id=str(i % 2)), now=NOW)
    lake.append(first.iloc[:9].assign(zone_id="0", value=99.0, available_at=NOW), now=NOW)
    instants = [pd.Timestamp(f"2026-01-{day}T12:00Z") for day in (1, 7, 20)] + [NOW]
    rows = lake.read()
    answers = [lake.snapshot(instant) for instant in instants]
    versions = [lake.read(version=v) for v in range(lake.version() + 1)]

    result = lake.compact()
    assert (result.files_before, result.files_after, result.deleted) == (7, 1, 0)
    assert result.version == lake.version() >= 8
    pd.testing.assert_frame_equal(lake.read(), rows)
    for instant, answer in zip(instants, answers, strict=True):
        pd.testing.assert_frame_equal(lake.snapshot(instant), answer)
    for version, then in enumerate(versions):
        pd.testing.assert_frame_equal(lake.read(version=version), then)
    assert lake.compact() == type(result)(1, 1, 0, result.version)
    assert lake.append(first.iloc[:5].assign(zone_id="0"), now=NOW).known == 5


def test_compaction_deletes_only_old_files_of_no_version(lake: Lake, tmp_path: Path) -> None:
    lake.append(days(5), now=NOW)
    folder = tmp_path / "lake" / "observations" / "source=mobility"
    (kept,) = folder.iterdir()
    old, recent = folder / "old-0.snappy.parquet", folder / "recent-0.snappy.parquet"
    for orphan in (old, recent):
        orphan.write_bytes(kept.read_bytes())
    age = (RETENTION_DAYS + 2) * 86400
    for path in (old, kept):
        os.utime(path, (time.time() - age, time.time() - age))
    assert lake.compact().deleted == 1
    assert {path.name for path in folder.iterdir()} == {kept.name, recent.name}
    assert len(lake.read()) == 5


class Overtaken(LakeTable):
    """A table that another process compacts just after it was opened."""

    def open(self, version: int | None = None) -> DeltaTable | None:
        opened = super().open(version)
        LakeTable(self.url, self.columns, self.pruned_by, self.partition_by).compact()
        return opened


def test_compacting_at_once_neither_loses_nor_repeats_a_row(lake: Lake, tmp_path: Path) -> None:
    for zone in "abc":
        lake.append(days(3, zone=zone), now=NOW)
        lake.append_forecasts(forecasts(f"2026-05-1{ord(zone) - ord('a')}T06:00Z"))
    before = lake.read(), lake.read_forecasts(), lake.snapshot(NOW, version=2)
    root = tmp_path / "lake"
    Overtaken(str(root / "observations"), COLUMNS, "date", ("source",)).compact()
    Overtaken(str(root / "forecasts"), lake_forecasts.COLUMNS, "target_date").compact()
    after = lake.read(), lake.read_forecasts(), lake.snapshot(NOW, version=2)
    for then, now in zip(before, after, strict=True):
        pd.testing.assert_frame_equal(then, now)
    assert lake.append(days(4, zone="a"), now=NOW) == Appended(1, 3, 0, lake.version())


def test_compacting_nothing(lake: Lake, tmp_path: Path) -> None:
    assert lake.compact().files_before == 0
    assert not (tmp_path / "lake").exists()


# --- damage ----------------------------------------------------------------------------------


def broken_log(folder: Path) -> None:
    (folder / "_delta_log" / "00000000000000000001.json").write_text("{not json")


def lost_log(folder: Path) -> None:
    for path in (folder / "_delta_log").iterdir():
        path.unlink()


def broken_data(folder: Path) -> None:
    for path in folder.glob("source=*/*"):
        path.write_bytes(b"truncated")


def broken_checkpoint(folder: Path) -> None:
    Lake(str(folder.parent)).compact()
    for path in (folder / "_delta_log").glob("*.checkpoint.parquet"):
        path.write_bytes(b"truncated")


def lost_data(folder: Path) -> None:
    for path in folder.glob("source=*/*"):
        path.unlink()


@pytest.mark.parametrize(
    "damage", [broken_log, lost_log, broken_checkpoint, broken_data, lost_data]
)
def test_damage_is_reported_with_what_to_do(lake: Lake, tmp_path: Path, damage) -> None:
    lake.append(days(5), now=NOW)
    damage(tmp_path / "lake" / "observations")
    for act in (lake.read, lambda: lake.append(days(6), now=NOW)):
        with pytest.raises(LakeError) as error:
            act()
        message = str(error.value)
        assert str(tmp_path / "lake" / "observations") in message
        assert "restore the folder from a backup" in message
        assert "\x1b" not in message
        assert "\n" not in message


def test_places_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for url in (str(tmp_path / "file"), "nonsense://host/lake"):
        with pytest.raises(LakeError, match="cannot be"):
            Lake(url).append(days(1), now=NOW)
    with pytest.raises(LakeError, match="cannot be read"):
        Lake("nonsense://host/lake").read()


def test_sources_are_partitions(lake: Lake, tmp_path: Path) -> None:
    lake.append(pd.concat([days(3), days(3, source="waste")]), now=NOW)
    files = sorted((tmp_path / "lake" / "observations").glob("source=*/*.parquet"))
    assert [path.parent.name for path in files] == ["source=mobility", "source=waste"]
    # Appending to one source reads nothing of another: its file may even be damaged.
    files[0].write_bytes(b"damaged")
    assert lake.append(days(4, source="waste"), now=NOW).known == 3
    assert pq.read_metadata(files[1]).num_rows == 3


# --- forecasts -------------------------------------------------------------------------------


def forecasts(origin: str, *, zones: int = 2, version: str = "1", p50: float = 100) -> pd.DataFrame:
    instant = pd.Timestamp(origin)
    rows = itertools.product(range(zones), range(3))
    return pd.DataFrame(
        [
            {
                "zone_id": str(zone),
                "origin": instant,
                "target_date": instant.tz_localize(None).normalize() + pd.Timedelta(horizon, "D"),
                "horizon_days": np.int32(horizon),
                "influx_p50": np.float32(p50 + horizon),
                "level": "vert",
                "usual": float("nan") if zone else 90.0,
                "regime": "parking+weather",
                "model_version": version,
                "lake_version": 3,
            }
            for zone, horizon in rows
        ]
    )


def test_forecasts_are_kept_for_ever_and_once(lake: Lake) -> None:
    assert len(lake.read_forecasts()) == 0
    monday, tuesday = forecasts("2026-05-11T06:00Z"), forecasts("2026-05-12T06:00Z", p50=200)
    assert lake.append_forecasts(monday) == 6
    assert lake.append_forecasts(monday.assign(influx_p50=0.0)) == 0
    assert lake.append_forecasts(pd.concat([monday, tuesday])) == 6
    assert lake.append_forecasts(forecasts("2026-05-12T06:00Z", version="2")) == 6
    assert lake.append_forecasts(monday.iloc[:0]) == 0
    frame = lake.read_forecasts()
    assert len(frame) == 18
    assert str(frame["origin"].dtype) == "datetime64[us, UTC]"
    assert str(frame["target_date"].dtype) == "datetime64[us]"
    assert str(frame["horizon_days"].dtype) == "int64"
    first = lake.read_forecasts(origin_until=pd.Timestamp("2026-05-11T06:00Z"), zones=["1"])
    assert first["influx_p50"].tolist() == [100, 101, 102]
    assert first["usual"].isna().all()
    assert len(lake.read_forecasts(since="2026-05-14")) == 4
    assert len(lake.read_forecasts(until="2026-05-11")) == 2
    assert len(lake.read_forecasts(origin_since=pd.Timestamp("2026-05-11T06:00:01Z"))) == 12
    newest = lake.read_forecasts(latest=True, zones=["0"])
    assert newest["model_version"].tolist() == ["1", "2", "2", "2"]
    assert lake.compact().files_after == 1
    pd.testing.assert_frame_equal(lake.read_forecasts(), frame)
    assert lake.version() == 0


def test_a_forecast_may_bring_new_columns(lake: Lake) -> None:
    lake.append_forecasts(forecasts("2026-05-11T06:00Z"))
    lake.append_forecasts(forecasts("2026-05-12T06:00Z").assign(influx_p95=150.0))
    lake.append_forecasts(forecasts("2026-05-13T06:00Z"))
    frame = lake.read_forecasts()
    assert frame["influx_p95"].notna().sum() == 6
    assert len(frame) == 18


def test_a_table_from_before_the_explanations_stays_readable_and_grows(tmp_path: Path) -> None:
    root = tmp_path / "lake"
    before = [f for f in lake_forecasts.COLUMNS if not f.name.startswith(("contribution", "why"))]
    old = LakeTable(str(root / "forecasts"), pa.schema(before), "target_date")
    lake_forecasts.append_forecasts(old, forecasts("2026-05-11T06:00Z"))
    assert "why" not in pq.read_schema(next((root / "forecasts").glob("*.parquet"))).names

    lake = Lake(str(root))
    read = lake.read_forecasts()
    assert len(read) == 6
    assert read["influx_p50"].notna().all()
    assert read[["why", "contribution_weather"]].isna().all(axis=None)
    explained = forecasts("2026-05-12T06:00Z").assign(
        contribution_weather=9000.0, why="beau temps annoncé +9\u202f000"
    )
    assert lake.append_forecasts(explained) == 6
    assert lake.append_forecasts(forecasts("2026-05-13T06:00Z")) == 6
    both = lake.read_forecasts()
    told = both["origin"] == pd.Timestamp("2026-05-12T06:00Z")
    assert (len(both), int(told.sum())) == (18, 6)
    assert set(both.loc[told, "why"]) == {"beau temps annoncé +9\u202f000"}
    assert (both.loc[told, "contribution_weather"] == 9000).all()
    assert both.loc[~told, ["why", "contribution_weather"]].isna().all(axis=None)
    assert lake.compact().files_after == 1
    pd.testing.assert_frame_equal(lake.read_forecasts(), both)


def test_a_zone_without_reference_has_no_level(lake: Lake) -> None:
    frame = forecasts("2026-05-11T06:00Z").assign(level=None, probability_noir=None)
    lake.append_forecasts(frame)
    lake.append_forecasts(forecasts("2026-05-12T06:00Z").assign(probability_noir=0.5))
    lake.append_forecasts(forecasts("2026-05-13T06:00Z").drop(columns="level"))
    stored = lake.read_forecasts()
    assert stored["level"].notna().sum() == stored["probability_noir"].sum() / 0.5 == 6


def test_forecasts_that_cannot_be_stored(lake: Lake) -> None:
    frame = forecasts("2026-05-11T06:00Z")
    with pytest.raises(SchemaError, match="lacks the column 'regime'"):
        lake.append_forecasts(frame.drop(columns="regime"))
    with pytest.raises(InputError, match="row 6 has the zone_id, origin"):
        lake.append_forecasts(pd.concat([frame, frame.iloc[:1]]))
    assert len(lake.read_forecasts()) == 0
