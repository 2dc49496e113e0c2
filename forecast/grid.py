"""The questions: which zone, asked when, about which day.

A forecast is a question ``(zone_id, origin, target_date)``. A :class:`Grid` holds many of them in
a few compact arrays, sorted by zone and origin, because training asks millions at once; its
:meth:`~Grid.frame` is the ``grid`` table for people.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.tables import GRID, check

Ints = npt.NDArray[np.int64]
Days = npt.NDArray[np.int32]

_AROUND_DAYS = 21
"""A day is like another of the same weekday at most so many days from that time of year [d]."""


def local_days(instants: pd.DatetimeIndex, timezone: str) -> Days:
    """Civil day of each UTC instant in ``timezone``, in days since 1970-01-01.

    >>> local_days(pd.DatetimeIndex(["2026-03-28T23:30Z"]), "Europe/Paris") - 20540
    array([1], dtype=int32)
    """
    local = instants.tz_convert(timezone).tz_localize(None)
    return local.as_unit("s").asi8.__floordiv__(86400).astype(np.int32)


def day_number(dates: Any) -> Days:
    """Days since 1970-01-01 of civil dates (anything pandas reads as dates)."""
    return pd.DatetimeIndex(dates).as_unit("s").asi8.__floordiv__(86400).astype(np.int32)


def day_date(days: Any) -> pd.DatetimeIndex:
    """Inverse of :func:`day_number`."""
    return pd.DatetimeIndex(np.asarray(days, dtype="int64").astype("datetime64[D]")).as_unit("us")


def days_like(target: int, days: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Which of ``days`` are of the target's weekday and within three weeks of its time of year.

    All in days since 1970-01-01; the year may be any.

    >>> days_like(20793, np.array([20793, 20794, 20772, 20765, 20429, 20430]))
    array([ True, False,  True, False,  True, False])
    """
    away = np.abs((target - days + 182) % 365.2425 - 182)
    return np.asarray((away <= _AROUND_DAYS) & (days % 7 == target % 7))


@dataclass(frozen=True)
class Grid:
    """Questions, grouped into asks: one ask is one zone at one origin.

    ``ask_zone`` (index into ``zone_ids``; −1 for a zone outside the territory), ``ask_origin``
    [µs since 1970 UTC] and ``ask_day`` [local civil day of the origin, days since 1970] have
    shape (asks,); ask ``a`` owns the rows ``first_row[a]:first_row[a + 1]`` of ``target_day``.
    Asks are sorted by zone, then origin; rows by target day.
    """

    zone_ids: tuple[str, ...]
    timezone: str
    ask_zone: npt.NDArray[np.int32]
    ask_origin: Ints
    ask_day: Days
    first_row: Ints
    target_day: Days

    def __len__(self) -> int:
        return len(self.target_day)

    @cached_property
    def row_ask(self) -> npt.NDArray[np.int32]:
        """Ask of each row."""
        return np.repeat(np.arange(len(self.ask_zone), dtype=np.int32), np.diff(self.first_row))

    @cached_property
    def row_zone(self) -> npt.NDArray[np.int32]:
        """Zone index of each row."""
        return self.ask_zone[self.row_ask]

    @cached_property
    def horizon(self) -> Days:
        """``horizon_days`` of each row."""
        return (self.target_day - self.ask_day[self.row_ask]).astype(np.int32)

    @cached_property
    def row_origin(self) -> Ints:
        """Origin of each row [µs since 1970 UTC]."""
        return self.ask_origin[self.row_ask]

    def zone_asks(self) -> Ints:
        """First ask of each zone, shape (zones + 1,)."""
        return np.searchsorted(self.ask_zone, np.arange(len(self.zone_ids) + 1)).astype(np.int64)

    def frame(self) -> pd.DataFrame:
        """The ``grid`` table: zone_id, origin, target_date, horizon_days."""
        names = [*self.zone_ids, "(unknown)"]
        return check(
            pd.DataFrame(
                {
                    "zone_id": pd.Categorical.from_codes(
                        self.row_zone % len(names), pd.Index(names)
                    ),
                    "origin": pd.DatetimeIndex(self.row_origin.astype("datetime64[us]"), tz="UTC"),
                    "target_date": day_date(self.target_day),
                    "horizon_days": self.horizon,
                }
            ),
            GRID,
        )

    def take(self, asks: npt.NDArray[np.bool_]) -> tuple[Grid, npt.NDArray[np.bool_]]:
        """The grid of the asks where the mask holds, and the mask of its rows in this grid."""
        sizes = np.diff(self.first_row)[asks]
        rows = asks[self.row_ask]
        return (
            Grid(
                self.zone_ids,
                self.timezone,
                self.ask_zone[asks],
                self.ask_origin[asks],
                self.ask_day[asks],
                np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64),
                self.target_day[rows],
            ),
            rows,
        )


def make_grid(
    origins: Iterable[pd.Timestamp],
    zone_ids: Sequence[str],
    horizons: Iterable[int],
    timezone: str,
) -> Grid:
    """Every zone at every origin, for every horizon [d].

    >>> grid = make_grid([pd.Timestamp("2026-05-13T06:00Z")], ["a", "b"], range(3), "Europe/Paris")
    >>> len(grid), grid.frame().target_date.dt.strftime("%d/%m").tolist()
    (6, ['13/05', '14/05', '15/05', '13/05', '14/05', '15/05'])
    """
    instants = pd.to_datetime(list(origins), utc=True).as_unit("us").sort_values().unique()
    days = local_days(instants, timezone)
    steps = np.array(sorted(set(horizons)), dtype=np.int32)
    zones, n = len(zone_ids), len(instants)
    ask_day = np.tile(days, zones)
    return Grid(
        zone_ids=tuple(zone_ids),
        timezone=timezone,
        ask_zone=np.repeat(np.arange(zones, dtype=np.int32), n),
        ask_origin=np.tile(instants.asi8, zones),
        ask_day=ask_day,
        first_row=np.arange(zones * n + 1, dtype=np.int64) * len(steps),
        target_day=(ask_day[:, None] + steps[None, :]).ravel(),
    )


def grid_from_frame(frame: pd.DataFrame, zone_ids: Sequence[str], timezone: str) -> Grid:
    """Read questions from a table with ``zone_id``, ``origin`` and ``target_date``.

    Rows are sorted by zone, origin and target; a zone that is not in ``zone_ids`` becomes an
    unknown zone, about which every source answers NaN.
    """
    zone = (
        pd.Index(list(zone_ids))
        .get_indexer(pd.Index(frame["zone_id"].astype(str)))
        .astype(np.int32)
    )
    origin = pd.DatetimeIndex(frame["origin"]).tz_convert("UTC").as_unit("us")
    target = day_number(frame["target_date"])
    order = np.lexsort((target, origin.asi8, zone))
    zone, instant, target = zone[order], origin.asi8[order], target[order]
    new = np.ones(len(order), dtype=bool)
    new[1:] = (np.diff(zone) != 0) | (np.diff(instant) != 0)
    starts = np.flatnonzero(new)
    ask_origin = instant[starts]
    return Grid(
        zone_ids=tuple(zone_ids),
        timezone=timezone,
        ask_zone=zone[starts],
        ask_origin=ask_origin,
        ask_day=local_days(
            pd.DatetimeIndex(ask_origin.astype("datetime64[us]"), tz="UTC"), timezone
        ),
        first_row=np.concatenate([starts, [len(order)]]).astype(np.int64),
        target_day=target,
    )
