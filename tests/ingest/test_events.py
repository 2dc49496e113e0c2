"""Events of calendars, tables and catalogues: bytes in, events of a real lake out."""

from __future__ import annotations

import io
import json
import zipfile
from collections import Counter
from collections.abc import Callable
from datetime import date
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ProviderError
from forecast.ingest.documents import Document
from forecast.ingest.ical import read_calendar
from forecast.ingest.place import Place
from forecast.ingest.providers.events_table import EVENTS, happenings
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table
from forecast.ingest.tourism import read_objects

NOW = "2026-07-01T09:00Z"


def calendar(*events: str) -> str:
    inner = "".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//x//x//\n{inner}END:VCALENDAR\n"


def serve(replay, path: str, body: str | bytes) -> str:
    replay.routes[path] = [replay.Answer(body=body, headers={"content-type": "text/plain"})]
    return f"{replay.url}{path}"


def agenda(estuary, replay, *events: str, now: str = NOW, **options: object):
    url = serve(replay, "/agenda.ics", calendar(*events))
    more = {"default_attendance": 2000, "zone": "01234"} | options
    return estuary.fetch(now, "2026-06-01", kind="events-calendar", url=url, **more)


def found(estuary) -> dict[tuple[str, str, str], float]:
    return estuary.days("events", "attendance")


# iCalendar.


def test_days_of_events_end_before_their_end(estuary, replay) -> None:
    done = agenda(
        estuary,
        replay,
        "SUMMARY:Fête\\, de la mer\nDTSTART;VALUE=DATE:20260714\nDTEND;VALUE=DATE:20260716",
        "SUMMARY:Nuit\nDTSTART;TZID=Europe/Paris:20260718T220000\n"
        "DTEND;TZID=Europe/Paris:20260719T000000",
        "SUMMARY:Bal\nDTSTART:20260720T223000Z\nDURATION:PT1H",
        "SUMMARY:Soir\nDTSTART;TZID=Romance Standard Time:20260722T230000",
    )
    assert (done.errors, done.refused) == ([], [])
    assert sorted((name, day) for _, name, day in found(estuary)) == [
        ("Bal", "2026-07-21"),  # half past midnight in Paris
        ("Fête, de la mer", "2026-07-14"),
        ("Fête, de la mer", "2026-07-15"),
        ("Nuit", "2026-07-18"),
        ("Soir", "2026-07-22"),
    ]


def test_repeated_moved_left_out_and_cancelled(estuary, replay) -> None:
    agenda(
        estuary,
        replay,
        "UID:a\nSUMMARY:Marché\nDTSTART;TZID=Europe/Paris:20260606T080000\n"
        "RRULE:FREQ=WEEKLY;UNTIL=20260801T000000Z\nEXDATE;TZID=Europe/Paris:20260613T080000\n"
        "RDATE;TZID=Europe/Paris:20260814T080000",
        "UID:a\nSUMMARY:Marché de nuit\nRECURRENCE-ID;TZID=Europe/Paris:20260620T080000\n"
        "DTSTART;TZID=Europe/Paris:20260619T200000",
        "UID:a\nSUMMARY:Marché\nSTATUS:CANCELLED\n"
        "RECURRENCE-ID;TZID=Europe/Paris:20260627T080000\n"
        "DTSTART;TZID=Europe/Paris:20260627T080000",
        "UID:b\nSUMMARY:Annulé\nDTSTART;VALUE=DATE:20260714\nSTATUS:CANCELLED",
    )
    assert sorted((day, name) for _, name, day in found(estuary)) == [
        ("2026-06-06", "Marché"),
        ("2026-06-19", "Marché de nuit"),
        ("2026-07-04", "Marché"),
        ("2026-07-11", "Marché"),
        ("2026-07-18", "Marché"),
        ("2026-07-25", "Marché"),
        ("2026-08-14", "Marché"),
    ]


