"""What checking needs to know of a territory, also where its ``territory.toml`` cannot be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import DEFAULT_DELAYS_HOURS, RunConfig
from forecast.grid import day_date
from forecast.ingest.moments import localize

HOUR = 3_600_000_000
"""One hour [µs]."""


@dataclass(frozen=True)
class Place:
    """Zones (id to name and population; empty if unknown), time zone, delays [h], provider."""

    names: dict[str, str]
    population: dict[str, float]
    timezone: str
    delays: dict[str, float]
    provider: str

    @classmethod
    def of(cls, config: RunConfig | None) -> Self:
        """The place of a configuration; zones unknown and defaults elsewhere without one."""
        if config is None:
            return cls({}, {}, "Europe/Paris", dict(DEFAULT_DELAYS_HOURS), "files")
        return cls(
            names={zone.id: zone.name for zone in config.zones},
            population={zone.id: zone.population for zone in config.zones},
            timezone=config.timezone,
            delays={source: config.delay_hours(source) for source in DEFAULT_DELAYS_HOURS},
            provider="simulated" if config.simulated else "files",
        )

    def midnight(self, days: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """UTC instant [µs] at which each civil day (days since 1970) begins here."""
        distinct, inverse = np.unique(days, return_inverse=True)
        wall = pd.DatetimeIndex(day_date(distinct))
        # Some clocks change at midnight: the day then begins at the first instant that exists.
        begins = wall.tz_localize(
            self.timezone,
            ambiguous=np.ones(len(wall), dtype=bool),
            nonexistent="shift_forward",
        )
        return begins.tz_convert("UTC").as_unit("us").asi8[inverse].astype(np.int64)

    def day_end(self, days: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """UTC instant [µs] at which each civil day ends here."""
        return self.midnight(days + 1)

    def to_utc(self, wall: pd.DatetimeIndex) -> tuple[pd.DatetimeIndex, npt.NDArray[np.bool_]]:
        """UTC instants of wall-clock times, and which of them do not exist or exist twice."""
        micros = wall.as_unit("us").asi8
        utc, skipped, repeated = localize(micros, np.ones(len(wall), dtype=bool), self.timezone)
        return pd.DatetimeIndex(utc.astype("datetime64[us]"), tz="UTC"), skipped | repeated
