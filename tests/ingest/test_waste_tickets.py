"""Weighbridge tickets: files in, tonnes of round-days out, in a real lake."""

from __future__ import annotations

import io
from collections.abc import Callable

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from forecast.config import RunConfig
from forecast.errors import ProviderError
from forecast.ingest.documents import Document
from forecast.ingest.overlaps import once
from forecast.ingest.place import Place
from forecast.ingest.providers.waste_tickets import WasteOptions
from forecast.ingest.report import Findings
from forecast.ingest.tabular import EVERY_ROW, read_table
from forecast.ingest.tickets import TICKETS, tickets

NOW = "2026-07-20T09:00Z"
KIND = "waste-tickets"
FRENCH = (
    "Ticket;Date collecte;Code INSEE;Flux;Tournée;Tonnage kg\r\n"
    "A1;14/07/2026;14220;Ordures ménagères;N1;8 420,5\r\n"
    "A2;14/07/2026;14220;OMR;N1;1 579,5\r\n"
    "A3;15/07/2026;76351;Verre;;3 000,0\r\n"
)


def test_french_office_files_become_tonnes_of_round_days(estuary, tmp_path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/pesees.csv").write_bytes(FRENCH.encode("cp1252"))
    done = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path / "in"), glob="*.csv")
    assert (done.errors, done.refused, done.new) == ([], [], 2)
    assert estuary.days("waste", "tonnage") == {
        ("01234", "OMR/N1", "2026-07-14"): 10.0,
        ("200084952", "verre", "2026-07-15"): 3.0,
    }
    later = estuary.fetch("2028-07-20T09:00Z", kind=KIND, folder=str(tmp_path / "in"), glob="*.csv")
    assert later.notes == [
        "tickets of days outside 2027-06-16 to 2028-07-20: 3; give --since, or raise history_days"
    ]
    again = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path / "in"), glob="*.csv")
    assert (again.new, again.known, again.revised) == (0, 2, 0)
    rows = estuary.lake.read(sources=["waste"])
    assert str(rows["available_at"].iloc[0]) == "2026-07-18 06:00:00+00:00"


def test_a_workbook_from_a_url(estuary, replay) -> None:
    book, store = openpyxl.Workbook(), io.BytesIO()
    for row in (["date_collecte", "flux", "zone_id", "poids"], ["14/07/2026", "CS", "01234", 8.42]):
        book.active.append(row)
    book.save(store)
    replay.routes["/p.xlsx"] = [replay.Answer(body=store.getvalue())]
    done = estuary.fetch(NOW, kind=KIND, url=f"{replay.url}/p.xlsx", columns={"tonnage_t": "poids"})
    assert done.errors == []
    assert estuary.days("waste", "tonnage") == {("01234", "CS", "2026-07-14"): 8.42}


def test_rounds_are_shared_among_zones_and_the_rest_is_counted(estuary, tmp_path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_text(
        "date_collecte,flux,tournee,code_insee,tonnage_t\n"
        "2026-07-14,OMR,T1,14220,10\n2026-07-14,OMR,T2,,4\n2026-07-14,OMR,T3,27701,4\n"
        "2026-07-14,OMR,T4,14220,5\n"
    )
    done = estuary.fetch(
        NOW,
        kind=KIND,
        folder=str(tmp_path / "in"),
        rounds={"T1": {"01234": 0.6, "76351": 0.3, "27702": 0.1}, "T4": "200084952"},
    )
    assert estuary.days("waste", "tonnage") == {
        ("01234", "OMR/T1", "2026-07-14"): 6.0,
        ("200084952", "OMR/T1", "2026-07-14"): 3.0,
        ("200084952", "OMR/T4", "2026-07-14"): 5.0,
    }
    assert done.unplaced == {"27702": 1, "27701": 1, "round 'T2', without zone or commune": 1}


def test_overlapping_files_count_a_ticket_once(estuary, tmp_path) -> None:
    (tmp_path / "in").mkdir()
    head = "ticket,date_collecte,flux,tournee,zone_id,tonnage_t\n"
    first = "1,2026-07-13,OMR,A,01234,5\n2,2026-07-14,OMR,A,01234,6\n4,2026-07-15,OMR,A,01234,1\n"
    second = "2,2026-07-14,OMR,A,01234,6\n3,2026-07-14,OMR,A,01234,1\n4,2026-07-15,OMR,A,01234,2\n"
    (tmp_path / "in/a.csv").write_text(head + first)
    (tmp_path / "in/b.csv").write_text(head + second)
    done = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path / "in"))
    assert estuary.days("waste", "tonnage") == {
        ("01234", "OMR/A", "2026-07-13"): 5.0,
        ("01234", "OMR/A", "2026-07-14"): 7.0,
    }
    assert done.notes == [
        "tickets given twice, counted once: 1; "
        "round-days left out, as one of their tickets was refused: 1"
    ]
    (line,) = done.refused
    assert line.startswith("b.csv, line 4: ticket '4' was given before with another day")


