"""The same columns in pandas: as-of merges, wide lags, group-bys and merges.

Everything known of a day is fetched with ``merge_asof`` on the instant from which a row could be
read. Asks are numbered in the order of their origins, which is the order that merge wants.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd

from benchmarks.features.pandas_asof import columns, keyed, known, newest_day
from benchmarks.features.pandas_history import history_columns
from benchmarks.features.pandas_mobility import mobility_columns
from benchmarks.features.world import DAY, HORIZONS, Table


def prepare(world: dict[str, Table], origins: np.ndarray) -> Callable[[], pd.DataFrame]:
    """One frame per source; what is timed is the call of the answer."""
    tables = {
        name: pd.DataFrame(world[name])
        for name in ("influx", "mobility", "weather", "weather_forecast", "events")
    }
    zones = pd.DataFrame(world["zones"]).rename_axis("zone").reset_index()
    first, lines = int(world["span"]["first"][0]), world["calendar"]["lines"]
    calendar = pd.DataFrame(
        lines.reshape(len(lines), -1).T, columns=world["calendar"]["names"].tolist()
    ).assign(
        calendar=np.repeat(np.arange(lines.shape[1]), lines.shape[2]),
        target=np.tile(first + np.arange(lines.shape[2]), lines.shape[1]),
    )
    special = world["likeness"]["special"]
    likeness = pd.DataFrame(
        {
            "likeness": np.repeat(np.arange(len(special)), special.shape[1]),
            "day": np.tile(first + np.arange(special.shape[1]), len(special)),
            "special": special.ravel(),
            "like": world["likeness"]["analogue"].ravel().astype(np.int64),
        }
    )

    def answer() -> pd.DataFrame:
        asks = pd.DataFrame({"origin": origins}).merge(zones, how="cross")
        # Origins are at six in the morning: their UTC day is the local one.
        asks = asks.rename_axis("ask").reset_index().assign(ask_day=asks["origin"] // DAY)
        rows = asks.loc[asks.index.repeat(HORIZONS)].reset_index(drop=True)
        rows["horizon"] = np.tile(np.arange(HORIZONS), len(asks))
        rows["target"] = rows["ask_day"] + rows["horizon"]
        return pd.concat(
            [
                calendar_columns(rows, calendar),
                event_columns(rows, asks, tables["events"]),
                history_columns(rows, asks, tables["influx"], zones, likeness),
                mobility_columns(rows, asks, tables["mobility"]),
                weather_columns(rows, asks, tables["weather"], tables["weather_forecast"]),
            ],
            axis=1,
        )

    return answer


def calendar_columns(rows: pd.DataFrame, calendar: pd.DataFrame) -> pd.DataFrame:
    """A merge on the zone's calendar and the day."""
    found = rows[["calendar", "target"]].merge(calendar, on=["calendar", "target"], how="left")
    lines = found.drop(columns=["calendar", "target"])
    origin = {"horizon_days": rows["horizon"], "origin_weekday": (rows["ask_day"] + 3) % 7}
    return columns("calendar", {**lines, **origin})


def event_columns(rows: pd.DataFrame, asks: pd.DataFrame, events: pd.DataFrame) -> pd.DataFrame:
    """Events announced by the origin, as last announced, summed by day."""
    versions = events.sort_values(["zone", "site", "day", "at"])
    until = versions.groupby(["zone", "site", "day"])["at"].shift(-1)
    versions["until"] = until.fillna(np.inf)
    days = asks[["ask", "zone", "origin", "ask_day"]].merge(
        pd.DataFrame({"offset": np.arange(-1, HORIZONS + 1)}), how="cross"
    )
    days["day"] = days["ask_day"] + days["offset"]
    announced = days.merge(versions, on=["zone", "day"])
    valid = (announced["at"] <= announced["origin"]) & (announced["origin"] < announced["until"])
    people = announced[valid].groupby(["ask", "offset"])["value"].sum().rename("people")
    found = {}
    for name, shift in (("attendance", 0), ("before", -1), ("after", 1)):
        around = rows[["ask"]].assign(offset=rows["horizon"] + shift)
        there = around.merge(people, on=["ask", "offset"], how="left")["people"].fillna(0)
        found[name] = there / rows["population"]
    return columns("events", found)


def weather_columns(
    rows: pd.DataFrame, asks: pd.DataFrame, observed: pd.DataFrame, forecast: pd.DataFrame
) -> pd.DataFrame:
    """The forecast readable at the origin, and the means of what was observed before it."""
    issues = keyed(forecast)
    issues["issued"] = issues["at"].astype(np.float64)
    target = known(rows, issues, rows["target"], ["value", "issued"])
    table = keyed(observed)
    heads = newest_day(asks, table)
    heads = heads[heads["ask_day"] - heads["newest"] <= 35]
    past = heads.merge(pd.DataFrame({"back": np.arange(28)}), how="cross")
    past["value"] = known(past, table, past["newest"] - past["back"], ["value"])["value"]
    month = past.groupby("ask")["value"].mean().reindex(rows["ask"]).to_numpy()
    week = past[past["back"] < 7].groupby("ask")["value"].mean().reindex(rows["ask"]).to_numpy()
    name = "temperature_max"
    return columns(
        "weather",
        {
            name: target["value"],
            f"{name}_before": known(rows, issues, rows["target"] - 1, ["value"])["value"],
            f"{name}_after": known(rows, issues, rows["target"] + 1, ["value"])["value"],
            "issue_age": (rows["origin"] - target["issued"]) / DAY,
            f"{name}_7": week,
            f"{name}_28": month,
            "warmer": target["value"] - month,
        },
    )
