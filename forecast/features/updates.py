"""Observations in the order they became readable: the table behind every as-of kernel.

An as-of question is answered by replaying: rows sorted by ``available_at`` are written, one after
the other, into a line of days; at an origin the line holds exactly what was known then, revisions
included, because a later row overwrites an earlier one and a row that was not yet readable has not
been written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.grid import day_number


@dataclass(frozen=True)
class Updates:
    """Rows of one variable, sorted by series and then by the instant they became readable.

    A series is a zone, or a site of a zone. Series ``s`` belongs to zone ``series_zone[s]`` and
    owns the rows ``start[s]:start[s + 1]`` of ``day`` [days since 1970], ``at`` [µs since 1970
    UTC] and ``value``. Series are sorted by zone; zone ``z`` owns the series
    ``zone_start[z]:zone_start[z + 1]``. ``first_day`` and ``days`` bound the line of days.
    """

    zone_start: npt.NDArray[np.int64]
    series_zone: npt.NDArray[np.int32]
    sites: tuple[str, ...]
    start: npt.NDArray[np.int64]
    day: npt.NDArray[np.int32]
    at: npt.NDArray[np.int64]
    value: npt.NDArray[np.float32]
    first_day: int
    days: int

    def __len__(self) -> int:
        return len(self.day)

    def known_beforehand(self) -> Updates:
        """The same rows as if they had always been readable: perfect foresight, to be marked."""
        return replace(self, at=np.full(len(self), np.iinfo(np.int64).min))

    def later(self, days: float) -> Updates:
        """The same rows, each readable ``days`` later than it was."""
        return replace(self, at=self.at + np.int64(days * 86_400e6))


def zone_site_updates(
    frame: pd.DataFrame, zone_ids: Sequence[str], *, total: bool = False
) -> Updates:
    """Index rows of one variable of the ``observations`` table.

    Rows of zones outside ``zone_ids`` and rows without a value are left out. With ``total`` each
    zone is one series, the sum of its sites: every row becomes the zone's sum as it was known from
    that row's ``available_at``.
    """
    zone = _codes(frame["zone_id"], zone_ids)
    site_names = tuple(str(name) for name in np.unique(frame["site_id"].astype("category")))
    site = _codes(frame["site_id"], site_names)
    day = day_number(frame["date"])
    at = pd.DatetimeIndex(frame["available_at"]).as_unit("us").asi8
    value = frame["value"].to_numpy(dtype=np.float32)
    keep = (zone >= 0) & np.isfinite(value)
    if not keep.all():
        zone, site, day, at, value = (a[keep] for a in (zone, site, day, at, value))
    if total:
        if len(site_names) > 1:
            zone, day, at, value = _sum_of_sites(zone, site, day, at, value)
        site, site_names = np.zeros(len(zone), dtype=np.int64), ("",)
    series = zone * len(site_names) + site
    if not _is_sorted(series, at, day):
        order = np.lexsort((day, at, series))
        series, day, at, value = series[order], day[order], at[order], value[order]
    first = np.flatnonzero(np.diff(series, prepend=-1) != 0)
    present = series[first]
    series_zone = (present // max(len(site_names), 1)).astype(np.int32)
    return Updates(
        zone_start=np.searchsorted(series_zone, np.arange(len(zone_ids) + 1)).astype(np.int64),
        series_zone=series_zone,
        sites=tuple(site_names[i] for i in present % max(len(site_names), 1)),
        start=np.append(first, len(series)).astype(np.int64),
        day=day,
        at=at,
        value=value,
        first_day=int(day.min()) if len(day) else 0,
        days=int(day.max()) - int(day.min()) + 1 if len(day) else 0,
    )


def _codes(values: pd.Series, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Position of each value in ``names``, −1 where absent; each category is looked up once."""
    category = values.astype("category").cat
    lookup = pd.Index(list(names), dtype=object).get_indexer(category.categories.astype(object))
    return np.append(lookup, -1)[category.codes.to_numpy()].astype(np.int64)


def _is_sorted(
    series: npt.NDArray[np.int64], at: npt.NDArray[np.int64], day: npt.NDArray[np.int32]
) -> bool:
    """Whether rows are in (series, at, day) order: what the lake usually gives, saving a sort."""
    same = series[1:] == series[:-1]
    tied = same & (at[1:] == at[:-1])
    rising = (
        (series[1:] > series[:-1]) | (same & (at[1:] > at[:-1])) | (tied & (day[1:] >= day[:-1]))
    )
    return bool(rising.all())


def _sum_of_sites(
    zone: npt.NDArray[np.int64],
    site: npt.NDArray[np.int64],
    day: npt.NDArray[np.int32],
    at: npt.NDArray[np.int64],
    value: npt.NDArray[np.float32],
) -> tuple[
    npt.NDArray[np.int64], npt.NDArray[np.int32], npt.NDArray[np.int64], npt.NDArray[np.float32]
]:
    """Fold site rows into zone rows: each says what the zone's sum had become when it arrived."""
    order = np.lexsort((at, day, site, zone))
    zone, site, day, at, value = (a[order] for a in (zone, site, day, at, value))
    change = value.astype(np.float64)
    revises = (zone[1:] == zone[:-1]) & (site[1:] == site[:-1]) & (day[1:] == day[:-1])
    change[1:][revises] -= value[:-1][revises]
    order = np.lexsort((at, day, zone))
    zone, day, at, change = (a[order] for a in (zone, day, at, change))
    running = np.cumsum(change)
    new = np.ones(len(zone), dtype=bool)
    new[1:] = (zone[1:] != zone[:-1]) | (day[1:] != day[:-1])
    before = np.concatenate([[0.0], running])[:-1][new]
    total = running - before[np.cumsum(new) - 1]
    return zone, day, at, total.astype(np.float32)
