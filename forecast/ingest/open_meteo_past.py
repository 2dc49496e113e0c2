"""Past days of Open-Meteo, a month at a time: the weather and the sea as they were."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any, cast

import numpy as np
import pandas as pd
from pydantic import Field

from forecast.config import RunConfig
from forecast.grid import day_date, day_number, local_days
from forecast.ingest.hours import Daily
from forecast.ingest.http import Client
from forecast.ingest.open_meteo_api import OpenMeteoOptions, ask
from forecast.ingest.open_meteo_batch import batch
from forecast.ingest.place import Place
from forecast.ingest.provider import Batch, Piece, Setting, Span

_SETTLED_DAYS = timedelta(days=5)


def after_day(hours: float) -> Any:
    """The field ``publication_hours`` with its default."""
    return Field(
        default=hours,
        ge=0,
        le=24 * 60,
        description="from the end of a day until it can be read [h]",
    )


class PastOptions(OpenMeteoOptions):
    """How late past days are read."""

    publication_hours: float = after_day(12.0)


def past_pieces(options: PastOptions, span: Span, setting: Setting) -> Iterator[Piece]:
    """The months of the span, as far as they can be read by now."""
    then = setting.now - pd.Timedelta(hours=options.publication_hours)
    day = local_days(pd.DatetimeIndex([then]), setting.config.timezone)
    newest = day_date(day - 1)[0].date()
    for first, last in months(Span(span.since, min(span.until, newest))):
        settled = last + _SETTLED_DAYS <= newest
        yield Piece(f"{options.model}/{first:%Y-%m}", settled, first, min(last, newest))


def fetch_past(
    piece: Piece,
    options: PastOptions,
    setting: Setting,
    client: Client,
    zones: Sequence[str],
    path: str,
    wanted: Sequence[Daily],
) -> Batch:
    """Observations of source ``weather`` for the days of a piece, dated by their end plus the
    delay of publication. Raises as :func:`forecast.ingest.open_meteo_api.ask`."""
    span = Span(cast(date, piece.since), cast(date, piece.until))
    days = utc_days(span, setting.config)
    found = ask(client, options, setting, zones, path, wanted, **days)
    rows = found.rows
    rows = rows[rows["date"].between(pd.Timestamp(span.since), pd.Timestamp(span.until))]
    delay = pd.Timedelta(hours=options.publication_hours)
    rows = rows.assign(available_at=day_ends(rows["date"], setting.config) + delay)
    return batch("weather", rows, wanted, setting, found.where, (found.note,))


def months(span: Span) -> Iterator[tuple[date, date]]:
    """First and last day of every month that ``span`` touches, whole whatever the span."""
    if span.since > span.until:
        return
    first = span.since.replace(day=1)
    while first <= span.until:
        following = (first + timedelta(days=31)).replace(day=1)
        yield first, following - timedelta(days=1)
        first = following


def utc_days(span: Span, config: RunConfig) -> dict[str, str]:
    """First and last UTC day that the hours of the civil days of ``span`` touch, as parameters."""
    days = day_number([pd.Timestamp(span.since), pd.Timestamp(span.until) + pd.Timedelta(days=1)])
    begins = Place.of(config).midnight(days.astype(np.int64)).astype("datetime64[us]")
    first, last = (f"{moment:%Y-%m-%d}" for moment in pd.DatetimeIndex(begins))
    return {"start_date": first, "end_date": last}


def day_ends(dates: pd.Series, config: RunConfig) -> pd.DatetimeIndex:
    """The instant at which each civil day ends [UTC]."""
    ends = Place.of(config).day_end(day_number(dates).astype(np.int64))
    return pd.DatetimeIndex(ends.astype("datetime64[us]"), tz="UTC")
