"""Our model and the usual libraries on real panels: the same questions, the same calendar.

::

    python -m benchmarks.accuracy                           # five panels; peers answer once
    python -m benchmarks.accuracy --panels austin,ballarat
    python -m benchmarks.accuracy --unseen                  # those looked at afterwards
    python -m benchmarks.accuracy --seed 7                  # how far figures hang on the seed

The peers run in an environment of their own under ``benchmarks/work``, made on the first run, and
their answers are kept there. Prints one table per panel and draws one picture; the last line of
output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from benchmarks.accuracy import exchange, figure, ours, scoring
from benchmarks.accuracy.panels import PANELS, UNSEEN, WINDOWS
from benchmarks.keeping import WHOLE, machine
from forecast.level_climatology import ALARMS

RESULTS = Path(__file__).resolve().parents[1] / "results"
_KEPT = {
    "accuracy.md": ("Accuracy beside other libraries", "--save"),
    "unseen.md": (
        "Accuracy on panels looked at once the recipe was made",
        "--unseen --save",
    ),
}
_PERCENT = (
    "wape",
    "pinball",
    "bias",
    "weekend_wape",
    "coverage_50",
    "width_50",
    "coverage_80",
    "width_80",
    "weekend_80",
    "run_80",
)


def main(arguments: Sequence[str] | None = None) -> dict[str, Any]:
    """Run, score and print; returns the object of the last line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.accuracy")
    parser.add_argument("--panels", help="comma-separated (default: the five of the README)")
    parser.add_argument(
        "--unseen", action="store_true", help="the panels looked at when the recipe had been made"
    )
    parser.add_argument(
        "--refit-peers",
        nargs="?",
        choices=["stale", "all"],
        const="all",
        default="",
        help="ask the peers again: all of them, or those who were told something else",
    )
    parser.add_argument("--seed", type=int, help="another seed for our model; nothing is kept")
    parser.add_argument(
        "--save", action="store_true", help="keep the tables in results/accuracy.md, or unseen.md"
    )
    given = parser.parse_args(arguments)
    if given.save and given.seed is not None:
        parser.error("--save keeps the figures of the seed that is configured: leave out --seed")
    if given.save and given.panels:
        parser.error(WHOLE)
    usual = UNSEEN if given.unseen else PANELS
    chosen = given.panels.split(",") if given.panels else usual
    if unknown := sorted(set(chosen) - set(WINDOWS)):
        parser.error(f"no panel {unknown[0]!r}: expected some of {', '.join(WINDOWS)}")
    where = machine()
    texts, found = {}, {}
    for name in chosen:
        print(f"{name} ...", file=sys.stderr)
        texts[name], found[name] = run(name, given.refit_peers, given.seed)
        print(f"\n{texts[name]}", flush=True)
    summary = {"benchmark": "accuracy", "panels": found, "machine": where}
    if given.save:
        save("unseen.md" if given.unseen else "accuracy.md", texts, summary)
    print(json.dumps(summary))
    return summary


def run(name: str, refit: str, seed: int | None = None) -> tuple[str, dict[str, Any]]:
    """One panel: its tables as text, and its figures."""
    digest = exchange.hand_over(name, exchange.WORK / name)
    peers = exchange.all_answers(name, digest, refit)
    mine = ours.backtest(name, seed)
    aligned = scoring.align(
        mine.facts, mine.answers | {peer: rows for peer, (rows, _) in peers.items()}
    )
    order = ["afflux", *peers, *(rule for rule in aligned if rule not in ("afflux", *peers))]
    scores = scoring.table({model: aligned[model] for model in order}, mine.quantiles)
    facts = {peer: told for peer, (_, told) in peers.items()}
    seconds = {peer: told["seconds"] for peer, told in facts.items()}
    scores["seconds"] = pd.Series({"afflux": mine.seconds, **seconds}).round(1)
    ratios = scoring.verdicts(name, scores, list(peers))
    within = scoring.covered(scores)
    levels = _levels(mine.levels)
    figure.draw(name, aligned, list(peers), exchange.WORK / f"{name}.png")
    rows, origins = len(aligned["afflux"]), aligned["afflux"]["origin"].nunique()
    lost = len(mine.facts) - rows
    text = "\n".join(
        [
            f"{name}: {rows:,} questions from {origins} origins, answered by all"
            + (f" ({lost:,} of ours by not every peer)" if lost else ""),
            *(f"  {peer}: {told['name']}, {told['variant']}" for peer, told in facts.items()),
            *(
                f"  {peer} was told something else: --refit-peers stale"
                for peer, told in facts.items()
                if told["stale"]
            ),
            "",
            _shown(scores).to_string(na_rep="–"),
            "",
            _shown(ratios).to_string(na_rep="–"),
            "",
            "80 % interval as wanted: "
            + ", ".join(f"{k} {'yes' if ok else 'NO'}" for k, ok in within.items()),
            "",
            levels.round(3).to_string(na_rep="–"),
        ]
    )
    return text, {
        "questions": rows,
        "scores": json.loads(scores.astype(float).round(4).to_json(orient="index")),
        "ratios": json.loads(ratios.to_json(orient="index", double_precision=4)),
        "coverage_as_wanted": within,
        "levels": json.loads(levels.T.to_json(orient="index", double_precision=4)),
        "peers": facts,
    }


def _levels(scores: pd.DataFrame) -> pd.DataFrame:
    """Of each level, the Brier skill a week ahead and what is found three days ahead."""
    shown = ["rows", "events", "skill", "skill_low", "skill_high"]
    week = scores.xs("1–7 d", level="horizon")[shown]
    decided = scores.xs("decision", level="horizon")
    peaks = decided[["events", "best_from", "best_recall", "best_false_alarms"]]
    return week.join(peaks.rename(columns={"events": "peaks"})).reindex(ALARMS)


def _shown(frame: pd.DataFrame) -> pd.DataFrame:
    """Shares in per cent, everything to two digits."""
    if "ratio" in frame:
        shares = frame[["afflux", "peer"]].astype(float).mul(100).round(2)
        return frame.assign(**shares, ratio=frame["ratio"].astype(float).round(3))
    return frame.assign(**frame[list(_PERCENT)].mul(100)).round(2)


def save(name: str, texts: dict[str, str], summary: dict[str, Any]) -> None:
    """Keep the tables and the object of the last line in the file ``name`` of the results."""
    title, command = _KEPT[name]
    tables = "\n\n".join(f"## {panel}\n\n```text\n{text}\n```" for panel, text in texts.items())
    (RESULTS / name).write_text(
        f"# {title}\n\n"
        f"Written by `python -m benchmarks.accuracy {command}`. Errors, bias, pinball, coverage "
        "and width in %; MASE is a ratio; seconds are those of the scored origins alone (a peer's "
        "choice of its variant comes on top). No weather. `weekend_80` and `run_80` are the "
        "coverage of the 80 % interval on Saturdays and Sundays and on holiday runs. Of each level "
        "or worse, on an origin every second day: `skill` is the Brier skill over the zone's "
        "climatology at horizons 1 to 7, and "
        "nine of ten resamplings of the origins put it between `skill_low` and `skill_high`; of "
        "the `peaks`, `best_recall` is the share announced three days ahead or more with at most "
        "one false alarm in two, from the probability `best_from`.\n\n"
        f"{tables}\n\n```json\n{json.dumps(summary)}\n```\n",
        encoding="utf-8",
    )


if __name__ == "__main__":
    main()
