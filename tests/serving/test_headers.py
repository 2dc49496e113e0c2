"""Headers that protect readers, allow other origins, and say when something is wrong."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from forecast.serving.app import create_app
from forecast.serving.options import ServerOptions
from forecast.settings import Settings

PUBLISHED = datetime(2026, 7, 1, 6, 5, tzinfo=UTC)
FILTERED = "/v1/forecasts?to=2026-07-02"


class Served:
    """The application on a publication, with a clock that tests move."""

    def __init__(self, home: Path, **options) -> None:
        self.now = PUBLISHED
        where = Settings(home=home, lake="", config=None)
        self.app = create_app(where, ServerOptions(**options), clock=lambda: self.now)
        self.app.state.service.refresh()

    def ask(self, path: str, method: str = "GET", **headers: str) -> httpx2.Response:
        async def go() -> httpx2.Response:
            transport = httpx2.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
                return await client.request(method, path, headers=headers)

        # Each look at the state of things is half a second apart: here none is skipped.
        self.app.front._look_at = 0.0
        return asyncio.run(go())


@pytest.fixture
def served(tmp_path: Path, publish) -> Served:
    publish(tmp_path)
    return Served(tmp_path)


@pytest.mark.parametrize("path", ["/v1/forecasts", FILTERED, "/v1/nothing", "/health/ready"])
def test_data_may_be_embedded_and_is_never_sniffed(served: Served, path: str) -> None:
    headers = served.ask(path).headers
    assert headers["x-content-type-options"] == "nosniff"
    if path.startswith("/v1"):
        assert headers["cross-origin-resource-policy"] == "cross-origin"
    assert "access-control-allow-origin" not in headers
    assert "server" not in headers


def test_a_page_loads_nothing_but_its_own_style(served: Served) -> None:
    page = served.ask("/docs")
    headers = page.headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy and "style-src 'sha256-" in policy
    assert "frame-ancestors 'none'" in policy and "base-uri 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == "no-referrer"
    assert "geolocation=()" in headers["permissions-policy"]
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert " style=" not in page.text and "<script" not in page.text


@pytest.mark.parametrize("path", ["/v1/forecasts", FILTERED, "/v1/nothing"])
def test_only_configured_origins_may_read_by_script(tmp_path, publish, path) -> None:
    publish(tmp_path)
    served = Served(tmp_path, cors_origins=("https://a.example",))
    mine = served.ask(path, Origin="https://a.example")
    assert mine.headers["access-control-allow-origin"] == "https://a.example"
    assert "RateLimit" in mine.headers["access-control-expose-headers"]
    assert "access-control-allow-credentials" not in mine.headers
    for other in ("https://b.example", "https://a.example.evil", "null", "HTTPS://A.EXAMPLE"):
        answer = served.ask(path, Origin=other)
        assert "access-control-allow-origin" not in answer.headers
        assert "Origin" in ", ".join(answer.headers.get_list("vary"))


def test_a_preflight_lets_through_reading_and_nothing_else(tmp_path, publish) -> None:
    publish(tmp_path)
    served = Served(tmp_path, cors_origins=("https://a.example",))
    asked = {"Origin": "https://a.example", "Access-Control-Request-Method": "GET"}
    answer = served.ask("/v1/forecasts", "OPTIONS", **asked)
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-methods"] == "GET, HEAD"
    assert "If-None-Match" in answer.headers["access-control-allow-headers"]
    asked["Access-Control-Request-Method"] = "POST"
    assert served.ask("/v1/forecasts", "OPTIONS", **asked).status_code == 405


def test_the_host_header_is_never_believed(served: Served) -> None:
    for path in ("/", "/docs", "/openapi.json", "/v1/x", "/v1/forecasts"):
        answer = served.ask(path, Host="evil.example")
        assert "evil.example" not in answer.text + str(answer.headers)


@pytest.mark.parametrize("path", ["/v1/forecasts", FILTERED, "/v1/nothing"])
def test_missed_publications_are_counted_in_every_answer(served: Served, path: str) -> None:
    for hours, missed in [(0, None), (25, None), (27, "1"), (51, "2"), (24 * 30 + 5, "30")]:
        served.now = PUBLISHED + timedelta(hours=hours)
        assert served.ask(path).headers.get("afflux-missed-runs") == missed


def test_a_clock_stepped_back_counts_nothing(served: Served) -> None:
    for years in (1, 50):
        served.now = PUBLISHED.replace(year=2026 - years)
        answer = served.ask("/v1/forecasts")
        assert answer.status_code == 200
        assert "afflux-missed-runs" not in answer.headers
        assert served.ask("/metrics").status_code == 200


@pytest.mark.parametrize("path", ["/v1/forecasts", FILTERED, "/v1/nothing"])
def test_a_refused_publication_is_said_in_every_answer(tmp_path, publish, served, path) -> None:
    pointer = tmp_path / "data" / "publications" / "current"
    good = pointer.read_text()
    pointer.write_text("20260703T060000Z-9f86d081884c\n")
    served.app.state.service.refresh()
    assert served.ask(path).headers["afflux-degraded"] == "publication-refused"
    etag = served.ask("/v1/forecasts").headers["etag"]
    unchanged = served.ask("/v1/forecasts", **{"If-None-Match": etag})
    assert unchanged.status_code == 304
    assert unchanged.headers["afflux-degraded"] == "publication-refused"
    pointer.write_text(good)
    served.app.state.service.refresh()
    assert "afflux-degraded" not in served.ask(path).headers


def test_ready_says_the_same(tmp_path, publish, served) -> None:
    assert served.ask("/health/ready").json()["status"] == "ready"
    served.now = PUBLISHED + timedelta(hours=51)
    ready = served.ask("/health/ready")
    assert ready.status_code == 200
    assert (ready.json()["status"], ready.json()["missed_runs"]) == ("degraded", 2)


def test_both_ways_to_a_stored_answer_say_the_same(tmp_path, publish, start) -> None:
    """The connection's short cut and the ASGI application, byte for byte."""
    publish(tmp_path)
    server, served = start(), Served(tmp_path)
    served.now = datetime.now(UTC)
    for path in ("/v1/forecasts", "/v1/zones", "/v1/forecasts/weekend"):
        for headers in ({"Accept-Encoding": "identity"}, {"If-None-Match": "*"}):
            for method in ("GET", "HEAD"):
                ours = served.ask(path, method, **headers)
                theirs = httpx2.request(method, server.url + path, headers=headers, trust_env=False)
                assert (ours.status_code, ours.content) == (theirs.status_code, theirs.content)
                apart = {k: v for k, v in theirs.headers.items() if k != "date"}
                assert apart == dict(ours.headers)
                assert "date" in theirs.headers
