"""Open-Meteo: the weather forecast that is out now, up to sixteen days ahead.

The answer does not say which run it comes from, so the model's metadata are read, after the
forecast: a run that appears in between then dates the rows too late, never too early. Rows count as
readable ten minutes after the run became so, the time Open-Meteo's servers take to agree; asking
again before the next run adds nothing. Where the metadata cannot be had, rows are dated by the
moment they were asked for, and the note says so.

Unlike the archive, the answer continues each run with the one before it, and holds the past day, so
that today is whole. The model is that of ``open-meteo-archive-runs`` unless told otherwise: what is
forecast from should be what was learnt from.

Verified in the source of the website and the server (August 2026): parameters, units, errors. Read
on the website, not tried: the metadata.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import ClassVar, cast

import pandas as pd
from pydantic import Field

from forecast.errors import ProviderError
from forecast.grid import day_date, local_days
from forecast.ingest.http import Client
from forecast.ingest.open_meteo_answers import parse_run
from forecast.ingest.open_meteo_api import (
    ATTRIBUTION,
    BLEND,
    LICENCE,
    TERMS,
    WEATHER,
    OpenMeteoOptions,
    ask,
    days_ahead,
    host,
    key,
    weather_model,
)
from forecast.ingest.open_meteo_batch import batch
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span

SETTLING = pd.Timedelta(minutes=10)
_LATE = pd.Timedelta(hours=24)


class OpenMeteoForecastOptions(OpenMeteoOptions):
    """How much to ask for, and how often it is worth it."""

    base_url: str = host("https://api.open-meteo.com")
    model: str = weather_model("ecmwf_ifs")
    every_hours: float = Field(default=6.0, gt=0, le=24 * 366)
    forecast_days: int = days_ahead()


class OpenMeteoForecast:
    """The forecast that is out now; what was out before is not given any more."""

    kind: ClassVar[str] = "open-meteo"
    options: ClassVar[type[Options]] = OpenMeteoForecastOptions
    about: ClassVar[About] = About(
        title="Open-Meteo, weather forecast",
        sources=("weather_forecast",),
        homepage="https://open-meteo.com/en/docs",
        licence=LICENCE,
        attribution=ATTRIBUTION,
        terms=TERMS,
        verified="Parameters, units and errors were read in the provider's source; the metadata "
        "that date a run were read on its website and not tried.",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """One piece, if the span reaches the present: past forecasts are another kind's."""
        today = setting.now.tz_convert(setting.config.timezone).date()
        if span.until >= today - timedelta(days=1):
            yield Piece("latest", settled=False, since=today, until=today)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Fetch the forecast, then say since when it could be read."""
        given = cast(OpenMeteoForecastOptions, options)
        zones = [zone.id for zone in setting.config.zones]
        days = {"past_days": "1", "forecast_days": str(given.forecast_days)}
        found = ask(client, given, setting, zones, "/v1/forecast", WEATHER, **days)
        available, note = _readable(given, setting, client)
        rows = found.rows
        issue_day = local_days(pd.DatetimeIndex([available]), setting.config.timezone)
        rows = rows[rows["date"] >= day_date(issue_day)[0]].assign(available_at=available)
        notes = (note, found.note)
        return batch("weather_forecast", rows, WEATHER, setting, found.where, notes)


def _readable(
    options: OpenMeteoForecastOptions, setting: Setting, client: Client
) -> tuple[pd.Timestamp, str]:
    """Instant from which the newest run could be read, and a remark on it."""
    if options.model == BLEND or options.model.endswith("_seamless"):
        return setting.now, "a blend of models has no run: rows are dated by the moment of asking"
    url = f"{options.base_url}/data/{options.model}/static/meta.json"
    try:
        run = parse_run(client.get(url, secret_params=key(options)).body, url)
    except ProviderError as error:
        return (
            setting.now,
            f"rows are dated by the moment of asking, for want of metadata ({error})",
        )
    note = f"run of {run.began:%Y-%m-%d %H:%M} UTC"
    if setting.now - run.readable > _LATE:
        note += f"; no newer one for {(setting.now - run.readable) / _LATE:.1f} days"
    return min(setting.now, run.readable + SETTLING), note


PROVIDER = OpenMeteoForecast()
