"""Road traffic: polls over HTTP become days in a real lake."""

from __future__ import annotations

from collections.abc import Callable

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ProviderError
from forecast.ingest.road_traffic import parse_flows, parse_stations

HEADER = (
    "id_poste_releve;dir;id_section;code_insee_commune;axe;pr_deb;abs_deb;pr_fin;abs_fin;nb_voies;"
    "sens;direction;position;longueur;type;x_deb;y_deb;x_fin;y_fin;zone_traficolor"
)
# Rows have 19 values for 20 names. M1 is at 49.25 N, 0.25 E (zone 01234), M2 at 49.75 N, 0.25 E,
# MUM76.h1 north of Rouen, out of the zones; MZERO.1 and MVOID.1 have no position.
STATIONS = f"""{HEADER}
M1;DIRNO;237676517;A28;76PR91D;800;76PR94D;840;1;NORD_SUD;Y;;3035;0;499848.9;6908998.5;0;0;RO76
M2;DIRNO;237676517;A28;76PR91D;800;76PR94D;840;1;SUD_NORD;W;;3035;0;501839.1;6964576.5;0;0;RO76
MUM76.h1;DIRNO;237676517;A28;76PR91D;800;76PR94D;840;1;NORD_SUD;Y;;3035;0;569981.6;6938140.0;568217.6;6935783.5;RO76
MZERO.1;DIRO;1;N165;PR0;0;PR1;0;1;;;;0;0;0;0;0;0;
MVOID.1;DIRO;1;N165;PR0;0;PR1;0;1;;;;0;0;;;;;
"""


def station(site: str, at: str, *flows: object, more: str = "") -> str:
    values = "".join(
        '<measuredValue index="0"><measuredValue><basicData xsi:type="TrafficFlow"><vehicleFlow '
        f'numberOfInputValuesUsed="14"><vehicleFlowRate>{flow}</vehicleFlowRate>{more}'
        "</vehicleFlow></basicData></measuredValue></measuredValue>"
        for flow in flows
    )
    return (
        "<siteMeasurements>"
        f'<measurementSiteReference targetClass="MeasurementSiteRecord" id="{site}" version="1.0"/>'
        f"<measurementTimeDefault>{at}</measurementTimeDefault>{values}"
        '<measuredValue index="0"><measuredValue><basicData xsi:type="TrafficSpeed">'
        '<averageVehicleSpeed numberOfInputValuesUsed="14"><speed>113.0</speed>'
        "</averageVehicleSpeed></basicData></measuredValue></measuredValue></siteMeasurements>"
    )


def publication(*stations: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        '<d2LogicalModel modelBaseVersion="2" xmlns="http://datex2.eu/schema/2/2_0" '
        'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><payloadPublication '
        'xsi:type="MeasuredDataPublication" lang="fre">'
        "<publicationTime>2026-08-31T22:24:00.000+02:00</publicationTime>"
        f"{''.join(stations)}</payloadPublication></d2LogicalModel>"
    ).encode()


def paris(instant: pd.Timestamp) -> str:
    return instant.tz_convert("Europe/Paris").isoformat(timespec="milliseconds")


@pytest.fixture
def options(replay) -> dict[str, object]:
    replay.routes["/refDir.csv"] = [
        replay.Answer(body=STATIONS, headers={"content-type": "text/csv"})
    ]
    return {
        "kind": "dir-traffic",
        "measures_url": f"{replay.url}/qtvDir.xml",
        "stations_url": f"{replay.url}/refDir.csv",
    }


def serve(replay, body: Callable[[], bytes]) -> None:
    replay.routes["/qtvDir.xml"] = lambda _: replay.Answer(
        body=body(), headers={"content-type": "application/xml"}
    )


