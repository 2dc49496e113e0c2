"""Time steps summed to civil days: a day is known whole or not at all."""

from __future__ import annotations

from itertools import pairwise

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ProviderError
from forecast.grid import day_number
from forecast.ingest.counting_tables import MEASURES
from forecast.ingest.documents import Document
from forecast.ingest.passages import channel_days, site_days, steps
from forecast.ingest.place import Place
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table, refused

PARIS = Place({}, {}, "Europe/Paris", {}, "files")
HEADER = "channel_id,counter_id,start_datetime,end_datetime,count\n"


def day_of_steps(
    day: str, count: float | str = 1, *, channel: str = "A", minutes: int = 60, ends: bool = True
) -> list[str]:
    """Lines of a measure file that cover a day of Paris."""
    bounds = pd.DatetimeIndex([day, pd.Timestamp(day) + pd.Timedelta(days=1)])
    edges = pd.date_range(*bounds.tz_localize("Europe/Paris"), freq=f"{minutes}min")
    texts = [edge.isoformat() for edge in edges]
    return [
        f"{channel},c1,{start},{end if ends else ''},{count}\n" for start, end in pairwise(texts)
    ]


def read(lines: list[str], step: float | None = None) -> tuple[pd.DataFrame, tuple[str, ...]]:
    findings = Findings(keep=EVERY_ROW)
    document = Document("measure.csv", (HEADER + "".join(lines)).encode())
    typed = read_table(document, MEASURES, PARIS, findings)
    rows = steps(typed, {} if step is None else {"A": step}, findings)
    return rows, refused(findings)


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-07-14", 24), ("2026-03-29", 23), ("2026-10-25", 25)]
)
@pytest.mark.parametrize("minutes", [15, 60])
def test_a_day_is_as_long_as_it_is(day: str, hours: int, minutes: int) -> None:
    rows, wrong = read(day_of_steps(day, 2, minutes=minutes))
    days, why = channel_days(rows, PARIS)
    assert days.to_dict("records") == [
        {"channel_id": "A", "day": int(day_number([day])[0]), "count": 2.0 * hours * 60 / minutes}
    ]
    assert not why and not wrong


def test_zero_is_a_count_and_empty_is_none() -> None:
    zeros, _ = channel_days(read(day_of_steps("2026-07-14", 0))[0], PARIS)
    assert zeros["count"].tolist() == [0.0]
    lines = day_of_steps("2026-07-14", 3)
    lines[7] = lines[7].removesuffix("3\n") + "\n"
    days, why = channel_days(read(lines)[0], PARIS)
    assert days["count"].isna().tolist() == [True]
    assert why == {"not covered by steps with a count": 1}


def test_decimals_are_counts() -> None:
    days, _ = channel_days(read(day_of_steps("2026-07-14", "0.25"))[0], PARIS)
    assert days["count"].tolist() == [6.0]


def test_a_missing_step_is_a_missing_day_and_a_copy_is_none() -> None:
    lines = day_of_steps("2026-07-14") + day_of_steps("2026-07-15")
    del lines[3]
    days, why = channel_days(read([*lines, lines[-1]])[0], PARIS)
    assert days["count"].isna().tolist() == [True, False] and sum(why.values()) == 1
    assert days["count"].tolist()[1] == 24.0


def test_steps_that_overlap_are_not_added() -> None:
    lines = day_of_steps("2026-07-14", 1) + day_of_steps("2026-07-14", 5)[:1]
    days, why = channel_days(read(lines)[0], PARIS)
    assert days["count"].isna().all() and why == {"steps overlap": 1}


def test_a_step_across_midnight_belongs_to_no_day() -> None:
    line = "A,c1,2026-07-14T00:00:00+01:00,2026-07-15T00:00:00+01:00,900\n"
    days, why = channel_days(read([line])[0], PARIS)
    assert days["count"].isna().all() and why == {"steps cross midnight": 1}