def test_places_map_to_zones_and_sizes_come_from_categories(estuary, replay) -> None:
    day = "DTSTART;VALUE=DATE:20260714"
    done = agenda(
        estuary,
        replay,
        f"SUMMARY:Point\n{day}\nGEO:49.7;0.2",
        f"SUMMARY:Mot\n{day}\nLOCATION:Les Planches\\, DEAUVILLE",
        f"SUMMARY:Loin\n{day}\nGEO:43.0;5.0\nLOCATION:Marseille",
        f"SUMMARY:Sans\n{day}\nCATEGORIES:Conseil,Théâtre",
        f"SUMMARY:Rien\n{day}",
        zone="",
        locations={"Deauville": "14220", "bassin": "01234"},
        default_attendance=None,
        attendance={"theatre": 300},
    )
    assert found(estuary) == {}
    assert done.notes == [
        "events left out, as nothing says how many people they draw: 2; set default_attendance, or "
        "attendance by category"
    ]
    assert done.unplaced == {"Marseille": 1, "no place": 2}
    agenda(
        estuary, replay, f"SUMMARY:Point\n{day}\nGEO:49.7;0.2\nCATEGORIES:Théâtre",
        attendance={"theatre": 300},
    )  # fmt: skip
    assert found(estuary) == {("200084952", "Point", "2026-07-14"): 300.0}


def instants(estuary) -> dict[str, str]:
    rows = estuary.lake.read(sources=["events"])
    return {
        name: at.isoformat()
        for name, at in zip(rows["site_id"].astype(str), rows["available_at"], strict=True)
    }


def test_an_event_is_known_when_created_or_first_seen_never_before(estuary, replay) -> None:
    events = (
        "SUMMARY:Créé\nDTSTART;VALUE=DATE:20260714\nCREATED:20260520T101500Z",
        "SUMMARY:Vu\nDTSTART;VALUE=DATE:20260714",
        "SUMMARY:Passé\nDTSTART;VALUE=DATE:20260610",
        "SUMMARY:Futur\nDTSTART;VALUE=DATE:20260714\nCREATED:20300101T000000Z",
    )
    done = agenda(estuary, replay, *events)
    expected = {
        "Créé": "2026-05-20T10:15:00+00:00",
        "Vu": "2026-07-01T09:00:00+00:00",
        "Passé": "2026-05-11T22:00:00+00:00",  # begun before: thirty days before its end, derived
        "Futur": "2026-07-01T09:00:00+00:00",  # an instant to come is none at which it was read
    }
    assert (done.new, instants(estuary)) == (4, expected)
    again = agenda(estuary, replay, *events, now="2026-07-02T09:00Z")
    assert (again.new, again.known, again.revised) == (0, 4, 0)
    assert instants(estuary) == expected
    larger = agenda(estuary, replay, *events, now="2026-07-03T09:00Z", default_attendance=3000)
    assert larger.revised == 4
    rows = estuary.lake.read(sources=["events"])
    assert set(rows["available_at"][rows["value"] == 3000].astype(str)) == {
        "2026-07-03 09:00:00+00:00"
    }


def test_a_broken_event_costs_only_itself(estuary, replay) -> None:
    good = "SUMMARY:Bon\nDTSTART;VALUE=DATE:20260714\nCREATED:hier\nGEO:x"
    done = agenda(
        estuary,
        replay,
        "SUMMARY:Sans jour",
        "SUMMARY:Faux\nDTSTART:le 14 juillet",
        "SUMMARY:Règle\nDTSTART;VALUE=DATE:20260714\nRRULE:FREQ=SECONDLY",
        "DTSTART;VALUE=DATE:20260714",
        "SUMMARY:Envers\nDTSTART;VALUE=DATE:20260714\nDTEND;VALUE=DATE:20260701",
        "SUMMARY:Mêlé\nDTSTART;VALUE=DATE:20260714\nDTEND:20260715T000000Z",
        "SUMMARY:Vieux\nDTSTART;VALUE=DATE:00010101\nDTEND;VALUE=DATE:00010101",
        good,
    )
    assert found(estuary) == {("01234", "Bon", "2026-07-14"): 2000.0}
    said = "\n".join(done.refused)
    for line, words in (
        (4, "it has no DTSTART"), (7, "DTSTART: "), (11, "FREQ is 'SECONDLY'"),
        (16, "it has no SUMMARY"), (19, "'Envers' goes from 2026-07-14 to 2026-06-30"),
        (24, "one is a day, the other an instant"), (29, "no day between 1950 and 2100"),
    ):  # fmt: skip
        assert any(f"line {line}: " in s and words in s for s in done.refused), (line, words, said)
    assert len(done.refused) == 7


