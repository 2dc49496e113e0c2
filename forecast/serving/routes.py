"""The routes, to be read like a contents page. HEAD goes wherever GET does: see ``front.py``."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import JSONResponse, Response

from forecast.serving import routes_forecasts, routes_trust
from forecast.serving.counters import age_and_missed
from forecast.serving.deps import Nothing, ServiceDep, given_once, published
from forecast.serving.schemas import Live, ProblemDetails, Ready

_PROBLEM: dict[str, Any] = {"model": ProblemDetails}
_NO_STORE = {"cache-control": "no-store", "x-content-type-options": "nosniff"}
_INVALID: dict[int | str, dict[str, Any]] = {422: {**_PROBLEM, "description": "Unknown parameter"}}

v1 = APIRouter(
    tags=["forecasts"],
    dependencies=[Depends(given_once)],
    responses={
        422: {**_PROBLEM, "description": "Unknown or invalid parameter"},
        503: {**_PROBLEM, "description": "No publication yet, or damaged; see Retry-After"},
    },
)
v1.include_router(routes_trust.router)
v1.include_router(routes_forecasts.router)

health = APIRouter(prefix="/health", tags=["health"], dependencies=[Depends(given_once)])


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
async def ready(request: Request, service: ServiceDep, _: Nothing) -> Response:
    """200 as long as good forecasts are served; says if newer ones were refused or did not come."""
    served = published(service)
    publication, missed = served.publication, age_and_missed(served, request.app.state.clock())[1]
    return JSONResponse(
        {
            "status": "degraded" if service.refused or missed else "ready",
            "publication": publication.name,
            "published_at": publication.manifest["published_at"],
            "origin": publication.manifest["origin"],
            "missed_runs": missed,
            "refused": service.refused,
        },
        headers=_NO_STORE,
    )
