"""For the tests of this room: a folder of input files, and a provider that answers over HTTP."""

from __future__ import annotations

import json
import threading
import time
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar
from urllib.parse import parse_qs, urlsplit

import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.ingest.configured import configured
from forecast.ingest.fetching import Fetched, Fetcher
from forecast.ingest.http import Client
from forecast.ingest.places import Places
from forecast.ingest.provider import Setting
from forecast.ingest.samples import Samples
from forecast.ingest.state import Fetches
from forecast.lake import Lake

TERRITORY = """\
id = "test"
name = "Territoire d'essai"

[[zones]]
id = "01234"
name = "Honfleur"
population = 20000
latitude = 49.4
longitude = 0.2

[[zones]]
id = "200084952"
name = "Le Havre"
population = 260000
latitude = 49.5
longitude = 0.1
"""


@pytest.fixture
def now() -> pd.Timestamp:
    return pd.Timestamp("2026-09-01T12:00Z")


class Folder:
    """An input folder on disk, with a territory of two zones: 01234 and 200084952."""

    def __init__(self, path: Path) -> None:
        self.path = path
        (path / "territory.toml").write_text(TERRITORY, encoding="utf-8")

    def put(self, name: str, content: str | bytes) -> Folder:
        data = content if isinstance(content, bytes) else content.encode("utf-8")
        (self.path / name).write_bytes(data)
        return self


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    path = tmp_path / "estuaire"
    path.mkdir()
    return Folder(path)


@dataclass(frozen=True)
class Answer:
    """What the server says: ``truncate`` bytes of the body at most, though its full length is
    announced; one byte every ``drip`` seconds."""

    status: int = 200
    body: bytes | str = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    truncate: int | None = None
    drip: float | None = None


@dataclass(frozen=True)
class Asked:
    """A request as it arrived; header names in lower case, ``query`` holds the last value of each
    key and ``values`` all of them."""

    method: str
    path: str
    query: dict[str, str]
    values: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


class Replay:
    """A real HTTP server on the loopback.

    ``routes`` maps a path to its answers, given one after the other, the last one for ever; or to
    a function of the request. A path without a route gets a 404 in JSON.
    """

    Answer: ClassVar[type[Answer]] = Answer

    def __init__(self, url: str) -> None:
        self.url = url
        self.routes: dict[str, list[Answer] | Callable[[Asked], Answer]] = {}
        self.requests: list[Asked] = []
        self.lock = threading.Lock()
        self.given: dict[str, int] = {}

    def answer(self, asked: Asked) -> Answer:
        with self.lock:
            self.requests.append(asked)
            route = self.routes.get(asked.path)
            if route is None:
                return Answer(404, '{"message": "no such page"}', {"content-type": JSON})
            if callable(route):
                return route(asked)
            turn = self.given.get(asked.path, 0)
            self.given[asked.path] = turn + 1
            return route[min(turn, len(route) - 1)]


JSON = "application/json"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    replay: ClassVar[Replay]

    def do_GET(self) -> None:
        size = int(self.headers.get("content-length") or 0)
        parts = urlsplit(self.path)
        values = parse_qs(parts.query, keep_blank_values=True)
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(
            self.command,
            parts.path,
            {name: given[-1] for name, given in values.items()},
            values,
            headers,
            self.rfile.read(size),
        )
        answer = self.replay.answer(asked)
        body = answer.body.encode() if isinstance(answer.body, str) else answer.body
        self.send_response(answer.status)
        given = {"content-type": JSON, "content-length": str(len(body))}
        if answer.status == 304:
            given = {}
        for name, value in (given | dict(answer.headers)).items():
            self.send_header(name, value)
        self.end_headers()
        sent = body if answer.truncate is None else body[: answer.truncate]
        try:
            if answer.drip is None:
                self.wfile.write(sent)
            else:
                for byte in sent:
                    self.wfile.write(bytes([byte]))
                    self.wfile.flush()
                    time.sleep(answer.drip)
        except (BrokenPipeError, ConnectionResetError):
            pass  # the client has had enough
        if answer.truncate is not None or answer.drip is not None:
            self.close_connection = True

    do_POST = do_GET  # noqa: N815 (the name http.server looks for)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def replay() -> Iterator[Replay]:
    class Handler(_Handler):
        pass

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that goes away is no error here."""

    server = Server(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    Handler.replay = Replay(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield Handler.replay
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="session")
def edited() -> Callable[[bytes, list[tuple[int, int]]], bytes]:
    """Makes a good document a damaged one: some of its bytes are replaced."""

    def edit(whole: bytes, edits: list[tuple[int, int]]) -> bytes:
        changed = bytearray(whole)
        for place, byte in edits:
            changed[place % len(changed)] = byte
        return bytes(changed)

    return edit


def square(zone: str, west: float, south: float) -> dict[str, object]:
    """An outline half a degree wide."""
    east, north = west + 0.5, south + 0.5
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {
        "type": "Feature",
        "properties": {"zone_id": zone},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


class Estuary:
    """Two square zones side by side, and everything a provider needs to fill a real lake.

    01234 lies from 0° to 0.5° E and 49° to 49.5° N, 200084952 north of it; the communes 14220 and
    76351 are theirs.
    """

    def __init__(self, folder: Path) -> None:
        outlines = [square("01234", 0.0, 49.0), square("200084952", 0.0, 49.5)]
        (folder / "zones.geojson").write_text(
            json.dumps({"type": "FeatureCollection", "features": outlines}), encoding="utf-8"
        )
        (folder / "communes.csv").write_text(
            "commune_id,zone_id,name\n14220,01234,Deauville\n76351,200084952,Le Havre\n",
            encoding="utf-8",
        )
        self.folder = folder
        self.lake = Lake(str(folder / "lake"))
        self.fetches = Fetches(folder / "fetches.sqlite")
        self.samples = Samples(folder / "samples.sqlite")
        self.now = pd.Timestamp("2026-09-01T12:00Z")

    def config(self, **providers: dict[str, object]) -> RunConfig:
        ground = tomllib.loads(TERRITORY)
        return RunConfig.model_validate(
            {**ground, "geometry": "zones.geojson", "communes": "communes.csv"}
            | {"providers": providers}
        )

    def setting(self, name: str = "essai") -> Setting:
        """What a provider works with, at ``self.now``."""
        config = self.config()
        return Setting(name, config, Places.of(config, self.folder), self.samples, self.now)

    def fetch(
        self,
        now: str | pd.Timestamp,
        since: str | None = None,
        *,
        name: str = "essai",
        **table: object,
    ) -> Fetched:
        """Run the provider that ``table`` configures, at ``now``, into the lake."""
        self.now = pd.Timestamp(now)
        config = self.config(**{name: table})
        (one,) = configured(config)
        fetcher = Fetcher(
            config,
            Places.of(config, self.folder),
            self.lake,
            self.fetches,
            self.samples,
            clock=lambda: self.now,
            client=partial(Client, timeout_seconds=5, tries=2, retry_seconds=0.01),
        )
        return fetcher.run(one, fetcher.span(one, since))

    def days(self, source: str, variable: str) -> dict[tuple[str, str, str], float]:
        """What the lake holds: value by zone, site and day; every row has its day to itself."""
        rows = self.lake.read(sources=[source], variables=[variable])
        keys = zip(
            rows["zone_id"], rows["site_id"], rows["date"].dt.strftime("%Y-%m-%d"), strict=True
        )
        found = dict(zip(keys, rows["value"].tolist(), strict=True))
        assert len(found) == len(rows)
        return found


@pytest.fixture
def estuary(tmp_path: Path) -> Estuary:
    return Estuary(tmp_path)
