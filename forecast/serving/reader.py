"""Publications, read back: every byte is verified before any is served.

Layout of a publications folder::

    current                              the name of the publication being served
    archive/20260601T060500Z-….json.gz   what is kept for ever of those that were removed
    20260703T060000Z-9f86d081884c/       one immutable publication
        manifest.json                    origin, versions, SHA-256 and size of every other file
        index.json                       which file answers which path, and where forecasts start
        zones.json  forecasts.json  forecasts.csv  history/0000.json ...     the answers' bytes
        zones.json.gz  zones.json.br ...                                 the same, compressed

The name ends in the first digits of the manifest's own SHA-256, so that nothing is left unverified.
What is polled is held in memory; what is large or rarely asked for stays on disk, and is verified
again when it is read. This module runs in the serving process: the standard library only.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from forecast.errors import PublicationError
from forecast.serving.listing import Listing, Selection
from forecast.serving.soundness import REMEDY, check, refusing

SCHEMA_VERSION = 2
POINTER = "current"
MANIFEST = "manifest.json"
INDEX = "index.json"
HASH_DIGITS = 12
ENCODINGS = {"gzip": ".gz", "br": ".br"}
"""Content codings that a file may also be stored in, and what its name then ends in."""

LISTED = ("forecasts.json", "weekend.json")
"""Files that list forecasts one a line."""

_NAME = re.compile(rf"[0-9]{{8}}T[0-9]{{6}}Z-[0-9a-f]{{{HASH_DIGITS}}}")


@dataclass(frozen=True)
class Route:
    """What answers a path: a file of the publication, and how it is sent.

    ``lazy`` files are read from disk when they are asked for; ``headers`` are further headers.
    """

    file: str
    media_type: str
    lazy: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Publication:
    """A verified publication: its name, its manifest, the files held in memory, and its routes."""

    name: str
    manifest: Mapping[str, Any]
    home: Path
    files: Mapping[str, bytes]
    routes: Mapping[str, Route]
    zone_files: Mapping[str, str]
    columns: Mapping[str, Mapping[str, Any]]

    @cached_property
    def zone_index(self) -> dict[str, int]:
        """Position of each zone in the territory's order."""
        return {zone_id: i for i, zone_id in enumerate(self.zone_files)}

    @cached_property
    def listings(self) -> dict[str, Listing]:
        """The files that list forecasts, made when a filter first asks for them."""
        return {
            file: Listing.restored(self.files[file], self.columns[file])
            if file in self.columns
            else Listing.of(self.files[file])
            for file in LISTED
        }

    @cached_property
    def quantiles(self) -> list[str]:
        """Names of the quantiles that ``influx`` has."""
        named: list[str] | None = self.manifest.get("quantiles")
        if named is None:  # made before they were named
            lines = self.listings["forecasts.json"].lines(Selection())
            named = list(json.loads(lines[0])["influx"]) if lines else []
        return list(named)

    def local_time(self) -> datetime:
        """Instant of publication in the territory's time zone."""
        published = datetime.fromisoformat(self.manifest["published_at"])
        return published.astimezone(ZoneInfo(self.manifest.get("timezone", "Europe/Paris")))

    def compressed(self, file: str) -> dict[str, str]:
        """Names of the files that hold a file in other encodings, by encoding."""
        return {encoding: f"{file}{end}" for encoding, end in ENCODINGS.items()}

    def sha256(self, file: str) -> str:
        """SHA-256 of a file, from the manifest."""
        return str(self.manifest["files"][file]["sha256"])

    def read(self, file: str) -> bytes:
        """A file of the publication, from memory or, verified, from disk.

        Raises
        ------
        PublicationError
            If it is on disk and can no longer be read as it was written.
        """
        held = self.files.get(file)
        return held if held is not None else _verified(self.home, self.manifest, file)


