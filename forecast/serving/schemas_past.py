"""Shapes of the answers about the past: history and scoreboard."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

from pydantic import Field

from forecast.serving.schemas import Level, Metadata, Shape

Basis = Literal["issued", "backtest"]
_BASIS = (
    "issued: what had really been published; backtest: what the model would have said, of days it "
    "had not seen"
)
_QUANTILES = [{"p10": 31200, "p50": 41800, "p90": 55100}]


class Said(Shape):
    """What had been said of a day."""

    origin: datetime
    horizon_days: int = Field(description="How old the answer was [d]")
    influx: dict[str, int] = Field(examples=_QUANTILES)
    level: Level | None
    basis: Basis = Field(description=_BASIS)


class SaidBefore(Said):
    """What had been said so many days before."""

    days_before: Literal[1, 3, 7] = Field(
        description="The newest answer at least so many days old; see horizon_days [d]"
    )


class PastDay(Shape):
    """One past day of a zone."""

    target_date: date
    observed: int | None = Field(description="Influx that was measured [visitors per day]")
    suppressed: bool = Field(description="True if it is below 20 persons and not published")
    observed_level: Level | None = Field(
        description="Level it reached, by the limits known when its forecast was made"
    )
    said: list[SaidBefore]


class ZoneName(Shape):
    """A zone."""

    zone_id: str = Field(examples=["200066827"])
    zone_name: str


class HistoryAnswer(Shape):
    """The last 400 days of a zone, oldest first."""

    metadata: Metadata
    zone: ZoneName
    history: list[PastDay]


class Period(Shape):
    """Civil days, both included."""

    start: date
    end: date


class RecordSize(Shape):
    """How many answers were scored, and where they come from."""

    issued: int = Field(description="Answers that had really been published [zone-days]")
    backtest: int = Field(description="Answers of the champion's backtest [zone-days]")
    note: str | None = Field(description="Why there is nothing to score, if so")


class NaiveRule(Shape):
    """The better of two rules anyone could use."""

    rule: Literal["lag7", "mean4"] = Field(
        description="lag7: the latest known same weekday; mean4: the mean of the last four"
    )
    wape: float


class Alarms(Shape):
    """Days on which a level or worse was announced, and on which it came."""

    hits: int
    misses: int
    false_alarms: int


class Score(Shape):
    """Figures of a zone, or of the territory."""

    zone_id: str | None = Field(description="null: the territory", examples=["200066827"])
    zone_name: str
    zone_days: int
    coverage_50: float | None = Field(description="How often p25 to p75 held [1]")
    coverage_80: float | None = Field(description="How often p10 to p90 held [1]")
    wape: float | None = Field(
        description="Absolute errors of the median over influx [1]; the territory's, of its totals"
    )
    naive: NaiveRule | None
    alarms: dict[Literal["orange", "rouge"], Alarms] = Field(
        examples=[{"rouge": {"hits": 7, "misses": 2, "false_alarms": 3}}]
    )


class RecentCoverage(Shape):
    """How often the bands held lately."""

    zone_days: int
    coverage_50: float | None
    coverage_80: float | None


class WeekendDay(Shape):
    """One day of a past weekend."""

    target_date: date
    said: Said = Field(description="By the Wednesday before")
    observed: int | None
    observed_level: Level | None


class WeekendZone(ZoneName):
    """A zone on a past weekend."""

    days: list[WeekendDay]


class PastWeekend(Period):
    """What was said of a past weekend, and what happened."""

    zones: list[WeekendZone]


class ScoreboardAnswer(Shape):
    """How good the forecasts of the last twelve months were."""

    metadata: Metadata
    period: Period
    days_before: int = Field(description="Answers scored were at least so old [d]")
    record: RecordSize
    scores: list[Score] = Field(description="The territory's first, then by zone")
    last_30_days: RecentCoverage
    weekends: list[PastWeekend] = Field(description="Newest first")
