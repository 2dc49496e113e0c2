"""A small seeded publication, and the real server on a free port of the loopback."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx2
import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.freshness import SourceStatus
from forecast.grid import day_number
from forecast.levels import LEVELS, level_of, probabilities, threshold_rows
from forecast.serving.answer_files import Past
from forecast.serving.publication import write_publication
from forecast.serving.records import ModelStamp
from forecast.serving.server import command
from forecast.tables import contribution_name, quantile_name
from forecast.track_record import LIMITS, columns
from forecast.truth import Truth

collect_ignore = ["schemathesis_hooks.py"]
"""What schemathesis loads, and no module with doctests."""

ORIGIN = pd.Timestamp("2026-07-01T06:00:00Z")  # a Wednesday

BUNDLE = {
    "code_version": "0.1.0",
    "territory": "essai",
    "lake_version": 41,
    "simulated": True,
    "perfect_weather": False,
    "training": {"rounds": 300, "seed": 20190101},
    "features": ["calendar_weekday", "history_level"],
}
TERRITORY = """
id = "essai"
name = "Territoire d'essai"
[[zones]]
id = "241400415"
name = "Cœur Côte Fleurie"
population = 20000
latitude = 49.3
longitude = 0.1
"""
GEOMETRY = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "properties": {"siren": "241400415"},
            "geometry": {
                "type": "Polygon",
                "coordinates": [[[0.0, 49.3], [0.1, 49.3], [0.1, 49.4], [0.0, 49.3]]],
            },
        }
    ],
}


@pytest.fixture(scope="session")
def settle() -> Callable[[Path], Path]:
    """Give a home the configuration of a territory of one zone."""

    def lay(home: Path) -> Path:
        (home / "configs").mkdir()
        (home / "configs" / "essai.toml").write_text(TERRITORY, encoding="utf-8")
        return home

    return lay


def make_forecasts(config: RunConfig, origin: pd.Timestamp = ORIGIN, seed: int = 1) -> pd.DataFrame:
    """Days 0 to 14 of every zone; the last zone of the territory has no reference yet."""
    generator = np.random.default_rng(seed)
    zones = [zone.id for zone in config.zones]
    days = config.max_horizon_days + 1
    first = origin.tz_convert(config.timezone).tz_localize(None).normalize()
    frame = pd.DataFrame(
        {
            "zone_id": np.repeat(zones, days),
            "origin": origin,
            "horizon_days": np.tile(np.arange(days), len(zones)),
        }
    )
    frame["target_date"] = first + pd.to_timedelta(frame["horizon_days"], unit="D")
    values = np.sort(generator.gamma(4, 5000, (len(frame), len(config.quantiles))), axis=1)
    frame[[quantile_name(q) for q in config.quantiles]] = values
    limits = {zone: np.array([20000.0, 30000.0, 40000.0]) for zone in zones} | {zones[-1]: None}
    rows = probabilities(config.quantiles, values, threshold_rows(limits, frame["zone_id"]))
    frame[[f"probability_{level}" for level in LEVELS]] = rows
    frame["level"] = level_of(rows)
    frame["usual"] = np.where(frame["horizon_days"] == 3, np.nan, generator.gamma(4, 5000))
    # The last zone has not been explained, as in a table written before it could be.
    told = frame["zone_id"] != zones[-1]
    for domain in ("weather", "holidays", "mobility"):
        frame[contribution_name(domain)] = np.where(
            told, generator.normal(0, 3000, len(frame)), np.nan
        )
    others = frame.filter(regex="^contribution_").sum(axis=1)
    distance = frame[quantile_name(0.5)] - frame["usual"].fillna(20000)
    frame[contribution_name("history")] = np.where(told, distance - others, np.nan)
    frame["why"] = pd.Series(np.where(told, "beau temps annoncé +3\u202f000", None), dtype="str")
    frame["regime"] = "influx+mobility"
    return frame.assign(model_version="7", lake_version=42)


def make_past(config: RunConfig, origin: pd.Timestamp = ORIGIN, weeks: int = 40) -> Past:
    """What had been said: weekly answers of a backtest, then daily ones that were issued.

    In the last zone nothing is known and nothing had been said; in the second fewer than twenty
    persons came on 1 June 2026.
    """
    generator = np.random.default_rng(7)
    first = origin.tz_convert(config.timezone).tz_localize(None).normalize()
    days = pd.date_range(first - pd.Timedelta(days=7 * weeks + 28), periods=7 * weeks + 28)
    known = 15000 + 9000 * (days.day_of_week >= 4) + generator.normal(0, 2500, (3, len(days)))
    known[2] = np.nan
    known[1, days == pd.Timestamp("2026-06-01")] = 12.0
    known[:, -2:] = np.nan  # delivered two days later
    asked = [(day, "backtest") for day in days[28:-21:7]] + [(day, "issued") for day in days[-21:]]
    rows = []
    for day, basis in asked:
        for z, zone in enumerate(config.zones[:2]):
            for horizon in range(config.max_horizon_days + 1):
                target = day + pd.Timedelta(days=horizon)
                if target >= first:
                    continue
                at = days.get_loc(target)
                middle = 15000 + 9000 * (target.day_of_week >= 4) + generator.normal(0, 1000)
                spread = np.array([-3000.0, -1500.0, 0.0, 1500.0, 3000.0])
                said = dict(zip(columns(config.quantiles)[4:9], middle + spread, strict=True))
                rows.append(
                    {
                        "zone_id": zone.id,
                        "origin": (day + pd.Timedelta(hours=6)).tz_localize("UTC"),
                        "target_date": target,
                        "horizon_days": horizon,
                        **said,
                        "level": "orange" if middle >= 24000 else "vert",
                        "influx": known[z, at],
                        **dict(zip(LIMITS, (24000.0, 28000.0, 32000.0), strict=True)),
                        "lag7": known[z, at - 14],
                        "mean4": known[z, [at - 28, at - 21, at - 14]].mean(),
                        "basis": basis,
                    }
                )
    record = pd.DataFrame(rows)[columns(config.quantiles)]
    return Past(record, Truth(int(day_number(days[:1])[0]), known.astype(np.float32)))


@pytest.fixture(scope="session")
def past(config: RunConfig) -> Past:
    return make_past(config)


@pytest.fixture(scope="session")
def config() -> RunConfig:
    zones = [("241400415", "Cœur Côte Fleurie"), ("200066363", "Roumois"), ("a b/é", "Île")]
    return RunConfig(
        id="essai",
        name="Territoire d'essai",
        simulated=True,
        licence="Licence Ouverte 2.0",
        attribution="Essai",
        zones=[
            {"id": i, "name": name, "population": 20000.4, "latitude": 49.4, "longitude": 0.1}
            for i, name in zones
        ],
    )


@pytest.fixture(scope="session")
def frame(config: RunConfig) -> Callable[..., pd.DataFrame]:
    return lambda **kwargs: make_forecasts(config, **kwargs)


@pytest.fixture(scope="session")
def publish(
    config: RunConfig, past: Past, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Path]:
    """Publish seeded forecasts in ``home``; ``minutes`` after the origin."""

    made: dict[tuple[int, int, pd.Timestamp], Path] = {}

    def publish(home: Path, seed: int = 1, minutes: int = 5, origin=ORIGIN, **kwargs) -> Path:
        """The first publication of a home is a copy of one written before, if there is one."""
        folder, key = home / "data" / "publications", (seed, minutes, origin)
        if kwargs or folder.exists():
            return write(home, seed, minutes, origin, **kwargs)
        if key not in made:
            made[key] = write(tmp_path_factory.mktemp("made"), seed, minutes, origin)
        shutil.copytree(made[key].parent, folder)
        return folder / made[key].name

    def write(home: Path, seed: int, minutes: int, origin: pd.Timestamp, **kwargs) -> Path:
        kwargs = {"past": past, "bundle": BUNDLE, "geometry": GEOMETRY, **kwargs}
        return write_publication(
            home / "data" / "publications",
            forecasts=make_forecasts(config, origin, seed),
            config=config,
            sources=[
                SourceStatus("influx", pd.Timestamp("2026-06-28"), ORIGIN, 0, True, 56.0),
                SourceStatus("waste", None, None, 9, False, 80.0),
            ],
            published_at=origin + pd.Timedelta(minutes=minutes),
            model=ModelStamp("7", trained_at=pd.Timestamp("2026-06-30T02:00:00Z")),
            **kwargs,
        )

    return publish


PUBLISHERS = """
import os
import resource
import signal
import sys
from pathlib import Path

