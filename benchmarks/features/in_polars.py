"""The same columns in Polars: as-of joins, wide lags, lists and group-bys.

Everything known of a day is fetched with ``join_asof`` on the instant from which a row could be
read, which is what makes gaps, late rows and corrections right. Asks are sorted by origin, so that
each join finds its left side in order.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import polars as pl

from benchmarks.features.polars_asof import columns, keyed, known, newest_day
from benchmarks.features.polars_history import history_columns
from benchmarks.features.polars_mobility import mobility_columns
from benchmarks.features.world import DAY, HORIZONS, Table


def prepare(world: dict[str, Table], origins: np.ndarray) -> Callable[[], pl.DataFrame]:
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
            **dict(
                zip(world["calendar"]["names"].tolist(), lines.reshape(len(lines), -1), strict=True)
            ),
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

    def answer() -> pl.DataFrame:
        asks = pl.DataFrame({"origin": origins}).join(zones, how="cross").with_row_index("ask")
        asks = asks.with_columns(
            pl.col("ask").cast(pl.Int64),
            # Origins are at six in the morning: their UTC day is the local one.
            ask_day=pl.col("origin") // DAY,
        )
        steps = pl.DataFrame({"horizon": np.arange(HORIZONS)})
        rows = asks.join(steps, how="cross").with_columns(
            target=pl.col("ask_day") + pl.col("horizon")
        )
        return pl.concat(
            [
                calendar_columns(rows, calendar),
                event_columns(rows, asks, tables["events"]),
                history_columns(rows, asks, tables["influx"], zones, likeness),
                mobility_columns(rows, asks, tables["mobility"]),
                weather_columns(rows, asks, tables["weather"], tables["weather_forecast"]),
            ],
            how="horizontal",
        )

    return answer


def calendar_columns(rows: pl.DataFrame, calendar: pl.DataFrame) -> pl.DataFrame:
    """A join on the zone's calendar and the day."""
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
    """Events announced by the origin, as last announced, summed by day."""
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


def weather_columns(
    rows: pl.DataFrame, asks: pl.DataFrame, observed: pl.DataFrame, forecast: pl.DataFrame
) -> pl.DataFrame:
    """The forecast readable at the origin, and the means of what was observed before it."""
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
