"""The model: what it refuses, what it answers when it knows little, and that it is the same twice.

It is trained here on influx alone, two zones and a year and a half: enough for a few trees.
"""

from __future__ import annotations

import io
import json
import pickletools
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.bundle import MANIFEST, seal, verify
from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.errors import ModelError, ModelIntegrityError, NoModelError
from forecast.features import build
from forecast.features.base import Evidence, sample_rows
from forecast.grid import grid_from_frame, make_grid
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.remembering import remembering
from forecast.training.dataset import Dataset, make_dataset
from forecast.training.folds import fit

DAYS = 560
TASKS = Path("/proc/self/task")
FIRST = "2024-01-01"
NOW = pd.Timestamp(FIRST, tz="UTC").as_unit("us") + pd.Timedelta(days=DAYS + 2)


def config_of(*zones: str) -> RunConfig:
    return RunConfig(
        id="essai",
        name="Essai",
        timezone="UTC",
        zones=[
            {"id": zone, "name": zone, "population": 100, "latitude": 49.4, "longitude": 0.1}
            for zone in zones
        ],
        training={"rounds": 12, "leaves": 7, "min_leaf": 10, "origin_stride_days": 7,
                  "backtest_days": 56, "refit_days": 56},
    )  # fmt: skip


def influx_of(zone: str, size: float, seed: int, days: int = DAYS) -> pd.DataFrame:
    rng, day = np.random.default_rng(seed), np.arange(days)
    wave = 1 + 0.5 * np.sin(2 * np.pi * day / 365) + 0.6 * (day % 7 >= 5)
    values = size * wave * np.exp(rng.normal(0, 0.1, days))
    return sample_rows("influx", "influx", values, zone_id=zone, first=FIRST, delay_hours=24)


@pytest.fixture(scope="module")
def observations() -> pd.DataFrame:
    return pd.concat([influx_of("coast", 20_000, 1), influx_of("plateau", 300, 2)])


@pytest.fixture(scope="module")
def data(observations: pd.DataFrame) -> Dataset:
    return make_dataset(config_of("coast", "plateau"), observations, NOW)


@pytest.fixture(scope="module")
def model(data: Dataset) -> InfluxModel:
    return fit(data, NOW)


