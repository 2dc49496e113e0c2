"""Every route of the running server: what it answers, how it filters, and how it caches."""

import gzip
import json
from email.utils import parsedate_to_datetime

import pytest

from forecast.serving.app import create_app
from forecast.serving.schemas import ForecastsAnswer, Live, Ready, WeekendAnswer, ZonesAnswer
from forecast.settings import Settings

ISLAND = "/v1/zones/a%20b%2F%C3%A9/forecasts"
STORED = ["/v1/zones", "/v1/forecasts", "/v1/forecasts/weekend", ISLAND]
FILTERED = "/v1/forecasts?zone_id=241400415&from=2026-07-03&to=2026-07-05"
SHAPES = dict(
    zip(STORED, (ZonesAnswer, ForecastsAnswer, WeekendAnswer, ForecastsAnswer), strict=True)
)


@pytest.mark.parametrize("path", STORED)
def test_answers_have_the_documented_shape(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    SHAPES[path].model_validate(answer.json())


def test_forecasts_list_every_zone_and_day_in_order(client, config):
    rows = client.get("/v1/forecasts").json()["forecasts"]
    assert [row["zone_id"] for row in rows[::15]] == [zone.id for zone in config.zones]
    assert [row["horizon_days"] for row in rows] == list(range(15)) * 3
    first = rows[0]
    assert first["target_date"] == "2026-07-01"
    assert first["zone_name"] == "Cœur Côte Fleurie"
    assert list(first["influx"]) == ["p10", "p25", "p50", "p75", "p90"]
    assert all(isinstance(value, int) for value in first["influx"].values())
    assert first["interval_80"] == {"low": first["influx"]["p10"], "high": first["influx"]["p90"]}
    assert sum(first["level_probabilities"].values()) == pytest.approx(1, abs=1e-9)
    assert rows[3]["usual"] is None


def test_every_forecast_says_why_in_persons_that_add_up(client, frame):
    expected = frame()
    for row, exact in zip(
        client.get("/v1/forecasts").json()["forecasts"], expected.to_dict("records"), strict=True
    ):
        if row["zone_id"] == "a b/é":
            assert (row["contributions"], row["why"]) == (None, None)
            continue
        told = row["contributions"]
        assert set(told) == {"weather", "holidays", "mobility", "history"}
        for domain, persons in told.items():
            assert abs(persons - exact[f"contribution_{domain}"]) < 1.5
        usual = 20000 if row["usual"] is None else row["usual"]
        assert abs(sum(told.values()) - (row["influx"]["p50"] - usual)) <= (row["usual"] is None)
        assert row["why"] == "beau temps annoncé +3\u202f000"


def test_the_answer_says_where_it_comes_from(client):
    about = client.get("/v1/forecasts").json()["metadata"]
    assert about["origin"] == "2026-07-01T06:00:00Z"
    assert about["published_at"] == "2026-07-01T06:05:00Z"
    assert (about["model_version"], about["lake_version"]) == ("7", 42)
    assert about["sources"][0]["newest_date"] == "2026-06-28"
    assert about["sources"][1]["fresh"] is False
    assert (about["simulated"], about["label"]) == (True, "données simulées")
    assert (about["licence"], about["perfect_weather"]) == ("Licence Ouverte 2.0", False)
    assert all(client.get(path).json()["metadata"] == about for path in STORED)


def test_a_zone_without_reference_has_no_level(client):
    for row in client.get(ISLAND).json()["forecasts"]:
        assert row["level"] is None
        assert row["level_probabilities"] is None
        assert row["reference"] == "under construction"
    zones = client.get("/v1/zones").json()["zones"]
    assert [zone["reference"] for zone in zones] == ["own history"] * 2 + ["under construction"]


def test_the_weekend_is_friday_to_sunday(client):
    answer = client.get("/v1/forecasts/weekend").json()
    days = ["2026-07-03", "2026-07-04", "2026-07-05"]
    assert [total["zone_id"] for total in answer["totals"]] == [
        None,
        "241400415",
        "200066363",
        "a b/é",
    ]
    assert answer["weekend"] == {
        "start": days[0],
        "end": days[2],
        "days": days,
        "partial": False,
    }
    assert [row["target_date"] for row in answer["forecasts"]] == days * 3


def chosen(client, path, **parameters):
    answer = client.get(path, params=parameters)
    assert answer.status_code == 200
    return answer.json()


def test_filters_pick_the_same_rows_as_the_whole_answer_has(client):
    whole = client.get("/v1/forecasts").json()
    rows = whole["forecasts"]
    two = ["a b/é", "241400415"]
    cases = [
        ({"zone_id": "241400415"}, lambda r: r["zone_id"] == "241400415"),
        ({"zone_id": two}, lambda r: r["zone_id"] in two),
        ({"from": "2026-07-10"}, lambda r: r["target_date"] >= "2026-07-10"),
        ({"to": "2026-07-02"}, lambda r: r["target_date"] <= "2026-07-02"),
        (
            {"zone_id": two, "from": "2026-07-03", "to": "2026-07-03"},
            lambda r: r["zone_id"] in two and r["target_date"] == "2026-07-03",
        ),
        ({"from": "2027-01-01"}, lambda r: False),
    ]
    for parameters, wanted in cases:
        found = chosen(client, "/v1/forecasts", **parameters)
        assert found == {**whole, "forecasts": [row for row in rows if wanted(row)]}


def test_filters_mean_the_same_on_every_route(client):
    period = {"from": "2026-07-03", "to": "2026-07-04"}
    one = chosen(client, "/v1/forecasts", zone_id="a b/é", **period)
    assert chosen(client, ISLAND, **period) == one
    weekend = chosen(client, "/v1/forecasts/weekend", zone_id="a b/é")
    assert weekend["forecasts"][:2] == one["forecasts"]
    assert client.get(ISLAND).json() == chosen(client, "/v1/forecasts", zone_id="a b/é")


@pytest.mark.parametrize("path", [*STORED, FILTERED, "/docs", "/openapi.json"])
def test_an_unchanged_answer_costs_a_304(client, path):
    for encoding in ("identity", "gzip"):
        accept = {"Accept-Encoding": encoding}
        full = client.get(path, headers=accept)
        etag = full.headers["etag"]
        assert etag.startswith('"')
        assert full.headers["cache-control"] == "public, max-age=0, must-revalidate"
        for condition in (etag, f'"other", W/{etag}', "*"):
            again = client.get(path, headers={**accept, "If-None-Match": condition})
            assert (again.status_code, again.content) == (304, b"")
            assert again.headers["etag"] == etag
        changed = client.get(path, headers={**accept, "If-None-Match": '"other"'})
        assert changed.content == full.content


@pytest.mark.parametrize("path", [*STORED, FILTERED])
def test_if_modified_since(client, path):
    modified = client.get(path).headers["last-modified"]
    assert parsedate_to_datetime(modified).isoformat() == "2026-07-01T06:05:00+00:00"
    for since, status in [
        (modified, 304),
        ("Thu, 02 Jul 2026 00:00:00 GMT", 304),
        ("Wed, 01 Jul 2026 06:04:59 GMT", 200),
        ("yesterday", 200),
    ]:
        assert client.get(path, headers={"If-Modified-Since": since}).status_code == status
    both = {"If-Modified-Since": modified, "If-None-Match": '"other"'}
    assert client.get(path, headers=both).status_code == 200


@pytest.mark.parametrize("path", [*STORED, FILTERED, "/docs", "/openapi.json"])
def test_gzip_holds_the_same_bytes_under_its_own_etag(client, path):
    plain = client.get(path, headers={"Accept-Encoding": "identity"})
    with client.stream("GET", path, headers={"Accept-Encoding": "br;q=0.2, gzip;q=0.8"}) as answer:
        packed = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) == len(packed) < len(plain.content)
    assert gzip.decompress(packed) == plain.content
    assert answer.headers["etag"] != plain.headers["etag"]
    several = "Accept, " if path.startswith("/v1") else ""
    assert answer.headers["vary"] == plain.headers["vary"] == f"{several}Accept-Encoding"
    refused = client.get(path, headers={"Accept-Encoding": "gzip;q=0"})
    assert "content-encoding" not in refused.headers


