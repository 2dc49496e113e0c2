"""Calendar facts as one line of days per zone: what the linear partner reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

from forecast.almanac import COLUMNS, almanac, calendar_lines, market_lines
from forecast.territory import Territory


@dataclass(frozen=True)
class Daily:
    """Columns that depend only on the zone and the day.

    ``lines`` has shape (columns, groups, days), float32, where ``group``, shape (zones,), is the
    line of each zone; day ``i`` is ``first_day + i`` in days since 1970-01-01. ``markets``, shape
    (2, markets, days), says of each market visitors come from whether it is off beyond its weekend
    (1; −1 on a worked day of it) and what share of its pupils is on holiday; ``shares``, shape
    (zones, markets), how many of each zone's visitors it sends. ``feasts``, shape (zones, days),
    tells the public holidays of each zone's home apart (``Almanac.name``; 0 on any other day).
    """

    zone_ids: tuple[str, ...]
    first_day: int
    group: npt.NDArray[np.int64]
    lines: npt.NDArray[np.float32]
    markets: npt.NDArray[np.float32]
    shares: npt.NDArray[np.float64]
    feasts: npt.NDArray[np.int64]

    @classmethod
    def of(cls, territory: Territory, first_day: int, last_day: int) -> Self:
        """Calendar of every zone of a territory, both days included."""
        days = last_day - first_day + 1
        group, lines = calendar_lines(territory, first_day, days)
        markets = market_lines(territory, first_day, days)
        feasts = np.array([almanac(home, first_day, days).name for home in territory.home])
        return cls(territory.zone_ids, first_day, group, lines, markets, territory.shares, feasts)

    @property
    def days(self) -> int:
        """Number of days in each line."""
        return int(self.lines.shape[2])

    def column(self, name: str, zone: int) -> npt.NDArray[np.float64]:
        """One column of one zone, shape (days,); raise :class:`ValueError` if there is none."""
        line: npt.NDArray[np.float32] = self.lines[COLUMNS.index(name), self.group[zone]]
        return line.astype(np.float64)
