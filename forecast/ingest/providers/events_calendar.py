"""Events: iCalendar files or feeds (RFC 5545) [V], as town halls and theatres publish them.

Repeated events are expanded within the span, cancelled ones left out. Calendars rarely say how
many people come: give ``attendance`` by category, or ``default_attendance``; an event without
either is counted and left out.
"""

from __future__ import annotations

from datetime import date
from typing import ClassVar, cast

from forecast.ingest.documents import Document, documents
from forecast.ingest.happenings import EventFiles, EventOptions, Happening, batch_of, read_each
from forecast.ingest.http import Client
from forecast.ingest.ical import read_calendar
from forecast.ingest.provider import About, Batch, Options, Piece, Setting


class EventsCalendar(EventFiles):
    """See the module."""

    kind: ClassVar[str] = "events-calendar"
    about: ClassVar[About] = About(
        title="iCalendar",
        sources=("events",),
        homepage="https://www.rfc-editor.org/rfc/rfc5545",
        licence="that of whoever publishes the calendar",
        attribution="",
        terms="those of whoever publishes the calendar",
        verified="the format is a standard, checked against it; no calendar of the territory was",
    )
    options: ClassVar[type[Options]] = EventOptions

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Read every calendar; see :class:`forecast.ingest.provider.Provider`."""
        own, refused = cast("EventOptions", options), list[str]()
        since, until = piece.since or date.min, piece.until or date.max

        def read(document: Document) -> list[Happening]:
            found = read_calendar(document, since, until, setting.config.timezone)
            refused.extend(found.refused)
            return found.events

        events = read_each(documents(own, client), read, refused)
        return batch_of(events, refused, own, piece, setting)


PROVIDER = EventsCalendar()
