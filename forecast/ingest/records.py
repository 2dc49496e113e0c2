"""From records to observations, as a :class:`~forecast.ingest.mapping.Mapped` says. No network."""

from __future__ import annotations

import dataclasses
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from forecast.errors import ProviderError
from forecast.ingest.facts import facts, no_facts
from forecast.ingest.mapping import Mapped, Value
from forecast.ingest.provider import Batch, Setting, Span

_NUMBER = re.compile(r"\s*[-+]?\d{1,15}(\.\d{1,15})?\s*", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[-+]\d{2}:?\d{2})", re.ASCII
)
_LONGEST_EVENT = 366
_FULL = 0.95
_KEYS = ["zone_id", "site_id", "date"]


class _Refused(Exception):  # noqa: N818 (becomes a sentence)
    """A record that cannot be read: field, value, what was expected."""

    def __init__(self, name: str, value: Any, expected: str) -> None:
        super().__init__(f"{name} is {str(value)[:60]!r}, expected {expected}")


def to_batch(
    records: Sequence[Mapping[str, Any]], options: Mapped, span: Span, setting: Setting, where: str
) -> Batch:
    """The observations of the days of ``span``; ``where`` begins each sentence about a record.

    Raises
    ------
    ProviderError
        If no record has one of the fields: the configuration does not fit the data.
    """
    for name in options.fields:
        if records and not any(name in record for record in records):
            given = ", ".join(sorted({str(key) for record in records[:20] for key in record})[:40])
            raise ProviderError(f"{where}: no record has the field {name!r}; they have {given}")
    rows, refused, unplaced, hourly = [], [], Counter[str](), False
    zones = _zones(records, options, setting)
    for number, (record, zone) in enumerate(zip(records, zones, strict=True), start=1):
        try:
            days, hour = _days(record, options, setting.config.timezone)
            days = [day for day in days if span.since <= day <= span.until]
            if not days:
                continue
            if zone is None:
                unplaced[_place(record, options)] += 1
                continue
            hourly |= hour is not None
            known = _known(record, options)
            site = _site(record, options)
        except _Refused as error:
            refused.append(f"{where}: record {number}: {error}")
            continue
        values: dict[str, float | None] = {}
        for variable, value in options.values.items():
            # None does not count at this hour; NaN counts and is missing.
            values[variable] = math.nan
            try:
                values[variable] = _value(record, value, hour)
            except _Refused as error:
                refused.append(f"{where}: record {number}: {error}")
        rows += [(zone, site, day, known, *values.values()) for day in days]
    if not rows:
        return no_facts(unplaced=dict(unplaced), refused=tuple(refused))
    frame = pd.DataFrame(rows, columns=[*_KEYS, "available_at", *options.values], dtype=object)
    table, left_out = _daily(frame, options)
    batch = facts(
        options.source, table, list(options.values), provider=setting.name, config=setting.config
    )
    note = _note(options, left_out, several=hourly and table["records"].max() > 1)
    return dataclasses.replace(batch, unplaced=dict(unplaced), refused=tuple(refused), note=note)


def _note(options: Mapped, left_out: int, *, several: bool) -> str:
    """What was left out, and what may be too small where ``several`` records make a day."""
    few = f", or fewer than {options.min_records} records" if options.min_records > 1 else ""
    notes = [f"{left_out} sums of a day left out: a value is missing{few}"] if left_out else []
    summed = any(value.aggregate == "sum" for value in options.values.values())
    if several and summed and options.min_records == 1:
        notes.append(
            "days are sums of records by the hour: set min_records, or a day of which some records "
            "are absent counts too few"
        )
    return "; ".join(notes)


def _daily(frame: pd.DataFrame, options: Mapped) -> tuple[pd.DataFrame, int]:
    """One row for each zone, site and day, and how many of its values are incomplete."""
    groups = frame.groupby(_KEYS, sort=True)
    table = groups.size().rename("records").reset_index()
    enough, left_out = table["records"].to_numpy() >= options.min_records, 0
    for variable, value in options.values.items():
        cells = frame[variable]
        counts = cells.map(lambda cell: cell is not None).to_numpy()
        numbers = pd.to_numeric(cells.where(counts, np.nan)).astype(float)
        if value.aggregate == "full":
            numbers = (numbers >= _FULL - 1e-9).astype(float).where(numbers.notna())
        by = numbers.groupby([frame[key] for key in _KEYS], sort=True)
        how = "mean" if value.aggregate == "full" else value.aggregate
        made = (by.sum(min_count=1) if how == "sum" else by.agg(how)).to_numpy()
        missing = numbers.isna().to_numpy() & counts
        lacks = pd.Series(missing).groupby([frame[key] for key in _KEYS], sort=True).any()
        # A mean or a maximum of what is there is honest; a sum of it is not.
        broken = ~enough | (lacks.to_numpy() if value.aggregate == "sum" else False)
        left_out += int((broken & (np.isfinite(made) | ~enough)).sum())
        table[variable] = np.where(broken, np.nan, made)
    table["date"] = pd.to_datetime(table["date"]).astype("datetime64[us]")
    known = pd.to_datetime(frame["available_at"], utc=True)
    latest = known.groupby([frame[key] for key in _KEYS], sort=True).max()
    every = known.notna().groupby([frame[key] for key in _KEYS], sort=True).all()
    table["available_at"] = latest.where(every).to_numpy()
    table["available_at"] = pd.to_datetime(table["available_at"], utc=True)
    return table, left_out


