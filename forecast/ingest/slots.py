"""From readings at irregular instants to one figure for a civil day.

A day is cut into slots as long as the pause between two polls. A slot's value is the mean of its
readings; one without any is interpolated in time between its neighbours, so that a gap at night
does not weigh like a gap at noon. A slot counts as seen if it has a reading, or one stands within
a quarter of a slot of it (polls are never quite on time). A day with too few slots seen is left
out: half a day is no day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.grid import day_date
from forecast.ingest.place import HOUR, Place

FULL = 0.95
"""Occupancy from which a slot counts as full [share]."""
PARKING_HOURS = (9, 19)
"""The hours of the day over which occupancy is taken, by the clock on the wall."""

_NEAR = 0.75
"""Distance of a reading to the middle of a slot it vouches for [slots]."""

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Days:
    """``rows`` (zone_id, site_id, date, and the variables), and what was left out and why: a
    number of days for each reason."""

    rows: pd.DataFrame
    left_out: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True)
class SiteDay:
    """One variable of one site on one day: ``slots`` at even steps, ``readings`` as they came."""

    site_id: str
    zone_id: str
    day: int
    hours: float
    slots: Floats
    readings: Floats


def flow_days(
    samples: pd.DataFrame, days: Iterable[int], place: Place, *, step_hours: float, least: float
) -> Days:
    """Passages of each day from flow rates: mean flow [h⁻¹] × hours of the day (23 to 25).

    Parameters
    ----------
    samples
        Columns site_id, zone_id, variable ``flow`` [vehicles h⁻¹], at, value.
    days
        Civil days that are over [days since 1970].
    place
        Gives the time zone.
    step_hours
        Length of a slot [h].
    least
        Share of the slots that must have been seen.
    """
    left_out: Counter[str] = Counter()
    flows = samples[samples["variable"] == "flow"]
    rows = [
        {"zone_id": one.zone_id, "site_id": one.site_id, "date": one.day}
        | {"count": float(np.rint(one.slots.mean() * one.hours))}
        for one in _site_days(flows, days, place, (0, 24), step_hours, least, left_out)
    ]
    return Days(_table(rows, ("count",)), left_out)


def occupancy_days(
    samples: pd.DataFrame, days: Iterable[int], place: Place, *, step_hours: float, least: float
) -> Days:
    """Mean and peak occupancy from 9 to 19 h, share of slots full, and capacity, of each day.

    Parameters as in :func:`flow_days`, with the variables ``occupancy`` [share] and ``capacity``
    [spaces]; the last capacity read that day is taken, NaN where none was.
    """
    left_out: Counter[str] = Counter()
    is_capacity = samples["variable"] == "capacity"
    capacity = {
        str(site): (_instants(group), group["value"].to_numpy(dtype=np.float64))
        for site, group in samples[is_capacity].sort_values("at").groupby("site_id")
    }
    shares = samples[samples["variable"] == "occupancy"]
    rows: list[dict[str, object]] = [
        {
            "zone_id": one.zone_id,
            "site_id": one.site_id,
            "date": one.day,
            "occupancy": float(one.slots.mean()),
            "occupancy_peak": float(one.readings.max()),
            "full_share": float((one.slots >= FULL).mean()),
            "capacity": _last(capacity.get(one.site_id), one.day, place),
        }
        for one in _site_days(shares, days, place, PARKING_HOURS, step_hours, least, left_out)
    ]
    names = ("occupancy", "occupancy_peak", "full_share", "capacity")
    return Days(_table(rows, names), left_out)


def _site_days(
    samples: pd.DataFrame,
    days: Iterable[int],
    place: Place,
    hours: tuple[int, int],
    step_hours: float,
    least: float,
    left_out: Counter[str],
) -> Iterator[SiteDay]:
    """Days of each site that were seen enough; the others are counted in ``left_out``."""
    numbers = np.array(sorted(days), dtype=np.int64)
    starts, ends = _wall(numbers, hours[0], place), _wall(numbers, hours[1], place)
    for site, group in samples.sort_values("at", kind="stable").groupby("site_id", sort=True):
        at = _instants(group)
        values, zones = group["value"].to_numpy(dtype=float), group["zone_id"].to_numpy()
        for day, start, end in zip(numbers.tolist(), starts, ends, strict=True):
            first, last = np.searchsorted(at, [start, end])
            if first == last:
                continue
            slots, seen = fill(at[first:last], values[first:last], start, end, step_hours)
            if seen < least:
                left_out[f"less than {least:.0%} of the readings"] += 1
                continue
            length = float(end - start) / HOUR
            zone = str(zones[last - 1])
            yield SiteDay(str(site), zone, day, length, slots, values[first:last])


def fill(at: Ints, values: Floats, start: int, end: int, step_hours: float) -> tuple[Floats, float]:
    """Slots of even length from ``start`` to ``end`` [µs], and the share of them that was seen.

    ``at`` (increasing, in [start, end)) and ``values`` are the readings, one at least. Nothing
    outside the interval is used, so that what comes later changes nothing.
    """
    number = max(1, round((end - start) / (step_hours * HOUR)))
    width = (end - start) / number
    slot = np.minimum(((at - start) / width).astype(np.int64), number - 1)
    middles = start + (np.arange(number) + 0.5) * width
    total = np.bincount(slot, values, number)
    count = np.bincount(slot, minlength=number)
    right = np.searchsorted(at, middles)
    near = np.minimum(
        np.abs(middles - at[np.maximum(right - 1, 0)]),
        np.abs(middles - at[np.minimum(right, len(at) - 1)]),
    )
    seen = (count > 0) | (near <= _NEAR * width)
    means = np.divide(total, count, out=np.zeros(number), where=count > 0)
    filled = np.where(count > 0, means, np.interp(middles, at, values))
    return filled, float(seen.mean())


def _instants(samples: pd.DataFrame) -> Ints:
    return pd.DatetimeIndex(samples["at"]).as_unit("us").asi8


def _wall(days: Ints, hour: int, place: Place) -> Ints:
    """UTC instant [µs] at which the clocks show ``hour`` on each day (24: the day's end)."""
    if hour in (0, 24):
        return place.midnight(days + hour // 24)
    wall = day_date(days) + pd.Timedelta(hours=hour)
    local = wall.tz_localize(place.timezone, ambiguous=False, nonexistent="shift_forward")
    return local.tz_convert("UTC").as_unit("us").asi8.astype(np.int64)


def _last(readings: tuple[Ints, Floats] | None, day: int, place: Place) -> float:
    if readings is None:
        return float("nan")
    at, values = readings
    bounds = place.midnight(np.array([day, day + 1], dtype=np.int64))
    first, last = np.searchsorted(at, bounds)
    return float(values[last - 1]) if last > first else float("nan")


def _table(rows: list[dict[str, object]], variables: tuple[str, ...]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=["zone_id", "site_id", "date", *variables])
    frame["date"] = day_date(frame["date"].to_numpy(dtype=np.int64))
    return frame
