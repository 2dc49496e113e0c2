"""A batch into the lake, also where a provider corrects itself without saying when."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import numpy as np
import pandas as pd

from forecast.errors import InputError
from forecast.ingest.provider import Batch
from forecast.lake import Appended, Lake
from forecast.tables import OBSERVATIONS


def store(
    lake: Lake, batch: Batch, *, now: pd.Timestamp, note: Mapping[str, str]
) -> tuple[Batch, Appended]:
    """Append a batch, all or none; return what was kept of it, and what became of that.

    The lake refuses another value for a fact and a *stated* instant that it has. A provider that
    gives one has corrected itself: that is stored as known from ``now``, for it was not before. A
    weather forecast that differs from the one stored of the same run is left out, with a sentence
    among ``refused``: available from now, it would pass for a newer run.

    Raises
    ------
    LakeError
        If the lake cannot be written.
    InputError
        If the table breaks its schema.
    """
    rows = batch.observations
    try:
        return batch, lake.append(rows, now=now, derived=batch.derived, note=note)
    except InputError:
        stored = _stored_values(lake, rows)
    value = rows["value"].to_numpy(dtype=float)
    corrected = np.isfinite(stored) & (stored != value) & ~batch.derived
    reissued = corrected & (rows["source"] == "weather_forecast").to_numpy()
    told = tuple(
        f"weather_forecast, zone {row.zone_id}, {row.date:%Y-%m-%d}: {row.variable} = "
        f"{row.value:g}: the same run was stored with {old:g}"
        for row, old in zip(rows[reissued].itertuples(), stored[reissued], strict=True)
    )
    kept = dataclasses.replace(
        batch,
        observations=rows[~reissued].reset_index(drop=True),
        derived=(batch.derived | corrected)[~reissued],
        refused=(*batch.refused, *told),
    )
    done = lake.append(kept.observations, now=now, derived=kept.derived, note=note)
    return kept, done


def _stored_values(lake: Lake, rows: pd.DataFrame) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """The value stored for each row's fact and instant, shape (rows,); NaN where none is."""
    keys = list(OBSERVATIONS.keys)
    known = lake.read(
        sources=sorted(rows["source"].astype(str).unique()),
        since=rows["date"].min(),
        until=rows["date"].max(),
    )
    texts = dict.fromkeys(("source", "zone_id", "site_id", "variable"), "str")
    both = (
        rows[keys]
        .astype(texts)
        .merge(
            known[[*keys, "value"]].astype(texts).drop_duplicates(keys, keep="last"), "left", keys
        )
    )
    return both["value"].to_numpy(dtype=np.float64)
