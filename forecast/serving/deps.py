"""What routes depend on, as annotated types: a parameter has one name and meaning everywhere."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated, Any, Self

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from forecast.serving.problems import (
    INVALID_PARAMETER,
    NO_PUBLICATION,
    RETRY_AFTER_SECONDS,
    ProblemError,
    fault,
)
from forecast.serving.service import Served, Service


def _iso_day(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("expected a civil day as YYYY-MM-DD")
    return value


Day = Annotated[date, BeforeValidator(_iso_day)]


class NoFilters(BaseModel):
    """A route without parameters still refuses unknown ones."""

    model_config = ConfigDict(extra="forbid")


class ZoneFilters(NoFilters):
    """Which zones."""

    zone_id: list[str] | None = Field(
        None, description="Only this zone; repeat it for several", examples=[["200066827"]]
    )


class PeriodFilters(NoFilters):
    """Which days."""

    from_: Day | None = Field(
        None, alias="from", description="First target_date, included", examples=["2026-07-03"]
    )
    to: Day | None = Field(None, description="Last target_date, included", examples=["2026-07-05"])

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError(f"from ({self.from_}) is after to ({self.to}); exchange them")
        return self


class ForecastFilters(PeriodFilters, ZoneFilters):
    """Which zones and which days."""


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


def published(service: Service) -> Served:
    """What is served now; raises the 503 that says how to get there.

    Called in routes and not a dependency, so that a wrong parameter is said first.
    """
    if service.served is None:
        why = f" What is there was refused: {service.refused}." if service.refused else ""
        raise ProblemError(
            NO_PUBLICATION,
            f"There is no forecast to serve yet.{why} {NO_PUBLICATION.remedy}",
            headers={"retry-after": str(RETRY_AFTER_SECONDS)},
        )
    return service.served


def given_once(request: Request) -> None:
    """Refuse a parameter given twice, zone_id aside: one of the two would be ignored in silence."""
    names = [name for name, _ in request.query_params.multi_items() if name != "zone_id"]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ProblemError(
            INVALID_PARAMETER,
            f"{', '.join(twice)}: given more than once. Give it once; only zone_id repeats.",
            [
                fault(name, request.query_params.getlist(name), "given more than once")
                for name in twice
            ],
        )


ServiceDep = Annotated[Service, Depends(_service)]
ZoneId = Annotated[str, Path(description="A zone of /v1/zones", examples=["200066827"])]
Nothing = Annotated[NoFilters, Query()]
Zones = Annotated[ZoneFilters, Query()]
Period = Annotated[PeriodFilters, Query()]
Filters = Annotated[ForecastFilters, Query()]
