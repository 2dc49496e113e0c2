"""The registry, on a real tiny model, a real database and a real server."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest

from forecast import champion
from forecast.bands import Bands
from forecast.blending import Blend
from forecast.bundle import seal, verify
from forecast.calibration import Calibration
from forecast.decision import Criterion, Decision
from forecast.errors import ModelError, ModelIntegrityError, NoModelError
from forecast.fitting import OWN_COLUMNS
from forecast.linear import CalendarRidge
from forecast.loading import load_and_warm_up
from forecast.model import InfluxModel
from forecast.recursive import Recursive
from forecast.registry import Registry
from forecast.tracking import ModelVersion

COLUMNS = (
    "history_level",
    "weather_rain",
    "calendar_weekday",
    "calendar_run_length",
    "calendar_horizon_days",
)
QUANTILES = (0.1, 0.5, 0.9)


def make_bundle(folder: Path, seed: int = 1) -> Path:
    random = np.random.default_rng(seed)
    table = random.normal(size=(200, len(COLUMNS) + len(OWN_COLUMNS))).astype(np.float32)
    data = lgb.Dataset(table, np.log(random.uniform(0.5, 2, 200)), params={"verbosity": -1})
    boosters = [
        lgb.train({"objective": "quantile", "alpha": q, "verbosity": -1}, data, 5)
        for q in QUANTILES
    ]
    zones = ("caen", "honfleur")
    model = InfluxModel(
        quantiles=QUANTILES,
        columns=COLUMNS,
        zone_ids=zones,
        boosters=boosters,
        linear=CalendarRidge(zones, np.zeros((2, 3)), 20000),
        recursive=Recursive(zones, (), np.ones(2), np.ones(2)),
        trust=np.ones(2),
        levels=np.ones((2, 7)),
        calibration=Calibration(Bands.none(QUANTILES, len(zones))),
        blend=Blend.constant(0.3, len(zones)),
        stamp={"lake_version": 7, "territory": "estuaire", "code_version": "0.1.0", "seed": seed},
    )
    model.save(folder)
    return folder


@pytest.fixture(scope="session")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return [make_bundle(folder / f"bundle-{seed}", seed) for seed in (1, 2, 3)]


@pytest.fixture(scope="session")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty MLflow database: creating one takes seconds, copying it does not."""
    models = tmp_path_factory.mktemp("database")
    assert Registry(models, "influx-empty").versions() == []
    return models / "mlflow.db"


@pytest.fixture
def registry(tmp_path: Path, database: Path) -> Registry:
    models = tmp_path / "models"
    models.mkdir()
    shutil.copyfile(database, models / "mlflow.db")
    return Registry(models, "influx-estuaire")


def decided(against: str | None = None, *, passed: bool = True) -> Decision:
    criteria = (
        Criterion("pinball", 0.08, 0.081, "not worse", True),
        Criterion("coverage_80", 0.79 if passed else 0.6, None, "75% to 85%", passed),
    )
    return Decision(against, "12 origins", criteria)


def log(
    registry: Registry, bundle: Path, wape: float = 0.2, *, passed: bool = True
) -> ModelVersion:
    """A version that the gate compared with the champion of that moment."""
    official = [v.version for v in registry.versions() if "champion" in v.aliases]
    return registry.log(
        bundle,
        params={"rounds": 5},
        metrics={"wape": wape, "wape/horizon_01": 0.1},
        tags={"simulated": "true"},
        figures={},
        decision=decided(*official, passed=passed),
    )


def seed_served(registry: Registry) -> int:
    seed: int = InfluxModel.load(registry.champion_folder()).stamp["seed"]
    return seed


def artifact(registry: Registry, version: str, name: str) -> Path:
    """The stored file of a version, where MLflow keeps it."""
    stamp = int(version)
    (found,) = (
        path
        for path in (registry.models / "artifacts").rglob(name)
        if json.loads((path.parent / "manifest.json").read_text())["seed"] == stamp
    )
    return found


