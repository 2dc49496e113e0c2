"""The civil days on which a repeated event begins: recurrence rules, day by day.

Events repeat by whole days here, so a rule is a question put to each day between the first one and
the last one wanted. That is bounded whatever the rule, which expanding it is not: a rule that no
day fulfils would be searched until the year 9999.

References
----------
RFC 5545, section 3.3.10. Left out, and refused: rules by hour, minute or second, ``BYWEEKNO``,
``BYYEARDAY``, and other calendars (RFC 7529).
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

_DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_FREQUENCIES = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
_KEYS = {"FREQ", "INTERVAL", "COUNT", "UNTIL", "BYDAY", "BYMONTHDAY", "BYMONTH", "BYSETPOS", "WKST"}
_BYDAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")

Ordinal = tuple[int, int]
"""Which one of a weekday (0: every one), and the weekday (Monday is 0)."""


@dataclass(frozen=True)
class Rule:
    """A recurrence rule of whole days; empty parts say nothing."""

    frequency: str
    interval: int = 1
    count: int | None = None
    until: date | None = None
    weekdays: tuple[Ordinal, ...] = ()
    month_days: tuple[int, ...] = ()
    months: tuple[int, ...] = ()
    positions: tuple[int, ...] = ()
    week_start: int = 0

    @classmethod
    def of(cls, parts: Mapping[str, Sequence[Any]], to_day: Callable[[Any], date]) -> Rule:
        """The rule of a property as the icalendar package reads it.

        ``to_day`` turns the value of ``UNTIL`` into a civil day.

        Raises
        ------
        ValueError
            If a part is unknown here or out of its bounds; says which.
        """
        odd = sorted(set(parts) - _KEYS)
        if odd:
            raise ValueError(f"{odd[0]} is not supported")
        frequency = str(next(iter(parts.get("FREQ", ())), ""))
        if frequency not in _FREQUENCIES:
            raise ValueError(f"FREQ is {frequency!r}, expected one of {', '.join(_FREQUENCIES)}")
        counts = _numbers(parts, "COUNT", 1, 100_000)
        start = str(next(iter(parts.get("WKST", ())), "MO"))
        if start not in _DAYS:
            raise ValueError(f"WKST is {start!r}, expected one of {', '.join(_DAYS)}")
        until = [to_day(value) for value in parts.get("UNTIL", ())]
        weekdays = tuple(_ordinal(str(value)) for value in parts.get("BYDAY", ()))
        if frequency in ("DAILY", "WEEKLY") and any(nth for nth, _ in weekdays):
            raise ValueError(f"BYDAY with a number, in a {frequency} rule")
        return cls(
            frequency,
            interval=(_numbers(parts, "INTERVAL", 1, 10_000) or (1,))[0],
            count=counts[0] if counts else None,
            until=until[0] if until else None,
            weekdays=weekdays,
            month_days=_numbers(parts, "BYMONTHDAY", -31, 31),
            months=_numbers(parts, "BYMONTH", 1, 12),
            positions=_numbers(parts, "BYSETPOS", -366, 366),
            week_start=_DAYS.index(start),
        )

    def days(self, first: date, last: date, since: date = date.min) -> list[date]:
        """Days from ``first``, the event's own first day, to ``last``, itself included.

        The first day counts as an occurrence, whether or not the rule names it; others before
        ``since`` may be left out.
        """
        end = min(last, self.until) if self.until else last
        period = self._period(first)
        start = first if self.count or self.positions else max(first, since)
        if self.positions:
            # Positions count from the beginning of the first period, also before the event's day.
            back = {"DAILY": 0, "WEEKLY": 6, "MONTHLY": 30, "YEARLY": 365}[self.frequency]
            start = first - timedelta(back)
        beyond = 366 if self.positions else 0
        span = range((end - start).days + 1 + beyond)
        hits = [day for n in span if self._holds(day := start + timedelta(n), first)]
        if self.positions:
            hits = [
                day for _, group in groupby(hits, self._period) for day in self._at(list(group))
            ]
            hits = [day for day in hits if day >= first and self._period(day) >= period]
        found = [first, *(day for day in hits if first < day)]
        if self.count is not None:
            # An event's own day is the first of the count.
            found = found[: self.count]
        return [day for day in found if day <= end or day == first]

    def _holds(self, day: date, first: date) -> bool:
        """Whether the rule, its positions aside, names the day."""
        if (self._period(day) - self._period(first)) % self.interval:
            return False
        if self.months and day.month not in self.months:
            return False
        if self.month_days:
            length = calendar.monthrange(day.year, day.month)[1]
            if day.day not in self.month_days and day.day - length - 1 not in self.month_days:
                return False
        if self.weekdays:
            return any(self._is(day, *ordinal) for ordinal in self.weekdays)
        return bool(self.month_days) or self._as_first(day, first)

    def _as_first(self, day: date, first: date) -> bool:
        """Whether the day lies in its period as the event's own day does in its."""
        if self.frequency == "DAILY":
            return True
        if self.frequency == "WEEKLY":
            return day.weekday() == first.weekday()
        same_month = self.frequency == "MONTHLY" or self.months or day.month == first.month
        return bool(same_month) and day.day == first.day

    def _is(self, day: date, nth: int, weekday: int) -> bool:
        if day.weekday() != weekday:
            return False
        if not nth:
            return True
        if self.frequency == "MONTHLY" or self.months:
            place, length = day.day, calendar.monthrange(day.year, day.month)[1]
        else:
            place = day.timetuple().tm_yday
            length = 366 if calendar.isleap(day.year) else 365
        return nth == ((place - 1) // 7 + 1 if nth > 0 else -((length - place) // 7 + 1))

    def _period(self, day: date) -> int:
        """Number of the day, week, month or year that holds the day."""
        if self.frequency == "DAILY":
            return day.toordinal()
        if self.frequency == "WEEKLY":
            return (day.toordinal() - 1 - self.week_start) // 7
        return day.year * 12 + day.month if self.frequency == "MONTHLY" else day.year

    def _at(self, period: list[date]) -> list[date]:
        size = len(period)
        wanted = {p - 1 if p > 0 else size + p for p in self.positions}
        return [day for place, day in enumerate(period) if place in wanted]


def _numbers(parts: Mapping[str, Sequence[Any]], key: str, low: int, high: int) -> tuple[int, ...]:
    found = []
    for value in parts.get(key, ()):
        number = int(value)
        if not low <= number <= high or number == 0:
            raise ValueError(f"{key} is {number}, expected {low} to {high}, not 0")
        found.append(number)
    return tuple(found)


def _ordinal(text: str) -> Ordinal:
    match = _BYDAY.fullmatch(text.strip().upper())
    if not match or (match[1] and not 1 <= abs(int(match[1])) <= 53):
        raise ValueError(f"BYDAY is {text[:20]!r}, expected weekdays like MO or 2SU")
    return int(match[1] or 0), _DAYS.index(match[2])