def _zones(
    records: Sequence[Mapping[str, Any]], options: Mapped, setting: Setting
) -> Sequence[str | None]:
    if options.zone:
        return [setting.places.zone_of_code(options.zone)] * len(records)
    if options.zone_field:
        codes = [record.get(options.zone_field) for record in records]
        return [setting.places.zone_of_code(str(c)) if c is not None else None for c in codes]
    points = np.array([_point(record.get(options.point_field)) for record in records])
    points = points.reshape(-1, 2)
    return list(setting.places.zones_of_points(points[:, 0], points[:, 1]))


def _point(given: Any) -> tuple[float, float]:
    """Latitude and longitude; NaN where they cannot be read.

    Explore v2.1 writes ``{"lon": …, "lat": …}``; its first version ``[lat, lon]``; a text may hold
    ``lat, lon``.
    """
    pair = given
    if isinstance(given, Mapping):
        pair = (given.get("lat"), given.get("lon"))
    elif isinstance(given, str):
        pair = given.split(",")
    try:
        latitude, longitude = (float(part) for part in pair)
    except (TypeError, ValueError, OverflowError):
        return math.nan, math.nan
    return latitude, longitude


def _place(record: Mapping[str, Any], options: Mapped) -> str:
    name = options.zone_field or options.site_field or options.point_field
    given = record.get(name) if name else options.zone
    return "" if given is None else str(given)[:80]


def _site(record: Mapping[str, Any], options: Mapped) -> str:
    if not options.site_field:
        return ""
    given = record.get(options.site_field)
    if not isinstance(given, str | int) or isinstance(given, bool) or not str(given).strip():
        raise _Refused(options.site_field, given, "a name")
    return " ".join(str(given).split())


def _known(record: Mapping[str, Any], options: Mapped) -> pd.Timestamp | None:
    given = record.get(options.available_field) if options.available_field else None
    return None if given is None else _instant(options.available_field, given)


def _days(
    record: Mapping[str, Any], options: Mapped, timezone: str
) -> tuple[list[date], int | None]:
    """The civil days of a record, and its local hour; None if it is about a whole day."""
    first, hour = _day(options.date_field, record.get(options.date_field), timezone)
    if not options.end_field or record.get(options.end_field) is None:
        return [first], hour
    last, _ = _day(options.end_field, record[options.end_field], timezone)
    if not 0 <= (last - first).days < _LONGEST_EVENT:
        raise _Refused(options.end_field, last, f"a day of the {_LONGEST_EVENT} from {first} on")
    return [first + timedelta(n) for n in range((last - first).days + 1)], None


def _day(name: str, given: Any, timezone: str) -> tuple[date, int | None]:
    if isinstance(given, str) and re.fullmatch(r"\d{4}-\d{2}-\d{2}", given, re.ASCII):
        try:
            return date.fromisoformat(given), None
        except ValueError:
            raise _Refused(name, given, "a day that exists") from None
    local = _instant(name, given).tz_convert(timezone)
    return local.date(), local.hour


def _instant(name: str, given: Any) -> pd.Timestamp:
    expected = "a day like 2026-05-13, or an instant with its offset like 2026-05-13T08:00:00+02:00"
    if not isinstance(given, str) or not _INSTANT.fullmatch(given):
        raise _Refused(name, given, expected)
    try:
        instant = pd.Timestamp(given)
    except (ValueError, OverflowError):
        raise _Refused(name, given, expected) from None
    if not 1900 <= instant.year <= 2200:
        raise _Refused(name, given, expected)
    return instant.tz_convert("UTC").as_unit("us")


def _value(record: Mapping[str, Any], value: Value, hour: int | None) -> float | None:
    """The value in the unit of the variable; NaN if missing, None if it does not count."""
    if hour is not None and not value.hours[0] <= hour < value.hours[1]:
        return None
    if value.field:
        return _number(record, value.field) * value.factor
    free, capacity = _number(record, value.free), _number(record, value.capacity)
    if math.isnan(free) or math.isnan(capacity):
        return math.nan
    if capacity <= 0:
        raise _Refused(value.capacity, capacity, "a number of spaces above 0")
    if free < 0 or free > capacity:
        raise _Refused(value.free, free, f"a number of spaces from 0 to {capacity:g}")
    return (1 - free / capacity) * value.factor


def _number(record: Mapping[str, Any], name: str) -> float:
    given = record.get(name)
    if given is None or given == "":
        return math.nan
    if isinstance(given, str) and _NUMBER.fullmatch(given):
        return float(given)
    if isinstance(given, bool) or not isinstance(given, int | float) or abs(given) > 1e15:
        raise _Refused(name, given, "a number")
    if not math.isfinite(given):
        raise _Refused(name, given, "a finite number")
    return float(given)
