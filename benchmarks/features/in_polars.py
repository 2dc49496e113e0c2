"""The same sixty columns in Polars: as-of joins, wide lags, lists and group-bys.

Everything known of a day is fetched with ``join_asof`` on the instant from which a row could be
read, which is what makes gaps, late rows and corrections right. Asks are sorted by origin, so that
each join finds its left side in order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from benchmarks.features.world import DAY, HORIZONS, Table

KEY = 100_000  # days fit below it: one integer names a series and a day


def prepare(world: dict[str, Table], origins: np.ndarray) -> Callable[[], tuple[list[str], pl.DataFrame]]:
    """One frame per source; what is timed is the call of the answer."""
    tables = {
        name: pl.DataFrame(world[name])
        for name in ("influx", "mobility", "weather", "weather_forecast", "events")
    }
    zones = pl.DataFrame(world["zones"]).with_row_index("zone").cast({"zone": pl.Int64})
    first = int(world["span"]["first"][0])
    lines = world["calendar"]["lines"]
    calendar = pl.DataFrame(
        {
            "calendar": np.repeat(np.arange(lines.shape[1]), lines.shape[2]),
            "target": np.tile(first + np.arange(lines.shape[2]), lines.shape[1]),
            **dict(zip(world["calendar"]["names"].tolist(), lines.reshape(len(lines), -1), strict=True)),
        }
    )
    special, analogue = world["likeness"]["special"], world["likeness"]["analogue"]
    likeness = pl.DataFrame(
        {
            "likeness": np.repeat(np.arange(len(special)), special.shape[1]),
            "day": np.tile(first + np.arange(special.shape[1]), len(special)),
            "special": special.ravel(),
            "like": analogue.ravel().astype(np.int64),
        }
    )

    def answer() -> tuple[list[str], pl.DataFrame]:
        asks = pl.DataFrame({"origin": origins}).join(zones, how="cross").with_row_index("ask")
        asks = asks.with_columns(
            pl.col("ask").cast(pl.Int64),
            # Origins are at six in the morning: their UTC day is the local one.
            ask_day=pl.col("origin") // DAY,
        )
        steps = pl.DataFrame({"horizon": np.arange(HORIZONS)})
        rows = asks.join(steps, how="cross").with_columns(target=pl.col("ask_day") + pl.col("horizon"))
        found = pl.concat(
            [
                calendar_columns(rows, calendar),
                event_columns(rows, asks, tables["events"]),
                history_columns(rows, asks, tables["influx"], zones, likeness),
                mobility_columns(rows, asks, tables["mobility"]),
                weather_columns(rows, asks, tables["weather"], tables["weather_forecast"]),
            ],
            how="horizontal",
        )
        return found.columns, found

    return answer


def keyed(table: pl.DataFrame) -> pl.LazyFrame:
    """Rows in the order they became readable, with one key for their series and day."""
    series = pl.col("zone").cast(pl.Int64) * 2 + pl.col("site")
    return table.lazy().with_columns(key=series * KEY + pl.col("day")).sort("at")


def known(
    need: pl.LazyFrame, table: pl.LazyFrame, day: pl.Expr, names: dict[str, str], site: str | None = None
) -> pl.LazyFrame:
    """Add columns of the rows of these days that were the latest readable at the origin."""
    series = pl.col("zone") * 2 + (pl.col(site) if site else 0)
    return need.with_columns(key=series * KEY + day).join_asof(
        table.select("key", "at", *(pl.col(old).alias(new) for old, new in names.items())),
        left_on="origin",
        right_on="at",
        by="key",
        check_sortedness=False,
        coalesce=True,
    ).drop("key", "at", strict=False)


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
    return pl.when(base > 0).then(value / base)


def columns(source: str, **expressions: pl.Expr) -> list[pl.Expr]:
    return [e.cast(pl.Float32).alias(f"{source}_{name}") for name, e in expressions.items()]


def calendar_columns(rows: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    lines = [name for name in calendar.columns if name not in ("calendar", "target")]
    return (
        rows.lazy()
        .select("calendar", "target", "horizon", "ask_day")
        .with_columns(pl.col("calendar").cast(pl.Int64))
        .join(calendar.lazy(), on=["calendar", "target"], how="left", maintain_order="left")
        .select(
            *columns("calendar", **{name: pl.col(name) for name in lines}),
            *columns(
                "calendar",
                horizon_days=pl.col("horizon"),
                origin_weekday=(pl.col("ask_day") + 3) % 7,
            ),
        )
        .collect()
    )


def event_columns(rows: pl.DataFrame, asks: pl.DataFrame, events: pl.DataFrame) -> pl.DataFrame:
    around = pl.LazyFrame({"offset": np.arange(-1, HORIZONS + 1)})
    versions = (
        events.lazy()
        .sort("zone", "site", "day", "at")
        .with_columns(until=pl.col("at").shift(-1).over("zone", "site", "day"))
        .cast({"zone": pl.Int64, "day": pl.Int64})
    )
    announced = (
        asks.lazy()
        .join(around, how="cross")
        .with_columns(day=pl.col("ask_day") + pl.col("offset"))
        .join(versions, on=["zone", "day"])
        .filter(pl.col("at") <= pl.col("origin"))
        .filter(pl.col("until").is_null() | (pl.col("until") > pl.col("origin")))
        .group_by("ask", "offset")
        .agg(people=pl.col("value").sum())
    )
    found = rows.lazy().select("ask", "horizon", "population")
    for name, shift in (("attendance", 0), ("before", -1), ("after", 1)):
        found = found.join(
            announced.select("ask", horizon=pl.col("offset") - shift, **{name: pl.col("people")}),
            on=["ask", "horizon"],
            how="left",
            maintain_order="left",
        )
    size = pl.col("population")
    return found.select(
        columns(
            "events",
            **{n: pl.col(n).fill_null(0) / size for n in ("attendance", "before", "after")},
        )
    ).collect()


def lags(frame: pl.LazyFrame, table: pl.LazyFrame, last: pl.Expr, name: str) -> pl.LazyFrame:
    """Values of the twelve same weekdays at or before ``last``, and whether they were special."""
    for j in range(12):
        names = {"value": f"{name}{j}", "special": f"special{j}"}
        frame = known(frame, table, last - 7 * j, names)
    return frame


def level(name: str) -> pl.Expr:
    """Mean of the latest six ordinary days; of all where there are fewer than two."""
    days = [pl.col(f"{name}{j}") for j in range(12)]
    ordinary = pl.concat_list(
        [pl.when(~pl.col(f"special{j}")).then(day) for j, day in enumerate(days)]
    ).list.drop_nulls()
    few = ordinary.list.len() < 2
    return pl.when(few).then(pl.mean_horizontal(days)).otherwise(ordinary.list.head(6).list.mean())


def sum_and_count(name: str, weeks: int) -> tuple[pl.Expr, pl.Expr]:
    days = [pl.col(f"{name}{j}") for j in range(weeks)]
    return pl.sum_horizontal(days).sum(), pl.sum_horizontal(day.is_not_null() for day in days).sum()


def mean_over(name: str, weeks: int) -> pl.Expr:
    total, count = sum_and_count(name, weeks)
    return pl.when(count > 0).then(total / count)


def history_columns(
    rows: pl.DataFrame,
    asks: pl.DataFrame,
    influx: pl.DataFrame,
    zones: pl.DataFrame,
    likeness: pl.DataFrame,
) -> pl.DataFrame:
    kinds = zones.select("zone", pl.col("likeness").cast(pl.Int64))
    table = keyed(
        influx.cast({"zone": pl.Int64, "day": pl.Int64})
        .join(kinds, on="zone")
        .join(likeness.select("likeness", "day", "special"), on=["likeness", "day"])
    ).collect()
    table = table.lazy()
    heads = newest_day(asks, table)
    weekdays = heads.lazy().join(pl.LazyFrame({"back": np.arange(7)}), how="cross")
    last = pl.col("newest") - pl.col("back")

    now = lags(weekdays, table, last, "now").with_columns(level=level("now"))
    now = now.select(pl.exclude("^special.*$")).collect()
    then = lags(weekdays, table, last - 364, "then").with_columns(then=level("then"))
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
            spread=pl.when(count > 1).then(
                (squares / count - (total / count) ** 2).clip(0).sqrt()
            ),
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
    feasts = lags(feasts, table, pl.col("like") - shift, "like").with_columns(remove=level("like"))

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


def site_indices(asks: pl.DataFrame, mobility: pl.DataFrame) -> pl.DataFrame:
    """Index of each ask, site and day ``back`` from the newest, over the last 28 days."""
    table = keyed(mobility)
    sensors = mobility.lazy().select(pl.col("zone", "site").cast(pl.Int64)).unique().sort("zone", "site")
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
    weeks = []
    for j in range(4):
        value = pl.col(f"v{j}")
        normal = pl.concat_list([pl.col(f"v{j + k}") for k in range(1, 9)]).list.drop_nulls()
        stuck = (value == before[j, 1]) & (value == before[j, 2])
        sound = (normal.list.len() >= 3) & (value != 0) & ~stuck.fill_null(False)
        index = pl.when(sound).then(ratio(value, normal.list.median()))
        weeks.append(index.alias(str(j)))
    return (
        frame.select("ask", "newest", "ask_day", "back", *weeks)
        .unpivot([str(j) for j in range(4)], index=["ask", "newest", "ask_day", "back"])
        .with_columns(pl.col("back") + 7 * pl.col("variable").cast(pl.Int64))
        .collect()
    )


def mobility_columns(rows: pl.DataFrame, asks: pl.DataFrame, mobility: pl.DataFrame) -> pl.DataFrame:
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


def weather_columns(
    rows: pl.DataFrame, asks: pl.DataFrame, observed: pl.DataFrame, forecast: pl.DataFrame
) -> pl.DataFrame:
    issues = keyed(forecast).with_columns(issued=pl.col("at"))
    ahead = rows.lazy().select("ask", "zone", "origin", "target")
    ahead = known(ahead, issues, pl.col("target"), {"value": "at_target", "issued": "issued"})
    ahead = known(ahead, issues, pl.col("target") - 1, {"value": "before"})
    ahead = known(ahead, issues, pl.col("target") + 1, {"value": "after"})

    table = keyed(observed)
    past = (
        newest_day(asks, table)
        .lazy()
        .filter(pl.col("ask_day") - pl.col("newest") <= 35)
        .join(pl.LazyFrame({"back": np.arange(28)}), how="cross")
    )
    past = known(past, table, pl.col("newest") - pl.col("back"), {"value": "value"})
    means = past.group_by("ask").agg(
        mean_7=pl.col("value").filter(pl.col("back") < 7).mean(), mean_28=pl.col("value").mean()
    )
    name = "temperature_max"
    return (
        ahead.join(means, on="ask", how="left", maintain_order="left")
        .select(
            columns(
                "weather",
                **{
                    name: pl.col("at_target"),
                    f"{name}_before": pl.col("before"),
                    f"{name}_after": pl.col("after"),
                    "issue_age": (pl.col("origin") - pl.col("issued")) / DAY,
                    f"{name}_7": pl.col("mean_7"),
                    f"{name}_28": pl.col("mean_28"),
                    "warmer": pl.col("at_target") - pl.col("mean_28"),
                },
            )
        )
        .collect()
    )
