"""Answer every question of a panel with one peer: ``python -m benchmarks.accuracy.peers``.

A peer that has variants is tried on the origins before the first that is scored, and the variant
with the lowest WAPE there answers. Every origin is a new fit on everything known then.
"""

from __future__ import annotations

import importlib
import json
import sys
import time
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd

from benchmarks.accuracy.peers.task import DAY, ID, VALUE, Task, column

PEERS = {
    "mlforecast": ("by_mlforecast", ()),
    "skforecast": ("by_skforecast", ()),
    "prophet": ("by_prophet", ()),
    "autoets": ("by_statsforecast", ("AutoETS",)),
    "autoarima": ("by_statsforecast", ("AutoARIMA",)),
    "seasonal_naive": ("by_statsforecast", ("SeasonalNaive",)),
}
"""Peers by name: the module, and the variant where it is not to be chosen."""


def main() -> None:
    """Write ``<peer>.parquet`` and ``<peer>.json`` beside the panel's files."""
    peer, folder = sys.argv[1], Path(sys.argv[2])
    module_name, fixed = PEERS[peer]
    module = importlib.import_module(f"benchmarks.accuracy.peers.{module_name}")
    warnings.simplefilter("ignore")
    task = Task.read(folder)
    start = time.monotonic()
    variants = fixed or module.VARIANTS
    trials = {v: replay(module, task, task.validation, v) for v in variants if len(variants) > 1}
    wapes = {name: wape(rows) for name, rows in trials.items()}
    variant = min(variants, key=lambda name: wapes.get(name, 0.0))
    choosing = time.monotonic() - start
    start = time.monotonic()
    rows = replay(module, task, task.origins, variant, trials.get(variant))
    seconds = time.monotonic() - start
    rows = rows.rename(columns={ID: "zone_id", DAY: "target_date"})
    answers = ["zone_id", "origin", "target_date", *map(column, task.quantiles)]
    rows[answers].to_parquet(folder / f"{peer}.parquet", index=False)
    facts = {
        "name": module.NAME,
        "variant": variant,
        "validation_wape": {name: round(value, 4) for name, value in wapes.items()},
        "seconds_choosing": round(choosing, 1),
        "seconds": round(seconds, 1),
    }
    (folder / f"{peer}.json").write_text(json.dumps(facts, indent=1) + "\n", encoding="utf-8")


def replay(
    module: ModuleType,
    task: Task,
    origins: list[pd.Timestamp],
    variant: str,
    before: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Answers at each origin in turn, told of the answers ``before`` it and what came true."""
    names = [column(q) for q in task.quantiles]
    past = before if before is not None else pd.DataFrame()
    parts = []
    for origin in origins:
        rows = module.forecast(task, origin, variant, past).assign(origin=origin)
        # Influx is never negative, and quantiles do not cross: any user would see to that.
        rows[names] = np.sort(rows[names].to_numpy(dtype=float).clip(min=0), axis=1)
        rows = rows.merge(task.series, on=[ID, DAY], how="left")
        parts.append(rows)
        past = pd.concat([past, rows.dropna(subset=VALUE)], ignore_index=True)
    return pd.concat(parts, ignore_index=True)


def wape(rows: pd.DataFrame) -> float:
    """WAPE of the medians, where influx is known."""
    known = rows.dropna(subset=VALUE)
    return float((known[VALUE] - known["q50"]).abs().sum() / known[VALUE].sum())


if __name__ == "__main__":
    main()
