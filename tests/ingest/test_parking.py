"""Car parks in real time, by DATEX II and by mapped feeds: polls become days in a real lake."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from math import isnan, nan
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ConfigError, ProviderError
from forecast.ingest.car_parks import read_car_parks
from forecast.ingest.configured import configured
from forecast.ingest.documents import Document
from forecast.ingest.occupancy import Reading, occupancy
from forecast.ingest.place import Place
from forecast.ingest.providers.datex_parking import parse_statuses
from forecast.ingest.providers.parking_feed import ParkingFeedOptions, read_items

ALWAYS = (pd.Timestamp("2000-01-01T00:00Z"), pd.Timestamp("2100-01-01T00:00Z"))
INVENTORY = """id;nom;insee;nb_places;nb_pr;Xlong;Ylat
14220-P-001;Plage;14220;200;0;0.10;49.30
76351-P-001;Docks;76351;400;0;;
75056-P-001;Paris;75056;100;0;2.35;48.86
14220-P-002;Sans capacité;14220;;0;0.10;49.30
14220-P-003;Faute;14220;cent;0;0.10;49.30
"""


def record(site: str, inner: str, at: str = "2026-07-14T10:00:00+02:00") -> str:
    return (
        '<parkingRecordStatus xsi:type="ParkingSiteStatus">'
        f'<parkingRecordReference targetClass="ParkingRecord" id="{site}" version="1"/>'
        f"<parkingStatusOriginTime>{at}</parkingStatusOriginTime>{inner}</parkingRecordStatus>"
    )


def vacant(number: object) -> str:
    return (
        "<parkingOccupancy><parkingNumberOfVacantSpaces>"
        f"{number}</parkingNumberOfVacantSpaces></parkingOccupancy>"
    )


def publication(*records: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?><d2LogicalModel modelBaseVersion="2" '
        'xmlns="http://datex2.eu/schema/2/2_0" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><payloadPublication '
        f'xsi:type="ParkingStatusPublication" lang="fr">{"".join(records)}</payloadPublication>'
        "</d2LogicalModel>"
    ).encode()


def prefixed(data: bytes) -> bytes:
    """The same publication with a prefix on every element."""
    text = re.sub("<(/?)([a-z])", r"<\1ns2:\2", data.decode())
    return text.replace("xmlns=", "xmlns:ns2=").encode()


def serve(
    replay, path: str, body: Callable[[], bytes | str], kind: str = "application/xml"
) -> None:
    replay.routes[path] = lambda _: replay.Answer(body=body(), headers={"content-type": kind})


@pytest.fixture
def inventory(tmp_path: Path) -> str:
    path = tmp_path / "parkings.csv"
    path.write_text(INVENTORY, encoding="utf-8")
    return str(path)


def test_a_day_of_polls_becomes_a_day_of_parking(replay, estuary, inventory) -> None:
    """29 March has 23 hours. The beach fills from noon; the docks close at 15 h."""

    def body() -> bytes:
        at = estuary.now - pd.Timedelta(minutes=2)
        hour = at.tz_convert("Europe/Paris").hour
        beach = record("14220-P-001", vacant(150 if hour < 12 else -0), at.isoformat())
        docks = record(
            "76351-P-001",
            "<parkingOccupancy><parkingNumberOfOccupiedSpaces>100</parkingNumberOfOccupiedSpaces>"
            "</parkingOccupancy><parkingSiteOpeningStatus>"
            f"{'open' if hour < 15 else 'closed'}</parkingSiteOpeningStatus>",
            at.isoformat(),
        )
        return publication(beach, docks, record("75056-P-001", vacant(1), at.isoformat()))

    serve(replay, "/status.xml", body)
    table = {
        "kind": "datex-parking", "url": f"{replay.url}/status.xml", "inventory": inventory,
        "every_hours": 2,
    }  # fmt: skip
    stored, closed = [], set()
    for now in pd.date_range("2026-03-29T01:02Z", "2026-03-30T01:02Z", freq="2h"):
        found = estuary.fetch(now, **table)
        assert found.ok, found.errors
        stored.append(found.new)
        if "1 car parks give no measure: closed" in found.notes[:1]:
            closed.add(now.tz_convert("Europe/Paris").hour)
    assert found.unplaced == {"75056-P-001": 1}
    assert closed == {17, 19, 21, 23, 15}
    assert found.notes == ["1 site-days left out: less than 80% of the readings"]
    assert len(found.refused) == 1 and "parkings.csv, line 6, column nb_places" in found.refused[0]
    key = ("01234", "essai:14220-P-001", "2026-03-29")
    assert estuary.days("parking", "occupancy") == {key: pytest.approx(0.25 * 0.4 + 1.0 * 0.6)}
    assert estuary.days("parking", "occupancy_peak") == {key: 1.0}
    assert estuary.days("parking", "full_share") == {key: pytest.approx(0.6)}
    assert estuary.days("parking", "capacity") == {key: 200.0}
    # The day ends at 22:00 UTC and is made from 23:00 UTC on, once.
    assert [turn for turn, new in enumerate(stored) if new] == [11] and sum(stored) == 4
    assert (found.new, found.known, found.revised) == (0, 4, 0)


SILENT = {
    "closed": vacant(5) + "<parkingSiteOpeningStatus>closed</parkingSiteOpeningStatus>",
    "unknown": vacant(5) + "<parkingSiteStatus>unknown</parkingSiteStatus>",
}


@pytest.mark.parametrize("change", [bytes, prefixed], ids=["plain", "ns2"])
def test_statuses_are_read_with_or_without_prefix(change) -> None:
    both = (
        "<parkingOccupancy><parkingNumberOfVacantSpaces>20</parkingNumberOfVacantSpaces>"
        "<parkingNumberOfOccupiedSpaces>60</parkingNumberOfOccupiedSpaces></parkingOccupancy>"
    )
    percent = "<parkingOccupancy><parkingOccupancy>87.5</parkingOccupancy></parkingOccupancy>"
    group = f"<groupOfParkingSpacesStatus>{vacant(9)}</groupOfParkingSpacesStatus>"
    data = publication(
        record("A", vacant(5) + "<parkingSiteStatus>spacesAvailable</parkingSiteStatus>"),
        record("B", both + group),
        record("C", percent),
        record("D", "<parkingSiteStatus>full</parkingSiteStatus>"),
        record("E", SILENT["closed"]),
        record("F", SILENT["unknown"]),
        record("G", vacant("beaucoup")),
        record("H", vacant(-1)),
        record("", vacant(1)),
    )
    readings, refused, silent = parse_statuses(change(data), name="feed")
    found = {r.site_id: (r.free, r.occupied, r.percent, r.full) for r in readings}
    assert str(found) == str(
        {
            "A": (5.0, nan, nan, False),
            "B": (20.0, 60.0, nan, False),
            "C": (nan, nan, 87.5, False),
            "D": (nan, nan, nan, True),
        }
    )
    assert {r.time for r in readings} == {"2026-07-14T10:00:00+02:00"}
    assert silent == {"closed": 1, "unknown": 1}
    assert [line.partition(": ")[0] for line in refused] == [
        "feed, parkingRecordStatus 7 (G)",
        "feed, parkingRecordStatus 8 (H)",
        "feed, parkingRecordStatus 9 (no id)",
    ]
    assert all("expected" in line for line in refused)


@pytest.mark.parametrize(
    ("said", "capacity", "wanted"),
    [
        ({"free": 50.0}, 200.0, (0.75, 200.0)),
        ({"occupied": 50.0}, 200.0, (0.25, 200.0)),
        ({"free": 10.0, "occupied": 90.0}, nan, (0.9, 100.0)),
        ({"free": 0.0}, 200.0, (1.0, 200.0)),
        ({"free": -3.0}, 200.0, (1.0, 200.0)),
        ({"free": 203.0}, 200.0, (0.0, 200.0)),
        ({"occupied": 230.0}, 200.0, (1.0, 200.0)),
        ({"percent": 55.0}, nan, (0.55, nan)),
        ({"percent": 0.0}, 80.0, (0.0, 80.0)),
        ({"full": True}, 80.0, (1.0, 80.0)),
        ({}, 80.0, (nan, 80.0)),
    ],
)
def test_occupancy(said: dict[str, float], capacity: float, wanted: tuple[float, float]) -> None:
    share, spaces, problem = occupancy(Reading("here", "P", **said), capacity)
    assert (share, spaces) == pytest.approx(wanted, nan_ok=True) and problem == ""


@pytest.mark.parametrize(
    ("said", "capacity", "problem"),
    [
        ({"free": 50.0}, nan, "no capacity"),
        ({"free": 0.0, "occupied": 0.0}, 10.0, "no capacity"),
        ({"free": 300.0}, 200.0, "300 free of 200 spaces"),
        ({"occupied": 300.0}, 200.0, "300 occupied of 200 spaces"),
        ({"percent": 0.85}, nan, "may be a share"),
        ({"percent": 130.0}, nan, "130 %"),
        ({"percent": -20.0}, nan, "-20 %"),
    ],
)
def test_a_reading_that_cannot_be_is_refused(said, capacity: float, problem: str) -> None:
    share, _, what = occupancy(Reading("here", "P", **said), capacity)
    assert isnan(share) and problem in what and "expected" in what


JSON = {
    "kind": "parking-feed",
    "items": "data.parkings",
    "id": "id",
    "free": "etat.libres",
    "capacity": "etat.places",
    "time": "maj",
    "latitude": "position.1",
    "longitude": "position.0",
    "status": "etat.ouvert",
    "open_status": ["oui"],
}


def item(name: object, free: object, **more: object) -> dict[str, object]:
    state = {"libres": free, "places": 200, "ouvert": "oui"} | more.pop("etat", {})
    return (
        {"id": name, "etat": state, "position": [0.1, 49.3]}
        | {"maj": "2026-07-14T10:00:00+02:00"}
        | more
    )


def test_a_mapped_json_is_polled(replay, estuary) -> None:
    items = [
        item("P1", 50), item(2, "0"), item("P3", None), item("P4", 5, etat={"ouvert": "non"}),
        item("P5", "beaucoup"), item("", 1), item("P7", 9, position=[2.3, 48.8]), "junk",
        item("P9", 9, maj="2026-07-14T10:00:00"), item("P10", True), item("P11", 1e400),
    ]  # fmt: skip
    serve(replay, "/p.json", lambda: json.dumps({"data": {"parkings": items}}), "application/json")
    found = estuary.fetch("2026-07-14T08:05Z", **JSON, url=f"{replay.url}/p.json")
    assert found.ok, found.errors
    kept = estuary.samples.read("essai", *ALWAYS)
    wanted = {("P1", "occupancy"): 0.75, ("2", "occupancy"): 1.0}
    wanted |= {("P1", "capacity"): 200.0, ("2", "capacity"): 200.0}
    assert {(r.site_id, r.variable): r.value for r in kept.itertuples()} == wanted
    assert set(kept["at"]) == {pd.Timestamp("2026-07-14T08:00Z")}
    assert set(kept["zone_id"]) == {"01234"}
    assert found.unplaced == {"P7": 1}
    assert found.notes == [
        "1 car parks give no measure: etat.ouvert = non; 1 car parks give no measure: no figure"
    ]
    said = " ".join(found.refused)
    assert found.refused_rows == 6
    for part in ("item 5 (P5): etat.libres is 'beaucoup'; expected a number", "item 6: id is empty",
                 "item 8: id is empty", "item 9 (P9), time: '2026-07-14T10:00:00'", "item 10 (P10)",
                 "item 11 (P11)"):  # fmt: skip
        assert part in said


def test_a_mapped_csv_with_local_times_and_codes(replay, estuary) -> None:
    text = (
        "code;lat.deg;taux;quand\n76351;49,494;85,5;14/07/2026 10:00\n14220;x;90;14/07/2026 25:00\n"
    )
    serve(replay, "/p.csv", lambda: text.encode("cp1252"), "text/csv")
    table = {
        "kind": "parking-feed", "url": f"{replay.url}/p.csv", "format": "csv", "id": "code",
        "percent": "taux", "time": "quand", "time_zone": "Europe/Paris", "zone": "code",
    }  # fmt: skip
    found = estuary.fetch("2026-07-14T08:05Z", **table)
    assert found.ok, found.errors
    (row,) = estuary.samples.read("essai", *ALWAYS).to_dict("records")
    assert row == {
        "site_id": "76351", "zone_id": "200084952", "variable": "occupancy",
        "at": pd.Timestamp("2026-07-14T08:00Z"), "value": 0.855,
    }  # fmt: skip
    assert len(found.refused) == 1 and "25:00" in found.refused[0]


def test_a_feed_without_times_is_of_the_poll_and_the_configuration_may_place_it(
    replay, estuary
) -> None:
    serve(replay, "/p.json", lambda: json.dumps([{"n": "A", "l": 5}, {"n": "B", "l": 5}]))
    table = {
        "kind": "parking-feed", "url": f"{replay.url}/p.json", "id": "n", "free": "l",
        "zones": {"A": "14220", "B": "200084952"}, "capacities": {"A": 50, "B": 10},
    }  # fmt: skip
    found = estuary.fetch("2026-07-14T08:05Z", **table)
    assert found.ok, found.errors
    kept = estuary.samples.read("essai", *ALWAYS)
    assert kept[kept["variable"] == "occupancy"]["value"].tolist() == [0.9, 0.5]
    assert kept["zone_id"].tolist() == ["01234"] * 2 + ["200084952"] * 2
    assert set(kept["at"]) == {pd.Timestamp("2026-07-14T08:05Z")}
    wrong = estuary.fetch("2026-07-14T08:05Z", **table | {"zones": {"A": "99999"}})
    assert wrong.exit_code == 2 and "providers.essai.zones.A: '99999'" in wrong.errors[0]


@pytest.mark.parametrize("written", ["epoch", "epoch_ms"])
def test_times_since_1970(replay, estuary, written: str) -> None:
    factor = 1000 if written == "epoch_ms" else 1
    seconds = pd.Timestamp("2026-07-14T08:00Z").timestamp() * factor
    items = [{"n": "A", "p": 50, "t": seconds}, {"n": "B", "p": 50, "t": seconds / 1000 * 999}]
    items.append({"n": "C", "p": 50, "t": 12})
    serve(replay, "/p.json", lambda: json.dumps(items))
    table = {
        "kind": "parking-feed", "url": f"{replay.url}/p.json", "id": "n", "percent": "p",
        "time": "t", "time_format": written, "zones": {"A": "01234", "B": "01234", "C": "01234"},
    }  # fmt: skip
    found = estuary.fetch("2026-07-14T08:05Z", **table)
    assert estuary.samples.read("essai", *ALWAYS)["at"].tolist() == [
        pd.Timestamp("2026-07-14T08:00Z")
    ]
    assert len(found.refused) == 1 and "after 2000" in found.refused[0]
    assert found.notes == ["1 sites say nothing newer than an hour: B"]


def test_a_key_is_sent_and_never_shown(replay, estuary, monkeypatch) -> None:
    monkeypatch.setenv("PARKING_KEY", "s3cret-k3y")
    replay.routes["/p.json"] = lambda asked: replay.Answer(
        403, json.dumps({"message": f"no right for {asked.headers['x-key']}"})
    )
    table = {
        "kind": "parking-feed", "url": f"{replay.url}/p.json", "id": "n", "free": "l",
        "key_env": "PARKING_KEY", "key_header": "X-Key",
    }  # fmt: skip
    found = estuary.fetch("2026-07-14T08:05Z", **table)
    assert replay.requests[-1].headers["x-key"] == "s3cret-k3y"
    assert found.exit_code == 1 and "s3cret" not in repr(found)
    monkeypatch.delenv("PARKING_KEY")
    assert "PARKING_KEY is not set" in estuary.fetch("2026-07-14T08:05Z", **table).errors[0]


@pytest.mark.parametrize(
    ("found", "said"),
    [
        ({"data": {"records": []}}, "'data.parkings' leads to object"),
        ({"data": {"parkings": {}}}, "leads to dict; expected a list"),
        ({"data": {"parkings": [{"nom": "x"}]}}, "no car park has the field 'id'"),
        ({"data": {"parkings": [item("A", 1) | {"etat": {}}]}}, "field 'etat.libres'"),
        (3, "expected a list"),
    ],
)
def test_a_feed_that_is_another_fails(found: object, said: str) -> None:
    options = ParkingFeedOptions(**JSON, url="https://h")
    with pytest.raises(ProviderError, match=said.replace("'", ".")):
        read_items(found, options, name="feed")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"free": ""}, "expected one of free, occupied and percent"),
        ({"open_status": []}, "status and open_status go together"),
        ({"latitude": ""}, "latitude and longitude go together"),
        ({"time_zone": "Europe/Deauville"}, "no such time zone"),
        ({"inventory": "parkings.csv"}, "expected a URL or an absolute path"),
        ({"capacities": {"A": 0}}, "capacities of 'A': 0; expected 1"),
        ({"url": "ftp://h"}, "providers.essai.url"),
        ({"libres": "x"}, "providers.essai.libres"),
    ],
)
def test_options_are_looked_at_before_anything_is_fetched(estuary, change, said: str) -> None:
    with pytest.raises(ConfigError) as error:
        configured(estuary.config(essai={**JSON, "url": "https://h/p.json", **change}))
    assert said in str(error.value)


def test_the_inventory_is_read_by_the_national_schema() -> None:
    place = Place({}, {}, "Europe/Paris", {}, "files")
    parks, refused = read_car_parks(Document("p.csv", INVENTORY.encode()), place)
    assert (parks["14220-P-001"].capacity, parks["14220-P-001"].latitude) == (200.0, 49.3)
    assert parks["76351-P-001"].insee == "76351" and isnan(parks["14220-P-002"].capacity)
    assert len(parks) == 4 and len(refused) == 1 and "line 6, column nb_places" in refused[0]
    with pytest.raises(ProviderError, match="there is no column"):
        read_car_parks(Document("p.csv", b"a;b\n1;2\n"), place)


GOOD = publication(record("A", vacant(5)), record("B", vacant(7)))


@settings(max_examples=150, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4))
def test_a_damaged_publication_gives_readings_or_a_provider_error(place: int, put: bytes) -> None:
    try:
        readings, _, _ = parse_statuses(GOOD[:place] + put + GOOD[place + 1 :], name="feed")
    except ProviderError:
        return
    assert all(isnan(r.free) or 0 <= r.free <= 1e5 for r in readings)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "etat", "libres", "data", "parkings"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(values, st.lists(values, max_size=3))
def test_any_json_gives_readings_or_a_provider_error(whole: object, items: list[object]) -> None:
    options = ParkingFeedOptions(**JSON, url="https://h")
    mixed = [item(value, value, maj=value) for value in items]
    for found in (whole, {"data": {"parkings": items}}, {"data": {"parkings": mixed}}):
        try:
            readings, _, _ = read_items(found, options, name="feed")
        except ProviderError:
            continue
        assert all(r.site_id for r in readings)
