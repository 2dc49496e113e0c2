"""Publications, read back: every byte is verified before any is served.

Layout of a publications folder::

    current                              the name of the publication being served
    20260703T060000Z-9f86d081884c/       one immutable publication
        manifest.json                    origin, versions, SHA-256 and size of every other file
        index.json                       where each forecast starts in its file, and filter columns
        zones.json  forecasts.json  weekend.json  zones/0000.json ...        the answers' bytes
        zones.json.gz ...                                               the same, compressed

The name ends in the first digits of the manifest's own SHA-256, so that nothing is left unverified.
This module runs in the serving process: the standard library only.
"""

from __future__ import annotations

import hashlib
import json
import re
from array import array
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from forecast.errors import PublicationError

SCHEMA_VERSION = 1
POINTER = "current"
MANIFEST = "manifest.json"
INDEX = "index.json"
HASH_DIGITS = 12
SEPARATOR, TAIL = b",\n", b"\n]}\n"
"""What stands between two rows of a listing, and after the last."""

_NAME = re.compile(rf"[0-9]{{8}}T[0-9]{{6}}Z-[0-9a-f]{{{HASH_DIGITS}}}")
_REMEDY = "publish again with `afflux publish`"


@dataclass(frozen=True)
class Listing:
    """An answer that lists forecasts one a line, and the columns needed to pick among the lines.

    The rows begin at byte ``head``; row i is ``body[starts[i]:ends[i]]``. ``zones`` (rows,) are
    indices of zones and ``days`` (rows,) proleptic ordinals of target dates.
    """

    body: bytes
    head: int
    starts: array[int]
    ends: array[int]
    zones: array[int]
    days: array[int]

    def select(
        self,
        zones: Collection[int] | None = None,
        first: date | None = None,
        last: date | None = None,
    ) -> bytes:
        """The same answer with only the forecasts of these zones and days (bounds included)."""
        low = first.toordinal() if first else 0
        high = last.toordinal() if last else date.max.toordinal()
        rows = [
            self.body[start:end]
            for start, end, zone, day in zip(
                self.starts, self.ends, self.zones, self.days, strict=True
            )
            if low <= day <= high and (zones is None or zone in zones)
        ]
        return self.body[: self.head] + SEPARATOR.join(rows) + TAIL


@dataclass(frozen=True)
class Publication:
    """A verified publication: its name, its manifest and the bytes of its files."""

    name: str
    manifest: Mapping[str, Any]
    files: Mapping[str, bytes]
    sha256: Mapping[str, str]
    zone_files: Mapping[str, str]
    listings: Mapping[str, Listing]

    @property
    def zone_index(self) -> dict[str, int]:
        """Index of each zone in the listings, in the territory's order."""
        return {zone_id: i for i, zone_id in enumerate(self.zone_files)}


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
        raise PublicationError(f"{pointer}: cannot be read ({error}); {_REMEDY}") from error
    if not _NAME.fullmatch(name):
        raise PublicationError(f"{pointer}: {name[:80]!r} names no publication; {_REMEDY}")
    return name


def read_publication(folder: Path) -> Publication:
    """Read the current publication of ``folder`` and verify every file of it.

    Raises
    ------
    PublicationError
        If there is none, or a file is absent, truncated, altered or of another schema version.
    """
    name = current_name(folder)
    home = folder / name
    raw = _read(home / MANIFEST)
    if hashlib.sha256(raw).hexdigest()[:HASH_DIGITS] != name.rpartition("-")[2]:
        raise PublicationError(f"{home / MANIFEST}: does not match its SHA-256; {_REMEDY}")
    manifest = json.loads(raw)
    if manifest["schema_version"] != SCHEMA_VERSION:
        raise PublicationError(
            f"{home}: has schema version {manifest['schema_version']}, this server reads "
            f"{SCHEMA_VERSION}; {_REMEDY} of the same release"
        )
    files, sha256 = {}, {}
    for path, stamp in manifest["files"].items():
        content = _read(home / path)
        if len(content) != stamp["size"]:
            raise PublicationError(
                f"{home / path}: has {len(content)} bytes, expected {stamp['size']}; {_REMEDY}"
            )
        if hashlib.sha256(content).hexdigest() != stamp["sha256"]:
            raise PublicationError(f"{home / path}: does not match its SHA-256; {_REMEDY}")
        files[path], sha256[path] = content, stamp["sha256"]
    index = json.loads(files.pop(INDEX))
    listings = {
        path: Listing(
            files[path],
            columns["head"],
            array("L", columns["starts"]),
            array("L", columns["ends"]),
            array("L", columns["zones"]),
            array("L", (date.fromisoformat(day).toordinal() for day in columns["target_dates"])),
        )
        for path, columns in index["listings"].items()
    }
    return Publication(name, manifest, files, sha256, index["zone_files"], listings)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise PublicationError(
            f"{path}: cannot be read ({error.strerror or error}); {_REMEDY}"
        ) from error
