"""Uploads: checked and stored as the command does it, and nothing of a refused file kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pandas as pd
import pytest

from forecast import scenario
from forecast.features.weather import VARIABLES
from forecast.ingest.contract import CONTRACT
from forecast.lake import Lake
from forecast.serving import action_schemas
from forecast.serving.key_store import KeyStore

DAYS = pd.date_range("2026-01-05", periods=60, freq="D")
GOOD = "zone_id,date,tonnage\n" + "".join(
    f"241400415,{day:%Y-%m-%d},{10 + i % 7}.5\n" for i, day in enumerate(DAYS)
)
SHORT = "".join(GOOD.splitlines(keepends=True)[:4])
BAD = GOOD.replace("241400415,2026-01-07,12.5", "241400415,2026-01-07,beaucoup")


MOST = 20_000


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, settle) -> Path:
    return settle(tmp_path_factory.mktemp("uploads"))


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server puts what it receives."""
    return tmp_path_factory.mktemp("scratch")


@pytest.fixture(scope="module")
def anybody(home: Path, scratch: Path, start_once) -> Iterator[httpx2.Client]:
    """A client without a key; the server needs no publication to take files."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(scratch))
        patch.setenv("AFFLUX_MAX_BODY", str(MOST))
        server = start_once(home)
    with httpx2.Client(base_url=server.url, trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture(scope="module")
def send(anybody: httpx2.Client, home: Path):
    """Send a file with a key."""
    keys = KeyStore(home / "data" / "keys.json")
    _, token = keys.add("mairie", ["uploads"], datetime.now(UTC), 1)

    def send(content: str | bytes, source: str = "waste", **more) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token}", "content-type": "text/csv"}
        return anybody.post(
            f"/v1/sources/{source}/files",
            content=content,
            headers=headers | more.pop("headers", {}),
            params={"filename": "mai.csv"} | more,
        )

    return send


def lake_of(home: Path) -> Lake:
    return Lake(str(home / "data" / "lake"))


def afflux(*arguments: str | Path, home: Path) -> subprocess.Popen[str]:
    script = Path(sys.executable).with_name("afflux")
    return subprocess.Popen(
        [script, *map(str, arguments)],
        env=os.environ | {"AFFLUX_HOME": str(home)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_good_file_is_stored_once(send, home: Path, scratch: Path) -> None:
    checked = send(GOOD, dry_run="true").raise_for_status().json()
    assert (checked["dry_run"], checked["stored"], checked["lake_version"]) == (True, False, None)
    assert lake_of(home).read().empty
    first = send(GOOD)
    assert first.status_code == 200 and first.headers["cache-control"] == "no-store"
    answer = first.json()
    assert answer["report"]["ok"] and answer["report"] == checked["report"]
    assert (answer["source"], answer["filename"], answer["stored"]) == ("waste", "mai.csv", True)
    assert (answer["new"], answer["known"], answer["revised"]) == (60, 0, 0)
    again = send(GOOD.replace(",", ";").replace(".5", ",5")).json()  # As a French Excel saves it.
    assert (again["new"], again["known"], again["revised"]) == (0, 60, 0)
    assert again["lake_version"] == answer["lake_version"] == lake_of(home).version()
    rows = lake_of(home).read(sources=["waste"])
    assert len(rows) == 60 and rows["value"].iloc[2] == 12.5
    assert list(scratch.iterdir()) == []


def test_nothing_of_a_refused_file_is_kept(send, home: Path, scratch: Path) -> None:
    send(GOOD).raise_for_status()

    def state() -> tuple[list[tuple[Path, int]], int]:
        files = [p for p in sorted(home.rglob("*")) if p.name != "server.log" and p.is_file()]
        return [(p, p.stat().st_mtime_ns) for p in files], lake_of(home).version()

    before = state()
    reply = send(BAD, filename="../../etc/passwd")
    assert reply.status_code == 422
    assert reply.headers["content-type"] == "application/problem+json"
    problem = reply.json()
    assert problem["type"].endswith("#file-refused") and "1 error" in problem["detail"]
    assert state() == before
    assert list(scratch.iterdir()) == []


def test_the_report_is_that_of_the_command(send, home: Path, tmp_path: Path) -> None:
    (tmp_path / "waste.csv").write_text(BAD, encoding="utf-8")
    command = afflux("check", tmp_path, "--json", home=home)
    out, _ = command.communicate(timeout=60)
    assert command.returncode == 2
    report = json.loads(out)
    assert report["problems"][0]["line"] == 4 and report["problems"][0]["column"] == "tonnage"
    assert send(BAD).json()["report"] == report
    assert send(BAD, dry_run="true").json()["report"] == report


def test_the_report_comes_in_the_language_that_is_asked_for(send) -> None:
    english, french = send(BAD).json(), send(BAD, headers={"accept-language": "fr"}).json()
    assert french["title"] == "Fichier refusé"
    for answer, what in (
        (english, "the cell is not a number"),
        (french, "La cellule n'est pas un nombre"),
    ):
        assert answer["report"]["problems"][0]["what"] == what
    assert french["report"]["counts"] == english["report"]["counts"]
    for language, what in (("en", "the file holds 3 days"), ("fr", "Le fichier contient 3 jours")):
        reply = send(SHORT, dry_run="true", headers={"accept-language": language})
        assert reply.status_code == 200
        assert reply.headers["content-language"] == language
        assert "Accept-Language" in reply.headers["vary"]
        assert reply.json()["report"]["problems"][0]["what"] == what


@pytest.mark.parametrize(
    ("content", "kind"),
    [("", "empty"), ("zone_id,date\n", "column"), (b"\x00\xff" * 99, ""), (GOOD[:9], "")],
)
def test_what_is_no_such_file_is_a_report_too(content, kind: str, send, home: Path) -> None:
    version = lake_of(home).version()
    reply = send(content)
    assert reply.status_code == 422
    assert reply.json()["report"]["errors"] >= 1
    assert lake_of(home).version() == version


def test_a_file_comes_while_a_folder_is_ingested(send, home: Path, tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=300, freq="D")
    lines = [f"241400415,{day:%Y-%m-%d},{9000 + i}" for i, day in enumerate(days)]
    text = "zone_id,date,influx\n" + "\n".join(lines) + "\n"
    (tmp_path / "influx.csv").write_text(text, encoding="utf-8")
    command = afflux("ingest", tmp_path, home=home)
    sent = 0
    while command.poll() is None:
        moved = GOOD.replace("2026-", f"20{10 + sent}-")
        sent += send(moved).raise_for_status().json()["new"] > 0
    assert command.wait() == 0, command.stderr.read() if command.stderr else ""
    for stream in (command.stdout, command.stderr):
        assert stream is not None
        stream.close()
    assert sent >= 1
    assert len(lake_of(home).read(sources=["influx"])) == 300


def test_who_may_send_what(send, anybody: httpx2.Client, home: Path) -> None:
    assert anybody.post("/v1/sources/waste/files", content=GOOD).status_code == 401
    _, other = KeyStore(home / "data" / "keys.json").add(
        "autre", ["webhooks"], datetime.now(UTC), 1
    )
    headers = {"authorization": f"Bearer {other}"}
    assert anybody.post("/v1/sources/waste/files", headers=headers).status_code == 403
    unknown = send(GOOD, source="tides")
    assert unknown.status_code == 404
    assert "waste" in unknown.json()["errors"][0]["expected"]
    assert send(GOOD, source="../waste").status_code == 404
    assert send(GOOD, folder="/etc").status_code == 422
    assert send(GOOD, dry_run="perhaps").status_code == 422
    assert send("a" * (MOST + 1)).status_code == 413
    assert anybody.get("/v1/sources/waste/files").status_code == 405


def test_a_home_without_configuration_says_so(tmp_path: Path, start, monkeypatch) -> None:
    monkeypatch.setenv("AFFLUX_OPEN_SCOPES", "uploads")
    server = start()
    url = f"{server.url}/v1/sources/waste/files"
    reply = httpx2.post(url, content=GOOD, trust_env=False, timeout=60)
    assert reply.status_code == 503 and int(reply.headers["retry-after"]) > 0
    assert reply.json()["type"].endswith("#worker-unavailable")
    assert str(tmp_path) not in reply.text
    assert "no configuration" in server.log.read_text()


def test_names_and_bounds_are_those_of_the_contract() -> None:
    assert tuple(CONTRACT) == action_schemas.SOURCES
    forecast, events = CONTRACT["weather_forecast"], CONTRACT["events"]
    # All that features read of a weather forecast may be supposed.
    assert tuple(VARIABLES) == scenario.WEATHER == action_schemas.WEATHER
    for model, table, names in (
        (action_schemas.SupposedWeather, forecast, action_schemas.WEATHER),
        (action_schemas.SupposedEvent, events, events.variables),
    ):
        for name in names:
            column = table.schema.column(name)
            bounds = {type(m).__name__: m for m in model.model_fields[name].metadata}
            assert (bounds["Ge"].ge, bounds["Le"].le) == (column.low, column.high), name
