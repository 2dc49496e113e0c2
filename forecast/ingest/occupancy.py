"""What a parking feed's reading says: how full a car park is, where, and when."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import isfinite, nan
from typing import NamedTuple

import pandas as pd

from forecast.errors import ConfigError
from forecast.ingest.car_parks import CarPark, ParkingOptions, inventory
from forecast.ingest.http import Client
from forecast.ingest.moments import parse_instants
from forecast.ingest.polling import accumulate
from forecast.ingest.provider import Batch, Piece, Setting
from forecast.ingest.samples import COLUMNS
from forecast.ingest.slots import occupancy_days

OVERFULL, UNDERFULL = 1.2, -0.05
"""Occupancies within which counting errors are forgiven (and capped to 0 and 1) [share]."""


_NO_CAPACITY = (
    "there are spaces but no capacity; expected it in the feed, the inventory, or `capacities` of "
    "the configuration"
)
_OFFSET = r"(?:Z|UTC|[+-]\d{2}(?::?\d{2})?)$"


@dataclass(frozen=True)
class Reading:
    """What a feed says of a car park now; NaN and empty where it does not.

    ``where`` is for messages, ``time`` as the feed writes it, ``percent`` the occupancy it states
    itself [%], ``full`` whether it says so without figures.
    """

    where: str
    site_id: str
    time: str = ""
    free: float = nan
    occupied: float = nan
    capacity: float = nan
    percent: float = nan
    full: bool = False
    zone: str = ""
    latitude: float = nan
    longitude: float = nan


class Poll(NamedTuple):
    """What a feed says now: readings, a sentence for each entry that is refused, and how many car
    parks say of themselves that they have nothing to say, by why."""

    readings: Sequence[Reading]
    refused: tuple[str, ...]
    silent: Mapping[str, int]


def occupancy(reading: Reading, capacity: float) -> tuple[float, float, str]:
    """Occupancy [share], capacity [spaces; NaN if unknown], and what is wrong (else empty).

    Full and a little more is 1: a car park cannot show the demand it turns away. Occupancy is NaN
    and nothing is wrong where the reading has no figure at all.
    """
    free, occupied = reading.free, reading.occupied
    if isfinite(free) and isfinite(occupied) and free >= 0 and occupied >= 0:
        capacity = free + occupied
    if not any(isfinite(v) for v in (free, occupied, reading.percent)):
        return (1.0 if reading.full else nan), capacity, ""
    if isfinite(free) or isfinite(occupied):
        if not capacity > 0:
            return nan, nan, _NO_CAPACITY
        share = occupied / capacity if isfinite(occupied) else 1 - free / capacity
        said = f"{free:g} free" if not isfinite(occupied) else f"{occupied:g} occupied"
        said += f" of {capacity:g} spaces"
    else:
        share, said = reading.percent / 100, f"occupancy {reading.percent:g} %"
        if 0 < reading.percent <= 1:
            return nan, nan, f"{said} may be a share; expected a percentage, 0 to 100"
    if not UNDERFULL <= share <= OVERFULL:
        return nan, nan, f"{said}; expected no more free or occupied spaces than there are"
    return min(max(share, 0.0), 1.0), capacity, ""


def to_samples(
    readings: Sequence[Reading],
    parks: Mapping[str, CarPark],
    options: ParkingOptions,
    setting: Setting,
    *,
    naive: str = "",
) -> tuple[pd.DataFrame, Counter[str], tuple[str, ...], int]:
    """Readings as samples of ``occupancy`` and ``capacity``.

    Times without offset are those of the time zone ``naive``, refused where it is empty; where
    none is given, ``at`` is NaT. Returns the samples, how many readings of each car park lie in no
    zone, a sentence for each reading that is refused, and how many have no figure at all.
    """
    written = pd.Series([reading.time for reading in readings], dtype="str")
    instants = pd.Series(parse_instants(written, naive or "UTC").when)
    if not naive:
        instants = instants.where(written.str.contains(_OFFSET, regex=True))
    rows: list[tuple[str, str, str, pd.Timestamp, float]] = []
    wrong: list[str] = []
    nowhere: Counter[str] = Counter()
    figureless = 0
    for reading, instant, read in zip(readings, instants, instants.notna(), strict=True):
        park = parks.get(reading.site_id, CarPark())
        if reading.time and not read:
            wrong.append(
                f"{reading.where}, time: {reading.time[:40]!r}; expected an instant that exists "
                + ("once" if naive else "once, with its offset, like 2026-07-14T08:00:00+02:00")
            )
            continue
        capacity = options.capacities.get(reading.site_id, nan)
        if not isfinite(capacity):
            capacity = reading.capacity if isfinite(reading.capacity) else park.capacity
        share, spaces, problem = occupancy(reading, capacity)
        if problem:
            wrong.append(f"{reading.where}: {problem}")
            continue
        if not isfinite(share):
            figureless += 1
            continue
        zone = _zone(reading, park, options, setting)
        if zone is None:
            nowhere[reading.site_id] += 1
            continue
        rows.append((reading.site_id, zone, "occupancy", instant, share))
        if spaces > 0:
            rows.append((reading.site_id, zone, "capacity", instant, spaces))
    return pd.DataFrame(rows, columns=list(COLUMNS)), nowhere, tuple(wrong), figureless


def _zone(reading: Reading, park: CarPark, options: ParkingOptions, setting: Setting) -> str | None:
    """The zone that the configuration names, else that of the feed, else of the inventory."""
    places = setting.places
    if given := options.zones.get(reading.site_id):
        if found := places.zone_of_code(given):
            return found
        raise ConfigError(
            f"providers.{setting.name}.zones.{reading.site_id}: {given!r} is neither a zone of the "
            "configuration nor one of its communes"
        )
    if reading.zone:
        return places.zone_of_code(reading.zone)
    for y, x in ((reading.latitude, reading.longitude), (park.latitude, park.longitude)):
        found = places.zones_of_points([y], [x])[0]
        if found is not None:
            return str(found)
    return places.zone_of_commune(park.insee) if park.insee else None


def keep(
    poll: Poll,
    options: ParkingOptions,
    piece: Piece,
    setting: Setting,
    client: Client,
    *,
    naive: str = "",
) -> Batch:
    """Accumulate a poll's readings, completed by the inventory, and give the days of parking that
    are complete; times without offset are those of ``naive``, as in :func:`to_samples`."""
    parks, lost = inventory(options, setting, client)
    samples, unplaced, wrong, figureless = to_samples(
        poll.readings, parks, options, setting, naive=naive
    )
    batch = accumulate(
        "parking",
        samples,
        occupancy_days,
        ("occupancy", "occupancy_peak", "full_share", "capacity"),
        piece=piece,
        options=options,
        setting=setting,
        unplaced=unplaced,
        refused=(*lost, *poll.refused, *wrong),
    )
    why = {**poll.silent, **({"no figure": figureless} if figureless else {})}
    said = [f"{number} car parks give no measure: {reason}" for reason, number in why.items()]
    return replace(batch, note="; ".join([*said, *filter(None, [batch.note])]))
