"""The simulated world: how many visitors each zone of the estuary would see, and why.

Every size here is a JUDGEMENT, made to agree with the few public figures there are; it is not a
measurement of the real estuary. Present persons over residents: Cœur Côte Fleurie 1.3 on a winter
weekday to 4 or 5 at the peak (18,000 second homes with about 72,000 beds for 20,687 inhabitants;
Villers-sur-Mer multiplied by 15 at peaks), Honfleur 1.2 to 2 (3.7 million visitors a year),
Fécamp 1.05 to 1.4, Le Havre 1.0 to 1.15 (Étretat: 1.5 million a year), Lisieux 1.0 to 1.1, the
three inland zones 1.0 to 1.05. Saturdays in August carry twice the road traffic of Saturdays in
January, Fridays before long weekends half as much again (Cerema, Normandie, 2020 to 2023).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import numpy.typing as npt

from forecast.almanac import COLUMNS
from forecast.daily import Daily
from forecast.demo_weather import Weather, usual_clear, usual_maximum
from forecast.feasts import EPOCH, FEASTS
from forecast.territory import Territory
from forecast.tides import daily

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Profile:
    """What moves the visitors of one zone.

    ``base`` is the influx of an ordinary winter weekday and ``ceiling`` what the zone can hold,
    both over the population. The others add to the logarithm of influx: ``season`` at the height
    of summer, ``weekend`` on a Saturday, ``run`` in the middle of a long weekend, ``school`` when
    the pupils of every market are free, ``sun`` from an overcast to a cloudless day, ``warm`` per
    5 °C above normal, ``rain`` per unit of log(1 + mm), ``low_tide`` when low water falls in
    bathing hours. ``noise`` scales what nothing explains.
    """

    base: float
    ceiling: float
    season: float = 0.25
    weekend: float = 0.12
    run: float = 0.10
    school: float = 0.08
    sun: float = 0.04
    warm: float = 0.01
    rain: float = -0.01
    low_tide: float = 0.0
    noise: float = 0.5


PROFILES = {
    # Cœur Côte Fleurie: beaches, second homes, two hours from Paris
    "241400415": Profile(0.30, 4.6, 1.18, 0.58, 0.60, 0.35, 0.50, 0.10, -0.07, 0.07, 1.0),
    # Pays de Honfleur-Beuzeville: harbour town, coaches and cruises, less of the beach
    "200066827": Profile(0.20, 1.4, 0.80, 0.40, 0.32, 0.20, 0.22, 0.05, -0.05, 0.02, 0.9),
    # Fécamp Caux Littoral: cliffs, pebble beaches
    "200069821": Profile(0.055, 0.60, 0.95, 0.40, 0.30, 0.25, 0.32, 0.08, -0.06, 0.05, 1.0),
    # Le Havre Seine Métropole: a city that empties in summer, and Étretat that fills
    "200084952": Profile(0.028, 0.30, 0.70, 0.35, 0.28, 0.20, 0.26, 0.06, -0.05, 0.03, 0.8),
    # Lisieux Normandie: the basilica's pilgrims, the countryside of the Auge
    "200069532": Profile(0.026, 0.20, 0.55, 0.22, 0.20, 0.12, 0.06, 0.02, -0.02, 0.0, 0.7),
    # Caux Seine agglo, Campagne de Caux, Roumois Seine: inland, a family visit, a hike
    "200010700": Profile(0.020, 0.30, 0.22, 0.12, 0.10, 0.06, 0.04, 0.01, -0.01),
    "247600505": Profile(0.022, 0.30, 0.28, 0.14, 0.10, 0.06, 0.05, 0.01, -0.01),
    "200066405": Profile(0.018, 0.30, 0.15, 0.08, 0.06, 0.04, 0.02, 0.01, -0.01),
}
COAST = Profile(0.06, 1.0, 0.90, 0.40, 0.30, 0.25, 0.30, 0.08, -0.06, 0.05, 1.0)
INLAND = Profile(0.020, 0.30)
"""Profiles of zones that have none of their own."""

_WEEK = np.array([0.0, -0.05, 0.02, 0.03, 0.45, 1.0, 0.85])  # share of ``weekend`` by weekday
_FEAST = {
    "Ascension Day": 1.0,
    "Pentecost Monday": 0.9,
    "Easter Monday": 0.9,
    "Assumption Day": 0.6,
    "National Day": 0.6,
    "Victory Day": 0.7,
    "Labor Day": 0.8,
    "All Saints' Day": 0.6,
}
_OTHER_FEAST = 0.5
TREND = 0.012
"""Growth of influx per year, in logarithm."""


@dataclass(frozen=True)
class Event:
    """An event with the persons it draws on each day; dates are inclusive."""

    zone_id: str
    name: str
    first: date
    last: date
    attendance: float


def events(first: date, last: date) -> list[Event]:
    """Dated events of the estuary that begin from ``first`` to ``last``; attendance is rounded.

    From public figures: Deauville 60,000 over the festival, Transat 520,000 over its village (in
    2019), Un Été au Havre 330,000 and 40,000 on the opening night, Armada 4.3 million in all, whose
    last day is the ships' parade along the Seine.
    """
    found = []
    for year in range(first.year, last.year + 1):
        friday = date(year, 9, 1) + timedelta((4 - date(year, 9, 1).weekday()) % 7)
        summer = date(year, 6, 21) + timedelta((5 - date(year, 6, 21).weekday()) % 7)
        found += [
            Event("241400415", "Festival du cinéma américain", friday, friday + timedelta(9), 6000),
            Event("200084952", "Un Été au Havre, ouverture", summer, summer, 40000),
            Event("200084952", "Un Été au Havre", summer + timedelta(1), date(year, 9, 15), 3500),
        ]
        if year % 2:
            start = date(year, 10, 24) + timedelta((4 - date(year, 10, 24).weekday()) % 7)
            found.append(Event("200084952", "Transat", start, start + timedelta(9), 30000))
        if year in (2023, 2027):
            parade = {2023: date(2023, 6, 18), 2027: date(2027, 6, 27)}[year]
            found += [
                Event("200010700", "Armada, grande parade", parade, parade, 45000),
                Event("200066405", "Armada, grande parade", parade, parade, 25000),
                Event("200084952", "Armada, grande parade", parade, parade, 40000),
            ]
    return [event for event in found if first <= event.first <= last]


def profiles(territory: Territory) -> list[Profile]:
    """Profile of each zone."""
    return [
        PROFILES.get(zone, COAST if coast else INLAND)
        for zone, coast in zip(territory.zone_ids, territory.coast, strict=True)
    ]


def expected_influx(territory: Territory, first_day: int, weather: Weather) -> Floats:
    """Influx that calendar, tide, weather and events call for, without noise or trend.

    ``weather`` has columns of shape (zones, days); the answer has the same shape
    [visitors day⁻¹].
    """
    days = weather.sunshine.shape[1]
    calendar = Daily.of(territory, first_day, first_day + days - 1)
    low = daily(first_day, days, territory.timezone).low_bathing
    influx = np.empty((len(territory.zone_ids), days))
    for z, profile in enumerate(profiles(territory)):
        facts = {name: calendar.column(name, z) for name in COLUMNS}
        summer = height_of_season(facts["year_fraction"])
        school = np.nan_to_num(facts["school_share"])
        clear = weather.sunshine[z] / facts["daylight"] - usual_clear(facts["year_fraction"])
        warm = weather.temperature_max[z] - usual_maximum(
            facts["year_fraction"], bool(territory.coast[z])
        )
        outdoors = 0.45 + 0.55 * summer
        weekday = np.where(facts["bridge"] > 0, 5, facts["weekday"])
        weekday = np.where(facts["holiday"] > 0, 6, weekday).astype(int)
        log = (
            profile.season * summer
            + profile.weekend * _WEEK[weekday]
            + profile.run * long_weekend(facts["run_length"], facts["run_position"], facts["feast"])
            + profile.run * 0.3 * (facts["run_to"] == 1)
            + profile.school * school
            + outdoors
            * (
                profile.sun * clear
                + profile.warm * warm / 5
                + profile.rain * np.log1p(weather.precipitation[z])
            )
            + profile.low_tide * summer * (low - 0.5)
        )
        asked = profile.base * np.exp(log)
        influx[z] = territory.population[z] * _within(asked, profile.ceiling)
    return influx + _event_influx(territory, first_day, days)


def height_of_season(year_fraction: Floats) -> Floats:
    """0 in the last days of January, 1 in the last days of July."""
    wave: Floats = ((1 - np.cos(2 * np.pi * (year_fraction - 0.07))) / 2) ** 1.4
    return wave


def long_weekend(length: Floats, position: Floats, feast: Floats) -> Floats:
    """Strength of a long weekend on each day: 1 in the middle of Ascension's, less at its ends."""
    strength = np.array([0.0, *(_FEAST.get(name, _OTHER_FEAST) for name in FEASTS[1:])])
    place = np.where(position == 1, 0.85, np.where(position == length, 0.55, 1.0))
    return np.where(length > 0, place * strength[feast.astype(int)], 0.0)


def _within(asked: Floats, ceiling: float) -> Floats:
    """What a zone can hold of what is asked: nearly all of it, until it fills up."""
    held: Floats = asked / (1 + (asked / ceiling) ** 4) ** 0.25
    return held


def _event_influx(territory: Territory, first_day: int, days: int) -> Floats:
    """Visitors that events add; four in ten of those who attend live there or came anyway."""
    added = np.zeros((len(territory.zone_ids), days))
    start = EPOCH + timedelta(first_day)
    for event in events(start - timedelta(120), start + timedelta(days)):
        if event.zone_id in territory.zone_ids:
            i = max((event.first - start).days, 0)
            j = max((event.last - start).days + 1, 0)
            added[territory.zone_ids.index(event.zone_id), i:j] += 0.6 * event.attendance
    return added
