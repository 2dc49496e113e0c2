"""Shapes of the answers, for the OpenAPI document. Answers are stored bytes, not built from these;
the tests hold the two together.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Level = Literal["vert", "orange", "rouge", "noir"]
Reference = Literal["own history", "capacity", "under construction"]


class Shape(BaseModel):
    """An object of which every field is documented here."""

    model_config = ConfigDict(extra="forbid")


class TerritoryName(Shape):
    """The territory."""

    id: str = Field(examples=["estuaire"])
    name: str = Field(examples=["Estuaire de la Seine"])
    timezone: str = Field(description="Zone of its civil days", examples=["Europe/Paris"])


class SourceFreshness(Shape):
    """How fresh one source was at the origin."""

    source: str = Field(examples=["mobility"])
    newest_date: date | None = Field(description="Last civil day it speaks of")
    read_at: datetime | None = Field(description="When its newest row could be read [UTC]")
    fresh: bool = Field(description="Whether it kept its promised delay")
    missed_runs: int = Field(
        description="Daily deliveries that should have come since; 0 when the source is on time"
    )
    promised_delay_hours: float = Field(
        description="From the end of a civil day to the instant its rows can be read [h]"
    )


class Metadata(Shape):
    """The run an answer comes from; the same in every answer of a publication."""

    territory: TerritoryName
    origin: datetime = Field(description="Instant at which the forecast was made [UTC]")
    published_at: datetime = Field(description="Instant at which it was published [UTC]")
    next_expected_at: datetime = Field(description="When the next publication is expected [UTC]")
    model_version: str = Field(examples=["12"])
    model_trained_at: datetime | None
    lake_version: int = Field(description="Version of the observations it read")
    regime: str = Field(description="Sources that were fresh at the origin; 'mixed' if rows differ")
    sources: list[SourceFreshness]
    unit: str = Field(description="Unit of influx and usual", examples=["visitors per day"])
    days_per_year: dict[str, float] = Field(
        description="Days per year on which a zone reaches each level or worse"
    )
    licence: str | None
    attribution: str | None
    simulated: bool = Field(description="True if the observations are simulated")
    label: str | None = Field(description="'données simulées' where simulated: show it")
    perfect_weather: bool = Field(description="False: no observed weather stands in for forecasts")


class Interval(Shape):
    """An interval that holds the influx with the named probability."""

    low: int
    high: int


class Forecast(Shape):
    """The forecast of one zone for one civil day."""

    zone_id: str = Field(examples=["200066827"])
    zone_name: str = Field(examples=["CC Cœur Côte Fleurie"])
    target_date: date
    horizon_days: int = Field(description="target_date minus the local date of origin [d]")
    influx: dict[str, int] = Field(
        description="Quantiles of influx, p50 being the median [visitors per day]",
        examples=[{"p10": 31200, "p25": 35400, "p50": 41800, "p75": 47900, "p90": 55100}],
    )
    interval_80: Interval | None = Field(description="From p10 to p90 [visitors per day]")
    level: Level | None = Field(
        description="Most severe level reached with probability ½ or more; null without reference"
    )
    level_probabilities: dict[str, float] | None = Field(description="By level; they sum to 1")
    reference: Reference = Field(description="What the level is measured against")
    usual: int | None = Field(description="Usual influx of such a day [visitors per day]")
    contributions: dict[str, int] | None = Field(
        description=(
            "Why: persons by domain that add up to p50 minus usual (where usual is null, minus the "
            "zone's recent level); null if not explained"
        ),
        examples=[{"weather": 3100, "holidays": 6200, "season": -400, "history": -1000}],
    )
    why: str | None = Field(
        description="The largest contributions as a French sentence",
        examples=["pont de l'Ascension +6\u202f000, beau temps annoncé +3\u202f000"],
    )
    regime: str = Field(description="Sources that were fresh for this forecast")


class Zone(Shape):
    """One zone of the territory."""

    zone_id: str = Field(examples=["200066827"])
    zone_name: str
    population: int = Field(description="Residents [persons]")
    latitude: float = Field(description="[degrees north]")
    longitude: float = Field(description="[degrees east]")
    coast: bool
    reference: Reference = Field(description="'under construction': no levels for this zone yet")


class Weekend(Shape):
    """The days of a weekend answer."""

    start: date
    end: date
    days: list[date] = Field(description="Friday to Sunday, or what remains of them at the origin")
    partial: bool = Field(description="True if the weekend had begun at the origin")


class WeekendTotal(Shape):
    """Visitors of all days of a weekend together, in one zone or in the territory."""

    zone_id: str | None = Field(description="null: the whole territory", examples=["200066827"])
    zone_name: str
    influx: dict[str, int] = Field(
        description="Quantiles of the sum over the days [visitors]; p50 is the sum of the medians",
        examples=[{"p10": 98100, "p25": 107000, "p50": 118400, "p75": 129000, "p90": 141700}],
    )
    interval_80: Interval | None = Field(description="From p10 to p90 [visitors]")
    interval_method: Literal["conformal", "comonotone"] = Field(
        description="conformal: from the errors of past weekends' totals; comonotone: quantiles "
        "added up, the widest they can be, while fewer than 30 past weekends are known"
    )
    past_weekends: int = Field(description="Past weekends whose errors are known")


class ZonesAnswer(Shape):
    """All zones."""

    metadata: Metadata
    zones: list[Zone]


class ForecastsAnswer(Shape):
    """Forecasts by zone and day, in the territory's order of zones, then by day."""

    metadata: Metadata
    forecasts: list[Forecast]


class WeekendAnswer(Shape):
    """Forecasts of the coming weekend."""

    metadata: Metadata
    weekend: Weekend
    totals: list[WeekendTotal] = Field(
        description="The territory's first, then by zone; with zone_id only those zones'"
    )
    forecasts: list[Forecast]


class Live(Shape):
    """The process answers."""

    status: Literal["alive"]


class Ready(Shape):
    """A publication is being served."""

    status: Literal["ready", "degraded"] = Field(
        description="'degraded': the newest publication was refused, or the next is overdue"
    )
    publication: str = Field(examples=["20260703T060000Z-9f86d081884c"])
    published_at: datetime
    origin: datetime
    missed_runs: int = Field(description="Publications that should have come since this one")
    refused: str | None = Field(description="Why the newest publication is not served, and a cure")


class ParameterFault(Shape):
    """One fault of a request."""

    parameter: str
    value: Any
    message: str
    expected: Any = Field(description="Valid values, where they can be listed; else null")


class ProblemDetails(Shape):
    """Every error of this API (RFC 9457)."""

    type: str = Field(description="Names the kind of problem", examples=["/docs#unknown-zone"])
    title: str
    status: int
    detail: str = Field(description="What is wrong and what to do")
    instance: str = Field(description="Path of the request")
    errors: list[ParameterFault] = Field(description="Each fault of the request, if any")
