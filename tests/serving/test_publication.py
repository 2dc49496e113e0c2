"""Publications: complete or absent, verified byte by byte, never a half one."""

import os
import signal
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from forecast.errors import PublicationError, SchemaError
from forecast.serving import publication
from forecast.serving.listing import Listing, Selection
from forecast.serving.publication import write_publication
from forecast.serving.reader import current_name, read_publication
from forecast.serving.records import ModelStamp, weekend_days

PUBLISHED = pd.Timestamp("2026-07-01T06:05:00Z")


@pytest.fixture
def folder(tmp_path) -> Path:
    return tmp_path / "data" / "publications"


def write(folder: Path, forecasts: pd.DataFrame, config, **kwargs) -> Path:
    given = {"sources": [], "published_at": PUBLISHED, "model": ModelStamp("7")} | kwargs
    return write_publication(folder, forecasts=forecasts, config=config, **given)


def test_what_is_written_is_read_back(folder, tmp_path, publish, config):
    target = publish(tmp_path)
    found = read_publication(folder)
    assert (found.name, current_name(folder)) == (target.name, target.name)
    assert target.name.startswith("20260701T060500Z-")
    assert list(found.zone_index) == [zone.id for zone in config.zones]
    assert found.manifest["lake_version"] == 42
    assert found.manifest["simulated"] is True
    for file in ("forecasts.json", "weekend.json"):
        assert found.listings[file].select(Selection()) == found.files[file]
    island = found.listings["forecasts.json"].select(Selection(("a b/é",)))
    assert island == found.files[found.zone_files["a b/é"]]


def test_a_listing_is_the_same_from_its_columns_as_from_its_bytes(folder, tmp_path, publish):
    publish(tmp_path)
    found = read_publication(folder)
    for file, listing in found.listings.items():
        assert Listing.of(found.files[file]) == listing


def test_what_is_large_or_rarely_asked_for_stays_on_disk(folder, tmp_path, publish):
    publish(tmp_path)
    found = read_publication(folder)
    lazy = {route.file for route in found.routes.values() if route.lazy}
    assert {"scoreboard.json", "history/0000.json", "forecasts.parquet"} <= lazy
    assert lazy.isdisjoint(found.files)
    assert found.read("history/0000.json").startswith(b'{"metadata"')
    (folder / found.name / "history/0000.json").write_bytes(b"{}")
    with pytest.raises(PublicationError, match=r"history/0000\.json: has 2 bytes"):
        found.read("history/0000.json")


def test_the_same_forecasts_give_the_same_bytes(tmp_path, publish):
    one, two = (publish(tmp_path / home, keep=50) for home in ("one", "two"))
    assert one.name == two.name
    assert publish(tmp_path / "one") == one
    paths = [path.relative_to(one) for path in one.rglob("*") if path.is_file()]
    assert all((one / path).read_bytes() == (two / path).read_bytes() for path in paths)


def test_rows_may_come_in_any_order(tmp_path, publish, frame, config):
    mixed = frame().sample(frac=1, random_state=3)
    one = write(tmp_path / "one", frame(), config)
    two = write(tmp_path / "two", mixed, config)
    assert one.name == two.name


def test_text_columns_may_be_of_any_kind(tmp_path, frame, config):
    texts = ["zone_id", "level", "regime", "model_version"]
    one = write(tmp_path / "one", frame(), config)
    for i, kind in enumerate(["category", "str", object]):
        found = write(tmp_path / f"{i}", frame().astype(dict.fromkeys(texts, kind)), config)
        assert found.name == one.name


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda f: f.iloc[:0], PublicationError, "no forecast to publish"),
        (lambda f: f.drop(columns="influx_p50"), SchemaError, "influx_p50"),
        (lambda f: f.assign(influx_p90=np.inf), PublicationError, "not a finite number"),
        (lambda f: f.assign(zone_id="x"), PublicationError, "zone 'x' is forecast but is not"),
        (lambda f: f.assign(model_version="8"), PublicationError, "made by model 8, not by 7"),
        (lambda f: f.drop(columns="level"), PublicationError, "lack the column 'level'"),
        (lambda f: f.assign(level="noir"), PublicationError, "level without its probabilities"),
        (lambda f: f.assign(level="rose"), PublicationError, "level 'rose' is none of"),
        (lambda f: pd.concat([f, f.iloc[:1]]), PublicationError, "has two forecasts for 2026-07-0"),
        (
            lambda f: f.assign(lake_version=range(len(f))),
            PublicationError,
            "lake_version has 45 values",
        ),
    ],
)
def test_what_is_not_one_run_is_refused(folder, frame, config, change, error, message):
    with pytest.raises(error, match=message):
        write(folder, change(frame()), config)
    assert not folder.exists()


