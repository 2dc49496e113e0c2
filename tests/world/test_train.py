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
from forecast.decision import Decision
from forecast.lake import Lake
from forecast.track_record import read_record
from forecast.training.retrain import decide

PICKLED = {".pkl", ".pickle", ".joblib", ".dill"}


@pytest.fixture(scope="module")
def retrained(world, afflux, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The same lake version, configuration and seed, by the command, on one core, elsewhere.

    The lake has gone on since: a later version must not matter.
    """
    home = tmp_path_factory.mktemp("retrained")
    for part in ("configs", "data"):
        shutil.copytree(world.home / part, home / part)
    rows = world.observations.head(1000)
    late = rows.assign(value=rows["value"] + 1, available_at=world.now + pd.Timedelta(days=1))
    lake = Lake(str(home / "data" / "lake"))
    assert lake.append(late, now=world.now + pd.Timedelta(days=2)).version == 2
    empty = tmp_path_factory.mktemp("user")
    arguments = ("train", "--lake-version", "1", "--json")
    done = afflux(*arguments, home=home, cwd=empty, HOME=str(empty), OMP_NUM_THREADS="1")
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
    for name in names:  # the manifest too
        assert (ours / name).read_bytes() == (theirs / name).read_bytes(), name


def test_an_old_version_is_trained_as_of_its_newest_row(world, retrained) -> None:
    """Not as of the clock, which nobody can turn back."""
    home, _ = retrained
    manifest = json.loads((bundle_of(home) / MANIFEST).read_text())
    assert pd.Timestamp(manifest["trained_at"]) == world.observations["available_at"].max()
    assert manifest["lake_version"] == 1


def test_the_figures_are_the_same_too(world, retrained) -> None:
    _, told = retrained
    assert told["version"] == "1"
    assert told["metrics"]["wape"] == pytest.approx(world.trained.figures["wape"].iloc[0])
    assert told["gate"] == json.loads(world.trained.decision.to_json())


def test_the_bundle_keeps_what_the_backtest_had_said(world) -> None:
    bundle = champion_folder(world.settings.models)
    record = read_record(bundle, world.config.quantiles)
    rows = world.trained.report.rows
    assert len(record) == len(rows) > 500
    assert set(record["basis"]) == {"backtest"}
    keys = ["zone_id", "origin", "target_date"]
    both = record.merge(rows.assign(zone_id=rows["zone_id"].astype("str")), on=keys)
    assert len(both) == len(rows)
    for column in ("influx_p50", "influx", "limit_rouge", "mean4"):
        assert np.allclose(both[f"{column}_x"], both[f"{column}_y"], atol=0.051)
    # The word is the one that was shown: at least as likely as not.
    said = both["level"].isin(["rouge", "noir"])
    assert (said == (both["risk_rouge"] >= 0.5 - 1e-9)).all()
    assert set(both["level"]) >= {"vert", "orange"}


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
    levels = {"levels_reliability", "levels_alarms"}
    assert figures == {"error_by_horizon", "coverage", "importance_by_domain", *levels, *zones}
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


def test_the_report_goes_down_to_zone_horizon_kind_and_regime(world) -> None:
    (path,) = (world.settings.models / "artifacts").rglob("backtest_details.csv")
    details = pd.read_csv(path, dtype={"zone_id": str})
    assert not details.duplicated(["zone_id", "horizon", "kind", "regime"]).any()
    scores = world.trained.figures
    for regime, part in details.groupby("regime"):
        assert part["rows"].sum() == scores.loc[("regime", regime), "rows"]
        held = (part["coverage_80"] * part["rows"]).sum() / part["rows"].sum()
        assert held == pytest.approx(scores.loc[("regime", regime), "coverage_80"])
    assert {"weekday", "weekend", "holiday run", "bridge"} == set(details["kind"])
    assert len(details["regime"].unique()) == 6


def test_the_candidate_passed_the_gate_against_the_rules(world) -> None:
    """There was no champion: it had to beat the rules anyone could use."""
    decision = world.trained.decision
    assert decision.passed, decision.failed
    assert decision.against is None
    names = [criterion.name for criterion in decision.criteria]
    assert names == ["wape", "pinball", "coverage_80", "linear_wape"]
    (listed,) = world.registry.versions()
    assert listed.decision == decision
    artifacts = (world.settings.models / "artifacts").rglob("gate.json")
    assert decision.to_json() in [Decision.from_json(p.read_text()).to_json() for p in artifacts]


def test_a_retrained_candidate_is_compared_with_the_champion(world) -> None:
    """The same recipe on the same days: nothing to choose between them."""
    said: list[str] = []
    decision = decide(world.trained.report, world.registry.reigning(), said.append)
    assert decision.against == "1"
    assert "same recipe" in decision.held_out
    figures = {criterion.name: criterion for criterion in decision.criteria}
    assert figures["pinball"].candidate == figures["pinball"].reference
    assert figures["worst_zone"].candidate == 1
    assert said == []


def test_a_champion_that_cannot_be_read_is_not_beaten(world, tmp_path: Path) -> None:
    (tmp_path / MANIFEST).write_text("{}")
    decision = decide(world.trained.report, ("1", tmp_path), lambda _: None)
    assert decision.failed[0] == "champion"
    assert "cannot be read" in decision.criteria[0].bound
