"""The files of a publication: every usual answer in every format, made once.

A :class:`File` says which paths it answers. Whoever adds an answer adds a file here: the server
needs to know nothing of it.
"""

from __future__ import annotations

import io
import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.config import RunConfig
from forecast.errors import PublicationError
from forecast.grid import local_days
from forecast.serving import changes, export_atom, export_calendar, export_csv, export_geo
from forecast.serving.archive import known_at, names, published_at, read
from forecast.serving.catalogue import MEDIA_TYPE as JSON_LD
from forecast.serving.catalogue import dcat
from forecast.serving.history import zone_histories
from forecast.serving.listing import Listing, to_json, write_lines
from forecast.serving.model_card import model_card
from forecast.serving.reader import Publication
from forecast.serving.records import forecast_records, weekend_days, zone_records
from forecast.serving.scoreboard import scoreboard
from forecast.serving.totals import weekend_totals
from forecast.tables import contribution_name, quantile_name
from forecast.truth import Truth

_log = logging.getLogger(__name__)

PARQUET = "application/vnd.apache.parquet"
CHANGES_SINCE = timedelta(hours=24)
"""How far back changes of level are counted, unless asked otherwise."""


@dataclass(frozen=True)
class File:
    """One file: its bytes, the paths it answers, and how.

    ``lazy`` files are left on disk by the server until they are asked for. ``headers`` are further
    headers of the answer.
    """

    body: bytes
    paths: tuple[str, ...] = ()
    media_type: str = "application/json"
    lazy: bool = False
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Past:
    """What had been said (a record of :mod:`forecast.track_record`) and what came true."""

    record: pd.DataFrame
    truth: Truth


@dataclass(frozen=True)
class Run:
    """One run that is being published: its rows, its configuration, its metadata.

    ``past`` is empty where nothing is known, ``sources`` what is known of each source and its
    providers, ``bundle`` the manifest of the model's bundle, ``geometry`` a GeoJSON collection of
    the zones' outlines.
    """

    rows: pd.DataFrame
    config: RunConfig
    about: Mapping[str, Any]
    past: Past
    sources: Sequence[Mapping[str, Any]]
    bundle: Mapping[str, Any]
    geometry: Mapping[str, Any] | None

    @property
    def quantiles(self) -> list[str]:
        """Names of the quantiles, as ``influx`` has them."""
        return [quantile_name(q).removeprefix("influx_") for q in self.config.quantiles]

    @property
    def today(self) -> int:
        """Local day of the origin [days since 1970-01-01]."""
        origins = pd.DatetimeIndex(self.rows["origin"].iloc[:1])
        return int(local_days(origins, self.config.timezone)[0])


def forecast_files(run: Run) -> tuple[dict[str, File], dict[str, Any]]:
    """Forecasts by zone, of the weekend and of all, and where their lines are."""
    about, config = run.about, run.config
    records = list(forecast_records(run.rows, config))
    zones = list(zone_records(run.rows, config))
    local = run.rows["origin"].iloc[0].tz_convert(config.timezone)
    days = weekend_days(local.date())
    named = [day.isoformat() for day in days]
    weekend = {"start": named[0], "end": named[-1], "days": named, "partial": len(named) < 3}
    totals = weekend_totals(run.rows, run.past.record, config, days)
    files, listings = {}, {}
    for name, head, listed in (
        ("forecasts", {"metadata": about}, records),
        (
            "weekend",
            {"metadata": about, "weekend": weekend, "totals": totals},
            [record for record in records if record["target_date"] in named],
        ),
    ):
        path = "/v1/forecasts" if name == "forecasts" else "/v1/forecasts/weekend"
        body, start, lengths = write_lines(head, "forecasts", listed)
        files[f"{name}.json"] = File(body, (path, f"{path}.json"))
        listings[f"{name}.json"] = Listing.indexed(body, start, lengths, listed).columns()
        files |= dict(_flat(name, path, listed, zones, run))
    parquet = _parquet(run, records)
    files["forecasts.parquet"] = File(parquet, ("/v1/forecasts.parquet",), PARQUET, lazy=True)
    files["forecasts.ics"] = File(
        export_calendar.calendar(records, about),
        ("/v1/forecasts.ics",),
        export_calendar.MEDIA_TYPE,
        lazy=True,
    )
    zone_files = {zone.id: f"zones/{i:04d}.json" for i, zone in enumerate(config.zones)}
    for zone_id, file in zone_files.items():
        own = [record for record in records if record["zone_id"] == zone_id]
        path = f"/v1/zones/{zone_id}/forecasts"
        files[file] = File(
            write_lines({"metadata": about}, "forecasts", own)[0], (path, f"{path}.json")
        )
    body = write_lines({"metadata": about}, "zones", zones)[0]
    files["zones.json"] = File(body, ("/v1/zones", "/v1/zones.json"))
    outlines = export_geo.collection(export_geo.zone_features(zones, run.geometry), about)
    files["zones.geojson"] = File(
        to_json(outlines), ("/v1/zones.geojson",), export_geo.MEDIA_TYPE, lazy=True
    )
    files["dcat.jsonld"] = File(
        to_json(dcat(about, zones)), ("/v1/dcat.jsonld",), JSON_LD, lazy=True
    )
    schema = export_csv.table_schema(run.quantiles, config.max_horizon_days)
    files["schema.json"] = File(to_json(schema), ("/v1/schemas/forecasts.json",), lazy=True)
    return files, {"zone_files": zone_files, "listings": listings}


