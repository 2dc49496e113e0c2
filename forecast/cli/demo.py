"""The verb demo: the whole path on a simulated estuary, from files to a served forecast."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from forecast.cli import context
from forecast.cli.console import Steps, out
from forecast.errors import ConfigError
from forecast.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Register this verb."""
    app.command()(demo)


def demo(
    serve: Annotated[
        bool, typer.Option("--serve/--no-serve", help="End by serving until Ctrl-C.")
    ] = True,
    port: Annotated[int, typer.Option(help="Port to serve on.")] = 8000,
    home: Annotated[
        Path | None, typer.Option(help="Where to put it; default: demo/ under AFFLUX_HOME.")
    ] = None,
    years: Annotated[int, typer.Option(min=3, max=10, help="Years of history.")] = 5,
) -> None:
    """Simulate the estuary, ingest, train, promote, publish, print the weekend, serve.

    Every figure it shows is labelled simulated. It starts anew each time, in a folder of its own,
    and touches nothing else.

    Example: afflux demo --no-serve
    """
    from forecast.cli import data, forecasts, models, report
    from forecast.config import read_config
    from forecast.demo import last_morning, simulate
    from forecast.serving.publish import publish

    here = context.settings()
    config_path = here.configs / "estuaire.toml"
    if not config_path.is_file():
        raise ConfigError(
            f"{config_path}: not found; run the demo from a checkout of Afflux, or set AFFLUX_HOME"
        )
    folder = (home or here.home / "demo").absolute()
    _start_anew(folder)
    settings = Settings(home=folder, lake=str(folder / "data" / "lake"), config=None)
    os.environ.update(AFFLUX_HOME=str(folder), AFFLUX_LAKE=settings.lake)
    os.environ.pop("AFFLUX_CONFIG", None)
    template, steps = read_config(config_path), Steps()
    today = last_morning(context.now(), template)
    with steps.step("simulate the estuary") as say:
        simulate(folder / "input", template, today=today, years=years, progress=say)
    with steps.step("check and ingest") as say:
        data.ingest_into(folder / "input", settings, say=say)
    with steps.step("train") as say:
        trained = models.train_in(settings, None, say)
    config = settings.run_config()
    with steps.step("promote"):
        context.registry(settings, config).promote()
    with steps.step("publish"):
        now = context.now()
        done = publish(now, now, config, settings)
    report.print_report(trained.report)
    report.print_decision(trained.decision)
    out.print()
    forecasts.print_answer(forecasts.weekend_of(done.answer, config), config)
    out.print(
        f"\nDonnées simulées. Tout est dans {folder} ; MLflow : "
        f"mlflow ui --backend-store-uri sqlite:///{folder}/models/mlflow.db",
        soft_wrap=True,
    )
    if serve:
        # On this machine alone, for whoever runs the demo: nobody has a key yet.
        os.environ.setdefault("AFFLUX_OPEN_SCOPES", "scenarios")
        forecasts.serve(port=port)


def _start_anew(folder: Path) -> None:
    """Remove what an earlier demo left; refuse a folder that is not a demo's.

    Raises
    ------
    ConfigError
        If the folder holds anything a demo did not make.
    """
    mark = folder / ".afflux-demo"
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise ConfigError(f"{folder}: is not empty and no demo made it; choose another with --home")
    if mark.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    mark.write_text("This folder is made anew by `afflux demo`.\n", encoding="utf-8")
