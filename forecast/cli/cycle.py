"""The verb run: one whole cycle, for cron, a systemd timer or `afflux serve --refresh`."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from forecast.cli import context
from forecast.cli.console import Steps, complain, out, print_json
from forecast.cli.data import AsJson, ingest_into
from forecast.cli.lock import only_one
from forecast.cli.outcome import Cycle
from forecast.errors import ConfigError, ProviderError
from forecast.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from forecast.came_true import CameTrue, Previous
    from forecast.config import RunConfig
    from forecast.ingest.configured import Configured
    from forecast.ingest.fetching import Fetcher

    Asked = tuple[Fetcher, tuple[Configured, ...]]

T = TypeVar("T")

LOCK = "run.lock"
"""File under ``data/`` that one cycle at a time holds."""


def add_to(app: typer.Typer) -> None:
    """Register this verb."""
    app.command()(run)


def run(
    inbox: Annotated[
        Path | None,
        typer.Option(envvar="AFFLUX_INBOX", help="Folder where people put files; ingested first."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run one cycle: ingest what is due, publish, score what has come true.

    It says in one line what it did. Whatever fails is said at the end, with
    exit status 1, and stops nothing else: a publication is made of what is
    there. Two cycles never run at once: the second ends, with exit status 1.

    Example: afflux run --inbox /srv/afflux/depot
    """
    settings, now = context.settings(), context.now()
    if inbox is None:
        settings.config_path()  # a folder that is no home is left as it is
    with only_one(settings.home / "data" / LOCK, f"{now:%Y-%m-%dT%H:%M:%SZ}"):
        done = run_cycle(settings, inbox)
    if as_json:
        print_json(done.facts())
    else:
        out.print(done.line(), soft_wrap=True, markup=False)
    for name, error in done.failed.items():
        complain(f"{name}: {error}")
    if done.failed:
        raise typer.Exit(1)


def run_cycle(settings: Settings, inbox: Path | None) -> Cycle:
    """One cycle in this home; what fails is in the result, and stops nothing else.

    Raises
    ------
    ConfigError
        If the home has no configuration that can be read: nothing can be done then.
    """
    from forecast.came_true import previous_forecast

    done, steps = Cycle(), Steps()

    def step(name: str, act: Callable[[Any], T]) -> T | None:
        return done.attempt(name, act, steps)

    if inbox is not None:
        step("inbox", lambda say: _ingest(inbox, settings, done, say))
    try:
        config = settings.run_config()
    except ConfigError as error:
        raise ConfigError("; ".join([*done.failed.values(), str(error)])) from error
    if config.providers:
        found = step("providers", lambda _: _due(settings, config, done))
        if found is not None:
            runner, asked = found
            for one in asked:
                step(one.name, partial(_fetch, runner, one, done))
    now = context.now()
    previous = step("previous", lambda _: previous_forecast(context.lake(settings), now))
    done.publication = step("publish", lambda _: _publish(settings, config, now))
    if done.publication is not None:
        done.notices = step("webhooks", lambda _: _notify(settings)) or {}
    if "previous" not in done.failed:
        done.score = step("score", lambda _: _score(settings, config, previous, now))
    return done


def _ingest(inbox: Path, settings: Settings, done: Cycle, say: Any) -> None:
    if not inbox.is_dir():
        raise ConfigError(f"{inbox}: is not a folder; expected the one where people put files")
    if not any(path.is_file() and path.suffix != ".toml" for path in inbox.glob("[!.]*")):
        say("empty")
        return
    result = ingest_into(inbox, settings, say=say)
    done.new += result["new"]
    done.revised += result["revised"]


def _due(settings: Settings, config: RunConfig, done: Cycle) -> Asked:
    """What asks the providers, and those whose next try has come."""
    from forecast.cli.fetch import fetcher
    from forecast.ingest.configured import enabled, examined
    from forecast.ingest.fetching import due

    known = examined(config, str(settings.config_path()))
    done.wrong = list(known.wrong)
    done.failed |= known.wrong
    runner, wanted = fetcher(settings, config), enabled(known.valid)
    asked = due(wanted, runner.fetches, context.now())
    done.providers = [one.name for one in asked]
    done.waiting = [one.name for one in wanted if one not in asked]
    return runner, asked


def _fetch(runner: Fetcher, one: Configured, done: Cycle, say: Any) -> None:
    found = runner.run(one, runner.span(one), say)
    done.new += found.new
    done.revised += found.revised
    done.refused += found.refused_rows
    done.unplaced += sum(found.unplaced.values())
    if found.errors:
        more = len(found.errors) - 1
        raise ProviderError(found.errors[0] + (f" (and {more} more)" if more else ""))


def _publish(settings: Settings, config: RunConfig, now: pd.Timestamp) -> str:
    from forecast.serving.publish import publish

    providers = context.provider_statuses(settings, config)
    return publish(now, now, config, settings, providers).folder.name


def _notify(settings: Settings) -> dict[str, int]:
    from forecast.cli.notify import tell_webhooks

    return tell_webhooks(settings)


def _score(
    settings: Settings, config: RunConfig, previous: Previous | None, now: pd.Timestamp
) -> CameTrue:
    from forecast.came_true import came_true
    from forecast.serving.publish import training_instants

    trained_at = training_instants(settings.models)
    return came_true(context.lake(settings), config, previous, now, trained_at)
