"""Garbage under a right hash: refused with the last good publication served on, or served whole."""

import asyncio
import copy
import hashlib
import json
import os
import shutil
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from forecast.errors import PublicationError
from forecast.serving.app import create_app
from forecast.serving.reader import HASH_DIGITS, read_past, read_publication
from forecast.settings import Settings

STAMP = "20260801T060000Z"
ASKED = (
    "/v1/forecasts", "/v1/forecasts?to=2026-07-02&quantiles=p50", "/v1/forecasts.csv?locale=fr",
    "/v1/forecasts.geojson?horizon_days=1", "/v1/forecasts.ics?level_at_least=rouge",
    "/v1/forecasts/weekend?zone_id=241400415", "/v1/zones", "/v1/zones.geojson",
    "/v1/zones/241400415/forecasts", "/v1/zones/241400415/history.csv",
    "/v1/zones/241400415/forecasts/2026-07-04/explanation", "/v1/changes",
    "/v1/changes.atom?since=2026-07-01T08:00:00Z", "/v1/scoreboard", "/v1/sources", "/v1/model",
    "/v1/dcat.jsonld", "/v1/schemas/forecasts.json", "/health/ready", "/metrics",
    "/v1/forecasts?as_of=2026-07-01T08:00:00Z",
)  # fmt: skip
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.sampled_from(["", "..", "forecasts.json", "2026-07-01T06:05:00", "Mars/Olympus", "a\r\nb"])
    | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=5,
)


class Home:
    """A home with one good publication, an application on it, and room for a bad one."""

    def __init__(self, home: Path, good: Path) -> None:
        self.folder, self.good = good.parent, good
        self.manifest = json.loads((good / "manifest.json").read_bytes())
        self.index = json.loads((good / "index.json").read_bytes())
        self.app = create_app(Settings(home, "", None))
        self.service = self.app.state.service
        self.bad: Path | None = None

    def point(self, name: str) -> None:
        (self.folder / "new").write_text(f"{name}\n")
        (self.folder / "new").replace(self.folder / "current")

    def place(self, manifest: bytes, index: bytes) -> None:
        """Make these the current publication, its name and hashes being right."""
        name = f"{STAMP}-{hashlib.sha256(manifest).hexdigest()[:HASH_DIGITS]}"
        self.bad = self.folder / name
        shutil.copytree(self.good, self.bad, copy_function=os.link)
        for file, content in (("manifest.json", manifest), ("index.json", index)):
            (self.bad / file).unlink()
            (self.bad / file).write_bytes(content)
        self.point(name)

    def restore(self) -> None:
        if self.bad is not None:
            shutil.rmtree(self.bad)
            self.bad = None
        self.point(self.good.name)
        self.service.refresh()
        assert self.service.refused is None
        assert self.service.served.publication.name == self.good.name

    def ask(self) -> list[httpx2.Response]:
        async def all_of_them() -> list[httpx2.Response]:
            transport = httpx2.ASGITransport(self.app, client=("127.0.0.1", 1))
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
                return [await client.get(path) for path in ASKED]

        self.app.front._look_at = 0.0
        return asyncio.run(all_of_them())

    def hold(self) -> None:
        """Whatever was placed, the server goes on; what it then says is whole."""
        self.service.refresh()
        name = self.service.served.publication.name
        assert (name == self.good.name) == (self.service.refused is not None)
        for answer in self.ask():
            assert answer.status_code < 500 or answer.json()["type"] == "/docs#stored-unreadable"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, publish) -> Home:
    folder = tmp_path_factory.mktemp("sound")
    made = Home(folder, publish(folder))
    made.service.refresh()
    return made


def sealed(manifest: dict, index: bytes) -> bytes:
    """The manifest with the right hash of this index."""
    files = manifest.get("files")
    if isinstance(files, dict) and isinstance(files.get("index.json"), dict):
        files["index.json"] = {"sha256": hashlib.sha256(index).hexdigest(), "size": len(index)}
    return json.dumps(manifest).encode()


@st.composite
def spoilt(draw: st.DrawFn, whole: dict) -> dict:
    """A document of which one to three values, however deep, are gone or are others."""
    document = copy.deepcopy(whole)
    for _ in range(draw(st.integers(1, 3))):
        place = document
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.integers(0, 3)):
                place = place[key]
                continue
            if draw(st.booleans()):
                place[key] = draw(JSON)
            else:
                del place[key]
            break
    return document


