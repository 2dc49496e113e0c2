"""Rows of the observations table, made from what a provider said."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import RunConfig
from forecast.grid import day_number
from forecast.ingest.observations import empty, join
from forecast.ingest.place import HOUR, Place
from forecast.ingest.provider import Batch
from forecast.tables import OBSERVATIONS


def facts(
    source: str,
    rows: pd.DataFrame,
    variables: Sequence[str],
    *,
    provider: str,
    config: RunConfig,
) -> Batch:
    """One observation for each value of ``rows``; empty values state nothing.

    Parameters
    ----------
    source
        The observation source.
    rows
        Columns ``zone_id``, ``date`` (civil day, datetime64) and one for each variable; optionally
        ``site_id``, and ``available_at`` (UTC). Without the latter, or where it is empty, it is
        derived: end of the day plus the source's publication delay.
    variables
        Columns that become observations.
    provider
        Name of the provider, for the column of that name.
    config
        Gives the publication delay and the time zone.
    """
    if rows.empty:
        return no_facts()
    day = day_number(rows["date"]).astype(np.int64)
    derived, stated = _available(source, rows, day, config)
    parts = []
    for name in variables:
        values = rows[name].to_numpy(dtype=float)
        there = np.flatnonzero(np.isfinite(values))
        parts.append(
            pd.DataFrame(
                {
                    "source": source,
                    "zone_id": rows["zone_id"].to_numpy(dtype=object)[there],
                    "site_id": rows["site_id"].to_numpy(dtype=object)[there]
                    if "site_id" in rows
                    else "",
                    "variable": name,
                    "date": rows["date"].to_numpy(dtype="datetime64[us]")[there],
                    "available_at": stated[there],
                    "value": values[there],
                    "provider": provider,
                    "derived": derived[there],
                }
            )
        )
    frame = pd.concat(parts, ignore_index=True)
    for column in ("source", "zone_id", "site_id", "variable", "provider"):
        frame[column] = frame[column].astype("category")
    return Batch(frame[list(OBSERVATIONS.names)], frame["derived"].to_numpy(dtype=bool))


def together(batches: Sequence[Batch]) -> Batch:
    """Several batches as one, as for a piece that speaks of several sources."""
    unplaced: Counter[str] = Counter()
    for batch in batches:
        unplaced.update(batch.unplaced)
    return Batch(
        join([batch.observations for batch in batches if len(batch.observations)])[
            list(OBSERVATIONS.names)
        ],
        np.concatenate([np.empty(0, dtype=bool), *(batch.derived for batch in batches)]),
        unplaced=dict(unplaced),
        refused=tuple(line for batch in batches for line in batch.refused),
        note="; ".join(batch.note for batch in batches if batch.note),
    )


def no_facts(**more: Any) -> Batch:
    """A batch without observations; ``more`` are the other fields of the batch."""
    return Batch(empty()[list(OBSERVATIONS.names)], np.empty(0, dtype=bool), **more)


def _available(
    source: str, rows: pd.DataFrame, day: npt.NDArray[np.int64], config: RunConfig
) -> tuple[npt.NDArray[np.bool_], pd.DatetimeIndex]:
    """Where the instant is derived, and the instant of each row."""
    delay = round(config.delay_hours(source) * HOUR)
    micros = Place.of(config).day_end(day) + delay
    derived = np.ones(len(rows), dtype=bool)
    if "available_at" in rows:
        given = pd.DatetimeIndex(rows["available_at"]).as_unit("us")
        derived = np.asarray(given.isna())
        micros = np.where(derived, micros, given.asi8)
    return derived, pd.DatetimeIndex(micros.astype("datetime64[us]"), tz="UTC")