def current_name(folder: Path) -> str:
    """Name of the publication that ``folder`` says is current.

    Raises
    ------
    PublicationError
        If there is none, or the pointer cannot be read.
    """
    pointer = folder / POINTER
    try:
        name = pointer.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        raise PublicationError(
            f"{folder}: no publication yet; publish one with `afflux publish`"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise PublicationError(f"{pointer}: cannot be read ({error}); {REMEDY}") from error
    if not is_name(name):
        raise PublicationError(f"{pointer}: {name[:80]!r} names no publication; {REMEDY}")
    return name


def is_name(name: str) -> bool:
    """Whether ``name`` can be that of a publication."""
    return _NAME.fullmatch(name) is not None


def read_publication(folder: Path) -> Publication:
    """Read the current publication of ``folder`` and verify every file of it.

    Raises
    ------
    PublicationError
        If there is none, a file is absent, truncated, altered or of another schema version, or
        requests could not be answered from it.
    """
    name = current_name(folder)
    home = folder / name
    with refusing(home):
        found = _read(name, home)
        check(found, whole=True)
    return found


def _read(name: str, home: Path) -> Publication:
    manifest = checked_manifest(name, _bytes(home / MANIFEST), home / MANIFEST)
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise PublicationError(
            f"{home}: has schema version {manifest['schema_version']}, this server reads "
            f"{SCHEMA_VERSION}; {REMEDY} of the same release"
        )
    index = json.loads(_verified(home, manifest, INDEX))
    routes = {
        path: Route(**{**facts, "headers": tuple(map(tuple, facts.get("headers", ())))})
        for path, facts in index["routes"].items()
    }
    kept = {route.file for route in routes.values() if not route.lazy} | set(LISTED)
    kept |= {f"{file}{end}" for file in kept for end in ENCODINGS.values()}
    files = {}
    for file in manifest["files"]:
        content = _verified(home, manifest, file)
        if file in kept:
            files[file] = content
    return Publication(name, manifest, home, files, routes, index["zone_files"], index["listings"])


def read_past(
    name: str, files: Mapping[str, bytes], manifest_bytes: bytes, where: Path
) -> Publication:
    """What is kept of an earlier publication: its forecasts, all and of the weekend.

    Raises
    ------
    PublicationError
        If the manifest does not match ``name``, a file does not match the manifest, or requests
        could not be answered from it.
    """
    with refusing(where):
        manifest = checked_manifest(name, manifest_bytes, where)
        for file in LISTED:
            if file not in files:
                raise PublicationError(f"{where}: lacks {file}; it cannot be served")
            _check(where, manifest, file, files[file])
        zones = dict.fromkeys(Listing.of(files["forecasts.json"]).zone_ids, "")
        found = Publication(name, manifest, where, files, {}, zones, {})
        check(found, whole=False)
    return found


def checked_manifest(name: str, raw: bytes, where: Path) -> dict[str, Any]:
    """The manifest, if its SHA-256 is the one in the publication's name."""
    if hashlib.sha256(raw).hexdigest()[:HASH_DIGITS] != name.rpartition("-")[2]:
        raise PublicationError(f"{where}: does not match its SHA-256; {REMEDY}")
    found: dict[str, Any] = json.loads(raw)
    return found


def _verified(home: Path, manifest: Mapping[str, Any], file: str) -> bytes:
    content = _bytes(home / file)
    _check(home / file, manifest, file, content)
    return content


def _check(path: Path, manifest: Mapping[str, Any], file: str, content: bytes) -> None:
    stamp = manifest["files"][file]
    if len(content) != stamp["size"]:
        raise PublicationError(
            f"{path}: has {len(content)} bytes, expected {stamp['size']}; {REMEDY}"
        )
    if hashlib.sha256(content).hexdigest() != stamp["sha256"]:
        raise PublicationError(f"{path}: does not match its SHA-256; {REMEDY}")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PublicationError(
            f"{path}: cannot be read ({error.strerror or error}); {REMEDY}"
        ) from error