ENOUGH = settings(
    max_examples=1000 if os.environ.get("AFFLUX_FUZZ") == "full" else 20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@ENOUGH
@given(data=st.data())
def test_a_spoilt_manifest(home: Home, data: st.DataObject) -> None:
    manifest = data.draw(spoilt(home.manifest))
    try:
        home.place(json.dumps(manifest).encode(), (home.good / "index.json").read_bytes())
        home.hold()
    finally:
        home.restore()


@pytest.mark.parametrize(
    "spoilt_part",
    [
        {"last_30_days": {"coverage_50": ""}},
        {"last_30_days": {"coverage_80": []}},
        {"quantiles": ["", "p25", "p50", "p75", "p90"]},
        {"quantiles": [*("p10", "p25", "p50", "p75", "p90"), "p99"]},
    ],
)
def test_what_a_request_would_stumble_over_is_refused(home: Home, spoilt_part: dict) -> None:
    manifest = json.dumps(home.manifest | spoilt_part).encode()
    try:
        home.place(manifest, (home.good / "index.json").read_bytes())
        home.hold()
        assert home.service.refused is not None
    finally:
        home.restore()


@ENOUGH
@given(data=st.data())
def test_a_spoilt_index(home: Home, data: st.DataObject) -> None:
    index = json.dumps(data.draw(spoilt(home.index))).encode()
    try:
        home.place(sealed(copy.deepcopy(home.manifest), index), index)
        home.hold()
    finally:
        home.restore()


@ENOUGH
@given(raw=st.binary(max_size=60) | JSON.map(lambda found: json.dumps(found).encode()))
def test_no_manifest_and_no_index_at_all(home: Home, raw: bytes) -> None:
    try:
        home.place(raw, raw)
        home.hold()
        assert home.service.refused is not None
        shutil.rmtree(home.bad)
        home.place(sealed(copy.deepcopy(home.manifest), raw), raw)
        home.hold()
        assert home.service.refused is not None
    finally:
        home.restore()


@pytest.mark.parametrize(
    "change",
    [
        {"every_hours": 0},
        {"every_hours": float("nan")},
        {"every_hours": "daily"},
        {"published_at": "2026-07-01T06:05:00"},
        {"published_at": None},
        {"timezone": "Mars/Olympus"},
        {"published_at": "2026-07-01T08:05:00+02:00"},
        {"origin": "\ud800"},
        {"quantiles": [1]},
        {"quantiles": []},
        {"last_30_days": [1]},
        {"files": []},
    ],
    ids=str,
)
def test_a_manifest_that_requests_would_fail_on_is_refused_and_said(home: Home, change) -> None:
    try:
        home.place(
            json.dumps(home.manifest | change).encode(), (home.good / "index.json").read_bytes()
        )
        home.service.refresh()
        assert "cannot be served" in home.service.refused
        assert "publish again" in home.service.refused
        assert home.service.served.publication.name == home.good.name
    finally:
        home.restore()


HISTORY = "/v1/zones/241400415/history"
ROWS = ("starts", "ends", "zones", "days", "horizons", "levels")


@pytest.mark.parametrize(
    ("part", "key", "change", "said"),
    [
        ("routes", "/v1/zones", {"media_type": "a/b\r\nset-cookie: a=b"}, "cannot be a header"),
        ("routes", "/v1/sources", {"headers": [["a b", "c"]]}, "cannot be a header"),
        ("routes", "/v1/sources", {"headers": [["link"]]}, "not enough values"),
        ("routes", "/v1/sources", {"file": "index.json"}, "does not name index.json.br"),
        ("routes", HISTORY, {"file": "sources.json"}, f"what answers {HISTORY} is no history"),
        ("listings", "forecasts.json", dict.fromkeys(ROWS, ()), "there is no forecast"),
    ],
)
def test_an_index_that_requests_would_fail_on_is_refused(home: Home, part, key, change, said):
    index = copy.deepcopy(home.index)
    index[part][key] |= change
    raw = json.dumps(index).encode()
    try:
        home.place(sealed(copy.deepcopy(home.manifest), raw), raw)
        with pytest.raises(PublicationError, match=said):
            read_publication(home.folder)
    finally:
        home.restore()


@pytest.mark.parametrize(
    "change",
    [{"published_at": "2026-07-01T08:05:00+02:00"}, {"model_version": "\ud800"}, {"quantiles": {}}],
    ids=str,
)
def test_an_archived_one_that_requests_would_fail_on_is_refused(home: Home, change) -> None:
    raw = json.dumps(home.manifest | change).encode()
    name = f"{STAMP}-{hashlib.sha256(raw).hexdigest()[:HASH_DIGITS]}"
    files = {f: (home.good / f).read_bytes() for f in ("forecasts.json", "weekend.json")}
    with pytest.raises(PublicationError, match="cannot be served"):
        read_past(name, files, raw, home.folder)


@pytest.mark.parametrize("file", ["sources.json", "sources.json.gz", "history/0000.json.br"])
def test_a_file_that_an_answer_needs_and_the_manifest_does_not_name(home: Home, file: str) -> None:
    manifest = copy.deepcopy(home.manifest)
    del manifest["files"][file]
    try:
        home.place(json.dumps(manifest).encode(), (home.good / "index.json").read_bytes())
        home.hold()
        assert f"the manifest does not name {file}" in home.service.refused
    finally:
        home.restore()


@ENOUGH
@given(data=st.data())
def test_an_archived_one_is_read_or_refused(home: Home, data: st.DataObject) -> None:
    manifest = data.draw(spoilt(home.manifest))
    raw = json.dumps(manifest).encode()
    name = f"{STAMP}-{hashlib.sha256(raw).hexdigest()[:HASH_DIGITS]}"
    files = {f: (home.good / f).read_bytes() for f in ("forecasts.json", "weekend.json")}
    try:
        found = read_past(name, files, raw, home.folder)
    except PublicationError as error:
        assert str(home.folder) in str(error)
    else:
        assert found.local_time().tzinfo is not None and found.quantiles


def test_no_memory_is_a_refusal_too(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    def exhausted(_: Path) -> None:
        raise MemoryError

    monkeypatch.setattr("forecast.serving.service.read_publication", exhausted)
    home.service.refresh()
    assert "MemoryError" in home.service.refused
    assert home.service.served.publication.name == home.good.name
    monkeypatch.undo()
    home.restore()
