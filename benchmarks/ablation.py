"""What carries the forecast, what is left of its error, and on which days.

``python -m benchmarks.ablation`` takes the panels of ``benchmarks.accuracy`` (same origins, days 1
to 14, no weather) and tells three things of each. What carries it: the same recipe without holidays
and school holidays, without the linear partner's calendar, without the recent past of the boosters,
and, where the history is at least a year longer, with fifteen months of it before the first origin,
which is what the shortest of the panels has; and each member of the blend alone. What is left: the
errors of :mod:`benchmarks.hindsight` (the best constant mixture of all members, for each column its
own; whatever moved all zones alike on a day known; members fitted on all fortnights but the one
they answer, those after it included), and that if the best peer were averaged in; beside what is
wanted, the agreed share of the best peer's. Where it is: the days on which most of it fell.
The last line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.accuracy import kept, panels
from benchmarks.accuracy.exchange import WORK, hand_over
from benchmarks.accuracy.ours import KEYS, scored
from benchmarks.accuracy.scoring import LIMITS, figures
from benchmarks.hindsight import in_hindsight, moved
from benchmarks.keeping import keep_panels, machine
from forecast.almanac import COLUMNS
from forecast.explanation import domain_of
from forecast.fitting import LEVEL
from forecast.training.dataset import Dataset, make_dataset

SHOWN = ["wape", "pinball", "weekend_wape", "coverage_80", "width_80", "run_80"]
DAYS = 8
"""Days listed of each panel."""
HOLIDAYS = [name for name in COLUMNS if domain_of(f"calendar_{name}") == "holidays"]


def without(data: Dataset, columns: Callable[[str], bool], lines: list[str]) -> Dataset:
    """The same questions with some columns of the boosters and of the partner's calendar empty."""
    values = data.matrix.values.copy()
    values[[columns(name) for name in data.matrix.columns]] = np.nan
    daily = replace(data.daily, lines=data.daily.lines.copy())
    if lines:
        daily.lines[[COLUMNS.index(name) for name in lines]] = 0
        daily = replace(daily, markets=np.zeros_like(daily.markets))
    return replace(data, matrix=replace(data.matrix, values=values), daily=daily)


VARIANTS: dict[str, Callable[[Dataset], Dataset]] = {
    "whole recipe": lambda data: data,
    "without holidays": lambda data: without(
        data, lambda name: domain_of(name) == "holidays", HOLIDAYS
    ),
    "without the partner's calendar": lambda data: without(data, lambda _: False, list(COLUMNS)),
    "without the boosters' recent past": lambda data: without(
        data, lambda name: domain_of(name) == "history" and name not in KEPT, []
    ),
}
HISTORY = pd.DateOffset(months=15)
"""History before the first origin that the panel with the shortest one has."""
KEPT = (LEVEL, "calendar_horizon_days", "calendar_origin_weekday")
"""Columns without which no question can be asked: the level that is the unit, and the horizon."""


def run(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Figures of each variant, and the worst days of the whole recipe."""
    config, observations, now = panels.dataset(name)
    data = make_dataset(config, observations, now)
    found, whole = {}, pd.DataFrame()
    for label, change in VARIANTS.items():
        ours = scored(change(data))
        rows = ours.facts.merge(ours.answers["afflux"], on=KEYS)
        found[label] = figures(rows, config.quantiles)
        if whole.empty:
            whole = rows
            found |= in_hindsight(data, ours, rows) | beside_peers(name, rows, config.quantiles)
        print(f"{name}, {label}: {found[label]['wape']:.4f}", flush=True)
    start = panels.WINDOWS[name].first - HISTORY
    if start >= observations["date"].min() + pd.DateOffset(years=1):
        late = observations[observations["date"] >= start]
        ours = scored(make_dataset(config, late, now))
        rows = ours.facts.merge(ours.answers["afflux"], on=KEYS)
        found["with fifteen months of history"] = figures(rows, config.quantiles)
    return pd.DataFrame(found).T[SHOWN], worst(whole)


def beside_peers(
    name: str, rows: pd.DataFrame, quantiles: tuple[float, ...]
) -> dict[str, dict[str, float]]:
    """Figures of our median averaged with the best peer's, and those wanted.

    Where no peer has answered here, only those wanted, by what the results keep of the peers.
    """
    found, peers, scores = {}, {}, {}
    for file in sorted((WORK / name).glob("*.parquet")):
        if file.stem in ("series", "calendar"):
            continue
        peer = rows.drop(columns=[c for c in rows if c.startswith("q")])
        peer = peer.merge(pd.read_parquet(file).astype({"zone_id": str}), on=KEYS, how="left")
        if peer["q50"].notna().all():
            peers[file.stem], scores[file.stem] = peer["q50"], figures(peer, quantiles)
    if peers:
        table = pd.DataFrame(scores).T
        best = str(table["wape"].idxmin())
        both = np.sqrt(rows["q50"].clip(lower=1e-9) * peers[best].clip(lower=1e-9))
        found[f"averaged with {best}"] = moved(rows, both, quantiles)
    else:
        table, _, _ = kept.peers(name, hand_over(name, WORK / name))
    wanted = {metric: limit or np.nan for metric, limit in LIMITS[name].items()}
    found["wanted"] = {k: limit * table[k].min() for k, limit in wanted.items()}
    return found


def worst(rows: pd.DataFrame) -> pd.DataFrame:
    """The days with the largest absolute errors over all zones, and their share of all error."""
    rows = rows.assign(error=(rows["influx"] - rows["q50"]).abs())
    days = rows.groupby("target_date").agg(
        kind=("kind", "first"),
        error=("error", "sum"),
        influx=("influx", "sum"),
        said=("q50", "sum"),
    )
    days["share_of_error"] = 100 * days["error"] / days["error"].sum()
    days["came_over_said"] = days["influx"] / days["said"]
    days.index = days.index.strftime("%a %Y-%m-%d")
    top = days.sort_values("error", ascending=False).head(DAYS)
    return top[["kind", "influx", "said", "came_over_said", "share_of_error"]]


def main() -> None:
    """Run the panels named on the command line (default: all five)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ablation", description=__doc__)
    parser.add_argument("panel", nargs="*", choices=[*panels.PANELS, []], help="default: all")
    parser.add_argument("--save", action="store_true", help="keep them in results/ablation.md")
    given = parser.parse_args()
    texts, told = {}, {}
    for name in given.panel or panels.PANELS:
        table, days = run(name)
        shown = (100 * table.astype(float)).round(2).to_string(na_rep="–")
        texts[name] = f"{shown}\n\n{days.round(2).to_string()}"
        told[name] = table.astype(float).round(4).replace({np.nan: None}).to_dict("index")
        print(f"\n{name}\n{texts[name]}\n", flush=True)
    summary = {"benchmark": "ablation", "machine": machine(), "panels": told}
    if given.save:
        head = (
            "# What carries the forecast, and what is left\n\nWritten by `python -m "
            "benchmarks.ablation --save`: the panels and origins of [accuracy](accuracy.md), days "
            "1 to 14, no weather; in %. Under each table the days with the largest errors over "
            "all zones: what came, what was said, their ratio, and the share of a year's error "
            "in %."
        )
        keep_panels("ablation", head, texts, summary)
    print(json.dumps(summary))


if __name__ == "__main__":
    main()
