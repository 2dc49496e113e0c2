"""Our model and the usual libraries on real panels: the same questions, the same calendar.

::

    python -m benchmarks.accuracy                           # five panels; peers answer once
    python -m benchmarks.accuracy --panels austin,ballarat
    python -m benchmarks.accuracy --unseen                  # those looked at afterwards
    python -m benchmarks.accuracy --seed 7                  # how far figures hang on the seed
    python -m benchmarks.accuracy --kept-peers              # ours alone, beside the kept figures

The peers run in an environment of their own under ``benchmarks/work``, made on the first run, and
their answers are kept there. Prints one table per panel and draws one picture; the last line of
output is one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from benchmarks.accuracy import exchange, figure, kept, ours, scoring
from benchmarks.accuracy.panels import PANELS, UNSEEN, WINDOWS
from benchmarks.keeping import keep_panels, machine
from forecast.level_climatology import ALARMS

_KEPT = {
    "accuracy": ("Accuracy beside other libraries", "--save"),
    "unseen": (
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
    parser.add_argument(
        "--kept-peers",
        action="store_true",
        help="ask no peer: their figures are those the results keep, if they were told the same",
    )
    parser.add_argument("--seed", type=int, help="another seed for our model; nothing is kept")
    parser.add_argument(
        "--save", action="store_true", help="keep the tables in results/accuracy.md, or unseen.md"
    )
    given = parser.parse_args(arguments)
    if given.save and given.seed is not None:
        parser.error("--save keeps the figures of the seed that is configured: leave out --seed")
    usual = UNSEEN if given.unseen else PANELS
    chosen = given.panels.split(",") if given.panels else usual
    if unknown := sorted(set(chosen) - set(WINDOWS)):
        parser.error(f"no panel {unknown[0]!r}: expected some of {', '.join(WINDOWS)}")
    where = machine()
    try:
        known = {name: kept_of(name) for name in chosen if given.kept_peers}
    except ValueError as error:
        parser.error(str(error))
    texts, found = {}, {}
    for name in chosen:
        print(f"{name} ...", file=sys.stderr)
        peers = known[name] if given.kept_peers else asked(name, given.refit_peers)
        texts[name], found[name] = run(name, peers, given.seed)
        print(f"\n{texts[name]}", flush=True)
    summary = {"benchmark": "accuracy", "panels": found, "machine": where}
    if given.save:
        for file, mine in (("unseen", set(UNSEEN)), ("accuracy", set(PANELS))):
            if some := {name: text for name, text in texts.items() if name in mine}:
                save(file, some, {**summary, "panels": {name: found[name] for name in some}})
    print(json.dumps(summary))
    return summary


@dataclass(frozen=True)
class Peers:
    """What is known of the peers of a panel: their ``answers``, or, where none were asked here,
    the ``scores`` that are kept of so many ``questions``; and ``facts`` about each."""

    facts: dict[str, Any]
    answers: dict[str, pd.DataFrame] = field(default_factory=dict)
    scores: pd.DataFrame = field(default_factory=pd.DataFrame)
    questions: int = 0


def asked(name: str, refit: str) -> Peers:
    """The peers of a panel, asked if their answers are not here."""
    digest = exchange.hand_over(name, exchange.WORK / name)
    found = exchange.all_answers(name, digest, refit)
    return Peers(
        {peer: told for peer, (_, told) in found.items()},
        answers={peer: rows for peer, (rows, _) in found.items()},
    )


def kept_of(name: str) -> Peers:
    """The peers of a panel as the results keep them; raises as :func:`kept.peers`."""
    digest = exchange.hand_over(name, exchange.WORK / name)
    scores, facts, questions = kept.peers(name, digest)
    return Peers(facts, scores=scores, questions=questions)


def run(name: str, peers: Peers, seed: int | None = None) -> tuple[str, dict[str, Any]]:
    """One panel: its tables as text, and its figures."""
    mine, facts = ours.backtest(name, seed), peers.facts
    aligned = scoring.align(mine.facts, mine.answers | peers.answers)
    rows, origins = len(aligned["afflux"]), aligned["afflux"]["origin"].nunique()
    if peers.questions and peers.questions != rows:
        raise SystemExit(
            f"{name}: {rows:,} questions are scored, but the kept figures of the peers are of "
            f"{peers.questions:,}: run without --kept-peers"
        )
    scores = pd.concat([scoring.table(aligned, mine.quantiles), peers.scores])
    scores = scores.reindex(["afflux", *facts, *(n for n in mine.answers if n != "afflux")])
    seconds = {peer: told["seconds"] for peer, told in facts.items()}
    scores["seconds"] = pd.Series({"afflux": mine.seconds, **seconds}).round(1)
    ratios = scoring.verdicts(name, scores, list(facts))
    within = scoring.covered(scores)
    levels = _levels(mine.levels)
    figure.draw(name, aligned, list(peers.answers), exchange.WORK / f"{name}.png")
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
            *([] if peers.answers else ["  their figures are kept ones: they were told the same"]),
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
    keep_panels(
        name,
        f"# {title}\n\n"
        f"Written by `python -m benchmarks.accuracy {command}`. Errors, bias, pinball, coverage "
        "and width in %; MASE is a ratio; seconds are those of the scored origins alone (a peer's "
        "choice of its variant comes on top). No weather. `weekend_80` and `run_80` are the "
        "coverage of the 80 % interval on Saturdays and Sundays and on holiday runs. Of each level "
        "or worse, on an origin every second day: `skill` is the Brier skill over the zone's "
        "climatology at horizons 1 to 7, and "
        "nine of ten resamplings of the origins put it between `skill_low` and `skill_high`; of "
        "the `peaks`, `best_recall` is the share announced three days ahead or more with at most "
        "one false alarm in two, from the probability `best_from`.",
        texts,
        summary,
    )


if __name__ == "__main__":
    main()