sys.path.insert(0, sys.argv[1])
import conftest
import pandas as pd
from forecast.config import RunConfig
from forecast.serving.publication import write_publication
from forecast.serving.records import ModelStamp

zones = [dict(id=str(i), name="Z", population=1, latitude=0, longitude=0) for i in range(20)]
config = RunConfig(id="essai", name="Essai", zones=zones)
frames = [conftest.make_forecasts(config, seed=i) for i in range(3)]
for line in sys.stdin:
    folder, most = line.rstrip().split("\\t")
    child = os.fork()
    if not child:
        if int(most):
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(most), int(most)))
        try:
            for second in range(10_000):
                at = conftest.ORIGIN + pd.Timedelta(seconds=second)
                write_publication(
                    Path(folder), forecasts=frames[second % 3], config=config, sources=[],
                    published_at=at, model=ModelStamp("7"), keep=4,
                )
        except Exception as error:
            print(error, flush=True)
        os._exit(1)
    print(child, flush=True)
    os.waitpid(child, 0)
    print("ended", flush=True)
"""


class Publishers:
    """Processes that publish on and on, one at a time, until they are killed or fail."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", PUBLISHERS, str(Path(__file__).parent)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def start(self, folder: Path, most: int = 0) -> int:
        """Begin to publish in ``folder``, files having ``most`` bytes at most (0: any)."""
        self.process.stdin.write(f"{folder}\t{most}\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def said(self) -> str:
        """What the last one said before it ended."""
        lines = []
        while (line := self.process.stdout.readline()) != "ended\n":
            assert line, "the process that starts them has gone"
            lines.append(line)
        return "".join(lines)

    def stop(self) -> None:
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait(20)


@pytest.fixture(scope="session")
def publishers() -> Iterator[Publishers]:
    made = Publishers()
    yield made
    made.stop()


class Server:
    """``afflux serve`` as it runs for real."""

    def __init__(self, home: Path, root_path: str = "") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = home / "server.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                command("127.0.0.1", self.port, root_path),
                env=os.environ | {"AFFLUX_HOME": str(home)},
                stdout=log,
                stderr=log,
            )
        try:
            self.wait_for(lambda: self.get("/health/live").status_code == 200)
        except AssertionError:
            self.stop()
            raise

    def get(self, path: str, **kwargs) -> httpx2.Response:
        # Patient, for these tests may run on a machine that is busy elsewhere.
        return httpx2.get(f"{self.url}{path}", trust_env=False, **{"timeout": 30, **kwargs})

    def wait_for(self, condition: Callable[[], bool], seconds: float = 60.0) -> float:
        """Seconds until ``condition``; a server that does not listen yet is not an error."""
        began = time.monotonic()
        while time.monotonic() - began < seconds:
            assert self.process.poll() is None, self.log.read_text()
            try:
                if condition():
                    return time.monotonic() - began
            except httpx2.TransportError:
                pass
            time.sleep(0.02)
        raise AssertionError(f"not within {seconds} s; the server said:\n{self.log.read_text()}")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(timeout=60)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start a server on ``tmp_path`` (or another home); stopped when the test ends."""
    started = []

    def make(home: Path = tmp_path, root_path: str = "") -> Server:
        started.append(Server(home, root_path))
        return started[-1]

    yield make
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def start_once() -> Iterator[Callable[[Path], Server]]:
    """Start a server on a home; stopped when all tests have ended."""
    started = []

    def make(home: Path) -> Server:
        started.append(Server(home))
        return started[-1]

    yield make
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def serve() -> type[Server]:
    """For a module that starts one server for all its tests, and stops it."""
    return Server


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory, publish) -> Iterator[Server]:
    """One server with one publication, for tests that only read."""
    home = tmp_path_factory.mktemp("served")
    publish(home)
    running = Server(home)
    yield running
    running.stop()


@pytest.fixture
def client(server: Server) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=30) as session:
        yield session


@pytest.fixture(scope="module")
def shaken(tmp_path_factory: pytest.TempPathFactory, publish) -> Iterator[tuple[Path, Server]]:
    """A home and its server, for one module of tests that do it harm."""
    home = tmp_path_factory.mktemp("shaken")
    publish(home)
    running = Server(home)
    yield home, running
    running.stop()
