"""Time of the whole recipe: a year of fortnightly origins on twelve zones, calibration included.

``python -m benchmarks.recipe`` replays the last year of French traffic (twelve regions) as
``benchmarks.accuracy`` does, refitted every four weeks, and says where the time goes: the features,
and within the folds, two of which run side by side, the boosters of the questions, those of the
recursive members, and everything else (ridges, answers). The rest is blend and calibration. The
last line of output is one JSON object; its ratio is that to the three minutes that are wanted.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from typing import Any

from benchmarks.accuracy import panels
from benchmarks.keeping import keep, machine
from forecast import trees
from forecast.training import backtest, folds
from forecast.training.dataset import make_dataset

PANEL, ORIGINS, WANTED_SECONDS = "cerema_traffic", 26, 180.0


def clocked() -> Counter[str]:
    """Seconds of each kind of work in the folds, filled as they run."""
    spent: Counter[str] = Counter()
    fold, train = folds.run_fold, trees.train

    def timed_fold(*arguments: Any) -> folds.Fold:
        start = time.monotonic()
        found = fold(*arguments)
        spent["folds"] += time.monotonic() - start
        return found

    def timed_train(
        table: Any, target: Any, weight: Any, asked: Any, **options: Any
    ) -> list[trees.Booster]:
        start = time.monotonic()
        found = train(table, target, weight, asked, **options)
        kind = "boosters" if len(asked) > 1 else "recursive members"
        spent[kind] += time.monotonic() - start
        return found

    backtest.run_fold, trees.train = timed_fold, timed_train
    return spent


def main() -> None:
    """Measure, print, and keep if asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--save", action="store_true", help="keep the figures in results/recipe.md")
    arguments = parser.parse_args()
    facts = machine()
    config, observations, now = panels.dataset(PANEL)
    year = config.training.model_copy(update={"backtest_days": ORIGINS * panels.STRIDE})
    config = config.model_copy(update={"training": year})
    spent, start = clocked(), time.monotonic()
    data = make_dataset(config, observations, now)
    features = time.monotonic() - start
    found = backtest.run_backtest(data)
    whole = time.monotonic() - start
    shares = {name: round(spent[name] / spent["folds"], 3) for name in spent if name != "folds"}
    summary = {
        "benchmark": "recipe",
        "machine": facts,
        "panel": PANEL,
        "zones": len(config.zones),
        "origins": int(found.rows["origin"].nunique()),
        "folds": len(found.cuts),
        "seconds": round(whole, 1),
        "seconds_features": round(features, 1),
        "shares_of_the_folds": shares,
        "of_what_is_wanted": round(whole / WANTED_SECONDS, 3),
    }
    lines = [
        f"{summary['zones']} zones, {summary['origins']} origins, {summary['folds']} folds: "
        f"{whole:.0f} s, {whole / WANTED_SECONDS:.2f} of the {WANTED_SECONDS:.0f} s wanted",
        f"features {features:.0f} s; in the folds, two at a time: "
        + ", ".join(f"{name} {share:.0%}" for name, share in shares.items())
        + f", the rest {1 - sum(shares.values()):.0%}",
    ]
    last = json.dumps(summary)
    print("\n".join([*lines, last]))
    if arguments.save:
        head = "# Time of the recipe\n\nWritten by `python -m benchmarks.recipe --save`."
        keep("recipe", head, "\n".join(lines), last)


if __name__ == "__main__":
    main()
