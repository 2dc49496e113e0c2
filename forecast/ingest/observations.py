"""From a file understood to rows of the observations table, and what two rows say of one fact."""

from __future__ import annotations

import numpy as np
import pandas as pd

from forecast.grid import day_date
from forecast.ingest.cells import NAT, Typed
from forecast.ingest.checking import available_instants
from forecast.ingest.contract import SourceTable
from forecast.ingest.place import Place
from forecast.ingest.report import Bools, Findings, Ints
from forecast.tables import OBSERVATIONS

EXTRA = ("line", "derived")
"""Columns carried beside those of the observations table: where a row comes from."""


def drop_repeated(
    typed: Typed, table: SourceTable, place: Place, findings: Findings
) -> tuple[Bools, bool]:
    """Mark rows that contradict each other as bad; return a mask of rows that only repeat others,
    and whether any two rows speak of the same day at all.

    Facts are compared, not rows: two rows of one day that fill different columns agree.
    """
    good = np.flatnonzero(~typed.bad)
    row, day = (
        _event_days(typed, good)
        if table.name == "events"
        else (
            good,
            typed.integers("date")[good],
        )
    )
    keys = pd.DataFrame(
        {
            "zone": pd.factorize(typed.text("zone_id"))[0][row],
            "site": pd.factorize(typed.text(table.site))[0][row],
            "day": day,
            "at": _known_at(typed, table, place)[row],
        }
    )
    shared = np.flatnonzero(keys.duplicated(keep=False).to_numpy())
    repeated = np.zeros(len(typed), dtype=bool)
    if not len(shared):
        return repeated, False
    fact = keys.iloc[shared].groupby(list(keys.columns), sort=False).ngroup().to_numpy()
    rows = row[shared]
    first_row = rows[np.unique(fact, return_index=True)[1]][fact]
    clashing: dict[tuple[int, int], str] = {}
    adds = np.zeros(len(typed), dtype=bool)
    for name in table.variables:
        values = typed.numbers(name)[rows]
        there = np.flatnonzero(~np.isnan(values))
        if not len(there):
            continue
        _, at = np.unique(fact[there], return_index=True)
        first = np.full(int(fact.max()) + 1, -1)
        first[fact[there][at]] = there[at]
        reference = first[fact[there]]
        differs = values[there] != values[reference]
        for a, b in zip(rows[reference[differs]], rows[there[differs]], strict=True):
            clashing.setdefault((int(a), int(b)), name)
        adds[rows[reference]] = True
    for (a, b), name in clashing.items():
        _conflict(typed, a, b, name, findings)
    later = np.unique(rows[rows != first_row])
    repeated[later] = True
    repeated &= ~typed.bad & ~adds
    if table.name == "events":
        # A day that repeats does not make the event's other days repeat.
        whole = np.bincount(rows, minlength=len(typed)) == np.bincount(row, minlength=len(typed))
        repeated &= whole
    again = np.flatnonzero(repeated)
    findings.add_rows(
        "duplicate_row",
        typed.file,
        "the row repeats an earlier one; it is dropped",
        typed.line[again],
        advice="remove the copy",
    )
    return repeated, True


def _known_at(typed: Typed, table: SourceTable, place: Place) -> Ints:
    """``available_at`` as far as it tells two statements of one fact apart.

    That of an event is derived from its first day, which says nothing about which row is right.
    """
    if table.name == "events":
        return typed.integers("available_at")
    return available_instants(typed, table, place)


def _conflict(typed: Typed, a: int, b: int, name: str, findings: Findings) -> None:
    unit = "rows" if typed.file.endswith(".parquet") else "lines"
    places = f"{unit} {typed.line[a]} and {typed.line[b]}"
    values = typed.shown(name, np.array([a, b]))
    findings.add(
        "conflicting_rows",
        typed.file,
        f"{places} say different things of the same day: {values[0]} and {values[1]}",
        line=int(typed.line[b]),
        column=name,
        expected="one row for each day, zone and site",
        advice="keep the right one, or give each its available_at if one revises the other",
    )
    typed.bad[[a, b]] = True


def _event_days(typed: Typed, rows: Ints) -> tuple[Ints, Ints]:
    """One entry for each day of each event: its row and its day."""
    first = typed.integers("date")[rows]
    last = typed.integers("end_date")[rows]
    length = np.where(last == NAT, 1, last - first + 1)
    row = np.repeat(rows, length)
    within = np.arange(len(row)) - np.repeat(np.cumsum(length) - length, length)
    return row, np.repeat(first, length) + within


def to_observations(typed: Typed, keep: Bools, table: SourceTable, place: Place) -> pd.DataFrame:
    """The rows of ``keep`` as observations, one per value, with the columns of :data:`EXTRA`."""
    rows = np.flatnonzero(keep)
    row, day = (
        _event_days(typed, rows)
        if table.name == "events"
        else (
            rows,
            typed.integers("date")[rows],
        )
    )
    available = available_instants(typed, table, place)
    derived = typed.integers("available_at") == NAT
    zone, site = typed.text("zone_id").astype("category"), typed.text(table.site).astype("category")
    parts = []
    for name in table.variables:
        values = typed.numbers(name)[row]
        there = ~np.isnan(values)
        if there.any():
            at = row[there]
            parts.append((name, at, day[there], values[there]))
    if not parts:
        return empty()
    at = np.concatenate([part[1] for part in parts])
    sizes = [len(part[1]) for part in parts]
    names = [part[0] for part in parts]
    return pd.DataFrame(
        {
            "source": _same(table.name, len(at)),
            "zone_id": zone.array.take(at),
            "site_id": site.array.take(at),
            "variable": pd.Categorical.from_codes(
                np.repeat(np.arange(len(parts)), sizes), pd.Index(names)
            ),
            "date": day_date(np.concatenate([part[2] for part in parts])),
            "available_at": pd.DatetimeIndex(available[at].astype("datetime64[us]"), tz="UTC"),
            "value": np.concatenate([part[3] for part in parts]),
            "provider": _same(place.provider, len(at)),
            "line": typed.line[at],
            "derived": derived[at],
        }
    )


def _same(text: str, rows: int) -> pd.Categorical[str]:
    return pd.Categorical.from_codes(np.zeros(rows, dtype=np.int64), pd.Index([text]))


def empty() -> pd.DataFrame:
    """An observations table without rows, with the columns of :data:`EXTRA`."""
    texts = {c.name: pd.Categorical([]) for c in OBSERVATIONS.columns if c.kind == "text"}
    frame = pd.DataFrame(
        {
            **texts,
            "date": pd.DatetimeIndex([], dtype="datetime64[us]"),
            "available_at": pd.DatetimeIndex([], dtype="datetime64[us, UTC]"),
            "value": np.empty(0),
            "line": np.empty(0, dtype=np.int64),
            "derived": np.empty(0, dtype=bool),
        }
    )
    return frame[[*OBSERVATIONS.names, *EXTRA]]


def join(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Several tables one after the other, text columns as categories."""
    if not parts:
        return empty()
    texts = [c.name for c in OBSERVATIONS.columns if c.kind == "text"]
    wanted = {
        name: pd.CategoricalDtype(
            sorted({str(value) for part in parts for value in part[name].cat.categories})
        )
        for name in texts
    }
    return pd.concat([part.astype(wanted) for part in parts], ignore_index=True)
