"""The last look at what a provider gave, whatever its kind: what cannot be true is not stored."""

from __future__ import annotations

import dataclasses

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import RunConfig
from forecast.errors import SchemaError
from forecast.grid import day_number
from forecast.ingest.contract import CONTRACT
from forecast.ingest.place import Place
from forecast.ingest.provider import Batch
from forecast.tables import OBSERVATIONS, check


def screened(batch: Batch, config: RunConfig, now: pd.Timestamp) -> Batch:
    """The batch without the observations that the input contract would refuse, each with its
    sentence among ``refused``.

    Refused are: zones that are not the territory's; values out of their column's bounds; of
    measurements, days that were not over at ``now``, rows stated to have been known before their
    day was over, and rows stated to have been known after ``now``.

    Raises
    ------
    SchemaError
        If ``observations`` is not such a table, or ``derived`` does not fit it.
    """
    rows = check(batch.observations, OBSERVATIONS).reset_index(drop=True)
    if batch.derived.shape != (len(rows),):
        raise SchemaError(
            f"the provider gave {len(batch.derived)} flags `derived` for {len(rows)} observations"
        )
    if rows.empty:
        return batch
    problem = _problems(rows, batch.derived, config, now)
    bad = np.flatnonzero(problem != "")
    if not len(bad):
        return batch
    told = tuple(_sentence(rows.iloc[row], problem[row]) for row in bad)
    good = np.flatnonzero(problem == "")
    return dataclasses.replace(
        batch,
        observations=rows.iloc[good].reset_index(drop=True),
        derived=batch.derived[good],
        refused=(*batch.refused, *told),
    )


def _problems(
    rows: pd.DataFrame, derived: npt.NDArray[np.bool_], config: RunConfig, now: pd.Timestamp
) -> npt.NDArray[np.object_]:
    """What is wrong with each row, shape (rows,); empty where nothing is."""
    found = np.full(len(rows), "", dtype=object)
    value = rows["value"].to_numpy(dtype=float)
    known = pd.DatetimeIndex(rows["available_at"]).as_unit("us").asi8
    day_end = Place.of(config).day_end(day_number(rows["date"]).astype(np.int64))
    present = int(pd.DatetimeIndex([now]).as_unit("us").asi8[0])
    pairs = rows[["source", "variable"]].astype(str).drop_duplicates()
    for source, variable in pairs.itertuples(index=False):
        table = CONTRACT.get(source)
        here = ((rows["source"] == source) & (rows["variable"] == variable)).to_numpy()
        if table is None:
            continue
        if variable not in table.variables:
            raise SchemaError(
                f"the source {source!r} has no variable {variable!r}; expected one of "
                f"{', '.join(table.variables)}"
            )
        column = table.schema.column(variable)
        low = -np.inf if column.low is None else column.low
        high = np.inf if column.high is None else column.high
        outside = f"expected {low:,.10g} to {high:,.10g} {column.unit}".rstrip()
        found[here & ~((value >= low) & (value <= high))] = outside
        if table.measured:
            found[here & (day_end > present)] = "its day is not over"
            stated = here & ~derived
            found[stated & (known < day_end)] = "said to be known before its day was over"
            found[stated & (known > present)] = "said to be known later than now"
    facts = list(OBSERVATIONS.keys)
    again = rows[rows.duplicated(facts, keep=False)]
    values = again.groupby(facts, observed=True)["value"].transform("nunique")
    found[values.index[values > 1]] = "the provider gives several values for it"
    found[~rows["zone_id"].isin([zone.id for zone in config.zones]).to_numpy()] = (
        "no such zone in the configuration"
    )
    return found


def _sentence(row: pd.Series, problem: str) -> str:
    site = f", {row['site_id']}" if row["site_id"] else ""
    return (
        f"{row['source']}, zone {row['zone_id']}{site}, {row['date']:%Y-%m-%d}: "
        f"{row['variable']} = {row['value']:g}: {problem}"
    )
