"""What is counted, what Prometheus reads, and what is written to the log."""

import json
import time
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

ROOT = Path(__file__).parents[2]


def read(server) -> dict[str, dict[tuple[str, ...], float]]:
    """Samples by name and label values, the worker's number aside."""
    answer = server.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=")
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(answer.text):
        for sample in family.samples:
            labels = tuple(v for k, v in sorted(sample.labels.items()) if k != "worker")
            found.setdefault(sample.name, {})[labels] = sample.value
    return found


@pytest.fixture
def own(tmp_path, publish, start):
    publish(tmp_path)
    return start()


def test_requests_are_counted_by_route_and_status(own) -> None:
    etag = own.get("/v1/forecasts").headers["etag"]
    for _ in range(3):
        own.get("/v1/forecasts", headers={"If-None-Match": etag, "Accept-Encoding": "identity"})
    own.get("/v1/zones/241400415/forecasts")
    own.get("/v1/zones/200066363/forecasts?to=2026-07-02")
    own.get("/v1/zones/secret-person/forecasts")
    own.get("/private/name")
    found = read(own)
    requests = found["afflux_requests_total"]
    polled = requests["/v1/forecasts", "200"] + requests.get(("/v1/forecasts", "304"), 0)
    assert polled == 4
    by_zone = sum(n for (route, _), n in requests.items() if route.startswith("/v1/zones/{zone_id"))
    assert by_zone == 3
    assert requests["unmatched", "404"] == 1
    counts = found["afflux_request_seconds_count"]
    assert sum(counts.values()) == sum(requests.values())
    buckets = {
        k: v for k, v in found["afflux_request_seconds_bucket"].items() if "/v1/forecasts" in k
    }
    assert max(buckets.values()) == counts["/v1/forecasts",]
    assert "secret-person" not in own.get("/metrics").text


def test_the_state_of_sources_and_publication_is_said(own) -> None:
    found = read(own)
    assert found["afflux_source_missed_runs"]["waste",] == 9
    assert found["afflux_source_fresh"] == {("influx",): 1, ("waste",): 0}
    assert found["afflux_source_age_seconds"]["influx",] > 0
    assert ("waste",) not in found["afflux_source_age_seconds"]
    assert found["afflux_publication_age_seconds"][()] >= 0
    assert found["afflux_publications_refused_total"][()] == 0
    rows = own.get("/v1/forecasts").json()["forecasts"]
    for level in ("vert", "orange", "rouge", "noir"):
        said = sum(row["level"] == level for row in rows)
        assert found["afflux_forecast_levels"][level,] == said
    assert found["process_resident_memory_bytes"][()] > 1e7


def test_a_refused_publication_is_counted_once(tmp_path, own) -> None:
    pointer = tmp_path / "data" / "publications" / "current"
    pointer.write_text("20260703T060000Z-9f86d081884c\n")
    own.wait_for(lambda: read(own)["afflux_publication_refused"][()] == 1)
    time.sleep(0.6)
    assert read(own)["afflux_publications_refused_total"][()] == 1


def test_without_a_publication_there_are_still_metrics(start) -> None:
    found = read(start())
    assert "afflux_publication_age_seconds" not in found
    assert found["afflux_publication_refused"][()] == 0


def test_the_log_has_one_json_object_a_request_and_nothing_of_a_person(own) -> None:
    secret = {"Authorization": "Bearer afflux_secret", "X-Forwarded-For": "192.0.2.99"}
    refused = own.get("/v1/forecasts?zone_id=personal-value", headers=secret)
    for _ in range(5):
        own.get("/v1/forecasts")
    own.stop()
    text = own.log.read_text()
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    requests = [line for line in lines if line["event"] == "request"]
    (line,) = [r for r in requests if r["request"] == refused.headers["afflux-request"]]
    assert (line["method"], line["route"], line["status"]) == ("GET", "/v1/forecasts", 404)
    assert line["bytes"] == len(refused.content) and line["milliseconds"] > 0
    (polled,) = [line for line in lines if line["event"] == "polled"]
    assert (polled["route"], polled["requests"]) == ("/v1/forecasts", 5)
    for private in ("personal-value", "192.0.2.99", "127.0.0.1:", "afflux_secret", "zone_id="):
        assert private not in "".join(map(json.dumps, lines))


def test_the_log_can_be_turned_off(tmp_path, start, monkeypatch) -> None:
    monkeypatch.setenv("AFFLUX_ACCESS_LOG", "off")
    server = start()
    server.get("/v1/zones")
    server.stop()
    assert '"event"' not in server.log.read_text()


def test_the_example_alerts_name_metrics_that_exist(own) -> None:
    import re

    rules = (ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"\bafflux_[a-z_]+", " ".join(re.findall(r"expr: (.*)", rules))))
    families = set(re.findall(r"# TYPE (\S+) ", own.get("/metrics").text))
    families |= {f"{name}{end}" for name in families for end in ("_bucket", "_count", "_sum")}
    assert len(named) >= 6
    assert named - families <= {"afflux_coverage_ratio"}  # Only once days have been scored.
