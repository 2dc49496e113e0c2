"""Keys: kept as hashes, scoped, expiring, changed under a running server."""

import asyncio
import json
import stat
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import httpx2
import pytest
from fastapi import Depends
from typer.testing import CliRunner

from forecast.cli.app import app as command
from forecast.errors import AffluxError, InputError
from forecast.serving.app import create_app
from forecast.serving.key_store import KeyStore
from forecast.serving.keys import OPEN, require
from forecast.serving.options import SCOPES, ServerOptions
from forecast.settings import Settings

NOW = datetime(2026, 7, 1, 6, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> KeyStore:
    return KeyStore(tmp_path / "data" / "keys.json")


class Client:
    """The application with one route for each scope, at an instant that a test moves."""

    def __init__(self, home: Path, **options) -> None:
        self.now = NOW
        where = Settings(home=home, lake="", config=None)
        self.app = create_app(where, ServerOptions(**options), clock=lambda: self.now)
        for scope in SCOPES:
            self.app.add_api_route(
                f"/{scope}", self._route(scope), methods=["GET"], include_in_schema=False
            )

    @staticmethod
    def _route(scope: str):
        async def route(key_id: Annotated[str, Depends(require(scope))]) -> dict[str, str]:
            return {"key": key_id}

        return route

    def get(self, path: str, token: str | None = None, **headers: str) -> httpx2.Response:
        return self.ask("get", path, token, **headers)

    def ask(
        self, method: str, path: str, token: str | None = None, **headers: str
    ) -> httpx2.Response:
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"

        async def go() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, headers=headers)

        return asyncio.run(go())


@pytest.fixture
def client(tmp_path: Path) -> Client:
    return Client(tmp_path)


def test_only_the_hash_is_kept_and_only_the_owner_reads_it(store: KeyStore) -> None:
    key, token = store.add("office", ["scenarios", "uploads"], NOW, 30)
    assert token.startswith("afflux_") and len(token) >= 43 + len("afflux_")
    kept = store.path.read_text()
    assert token not in kept and token.removeprefix("afflux_") not in kept
    assert stat.S_IMODE(store.path.stat().st_mode) == 0o600
    assert key.scopes == ("scenarios", "uploads")
    assert key.expires_at == "2026-07-31T06:00:00+00:00"
    assert store.find(token, NOW) == key
    assert KeyStore(store.path).find(token, NOW) == key
    assert store.find(token + "x", NOW) is None
    assert store.find(token, NOW + timedelta(days=30)) is None


@pytest.mark.parametrize(
    ("name", "scopes", "days", "said"),
    [
        ("x", [], 1, "no scope is given"),
        ("x", ["everything"], 1, "scope 'everything' is unknown: expected one or more of scen"),
        ("a\nb", ["metrics"], 1, "name 'a\\\\nb' cannot be used"),
        ("x", ["metrics"], 0, "0 days: expected more than 0"),
        ("x", ["metrics"], float("nan"), "nan days: expected"),
    ],
)
def test_what_cannot_be_a_key_is_bad_input(store, name, scopes, days, said) -> None:
    with pytest.raises(InputError, match=said):
        store.add(name, scopes, NOW, days)
    assert not store.path.exists()


def test_a_key_opens_its_scopes_and_no_other(client: Client, store: KeyStore) -> None:
    key, token = store.add("office", ["scenarios"], NOW, 30)
    assert client.get("/scenarios", token).json() == {"key": key.id}
    other = client.get("/uploads", token)
    assert other.status_code == 403
    assert 'error="insufficient_scope", scope="uploads"' in other.headers["www-authenticate"]
    assert f"key {key.id} has not the scope uploads, but scenarios" in other.json()["detail"]


