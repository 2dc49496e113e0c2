"""The Python client, against the real server."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from forecast.client import Afflux
from forecast.errors import ClientError
from forecast.serving.key_store import KeyStore

ZONE = "241400415"


@pytest.fixture
def api(server) -> Iterator[Afflux]:
    with Afflux(server.url) as client:
        yield client


def test_every_answer_can_be_read(api: Afflux) -> None:
    assert [zone["zone_id"] for zone in api.zones()["zones"]] == [ZONE, "200066363", "a b/é"]
    assert api.weekend()["weekend"]["days"][0] == "2026-07-03"
    assert {row["zone_id"] for row in api.weekend(zone_id=ZONE)["forecasts"]} == {ZONE}
    narrow = api.forecasts(
        zone_id=[ZONE, "a b/é"],
        first=date(2026, 7, 3),
        last="2026-07-09",
        horizon_days=[2, 3],
        quantiles=["p10", "p90"],
        as_of=datetime(2026, 7, 1, 8, tzinfo=UTC),
    )["forecasts"]
    assert len(narrow) == 2 * 2
    assert set(narrow[0]["influx"]) == {"p10", "p90"}
    assert api.explanation("a b/é", date(2026, 7, 3))["forecast"]["zone_id"] == "a b/é"
    for answer in (
        api.forecasts(level_at_least="orange"),
        api.history(ZONE),
        api.changes(),
        api.changes(datetime(2026, 7, 1, 6, 5, tzinfo=UTC)),
        api.scoreboard(),
        api.sources(),
        api.model(),
    ):
        assert answer["metadata"]["territory"]["id"] == "essai"


def test_asking_again_costs_a_304(server, monkeypatch: pytest.MonkeyPatch) -> None:
    with Afflux(server.url) as api:
        statuses = []
        hooks = {"response": [lambda reply: statuses.append(reply.status_code)]}
        monkeypatch.setattr(api._http, "event_hooks", hooks)
        first = api.forecasts()
        first["forecasts"].clear()  # What a caller does with an answer is theirs.
        assert api.forecasts()["forecasts"]
        assert api.forecasts(zone_id=ZONE) == api.forecasts(zone_id=ZONE)
        assert statuses == [200, 304, 200, 304]
        for day in range(1, 80):
            api.forecasts(zone_id=ZONE, first=date(2026, 7, 1), last=date(2026, 7, 1 + day % 15),
                          horizon_days=[day % 7])  # fmt: skip
        assert len(api._known) <= 64


def test_what_the_server_refuses_is_said(api: Afflux) -> None:
    with pytest.raises(ClientError, match=r"404 Unknown zone: .*/v1/zones") as refused:
        api.forecasts(zone_id="nowhere")
    assert refused.value.status == 404
    assert refused.value.problem["errors"][0]["parameter"] == "zone_id"
    with pytest.raises(ClientError, match="422 Invalid parameter: from") as refused:
        api.forecasts(first="tomorrow")
    with pytest.raises(ClientError, match="401 Key needed") as refused:
        api.upload("waste", b"")
    with pytest.raises(ClientError, match="401"):
        api.scenario(events=[{"zone_id": ZONE, "date": "2026-07-04", "name": "F", "attendance": 1}])
    assert refused.value.problem["type"].endswith("#unauthorized")


def test_a_server_that_is_not_there_is_said() -> None:
    with (
        Afflux("http://127.0.0.1:9") as api,
        pytest.raises(ClientError, match="afflux serve") as no,
    ):
        api.zones()
    assert no.value.status is None


def test_an_address_that_is_no_afflux_is_said(start, publish, tmp_path: Path) -> None:
    publish(tmp_path)
    with Afflux(f"{start().url}/v2") as api, pytest.raises(ClientError, match="404"):
        api.zones()


def test_a_key_opens_what_needs_one(start, publish, tmp_path: Path, monkeypatch) -> None:
    publish(tmp_path)
    monkeypatch.setenv("AFFLUX_WEBHOOK_HOSTS", "127.0.0.1")
    _, token = KeyStore(tmp_path / "data" / "keys.json").add(
        "essai", ["webhooks", "uploads"], datetime.now(UTC), 1
    )
    with Afflux(start().url + "/", key=token) as api:
        hook = api.add_webhook("http://127.0.0.1:9/", level_at_least="noir", zone_id=[ZONE])
        assert [found["id"] for found in api.webhooks()["webhooks"]] == [hook["id"]]
        api.remove_webhook(hook["id"])
        assert api.webhooks() == {"webhooks": []}
        with pytest.raises(ClientError, match="403"):
            api.scenario(weather=[{"target_date": "2026-07-04", "sunshine": 3.0}])
        with pytest.raises(ClientError, match="404 Unknown source"):
            api.upload("tides", b"zone_id,date\n", filename="a.csv", dry_run=True)


def test_the_client_needs_no_numerical_library() -> None:
    heavy = "{'numpy', 'pandas', 'lightgbm', 'pyarrow', 'fastapi'} & set(sys.modules)"
    code = f"import sys, forecast.client; found = {heavy}; assert not found, found"
    subprocess.run([sys.executable, "-c", code], check=True)