def test_tickets_without_a_number_are_not_counted_for_each_file(estuary, tmp_path) -> None:
    """Ten loads in two monthly files that share a week, and a day on which the files disagree."""
    (tmp_path / "in").mkdir()
    head = "date_collecte,flux,tournee,zone_id,tonnage_t\n"
    first = "2026-07-12,OMR,A,01234,5\n2026-07-13,OMR,A,01234,5\n2026-07-13,OMR,A,01234,6\n"
    more = "2026-07-14,OMR,A,01234,2\n2026-07-14,OMR,A,01234,3\n2026-07-15,OMR,A,01234,4\n"
    second = first[25:] + "2026-07-13,OMR,A,01234,6\n"  # the day has gone on
    other = "2026-07-14,OMR,A,01234,3\n2026-07-14,OMR,A,01234,9\n2026-07-15,OMR,A,01234,8\n"
    (tmp_path / "in/a.csv").write_text(head + first + more)
    (tmp_path / "in/b.csv").write_text(head + second + other)
    done = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path / "in"))
    assert estuary.days("waste", "tonnage") == {
        ("01234", "OMR/A", "2026-07-12"): 5.0,
        ("01234", "OMR/A", "2026-07-13"): 17.0,
        ("01234", "OMR/A", "2026-07-15"): 12.0,
    }
    assert "tickets given twice, counted once: 2" in done.notes[0]
    (line,) = done.refused
    assert line.startswith("b.csv: tickets without a number of OMR, round 'A', on 2026-07-14 are")


BAD = """\
date_collecte;flux;tournee;zone_id;tonnage_kg
14/07/2026;OMR;A;01234;8420
14/07/2026;OMR;A;01234;quatre
14/07/2026;OMR;B;01234;5000
14/07/2026;gravats;C;01234;5000
31/02/2026;OMR;A;01234;5000
14/08/2026;OMR;A;01234;5000
15/07/2026;OMR;A;01234;842000
16/07/2026;OMR;A;01234;
17/07/2026;OMR;A;01234;-5
18/07/2026;OMR;A
20/07/2026;OMR;B;01234;5000
"""


def test_a_ticket_at_fault_makes_its_round_day_unknown_and_no_other(estuary, tmp_path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_text(BAD)
    done = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path / "in"))
    assert estuary.days("waste", "tonnage") == {("01234", "OMR/B", "2026-07-14"): 5.0}
    said = "\n".join(done.refused)
    for wanted in (
        "a.csv, line 3, column tonnage_kg: the cell is not a number ('quatre'); expected a number",
        "line 5, column flux: the waste is of no known stream ('gravats'); expected CS, OMR",
        "line 6, column date_collecte: there is no such day ('31/02/2026')",
        "line 7, column date_collecte: the day is still to come ('14/08/2026')",
        "line 8, column tonnage_kg: the weight is out of bounds ('842000'); expected 0 to 60,000",
        "line 9, column tonnage_kg: the ticket has no weight; expected a net weight",
        "line 10, column tonnage_kg: the weight is out of bounds ('-5')",
        "line 11: the row has 3 cells; expected 5, as in the header",
    ):
        assert wanted in said
    assert done.refused_rows == len(done.refused) == 8
    assert "tickets that wait for the end of their day: 1" in done.notes[0]
    later = estuary.fetch("2026-07-21T09:00Z", kind=KIND, folder=str(tmp_path / "in"))
    assert later.new == 1


