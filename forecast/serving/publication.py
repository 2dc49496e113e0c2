"""Publications, written: the answers' bytes made once, so that serving them is only sending.

A publication is a directory that never changes (layout: :mod:`forecast.serving.reader`).
It is built aside, flushed to disk and renamed into place; then one atomic replacement of `current`
makes it the one being served. A writer killed at any moment leaves the previous one served.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import brotli
import numpy as np
import pandas as pd

from forecast.config import RunConfig
from forecast.errors import PublicationError
from forecast.freshness import SourceStatus
from forecast.serving.about import metadata
from forecast.serving.answer_files import (
    File,
    Past,
    Run,
    change_files,
    forecast_files,
    trust_files,
)
from forecast.serving.listing import to_json
from forecast.serving.placing import only_writer, place, prune
from forecast.serving.reader import (
    ENCODINGS,
    HASH_DIGITS,
    INDEX,
    MANIFEST,
    SCHEMA_VERSION,
)
from forecast.serving.records import ModelStamp, checked
from forecast.track_record import empty_record
from forecast.truth import Truth

KEEP = 50
"""Publications kept in the folder, the current one among them."""

EVERY_HOURS = 24.0
"""How often a publication is expected, unless configured [h]."""

_BROTLI = 9


def write_publication(
    folder: Path,
    *,
    forecasts: pd.DataFrame,
    config: RunConfig,
    sources: Sequence[SourceStatus],
    published_at: pd.Timestamp,
    model: ModelStamp,
    past: Past | None = None,
    source_rows: Sequence[Mapping[str, Any]] | None = None,
    bundle: Mapping[str, Any] | None = None,
    geometry: Mapping[str, Any] | None = None,
    pages: Callable[[Mapping[str, File]], Mapping[str, File]] | None = None,
    every_hours: float = EVERY_HOURS,
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
    past
        What had been said of past days and what came true; default: nothing is known.
    source_rows
        What is known of each source and its providers; default: the freshness of each.
    bundle
        Manifest of the model's bundle.
    geometry
        GeoJSON collection of the zones' outlines; default: points.
    pages
        Makes further files, by name, from the answers.
    every_hours
        How often a publication is expected [h].
    keep
        How many publications stay whole; of older ones the forecasts are archived for ever.

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
    about = metadata(rows, config, sources, published_at, model, every_hours)
    nothing = np.full((len(config.zones), 1), np.nan, dtype=np.float32)
    run = Run(
        rows,
        config,
        about,
        past or Past(empty_record(config.quantiles), Truth(0, nothing)),
        about["sources"] if source_rows is None else source_rows,
        bundle or {},
        geometry,
    )
    files, index = forecast_files(run)
    files |= dict(trust_files(run))
    stamp = published_at.tz_convert("UTC").strftime("%Y%m%dT%H%M%SZ")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with only_writer(folder):
            files |= change_files(run, folder, files, stamp)
            stored = _stored(files, index, pages(files) if pages else {})
            scores = json.loads(files["scoreboard.json"].body)
            facts = {"every_hours": every_hours, "last_30_days": scores["last_30_days"]}
            stored[MANIFEST] = to_json(_manifest(run, stored, facts))
            digest = hashlib.sha256(stored[MANIFEST]).hexdigest()[:HASH_DIGITS]
            target = folder / f"{stamp}-{digest}"
            place(folder, target, stored)
            prune(folder, keep)
    except OSError as error:
        raise _unwritten(folder, error) from error
    return target


def _manifest(run: Run, stored: Mapping[str, bytes], more: Mapping[str, Any]) -> dict[str, Any]:
    facts = ("published_at", "next_expected_at", "origin", "model_version", "lake_version")
    return {
        "schema_version": SCHEMA_VERSION,
        "config": run.config.id,
        "timezone": run.config.timezone,
        "quantiles": run.quantiles,
        "max_horizon_days": run.config.max_horizon_days,
        **more,
        **{key: run.about[key] for key in (*facts, "simulated")},
        "files": {
            path: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
            for path, content in stored.items()
        },
    }


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


def _stored(
    files: Mapping[str, File], index: Mapping[str, Any], pages: Mapping[str, File]
) -> dict[str, bytes]:
    """Every file but the manifest as it is stored, by path: plain, compressed, and the index."""
    everything = {**files, **pages}
    routes = {
        path: {
            "file": name,
            "media_type": file.media_type,
            "lazy": file.lazy,
            "headers": [list(header) for header in file.headers],
        }
        for name, file in everything.items()
        for path in file.paths
    }
    stored = {name: file.body for name, file in everything.items()}
    for name, body in list(stored.items()):
        stored[f"{name}{ENCODINGS['gzip']}"] = gzip.compress(body, 9, mtime=0)
        stored[f"{name}{ENCODINGS['br']}"] = brotli.compress(body, quality=_BROTLI)
    return stored | {INDEX: to_json({**index, "routes": routes})}
