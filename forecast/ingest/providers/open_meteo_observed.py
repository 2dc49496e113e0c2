"""Open-Meteo, past weather: the reanalysis ERA5, which stands in for observations.

Complete and everywhere, but a model's idea of what was: about five days late, and smoother than
stations. Météo-France's own stations are the better source where they stand. Enable one of the two:
with both, each day has the value of whichever could be read last. Rows are dated by the end of the
day plus ``publication_hours``.

Verified in the source of the website and the server (August 2026): host, parameters, units, delay.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, cast

from forecast.ingest.http import Client
from forecast.ingest.open_meteo_api import ATTRIBUTION, LICENCE, TERMS, WEATHER, host, weather_model
from forecast.ingest.open_meteo_past import PastOptions, after_day, fetch_past, past_pieces
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span


class ObservedOptions(PastOptions):
    """ERA5 comes within six days."""

    base_url: str = host("https://archive-api.open-meteo.com")
    model: str = weather_model("era5")
    publication_hours: float = after_day(144.0)


class Observed:
    """Past weather, a month at a time."""

    kind: ClassVar[str] = "open-meteo-observed"
    options: ClassVar[type[Options]] = ObservedOptions
    about: ClassVar[About] = About(
        title="Open-Meteo, past weather (ERA5)",
        sources=("weather",),
        homepage="https://open-meteo.com/en/docs/historical-weather-api",
        licence=LICENCE,
        attribution=f"{ATTRIBUTION}; ERA5 by Copernicus Climate Change Service",
        terms=TERMS,
        verified="Host, parameters, units and the delay of about five days were read in the "
        "provider's source.",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """The months of the span, as far as they can be read by now."""
        return past_pieces(cast(ObservedOptions, options), span, setting)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Fetch one month."""
        given = cast(ObservedOptions, options)
        zones = [zone.id for zone in setting.config.zones]
        return fetch_past(piece, given, setting, client, zones, "/v1/archive", WEATHER)


PROVIDER = Observed()
