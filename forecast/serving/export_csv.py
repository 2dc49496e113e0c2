"""Answers as CSV, for spreadsheets, and the Table Schema that describes it.

In French, columns are set apart by semicolons, decimals by commas, and a byte order mark tells
Excel that it is UTF-8. Text that a spreadsheet would take for a formula gets an apostrophe before
it (OWASP, CSV injection). This module runs in the serving process: the standard library only.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from forecast.serving.listing import LEVELS, freshness

MEDIA_TYPE = "text/csv; charset=utf-8"
ENGLISH, FRENCH = "en", "fr"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")

Row = Mapping[str, Any]

_BEFORE = (1, 3, 7)
_RUN = (
    *("origin", "published_at", "model_version", "lake_version", "sources"),
    *("unit", "licence", "attribution", "simulated"),
)
HISTORY_COLUMNS = (
    *("zone_id", "zone_name", "target_date", "observed", "observed_level"),
    *(
        f"{name}_{days}d"
        for days in _BEFORE
        for name in ("influx_p10", "influx_p50", "influx_p90", "level", "horizon_days", "basis")
    ),
    *("regime", *_RUN),
)
"""Columns of :func:`history_rows`; ``regime`` and what follows are the publication's."""


def forecast_rows(records: Iterable[Row], about: Row, quantiles: Sequence[str]) -> list[Row]:
    """Forecasts as flat rows; each says the run it comes from, so that a file stands alone."""
    run = _run(about)
    rows: list[Row] = [
        {
            **{name: record[name] for name in ("zone_id", "zone_name", "target_date")},
            "horizon_days": record["horizon_days"],
            **{f"influx_{name}": record["influx"][name] for name in quantiles},
            "level": record["level"],
            **{
                f"probability_{level}": (record["level_probabilities"] or {}).get(level)
                for level in LEVELS
            },
            "reference": record["reference"],
            "usual": record["usual"],
            "why": record["why"],
            "regime": record["regime"],
            **run,
        }
        for record in records
    ]
    return rows


def history_rows(zone: Row, records: Iterable[Row], about: Row) -> list[Row]:
    """Past days as flat rows: what was observed, and what had been said 1, 3 and 7 days before."""
    rows: list[Row] = []
    run = {"regime": about["regime"], **_run(about)}
    for record in records:
        said = {entry["days_before"]: entry for entry in record["said"]}
        row = {"zone_id": zone["zone_id"], "zone_name": zone["zone_name"]}
        row |= {name: record[name] for name in ("target_date", "observed", "observed_level")}
        for days in _BEFORE:
            entry = said.get(days)
            for name in ("p10", "p50", "p90"):
                row[f"influx_{name}_{days}d"] = entry["influx"].get(name) if entry else None
            for name in ("level", "horizon_days", "basis"):
                row[f"{name}_{days}d"] = entry[name] if entry else None
        rows.append({**row, **run})
    return rows


def _run(about: Row) -> dict[str, Any]:
    return {name: freshness(about) if name == "sources" else about[name] for name in _RUN}


def to_csv(rows: Sequence[Row], columns: Sequence[str], locale: str = ENGLISH) -> bytes:
    """These columns of the rows as CSV (RFC 4180), with a header."""
    french = locale == FRENCH
    text = io.StringIO()
    writer = csv.writer(text, delimiter=";" if french else ",", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_cell(row[name], french) for name in columns] for row in rows)
    return text.getvalue().encode("utf-8-sig" if french else "utf-8")


def _cell(value: Any, french: bool) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return str(value).replace(".", ",") if french else str(value)
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA) else text


def forecast_fields(quantiles: Sequence[str], max_horizon: int) -> list[dict[str, Any]]:
    """The columns of :func:`forecast_rows`, as Table Schema describes them."""
    number = {"type": "integer", "constraints": {"minimum": 0}}
    share = {"type": "number", "constraints": {"minimum": 0, "maximum": 1}}
    required = {"required": True}
    persons = "visitors per day"
    return [
        _field("zone_id", "Zone; for an intercommunality its SIREN", constraints=required),
        _field("zone_name", "Name of the zone", constraints=required),
        _field("target_date", "Civil day forecast", type="date", constraints=required),
        _field(
            "horizon_days",
            "target_date minus the local date of origin [d]",
            type="integer",
            constraints={**required, "minimum": 0, "maximum": max_horizon},
        ),
        *(_field(f"influx_{q}", f"Quantile {q} of influx [{persons}]", **number)
          for q in quantiles),
        _field(
            "level",
            "Most severe level reached with probability one half or more; empty without reference",
            constraints={"enum": list(LEVELS)},
        ),
        *(_field(f"probability_{level}", f"Probability of {level} [1]", **share)
          for level in LEVELS),
        _field("reference", "What the level is measured against"),
        _field("usual", f"Usual influx of such a day [{persons}]", **number),
        _field("why", "The largest contributions, in French"),
        _field("regime", "Sources that were fresh for this forecast"),
        _field("origin", "Instant at which the forecast was made [UTC]", type="datetime"),
        _field("published_at", "Instant at which it was published [UTC]", type="datetime"),
        _field("model_version", "Model that answered"),
        _field("lake_version", "Version of the observations it read", type="integer"),
        _field("sources", "Each source:newest_date:missed_runs, set apart by spaces"),
        _field("unit", "Unit of influx and usual"),
        _field("licence", "Licence of the forecasts"),
        _field("attribution", "Credit to show with them"),
        _field("simulated", "Whether the observations are simulated", type="boolean"),
    ]  # fmt: skip


def _field(name: str, description: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "string", "description": description, **more}


def table_schema(quantiles: Sequence[str], max_horizon: int) -> dict[str, Any]:
    """The Table Schema (Frictionless, v1) of ``/v1/forecasts.csv`` without ``locale``."""
    return {
        "$schema": "https://specs.frictionlessdata.io/schemas/table-schema.json",
        "name": "afflux-forecasts",
        "title": "Prévisions d'affluence touristique par zone et par jour",
        "description": "One row is the forecast of one zone for one civil day.",
        "encoding": "utf-8",
        "delimiter": ",",
        "fields": forecast_fields(quantiles, max_horizon),
        "missingValues": [""],
        "primaryKey": ["zone_id", "target_date"],
    }
