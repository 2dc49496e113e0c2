"""The panels of real data, run as their users run them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.almanac import calendar_lines
from forecast.config import read_config
from forecast.grid import day_number
from forecast.ingest.folder import check_folder

ROOT = Path(__file__).resolve().parents[1]
DATASETS = Path(os.environ.get("AFFLUX_DATASETS") or ROOT.parent / "shared" / "datasets")

needs_data = pytest.mark.skipif(
    not DATASETS.is_dir(), reason=f"no data sets in {DATASETS}; set AFFLUX_DATASETS to their folder"
)


def run(panel: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", f"benchmarks.panels.{panel}", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def hk_visitors(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("hk")
    done = run("hk_visitors", str(out), "--data", str(DATASETS))
    assert (done.returncode, done.stderr) == (0, "")
    return out


@pytest.fixture(scope="module")
def cerema_traffic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("cerema")
    done = run("cerema_traffic", str(out), "--data", str(DATASETS))
    assert (done.returncode, done.stderr) == (0, "")
    return out


@needs_data
def test_hk_visitors(hk_visitors: Path) -> None:
    config = read_config(hk_visitors / "territory.toml")
    assert (len(config.zones), config.country, config.timezone) == (11, "HK", "Asia/Hong_Kong")
    assert not config.training.perfect_weather
    influx = pd.read_csv(hk_visitors / "influx.csv")
    assert set(influx["zone_id"]) == {zone.id for zone in config.zones}
    assert len(influx) == 11 * 915  # no day is missing
    assert (influx["date"].min(), influx["date"].max()) == (config.training.start, "2025-08-31")
    day = influx[influx["date"] == "2025-08-31"].set_index("zone_id")["influx"]
    assert day["airport"] == 9533 + 14307  # mainland and other visitors, arrivals only
    assert day["shenzhen-bay"] == 16928
    mobility = pd.read_csv(hk_visitors / "mobility.csv")
    assert len(mobility) == 2 * len(influx)
    of_day = mobility[(mobility["date"] == "2025-08-31") & (mobility["zone_id"] == "airport")]
    assert dict(zip(of_day["site_id"], of_day["count"], strict=True)) == {
        "residents-in": 49398,
        "residents-out": 24642,
    }
    weather = pd.read_csv(hk_visitors / "weather.csv").set_index(["zone_id", "date"])
    assert len(weather) == len(influx)
    assert weather.loc[("lo-wu", "2025-08-31"), "temperature_max"] == 33.0
    assert np.isnan(weather.loc[("lo-wu", "2025-08-31"), "temperature_min"])  # not zero


@needs_data
def test_hk_residents_are_not_readable_before_the_visitors_of_their_day(hk_visitors: Path) -> None:
    config = read_config(hk_visitors / "territory.toml")
    assert config.delay_hours("mobility") >= config.delay_hours("influx") > 0


@needs_data
def test_hk_origin_markets_are_those_of_the_control_point(hk_visitors: Path) -> None:
    territory = read_config(hk_visitors / "territory.toml").territory()
    mainland = territory.shares[:, [market.country for market in territory.markets].index("CN")]
    share = dict(zip(territory.zone_ids, mainland, strict=True))
    assert share["airport"] < 0.5 < 0.9 < share["lok-ma-chau-spur-line"]


@needs_data
def test_cerema_traffic(cerema_traffic: Path) -> None:
    config = read_config(cerema_traffic / "territory.toml")
    assert (len(config.zones), config.country) == (12, "FR")
    influx = pd.read_csv(cerema_traffic / "influx.csv", dtype={"zone_id": str})
    counts = influx.groupby("zone_id")["influx"].count()
    assert set(counts.index) == {zone.id for zone in config.zones}  # France, the total, is no zone
    assert (counts["28"], counts["32"]) == (702, 578)  # a day without a value has no row
    assert influx["date"].min() == config.training.start
    normandy = influx[influx["zone_id"] == "28"].set_index("date")["influx"]
    assert normandy["2021-10-01"] == 1280
    assert normandy["2023-07-14"] == 1220
    assert influx["influx"].notna().all()


@needs_data
def test_cerema_regions_have_their_own_calendar(cerema_traffic: Path) -> None:
    territory = read_config(cerema_traffic / "territory.toml").territory()
    school = dict(zip(territory.zone_ids, [home.school for home in territory.home], strict=True))
    assert (school["28"], school["11"], school["84"]) == ("Zone B", "Zone C", "Zone A")
    assert [m.school for m in territory.markets] == ["Zone A", "Zone B", "Zone C"]
    normandy = territory.shares[territory.zone_ids.index("28")]
    assert normandy.argmax() == 1
    holidays = dict(
        zip(territory.zone_ids, [home.subdivision for home in territory.home], strict=True)
    )
    assert [zone for zone, subdivision in holidays.items() if subdivision] == ["44"]


@needs_data
@pytest.mark.parametrize("panel", ["hk_visitors", "cerema_traffic"])
def test_the_calendar_knows_every_market(panel: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(panel)
    territory = read_config(folder / "territory.toml").territory()
    first = int(day_number(["2023-04-01"])[0])
    group, lines = calendar_lines(territory, first, 60)
    assert len(group) == len(territory.zone_ids)
    assert np.isfinite(lines).any(axis=(1, 2)).sum() > 5


@needs_data
@pytest.mark.parametrize("panel", ["hk_visitors", "cerema_traffic"])
def test_the_folder_passes_the_check(panel: str, request: pytest.FixtureRequest) -> None:
    folder: Path = request.getfixturevalue(panel)
    checked = check_folder(folder, now=pd.Timestamp("2026-01-01", tz="UTC"))
    assert not checked.report.errors, checked.report
    assert checked.config is not None
    rows = sum(len(pd.read_csv(file)) for file in folder.glob("*.csv"))
    assert sum(count.rows for count in checked.counts) == rows
    assert sum(count.skipped + count.repeated for count in checked.counts) == 0


@pytest.mark.parametrize("panel", ["hk_visitors", "cerema_traffic"])
def test_absent_data_is_said_with_what_to_do(panel: str, tmp_path: Path) -> None:
    done = run(panel, str(tmp_path / "out"), "--data", str(tmp_path))
    assert done.returncode == 2
    assert f"holds no folder '{panel}'" in done.stderr
    assert "AFFLUX_DATASETS" in done.stderr
    assert not (tmp_path / "out").exists()
