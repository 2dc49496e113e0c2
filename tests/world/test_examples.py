"""The examples of docs/api.md, run as they are printed against a real server."""

from __future__ import annotations

import base64
import csv
import hashlib
import hmac
import io
import json
import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

PAGE = Path(__file__).parents[2] / "docs" / "api.md"
BASE = "http://localhost:8000"


def blocks(language: str) -> list[str]:
    text = PAGE.read_text(encoding="utf-8")
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


SERVE, FIRST, FILTERS, POLL, KEYS, READ, SCENARIO, UPLOAD, WEBHOOK = blocks("sh")
CLIENT, REFUSED, GENUINE = blocks("python")
(SCRIPT,) = blocks("javascript")
(QUERY,) = blocks("powerquery")

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def desk(world, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Run]]:
    """A server's address, and a way to run a program against it as its reader would."""
    where = tmp_path_factory.mktemp("examples")
    home = shutil.copytree(world.home, where / "home", symlinks=True)
    shutil.copyfile(world.input / "waste.csv", where / "waste.csv")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    base = f"http://localhost:{port}"
    programs = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    env = os.environ | programs | {"AFFLUX_HOME": str(home)}

    def run(*arguments: str, text: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*arguments, text.replace(BASE, base)],
            env=env,
            cwd=where,
            capture_output=True,
            text=True,
            timeout=120,
        )

    log = where / "server.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [*shlex.split(SERVE)[:-1], str(port)],
            env=env | {"AFFLUX_WEBHOOK_HOSTS": "localhost"},
            stdout=output,
            stderr=output,
        )
    try:
        transport = httpx2.HTTPTransport(retries=12)
        with httpx2.Client(transport=transport, base_url=f"http://127.0.0.1:{port}") as client:
            assert client.get("/health/ready").status_code == 200
        made = run("bash", "-euc", text=KEYS)
        (token,) = re.findall(r"afflux_[\w-]{20,}", made.stdout)
        env["AFFLUX_KEY"] = token
        yield f"http://127.0.0.1:{port}", run
    finally:
        server.terminate()
        server.wait(timeout=20)
    assert "Traceback" not in log.read_text()


def answers(printed: str) -> Iterator[dict]:
    """The JSON documents that follow one another."""
    decoder, rest = json.JSONDecoder(), printed.lstrip()
    while rest:
        found, end = decoder.raw_decode(rest)
        yield found
        rest = rest[end:].lstrip()


def test_curl_reads(desk: tuple[str, Run]) -> None:
    done = desk[1]("bash", "-euo", "pipefail", "-c", text=FIRST + READ)
    assert done.returncode == 0, done.stderr
    first, weekend, filtered = answers(done.stdout)
    assert first == weekend and weekend["weekend"]["days"]
    assert {row["zone_id"] for row in filtered["forecasts"]} <= {"241400415"}


def test_curl_filters(desk: tuple[str, Run]) -> None:
    """The days it names are not those of this world; every filter is understood."""
    done = desk[1]("bash", "-euo", "pipefail", "-c", text=FILTERS)
    assert done.returncode == 0, done.stderr
    days, least, known = answers(done.stdout)
    assert days["forecasts"] == []
    assert all(row["level"] != "vert" for row in least["forecasts"])
    assert all(row["influx"].keys() == {"p10", "p50", "p90"} for row in least["forecasts"])
    assert datetime.fromisoformat(known["metadata"]["published_at"]) <= datetime(
        2026, 7, 1, 8, tzinfo=UTC
    )


def test_curl_polls(desk: tuple[str, Run]) -> None:
    done = desk[1]("bash", "-euo", "pipefail", "-c", text=POLL + POLL + "cat forecasts.json")
    assert done.returncode == 0, done.stderr
    (found,) = answers(done.stdout)
    assert found["forecasts"]


def test_curl_asks_what_if(desk: tuple[str, Run]) -> None:
    done = desk[1]("bash", "-euo", "pipefail", "-c", text=SCENARIO)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["scenario"] is True
    assert any(found["difference"] for found in answer["comparisons"])


def test_curl_sends_a_file(desk: tuple[str, Run]) -> None:
    done = desk[1]("bash", "-euo", "pipefail", "-c", text=UPLOAD)
    assert done.returncode == 0, done.stdout + done.stderr
    answer = json.loads(done.stdout)
    assert answer["report"]["ok"] and not answer["stored"]


def test_curl_adds_a_webhook_and_the_receiver_knows_its_notices(desk: tuple[str, Run]) -> None:
    done = desk[1]("bash", "-euo", "pipefail", "-c", text=WEBHOOK)
    assert done.returncode == 0, done.stdout + done.stderr
    secret = json.loads(done.stdout)["secret"]
    names: dict = {}
    exec(GENUINE, names)  # noqa: S102 - the page's own code
    body, stamp = b'{"type":"levels.changed"}', str(int(time.time()))
    key = base64.b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"msg_1.{stamp}.".encode() + body, hashlib.sha256).digest()
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }
    assert names["is_genuine"](secret, headers, body)
    assert not names["is_genuine"](secret, headers, body + b" ")
    assert not names["is_genuine"](secret, headers | {"webhook-timestamp": "1000000000"}, body)


def test_python(desk: tuple[str, Run]) -> None:
    done = desk[1](sys.executable, "-c", text=CLIENT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 8 * 3 + 1
    assert all("2025-0" in line for line in lines[:-1])
    refused = desk[1](sys.executable, "-c", text=REFUSED)
    assert refused.returncode == 0, refused.stderr
    assert refused.stdout.startswith("404 ") and "#unknown-zone" in refused.stdout


def test_javascript(desk: tuple[str, Run]) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed here")
    done = desk[1](node, "--input-type=module", "-e", text=SCRIPT)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert len(lines) == 8 * 3 + 2
    assert lines[-2] == "again: 304" and lines[-1].startswith("refused: 404 There is no zone")


def test_power_query(desk: tuple[str, Run]) -> None:
    """Its URL answers CSV with the delimiter and the columns it names, of the types it gives."""
    base, path = re.search(r'"(http[^"]+)",\s*\[RelativePath = "([^"]+)"', QUERY).groups()
    assert base == BASE
    filters = dict(
        re.findall(r"(\w+) = \"([^\"]*)\"", QUERY.partition("Query = [")[2].split("]")[0])
    )
    assert filters
    with httpx2.Client(base_url=desk[0]) as client:
        reply = client.get(path, params=filters).raise_for_status()
    assert reply.headers["content-type"].startswith("text/csv")
    assert "Encoding = 65001" in QUERY and 'Delimiter = ","' in QUERY
    rows = list(csv.DictReader(io.StringIO(reply.content.decode("utf-8"))))
    columns = dict(re.findall(r'\{"(\w+)", ([\w. ]+)\}', QUERY))
    assert rows and columns.keys() <= rows[0].keys()
    for row in rows:
        for column, kind in columns.items():
            if kind == "Int64.Type":
                int(row[column])
            elif kind == "type date":
                assert re.fullmatch(r"\d{4}-\d\d-\d\d", row[column])
