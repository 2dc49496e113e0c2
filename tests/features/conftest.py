"""A small but rich world: three zones of the estuary, three simulated years, and corrections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.config import read_config
from forecast.demo import simulate
from forecast.features import Evidence
from forecast.grid import Grid, make_grid
from forecast.ingest import check_folder
from forecast.territory import Territory

CONFIG = Path(__file__).parents[2] / "configs" / "estuaire.toml"
TODAY = date(2026, 5, 12)
HORIZONS = range(15)


@dataclass(frozen=True)
class World:
    observations: pd.DataFrame
    territory: Territory

    @property
    def evidence(self) -> Evidence:
        return Evidence(self.observations, self.territory)

    def grid(self, *origins: str | pd.Timestamp) -> Grid:
        instants = [pd.Timestamp(origin) for origin in origins]
        return make_grid(instants, self.territory.zone_ids, HORIZONS, self.territory.timezone)


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    everywhere = read_config(CONFIG)
    chosen = [z for z in everywhere.zones if z.id in ("200084952", "241400415", "200066405")]
    config = everywhere.model_copy(update={"zones": tuple(chosen)})
    folder = tmp_path_factory.mktemp("world")
    simulate(folder, config, today=TODAY, years=3)
    now = pd.Timestamp("2026-05-12T06:00Z")
    observations = check_folder(folder, config, now=now).observations
    # One row in fifty of every source is corrected, some days or months after it came out.
    rng = np.random.default_rng(3)
    corrected = observations.sample(frac=0.02, random_state=3)
    corrected = corrected.assign(
        value=corrected["value"] * rng.choice([0.8, 1.1], len(corrected)),
        available_at=corrected["available_at"]
        + pd.to_timedelta(rng.integers(1, 200 * 24, len(corrected)), unit="h"),
    )
    return World(pd.concat([observations, corrected], ignore_index=True), config.territory())
