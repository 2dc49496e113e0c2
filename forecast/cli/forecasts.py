"""Verbs about forecasts: predict, publish, serve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from forecast.cli import context
from forecast.cli.console import Steps, err, note, out, print_json
from forecast.cli.data import AsJson

if TYPE_CHECKING:
    from forecast.config import RunConfig
    from forecast.predict import Answer

Origin = Annotated[
    str | None, typer.Option(help="Instant of the forecast, ISO 8601; default: now.")
]
_COLOURS = {"vert": "green", "orange": "dark_orange", "rouge": "red", "noir": "bold reverse"}


def add_to(app: typer.Typer) -> None:
    """Register these verbs."""
    for verb in (predict, publish, serve):
        app.command()(verb)


def predict(
    weekend: Annotated[
        bool, typer.Option("--weekend", help="Only the coming Friday to Sunday.")
    ] = False,
    origin: Origin = None,
    as_json: AsJson = False,
) -> None:
    """Print the forecast of every zone, in French; nothing is stored.

    Example: afflux predict --weekend
    """
    from forecast.serving.publish import predict_at

    settings = context.settings()
    config = settings.run_config()
    with err.status("forecast …"):
        answer, _ = predict_at(context.instant(origin, config), config, settings)
    if weekend:
        answer = weekend_of(answer, config)
    if as_json:
        print_json(answer.forecasts.to_dict("records"))
    else:
        print_answer(answer, config)


def publish(origin: Origin = None, as_json: AsJson = False) -> None:
    """Forecast days 0 to 14 of every zone, keep the answers, and write what the server serves.

    Example: afflux publish
    """
    from forecast.cli.notify import tell_webhooks
    from forecast.serving.publish import publish as run

    settings = context.settings()
    config = settings.run_config()
    with Steps().step("publish"):
        providers = context.provider_statuses(settings, config)
        done = run(context.instant(origin, config), context.now(), config, settings, providers)
    facts = {
        "publication": done.folder.name,
        "forecasts": len(done.answer.forecasts),
        "unanswered": list(done.answer.unanswered),
        "regime": str(done.answer.forecasts["regime"].iloc[0]),
        "notices": tell_webhooks(settings),
    }
    if as_json:
        print_json(facts)
        return
    out.print(
        f"publication {facts['publication']}: {facts['forecasts']} forecasts\n"
        f"fresh sources: {facts['regime']}"
    )
    _say_apart(done.answer, config)


def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.")] = 8000,
    root_path: Annotated[str, typer.Option(help="Path prefix behind a reverse proxy.")] = "",
    workers: Annotated[int, typer.Option(min=1, help="Server processes.")] = 1,
    refresh: Annotated[
        str | None, typer.Option(help="Also run a cycle (afflux run) so often: 60m, 6h, 1d.")
    ] = None,
) -> None:
    """Serve the current publication until Ctrl-C; a new one is taken up without restart.

    Example: afflux serve --port 8000 --refresh 60m
    """
    from forecast.cli.start import start

    start(host, port, root_path, workers, refresh)


def weekend_of(answer: Answer, config: RunConfig) -> Answer:
    """Only the coming Friday to Sunday, as the API understands it."""
    from dataclasses import replace

    from forecast.serving.records import weekend_days

    origin = answer.forecasts["origin"].iloc[0].tz_convert(config.timezone)
    days = [day.isoformat() for day in weekend_days(origin.date())]
    dates = answer.forecasts["target_date"].dt.strftime("%Y-%m-%d")
    return replace(answer, forecasts=answer.forecasts[dates.isin(days)])


def print_answer(answer: Answer, config: RunConfig) -> None:
    """Print forecasts for people: expected visitors, 8 chances in 10, what is usual, level."""
    from forecast import french

    forecasts = answer.forecasts
    local = forecasts["origin"].iloc[0].tz_convert(config.timezone)
    made = f"{french.day_name(local.date())} à {french.clock(local)}"
    table = Table(
        title=f"{config.name}\nVisiteurs attendus par jour, prévision du {made}",
        title_style="bold",
        box=None,
        pad_edge=False,
        padding=(0, 0, 0, 1),
    )
    table.add_column("", no_wrap=True)
    for title in ("Attendus", "8 chances sur 10", "D'ordinaire"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("Niveau", no_wrap=True)
    names = {zone.id: zone.name for zone in config.zones}
    for zone_id, rows in forecasts.groupby("zone_id", sort=False):
        table.add_row(f"[bold]{escape(names[str(zone_id)])}[/]")
        for row in rows.to_dict("records"):
            table.add_row(*_cells(row))
        table.add_section()
    out.print(table)
    _print_sources(answer)
    _say_apart(answer, config)


def _cells(row: dict[Any, Any]) -> tuple[str, ...]:
    from forecast import french

    low, median, high = (row[f"influx_{q}"] for q in ("p10", "p50", "p90"))
    step = french.rounding_step(low, high)
    level, usual = row["level"], row["usual"]
    return (
        f"  {french.day_name(row['target_date'].date())}",
        french.rounded(median, step),
        f"{french.rounded(low, step)} à {french.rounded(high, step)}",
        french.rounded(usual, step) if usual == usual else "—",
        f"[{_COLOURS[level]}]{level}[/]" if isinstance(level, str) else "à venir",
    )


def _print_sources(answer: Answer) -> None:
    from forecast import french

    table = Table(box=None, pad_edge=False)
    for title in ("Source", "Dernière donnée", "État"):
        table.add_column(title)
    for status in answer.sources:
        day = french.day_name(status.newest_date) if status.newest_date else "—"
        if status.source in ("weather_forecast", "events"):
            day = f"jusqu'au {day}"
        state = french.missed(status.missed_runs, fresh=status.fresh)
        table.add_row(
            french.SOURCES[status.source], day, state if status.fresh else f"[red]{state}[/]"
        )
    out.print(table)
    if not all(status.fresh for status in answer.sources):
        out.print("Une source en retard élargit les fourchettes.")


def _say_apart(answer: Answer, config: RunConfig) -> None:
    from forecast.sentence import AT_A_STANDSTILL

    names = {zone.id: zone.name for zone in config.zones}
    for zone_id in answer.unanswered:
        note(f"{names[zone_id]} : aucune fréquentation connue, pas encore de prévision")
    rows = answer.forecasts
    for zone_id in rows.loc[rows["why"] == AT_A_STANDSTILL, "zone_id"].unique():
        note(f"{names[zone_id]} : {AT_A_STANDSTILL}")
