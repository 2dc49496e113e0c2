"""What the pandas columns share: what was known of a day at an origin."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import pandas as pd

KEY = 100_000
"""Days fit below it: one integer names a series and a day."""


def keyed(table: pd.DataFrame) -> pd.DataFrame:
    """Rows in the order they became readable, with one key for their series and day."""
    series = table["zone"].astype(np.int64) * 2 + table["site"]
    return table.assign(key=series * KEY + table["day"]).sort_values("at", ignore_index=True)


def known(
    need: pd.DataFrame,
    table: pd.DataFrame,
    day: pd.Series,
    names: list[str],
    site: str | None = None,
) -> pd.DataFrame:
    """Columns of the rows of these days that were the latest readable at the origin."""
    series = need["zone"].astype(np.int64) * 2 + (need[site] if site else 0)
    key = (series * KEY + day).fillna(-1).astype(np.int64)
    left = pd.DataFrame({"origin": need["origin"].to_numpy(), "key": key.to_numpy()})
    found = pd.merge_asof(
        left, table[["at", "key", *names]], left_on="origin", right_on="at", by="key"
    )
    return found[names].set_axis(need.index)


def newest_day(asks: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Newest known day of each ask's zone."""
    newest = table[["zone", "at"]].assign(newest=table.groupby("zone")["day"].cummax())
    newest = newest.astype({"zone": asks["zone"].dtype})
    left = asks[["ask", "zone", "origin", "ask_day"]]
    found = pd.merge_asof(left, newest, left_on="origin", right_on="at", by="zone")
    return found.drop(columns="at")


def ratio(value: npt.ArrayLike, base: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """The quotient, NaN where the base says nothing."""
    over = np.asarray(base, dtype=np.float64)
    return np.asarray(value, dtype=np.float64) / np.where(over > 0, over, np.nan)


def columns(source: str, found: Mapping[str, object]) -> pd.DataFrame:
    """A frame of float32 columns named by their source."""
    return pd.DataFrame(
        {f"{source}_{name}": np.asarray(c, dtype=np.float32) for name, c in found.items()}
    )
