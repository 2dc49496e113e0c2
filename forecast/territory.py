"""The territory as plain arrays: zones, where they are, and where their visitors come from.

It stands on the ground floor so that feature sources can use it without reading configuration.
"""

from __future__ import annotations

from dataclasses import dataclass
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Market:
    """A place visitors come from, by its calendars.

    ``country`` is an ISO 3166 code, ``subdivision`` a code of the `holidays` package or empty, and
    ``school`` the subdivision whose school holidays apply (``"Zone C"``, ``"NW"``), or empty.
    """

    country: str
    subdivision: str = ""
    school: str = ""


@dataclass(frozen=True)
class Territory:
    """Zones of one territory.

    ``latitude``, ``longitude`` [degrees] and ``population`` [persons] have shape (zones,);
    ``shares`` has shape (zones, markets), rows summing to 1 (or to 0 where origins are unknown).
    ``home`` holds one market per zone, that of its residents: its public holidays make the runs
    and bridges. ``coast`` says whether a zone has a seashore.
    """

    id: str
    name: str
    timezone: str
    zone_ids: tuple[str, ...]
    zone_names: tuple[str, ...]
    latitude: npt.NDArray[np.float64]
    longitude: npt.NDArray[np.float64]
    population: npt.NDArray[np.float64]
    coast: npt.NDArray[np.bool_]
    home: tuple[Market, ...]
    markets: tuple[Market, ...]
    shares: npt.NDArray[np.float64]
    simulated: bool = False

    @property
    def tz(self) -> ZoneInfo:
        """The territory's time zone."""
        return ZoneInfo(self.timezone)

    def leading(self, zone: int) -> Market:
        """The market of at least half of a zone's visitors; of its residents if there is none."""
        for market, share in zip(self.markets, self.shares[zone], strict=True):
            if share >= 0.5:
                return market
        return self.home[zone]
