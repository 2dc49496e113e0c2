"""What was fetched: pieces stored, validators of conditional requests, and every attempt.

One SQLite file, safe for several processes. Losing it loses nothing but time: everything is fetched
again, and the lake knows what it has.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Self

import pandas as pd

from forecast.ingest.sqlite import transaction

_TABLES = """
CREATE TABLE IF NOT EXISTS pieces (
    provider TEXT, scope TEXT, key TEXT, version INTEGER NOT NULL, stored_at TEXT NOT NULL,
    PRIMARY KEY (provider, scope, key)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS validators (
    provider TEXT, scope TEXT, url TEXT, etag TEXT NOT NULL, modified TEXT NOT NULL,
    PRIMARY KEY (provider, scope, url)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempts (
    id INTEGER PRIMARY KEY, provider TEXT NOT NULL, started_at TEXT NOT NULL, ended_at TEXT,
    ok INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
    pieces INTEGER NOT NULL DEFAULT 0, new INTEGER NOT NULL DEFAULT 0,
    known INTEGER NOT NULL DEFAULT 0, revised INTEGER NOT NULL DEFAULT 0,
    unplaced INTEGER NOT NULL DEFAULT 0, refused INTEGER NOT NULL DEFAULT 0,
    newest TEXT, next_try_at TEXT
);
CREATE INDEX IF NOT EXISTS attempts_of ON attempts (provider, id);
"""

KEPT_DAYS = 400
"""How long attempts are kept [d]; the last success of each provider is, for ever."""


@dataclass(frozen=True)
class Validators:
    """What makes a request conditional (RFC 9110, 13.1); empty where the answer had none."""

    etag: str = ""
    modified: str = ""

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Self:
        """Those of an answer, whose header names are in lower case."""
        return cls(headers.get("etag", ""), headers.get("last-modified", ""))

    def headers(self) -> dict[str, str]:
        """The headers that make a request conditional."""
        given = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {name: value for name, value in given.items() if value}


@dataclass(frozen=True)
class Attempt:
    """One run of one provider.

    ``ended_at`` is None while it goes on, and for ever if it was interrupted. ``new``, ``known``
    and ``revised`` count observations, ``unplaced`` and ``refused`` rows of the provider;
    ``newest`` is the last civil day it gave a datum about (ISO 8601; None if it gave none),
    ``error`` one line without secrets. Instants are UTC, ISO 8601.
    """

    provider: str
    started_at: str
    ended_at: str | None = None
    ok: bool = False
    error: str = ""
    pieces: int = 0
    new: int = 0
    known: int = 0
    revised: int = 0
    unplaced: int = 0
    refused: int = 0
    newest: str | None = None
    next_try_at: str | None = None


_FIELDS = tuple(field.name for field in fields(Attempt))


class Fetches:
    """The store in the file ``path``, made when it is first used.

    A ``scope`` names how a provider is configured: what was stored under another one does not
    count. Methods raise :class:`~forecast.errors.LakeError` where the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def done(self, provider: str, scope: str, lake_version: int) -> frozenset[str]:
        """Keys of the settled pieces that are stored in the lake as it stands.

        Pieces recorded at a later version than ``lake_version`` were stored in another lake, which
        this one replaces: all that is known of the provider is then forgotten.
        """
        asked = (provider, scope)
        with self._open() as base:
            rows = base.execute(
                "SELECT key, version FROM pieces WHERE provider = ? AND scope = ?", asked
            ).fetchall()
        if any(version > lake_version for _, version in rows):
            self.forget(provider)
            return frozenset()
        return frozenset(key for key, _ in rows)

    def stored(
        self,
        provider: str,
        scope: str,
        key: str | None,
        *,
        version: int,
        now: pd.Timestamp,
        validators: Mapping[str, Validators] = {},
    ) -> None:
        """Remember, in one transaction, that a piece is in the lake and how its pages may be asked
        for again; ``key`` is None for a piece that is not settled."""
        with self._open() as base:
            if key is not None:
                base.execute(
                    "INSERT OR REPLACE INTO pieces VALUES (?, ?, ?, ?, ?)",
                    (provider, scope, key, version, iso(now)),
                )
            for url, known in validators.items():
                base.execute(
                    "INSERT OR REPLACE INTO validators VALUES (?, ?, ?, ?, ?)",
                    (provider, scope, url, known.etag, known.modified),
                )

    def validators(self, provider: str, scope: str, url: str) -> Validators | None:
        """What the last stored answer of ``url`` was marked with; None if nothing is known."""
        with self._open() as base:
            row = base.execute(
                "SELECT etag, modified FROM validators "
                "WHERE provider = ? AND scope = ? AND url = ?",
                (provider, scope, url),
            ).fetchone()
        return Validators(*row) if row else None

    def forget(self, provider: str) -> None:
        """Forget what is stored of a provider, so that it is all fetched again."""
        with self._open() as base:
            base.execute("DELETE FROM pieces WHERE provider = ?", (provider,))
            base.execute("DELETE FROM validators WHERE provider = ?", (provider,))

    def begin(self, provider: str, now: pd.Timestamp) -> int:
        """Record that an attempt has begun, and forget the oldest ones; return its number."""
        oldest = iso(now - pd.Timedelta(days=KEPT_DAYS))
        with self._open() as base:
            base.execute(
                "DELETE FROM attempts WHERE started_at < ? AND id NOT IN "
                "(SELECT max(id) FROM attempts WHERE ok = 1 GROUP BY provider)",
                (oldest,),
            )
            cursor = base.execute(
                "INSERT INTO attempts (provider, started_at) VALUES (?, ?)", (provider, iso(now))
            )
        return int(cursor.lastrowid or 0)

    def end(self, number: int, attempt: Attempt) -> None:
        """Record how the attempt of that number ended."""
        values = asdict(attempt)
        with self._open() as base:
            base.execute(
                f"UPDATE attempts SET {', '.join(f'{name} = :{name}' for name in _FIELDS)} "  # noqa: S608
                "WHERE id = :id",
                {**values, "id": number},
            )

    def attempts(self, provider: str | None = None, limit: int = 100) -> tuple[Attempt, ...]:
        """The last attempts, newest first, of one provider or of all."""
        where = "" if provider is None else "WHERE provider = :provider "
        return self._attempts(where, {"provider": provider, "limit": limit})

    def last_success(self, provider: str) -> Attempt | None:
        """The last attempt that ended well; None if none did."""
        found = self._attempts(
            "WHERE ok = 1 AND provider = :provider ", {"provider": provider, "limit": 1}
        )
        return found[0] if found else None

    def _attempts(self, where: str, values: Mapping[str, object]) -> tuple[Attempt, ...]:
        if not self._path.is_file():
            return ()
        with self._open() as base:
            rows = base.execute(
                f"SELECT {', '.join(_FIELDS)} FROM attempts {where}ORDER BY id DESC LIMIT :limit",  # noqa: S608
                values,
            ).fetchall()
        found = [dict(zip(_FIELDS, row, strict=True)) for row in rows]
        return tuple(Attempt(**{**row, "ok": bool(row["ok"])}) for row in found)

    def _open(self) -> AbstractContextManager[sqlite3.Connection]:
        advice = "remove it: all is then fetched again, and nothing stored is lost"
        return transaction(self._path, _TABLES, "what was fetched", advice)


def iso(instant: pd.Timestamp) -> str:
    """An instant as ISO 8601 in UTC, to the second."""
    return f"{instant.tz_convert('UTC'):%Y-%m-%dT%H:%M:%SZ}"
