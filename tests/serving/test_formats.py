"""One answer, many formats: each is read back by what reads it in earnest."""

import csv
import io
import json
import xml.etree.ElementTree as ET
from datetime import date

import frictionless
import icalendar
import pandas as pd
import pytest

from forecast.serving.export_csv import to_csv
from forecast.serving.formats import negotiated
from forecast.serving.problems import ProblemError

COAST = "/v1/zones/241400415/forecasts"
MEDIA = {
    "csv": "text/csv",
    "geojson": "application/geo+json",
    "ics": "text/calendar",
    "parquet": "application/vnd.apache.parquet",
    "json": "application/json",
}


def rows_of(client, path="/v1/forecasts"):
    return client.get(path).json()["forecasts"]


@pytest.mark.parametrize("path", ["/v1/forecasts", "/v1/forecasts/weekend", COAST])
@pytest.mark.parametrize("form", ["json", "csv", "geojson"])
def test_accept_and_extension_give_the_same(client, path, form):
    named = client.get(f"{path}.{form}")
    asked = client.get(path, headers={"Accept": MEDIA[form]})
    assert named.status_code == asked.status_code == 200
    assert named.content == asked.content
    assert named.headers["content-type"].startswith(MEDIA[form])
    assert "Accept" in asked.headers["vary"].split(", ")
    again = client.get(f"{path}.{form}", headers={"If-None-Match": named.headers["etag"]})
    assert again.status_code == 304


def test_accept_is_weighed():
    offered = ("json", "csv", "geojson")
    assert negotiated("text/csv;q=0.5, application/geo+json", offered) == "geojson"
    assert negotiated("text/*", offered) == "csv"
    assert negotiated("text/html, */*;q=0.1", offered) == "json"
    assert negotiated("application/json;q=0, */*", offered) == "csv"
    for accept in ("image/png", "text/csv;q=0", "text/csv;q=x"):
        with pytest.raises(ProblemError, match=r"text/csv \(\.csv\)"):
            negotiated(accept, offered)


def test_a_format_that_is_not_offered_is_said(client):
    answer = client.get("/v1/forecasts", headers={"Accept": "image/png"})
    assert (answer.status_code, answer.json()["type"]) == (406, "/docs#not-acceptable")
    assert client.get("/v1/forecasts.xml").status_code == 422
    refused = client.get("/v1/forecasts.parquet?zone_id=241400415")
    assert refused.status_code == 406
    assert "remove the filters" in refused.json()["detail"]


def test_csv_has_the_same_figures(client):
    expected = rows_of(client)
    found = list(csv.DictReader(io.StringIO(client.get("/v1/forecasts.csv").text)))
    assert len(found) == len(expected)
    for row, exact in zip(found, expected, strict=True):
        assert row["zone_id"] == exact["zone_id"]
        assert int(row["influx_p90"]) == exact["influx"]["p90"]
        assert row["level"] == (exact["level"] or "")
        if exact["level"]:
            assert float(row["probability_vert"]) == exact["level_probabilities"]["vert"]
        assert row["licence"] == "Licence Ouverte 2.0"
        assert row["simulated"] == "true"


def test_a_french_excel_reads_the_csv(client):
    answer = client.get("/v1/forecasts.csv?locale=fr")
    assert answer.content.startswith(b"\xef\xbb\xbfzone_id;zone_name;")
    found = pd.read_csv(io.BytesIO(answer.content), sep=";", decimal=",", encoding="utf-8-sig")
    plain = pd.read_csv(io.StringIO(client.get("/v1/forecasts.csv").text))
    pd.testing.assert_frame_equal(found, plain)


def test_formulas_are_neutralised():
    for text in ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "\uff1d1+1"):
        body = to_csv([{"a": text, "b": -5, "c": None}], ["a", "b", "c"])
        (row,) = csv.DictReader(io.StringIO(body.decode(), newline=""))
        assert row == {"a": f"'{text}", "b": "-5", "c": ""}
    assert to_csv([{"a": 'x"; \n'}], ["a"]) == b'a\r\n"x""; \n"\r\n'


def test_the_table_schema_fits_the_csv(client, tmp_path):
    (tmp_path / "rows.csv").write_bytes(client.get("/v1/forecasts.csv").content)
    descriptor = client.get("/v1/schemas/forecasts.json").json()
    schema = frictionless.Schema.from_descriptor(descriptor)
    resource = frictionless.Resource(path="rows.csv", basepath=str(tmp_path), schema=schema)
    report = resource.validate()
    assert report.valid, report.flatten(["message"])
    assert report.task.stats["rows"] == 45
    link = client.get("/v1/forecasts.csv").headers["link"]
    assert link == '<schemas/forecasts.json>; rel="describedby"; type="application/json"'


