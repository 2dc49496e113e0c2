"""Events: iCalendar files or feeds (RFC 5545) [V], as town halls and theatres publish them.

Repeated events are expanded within the span, cancelled ones left out. Calendars rarely say how
many people come: give ``attendance`` by category, or ``default_attendance``; an event without
either is counted and left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import ClassVar, cast

from forecast.errors import ProviderError
from forecast.ingest.documents import ahead, documents
from forecast.ingest.happenings import EventOptions, Happening, batch_of
from forecast.ingest.http import Client
from forecast.ingest.ical import read_calendar
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span


class EventsCalendar:
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

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """The whole calendar, with the days to come."""
        return ahead(span, cast("EventOptions", options).ahead_days, setting)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Read every calendar; see :class:`forecast.ingest.provider.Provider`."""
        own = cast("EventOptions", options)
        events: list[Happening] = []
        refused: list[str] = []
        sound = 0
        given = documents(own, client)
        for document in given:
            try:
                found = read_calendar(
                    document,
                    piece.since or date.min,
                    piece.until or date.max,
                    setting.config.timezone,
                )
            except ProviderError as error:
                refused.append(str(error))
                continue
            sound += 1
            events += found.events
            refused += found.refused
        if not sound:
            raise ProviderError(refused[0])
        return batch_of(events, refused, own, piece, setting)


PROVIDER = EventsCalendar()