def test_what_is_no_calendar_says_what_it_is(estuary, replay) -> None:
    url = serve(replay, "/agenda", "<html>Connexion</html>")
    done = estuary.fetch(NOW, kind="events-calendar", url=url)
    assert done.exit_code == 1 and "is no iCalendar file" in done.errors[0]
    assert "'<html>Connexion</html>'" in done.errors[0]


GOOD = calendar(
    "UID:a\nSUMMARY:M\nDTSTART;TZID=Europe/Paris:20260606T080000\nRRULE:FREQ=WEEKLY;COUNT=9\n"
    "EXDATE;TZID=Europe/Paris:20260613T080000\nGEO:49.1;0.2\nCATEGORIES:A,B\nDURATION:PT2H",
).encode()

Edited = Callable[[bytes, list[tuple[int, int]]], bytes]
EDITS = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), min_size=1, max_size=6)


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=120), EDITS)
def test_any_calendar_is_read_or_refused(
    edited: Edited, noise: bytes, edits: list[tuple[int, int]]
) -> None:
    for data in (noise, edited(GOOD, edits), GOOD[:50] + noise + GOOD[50:]):
        try:
            read_calendar(
                Document("a.ics", data), date(2026, 6, 1), date(2026, 8, 1), "Europe/Paris"
            )
        except ProviderError as error:
            assert "a.ics" in str(error)


# Tables.


def test_a_table_of_events_with_its_own_columns(estuary, replay) -> None:
    text = (
        "Manifestation;Du;Au;Commune;Public attendu;Annoncé le\r\n"
        "Fête de la mer;14/07/2026;15/07/2026;14220;15 000;01/06/2026 10:00\r\n"
        "Brocante;19/07/2026;;27701;500;\r\n"
        "Fanfare;19/07/2026;01/07/2026;14220;500;\r\n"
        "Régate;19/07/2026;;14220;-4;\r\n"
        "Bal;le 20;;14220;500;\r\n"
    )
    url = serve(replay, "/e.csv", text.encode("cp1252"))
    columns = {"event": "Manifestation", "date": "Du", "end_date": "Au", "code_insee": "Commune",
               "attendance": "Public attendu", "available_at": "Annoncé le"}  # fmt: skip
    done = estuary.fetch(NOW, kind="events-table", url=url, columns=columns)
    assert done.errors == []
    assert found(estuary) == {
        ("01234", "Fête de la mer", "2026-07-14"): 15000.0,
        ("01234", "Fête de la mer", "2026-07-15"): 15000.0,
    }
    assert set(instants(estuary).values()) == {"2026-06-01T08:00:00+00:00"}
    assert done.unplaced == {"27701": 1}
    assert len(done.refused) == 3
    assert "line 6, column Du: the cell is not a day ('le 20')" in "\n".join(done.refused)


def test_one_broken_file_does_not_stop_the_others(estuary, tmp_path: Path) -> None:
    inbox = tmp_path / "in"
    inbox.mkdir()
    (inbox / "a.csv").write_text("event,date,zone_id,attendance\nBal,2026-07-14,01234,500\n")
    (inbox / "b.csv").write_text("nom;jour\nBal;2026-07-14\n")
    done = estuary.fetch(NOW, kind="events-table", folder=str(inbox))
    assert found(estuary) == {("01234", "Bal", "2026-07-14"): 500.0}
    (line,) = done.refused
    assert line.startswith("b.csv, line 1, column date: there is no column date")
    (inbox / "a.csv").unlink()
    assert estuary.fetch(NOW, kind="events-table", folder=str(inbox)).exit_code == 1


TABLE = (
    b"event,date,end_date,latitude,longitude,attendance,available_at\n"
    b"Bal,2026-07-14,2026-07-15,49.1,0.2,500,2026-07-01T10:00Z\n"
)


@settings(max_examples=40, deadline=None)
@given(EDITS)
def test_any_table_is_read_or_refused(edited: Edited, edits: list[tuple[int, int]]) -> None:
    findings = Findings(keep=EVERY_ROW)
    try:
        typed = read_table(
            Document("a.csv", edited(TABLE, edits)), EVENTS, Place.of(None), findings
        )
        happenings(typed, {}, findings)
    except ProviderError as error:
        assert "a.csv" in str(error)


# DATAtourisme.


