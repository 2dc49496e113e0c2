"""`afflux ingest` of providers: a home on disk, a real server, the whole command."""

from __future__ import annotations

import json
import os
import re
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from forecast.cli import main
from forecast.lake import Lake

RECORDS = "/api/explore/v2.1/catalog/datasets/velos/records"
HOME = """\
id = "test"
name = "Essai"
communes = "communes.csv"
{simulated}
[[zones]]
id = "z1"
name = "Une"
population = 1000
latitude = 49.3
longitude = 0.1

[providers.velos]
kind = "opendatasoft"
base_url = "{url}"
dataset = "velos"
source = "mobility"
date_field = "jour"
zone_field = "insee"
site_field = "site"
values = {{ count = "nb" }}
window_days = 3660

[providers.absent]
kind = "opendatasoft"
base_url = "{url}"
dataset = "absent"
source = "mobility"
date_field = "jour"
zone = "z1"
site_field = "site"
values = {{ count = "nb" }}
window_days = 3660
{more}
[providers.dormant]
kind = "opendatasoft"
enabled = false
base_url = "http://127.0.0.1:9"
dataset = "x"
source = "mobility"
date_field = "jour"
zone = "z1"
site_field = "site"
values = {{ count = "nb" }}
"""


class Home:
    def __init__(self, path: Path, url: str, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
        self.path, self.url, self.monkeypatch, self.capsys = path, url, monkeypatch, capsys
        (path / "configs").mkdir()
        (path / "configs" / "communes.csv").write_text("commune_id,zone_id\n14220,z1\n")
        self.write()
        monkeypatch.setenv("AFFLUX_HOME", str(path))
        for name in ("AFFLUX_LAKE", "AFFLUX_CONFIG", "VELOS_KEY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.chdir(path)

    def write(self, more: str = "", simulated: str = "") -> None:
        text = HOME.format(url=self.url, more=more, simulated=simulated)
        (self.path / "configs" / "test.toml").write_text(text, encoding="utf-8")

    def afflux(self, *arguments: str) -> tuple[int, str, str]:
        self.monkeypatch.setattr(sys, "argv", ["afflux", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        said = self.capsys.readouterr()
        return int(ended.value.code or 0), said.out, said.err

    def rows(self) -> int:
        return len(Lake(str(self.path / "data" / "lake")).read())


@pytest.fixture
def home(
    replay: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Home:
    records = [
        {"jour": f"2026-01-{day:02d}", "insee": "14220", "site": "S", "nb": day}
        for day in range(1, 29)
    ]
    records += [{**records[0], "insee": "75056"}, {**records[0], "site": "T", "nb": "beaucoup"}]
    said = json.dumps({"total_count": len(records), "results": records})
    replay.routes[RECORDS] = [replay.Answer(body=said)]
    return Home(tmp_path, replay.url, monkeypatch, capsys)


def test_a_provider_by_its_name(home: Home) -> None:
    code, out, err = home.afflux(
        "ingest", "velos", "--since", "2026-01-01", "--until", "2026-02-01"
    )
    assert (code, home.rows()) == (0, 28)
    assert "velos                1 piece: 28 new observations, 0 already known, 0 revised" in out
    assert "(given: mobility 28); newest day 2026-01-28" in out
    assert "1 row in no zone\n    75056: 1" in out
    assert "1 row refused" in out
    assert "record 30: nb is 'beaucoup', expected a number" in out
    assert "velos: 2025-03-10/2035-03-17" in err  # its progress
    assert "✓ velos" in err
    code, out, _ = home.afflux("ingest", "velos", "--since", "2026-01-01", "--json")
    done = json.loads(out)["providers"]
    assert code == 0
    assert [done[0][key] for key in ("name", "ok", "new", "known")] == ["velos", True, 0, 28]
    assert done[0]["unplaced"] == {"75056": 1}


def test_all_of_them_and_one_that_fails(home: Home) -> None:
    """In a process of its own: its exit status and its streams are what a timer sees."""
    done = subprocess.run(
        [sys.executable, "-c", "from forecast.cli import main; main()", "ingest", "--all",
         "--since", "2026-01-01"],
        capture_output=True, text=True, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 1
    assert home.rows() == 28
    assert "absent               0 pieces" in done.stdout
    assert "dormant" not in done.stdout + done.stderr
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith("afflux: absent: 2025-03-10/2035-03-17: http://127.0.0.1")
    assert last.endswith("answered 404 (no such page)")


def test_a_missing_key_is_the_configuration_s_fault(home: Home) -> None:
    home.write(more='key_env = "VELOS_KEY"\n')
    code, _, err = home.afflux("ingest", "absent")
    assert code == 2
    assert "the environment variable VELOS_KEY is not set" in err
    # The others are fetched all the same.
    code, _, err = home.afflux("ingest", "--all")
    assert (code, home.rows() > 0) == (1, True)
    assert "VELOS_KEY is not set" in err.strip().splitlines()[-1]


def test_a_wrong_table_stops_only_its_own_provider(home: Home, replay: Any) -> None:
    home.write(more="windw_days = 3\n")
    told = "test.toml: providers.absent.windw_days: unknown key"
    code, _, err = home.afflux("ingest", "absent")
    assert (code, told in err, replay.requests) == (2, True, [])
    code, out, err = home.afflux("ingest", "--all", "--since", "2026-01-01", "--json")
    assert (code, home.rows()) == (1, 28)
    assert told in err.strip().splitlines()[-1]
    done = json.loads(out)
    assert [found["name"] for found in done["providers"]] == ["velos"]
    assert told in done["wrong"]["absent"]
    assert home.afflux("ingest", "velos", "--since", "2026-01-01")[0] == 0
    code, out, err = home.afflux("sources", "--json")
    assert (code, told in err) == (2, True)
    mobility = next(entry for entry in json.loads(out) if entry["source"] == "mobility")
    assert [found["name"] for found in mobility["providers"]] == ["velos", "dormant"]


def test_what_is_wrong_is_said_before_anything_is_fetched(home: Home, replay: Any) -> None:
    for arguments, said in (
        ((), "say what to ingest: a folder, a provider's name, or --all"),
        (("velos", "--all"), "say what to ingest"),
        (("velo",), "'velo' is neither a folder nor a configured provider; configured: velos, abs"),
        (("./velos",), "velos: is not a folder"),
        (("velos", "--since", "hier"), "--since 'hier' is no day"),
        (("velos", "--skip-bad-rows"), "--skip-bad-rows is for folders"),
        ((".", "--since", "2026-01-01"), "--since and --until are for providers"),
    ):
        code, _, err = home.afflux("ingest", *arguments)
        assert (code, said in err) == (2, True), (arguments, err)
    (home.path / "velos").mkdir()
    code, _, err = home.afflux("ingest", "velos")
    assert (code, "write ./velos for the folder" in err) == (2, True)
    (home.path / "configs" / "communes.csv").write_text("commune_id,zone_id\n14220,z9\n")
    code, _, err = home.afflux("ingest", "--all")
    assert (code, "line 2: zone_id 'z9' is no zone" in err) == (2, True)
    assert replay.requests == []
    assert not (home.path / "data").exists()


def test_a_simulated_home_fetches_nothing(home: Home, replay: Any) -> None:
    home.write(simulated="simulated = true")
    code, _, err = home.afflux("ingest", "--all")
    assert (code, "the territory is simulated" in err) == (2, True)
    assert replay.requests == []


def test_a_folder_is_still_a_folder(home: Home) -> None:
    folder = home.path / "depot"
    folder.mkdir()
    (folder / "influx.csv").write_text("zone_id,date,influx\nz1,2026-01-01,500\n")
    code, out, _ = home.afflux("ingest", "depot")
    assert (code, home.rows()) == (0, 1)
    assert "1 new observations" in out
    with (folder / "influx.csv").open("a") as file:
        file.write("z1,2026-01-02,600\n")
    (folder / "waste.csv").write_text("zone_id,date,tonnage\nz1,2026-01-01,5\n")
    code, out, _ = home.afflux("ingest", "depot")
    assert re.search(r"influx +2 rows; observations: 1 new, 1 known\n", out), out
    assert re.search(r"waste +1 rows; observations: 1 new\n", out), out
    (folder / "waste.csv").write_text("zone_id,date,tonnage\nz1,2026-01-01,6\n")
    code, out, _ = home.afflux("ingest", "depot", "--json")
    assert json.loads(out)["observations"] == {
        "influx": {"new": 0, "known": 2, "revised": 0},
        "waste": {"new": 0, "known": 0, "revised": 1},
    }
    other = home.path / "ailleurs"
    other.mkdir()
    home.monkeypatch.setenv("AFFLUX_HOME", str(other))
    (home.path / "configs" / "test.toml").rename(folder / "territory.toml")
    (home.path / "configs" / "communes.csv").rename(folder / "communes.csv")
    territory = (folder / "territory.toml").read_text("utf-8")
    named = territory.replace("communes =", 'geometry = "contours.geojson"\ncommunes =')
    (folder / "territory.toml").write_text(named, "utf-8")
    outline = {"type": "Polygon", "coordinates": [[[0, 49], [1, 49], [1, 50], [0, 50], [0, 49]]]}
    feature = {"type": "Feature", "properties": {"zone_id": "z1"}, "geometry": outline}
    collection = {"type": "FeatureCollection", "features": [feature]}
    (folder / "contours.geojson").write_text(json.dumps(collection))
    code, out, err = home.afflux("ingest", str(folder))
    assert (code, err.count("ignored")) == (0, 0)
    kept = {path.name for path in (other / "configs").iterdir()}
    assert kept == {"test.toml", "communes.csv", "contours.geojson"}
    # The home is whole: its providers find the communes and outlines.
    shutil.rmtree(folder)
    code, out, _ = home.afflux("ingest", "velos", "--since", "2026-01-01")
    assert (code, "28 new observations" in out) == (0, True)


def test_a_damaged_state_file_is_named(home: Home) -> None:
    home.afflux("ingest", "velos", "--since", "2026-01-01")
    path = home.path / "data" / "fetches.sqlite"
    with sqlite3.connect(path) as base:
        assert base.execute("SELECT count(*) FROM attempts WHERE ok = 1").fetchone() == (1,)
    base.close()
    for old in path.parent.glob("fetches.sqlite*"):
        old.unlink()
    path.write_bytes(b"no database" * 200)
    code, _, err = home.afflux("ingest", "velos")
    assert (code, "fetches.sqlite: what was fetched cannot be read" in err) == (1, True)
    path.unlink()
    code, out, _ = home.afflux("ingest", "velos", "--since", "2026-01-01")
    assert (code, "0 new observations, 28 already known" in out) == (0, True)
