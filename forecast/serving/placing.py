"""Publications on disk: built aside, flushed, renamed into place, pruned; one writer at a time."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from forecast.errors import PublicationError
from forecast.serving import archive
from forecast.serving.reader import POINTER, current_name

_BUILDING = ".building-"

_log = logging.getLogger(__name__)


@contextmanager
def only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it even when the writer is killed."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def place(folder: Path, target: Path, files: Mapping[str, bytes]) -> None:
    """Write a publication into ``target``, a folder of ``folder``, and make it the current one."""
    building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder))
    try:
        for path, content in files.items():
            file = building / path
            file.parent.mkdir(exist_ok=True)
            _write(file, content)
        for made in {(building / path).parent for path in files}:
            _flush(made)
        building.chmod(0o755)
        if not target.exists():  # The name holds the hash: what exists is already the same.
            building.rename(target)
            _flush(folder)
        pointer = building.with_name(f"{_BUILDING}{POINTER}")
        _write(pointer, f"{target.name}\n".encode())
        pointer.replace(folder / POINTER)
        _flush(folder)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _flush(folder: Path) -> None:
    """Make the names in a folder as durable as the bytes of its files."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def prune(folder: Path, keep: int) -> None:
    """Archive and remove the oldest publications beyond ``keep``, and what killed writers left.

    What cannot be archived, because it is damaged, is not removed either.
    """
    current = current_name(folder)
    names = sorted(path.name for path in folder.glob("*Z-*") if path.name != current)
    for name in names[: max(0, len(names) - (keep - 1))]:
        try:
            archive.keep(folder, name)
        except PublicationError as error:
            _log.warning("not archived, and left where it is: %s", error)
        else:
            shutil.rmtree(folder / name, ignore_errors=True)
    for path in folder.glob(f"{_BUILDING}*"):
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
