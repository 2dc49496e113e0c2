"""Events: any table in CSV or XLSX, its columns named by configuration.

One row is an event, with its first day, perhaps its last, and its place: a zone, a commune, or a
point. The layout is our own: that of ``events.csv`` of the input contract, with more ways to say
where and without the duty to say how many people come.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import ClassVar, cast

import numpy as np
import pandas as pd
from pydantic import Field

from forecast.ingest.cells import NAT, Typed
from forecast.ingest.contract import SourceTable
from forecast.ingest.documents import Document, documents
from forecast.ingest.happenings import EventFiles, EventOptions, Happening, batch_of, read_each
from forecast.ingest.http import Client
from forecast.ingest.place import Place
from forecast.ingest.provider import About, Batch, Options, Piece, Setting
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table, refused, renamed
from forecast.tables import Column, TableSchema


def _number(name: str, unit: str, meaning: str, low: float, high: float) -> Column:
    return Column(name, "number", unit, meaning, low, high, required=False)


EVENTS = SourceTable(
    TableSchema(
        "events_table",
        "an event",
        (
            Column("event", "text", "", "name of the event"),
            Column("date", "date", "", "first civil day"),
            Column("end_date", "date", "", "last civil day, itself included", required=False),
            Column("zone_id", "text", "", "zone, as in territory.toml", required=False),
            Column("code_insee", "text", "", "commune", required=False),
            _number("latitude", "°", "degrees north", -90, 90),
            _number("longitude", "°", "degrees east", -180, 180),
            Column("place", "text", "", "place in words", required=False),
            Column("category", "text", "", "kind of event", required=False),
            _number("attendance", "persons day⁻¹", "persons expected a day", 0, 5e6),
            Column("available_at", "instant", "UTC", "when it was announced", required=False),
        ),
        ("event", "date"),
    ),
    variables=("event",),
    needs=(),
)
"""Columns of a table of events."""


class EventsTableOptions(EventOptions):
    """Where the table is and what its columns are called."""

    sheet: str = Field(default="", description="sheet of a workbook; the first one where empty")
    columns: dict[str, str] = Field(
        default_factory=dict,
        description=f"the file's name of a column: {', '.join(EVENTS.schema.names)}",
    )


class EventsTable(EventFiles):
    """See the module."""

    kind: ClassVar[str] = "events-table"
    about: ClassVar[About] = About(
        title="A table of events",
        sources=("events",),
        homepage="https://schema.data.gouv.fr",
        licence="that of whoever keeps the table",
        attribution="",
        terms="those of whoever keeps the table",
        verified="the layout is our own",
    )
    options: ClassVar[type[Options]] = EventsTableOptions

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Read every table; see :class:`forecast.ingest.provider.Provider`."""
        own = cast("EventsTableOptions", options)
        table, place = renamed(EVENTS, own.columns), Place.of(setting.config)
        findings, broken = Findings(keep=EVERY_ROW), list[str]()

        def read(document: Document) -> list[Happening]:
            typed = read_table(document, table, place, findings, sheet=own.sheet)
            return happenings(typed, own.columns, findings)

        events = read_each(documents(own, client), read, broken)
        return batch_of(events, (*broken, *refused(findings)), own, piece, setting)


def happenings(typed: Typed, names: dict[str, str], findings: Findings) -> list[Happening]:
    """The events of a table; rows with a number out of bounds are refused first."""
    called = {name: names.get(name, name) for name in EVENTS.schema.names}
    for column in EVENTS.schema.columns:
        if column.low is None or column.high is None:
            continue
        values = typed.numbers(called[column.name])
        typed.refuse(
            ((values < column.low) | (values > column.high)) & ~typed.bad,
            "out_of_bounds",
            "the number is out of bounds",
            findings,
            called[column.name],
            expected=f"{column.low:,g} to {column.high:,g} {column.unit}",
        )
    text = {
        name: typed.text(called[name]).tolist()
        for name in ("event", "zone_id", "code_insee", "place", "category")
    }
    number = {name: typed.numbers(called[name]) for name in ("latitude", "longitude", "attendance")}
    first, last = typed.integers(called["date"]), typed.integers(called["end_date"])
    known = typed.integers(called["available_at"])
    return [
        Happening(
            name=text["event"][row],
            first=_day(first[row]),
            last=_day(first[row] if last[row] == NAT else last[row]),
            where=f"{typed.file}, line {typed.line[row]}",
            code=text["zone_id"][row] or text["code_insee"][row],
            latitude=_there(number["latitude"][row]),
            longitude=_there(number["longitude"][row]),
            place=text["place"][row],
            categories=(text["category"][row],),
            attendance=_there(number["attendance"][row]),
            known_at=None if known[row] == NAT else pd.Timestamp(known[row], unit="us", tz="UTC"),
        )
        for row in np.flatnonzero(~typed.bad)
    ]


def _day(number: np.int64) -> date:
    return date(1970, 1, 1) + timedelta(int(number))


def _there(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


PROVIDER = EventsTable()
