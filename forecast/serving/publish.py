"""Publish: forecast now, keep the answers for ever, and hand the server its bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pandas as pd

from forecast.bundle import MANIFEST
from forecast.champion import champion_folder
from forecast.config import RunConfig
from forecast.lake import Lake
from forecast.model import InfluxModel
from forecast.predict import Answer, answer_at
from forecast.serving.answer_files import Past
from forecast.serving.pages.files import page_files
from forecast.serving.publication import ensure_writable, write_publication
from forecast.serving.records import ModelStamp, checked
from forecast.settings import Settings
from forecast.source_report import ProviderStatus, source_report
from forecast.track_record import influx_evidence, issued, read_record, with_truth
from forecast.truth import truth_at


@dataclass(frozen=True)
class Published:
    """A publication's folder, and the answer it holds."""

    folder: Path
    answer: Answer


@dataclass(frozen=True)
class _Asked:
    """An answer, and what it was made of."""

    answer: Answer
    stamp: ModelStamp
    bundle: Path
    observations: pd.DataFrame


def predict_at(
    origin: pd.Timestamp, config: RunConfig, settings: Settings
) -> tuple[Answer, ModelStamp]:
    """Forecast with the champion on what was readable at ``origin``.

    Raises
    ------
    NoModelError
        If no champion has been promoted.
    """
    asked = _ask(origin, config, settings)
    return asked.answer, asked.stamp


def _ask(origin: pd.Timestamp, config: RunConfig, settings: Settings) -> _Asked:
    folder = champion_folder(settings.models)
    model = InfluxModel.load(folder)
    lake = Lake(settings.lake)
    version = lake.version()
    since = origin - pd.Timedelta(days=config.training.history_days)
    observations = lake.read(
        zones=[zone.id for zone in config.zones], known_at=origin, since=since.date()
    )
    answer = answer_at(
        origin, config, observations, model, model_version=folder.name, lake_version=version
    )
    stamp = ModelStamp(folder.name, pd.Timestamp(model.stamp["trained_at"]))
    return _Asked(answer, stamp, folder, observations)


def publish(
    origin: pd.Timestamp,
    now: pd.Timestamp,
    config: RunConfig,
    settings: Settings,
    providers: Sequence[ProviderStatus] = (),
) -> Published:
    """Forecast days 0 to 14 of every zone, append them to the lake, and write a publication.

    ``providers`` are the configured ones and how their last tries ended: the publication says so.

    The lake is written first: what was ever served can always be found there. What cannot be
    published is not written there either.

    Raises
    ------
    NoModelError, ModelIntegrityError, LakeError, PublicationError
        The publication being served is then still the previous one.
    """
    asked = _ask(origin, config, settings)
    answer = asked.answer
    checked(answer.forecasts, config, asked.stamp)
    ensure_writable(settings.publications)
    past = _past(origin, config, settings, asked)
    Lake(settings.lake).append_forecasts(answer.forecasts)
    folder = write_publication(
        settings.publications,
        forecasts=answer.forecasts,
        config=config,
        sources=answer.sources,
        published_at=now,
        model=asked.stamp,
        past=past,
        source_rows=source_report(config, answer.sources, providers, now),
        bundle=json.loads((asked.bundle / MANIFEST).read_text(encoding="utf-8")),
        geometry=read_geometry(config, settings),
        pages=page_files,
        every_hours=config.publication.every_hours,
    )
    return Published(folder, answer)


def _past(origin: pd.Timestamp, config: RunConfig, settings: Settings, asked: _Asked) -> Past:
    """What had been said of past days, and what of them could be read at ``origin``."""
    evidence = influx_evidence(asked.observations, config)
    truth = truth_at(evidence, origin)
    said = issued(
        Lake(settings.lake),
        config,
        origin,
        evidence=evidence,
        trained_at=training_instants(settings.models),
    )
    replayed = with_truth(read_record(asked.bundle, config.quantiles), truth, config)
    return Past(pd.concat([replayed, said], ignore_index=True), truth)


def training_instants(models: Path) -> dict[str, pd.Timestamp]:
    """When each bundle that is kept was trained, by its folder's name."""
    found = {}
    for manifest in models.glob(f"bundles/*/{MANIFEST}"):
        facts = json.loads(manifest.read_text(encoding="utf-8"))
        if "trained_at" in facts:
            found[manifest.parent.name] = pd.Timestamp(facts["trained_at"])
    return found


def read_geometry(config: RunConfig, settings: Settings) -> Mapping[str, Any] | None:
    """The zones' outlines: the file beside the configuration, or the one that comes with Afflux.

    None if neither is there or it is not GeoJSON: zones are then points.
    """
    if not config.geometry:
        return None
    beside = settings.config_path().parent / config.geometry
    packaged = files("forecast").joinpath("assets", Path(config.geometry).name)
    for place in (beside, packaged):
        try:
            found = json.loads(place.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(found, dict) and found.get("type") == "FeatureCollection":
            return found
    return None
