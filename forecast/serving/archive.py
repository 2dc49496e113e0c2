"""Earlier publications: which one was known at an instant, and what is kept of it for ever.

The newest stay whole. Of an older one its forecasts stay, in ``archive/<name>.json.gz``: the
manifest, whose SHA-256 is in the name, and the files it vouches for. This module runs in the
serving process: the standard library only.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from forecast.errors import PublicationError
from forecast.serving.reader import LISTED, MANIFEST, Publication, is_name, read_past

FOLDER = "archive"
_ENDING = ".json.gz"


def published_at(name: str) -> datetime:
    """Instant of publication [UTC], which every name begins with.

    >>> published_at("20260703T060000Z-9f86d081884c").isoformat()
    '2026-07-03T06:00:00+00:00'
    """
    return datetime.strptime(name[:16], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)


def names(folder: Path) -> list[str]:
    """Publications that can still be read, archived ones too, oldest first."""
    found = set()
    for place, ending in ((folder, ""), (folder / FOLDER, _ENDING)):
        try:
            entries = [path.name for path in place.iterdir()]
        except FileNotFoundError:
            continue
        except OSError as error:
            raise PublicationError(f"{place}: cannot be read ({error.strerror})") from error
        found |= {name.removesuffix(ending) for name in entries if name.endswith(ending)}
    return sorted(name for name in found if is_name(name))


def known_at(ordered: Sequence[str], instant: datetime) -> str | None:
    """The newest of ``ordered`` published at ``instant`` or before; None if there is none."""
    position = bisect_right(ordered, instant.astimezone(UTC), key=published_at)
    return ordered[position - 1] if position else None


def before_day(ordered: Sequence[str], instant: datetime) -> str | None:
    """The newest of ``ordered`` from a civil day before that of ``instant``, in its time zone."""
    midnight = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    earlier = [name for name in ordered if published_at(name) < midnight]
    return earlier[-1] if earlier else None


def read(folder: Path, name: str) -> Publication:
    """The forecasts of an earlier publication, whole or archived, verified.

    Raises
    ------
    PublicationError
        If it is gone or damaged.
    """
    home = folder / name
    try:
        manifest = (home / MANIFEST).read_bytes()
        return read_past(name, {f: (home / f).read_bytes() for f in LISTED}, manifest, home)
    except FileNotFoundError:
        return _read_archived(folder / FOLDER / f"{name}{_ENDING}", name)
    except OSError as error:
        raise PublicationError(f"{home}: cannot be read ({error.strerror or error})") from error


def _read_archived(path: Path, name: str) -> Publication:
    try:
        kept = json.loads(gzip.decompress(path.read_bytes()))
        files = {file: text.encode() for file, text in kept["files"].items()}
        manifest = kept["manifest"].encode()
    except (OSError, EOFError, zlib.error, ValueError, KeyError, AttributeError) as error:
        raise PublicationError(
            f"{path}: cannot be read ({error}); restore it from a backup, or remove it"
        ) from error
    return read_past(name, files, manifest, path)


def keep(folder: Path, name: str) -> None:
    """Archive a whole publication, in one step; one that is archived already is left as it is.

    Raises
    ------
    PublicationError
        If it is damaged: nothing that can be verified is left to keep.
    OSError
        If the archive cannot be written.
    """
    path = folder / FOLDER / f"{name}{_ENDING}"
    if path.exists():
        return
    found = read(folder, name)
    content = {
        "name": name,
        "manifest": (folder / name / MANIFEST).read_text(encoding="utf-8"),
        "files": {file: found.files[file].decode() for file in LISTED},
    }
    path.parent.mkdir(exist_ok=True)
    aside = path.with_name(f".{path.name}")
    with aside.open("wb") as file:
        file.write(gzip.compress(json.dumps(content, ensure_ascii=False).encode(), 9, mtime=0))
        file.flush()
        os.fsync(file.fileno())
    aside.replace(path)
    descriptor = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