def _flat(
    name: str,
    path: str,
    records: Sequence[Mapping[str, Any]],
    zones: Sequence[Mapping[str, Any]],
    run: Run,
) -> Iterator[tuple[str, File]]:
    rows = export_csv.forecast_rows(records, run.about, run.quantiles)
    fields = export_csv.forecast_fields(run.quantiles, run.config.max_horizon_days)
    body = export_csv.to_csv(rows, [field["name"] for field in fields])
    link = "schemas/forecasts.json" if name == "forecasts" else "../schemas/forecasts.json"
    headers = (("link", f'<{link}>; rel="describedby"; type="application/json"'),)
    yield (
        f"{name}.csv",
        File(body, (f"{path}.csv",), export_csv.MEDIA_TYPE, lazy=True, headers=headers),
    )
    features = export_geo.zone_features(zones, run.geometry)
    body = to_json(export_geo.collection(export_geo.with_forecasts(features, records), run.about))
    yield f"{name}.geojson", File(body, (f"{path}.geojson",), export_geo.MEDIA_TYPE, lazy=True)


def _parquet(run: Run, records: Sequence[Mapping[str, Any]]) -> bytes:
    """The rows of the forecasts table, with the figures of ``records``; same rows, same bytes."""
    rows = run.rows.drop(columns="_zone").assign(
        zone_name=[record["zone_name"] for record in records],
        usual=pd.array([record["usual"] for record in records], dtype="Int64"),
        **{
            f"influx_{name}": [record["influx"][name] for record in records]
            for name in run.quantiles
        },
        unit=run.about["unit"],
        licence=run.about["licence"],
        attribution=run.about["attribution"],
        simulated=run.about["simulated"],
    )
    for column in rows.columns[rows.columns.str.startswith(contribution_name(""))]:
        domain = column.removeprefix(contribution_name(""))
        told = [(record["contributions"] or {}).get(domain) for record in records]
        rows[column] = pd.array(told, dtype="Int64")
    for column in ("zone_id", "level", "regime", "model_version"):
        rows[column] = rows[column].astype("str")
    rows.attrs = {"metadata": dict(run.about)}
    buffer = io.BytesIO()
    rows.to_parquet(buffer, index=False, compression="zstd")
    return buffer.getvalue()


def trust_files(run: Run) -> Iterator[tuple[str, File]]:
    """What lets people judge: history, scoreboard, sources, model."""
    about, config, past = run.about, run.config, run.past
    scores = {"metadata": about, **scoreboard(past.record, config, run.today)}
    yield "scoreboard.json", File(to_json(scores), ("/v1/scoreboard",), lazy=True)
    histories = zone_histories(past.record, past.truth, config, run.today)
    for i, (zone_id, rows) in enumerate(histories):
        zone = {"zone_id": zone_id, "zone_name": config.zones[i].name}
        body, *_ = write_lines({"metadata": about, "zone": zone}, "history", rows)
        path = f"/v1/zones/{zone_id}/history"
        yield f"history/{i:04d}.json", File(body, (path, f"{path}.json"), lazy=True)
    sources = {"metadata": about, "sources": list(run.sources)}
    yield "sources.json", File(to_json(sources), ("/v1/sources",), lazy=True)
    card = {"metadata": about, **model_card(run.bundle, past.record, config, about)}
    yield "model.json", File(to_json(card), ("/v1/model",), lazy=True)


def change_files(run: Run, folder: Path, files: Mapping[str, File], name: str) -> dict[str, File]:
    """Changes of level of the last day, against what the folder holds; as JSON and as a feed.

    ``name`` begins with the instant of publication of the run. Where no publication is a day old
    yet, the oldest one before this serves.
    """
    moment = published_at(name)
    earlier = [other for other in names(folder) if published_at(other) < moment]
    chosen = known_at(earlier, moment - CHANGES_SINCE) or next(iter(earlier), None)
    before = _readable(folder, chosen) if chosen else None
    body = files["forecasts.json"].body
    manifest = {key: run.about[key] for key in ("published_at", "origin", "model_version")}
    after = Publication(name, manifest, folder, {
        "forecasts.json": body, "weekend.json": files["weekend.json"].body
    }, {}, {}, {})  # fmt: skip
    head = {"metadata": run.about, **changes.since(before, after, moment - CHANGES_SINCE)}
    found = changes.level_changes(before, after) if before else []
    answer = {**head, "changes": found}
    moves = changes.moves(before, after) if before else []
    return {
        # Answers no path: the pages are written from it.
        "moves.json": File(to_json({"moves": moves})),
        "changes.json": File(to_json(answer), ("/v1/changes", "/v1/changes.json")),
        "changes.atom": File(
            export_atom.feed(answer), ("/v1/changes.atom",), export_atom.MEDIA_TYPE, lazy=True
        ),
    }


def _readable(folder: Path, name: str) -> Publication | None:
    """An earlier publication; a damaged one must not stop the next."""
    try:
        return read(folder, name)
    except PublicationError as error:
        _log.warning("nothing to compare with: %s", error)
        return None