def test_polls_across_midnight_and_a_change_of_clocks(replay, estuary, options) -> None:
    """25 October has 25 hours; M2 is silent half of that day, and counts nobody on the next."""

    def body() -> bytes:
        at = estuary.now - pd.Timedelta(minutes=6)
        half = pd.Timestamp("2026-10-25T10:00Z") < at < pd.Timestamp("2026-10-25T23:00Z")
        second = station("M2", paris(at)) if half else station("M2", paris(at), 0)
        return publication(
            station("M1", paris(at), 100), second, station("MUM76.h1", paris(at), 140),
            station("MZERO.1", paris(at), 5), station("MNEW.1", paris(at), 5),
        )  # fmt: skip

    serve(replay, body)
    seen: list[int] = []
    polls = pd.date_range("2026-10-24T22:10Z", "2026-10-27T01:10Z", freq="3h")
    for now in [*polls[:9], pd.Timestamp("2026-10-25T23:30Z"), *polls[9:]]:
        found = estuary.fetch(now, **options, every_hours=3)
        assert found.ok, found.errors
        seen.append(found.new)
    assert found.unplaced == {
        "stations of DIRNO elsewhere": 1,
        "stations of DIRO without position": 1,
        "stations of unknown without position": 1,
    }
    assert estuary.days("mobility", "count") == {
        ("01234", "essai:M1", "2026-10-25"): 2500.0,
        ("01234", "essai:M1", "2026-10-26"): 2400.0,
        ("200084952", "essai:M2", "2026-10-26"): 0.0,
    }
    # Days end at 23:00 UTC; the first poll an hour later or more stores them, no other does.
    assert [turn for turn, new in enumerate(seen) if new] == [10, 18] and sum(seen) == 3
    assert (found.new, found.known, found.revised) == (2, 1, 0)
    assert "1 site-days left out: less than 80% of the readings" in found.notes[0]
    rows = estuary.lake.read(sources=["mobility"])
    ends = (rows["date"] + pd.Timedelta(days=1)).dt.tz_localize("Europe/Paris")
    assert (rows["available_at"] == ends.dt.tz_convert("UTC") + pd.Timedelta(hours=8)).all()
    assert set(rows["provider"]) == {"essai"}
    # A reading of yesterday that arrives today changes no day that was made without it.
    serve(replay, lambda: publication(station("M1", "2026-10-26T12:03:00.000+01:00", 9000)))
    late = estuary.fetch("2026-10-27T01:20Z", **options, every_hours=3)
    assert late.ok and (late.new, late.known, late.revised) == (0, 3, 0)
    assert "1 sites say nothing newer than an hour: M1" in late.notes[0]


def test_the_same_answer_again_adds_nothing(replay, estuary, options) -> None:
    serve(replay, lambda: publication(station("M1", "2026-08-31T22:30:00.000+02:00", 140)))
    always = (pd.Timestamp("2026-01-01T00:00Z"), pd.Timestamp("2027-01-01T00:00Z"))
    for now in ("2026-08-31T20:33Z", "2026-08-31T20:38Z"):
        assert estuary.fetch(now, **options).ok
        assert len(estuary.samples.read("essai", *always)) == 1
    late = estuary.fetch("2026-08-31T21:40Z", **options)
    assert late.ok and late.notes == ["1 sites say nothing newer than an hour: M1"]


def test_a_clock_that_is_ahead_is_refused(replay, estuary, options) -> None:
    serve(replay, lambda: publication(station("M1", "2026-08-31T22:30:00.000+02:00", 140)))
    found = estuary.fetch("2026-08-31T20:00Z", **options)
    assert found.refused_rows == 1
    assert "site M1" in found.refused[0] and "has not come yet" in found.refused[0]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/qtvDir.xml", b'{"maintenance": true}', "expected XML"),
        ("/qtvDir.xml", publication(), "found none in <d2LogicalModel>"),
        ("/qtvDir.xml", publication(station("M1", "2026-08-31T22:30:00+02:00", 1))[:-40], "cut"),
        ("/refDir.csv", b"<html>moved</html>", "expected refDir.csv"),
        ("/refDir.csv", HEADER.encode(), "expected refDir.csv"),
    ],
)
def test_what_is_no_publication_fails_and_leaves_nothing(
    replay, estuary, options, path: str, body: bytes, said: str
) -> None:
    serve(replay, lambda: publication(station("M1", "2026-08-31T22:30:00.000+02:00", 140)))
    replay.routes[path] = [replay.Answer(body=body, headers={"content-type": "text/plain"})]
    found = estuary.fetch("2026-08-31T20:33Z", **options)
    assert found.exit_code == 1 and said in found.errors[0] and path in found.errors[0]
    assert not estuary.samples.read(
        "essai", pd.Timestamp("2026-01-01T00:00Z"), pd.Timestamp("2027-01-01T00:00Z")
    ).size


