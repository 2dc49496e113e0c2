"""The verb sources: how fresh each source is, and how each provider's tries ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer
from rich.table import Table

from forecast.cli import context
from forecast.cli.console import complain, err, out, print_json
from forecast.cli.data import AsJson

if TYPE_CHECKING:
    import pandas as pd

    from forecast.config import RunConfig
    from forecast.ingest.configured import Configured
    from forecast.settings import Settings


def add_to(app: typer.Typer) -> None:
    """Register this verb."""
    app.command()(sources)


def sources(as_json: AsJson = False) -> None:
    """Say how fresh each source is, what it missed, and when it is asked next.

    Lateness is counted in missed runs: days that a source should have
    delivered, tries that a provider should have brought to an end. A
    provider that is wrongly configured is named at the end, with exit
    status 2.

    Example: afflux sources --json
    """
    from forecast.ingest.configured import examined

    settings = context.settings()
    config = settings.run_config()
    known = examined(config, str(settings.config_path()))
    with err.status("sources …"):
        report = sources_report(settings, config, known.valid, context.now())
    if as_json:
        print_json(report)
    else:
        _show(report, config)
    for problem in known.wrong.values():
        complain(problem)
    if known.wrong:
        raise typer.Exit(2)


def _show(report: list[dict[str, Any]], config: RunConfig) -> None:
    out.print(_table_of_sources(report))
    providers = {p["name"]: p for entry in report for p in entry["providers"]}
    if not providers:
        why = "the territory is simulated" if config.simulated else "see docs/sources.md"
        out.print(f"No provider is configured ({why}).")
        return
    out.print(_table_of_providers(list(providers.values())))
    for provider in providers.values():
        if provider["last_error"]:
            out.print(f"{provider['name']}: {provider['last_error']}", soft_wrap=True, markup=False)


def sources_report(
    settings: Settings, config: RunConfig, known: Sequence[Configured], now: pd.Timestamp
) -> list[dict[str, Any]]:
    """The report on this home's sources; see :func:`forecast.source_report.source_report`."""
    from forecast.ingest.standing import standings
    from forecast.ingest.state import Fetches
    from forecast.source_report import lake_statuses, source_report

    statuses = lake_statuses(context.lake(settings), config, now)
    return source_report(config, statuses, standings(known, Fetches(settings.fetches)), now)


def _table_of_sources(report: list[dict[str, Any]]) -> Table:
    table = _table("source", "newest day", "read (UTC)", "promises", "missed", "next try (UTC)")
    for entry in report:
        missed = "no data" if entry["missed_runs"] is None else str(entry["missed_runs"])
        table.add_row(
            entry["source"],
            entry["newest_date"] or "—",
            _minute(entry["read_at"]),
            f"{entry['promised_delay_hours']:g} h",
            missed if entry["fresh"] else f"[red]{missed}[/]",
            _minute(entry["next_try_at"]),
        )
    return table


def _table_of_providers(providers: list[dict[str, Any]]) -> Table:
    table = _table("provider", "newest day", "success (UTC)", "every", "missed", "next try (UTC)")
    for entry in providers:
        missed = entry["missed_runs"]
        text = "never" if missed is None else str(missed)
        table.add_row(
            entry["name"],
            entry["newest_date"] or "—",
            _minute(entry["last_success_at"]),
            f"{entry['every_hours']:g} h",
            f"[red]{text}[/]" if missed else text,
            _minute(entry["next_try_at"]) if entry["enabled"] else "off",
        )
    return table


def _table(*titles: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    for title in titles:
        right = title in ("promises", "every", "missed")
        table.add_column(title, justify="right" if right else "left")
    return table


def _minute(instant: str | None) -> str:
    return "—" if instant is None else instant[:16].replace("T", " ")