def test_a_version_is_logged_with_all_a_data_scientist_looks_for(
    registry: Registry, bundles: list[Path], tmp_path: Path
) -> None:
    (tmp_path / "any.png").write_bytes(b"\x89PNG figure")
    made = registry.log(
        bundles[0],
        params={"note": "x" * 9000} | {f"parameter {i}": i for i in range(150)},
        metrics={"wape": 0.125, "absent": float("nan"), "wape/zone/L'Île": 0.5}
        | {f"wape/horizon_{h:02}/zone_{z}": 0.3 for h in range(15) for z in range(90)},
        tags={"simulated": "true", "perfect_weather": "false"},
        figures={"fan chart": tmp_path / "any.png"},
        tables={"by_horizon": pd.DataFrame({"horizon_days": [1, 2], "wape": [0.1, 0.2]})},
    )
    assert made == registry.versions()[0]
    assert (made.version, made.aliases, made.lake_version) == ("1", ("candidate",), "7")
    assert made.metrics == {"wape": 0.125}
    assert (made.simulated, made.perfect_weather, made.served) == (True, False, False)
    assert made.created.tzinfo is not None
    artifacts = registry.models / "artifacts"
    (figure,) = artifacts.rglob("figures/fan chart.png")
    assert figure.read_bytes() == b"\x89PNG figure"
    (table,) = artifacts.rglob("tables/by_horizon.csv")
    assert table.read_text() == "horizon_days,wape\n1,0.1\n2,0.2\n"
    (requirements,) = artifacts.rglob("requirements.txt")
    assert re.search(r"^lightgbm==[\d.]+$", requirements.read_text(), re.M)
    assert not [p for p in artifacts.rglob("*") if p.suffix in {".pkl", ".pickle", ".joblib"}]
    with registry._session() as (_, client):
        run = client.get_run(client.get_model_version(registry.name, "1").run_id)
    assert run.info.status == "FINISHED"
    assert run.data.params["parameter 149"] == "149"
    assert run.data.metrics["wape/zone/L_Île"] == 0.5
    assert len(run.data.metrics) == 2 + 15 * 90


def test_logging_a_second_time_takes_a_fraction_of_a_second(
    registry: Registry, bundles: list[Path]
) -> None:
    log(registry, bundles[0])
    start = time.perf_counter()
    log(registry, bundles[1])
    assert time.perf_counter() - start < 3  # inferring requirements alone takes longer


def test_promote_and_roll_back_twice(registry: Registry, bundles: list[Path]) -> None:
    with pytest.raises(NoModelError, match="afflux train"):
        registry.champion_folder()
    promotions = []
    for bundle in bundles:
        log(registry, bundle)
        promotions.append(registry.promote())
    assert [(p.version, p.previous) for p in promotions] == [("1", None), ("2", "1"), ("3", "2")]
    assert registry.champion_folder() == promotions[-1].folder.resolve()
    assert seed_served(registry) == 3
    back = Registry(registry.models, registry.name).rollback()
    assert (back.version, back.previous, seed_served(registry)) == ("2", "3", 2)
    assert [(v.version, v.aliases, v.served) for v in registry.versions()] == [
        ("3", (), False),
        ("2", ("champion",), True),
        ("1", (), False),
    ]
    with pytest.raises(NoModelError, match="no candidate"):  # never back to the one just left
        registry.promote()
    assert registry.rollback().version == "1"
    with pytest.raises(NoModelError, match="no champion before"):
        registry.rollback()
    with pytest.raises(ModelError, match=r"was compared with version 2, but .* now version 1"):
        registry.promote("3")
    again = registry.promote("3", reason="the one before was no better")
    assert (again.previous, seed_served(registry)) == ("1", 3)
    assert registry.rollback().version == "1"


def test_what_the_gate_refused_stays_a_candidate(registry: Registry, bundles: list[Path]) -> None:
    log(registry, bundles[0])
    registry.promote()
    made = log(registry, bundles[1], passed=False)
    assert made.decision == decided("1", passed=False)
    with pytest.raises(ModelError, match=r"version 2 did not pass the gate: coverage_80; the ch"):
        registry.promote()
    assert seed_served(registry) == 1
    with registry._session() as (_, client):
        run = client.get_run(client.get_model_version(registry.name, "2").run_id)
    assert run.data.tags["gate"] == "failed: coverage_80"
    assert run.data.metrics["gate/coverage_80/candidate"] == 0.6
    assert run.data.metrics["gate/pinball/passed"] == 1
    kept = [p.read_text() for p in (registry.models / "artifacts").rglob("gate.json")]
    assert decided("1", passed=False) in [Decision.from_json(text) for text in kept]


def test_overruling_the_gate_is_recorded(registry: Registry, bundles: list[Path]) -> None:
    log(registry, bundles[0], passed=False)
    done = registry.promote(reason="the sensors were moved in May")
    assert (done.version, seed_served(registry)) == ("1", 1)
    (version,) = registry.versions()
    assert version.forced == "the sensors were moved in May"
    assert [reign.reason for reign in champion.reigns(registry.models)] == [version.forced]