@pytest.fixture(scope="module")
def saved(model: InfluxModel, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("saved") / "bundle"
    model.save(folder)
    return folder


@pytest.fixture
def bundle(saved: Path, tmp_path: Path) -> Path:
    """A copy that a test may damage."""
    return shutil.copytree(saved, tmp_path / "bundle")


def ask(observations: pd.DataFrame, *zones: str) -> tuple[FeatureMatrix, Daily]:
    """Questions of today about these zones."""
    territory = config_of(*zones).territory()
    grid = make_grid([NOW], territory.zone_ids, range(15), "UTC")
    today = int(grid.ask_day[0])
    daily = Daily.of(territory, today - 450, today + 60)
    return build(grid, Evidence(observations, territory)), daily


def test_answers_are_in_order_never_negative_and_of_the_size_of_their_zone(
    model: InfluxModel, observations: pd.DataFrame
) -> None:
    matrix, daily = ask(observations, "coast", "plateau")
    answer = model.predict(matrix, daily)
    assert answer.shape == (30, 5)
    assert (np.diff(answer, axis=1) >= 0).all()
    assert (answer >= 0).all()
    coast, plateau = answer[:15, 2].mean(), answer[15:, 2].mean()
    assert 15 < coast / plateau < 250
    assert 10_000 < coast < 50_000


def test_the_week_is_learnt(model: InfluxModel, observations: pd.DataFrame) -> None:
    matrix, daily = ask(observations, "coast")
    answer = model.predict(matrix, daily)[:, 2]
    busy = (matrix.grid.target_day - int(pd.Timestamp(FIRST).value // 86_400e9)) % 7 >= 5
    assert answer[busy].mean() > 1.3 * answer[~busy].mean()


def test_boosters_start_from_the_level_where_the_calendar_is_no_help() -> None:
    """A week drawn anew every ten weeks: the last weeks know it, no calendar does."""
    days, now = 770, NOW + pd.Timedelta(days=770 - DAYS)
    rng = np.random.default_rng(2)
    shape = np.repeat(rng.uniform(0.3, 2, (days // 70 + 1, 7)), 10, axis=0).ravel()[:days]
    values = 300 * shape * np.exp(rng.normal(0, 0.1, days))
    rows = sample_rows(
        "influx", "influx", values, zone_id="weighbridge", first=FIRST, delay_hours=24
    )
    observations = pd.concat([influx_of("coast", 20_000, 1, days), rows])
    zones = ("coast", "weighbridge", "opened today")
    data = make_dataset(config_of(*zones), observations, now)
    early = fit(data, now - pd.Timedelta(days=60))
    np.testing.assert_array_equal(early.trust, 1.0, err_msg="too short to judge")
    model = fit(data, now)
    np.testing.assert_array_equal(model.trust, [1.0, 0.0, 1.0])
    matrix, daily = ask(observations, *zones[:2])
    believing, _ = replace(model, trust=np.ones(3)).members(matrix, daily)
    start, _ = model.members(matrix, daily)
    step = np.exp(model.said(matrix, daily)[0])[:, None]
    np.testing.assert_allclose(believing[:15], start[:15])
    np.testing.assert_allclose(believing[15:], (start * step)[15:], rtol=1e-6)


def test_a_saved_model_answers_the_same(
    model: InfluxModel, saved: Path, observations: pd.DataFrame
) -> None:
    matrix, daily = ask(observations, "coast", "plateau")
    again = InfluxModel.load(saved)
    for stale in ((), ("influx",)):
        np.testing.assert_array_equal(
            again.predict(matrix, daily, stale=stale), model.predict(matrix, daily, stale=stale)
        )
    assert again.columns == model.columns
    assert again.zone_ids == model.zone_ids


def test_the_same_data_and_seed_give_the_same_bytes(
    data: Dataset, saved: Path, tmp_path: Path
) -> None:
    fit(data, NOW).save(tmp_path / "again")
    files = sorted(path.name for path in saved.iterdir())
    assert files == sorted(path.name for path in (tmp_path / "again").iterdir())
    for name in files:
        assert (tmp_path / "again" / name).read_bytes() == (saved / name).read_bytes(), name


def test_another_seed_gives_another_model(data: Dataset, model: InfluxModel) -> None:
    training = data.config.training.model_copy(update={"seed": 3})
    other = fit(replace(data, config=data.config.model_copy(update={"training": training})), NOW)
    strings = [m.boosters[2].model_to_string() for m in (model, other)]
    assert strings[0].split("Tree=0")[1] != strings[1].split("Tree=0")[1]


def test_every_file_is_in_the_manifest_and_none_is_a_pickle(saved: Path) -> None:
    manifest = verify(saved)
    assert set(manifest["files"]) == {path.name for path in saved.iterdir()} - {MANIFEST}
    assert {path.suffix for path in saved.iterdir()} == {".txt", ".json", ".npz"}
    with np.load(saved / "arrays.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype.kind == "f" for name in arrays.files)
    for path in saved.iterdir():
        with pytest.raises((ValueError, IndexError, KeyError)):
            pickletools.dis(path.read_bytes(), out=io.StringIO())


@pytest.mark.parametrize("change", ["first", "last", "absent", "added"])
def test_a_bundle_that_changed_is_refused(bundle: Path, change: str) -> None:
    names = sorted(path.name for path in bundle.iterdir() if path.name != MANIFEST)
    for name in ["more.txt"] if change == "added" else names:
        copy = shutil.copytree(bundle, bundle.with_name(f"{name}-{change}"))
        if change == "absent":
            (copy / name).unlink()
        else:
            content = bytearray((copy / name).read_bytes() if change != "added" else b"x")
            content[0 if change == "first" else -1] ^= 1
            (copy / name).write_bytes(content)
        with pytest.raises(ModelIntegrityError, match=name):
            InfluxModel.load(copy)


def test_a_manifest_that_cannot_be_read_is_refused(bundle: Path) -> None:
    (bundle / MANIFEST).write_text("{", encoding="utf-8")
    with pytest.raises(ModelIntegrityError, match=r"manifest\.json: cannot be read"):
        InfluxModel.load(bundle)
    (bundle / MANIFEST).unlink()
    with pytest.raises(NoModelError, match="afflux train"):
        InfluxModel.load(bundle)


def test_files_that_match_their_hash_but_are_no_model_are_refused(bundle: Path) -> None:
    facts = {k: v for k, v in json.loads((bundle / MANIFEST).read_text()).items() if k != "files"}
    seal(bundle, {k: v for k, v in facts.items() if k != "zone_ids"})
    with pytest.raises(ModelIntegrityError, match="cannot be loaded"):
        InfluxModel.load(bundle)


def test_features_that_lack_a_column_are_refused(
    model: InfluxModel, observations: pd.DataFrame
) -> None:
    matrix, daily = ask(observations, "coast")
    name = "history_weekday_1"
    place = matrix.columns.index(name)
    less = FeatureMatrix(
        matrix.grid,
        tuple(c for c in matrix.columns if c != name),
        np.delete(matrix.values, place, axis=0),
    )
    with pytest.raises(ModelError, match=f"lack '{name}'"):
        model.predict(less, daily)


def test_columns_in_another_order_or_more_of_them_change_nothing(
    model: InfluxModel, observations: pd.DataFrame
) -> None:
    matrix, daily = ask(observations, "coast")
    order = np.random.default_rng(1).permutation(len(matrix.columns))
    mixed = FeatureMatrix(
        matrix.grid,
        (*(matrix.columns[i] for i in order), "later_column"),
        np.vstack([matrix.values[order], matrix.values[:1]]),
        recent=matrix.recent,
    )
    np.testing.assert_array_equal(model.predict(mixed, daily), model.predict(matrix, daily))


def test_a_zone_the_model_never_saw_is_answered_from_its_own_level(
    model: InfluxModel, observations: pd.DataFrame
) -> None:
    more = pd.concat([observations, influx_of("island", 4_000, 3)])
    matrix, daily = ask(more, "island", "coast")
    answer = model.predict(matrix, daily)
    assert np.isfinite(answer).all()
    assert 2_000 < answer[:15, 2].mean() < 10_000
    # And the zones it knows are not moved by the newcomer, nor by the order of zones.
    alone, its_daily = ask(observations, "coast")
    np.testing.assert_allclose(answer[15:], model.predict(alone, its_daily), rtol=1e-6)


def test_a_zone_whose_influx_stopped_is_answered_from_what_the_model_keeps(
    model: InfluxModel,
) -> None:
    matrix, daily = ask(influx_of("coast", 20_000, 1, days=5), "coast", "plateau", "moon")
    answer = model.predict(matrix, daily)
    coast, plateau, moon = answer[:15], answer[15:30], answer[30:]
    assert 10_000 < coast[:, 2].mean() < 50_000
    assert 100 < plateau[:, 2].mean() < 900
    assert np.isnan(moon).all()


@pytest.mark.skipif(not TASKS.exists(), reason="threads are counted in /proc")
def test_a_model_of_one_thread_starts_no_other(data: Dataset) -> None:
    """LightGBM crashes if a call beside a training sets another number of threads than it."""

    def started(model: InfluxModel) -> int:
        def answer() -> int:
            before = sum(1 for _ in TASKS.iterdir())
            model.predict(data.matrix, data.daily)
            return sum(1 for _ in TASKS.iterdir()) - before

        # OpenMP keeps its threads for each thread that asks; a new one has none yet.
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(answer).result()

    assert started(fit(data, NOW, threads=1)) == 0
    assert started(fit(data, NOW, threads=3)) == 2


def test_no_question_is_no_answer(model: InfluxModel, data: Dataset) -> None:
    none = data.matrix.take(np.zeros(len(data.train), dtype=bool))
    assert model.predict(none, data.daily).shape == (0, 5)


def test_too_few_questions_to_learn_from(data: Dataset) -> None:
    early = pd.Timestamp(FIRST, tz="UTC").as_unit("us") + pd.Timedelta(days=60)
    with pytest.raises(ModelError, match="at least 200 are needed: ingest a longer history"):
        fit(data, early)


def test_what_came_true_later_is_not_learnt_from(data: Dataset) -> None:
    """A model fitted as of an instant depends on nothing that could not be read then."""
    cut = NOW - pd.Timedelta(days=120)
    frame = data.evidence.observations.copy()
    later = frame["available_at"] > cut
    assert later.sum() > 100
    frame.loc[later, "value"] *= 7
    changed = make_dataset(data.config, frame, NOW)
    models = [fit(d, cut) for d in (data, changed)]
    strings = [
        [booster.model_to_string() for booster in (*model.boosters, *model.recursive.boosters)]
        for model in models
    ]
    assert len(strings[0]) == 7
    assert strings[0] == strings[1]


def test_a_model_that_remembers_answers_the_same(
    model: InfluxModel, observations: pd.DataFrame
) -> None:
    matrix, daily = ask(observations, "coast", "plateau")
    again, expected = remembering(model), model.predict(matrix, daily)
    rows = (matrix.grid.row_zone == 1) & np.isin(matrix.grid.horizon, (3, 5))
    grid = grid_from_frame(matrix.grid.frame()[rows], matrix.grid.zone_ids, "UTC")
    few = FeatureMatrix(grid, matrix.columns, matrix.values[:, rows], recent=matrix.recent[[1]])
    for _ in range(2):
        np.testing.assert_array_equal(again.predict(few, daily), expected[rows])
        np.testing.assert_array_equal(again.predict(matrix, daily), expected)
