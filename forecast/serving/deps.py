"""What routes depend on, as annotated types: a parameter has one name and meaning everywhere."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any, Literal, Self

from fastapi import Depends, Path, Query, Request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from forecast.serving.problems import (
    INVALID_PARAMETER,
    MAX_LISTED,
    NO_PUBLICATION,
    RETRY_AFTER_SECONDS,
    ProblemError,
    fault,
)
from forecast.serving.service import Served, Service

REPEATED = ("zone_id", "horizon_days", "quantiles")
"""Parameters that may be given several times."""

_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?"
    r"(Z|[+-][0-9]{2}:?[0-9]{2})"
)


def _iso_day(value: Any) -> Any:
    if isinstance(value, str) and not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("expected a civil day as YYYY-MM-DD")
    return value


def _iso_instant(value: Any) -> Any:
    # A plus sign that was not percent-encoded has become a space.
    text = re.sub(r" ([0-9]{2}:?[0-9]{2})$", r"+\1", str(value)) if "T" in str(value) else value
    try:
        if not _INSTANT.fullmatch(str(text)):
            raise ValueError
        return datetime.fromisoformat(str(text)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError("expected an instant with its offset, as 2026-07-03T06:00:00Z") from None


def _split(value: Any) -> Any:
    """``p10,p50`` is short for two values."""
    if isinstance(value, list):
        return [part for entry in value for part in str(entry).split(",")]
    return value


Day = Annotated[date, BeforeValidator(_iso_day)]
Instant = Annotated[datetime, BeforeValidator(_iso_instant)]
Horizon = Annotated[int, Field(ge=0, le=366)]
Names = Annotated[list[str], BeforeValidator(_split)]


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


class HorizonFilters(NoFilters):
    """How far ahead."""

    horizon_days: list[Horizon] | None = Field(
        None,
        description="Only so many days ahead [d]; repeat it for several",
        examples=[[3]],
    )


class InstantFilters(NoFilters):
    """As known when."""

    as_of: Instant | None = Field(
        None,
        description="The forecast as it was known at this instant, with its offset from UTC; "
        "default: now",
        examples=["2026-07-01T08:00:00Z"],
    )


class LocaleFilters(NoFilters):
    """How CSV is written."""

    locale: Literal["en", "fr"] = Field(
        "en",
        description="Of CSV alone. fr: semicolons, decimal commas and a byte order mark, as a "
        "French Excel reads it",
        examples=["fr"],
    )


class ContentFilters(InstantFilters, LocaleFilters):
    """What each forecast says, and which of them."""

    quantiles: Names | None = Field(
        None,
        description="Only these quantiles of influx, as p10,p50,p90 or repeated",
        examples=[["p10", "p50", "p90"]],
    )
    level_at_least: Literal["vert", "orange", "rouge", "noir"] | None = Field(
        None,
        description="Only this level or worse; zones without levels are then left out",
        examples=["orange"],
    )


class WeekendFilters(ZoneFilters, ContentFilters):
    """Parameters of a weekend."""


class ZoneForecastFilters(PeriodFilters, HorizonFilters, ContentFilters):
    """Parameters of one zone's forecasts."""


class ForecastFilters(ZoneFilters, ZoneForecastFilters):
    """Parameters of forecasts: which zones, days, horizons, levels and quantiles, as known when."""


class HistoryFilters(PeriodFilters, LocaleFilters):
    """Parameters of a history."""


class ChangeFilters(NoFilters):
    """Since when."""

    since: Instant | None = Field(
        None,
        description="Compare with what was known at this instant, with its offset from UTC; "
        "default: 24 hours before the publication",
        examples=["2026-07-01T08:00:00Z"],
    )


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
    """Refuse a parameter given twice, :data:`REPEATED` aside: one of the two would be ignored."""
    names = [name for name, _ in request.query_params.multi_items() if name not in REPEATED]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ProblemError(
            INVALID_PARAMETER,
            f"{', '.join(twice)}: given more than once. Give it once; only "
            f"{', '.join(REPEATED)} repeat.",
            [
                fault(name, request.query_params.getlist(name), "given more than once")
                for name in twice
            ],
        )


def no_parameters(request: Request) -> None:
    """Refuse any parameter, where a route is not in the OpenAPI document."""
    names = list(dict.fromkeys(request.query_params))
    if names:
        message = "unknown parameter; remove it or correct its spelling"
        raise ProblemError(
            INVALID_PARAMETER,
            f"{', '.join(names[:10])}: {message}. {INVALID_PARAMETER.remedy}",
            [fault(name, request.query_params[name], message) for name in names[:MAX_LISTED]],
        )


ServiceDep = Annotated[Service, Depends(_service)]
ZoneId = Annotated[str, Path(description="A zone of /v1/zones", examples=["200066827"])]
TargetDate = Annotated[Day, Path(description="The civil day", examples=["2026-07-04"])]
Nothing = Annotated[NoFilters, Query()]
Filters = Annotated[ForecastFilters, Query()]
Weekend = Annotated[WeekendFilters, Query()]
ZoneForecasts = Annotated[ZoneForecastFilters, Query()]
AsOf = Annotated[InstantFilters, Query()]
History = Annotated[HistoryFilters, Query()]
Changes = Annotated[ChangeFilters, Query()]