def test_a_version_without_a_decision_is_refused(registry: Registry, bundles: list[Path]) -> None:
    registry.log(bundles[0], params={}, metrics={}, tags={}, figures={})
    with pytest.raises(ModelError, match=r"version 1 has no decision of the gate.*--force"):
        registry.promote()
    assert registry.promote(reason="trained on the other machine").version == "1"
    assert registry.reigning() == ("1", registry.champion_folder())
    assert Registry(registry.models, "influx-elsewhere").reigning() is None


def test_a_history_written_before_reasons_were_kept_can_be_read(tmp_path: Path) -> None:
    (tmp_path / "champion").symlink_to("bundles/1-a")
    entry = {"name": "influx", "version": "1", "folder": "1-a"}
    (tmp_path / "champions.json").write_text(json.dumps([entry]))
    assert champion.reigns(tmp_path) == [champion.Reign("influx", "1", "1-a")]


def test_a_run_without_a_model_makes_no_version(registry: Registry) -> None:
    scores = pd.DataFrame({"horizon_days": [1], "wape": [0.1]})
    run_id = registry.record(
        params={"rounds": 5},
        metrics={"wape": 0.1, "absent": float("nan")},
        tags={"kind": "backtest"},
        figures={},
        tables={"scores": scores},
    )
    assert registry.versions() == []
    with registry._session() as (_, client):
        run = client.get_run(run_id)
    assert run.data.metrics == {"wape": 0.1}
    assert run.data.tags["kind"] == "backtest"
    assert len(list((registry.models / "artifacts").rglob("tables/scores.csv"))) == 1


def test_promoting_the_champion_again_keeps_the_history(
    registry: Registry, bundles: list[Path]
) -> None:
    log(registry, bundles[0])
    registry.promote()
    log(registry, bundles[1])
    registry.promote()
    assert registry.promote("2").previous is None
    assert registry.rollback().version == "1"


def test_there_must_be_something_to_promote(registry: Registry, bundles: list[Path]) -> None:
    with pytest.raises(NoModelError, match="has no candidate: run `afflux train`"):
        registry.promote()
    log(registry, bundles[0])
    for version in ("7", "x", "candidate"):
        with pytest.raises(NoModelError, match=f"no version '{version}'"):
            registry.promote(version)


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def remove_manifest(path: Path) -> None:
    (path.parent / "manifest.json").unlink()


@pytest.mark.parametrize("damage", [truncate, change, Path.unlink, remove_manifest])
def test_a_damaged_candidate_is_never_promoted(
    registry: Registry, bundles: list[Path], damage: Callable[[Path], None]
) -> None:
    log(registry, bundles[0])
    registry.promote()
    log(registry, bundles[1])
    damage(artifact(registry, "2", "quantile_0.5.txt"))
    with pytest.raises(ModelIntegrityError, match="champion stays"):
        registry.promote()
    assert seed_served(registry) == 1
    assert [v.aliases for v in registry.versions()] == [("candidate",), ("champion",)]
    assert [p.name for p in (registry.models / "bundles").iterdir()] == [
        registry.champion_folder().name
    ]


def test_a_candidate_with_right_hashes_that_cannot_answer_is_never_promoted(
    registry: Registry, bundles: list[Path], tmp_path: Path
) -> None:
    log(registry, bundles[0])
    registry.promote()
    broken = shutil.copytree(bundles[1], tmp_path / "broken")
    (broken / "quantile_0.5.txt").write_text("tree\nnot a model\n")
    manifest = json.loads((broken / "manifest.json").read_text())
    seal(broken, {k: v for k, v in manifest.items() if k != "files"})
    verify(broken)
    log(registry, broken)
    with pytest.raises(ModelError, match="version 2 cannot be loaded"):
        registry.promote()
    assert seed_served(registry) == 1


def test_a_bundle_that_does_not_match_its_manifest_is_not_even_logged(
    registry: Registry, bundles: list[Path], tmp_path: Path
) -> None:
    broken = shutil.copytree(bundles[0], tmp_path / "broken")
    change(broken / "quantile_0.1.txt")
    with pytest.raises(ModelIntegrityError, match=r"quantile_0\.1\.txt"):
        log(registry, broken)
    assert registry.versions() == []