def test_parquet_has_the_rows_of_the_run(client):
    found = pd.read_parquet(io.BytesIO(client.get("/v1/forecasts.parquet").content))
    expected = rows_of(client)
    assert found["influx_p50"].round().astype(int).tolist() == [
        r["influx"]["p50"] for r in expected
    ]
    assert found["zone_name"].tolist() == [row["zone_name"] for row in expected]
    assert set(found["licence"]) == {"Licence Ouverte 2.0"}


def test_geojson_has_outlines_points_and_levels(client):
    answer = client.get("/v1/forecasts.geojson").json()
    first, second, _ = answer["features"]
    assert answer["metadata"]["licence"] == "Licence Ouverte 2.0"
    assert (first["geometry"]["type"], second["geometry"]["type"]) == ("Polygon", "Point")
    row = rows_of(client)[3]
    properties = first["properties"]
    assert properties["level_d3"] == row["level"]
    assert properties["p50_d3"] == row["influx"]["p50"]
    assert properties["date_d3"] == row["target_date"]
    some = client.get("/v1/forecasts.geojson?zone_id=200066363&horizon_days=2").json()
    (only,) = some["features"]
    assert only["id"] == "200066363"
    assert [name for name in only["properties"] if name.startswith("level_d")] == ["level_d2"]
    assert len(client.get("/v1/zones.geojson").json()["features"]) == 3


def test_a_calendar_without_a_full_day_is_still_one(client):
    """A calendar has at least one component; where no day is full it is a time zone."""
    body = client.get("/v1/forecasts.ics?to=2020-01-01").content
    (zone,) = calendar_of(body).subcomponents
    assert zone.name == "VTIMEZONE"


def calendar_of(content):
    return icalendar.Calendar.from_ical(content)


def test_the_calendar_holds_full_days(client):
    answer = client.get("/v1/forecasts.ics")
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    events = calendar_of(answer.content).walk("VEVENT")
    full = [row for row in rows_of(client) if row["level"] in ("orange", "rouge", "noir")]
    assert len(events) == len(full) > 3
    for event, row in zip(events, full, strict=True):
        assert event.decoded("DTSTART") == date.fromisoformat(row["target_date"])
        assert (event.decoded("DTEND") - event.decoded("DTSTART")).days == 1
        assert str(event["SUMMARY"]).startswith(
            f"{row['level'].capitalize()}\u202f: {row['zone_name']}"
        )
        assert "données simulées" in str(event["SUMMARY"])
        assert f"{event.decoded('LAST-MODIFIED'):%Y-%m-%dT%H:%M}" == "2026-07-01T06:05"
    assert len({str(event["UID"]) for event in events}) == len(events)
    for line in answer.content.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()  # never cut within a character
    assert b"\n" not in answer.content.replace(b"\r\n", b"")
    rouge = calendar_of(client.get("/v1/forecasts.ics?level_at_least=rouge").content)
    assert len(rouge.walk("VEVENT")) == sum(row["level"] != "orange" for row in full)
    own = calendar_of(client.get(f"{COAST}.ics").content).walk("VEVENT")
    assert len(own) == sum(row["zone_id"] == "241400415" for row in full)


def test_an_event_keeps_its_identity_and_grows_in_sequence(tmp_path, publish):
    one = publish(tmp_path, minutes=5)
    two = publish(tmp_path, minutes=65)
    first, second = (
        {str(e["UID"]): e for e in calendar_of((p / "forecasts.ics").read_bytes()).walk("VEVENT")}
        for p in (one, two)
    )
    assert list(first) == list(second)
    for uid, event in first.items():
        assert second[uid]["SEQUENCE"] == event["SEQUENCE"] + 60
        assert uid.endswith("@essai.afflux")


def test_changes_are_a_feed(tmp_path, publish):
    publish(tmp_path, seed=1, minutes=5)
    home = publish(tmp_path, seed=2, minutes=90)
    atom = "{http://www.w3.org/2005/Atom}"
    feed = ET.fromstring((home / "changes.atom").read_bytes())  # noqa: S314 - our own bytes
    changes = json.loads((home / "changes.json").read_bytes())["changes"]
    entries = feed.findall(f"{atom}entry")
    assert len(entries) == len(changes) > 5
    for element in (feed, *entries):
        for name in ("id", "title", "updated"):
            assert element.findtext(f"{atom}{name}")
    assert feed.findtext(f"{atom}author/{atom}name") == "Essai"
    assert len({entry.findtext(f"{atom}id") for entry in entries}) == len(entries)
    assert all(e.findtext(f"{atom}id").startswith("urn:uuid:") for e in entries)
    assert changes[0]["zone_name"] in entries[0].findtext(f"{atom}title")
    assert changes[0]["why"] in entries[0].findtext(f"{atom}content")
    again = ET.fromstring((home / "changes.atom").read_bytes())  # noqa: S314
    assert again.findtext(f"{atom}id") == feed.findtext(f"{atom}id")


