"""Waste: weighbridge tickets in CSV or XLSX, from a URL or a folder, summed to round-days.

A ticket says what was weighed, when, of which stream and round. Each becomes part of the tonnage
of a zone, a site (``stream/round``) and a civil day: by the mapping of its round to zones, which
may share a round among several; else by its zone; else by its commune. Files may overlap: a
ticket's number is counted once, and of tickets without number those that several files repeat.

The layout is our own (``docs/schemas/waste_tickets.json``): no national schema exists [V].
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import ClassVar, Self, cast

import numpy as np
import pandas as pd
from pydantic import Field, field_validator, model_validator

from forecast.grid import day_date, local_days
from forecast.ingest.documents import FileOptions, beyond, documents, whole
from forecast.ingest.facts import facts
from forecast.ingest.http import Client
from forecast.ingest.overlaps import once
from forecast.ingest.place import Place
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table, refused, renamed
from forecast.ingest.tickets import STREAMS, TICKETS, complete, tickets


class WasteOptions(FileOptions):
    """Where the tickets are, what their columns are called, and where rounds go."""

    sheet: str = Field(default="", description="sheet of a workbook; the first one where empty")
    columns: dict[str, str] = Field(
        default_factory=dict, description="the file's name of a column of the schema"
    )
    streams: dict[str, str] = Field(
        default_factory=dict, description="further words for streams, as `ENCOMBRANTS`"
    )
    rounds: dict[str, str | dict[str, float]] = Field(
        default_factory=dict,
        description="zone or commune of a round, or its shares among several, which sum to 1",
    )

    @field_validator("streams")
    @classmethod
    def _known(cls, streams: dict[str, str]) -> dict[str, str]:
        known = sorted(set(STREAMS.values()))
        for word, stream in streams.items():
            if stream not in known:
                raise ValueError(f"{word!r} is {stream!r}, expected one of {', '.join(known)}")
        return streams

    @model_validator(mode="after")
    def _shares(self) -> Self:
        for name, parts in self.rounds.items():
            if isinstance(parts, str):
                continue
            if any(share <= 0 for share in parts.values()) or abs(sum(parts.values()) - 1) > 0.01:
                raise ValueError(
                    f"round {name!r} has shares {parts}, expected positive ones that sum to 1"
                )
        return self


class WasteTickets:
    """See the module."""

    kind: ClassVar[str] = "waste-tickets"
    about: ClassVar[About] = About(
        title="Weighbridge tickets",
        sources=("waste",),
        homepage="https://schema.data.gouv.fr",
        licence="that of whoever collects; data of the collecting authority itself",
        attribution="",
        terms="free; the files come from the collecting authority or its contractor",
        verified="the layout is our own; that no national schema exists was checked in the list "
        "of schema.data.gouv.fr of August 2026",
    )
    options: ClassVar[type[Options]] = WasteOptions

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """All files together: they may overlap, and a day's sum must know all of them."""
        return whole(span)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Read every file and sum its tickets; see :class:`forecast.ingest.provider.Provider`."""
        own = cast("WasteOptions", options)
        table, place = renamed(TICKETS, own.columns), Place.of(setting.config)
        findings = Findings(keep=EVERY_ROW)
        today = int(local_days(pd.DatetimeIndex([setting.now]), setting.config.timezone)[0])
        read = []
        for document in documents(own, client):
            typed = read_table(document, table, place, findings, sheet=own.sheet)
            read.append(tickets(typed, own.columns, own.streams, today, findings))
        rows, copies, contradictions = once(pd.concat(read, ignore_index=True))
        rows, unknown = complete(rows)
        rows, notes = _wanted(rows, piece, place, setting)
        if copies:
            notes.append(f"tickets given twice, counted once: {copies:,}")
        if unknown:
            notes.append(f"round-days left out, as one of their tickets was refused: {unknown:,}")
        placed, unplaced = _placed(rows, own.rounds, setting)
        summed = placed.groupby(["zone_id", "site_id", "day"])["tonnage"].sum().round(6)
        sums = summed.reset_index()
        sums["date"] = day_date(sums["day"].to_numpy(dtype=np.int64))
        batch = facts("waste", sums, ["tonnage"], provider=setting.name, config=setting.config)
        said = (*refused(findings), *contradictions)
        return replace(batch, unplaced=unplaced, refused=said, note="; ".join(notes))


def _wanted(
    rows: pd.DataFrame, piece: Piece, place: Place, setting: Setting
) -> tuple[pd.DataFrame, list[str]]:
    """Tickets of days within the piece that are over, and what is said of the others."""
    within = day_date(rows["day"])
    inside = np.ones(len(rows), dtype=bool)
    if piece.since:
        inside &= within >= pd.Timestamp(piece.since)
    if piece.until:
        inside &= within <= pd.Timestamp(piece.until)
    notes = beyond(piece, int((~inside).sum()), "tickets")
    rows = rows[inside]
    ends = place.day_end(rows["day"].to_numpy(dtype=np.int64))
    over = ends <= pd.DatetimeIndex([setting.now]).as_unit("us").asi8[0]
    if not over.all():
        notes.append(f"tickets that wait for the end of their day: {int((~over).sum()):,}")
    return rows[over], notes


def _placed(
    rows: pd.DataFrame, rounds: Mapping[str, str | Mapping[str, float]], setting: Setting
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Each ticket, or each part of it, with its zone; and how many tickets have none, by place."""
    parts: list[tuple[str, str, int, float]] = []
    nowhere: Counter[str] = Counter()
    columns = ("stream", "round", "zone", "commune", "day", "tonnes")
    for stream, name, zone, commune, day, tonnes in zip(*(rows[c] for c in columns), strict=True):
        to = rounds.get(name) or zone or commune
        shares = {to: 1.0} if isinstance(to, str) else to
        for code, share in shares.items():
            found = setting.places.zone_of_code(code) if code else None
            if found is None:
                nowhere[code or f"round {name!r}, without zone or commune"] += 1
                continue
            site = f"{stream}/{name}" if name else stream
            parts.append((found, site, int(day), tonnes * share))
    frame = pd.DataFrame(parts, columns=["zone_id", "site_id", "day", "tonnage"])
    return frame, dict(nowhere)


PROVIDER = WasteTickets()