def test_rollback_needs_no_mlflow_and_says_so_when_it_is_down(
    registry: Registry, bundles: list[Path]
) -> None:
    for bundle in bundles[:2]:
        log(registry, bundle)
        registry.promote()
    down = Registry(registry.models, registry.name, "http://me:secret@127.0.0.1:9")
    start = time.perf_counter()
    with pytest.raises(ModelError, match="version 1 is now the champion") as caught:
        down.rollback()
    assert time.perf_counter() - start < 30
    assert "secret" not in str(caught.value)
    assert seed_served(registry) == 1


def test_rollback_fetches_a_bundle_that_was_cleaned_away(
    registry: Registry, bundles: list[Path]
) -> None:
    for bundle in bundles[:2]:
        log(registry, bundle)
        registry.promote()
    (old,) = (registry.models / "bundles").glob("1-*")
    shutil.rmtree(old)
    assert registry.rollback().folder == old
    assert load_and_warm_up(old).stamp["seed"] == 1


def test_a_damaged_champion_is_repaired_by_promoting_it_again(
    registry: Registry, bundles: list[Path]
) -> None:
    log(registry, bundles[0])
    registry.promote()
    truncate(registry.champion_folder() / "quantile_0.5.txt")
    with pytest.raises(ModelIntegrityError):
        load_and_warm_up(registry.champion_folder())
    registry.promote("1")
    assert load_and_warm_up(registry.champion_folder()).stamp["seed"] == 1


def test_a_champion_of_another_territory_is_not_rolled_back_to(
    registry: Registry, bundles: list[Path]
) -> None:
    other = Registry(registry.models, "influx-elsewhere")
    log(other, bundles[0])
    other.promote()
    log(registry, bundles[1])
    registry.promote()
    with pytest.raises(NoModelError, match="is of influx-elsewhere"):
        registry.rollback()


def test_what_is_missing_on_disk_is_named(tmp_path: Path) -> None:
    (tmp_path / "champion").symlink_to("bundles/gone")
    with pytest.raises(NoModelError, match=r"bundles/gone, which is gone: run `afflux promote"):
        champion.champion_folder(tmp_path)
    (tmp_path / "champion").unlink()
    (tmp_path / "champion").mkdir()
    with pytest.raises(ModelError, match="expected a link"):
        champion.crown(tmp_path, champion.Reign("a", "1", "1-a"), [])


PROMOTE_FOR_EVER = """
import itertools, shutil, sys
from pathlib import Path
from forecast import champion

models, sources = Path(sys.argv[1]), sys.argv[2:]
for turn in itertools.count(1):
    source = sources[turn % len(sources)]
    folder = champion.install(
        models, str(turn), Path.iterdir, lambda scratch: shutil.copytree(source, scratch / "model")
    )
    reign = champion.Reign("influx", str(turn), folder.name)
    champion.crown(models, reign, [*champion.reigns(models), reign])
    if turn == 2:
        print("started", flush=True)
    if turn % 3 == 0:
        target, _, history = champion.before(models, "influx")
        champion.crown(models, target, history)
"""


