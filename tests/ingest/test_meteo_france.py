"""Météo-France's daily files, from a catalogue and packed files on the loopback to a real lake."""

from __future__ import annotations

import gzip
import json
import tomllib
from datetime import date
from functools import partial
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.config import RunConfig
from forecast.errors import ProviderError
from forecast.ingest.climate_files import choose, parse_catalogue
from forecast.ingest.climatology import OTHERS, RAIN_WIND, parse_measured
from forecast.ingest.configured import configured
from forecast.ingest.fetching import Fetcher
from forecast.ingest.http import Client
from forecast.ingest.places import Places
from forecast.ingest.provider import Span
from forecast.ingest.samples import Samples
from forecast.ingest.state import Fetches
from forecast.ingest.stations import zone_values
from forecast.lake import Lake

NOW = pd.Timestamp("2026-07-14T13:00Z")
LE_HAVRE, LISIEUX, DEAUVILLE = "200084952", "200069532", "241400415"
TERRITORY = f"""\
id = "test"
name = "Estuaire"
geometry = "estuaire.geojson"
[[zones]]
id = "{LE_HAVRE}"
name = "Le Havre"
population = 266929
latitude = 49.4941
longitude = 0.1079
[[zones]]
id = "{LISIEUX}"
name = "Lisieux"
population = 72683
latitude = 49.1461
longitude = 0.2279
[[zones]]
id = "{DEAUVILLE}"
name = "Cœur Côte Fleurie"
population = 20687
latitude = 49.3594
longitude = 0.0748
[providers.meteo]
kind = "meteo-france"
departements = ["14", "76"]
"""
HEADER = "NUM_POSTE;NOM_USUEL;LAT;LON;ALTI;AAAAMMJJ;RR;QRR;TN;QTN;HTN;QHTN;TX;QTX;HTX;QHTX;FXI;QFXI"
OTHER_HEADER = "NUM_POSTE;NOM_USUEL;LAT;LON;ALTI;AAAAMMJJ;INST;QINST;GLOT;QGLOT"
OCTEVILLE = "76481001;OCTEVILLE;49.533;0.089;95"
SAINTE_ADRESSE = "76552001;CAP DE LA HEVE;49.511;0.070;100"
LISIEUX_STATION = "14366001;LISIEUX;49.140;0.230;50"
FAR = "76217001;DIEPPE;49.936;1.094;38"


def rain_wind(*rows: str) -> str:
    return "\n".join([HEADER, *rows]) + "\n"


def others(*rows: str) -> str:
    return "\n".join([OTHER_HEADER, *rows]) + "\n"


FILES = {
    "Q_76_latest-2025-2026_RR-T-Vent.csv.gz": rain_wind(
        f"{OCTEVILLE};20260710;1.2;1;12.5;1;0412;9;21.0;1;1500;9;10.0;1",
        f"{SAINTE_ADRESSE};20260710;2,2;1;13,5;9;;;22,0;1;;;;",
        f"{OCTEVILLE};20260711;0.0;1;11.0;1;;;25.0;2;;;12.5;1",
        f"{FAR};20260710;9.9;1;9.9;1;;;9.9;1;;;9.9;1",
        f"{OCTEVILLE};20240101;5.0;1;5.0;1;;;5.0;1;;;5.0;1",
    ),
    "Q_76_latest-2025-2026_autres-parametres.csv.gz": others(f"{OCTEVILLE};20260710;630;1;2100;1"),
    "Q_76_previous-1950-2024_RR-T-Vent.csv.gz": rain_wind(
        f"{OCTEVILLE};20240601;3.0;1;10.0;1;;;18.0;1;;;9.0;1"
    ),
    "Q_76_previous-1950-2024_autres-parametres.csv.gz": others(f"{OCTEVILLE};20240601;60;1;;"),
    "Q_14_latest-2025-2026_RR-T-Vent.csv.gz": rain_wind(
        f"{LISIEUX_STATION};20260710;4.0;0;10.0;1;;;24.0;1;;;;"
    ),
    "Q_14_latest-2025-2026_autres-parametres.csv.gz": others(),
    "Q_14_previous-1950-2024_RR-T-Vent.csv.gz": rain_wind(),
    "Q_14_previous-1950-2024_autres-parametres.csv.gz": others(),
}
DATASET = "/api/1/datasets/6569b51ae64326786e4e8e1a/"


