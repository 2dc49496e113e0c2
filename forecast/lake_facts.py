"""What is new in a batch of observations, and what a set of rows says at an instant.

A fact is ``(source, zone_id, site_id, variable, date)``; a row is a fact, the instant from which
it could be read, and the value it then had. Pure functions over frames, so that the rules can be
read and tested without a lake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import union_categoricals

from forecast.errors import InputError
from forecast.grid import day_number

SERIES = ("source", "variable", "zone_id", "site_id")

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


def instants(column: pd.Series) -> Ints:
    """Instants as µs since 1970 UTC."""
    return pd.DatetimeIndex(column).as_unit("us").asi8


def pack(columns: Sequence[npt.NDArray[np.integer]]) -> Ints:
    """One number per row, equal and ordered as the rows of the columns are.

    >>> pack([np.array([5, 5, 4]), np.array([10**18, 0, 10**18])]).argsort().tolist()
    [2, 1, 0]
    """
    packed, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    if not len(packed):
        return packed
    for column in columns:
        codes = column.astype(np.int64) - int(column.min())
        width = int(codes.max()) + 1
        if size * width >= 2**62:
            packed, size = _ranks(packed)
            codes, width = _ranks(codes)
        packed = packed * width + codes
        size *= width
    return packed


def _ranks(values: Ints) -> tuple[Ints, int]:
    distinct, ranks = np.unique(values, return_inverse=True)
    return ranks.astype(np.int64), len(distinct)


def facts(frame: pd.DataFrame) -> Ints:
    """A number for the fact of each row; text columns must be categorical."""
    series = [frame[name].cat.codes.to_numpy() for name in SERIES]
    return pack([*series, day_number(frame["date"])])


def in_order(frame: pd.DataFrame) -> pd.DataFrame:
    """Rows by series, then by ``available_at`` and date: the order as-of replay wants.

    It depends on the rows alone, not on the files they came from; a row that files hold twice
    comes once. Text columns must be categorical with sorted categories.
    """
    series = [frame[name].cat.codes.to_numpy() for name in SERIES]
    key = pack([*series, instants(frame["available_at"]), day_number(frame["date"])])
    if (key[1:] > key[:-1]).all():
        return frame
    order = np.argsort(key, kind="stable")
    first = np.append(True, np.diff(key[order]) > 0)
    return frame.take(order[first]).reset_index(drop=True)


def latest(frame: pd.DataFrame) -> pd.DataFrame:
    """The last row of each fact, of rows in the order of :func:`in_order`."""
    superseded = pd.Series(facts(frame)).duplicated(keep="last").to_numpy()
    return frame.loc[~superseded].reset_index(drop=True)


@dataclass(frozen=True)
class News:
    """The rows of a batch to append; ``revised`` says which of them got a new instant."""

    rows: pd.DataFrame
    revised: Flags


def news(stored: pd.DataFrame, batch: pd.DataFrame, derived: Flags, now: pd.Timestamp) -> News:
    """What a batch adds to the stored rows of the same facts; see ``Lake.append`` for the rules.

    Both frames have categorical text columns; ``derived`` has shape (rows of the batch,).

    Raises
    ------
    InputError
        If a row gives another value to a fact at an instant for which it has one.
    """
    n = len(stored)
    both = _joined(stored, batch)
    fact, at = facts(both), instants(both["available_at"])
    value = both["value"].to_numpy(dtype=np.float64)
    kept = _one_of_each(both, pack([fact, at]), value, np.arange(n, len(both)), n)
    match = _positions(pack([fact, at]), kept, n)
    differs = (match >= 0) & (value[match] != value[kept])
    refused = np.flatnonzero(differs & ~derived[kept - n])
    if len(refused):
        first = refused[0]
        raise InputError(
            f"{_name(both, kept[first], n)} is already stored with {value[match[first]]:g}; "
            f"a revision must carry a later available_at ({len(refused)} such rows in the batch)"
        )
    revised = kept[differs]
    if len(revised):
        at, revised = _revise(fact, at, value, revised, n, int(instants(pd.Series([now]))[0]))
    rows = np.sort(np.concatenate([kept[match < 0], revised]))
    if len(revised):
        rows = _one_of_each(both, pack([fact, at]), value, rows, n)
    moved = pd.DatetimeIndex(at[rows].astype("datetime64[us]"), tz="UTC")
    return News(batch.iloc[rows - n].assign(available_at=moved), np.isin(rows, revised))


def counts_by_source(batch: pd.DataFrame, found: News) -> dict[str, tuple[int, int, int]]:
    """Rows of a batch that are new, known and revised, by source in alphabetical order."""
    rows = {str(source): int(n) for source, n in batch["source"].value_counts().items() if n}
    stored = found.rows["source"].value_counts()
    revised = found.rows.loc[found.revised, "source"].value_counts()
    counts = {}
    for source in sorted(rows):
        changed, kept = int(revised.get(source, 0)), int(stored.get(source, 0))
        counts[source] = (kept - changed, rows[source] - kept, changed)
    return counts


def _joined(stored: pd.DataFrame, batch: pd.DataFrame) -> pd.DataFrame:
    columns = {
        name: union_categoricals([stored[name], batch[name]], ignore_order=True) for name in SERIES
    }
    rest = ["date", "available_at", "value"]
    return pd.concat([stored[rest], batch[rest]], ignore_index=True).assign(**columns)


def _one_of_each(both: pd.DataFrame, key: Ints, value: Floats, rows: Ints, n: int) -> Ints:
    """The first of the rows with each key, provided that they agree on the value."""
    _, first, same = np.unique(key[rows], return_index=True, return_inverse=True)
    differs = np.flatnonzero(value[rows] != value[rows[first]][same])
    if len(differs):
        row = rows[differs[0]]
        raise InputError(
            f"{_name(both, row, n)} is also row {rows[first[same[differs[0]]]] - n} of the batch, "
            f"with {value[rows[first[same[differs[0]]]]]:g}; keep one of them, or give the "
            "revision a later available_at"
        )
    return np.sort(rows[first])


def _positions(key: Ints, rows: Ints, n: int) -> Ints:
    """Stored row (below ``n``) with the key of each of the rows; −1 where there is none."""
    if not n:
        return np.full(len(rows), -1, dtype=np.int64)
    distinct, first = np.unique(key[:n], return_index=True)
    place = np.searchsorted(distinct, key[rows]).clip(max=len(distinct) - 1)
    return np.where(distinct[place] == key[rows], first[place], -1)


def _revise(fact: Ints, at: Ints, value: Floats, rows: Ints, n: int, now: int) -> tuple[Ints, Ints]:
    """Instants with those of true revisions moved after all that is stored, and these rows.

    A value that the fact has taken since is no revision: it comes from a copy of an older file.
    """
    past = np.flatnonzero(np.isin(fact[:n], fact[rows]))
    history = pd.DataFrame({"fact": fact[past], "value": value[past], "at": at[past]})
    had = history.groupby(["fact", "value"])["at"].max()
    since = had.reindex(pd.MultiIndex.from_arrays([fact[rows], value[rows]]))
    rows = rows[~(since.to_numpy() > at[rows])]
    rows = rows[np.lexsort((at[rows], fact[rows]))]
    newest = history.groupby("fact")["at"].max().reindex(fact[rows]).to_numpy()
    # Several issues of one forecast may be revised at once: they keep their order.
    nth = pd.Series(fact[rows]).groupby(fact[rows]).cumcount().to_numpy()
    at = at.copy()
    at[rows] = np.maximum(now, newest + 1) + nth
    return at, rows


def _name(both: pd.DataFrame, row: int, n: int) -> str:
    cells = both.iloc[row]
    site = f", site {cells['site_id']!r}" if cells["site_id"] else ""
    return (
        f"observations: row {row - n} ({cells['source']}, zone {cells['zone_id']!r}{site}, "
        f"{cells['variable']} of {cells['date']:%Y-%m-%d}, available at "
        f"{cells['available_at'].isoformat()}) says {cells['value']:g}, but the same"
    )