@pytest.mark.parametrize(
    "authorization", [None, "Bearer", "Bearer ", "Basic YTpi", "Bearer afflux_no", "Bearer \xff"]
)
def test_without_a_valid_key_it_is_401(client, store, authorization) -> None:
    store.add("office", ["scenarios"], NOW, 30)
    headers = {} if authorization is None else {"Authorization": authorization.encode("latin-1")}
    answer = client.get("/scenarios", **headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="afflux"')
    assert answer.json()["type"] == "/docs#unauthorized"
    assert answer.headers["cache-control"] == "no-store"


def test_a_key_expires(client: Client, store: KeyStore) -> None:
    _, token = store.add("office", ["scenarios"], NOW, 1)
    assert client.get("/scenarios", token).status_code == 200
    client.now = NOW + timedelta(days=1)
    assert client.get("/scenarios", token).status_code == 401


def test_rotation_overlaps_and_ends(client: Client, store: KeyStore) -> None:
    old, token = store.add("office", ["scenarios"], NOW, 365)
    new, second = store.rotate(old.id, NOW, 365, overlap_days=7)
    assert (new.name, new.scopes) == (old.name, old.scopes)
    assert client.get("/scenarios", token).json() == {"key": old.id}
    assert client.get("/scenarios", second).json() == {"key": new.id}
    client.now = NOW + timedelta(days=7)
    assert client.get("/scenarios", token).status_code == 401
    assert client.get("/scenarios", second).status_code == 200
    with pytest.raises(InputError, match="there is no key 'nobody'"):
        store.rotate("nobody", NOW, 365, overlap_days=7)
    # An overlap never makes a key live longer than it would have.
    short, _ = store.add("short", ["metrics"], NOW, 1)
    store.rotate(short.id, NOW, 365, overlap_days=7)
    assert next(k for k in store.all() if k.id == short.id).expires_at == short.expires_at


def test_an_open_scope_needs_no_key_but_a_wrong_one_is_refused(tmp_path: Path) -> None:
    client = Client(tmp_path, open_scopes=("scenarios",))
    assert client.get("/scenarios").json() == {"key": OPEN}
    assert client.get("/scenarios", "afflux_wrong").status_code == 401
    assert client.get("/uploads").status_code == 401


def test_a_damaged_file_of_keys_opens_nothing_and_says_so(client: Client, store: KeyStore) -> None:
    _, token = store.add("office", ["scenarios"], NOW, 30)
    whole = store.path.read_text()
    for damaged in (
        "",
        "[]",
        whole[:-9],
        whole.replace('"version": 1', '"version": 2'),
        whole.replace("+00:00", ""),
        whole.replace('"sha256": "', '"sha256": "é'),
    ):
        store.path.write_text(damaged)
        answer = client.get("/scenarios", token)
        assert (answer.status_code, answer.json()["type"]) == (503, "/docs#keys-unreadable")
        assert int(answer.headers["retry-after"]) > 0
        with pytest.raises(AffluxError, match="cannot be read as a file of keys"):
            KeyStore(store.path).add("x", ["metrics"], NOW, 1)
        assert store.path.read_text() == damaged
    assert client.get("/health/live").status_code == 200
    store.path.write_text(whole)
    assert client.get("/scenarios", token).status_code == 200


def test_each_key_has_its_own_limit(tmp_path: Path, store: KeyStore) -> None:
    client = Client(tmp_path, key_rate_limit=2)
    (one, first), (_, second) = (store.add(n, ["scenarios"], NOW, 30) for n in ("a", "b"))
    found = [client.get("/scenarios", first) for _ in range(3)]
    assert [answer.status_code for answer in found] == [200, 200, 429]
    assert [answer.headers["ratelimit"][:9] for answer in found] == [
        '"key";r=1',
        *['"key";r=0'] * 2,
    ]
    assert found[2].headers["ratelimit-policy"] == '"key";q=2;w=60'
    assert int(found[2].headers["retry-after"]) <= 31
    assert client.get("/scenarios", second).status_code == 200
    assert one.id not in found[2].text


WRITER = """
import sys
from datetime import datetime, UTC
from pathlib import Path
from forecast.serving.key_store import KeyStore
for i in range(5):
    KeyStore(Path(sys.argv[1])).add(f"{sys.argv[2]} {i}", ["metrics"], datetime.now(UTC), 1)
"""


def test_writers_at_once_lose_no_key(store: KeyStore) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(store.path), f"w{i}"]) for i in range(3)
    ]
    assert [writer.wait(30) for writer in writers] == [0, 0, 0]
    assert len({key.name for key in store.all()}) == 15


def test_a_full_disk_leaves_the_keys_as_they_were(store: KeyStore) -> None:
    _, token = store.add("office", ["scenarios"], NOW, 30)
    script = (
        "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN); "
        f"resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)){WRITER}"
    )
    arguments = [sys.executable, "-c", script, str(store.path), "w"]
    said = subprocess.run(arguments, capture_output=True, text=True, check=False)
    assert said.returncode == 1 and "the keys are as before" in said.stderr
    assert [key.name for key in store.all()] == ["office"]
    assert store.find(token, NOW) is not None


def test_the_running_server_takes_up_changes_at_once(tmp_path: Path, start, store) -> None:
    server = start()
    # Through a proxy nobody named, so not from this machine: a key is needed.
    headers = {"X-Forwarded-For": "192.0.2.7"}
    assert server.get("/metrics").status_code == 200
    assert server.get("/metrics", headers=headers).status_code == 401
    key, token = store.add("prometheus", ["metrics"], datetime.now(UTC), 1)
    headers["Authorization"] = f"Bearer {token}"
    assert server.get("/metrics", headers=headers).status_code == 200
    store.revoke(key.id)
    assert server.get("/metrics", headers=headers).status_code == 401
    assert token not in server.log.read_text()


def test_the_command_makes_lists_rotates_and_revokes(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setenv("AFFLUX_HOME", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments: str) -> str:
        done = CliRunner().invoke(command, ["keys", *arguments])
        assert done.exit_code == 0, done.output
        return done.stdout

    made = json.loads(run("add", "office", "--scope", "uploads", "--days", "2", "--json"))
    store = KeyStore(tmp_path / "data" / "keys.json")
    assert store.find(made["token"], datetime.now(UTC)).id == made["id"]
    listed = run("list")
    assert made["id"] in listed and "uploads" in listed and made["token"] not in listed
    new = json.loads(run("rotate", made["id"], "--overlap", "1", "--json"))
    assert new["token"] != made["token"]
    assert {row["valid"] for row in json.loads(run("list", "--json"))} == {True}
    assert f"revoked {made['id']}" in run("revoke", made["id"])
    assert [row["id"] for row in json.loads(run("list", "--json"))] == [new["id"]]


def test_nothing_but_reading_goes_without_a_key(client: Client) -> None:
    asked = [
        (method, path)
        for path, operations in client.app.openapi()["paths"].items()
        for method in operations
        if method != "get" or "webhooks" in path
    ]
    assert ("post", "/v1/scenarios") in asked and len(asked) >= 4
    for method, path in asked:
        answer = client.ask(method, path.replace("{", "").replace("}", ""))
        assert answer.status_code == 401, (method, path)
        assert answer.json()["type"] == "/docs#unauthorized"
