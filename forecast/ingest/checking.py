"""What refuses a row: bounds, zones, days that are not over, instants before their time."""

from __future__ import annotations

from collections.abc import Callable
from difflib import get_close_matches

import numpy as np
import pandas as pd

from forecast.ingest.cells import NAT, Typed
from forecast.ingest.contract import SourceTable
from forecast.ingest.place import HOUR, Place
from forecast.ingest.raw import fold
from forecast.ingest.report import KEPT_PER_KIND, Findings, Ints
from forecast.tables import Column

LONGEST_EVENT_DAYS = 366
_LATEST_DAY = 84_000
"""Days since 1970 beyond which arithmetic on instants has no meaning (2199)."""


def check_rows(
    typed: Typed, table: SourceTable, place: Place, now: pd.Timestamp, findings: Findings
) -> None:
    """Record every row that breaks the contract, and mark it in ``typed.bad``."""
    for column in table.schema.columns:
        if column.low is not None and column.name in typed.columns:
            _bounds(typed, column, findings)
    _zones(typed, place, findings)
    for name in ("date", "end_date"):
        far = np.abs(typed.integers(name)) > _LATEST_DAY
        typed.refuse(
            far & (typed.integers(name) != NAT),
            "not_a_date",
            "the day is too far away",
            findings,
            name,
            expected="a day between 1950 and 2100",
        )
    _order_of_times(typed, table, place, now, findings)
    if table.name == "events":
        _events(typed, findings)


def _bounds(typed: Typed, column: Column, findings: Findings) -> None:
    values = typed.numbers(column.name)
    if column.low is None or column.high is None:
        return
    outside = (values < column.low) | (values > column.high)
    if not outside.any():
        return
    advice = ""
    above = values > column.high
    if column.unit == "share" and 2 * np.sum(values[above] <= 120) > np.sum(above):
        advice = "this looks like a percentage: divide by 100"
    elif column.name == "tonnage" and above.any():
        advice = "this looks like kilograms: divide by 1000"
    elif column.unit == "°C" and above.any():
        advice = "this looks like kelvins or tenths of a degree: give degrees Celsius"
    unit = f" {column.unit}" if column.unit else ""
    typed.refuse(
        outside,
        "out_of_bounds",
        "the number is out of bounds",
        findings,
        column.name,
        expected=f"{column.low:,.10g} to {column.high:,.10g}{unit}",
        advice=advice,
    )


def _zones(typed: Typed, place: Place, findings: Findings) -> None:
    if not place.names:
        return
    zones = typed.text("zone_id")
    codes, distinct = pd.factorize(zones)
    unknown = [i for i, zone in enumerate(distinct) if zone and zone not in place.names]
    for code in unknown[:KEPT_PER_KIND]:
        typed.refuse(
            codes == code,
            "unknown_zone",
            "territory.toml has no such zone",
            findings,
            "zone_id",
            advice=_explain_zone(str(distinct[code])[:64], place),
        )
    typed.refuse(
        np.isin(codes, unknown[KEPT_PER_KIND:]),
        "unknown_zone",
        "territory.toml has no such zone",
        findings,
        "zone_id",
    )


def _explain_zone(zone: str, place: Place) -> str:
    """Which zone was probably meant, and what happened to it on its way."""
    digits = zone.replace(" ", "").replace("\u00a0", "").replace("\u202f", "")
    for known, name in place.names.items():
        label = f"{known} ({name})"
        if digits == known:
            return f"write {label} without spaces"
        if digits.replace(",", ".") in (f"{known}.0", f"{known}.00"):
            return f"a spreadsheet made a decimal number of {label}: keep the column as text"
        if known.isdigit() and digits.isdigit() and digits == known.lstrip("0"):
            return f"{label} has lost its leading zeros: keep the column as text"
        if fold(zone) == fold(name):
            return f"give the id of {name}: {known}"
    try:
        number = float(digits.replace(",", "."))
    except ValueError:
        number = float("nan")
    if "e" in digits.casefold() and number == number:
        return "a spreadsheet rounded the id to a power of ten: keep the column as text"
    near = get_close_matches(zone, list(place.names), n=3, cutoff=0.6)
    by_name = {fold(name): known for known, name in place.names.items()}
    near += [by_name[n] for n in get_close_matches(fold(zone), list(by_name), n=1, cutoff=0.6)]
    listed = list(dict.fromkeys(near)) or list(place.names)[:5]
    labels = ", ".join(f"{known} ({place.names[known]})" for known in listed)
    return (
        f"nearest: {labels}"
        if near
        else f"the zones are {labels}" + (" ..." if len(place.names) > 5 else "")
    )


