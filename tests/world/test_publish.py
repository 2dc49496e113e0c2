"""Publishing: kept for ever, served as written, and all or nothing."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pandas as pd
import pytest

from forecast.champion import champion_folder
from forecast.errors import ModelIntegrityError, NoModelError, PublicationError
from forecast.lake import Lake
from forecast.serving.publish import publish
from forecast.serving.reader import read_publication
from forecast.serving.server import command
from forecast.settings import Settings

LATER = pd.Timedelta(hours=1)


def settings_of(home: Path) -> Settings:
    return Settings(home=home, lake=str(home / "data" / "lake"), config=None)


def state(home: Path) -> tuple[str, pd.DataFrame, int]:
    """What is served, what is kept, and the version of the observations."""
    settings = settings_of(home)
    lake = Lake(settings.lake)
    return read_publication(settings.publications).name, lake.read_forecasts(), lake.version()


def assert_unchanged(home: Path, before: tuple[str, pd.DataFrame, int]) -> None:
    name, forecasts, version = state(home)
    assert (name, version) == (before[0], before[2])
    pd.testing.assert_frame_equal(forecasts, before[1])


@contextmanager
def served(home: Path) -> Iterator[Callable[[str], httpx2.Response]]:
    """The real server on a free port; what is yielded asks it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = home / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command("127.0.0.1", port, ""),
            env=os.environ | {"AFFLUX_HOME": str(home)},
            stdout=output,
            stderr=output,
        )
    transport = httpx2.HTTPTransport(retries=12)  # doubling waits, until it listens
    with httpx2.Client(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
        try:
            yield client.get
        finally:
            process.terminate()
            process.wait(timeout=20)
            assert "Traceback" not in log.read_text()


def test_what_was_published_is_kept(world) -> None:
    kept = Lake(world.settings.lake).read_forecasts()
    assert len(kept) == 8 * 15
    assert set(kept["origin"]) == {world.now}
    assert set(kept["model_version"]) == {champion_folder(world.settings.models).name}
    answered = world.published.answer.forecasts.sort_values(["zone_id", "target_date"])
    for column in ("influx_p50", "contribution_weather", "contribution_history"):
        pd.testing.assert_series_equal(kept[column], answered[column], check_index=False)
    assert kept["why"].tolist() == answered["why"].tolist()


def test_the_same_origin_again_adds_nothing_another_does(world, home: Path) -> None:
    settings = settings_of(home)
    before = state(home)
    publish(world.now, world.now + LATER, world.config, settings)
    _, same, version = state(home)
    pd.testing.assert_frame_equal(same, before[1])
    assert version == before[2]
    publish(world.now + LATER, world.now + LATER, world.config, settings)
    name, more, _ = state(home)
    assert len(more) == 2 * len(same)
    assert set(more["origin"]) == {world.now, world.now + LATER}
    assert name != before[0]


def test_the_server_answers_with_what_was_published(world, home: Path) -> None:
    settings = settings_of(home)
    names = {zone.id: zone.name for zone in world.config.zones}
    with served(home) as get:
        answer = get("/v1/forecasts").raise_for_status().json()
        assert len(answer["forecasts"]) == 8 * 15
        assert {row["zone_name"] for row in answer["forecasts"]} == set(names.values())
        assert answer["metadata"]["label"] == "données simulées"
        assert answer["metadata"]["simulated"] is True
        expected = world.published.answer.forecasts.set_index(["zone_id", "target_date"])
        for row in answer["forecasts"]:
            there = expected.loc[(row["zone_id"], pd.Timestamp(row["target_date"]))]
            assert row["influx"]["p50"] == round(there["influx_p50"])
            assert row["level"] == there["level"]
            assert row["why"] == there["why"]
            assert sum(row["contributions"].values()) == row["influx"]["p50"] - row["usual"]
        weekend = get("/v1/forecasts/weekend").raise_for_status().json()
        assert weekend["weekend"]["days"] == ["2025-05-30", "2025-05-31", "2025-06-01"]
        assert len(weekend["forecasts"]) == 8 * 3
        one = get("/v1/zones/241400415/forecasts").raise_for_status().json()
        assert {row["zone_name"] for row in one["forecasts"]} == {"Cœur Côte Fleurie"}
        stale = {s["source"]: s["fresh"] for s in one["metadata"]["sources"]}
        assert stale["parking"] is False
        assert stale["influx"] is True
        # A new publication is taken up without a restart.
        publish(world.now + LATER, world.now + LATER, world.config, settings)
        until, origin = time.monotonic() + 20, ""
        while origin != "2025-05-30T07:00:00Z":
            assert time.monotonic() < until
            origin = get("/v1/zones").json()["metadata"]["origin"]


def test_history_and_scoreboard_rest_on_the_backtest_then_on_what_was_issued(
    world, home: Path
) -> None:
    settings = settings_of(home)
    with served(home) as get:
        board = get("/v1/scoreboard").raise_for_status().json()
        assert board["record"]["issued"] == 0
        assert board["record"]["backtest"] > 300
        whole = board["scores"][0]
        assert whole["wape"] < whole["naive"]["wape"]
        assert 0.5 < whole["coverage_80"] < 1
        card = get("/v1/model").raise_for_status().json()
        figures = world.trained.figures.loc[("all", "all")]
        assert card["backtest"]["scores"][0]["wape"] == pytest.approx(figures["wape"], abs=1e-4)
        # The record keeps tenths of a visitor: what came may lie on a bound that it lay beside.
        (path,) = (world.settings.models / "artifacts").rglob("backtest_rows.csv")
        rows = pd.read_csv(path)[["influx", "influx_p10", "influx_p90"]].round(1)
        held = rows["influx"].between(rows["influx_p10"], rows["influx_p90"]).mean()
        assert card["backtest"]["scores"][0]["coverage_80"] == pytest.approx(held, abs=1e-4)
        assert held == pytest.approx(figures["coverage_80"], abs=0.005)
        assert card["model"]["training"]["seed"] == world.config.training.seed
        geometry = get("/v1/zones.geojson").raise_for_status().json()["features"]
        assert {feature["geometry"]["type"] for feature in geometry} <= {"Polygon", "MultiPolygon"}
        # Nobody knows the future: the newest day with an observation was readable at the origin.
        days = get("/v1/zones/241400415/history").raise_for_status().json()["history"]
        known = [day["target_date"] for day in days if day["observed"] is not None]
        truth = world.observations
        truth = truth[(truth["source"] == "influx") & (truth["available_at"] <= world.now)]
        assert max(known) == f"{truth['date'].max():%Y-%m-%d}"
    # Ten days later, on the same observations, days forecast today are past: they were issued.
    later = world.now + pd.Timedelta(days=10)
    publish(later, later, world.config, settings)
    with served(home) as get:
        days = get("/v1/zones/241400415/history").raise_for_status().json()["history"]
        said = {day["target_date"]: day["said"] for day in days}["2025-06-02"]
        assert [s["basis"] for s in said] == ["issued", "issued"]
        assert {s["horizon_days"] for s in said} == {3}


def test_without_a_champion_nothing_changes(world, home: Path) -> None:
    before = state(home)
    (home / "models" / "champion").unlink()
    with pytest.raises(NoModelError, match="afflux train"):
        publish(world.now + LATER, world.now + LATER, world.config, settings_of(home))
    assert_unchanged(home, before)


def test_with_a_damaged_champion_nothing_changes(world, home: Path) -> None:
    before = state(home)
    damaged = champion_folder(home / "models") / "quantile_0.5.txt"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"#")
    with pytest.raises(ModelIntegrityError, match=r"quantile_0\.5\.txt"):
        publish(world.now + LATER, world.now + LATER, world.config, settings_of(home))
    assert_unchanged(home, before)


def test_what_cannot_be_served_is_not_kept_either(world, home: Path) -> None:
    before = state(home)
    publications = home / "data" / "publications"
    aside = publications.with_name("aside")
    publications.rename(aside)
    publications.write_text("in the way", encoding="utf-8")
    with pytest.raises(
        PublicationError, match="publications: the publication could not be written"
    ):
        publish(world.now + LATER, world.now + LATER, world.config, settings_of(home))
    publications.unlink()
    aside.rename(publications)
    assert_unchanged(home, before)


def test_the_forecasts_survive_a_promotion(world, home: Path) -> None:
    """An answer is told apart by the model that gave it."""
    kept = Lake(settings_of(home).lake).read_forecasts()
    bundle = champion_folder(home / "models")
    shutil.copytree(bundle, bundle.with_name("2-00000000"))
    link = home / "models" / "champion"
    link.unlink()
    link.symlink_to("bundles/2-00000000")
    publish(world.now, world.now + LATER, world.config, settings_of(home))
    both = Lake(settings_of(home).lake).read_forecasts()
    assert len(both) == 2 * len(kept)
    assert set(both["model_version"]) == {bundle.name, "2-00000000"}