def test_the_weekend_under_way_is_partial(folder, tmp_path, publish):
    publish(tmp_path, origin=pd.Timestamp("2026-07-03T22:30:00Z"))  # Saturday in Paris
    body = read_publication(folder).files["weekend.json"]
    weekend = b'"weekend":{"start":"2026-07-04","end":"2026-07-05"'
    assert weekend in body
    assert b'"partial":true' in body


def test_weekend_days_over_a_week():
    monday = pd.Timestamp("2026-06-29").date()
    firsts = [weekend_days(monday + pd.Timedelta(days=i))[0].day for i in range(7)]
    assert firsts == [3, 3, 3, 3, 3, 4, 10]


def test_old_publications_are_removed_but_never_the_current(folder, tmp_path, publish):
    names = [publish(tmp_path, minutes=minute, keep=3, past=None).name for minute in range(5)]
    left = sorted(path.name for path in folder.glob("2*"))
    assert left == names[2:]
    assert publish(tmp_path, minutes=0, keep=1, past=None).name == names[0]
    assert [path.name for path in folder.glob("2*")] == [names[0]]
    read_publication(folder)


DAMAGES = {
    "truncated": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "altered": lambda path: path.write_bytes(path.read_bytes().replace(b"0", b"1", 1)),
    "absent": lambda path: path.unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "file",
    [
        "manifest.json",
        "index.json",
        "forecasts.json",
        "zones.json.gz",
        "weekend.json.br",
        "zones/0001.json",
        "history/0001.json",
    ],
)
def test_any_damage_is_refused(folder, tmp_path, publish, file, damage):
    path = publish(tmp_path) / file
    DAMAGES[damage](path)
    with pytest.raises(PublicationError, match=f"{file}.*publish again"):
        read_publication(folder)


@pytest.mark.parametrize(
    "pointer", [b"", b"../../etc\n", b"\xff", b"20260701T060500Z-" + b"0" * 12]
)
def test_a_pointer_to_nothing_is_refused(folder, tmp_path, publish, pointer):
    publish(tmp_path)
    (folder / "current").write_bytes(pointer)
    with pytest.raises(PublicationError, match="publish again"):
        read_publication(folder)


def test_another_schema_version_is_refused_with_a_cure(folder, tmp_path, publish, monkeypatch):
    monkeypatch.setattr(publication, "SCHEMA_VERSION", 99)
    publish(tmp_path, keep=50)
    with pytest.raises(PublicationError, match="schema version 99, this server reads 2"):
        read_publication(folder)


def test_a_folder_that_cannot_be_written_is_told(tmp_path, frame, config):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(PublicationError, match="could not be written"):
        write(blocked / "publications", frame(), config)


def test_a_writer_out_of_disk_leaves_the_previous_one(folder, tmp_path, publish):
    import resource

    before = publish(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))
    try:
        with pytest.raises(PublicationError, match="previous one is still served"):
            publish(tmp_path, seed=2, minutes=9)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    assert read_publication(folder).name == before.name
    assert [path.name for path in folder.glob("*") if path.is_dir()] == [before.name]


def test_a_writer_killed_at_any_moment_leaves_a_whole_publication(
    folder, tmp_path, publish, publishers
):
    publish(tmp_path, minutes=-5)
    for moment in (0.0, 0.05, 0.15, 0.3, 0.6):
        writer = publishers.start(folder)
        time.sleep(moment)
        os.kill(writer, signal.SIGKILL)
        assert publishers.said() == ""
        read_publication(folder)
    # The next writer is not held up by the dead ones, and clears what they left.
    last = publish(tmp_path, minutes=600)
    assert read_publication(folder).name == last.name
    assert not [path for path in folder.glob(".building-*") if path.is_dir()]
