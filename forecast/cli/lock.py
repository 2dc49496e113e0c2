"""One cycle at a time: a lock that the system lets go of even when its holder is killed."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forecast.errors import AffluxError


@contextmanager
def only_one(path: Path, since: str) -> Iterator[None]:
    """Hold the lock of the file ``path``, in which stand this process and ``since``.

    Raises
    ------
    AffluxError
        If another process holds it, or the file cannot be made.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise AffluxError(
            f"{path}: the lock cannot be made ({error.strerror}); nothing was done"
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "just begun"
            raise AffluxError(f"another run, {holder}, is under way; nothing was done") from None
        lock.truncate(0)
        lock.write(f"pid {os.getpid()}, since {since}")
        lock.flush()
        yield
