"""What a day is known to be, in French words: its feast, bridge or school holidays, sky, event.

The words name the causes of a forecast (:mod:`forecast.sentence`); no figure depends on them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

import numpy as np
import numpy.typing as npt

from forecast.feasts import EPOCH, FEASTS, Almanac, almanac
from forecast.matrix import FeatureMatrix
from forecast.school import school
from forecast.territory import Market, Territory

_FEASTS = {
    "Ascension Day": "l'Ascension",
    "Pentecost Monday": "la Pentecôte",
    "Easter Monday": "Pâques",
    "Christmas Day": "Noël",
    "New Year's Day": "le Nouvel An",
    "Assumption Day": "le 15 août",
    "National Day": "la fête nationale",
    "All Saints' Day": "la Toussaint",
    "Armistice Day": "le 11 Novembre",
    "Victory Day": "le 8 Mai",
    "Labor Day": "le 1er Mai",
    "Good Friday": "le Vendredi saint",
    "Chinese New Year": "le Nouvel An chinois",
    "Mid-Autumn Festival": "la fête de la Mi-Automne",
    "Dragon Boat Festival": "la fête des Bateaux-Dragons",
    "Tomb-Sweeping Day": "la fête de Qingming",
    "Double Ninth Festival": "la fête du Double Neuf",
}
_BREAKS = {
    **dict.fromkeys((10, 11), "vacances de la Toussaint"),
    **dict.fromkeys((12, 1), "vacances de Noël"),
    **dict.fromkeys((2, 3), "vacances d'hiver"),
    **dict.fromkeys((4, 5), "vacances de printemps"),
    **dict.fromkeys((6, 7, 8, 9), "vacances d'été"),
}
_FEW_VISITORS = 0.25
_SHORT_BREAK = 5  # pupils are free on the bridge of Ascension, which is no school holiday
_NEAR_DAYS = 4
_MARGIN = 16  # a run of free days is shorter
_WET = 1.0

Sky = Literal["unknown", "dry", "wet"]


@dataclass(frozen=True)
class Circumstances:
    """What is known of one day beside its figures; empty where there is nothing to name.

    ``holidays`` as "pont de l'Ascension", ``event`` is the name of the largest one announced.
    """

    holidays: str = ""
    sky: Sky = "unknown"
    event: str = ""


def circumstances(
    matrix: FeatureMatrix, territory: Territory, events: Mapping[tuple[int, int], str]
) -> list[Circumstances]:
    """Circumstances of each question of ``matrix``, whose zones are those of ``territory``.

    ``events`` names an event by zone (its position) and day (since 1970-01-01).
    """
    grid, skies = matrix.grid, _skies(matrix)
    first = int(grid.target_day.min())
    days = int(grid.target_day.max()) - first + 1
    names = [list(holiday_names(territory, z, first, days)) for z in range(len(grid.zone_ids))]
    return [
        Circumstances(names[zone][day - first], sky, events.get((zone, day), ""))
        for zone, day, sky in zip(
            grid.row_zone.tolist(), grid.target_day.tolist(), skies, strict=True
        )
    ]


def holiday_names(territory: Territory, zone: int, first_day: int, days: int) -> Iterator[str]:
    """What each day's holidays are called, empty on an ordinary day.

    Public holidays are those of the zone's leading market, then those of its residents; school
    holidays are named where at least a quarter of the visitors have them.
    """
    markets = dict.fromkeys([territory.leading(zone), territory.home[zone]])
    facts = [
        (market.country, almanac(market, first_day - _MARGIN, days + 2 * _MARGIN))
        for market in markets
    ]
    pupils = list(_school_names(territory, zone, first_day, days))
    for i, break_name in enumerate(pupils):
        feasts = [_feast_name(country, f, i + _MARGIN) for country, f in facts]
        near = [_near_name(country, f, i + _MARGIN) for country, f in facts]
        feast = next(filter(None, feasts), "")
        if feast and break_name.endswith(feast.partition(" ")[2]):
            break_name = ""  # the bridge of Christmas, rather than it and the Christmas holidays
        yield " et ".join(filter(None, [feast, break_name])) or next(filter(None, near), "")


def _feast_name(country: str, facts: Almanac, day: int) -> str:
    """Of a day in a run, of a public holiday, its eve and the day after."""
    if facts.run_length[day]:
        begin = day - int(facts.run_position[day]) + 1
        run = slice(begin, begin + int(facts.run_length[day]))
        kind = "pont" if facts.bridge[run].any() else "week-end"
        feast = _feast(country, int(facts.run_feast[day]))
        return (
            f"{kind} {_of(feast)}" if feast else f"{kind} prolongé".replace("pont prolongé", kind)
        )
    for beside, kind in ((0, "jour férié"), (1, "veille"), (-1, "lendemain")):
        code = int(facts.feast[day + beside])
        if code:
            feast = _feast(country, code)
            return f"{kind} {_of(feast or 'un jour férié')}" if feast or beside else kind
    return ""


def _near_name(country: str, facts: Almanac, day: int) -> str:
    """Of an ordinary day a few days before or after a run."""
    offset, feast = facts.feast_offset[day], _feast(country, int(facts.run_feast[day]))
    if not feast or not abs(offset) <= _NEAR_DAYS:
        return ""
    return f"{'avant' if offset < 0 else 'après'} {feast}"


def _feast(country: str, code: int) -> str:
    name = FEASTS[code]
    return "le 14 Juillet" if (country, name) == ("FR", "National Day") else _FEASTS.get(name, "")


def _of(feast: str) -> str:
    """With its preposition.

    >>> _of("le 8 Mai"), _of("l'Ascension"), _of("un jour férié")
    ('du 8 Mai', "de l'Ascension", "d'un jour férié")
    """
    if feast.startswith("le "):
        return f"du {feast[3:]}"
    return f"d'{feast}" if feast.startswith("un ") else f"de {feast}"


def _school_names(territory: Territory, zone: int, first_day: int, days: int) -> Iterator[str]:
    """School holidays of each day; French ones by their name."""
    shares = territory.shares[zone]
    markets = [(m, s) for m, s in zip(territory.markets, shares, strict=True) if s > 0]
    free = np.array([share * _on_holiday(m, first_day, days) for m, share in markets])
    for i in range(days):
        if not len(free) or free[:, i].sum() < _FEW_VISITORS:
            yield ""
        elif markets[int(free[:, i].argmax())][0].country == "FR":
            yield _BREAKS[(EPOCH + timedelta(first_day + i)).month]
        else:
            yield "vacances scolaires"


def _on_holiday(market: Market, first_day: int, days: int) -> npt.NDArray[np.bool_]:
    pupils = school(market, first_day, days)
    long = pupils.since_start + pupils.until_end + 1 > _SHORT_BREAK
    return np.asarray((pupils.since_start >= 0) & long)


def _skies(matrix: FeatureMatrix) -> list[Sky]:
    """What the weather forecast says of each target day."""

    def column(name: str) -> npt.NDArray[np.float32]:
        if name in matrix.columns:
            return matrix.column(name)
        return np.full(len(matrix.grid), np.nan, dtype=np.float32)

    names = ("temperature_max", "temperature_min", "precipitation", "sunshine", "wind_gust")
    lines = np.stack([column(f"weather_{name}") for name in names])
    known = np.asarray(np.isfinite(lines).any(axis=0))
    wet = column("weather_precipitation") >= _WET
    return ["wet" if wet[i] else "dry" if known[i] else "unknown" for i in range(len(wet))]
