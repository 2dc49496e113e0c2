"""What every answer says about the run it comes from. Runs at publication."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from forecast.config import RunConfig
from forecast.freshness import SourceStatus
from forecast.serving.records import ModelStamp, instant

UNIT = "visitors per day"
SIMULATED_LABEL = "données simulées"


def metadata(
    forecasts: pd.DataFrame,
    config: RunConfig,
    sources: Sequence[SourceStatus],
    published_at: pd.Timestamp,
    model: ModelStamp,
    every_hours: float,
) -> dict[str, Any]:
    """What every answer says about the run it comes from; a run is expected ``every_hours`` [h]."""
    regimes = sorted(set(forecasts["regime"]))
    return {
        "territory": {"id": config.id, "name": config.name, "timezone": config.timezone},
        "origin": instant(forecasts["origin"].iloc[0]),
        "published_at": instant(published_at),
        "next_expected_at": instant(published_at + pd.Timedelta(hours=every_hours)),
        "model_version": model.version,
        "model_trained_at": instant(model.trained_at) if model.trained_at is not None else None,
        "lake_version": int(forecasts["lake_version"].iloc[0]),
        "regime": regimes[0] if len(regimes) == 1 else "mixed",
        "sources": [
            {
                "source": status.source,
                "newest_date": f"{status.newest_date:%Y-%m-%d}" if status.newest_date else None,
                "read_at": instant(status.read_at) if status.read_at is not None else None,
                "missed_runs": status.missed_runs,
                "fresh": status.fresh,
                "promised_delay_hours": status.promised_delay_hours,
            }
            for status in sources
        ],
        "unit": UNIT,
        "days_per_year": config.levels.model_dump(),
        "licence": config.licence or None,
        "attribution": config.attribution or None,
        "simulated": config.simulated,
        "label": SIMULATED_LABEL if config.simulated else None,
        # A publication never rests on observed weather posing as a forecast.
        "perfect_weather": False,
    }
