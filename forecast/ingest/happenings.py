"""Events found in calendars and catalogues, made into observations of the source ``events``.

An event is worth a row if it has a zone and an attendance. The instant from which it could be read
is what its file says (when it was created or entered); else the instant of the first run that saw
it, for events that had not begun by then, which the store of samples remembers; else, for older
ones, it is derived from the publication delay of the source, as for files.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import cast

import numpy as np
import pandas as pd
from pydantic import Field

from forecast.errors import ProviderError
from forecast.grid import day_number
from forecast.ingest.checking import LONGEST_EVENT_DAYS
from forecast.ingest.documents import Document, FileOptions, ahead
from forecast.ingest.facts import facts, no_facts
from forecast.ingest.place import HOUR, Place
from forecast.ingest.provider import Batch, Options, Piece, Setting, Span
from forecast.ingest.raw import fold

LONGEST_NAME = 120
"""Characters of a name that are kept."""
_SEEN = "first_seen"


class EventOptions(FileOptions):
    """What every provider of events may say, beside where its files are."""

    zone: str = Field(
        default="", description="zone or commune of events whose place maps to no zone"
    )
    locations: dict[str, str] = Field(
        default_factory=dict,
        description="zone or commune, by a word of the event's place as written",
    )
    default_attendance: float | None = Field(
        default=None, gt=0, le=5e6, description="persons a day where nothing says how many"
    )
    attendance: dict[str, float] = Field(
        default_factory=dict, description="persons a day by category, where the event has none"
    )
    ahead_days: int = Field(default=400, ge=0, le=1500, description="days to come that are read")


@dataclass(frozen=True)
class Happening:
    """An event: its first and last civil day, and what is known of its place and size.

    ``code`` is a zone or commune, ``place`` its place in words; ``known_at`` an instant [UTC] from
    which it could be read, if the file says so; ``where`` names the file and line or element.
    """

    name: str
    first: date
    last: date
    where: str
    code: str = ""
    latitude: float | None = None
    longitude: float | None = None
    place: str = ""
    categories: tuple[str, ...] = ()
    attendance: float | None = None
    known_at: pd.Timestamp | None = None


class EventFiles:
    """What providers of events have in common: files that are read whole, with days to come."""

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """The files together, with the days to come."""
        return ahead(span, cast("EventOptions", options).ahead_days, setting)


def read_each(
    given: Iterable[Document], read: Callable[[Document], Iterable[Happening]], refused: list[str]
) -> list[Happening]:
    """The events of every file; one that cannot be read costs only itself and a sentence in
    ``refused``.

    Raises
    ------
    ProviderError
        If none can be read.
    """
    events: list[Happening] = []
    broken: list[str] = []
    sound = 0
    for document in given:
        try:
            events += read(document)
            sound += 1
        except ProviderError as error:
            broken.append(str(error))
    if not sound:
        raise ProviderError(broken[0] if broken else "there is no file of events")
    refused += broken
    return events


def batch_of(
    found: Sequence[Happening],
    refused: Sequence[str],
    options: EventOptions,
    piece: Piece,
    setting: Setting,
) -> Batch:
    """One observation for each day of each event within the piece.

    Events of one name in one zone on one day count once, with the largest attendance.
    """
    said = list(refused)
    wanted = []
    for event in found:
        if event.last < event.first or (event.last - event.first).days >= LONGEST_EVENT_DAYS:
            said.append(
                f"{event.where}: {event.name!r} goes from {event.first} to {event.last}; expected "
                f"an end after its beginning, within {LONGEST_EVENT_DAYS} days"
            )
        elif (not piece.since or event.last >= piece.since) and (
            not piece.until or event.first <= piece.until
        ):
            wanted.append(event)
    nowhere: Counter[str] = Counter()
    sizeless, rows = 0, []
    for event, zone in zip(wanted, _zones(wanted, options, setting), strict=True):
        if zone is None:
            nowhere[event.code or event.place[:60] or "no place"] += 1
            continue
        size = _attendance(event, options)
        if size is None:
            sizeless += 1
            continue
        days = range((event.last - event.first).days + 1)
        name, first, known = event.name[:LONGEST_NAME], event.first, event.known_at
        rows += [(zone, name, first, n, size, known) for n in days]
    notes = []
    if sizeless:
        notes.append(
            f"events left out, as nothing says how many people they draw: {sizeless:,}; set "
            "default_attendance, or attendance by category"
        )
    more = Batch(
        no_facts().observations,
        no_facts().derived,
        unplaced=dict(nowhere),
        refused=tuple(said),
        note="; ".join(notes),
    )
    if not rows:
        return more
    table = _table(rows, setting)
    batch = facts("events", table, ["attendance"], provider=setting.name, config=setting.config)
    # A feed states neither how many will come nor for how long it has said so: what changes in it
    # is a revision from the run that sees it, as it is where the instant is derived.
    changeable = np.ones(len(batch.derived), dtype=bool)
    return replace(more, observations=batch.observations, derived=changeable)


def _zones(
    events: Sequence[Happening], options: EventOptions, setting: Setting
) -> list[str | None]:
    """Zone of each event: by its code, its point, its place in words, or that of the provider."""
    latitude = np.array([np.nan if e.latitude is None else e.latitude for e in events])
    longitude = np.array([np.nan if e.longitude is None else e.longitude for e in events])
    points = np.full(len(events), None, dtype=object)
    there = np.isfinite(latitude) & np.isfinite(longitude)
    if there.any():
        points[there] = setting.places.zones_of_points(latitude[there], longitude[there])
    words = {fold(word): code for word, code in options.locations.items()}
    found: list[str | None] = []
    for event, point in zip(events, points, strict=True):
        place = fold(event.place)
        codes = [event.code, *(code for word, code in words.items() if word and word in place)]
        if not event.code and not there[len(found)]:
            codes.append(options.zone)
        zones = [zone for code in codes if code and (zone := setting.places.zone_of_code(code))]
        found.append(zones[0] if zones else point)
    return found


def _attendance(event: Happening, options: EventOptions) -> float | None:
    if event.attendance is not None:
        return event.attendance
    by_category = {fold(name): size for name, size in options.attendance.items()}
    sizes = [by_category[fold(c)] for c in event.categories if fold(c) in by_category]
    return max(sizes) if sizes else options.default_attendance


def _table(
    rows: list[tuple[str, str, date, int, float, pd.Timestamp | None]], setting: Setting
) -> pd.DataFrame:
    """Rows for :func:`facts`, each fact once."""
    table = pd.DataFrame(
        rows, columns=["zone_id", "site_id", "first", "n", "attendance", "known_at"]
    )
    table["first"] = pd.to_datetime(table["first"]).astype("datetime64[us]")
    table["date"] = table["first"] + pd.to_timedelta(table["n"], unit="D")
    known = pd.to_datetime(table["known_at"], utc=True).astype("datetime64[us, UTC]")
    # What a file says of the future cannot be an instant at which it was read.
    stated = known.where(known <= setting.now)
    table["available_at"] = stated.fillna(_first_seen(table, setting))
    table = table.sort_values("attendance", ascending=False, kind="stable")
    return table.drop_duplicates(["zone_id", "site_id", "date"], ignore_index=True)


def _first_seen(table: pd.DataFrame, setting: Setting) -> pd.Series:
    """When each event was first seen, if before it began; else the derived instant [UTC]."""
    place = Place.of(setting.config)
    day = day_number(table["first"]).astype(np.int64)
    begins = pd.DatetimeIndex(place.midnight(day).astype("datetime64[us]"), tz="UTC")
    key = table["zone_id"] + "/" + table["site_id"]
    register = pd.DataFrame(
        {
            "site_id": key,
            "zone_id": table["zone_id"],
            "variable": _SEEN,
            "at": begins,
            "value": setting.now.timestamp(),
        }
    ).drop_duplicates(["site_id", "at"])
    setting.samples.add(setting.name, register)
    last = begins.max() + timedelta(microseconds=1)
    seen = setting.samples.read(setting.name, begins.min(), last)
    instants = seen[seen["variable"] == _SEEN].set_index(["site_id", "at"])["value"]
    micros = instants.reindex(pd.MultiIndex.from_arrays([key, begins])).to_numpy() * 1e6
    first = pd.DatetimeIndex(np.round(micros).astype(np.int64).astype("datetime64[us]"), tz="UTC")
    delay = round(setting.config.delay_hours("events") * HOUR)
    derived = pd.DatetimeIndex((place.day_end(day) + delay).astype("datetime64[us]"), tz="UTC")
    return pd.Series(first.where(first < begins, derived), index=table.index)
