"""The page in a real browser, before the real server: three homes, each in one state.

The usual one has two publications of the Ascension weekend of 2026 (figures made up, every zone and
outline real), forty weeks of past answers, and all sources fresh; the poor one has no past, late
and missing sources, a zone without reference and one without forecast; the empty one has nothing.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, sync_playwright

from forecast.config import RunConfig, read_config
from forecast.freshness import SourceStatus
from forecast.grid import day_number
from forecast.levels import LEVELS, level_of, probabilities, threshold_rows
from forecast.serving.answer_files import Past
from forecast.serving.pages.files import page_files
from forecast.serving.publication import write_publication
from forecast.serving.publish import read_geometry
from forecast.serving.records import ModelStamp
from forecast.serving.server import command
from forecast.settings import Settings
from forecast.tables import contribution_name, quantile_name
from forecast.track_record import LIMITS, columns
from forecast.truth import Truth
from scripts.chromium import MISSING, chromium

ORIGIN = pd.Timestamp("2026-05-13T06:00:00Z")  # the Wednesday before Ascension
NOW = datetime(2026, 5, 13, 8, tzinfo=UTC)
COAST = "241400415"
VIEWS = (
    "",
    f"zones/{COAST}",
    "bilan",
    "bilan/2026-05-01",
    "sources",
    "essayer",
    "envoyer",
    "bulletin",
    "accessibilite",
    "mentions",
)
SIZES = {"desktop": (1366, 768), "phone": (390, 844)}
_BASES = (17500.0, 1860.0, 3400.0, 397.0, 2520.0, 15600.0, 9100.0, 830.0)
_WHY = (
    "pont de l'Ascension +14\u202f000, plus de monde que d'habitude ces dernières semaines "
    "+4\u202f000, beau temps annoncé +1\u202f500"
)
_CONFIG = Path(__file__).parents[2] / "configs" / "estuaire.toml"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """One worker starts the browser; the others do something else."""
    for item in items:
        if item.path.parent == Path(__file__).parent and "page" in getattr(
            item, "fixturenames", ()
        ):
            item.add_marker(pytest.mark.xdist_group("pages"))


@pytest.fixture(scope="session")
def config() -> RunConfig:
    """The estuary: eight zones, with their outlines."""
    return read_config(_CONFIG).model_copy(update={"simulated": True})


def _forecasts(config: RunConfig, origin: pd.Timestamp, more: float) -> pd.DataFrame:
    """Days 0 to 14: an ordinary May, and ``more`` times as many people at Ascension."""
    zones = [zone.id for zone in config.zones]
    first = origin.tz_convert(config.timezone).tz_localize(None).normalize()
    days = config.max_horizon_days + 1
    frame = pd.DataFrame(
        {
            "zone_id": np.repeat(zones, days),
            "origin": origin,
            "horizon_days": np.tile(np.arange(days), len(zones)),
        }
    )
    frame["target_date"] = first + pd.to_timedelta(frame["horizon_days"], unit="D")
    base = np.repeat(_BASES, days)
    weekend = frame["target_date"].dt.day_of_week.to_numpy() >= 4
    bridge = (frame["target_date"] - pd.Timestamp("2026-05-14")).dt.days.between(0, 3).to_numpy()
    usual = base * np.where(weekend, 1.4, 1.0)
    # Zones and days are struck differently, so that every level shows.
    bridge = bridge * (1.15 - 0.1 * frame["target_date"].dt.day_of_week.sub(4).abs().to_numpy())
    pull = 1 + (more - 1) * bridge * np.repeat(np.linspace(0.35, 1.2, len(zones)), days)
    middle = usual * pull
    values = np.outer(middle, (0.85, 0.94, 1.0, 1.07, 1.17))
    frame[[quantile_name(q) for q in config.quantiles]] = values
    limits = {zone: np.array((1.9, 2.6, 3.6)) * b for zone, b in zip(zones, _BASES, strict=True)}
    rows = probabilities(config.quantiles, values, threshold_rows(limits, frame["zone_id"]))
    frame[[f"probability_{level}" for level in LEVELS]] = rows
    frame["level"] = level_of(rows)
    frame["usual"] = usual
    frame[contribution_name("weather")] = 0.1 * (middle - usual)
    frame[contribution_name("history")] = 0.2 * (middle - usual)
    frame[contribution_name("holidays")] = 0.7 * (middle - usual)
    frame["why"] = pd.Series(np.where(bridge > 0, _WHY, "beau temps annoncé +300"), dtype="str")
    frame["regime"] = "influx+mobility+parking+waste+weather"
    return frame.assign(model_version="7", lake_version=42)


def _past(config: RunConfig, weeks: int = 40) -> Past:
    """Weekly answers of a backtest, right within a tenth."""
    generator = np.random.default_rng(7)
    first = ORIGIN.tz_convert(config.timezone).tz_localize(None).normalize()
    days = pd.date_range(first - pd.Timedelta(days=7 * weeks), first - pd.Timedelta(days=1))
    shape = 1 + 0.4 * (days.day_of_week.to_numpy() >= 4)
    known = np.outer(_BASES, shape) * generator.normal(1, 0.08, (len(_BASES), len(days)))
    known[:, -2:] = np.nan
    rows = []
    for at in range(0, len(days), 7):
        for z, zone in enumerate(config.zones):
            for horizon in range(min(config.max_horizon_days + 1, len(days) - at)):
                middle = _BASES[z] * shape[at + horizon] * 1.02
                bands = dict(
                    zip(
                        [quantile_name(q) for q in config.quantiles],
                        np.array((0.9, 0.95, 1.0, 1.05, 1.1)) * middle,
                        strict=True,
                    )
                )
                rows.append(
                    {
                        "zone_id": zone.id,
                        "origin": (days[at] + pd.Timedelta(hours=6)).tz_localize("UTC"),
                        "target_date": days[at + horizon],
                        "horizon_days": horizon,
                        **bands,
                        "level": "orange" if horizon == 5 else "vert",
                        "influx": known[z, at + horizon],
                        **dict(zip(LIMITS, np.array((1.5, 2.6, 3.6)) * _BASES[z], strict=True)),
                        "lag7": middle * 0.8,
                        "mean4": middle * 0.78,
                        "basis": "backtest",
                    }
                )
    record = pd.DataFrame(rows)[columns(config.quantiles)]
    return Past(record, Truth(int(day_number(days[:1])[0]), known.astype(np.float32)))


def _publish(home: Path, config: RunConfig, forecasts: pd.DataFrame, **more) -> None:
    origin = forecasts["origin"].iloc[0]
    fresh = ("influx", "mobility", "parking", "waste", "weather_forecast")
    write_publication(
        home / "data" / "publications",
        forecasts=forecasts,
        config=config,
        sources=more.pop(
            "sources",
            [SourceStatus(s, origin.date(), origin, 0, True, 56.0) for s in fresh],
        ),
        published_at=origin + pd.Timedelta(minutes=5),
        model=ModelStamp("7", trained_at=pd.Timestamp("2026-05-11T02:00:00Z")),
        geometry=read_geometry(config, Settings(home=home, lake="", config=_CONFIG)),
        pages=page_files,
        **more,
    )


@pytest.fixture(scope="session")
def usual_home(tmp_path_factory: pytest.TempPathFactory, config: RunConfig) -> Path:
    home, past = tmp_path_factory.mktemp("usual"), _past(config)
    day_before = _forecasts(config, ORIGIN - pd.Timedelta(days=1), 1.6)
    _publish(home, config, day_before, past=past)
    _publish(home, config, _forecasts(config, ORIGIN, 2.35), past=past)
    return home


@pytest.fixture(scope="session")
def poor_home(tmp_path_factory: pytest.TempPathFactory, config: RunConfig) -> Path:
    home = tmp_path_factory.mktemp("poor")
    rows = _forecasts(config, ORIGIN, 2.35)
    last = rows["zone_id"] == config.zones[-1].id
    rows.loc[last, ["level"]] = None
    rows.loc[last, rows.columns[rows.columns.str.match("probability|usual|contribution")]] = np.nan
    rows.loc[last, "why"] = None
    sources = [
        SourceStatus("influx", ORIGIN.date(), ORIGIN, 0, True, 56.0),
        SourceStatus("parking", pd.Timestamp("2026-05-02").date(), ORIGIN, 9, False, 2.0),
        SourceStatus("weather_forecast", ORIGIN.date(), ORIGIN, 0, True, 6.0),
        SourceStatus("waste", None, None, 9, False, 80.0),
    ]
    silent = rows["zone_id"] == config.zones[2].id
    _publish(home, config, rows[~silent].reset_index(drop=True), sources=sources)
    return home


class Server:
    """``afflux serve`` as it runs for real."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        with (home / "server.log").open("wb") as log:
            self.process = subprocess.Popen(
                command("127.0.0.1", self.port, ""),
                env=os.environ | {"AFFLUX_HOME": str(home)},
                stdout=log,
                stderr=log,
            )
        give_up = time.monotonic() + 20
        while True:
            assert self.process.poll() is None, (home / "server.log").read_text()
            try:
                if self.get("health/live").status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            assert time.monotonic() < give_up, "the server does not answer"
            time.sleep(0.05)

    def get(self, path: str) -> httpx2.Response:
        return httpx2.get(f"{self.url}{path}", trust_env=False)

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=15)


