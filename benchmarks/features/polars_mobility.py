"""Columns of mobility in Polars."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.features.polars_asof import KEY, columns, keyed, known, newest_day, ratio

NETWORK = (
    ((0, 1), (2, 3), (4, 5), (6, 7)),
    ((0, 2), (1, 3), (4, 6), (5, 7)),
    ((1, 2), (5, 6)),
    ((0, 4), (1, 5), (2, 6), (3, 7)),
    ((2, 4), (3, 5)),
    ((1, 2), (3, 4), (5, 6)),
)
"""Batcher's sorting network for eight columns: Polars has no median across columns, and lists made
of columns cost ten times as much."""


def with_median(frame: pl.LazyFrame, names: list[str]) -> pl.LazyFrame:
    """Add the median of eight columns, null where fewer than three have a value."""
    count = pl.sum_horizontal(pl.col(name).is_not_null() for name in names)
    frame = frame.with_columns(
        pl.col(name).fill_null(np.inf).alias(f"s{i}") for i, name in enumerate(names)
    )
    for layer in NETWORK:
        frame = frame.with_columns(
            order([f"s{a}", f"s{b}"]).alias(f"s{to}")
            for a, b in layer
            for to, order in ((a, pl.min_horizontal), (b, pl.max_horizontal))
        )
    median = pl.lit(None, dtype=pl.Float64)
    for n in range(3, 9):
        middle = (pl.col(f"s{(n - 1) // 2}") + pl.col(f"s{n // 2}")) / 2
        median = pl.when(count == n).then(middle).otherwise(median)
    return frame.with_columns(median=median)


def site_indices(asks: pl.DataFrame, mobility: pl.DataFrame) -> pl.DataFrame:
    """Index of each ask, site and day ``back`` from the newest, over the last 28 days."""
    table = keyed(mobility)
    sensors = (
        mobility.lazy().select(pl.col("zone", "site").cast(pl.Int64)).unique().sort("zone", "site")
    )
    frame = (
        newest_day(asks, table)
        .lazy()
        .join(sensors, on="zone", maintain_order="left_right")
        .join(pl.LazyFrame({"back": np.arange(7)}), how="cross")
    )
    for j in range(12):
        day = pl.col("newest") - pl.col("back") - 7 * j
        frame = known(frame, table, day, {"value": f"v{j}"}, site="site")
    # The seven rows of an ask and site follow one another: the day before is the next row, or,
    # after the seventh, the first one a week earlier.
    before = {
        (j, k): pl.when(pl.col("back") < 7 - k)
        .then(pl.col(f"v{j}").shift(-k))
        .otherwise(pl.col(f"v{j + 1}").shift(7 - k))
        for j in range(4)
        for k in (1, 2)
    }
    for j in range(4):
        value = pl.col(f"v{j}")
        stuck = (value == before[j, 1]) & (value == before[j, 2])
        sound = (value != 0) & ~stuck.fill_null(False)
        frame = with_median(frame, [f"v{j + k}" for k in range(1, 9)])
        frame = frame.with_columns(
            pl.when(sound).then(ratio(value, pl.col("median"))).alias(str(j))
        )
    return (
        frame.select("ask", "newest", "ask_day", "back", "0", "1", "2", "3")
        .unpivot([str(j) for j in range(4)], index=["ask", "newest", "ask_day", "back"])
        .with_columns(pl.col("back") + 7 * pl.col("variable").cast(pl.Int64))
        .collect()
    )


def mobility_columns(
    rows: pl.DataFrame, asks: pl.DataFrame, mobility: pl.DataFrame
) -> pl.DataFrame:
    """Robust indices by ask and day, then by question."""
    sites = site_indices(asks, mobility)
    # With one or two sites the middle is the index nearer to one.
    days = (
        sites.lazy()
        .filter(pl.col("value").is_not_null() & (pl.col("ask_day") - pl.col("newest") <= 35))
        .group_by("ask", "back")
        .agg(
            index=pl.col("value").get(pl.col("value").log().abs().arg_min()),
            sites=pl.len(),
        )
        .collect()
    )
    index, back = pl.col("index"), pl.col("back")
    per_ask = days.group_by("ask").agg(
        index=index.filter(back == 0).first(),
        index_3=index.filter(back < 3).mean(),
        index_7=index.filter(back < 7).mean(),
        index_28=index.mean(),
        sites=pl.col("sites").filter(back < 3).max(),
    )
    heads = newest_day(asks, keyed(mobility)).select("ask", "newest")
    found = (
        rows.lazy()
        .select("ask", "ask_day", "target")
        .join(heads.lazy(), on="ask", how="left", maintain_order="left")
        .join(per_ask.lazy(), on="ask", how="left", maintain_order="left")
        .with_columns(back=(pl.col("newest") - pl.col("target") + 7 * KEY) % 7)
    )
    for name, shift in (("weekday_1", 0), ("weekday_2", 7)):
        found = found.join(
            days.lazy().select("ask", back=back - shift, **{name: index}),
            on=["ask", "back"],
            how="left",
            maintain_order="left",
        )
    age = pl.col("ask_day") - pl.col("newest")
    names = ("index", "index_3", "index_7", "index_28", "weekday_1", "weekday_2")
    return found.select(
        columns(
            "mobility",
            **{name: pl.col(name) for name in names},
            sites=pl.when(age <= 35).then(pl.col("sites").fill_null(0)),
            age=age,
        )
    ).collect()
