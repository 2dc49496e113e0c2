"""Webhooks: who may have one, what they are told and how often, and that nothing else is called."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx2
import pandas as pd
import pytest

from forecast.cli.notify import tell_webhooks
from forecast.errors import HookError
from forecast.serving.hook_store import MOST_PER_KEY, Hook, HookStore
from forecast.serving.hook_urls import target_of
from forecast.serving.key_store import KeyStore
from forecast.serving.notices import PATIENCE, changed, send
from forecast.serving.options import ServerOptions
from forecast.serving.publication import write_publication
from forecast.serving.reader import read_publication
from forecast.serving.records import ModelStamp
from forecast.settings import Settings

SECRET = "whsec_" + base64.b64encode(b"0123456789abcdef0123456789abcdef").decode()
LOCAL = ServerOptions(webhook_hosts=("127.0.0.1",))
NOW = datetime(2026, 7, 1, 6, 5, tzinfo=UTC)
ZONE, DAY = "241400415", "2026-07-04"


class Receiver:
    """A real HTTP server on the loopback that keeps what it is sent and answers as told."""

    def __init__(self) -> None:
        self.received: list[tuple[dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                receiver.received.append(({k.lower(): v for k, v in self.headers.items()}, body))
                status = receiver.answers.pop(0) if receiver.answers else 204
                self.send_response(status)
                if status == 302:
                    self.send_header("location", f"{receiver.url}/elsewhere")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/afflux"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def notices(self) -> list[dict]:
        return [json.loads(body) for _, body in self.received]

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.stop()


def settings_of(home: Path) -> Settings:
    return Settings(home=home, lake=str(home / "data" / "lake"), config=None)


def a_hook(url: str, **given) -> Hook:
    facts = {
        "id": "hook_1",
        "owner": "essai",
        "secret": SECRET,
        "level": "orange",
        "zone_ids": (ZONE,),
        "horizon": 14,
        "created_at": "2026-07-01T06:00:00+00:00",
    }
    return Hook(url=url, **{**facts, **given})


@pytest.fixture
def publish_chance(tmp_path: Path, config, frame) -> Callable[..., str]:
    """Publish, for one zone and day, these probabilities; every other day is quiet."""
    count = 0

    def publish(orange: float, rouge: float = 0.0, *, day: str = DAY) -> str:
        nonlocal count
        count += 1
        rows = frame().copy()
        known = rows["level"].notna()
        for level, chance in {"vert": 1.0, "orange": 0.0, "rouge": 0.0, "noir": 0.0}.items():
            rows.loc[known, f"probability_{level}"] = chance
        rows.loc[known, "level"] = "vert"
        one = (rows["zone_id"] == ZONE) & (rows["target_date"] == day)
        assert one.sum() == 1
        rows.loc[one, "probability_vert"] = 1 - orange - rouge
        rows.loc[one, ["probability_orange", "probability_rouge"]] = [orange, rouge]
        reached = "rouge" if rouge >= 0.5 else "orange" if orange + rouge >= 0.5 else "vert"
        rows.loc[one, "level"] = reached
        return write_publication(
            settings_of(tmp_path).publications,
            forecasts=rows,
            config=config,
            sources=[],
            published_at=rows["origin"].iloc[0] + pd.Timedelta(minutes=count),
            model=ModelStamp("7"),
        ).name

    return publish


@pytest.fixture
def store(tmp_path: Path) -> HookStore:
    return HookStore(settings_of(tmp_path).webhooks)


# What is told, and how often.


def test_a_probability_that_wavers_sends_one_notice(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    store.add(a_hook(receiver.url))
    for chance in (0.2, 0.52, 0.48, 0.55, 0.40, 0.51, 0.36):
        name = publish_chance(chance)
        send(settings_of(tmp_path), NOW, LOCAL)
    (notice,) = receiver.notices()
    assert notice["type"] == "levels.changed"
    assert notice["data"]["publication"].startswith("20260701T06") != name
    assert notice["data"]["label"] == "données simulées"
    (change,) = notice["data"]["changes"]
    assert (change["zone_id"], change["target_date"]) == (ZONE, DAY)
    assert (change["level_before"], change["level"], change["probability"]) == (
        None, "orange", 0.52,
    )  # fmt: skip
    # It is taken back once it falls clearly, and told anew after that.
    for chance, told in ((0.34, 2), (0.45, 2), (0.5, 3)):
        publish_chance(chance)
        assert send(settings_of(tmp_path), NOW, LOCAL).waiting == 0
        assert len(receiver.received) == told
    levels = [notice["data"]["changes"][0]["level"] for notice in receiver.notices()]
    assert levels == ["orange", None, "orange"]


def test_a_worse_level_is_told_and_holds_in_its_turn(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    store.add(a_hook(receiver.url))
    for orange, rouge in ((0.6, 0.1), (0.4, 0.5), (0.5, 0.4), (0.3, 0.6), (0.5, 0.3), (0.2, 0.05)):
        publish_chance(orange, rouge)
        send(settings_of(tmp_path), NOW, LOCAL)
    changes = [notice["data"]["changes"][0] for notice in receiver.notices()]
    assert [(change["level_before"], change["level"]) for change in changes] == [
        (None, "orange"), ("orange", "rouge"), ("rouge", "orange"), ("orange", None),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "given", [{"level": "rouge"}, {"zone_ids": ("200066363",)}, {"horizon": 2}], ids=str
)
def test_only_what_was_asked_for_is_told(
    given: dict, tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    store.add(a_hook(receiver.url, **given))
    store.add(a_hook(receiver.url, id="hook_2", zone_ids=()))
    publish_chance(0.7)
    assert send(settings_of(tmp_path), NOW, LOCAL).delivered == 1


def forecast_of(day: str, **chances: float) -> dict:
    whole = {"vert": 0.0, "orange": 0.0, "rouge": 0.0, "noir": 0.0, **chances}
    return {"zone_id": ZONE, "zone_name": "Z", "target_date": day, "horizon_days": 1,
            "level_probabilities": whole, "influx": {"p50": 1}, "why": None}  # fmt: skip


def test_a_day_that_has_passed_is_forgotten_and_an_unknown_one_stands() -> None:
    told = {(ZONE, "2026-07-01"): "rouge", (ZONE, "2026-07-02"): "orange", ("x", DAY): "noir"}
    silent = {**forecast_of("2026-07-02"), "level_probabilities": None}
    kept, changes = changed(a_hook(""), told, [silent], date(2026, 7, 2))
    assert kept == {(ZONE, "2026-07-02"): "orange", ("x", DAY): "noir"} and changes == []
    yesterday = forecast_of("2026-07-01", rouge=1.0)
    assert changed(a_hook(""), {}, [yesterday], date(2026, 7, 2)) == ({}, [])


def test_one_notice_holds_all_that_a_publication_changes() -> None:
    forecasts = [forecast_of(f"2026-07-0{day}", orange=0.3, noir=0.5) for day in (3, 4, 5)]
    kept, changes = changed(a_hook(""), {}, forecasts, date(2026, 7, 2))
    assert len(changes) == 3 and set(kept.values()) == {"noir"}
    assert {change["probability"] for change in changes} == {0.5}


# How it is delivered.


def test_a_notice_is_signed_as_the_standard_has_it(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    store.add(a_hook(receiver.url))
    publish_chance(0.7)
    assert send(settings_of(tmp_path), NOW, LOCAL).delivered == 1
    ((headers, body),) = receiver.received
    key = base64.b64decode(SECRET.removeprefix("whsec_"))
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert headers["webhook-signature"] == f"v1,{expected}"
    assert 0 <= int(headers["webhook-timestamp"]) - NOW.timestamp() < 60
    assert headers["host"] == receiver.url.split("/")[2]
    assert headers["content-type"] == "application/json"
    (hook,) = store.hooks()
    assert hook.delivered_at and hook.failing_since is None


def test_a_receiver_that_stumbles_gets_the_same_notice_again(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    store.add(a_hook(receiver.url))
    receiver.answers = [500, 302, 200]
    publish_chance(0.7)
    assert send(settings_of(tmp_path), NOW, LOCAL).delivered == 1
    assert len({headers["webhook-id"] for headers, _ in receiver.received}) == 1
    assert len(receiver.received) == 3  # The redirect was not followed.


def test_a_dead_receiver_holds_nobody_up_and_hears_later(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    dead = receiver.url.replace("/afflux", "")
    receiver.answers = [503] * 30
    store.add(a_hook(dead))
    other = Receiver()
    store.add(a_hook(other.url, id="hook_2"))
    publish_chance(0.7)
    began = time.monotonic()
    sent = send(settings_of(tmp_path), NOW, LOCAL, seconds=2.0)
    assert time.monotonic() - began < 7.0  # Its waits alone would take longer.
    assert (sent.delivered, sent.waiting, sent.disabled, sent.problem) == (1, 1, 0, None)
    assert len(other.received) == 1
    other.stop()
    failing = store.hooks()[0]
    assert failing.failing_since == NOW.isoformat() and "503" in str(failing.last_error)
    receiver.answers, receiver.received = [], []
    publish_chance(0.1)
    later = NOW + timedelta(hours=1)
    assert send(settings_of(tmp_path), later, LOCAL).delivered >= 2
    assert [n["data"]["changes"][0]["level"] for n in receiver.notices()] == ["orange", None]
    assert store.hooks()[0].failing_since is None


def test_a_receiver_that_stays_dead_is_disabled(
    tmp_path: Path, store: HookStore, publish_chance
) -> None:
    gone = Receiver()
    gone.stop()
    store.add(a_hook(gone.url))
    publish_chance(0.7)
    assert send(settings_of(tmp_path), NOW, LOCAL, seconds=0.3).waiting == 1
    almost = NOW + PATIENCE - timedelta(hours=1)
    assert send(settings_of(tmp_path), almost, LOCAL, seconds=0.3).disabled == 0
    assert send(settings_of(tmp_path), NOW + PATIENCE, LOCAL, seconds=0.3).disabled == 1
    (hook,) = store.hooks()
    assert hook.disabled_at and hook.last_error
    assert store.waiting(hook.id) == []
    assert send(settings_of(tmp_path), NOW + PATIENCE, LOCAL).waiting == 0


def test_a_receiver_that_says_it_is_gone_is_disabled_at_once(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    store.add(a_hook(receiver.url))
    receiver.answers = [410]
    publish_chance(0.7)
    assert send(settings_of(tmp_path), NOW, LOCAL).disabled == 1
    assert len(receiver.received) == 1


def test_publishing_goes_on_where_nothing_can_be_told(tmp_path: Path, store: HookStore) -> None:
    assert send(settings_of(tmp_path), NOW, LOCAL).problem is None  # Nobody to tell.
    assert not store.path.exists()
    store.add(a_hook("https://127.0.0.1/"))
    assert "no publication yet" in str(send(settings_of(tmp_path), NOW, LOCAL).problem)
    store.path.write_bytes(b"not a database" * 99)
    assert "webhooks.sqlite" in str(send(settings_of(tmp_path), NOW, LOCAL).problem)


# What may be called.

PRIVATE = [
    "https://127.0.0.1/", "https://[::1]/", "https://0.0.0.0/", "https://169.254.169.254/latest",
    "https://10.1.2.3/", "https://192.168.1.1/", "https://172.16.0.1/", "https://100.64.0.1/",
    "https://[::ffff:10.0.0.1]/", "https://[fd00::1]/", "https://[fe80::1]/", "https://[2002:a00:1::]/",
    "https://[64:ff9b::a00:1]/", "https://[64:ff9b:1::a00:1]/", "https://[::a00:1]/",
    "https://[::ffff:0:a00:1]/", "https://[fec0::1]/", "https://[3fff::1]/",
    "https://192.88.99.1/", "https://224.0.0.1/", "https://255.255.255.255/", "https://localhost/",
]  # fmt: skip


@pytest.mark.parametrize("url", PRIVATE)
def test_nothing_private_is_called(url: str) -> None:
    with pytest.raises(HookError, match="private or reserved"):
        target_of(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://93.184.216.34/", "https"),
        ("ftp://93.184.216.34/", "https"),
        ("https://user:secret@93.184.216.34/", "without user"),
        ("https:///path", "name a host"),
        ("https://93.184.216.34:99999/", "no URL"),
        ("https://[::1/", "no URL"),
        ("https://nowhere.invalid/", "cannot be found"),
        ("https://exa\x00mple.org/", "ASCII"),
        ("https://exemplé.org/", "ASCII"),
        ("https://93.184.216.34/a b", "ASCII"),
        ("https://" + "a" * 300 + "/", "cannot be found"),
    ],
)
def test_a_url_that_cannot_be_is_refused(url: str, why: str) -> None:
    with pytest.raises(HookError, match=why):
        target_of(url)


def test_the_request_goes_to_the_address_that_was_looked_at() -> None:
    assert (
        target_of("https://93.184.216.34:8443/a?b=c").pinned == "https://93.184.216.34:8443/a?b=c"
    )
    target = target_of("http://localhost:81/a", ["localhost"])
    assert target.pinned in ("http://127.0.0.1:81/a", "http://[::1]:81/a")
    assert target.host == "localhost"


def test_an_address_that_turned_private_is_not_called(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    store.add(a_hook(receiver.url))
    publish_chance(0.7)
    assert send(settings_of(tmp_path), NOW, ServerOptions(), seconds=5).waiting == 1
    assert receiver.received == []
    assert "https" in str(store.hooks()[0].last_error)


def test_publishing_from_the_command_tells_webhooks(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish, monkeypatch
) -> None:
    monkeypatch.setenv("AFFLUX_WEBHOOK_HOSTS", "127.0.0.1")
    store.add(a_hook(receiver.url, zone_ids=()))
    publish(tmp_path, origin=pd.Timestamp(datetime.now(UTC)).floor("s"))
    assert tell_webhooks(settings_of(tmp_path)) == {"delivered": 1, "waiting": 0}
    changes = receiver.notices()[0]["data"]["changes"]
    assert len(changes) > 1 and "orange" in {change["level"] for change in changes}
    monkeypatch.setenv("AFFLUX_WEBHOOK_HOSTS", "http://127.0.0.1")
    assert tell_webhooks(settings_of(tmp_path)) == {"delivered": 0, "waiting": 0}


# Over HTTP.


@pytest.fixture
def keyed(
    tmp_path: Path, start, publish, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., httpx2.Client]]:
    """Clients of one real server, each with a key of its own."""
    publish(tmp_path)
    monkeypatch.setenv("AFFLUX_WEBHOOK_HOSTS", "127.0.0.1")
    server = start()
    keys = KeyStore(tmp_path / "data" / "keys.json")

    def client(name: str, *scopes: str) -> httpx2.Client:
        headers = {}
        if scopes:
            _, token = keys.add(name, scopes, datetime.now(UTC), 1)
            headers = {"authorization": f"Bearer {token}"}
        return opened.enter_context(
            httpx2.Client(base_url=server.url, headers=headers, trust_env=False)
        )

    with ExitStack() as opened:
        yield client


def test_webhooks_are_added_listed_and_removed_by_their_owner(
    keyed, tmp_path: Path, receiver: Receiver
) -> None:
    mine, theirs = keyed("mine", "webhooks"), keyed("theirs", "webhooks")
    asked = {"url": receiver.url, "level_at_least": "rouge", "zone_id": [ZONE]}
    made = mine.post("/v1/webhooks", json=asked)
    assert made.status_code == 201 and made.headers["cache-control"] == "no-store"
    hook = made.json()
    assert hook["secret"].startswith("whsec_") and hook["status"] == "active"
    (listed,) = mine.get("/v1/webhooks").json()["webhooks"]
    assert listed == {key: value for key, value in hook.items() if key != "secret"}
    assert hook["secret"] not in mine.get("/v1/webhooks").text
    assert theirs.get("/v1/webhooks").json() == {"webhooks": []}
    assert theirs.delete(f"/v1/webhooks/{hook['id']}").status_code == 404
    again = keyed("mine", "webhooks")  # As after a rotation: another key of the same name.
    assert again.delete(f"/v1/webhooks/{hook['id']}").status_code == 204
    assert mine.get("/v1/webhooks").json() == {"webhooks": []}
    file = settings_of(tmp_path).webhooks
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_webhook_needs_a_key_with_the_scope(keyed) -> None:
    assert keyed("none").get("/v1/webhooks").status_code == 401
    assert keyed("other", "uploads").get("/v1/webhooks").status_code == 403


def test_what_is_wrong_with_a_webhook_is_said(keyed, receiver: Receiver) -> None:
    client = keyed("mine", "webhooks")
    for body, name in (
        ({"url": "https://10.0.0.1/"}, "url"),
        ({"url": "http://93.184.216.34/"}, "url"),
        ({}, "url"),
        ({"url": receiver.url, "level_at_least": "vert"}, "level_at_least"),
        ({"url": receiver.url, "zone_id": [ZONE, "nowhere"]}, "zone_id.1"),
        ({"url": receiver.url, "horizon_days_at_most": -1}, "horizon_days_at_most"),
        ({"url": receiver.url, "secret": "mine"}, "secret"),
    ):
        reply = client.post("/v1/webhooks", json=body)
        assert reply.status_code == 422, body
        assert [entry["parameter"] for entry in reply.json()["errors"]] == [name]
    assert client.get("/v1/webhooks").json() == {"webhooks": []}
    added = [
        client.post("/v1/webhooks", json={"url": receiver.url}) for _ in range(MOST_PER_KEY + 1)
    ]
    assert [reply.status_code for reply in added] == [201] * MOST_PER_KEY + [422]


def test_the_published_name_is_that_of_the_notice(
    tmp_path: Path, store: HookStore, receiver: Receiver, publish_chance
) -> None:
    store.add(a_hook(receiver.url))
    name = publish_chance(0.9)
    send(settings_of(tmp_path), NOW, LOCAL)
    assert receiver.notices()[0]["data"]["publication"] == name
    assert read_publication(settings_of(tmp_path).publications).name == name
