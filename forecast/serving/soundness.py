"""Whether a publication holds what requests will ask of it, found out before it is served.

Hashes say that the bytes are those that were written, not that a sound program wrote them. So what
requests do is rehearsed once; what fails is a publication refused, never a failed request or a
server that stops. This module runs in the serving process: the standard library only.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

from forecast.errors import PublicationError
from forecast.serving.headers import missed_runs
from forecast.serving.listing import LEVELS, Listing

if TYPE_CHECKING:
    from forecast.serving.reader import Publication

REMEDY = "publish again with `afflux publish`"

IN_MEMORY = ("/v1/zones", "/v1/forecasts", "/v1/forecasts/weekend")
ON_DISK = (
    *("/v1/zones.geojson", "/v1/changes", "/v1/changes.atom", "/v1/scoreboard", "/v1/sources"),
    *("/v1/model", "/v1/dcat.jsonld", "/v1/schemas/forecasts.json"),
)
"""Paths that every publication answers, from memory or from wherever it likes."""

_HEADER = re.compile(r"[\t -~]*")
_HEADER_NAME = re.compile(r"[-!#$%&'*+.^_`|~0-9A-Za-z]+")
_LATER = datetime(9999, 1, 1, tzinfo=UTC)


@contextmanager
def refusing(where: object) -> Iterator[None]:
    """Turn whatever goes wrong while a publication is read into its refusal.

    Raises
    ------
    PublicationError
        Naming ``where``, what went wrong, and the cure.
    """
    try:
        yield
    except PublicationError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {str(error)[:200]}"
        raise PublicationError(f"{where}: cannot be served ({said}); {REMEDY}") from error


def check(found: Publication, *, whole: bool) -> None:
    """Do once what requests do with a publication; of an archived one (not ``whole``), less.

    Raises
    ------
    Exception
        Of any kind, if requests would fail: call it within :func:`refusing`.
    """
    manifest = found.manifest
    published_at = datetime.fromisoformat(manifest["published_at"])
    every_hours = float(manifest.get("every_hours", 24.0))
    for now in (published_at, _LATER):
        missed_runs(published_at, now, every_hours)
    found.local_time()  # Its time zone is one that there is.
    format_datetime(published_at, usegmt=True)  # It is in UTC, as Last-Modified has to be.
    _text(manifest["origin"], manifest["model_version"], *found.quantiles)
    if not found.quantiles or not found.listings["forecasts.json"].starts:
        raise ValueError("there is no forecast, or no quantile")
    for share in manifest.get("last_30_days", {}).values():
        float(0.0 if share is None else share)
    for listing in found.listings.values():
        _check_listing(listing, found.quantiles)
        about = listing.about()["metadata"]
        _text(about["origin"], about["published_at"], about["territory"]["name"])
    if whole:
        _check_routes(found)
        about = json.loads(found.files[found.routes["/v1/zones"].file])["metadata"]
        for source in about["sources"]:
            _text(source["source"])
            if source["read_at"] is not None:
                published_at - datetime.fromisoformat(source["read_at"])  # both have a time zone
            float(source["missed_runs"])
            float(source["fresh"])


def _check_listing(listing: Listing, quantiles: Sequence[str]) -> None:
    """Whether every row can be cut out of the body, and the first one has these quantiles."""
    rows = list(zip(listing.starts, listing.ends, strict=True))
    if {len(listing.zones), len(listing.days), len(listing.horizons), len(listing.levels)} != {
        len(rows)
    }:
        raise ValueError("columns of a listing differ in length")
    before = listing.head
    for start, end in rows:
        if not (
            before <= start < end <= len(listing.body)
            and listing.body[start : start + 1] == b"{"
            and listing.body[end - 1 : end] == b"}"
        ):
            raise ValueError(f"no forecast stands at bytes {start} to {end}")
        before = end
    if rows:
        first = json.loads(listing.body[rows[0][0] : rows[0][1]])["influx"]
        if absent := [name for name in quantiles if name not in first]:
            raise ValueError(f"no forecast has the quantile {absent[0]!r}")
    _text(*listing.zone_ids)
    if rows:
        datetime.fromordinal(min(listing.days))
        datetime.fromordinal(max(listing.days))
        if not 0 <= min(listing.zones) <= max(listing.zones) < len(listing.zone_ids):
            raise ValueError("a forecast is of no zone")
        if not -1 <= min(listing.levels) <= max(listing.levels) < len(LEVELS):
            raise ValueError("a forecast has no such level")


def _check_routes(found: Publication) -> None:
    """Whether every path has its file, in memory where that is promised, with sound headers."""
    needed = {"zones.geojson"}
    for path, route in found.routes.items():
        _text(path, route.file)
        for name, value in (("content-type", route.media_type), *route.headers):
            if not (_HEADER_NAME.fullmatch(name) and _HEADER.fullmatch(value)):
                raise ValueError(f"{name[:80]!r}: {value[:80]!r} cannot be a header")
        needed |= {route.file, *found.compressed(route.file).values()}
    if unnamed := sorted(needed - found.manifest["files"].keys()):
        raise ValueError(f"the manifest does not name {unnamed[0]}")
    zones = [f"/v1/zones/{zone}/forecasts" for zone in found.zone_files]
    histories = [f"/v1/zones/{zone}/history" for zone in found.zone_files]
    absent = [p for p in (*IN_MEMORY, *ON_DISK, *zones, *histories) if p not in found.routes]
    absent += [p for p in IN_MEMORY if p in found.routes and found.routes[p].lazy]
    if absent:
        raise ValueError(f"nothing answers {absent[0]}")
    for path in histories:
        if b'"history":[\n' not in found.read(found.routes[path].file):
            raise ValueError(f"what answers {path} is no history")


def _text(*values: Any) -> None:
    for value in values:
        if not isinstance(value, str):
            raise TypeError(f"{value!r:.80} is no text")
        value.encode()  # It holds no halves of characters.
