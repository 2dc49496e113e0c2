"""One small simulated estuary, whole: eight zones, three years, ingested, trained, promoted and
published once; tests that change a home take a copy of it.

It is the Friday of the Ascension weekend of 2025, at eight in the morning.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import pandas as pd
import pytest

from forecast.champion import champion_folder
from forecast.config import RunConfig, read_config
from forecast.demo import simulate
from forecast.ingest.folder import ingest_folder
from forecast.lake import Lake
from forecast.model import InfluxModel
from forecast.registry import Registry
from forecast.serving.publish import Published, publish
from forecast.settings import Settings
from forecast.training.retrain import Trained, train

CONFIG = Path(__file__).parents[2] / "configs" / "estuaire.toml"
TODAY = date(2025, 5, 30)
NOW = pd.Timestamp("2025-05-30T06:00Z").as_unit("us")
SMALL = {
    "rounds": 60,
    "learning_rate": 0.1,
    "leaves": 15,
    "min_leaf": 20,
    "origin_stride_days": 7,
    "backtest_days": 63,
    "refit_days": 91,
}
# Nine origins of one spring are few to measure coverage on.
LOOSE = {"coverage_low": 0.6, "coverage_high": 0.95, "holdout_days": 56}


@dataclass(frozen=True)
class World:
    """A home with a champion and a publication, and what was known when they were made."""

    home: Path
    input: Path
    config: RunConfig
    trained: Trained
    published: Published
    now: pd.Timestamp = NOW

    @property
    def settings(self) -> Settings:
        """As the commands would find them in this home."""
        return Settings(home=self.home, lake=str(self.home / "data" / "lake"), config=None)

    @property
    def registry(self) -> Registry:
        """As the commands would find it."""
        return Registry(self.settings.models, f"influx-{self.config.id}")

    @cached_property
    def observations(self) -> pd.DataFrame:
        """Everything in the lake; not to be changed."""
        return Lake(self.settings.lake).read()

    @cached_property
    def champion(self) -> InfluxModel:
        """The champion, loaded from disk."""
        return InfluxModel.load(champion_folder(self.settings.models))


@pytest.fixture(scope="session")
def template() -> RunConfig:
    """The estuary's own configuration, with a training that takes seconds."""
    whole = read_config(CONFIG)
    training = whole.training.model_copy(update=SMALL)
    gate = whole.gate.model_copy(update=LOOSE)
    return whole.model_copy(update={"training": training, "gate": gate})


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory, template: RunConfig) -> World:
    home = tmp_path_factory.mktemp("world")
    simulated = simulate(home / "input", template, today=TODAY, years=3)
    (home / "configs").mkdir()
    shutil.copyfile(home / "input" / "territory.toml", home / "configs" / "estuaire.toml")
    settings = Settings(home=home, lake=str(home / "data" / "lake"), config=None)
    lake, config = Lake(settings.lake), settings.run_config()
    assert config == simulated.config
    ingest_folder(home / "input", lake, config=config, now=NOW)
    registry = Registry(settings.models, f"influx-{config.id}")
    trained = train(
        config,
        lake.read(zones=[zone.id for zone in config.zones]),
        registry,
        lake_version=lake.version(),
        now=NOW,
        say=lambda _: None,
    )
    registry.promote()
    return World(home, home / "input", config, trained, publish(NOW, NOW, config, settings))


@pytest.fixture
def home(world: World, tmp_path: Path) -> Path:
    """A copy of the world's home that a test may change."""
    return shutil.copytree(world.home, tmp_path / "home", symlinks=True)


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What the commands see: no setting of the one who runs the tests, a terminal of 80 columns."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("AFFLUX_", "MLFLOW_"))}
    cache = tmp_path_factory.mktemp("matplotlib")
    return kept | {"COLUMNS": "80", "MPLCONFIGDIR": str(cache), "PYTHONWARNINGS": "error"}


@pytest.fixture(scope="session")
def afflux(environment: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Run the installed `afflux` script, by default from an empty folder."""
    script, empty = Path(sys.executable).with_name("afflux"), tmp_path_factory.mktemp("empty")

    def run(
        *arguments: str | Path, home: Path | None = None, cwd: Path = empty, **more: str
    ) -> subprocess.CompletedProcess[str]:
        where = {} if home is None else {"AFFLUX_HOME": str(home)}
        return subprocess.run(
            [script, *map(str, arguments)],
            env=environment | where | more,
            cwd=cwd,
            capture_output=True,
            text=True,
            timeout=180,
        )

    return run
