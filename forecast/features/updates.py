"""Observations in the order they became readable: the table behind every as-of kernel.

An as-of question is answered by replaying: rows sorted by ``available_at`` are written, one after
the other, into a line of days; at an origin the line holds exactly what was known then, revisions
included, because a later row overwrites an earlier one and a row that was not yet readable has not
been written. Of rows of one fact readable from the same instant, the last in the table counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

Ints = npt.NDArray[np.int64]
Array = npt.NDArray[Any]
Rows = slice | npt.NDArray[np.int64]

DAY = 86_400_000_000
"""Microseconds of a civil day, counted as if in UTC."""
_BLOCK = 1 << 20
"""Rows looked at together, so that temporary arrays stay small."""


@dataclass(frozen=True)
class Updates:
    """Rows of one variable, grouped by series, each series in the order it became readable.

    A series is a zone, or a site of a zone. Series ``s`` belongs to zone ``series_zone[s]`` and
    owns the rows ``start[s]:start[s + 1]`` of ``date`` [µs from 1970 to the day's midnight], ``at``
    [µs since 1970 UTC] and ``value``; zone ``z`` owns the series
    ``zone_series[z, 0]:zone_series[z, 1]``. ``first_day`` [days since 1970] and ``days`` bound the
    line of days. Where the table comes in this order, as the lake gives it, the columns are views
    of it: an index over millions of rows then takes no memory.
    """

    zone_series: Ints
    series_zone: npt.NDArray[np.int32]
    start: Ints
    date: Ints
    at: Ints
    value: npt.NDArray[np.float64]
    first_day: int
    days: int

    def __len__(self) -> int:
        return len(self.date)

    @property
    def day(self) -> npt.NDArray[np.int32]:
        """Civil day of each row [days since 1970]."""
        return (self.date // DAY).astype(np.int32)

    @property
    def rows(self) -> tuple[object, ...]:
        """What the compiled kernels take."""
        return (
            self.zone_series, self.start, self.date, self.at, self.value, self.first_day, self.days
        )  # fmt: skip

    def known_beforehand(self) -> Updates:
        """The same rows as if they had always been readable: perfect foresight, to be marked."""
        return replace(self, at=np.full(len(self), np.iinfo(np.int64).min))

    def later(self, days: float) -> Updates:
        """The same rows, each readable ``days`` later than it was."""
        return replace(self, at=self.at + np.int64(days * DAY))


def zone_site_updates(
    frame: pd.DataFrame, rows: Rows, zone_ids: Sequence[str], *, total: bool = False
) -> Updates:
    """Index some rows of the ``observations`` table, all of one variable.

    Rows of zones outside ``zone_ids`` and rows without a value are left out. With ``total`` each
    zone is one series, the sum of its sites: every row becomes the zone's sum as it was known from
    that row's ``available_at``.
    """
    zone_names, zone_code = coded(frame["zone_id"].iloc[rows])
    _, site = coded(frame["site_id"].iloc[rows])
    date: Array = _microseconds(frame["date"].iloc[rows])
    at: Array = _microseconds(frame["available_at"].iloc[rows])
    value: Array = frame["value"].iloc[rows].to_numpy(dtype=np.float64)
    place = np.append(
        pd.Index(list(zone_ids), dtype=object).get_indexer(zone_names.astype(object)), -1
    )

    first = heads(zone_code, site)
    zone = place[zone_code[first]]
    several = total and len(site) > 0 and bool((site != site[0]).any())
    if several or not _as_the_lake_gives_it(zone, site[first], first, at, value):
        zone_of = place[zone_code]
        keep = (zone_of >= 0) & np.isfinite(value)
        if not keep.all():
            zone_of, site, date, at, value = (a[keep] for a in (zone_of, site, date, at, value))
        if several:
            zone_of, site, date, at, value = _sum_of_sites(zone_of, site, date, at, value)
        # Stable: rows of one series readable at the same instant stay in the table's order.
        order = np.lexsort((at, site, zone_of))
        zone_of, site, date, at, value = (a[order] for a in (zone_of, site, date, at, value))
        first = heads(zone_of, site)
        zone = zone_of[first]
    first_day = int(date.min()) // DAY if len(date) else 0
    return Updates(
        zone_series=_spans(zone, len(zone_ids)),
        series_zone=zone.astype(np.int32),
        start=np.append(first, len(date)),
        date=date,
        at=at,
        value=value,
        first_day=first_day,
        days=int(date.max()) // DAY - first_day + 1 if len(date) else 0,
    )


def coded(values: pd.Series) -> tuple[pd.Index, Array]:
    """The distinct texts of a column, and the place of each row's text among them.

    Of a categorical column, as the lake gives it, both are views.
    """
    texts = values.array
    if not isinstance(texts, pd.Categorical):
        texts = pd.Categorical(texts)
    return texts.categories, texts.codes


def _microseconds(instants: pd.Series) -> Ints:
    """Dates or UTC instants as µs since 1970, without a copy where they are stored so."""
    array = instants.array
    moments: Ints = (array if array.unit == "us" else array.as_unit("us")).asi8
    return moments


def heads(*codes: Array) -> Ints:
    """First row of each run of rows that agree in every array."""
    n = len(codes[0])
    found = [np.arange(min(n, 1))]
    for low in range(1, n, _BLOCK):
        high = min(low + _BLOCK, n)
        new = np.zeros(high - low, dtype=bool)
        for code in codes:
            new |= code[low:high] != code[low - 1 : high - 1]
        found.append(np.flatnonzero(new) + low)
    return np.concatenate(found)


def _as_the_lake_gives_it(
    zone: Ints, site: Array, first: Ints, at: Ints, value: npt.NDArray[np.float64]
) -> bool:
    """Whether each series is one run in the order of ``at``, and each zone one run of series."""
    if (zone < 0).any() or not np.isfinite(value).all():
        return False
    falls = np.flatnonzero(at[1:] < at[:-1]) + 1
    if not np.isin(falls, first, assume_unique=True).all():
        return False
    series = pd.MultiIndex.from_arrays([zone, site])
    return bool(series.is_unique and len(heads(zone)) == len(np.unique(zone)))


def _spans(zone: Ints, zones: int) -> Ints:
    """First and past-the-end series of each zone, shape (zones, 2); empty where it has none."""
    spans = np.zeros((zones, 2), dtype=np.int64)
    first = heads(zone)
    spans[zone[first], 0] = first
    spans[zone[first], 1] = np.append(first[1:], len(zone))
    return spans


def _sum_of_sites(
    zone: Array, site: Array, date: Array, at: Array, value: Array
) -> tuple[Array, ...]:
    """Fold site rows into zone rows: each says what the zone's sum had become when it arrived.

    The sum follows by differences. Values are rounded to float32, as the line of days holds them,
    so that sums and differences in float64 are exact: nothing is left of a value taken back.
    """
    rounded = value.astype(np.float32)
    change = rounded.astype(np.float64)
    order = np.lexsort((at, date, site, zone))
    revised = np.ones(len(order), dtype=bool)
    revised[heads(zone[order], site[order], date[order])] = False
    revised = np.flatnonzero(revised)
    change[order[revised]] -= rounded[order[revised - 1]]

    order = np.lexsort((at, date, zone))
    first = heads(zone[order], date[order])
    place = np.arange(len(order)) - np.repeat(first, np.diff(first, append=len(order)))
    running = change[order]
    for k in range(1, int(place.max(initial=0)) + 1):
        rows = np.flatnonzero(place == k)
        running[rows] += running[rows - 1]
    # Sites that came at one instant are one piece of news: the sum after the last of them.
    last = np.append(heads(zone[order], date[order], at[order]), len(order))[1:] - 1
    order = order[last]
    return zone[order], np.zeros_like(site[order]), date[order], at[order], running[last]
