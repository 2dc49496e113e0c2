"""What the Polars columns share: what was known of a day at an origin."""

from __future__ import annotations

import polars as pl

KEY = 100_000
"""Days fit below it: one integer names a series and a day."""


def keyed(table: pl.DataFrame) -> pl.LazyFrame:
    """Rows in the order they became readable, with one key for their series and day."""
    series = pl.col("zone").cast(pl.Int64) * 2 + pl.col("site")
    return table.lazy().with_columns(key=series * KEY + pl.col("day")).sort("at").collect().lazy()


def known(
    need: pl.LazyFrame,
    table: pl.LazyFrame,
    day: pl.Expr,
    names: dict[str, str],
    site: str | None = None,
) -> pl.LazyFrame:
    """Add columns of the rows of these days that were the latest readable at the origin."""
    series = pl.col("zone") * 2 + (pl.col(site) if site else 0)
    return (
        need.with_columns(key=series * KEY + day)
        .join_asof(
            table.select("key", "at", *(pl.col(old).alias(new) for old, new in names.items())),
            left_on="origin",
            right_on="at",
            by="key",
            check_sortedness=False,
            coalesce=True,
        )
        .drop("key", "at", strict=False)
    )


def newest_day(asks: pl.DataFrame, table: pl.LazyFrame) -> pl.DataFrame:
    """Newest known day of each ask's zone."""
    newest = table.select("zone", "at", newest=pl.col("day").cum_max().over("zone").cast(pl.Int64))
    return (
        asks.lazy()
        .join_asof(
            newest.with_columns(pl.col("zone").cast(pl.Int64)),
            left_on="origin",
            right_on="at",
            by="zone",
            check_sortedness=False,
        )
        .select("ask", "zone", "origin", "ask_day", "newest")
        .collect()
    )


def ratio(value: pl.Expr, base: pl.Expr) -> pl.Expr:
    """The quotient, null where the base says nothing."""
    return pl.when(base > 0).then(value / base)


def columns(source: str, **expressions: pl.Expr) -> list[pl.Expr]:
    """Float32 columns named by their source."""
    return [e.cast(pl.Float32).alias(f"{source}_{name}") for name, e in expressions.items()]