def serve(replay, files: dict[str, str] | None = None) -> None:
    files = FILES if files is None else files
    resources = [
        {"title": "Descriptif des champs", "url": f"{replay.url}/Q_descriptif_champs.csv"},
        {"title": "nothing", "url": None},
    ]
    for name, text in files.items():
        path = f"/QUOT/{name}"
        packed = gzip.compress(text.encode()) if name.endswith("gz") else text.encode()
        replay.routes[path] = [replay.Answer(200, packed, {"content-type": "application/gzip"})]
        resources.append({"title": f"QUOT_{name[2:4]}", "url": replay.url + path})
    replay.routes[DATASET] = [replay.Answer(200, json.dumps({"resources": resources}))]


@pytest.fixture
def world(tmp_path, replay):
    config = RunConfig.model_validate(tomllib.loads(f'{TERRITORY}base_url = "{replay.url}"\n'))
    (one,) = configured(config)
    lake = Lake(str(tmp_path / "lake"))
    fetcher = Fetcher(
        config,
        Places.of(config, tmp_path),
        lake,
        Fetches(tmp_path / "fetches.sqlite"),
        Samples(tmp_path / "samples.sqlite"),
        lambda: NOW,
        partial(Client, retry_seconds=0.01),
    )

    def run(since="2026-07-01", until="2026-07-14"):
        return fetcher.run(one, fetcher.span(one, since, until))

    return SimpleNamespace(run=run, lake=lake, one=one, config=config)


def values(lake: Lake, zone: str) -> dict[tuple[str, str], float]:
    rows = lake.read(zones=[zone])
    keys = zip(rows["date"].dt.strftime("%m-%d"), rows["variable"], strict=True)
    return dict(zip(keys, rows["value"], strict=True))


def test_stations_become_zones(world, replay):
    serve(replay)
    done = world.run()
    assert done.ok, done.errors
    assert values(world.lake, LE_HAVRE) == {
        ("07-10", "temperature_max"): 21.5,  # the median of two stations
        ("07-10", "temperature_min"): 13.0,  # one with a point, one with a comma
        ("07-10", "precipitation"): 1.7,
        ("07-10", "wind_gust"): 36.0,  # 10 m/s, in km/h
        ("07-10", "sunshine"): 10.5,  # 630 min, in h
        ("07-11", "temperature_min"): 11.0,  # the maximum of the 11th is doubtful
        ("07-11", "precipitation"): 0.0,  # a zero is a measurement
        ("07-11", "wind_gust"): 45.0,
    }
    assert values(world.lake, LISIEUX)["07-10", "precipitation"] == 4.0
    # Nobody measures in Cœur Côte Fleurie: the nearest station that did, within 25 km.
    assert values(world.lake, DEAUVILLE)["07-10", "temperature_max"] == 22.0
    assert ("07-10", "sunshine") not in values(world.lake, LISIEUX)
    note = done.notes[0]
    assert f"temperature_max of zones {DEAUVILLE} (17 km) partly from stations outside" in note
    assert f"no sunshine within 25 km of zones {LISIEUX}" in note
    assert "1 doubtful values left out" in note
    assert not done.refused
    rows = world.lake.read()
    assert set(rows["source"]) == {"weather"} and set(rows["provider"]) == {"meteo"}
    late = rows["available_at"] - rows["date"].dt.tz_localize("Europe/Paris").dt.tz_convert("UTC")
    assert (late == pd.Timedelta(hours=24 + 12)).all()

    again = world.run()
    assert (again.new, again.revised) == (0, 0) and again.known == done.new


def test_older_years_are_read_once(world, replay):
    serve(replay)
    done = world.run(since="2024-03-01")
    assert done.ok and done.pieces == 2
    assert ("06-01", "sunshine") in values(world.lake, LE_HAVRE)
    older = [a.path for a in replay.requests if "previous" in a.path]
    assert len(older) == 4
    again = world.run(since="2024-03-01")
    assert again.skipped == 1 and again.new == 0
    assert [a.path for a in replay.requests if "previous" in a.path] == older


