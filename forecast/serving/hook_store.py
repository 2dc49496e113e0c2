"""Webhooks at rest: who is told of which levels, what each was last told, what waits to be sent.

One SQLite file that only its owner can read, for it holds the secrets that sign. The server adds
and removes webhooks, the publishing process reads them and writes what it said; both at any time.
Standard library only: this is imported by the serving process.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forecast.errors import HookError

MOST_PER_KEY = 20
"""Webhooks that one key may have."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS hooks (
    id TEXT PRIMARY KEY, owner TEXT NOT NULL, url TEXT NOT NULL, secret TEXT NOT NULL,
    level TEXT NOT NULL, zone_ids TEXT NOT NULL, horizon INTEGER NOT NULL, created_at TEXT NOT NULL,
    delivered_at TEXT, failing_since TEXT, last_error TEXT, disabled_at TEXT
);
CREATE TABLE IF NOT EXISTS told (
    hook TEXT NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    zone_id TEXT NOT NULL, target_date TEXT NOT NULL, level TEXT NOT NULL,
    PRIMARY KEY (hook, zone_id, target_date)
);
CREATE TABLE IF NOT EXISTS outbox (
    id TEXT PRIMARY KEY, hook TEXT NOT NULL REFERENCES hooks (id) ON DELETE CASCADE,
    body TEXT NOT NULL, made_at TEXT NOT NULL
);
"""

Told = dict[tuple[str, str], str]
"""Level last told, by zone and target date; a day of which nothing holds is absent."""


@dataclass(frozen=True)
class Hook:
    """One webhook. Instants are UTC text, None while there is none.

    ``level`` is the least severe level told of, ``zone_ids`` the zones (none: all), ``horizon`` the
    farthest day ahead told of [d]. After days of failure it is disabled, and told nothing more.
    """

    id: str
    owner: str
    url: str
    secret: str
    level: str
    zone_ids: tuple[str, ...]
    horizon: int
    created_at: str
    delivered_at: str | None = None
    failing_since: str | None = None
    last_error: str | None = None
    disabled_at: str | None = None


@dataclass(frozen=True)
class Message:
    """A notice that waits to be delivered; ``id`` stays the same however often it is tried."""

    id: str
    hook: str
    body: str
    made_at: str


class HookStore:
    """The webhooks in ``path``, a file that is made by the first one added.

    Methods raise :class:`~forecast.errors.HookError` if it cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, hook: Hook) -> bool:
        """Keep a webhook; False if its owner has as many as are allowed."""
        with self._open() as base:
            (count,) = base.execute(
                "SELECT count(*) FROM hooks WHERE owner = ?", (hook.owner,)
            ).fetchone()
            if count >= MOST_PER_KEY:
                return False
            row = {**hook.__dict__, "zone_ids": json.dumps(hook.zone_ids)}
            columns = ", ".join(row)
            base.execute(
                f"INSERT INTO hooks ({columns}) VALUES ({', '.join('?' * len(row))})",  # noqa: S608
                tuple(row.values()),
            )
        return True

    def remove(self, owner: str, hook_id: str) -> bool:
        """Forget a webhook and what waits for it; False if its owner has no such one."""
        if not self.path.exists():
            return False
        with self._open() as base:
            found = base.execute("DELETE FROM hooks WHERE owner = ? AND id = ?", (owner, hook_id))
            return found.rowcount > 0

    def hooks(self, owner: str | None = None) -> list[Hook]:
        """Webhooks, oldest first; with ``owner`` only that one's."""
        if not self.path.exists():
            return []
        where, given = ("WHERE owner = ?", (owner,)) if owner is not None else ("", ())
        with self._open() as base:
            rows = base.execute(f"SELECT * FROM hooks {where} ORDER BY created_at, id", given)  # noqa: S608
            return [_hook(row) for row in rows]

    def told(self, hook_id: str) -> Told:
        """What a webhook was last told of each zone and day."""
        with self._open() as base:
            rows = base.execute(
                "SELECT zone_id, target_date, level FROM told WHERE hook = ?", (hook_id,)
            )
            return {(row["zone_id"], row["target_date"]): row["level"] for row in rows}

    def tell(self, hook_id: str, told: Told, message: Message | None) -> None:
        """Keep what a webhook is told as of now, and what says so, in one step.

        A webhook that has gone meanwhile is told nothing.
        """
        with self._open() as base:
            if not base.execute("SELECT 1 FROM hooks WHERE id = ?", (hook_id,)).fetchone():
                return
            base.execute("DELETE FROM told WHERE hook = ?", (hook_id,))
            base.executemany(
                "INSERT INTO told VALUES (?, ?, ?, ?)",
                [(hook_id, zone, day, level) for (zone, day), level in told.items()],
            )
            if message is not None:
                base.execute(
                    "INSERT INTO outbox VALUES (?, ?, ?, ?)",
                    (message.id, hook_id, message.body, message.made_at),
                )

    def waiting(self, hook_id: str) -> list[Message]:
        """Notices not delivered yet, oldest first."""
        with self._open() as base:
            rows = base.execute(
                "SELECT * FROM outbox WHERE hook = ? ORDER BY made_at, rowid", (hook_id,)
            )
            return [Message(**dict(row)) for row in rows]

    def delivered(self, message: Message, now: str) -> None:
        """A notice has arrived."""
        with self._open() as base:
            base.execute("DELETE FROM outbox WHERE id = ?", (message.id,))
            base.execute(
                "UPDATE hooks SET delivered_at = ?, failing_since = NULL, last_error = NULL "
                "WHERE id = ?",
                (now, message.hook),
            )

    def failed(self, hook_id: str, error: str, now: str, *, disable: bool) -> None:
        """A webhook could not be told; if disabled, what waits for it is dropped."""
        with self._open() as base:
            base.execute(
                "UPDATE hooks SET failing_since = coalesce(failing_since, ?), last_error = ? "
                "WHERE id = ?",
                (now, error, hook_id),
            )
            if disable:
                base.execute("UPDATE hooks SET disabled_at = ? WHERE id = ?", (now, hook_id))
                base.execute("DELETE FROM outbox WHERE hook = ?", (hook_id,))

    def _make(self) -> None:
        """The file, before SQLite would make it readable to others."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(self.path, os.O_CREAT | os.O_WRONLY, 0o600))
        except OSError as error:
            raise self._unusable(error.strerror or str(error)) from error

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A transaction; SQLite's own journal beside the file has the file's permissions."""
        self._make()
        try:
            with closing(sqlite3.connect(self.path, timeout=10)) as base, base:
                base.row_factory = sqlite3.Row
                base.execute("PRAGMA foreign_keys = ON")
                base.executescript(_SCHEMA)
                base.execute("BEGIN IMMEDIATE")
                yield base
        except sqlite3.Error as error:
            raise self._unusable(str(error)) from error

    def _unusable(self, why: str) -> HookError:
        return HookError(
            f"{self.path}: the webhooks cannot be read or written ({why}); see its permissions, or "
            "move it away to start without any"
        )


def _hook(row: Mapping[str, Any] | sqlite3.Row) -> Hook:
    facts: dict[str, Any] = dict(row)
    zones: Sequence[str] = json.loads(facts.pop("zone_ids"))
    return Hook(**facts, zone_ids=tuple(zones))