def _order_of_times(
    typed: Typed, table: SourceTable, place: Place, now: pd.Timestamp, findings: Findings
) -> None:
    """Nothing is known before it happened, and nothing is known from the future."""
    moment = int(pd.DatetimeIndex([now]).as_unit("us").asi8[0])
    days, available = typed.integers("date"), typed.integers("available_at")
    end = _where(place.day_end, days)
    stated = available != NAT
    if table.measured:
        typed.refuse(
            (days != NAT) & (end > moment),
            "date_in_future",
            f"the day is not over at {now:%Y-%m-%d %H:%M} UTC; its measurement is not complete",
            findings,
            "date",
            expected="days that are over",
            advice="leave the row out until then; is the day written before the month?",
        )
        typed.refuse(
            stated & (days != NAT) & (available < end),
            "available_too_early",
            "the row says it was known before its day was over",
            findings,
            "available_at",
            expected="an instant after the local midnight that ends the day",
            advice="is it the time zone, or the instant of the measurement?",
        )
    typed.refuse(
        stated & (available > moment),
        "available_in_future",
        f"the row says it will be known after now ({now:%Y-%m-%d %H:%M} UTC)",
        findings,
        "available_at",
        expected="an instant that has passed",
    )
    if "issued_at" in typed.columns:
        _forecasts(typed, place, moment, findings)


def _forecasts(typed: Typed, place: Place, moment: int, findings: Findings) -> None:
    days, available = typed.integers("date"), typed.integers("available_at")
    issued = typed.integers("issued_at")
    there = issued != NAT
    typed.refuse(
        there & (issued > moment),
        "available_in_future",
        "the forecast is issued after now",
        findings,
        "issued_at",
        expected="an instant that has passed",
    )
    typed.refuse(
        there & (days != NAT) & (_where(place.day_end, days) <= issued),
        "forecast_of_past",
        "the day was over when the forecast was issued",
        findings,
        "date",
        expected="the day of issue or a later one",
        advice="put measured weather in weather.csv",
    )
    typed.refuse(
        there & (available != NAT) & (available < issued),
        "available_too_early",
        "the row says it was known before the forecast was issued",
        findings,
        "available_at",
        expected="issued_at or later",
    )


def _events(typed: Typed, findings: Findings) -> None:
    first, last = typed.integers("date"), typed.integers("end_date")
    both = (first != NAT) & (last != NAT)
    typed.refuse(
        both & (last < first),
        "end_before_start",
        "the event ends before it starts",
        findings,
        "end_date",
        expected="the day in column date, or a later one",
    )
    typed.refuse(
        both & (last - first >= LONGEST_EVENT_DAYS),
        "end_before_start",
        f"the event lasts more than {LONGEST_EVENT_DAYS} days",
        findings,
        "end_date",
        expected="the last day of the event",
        advice="is the year right?",
    )


def _where(function: Callable[[Ints], Ints], days: Ints) -> Ints:
    """``function`` of the days that are there; 0 elsewhere."""
    there = (days != NAT) & (np.abs(days) <= _LATEST_DAY)
    result = np.zeros(len(days), dtype=np.int64)
    if there.any():
        result[there] = function(days[there])
    return result


def available_instants(typed: Typed, table: SourceTable, place: Place) -> Ints:
    """``available_at`` [µs] of every row, derived where the file does not state it."""
    stated = typed.integers("available_at")
    if table.name == "weather_forecast":
        base = typed.integers("issued_at")
    else:
        base = _where(place.day_end, typed.integers("date"))
    derived = base + np.int64(round(place.delays[table.name] * HOUR))
    return np.where(stated == NAT, derived, stated)