@pytest.mark.parametrize(
    ("now", "since", "until", "expected"),
    [
        ("2026-07-14", "2026-01-01", "2026-07-14", [("latest", "2026-01-01", "2026-07-13")]),
        (
            "2026-07-14", "2019-05-01", "2026-07-14",
            [("2019-2024", "2019-01-01", "2024-12-31"), ("latest", "2025-01-01", "2026-07-13")],
        ),
        ("2026-07-14", "2019-05-01", "2022-03-01", [("2019-2022", "2019-01-01", "2022-12-31")]),
        ("2027-01-02", "2026-12-20", "2027-01-02", [("latest", "2026-12-20", "2027-01-01")]),
        ("2026-01-01", "2025-12-31", "2026-01-01", [("latest", "2025-12-31", "2025-12-31")]),
    ],
)  # fmt: skip
def test_pieces_follow_the_calendar(world, now, since, until, expected):
    setting = SimpleNamespace(config=world.config, now=pd.Timestamp(f"{now}T08:00Z"))
    span = Span(date.fromisoformat(since), date.fromisoformat(until))
    pieces = world.one.provider.pieces(world.one.options, span, setting)
    assert [(p.key, str(p.since), str(p.until)) for p in pieces] == expected


def test_the_names_of_january(world):
    def catalogue(*names):
        return parse_catalogue(
            {"resources": [{"url": f"https://x/{name}", "title": ""} for name in names]}, "x"
        )

    def chosen(files, since, until):
        found = choose(
            files, ["76"], ["RR-T-Vent"], date.fromisoformat(since), date.fromisoformat(until), "x"
        )
        return [file.name.partition("_RR")[0] for file in found]

    before = catalogue(
        "Q_76_latest-2025-2026_RR-T-Vent.csv.gz", "Q_76_previous-1950-2024_RR-T-Vent.csv.gz",
        "Q_76_1872-1949_RR-T-Vent.csv.gz", "Q-COMP_76_latest-2025-2026_RR-T-Vent.csv.gz",
    )  # fmt: skip
    after = catalogue(
        "Q_76_latest-2026-2027_RR-T-Vent.csv.gz", "Q_76_previous-1950-2025_RR-T-Vent.csv.gz"
    )
    assert chosen(before, "2026-01-01", "2027-01-05") == ["Q_76_latest-2025-2026"]
    assert chosen(after, "2026-01-01", "2027-01-05") == ["Q_76_latest-2026-2027"]
    assert chosen(before, "2019-01-01", "2025-12-31") == [
        "Q_76_previous-1950-2024", "Q_76_latest-2025-2026",
    ]  # fmt: skip
    assert chosen(after, "2019-01-01", "2025-12-31") == ["Q_76_previous-1950-2025"]
    with pytest.raises(ProviderError, match=r"no file Q_76_\.\.\._RR-T-Vent holds 1900 to 1901"):
        chosen(before, "1900-01-01", "1901-01-01")
    titled = {"url": "https://x/d/1234", "title": "Q_76_latest-2025-2026_RR-T-Vent.csv.gz"}
    assert parse_catalogue({"resources": [titled]}, "x")[0].url == "https://x/d/1234"


