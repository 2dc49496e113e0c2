"""Counts in the national format ``etalab/schema-comptage-mobilites``: site, channel and measure.

Three kinds of CSV, from URLs or paths. Measures come by instalments, one file a month or a year;
one that has not changed is not read again, unless the sites or channels have. A day that two
instalments share is known only if one of them holds it whole.

Columns of version 0.2.5 [V: the text of 0.2.3]. That ``started_at`` and ``ended_at`` begin with a
day is [M]: one that does not is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, field_validator

from forecast.grid import day_number, local_days
from forecast.ingest.cells import Typed
from forecast.ingest.counting_tables import CHANNELS, MEASURES, SITES
from forecast.ingest.documents import Document, FileOptions, documents
from forecast.ingest.facts import facts, no_facts
from forecast.ingest.http import Client
from forecast.ingest.moments import parse_days
from forecast.ingest.passages import channel_days, site_days, steps
from forecast.ingest.place import Place
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.report import Findings
from forecast.ingest.state import Validators
from forecast.ingest.tabular import EVERY_ROW, read_table, refused
from forecast.ingest.unpacking import gunzip


class CountOptions(Options):
    """Where the three kinds of files are, and which channels count."""

    sites: str = Field(description="URL or absolute path of the site file")
    channels: str = Field(description="URL or absolute path of the channel file")
    measures: tuple[str, ...] = Field(
        min_length=1, description="URLs or absolute paths (a pattern will do) of measure files"
    )
    mobility_types: tuple[str, ...] = Field(
        default=(), description="values of mobility_type that are counted; empty: all of them"
    )
    zones: dict[str, str] = Field(
        default_factory=dict, description="zone or commune of a site, by its id"
    )

    @field_validator("sites", "channels", "measures")
    @classmethod
    def _places(cls, value: str | tuple[str, ...]) -> str | tuple[str, ...]:
        for place in (value,) if isinstance(value, str) else value:
            if not _is_url(place) and not Path(place).is_absolute():
                raise ValueError(f"{place!r}: expected a URL or an absolute path")
        return value


class CountsOfMobility:
    """Passages of each site and day."""

    kind: ClassVar[str] = "comptage-mobilites"
    options: ClassVar[type[Options]] = CountOptions
    about: ClassVar[About] = About(
        title="Comptages de mobilités (schéma national)",
        sources=("mobility",),
        homepage="https://schema.data.gouv.fr/etalab/schema-comptage-mobilites",
        licence="that of whoever publishes the counts",
        attribution="",
        terms="free; files of those who count",
        verified="columns checked in the text of version 0.2.3 of the schema; no file of the "
        "estuary is published as yet",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """One piece: which channels a site has decides what its measures mean."""
        yield Piece("files", settled=False)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """See :class:`forecast.ingest.provider.Provider`."""
        given = cast(CountOptions, options)
        files = _changed(given, client)
        if files is None:
            return no_facts(note="unchanged since the last time")
        sites, channels, measures = files
        findings, place = Findings(keep=EVERY_ROW), Place.of(setting.config)
        zones = _zones([read_table(d, SITES, place, findings) for d in sites], given, setting)
        table = _channels([read_table(d, CHANNELS, place, findings) for d in channels], findings)
        if given.mobility_types:
            table = table[table["mobility_type"].isin(given.mobility_types)]
        lengths = dict(zip(table["channel_id"], table["time_step"], strict=True))
        rows = pd.concat(
            [steps(read_table(d, MEASURES, place, findings), lengths, findings) for d in measures],
            ignore_index=True,
        )
        known = rows["channel_id"].isin(table["channel_id"])
        days, why = channel_days(rows[known], place)
        sums, left_out = site_days(days, table)
        sums["zone_id"] = sums["site_id"].map(zones)
        lost = sums["zone_id"].isna()
        over = day_number(sums["date"]) < _today(setting)
        good = sums[~lost & over]
        good = good.assign(site_id=setting.name + ":" + good["site_id"].astype(str))
        batch = facts("mobility", good, ["count"], provider=setting.name, config=setting.config)
        notes = [f"{n:,} channel-days left out: {reason}" for reason, n in why.items()]
        for number, what in (
            (left_out, "site-days left out: one of their channels is not known"),
            (int((~known).sum()), "measures of channels that are not read"),
            (int((~over).sum()), "site-days left out: not over yet"),
        ):
            notes += [f"{number:,} {what}"] if number else []
        unplaced = {
            f"site {site}": int(n) for site, n in sums["site_id"][lost].value_counts().items()
        }
        return Batch(
            batch.observations, batch.derived, unplaced, refused(findings), "; ".join(notes)
        )


def _is_url(place: str) -> bool:
    return place.startswith(("http://", "https://"))


def _changed(
    options: CountOptions, client: Client
) -> tuple[list[Document], list[Document], list[Document]] | None:
    """Sites, channels, and the measures to be read; None if nothing has changed."""
    tables = [
        _documents(place, client, conditional=True) for place in (options.sites, options.channels)
    ]
    same = all(found is None for found in tables)
    found = [(place, _documents(place, client, conditional=same)) for place in options.measures]
    measures = [document for _, read in found for document in read or ()]
    if same and not measures:
        return None
    sites, channels = (
        _documents(place, client, conditional=False) if read is None else read
        for place, read in zip((options.sites, options.channels), tables, strict=True)
    )
    return sites or [], channels or [], measures


def _documents(place: str, client: Client, *, conditional: bool) -> list[Document] | None:
    """What is at a place; None if it is known not to have changed."""
    if not _is_url(place):
        path = Path(place)
        return documents(FileOptions(folder=str(path.parent), glob=path.name), client)
    answer = client.get(place, conditional=conditional)
    if answer.unchanged:
        return None
    if not conditional:
        # Asked for again although it may not have changed: the next time it need not be.
        client.validators[answer.url] = Validators.of(answer.headers)
    body = answer.body
    packed = body.startswith(b"\x1f\x8b")
    return [Document(answer.url, gunzip(body, name=answer.url) if packed else body)]


def _zones(read: list[Typed], options: CountOptions, setting: Setting) -> dict[str, str]:
    """Zone of each site, of those that have one: as configured, else by position or commune."""
    places, zones = setting.places, {}
    for typed in read:
        good = ~typed.bad
        points = places.zones_of_points(typed.numbers("ylat")[good], typed.numbers("xlong")[good])
        ids, communes = typed.text("site_id")[good], typed.text("fr_insee_code")[good]
        for site, point, commune in zip(ids, points, communes, strict=True):
            given = options.zones.get(site)
            found = places.zone_of_code(given) if given else point
            found = found or places.zone_of_commune(commune)
            if found is not None:
                zones[site] = str(found)
    return zones


def _channels(read: list[Typed], findings: Findings) -> pd.DataFrame:
    """The channels, with the first and last day of their service (NaN where not given).

    A site of which one channel cannot be read has none: the others alone would count too few.
    """
    parts, unsure = [], set()
    for typed in read:
        days = {name: _service(typed, name, findings) for name in ("started_at", "ended_at")}
        frame = pd.DataFrame(
            {name: typed.text(name) for name in ("channel_id", "site_id", "mobility_type")}
            | {"time_step": typed.numbers("time_step")}
            | {"started": days["started_at"], "ended": days["ended_at"]}
        )
        parts.append(frame)
        unsure |= set(frame["site_id"][typed.bad])
    table = pd.concat(parts, ignore_index=True).drop_duplicates("channel_id", keep="last")
    return table[~table["site_id"].isin(unsure)]


def _service(typed: Typed, name: str, findings: Findings) -> npt.NDArray[np.float64]:
    """A column of days or instants, as days since 1970; NaN where it is empty."""
    when = parse_days(typed.text(name).str[:10]).when
    unread = np.asarray(when.isna()) & (typed.text(name) != "").to_numpy(dtype=bool)
    typed.refuse(
        unread, "not_a_date", "the cell is not a day", findings, name, expected="2026-07-14"
    )
    return np.where(when.isna(), np.nan, day_number(when.fillna(pd.Timestamp(0))))


def _today(setting: Setting) -> int:
    now = pd.DatetimeIndex([setting.now.tz_convert("UTC")])
    return int(local_days(now, setting.config.timezone)[0])


PROVIDER = CountsOfMobility()
