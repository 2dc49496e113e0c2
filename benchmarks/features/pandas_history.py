"""Columns of influx in pandas."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pandas as pd

from benchmarks.features.pandas_asof import KEY, columns, keyed, known, newest_day, ratio
from benchmarks.features.world import HORIZONS

Doubles = npt.NDArray[np.float64]


def lags(
    frame: pd.DataFrame, table: pd.DataFrame, last: pd.Series
) -> tuple[Doubles, npt.NDArray[np.bool_]]:
    """Values of the twelve same weekdays at or before ``last``, and whether they were special."""
    days = [known(frame, table, last - 7 * j, ["value", "special"]) for j in range(12)]
    values = np.column_stack([day["value"] for day in days])
    special = np.column_stack([day["special"] == 1 for day in days])
    return values, special


def level(values: Doubles, special: npt.NDArray[np.bool_]) -> Doubles:
    """Mean of the latest six ordinary days; of all where there are fewer than two."""
    ordinary = ~np.isnan(values) & ~special
    ordinary &= np.cumsum(ordinary, axis=1) <= 6
    taken = ordinary.sum(axis=1)
    of_ordinary = np.where(ordinary, values, 0).sum(axis=1) / np.maximum(taken, 1)
    return np.where(taken >= 2, of_ordinary, mean(values))


def mean(values: Doubles) -> Doubles:
    """Mean of the finite values of each row, NaN if there is none."""
    count = (~np.isnan(values)).sum(axis=1)
    return np.nansum(values, axis=1) / np.where(count > 0, count, np.nan)


def history_columns(
    rows: pd.DataFrame,
    asks: pd.DataFrame,
    influx: pd.DataFrame,
    zones: pd.DataFrame,
    likeness: pd.DataFrame,
) -> pd.DataFrame:
    """Levels and lags by ask and weekday, the year before by question."""
    table = influx.merge(zones[["zone", "likeness"]], on="zone").merge(
        likeness[["likeness", "day", "special"]], on=["likeness", "day"]
    )
    table = keyed(table.astype({"special": np.int8}))
    heads = newest_day(asks, table)
    weekdays = heads.merge(pd.DataFrame({"back": np.arange(7)}), how="cross")
    last = weekdays["newest"] - weekdays["back"]
    now, now_special = lags(weekdays, table, last)
    then, then_special = lags(weekdays, table, last - 364)
    level_now, level_then = level(now, now_special), level(then, then_special)

    # Seven rows an ask, newest day first: the weeks of an ask side by side.
    def weeks(values: Doubles, count: int) -> Doubles:
        return values[:, :count].reshape(len(heads), 7 * count)

    over = ratio(now[:, :4], np.repeat(level_now[:, None], 4, axis=1))
    overall, then_28 = mean(weeks(now, 8)), mean(weeks(then, 4))
    month = weeks(over, 4)
    enough = (~np.isnan(month)).sum(axis=1) > 1
    spread = np.sqrt(np.maximum(mean(month**2) - mean(month) ** 2, 0))
    trend = ratio(mean(weeks(now, 4)), then_28)

    window = pd.DataFrame({"horizon": np.arange(-4, HORIZONS + 4)})
    year = heads.merge(window, how="cross")
    year["value"] = known(year, table, year["ask_day"] + year["horizon"] - 364, ["value"])["value"]
    year["week"] = year["value"].rolling(7, center=True, min_periods=1).mean()
    year["nine"] = year["value"].rolling(9, center=True, min_periods=1).mean()
    year = year[year["horizon"].between(0, HORIZONS - 1)].reset_index(drop=True)

    ask = rows["ask"].to_numpy()
    questions = rows[["ask", "zone", "origin", "target", "likeness"]].merge(
        likeness.rename(columns={"day": "target"})[["likeness", "target", "like"]],
        on=["likeness", "target"],
        how="left",
    )
    questions["newest"] = heads["newest"].to_numpy()[ask]
    back = (questions["newest"] - questions["target"] + 7 * KEY) % 7
    weekday = np.where(back.isna(), 0, 7 * ask + back.fillna(0)).astype(np.int64)
    nothing = back.isna().to_numpy()

    def of_weekday(values: Doubles) -> Doubles:
        return np.where(nothing, np.nan, values[weekday])

    plain = ratio(year["value"], of_weekday(level_then))
    feast = questions["like"] != questions["target"] - 364
    feasts = questions[feast]
    shift = feasts["target"] - (feasts["newest"] - back[feast])
    analogue = plain.copy()
    analogue[feast] = ratio(
        known(feasts, table, feasts["like"], ["value"])["value"],
        level(*lags(feasts, table, feasts["like"] - shift)),
    )
    level_row, overall_row = of_weekday(level_now), overall[ask]
    low = np.isnan(level_row) | (level_row < 0.1 * overall_row)
    base = np.where(low, 0.1 * overall_row, level_row)
    return columns(
        "history",
        {
            "level": base,
            "mean_56": overall_row,
            **{f"weekday_{j + 1}": ratio(of_weekday(now[:, j]), base) for j in range(4)},
            "weekday_shape": ratio(overall_row, base),
            "latest": over[::7, 0][ask],
            "anomaly_7": mean(weeks(over, 1))[ask],
            "spread_28": np.where(enough, spread, np.nan)[ask],
            "trend": trend[ask],
            "year_ago": plain,
            "analogue": analogue,
            "season_step": ratio(year["week"], then_28[ask]),
            "season_ratio": ratio(year["nine"], overall_row),
            "age": rows["ask_day"] - questions["newest"],
        },
    )
