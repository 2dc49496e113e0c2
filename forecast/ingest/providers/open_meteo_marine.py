"""Open-Meteo, the sea: its temperature in bathing hours, and the waves, for zones with a seashore.

Past days only, kept with the observed weather (``sea_temperature``, ``wave_height``) for the page
and for whoever wants to learn from them: no feature reads them yet, so nothing is lost without it.
A forecast of the sea is not stored: a blend of models has no run to date it by.

Verified in the source of the website and the server (August 2026): host, names, units. From memory:
how far back the days reach.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, cast

from forecast.ingest.hours import BATHING, Daily
from forecast.ingest.http import Client
from forecast.ingest.open_meteo_api import ATTRIBUTION, LICENCE, TERMS, host
from forecast.ingest.open_meteo_past import PastOptions, fetch_past, past_pieces
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span

SEA = (
    Daily(
        "sea_temperature",
        "sea_surface_temperature",
        "°C",
        "mean",
        since=BATHING[0],
        until=BATHING[1],
    ),
    Daily("wave_height", "wave_height", "m", "max"),
)


class MarineOptions(PastOptions):
    """The host of the sea."""

    base_url: str = host("https://marine-api.open-meteo.com")


class Marine:
    """The sea as it was, a month at a time."""

    kind: ClassVar[str] = "open-meteo-marine"
    options: ClassVar[type[Options]] = MarineOptions
    about: ClassVar[About] = About(
        title="Open-Meteo, sea temperature and waves",
        sources=("weather",),
        homepage="https://open-meteo.com/en/docs/marine-weather-api",
        licence=LICENCE,
        attribution=ATTRIBUTION,
        terms=f"{TERMS}; not for navigation",
        verified="Host, names and units were read in the provider's source; how far back the days "
        "reach was not.",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """The months of the span, if a zone lies by the sea."""
        if any(zone.coast for zone in setting.config.zones):
            yield from past_pieces(cast(MarineOptions, options), span, setting)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Fetch one month."""
        given = cast(MarineOptions, options)
        zones = [zone.id for zone in setting.config.zones if zone.coast]
        return fetch_past(piece, given, setting, client, zones, "/v1/marine", SEA)


PROVIDER = Marine()
