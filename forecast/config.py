"""What to do: :class:`RunConfig`, from a TOML file (where to do it: :mod:`forecast.settings`).

A ``RunConfig`` is frozen and refuses unknown keys, so that a typing error is an error. One file
describes a territory and how its influx is forecast; the ``territory.toml`` of an input folder is
that same file, in which everything after the zones may be left to its default.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from forecast.config_problems import explain
from forecast.errors import ConfigError
from forecast.territory import Market, Territory

DEFAULT_DELAYS_HOURS = {
    "influx": 56.0,
    "mobility": 8.0,
    "parking": 2.0,
    "waste": 80.0,
    "weather": 12.0,
    "weather_forecast": 6.0,
    "events": -720.0,
}
"""Hours from the end of the civil day a row is about to the instant it can be read (from the
instant of issue for weather forecasts; negative for events, which are known before)."""


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Origin(_Model):
    """A market visitors come from, with its share of the visitors."""

    country: str = Field(pattern=r"^[A-Z]{2}$")
    subdivision: str = ""
    school: str = ""
    share: float = Field(gt=0, le=1)


class Zone(_Model):
    """One zone: ``id`` as in the files, position in degrees, population in persons."""

    id: str = Field(min_length=1, max_length=64)
    name: str = Field(min_length=1)
    population: float = Field(gt=0)
    latitude: float = Field(ge=-90, le=90)
    longitude: float = Field(ge=-180, le=180)
    coast: bool = False
    capacity: float | None = Field(default=None, gt=0, le=5e6)
    country: str = Field(default="", pattern=r"^([A-Z]{2})?$")
    subdivision: str = ""
    school: str = ""
    origin_markets: tuple[Origin, ...] = ()


class SourceConfig(_Model):
    """Delay after which a source's rows can be read, where its files do not say so themselves."""

    publication_delay_hours: float = Field(ge=-24 * 400, le=24 * 400)


class Levels(_Model):
    """Days per year on which each level is reached in a usual year."""

    orange: float = Field(default=36, gt=0, le=365)
    rouge: float = Field(default=10, gt=0, le=365)
    noir: float = Field(default=2, gt=0, le=365)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.orange > self.rouge > self.noir:
            raise ValueError("orange must be more frequent than rouge, and rouge than noir")
        return self


class Training(_Model):
    """How the model is trained and scored."""

    origin_hour: int = Field(default=8, ge=0, le=23)
    origin_stride_days: int = Field(default=3, ge=1, le=28)
    history_days: int = Field(default=1825, ge=180)
    start: str = ""
    backtest_days: int = Field(default=364, ge=28)
    backtest_stride_days: int = Field(default=7, ge=1, le=28)
    refit_days: int = Field(default=91, ge=7)
    rounds: int = Field(default=300, ge=10, le=5000)
    learning_rate: float = Field(default=0.06, gt=0, le=1)
    leaves: int = Field(default=12, ge=4, le=255)
    min_leaf: int = Field(default=100, ge=1)
    blend: float = Field(default=0.1, ge=0, le=1)
    seed: int = 20190101
    perfect_weather: bool = False


class Gate(_Model):
    """What a candidate must reach on the last ``holdout_days`` to become champion."""

    holdout_days: int = Field(default=84, ge=14)
    coverage_low: float = Field(default=0.75, ge=0, le=1)
    coverage_high: float = Field(default=0.85, ge=0, le=1)
    worst_zone: float = Field(default=0.05, ge=0, le=10)
    significance: float = Field(default=0.05, gt=0, le=0.5)

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not self.coverage_low < self.coverage_high:
            raise ValueError("coverage_low must be below coverage_high")
        return self


Quantile = Annotated[float, Field(gt=0, lt=1)]
ProviderName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,47}$")]


class Publication(_Model):
    """How often forecasts are published."""

    every_hours: float = Field(default=24, gt=0, le=24 * 31)


