"""SQLite files that several processes may use, and of which one may be killed at any moment."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from forecast.errors import LakeError

PATIENCE_SECONDS = 60
"""How long a process waits for another one that writes [s]."""


@contextmanager
def transaction(path: Path, tables: str, what: str, advice: str) -> Iterator[sqlite3.Connection]:
    """A connection to the file ``path`` and a transaction: committed at the end, undone by an
    exception.

    Parameters
    ----------
    path
        The file; it is made, and its folder, if it is absent.
    tables
        SQL that makes its tables, and does nothing where they are there.
    what, advice
        For the message of an error: what is in the file, and what to do if it is damaged.

    Raises
    ------
    LakeError
        If the file cannot be used.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(path, timeout=PATIENCE_SECONDS)) as base:
            if base.execute("PRAGMA user_version").fetchone()[0] == 0:
                base.execute("PRAGMA journal_mode = WAL")
                base.executescript(f"{tables}\nPRAGMA user_version = 1;")
            with base:
                yield base
    except (sqlite3.Error, OSError) as error:
        raise LakeError(
            f"{path}: {what} cannot be read or written ({error}); if the file is damaged, {advice}"
        ) from error
