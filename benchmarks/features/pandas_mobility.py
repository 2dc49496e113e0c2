"""Columns of mobility in pandas."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.features.pandas_asof import KEY, columns, keyed, known, newest_day, ratio


def site_indices(heads: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Index of each ask, site and day ``back`` from the newest, over the last 28 days."""
    sensors = table[["zone", "site"]].drop_duplicates().sort_values(["zone", "site"])
    frame = heads.merge(sensors, on="zone").merge(pd.DataFrame({"back": np.arange(7)}), how="cross")
    last = frame["newest"] - frame["back"]
    values = np.column_stack(
        [known(frame, table, last - 7 * j, ["value"], site="site")["value"] for j in range(12)]
    )
    # The seven rows of an ask and site follow one another: the days of a site side by side.
    days = values.reshape(-1, 7, 12).swapaxes(1, 2).reshape(-1, 84)
    weeks = []
    for j in range(4):
        value = values[:, j]
        before = [days[:, 7 * j + k : 7 * j + k + 7].ravel() for k in (1, 2)]
        stuck = (value == before[0]) & (value == before[1])
        normal = np.sort(values[:, j + 1 : j + 9], axis=1)  # those without a value come last
        count = (~np.isnan(normal)).sum(axis=1)
        middle = [np.maximum(count - 1, 0) // 2, np.minimum(count // 2, 7)]
        median = np.mean([np.take_along_axis(normal, m[:, None], 1)[:, 0] for m in middle], axis=0)
        sound = (count >= 3) & (value != 0) & ~stuck
        index = np.where(sound, ratio(value, median), np.nan)
        found = frame[["ask", "back"]].assign(index=index)
        weeks.append(found.assign(back=frame["back"] + 7 * j)[~np.isnan(index)])
    return pd.concat(weeks, ignore_index=True)


def mobility_columns(
    rows: pd.DataFrame, asks: pd.DataFrame, mobility: pd.DataFrame
) -> pd.DataFrame:
    """Robust indices by ask and day, then by question."""
    table = keyed(mobility)
    heads = newest_day(asks, table)
    sites = site_indices(heads[heads["ask_day"] - heads["newest"] <= 35], table)
    # With one or two sites the middle is the index nearer to one.
    sites["far"] = np.log(sites["index"]).abs()
    by_day = sites.sort_values("far").groupby(["ask", "back"])["index"]
    days = by_day.first().to_frame().assign(sites=by_day.size()).reset_index()

    def average(length: int) -> pd.Series:
        return days[days["back"] < length].groupby("ask")["index"].mean()

    per_ask = pd.DataFrame(
        {
            "index": days[days["back"] == 0].set_index("ask")["index"],
            "index_3": average(3),
            "index_7": average(7),
            "index_28": average(28),
            "sites": days[days["back"] < 3].groupby("ask")["sites"].max(),
        }
    ).reindex(rows["ask"])
    newest = heads["newest"].to_numpy()[rows["ask"]]
    back = (newest - rows["target"] + 7 * KEY) % 7
    for name, shift in (("weekday_1", 0), ("weekday_2", 7)):
        there = rows[["ask"]].assign(back=back + shift)
        per_ask[name] = there.merge(days, on=["ask", "back"], how="left")["index"].to_numpy()
    age = (rows["ask_day"] - newest).to_numpy()
    sites_live = np.where(age <= 35, per_ask["sites"].fillna(0), np.nan)
    names = ["index", "index_3", "index_7", "index_28", "weekday_1", "weekday_2"]
    return columns("mobility", {**per_ask[names], "sites": sites_live, "age": age})
