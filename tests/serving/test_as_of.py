"""The forecast as it was known at an instant, for ever, and what changed since."""

import gzip
import json

import pandas as pd
import pytest

from forecast.errors import PublicationError
from forecast.serving.archive import names, read
from forecast.serving.placing import prune

ORIGIN = pd.Timestamp("2026-07-01T06:00:00Z")
COAST = "/v1/zones/241400415"


@pytest.fixture(scope="module")
def home(tmp_path_factory, publish):
    """Five days of publications, of which two stay whole; seeds tell them apart."""
    home = tmp_path_factory.mktemp("days")
    for day in range(5):
        publish(home, seed=day + 1, origin=ORIGIN + pd.Timedelta(days=day), keep=2, past=None)
    return home


@pytest.fixture(scope="module")
def days(home, serve):
    running = serve(home)
    yield running
    running.stop()


def published(answer):
    assert answer.status_code == 200, answer.text
    return answer.json()["metadata"]["published_at"][:10]


@pytest.mark.parametrize(
    "path",
    [
        "/v1/forecasts",
        "/v1/forecasts/weekend",
        f"{COAST}/forecasts",
        f"{COAST}/forecasts/2026-07-08/explanation",
    ],
)
@pytest.mark.parametrize(
    ("as_of", "day"),
    [
        ("2026-07-01T06:05:00Z", "2026-07-01"),
        ("2026-07-02T06:04:59Z", "2026-07-01"),
        ("2026-07-02T06:05:00Z", "2026-07-02"),
        ("2026-07-02T08:05:00%2B02:00", "2026-07-02"),
        ("2026-07-02T08:05:00+02:00", "2026-07-02"),
        ("2026-07-05T00:00:00Z", "2026-07-04"),
        ("2099-01-01T00:00:00Z", "2026-07-05"),
    ],
)
def test_the_newest_publication_by_then_answers(days, path, as_of, day):
    answer = days.get(f"{path}?as_of={as_of}")
    assert published(answer) == day
    assert answer.headers["afflux-publication"].startswith(day.replace("-", ""))
    assert answer.headers["last-modified"].startswith(f"{pd.Timestamp(day):%a, %d %b %Y}")


def test_an_archived_answer_is_the_very_one_that_was_served(tmp_path, publish, home, days):
    alone = publish(tmp_path, seed=1, past=None)
    then = days.get("/v1/forecasts?as_of=2026-07-01T12:00:00Z")
    assert then.content == (alone / "forecasts.json").read_bytes()
    assert not (home / "data/publications" / alone.name).exists()
    weekend = days.get("/v1/forecasts/weekend?as_of=2026-07-01T12:00:00Z")
    assert weekend.content == (alone / "weekend.json").read_bytes()


def test_filters_and_formats_work_on_the_past_too(days):
    query = "zone_id=241400415&horizon_days=3&as_of=2026-07-02T12:00:00Z"
    (row,) = days.get(f"/v1/forecasts?{query}").json()["forecasts"]
    assert row["target_date"] == "2026-07-05"
    lines = days.get(f"/v1/forecasts.csv?{query}").text.splitlines()
    assert lines[1].split(",")[2] == "2026-07-05"
    refused = days.get("/v1/forecasts.parquet?as_of=2026-07-02T12:00:00Z")
    assert (refused.status_code, refused.json()["type"]) == (406, "/docs#not-acceptable")


@pytest.mark.parametrize("path", ["/v1/forecasts", "/v1/forecasts/weekend", f"{COAST}/forecasts"])
def test_before_the_first_publication_there_is_nothing(days, path):
    answer = days.get(f"{path}?as_of=2026-07-01T06:04:59Z")
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs#not-yet-published")
    assert "2026-07-01T06:05:00Z" in answer.json()["detail"]


@pytest.mark.parametrize("as_of", ["2026-07-01", "2026-07-01T06:00", "1782885600", "", "now"])
def test_an_instant_needs_its_offset(days, as_of):
    answer = days.get("/v1/forecasts", params={"as_of": as_of})
    assert answer.status_code == 422
    assert "2026-07-03T06:00:00Z" in answer.json()["detail"]


