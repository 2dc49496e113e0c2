"""What routes share: the publication that is asked about, the forecasts of it, and how they go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import TypeVar

from starlette.requests import Request
from starlette.responses import Response

from forecast.errors import PublicationError
from forecast.serving.archive import names, published_at
from forecast.serving.deps import (
    ContentFilters,
    HorizonFilters,
    PeriodFilters,
    ZoneFilters,
    published,
)
from forecast.serving.formats import negotiated, rendered
from forecast.serving.listing import LEVELS, Selection
from forecast.serving.problems import (
    INVALID_PARAMETER,
    NOT_ACCEPTABLE,
    NOT_YET_PUBLISHED,
    RETRY_AFTER_SECONDS,
    STORED_UNREADABLE,
    ProblemError,
    fault,
    unknown_zones,
)
from forecast.serving.reader import Publication
from forecast.serving.service import Served, Service

_log = logging.getLogger("uvicorn.error")

T = TypeVar("T")


async def from_disk(work: Callable[..., T], *arguments: object) -> T:
    """What ``work`` reads, off the event loop; what is damaged becomes a problem.

    The file is named in the log alone: answers hold no paths of the server.
    """
    try:
        return await asyncio.to_thread(work, *arguments)
    except PublicationError as error:
        _log.error("not served: %s", error)
        raise ProblemError(
            STORED_UNREADABLE,
            f"What is stored for this answer is damaged. {STORED_UNREADABLE.remedy}",
            headers={"retry-after": str(RETRY_AFTER_SECONDS)},
        ) from error


def known(served: Served, zone_ids: Sequence[str]) -> tuple[str, ...]:
    """The zones, each once; raises the 404 that lists the valid ones."""
    asked = dict.fromkeys(zone_ids)
    unknown = [zone_id for zone_id in asked if zone_id not in served.zone_index]
    if unknown:
        raise unknown_zones(unknown, list(served.zone_index))
    return tuple(asked)


async def edition_at(service: Service, served: Served, as_of: datetime | None) -> Publication:
    """The publication as known at an instant (None: now); raises the 404 if there was none."""
    if as_of is None:
        return served.publication
    found = await from_disk(service.known_at, served, as_of)
    if found is None:
        every = [*await from_disk(names, service.folder), served.publication.name]
        first = published_at(min(every))
        raise ProblemError(
            NOT_YET_PUBLISHED,
            f"Nothing had been published at {as_of:%Y-%m-%dT%H:%M:%SZ}; the first publication is "
            f"of {first:%Y-%m-%dT%H:%M:%SZ}. {NOT_YET_PUBLISHED.remedy}",
        )
    return found


def selection(
    filters: ContentFilters, edition: Publication, zone_ids: tuple[str, ...] | None
) -> Selection:
    """What the parameters ask for; raises the 422 for a quantile that ``edition`` has not."""
    first = last = horizons = None
    if isinstance(filters, PeriodFilters):
        first, last = filters.from_, filters.to
    if isinstance(filters, HorizonFilters) and filters.horizon_days is not None:
        horizons = tuple(sorted(set(filters.horizon_days)))
    level = None if filters.level_at_least is None else LEVELS.index(filters.level_at_least)
    quantiles = None
    if filters.quantiles is not None:
        valid = edition.quantiles
        unknown = [name for name in dict.fromkeys(filters.quantiles) if name not in valid]
        if unknown:
            raise ProblemError(
                INVALID_PARAMETER,
                f"There is no quantile {', '.join(repr(name[:16]) for name in unknown[:5])} in "
                f"this publication. {INVALID_PARAMETER.remedy}",
                [fault("quantiles", n[:64], "unknown quantile", valid) for n in unknown[:20]],
            )
        quantiles = tuple(name for name in valid if name in filters.quantiles)
    return Selection(zone_ids, first, last, horizons, level, quantiles)


async def forecasts_answer(
    request: Request,
    service: Service,
    filters: ContentFilters,
    *,
    path: str,
    file: str,
    offered: Sequence[str],
    form: str | None = None,
    zone_id: str | None = None,
) -> Response:
    """The forecasts of a file as the parameters, the extension and Accept ask.

    ``path`` is where the unfiltered answer is stored, ``form`` the extension if there is one, and
    ``zone_id`` the zone if the path names one.
    """
    served = published(service)
    form = form or negotiated(request.headers.get("accept"), offered)
    asked: tuple[str, ...] | None = (zone_id,) if zone_id is not None else None
    if isinstance(filters, ZoneFilters) and filters.zone_id is not None:
        asked = tuple(filters.zone_id)
    zone_ids = None if asked is None else known(served, asked)
    edition = await edition_at(service, served, filters.as_of)
    wanted = selection(filters, edition, zone_ids)
    whole = wanted.everything or (wanted == Selection(zone_ids) and zone_id is not None)
    if whole and edition is served.publication and filters.locale == "en":
        stored = await from_disk(served.stored, path if form == "json" else f"{path}.{form}")
        if stored is not None:
            return stored
    if form == "parquet":
        raise ProblemError(
            NOT_ACCEPTABLE,
            "Parquet is offered for all forecasts of the present publication; remove the filters, "
            "or ask for CSV.",
        )
    outlines = b""
    if form == "geojson":
        outlines = await from_disk(served.publication.read, "zones.geojson")
    headers = [(b"afflux-publication", edition.name.encode())]
    return await asyncio.to_thread(
        rendered,
        edition,
        file,
        wanted,
        form,
        locale=filters.locale,
        outlines=outlines,
        quantiles=wanted.quantiles or edition.quantiles,
        headers=headers,
    )
