"""The backtest's tables and the gate's decision, as the terminal shows them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from rich.markup import escape
from rich.table import Table

from forecast.cli.console import out

if TYPE_CHECKING:
    from collections.abc import Mapping

    from forecast.decision import Decision
    from forecast.training.backtest import Backtest
    from forecast.training.report import Report

_RULES = {"lag7": "lag7", "lag364": "l364", "analogue": "like", "ridge": "ridge"}
"""Baselines shown in the table, and their titles there; the others are in MLflow."""

_DECISION = ("recall", "false_alarms", "best_from", "best_recall", "best_false_alarms")
"""What is shown of the decision three days ahead."""


def print_report(report: Report) -> None:
    """Print the backtest's short table and what the levels were worth."""
    _print_scores(report)
    _print_levels(report)


def print_decision(decision: Decision) -> None:
    """Print each criterion of the gate with its figures and bound."""
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 1))
    table.add_column("gate", no_wrap=True)
    for title in ("candidate", "reference"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("asked")
    table.add_column("", no_wrap=True)
    for criterion in decision.criteria:
        table.add_row(
            criterion.name,
            _figure(criterion.candidate),
            _figure(criterion.reference),
            escape(criterion.bound),
            "passed" if criterion.passed else "FAILED",
        )
    out.print()
    out.print(table)
    champion = f"champion: version {decision.against}; " if decision.against else ""
    out.print(escape(champion + decision.held_out))


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _marks(found: Backtest) -> list[str]:
    return ["données simulées / simulated data"] * found.simulated + [
        "perfect weather: observations stood in for forecasts"
    ] * found.perfect_weather


def _print_scores(report: Report) -> None:
    found, config = report.backtest, report.data.config
    origins = found.rows["origin"]
    span = f"{origins.min():%Y-%m-%d} to {origins.max():%Y-%m-%d}"
    table = Table(
        title="\n".join([f"Backtest, {origins.nunique()} origins, {span}", *_marks(found)]),
        box=None,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("", overflow="ellipsis", no_wrap=True, max_width=24)
    for column in ("rows", "WAPE", "MASE", "pinb.", "held", "width", *_RULES.values()):
        table.add_column(column, justify="right", no_wrap=True)
    names = {zone.id: zone.name for zone in config.zones}
    previous = None
    for row in report.scores.reset_index().to_dict("records"):
        if previous not in (None, row["group"]):
            table.add_section()
        previous = row["group"]
        table.add_row(
            escape(names.get(row["name"], row["name"])),
            f"{row['rows']:.0f}",
            f"{100 * row['wape']:.1f}",
            f"{row['mase']:.2f}",
            f"{100 * row['pinball']:.1f}",
            *(f"{100 * row[key]:.0f}" for key in ("coverage_80", "width_80") if key in row),
            *(f"{100 * row[f'wape_{name}']:.1f}" for name in _RULES),
        )
    out.print(table)
    out.print(
        "WAPE, pinball and width in % of influx. held: how often, in %, the 80 % interval\n"
        "held what came true. WAPE of baselines on the same days: lag7, the latest same\n"
        "weekday; l364, 364 days before; like, the like day of last year; ridge, a linear\n"
        "regression on the calendar."
    )
    members = [f"{name} {_share(wape, 1)}" for name, wape in report.members().items()]
    out.print(f"\nWAPE of the members of the blend, each alone: {', '.join(members)}.")


def _print_levels(report: Report) -> None:
    """One line for each level: skill of its probability, and the alarms three days ahead."""
    table = Table(box=None, pad_edge=False, padding=(0, 0, 0, 1))
    titles = ("days", "skill 1–7 d", "8–14 d", "found", "false", "best: from", "found", "false")
    table.add_column("level", no_wrap=True)
    for title in titles:
        table.add_column(title, justify="right", no_wrap=True)
    scores = report.levels.scores
    for level in scores.index.unique("level"):
        near, far, decision = (
            scores.loc[(level, name)] for name in ("1–7 d", "8–14 d", "decision")
        )
        table.add_row(
            str(level),
            f"{decision['events']:.0f}",
            _skill(near),
            "–" if math.isnan(far["skill"]) else f"{far['skill']:.2f}",
            *(_share(decision[name]) for name in _DECISION),
        )
    out.print()
    out.print(table)
    out.print(
        "An origin every second day. days: reached that level. skill: of its probability,\n"
        "over the climatology of season and weekday, and where nine of ten resamplings\n"
        "of the origins put it. found, false: three days ahead, % of these days announced\n"
        "and % of the alarms that were none, by the word shown; best: by the probability\n"
        "that finds most with at most one false alarm in two."
    )


def _skill(part: Mapping[str, float]) -> str:
    if math.isnan(part["skill"]):
        return "–"
    if math.isnan(part["skill_low"]):
        return f"{part['skill']:.2f}"
    return f"{part['skill']:.2f} ({part['skill_low']:.2f}..{part['skill_high']:.2f})"


def _share(value: float, digits: int = 0) -> str:
    return "–" if math.isnan(value) else f"{100 * value:.{digits}f}"
