"""One picture per panel: error by horizon, and coverage of the 80 % interval, of every model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.figure import Figure

COLOURS = ("#4c78a8", "#f58518", "#54a24b", "#b279a2", "#9d755d", "#bab0ac")
MINE = "#d62728"
KINDS = ("weekday", "weekend", "holiday run")


def draw(title: str, aligned: Mapping[str, pd.DataFrame], peers: Sequence[str], path: Path) -> None:
    """Write the picture of one panel as PNG: our model in red, its peers, the best baseline."""
    wapes = {name: _wape(rows) for name, rows in aligned.items()}
    rules = [name for name in aligned if name not in peers and name != "afflux"]
    best = min(rules, key=wapes.__getitem__)
    shown = dict(zip([*peers, best], COLOURS, strict=False))
    shown["afflux"] = MINE
    with mpl.rc_context({"font.size": 8, "axes.spines.top": False, "axes.spines.right": False}):
        figure = Figure(figsize=(9, 3.2), layout="constrained")
        errors, bands = figure.subplots(1, 2)
        for name, colour in shown.items():
            by_horizon = aligned[name].groupby("horizon_days")[["influx", "q50"]].apply(_wape)
            wide = 2.2 if name == "afflux" else 1.1
            errors.plot(by_horizon.index, 100 * by_horizon, color=colour, label=name, lw=wide)
        errors.set(xlabel="horizon [d]", ylabel="WAPE [%]", title=title)
        errors.set_ylim(bottom=0)
        errors.legend(frameon=False, ncol=2)
        with_band = [name for name in shown if "q90" in aligned[name]]
        width = 0.8 / len(with_band)
        for i, name in enumerate(with_band):
            at = np.arange(len(KINDS)) + (i - (len(with_band) - 1) / 2) * width
            bands.bar(at, 100 * _coverage(aligned[name]), width, color=shown[name])
        bands.axhline(80, color="black", lw=0.8, ls="--")
        bands.set(ylim=(0, 100), ylabel="inside the 80 % interval [%]")
        bands.set_xticks(range(len(KINDS)), KINDS)
        figure.savefig(path, dpi=110)


def _wape(rows: pd.DataFrame) -> float:
    return float((rows["influx"] - rows["q50"]).abs().sum() / rows["influx"].sum())


def _coverage(rows: pd.DataFrame) -> pd.Series:
    inside = (rows["influx"] >= rows["q10"]) & (rows["influx"] <= rows["q90"])
    kind = rows["kind"].astype(str).replace("bridge", "holiday run")
    return inside.groupby(kind).mean().reindex(list(KINDS))