def test_rows_that_do_not_parse_stop_no_other(world, replay):
    bad = {
        **FILES,
        "Q_76_latest-2025-2026_RR-T-Vent.csv.gz": rain_wind(
            f"{OCTEVILLE};20260710;1.2;1;12.5;1;;;21.0;1;;;10.0;1",
            f"{OCTEVILLE};20260711;12 mm;1;12.5;5;;;215;1;;;10.0;1",
            f"{OCTEVILLE};2026-07-12;1.2;1;12.5;1;;;21.0;1;;;10.0;1",
            f"{OCTEVILLE};20260710;7.7;1;12.5;1;;;21.0;1;;;10.0;1",
            ";X;49.5;0.1;5;20260711;1.2;1;12.5;1;;;21.0;1;;;10.0;1",
            "76481001;X;495.3;0.1;5;20260712;1.2;1;12.5;1;;;21.0;1;;;10.0;1",
            f"{OCTEVILLE};20260712;1.2;1",
        ),
    }
    serve(replay, bad)
    done = world.run()
    name = "Q_76_latest-2025-2026_RR-T-Vent.csv.gz"
    assert done.ok
    assert [line.removeprefix(f"{name}: ") for line in done.refused] == [
        "line 3 column TX says '215', expected -60 to 60",
        "line 3 column QTN says '5', expected 0, 1, 2 or 9",
        "line 3 column RR says '12 mm', expected 0 to 2000",
        "line 4 column AAAAMMJJ says '2026-07-12', expected a day, 20260714",
        "line 5 repeats station 76481001 on 20260710; the first row counts",
        "line 6 column NUM_POSTE is empty, expected the station's number",
        "line 7 columns LAT and LON say '495.3', '0.1', expected degrees",
        "line 8 has 8 cells, expected 18",
    ]
    found = values(world.lake, LE_HAVRE)
    assert found["07-10", "precipitation"] == 1.2
    assert ("07-11", "temperature_max") not in found and found["07-11", "wind_gust"] == 36.0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"Q_76_latest-2025-2026_RR-T-Vent.csv.gz": "<html>moved</html>"}, "no column NUM_POSTE"),
        ({"Q_76_latest-2025-2026_RR-T-Vent.csv.gz": HEADER.replace("QTX", "Q_TX")}, "column QTX"),
        ({"Q_14_latest-2025-2026_RR-T-Vent.csv.gz": f"{HEADER}\n1;2\n"}, "no row can be read"),
    ],
)
def test_another_format_is_refused_whole(world, replay, change, told):
    serve(replay, FILES | change)
    done = world.run()
    assert not done.ok and told in done.errors[0]
    assert world.lake.read().empty


SEASON = pd.date_range("2026-01-01", "2026-07-10")
UNITS = {"TX": 17.4, "TN": 9.1, "RR": 2.4, "FXI": 9.8}


@pytest.mark.parametrize(
    ("column", "factor", "shift"),
    [
        ("TX", 10, 0), ("TX", 1.8, 32), ("TX", 1, 273.15), ("TN", 10, 0), ("TN", 1.8, 32),
        ("RR", 10, 0), ("RR", 0.1, 0), ("FXI", 10, 0), ("FXI", 3.6, 0), ("FXI", 1.944, 0),
    ],
)  # fmt: skip
def test_a_file_in_another_unit_is_refused_whole(column: str, factor: float, shift: float) -> None:
    """Tenths, Fahrenheit, Kelvin, centimetres, km/h, knots: also where values are within bounds."""
    span = SEASON[0].date(), SEASON[-1].date()

    def file(given: dict[str, float]) -> bytes:
        told = {name: f"{value:.1f}" for name, value in given.items()}
        return rain_wind(
            *(
                f"{OCTEVILLE};{day:%Y%m%d};{told['RR']};1;{told['TN']};1;;;{told['TX']};1;;;"
                f"{told['FXI']};1"
                for day in SEASON
            )
        ).encode()

    assert len(parse_measured(file(UNITS), "x", RAIN_WIND, *span).station) == len(SEASON)
    other = {**UNITS, column: UNITS[column] * factor + shift}
    with pytest.raises(ProviderError, match=f"of column {column} is .* it is in another unit"):
        parse_measured(file(other), "x", RAIN_WIND, *span)


def test_sunshine_in_hours_is_refused_whole() -> None:
    span = SEASON[0].date(), SEASON[-1].date()
    for minutes, told in ((320.0, ""), (5.3, "INST is 5.3"), (53.0, "INST is 53")):
        rows = [f"{OCTEVILLE};{day:%Y%m%d};{minutes:g};1;;" for day in SEASON]
        if not told:
            assert parse_measured(others(*rows).encode(), "x", OTHERS, *span).refused == ()
            continue
        with pytest.raises(ProviderError, match=told):
            parse_measured(others(*rows).encode(), "x", OTHERS, *span)


def test_a_catalogue_that_lacks_a_file_is_refused(world, replay):
    serve(replay, {n: t for n, t in FILES.items() if n[:4] != "Q_14"})
    assert "no file Q_14_..._RR-T-Vent holds 2026" in world.run().errors[0]
    replay.routes[DATASET] = [replay.Answer(200, '{"resources": [{"title": "x"}]}')]
    assert "none of its 1 resources is a daily file" in world.run().errors[0]
    replay.routes[DATASET] = [replay.Answer(200, "[]")]
    assert "expected a data set with its 'resources'" in world.run().errors[0]
    replay.routes[DATASET] = [replay.Answer(404, '{"message": "no such dataset"}')]
    assert "no such dataset" in world.run().errors[0]
    assert world.lake.read().empty