def test_the_length_of_a_step_may_come_from_the_channel() -> None:
    rows, wrong = read(day_of_steps("2026-07-14", ends=False), step=3600)
    days, _ = channel_days(rows, PARIS)
    assert days["count"].tolist() == [24.0] and not wrong
    rows, wrong = read(day_of_steps("2026-07-14", ends=False)[:2])
    assert rows.empty and len(wrong) == 2 and "time_step" in wrong[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("A,c,2026-07-14T00:00:00,2026-07-14T01:00:00+02:00,1\n", "no offset"),
        ("A,c,2026-07-14T00:00:00+02:00,2026-07-14T01:00:00,1\n", "no offset"),
        ("A,c,14/07,2026-07-14T01:00:00+02:00,1\n", "not an instant|no offset"),
        ("A,c,2026-07-14T02:00:00+02:00,2026-07-14T01:00:00+02:00,1\n", "ends before it begins"),
        ("A,c,2026-07-14T02:00:00+02:00,2026-07-16T01:00:00+02:00,1\n", "more than a day"),
        ("A,c,2026-07-14T00:00:00+02:00,2026-07-14T01:00:00+02:00,-3\n", "expected"),
        ("A,c,2026-07-14T00:00:00+02:00,2026-07-14T01:00:00+02:00,many\n", "expected"),
        (",c,2026-07-14T00:00:00+02:00,2026-07-14T01:00:00+02:00,1\n", "empty"),
    ],
)
def test_a_row_at_fault_is_refused_with_its_place(line: str, said: str) -> None:
    rows, wrong = read([line, *day_of_steps("2026-07-15")])
    assert len(rows) == 24
    assert len(wrong) >= 1 and wrong[0].startswith("measure.csv, line 2, column ")
    assert pd.Series(wrong).str.contains(said, regex=True).any()


def channels(**more: object) -> pd.DataFrame:
    table = pd.DataFrame({"channel_id": ["A", "B"], "site_id": "S", "started": None, "ended": None})
    return table.assign(**more).astype({"started": float, "ended": float})


def two(first: list[float | None], second: list[float | None]) -> pd.DataFrame:
    """Counts of the channels A and B on days 0, 1, ...; None where nothing speaks of a day."""
    rows = [
        {"channel_id": name, "day": day, "count": count}
        for name, counts in (("A", first), ("B", second))
        for day, count in enumerate(counts)
        if count is not None
    ]
    return pd.DataFrame(rows)


NAN = float("nan")


@pytest.mark.parametrize(
    ("days", "table", "wanted", "left_out"),
    [
        (two([1, 2], [10, 20]), channels(), [11, 22], 0),
        (two([1, 2], [10, NAN]), channels(), [11], 1),
        (two([1, 2], [10, None]), channels(), [11], 1),
        (two([1, 2], []), channels(), [], 2),
        (two([1, 2], [None, 20]), channels(), [1, 22], 0),
        (two([1, 2], [None, 20]), channels(started=[0, 0]), [22], 1),
        (two([1, 2], []), channels(started=[0, 1]), [1], 1),
        (two([1, 2, 3], [10]), channels(ended=[9, 0]), [11, 2, 3], 0),
    ],
    ids=["both", "no measure", "silent", "never heard", "began", "should have begun", "began late",
         "ended"],
)  # fmt: skip
def test_a_site_is_known_if_all_its_channels_are(
    days: pd.DataFrame, table: pd.DataFrame, wanted: list[float], left_out: int
) -> None:
    found, lost = site_days(days, table)
    assert found["count"].tolist() == wanted and lost == left_out


GOOD = (HEADER + "".join(day_of_steps("2026-07-14"))).encode()


@settings(max_examples=80, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.tuples(st.integers(0, len(GOOD) - 1), st.binary(max_size=4)),
    )
)
def test_a_damaged_file_gives_steps_or_a_provider_error(change: object) -> None:
    data = change
    if isinstance(change, tuple):
        place, put = change
        data = GOOD[:place] + put + GOOD[place + 1 :]
    findings = Findings(keep=EVERY_ROW)
    try:
        typed = read_table(Document("measure.csv", data), MEASURES, PARIS, findings)
    except ProviderError:
        return
    days, _ = channel_days(steps(typed, {"A": 3600.0}, findings), PARIS)
    assert not (days["count"] < 0).any()
