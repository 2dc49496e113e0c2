"""Météo-France: what its stations measured, day by day, from the daily climatological files.

Files are named by département, period and lot, and their names change every January: they are
looked up in the catalogue of data.gouv.fr. The lot ``RR-T-Vent`` gives temperature, rain and gusts,
``autres-parametres`` the sunshine. The current and the previous year come in one file, rewritten
every day; older years in another, read once.

Days are those of the stations, near to UTC: rain from 6 h UTC to 6 h of the next day, the highest
temperature likewise, the lowest from 18 h the day before. They stand for the civil day of that
date.

All départements are one piece of work, since a zone may lie in two of them. See
:mod:`forecast.ingest.stations` for how stations make zones, :mod:`forecast.ingest.climatology` for
what of the format is seen and what is from memory. Seen in others' code: names of files, identifier
of the data set. From memory: the shape of the catalogue's answer, the hours of the days.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Annotated, ClassVar, cast

from pydantic import Field

from forecast.ingest.climate_files import choose, parse_catalogue
from forecast.ingest.climatology import OTHERS, RAIN_WIND, Measured, parse_measured
from forecast.ingest.facts import facts, no_facts
from forecast.ingest.http import Client
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span
from forecast.ingest.stations import zone_values
from forecast.ingest.unpacking import gunzip

LOTS = {"RR-T-Vent": RAIN_WIND, "autres-parametres": OTHERS}
VARIABLES = tuple(measure.variable for lot in LOTS.values() for measure in lot)
_PACKED = 256 << 20
_UNPACKED = 1 << 30
"""Bytes: 75 years of a département with sixty stations are some hundred millions."""
_GZIP = b"\x1f\x8b"


class MeteoFranceOptions(Options):
    """Which files, and how far a station may speak for a zone."""

    base_url: str = Field(
        default="https://www.data.gouv.fr",
        pattern=r"^https?://",
        description="host of the catalogue, without path",
    )
    dataset: str = Field(
        default="6569b51ae64326786e4e8e1a",
        pattern=r"^[a-z0-9-]+$",
        description="identifier of the data set in the catalogue",
    )
    departements: tuple[Annotated[str, Field(pattern=r"^(\d{2,3}|2[AB])$")], ...] = Field(
        default=("14", "27", "76"), min_length=1, description="codes of the départements to read"
    )
    reach_km: float = Field(
        default=25.0,
        ge=0,
        le=200,
        description="how far from its centre a station may speak for a zone that has none [km]",
    )


class MeteoFrance:
    """Stations' days, in two pieces: what still changes, and what does not."""

    kind: ClassVar[str] = "meteo-france"
    options: ClassVar[type[Options]] = MeteoFranceOptions
    about: ClassVar[About] = About(
        title="Météo-France, daily climatology",
        sources=("weather",),
        homepage="https://www.data.gouv.fr/datasets/donnees-climatologiques-de-base-quotidiennes",
        licence="Licence Ouverte 2.0",
        attribution="Météo-France",
        terms="Free of charge and without key; files of up to some tens of megabytes",
        verified="Names of files, separator and columns were seen in others' code; units and "
        "quality codes are from memory, and held to plausible values.",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """The years before the previous one, if wanted, then the previous and the current one."""
        today = setting.now.tz_convert(setting.config.timezone).date()
        until = min(span.until, today - timedelta(days=1))
        growing = date(today.year - 1, 1, 1)
        if span.since < growing:
            first, last = span.since.year, min(until, growing - timedelta(days=1)).year
            if first <= last:
                yield Piece(f"{first}-{last}", True, date(first, 1, 1), date(last, 12, 31))
        if until >= growing:
            yield Piece("latest", False, max(span.since, growing), until)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Fetch the files of all départements, and make zones of their stations."""
        given = cast(MeteoFranceOptions, options)
        since, until = cast(date, piece.since), cast(date, piece.until)
        url = f"{given.base_url.rstrip('/')}/api/1/datasets/{given.dataset}/"
        files = parse_catalogue(client.get(url).json(), url)
        measured: list[Measured] = []
        for file in choose(files, given.departements, list(LOTS), since, until, url):
            data = client.get(file.url, max_bytes=_PACKED).body
            if data.startswith(_GZIP):
                data = gunzip(data, _UNPACKED, name=file.url)
            measured.append(parse_measured(data, file.name, LOTS[file.lot], since, until))
        zones = [zone.id for zone in setting.config.zones]
        rows, note = zone_values(measured, zones, setting.places, given.reach_km)
        refused = tuple(line for part in measured for line in part.refused)
        doubtful = sum(part.doubtful for part in measured)
        if doubtful:
            note = "; ".join(filter(None, (note, f"{doubtful} doubtful values left out")))
        if rows.empty:
            return no_facts(refused=refused, note=note or f"no value from {since} to {until}")
        made = facts("weather", rows, VARIABLES, provider=setting.name, config=setting.config)
        return replace(made, refused=refused, note=note)


PROVIDER = MeteoFrance()
