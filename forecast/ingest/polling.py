"""What providers of real-time feeds have in common: poll, accumulate, and make days.

A poll adds the readings it finds to :class:`~forecast.ingest.samples.Samples` and gives the days
that are over and complete. The same days are made again by the next polls and come out the same:
a reading that is :data:`SETTLE` old when it is first seen is no longer taken, and no day is made
before its last reading is that old.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from forecast.grid import day_number, local_days
from forecast.ingest.facts import facts, no_facts
from forecast.ingest.place import Place
from forecast.ingest.provider import Batch, Options, Piece, Setting, Span
from forecast.ingest.samples import COLUMNS
from forecast.ingest.slots import Days

SETTLE = pd.Timedelta(hours=1)
"""Age from which a reading says nothing about now: the feed, or the sensor, has stopped."""
AHEAD = pd.Timedelta(minutes=10)
"""How far a provider's clock may be ahead of ours."""


class PollOptions(Options):
    """Options of a feed that is polled.

    ``every_hours`` is the pause between polls, and the length of the slots a day is cut into.
    """

    every_hours: float = Field(
        default=1.0, gt=0, le=6, description="pause between two polls [h]; a day is cut into such"
    )
    history_days: int = Field(
        default=7, ge=1, le=400, description="days made from the readings at each poll [d]"
    )
    least_share: float = Field(
        default=0.8, gt=0, le=1, description="share of a day's polls without which it is left out"
    )
    keep_days: int = Field(
        default=60, ge=2, le=3660, description="days for which single readings are kept [d]"
    )


def now_piece(span: Span) -> Iterator[Piece]:
    """The one piece of a feed: how things are now, and the days of ``span`` made from readings."""
    yield Piece("now", settled=False, since=span.since, until=span.until)


def accumulate(
    source: str,
    readings: pd.DataFrame,
    make: Callable[..., Days],
    variables: Iterable[str],
    *,
    piece: Piece,
    options: PollOptions,
    setting: Setting,
    unplaced: Mapping[str, int],
    refused: Iterable[str],
) -> Batch:
    """Keep the readings of a poll and make the days of the piece that are over.

    Parameters
    ----------
    source
        The observation source.
    readings
        Columns of :data:`forecast.ingest.samples.COLUMNS`; ``site_id`` as the provider names it,
        ``at`` the instant of the reading (NaT: of the poll).
    make
        :func:`~forecast.ingest.slots.flow_days` or
        :func:`~forecast.ingest.slots.occupancy_days`.
    variables
        Columns of what ``make`` gives that become observations.
    piece, options, setting
        As :meth:`forecast.ingest.provider.Provider.fetch` got them.
    unplaced, refused
        What the parser counted and refused, for the batch.
    """
    feed, now = setting.name, setting.now.tz_convert("UTC")
    rows = readings[list(COLUMNS)].copy()
    rows["at"] = pd.to_datetime(rows["at"], utc=True).dt.as_unit("us").fillna(now.as_unit("us"))
    late = rows["at"] > now + AHEAD
    old = rows["at"] <= now - SETTLE
    store = setting.samples
    store.add(feed, rows[~late & ~old])
    place = Place.of(setting.config)
    days = _days_over(piece, options, setting)
    store.prune(feed, now - pd.Timedelta(days=options.keep_days + 2))
    batch, left_out = no_facts(), Counter[str]()
    if len(days):
        begin, end = _instants(place.midnight(np.array([days[0], days[-1] + 1])))
        made = make(
            store.read(feed, begin, end),
            days,
            place,
            step_hours=options.every_hours,
            least=options.least_share,
        )
        left_out = made.left_out
        named = made.rows.assign(site_id=feed + ":" + made.rows["site_id"].astype(str))
        batch = facts(source, named, list(variables), provider=feed, config=setting.config)
    return replace(
        batch,
        unplaced=dict(unplaced),
        refused=tuple(refused) + _from_the_future(rows[late], now),
        note=_note(rows[old], left_out),
    )


def _days_over(piece: Piece, options: PollOptions, setting: Setting) -> range:
    """Civil days of the piece whose last reading can no longer come [days since 1970]."""
    zone, now = setting.config.timezone, setting.now.tz_convert("UTC")
    today = int(local_days(pd.DatetimeIndex([now - SETTLE]), zone)[0])
    first, last = today - options.keep_days, today - 1
    if piece.since is not None:
        first = max(first, int(day_number([piece.since])[0]))
    if piece.until is not None:
        last = min(last, int(day_number([piece.until])[0]))
    return range(first, last + 1)


def _instants(micros: npt.NDArray[np.int64]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(micros.astype("datetime64[us]"), tz="UTC")


def _from_the_future(rows: pd.DataFrame, now: pd.Timestamp) -> tuple[str, ...]:
    return tuple(
        f"site {site}, time of the reading: {at:%Y-%m-%dT%H:%M:%SZ} has not come yet (it is "
        f"{now:%Y-%m-%dT%H:%M:%SZ}); expected an instant with the right offset"
        for site, at in zip(rows["site_id"], rows["at"], strict=True)
    )


def _note(old: pd.DataFrame, left_out: Counter[str]) -> str:
    """What was left out although nothing is wrong with how it is written."""
    said = [f"{number} site-days left out: {why}" for why, number in left_out.items()]
    sites = sorted(set(old["site_id"].astype(str)))
    if sites:
        more = ", ..." if len(sites) > 3 else ""
        said.append(
            f"{len(sites)} sites say nothing newer than an hour: {', '.join(sites[:3])}{more}"
        )
    return "; ".join(said)