def test_every_refused_row_has_its_sentence() -> None:
    rows = "".join("14/07/2026;OMR;A;01234;x\n" for _ in range(40))
    document = Document("a.csv", f"date_collecte;flux;tournee;zone_id;tonnage_kg\n{rows}".encode())
    findings = Findings(keep=EVERY_ROW)
    read_table(document, TICKETS, Place.of(None), findings)
    assert len(findings.report().problems) == 40


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("date_collecte;flux;tonnage\n", "there is no column tonnage_kg or tonnage_t"),
        ("flux;tonnage_kg\nOMR;1\n", "there is no column date_collecte"),
        ("", "the file is empty"),
        ("date_collecte,flux,tonnage_kg\n07/14/2026,OMR,1\n", "month"),
        (
            "date_collecte,flux,tonnage_kg\n" + "2026-07-14,OMR,8.4\n" * 6,
            "weigh less than 8.4 kg, which looks like tonnes",
        ),
        ("date_collecte,flux,tonnage_kg\n2026-07-14,\x81\xe9,1\n", "neither UTF-8 nor"),
    ],
)
def test_files_that_cannot_be_understood_store_nothing(estuary, tmp_path, text, said) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in/a.csv").write_bytes(text.encode("latin-1"))
    done = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path / "in"))
    assert done.exit_code == 1 and said in done.errors[0] and "a.csv" in done.errors[0]
    assert estuary.lake.read(sources=["waste"]).empty


def test_places_that_hold_nothing_are_named(estuary, tmp_path) -> None:
    done = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path / "nowhere"))
    assert done.exit_code == 2 and "nowhere: there is no such folder" in done.errors[0]
    done = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path), glob="*.pesees")
    assert done.exit_code == 1 and "holds no file that *.pesees describes" in done.errors[0]
    (tmp_path / "a.csv").write_text(FRENCH)
    done = estuary.fetch(NOW, kind=KIND, folder=str(tmp_path), glob="a.csv", columns={"x": "y"})
    assert done.exit_code == 2 and "there is no column 'x' to name" in done.errors[0]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({}, "expected one of url and folder"),
        ({"url": "https://x", "folder": "/x"}, "expected one of url and folder"),
        ({"folder": "pesees"}, "expected an absolute path"),
        ({"url": "ftp://x"}, "begins with https://"),
        ({"folder": "/x", "streams": {"DIB": "gravats"}}, "expected one of CS, OMR"),
        ({"folder": "/x", "rounds": {"A": {"01234": 0.5}}}, "sum to 1"),
    ],
)
def test_options_are_checked_before_anything_is_read(table: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        WasteOptions.model_validate(table)


Edited = Callable[[bytes, list[tuple[int, int]]], bytes]
EDITS = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), min_size=1, max_size=6)


def place() -> Place:
    zone = {"id": "01234", "name": "Z", "population": 1, "latitude": 49.0, "longitude": 0.0}
    return Place.of(RunConfig.model_validate({"id": "t", "name": "T", "zones": [zone]}))


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=200), EDITS)
def test_any_file_is_read_or_refused(
    edited: Edited, noise: bytes, edits: list[tuple[int, int]]
) -> None:
    for data in (noise, edited(BAD.encode(), edits), BAD.encode() + noise):
        findings = Findings(keep=EVERY_ROW)
        try:
            typed = read_table(Document("a.csv", data), TICKETS, place(), findings)
            once(tickets(typed, {}, {}, 20_654, findings))
        except ProviderError as error:
            assert "a.csv" in str(error)
