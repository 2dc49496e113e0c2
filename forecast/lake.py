"""The lake: every observation and every forecast, in two Delta tables to which rows are added.

A row of observations is a fact and the instant from which it could be read. A revision is a new
row with a later ``available_at``; no row is ever changed or removed, so that the lake can be read
as it was known at any instant, and as it stood at any version.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from forecast import lake_forecasts, lake_rows
from forecast.errors import InputError
from forecast.lake_facts import counts_by_source, in_order, latest, news
from forecast.lake_rows import Day, instant, where
from forecast.lake_table import LakeTable


@dataclass(frozen=True)
class Appended:
    """What became of a batch: its rows are ``new + known + revised``.

    ``revised`` rows changed the value of a fact whose instant was derived, and were stored as
    available from now; ``version`` is the version of the observations that holds the batch.
    ``by_source`` gives the three counts of each source of the batch.
    """

    new: int
    known: int
    revised: int
    version: int
    by_source: Mapping[str, tuple[int, int, int]] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Compacted:
    """Files of both tables before and after, files deleted, and the version of observations."""

    files_before: int
    files_after: int
    deleted: int
    version: int


class Lake:
    """The tables ``observations`` and ``forecasts`` under ``url``.

    ``url`` is a path or any URL delta-rs takes, ``storage_options`` are delta-rs' own. Tables are
    created by the first append; before it, reading gives empty frames. Methods raise
    :class:`~forecast.errors.LakeError` where a table cannot be read or written.
    """

    def __init__(self, url: str, storage_options: dict[str, str] | None = None) -> None:
        root = url.rstrip("/")
        self._observations = LakeTable(
            f"{root}/observations", lake_rows.COLUMNS, "date", ("source",), storage_options
        )
        self._forecasts = LakeTable(
            f"{root}/forecasts", lake_forecasts.COLUMNS, "target_date", (), storage_options
        )

    def append(
        self,
        observations: pd.DataFrame,
        *,
        now: pd.Timestamp,
        derived: npt.NDArray[np.bool_] | None = None,
        note: Mapping[str, str] | None = None,
    ) -> Appended:
        """Store the rows of an ``observations`` table that are not stored yet, all or none.

        A fact is ``(source, zone_id, site_id, variable, date)``. A row whose fact, instant and
        value are stored is known, and skipped. A row with another value for a stored fact and
        instant is an error, unless ``derived`` (shape (rows,), default: nowhere) says that its
        instant was not stated but computed from a publication delay: then it is known if the fact
        has had this value at that instant or since, and otherwise a revision, stored as available
        from ``now`` (or just after the fact's last row, if that is later). Everything else is
        new, including history that arrives late with early instants.

        ``note`` is kept in the history of the table. Processes may append at the same time.

        Raises
        ------
        InputError
            If the table breaks its schema or two rows contradict each other; nothing is stored.
        """
        batch = lake_rows.checked(observations)
        flags = np.zeros(len(batch), dtype=bool) if derived is None else np.asarray(derived, bool)
        if flags.shape != (len(batch),):
            raise InputError(f"derived has shape {flags.shape} for {len(batch)} observations")
        moment = instant(now, "now")
        if batch.empty:
            return Appended(0, 0, 0, self.version())
        found = news(batch.iloc[:0], batch, flags, moment)
        same_days = lake_rows.same_days(batch)

        def missing(table: Any | None) -> pa.Table:
            nonlocal found
            if table is not None:
                stored = lake_rows.to_pandas(self._observations.scan(table, same_days))
                found = news(stored, batch, flags, moment)
            return lake_rows.to_arrow(in_order(found.rows))

        version = self._observations.append(missing, note or {})
        counts = counts_by_source(batch, found)
        new, known, revised = (sum(column) for column in zip(*counts.values(), strict=True))
        return Appended(new, known, revised, version, counts)

    def read(
        self,
        *,
        sources: Sequence[str] | None = None,
        variables: Sequence[str] | None = None,
        zones: Sequence[str] | None = None,
        since: Day | None = None,
        until: Day | None = None,
        known_at: pd.Timestamp | None = None,
        version: int | None = None,
    ) -> pd.DataFrame:
        """Rows of the ``observations`` table, every revision included.

        ``since`` and ``until`` are the first and last date wanted; ``known_at`` leaves out what
        could not be read at that instant; ``version`` reads the table as it stood at a version.
        Rows come by source, variable, zone and site, then by ``available_at`` and date. Text
        columns are categorical, ``date`` is datetime64[us], ``available_at`` datetime64[us, UTC].
        """
        rows = where(
            {"source": sources, "variable": variables, "zone_id": zones},
            date=(since, until),
            available_at=(None, known_at),
        )
        table = self._observations.open(version)
        if table is None:
            return lake_rows.empty()
        return in_order(lake_rows.to_pandas(self._observations.scan(table, rows)))

    def snapshot(
        self,
        known_at: pd.Timestamp,
        *,
        sources: Sequence[str] | None = None,
        variables: Sequence[str] | None = None,
        zones: Sequence[str] | None = None,
        since: Day | None = None,
        until: Day | None = None,
        version: int | None = None,
    ) -> pd.DataFrame:
        """One row per fact: the last one that could be read at ``known_at``. See :meth:`read`."""
        rows = self.read(
            sources=sources,
            variables=variables,
            zones=zones,
            since=since,
            until=until,
            known_at=known_at,
            version=version,
        )
        return latest(rows)

    def version(self) -> int:
        """Version of the observations; 0 as long as no row has been stored."""
        table = self._observations.open()
        return int(table.version()) if table is not None else 0

    def compact(self) -> Compacted:
        """Merge small files and delete those that no version of the last 400 days needs.

        No row, no answer and none of these versions changes. Appending meanwhile is safe.
        """
        counts = [self._observations.compact(), self._forecasts.compact()]
        before, after, deleted = (sum(column) for column in zip(*counts, strict=True))
        return Compacted(before, after, deleted, self.version())

    def append_forecasts(self, forecasts: pd.DataFrame) -> int:
        """Store the rows of a ``forecasts`` table for ever; return how many were not stored yet.

        An answer is identified by ``(zone_id, origin, target_date, model_version)``; the first
        one stored stays. Columns for further quantiles or levels may come with a later batch.

        Raises
        ------
        InputError
            If a column is missing or wrong, or one answer is given twice.
        """
        return lake_forecasts.append_forecasts(self._forecasts, forecasts)

    def read_forecasts(
        self,
        *,
        zones: Sequence[str] | None = None,
        since: Day | None = None,
        until: Day | None = None,
        origin_since: pd.Timestamp | None = None,
        origin_until: pd.Timestamp | None = None,
        latest: bool = False,
    ) -> pd.DataFrame:
        """Stored forecasts by zone, target date and origin.

        ``since`` and ``until`` bound the target date, ``origin_since`` and ``origin_until`` the
        origin, all inclusive. With ``latest``, only the answer with the last origin for each zone
        and target date.
        """
        rows = where(
            {"zone_id": zones},
            target_date=(since, until),
            origin=(origin_since, origin_until),
        )
        return lake_forecasts.read_forecasts(self._forecasts, rows, latest=latest)