@pytest.fixture(scope="session")
def serve() -> type[Server]:
    return Server


@pytest.fixture(scope="session")
def usual(usual_home: Path) -> Iterator[str]:
    """Address of the usual state."""
    server = Server(usual_home)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def poor(poor_home: Path) -> Iterator[str]:
    """Address of the poor state."""
    server = Server(poor_home)
    yield server.url
    server.stop()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of a server without publication."""
    server = Server(tmp_path_factory.mktemp("empty"))
    yield server.url
    server.stop()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium; for one module, since an event loop runs in this thread meanwhile."""
    found = chromium()
    if found is None:
        pytest.skip(MISSING)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=found)
        yield started
        started.close()


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open a page of a size at the instant of the publication; nothing may go wrong in it.

    What the console says of errors, what fails, what comes from elsewhere and any cookie fail the
    test; ``page.troubles`` may be emptied by a test that expects some.
    """
    opened: list[BrowserContext] = []
    troubles: list[str] = []

    def make(size: str = "desktop", *, now: datetime = NOW, worker: bool = False, **more) -> Page:
        width, height = SIZES[size]
        more = {"viewport": {"width": width, "height": height}, "locale": "fr-FR"} | more
        context = browser.new_context(
            service_workers="allow" if worker else "block",
            has_touch=size == "phone",
            **more,
        )
        opened.append(context)
        context.clock.set_fixed_time(now)
        page = context.new_page()
        page.set_default_timeout(8000)
        page.troubles = troubles
        page.on("pageerror", lambda error: troubles.append(f"script: {error}"))
        page.on("requestfailed", lambda r: _failed(r, troubles))
        page.on("request", lambda r: _local(r.url, troubles))
        page.on(
            "console",
            lambda m: troubles.append(f"console: {m.text}") if m.type == "error" else None,
        )
        return page

    yield make
    for context in opened:
        troubles += [f"cookie: {cookie['name']}" for cookie in context.cookies()]
        context.close()
    assert not troubles


def _failed(request: Request, troubles: list[str]) -> None:
    # Leaving a page gives up what it still wanted.
    if request.failure != "net::ERR_ABORTED":
        troubles.append(f"failed: {request.url} {request.failure}")


def _local(url: str, troubles: list[str]) -> None:
    if not url.startswith(("http://127.0.0.1:", "data:", "blob:")):
        troubles.append(f"elsewhere: {url}")


@pytest.fixture
def page(watch: Callable[..., Page]) -> Page:
    """A page on a desktop."""
    return watch()


@pytest.fixture
def keep(tmp_path: Path, request: pytest.FixtureRequest) -> Callable[[Page], Path]:
    """Keep what a page shows as a picture, in ``AFFLUX_SCREENSHOTS`` or the test's folder."""
    folder = Path(os.environ.get("AFFLUX_SCREENSHOTS", tmp_path))

    def shoot(page: Page, name: str = "") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        test = request.node.name.removeprefix("test_").replace("/", "-")
        path = folder / f"{test}{f'-{name}' if name else ''}.png"
        page.screenshot(path=path)
        return path

    return shoot


@pytest.fixture(scope="session")
def views() -> tuple[str, ...]:
    """Paths of one view of each kind."""
    return VIEWS