def test_operators_can_be_chosen(replay, estuary, options) -> None:
    at = "2026-08-31T22:30:00.000+02:00"
    serve(replay, lambda: publication(station("M1", at, 140), station("MZERO.1", at, 1)))
    found = estuary.fetch("2026-08-31T20:33Z", **options, operators=["DIRNO"])
    assert found.ok and not found.unplaced


NONSENSE = {
    "minus": station("M2", "2026-08-31T22:30:00+02:00", -1),
    "too much": station("M2", "2026-08-31T22:30:00+02:00", 15_001),
    "word": station("M2", "2026-08-31T22:30:00+02:00", "nan"),
    "two flows": station("M2", "2026-08-31T22:30:00+02:00", 10, 20),
    "no offset": station("M2", "2026-08-31T22:30:00", 10),
    "no time": station("M2", "", 10),
    "no id": station("", "2026-08-31T22:30:00+02:00", 10),
}


@pytest.mark.parametrize("nonsense", NONSENSE.values(), ids=NONSENSE)
def test_a_station_with_nonsense_does_not_stop_the_others(nonsense: str) -> None:
    good = station("M1", "2026-08-31T22:30:00.000+02:00", 140.5)
    flows, refused = parse_flows(publication(nonsense, good), name="qtv")
    assert flows["site_id"].tolist() == ["M1"] and flows["value"].tolist() == [140.5]
    assert flows["at"].tolist() == [pd.Timestamp("2026-08-31T20:30Z")]
    (sentence,) = refused
    assert (sentence.startswith("qtv, ") and "expected" in sentence) or "no id" in sentence


def test_zero_is_a_value_and_absence_is_none() -> None:
    at = "2026-08-31T22:30:00.000+02:00"
    fault = station("M3", at, 7, more="<dataError>true</dataError>")
    flows, refused = parse_flows(
        publication(station("M1", at, 0), station("M2", at), fault), name="q"
    )
    assert flows[["site_id", "value"]].values.tolist() == [["M1", 0.0]] and refused == ()


def test_a_station_that_is_given_twice_is_refused() -> None:
    at = "2026-08-31T22:30:00.000+02:00"
    flows, refused = parse_flows(
        publication(station("M1", at, 1), station("M1", at, 2), station("M2", at, 3)), name="q"
    )
    assert flows["site_id"].tolist() == ["M2"]
    assert len(refused) == 1 and "several times" in refused[0]


def test_stations_are_read_from_the_end_of_the_row() -> None:
    longer = STATIONS.replace("MUM76.h1;DIRNO;237676517;", "MUM76.h1;DIRNO;237676517;76540;")
    for text in (STATIONS, longer):
        stations, refused = parse_stations(text.encode(), name="ref")
        assert refused == ()
        found = stations.set_index("site_id")
        assert found.loc["MUM76.h1", "latitude"] == pytest.approx(49.52927, abs=1e-5)
        assert found.loc["MUM76.h1", "longitude"] == pytest.approx(1.20466, abs=1e-5)
        assert found["latitude"].isna().sum() == 2
    broken = STATIONS + "MB;DIRNO;A28\nMC" + ";x" * 18 + "\n"
    stations, refused = parse_stations(broken.encode(), name="ref")
    assert len(stations) == 5
    assert "line 7 (MB): 3 values; expected 19" in refused[0] and "Lambert-93" in refused[1]


GOOD = publication(station("M1", "2026-08-31T22:30:00.000+02:00", 140))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(GOOD) - 1), st.binary(max_size=4))
def test_a_damaged_publication_gives_rows_or_a_provider_error(place: int, put: bytes) -> None:
    try:
        flows, _ = parse_flows(GOOD[:place] + put + GOOD[place + 1 :], name="qtv")
    except ProviderError:
        return
    assert flows["value"].between(0, 15_000).all() and flows["at"].notna().all()


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.binary(max_size=300), st.integers(0, len(STATIONS) - 1)))
def test_damaged_stations_give_rows_or_a_provider_error(change: bytes | int) -> None:
    text = STATIONS.encode()
    data = change if isinstance(change, bytes) else text[:change] + b";\n\xff" + text[change + 2 :]
    try:
        stations, _ = parse_stations(data, name="ref")
    except ProviderError:
        return
    assert stations["latitude"].dropna().between(40, 53).all()
