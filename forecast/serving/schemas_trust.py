"""Shapes of the answers that say why and how: explanation, changes, sources, model."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import Field

from forecast.serving.schemas import Forecast, Level, Metadata, Shape

_QUANTILES = [{"p10": 31200, "p50": 41800, "p90": 55100}]
_PARTS = [{"weather": 2900, "mobility": -300, "usual": 0}]


class Compared(Shape):
    """An earlier publication."""

    publication: str = Field(examples=["20260703T060000Z-9f86d081884c"])
    published_at: datetime
    origin: datetime
    model_version: str = Field(examples=["12"])


class Change(Compared):
    """What changed in one forecast since an earlier publication."""

    level_before: Level | None
    influx_before: dict[str, int] = Field(examples=_QUANTILES)
    usual_before: int | None
    difference: int = Field(description="Median now minus median then [visitors per day]")
    contributions: dict[str, int] | None = Field(
        description="Persons by domain, and by a revised usual influx, that add up to difference",
        examples=_PARTS,
    )
    why: str = Field(
        description="The largest of these as a French sentence",
        examples=["météo annoncée plus favorable +3\u202f000"],
    )


class ExplanationAnswer(Shape):
    """Why one forecast is what it is, and what changed."""

    metadata: Metadata
    forecast: Forecast
    change: Change | None = Field(
        description="Since the last publication of a civil day before; null if there is none that "
        "speaks of this day"
    )


class LevelChange(Shape):
    """A day of a zone whose level is no longer what it was."""

    zone_id: str = Field(examples=["200066827"])
    zone_name: str
    target_date: date
    horizon_days: int
    level_before: Level
    level: Level
    direction: Literal["up", "down"]
    influx_before: dict[str, int] = Field(examples=_QUANTILES)
    influx: dict[str, int] = Field(examples=_QUANTILES)
    contributions: dict[str, int] | None = Field(
        description="Persons by domain that add up to the difference of the medians",
        examples=_PARTS,
    )
    why: str


class ChangesAnswer(Shape):
    """Days whose level changed."""

    metadata: Metadata
    since: datetime
    compared: Compared | None = Field(
        description="The publication known then, or the oldest there is; null if this is the first"
    )
    changes: list[LevelChange]


class SourcesAnswer(Shape):
    """How fresh each source is, and how its providers did."""

    metadata: Metadata
    sources: list[dict[str, Any]] = Field(
        description="source, newest_date, read_at, promised_delay_hours, missed_runs, fresh, and "
        "the providers that fill it with their last and next tries",
        examples=[[{"source": "mobility", "newest_date": "2026-07-01", "missed_runs": 0}]],
    )


class ModelFacts(Shape):
    """The model: how it was trained and what it is for."""

    version: str = Field(examples=["12"])
    trained_at: datetime | None
    code_version: str | None = Field(description="Release of Afflux it was trained with")
    territory: str | None
    lake_version: int | None = Field(description="Version of the observations it learnt from")
    simulated: bool | None
    perfect_weather: bool | None
    training: dict[str, Any] | None = Field(description="Parameters, as in the configuration")
    quantiles: list[float]
    features: list[str]
    licence: str = Field(description="Licence of the software")
    intended_use: str


class BacktestAnswer(Shape):
    """Figures of the rolling-origin backtest the model came out of."""

    answers: int
    origins: int
    start: date
    end: date
    scores: list[dict[str, Any]] = Field(
        description="By horizon: answers, wape, wape_lag7, wape_mean4, coverage and width (mean "
        "width over mean influx) of the 50 % and the 80 % band [1]",
        examples=[[{"horizon": "all", "wape": 0.12, "coverage_80": 0.8, "width_80": 0.4}]],
    )


class ModelAnswer(Shape):
    """The model that answers."""

    metadata: Metadata
    model: ModelFacts
    backtest: BacktestAnswer | None
    note: str | None = Field(description="Why there are no figures, if so")
