"""Verbs about models: train, backtest, promote, rollback, models."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from forecast.cli import context
from forecast.cli.console import Steps, note, out, print_json
from forecast.cli.data import AsJson
from forecast.cli.report import print_decision, print_report
from forecast.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from forecast.settings import Settings
    from forecast.tracking import ModelVersion

LakeVersion = Annotated[
    int | None, typer.Option(help="Version of the lake to train on; default: the latest.")
]
Now = Annotated[
    str | None,
    typer.Option(
        "--now",
        help="Use what was readable at this instant, ISO 8601; default: all of that version.",
    ),
]


def add_to(app: typer.Typer) -> None:
    """Register these verbs."""
    for verb in (train, backtest, promote, rollback, models):
        app.command()(verb)


def train(lake_version: LakeVersion = None, now: Now = None, as_json: AsJson = False) -> None:
    """Build the training set, backtest, judge, fit, record in MLflow; the result is the candidate.

    The same lake version, configuration and instant give the same bytes of model.

    Example: afflux train && afflux promote
    """
    with Steps().step("train") as say:
        trained = train_in(context.settings(), lake_version, say, now)
    version, decision = trained.version, trained.decision
    if as_json:
        print_json(
            {
                "version": version.version,
                "metrics": dict(version.metrics),
                "gate": decision.as_dict(),
            }
        )
        return
    print_report(trained.report)
    print_decision(decision)
    then = "`afflux promote` makes it champion." if decision.passed else "It stays a candidate."
    out.print(f"candidate: version {version.version}. {then}")


def train_in(settings: Settings, lake_version: int | None, say: Any, now: str | None = None) -> Any:
    """Train on the lake of this home."""
    from forecast.training.retrain import train as run

    config = settings.run_config()
    observations, version, instant = _observations(settings, lake_version, now)
    registry = context.registry(settings, config)
    return run(config, observations, registry, lake_version=version, now=instant, say=say)


def backtest(
    lake_version: LakeVersion = None,
    now: Now = None,
    out_file: Annotated[
        Path | None, typer.Option("--out", help="Write every scored answer to this Parquet file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay the last year, origin by origin, score it beside the baselines, record it in MLflow.

    Example: afflux backtest --out answers.parquet
    """
    from forecast.training.report import backtest as run
    from forecast.training.retrain import record_backtest

    settings, out_file = context.settings(), context.output(out_file)
    config = settings.run_config()
    observations, version, instant = _observations(settings, lake_version, now)
    with Steps().step("backtest") as say:
        report = run(config, observations, instant, say)
        say("record")
        run_id = record_backtest(report, context.registry(settings, config), version)
    if out_file is not None:
        report.rows.to_parquet(out_file)
    if as_json:
        print_json(
            {
                "run": run_id,
                "perfect_weather": report.backtest.perfect_weather,
                "simulated": report.backtest.simulated,
                "scores": report.scores.reset_index().to_dict("records"),
                "levels": report.levels.scores.reset_index().to_dict("records"),
                "members": report.members(),
            }
        )
        return
    print_report(report)


def promote(
    version: Annotated[
        str | None, typer.Argument(help="Version to promote; default: the candidate.")
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Overrule the gate; needs --reason.")
    ] = False,
    reason: Annotated[
        str, typer.Option("--reason", help="Why the gate is overruled; kept with the version.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a version the champion, if the gate let it pass, and it can be loaded and answers.

    Example: afflux promote 3
    """
    if force != bool(reason.strip()):
        raise InputError("--force and --reason TEXT go together: say why the gate is overruled")
    settings = context.settings()
    registry = context.registry(settings, settings.run_config())
    decision = registry.find(version).decision
    if not as_json and decision is not None:
        print_decision(decision)
    done = registry.promote(version, reason=reason.strip())
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
        print_json([_facts(version) for version in found])
        return
    if not found:
        note("no model yet: run `afflux train`")
        return
    table = Table(box=None, pad_edge=False)
    for title in ("", "created (UTC)", "alias", "WAPE", "held", "gate", "lake", "marks"):
        table.add_column(title, no_wrap=True)
    for version in found:
        marks = ["simulated"] * version.simulated + ["perfect weather"] * version.perfect_weather
        table.add_row(
            version.version,
            f"{version.created:%Y-%m-%d %H:%M}",
            ", ".join([*version.aliases, *(["served"] if version.served else [])]),
            _percent(version.metrics.get("wape")),
            _percent(version.metrics.get("coverage_80")),
            _gate(version),
            version.lake_version,
            ", ".join(marks),
        )
    out.print(table)


def _observations(
    settings: Settings, version: int | None, now: str | None
) -> tuple[pd.DataFrame, int, pd.Timestamp]:
    """Rows of a version of the lake, its number, and the instant they are read at.

    That instant is the latest at which any of them could be read, so that it depends on the
    version alone; the clock only keeps out what is still to come.
    """
    lake, config = context.lake(settings), settings.run_config()
    number = lake.version() if version is None else version
    instant = context.instant(now, config, "--now")
    rows = lake.read(zones=[zone.id for zone in config.zones], version=version, known_at=instant)
    if now is None and len(rows):
        instant = min(instant, rows["available_at"].max())
    return rows, number, instant


def _say_promotion(done: Any, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"version": done.version, "previous": done.previous})
        return
    before = f" (before: version {done.previous})" if done.previous else ""
    out.print(f"{what}: version {done.version} is champion{before}")


def _facts(version: ModelVersion) -> dict[str, Any]:
    decision = version.decision.as_dict() if version.decision else None
    return version.__dict__ | {"metrics": dict(version.metrics), "decision": decision}


def _gate(version: ModelVersion) -> str:
    if version.forced:
        return "forced"
    if version.decision is None:
        return "none"
    return "passed" if version.decision.passed else "failed"


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1%}"
