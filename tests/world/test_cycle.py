"""One whole cycle as cron runs it: what it says, what it leaves, and what it survives."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import httpx2
import numpy as np
import pandas as pd
import pytest

from forecast.lake import Lake
from forecast.serving.reader import read_publication
from forecast.settings import Settings

LINE = re.compile(
    r"run: (?P<fetched>.*?), (?P<new>[\d,]+) new rows(?P<more>.*?); "
    r"(publication (?P<publication>\S+)|no publication); (?P<score>.*)\n"
)
CYCLE = re.compile(r"run: 0 providers, 0 new rows; publication \S+; nothing new")
PROVIDERS = """
[providers.tickets]
kind = "waste-tickets"
folder = "{folder}"
history_days = 7320

[providers.lost]
kind = "waste-tickets"
folder = "{folder}/nowhere"

[providers.off]
kind = "waste-tickets"
folder = "{folder}"
enabled = false

[providers.typo]
kind = "waste-tickets"
folderr = "{folder}"
"""


def settings_of(home: Path) -> Settings:
    return Settings(home=home, lake=str(home / "data" / "lake"), config=None)


def served(home: Path) -> str:
    return read_publication(settings_of(home).publications).name


def said(done: subprocess.CompletedProcess[str]) -> dict[str, str]:
    found = LINE.fullmatch(done.stdout)
    assert found, (done.stdout, done.stderr)
    return found.groupdict()


def errors(done: subprocess.CompletedProcess[str]) -> list[str]:
    assert "Traceback" not in done.stderr
    return [line for line in done.stderr.splitlines() if line.startswith("afflux: ")]


@pytest.fixture
def inbox(world, tmp_path: Path) -> Path:
    """Influx of the week that was forecast: as said, but for one zone that was far above."""
    folder = tmp_path / "inbox"
    folder.mkdir()
    week = world.published.answer.forecasts.query("horizon_days < 7")
    above = week["zone_id"] == week["zone_id"].iloc[0]
    influx = np.where(above, week["influx_p90"] * 1.25, week["influx_p50"])
    table = pd.DataFrame({"zone_id": week["zone_id"], "date": week["target_date"]})
    table.assign(influx=influx.round()).to_csv(folder / "influx.csv", index=False)
    return folder


@pytest.fixture
def real(home: Path, tmp_path: Path) -> Path:
    """The home as if its data were real, with a provider that works, one that fails, one off."""
    folder = tmp_path / "tickets"
    folder.mkdir()
    rows = [f"T{day},2025-06-{day:02},OMR,241400415,8.4" for day in range(1, 11)]
    header = "ticket,date_collecte,flux,zone_id,tonnage_t"
    (folder / "juin.csv").write_text("\n".join([header, *rows, "T11,hier,OMR,241400415,1"]) + "\n")
    path = home / "configs" / "estuaire.toml"
    text = path.read_text("utf-8").replace("simulated = true", "simulated = false")
    assert "simulated = false" in text
    first, tables, rest = text.partition("\n[")
    path.write_text(first + PROVIDERS.format(folder=folder) + tables + rest, encoding="utf-8")
    return home


def test_a_cycle_ingests_publishes_scores_and_says_so_in_one_line(
    world, afflux, home: Path, inbox: Path
) -> None:
    before = served(home)
    done = afflux("run", "--inbox", inbox, home=home)
    assert done.returncode == 0, done.stderr
    line = said(done)
    assert (line["fetched"], line["new"], line["more"]) == ("0 providers", "56", "")
    assert line["publication"] == served(home) != before
    # Days 1 to 6 had been forecast the day before at the latest; seven zones of eight were right.
    week = world.published.answer.forecasts.query("1 <= horizon_days < 7")
    truth = pd.read_csv(inbox / "influx.csv", dtype={"zone_id": str}, parse_dates=["date"])
    both = week.merge(truth, left_on=["zone_id", "target_date"], right_on=["zone_id", "date"])
    error = (both["influx_p50"] - both["influx"]).abs().sum() / both["influx"].sum()
    assert line["score"] == (
        f"scored 48 zone-days: 80% band held 42, error of the median {error:.0%}"
    )
    kept = Lake(settings_of(home).lake).read_forecasts()
    assert len(kept) == 2 * 8 * 15

    again = afflux("run", "--json", home=home, AFFLUX_INBOX=str(inbox))
    assert again.returncode == 0, again.stderr
    facts = json.loads(again.stdout)
    assert (facts["new"], facts["revised"], facts["failed"]) == (0, 0, {})
    assert facts["score"]["zone_days"] == 0
    assert facts["score"]["error"] is None
    assert facts["publication"] == served(home)


def test_what_fails_is_said_and_stops_nothing_else(afflux, real: Path, inbox: Path) -> None:
    before = served(real)
    with (inbox / "influx.csv").open("a") as file:
        file.write("241400415,2025-06-06,-5\n")
    done = afflux("run", "--inbox", inbox, home=real)
    assert done.returncode == 1
    line = said(done)
    assert line["fetched"] == "2 providers (1 failed: lost, wrongly configured: typo), inbox failed"
    assert (line["new"], line["more"]) == ("10", ", 1 refused")
    assert line["publication"] == served(real) != before
    assert line["score"] == "nothing new to score"
    published = (real / "data" / "publications" / served(real) / "sources.json").read_text("utf-8")
    assert '"tickets"' in published and "nowhere" in published
    first, second, third = errors(done)
    assert first.startswith("afflux: inbox: ") and "influx.csv, line 58" in first
    # A table that is wrong stops its own provider alone.
    assert second.startswith("afflux: typo: ") and "providers.typo.folderr: unknown key" in second
    assert third.startswith("afflux: lost: ") and "nowhere" in third
    path = real / "configs" / "estuaire.toml"
    path.write_text(path.read_text("utf-8").replace("typo]", "fixed]").replace("folderr", "folder"))
    # A provider that is not due is not asked again at once.
    again = afflux("run", home=real)
    assert again.returncode == 0, again.stderr
    assert said(again)["fetched"] == "1 provider (2 not due)"

    report = json.loads(afflux("sources", "--json", home=real).stdout)
    waste = next(entry for entry in report if entry["source"] == "waste")
    assert waste["newest_date"] == "2025-06-10"
    assert waste["simulated"] is False
    tickets, lost, off, fixed = waste["providers"]
    assert (fixed["name"], fixed["missed_runs"]) == ("fixed", 0)
    assert (tickets["name"], tickets["missed_runs"], tickets["last_error"]) == ("tickets", 0, None)
    assert (lost["missed_runs"], lost["last_success_at"]) == (1, None)
    assert "nowhere" in lost["last_error"]
    assert (off["enabled"], off["next_try_at"], off["missed_runs"]) == (False, None, None)
    assert waste["next_try_at"] == min(tickets["next_try_at"], lost["next_try_at"])
    table = afflux("sources", home=real)
    assert table.returncode == 0
    text = table.stdout.partition("\nlost: ")[0]
    assert max(map(len, text.splitlines())) <= 80
    for words in (r"waste +2025-06-10", r"tickets +2025-06-10 .* 24 h +0 ", r"off .* off"):
        assert re.search(words, text), (words, text)


def test_wrong_providers_do_not_stop_the_publication(afflux, home: Path) -> None:
    path = home / "configs" / "estuaire.toml"
    before = served(home)
    path.write_text(path.read_text("utf-8") + '\n[providers.ciel]\nkind = "magic"\n', "utf-8")
    done = afflux("run", home=home)
    assert done.returncode == 1
    assert said(done)["fetched"] == "0 providers, providers failed"
    assert said(done)["publication"] == served(home) != before
    (error,) = errors(done)
    assert "simulated" in error


def test_without_a_champion_there_is_no_publication_and_the_rest_is_done(
    afflux, home: Path, inbox: Path
) -> None:
    before = served(home)
    (home / "models" / "champion").unlink()
    done = afflux("run", "--inbox", inbox, home=home)
    assert done.returncode == 1
    line = said(done)
    assert (line["new"], line["publication"]) == ("56", None)
    assert line["score"].startswith("scored 48 zone-days")
    assert served(home) == before
    (error,) = errors(done)
    assert error.startswith("afflux: publish: ") and "afflux train" in error


def test_a_home_without_configuration_is_two(afflux, tmp_path: Path) -> None:
    done = afflux("run", home=tmp_path / "home")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no configuration in" in errors(done)[0]
    assert not (tmp_path / "home").exists()
    done = afflux("run", "--inbox", tmp_path / "nowhere", home=tmp_path / "home")
    assert done.returncode == 2
    assert "nowhere: is not a folder" in done.stderr


# One at a time, and killed


@pytest.fixture
def begin(environment) -> Callable[[Path], subprocess.Popen[str]]:
    """Start a cycle, and return once it holds the lock."""

    def start(home: Path) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("afflux"), "run"],
            env=environment | {"AFFLUX_HOME": str(home)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        lock = home / "data" / "run.lock"
        until(lambda: lock.exists() and f"pid {process.pid}," in lock.read_text())
        return process

    return start


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


def test_a_second_cycle_ends_at_once_and_names_the_first(afflux, home: Path, begin) -> None:
    first = begin(home)
    first.send_signal(signal.SIGSTOP)  # however slow the machine, it holds the lock
    second = afflux("run", home=home)
    first.send_signal(signal.SIGCONT)
    assert (second.returncode, second.stdout) == (1, "")
    (error,) = errors(second)
    assert re.fullmatch(
        rf"afflux: another run, pid {first.pid}, since \S+Z, is under way; nothing was done", error
    )
    out, err = first.communicate(timeout=300)
    assert first.returncode == 0, err
    assert LINE.fullmatch(out)


def test_killed_at_any_moment_it_leaves_the_lock_free_and_a_good_publication(
    afflux, home: Path, begin
) -> None:
    before, log = served(home), home / "data" / "lake" / "forecasts" / "_delta_log"
    commits = len(list(log.glob("*.json")))
    moments = {
        "as soon as it holds the lock": lambda: True,
        "when the forecasts are kept": lambda: len(list(log.glob("*.json"))) > commits,
    }
    for moment, come in moments.items():
        process = begin(home)
        until(come)
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGKILL, moment
        assert served(home) == before or len(list(log.glob("*.json"))) > commits, moment
        Lake(settings_of(home).lake).read_forecasts()
    done = afflux("run", home=home)
    assert done.returncode == 0, done.stderr
    assert said(done)["publication"] == served(home) != before
    left = [p.name for p in (home / "data" / "publications").iterdir() if p.name[0] == "."]
    assert left == [".lock"]


# Beside the server


def test_a_server_that_refreshes_serves_one_publication_after_the_other(
    home: Path, environment
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, names = home / "server.log", set()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [Path(sys.executable).with_name("afflux"), "serve", "--port", str(port),
             "--refresh", "2s"],
            env=environment | {"AFFLUX_HOME": str(home)},
            stdout=output,
            stderr=output,
        )  # fmt: skip
    transport = httpx2.HTTPTransport(retries=12)
    try:
        with httpx2.Client(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
            end = time.monotonic() + 240
            while len(names) < 2 or not CYCLE.search(log.read_text("utf-8")):
                assert time.monotonic() < end, log.read_text()
                answer = client.get("/v1/zones").raise_for_status()
                names.add(answer.headers["afflux-publication"])
                time.sleep(0.05)
    finally:
        process.terminate()
        process.wait(timeout=60)
    text = log.read_text("utf-8")
    assert "Traceback" not in text
    lock = int(re.findall(r"pid (\d+)", (home / "data" / "run.lock").read_text())[0])
    until(lambda: not _lives(lock), 60)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
