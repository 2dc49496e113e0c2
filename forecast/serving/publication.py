"""Publications, written: the answers' bytes made once, so that serving them is only sending.

A publication is a directory that never changes (layout: :mod:`forecast.serving.reader`).
It is built aside, flushed to disk and renamed into place; then one atomic replacement of `current`
makes it the one being served. A writer killed at any moment leaves the previous one served.
"""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.config import RunConfig
from forecast.errors import PublicationError
from forecast.freshness import SourceStatus
from forecast.serving.reader import (
    HASH_DIGITS,
    INDEX,
    MANIFEST,
    POINTER,
    SCHEMA_VERSION,
    SEPARATOR,
    TAIL,
    current_name,
)
from forecast.serving.records import (
    ModelStamp,
    checked,
    forecast_records,
    metadata,
    weekend_days,
    zone_records,
)

KEEP = 50
"""Publications kept in the folder, the current one among them."""

_BUILDING = ".building-"


def write_publication(
    folder: Path,
    *,
    forecasts: pd.DataFrame,
    config: RunConfig,
    sources: Sequence[SourceStatus],
    published_at: pd.Timestamp,
    model: ModelStamp,
    keep: int = KEEP,
) -> Path:
    """Write a publication of these forecasts and make it the current one.

    Parameters
    ----------
    folder
        Folder of publications; made if absent.
    forecasts
        One run: rows of the forecasts table (:func:`forecast.tables.forecasts_schema`).
    sources
        Freshness of each source at the origin.
    published_at
        The present instant, with its time zone.
    keep
        How many publications stay in the folder.

    Returns
    -------
    Path
        The directory of the new publication.

    Raises
    ------
    SchemaError, PublicationError
        If the forecasts are not one complete run, or the folder cannot be written; the current
        publication is then still the previous one.
    """
    rows = checked(forecasts, config, model)
    about = metadata(rows, config, sources, published_at, model)
    files = _answers(rows, config, about)
    manifest = {
        "schema_version": SCHEMA_VERSION,
        "config": config.id,
        **{
            key: about[key]
            for key in ("published_at", "origin", "model_version", "lake_version", "simulated")
        },
        "files": {
            path: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for path, content in files.items()
        },
    }
    files[MANIFEST] = json.dumps(manifest, indent=1).encode()
    digest = hashlib.sha256(files[MANIFEST]).hexdigest()[:HASH_DIGITS]
    stamp = published_at.tz_convert("UTC").strftime("%Y%m%dT%H%M%SZ")
    target = folder / f"{stamp}-{digest}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _only_writer(folder):
            _place(folder, target, files)
            _prune(folder, keep)
    except OSError as error:
        raise _unwritten(folder, error) from error
    return target


def ensure_writable(folder: Path) -> None:
    """Make the folder of publications if it is absent; see that a file can be made in it.

    Raises
    ------
    PublicationError
        If not.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            return
    except OSError as error:
        raise _unwritten(folder, error) from error


def _unwritten(folder: Path, error: OSError) -> PublicationError:
    return PublicationError(
        f"{folder}: the publication could not be written ({error.strerror or error}); "
        "the previous one is still served"
    )


def _answers(rows: pd.DataFrame, config: RunConfig, about: dict[str, Any]) -> dict[str, bytes]:
    """Every file but the manifest, by path."""
    records = list(forecast_records(rows, config))
    zones = [zone.id for zone in config.zones]
    local_day = rows["origin"].iloc[0].tz_convert(config.timezone).date()
    days = [day.isoformat() for day in weekend_days(local_day)]
    weekend = {"start": days[0], "end": days[-1], "days": days, "partial": len(days) < 3}
    by_zone: dict[str, list[dict[str, Any]]] = {zone_id: [] for zone_id in zones}
    for record in records:
        by_zone[record["zone_id"]].append(record)
    rank = {zone_id: i for i, zone_id in enumerate(zones)}
    zone_files = {zone_id: f"zones/{i:04d}.json" for zone_id, i in rank.items()}

    bodies = {"zones.json": _lines({"metadata": about}, "zones", zone_records(rows, config))[0]}
    listings = {}
    for path, head, listed in (
        ("forecasts.json", {"metadata": about}, records),
        (
            "weekend.json",
            {"metadata": about, "weekend": weekend},
            [record for record in records if record["target_date"] in days],
        ),
    ):
        bodies[path], offsets = _lines(head, "forecasts", listed)
        listings[path] = {
            **offsets,
            "zones": [rank[record["zone_id"]] for record in listed],
            "target_dates": [record["target_date"] for record in listed],
        }
    for zone_id, path in zone_files.items():
        bodies[path], _ = _lines({"metadata": about}, "forecasts", by_zone[zone_id])
    index = {"zone_files": zone_files, "listings": listings}
    compressed = {f"{path}.gz": gzip.compress(body, 9, mtime=0) for path, body in bodies.items()}
    return bodies | compressed | {INDEX: _json(index)}


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode()


def _lines(
    head: dict[str, Any], name: str, records: Iterable[dict[str, Any]]
) -> tuple[bytes, dict[str, Any]]:
    """A JSON object that ends in a list with one record a line, and where each line is."""
    start = _json(head)[:-1] + f',"{name}":[\n'.encode()
    rows = [_json(record) for record in records]
    starts, ends, position = [], [], len(start)
    for row in rows:
        starts.append(position)
        ends.append(position + len(row))
        position = ends[-1] + len(SEPARATOR)
    body = start + SEPARATOR.join(rows) + TAIL
    return body, {"head": len(start), "starts": starts, "ends": ends}


@contextmanager
def _only_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; the system lets go of it even when the writer is killed."""
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _place(folder: Path, target: Path, files: dict[str, bytes]) -> None:
    building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=folder))
    try:
        for path, content in files.items():
            place = building / path
            place.parent.mkdir(exist_ok=True)
            _write(place, content)
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


def _prune(folder: Path, keep: int) -> None:
    """Remove the oldest publications beyond ``keep`` and what killed writers left."""
    current = current_name(folder)
    names = sorted(path.name for path in folder.glob("*Z-*") if path.name != current)
    left = [path.name for path in folder.glob(f"{_BUILDING}*") if path.is_dir()]
    for name in names[: max(0, len(names) - (keep - 1))] + left:
        shutil.rmtree(folder / name, ignore_errors=True)
