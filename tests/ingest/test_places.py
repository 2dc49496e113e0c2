"""Which zone a point, a commune or a code belongs to, with the territory that the project ships."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forecast.config import RunConfig, read_config
from forecast.errors import ConfigError
from forecast.ingest.places import Places

CONFIGS = Path(__file__).parents[2] / "configs"
ESTUARY = read_config(CONFIGS / "estuaire.toml")
PLACES = Places.of(ESTUARY, CONFIGS)

# Town halls: name, zone, latitude, longitude [degrees]; IGN Admin Express, DILA.
TOWN_HALLS = [
    ("Le Havre", "200084952", 49.49409, 0.10793),
    ("Étretat", "200084952", 49.70693, 0.20523),
    ("Lillebonne", "200010700", 49.52161, 0.5355),
    ("Fécamp", "200069821", 49.75584, 0.38011),
    ("Goderville", "247600505", 49.64588, 0.36743),
    ("Lisieux", "200069532", 49.1461, 0.22793),
    ("Deauville", "241400415", 49.35937, 0.07479),
    ("Honfleur", "200066827", 49.42175, 0.23255),
    ("Bourg-Achard", "200066405", 49.35452, 0.81725),
    ("the sands at Deauville", "241400415", 49.3630, 0.0665),
    ("the beach of Sainte-Adresse", "200084952", 49.5050, 0.0700),
    ("Paris", None, 48.8566, 2.3522),
    ("Caen", None, 49.1829, -0.3707),
    ("Dieppe", None, 49.9246, 1.0801),
    ("at sea", None, 49.6, -0.2),
]


@pytest.mark.parametrize(("name", "zone", "latitude", "longitude"), TOWN_HALLS)
def test_town_halls_are_in_their_zone(
    name: str, zone: str | None, latitude: float, longitude: float
) -> None:
    assert PLACES.zones_of_points([latitude], [longitude]).tolist() == [zone]


def test_points_together_are_as_points_alone() -> None:
    latitude = [hall[2] for hall in TOWN_HALLS] + [np.nan, 900.0, np.inf]
    longitude = [hall[3] for hall in TOWN_HALLS] + [0.1, 0.1, 0.1]
    expected = [hall[1] for hall in TOWN_HALLS] + [None] * 3
    assert PLACES.zones_of_points(latitude, longitude).tolist() == expected
    assert PLACES.zones_of_points([], []).tolist() == []
    assert PLACES.zones_of_points([0.0, 1e308, np.nan], [1e308, 0.0, 0.0]).tolist() == [None] * 3


def test_every_commune_has_its_zone() -> None:
    text = (CONFIGS / "estuaire-communes.csv").read_text(encoding="utf-8")
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == len(PLACES.communes) == 287
    sizes = {zone.id: 0 for zone in ESTUARY.zones}
    for row in rows:
        assert PLACES.zone_of_commune(row["commune_id"]) == row["zone_id"]
        sizes[row["zone_id"]] += 1
    assert list(sizes.values()) == [54, 50, 33, 22, 53, 12, 23, 40]
    assert PLACES.zone_of_commune(" 14220 ") == "241400415"
    assert PLACES.zone_of_commune("75056") is None


def test_a_code_is_a_zone_or_a_commune() -> None:
    assert PLACES.zone_of_code("200084952") == "200084952"
    assert PLACES.zone_of_code(" 76351") == "200084952"
    assert PLACES.zone_of_code("") is PLACES.zone_of_code("76") is None
    assert PLACES.centre("241400415") == (49.35937, 0.07479)


def config(**more: str) -> RunConfig:
    zone = {"id": "01234", "name": "Une", "population": 1, "latitude": 1.0, "longitude": 2.0}
    return RunConfig.model_validate({"id": "x", "name": "X", "zones": [zone], **more})


def test_without_files_there_are_codes_only(tmp_path: Path) -> None:
    places = Places.of(config(), tmp_path)
    assert places.zones_of_points([1.0], [2.0]).tolist() == [None]
    assert (places.zone_of_code("01234"), places.zone_of_code("14220")) == ("01234", None)


def test_holes_corsica_and_several_outlines(tmp_path: Path) -> None:
    ring = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]]
    hole = [[1, 1], [2, 1], [2, 2], [1, 2], [1, 1]]
    far = [[[10, 0], [11, 0], [11, 1], [10, 1], [10, 0]]]
    shape = {"type": "MultiPolygon", "coordinates": [[ring, hole], far]}
    feature = {"type": "Feature", "properties": {"siren": "01234"}, "geometry": shape}
    other = {"type": "Feature", "properties": {}, "geometry": None}
    collection = {"type": "FeatureCollection", "features": [other, feature]}
    (tmp_path / "g.json").write_text(json.dumps(collection), encoding="utf-8")
    (tmp_path / "c.csv").write_text("\ufeffzone_id,commune_id\n01234,2a004\n", encoding="utf-8")
    places = Places.of(config(geometry="g.json", communes="c.csv"), tmp_path)
    found = places.zones_of_points([3.0, 1.5, 0.5, 5.0], [3.0, 1.5, 10.5, 5.0])
    assert found.tolist() == ["01234", None, "01234", None]
    # 0.0025 degrees are 0.28 km: within reach of a border; 0.0029 are 0.32 km.
    near = places.zones_of_points([4.0025, 4.0029, 2.0, 2.0], [3.0, 3.0, -0.0025, -0.0029])
    assert near.tolist() == ["01234", None, "01234", None]
    assert places.zone_of_code("2A004") == "01234"


@pytest.mark.parametrize(
    ("key", "content", "said"),
    [
        ("communes", None, "file: not found; the key `communes` of the configuration names it"),
        ("communes", b"commune_id\n14220\n", "no column 'zone_id'"),
        ("communes", b"commune_id,zone_id\n14220,9\n", "line 2: zone_id '9' is no zone"),
        ("communes", b"commune_id,zone_id\n1422,01234\n", "line 2: commune_id '1422'"),
        ("communes", b"commune_id,zone_id\n\xff\n", "cannot be read as UTF-8 text"),
        ("geometry", None, "the key `geometry` of the configuration names it"),
        ("geometry", b"{}", "expected a GeoJSON FeatureCollection"),
        ("geometry", b'{"features":[{"geometry":{"type":"Polygon","coordinates":3}}]}', "GeoJSON"),
        ("geometry", b'{"features":[]}', "no outline names a zone"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, key: str, content: bytes | None, said: str
) -> None:
    if content is not None:
        (tmp_path / "file").write_bytes(content)
    keys: dict[str, Any] = {key: "file"}
    with pytest.raises(ConfigError) as caught:
        Places.of(config(**keys), tmp_path)
    assert said in str(caught.value)
    assert str(tmp_path / "file") in str(caught.value)
