"""Open-Meteo, previous runs: what was forecast one to seven days before.

For every hour, the value of the last run that began 24, 48, ... 168 hours before it. It helps where
the archive of single runs does not reach: from January 2024, and for the national models (or their
blend) of which single runs are kept only since 2026; and it costs one call a month instead of one a
run. It gives temperature and rain alone, and seven days of the fourteen: prefer
``open-meteo-archive-runs`` wherever it reaches, and do not mix the two without need.

The hours of a day come from several runs, of which the last may have begun ``n`` times 24 hours
before the day's end: a row is dated by that instant plus ``publication_hours``, so that it is never
known too early.

Verified in the source of the website and the server (August 2026): host, names, hourly only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import ClassVar, cast

import pandas as pd
from pydantic import Field

from forecast.ingest.http import Client
from forecast.ingest.open_meteo_api import (
    ATTRIBUTION,
    LICENCE,
    TERMS,
    WEATHER,
    OpenMeteoOptions,
    ask,
    host,
    run_delay,
)
from forecast.ingest.open_meteo_batch import batch
from forecast.ingest.open_meteo_past import day_ends, months, utc_days
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span

LEADS = range(1, 8)
_GIVEN = tuple(d for d in WEATHER if d.hourly in ("temperature_2m", "precipitation"))
_SETTLED_DAYS = timedelta(days=3)


class PreviousRunsOptions(OpenMeteoOptions):
    """How far back, and how late runs are read."""

    base_url: str = host("https://previous-runs-api.open-meteo.com")
    publication_hours: float = run_delay()
    first_day: date = Field(default=date(2024, 1, 9), description="first day of the archive")


class PreviousRuns:
    """Forecasts one to seven days before, a month at a time."""

    kind: ClassVar[str] = "open-meteo-previous-runs"
    options: ClassVar[type[Options]] = PreviousRunsOptions
    about: ClassVar[About] = About(
        title="Open-Meteo, forecasts of one to seven days before",
        sources=("weather_forecast",),
        homepage="https://open-meteo.com/en/docs/previous-runs-api",
        licence=LICENCE,
        attribution=ATTRIBUTION,
        terms=TERMS,
        verified="Host, names of the values and their reach were read in the provider's source.",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """The months of the span, as far as they have come."""
        given = cast(PreviousRunsOptions, options)
        today = setting.now.tz_convert(setting.config.timezone).date()
        for first, last in months(Span(max(span.since, given.first_day), min(span.until, today))):
            settled = last + _SETTLED_DAYS <= today
            since, until = max(first, given.first_day), min(last, today)
            yield Piece(f"{given.model}/{first:%Y-%m}", settled, since, until)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Fetch the forecasts of one month's days."""
        given = cast(PreviousRunsOptions, options)
        zones = [zone.id for zone in setting.config.zones]
        wanted = [
            replace(daily, hourly=f"{daily.hourly}_previous_day{lead}", name=f"{daily.name}/{lead}")
            for lead in LEADS
            for daily in _GIVEN
        ]
        span = Span(cast(date, piece.since), cast(date, piece.until))
        days = utc_days(span, setting.config)
        found = ask(client, given, setting, zones, "/v1/forecast", wanted, **days)
        table = found.rows
        table = table[table["date"].between(pd.Timestamp(span.since), pd.Timestamp(span.until))]
        ended = day_ends(table["date"], setting.config)
        parts = []
        for lead in LEADS:
            names = {f"{daily.name}/{lead}": daily.name for daily in _GIVEN}
            ahead = pd.Timedelta(hours=24 * lead) - pd.Timedelta(hours=given.publication_hours)
            part = table[["zone_id", "date", *names]].rename(columns=names)
            parts.append(part.assign(available_at=ended - ahead))
        rows = pd.concat(parts, ignore_index=True)
        rows = rows[rows["available_at"] <= setting.now]
        return batch("weather_forecast", rows, _GIVEN, setting, found.where, (found.note,))


PROVIDER = PreviousRuns()