def poi(name: str, **more: object) -> dict[str, object]:
    return {
        "@id": f"https://data.datatourisme.fr/{name}",
        "@type": ["schema:Event", "EntertainmentAndEvent", "Festival"],
        "rdfs:label": {"fr": [name]},
        "takesPlaceAt": [{"startDate": "2026-07-14", "endDate": "2026-07-15"}],
        "isLocatedAt": [
            {
                "schema:geo": {"schema:latitude": "49.2", "schema:longitude": "0.1"},
                "schema:address": [{"hasAddressCity": {"insee": "14220"}}],
            }
        ],
        "creationDate": "2026-03-01",
    } | more


def archive(*things: dict[str, object]) -> bytes:
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("index.json", "[]")
        for number, thing in enumerate(things):
            packed.writestr(f"objects/0/{number}.json", json.dumps(thing))
    return store.getvalue()


def test_a_catalogue_in_a_zip(estuary, replay) -> None:
    body = archive(
        poi("Jazz"),
        poi(
            "Point", isLocatedAt={"schema:geo": {"schema:latitude": 49.7, "schema:longitude": 0.1}}
        ),
        poi("Musée", **{"@type": ["CulturalSite"]}),
        poi("Sans jours", takesPlaceAt=[]),
        poi("Faux jour", takesPlaceAt=[{"startDate": "14 juillet"}]),
        poi("Ailleurs", isLocatedAt=[{"schema:geo": {"schema:latitude": "x"}}]),
    )
    url = serve(replay, "/flux.zip", body)
    done = estuary.fetch(NOW, kind="datatourisme", url=url, attendance={"Festival": 5000})
    assert done.errors == []
    assert found(estuary) == {
        (zone, name, f"2026-07-{day}"): 5000.0
        for zone, name in (("01234", "Jazz"), ("200084952", "Point"))
        for day in (14, 15)
    }
    assert set(instants(estuary).values()) == {"2026-03-02T00:00:00+00:00"}
    said = "\n".join(done.refused)
    assert "objects/0/3.json: takesPlaceAt is absent, expected the days of the event" in said
    assert "takesPlaceAt.startDate is '14 juillet', expected a day like 2026-07-14" in said
    assert "schema:latitude is 'x', expected degrees" in said and len(done.refused) == 3


def test_a_catalogue_in_a_flat_csv(estuary, replay) -> None:
    head = "Nom_du_POI,Categories_de_POI,Latitude,Longitude,Periodes_regroupees\n"
    rows = (
        "Jazz,https://www.datatourisme.fr/ontology/core#Festival,49.2,0.1,"
        "2026-07-14<->2026-07-14|2026-07-20<->2026-07-20\nFaux,,49.2,0.1,juillet\n"
    )
    url = serve(replay, "/fma.csv", head + rows)
    done = estuary.fetch(NOW, kind="datatourisme", url=url, attendance={"Festival": 5000})
    assert sorted(day for _, _, day in found(estuary)) == ["2026-07-14", "2026-07-20"]
    assert "line 3: column Periodes_regroupees: 'juillet', expected days" in done.refused[0]


def test_archives_that_are_damaged_or_empty_store_nothing(estuary, replay) -> None:
    for body, said in (
        (archive(poi("Jazz"))[:-30], "not a zip archive, or damaged"),
        (archive(), "holds no object"),
        (b"{", "is not JSON"),
        (
            archive(poi("Musée", **{"@type": ["CulturalSite"]}), poi("Gîte", **{"@type": "Gite"})),
            "none of 2 objects is an event; expected some of type EntertainmentAndEvent or",
        ),
    ):
        done = estuary.fetch(NOW, kind="datatourisme", url=serve(replay, "/x", body))
        assert done.exit_code == 1 and said in done.errors[0]
    assert estuary.lake.read(sources=["events"]).empty


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=6) | st.just("2026-07-14"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(st.sampled_from(sorted(poi("x"))), JSON), st.binary(max_size=60))
def test_any_catalogue_is_read_or_refused(changes: dict[str, object], noise: bytes) -> None:
    refused: list[str] = []
    others: Counter[str] = Counter()
    event = {"@type": "EntertainmentAndEvent"} | changes
    for data in (json.dumps(poi("Jazz") | changes), json.dumps({"@graph": [event]}), noise):
        raw = data if isinstance(data, bytes) else data.encode()
        try:
            read_objects(Document("x.json", raw), refused, others)
        except ProviderError as error:
            assert "x.json is not JSON" in str(error)
    assert all("x.json" in line for line in refused)
