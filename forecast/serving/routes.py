"""The routes, to be read like a contents page. HEAD goes wherever GET does: see ``app.py``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends
from starlette.responses import JSONResponse, Response

from forecast.serving.deps import (
    Filters,
    Nothing,
    Period,
    ServiceDep,
    ZoneId,
    Zones,
    given_once,
    published,
)
from forecast.serving.problems import unknown_zones
from forecast.serving.schemas import (
    ForecastsAnswer,
    Live,
    ProblemDetails,
    Ready,
    WeekendAnswer,
    ZonesAnswer,
)
from forecast.serving.service import Served

_Responses = dict[int | str, dict[str, Any]]
_PROBLEM: dict[str, Any] = {"model": ProblemDetails}
_UNCHANGED: dict[str, Any] = {"description": "Not modified since If-None-Match"}
_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}

v1 = APIRouter(
    prefix="/v1",
    tags=["forecasts"],
    dependencies=[Depends(given_once)],
    responses={
        304: _UNCHANGED,
        422: {**_PROBLEM, "description": "Unknown or invalid parameter"},
        503: {**_PROBLEM, "description": "No publication yet; see Retry-After"},
    },
)
health = APIRouter(prefix="/health", tags=["health"], dependencies=[Depends(given_once)])
_UNKNOWN_ZONE: _Responses = {404: {**_PROBLEM, "description": "Unknown zone; valid ids in errors"}}
_INVALID: _Responses = {422: {**_PROBLEM, "description": "Unknown parameter"}}


def _known(served: Served, zone_ids: list[str]) -> list[str]:
    unknown = [zone_id for zone_id in dict.fromkeys(zone_ids) if zone_id not in served.zone_index]
    if unknown:
        raise unknown_zones(unknown, list(served.zone_index))
    return zone_ids


@v1.get("/zones", response_model=ZonesAnswer, summary="Zones of the territory")
async def zones(service: ServiceDep, _: Nothing) -> Response:
    """Names, positions and populations; whether each zone has levels yet."""
    return published(service).answers["/v1/zones"]


@v1.get(
    "/forecasts",
    response_model=ForecastsAnswer,
    responses=_UNKNOWN_ZONE,
    summary="All zones and days in one call",
)
async def forecasts(service: ServiceDep, filters: Filters) -> Response:
    """Days 0 to 14 for every zone; narrow it with the parameters."""
    served = published(service)
    if not filters.model_fields_set:
        return served.answers["/v1/forecasts"]
    zone_ids = None if filters.zone_id is None else _known(served, filters.zone_id)
    return served.filtered("forecasts.json", zone_ids, filters.from_, filters.to)


@v1.get(
    "/forecasts/weekend",
    response_model=WeekendAnswer,
    responses=_UNKNOWN_ZONE,
    summary="The coming weekend",
)
async def weekend(service: ServiceDep, filters: Zones) -> Response:
    """Friday to Sunday by the local date of origin; what remains of them once begun (partial)."""
    served = published(service)
    if filters.zone_id is None:
        return served.answers["/v1/forecasts/weekend"]
    return served.filtered("weekend.json", _known(served, filters.zone_id))


@v1.get(
    "/zones/{zone_id:path}/forecasts",
    response_model=ForecastsAnswer,
    responses=_UNKNOWN_ZONE,
    summary="One zone, all days",
)
async def zone_forecasts(service: ServiceDep, zone_id: ZoneId, filters: Period) -> Response:
    """Days 0 to 14 of one zone."""
    served = published(service)
    _known(served, [zone_id])
    if not filters.model_fields_set:
        return served.answers[f"/v1/zones/{zone_id}/forecasts"]
    return served.filtered("forecasts.json", [zone_id], filters.from_, filters.to)


@health.get("/live", response_model=Live, responses=_INVALID, summary="Does the process answer?")
async def live(_: Nothing) -> Response:
    """Always 200: if it is not, restart the process."""
    return JSONResponse({"status": "alive"}, headers=_NO_STORE)


@health.get(
    "/ready",
    response_model=Ready,
    responses={**_INVALID, 503: {**_PROBLEM, "description": "No publication yet"}},
    summary="Is there a publication to serve?",
)
async def ready(service: ServiceDep, _: Nothing) -> Response:
    """200 as long as good forecasts are served; says if a newer publication was refused."""
    publication = published(service).publication
    return JSONResponse(
        {
            "status": "degraded" if service.refused else "ready",
            "publication": publication.name,
            "published_at": publication.manifest["published_at"],
            "origin": publication.manifest["origin"],
            "refused": service.refused,
        },
        headers=_NO_STORE,
    )
