"""Daily rows of Open-Meteo as a batch of observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from forecast.ingest.facts import facts
from forecast.ingest.hours import Daily
from forecast.ingest.provider import Batch, Setting


def batch(
    source: str,
    rows: pd.DataFrame,
    wanted: Sequence[Daily],
    setting: Setting,
    where: str,
    notes: Sequence[str] = (),
) -> Batch:
    """Observations of ``source`` from rows with ``zone_id``, ``date``, ``available_at`` and the
    variables of ``wanted``.

    The instant of a forecast is that of its run, and counts as stated: another value for the same
    run would otherwise pass for a newer run. That of past weather is derived: another value is a
    revision. ``where`` names the answer in sentences.
    """
    names = [daily.name for daily in wanted]
    kept = rows.reset_index(drop=True)
    made = facts(source, kept, names, provider=setting.name, config=setting.config)
    said = [note for note in notes if note]
    if made.observations.empty:
        said.append(f"{where} holds no value for these days")
    derived = np.full(len(made.observations), source != "weather_forecast")
    return replace(made, derived=derived, note="; ".join(said))
