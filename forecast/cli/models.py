"""Verbs about models: train, backtest, promote, rollback, models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from forecast.cli import context
from forecast.cli.console import Steps, note, out, print_json
from forecast.cli.data import AsJson

if TYPE_CHECKING:
    import pandas as pd

    from forecast.settings import Settings

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
    print_scores(trained.figures, _marks(trained.backtest))
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

    settings = context.settings()
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
    print_scores(scores, _marks(found))


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
    for title in ("version", "created", "", "WAPE", "coverage 80 %", "lake", "marks"):
        table.add_column(title)
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


def _marks(found: Any) -> list[str]:
    return ["simulated data"] * found.simulated + [
        "perfect weather: observations stood in for forecasts"
    ] * found.perfect_weather


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"


def print_scores(scores: pd.DataFrame, marks: list[str]) -> None:
    """Print the backtest's table: the model, its band, and the baselines on the same rows."""
    title = "Backtest of the last year, rolling origins"
    table = Table(title=f"{title} ({'; '.join(marks)})" if marks else title, box=None)
    for column in ("", "rows", "WAPE", "MASE", "pinball", "80 % held", "width",
                   "lag 7", "lag 364", "mean 4"):  # fmt: skip
        table.add_column(column, justify="left" if not column else "right", no_wrap=True)
    previous = None
    for (group, name), row in scores.iterrows():
        if previous not in (None, group):
            table.add_section()
        previous = group
        table.add_row(
            name if group != "all" else "[bold]all[/]",
            f"{row['rows']:.0f}",
            f"{row['wape']:.1%}",
            f"{row['mase']:.2f}",
            f"{row['pinball']:.1%}",
            _percent(row.get("coverage_80")),
            _percent(row.get("width_80")),
            f"{row['wape_lag7']:.1%}",
            f"{row['wape_lag364']:.1%}",
            f"{row['wape_mean4']:.1%}",
        )
    out.print(table)
    out.print(
        "WAPE and width are shares of influx; the last three columns are the WAPE of the baselines "
        "on the same days."
    )
