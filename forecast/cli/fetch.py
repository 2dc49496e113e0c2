"""The verb ingest: what is in a folder, or what the configured providers give."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from forecast.cli import context, data
from forecast.cli.console import Steps, complain, out, print_json
from forecast.errors import InputError
from forecast.settings import Settings

if TYPE_CHECKING:
    from forecast.config import RunConfig
    from forecast.ingest.configured import Configured
    from forecast.ingest.fetching import Fetched, Fetcher

_SHOWN = 5
"""Refused rows, notes and places that are printed of each provider; --json gives more."""


def add_to(app: typer.Typer) -> None:
    """Register this verb."""
    app.command()(ingest)


def ingest(
    what: Annotated[
        str | None,
        typer.Argument(help="Folder of input files, or name of a configured provider."),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="Fetch from every enabled provider of the configuration.")
    ] = False,
    since: Annotated[
        str | None,
        typer.Option(help="First civil day to fetch; default: history_days of the provider ago."),
    ] = None,
    until: Annotated[
        str | None, typer.Option(help="Last civil day to fetch; default: today.")
    ] = None,
    skip_bad_rows: Annotated[
        bool,
        typer.Option("--skip-bad-rows", help="Of a folder, take the good rows and count the bad."),
    ] = False,
    as_json: data.AsJson = False,
) -> None:
    """Store what a folder holds, all or nothing, or what a provider gives; twice changes nothing.

    A folder is checked first. From a provider, what is stored and settled is not fetched again,
    rows that cannot be used are left out and shown. With --all, a provider that fails or is
    wrongly configured does not stop the others: it is named at the end, with exit status 1.

    Example: afflux ingest ~/depot-mensuel
    """
    settings = context.settings()
    if every == (what is not None):
        raise InputError("say what to ingest: a folder, a provider's name, or --all")
    folder = None if what is None else _folder(what, settings)
    if folder is not None:
        if since or until:
            raise InputError("--since and --until are for providers; a folder is taken whole")
        _ingest_folder(folder, settings, skip_bad_rows, as_json)
        return
    if skip_bad_rows:
        raise InputError(
            "--skip-bad-rows is for folders; bad rows of providers are always left out"
        )
    from forecast.ingest.configured import enabled, examined, named

    config, steps = settings.run_config(), Steps()
    known = examined(config, str(settings.config_path()))
    chosen = enabled(known.valid) if what is None else (named(known, what),)
    wrong = known.wrong if what is None else {}
    results = fetch(fetcher(settings, config), chosen, steps, since=since, until=until)
    if as_json:
        found = [as_dict(found) for found in results]
        print_json({"providers": found, "wrong": wrong, "seconds": steps.times})
    else:
        show(results)
    for problem in wrong.values():
        complain(problem)
    if wrong or any(not found.ok for found in results):
        raise typer.Exit(1 if every else results[0].exit_code)


def fetcher(settings: Settings, config: RunConfig) -> Fetcher:
    """What runs the providers of this home.

    Raises
    ------
    ConfigError
        If the files of communes or outlines that the configuration names cannot be used.
    """
    from forecast.ingest.fetching import Fetcher
    from forecast.ingest.places import Places
    from forecast.ingest.samples import Samples
    from forecast.ingest.state import Fetches

    return Fetcher(
        config=config,
        places=Places.of(config, settings.config_path().parent),
        lake=context.lake(settings),
        fetches=Fetches(settings.fetches),
        samples=Samples(settings.samples),
        clock=context.now,
    )


def fetch(
    runner: Fetcher,
    chosen: Sequence[Configured],
    steps: Steps,
    *,
    since: str | None = None,
    until: str | None = None,
) -> list[Fetched]:
    """Run providers one after the other, whatever becomes of each.

    Raises
    ------
    InputError
        If ``since`` or ``until`` is no day, before anything is fetched.
    """
    spans = [runner.span(one, since, until) for one in chosen]
    results = []
    for one, span in zip(chosen, spans, strict=True):
        with steps.step(one.name) as say:
            results.append(runner.run(one, span, say))
    return results


def show(results: Sequence[Fetched]) -> None:
    """Print what became of each provider; failures last, to standard error."""
    for found in results:
        before = f" ({found.skipped} stored before)" if found.skipped else ""
        newest = f"; newest day {found.newest}" if found.newest else ""
        given = ", ".join(f"{source} {n:,}" for source, n in sorted(found.observations.items()))
        out.print(
            f"{found.name:<20} {_many(found.pieces, 'piece')}{before}: "
            f"{_many(found.new, 'new observation')}, "
            f"{found.known:,} already known, {found.revised:,} revised"
            f"{f' (given: {given})' if given else ''}{newest}",
            soft_wrap=True,
            markup=False,
        )
        if found.unplaced:
            total = sum(found.unplaced.values())
            _list(f"{_many(total, 'row')} in no zone", _places(found.unplaced))
        if found.refused_rows:
            _list(f"{_many(found.refused_rows, 'row')} refused", found.refused, found.refused_rows)
        _list("", found.notes)
    if not results:
        out.print("no provider was asked: none is enabled in the configuration")
    for found in results:
        for error in found.errors:
            complain(f"{found.name}: {error}")


def as_dict(found: Fetched) -> dict[str, Any]:
    """What became of a provider, for a JSON document."""
    return {**vars(found), "ok": found.ok}


def _places(unplaced: Counter[str]) -> list[str]:
    return [f"{place or '(no place)'}: {rows:,}" for place, rows in unplaced.most_common()]


def _many(number: int, thing: str) -> str:
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def _list(title: str, lines: Sequence[str], total: int | None = None) -> None:
    """A title and the first lines under it, and how many there are besides."""
    if title:
        out.print(f"  {title}", soft_wrap=True, markup=False)
    for line in lines[:_SHOWN]:
        out.print(f"    {line}", soft_wrap=True, markup=False)
    rest = (total or len(lines)) - _SHOWN
    if rest > 0:
        out.print(f"    … and {rest:,} more", markup=False)


def _folder(what: str, settings: Settings) -> Path | None:
    """The folder that is meant; None if it is a provider.

    Raises
    ------
    InputError
        If it is neither, or both.
    """
    path = Path(what)
    if path.is_absolute() or len(path.parts) > 1 or what.startswith("."):
        return path
    none_yet = settings.config is None and not list(settings.configs.glob("*.toml"))
    names = list(() if none_yet else settings.run_config().providers)
    if path.is_dir() and what in names:
        raise InputError(
            f"{what} is a folder here and a configured provider: write ./{what} for the folder, or "
            "run the command elsewhere for the provider"
        )
    if path.is_dir():
        return path
    if what not in names:
        raise InputError(
            f"{what!r} is neither a folder nor a configured provider; configured: "
            f"{', '.join(names) or 'none'}"
        )
    return None


def _ingest_folder(folder: Path, settings: Settings, skip_bad_rows: bool, as_json: bool) -> None:
    steps = Steps()
    with steps.step("ingest") as say:
        done = data.ingest_into(folder, settings, skip_bad_rows=skip_bad_rows, say=say)
    if as_json:
        print_json({**done, "seconds": steps.times})
        return
    for source, rows in done["rows"].items():
        skipped = done["skipped"][source]
        left_out = f", {skipped:,} refused and left out" if skipped else ""
        counts = done["observations"].get(source, {})
        told = ", ".join(f"{counts[word]:,} {word}" for word in counts if counts[word])
        made = f"; observations: {told}" if told else ""
        out.print(f"{source:<18} {rows:>10,} rows{left_out}{made}", soft_wrap=True)
    out.print(
        f"{done['new']:,} new observations, {done['known']:,} already known, "
        f"{done['revised']:,} revised; lake version {done['version']}"
    )