@pytest.mark.parametrize("moment", range(8))
def test_killed_at_any_moment_the_champion_is_whole(
    bundles: list[Path], tmp_path: Path, moment: int
) -> None:
    command = [sys.executable, "-c", PROMOTE_FOR_EVER, str(tmp_path), *map(str, bundles)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        time.sleep(0.0137 * moment)
        process.send_signal(signal.SIGKILL)
    history = champion.reigns(tmp_path)
    assert history[-1].folder == champion.champion_folder(tmp_path).name
    assert len(history) >= 1
    for kept in (tmp_path / "bundles").glob("[0-9]*"):
        verify(kept)
    target, current, _ = champion.before(tmp_path, "influx")
    assert int(target.version) < int(current.version)


QUIET = """
import os, sys
from pathlib import Path
from forecast.recursive import Recursive
from forecast.registry import Registry
assert "mlflow" not in sys.modules
before = dict(os.environ)
registry = Registry(Path(sys.argv[1]), "influx-estuaire")
registry.log(Path(sys.argv[2]), params={}, metrics={"wape": 0.2}, tags={}, figures={})
registry.promote(reason="the first of all")
assert registry.versions()[0].served
import mlflow.telemetry
assert mlflow.telemetry.get_telemetry_client() is None
assert not mlflow.is_tracking_uri_set()
assert {**before, "MLFLOW_DISABLE_TELEMETRY": "true"} == dict(os.environ)
"""


def test_nothing_of_mlflow_reaches_the_terminal_nor_stays_behind(
    bundles: list[Path], tmp_path: Path
) -> None:
    # A shell as users have it: MLflow would see pytest or CI and be on its best behaviour.
    environment = {k: os.environ[k] for k in ("PATH", "HOME") if k in os.environ}
    done = subprocess.run(
        [sys.executable, "-W", "default", "-c", QUIET, str(tmp_path / "models"), str(bundles[0])],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert [p.name for p in tmp_path.iterdir()] == ["models"]  # no ./mlruns beside


def test_finding_the_champion_imports_nothing_heavy() -> None:
    code = "import sys, forecast.champion; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert not {"mlflow", "lightgbm", "pandas", "numpy", "sklearn"} & set(loaded)


def test_a_run_of_the_caller_stays_open(
    registry: Registry, bundles: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    with registry._session() as (mlflow, _):
        mlflow.set_experiment("notebook")
        outer = mlflow.start_run()
    try:
        log(registry, bundles[0])
        assert mlflow.active_run().info.run_id == outer.info.run_id
    finally:
        with registry._session():
            mlflow.end_run()
    assert registry.promote().version == "1"


SERVE_AND_ASK = """
import sys, warnings
import mlflow, numpy, pandas
mlflow.set_tracking_uri(sys.argv[1])
model = mlflow.pyfunc.load_model("models:/influx-estuaire@candidate")
frame = pandas.DataFrame({
    "zone_id": pandas.Categorical(["honfleur", "nowhere"]),
    "calendar_horizon_days": numpy.array([1, 14], dtype="float32"),
    "calendar_weekday": numpy.array([5, 5], dtype="float32"),
    "calendar_run_length": numpy.array([0, 0], dtype="float32"),
    "history_level": numpy.array([1000, 10], dtype="float32"),
    "weather_rain": numpy.array([0, numpy.nan], dtype="float32"),
}, index=[5, 6])
print(model.predict(frame).to_json())
try:
    model.predict(frame.drop(columns="weather_rain"))
except Exception as error:
    print(type(error).__name__, error)
"""


def test_a_data_scientist_loads_any_version_with_pickle_forbidden(
    registry: Registry, bundles: list[Path]
) -> None:
    log(registry, bundles[0])
    done = subprocess.run(
        [sys.executable, "-c", SERVE_AND_ASK, registry.tracking_uri],
        env={**os.environ, "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false"},
        capture_output=True,
        text=True,
        check=True,
    )
    answer, error = done.stdout.splitlines()
    frame = {name: list(column.values()) for name, column in json.loads(answer).items()}
    assert list(frame) == ["influx_p10", "influx_p50", "influx_p90"]
    assert 500 < frame["influx_p10"][0] <= frame["influx_p50"][0] <= frame["influx_p90"][0] < 2000
    assert 5 < frame["influx_p50"][1] < 20
    assert error == "SchemaError the frame lacks 'weather_rain', which the model reads"


@pytest.fixture
def server(tmp_path: Path, database: Path) -> Iterator[str]:
    """A real `mlflow server` on a free port of the loopback, stopped at the end."""
    shutil.copyfile(database, tmp_path / "server.db")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--backend-store-uri", f"sqlite:///{tmp_path}/server.db", "--workers", "1"]
    command += ["--artifacts-destination", str(tmp_path / "server-artifacts")]
    process = subprocess.Popen(
        command,
        cwd=tmp_path,
        env={
            **os.environ,
            "MLFLOW_DISABLE_TELEMETRY": "true",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    uri = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and process.poll() is None:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
                break
            time.sleep(0.2)
        else:
            pytest.fail("mlflow server did not answer within a minute")
        yield uri
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def test_against_a_tracking_server(server: str, bundles: list[Path], tmp_path: Path) -> None:
    registry = Registry(tmp_path / "models", "influx-estuaire", server)
    for bundle in bundles[:2]:
        log(registry, bundle)
        registry.promote()
    assert registry.rollback().version == "1"
    elsewhere = Registry(tmp_path / "another machine", "influx-estuaire", server)
    assert [(v.version, v.aliases, v.served) for v in elsewhere.versions()] == [
        ("2", (), False),
        ("1", ("champion",), False),
    ]
    assert elsewhere.promote("2").previous is None
    assert seed_served(elsewhere) == 2
    assert seed_served(registry) == 1
    assert not (tmp_path / "models" / "artifacts").exists()
