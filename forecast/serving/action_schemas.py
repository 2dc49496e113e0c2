"""Shapes of what is sent with POST, and of what then comes back.

Bounds are those of the input contract (:mod:`forecast.ingest.contract`), which the serving process
cannot import; a test holds the two together.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from forecast.serving.deps import Day, NoFilters
from forecast.serving.schemas import Forecast, Level, Metadata, ProblemDetails

SOURCES = ("influx", "mobility", "parking", "waste", "weather", "weather_forecast", "events")
"""Sources of which a file may be sent."""

WEATHER = ("temperature_max", "temperature_min", "precipitation", "sunshine", "wind_gust")


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


def _not_blank(value: Any) -> Any:
    if isinstance(value, str) and not value.strip():
        raise ValueError("expected a name, not blanks")
    if isinstance(value, str) and any("\ud800" <= letter <= "\udfff" for letter in value):
        raise ValueError("expected whole characters, not halves of them")
    return value


class SupposedWeather(_Sent):
    """The weather that is supposed for a day; what is not given stays as it is forecast."""

    zone_id: str | None = Field(
        None, description="The zone; every zone where absent", examples=["200066827"]
    )
    target_date: Day = Field(description="The civil day")
    temperature_max: float | None = Field(None, ge=-60, le=60, description="[°C]")
    temperature_min: float | None = Field(None, ge=-60, le=60, description="[°C]")
    precipitation: float | None = Field(
        None, ge=0, le=2000, description="Rain and melted snow of the day [mm]"
    )
    sunshine: float | None = Field(None, ge=0, le=24, description="[h]")
    wind_gust: float | None = Field(None, ge=0, le=400, description="Strongest gust [km/h]")

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if all(getattr(self, name) is None for name in WEATHER):
            raise ValueError(f"says nothing of the weather; give any of {', '.join(WEATHER)}")
        low, high = self.temperature_min, self.temperature_max
        if low is not None and high is not None and low > high:
            raise ValueError("temperature_min is above temperature_max; exchange them")
        return self


class SupposedEvent(_Sent):
    """An event that is supposed; one of the same name that is announced takes this attendance."""

    zone_id: str = Field(description="The zone it takes place in", examples=["200066827"])
    date: Day = Field(description="First civil day")
    end_date: Day | None = Field(None, description="Last civil day, included; the first if absent")
    name: Annotated[str, BeforeValidator(_not_blank)] = Field(
        max_length=100, examples=["Fête de la mer"]
    )
    attendance: float = Field(ge=0, le=5e6, description="Persons expected a day [persons per day]")

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if self.end_date is not None and self.end_date < self.date:
            raise ValueError("end_date is before date; exchange them")
        return self


class ScenarioRequest(_Sent):
    """What is supposed, and what is asked of it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "zone_id": ["200066827"],
                    "from": "2026-07-03",
                    "to": "2026-07-05",
                    "weather": [{"target_date": "2026-07-04", "precipitation": 18, "sunshine": 1}],
                    "events": [],
                }
            ]
        }
    )

    zone_id: list[str] | None = Field(
        None, min_length=1, max_length=2000, description="Zones to answer; all where absent"
    )
    from_: Day | None = Field(
        None, alias="from", description="First target_date, included; the first published if absent"
    )
    to: Day | None = Field(
        None, description="Last target_date, included; the last published if absent"
    )
    weather: list[SupposedWeather] = Field([], max_length=500)
    events: list[SupposedEvent] = Field([], max_length=100)

    @model_validator(mode="after")
    def _supposes(self) -> Self:
        if not self.weather and not self.events:
            raise ValueError("supposes nothing; give weather or events")
        if self.from_ and self.to and self.from_ > self.to:
            raise ValueError(f"from ({self.from_}) is after to ({self.to}); exchange them")
        return self


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Comparison(_Shape):
    """A zone and a day: the forecast as published, and as it would be."""

    zone_id: str
    zone_name: str
    target_date: date
    difference: int = Field(description="Median supposed minus published [persons]")
    level_before: Level | None
    level_after: Level | None
    why: str = Field(
        description="What moves the forecast, in French",
        examples=["événements ajoutés\u00a0+2\u202f000"],
    )
    baseline: Forecast = Field(description="As published")
    scenario: Forecast = Field(description="As it would be")


class Supposed(_Shape):
    """What was supposed, as it was understood."""

    weather: list[dict[str, Any]]
    events: list[dict[str, Any]]


class ScenarioAnswer(_Shape):
    """A what-if. It is no forecast: nothing of it is stored or published."""

    metadata: Metadata = Field(description="Of the publication that is compared with")
    scenario: Literal[True]
    supposed: Supposed
    comparisons: list[Comparison]


class UploadParameters(NoFilters):
    """What goes with a file."""

    filename: str = Field(
        "",
        max_length=255,
        description="Its name on your side, for the answer",
        examples=["mai.csv"],
    )
    dry_run: bool = Field(False, description="Only check; store nothing")


class Report(_Shape):
    """What the check found, as `afflux check --json` says it."""

    ok: bool
    errors: int
    warnings: int
    counts: dict[str, int] = Field(description="Problems by kind")
    problems: list[dict[str, Any]] = Field(
        description="Errors first: kind, file, line, column, what, value, expected, advice"
    )
    not_listed: int


class FileProblem(ProblemDetails):
    """A file that was refused, or parameters that were."""

    report: Report | None = Field(
        None, description="Row by row; absent where no file was looked at"
    )


class Uploaded(_Shape):
    """What became of a file."""

    source: str
    filename: str
    dry_run: bool
    stored: bool
    new: int = Field(description="Observations that were not stored yet")
    known: int = Field(description="Observations that were stored already")
    revised: int = Field(description="Observations that change a stored value")
    lake_version: int | None = Field(description="Version of the observations that holds them")
    report: Report
    received_at: datetime