def test_damaged_packing_is_refused_and_bare_files_are_read(world, replay):
    serve(replay)
    path = "/QUOT/Q_76_latest-2025-2026_RR-T-Vent.csv.gz"
    whole = replay.routes[path][0].body
    replay.routes[path] = [replay.Answer(200, whole[:-20])]
    done = world.run()
    assert not done.ok and "gzip" in done.errors[0] and world.lake.read().empty
    replay.routes[path] = [replay.Answer(200, gzip.decompress(whole))]
    assert world.run().ok and not world.lake.read().empty


def test_a_day_that_goes_on_is_left_out(world, replay):
    row = f"{OCTEVILLE};20260714;1.2;1;12.5;1;;;21.0;1;;;10.0;1"
    serve(replay, FILES | {"Q_76_latest-2025-2026_RR-T-Vent.csv.gz": rain_wind(row)})
    assert world.run().ok
    assert world.lake.read()["date"].max() < pd.Timestamp("2026-07-14")


def test_the_nearest_that_measured_stands_in_day_by_day(tmp_path):
    config = RunConfig.model_validate(tomllib.loads(TERRITORY))
    rows = [
        f"{OCTEVILLE};20260710;1;1;;;;;;;;;;",
        f"{LISIEUX_STATION};20260710;5;1;;;;;;;;;;",
        f"{LISIEUX_STATION};20260711;6;1;;;;;;;;;;",
        f"{FAR};20260712;7;1;;;;;;;;;;",
    ]
    span = (date(2026, 7, 1), date(2026, 7, 31))
    measured = parse_measured(rain_wind(*rows).encode(), "x", RAIN_WIND, *span)
    places = Places.of(config, tmp_path)
    table, note = zone_values([measured], [LE_HAVRE, DEAUVILLE, LISIEUX], places, 45)
    found = {(r.zone_id, r.date.day): r.precipitation for r in table.itertuples()}
    # Le Havre is 39 km from Lisieux: on the 11th, when its own station is silent, that one counts.
    assert found == {
        (LE_HAVRE, 10): 1, (LE_HAVRE, 11): 6,
        (DEAUVILLE, 10): 1, (DEAUVILLE, 11): 6,
        (LISIEUX, 10): 5, (LISIEUX, 11): 6,
    }  # fmt: skip
    assert "no temperature_max within 45 km" in note


STATION = st.sampled_from([OCTEVILLE, LISIEUX_STATION, FAR])
CELL = st.sampled_from(["1.2", "1,2", "", "-3", "99999", "nan", "1e9", "é", "2", "0", "9", "\x00"])


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(STATION, st.lists(CELL, min_size=12, max_size=14)), max_size=5))
def test_any_cells_are_read_or_refused(rows):
    lines = [
        f"{station};202607{10 + i};{';'.join(cells)}" for i, (station, cells) in enumerate(rows)
    ]
    try:
        found = parse_measured(
            rain_wind(*lines).encode(), "x", RAIN_WIND, date(2026, 7, 1), date(2026, 7, 31)
        )
    except ProviderError:
        return
    assert all(np.isnan(v).all() or np.nanmax(np.abs(v)) <= 2000 for v in found.values.values())
    assert len(found.station) + len([r for r in found.refused if "cells" in r]) == len(rows)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=300), st.sampled_from([b"", OTHER_HEADER.encode() + b"\n"]))
def test_any_bytes_are_read_or_refused(data, before):
    try:
        parse_measured(before + data, "x", OTHERS, date(2026, 7, 1), date(2026, 7, 31))
    except ProviderError as error:
        assert "x" in str(error)


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.just("https://[/Q")
ANY = st.recursive(
    JUNK,
    lambda s: (
        st.lists(s, max_size=3) | st.dictionaries(st.sampled_from(["resources", "url", "title"]), s)
    ),
)


@settings(max_examples=80, deadline=None)
@given(ANY)
def test_any_catalogue_is_read_or_refused(answer):
    with pytest.raises(ProviderError):
        parse_catalogue(answer, "x")
