"""Columns of influx in Polars."""

from __future__ import annotations

import numpy as np
import polars as pl

from benchmarks.features.polars_asof import KEY, columns, keyed, known, newest_day, ratio
from benchmarks.features.world import HORIZONS


def lags(frame: pl.LazyFrame, table: pl.LazyFrame, last: pl.Expr, name: str) -> pl.LazyFrame:
    """Values of the twelve same weekdays at or before ``last``, and whether they were special."""
    for j in range(12):
        names = {"value": f"{name}{j}", "special": f"special{j}"}
        frame = known(frame, table, last - 7 * j, names)
    return frame


def with_level(frame: pl.LazyFrame, name: str, level: str) -> pl.LazyFrame:
    """Add the mean of the latest six ordinary days; of all where there are fewer than two.

    Column by column: lists made of columns cost ten times as much.
    """
    days = [pl.col(f"{name}{j}") for j in range(12)]
    frame = frame.with_columns(total=0.0, taken=0)
    for j, day in enumerate(days):
        ordinary = day.is_not_null() & ~pl.col(f"special{j}") & (pl.col("taken") < 6)
        frame = frame.with_columns(
            total=pl.when(ordinary).then(pl.col("total") + day).otherwise("total"),
            taken=pl.col("taken") + ordinary.fill_null(False),
        )
    ordinary_mean = pl.col("total") / pl.col("taken")
    found = pl.when(pl.col("taken") >= 2).then(ordinary_mean).otherwise(pl.mean_horizontal(days))
    return frame.with_columns(found.alias(level))


def sum_and_count(name: str, weeks: int) -> tuple[pl.Expr, pl.Expr]:
    """Sum and number of the values of the first weeks, within a group of weekdays."""
    days = [pl.col(f"{name}{j}") for j in range(weeks)]
    return pl.sum_horizontal(days).sum(), pl.sum_horizontal(day.is_not_null() for day in days).sum()


def mean_over(name: str, weeks: int) -> pl.Expr:
    """Mean of the values of the first weeks, null if there is none."""
    total, count = sum_and_count(name, weeks)
    return pl.when(count > 0).then(total / count)


def history_columns(
    rows: pl.DataFrame,
    asks: pl.DataFrame,
    influx: pl.DataFrame,
    zones: pl.DataFrame,
    likeness: pl.DataFrame,
) -> pl.DataFrame:
    """Levels and lags by ask and weekday, the year before by question."""
    kinds = zones.select("zone", pl.col("likeness").cast(pl.Int64))
    table = keyed(
        influx.cast({"zone": pl.Int64, "day": pl.Int64})
        .join(kinds, on="zone")
        .join(likeness.select("likeness", "day", "special"), on=["likeness", "day"])
    )
    heads = newest_day(asks, table)
    weekdays = heads.lazy().join(pl.LazyFrame({"back": np.arange(7)}), how="cross")
    last = pl.col("newest") - pl.col("back")

    now = with_level(lags(weekdays, table, last, "now"), "now", "level")
    now = now.select(pl.exclude("^special.*$")).collect()
    then = with_level(lags(weekdays, table, last - 364, "then"), "then", "then")
    then = then.select(pl.exclude("^special.*$")).collect()

    over = [ratio(pl.col(f"now{j}"), pl.col("level")) for j in range(4)]
    squares = pl.sum_horizontal(r**2 for r in over).sum()
    total = pl.sum_horizontal(over).sum()
    count = pl.sum_horizontal(r.is_not_null() for r in over).sum()
    per_ask = (
        now.group_by("ask", maintain_order=True)
        .agg(
            overall=mean_over("now", 8),
            mean_28=mean_over("now", 4),
            latest=over[0].filter(pl.col("back") == 0).first(),
            anomaly=over[0].mean(),
            spread=pl.when(count > 1).then((squares / count - (total / count) ** 2).clip(0).sqrt()),
        )
        .join(
            then.group_by("ask").agg(then_28=mean_over("then", 4)), on="ask", maintain_order="left"
        )
    )

    window = pl.LazyFrame({"horizon": np.arange(-4, HORIZONS + 4)})
    year_ago = (
        known(
            heads.lazy().join(window, how="cross"),
            table,
            pl.col("ask_day") + pl.col("horizon") - 364,
            {"value": "year_ago"},
        )
        .with_columns(
            week=pl.col("year_ago").rolling_mean(7, center=True, min_samples=1),
            nine=pl.col("year_ago").rolling_mean(9, center=True, min_samples=1),
        )
        .filter(pl.col("horizon").is_between(0, HORIZONS - 1))
        .select("ask", "horizon", "year_ago", "week", "nine")
    )

    like = likeness.lazy().rename({"day": "target"}).select("likeness", "target", "like")
    questions = (
        rows.lazy()
        .select("ask", "zone", "origin", "ask_day", "horizon", "target", "likeness")
        .with_columns(pl.col("likeness").cast(pl.Int64))
        .join(like, on=["likeness", "target"], how="left", maintain_order="left")
        .join(heads.lazy().select("ask", "newest"), on="ask", how="left", maintain_order="left")
        .with_columns(back=(pl.col("newest") - pl.col("target") + 7 * KEY) % 7)
        .collect()
    )
    feasts = questions.lazy().filter(pl.col("like") != pl.col("target") - 364)
    shift = pl.col("target") - (pl.col("newest") - pl.col("back"))
    feasts = known(feasts, table, pl.col("like"), {"value": "at_like"})
    feasts = with_level(lags(feasts, table, pl.col("like") - shift, "like"), "like", "remove")

    overall, of_weekday = pl.col("overall"), pl.col("level")
    floor = 0.1 * overall
    base = pl.when(of_weekday.is_null() | (of_weekday < floor)).then(floor).otherwise(of_weekday)
    plain = ratio(pl.col("year_ago"), pl.col("then"))
    return (
        questions.lazy()
        .join(per_ask.lazy(), on="ask", how="left", maintain_order="left")
        .join(
            now.lazy().select("ask", "back", "now0", "now1", "now2", "now3", "level"),
            on=["ask", "back"],
            how="left",
            maintain_order="left",
        )
        .join(
            then.lazy().select("ask", "back", "then"),
            on=["ask", "back"],
            how="left",
            maintain_order="left",
        )
        .join(year_ago, on=["ask", "horizon"], how="left", maintain_order="left")
        .join(
            feasts.select("ask", "horizon", "at_like", "remove"),
            on=["ask", "horizon"],
            how="left",
            maintain_order="left",
        )
        .with_columns(base=base)
        .select(
            columns(
                "history",
                level=pl.col("base"),
                mean_56=overall,
                **{f"weekday_{j + 1}": ratio(pl.col(f"now{j}"), pl.col("base")) for j in range(4)},
                weekday_shape=ratio(overall, pl.col("base")),
                latest=pl.col("latest"),
                anomaly_7=pl.col("anomaly"),
                spread_28=pl.col("spread"),
                trend=ratio(pl.col("mean_28"), pl.col("then_28")),
                year_ago=plain,
                analogue=pl.when(pl.col("like") == pl.col("target") - 364)
                .then(plain)
                .otherwise(ratio(pl.col("at_like"), pl.col("remove"))),
                season_step=ratio(pl.col("week"), pl.col("then_28")),
                season_ratio=ratio(pl.col("nine"), overall),
                age=pl.col("ask_day") - pl.col("newest"),
            )
        )
        .collect()
    )