@pytest.mark.parametrize(
    "path", [*STORED, FILTERED, "/docs", "/openapi.json", "/health/live", "/health/ready"]
)
def test_head_is_get_without_the_body(client, path):
    full, head = client.get(path), client.head(path)
    assert (head.status_code, head.content) == (200, b"")
    assert {k: v for k, v in head.headers.items() if k not in ("date", "afflux-request")} == {
        k: v for k, v in full.headers.items() if k not in ("date", "afflux-request")
    }


def test_health(client):
    Live.model_validate(client.get("/health/live").json())
    ready = client.get("/health/ready")
    Ready.model_validate(ready.json())
    assert ready.json()["refused"] is None
    assert ready.json()["missed_runs"] > 100  # published in July 2026, asked by a later clock
    assert ready.json()["status"] == "degraded"
    assert ready.headers["cache-control"] == "no-store"


def test_openapi_documents_every_route_with_its_problems(client):
    document = client.get("/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    zone = "/v1/zones/{zone_id}"
    assert {
        "/v1/zones",
        "/v1/zones.{extension}",
        "/v1/forecasts",
        "/v1/forecasts.{extension}",
        "/v1/forecasts/weekend",
        "/v1/forecasts/weekend.{extension}",
        f"{zone}/forecasts",
        f"{zone}/forecasts.{{extension}}",
        f"{zone}/forecasts/{{target_date}}/explanation",
        f"{zone}/history",
        f"{zone}/history.{{extension}}",
        "/v1/changes",
        "/v1/changes.{extension}",
        "/v1/scoreboard",
        "/v1/sources",
        "/v1/model",
        "/v1/dcat.jsonld",
        "/v1/schemas/forecasts.json",
        "/health/live",
        "/health/ready",
    } <= set(document["paths"])
    meanings = {}
    for item in document["paths"].values():
        if "get" not in item:
            continue
        for parameter in item["get"].get("parameters", []):
            if parameter["in"] == "query":
                said = (parameter["description"], json.dumps(parameter["schema"]))
                assert meanings.setdefault(parameter["name"], said) == said
        for status, response in item["get"]["responses"].items():
            kinds = list(response.get("content", {}))
            if status >= "400":
                assert kinds == ["application/problem+json"]
    assert set(meanings) >= {
        *("zone_id", "from", "to", "horizon_days", "quantiles", "level_at_least"),
        *("as_of", "since", "locale"),
    }


def test_the_docs_page_needs_no_other_host_and_no_script(client):
    page = client.get("/docs")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "<script" not in page.text
    assert "src=" not in page.text
    assert "http://" not in page.text.replace("http://localhost:8000", "")
    assert "https://" not in page.text
    for said in ("/v1/zones/{zone_id}/forecasts", "zone_id", "interval_80", "curl", "unknown-zone"):
        assert said in page.text


def test_behind_a_proxy_that_strips_a_prefix_links_carry_it(tmp_path, publish, start):
    publish(tmp_path)
    server = start(root_path="/afflux")
    assert server.get("/v1/forecasts").status_code == 200
    assert server.get("/v1/forecasts?to=2026-07-01").status_code == 200
    assert 'href="/afflux/"' in server.get("/bilan", headers={"accept": "text/html"}).text
    assert 'href="/afflux/openapi.json"' in server.get("/docs").text
    assert server.get("/openapi.json").json()["servers"] == [{"url": "/afflux"}]
    problem = server.get("/v1/x").json()
    assert problem["type"] == "/afflux/docs#not-found"
    assert problem["instance"] == "/afflux/v1/x"


def test_the_application_reads_its_settings_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.setenv("AFFLUX_HOME", str(tmp_path))
    app = create_app()
    assert app.state.service.folder == Settings.from_environment().publications
    assert app.state.service.folder == tmp_path / "data" / "publications"


@pytest.mark.parametrize(
    "path", ["/v1/zones/20/forecasts", "/v1/forecasts?zone_id=20", "/v1/zones//forecasts"]
)
def test_an_unknown_zone_lists_the_valid_ones(client, config, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    problem = answer.json()
    assert problem["type"] == "/docs#unknown-zone"
    assert problem["errors"][0]["expected"] == [zone.id for zone in config.zones]


def test_several_unknown_zones_are_all_named(client):
    answer = client.get("/v1/forecasts/weekend", params={"zone_id": ["x", "241400415", "y"]})
    assert [entry["value"] for entry in answer.json()["errors"]] == ["x", "y"]
