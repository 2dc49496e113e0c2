"""Repeated events, against dateutil where it follows the RFC and ends."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import pytest
from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st
from icalendar import vRecur

from forecast.ingest.recurrence import Rule

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def rule(text: str) -> Rule:
    return Rule.of(vRecur.from_ical(text), lambda v: v if type(v) is date else v.date())


def days(text: str, first: str, last: str) -> list[str]:
    found = rule(text).days(date.fromisoformat(first), date.fromisoformat(last))
    return [day.isoformat() for day in found]


@pytest.mark.parametrize(
    ("text", "first", "expected"),
    [
        ("FREQ=WEEKLY;BYDAY=SA", "2026-07-04", ["2026-07-04", "2026-07-11", "2026-07-18"]),
        ("FREQ=DAILY;INTERVAL=7;COUNT=2", "2026-07-04", ["2026-07-04", "2026-07-11"]),
        ("FREQ=DAILY;UNTIL=20260705", "2026-07-04", ["2026-07-04", "2026-07-05"]),
        ("FREQ=MONTHLY;BYDAY=1SU", "2026-06-07", ["2026-06-07", "2026-07-05"]),
        ("FREQ=YEARLY", "2024-07-14", ["2024-07-14", "2025-07-14", "2026-07-14"]),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30", "2026-07-14", ["2026-07-14"]),
        # The set of a week is all of it, also what lies before the first day.
        ("FREQ=WEEKLY;BYDAY=TU,SA;BYSETPOS=2", "2026-07-04", ["2026-07-04", "2026-07-11",
                                                             "2026-07-18"]),
    ],
)  # fmt: skip
def test_rules_of_town_halls(text: str, first: str, expected: list[str]) -> None:
    assert days(text, first, "2026-07-20") == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("FREQ=SECONDLY", "FREQ is 'SECONDLY', expected one of DAILY"),
        ("FREQ=YEARLY;BYWEEKNO=20", "BYWEEKNO is not supported"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL is 0, expected 1 to"),
        ("FREQ=WEEKLY;BYDAY=2MO", "BYDAY with a number"),
    ],
)
def test_rules_that_are_not_understood_say_so(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        rule(text)


@st.composite
def rules(draw: st.DrawFn) -> str:
    """Rules that some day of each year fulfils: dateutil would search others to the year 9999."""
    frequency = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    parts = [f"FREQ={frequency}"]
    by = draw(st.sampled_from(["", "BYDAY", "BYMONTHDAY"]))
    if by == "BYDAY":
        nth = "" if frequency in ("DAILY", "WEEKLY") else draw(st.sampled_from(["", "1", "-1"]))
        wanted = draw(st.lists(st.sampled_from(DAYS), min_size=1, max_size=3, unique=True))
        parts.append("BYDAY=" + ",".join(nth + day for day in wanted))
    elif by == "BYMONTHDAY" and frequency in ("MONTHLY", "YEARLY"):
        parts.append(f"BYMONTHDAY={draw(st.sampled_from([1, 15, 28, -1, -3]))}")
    if by and frequency in ("MONTHLY", "YEARLY") and draw(st.booleans()):
        parts.append(f"BYSETPOS={draw(st.sampled_from([1, -1]))}")
    if frequency != "DAILY" or not by:
        parts.append(f"INTERVAL={draw(st.integers(1, 4))}")
    if draw(st.booleans()):
        parts.append(f"WKST={draw(st.sampled_from(['MO', 'SU']))}")
    ending = draw(st.sampled_from(["", "COUNT=7", "UNTIL=20260301"]))
    return ";".join([*parts, *([ending] if ending else [])])


@settings(max_examples=150, deadline=None)
@given(rules(), st.integers(0, 600), st.integers(0, 700))
def test_days_are_those_of_dateutil(text: str, start: int, length: int) -> None:
    first = date(2024, 12, 15) + timedelta(start)
    last = first + timedelta(length)
    expected: list[date] = []
    for moment in rrulestr(text, dtstart=datetime.combine(first, time())):
        if moment.date() > last:
            break
        expected.append(moment.date())
    found = rule(text).days(first, last)
    if expected[:1] == [first]:
        assert found == expected
    elif "COUNT" not in text:
        # The RFC leaves open what an event is whose own day breaks its rule: here it takes place.
        assert found == [first, *expected]
    if "COUNT" not in text and "BYSETPOS" not in text:
        middle = first + timedelta(length // 2)
        later = rule(text).days(first, last, since=middle)
        assert [day for day in later if day >= middle] == [day for day in found if day >= middle]