def test_the_catalogue_names_files_that_are_there(client):
    answer = client.get("/v1/dcat.jsonld")
    assert answer.headers["content-type"] == "application/ld+json"
    dataset = answer.json()
    assert dataset["@type"] == "dcat:Dataset"
    assert "données simulées" in dataset["dct:title"]["@value"]
    assert len(dataset["dcat:distribution"]) == 6
    assert "foaf:Agent" in dataset["dct:publisher"]["@type"]
    assert dataset["dct:accrualPeriodicity"]["@id"].endswith("/frequency/DAILY")
    for needed in ("description", "identifier", "modified", "language", "spatial"):
        assert dataset[f"dct:{needed}"]
    for distribution in dataset["dcat:distribution"]:
        found = client.get(f"/v1/{distribution['dcat:downloadURL']['@id']}")
        assert found.status_code == 200
        kind = found.headers["content-type"].partition(";")[0]
        assert distribution["dcat:mediaType"]["@id"].endswith(kind)
        licence = distribution["dct:license"]["@id"]
        assert licence.startswith("https://www.etalab.gouv.fr/")


def test_filters_narrow_every_format_alike(client):
    full = [r["horizon_days"] for r in rows_of(client) if r["level"] in ("orange", "rouge", "noir")]
    one, two = sorted(set(full))[:2]
    query = f"horizon_days={one}&horizon_days={two}&level_at_least=orange&quantiles=p50,p90"
    rows = client.get(f"/v1/forecasts?{query}").json()["forecasts"]
    expected = [
        row
        for row in rows_of(client)
        if row["horizon_days"] in (one, two) and row["level"] in ("orange", "rouge", "noir")
    ]
    assert [(r["zone_id"], r["target_date"]) for r in rows] == [
        (r["zone_id"], r["target_date"]) for r in expected
    ]
    assert rows
    for row, whole in zip(rows, expected, strict=True):
        assert row == {**whole, "influx": {q: whole["influx"][q] for q in ("p50", "p90")}}
    lines = list(csv.DictReader(io.StringIO(client.get(f"/v1/forecasts.csv?{query}").text)))
    assert [line["influx_p50"] for line in lines] == [str(row["influx"]["p50"]) for row in rows]
    assert "influx_p10" not in lines[0]


def test_quantiles_that_are_not_there_are_refused(client):
    answer = client.get("/v1/forecasts?quantiles=p10&quantiles=p33")
    assert answer.status_code == 422
    (fault,) = answer.json()["errors"]
    assert fault["value"] == "p33"
    assert fault["expected"] == ["p10", "p25", "p50", "p75", "p90"]


def test_every_format_says_how_fresh_each_source_is(client):
    about = client.get("/v1/forecasts").json()["metadata"]
    fresh = [
        f"{e['source']}:{e['newest_date'] or 'none'}:{e['missed_runs']}" for e in about["sources"]
    ]
    said = " ".join(fresh)
    assert len(fresh) == 2
    for path in ("forecasts", "forecasts/weekend", "zones/241400415/history"):
        rows = list(csv.DictReader(io.StringIO(client.get(f"/v1/{path}.csv").text)))
        assert {row["sources"] for row in rows} == {said}
        assert {row["regime"] for row in rows} == {about["regime"]}
    calendar = calendar_of(client.get("/v1/forecasts.ics").content)
    assert str(calendar["X-AFFLUX-SOURCES"]) == said
    assert str(calendar["X-AFFLUX-LAKE-VERSION"]) == str(about["lake_version"])
    assert [e["source"] for e in about["sources"] if not e["fresh"]] == ["waste"]
    text = str(calendar.walk("VEVENT")[0]["DESCRIPTION"])
    assert "En retard, fourchette élargie\u202f: déchets." in text
    table = pd.read_parquet(io.BytesIO(client.get("/v1/forecasts.parquet").content))
    assert table.attrs["metadata"] == about
    assert client.get("/v1/forecasts.geojson").json()["metadata"] == about
    assert said in client.get("/v1/changes.atom").text


def test_totals_follow_the_zones_asked_for(client):
    whole = client.get("/v1/forecasts/weekend").json()
    one = client.get("/v1/forecasts/weekend?zone_id=200066363&quantiles=p50").json()
    (total,) = one["totals"]
    (expected,) = [t for t in whole["totals"] if t["zone_id"] == "200066363"]
    assert total == {**expected, "influx": {"p50": expected["influx"]["p50"]}}
    days = [row["influx"]["p50"] for row in one["forecasts"]]
    assert abs(total["influx"]["p50"] - sum(days)) <= 2
