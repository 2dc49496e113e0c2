"""Days and instants: day before month, hours of the territory, clocks that change."""

from __future__ import annotations

import pandas as pd
import pytest

from forecast.ingest.moments import parse_days, parse_instants


def column(*cells: str) -> pd.Series:
    return pd.Series(list(cells), dtype="str")


def days(*cells: str) -> tuple[list[str], list[str]]:
    read = parse_days(column(*cells))
    return read.when.strftime("%Y-%m-%d").fillna("").tolist(), [r.kind for r in read.refusals]


def test_ways_of_writing_a_day() -> None:
    cells = ["2026-02-01", "2026/2/1", "20260201", "01/02/2026", "1-2-2026", "01.02.2026"]
    cells += ["2026-02-01 00:00:00", "01/02/2026 00:00", "2026-02-01T00:00:00.000"]
    assert days(*cells) == (["2026-02-01"] * len(cells), [])


@pytest.mark.parametrize(
    ("cell", "kind"),
    [
        ("31/02/2026", "not_a_date"),
        ("2026-13-01", "not_a_date"),
        ("0202-01-01", "not_a_date"),
        ("46023", "not_a_date"),
        ("2026-02-01 10:00", "not_a_date"),
        ("1er février", "not_a_date"),
        ("2026-02/01", "not_a_date"),
        ("01/02/26", "ambiguous_date"),
    ],
)
def test_days_that_are_refused(cell: str, kind: str) -> None:
    assert days(cell, "2026-01-01") == (["", "2026-01-01"], [kind])


def test_month_first_refuses_the_column_when_nothing_shows_the_day_first() -> None:
    read = parse_days(column("01/02/2026", "", "01/13/2026"))
    assert read.month_first == 2


def test_a_few_months_first_among_days_first_are_slips() -> None:
    cells = [f"{d}/01/2026" for d in range(13, 30)] + ["02/01/2026", "01/13/2026"]
    read, kinds = days(*cells)
    assert kinds == ["ambiguous_date"]
    assert read[-2:] == ["2026-01-02", ""]


def test_many_months_first_make_every_cell_with_two_readings_doubtful() -> None:
    read, kinds = days("13/01/2026", "01/13/2026", "02/01/2026", "05/05/2026")
    assert kinds == ["ambiguous_date", "ambiguous_date"]
    assert read == ["2026-01-13", "", "", "2026-05-05"]


@pytest.mark.parametrize(
    ("cell", "instant"),
    [
        ("2026-07-14T08:00:00Z", "2026-07-14T08:00Z"),
        ("2026-07-14 08:00:00.5+02:00", "2026-07-14T06:00:00.5Z"),
        ("2026-07-14T08:00-0330", "2026-07-14T11:30Z"),
        ("14/07/2026 10:00", "2026-07-14T08:00Z"),
        ("14/07/2026 10h00", "2026-07-14T08:00Z"),
        ("2026-01-14 10:00", "2026-01-14T09:00Z"),
        ("2026-10-25T02:30+01:00", "2026-10-25T01:30Z"),
        ("2026-10-25 03:00", "2026-10-25T02:00Z"),
    ],
)
def test_instants(cell: str, instant: str) -> None:
    read = parse_instants(column(cell), "Europe/Paris")
    assert read.refusals == []
    assert read.when[0] == pd.Timestamp(instant)


@pytest.mark.parametrize(
    ("cell", "kind", "what"),
    [
        ("2026-10-25 02:30", "ambiguous_date", "twice"),
        ("2026-03-29 02:30", "not_an_instant", "skip"),
        ("2026-07-14", "ambiguous_date", "no hour"),
        ("14/07/26 10:00", "ambiguous_date", "two digits"),
        ("2026-07-14T25:00", "not_an_instant", "not an instant"),
        ("2026-07-14T10:00+99:00", "not_an_instant", "not an instant"),
        ("hier", "not_an_instant", "not an instant"),
    ],
)
def test_instants_that_are_refused(cell: str, kind: str, what: str) -> None:
    read = parse_instants(column(cell, "", "2026-07-14T08:00Z"), "Europe/Paris")
    assert [(r.kind, r.cells.tolist()) for r in read.refusals] == [(kind, [True, False, False])]
    assert what in read.refusals[0].what
    assert read.when.isna().tolist() == [True, True, False]


def test_the_same_wall_clock_depends_on_the_territory() -> None:
    read = parse_instants(column("2026-10-25 02:30"), "Asia/Hong_Kong")
    assert read.when[0] == pd.Timestamp("2026-10-24T18:30Z")
