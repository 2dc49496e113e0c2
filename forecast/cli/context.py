"""What most commands need: the settings, the configuration, the lake, the registry, the clock."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from forecast.errors import ConfigError, InputError
from forecast.settings import Settings

if TYPE_CHECKING:
    import pandas as pd

    from forecast.config import RunConfig
    from forecast.lake import Lake
    from forecast.registry import Registry
    from forecast.source_report import ProviderStatus


def settings() -> Settings:
    """Where things are, from the environment."""
    return Settings.from_environment()


def lake(where: Settings) -> Lake:
    """The lake of this home, or of ``AFFLUX_LAKE``."""
    from forecast.lake import Lake

    return Lake(where.lake)


def registry(where: Settings, config: RunConfig) -> Registry:
    """The registry of this home, or of ``MLFLOW_TRACKING_URI``."""
    from forecast.registry import Registry

    return Registry(where.models, f"influx-{config.id}", os.environ.get("MLFLOW_TRACKING_URI"))


def provider_statuses(where: Settings, config: RunConfig) -> list[ProviderStatus]:
    """How the configured providers stand, for a publication."""
    from forecast.ingest.standing import standings_of
    from forecast.ingest.state import Fetches

    return standings_of(config, Fetches(where.fetches))


def output(path: Path | None) -> Path | None:
    """A file to be written, refused before the work is done rather than after.

    Raises
    ------
    InputError
        If its folder does not exist, or it is a folder itself.
    """
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise InputError(f"--out {path}: expected a file in a folder that exists")
    return path


def now() -> pd.Timestamp:
    """The present instant, UTC, to the second."""
    import pandas as pd

    return pd.Timestamp(datetime.now(UTC).replace(microsecond=0)).as_unit("us")


def instant(text: str | None, config: RunConfig, option: str = "--origin") -> pd.Timestamp:
    """An instant given on the command line, or now; without an offset it is local time.

    Raises
    ------
    ConfigError
        If it cannot be read, or does not exist or exists twice because of a change of the clock.
    """
    import pandas as pd

    if text is None:
        return now()
    try:
        given = pd.Timestamp(text)
        if given.tz is None:
            given = given.tz_localize(config.timezone, ambiguous="raise", nonexistent="raise")
        return given.tz_convert("UTC").as_unit("us")
    except ValueError as error:
        raise ConfigError(
            f"{option} {text!r} is not an instant ({error}); expected ISO 8601, like "
            "2026-05-13T08:00 (local time) or 2026-05-13T06:00Z"
        ) from error
