"""Training leaves a candidate that anyone can make again, byte for byte, and nothing pickled."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.bundle import MANIFEST
from forecast.champion import champion_folder

PICKLED = {".pkl", ".pickle", ".joblib", ".dill"}


@pytest.fixture(scope="module")
def retrained(world, afflux, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The same lake, configuration and seed, by the command, on one core, in another home."""
    home = tmp_path_factory.mktemp("retrained")
    for part in ("configs", "data"):
        shutil.copytree(world.home / part, home / part)
    empty = tmp_path_factory.mktemp("user")
    done = afflux("train", "--json", home=home, cwd=empty, HOME=str(empty), OMP_NUM_THREADS="1")
    assert done.returncode == 0, done.stderr
    assert list(empty.rglob("*")) == []  # nothing is written outside the home
    assert "features" in done.stderr  # progress is told on standard error
    assert "fold 1/2" in done.stderr
    return home, json.loads(done.stdout)


def bundle_of(home: Path) -> Path:
    (manifest,) = (home / "models" / "artifacts").rglob(MANIFEST)
    return manifest.parent


def test_the_same_lake_configuration_and_seed_give_the_same_bytes(world, retrained) -> None:
    home, _ = retrained
    ours, theirs = champion_folder(world.settings.models), bundle_of(home)
    names = sorted(path.name for path in ours.iterdir())
    assert names == sorted(path.name for path in theirs.iterdir())
    assert {f"quantile_{q:g}.txt" for q in world.config.quantiles} < set(names)
    for name in set(names) - {MANIFEST}:
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name
    manifests = [json.loads((folder / MANIFEST).read_text()) for folder in (ours, theirs)]
    for manifest in manifests:
        assert manifest.pop("trained_at")
    assert manifests[0] == manifests[1]


def test_the_figures_are_the_same_too(world, retrained) -> None:
    _, told = retrained
    assert told["version"] == "1"
    assert told["metrics"]["wape"] == pytest.approx(world.trained.figures["wape"].iloc[0])


def test_the_manifest_names_what_went_in(world) -> None:
    manifest = json.loads((champion_folder(world.settings.models) / MANIFEST).read_text())
    assert manifest["territory"] == "estuaire"
    assert manifest["lake_version"] == 1
    assert manifest["simulated"] is True
    assert manifest["perfect_weather"] is False
    assert manifest["training"]["seed"] == world.config.training.seed
    assert manifest["trained_at"] == "2025-05-30T06:00:00Z"
    assert manifest["quantiles"] == list(world.config.quantiles)


def test_nothing_in_the_store_is_a_pickle(world) -> None:
    files = [path for path in world.settings.models.rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        assert path.suffix not in PICKLED, path
        start = path.read_bytes()[:2]
        # Protocols 2 to 5 of pickle begin so; a zip of arrays is looked into below.
        assert start[:1] != b"\x80" or start[1] not in (2, 3, 4, 5), path
    for path in (path for path in files if path.suffix == ".npz"):
        with np.load(path, allow_pickle=False) as arrays:
            assert all(not arrays[name].dtype.hasobject for name in arrays.files)


def test_the_run_has_what_a_data_scientist_opens_first(world) -> None:
    artifacts = world.settings.models / "artifacts"
    figures = {path.stem for path in artifacts.rglob("*.png")}
    zones = {f"fan_{zone.id}" for zone in world.config.zones}
    assert figures == {"error_by_horizon", "coverage", "importance_by_domain", *zones}
    (scores,) = artifacts.rglob("backtest_scores.csv")
    table = pd.read_csv(scores, index_col=["group", "name"])
    assert table.loc[("all", "all"), "wape"] == pytest.approx(world.trained.version.metrics["wape"])
    (rows,) = artifacts.rglob("backtest_rows.csv")
    assert len(pd.read_csv(rows)) == table.loc[("all", "all"), "rows"]


def test_the_recipe_beats_the_rules_anyone_could_use(world) -> None:
    scores = world.trained.figures.loc[("all", "all")]
    best = min(scores["wape_lag7"], scores["wape_lag364"], scores["wape_mean4"])
    assert scores["wape"] < 0.8 * best
    assert 0.6 < scores["coverage_80"] < 0.95
