"""Flux Vision exports: nights and day trips in, influx of zones out, in a real lake."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.config import RunConfig
from forecast.errors import ProviderError
from forecast.ingest.documents import Document
from forecast.ingest.place import Place
from forecast.ingest.presence import EXPORT, Labels, daily, once, presence
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table

NOW = "2026-07-20T09:00Z"
HEAD = "Date;ZoneObservation;Provenance;CategorieVisiteur;Volume"
ZONES = {"HONFLEUR": "01234", "Le Havre": "200084952"}


class Export:
    """Files of an export, row by row."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        self.rows: dict[str, list[str]] = {"nuitee": [], "journee": []}

    def day(self, day: str, area: str, nights: int, trips: int) -> Export:
        self.rows["nuitee"].append(f"{day};{area};NONLOCAL;TOURISTE;{nights}")
        self.rows["nuitee"].append(f"{day};{area};LOCAL;RESIDENT;9000")
        self.rows["journee"].append(f"{day};{area};LOCAL;EXCURSIONNISTE;{trips}")
        self.rows["journee"].append(f"{day};{area};ETRANGER;EXCURSIONNISTE;100")
        self.rows["journee"].append(f"{day};{area};NONLOCAL;HABITUELLEMENT PRÉSENT;5000")
        return self

    def write(self, encoding: str = "cp1252") -> str:
        for which, rows in self.rows.items():
            text = "\r\n".join([HEAD, *rows]) + "\r\n"
            (self.folder / f"frequentation_{which}.csv").write_bytes(text.encode(encoding))
        return str(self.folder)


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export(tmp_path / "in")


def fetch(estuary, folder: str, **more: object):
    return estuary.fetch(NOW, kind="flux-vision", folder=folder, **more)


@pytest.mark.parametrize("encoding", ["cp1252", "utf-8", "utf-8-sig"])
def test_influx_is_nights_and_day_trips_without_residents(estuary, export, encoding) -> None:
    export.day("2026-07-13", "HONFLEUR", 3000, 2000).day("2026-07-13", "Ailleurs", 50, 50)
    done = fetch(estuary, export.write(encoding))
    assert (done.errors, done.refused) == ([], [])
    # Areas whose name is that of a zone need no mapping; others are counted.
    assert estuary.days("influx", "influx") == {("01234", "", "2026-07-13"): 5100.0}
    assert done.unplaced == {"Ailleurs": 3}
    assert fetch(estuary, str(export.folder)).new == 0


def test_areas_make_up_zones_and_a_missing_one_leaves_the_day_out(estuary, export) -> None:
    for day in ("2026-07-13", "2026-07-14"):
        export.day(day, "Deauville", 1000, 500)
    export.day("2026-07-13", "Trouville", 800, 300)
    done = fetch(estuary, export.write(), zones={"Deauville": "01234", "TROUVILLE": "14220"})
    assert estuary.days("influx", "influx") == {("01234", "", "2026-07-13"): 2800.0}
    assert "zone 01234, 2026-07-14: left out, days: an area of the zone is missing" in done.refused


def test_a_zone_wide_zero_is_a_failure_and_not_stored(estuary, export) -> None:
    for day, nights in (("2026-07-12", 900), ("2026-07-13", 0), ("2026-07-14", 1100)):
        export.day(day, "HONFLEUR", nights, 200)
    done = fetch(estuary, export.write())
    assert [key[2] for key in estuary.days("influx", "influx")] == ["2026-07-12", "2026-07-14"]
    (line,) = done.refused
    assert line.startswith("zone 01234, 2026-07-13: left out, nights: zero in the whole zone")
    assert "the days beside have 900, 1100; a failure of the delivery" in line
    assert done.notes == ["zone-days left out, as nights or day trips are missing: 1"]


def test_an_area_at_zero_makes_no_smaller_zone(estuary, export) -> None:
    for day, nights in (("2026-07-12", 900), ("2026-07-13", 0), ("2026-07-14", 1100)):
        export.day(day, "Deauville", nights, 200).day(day, "Trouville", 800, 300)
        export.day(day, "Hameau", 0 if nights else 20, 20)
    zones = dict.fromkeys(("Deauville", "Trouville", "Hameau"), "01234")
    done = fetch(estuary, export.write(), zones=zones)
    assert [key[2] for key in estuary.days("influx", "influx")] == ["2026-07-12", "2026-07-14"]
    (line,) = done.refused
    assert line.startswith("zone 01234, 2026-07-13: left out, nights: zero in Deauville, which is")


def test_nothing_below_twenty_is_believed(estuary, export) -> None:
    export.day("2026-07-12", "HONFLEUR", 900, 19).day("2026-07-13", "HONFLEUR", 900, 20)
    export.day("2026-07-14", "HONFLEUR", 900, 0)
    done = fetch(estuary, export.write())
    assert estuary.days("influx", "influx") == {
        ("01234", "", "2026-07-13"): 1020.0,
        ("01234", "", "2026-07-14"): 1000.0,
    }
    assert "frequentation_journee.csv, line 2, column Volume" in done.refused[0]
    assert "('19'); expected 0, or a whole number from 20" in done.refused[0]


