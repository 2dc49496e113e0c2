"""Open-Meteo, archive of runs: forecasts as they were issued, up to fifteen days ahead.

This is what a model should learn the weather from: for every past day, what the forecast said of
each of the days that followed. One piece is one run. ``run`` is the instant a run begins, and the
archive does not say when it could be read: ``publication_hours`` later, by configuration. The
default of seven is what was seen of ECMWF's model: a run of 00 UTC ends towards 07 UTC. A value too
small lets training know forecasts before they were out.

A run that is not in the archive has no rows, and the note says so; one that should have come in the
last two days is an error, and is asked for again.

Verified in the source of the website and the server (August 2026): host, ``run``, its first day
(March 2024 for ``ecmwf_ifs``). Seen in others' code: an absent run is a 400, or a 200 whose body
says ``modelRunUnavailable``; some runs are there with every value empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Annotated, ClassVar, cast

import pandas as pd
from pydantic import Field

from forecast.errors import ProviderError
from forecast.grid import day_date, local_days
from forecast.ingest.facts import no_facts
from forecast.ingest.http import Client
from forecast.ingest.open_meteo_api import (
    ATTRIBUTION,
    LICENCE,
    TERMS,
    WEATHER,
    OpenMeteoOptions,
    ask,
    days_ahead,
    host,
    run_delay,
    weather_model,
)
from forecast.ingest.open_meteo_batch import batch
from forecast.ingest.provider import About, Batch, Options, Piece, Setting, Span

_SETTLED = pd.Timedelta(days=1)
_LATE = pd.Timedelta(days=2)
_ABSENT = ("modelRunUnavailable", "model run is not available")
_ISO = "%Y-%m-%dT%H:%M"


class ArchiveRunsOptions(OpenMeteoOptions):
    """Which runs, and how late they are read."""

    base_url: str = host("https://single-runs-api.open-meteo.com")
    model: str = weather_model("ecmwf_ifs")
    run_hours: tuple[Annotated[int, Field(ge=0, le=23)], ...] = Field(
        default=(0,), min_length=1, description="runs of each day [h UTC]"
    )
    publication_hours: float = run_delay()
    first_run: date = Field(default=date(2024, 3, 1), description="first day of the archive")
    forecast_days: int = days_ahead()


class ArchiveRuns:
    """Past runs of one model, one piece each."""

    kind: ClassVar[str] = "open-meteo-archive-runs"
    options: ClassVar[type[Options]] = ArchiveRunsOptions
    about: ClassVar[About] = About(
        title="Open-Meteo, archive of model runs",
        sources=("weather_forecast",),
        homepage="https://open-meteo.com/en/docs/single-runs-api",
        licence=LICENCE,
        attribution=ATTRIBUTION,
        terms=TERMS,
        verified="Host, parameters and reach of the archive were read in the provider's source; "
        "how an absent run is answered was seen in others' code; the delay of publication is a "
        "setting.",
    )

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """The runs that began on a day of the span and can be read by now."""
        given = cast(ArchiveRunsOptions, options)
        day = max(span.since, given.first_run)
        while day <= span.until:
            for hour in sorted(set(given.run_hours)):
                run = pd.Timestamp(day, tz="UTC") + pd.Timedelta(hours=hour)
                if run + _delay(given) <= setting.now:
                    settled = setting.now - run >= _SETTLED
                    yield Piece(f"{given.model}/{run.strftime(_ISO)}", settled, day, day)
            day += timedelta(days=1)

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Fetch one run."""
        given = cast(ArchiveRunsOptions, options)
        name = piece.key.rpartition("/")[2]
        run = pd.Timestamp(name, tz="UTC")
        zones = [zone.id for zone in setting.config.zones]
        days = {"run": name, "forecast_days": str(given.forecast_days)}
        try:
            found = ask(client, given, setting, zones, "/v1/forecast", WEATHER, **days)
        except ProviderError as error:
            absent = any(word in str(error) for word in _ABSENT)
            if not absent or setting.now - run < _LATE:
                raise
            return no_facts(note=f"the archive of {given.model} has no run of {name} UTC")
        rows = found.rows
        run_day = local_days(pd.DatetimeIndex([run]), setting.config.timezone)
        rows = rows[rows["date"] >= day_date(run_day)[0]].assign(available_at=run + _delay(given))
        where = f"{found.where}, run {name}"
        return batch("weather_forecast", rows, WEATHER, setting, where, (found.note,))


def _delay(options: ArchiveRunsOptions) -> pd.Timedelta:
    return pd.Timedelta(hours=options.publication_hours)


PROVIDER = ArchiveRuns()
