"""Readings of real-time feeds, kept until their day is over.

A feed that only says how things are now has no history: each poll adds its readings here, and the
days are made from them. One SQLite file, safe for several processes and for one that is killed:
each call is one transaction.
"""

from __future__ import annotations

import sqlite3
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.errors import SchemaError
from forecast.ingest.sqlite import transaction

COLUMNS = ("site_id", "zone_id", "variable", "at", "value")
"""Columns of a table of samples; ``at`` is UTC, ``value`` in the unit of the variable."""

_TABLE = """
CREATE TABLE IF NOT EXISTS samples (
    feed TEXT, site_id TEXT, variable TEXT, at INTEGER, zone_id TEXT NOT NULL, value REAL NOT NULL,
    PRIMARY KEY (feed, site_id, variable, at)
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS samples_of ON samples (feed, at);
"""


class Samples:
    """The store in the file ``path``, made when it is first added to.

    Methods raise :class:`~forecast.errors.LakeError` where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, feed: str, rows: pd.DataFrame) -> int:
        """Keep readings; return how many were not kept already.

        A reading is identified by feed, site, variable and instant (to the microsecond); the first
        one stays.

        Parameters
        ----------
        feed
            Name of the provider.
        rows
            Columns of :data:`COLUMNS`.

        Raises
        ------
        SchemaError
            If a column is absent, an instant is empty or has no time zone, or a value is not
            finite; nothing is kept.
        """
        missing = [name for name in COLUMNS if name not in rows]
        if missing:
            raise SchemaError(f"samples: there is no column {missing[0]}; expected {COLUMNS}")
        at = pd.DatetimeIndex(rows["at"])
        values = rows["value"].to_numpy(dtype=float)
        if at.tz is None or at.hasnans or not np.isfinite(values).all():
            raise SchemaError(
                "samples: expected UTC instants in `at` and finite numbers in `value`"
            )
        entries = zip(
            [feed] * len(rows),
            rows["site_id"].astype(str),
            rows["variable"].astype(str),
            at.tz_convert("UTC").as_unit("us").asi8.tolist(),
            rows["zone_id"].astype(str),
            values.tolist(),
            strict=True,
        )
        with self._open() as base:
            before = base.total_changes
            base.executemany("INSERT OR IGNORE INTO samples VALUES (?, ?, ?, ?, ?, ?)", entries)
            return base.total_changes - before

    def read(self, feed: str, since: pd.Timestamp, until: pd.Timestamp) -> pd.DataFrame:
        """Readings of a feed from ``since`` (included) to ``until`` (not), by site and instant.

        Columns are those of :data:`COLUMNS`; ``at`` is datetime64[us, UTC].
        """
        found: list[tuple[object, ...]] = []
        if self._path.is_file():
            with self._open() as base:
                found = base.execute(
                    "SELECT site_id, zone_id, variable, at, value FROM samples "
                    "WHERE feed = ? AND at >= ? AND at < ? ORDER BY site_id, variable, at",
                    (feed, _micros(since), _micros(until)),
                ).fetchall()
        rows = pd.DataFrame(found, columns=list(COLUMNS))
        rows["at"] = pd.to_datetime(rows["at"].astype("int64"), unit="us", utc=True).dt.as_unit(
            "us"
        )
        return rows.astype({"site_id": "str", "zone_id": "str", "variable": "str", "value": float})

    def prune(self, feed: str, before: pd.Timestamp) -> int:
        """Forget readings of a feed from before an instant; return how many there were."""
        if not self._path.is_file():
            return 0
        with self._open() as base:
            asked = (feed, _micros(before))
            return base.execute("DELETE FROM samples WHERE feed = ? AND at < ?", asked).rowcount

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        advice = "move it away: a new one is made, and the days not complete yet are lost"
        return transaction(self._path, _TABLE, "the readings of real-time feeds", advice)


def _micros(instant: pd.Timestamp) -> int:
    return int(pd.DatetimeIndex([instant]).tz_convert("UTC").as_unit("us").asi8[0])
