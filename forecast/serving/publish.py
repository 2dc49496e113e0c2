"""Publish: forecast now, keep the answers for ever, and hand the server its bytes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from forecast.champion import champion_folder
from forecast.config import RunConfig
from forecast.lake import Lake
from forecast.model import InfluxModel
from forecast.predict import Answer, answer_at
from forecast.serving.publication import ensure_writable, write_publication
from forecast.serving.records import ModelStamp, checked
from forecast.settings import Settings


@dataclass(frozen=True)
class Published:
    """A publication's folder, and the answer it holds."""

    folder: Path
    answer: Answer


def predict_at(
    origin: pd.Timestamp, config: RunConfig, settings: Settings
) -> tuple[Answer, ModelStamp]:
    """Forecast with the champion on what was readable at ``origin``.

    Raises
    ------
    NoModelError
        If no champion has been promoted.
    """
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
    return answer, ModelStamp(folder.name, pd.Timestamp(model.stamp["trained_at"]))


def publish(
    origin: pd.Timestamp, now: pd.Timestamp, config: RunConfig, settings: Settings
) -> Published:
    """Forecast days 0 to 14 of every zone, append them to the lake, and write a publication.

    The lake is written first: what was ever served can always be found there. What cannot be
    published is not written there either.

    Raises
    ------
    NoModelError, ModelIntegrityError, LakeError, PublicationError
        The publication being served is then still the previous one.
    """
    answer, stamp = predict_at(origin, config, settings)
    checked(answer.forecasts, config, stamp)
    ensure_writable(settings.publications)
    Lake(settings.lake).append_forecasts(answer.forecasts)
    folder = write_publication(
        settings.publications,
        forecasts=answer.forecasts,
        config=config,
        sources=answer.sources,
        published_at=now,
        model=stamp,
    )
    return Published(folder, answer)
