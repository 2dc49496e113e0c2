"""Events of iCalendar files, each parsed alone so that a broken one costs only itself.

Time zones are read by their name (those of Windows too); their definitions within the file are
left aside. An event's days are the civil days of its own clock, moved to the territory's where its
time zone is known. ``DTEND`` is not part of the event.

References
----------
RFC 5545.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from forecast.errors import ProviderError
from forecast.ingest.decoding import EncodingFault, decode
from forecast.ingest.documents import Document
from forecast.ingest.happenings import Happening
from forecast.ingest.recurrence import Rule

MAX_EVENTS = 50_000
"""Events that a file may hold."""
_LONGEST = 200_000
"""Characters of one event that are looked at."""


@dataclass
class Found:
    """What a file holds within a span, and a sentence for each event that cannot be read."""

    events: list[Happening] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)


def read_calendar(document: Document, since: date, until: date, timezone: str) -> Found:
    """The events of a file that touch the days from ``since`` to ``until``, repeated ones expanded.

    Cancelled events and those that a repetition leaves out are not among them.

    Raises
    ------
    ProviderError
        If the file is no iCalendar file.
    """
    text = decode(document.data)
    if isinstance(text, EncodingFault):
        raise ProviderError(f"{document.name}: {text.what}; {text.advice}")
    if "BEGIN:VCALENDAR" not in text[:4096].upper():
        raise ProviderError(
            f"{document.name} is no iCalendar file: it does not begin with BEGIN:VCALENDAR, but "
            f"with {text[:40]!r}; is the address that of the calendar's .ics export?"
        )
    found = Found()
    series = _readable(document.name, text, ZoneInfo(timezone), found)
    moved: dict[str, set[date]] = defaultdict(set)
    for event in series:
        if event.instead_of:
            moved[event.uid].add(event.instead_of)
    for event in series:
        if event.cancelled:
            continue
        out = event.left_out | (set() if event.instead_of else moved[event.uid])
        length = event.happening.last - event.happening.first
        for first in event.days(since, until):
            if first not in out and first + length >= since and first <= until:
                found.events.append(replace(event.happening, first=first, last=first + length))
    return found


@dataclass(frozen=True)
class _Event:
    uid: str
    happening: Happening
    rule: Rule | None
    extra: frozenset[date]
    left_out: frozenset[date]
    instead_of: date | None
    cancelled: bool

    def days(self, since: date, until: date) -> list[date]:
        """Days on which it begins; those that end before ``since`` may be left out."""
        first = self.happening.first
        begun = since - (self.happening.last - first)
        ruled = self.rule.days(first, until, begun) if self.rule else [first]
        return sorted({*ruled, *self.extra})


def _readable(name: str, text: str, zone: ZoneInfo, found: Found) -> list[_Event]:
    """The events of a file that can be read; a sentence for each of the others in ``found``."""
    series: list[_Event] = []
    for number, (line, block) in enumerate(_blocks(text)):
        if number == MAX_EVENTS:
            raise ProviderError(f"{name} holds more than {MAX_EVENTS:,} events")
        where = f"{name}, line {line}"
        try:
            series.append(_event(block, where, zone))
        except Exception as error:
            # The library raises whatever its parts raise; the next event may be sound.
            reason = str(error)[:160] or type(error).__name__
            found.refused.append(f"{where}: the event cannot be read ({reason}); it is left out")
    return series


def _blocks(text: str) -> Iterator[tuple[int, str]]:
    """Each event of the file with the line it begins on."""
    start, block = 0, list[str]()
    for number, line in enumerate(text.splitlines(), start=1):
        mark = line.strip().upper()
        if mark == "BEGIN:VEVENT":
            start, block = number, []
        if start:
            block.append(line)
        if mark == "END:VEVENT" and start:
            yield start, "\r\n".join(block) + "\r\n"
            start = 0
    if start:
        yield start, "\r\n".join(block)


def _event(block: str, where: str, zone: ZoneInfo) -> _Event:
    # A tenth of a second to import, for those who have calendars.
    from icalendar import Event

    if len(block) > _LONGEST:
        raise ValueError(f"it has {len(block):,} characters")
    read = Event.from_ical(block)
    broken = dict(read.errors)
    for name in ("DTSTART", "DTEND", "RRULE", "EXDATE", "RDATE", "RECURRENCE-ID"):
        if name in broken:
            raise ValueError(f"{name}: {broken[name]}")
    if "DTSTART" not in read:
        raise ValueError("it has no DTSTART")
    begin = read.decoded("DTSTART")
    first = _day(begin, zone)
    name = str(read.get("SUMMARY", "")).strip()
    if not name:
        raise ValueError("it has no SUMMARY")
    rules = _several(read.get("RRULE"))
    if len(rules) > 1:
        raise ValueError("it has several RRULE")
    geo = read.get("GEO") if "GEO" not in broken else None
    categories = [str(c) for part in _several(read.get("CATEGORIES")) for c in part.cats]
    happening = Happening(
        name=name,
        first=first,
        last=_last(read, begin, zone),
        where=where,
        latitude=float(geo.latitude) if geo is not None else None,
        longitude=float(geo.longitude) if geo is not None else None,
        place=str(read.get("LOCATION", "")),
        categories=tuple(categories),
        known_at=_instant(read, "CREATED", broken, zone),
    )
    instead = read.get("RECURRENCE-ID")
    return _Event(
        uid=str(read.get("UID", where)),
        happening=happening,
        rule=Rule.of(rules[0], lambda value: _until(value, begin, zone)) if rules else None,
        extra=frozenset(_listed(read, "RDATE", zone)),
        left_out=frozenset(_listed(read, "EXDATE", zone)),
        instead_of=_day(instead.dt, zone) if instead is not None else None,
        cancelled=str(read.get("STATUS", "")).upper() == "CANCELLED",
    )


def _last(read: Any, begin: date, zone: ZoneInfo) -> date:
    """The last civil day: that of the instant before the end."""
    if "DTEND" in read:
        end = read.decoded("DTEND")
    elif "DURATION" in read:
        end = begin + read.decoded("DURATION")
    else:
        return _day(begin, zone)
    before = timedelta(microseconds=1) if isinstance(end, datetime) else timedelta(1)
    if (isinstance(end, datetime)) != isinstance(begin, datetime):
        raise ValueError("DTSTART and DTEND: one is a day, the other an instant")
    # Some programs end an event that has no length where it begins.
    return _day(begin if end == begin else end - before, zone)


def _day(value: Any, zone: ZoneInfo) -> date:
    """The civil day of a value of the library."""
    if isinstance(value, datetime):
        value = value.astimezone(zone).date() if value.tzinfo else value.date()
    if not isinstance(value, date) or not 1950 <= value.year <= 2100:
        raise ValueError(f"{value!r} is no day between 1950 and 2100")
    return value


def _until(value: Any, begin: date, zone: ZoneInfo) -> date:
    """The last civil day on which an event that begins as ``begin`` does may begin."""
    last = _day(value, zone)
    if isinstance(value, datetime) and isinstance(begin, datetime):
        ends, begins = (v.astimezone(zone) if v.tzinfo else v for v in (value, begin))
        return last if begins.time() <= ends.time() else last - timedelta(1)
    return last


def _several(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list) else [value]


def _listed(read: Any, name: str, zone: ZoneInfo) -> list[date]:
    return [_day(v.dt, zone) for part in _several(read.get(name)) for v in part.dts]


def _instant(read: Any, name: str, broken: dict[str, str], zone: ZoneInfo) -> pd.Timestamp | None:
    """An instant of the event; None where absent, broken, or only a day."""
    value = read.get(name) if name not in broken else None
    if value is None or not isinstance(value.dt, datetime):
        return None
    aware = value.dt if value.dt.tzinfo else value.dt.replace(tzinfo=zone)
    return pd.Timestamp(aware).tz_convert("UTC").as_unit("us")
