"""The pictures a data scientist opens first, as PNG files for the run.

Matplotlib is imported when a picture is drawn: importing it may write a cache of fonts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from forecast.config import RunConfig
from forecast.model import InfluxModel
from forecast.tables import quantile_name
from forecast.training.backtest import Backtest
from forecast.training.verification import Verification

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MAX_FANS = 16
_BLUE, _GREY = "#1f5fa8", "#555555"
_LEVEL_COLOURS = {"orange": "#d9730d", "rouge": "#c02020", "noir": "#111111"}


def draw(
    found: Backtest,
    scores: pd.DataFrame,
    levels: Verification,
    config: RunConfig,
    folder: Path,
) -> dict[str, Path]:
    """Draw a fan chart by zone, error by horizon, coverage, and what the levels were worth.

    Returns the files by name; a territory of many zones gets the fan charts of its largest.
    """
    note = _note(found)
    largest = found.rows.groupby("zone_id", observed=True)["influx"].sum().nlargest(_MAX_FANS)
    names = {zone.id: zone.name for zone in config.zones}
    figures = {
        f"fan_{zone}": _fan(found, str(zone), names[str(zone)], note) for zone in largest.index
    }
    figures["error_by_horizon"] = _error_by_horizon(found, note)
    figures["coverage"] = _coverage(scores, names, note)
    figures["levels_reliability"] = _reliability(levels, note)
    figures["levels_alarms"] = _alarms(levels, note)
    return _write(figures, folder)


def draw_importance(found: Backtest, model: InfluxModel, folder: Path) -> dict[str, Path]:
    """Draw where the median booster of a model found its gain."""
    return _write({"importance_by_domain": _importance(model, _note(found))}, folder)


def _write(figures: Mapping[str, Figure], folder: Path) -> dict[str, Path]:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    folder.mkdir(parents=True, exist_ok=True)
    files = {}
    for name, figure in figures.items():
        files[name] = folder / f"{name}.png"
        FigureCanvasAgg(figure)
        figure.savefig(files[name], dpi=110, bbox_inches="tight")
    return files


def _note(found: Backtest) -> str:
    marks = ["simulated data"] if found.simulated else []
    marks += ["observed weather stands in for forecasts"] if found.perfect_weather else []
    return f" ({', '.join(marks)})" if marks else ""


def _figure(title: str, width: float = 10, height: float = 4) -> Figure:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height))
    axes = figure.subplots()
    axes.set_title(title, loc="left", fontsize=11)
    axes.spines[["top", "right"]].set_visible(False)
    return figure


def _fan(found: Backtest, zone: str, name: str, note: str) -> Figure:
    """Each day of the year once, forecast 3 to 9 days ahead (weekly origins give each day one)."""
    rows = found.rows[(found.rows["zone_id"] == zone) & found.rows["horizon_days"].between(3, 9)]
    rows = rows.sort_values("target_date")
    figure = _figure(f"{name}: forecast 3 to 9 days ahead, and what came true{note}", 14)
    axes, day = figure.axes[0], rows["target_date"]
    levels = found.quantiles
    for low in [q for q in levels if q < 0.5]:
        high = round(1 - low, 9)
        if high in levels:
            axes.fill_between(
                day,
                rows[quantile_name(low)],
                rows[quantile_name(high)],
                color=_BLUE,
                alpha=0.22,
                linewidth=0,
                label=f"{100 * (high - low):.0f} % interval",
            )
    axes.plot(day, rows[quantile_name(0.5)], color=_BLUE, linewidth=1.2, label="median")
    axes.plot(day, rows["influx"], ".", color="black", markersize=3, label="observed")
    axes.set_ylabel("influx [visitors day⁻¹]")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, ncols=4, loc="upper left", fontsize=9)
    return figure


def _error_by_horizon(found: Backtest, note: str) -> Figure:
    figure = _figure(f"Error by horizon{note}", 7)
    axes, rows = figure.axes[0], found.rows
    total = rows.groupby("horizon_days")["influx"].sum()
    for name, column, style in (
        ("Afflux", quantile_name(0.5), {"color": _BLUE, "linewidth": 2}),
        ("lag 7", "lag7", {"color": _GREY, "linestyle": ":"}),
        ("lag 364", "lag364", {"color": _GREY, "linestyle": "--"}),
        ("mean of 4 same weekdays", "mean4", {"color": _GREY, "linestyle": "-."}),
        ("analogue day", "analogue", {"color": _GREY, "linestyle": (0, (1, 4))}),
        ("calendar ridge", "ridge", {"color": _LEVEL_COLOURS["orange"]}),
    ):
        error = (rows["influx"] - rows[column]).abs().groupby(rows["horizon_days"]).sum() / total
        axes.plot(error.index, 100 * error, label=name, **style)
    axes.set_xlabel("horizon [d]")
    axes.set_ylabel("WAPE [%]")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _coverage(scores: pd.DataFrame, names: dict[str, str], note: str) -> Figure:
    figure = _figure(
        f"How often the interval held what came true{note}", 8, 0.32 * len(scores) + 1.5
    )
    axes = figure.axes[0]
    labels = [
        "all" if group == name else names.get(name, f"{group}: {name}")
        for group, name in scores.index
    ]
    place = np.arange(len(scores))[::-1]
    for nominal, marker in (("50", "s"), ("80", "o")):
        if f"coverage_{nominal}" in scores:
            axes.plot(
                100 * scores[f"coverage_{nominal}"],
                place,
                marker,
                color=_BLUE,
                fillstyle="full" if nominal == "80" else "none",
                label=f"{nominal} % interval",
            )
            axes.axvline(float(nominal), color=_GREY, linewidth=0.8)
    axes.set_yticks(place, labels, fontsize=8)
    axes.set_xlim(0, 100)
    axes.set_xlabel("coverage [%]")
    axes.legend(frameon=False, fontsize=9, loc="lower left")
    return figure


def _importance(model: InfluxModel, note: str) -> Figure:
    figure = _figure(f"Where the median booster found its gain, by domain{note}", 7, 3.5)
    booster = model.boosters[model.quantiles.index(0.5)]
    gain = pd.Series(booster.feature_importance("gain"), booster.feature_name())
    share = gain.groupby(gain.index.str.split("_").str[0]).sum().sort_values()
    axes = figure.axes[0]
    axes.barh(share.index, 100 * share / share.sum(), color=_BLUE)
    axes.set_xlabel("share of the gain [%]")
    return figure


def _reliability(levels: Verification, note: str) -> Figure:
    figure = _figure(f"Levels: what was said, and how often it came true{note}", 6, 5.5)
    axes = figure.axes[0]
    axes.plot([0, 100], [0, 100], color=_GREY, linewidth=0.8)
    for level, part in levels.reliability.groupby("level", sort=False):
        axes.plot(
            100 * part["forecast"],
            100 * part["frequency"],
            "o-",
            color=_LEVEL_COLOURS[str(level)],
            label=f"{level} or worse",
        )
        for said, came, rows in part[["forecast", "frequency", "rows"]].to_numpy():
            axes.annotate(f"{rows:.0f}", (100 * said, 100 * came), fontsize=6, color=_GREY)
    axes.set_xlabel("probability that was forecast [%] (small figures: days)")
    axes.set_ylabel("how often it came true [%]")
    axes.legend(frameon=False, fontsize=9)
    return figure


def _alarms(levels: Verification, note: str) -> Figure:
    figure = _figure(f"Peaks found against false alarms, three days ahead{note}", 6, 5)
    axes = figure.axes[0]
    for level, part in levels.alarms.groupby("level", sort=False):
        colour = _LEVEL_COLOURS[str(level)]
        axes.plot(
            100 * part["false_alarms"], 100 * part["recall"], ".-", color=colour, label=str(level)
        )
        shown = part[part["from"] == 0.5]
        axes.plot(100 * shown["false_alarms"], 100 * shown["recall"], "s", color=colour)
    axes.set_xlabel("alarms that were none [%] (square: the word shown, probability ½)")
    axes.set_ylabel("peaks that were announced [%]")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 100)
    axes.legend(frameon=False, fontsize=9)
    return figure