def test_overlapping_files_count_once_and_contradictions_not_at_all(estuary, export) -> None:
    export.day("2026-07-12", "HONFLEUR", 900, 200).day("2026-07-13", "HONFLEUR", 900, 200)
    folder = export.write()
    again = [HEAD, *export.rows["nuitee"][:1], "2026-07-13;HONFLEUR;NONLOCAL;TOURISTE;950"]
    (export.folder / "frequentation_nuitee_bis.csv").write_text("\n".join(again) + "\n")
    done = fetch(estuary, folder)
    assert estuary.days("influx", "influx") == {("01234", "", "2026-07-12"): 1200.0}
    assert "another row says otherwise of the same day, area (HONFLEUR)" in done.refused[0]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("2026-07-13;HONFLEUR;NONLOCAL;TRANSIT;500", "column CategorieVisiteur: the label 'TRANS"),
        ("2026-07-13;HONFLEUR;TOTAL;TOURISTE;500", "column Provenance: the label 'TOTAL' is unkn"),
    ],
)
def test_a_label_that_no_option_names_is_refused(estuary, export, row, said) -> None:
    export.day("2026-07-13", "HONFLEUR", 900, 200)
    export.rows["nuitee"].append(row)
    folder = export.write()
    done = fetch(estuary, folder)
    assert done.exit_code == 1 and "nuitee.csv, line 4" in done.errors[0] and said in done.errors[0]
    assert estuary.lake.read(sources=["influx"]).empty
    done = fetch(
        estuary, folder, other_categories=["RESIDENT", "TRANSIT", "HABITUELLEMENT PRESENT"],
        other_provenances=["TOTAL"],
    )  # fmt: skip
    assert estuary.days("influx", "influx") == {("01234", "", "2026-07-13"): 1200.0}


def test_nights_without_day_trips_are_no_influx(estuary, export) -> None:
    export.day("2026-07-13", "HONFLEUR", 900, 200).write()
    (export.folder / "frequentation_journee.csv").unlink()
    done = fetch(estuary, str(export.folder))
    assert done.exit_code == 1
    assert "no file of days in all; expected one whose name contains 'journee'" in done.errors[0]


def test_detailed_files_give_the_shares_of_origins_and_no_influx(estuary, export) -> None:
    export.day("2026-07-13", "HONFLEUR", 1000, 200).write()
    rows = ["NONLOCAL;TOURISTE;500;Paris", "LOCAL;TOURISTE;250;SEINE-MARITIME",
            "NONLOCAL;TOURISTE;50;Corse-du-Sud", "LOCAL;RESIDENT;9000;Calvados"]  # fmt: skip
    text = [HEAD + ";NomDepartement", *(f"2026-07-13;HONFLEUR;{row}" for row in rows)]
    (export.folder / "frequentation_nuitee_fr.csv").write_text("\n".join(text) + "\n")
    text = [HEAD + ";Pays", "2026-07-13;HONFLEUR;ETRANGER;TOURISTE;250;Belgique"]
    (export.folder / "frequentation_nuitee_int.csv").write_text("\n".join(text) + "\n")
    done = fetch(estuary, str(export.folder))
    assert estuary.days("influx", "influx") == {("01234", "", "2026-07-13"): 1300.0}
    (note,) = done.notes
    assert note.endswith("# without 5% from elsewhere")
    table = tomllib.loads(note)
    assert table["origin_markets"] == [
        {"country": "FR", "school": "Zone C", "share": 0.5},
        {"country": "BE", "share": 0.25},
        {"country": "FR", "school": "Zone B", "share": 0.25},
    ]
    zone = {"id": "z", "name": "Z", "population": 1, "latitude": 49.0, "longitude": 0.0}
    RunConfig.model_validate({"id": "t", "name": "T", "zones": [zone], **table})


LABELS = Labels(("TOURISTE",), ("RESIDENT",), ("LOCAL",), ())
GOOD = f"{HEAD}\n2026-07-13;A;LOCAL;TOURISTE;500\n2026-07-14;A;LOCAL;TOURISTE;0\n".encode()

Edited = Callable[[bytes, list[tuple[int, int]]], bytes]
EDITS = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), min_size=1, max_size=6)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), EDITS)
def test_any_file_is_read_or_refused(
    edited: Edited, noise: bytes, edits: list[tuple[int, int]]
) -> None:
    for data in (noise, edited(GOOD, edits), GOOD + noise):
        findings = Findings(keep=EVERY_ROW)
        try:
            typed = read_table(Document("n.csv", data), EXPORT, Place.of(None), findings)
            rows, _ = once(presence(typed, LABELS, findings))
            daily(rows, {"A": "01234"}, "nights")
        except ProviderError as error:
            assert "n.csv" in str(error)
