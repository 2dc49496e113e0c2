"""Limits of the running server: how often, how large, how slow, how many at once."""

import json
import socket
from pathlib import Path

import pytest

from forecast.errors import ConfigError
from forecast.serving.limits import Buckets
from forecast.serving.options import ServerOptions

QUICK = {"AFFLUX_HEAD_SECONDS": "1", "AFFLUX_BODY_SECONDS": "1", "AFFLUX_MAX_BODY": "1000"}


@pytest.fixture
def quick(tmp_path: Path, publish, start, monkeypatch):
    """A server that waits a second, takes 1,000 bytes and believes a proxy on this machine."""
    publish(tmp_path)
    for name, value in {**QUICK, "AFFLUX_TRUSTED_PROXIES": "127.0.0.1"}.items():
        monkeypatch.setenv(name, value)
    return start()


def raw(server, sent: bytes, seconds: float = 30.0) -> bytes:
    """What the server says to these bytes until it closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as connection:
        connection.sendall(sent)
        said = b""
        while chunk := connection.recv(65536):
            said += chunk
        return said


def test_a_bucket_empties_and_fills_again() -> None:
    buckets = Buckets("reads", 60)
    found = [buckets.take("a", 0.0) for _ in range(61)]
    assert [spent.left for spent in found[:3]] == [59, 58, 57]
    assert [spent.refused for spent in found[58:]] == [False, False, True]
    assert found[60].wait == 2  # Whole seconds, never too few: a token comes after one.
    assert not buckets.take("b", 0.0).refused
    assert not buckets.take("a", 1.01).refused
    assert buckets.take("a", 1.01).refused
    assert buckets.take("a", 1000.0).left == 59


def test_memory_of_the_buckets_is_bounded_and_keeps_who_asks_most() -> None:
    buckets = Buckets("reads", 10, most=100)
    for i in range(5000):
        buckets.take(f"client {i}", i / 1000)
        busy = buckets.take("busy", i / 1000)
    assert len(buckets) <= 100
    assert busy.refused


def test_each_address_behind_the_proxy_has_its_own_limit(
    tmp_path, publish, start, monkeypatch
) -> None:
    publish(tmp_path)
    monkeypatch.setenv("AFFLUX_TRUSTED_PROXIES", "127.0.0.1")
    monkeypatch.setenv("AFFLUX_RATE_LIMIT", "6")
    server = start()

    def ask(address: str, path: str = "/v1/forecasts"):
        return server.get(path, headers={"X-Forwarded-For": address})

    found = [ask("192.0.2.7") for _ in range(7)]
    assert [answer.status_code for answer in found] == [200] * 6 + [429]
    # What caches may keep says nothing of one client until half is spent.
    assert ["ratelimit" in answer.headers for answer in found] == [False] * 3 + [True] * 4
    assert found[3].headers["ratelimit-policy"] == '"reads";q=6;w=60'
    assert found[3].headers["ratelimit"].startswith('"reads";r=2;t=')
    refused = found[6]
    assert refused.json()["type"] == "/docs#too-many-requests"
    assert 1 <= int(refused.headers["retry-after"]) <= 11
    # Neither another path, nor a forged address before the true one, nor an unfiltered one helps.
    assert ask("192.0.2.7", "/v1/forecasts?to=2026-07-02").status_code == 429
    assert ask("198.51.100.1, 192.0.2.7").status_code == 429
    assert ask("192.0.2.8").status_code == 200
    assert ask("192.0.2.7", "/health/ready").status_code == 200


def test_without_a_trusted_proxy_the_header_is_not_believed(
    tmp_path, publish, start, monkeypatch
) -> None:
    publish(tmp_path)
    monkeypatch.setenv("AFFLUX_UNLIMITED", "")
    monkeypatch.setenv("AFFLUX_RATE_LIMIT", "3")
    server = start()
    found = [
        server.get("/v1/zones", headers={"X-Forwarded-For": f"192.0.2.{i}"}).status_code
        for i in range(5)
    ]
    assert found.count(429) == 2 or found.count(429) == 1  # The health checks are not counted.
    assert found[:3] == [200] * 3


def test_a_long_url_and_large_headers_are_refused_as_problems(quick) -> None:
    long = quick.get(f"/v1/forecasts?zone_id={'x' * 9000}")
    assert (long.status_code, long.json()["type"]) == (414, "/docs#url-too-long")
    assert "at most 8192 are read" in long.json()["detail"]
    large = quick.get("/v1/forecasts?to=2026-07-02", headers={"Cookie": "x" * 40_000})
    assert (large.status_code, large.json()["type"]) == (431, "/docs#head-too-large")
    assert quick.get("/v1/forecasts").status_code == 200


def test_an_endless_header_is_cut_off_without_being_kept(quick) -> None:
    with socket.create_connection(("127.0.0.1", quick.port), timeout=8) as connection:
        connection.sendall(b"GET /v1/zones HTTP/1.1\r\nHost: x\r\nX-Long: ")
        sent, said = 0, b""
        try:
            while sent < 50_000_000:
                sent += connection.send(b"x" * 65536)
        except OSError:
            pass
        try:
            said = connection.recv(65536)
        except OSError:
            said = b"HTTP/1.1 431"  # Cut off before the answer could be read: as good.
    assert said.startswith(b"HTTP/1.1 431")
    assert sent < 20_000_000
    assert quick.get("/v1/forecasts").status_code == 200


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (b"", b""),
        (b"GET /v1/zones HTTP/1.1\r\nHost: x\r\nX-Slow: ", b"HTTP/1.1 408 Request Timeout"),
        # The answer has been given; nobody reads the rest of such a body for ever.
        (
            b"GET /v1/zones HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nx",
            b"HTTP/1.1 200 OK",
        ),
        (
            b"POST /metrics HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\nx",
            b"HTTP/1.1 405 Method Not Allowed",
        ),
    ],
)
def test_a_request_that_does_not_come_loses_its_connection(quick, sent, status) -> None:
    said = raw(quick, sent)  # until the server closes the connection
    assert said.partition(b"\r\n")[0] == status
    if b"408" in status:
        assert json.loads(said.partition(b"\r\n\r\n")[2])["type"] == "/docs#too-slow"


def test_options_are_read_from_the_environment_with_clear_errors() -> None:
    read = ServerOptions.from_environment
    assert read({}) == ServerOptions()
    found = read(
        {
            "AFFLUX_CORS_ORIGINS": "https://a.example, http://localhost:3000",
            "AFFLUX_OPEN_SCOPES": "scenarios",
            "AFFLUX_UNLIMITED": "",
            "AFFLUX_ACCESS_LOG": "off",
            "AFFLUX_MAX_BODY": "10",
        }
    )
    assert found.cors_origins == ("https://a.example", "http://localhost:3000")
    assert (found.open_scopes, found.unlimited) == (("scenarios",), ())
    assert (found.access_log, found.max_body) == (False, 10)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("AFFLUX_RATE_LIMIT", "many", "expected a whole number, 1 or more"),
        ("AFFLUX_RATE_LIMIT", "0", "expected a whole number, 1 or more"),
        ("AFFLUX_MAX_CONNECTIONS", "-1", "expected a whole number, 0 or more"),
        ("AFFLUX_ACCESS_LOG", "yes", "expected on or off"),
        ("AFFLUX_TRUSTED_PROXIES", "nginx", "'nginx' is no address and no network"),
        ("AFFLUX_OPEN_SCOPES", "all", "'all' is no scope; expected some of scenarios"),
        ("AFFLUX_CORS_ORIGINS", "*", "is no origin; expected such as https://www.example.org"),
        ("AFFLUX_CORS_ORIGINS", "https://a.example/", "without a path"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(name, value, said) -> None:
    with pytest.raises(ConfigError, match=said) as caught:
        ServerOptions.from_environment({name: value})
    assert name in str(caught.value)


def test_every_option_is_in_the_table_of_the_documents() -> None:
    from dataclasses import fields

    from forecast.serving.options import variable

    page = Path(__file__).parents[2].joinpath("docs", "serving.md").read_text(encoding="utf-8")
    names = [variable(field.name) for field in fields(ServerOptions)]
    assert [name for name in names if f"| `{name}` |" not in page] == []