def test_changes_are_counted_between_two_publications(days):
    answer = days.get("/v1/changes").json()
    assert answer["compared"]["published_at"] == "2026-07-04T06:05:00Z"
    assert answer["since"] == "2026-07-04T06:05:00Z"
    before = days.get("/v1/forecasts?as_of=2026-07-04T06:05:00Z").json()["forecasts"]
    now = days.get("/v1/forecasts").json()["forecasts"]
    old = {(row["zone_id"], row["target_date"]): row for row in before}
    expected = []
    for row in now:
        earlier = old.get((row["zone_id"], row["target_date"]))
        if earlier and row["level"] and earlier["level"] != row["level"]:
            expected.append((row["zone_id"], row["target_date"], earlier["level"], row["level"]))
    found = [
        (c["zone_id"], c["target_date"], c["level_before"], c["level"]) for c in answer["changes"]
    ]
    assert found == expected
    assert len(found) > 5
    ranks = ["vert", "orange", "rouge", "noir"]
    for change in answer["changes"]:
        up = ranks.index(change["level"]) > ranks.index(change["level_before"])
        assert change["direction"] == ("up" if up else "down")
        assert change["why"]
        if change["contributions"] is not None:
            moved = change["influx"]["p50"] - change["influx_before"]["p50"]
            assert sum(change["contributions"].values()) == moved
    assert any(change["contributions"] for change in answer["changes"])


def test_since_chooses_what_to_compare_with(days):
    answer = days.get("/v1/changes?since=2026-07-02T12:00:00Z").json()
    assert answer["compared"]["published_at"] == "2026-07-02T06:05:00Z"
    same = days.get("/v1/changes?since=2026-07-05T12:00:00Z").json()
    assert same["changes"] == []
    assert days.get("/v1/changes?since=2026-06-01T00:00:00Z").status_code == 404


def test_an_explanation_says_what_changed_since_the_day_before(days):
    answer = days.get(f"{COAST}/forecasts/2026-07-10/explanation").json()
    change = answer["change"]
    assert change["published_at"] == "2026-07-04T06:05:00Z"
    assert sum(change["contributions"].values()) == change["difference"]
    moved = answer["forecast"]["influx"]["p50"] - change["influx_before"]["p50"]
    assert change["difference"] == moved
    # The newest day of a publication is new: the one before did not speak of it.
    new = days.get(f"{COAST}/forecasts/2026-07-19/explanation").json()
    assert new["change"] is None
    then = days.get(f"{COAST}/forecasts/2026-07-10/explanation?as_of=2026-07-03T12:00:00Z").json()
    assert then["change"]["published_at"] == "2026-07-02T06:05:00Z"


def test_what_is_pruned_is_archived_first_and_can_be_read(home):
    folder = home / "data/publications"
    assert len([path for path in folder.glob("2*") if path.is_dir()]) == 2
    assert len(list((folder / "archive").glob("*.json.gz"))) == 3
    assert len(names(folder)) == 5
    for name in names(folder):
        assert read(folder, name).manifest["published_at"][:10].replace("-", "") == name[:8]


def test_a_damaged_archive_is_refused_and_the_server_goes_on(tmp_path, publish, start):
    for day in range(3):
        publish(tmp_path, origin=ORIGIN + pd.Timedelta(days=day), keep=1, past=None)
    folder = tmp_path / "data/publications"
    first = sorted((folder / "archive").iterdir())[0]
    kept = json.loads(gzip.decompress(first.read_bytes()))
    whole = kept["files"]["forecasts.json"]
    kept["files"]["forecasts.json"] = whole.replace("Roumois", "Rouxois", 1)
    first.write_bytes(gzip.compress(json.dumps(kept).encode()))
    with pytest.raises(PublicationError, match="does not match its SHA-256"):
        read(folder, first.name.removesuffix(".json.gz"))
    server = start()
    answer = server.get("/v1/forecasts?as_of=2026-07-01T12:00:00Z")
    assert (answer.status_code, answer.json()["type"]) == (503, "/docs#stored-unreadable")
    assert server.get("/v1/forecasts?as_of=2026-07-02T12:00:00Z").status_code == 200
    first.write_bytes(b"\x1f\x8b")
    with pytest.raises(PublicationError, match="restore it from a backup"):
        read(folder, first.name.removesuffix(".json.gz"))


def test_what_cannot_be_archived_is_not_removed(tmp_path, publish):
    damaged = publish(tmp_path, minutes=1)
    publish(tmp_path, minutes=2, past=None)
    (damaged / "forecasts.json").write_bytes(b"{}")
    folder = tmp_path / "data/publications"
    prune(folder, keep=1)
    assert damaged.is_dir()
    assert not list(folder.glob("archive/*"))
    # Nor does it stop the next publication, which compares itself with it.
    last = publish(tmp_path, minutes=3, keep=1, past=None)
    assert json.loads((last / "changes.json").read_bytes())["compared"] is None
    assert len(names(folder)) == 3


def test_an_archive_that_cannot_be_written_loses_nothing(tmp_path, publish):
    first = publish(tmp_path, minutes=1)
    folder = tmp_path / "data/publications"
    (folder / "archive").write_text("in the way")
    with pytest.raises(PublicationError, match="archive: cannot be read"):
        publish(tmp_path, minutes=2, keep=1, past=None)
    assert first.is_dir()
