"""Full days as a calendar to subscribe to (iCalendar, RFC 5545), in French.

A day that is no longer full leaves the calendar with the next publication. This module runs in the
serving process: the standard library only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote

from forecast import french
from forecast.serving.listing import LEVELS, freshness

MEDIA_TYPE = "text/calendar; charset=utf-8"
_NO_EVENTS = (
    *("BEGIN:VTIMEZONE", "TZID:UTC", "BEGIN:STANDARD", "DTSTART:19700101T000000"),
    *("TZOFFSETFROM:+0000", "TZOFFSETTO:+0000", "END:STANDARD", "END:VTIMEZONE"),
)
"""Stands where no day is full: a calendar has one component at least (RFC 5545, section 3.6)."""

_RUN = (
    *("origin", "published_at", "model_version", "lake_version", "regime"),
    *("unit", "licence", "attribution", "label"),
)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


def calendar(
    records: Iterable[Mapping[str, Any]], about: Mapping[str, Any], least: str = "orange"
) -> bytes:
    """The days that reach ``least`` or worse, one event for each zone and day."""
    name = f"Affluence, {about['territory']['name']}"
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Afflux//Afflux//FR",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"NAME:{_text(name)}",
        f"X-WR-CALNAME:{_text(name)}",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "X-PUBLISHED-TTL:PT6H",
        *_about(about),
    ]
    wanted = LEVELS[LEVELS.index(least) :]
    events = [line for r in records if r["level"] in wanted for line in _event(r, about)]
    lines += events or _NO_EVENTS
    lines.append("END:VCALENDAR")
    return b"".join(_folded(line) for line in lines)


def _about(about: Mapping[str, Any]) -> Iterator[str]:
    """The run, for programs: subscribers show none of what they do not know (§ 3.8.8.2)."""
    told = {name: about[name] for name in _RUN} | {"sources": freshness(about)}
    for name, value in told.items():
        if value is not None:
            yield f"X-AFFLUX-{name.upper().replace('_', '-')}:{_text(str(value))}"


def _event(record: Mapping[str, Any], about: Mapping[str, Any]) -> Iterator[str]:
    published = datetime.fromisoformat(about["published_at"])
    stamp = f"{published:%Y%m%dT%H%M%SZ}"
    day = date.fromisoformat(record["target_date"])
    yield "BEGIN:VEVENT"
    # The same day of the same zone is the same event in every publication.
    yield f"UID:{quote(record['zone_id'], safe='')}-{day:%Y%m%d}@{about['territory']['id']}.afflux"
    yield f"DTSTAMP:{stamp}"
    yield f"LAST-MODIFIED:{stamp}"
    # Each publication is a revision; minutes since 2020 grow with them and need no memory.
    yield f"SEQUENCE:{int((published - _EPOCH).total_seconds() // 60)}"
    yield f"DTSTART;VALUE=DATE:{day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day + timedelta(days=1):%Y%m%d}"
    yield f"SUMMARY:{_text(summary(record, about))}"
    yield f"DESCRIPTION:{_text(description(record, about))}"
    yield f"CATEGORIES:{_text(record['level'])}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def summary(record: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """One line: level, zone, expected visitors."""
    persons = french.rounded(record["influx"]["p50"], _step(record))
    label = f" ({about['label']})" if about["label"] else ""
    level = record["level"].capitalize()
    return f"{level}{french.NARROW}: {record['zone_name']}, {persons} visiteurs attendus{label}"


def description(record: Mapping[str, Any], about: Mapping[str, Any]) -> str:
    """Interval, what is usual, why, and where it comes from."""
    step, lines = _step(record), []
    if record["interval_80"]:
        low, high = (french.rounded(record["interval_80"][end], step) for end in ("low", "high"))
        lines.append(f"8 chances sur 10{french.NARROW}: entre {low} et {high} visiteurs.")
    if record["usual"] is not None:
        lines.append(f"D'ordinaire{french.NARROW}: {french.rounded(record['usual'], step)}.")
    if record["why"]:
        lines.append(f"Pourquoi{french.NARROW}: {record['why']}.")
    made = datetime.fromisoformat(about["origin"])
    lines.append(f"Prévision du {french.day_name(made.date())}, {made:%H:%M} UTC.")
    late = [entry["source"] for entry in about["sources"] if not entry["fresh"]]
    if late:
        names = ", ".join(french.SOURCES.get(source, source) for source in late)
        lines.append(f"En retard, fourchette élargie{french.NARROW}: {names}.")
    return "\n".join([*lines, *filter(None, (about["attribution"], about["licence"]))])


def _step(record: Mapping[str, Any]) -> int:
    return french.rounding_step(min(record["influx"].values()), max(record["influx"].values()))


def _text(value: str) -> str:
    """A TEXT value (RFC 5545 § 3.3.11).

    >>> _text("a,b;c\\n")
    'a\\\\,b\\\\;c\\\\n'
    """
    plain = "".join(c for c in value if c >= " " or c == "\n")
    for mark in ("\\", ",", ";"):
        plain = plain.replace(mark, f"\\{mark}")
    return plain.replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """A content line of at most 75 octets a piece, never cut within a character (§ 3.1)."""
    pieces, piece = [], b""
    for character in line:
        octets = character.encode()
        if len(piece) + len(octets) > 75:
            pieces.append(piece)
            piece = b" "
        piece += octets
    return b"\r\n".join([*pieces, piece]) + b"\r\n"
