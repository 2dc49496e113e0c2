"""The verb explain: why the forecast of one zone and day is what it is."""

from __future__ import annotations

import textwrap
from datetime import date, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from forecast.cli import context
from forecast.cli.console import err, out, print_json
from forecast.cli.data import AsJson
from forecast.cli.forecasts import Origin
from forecast.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from forecast.config import RunConfig, Zone

_BAR = 24


def add_to(app: typer.Typer) -> None:
    """Register this verb."""
    app.command()(explain)


def explain(
    zone: Annotated[str, typer.Option(help="The zone, by its id or its name.")],
    day: Annotated[str, typer.Option("--date", help="The day forecast, as 2026-05-14.")],
    origin: Origin = None,
    as_json: AsJson = False,
) -> None:
    """Print why a forecast is above or below what is usual, in visitors, in French.

    The figures add up to the forecast minus the usual influx of such a day; nothing is stored.

    Example: afflux explain --zone "Cœur Côte Fleurie" --date 2026-05-16
    """
    from forecast.serving.publish import predict_at

    settings = context.settings()
    config = settings.run_config()
    moment = context.instant(origin, config)
    chosen, target = find_zone(zone, config), find_day(day, moment, config)
    with err.status("forecast …"):
        answer, _ = predict_at(moment, config, settings)
    rows = answer.forecasts
    rows = rows[(rows["zone_id"] == chosen.id) & (rows["target_date"].dt.date == target)]
    if rows.empty:
        raise InputError(
            f"--zone {zone!r}: {chosen.name} has no forecast, because no influx of it is known; "
            "ingest some first"
        )
    row = rows.to_dict("records")[0]
    if as_json:
        print_json(explained(row, chosen))
    else:
        print_explanation(row, chosen, config)


def find_zone(text: str, config: RunConfig) -> Zone:
    """The zone of that id or name, whatever its accents and capitals.

    Raises
    ------
    InputError
        If there is none, or several have that name.
    """
    found = [zone for zone in config.zones if zone.id == text] or [
        zone for zone in config.zones if _plain(zone.name) == _plain(text)
    ]
    if len(found) == 1:
        return found[0]
    known = ", ".join(f"{zone.id} ({zone.name})" for zone in found or config.zones)
    said = "names several zones" if found else "is not a zone"
    raise InputError(f"--zone {text!r} {said} of {config.name}; expected one of {known}")


def find_day(text: str, origin: pd.Timestamp, config: RunConfig) -> date:
    """The civil day, which the forecast of that origin must reach.

    Raises
    ------
    InputError
        If it cannot be read, or is out of reach.
    """
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InputError(f"--date {text!r} is not a date; expected one like 2026-05-14") from error
    first = origin.tz_convert(config.timezone).date()
    last = first + timedelta(days=config.max_horizon_days)
    if not first <= day <= last:
        raise InputError(
            f"--date {text} is out of reach of the forecast of {first}; expected {first} to {last}"
            " (another origin reaches other days: --origin)"
        )
    return day


def _plain(name: str) -> str:
    """Without accents, ligatures, capitals and double spaces.

    >>> _plain("Cœur  Côte Fleurie")
    'coeur cote fleurie'
    """
    import unicodedata

    letters = unicodedata.normalize("NFKD", name.casefold().replace("œ", "oe").replace("æ", "ae"))
    return " ".join("".join(c for c in letters if not unicodedata.combining(c)).split())


def explained(row: dict[Any, Any], zone: Zone) -> dict[str, Any]:
    """One forecast and its causes, in persons, for a machine."""
    from forecast.tables import contribution_name

    start = contribution_name("")
    causes = {k.removeprefix(start): v for k, v in row.items() if k.startswith(start)}
    return {
        "zone_id": zone.id,
        "zone_name": zone.name,
        "target_date": row["target_date"],
        "origin": row["origin"],
        "influx": {k.removeprefix("influx_"): v for k, v in row.items() if k.startswith("influx_")},
        "usual": row["usual"],
        "reference": row["influx_p50"] - sum(causes.values()),
        "contributions": causes,
        "difference": sum(causes.values()),
        "why": row["why"],
    }


def print_explanation(row: dict[Any, Any], zone: Zone, config: RunConfig) -> None:
    """The forecast, what is usual, a line for each domain, the sum and the sentence."""
    from forecast import french
    from forecast.sentence import LABELS, signed
    from forecast.serving.records import contributions

    local = row["origin"].tz_convert(config.timezone)
    out.print(
        f"[bold]{escape(zone.name)}, {french.day_name(row['target_date'].date())}[/]\n"
        f"prévision du {french.day_name(local.date())} à {french.clock(local)}"
        f"{', données simulées' if config.simulated else ''}",
        soft_wrap=True,
    )
    causes = contributions(row) or {}
    total = sum(causes.values())
    usual = row["usual"] == row["usual"]
    low, median, high = (french.number(row[f"influx_{q}"]) for q in ("p10", "p50", "p90"))
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_row("Visiteurs attendus", median, f"8 chances sur 10 : {low} à {high}")
    table.add_row(
        "D'ordinaire" if usual else "Ces dernières semaines",
        french.number(round(row["influx_p50"]) - total),
    )
    table.add_section()
    scale = max([*map(abs, causes.values()), 1])
    for domain, persons in sorted(causes.items(), key=lambda cause: -abs(cause[1])):
        bar = "█" * round(_BAR * abs(persons) / scale)
        colour = "green" if persons > 0 else "red"
        label = LABELS.get(domain, domain)
        table.add_row(f"  {escape(label)}", signed(persons), f"[{colour}]{bar}[/]")
    table.add_section()
    table.add_row("Écart", signed(total))
    out.print(table)
    # Rich would break lines at no-break spaces.
    out.print(escape(textwrap.fill(row["why"], out.width)), soft_wrap=True)
