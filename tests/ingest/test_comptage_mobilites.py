"""Counts in the national format, over HTTP and from a folder, into a real lake."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from forecast.errors import ConfigError
from forecast.ingest.configured import configured

SITES = """site_id,parent_site_id,site_name,fr_insee_code,xlong,ylat,infrastructure_type
S1,,Les Planches,14220,0.10,49.30,cycle_path
S2,,Porte Océane,76351,,,cycle_path
S3,,Paris,75056,2.35,48.86,cycle_path
"""
CHANNELS = """channel_id,provider,site_id,mobility_type,direction,started_at,ended_at,time_step
A,,S1,BIKE,N,2026-01-01,,3600
B,,S1,BIKE,S,2026-01-01T00:00:00+01:00,,3600
C,,S2,PEDESTRIAN,N,,,3600
D,,S3,BIKE,N,,,3600
"""


def measures(day: str, **counts: float) -> str:
    bounds = pd.DatetimeIndex([day, pd.Timestamp(day) + pd.Timedelta(days=1)])
    edges = pd.date_range(*bounds.tz_localize("Europe/Paris"), freq="1h")
    lines = [
        f"{channel},c,{start.isoformat()},{end.isoformat()},{count}\n"
        for channel, count in counts.items()
        for start, end in pairwise(edges)
    ]
    return "channel_id,counter_id,start_datetime,end_datetime,count\n" + "".join(lines)


@pytest.fixture
def options(replay) -> dict[str, object]:
    def known(text: str, mark: str):
        def route(asked):
            same = asked.headers.get("if-none-match") == mark
            headers = {"content-type": "text/csv", "etag": mark}
            return replay.Answer(304 if same else 200, "" if same else text, headers)

        return route

    replay.routes["/site.csv"] = known(SITES, '"s1"')
    replay.routes["/channel.csv"] = known(CHANNELS, '"c1"')
    replay.routes["/july.csv"] = known(measures("2026-07-14", A=1, B=2, C=5, D=7), '"m7"')
    replay.routes["/october.csv"] = known(measures("2026-10-25", A=1, B=2, C=0, E=1), '"m10"')
    replay.known = known
    return {
        "kind": "comptage-mobilites",
        "sites": f"{replay.url}/site.csv",
        "channels": f"{replay.url}/channel.csv",
        "measures": [f"{replay.url}/july.csv", f"{replay.url}/october.csv"],
    }


WANTED = {
    ("01234", "essai:S1", "2026-07-14"): 72.0,
    ("200084952", "essai:S2", "2026-07-14"): 120.0,
    ("01234", "essai:S1", "2026-10-25"): 75.0,
    ("200084952", "essai:S2", "2026-10-25"): 0.0,
}


def test_sites_and_days_reach_the_lake_and_are_not_read_again(replay, estuary, options) -> None:
    found = estuary.fetch("2026-11-01T12:00Z", **options)
    assert found.ok, found.errors
    assert estuary.days("mobility", "count") == WANTED
    assert found.unplaced == {"site S3": 1}
    assert "25 measures of channels that are not read" in found.notes[0]
    before = len(replay.requests)
    again = estuary.fetch("2026-11-02T12:00Z", **options)
    assert again.ok and (again.new, again.known) == (0, 0)
    assert again.notes == ["unchanged since the last time"]
    assert len(replay.requests) - before == 4


def test_a_new_instalment_is_read_alone(replay, estuary, options) -> None:
    estuary.fetch("2026-11-01T12:00Z", **options)
    text = measures("2026-10-25", A=1, B=2) + measures("2026-10-26", A=2, B=2).partition("\n")[2]
    replay.routes["/october.csv"] = replay.known(text, '"m10b"')
    found = estuary.fetch("2026-11-02T12:00Z", **options)
    assert (found.ok, found.new, found.known, found.revised) == (True, 1, 1, 0)
    assert estuary.days("mobility", "count")["01234", "essai:S1", "2026-10-26"] == 96.0


def test_a_site_that_moves_makes_everything_read_again(replay, estuary, options) -> None:
    estuary.fetch("2026-11-01T12:00Z", **options)
    replay.routes["/site.csv"] = replay.known(SITES.replace("2.35,48.86", "0.2,49.7"), '"s2"')
    found = estuary.fetch("2026-11-02T12:00Z", **options)
    assert found.ok and (found.new, found.known) == (1, 4) and not found.unplaced
    assert estuary.days("mobility", "count")["200084952", "essai:S3", "2026-07-14"] == 168.0


def test_what_fails_in_between_is_read_the_next_time(replay, estuary, options) -> None:
    good = replay.routes["/october.csv"]
    replay.routes["/october.csv"] = [replay.Answer(500, '{"error": "broken"}')]
    found = estuary.fetch("2026-11-01T12:00Z", **options)
    assert found.exit_code == 1 and "october.csv: answered 500 (broken)" in found.errors[0]
    assert not estuary.days("mobility", "count")
    replay.routes["/october.csv"] = good
    assert estuary.fetch("2026-11-01T13:00Z", **options).new == 4
    assert estuary.days("mobility", "count") == WANTED


def test_files_of_a_folder_and_the_kinds_of_passage(estuary, tmp_path: Path) -> None:
    (tmp_path / "site.csv").write_text(SITES.replace(",", ";"), encoding="utf-8")
    (tmp_path / "channel.csv").write_text(CHANNELS, encoding="cp1252")
    (tmp_path / "measure-07.csv").write_text(measures("2026-07-14", A=1, B=2, C=5))
    (tmp_path / "measure-10.csv").write_text(measures("2026-10-25", A=1, B=2, C=0))
    table = {
        "kind": "comptage-mobilites",
        "sites": str(tmp_path / "site.csv"),
        "channels": str(tmp_path / "channel.csv"),
        "measures": [str(tmp_path / "measure-*.csv")],
        "mobility_types": ["BIKE"],
        "zones": {"S1": "76351"},
    }
    found = estuary.fetch("2026-11-01T12:00Z", **table)
    assert found.ok, found.errors
    assert estuary.days("mobility", "count") == {
        ("200084952", "essai:S1", "2026-07-14"): 72.0,
        ("200084952", "essai:S1", "2026-10-25"): 75.0,
    }
    again = estuary.fetch("2026-11-01T13:00Z", **table)
    assert (again.new, again.known) == (0, 2)


def test_a_day_that_is_not_over_waits(replay, estuary, options) -> None:
    options["measures"] = [f"{replay.url}/july.csv"]
    found = estuary.fetch("2026-07-14T21:59Z", **options)
    assert found.ok and not estuary.days("mobility", "count") and "not over yet" in found.notes[0]


def test_an_unreadable_service_day_is_reported_and_the_channel_left_out(
    replay, estuary, options
) -> None:
    text = CHANNELS.replace("2026-01-01T00:00:00+01:00", "hier")
    replay.routes["/channel.csv"] = replay.known(text, '"c2"')
    found = estuary.fetch("2026-11-01T12:00Z", **options)
    assert found.refused == [
        f"{replay.url}/channel.csv, line 3, column started_at: the cell is not a day ('hier'); "
        "expected 2026-07-14"
    ]
    # A site of which one channel cannot be read is not counted with the others alone.
    assert {site for _, site, _ in estuary.days("mobility", "count")} == {"essai:S2"}


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/july.csv", "channel_id,start_datetime\nA,x\n", "there is no column count"),
        ("/site.csv", "<html>", "there is no column site_id"),
        ("/channel.csv", b"\xff\xfe\x00", "UTF-16"),
        ("/july.csv", b"\x1f\x8b\x08junk", "gzip"),
    ],
)
def test_a_file_that_is_another_fails(replay, estuary, options, path, body, said) -> None:
    replay.routes[path] = [replay.Answer(body=body, headers={"content-type": "text/csv"})]
    found = estuary.fetch("2026-11-01T12:00Z", **options)
    assert found.exit_code == 1 and said in found.errors[0] and path in found.errors[0]
    assert not estuary.days("mobility", "count")


def test_options_are_looked_at_before_anything_is_fetched(estuary) -> None:
    table = {"sites": "site.csv", "channels": "https://h/c", "measures": []}
    with pytest.raises(ConfigError) as error:
        configured(estuary.config(comptage=table | {"kind": "comptage-mobilites"}))
    assert "providers.comptage.sites: 'site.csv': expected a URL" in str(error.value)
    assert "providers.comptage.measures" in str(error.value)
