"""Routes of forecasts: all zones, the weekend, one zone, and why."""

from __future__ import annotations

from typing import Any, Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from forecast.serving.asking import forecasts_answer, from_disk
from forecast.serving.deps import (
    Filters,
    Nothing,
    ServiceDep,
    Weekend,
    ZoneForecasts,
    ZoneId,
    published,
)
from forecast.serving.formats import MEDIA_TYPES, bare, negotiated
from forecast.serving.schemas import (
    ForecastsAnswer,
    ProblemDetails,
    WeekendAnswer,
    ZonesAnswer,
)

Responses = dict[int | str, dict[str, Any]]
PROBLEM: dict[str, Any] = {"model": ProblemDetails}

ALL = ("json", "csv", "geojson", "ics", "parquet")
FLAT = ("json", "csv", "geojson")
ZONE = ("json", "csv", "geojson", "ics")
ZONES = ("json", "geojson")

NOT_THERE: Responses = {
    404: {**PROBLEM, "description": "Unknown zone, or nothing published at as_of"},
    406: {**PROBLEM, "description": "Format not offered"},
}
UNCHANGED: Responses = {304: {"description": "Not modified since If-None-Match"}}

router = APIRouter(prefix="/v1")


def offering(*formats: str) -> Responses:
    """The formats that Accept may choose, beside JSON, for the OpenAPI document."""
    text = {"schema": {"type": "string"}}
    others = {bare(MEDIA_TYPES[name]): text for name in formats if name != "json"}
    return {200: {"content": others}, **UNCHANGED}


def as_file(*formats: str) -> Responses:
    """The formats of a path with an extension, for the OpenAPI document."""
    kinds: dict[str, Any] = {bare(MEDIA_TYPES[name]): {"schema": {}} for name in formats}
    return {200: {"description": "The same answer in this format", "content": kinds}, **UNCHANGED}


@router.get(
    "/forecasts",
    response_model=ForecastsAnswer,
    responses={**offering(*ALL), **NOT_THERE},
    summary="All zones and days in one call",
)
async def forecasts(request: Request, service: ServiceDep, filters: Filters) -> Response:
    """Days 0 to 14 for every zone; narrow it with the parameters, or ask as of an instant."""
    return await forecasts_answer(
        request, service, filters, path="/v1/forecasts", file="forecasts.json", offered=ALL
    )


@router.get(
    "/forecasts.{extension}",
    response_class=Response,
    responses={**as_file(*ALL), **NOT_THERE},
    summary="All zones and days as a file",
)
async def forecasts_file(
    request: Request,
    service: ServiceDep,
    extension: Literal["json", "csv", "geojson", "ics", "parquet"],
    filters: Filters,
) -> Response:
    """The calendar holds orange and worse; Parquet takes no filters."""
    return await forecasts_answer(
        request,
        service,
        filters,
        path="/v1/forecasts",
        file="forecasts.json",
        offered=ALL,
        form=extension,
    )


@router.get(
    "/forecasts/weekend",
    response_model=WeekendAnswer,
    responses={**offering(*FLAT), **NOT_THERE},
    summary="The coming weekend",
)
async def weekend(request: Request, service: ServiceDep, filters: Weekend) -> Response:
    """Friday to Sunday by the local date of origin, with totals; once begun, what remains."""
    return await forecasts_answer(
        request,
        service,
        filters,
        path="/v1/forecasts/weekend",
        file="weekend.json",
        offered=FLAT,
    )


@router.get(
    "/forecasts/weekend.{extension}",
    response_class=Response,
    responses={**as_file(*FLAT), **NOT_THERE},
    summary="The coming weekend as a file",
)
async def weekend_file(
    request: Request,
    service: ServiceDep,
    extension: Literal["json", "csv", "geojson"],
    filters: Weekend,
) -> Response:
    """The same forecasts as /v1/forecasts/weekend; totals are in JSON alone."""
    return await forecasts_answer(
        request,
        service,
        filters,
        path="/v1/forecasts/weekend",
        file="weekend.json",
        offered=FLAT,
        form=extension,
    )


@router.get(
    "/zones",
    response_model=ZonesAnswer,
    responses={**offering(*ZONES), 406: NOT_THERE[406]},
    summary="Zones of the territory",
)
async def zones(request: Request, service: ServiceDep, _: Nothing) -> Response:
    """Names, positions and populations; whether each zone has levels yet. Outlines as GeoJSON."""
    served = published(service)
    form = negotiated(request.headers.get("accept"), ZONES)
    return await from_disk(_zones, served, form)


@router.get(
    "/zones.{extension}",
    response_class=Response,
    responses=as_file(*ZONES),
    summary="Zones of the territory as a file",
)
async def zones_file(
    service: ServiceDep, extension: Literal["json", "geojson"], _: Nothing
) -> Response:
    """The same zones as /v1/zones, with their outlines in GeoJSON."""
    return await from_disk(_zones, published(service), extension)


def _zones(served: Any, form: str) -> Response:
    answer: Response = served.stored("/v1/zones" if form == "json" else f"/v1/zones.{form}")
    return answer


@router.get(
    "/zones/{zone_id:path}/forecasts",
    response_model=ForecastsAnswer,
    responses={**offering(*ZONE), **NOT_THERE},
    summary="One zone, all days",
)
async def zone_forecasts(
    request: Request, service: ServiceDep, zone_id: ZoneId, filters: ZoneForecasts
) -> Response:
    """Days 0 to 14 of one zone."""
    return await forecasts_answer(
        request,
        service,
        filters,
        path=f"/v1/zones/{zone_id}/forecasts",
        file="forecasts.json",
        offered=ZONE,
        zone_id=zone_id,
    )


@router.get(
    "/zones/{zone_id:path}/forecasts.{extension}",
    response_class=Response,
    responses={**as_file(*ZONE), **NOT_THERE},
    summary="One zone, all days, as a file",
)
async def zone_forecasts_file(
    request: Request,
    service: ServiceDep,
    zone_id: ZoneId,
    extension: Literal["json", "csv", "geojson", "ics"],
    filters: ZoneForecasts,
) -> Response:
    """The calendar of one zone to subscribe to, or its rows for a spreadsheet."""
    return await forecasts_answer(
        request,
        service,
        filters,
        path=f"/v1/zones/{zone_id}/forecasts",
        file="forecasts.json",
        offered=ZONE,
        form=extension,
        zone_id=zone_id,
    )
