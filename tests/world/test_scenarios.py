"""What-ifs: the published forecast beside what it would be, through the real server and its worker.

It is the Friday of the Ascension weekend; Saturday is the 31st of May.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import numpy as np
import pandas as pd
import pytest

from forecast.features import build, discover
from forecast.lake import Lake
from forecast.predict import answer_at
from forecast.scenario import Scenarios
from forecast.serving.publish import publish
from forecast.serving.server import command
from forecast.settings import Settings

SATURDAY, SUNDAY = "2025-05-31", "2025-06-01"
DEAUVILLE = "241400415"
STORM = {"precipitation": 25, "sunshine": 0, "temperature_max": 12, "wind_gust": 90}
FAIR = {"zone_id": DEAUVILLE, "date": SATURDAY, "name": "Foire", "attendance": 40000}


@pytest.fixture(scope="module")
def scenarios(world) -> Scenarios:
    """From the last row of each fact alone, as the worker reads them."""
    observations = Lake(world.settings.lake).snapshot(
        world.now, zones=[zone.id for zone in world.config.zones]
    )
    return Scenarios.at(
        world.now, world.config, observations, world.champion, model_version="1", lake_version=1
    )


# The computation.


def test_the_baseline_is_the_forecast_to_the_last_digit(world, scenarios: Scenarios) -> None:
    answer = answer_at(
        world.now, world.config, world.observations, world.champion,
        model_version="1", lake_version=1,
    )  # fmt: skip
    pd.testing.assert_frame_equal(scenarios.baseline, answer.forecasts, check_exact=True)


def everything(scenarios: Scenarios) -> np.ndarray:
    return np.ones(len(scenarios.baseline), dtype=bool)


def answers(scenarios: Scenarios, rows: np.ndarray, supposed: pd.DataFrame) -> pd.DataFrame:
    """These rows of the baseline, those that move being what they become."""
    moved, anew = scenarios.moved(rows, supposed)
    assert len(anew) == moved.sum()
    kept = scenarios.baseline[rows & ~moved]
    parts = [part for part in (kept, anew.set_index(np.flatnonzero(moved))) if len(part)]
    return pd.concat(parts).sort_index().reset_index(drop=True)


def test_the_weather_as_it_is_forecast_changes_nothing(world, scenarios: Scenarios) -> None:
    rows = Lake(world.settings.lake).snapshot(world.now, sources=["weather_forecast"])
    rows = rows[rows["date"] >= pd.Timestamp(world.now.date())]
    weather = [
        {"zone_id": zone, "target_date": f"{day:%Y-%m-%d}",
         **dict(zip(found["variable"], found["value"], strict=True))}
        for (zone, day), found in rows.groupby(["zone_id", "date"], observed=True)
    ]  # fmt: skip
    assert len(weather) > 8 * 10
    found = answers(scenarios, everything(scenarios), scenarios.suppose(weather, []))
    pd.testing.assert_frame_equal(found, scenarios.baseline, check_exact=True)


def test_a_supposition_is_an_observation(world, scenarios: Scenarios) -> None:
    """The short cuts answer as forecasting does from a lake that holds what is supposed."""
    supposed = scenarios.suppose([{"target_date": SATURDAY, **STORM}], [FAIR])
    whole = pd.concat(
        [world.observations.astype(dict.fromkeys(supposed.select_dtypes("str"), "str")), supposed]
    )
    matrix = build(
        scenarios.known.grid, type(scenarios.known.evidence)(whole, world.config.territory())
    )
    anew = scenarios._values(everything(scenarios), supposed)
    np.testing.assert_array_equal(anew, matrix.values)
    found = answers(scenarios, everything(scenarios), supposed)
    expected = answer_at(
        world.now, world.config, whole, world.champion, model_version="1", lake_version=1
    ).forecasts
    # Whether a source is late, and so the band, is not supposed: here both are as they were.
    pd.testing.assert_frame_equal(found, expected, check_exact=True)


def test_what_is_supposed_is_rehearsed_by_nobody(scenarios: Scenarios) -> None:
    evidence = scenarios.known.evidence.supposing(scenarios.suppose([], [FAIR]))
    assert evidence.updates("influx", "influx") is scenarios.known.evidence.updates(
        "influx", "influx"
    )
    with pytest.raises(ValueError, match="first"):
        evidence.late(["influx"], 1)


def test_some_questions_are_answered_as_among_all(scenarios: Scenarios) -> None:
    supposed = scenarios.suppose([{"target_date": SATURDAY, **STORM}], [FAIR])
    whole = answers(scenarios, everything(scenarios), supposed)
    days = pd.Timestamp(SATURDAY).date(), pd.Timestamp(SUNDAY).date()
    rows = scenarios.asked([DEAUVILLE], *days)
    assert rows.sum() == 2
    found = answers(scenarios, rows, supposed)
    pd.testing.assert_frame_equal(found, whole[rows].reset_index(drop=True), check_exact=True)


def test_only_sources_that_read_what_is_supposed_are_asked_again() -> None:
    reading = {s.name for s in discover() if {"weather_forecast", "events"} & set(s.reads)}
    assert reading == {"weather", "events"}


# The server.


class Served:
    """The real server on a copy of the world's home."""

    def __init__(self, home: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.home, self.log = home, home / "server.log"
        opened = {"AFFLUX_HOME": str(home), "AFFLUX_OPEN_SCOPES": "scenarios"}
        with self.log.open("wb") as output:
            self.process = subprocess.Popen(
                command("127.0.0.1", port, ""),
                env=os.environ | opened,
                stdout=output,
                stderr=output,
            )
        self.client = httpx2.Client(
            transport=httpx2.HTTPTransport(retries=12),
            base_url=f"http://127.0.0.1:{port}",
            timeout=60,
        )

    def ask(self, **body) -> httpx2.Response:
        return self.client.post("/v1/scenarios", json=body)

    def workers(self) -> list[int]:
        """Processes beside the server."""
        found = subprocess.run(
            ["pgrep", "-P", str(self.process.pid), "-f", "scenario_worker"],
            capture_output=True,
            text=True,
            check=False,
        )
        return [int(pid) for pid in found.stdout.split()]

    def stop(self) -> None:
        self.client.close()
        self.process.terminate()
        self.process.wait(timeout=20)


@pytest.fixture
def served(home: Path) -> Iterator[Served]:
    running = Served(home)
    yield running
    running.stop()


def test_a_what_if_over_http(served: Served) -> None:
    settings = Settings(served.home, str(served.home / "data" / "lake"), None)
    lake = Lake(settings.lake)
    before = lake.version(), len(lake.read_forecasts())
    published = {
        (row["zone_id"], row["target_date"]): row
        for row in served.client.get("/v1/forecasts").raise_for_status().json()["forecasts"]
    }
    assert served.workers() == []  # Nothing is loaded before it is asked for.
    reply = served.ask(weather=[{"target_date": SATURDAY, **STORM}], events=[FAIR])
    assert reply.status_code == 200, reply.text
    assert reply.headers["cache-control"] == "no-store"
    answer = reply.json()
    assert answer["scenario"] is True and answer["metadata"]["label"] == "données simulées"
    assert len(answer["comparisons"]) == 8 * 15
    for found in answer["comparisons"]:
        key = found["zone_id"], found["target_date"]
        assert found["baseline"] == published[key]
        assert found["scenario"].keys() == found["baseline"].keys()
        medians = [found[name]["influx"]["p50"] for name in ("baseline", "scenario")]
        assert found["difference"] == medians[1] - medians[0]
        assert found["level_before"] == found["baseline"]["level"]
        if key[1] not in ("2025-05-30", SATURDAY, SUNDAY):
            assert found["scenario"] == found["baseline"] and found["difference"] == 0
    saturday = {c["zone_id"]: c for c in answer["comparisons"] if c["target_date"] == SATURDAY}
    others = [found["difference"] for zone, found in saturday.items() if zone != DEAUVILLE]
    assert sum(others) < 0
    assert "météo annoncée moins favorable" in "".join(c["why"] for c in saturday.values())
    # Nothing is stored.
    assert (lake.version(), len(lake.read_forecasts())) == before

    # A few zones and days, a second time: the worker is warm.
    (worker,) = served.workers()
    narrow = {"zone_id": [DEAUVILLE], "from": SATURDAY, "to": SUNDAY, "events": [FAIR]}
    found = served.ask(**narrow).json()["comparisons"]
    assert [c["target_date"] for c in found] == [SATURDAY, SUNDAY]
    assert found[0]["difference"] > 0 and "événements ajoutés" in found[0]["why"]
    assert served.workers() == [worker]

    # A worker that dies is replaced; one that dies while it is asked is a 503 first.
    os.kill(worker, signal.SIGKILL)
    assert served.ask(**narrow).status_code in (200, 503)
    assert served.ask(**narrow).json()["comparisons"] == found
    (worker,) = served.workers()
    os.kill(worker, signal.SIGSTOP)
    began = time.monotonic()
    stuck = served.ask(**narrow)
    assert stuck.status_code == 503 and time.monotonic() - began < 40
    assert stuck.json()["type"].endswith("#worker-unavailable")
    assert int(stuck.headers["retry-after"]) > 0
    assert served.client.get("/v1/zones").status_code == 200
    assert served.ask(**narrow).json()["comparisons"] == found

    # A new publication is what the next what-if is compared with.
    config = settings.run_config()
    later = pd.Timestamp("2025-05-30T09:00Z").as_unit("us")
    folder = publish(later, later, config, settings).folder
    until = time.monotonic() + 20
    while served.client.get("/v1/zones").headers["afflux-publication"] != folder.name:
        assert time.monotonic() < until
    reply = served.ask(**narrow)
    assert reply.headers["afflux-publication"] == folder.name
    assert reply.json()["metadata"]["origin"] == "2025-05-30T09:00:00Z"

    # What can no longer be recomputed is not compared with.
    file = settings.config_path()
    with file.open("a", encoding="utf-8") as config_file:
        config_file.write("\n[levels]\norange = 300\n")
    (worker,) = served.workers()
    os.kill(worker, signal.SIGKILL)
    assert [served.ask(**narrow).status_code for _ in range(2)][1] == 503
    assert "publish again" in served.log.read_text()


FAULTS = [
    ({}, ["body"]),
    ({"weather": [{"target_date": SATURDAY}]}, ["weather.0"]),
    ({"weather": [{"target_date": SATURDAY, **STORM}, {"target_date": "2025-07-01", **STORM}]},
     ["weather.1.target_date"]),
    ({"weather": [{"target_date": SATURDAY, "sunshine": 25}]}, ["weather.0.sunshine"]),
    ({"weather": [{"target_date": SATURDAY, "rain": 2}]}, ["weather.0.rain"]),
    ({"weather": [{"target_date": "31/05/2025", **STORM}]}, ["weather.0.target_date"]),
    ({"weather": [{"target_date": SATURDAY, "temperature_max": 5, "temperature_min": 9}]},
     ["weather.0"]),
    ({"events": [{**FAIR, "zone_id": "nowhere"}]}, ["events.0.zone_id"]),
    ({"events": [{**FAIR, "attendance": -1}]}, ["events.0.attendance"]),
    ({"events": [{**FAIR, "attendance": "many"}]}, ["events.0.attendance"]),
    ({"events": [{**FAIR, "end_date": "2025-05-01"}]}, ["events.0"]),
    ({"events": [{**FAIR, "date": "2025-09-01"}]}, ["events.0.date"]),
    ({"events": [{**FAIR, "name": "  "}]}, ["events.0.name"]),
    ({"events": [FAIR], "zone_id": [DEAUVILLE, "nowhere"]}, ["zone_id.1"]),
    ({"events": [FAIR], "from": SUNDAY, "to": SATURDAY}, ["body"]),
    ({"events": [FAIR], "to": "2025-08-01"}, ["to"]),
    ({"events": [FAIR], "horizon": 3}, ["horizon"]),
]  # fmt: skip


def test_what_cannot_be_supposed_is_said_before_anything_is_loaded(served: Served) -> None:
    for body, names in FAULTS:
        reply = served.ask(**body)
        assert reply.status_code == 422, (body, reply.text)
        found = [entry["parameter"] for entry in reply.json()["errors"]]
        assert found == names, body
    many = served.ask(weather=[{"target_date": SATURDAY, **STORM}] * 501)
    assert many.status_code == 422
    assert served.client.post("/v1/scenarios?dry=1", json={"events": [FAIR]}).status_code == 422
    broken = served.client.post(
        "/v1/scenarios", content=b"{", headers={"content-type": "application/json"}
    )
    assert broken.status_code == 422
    half = json.dumps({"events": [{**FAIR, "name": "Foire \ud800"}]}).encode()
    halved = served.client.post(
        "/v1/scenarios", content=half, headers={"content-type": "application/json"}
    )
    assert halved.status_code == 422
    assert halved.json()["errors"][0]["parameter"] == "events.0.name"
    nan = served.client.post(
        "/v1/scenarios",
        content=b'{"weather": [{"target_date": "2025-05-31", "sunshine": NaN}]}',
        headers={"content-type": "application/json"},
    )
    assert nan.status_code == 422
    assert served.workers() == []


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed here")
def test_the_benchmark_runs(world) -> None:
    arguments = ["--home", str(world.home), "--times", "1", "--seconds", "1"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.scenarios", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["benchmark"] == "scenarios" and len(summary["warm"]) == 4
    assert summary["polled"]["beside"]["per_second"] > 0
    assert summary["p99_beside_over_alone"] > 0
