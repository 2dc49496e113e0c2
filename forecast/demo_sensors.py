"""Simulated sensors: presence as counters, car parks and refuse rounds see it, faults included.

Each function takes the truth of all zones and returns a table of the input contract. The faults
are the ones that real feeds have: gaps, a counter that died, one recalibrated, one that is new, car
parks that hide demand once full, rounds that holidays shift and that follow presence by days.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.daily import Daily
from forecast.grid import day_date

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Presence:
    """Residents [persons] and visitors [persons day⁻¹] of each zone on each day.

    ``influx`` has shape (zones, days) from ``first_day`` (days since 1970-01-01); ``population``
    has shape (zones,).
    """

    zone_ids: tuple[str, ...]
    first_day: int
    population: Floats
    influx: Floats

    @property
    def days(self) -> int:
        """Number of days."""
        return int(self.influx.shape[1])

    @property
    def dates(self) -> pd.DatetimeIndex:
        """Civil day of each column."""
        return day_date(self.first_day + np.arange(self.days))


_TRAFFIC = np.array([1.00, 1.02, 1.02, 1.03, 1.10, 0.88, 0.72])  # residents' trips by weekday
_SITES = (2, 3, 4)
_DEAD, _RECALIBRATED, _NEW = 2, 5, 8  # which counters have a story, in order of zones and sites


def mobility(presence: Presence, calendar: Daily, rng: np.random.Generator) -> pd.DataFrame:
    """Counters: two to four sites in each zone, passages per day, empty while one is out of order.

    A site sees a share of the residents' trips and a share of the visitors. The third one dies
    200 days before the end, the sixth counts 1.6 times as much after a recalibration in the middle,
    the ninth is opened 14 months before the end.
    """
    days, tables, number = presence.days, [], 0
    for z, zone in enumerate(presence.zone_ids):
        weekday = calendar.column("weekday", z).astype(int)
        quiet = (calendar.column("holiday", z) > 0) | (calendar.column("bridge", z) > 0)
        away = 1 - 0.10 * np.nan_to_num(calendar.column("school_home", z))
        trips = presence.population[z] * np.where(quiet, 0.75, _TRAFFIC[weekday]) * away
        for site in range(_SITES[z % len(_SITES)]):
            residents, visitors = rng.uniform(0.02, 0.06), rng.uniform(0.06, 0.20)
            noise = _persistent(days, 0.6, 0.045, rng)
            count = (residents * trips + visitors * presence.influx[z]) * np.exp(noise)
            if number == _RECALIBRATED:
                count[days // 2 :] *= 1.6
            for start in rng.integers(0, days, size=rng.integers(2, 6)):
                count[start : start + rng.integers(2, 15)] = np.nan
            if number == _DEAD:
                count = count[: days - 200]
            opened = max(days - 425, 0) if number == _NEW else 0
            tables.append(
                pd.DataFrame(
                    {
                        "zone_id": zone,
                        "site_id": f"{zone[-4:]}-C{site + 1}",
                        "date": presence.dates[opened : len(count)],
                        "count": np.round(count[opened:]),
                    }
                )
            )
            number += 1
    return pd.concat(tables, ignore_index=True)


# zone: car parks as (name, spaces, occupancy when nobody visits, what visitors add on the busiest
# of a hundred days)
CAR_PARKS = {
    "241400415": (
        ("Deauville, Centre", 420, 0.30, 1.00),
        ("Trouville, Plage", 260, 0.22, 1.15),
        ("Villers, Front de mer", 180, 0.18, 1.15),
    ),
    "200066827": (("Honfleur, Bassin", 330, 0.28, 1.05), ("Honfleur, Naturospace", 600, 0.10, 1.0)),
    "200084952": (("Étretat, Grandval", 300, 0.12, 1.25), ("Le Havre, Plage", 500, 0.25, 0.90)),
    "200069821": (("Fécamp, Digue", 240, 0.25, 1.05),),
}


def parking(presence: Presence, rng: np.random.Generator) -> pd.DataFrame:
    """Car parks: those of the places people drive to for the day, and a small one elsewhere.

    What they would hold follows influx; what they show stops at their capacity, and once they are
    full at midday only ``full_share`` still tells how early they filled up.
    """
    tables = []
    for z, zone in enumerate(presence.zone_ids):
        lots = CAR_PARKS.get(zone, (("Centre", 150, 0.35, 0.4),))
        busiest = np.quantile(presence.influx[z], 0.99)
        for name, spaces, usual, demand in lots:
            noise = _persistent(presence.days, 0.3, 0.07, rng)
            asked = (usual + demand * presence.influx[z] / busiest) * np.exp(noise)
            # The day's demand is a hump; over the hump, a full car park is flat.
            hump = np.sin(np.pi * (np.arange(20) + 0.5) / 20) ** 0.7
            slots = np.minimum(asked[:, None] * 1.15 * hump, 1.0)
            full = np.round((slots >= 0.95).mean(axis=1), 3)
            occupancy, peak = np.round(slots.mean(axis=1), 3), np.round(slots.max(axis=1), 3)
            for start in rng.integers(0, presence.days, size=3):
                gap = slice(start, start + rng.integers(1, 8))
                occupancy[gap] = peak[gap] = full[gap] = np.nan
            tables.append(
                pd.DataFrame(
                    {
                        "zone_id": zone,
                        "site_id": name,
                        "date": presence.dates,
                        "occupancy": occupancy,
                        "occupancy_peak": peak,
                        "full_share": full,
                        "capacity": spaces,
                    }
                ).dropna(subset=["occupancy"])
            )
    return pd.concat(tables, ignore_index=True)


def waste(
    presence: Presence, calendar: Daily, timezone: str, rng: np.random.Generator
) -> pd.DataFrame:
    """Household refuse: two rounds a week in each zone, and glass on the first Monday of the month.

    A round takes what was thrown away since the one before: 0.8 kg a day for a resident, half of
    that for a visitor, since many stay for a day. On a public holiday it goes out the day
    after. Rounds are published three to five days later, glass with the month's accounts.
    """
    tables = []
    for z, zone in enumerate(presence.zone_ids):
        thrown = 0.0008 * (presence.population[z] + 0.5 * presence.influx[z])  # t day⁻¹
        weekday = calendar.column("weekday", z).astype(int)
        holiday = np.append(calendar.column("holiday", z) > 0, False)
        dates = presence.dates
        for stream, due, part in (
            ("ordures ménagères", (weekday == z % 3) | (weekday == z % 3 + 3), 1.0),
            ("verre", (weekday == 0) & (dates.day <= 7), 0.12),
        ):
            rounds = np.flatnonzero(due)
            rounds += holiday[rounds]
            rounds = rounds[rounds < presence.days]
            heap = np.concatenate([[0.0], np.cumsum(thrown)])
            tonnage = part * np.diff(heap[rounds]) * np.exp(rng.normal(0, 0.04, len(rounds) - 1))
            days = dates[rounds[1:]]
            if stream == "verre":
                readable = days + pd.offsets.MonthBegin(1) + pd.Timedelta(days=9, hours=8)
            else:
                late = rng.integers(3, 6, len(days))
                readable = days + pd.to_timedelta(late, unit="D") + pd.Timedelta(hours=32)
            tables.append(
                pd.DataFrame(
                    {
                        "zone_id": zone,
                        "site_id": stream,
                        "date": days,
                        "tonnage": np.round(tonnage, 2),
                        "available_at": readable.tz_localize(timezone).tz_convert("UTC"),
                    }
                )
            )
    return pd.concat(tables, ignore_index=True)


def _persistent(days: int, memory: float, spread: float, rng: np.random.Generator) -> Floats:
    """First-order autoregression with that standard deviation, shape (days,)."""
    noise = rng.normal(0, spread, days)
    for t in range(1, days):
        noise[t] = memory * noise[t - 1] + np.sqrt(1 - memory**2) * noise[t]
    return noise
