"""What it costs to lose a source: cut when the forecast is asked for, or never had.

``python -m benchmarks.outages`` takes the demo's simulated estuary and two panels of real data that
have further sources (Hong Kong with resident flows as mobility, Münster with car parks). For each
source it scores, on the same questions of rolling origins: the forecast with every source fresh;
the same model with that source silent for the longest rehearsed time before each origin; and a
model trained and asked without that source, in a backtest of its own; and, as the gate does, how
often the former's median is no worse than the latter's when the origins are resampled. Two models
that differ by their seed alone err as differently as those two, so that all of it is done with
several seeds: a source's row is of all their answers together, below it are those of each. The last
line of output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.accuracy import panels
from benchmarks.keeping import keep_panels, machine
from forecast.config import RunConfig, read_config
from forecast.demo import simulate
from forecast.ingest.folder import ingest_folder
from forecast.lake import Lake
from forecast.training.backtest import run_backtest
from forecast.training.dataset import make_dataset
from forecast.training.gate import chance_not_worse
from forecast.training.metrics import losses
from forecast.training.rehearsal import OUTAGES

KEYS = ["seed", "zone_id", "origin", "target_date"]
SEEDS = (None, 7, 11)
"""Seeds of the models; none: the one that is configured."""
TODAY = date(2026, 11, 22)
"""The morning on which the simulated history ends."""

Panel = tuple[RunConfig, pd.DataFrame, pd.Timestamp]


def main() -> None:
    """Run the panels named on the command line (default: all three)."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.outages", description=__doc__)
    names = ["demo", "hk_visitors", "muenster"]
    parser.add_argument("panel", nargs="*", choices=[*names, []], help="default: all three")
    parser.add_argument("--seed", type=int, help="this seed alone; nothing is kept")
    parser.add_argument("--save", action="store_true", help="keep the tables in results/outages.md")
    given = parser.parse_args()
    if given.save and given.seed is not None:
        parser.error("--save keeps the figures of all seeds: leave out --seed")
    seeds = SEEDS if given.seed is None else (given.seed,)
    tables = {name: run(name, seeds) for name in given.panel or names}
    texts, told = {name: shown(table) for name, table in tables.items()}, summary(tables)
    if given.save:
        keep_panels(
            "outages",
            "# Outages: a source cut, beside one never had\n\nWritten by "
            "`python -m benchmarks.outages --save`; demo is simulated data. Days 1 to 14; WAPE, "
            "pinball and width of the 80 % interval in % of influx, coverage in %. A row is a "
            "source: with every source fresh, with that source silent at the origin, and with a "
            "model that never had it; of the models of all seeds together, and below it of each. "
            "not_worse is how often, of resampled origins, the median of the cut is no worse than "
            "of the one that never had it; below 5 % it is worse beyond chance. Influx itself "
            "cannot be left out of training.",
            texts,
            told,
        )
    text = "\n\n".join(f"{name}\n{table}" for name, table in texts.items())
    print(f"\n{text}\n\n{json.dumps(told, allow_nan=False)}")


def run(name: str, seeds: Sequence[int | None] = SEEDS) -> pd.DataFrame:
    """Figures of one panel: for each source it has, a row of all seeds and one of each."""
    config, observations, now = demo() if name == "demo" else panels.dataset(name)
    told: dict[str, dict[str, list[pd.DataFrame]]] = {}
    for seed in seeds:
        chosen = panels.seeded(config, seed)
        for domain, ways in answers((chosen, observations, now)).items():
            for way, rows in ways.items():
                rows = rows.assign(seed=chosen.training.seed)
                told.setdefault(domain, {}).setdefault(way, []).append(rows)
        print(f"{name}, seed {chosen.training.seed}", flush=True)
    block = -(-config.max_horizon_days // config.training.backtest_stride_days)
    found = {}
    for domain, parts in told.items():
        ways = {way: pd.concat(rows, ignore_index=True) for way, rows in parts.items()}
        found[domain] = compare(ways, config.quantiles, block)
        for seed in ways["fresh"]["seed"].unique():
            one = {way: rows[rows["seed"] == seed] for way, rows in ways.items()}
            found[f"{domain}, seed {seed}"] = compare(one, config.quantiles, block)
    return pd.DataFrame(found).T


def answers(panel: Panel) -> dict[str, dict[str, pd.DataFrame]]:
    """By source, the rows of the backtests that were asked with it, with it cut, and without it."""
    config, observations, now = panel
    whole, found = run_backtest(make_dataset(config, observations, now)), {}
    for domain, cut in whole.outages.items():
        found[domain] = {"fresh": whole.rows[whole.rows["horizon_days"] >= 1], "cut": cut}
        if domain != "influx":
            rest = observations[~observations["source"].isin(OUTAGES[domain][0])]
            found[domain]["without"] = run_backtest(make_dataset(config, rest, now)).rows
    return found


def demo() -> Panel:
    """The simulated estuary as its command makes it, and the instant at which it is read."""
    config = read_config(Path(__file__).parents[1] / "configs" / "estuaire.toml")
    with tempfile.TemporaryDirectory() as place:
        made = simulate(Path(place) / "input", config, today=TODAY)
        lake, now = Lake(str(Path(place) / "lake")), pd.Timestamp(TODAY, tz="UTC")
        now += pd.Timedelta(hours=12)
        ingest_folder(made.folder, lake, config=made.config, now=now)
        return made.config, lake.read(), now


def compare(
    ways: Mapping[str, pd.DataFrame], quantiles: tuple[float, ...], block: int
) -> dict[str, float]:
    """Figures of the ways to answer, on the questions all of them answered.

    ``block`` origins in a row speak of common days.
    """
    shared = ways["fresh"][KEYS]
    for rows in ways.values():
        shared = shared.merge(rows[KEYS], on=KEYS)
    found: dict[str, float] = {}
    errors: dict[str, pd.Series] = {}
    for way, rows in ways.items():
        same = shared.merge(rows, on=KEYS)
        observed = same["influx"].to_numpy(float)
        answers = same[[f"influx_p{100 * q:g}" for q in quantiles]].to_numpy(float)
        low, median, high = (answers[:, quantiles.index(q)] for q in (0.1, 0.5, 0.9))
        total = observed.sum()
        errors[way] = pd.Series(np.abs(observed - median)).groupby(same["origin"]).sum()
        found |= {
            f"wape_{way}": np.abs(observed - median).sum() / total,
            f"pinball_{way}": losses(observed, answers, quantiles).sum() / total,
            f"held_{way}": ((observed >= low) & (observed <= high)).mean(),
            f"width_{way}": (high - low).sum() / total,
        }
    if "without" in ways:
        away = (errors["cut"] - errors["without"]).to_numpy()
        found["not_worse"] = chance_not_worse(away, block)
    return found


def summary(tables: Mapping[str, pd.DataFrame]) -> dict[str, Any]:
    """The figures of all panels as JSON has them; null where a source cannot be left out."""
    rows = {name: table.round(4).astype(object) for name, table in tables.items()}
    figures = {
        name: table.where(table.notna(), None).to_dict("index") for name, table in rows.items()
    }
    return {"benchmark": "outages", "machine": machine(), "panels": figures}


def shown(table: pd.DataFrame) -> str:
    """The table as printed, in percent."""
    return (100 * table.astype(float)).round(1).to_string(na_rep="–")


if __name__ == "__main__":
    main()