class RunConfig(_Model):
    """One territory and how its influx is forecast. See ``configs/estuaire.toml``."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,31}$")
    name: str = Field(min_length=1)
    timezone: str = "Europe/Paris"
    country: str = Field(default="FR", pattern=r"^[A-Z]{2}$")
    subdivision: str = ""
    school: str = ""
    simulated: bool = False
    attribution: str = ""
    licence: str = ""
    geometry: str = ""
    communes: str = ""
    zones: tuple[Zone, ...] = Field(min_length=1)
    origin_markets: tuple[Origin, ...] = ()
    sources: Mapping[str, SourceConfig] = {}
    providers: Mapping[ProviderName, Mapping[str, Any]] = {}
    max_horizon_days: int = Field(default=14, ge=0, le=60)
    quantiles: tuple[Quantile, ...] = (0.1, 0.25, 0.5, 0.75, 0.9)
    levels: Levels = Levels()
    training: Training = Training()
    gate: Gate = Gate()
    publication: Publication = Publication()

    @field_validator("timezone")
    @classmethod
    def _known_timezone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (KeyError, ValueError, OSError):
            raise ValueError(
                f"no such time zone: {value!r}; expected one like 'Europe/Paris'"
            ) from None
        return value

    @field_validator("sources")
    @classmethod
    def _known_sources(cls, value: Mapping[str, SourceConfig]) -> Mapping[str, SourceConfig]:
        unknown = sorted(set(value) - set(DEFAULT_DELAYS_HOURS))
        if unknown:
            raise ValueError(
                f"unknown source {unknown[0]!r}; expected one of {', '.join(DEFAULT_DELAYS_HOURS)}"
            )
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        ids = [zone.id for zone in self.zones]
        twice = sorted({i for i in ids if ids.count(i) > 1})
        if twice:
            raise ValueError(f"zone id {twice[0]!r} is given twice")
        if list(self.quantiles) != sorted(set(self.quantiles)) or 0.5 not in self.quantiles:
            raise ValueError("quantiles must increase and include 0.5")
        for owner, origins in [("origin_markets", self.origin_markets)] + [
            (f"origin_markets of zone {zone.id!r}", zone.origin_markets) for zone in self.zones
        ]:
            total = sum(origin.share for origin in origins)
            if origins and not 0.98 <= total <= 1.02:
                raise ValueError(f"the shares of {owner} sum to {total:g}, expected 1")
        return self

    def delay_hours(self, source: str) -> float:
        """Publication delay of a source [h]; see :data:`DEFAULT_DELAYS_HOURS`."""
        given = self.sources.get(source)
        return given.publication_delay_hours if given else DEFAULT_DELAYS_HOURS[source]

    def territory(self) -> Territory:
        """The zones as plain arrays, for the feature sources."""
        home = tuple(
            Market(
                zone.country or self.country,
                zone.subdivision or ("" if zone.country else self.subdivision),
                zone.school or ("" if zone.country else self.school),
            )
            for zone in self.zones
        )
        weights: list[dict[Market, float]] = []
        for zone, own in zip(self.zones, home, strict=True):
            origins = zone.origin_markets or self.origin_markets
            weights.append(
                {Market(o.country, o.subdivision, o.school): o.share for o in origins} or {own: 1.0}
            )
        markets = tuple(dict.fromkeys(market for row in weights for market in row))
        return Territory(
            id=self.id,
            name=self.name,
            timezone=self.timezone,
            zone_ids=tuple(zone.id for zone in self.zones),
            zone_names=tuple(zone.name for zone in self.zones),
            latitude=np.array([zone.latitude for zone in self.zones]),
            longitude=np.array([zone.longitude for zone in self.zones]),
            population=np.array([zone.population for zone in self.zones]),
            coast=np.array([zone.coast for zone in self.zones]),
            home=home,
            markets=markets,
            shares=np.array([[row.get(m, 0.0) for m in markets] for row in weights]),
            simulated=self.simulated,
        )


def read_config(path: Path) -> RunConfig:
    """Read a TOML file into a :class:`RunConfig`.

    Raises
    ------
    ConfigError
        Naming the file, the key, what was found and what was expected.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    try:
        return RunConfig.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: is not valid TOML: {error}") from error
    except ValidationError as error:
        raise ConfigError(explain(str(path), error)) from error
