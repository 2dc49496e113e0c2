"""Three simulated zones over two years, with every source, and a training that takes seconds."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from forecast.config import RunConfig, read_config
from forecast.demo import simulate
from forecast.ingest.folder import ingest_folder
from forecast.lake import Lake
from forecast.training.backtest import Backtest, run_backtest
from forecast.training.dataset import Dataset, make_dataset

CONFIG = Path(__file__).parents[2] / "configs" / "estuaire.toml"
SMALL = {
    "rounds": 15,
    "learning_rate": 0.2,
    "leaves": 15,
    "min_leaf": 20,
    "origin_stride_days": 7,
    "backtest_days": 63,
    "refit_days": 42,
}


@pytest.fixture(scope="session")
def now() -> pd.Timestamp:
    return pd.Timestamp("2025-05-30T06:00Z").as_unit("us")


@pytest.fixture(scope="session")
def config() -> RunConfig:
    whole = read_config(CONFIG)
    training = whole.training.model_copy(update=SMALL)
    return whole.model_copy(update={"zones": whole.zones[4:7], "training": training})


@pytest.fixture(scope="session")
def observations(
    config: RunConfig, now: pd.Timestamp, tmp_path_factory: pytest.TempPathFactory
) -> pd.DataFrame:
    """Everything that could be read at ``now``; not to be changed."""
    folder = tmp_path_factory.mktemp("estuary")
    simulate(folder / "input", config, today=date(2025, 5, 30), years=2)
    lake = Lake(str(folder / "lake"))
    ingest_folder(folder / "input", lake, config=None, now=now)
    return lake.read()


@pytest.fixture(scope="session")
def data(config: RunConfig, observations: pd.DataFrame, now: pd.Timestamp) -> Dataset:
    return make_dataset(config, observations, now)


@pytest.fixture(scope="session")
def found(data: Dataset) -> Backtest:
    return run_backtest(data)
