"""Verbs about models: train, backtest, promote, rollback, models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from forecast.cli import context
from forecast.cli.console import Steps, note, out, print_json
from forecast.cli.data import AsJson

if TYPE_CHECKING:
    import pandas as pd

    from forecast.config import RunConfig
    from forecast.settings import Settings
    from forecast.training.backtest import Backtest

LakeVersion = Annotated[
    int | None, typer.Option(help="Version of the lake to train on; default: the latest.")
]


def add_to(app: typer.Typer) -> None:
    """Register these verbs."""
    for verb in (train, backtest, promote, rollback, models):
        app.command()(verb)


def train(lake_version: LakeVersion = None, as_json: AsJson = False) -> None:
    """Build the training set, backtest, fit, record in MLflow; the result is the candidate.

    Example: afflux train && afflux promote
    """
    with Steps().step("train") as say:
        trained = train_in(context.settings(), lake_version, say)
    if as_json:
        print_json({"version": trained.version.version, "metrics": dict(trained.version.metrics)})
        return
    print_scores(trained.figures, trained.backtest, context.settings().run_config())
    out.print(f"candidate: version {trained.version.version}. `afflux promote` makes it champion.")


def train_in(settings: Settings, lake_version: int | None, say: Any) -> Any:
    """Train on the lake of this home."""
    from forecast.training.retrain import train as run

    config = settings.run_config()
    observations, version = _observations(settings, lake_version)
    return run(
        config,
        observations,
        context.registry(settings, config),
        lake_version=version,
        now=context.now(),
        say=say,
    )


def backtest(
    lake_version: LakeVersion = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write every scored answer to this Parquet file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay the last year, origin by origin, and score it beside the baselines; stores nothing.

    Example: afflux backtest --out answers.parquet
    """
    from forecast.training.retrain import backtest as run

    settings, out_file = context.settings(), context.output(out_file)
    config = settings.run_config()
    observations, _ = _observations(settings, lake_version)
    with Steps().step("backtest") as say:
        _, found, scores = run(config, observations, context.now(), say)
    if out_file is not None:
        found.rows.to_parquet(out_file)
    if as_json:
        print_json(
            {
                "perfect_weather": found.perfect_weather,
                "simulated": found.simulated,
                "scores": scores.reset_index().to_dict("records"),
            }
        )
        return
    print_scores(scores, found, config)


def promote(
    version: Annotated[
        str | None, typer.Argument(help="Version to promote; default: the candidate.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, if it can be loaded and answers.

    Example: afflux promote 3
    """
    settings = context.settings()
    done = context.registry(settings, settings.run_config()).promote(version)
    _say_promotion(done, "promoted", as_json)


def rollback(as_json: AsJson = False) -> None:
    """Go back to the champion before.

    Example: afflux rollback
    """
    settings = context.settings()
    done = context.registry(settings, settings.run_config()).rollback()
    _say_promotion(done, "rolled back", as_json)


def models(as_json: AsJson = False) -> None:
    """List the versions, their headline figures, and which one is champion.

    Example: afflux models --json
    """
    settings = context.settings()
    found = context.registry(settings, settings.run_config()).versions()
    if as_json:
        print_json([{**v.__dict__, "metrics": dict(v.metrics)} for v in found])
        return
    if not found:
        note("no model yet: run `afflux train`")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("", "created (UTC)", "alias", "WAPE", "held", "lake", "marks"):
        table.add_column(title, no_wrap=True)
    for version in found:
        marks = ["simulated"] * version.simulated + ["perfect weather"] * version.perfect_weather
        table.add_row(
            version.version,
            f"{version.created:%Y-%m-%d %H:%M}",
            ", ".join([*version.aliases, *(["served"] if version.served else [])]),
            _percent(version.metrics.get("wape")),
            _percent(version.metrics.get("coverage_80")),
            version.lake_version,
            ", ".join(marks),
        )
    out.print(table)


def _observations(settings: Settings, version: int | None) -> tuple[pd.DataFrame, int]:
    lake = context.lake(settings)
    number = lake.version() if version is None else version
    zones = [zone.id for zone in settings.run_config().zones]
    return lake.read(zones=zones, version=version), number


def _say_promotion(done: Any, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"version": done.version, "previous": done.previous})
        return
    before = f" (before: version {done.previous})" if done.previous else ""
    out.print(f"{what}: version {done.version} is champion{before}")


def _marks(found: Backtest) -> list[str]:
    return ["données simulées / simulated data"] * found.simulated + [
        "perfect weather: observations stood in for forecasts"
    ] * found.perfect_weather


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def print_scores(scores: pd.DataFrame, found: Backtest, config: RunConfig) -> None:
    """Print the backtest's table: the model, its band, and the baselines on the same rows."""
    origins, marks = found.rows["origin"], _marks(found)
    span = f"{origins.min():%Y-%m-%d} to {origins.max():%Y-%m-%d}"
    table = Table(
        title="\n".join([f"Backtest, {origins.nunique()} origins, {span}", *marks]),
        box=None,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("", overflow="ellipsis", no_wrap=True, max_width=24)
    for column in ("rows", "WAPE", "MASE", "pinb.", "held", "width", "lag7", "lag364", "mean4"):
        table.add_column(column, justify="right", no_wrap=True)
    names = {zone.id: zone.name for zone in config.zones}
    previous = None
    for row in scores.reset_index().to_dict("records"):
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
            *(f"{100 * row[f'wape_{name}']:.1f}" for name in ("lag7", "lag364", "mean4")),
        )
    out.print(table)
    out.print(
        "WAPE, pinball and width in % of influx. held: how often, in %, the 80 % interval\n"
        "held what came true. lag7, lag364, mean4: WAPE of baselines on the same days."
    )
