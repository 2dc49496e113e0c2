"""Workbooks: their cells as text, and the ways they break."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
from collections.abc import Callable
from contextlib import suppress

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ProviderError
from forecast.ingest.spreadsheets import is_xlsx, read_xlsx


def workbook(rows: list[list[object]], title: str = "Pesées") -> bytes:
    book, store = openpyxl.Workbook(), io.BytesIO()
    book.active.title = title
    for row in rows:
        book.active.append(row)
    book.create_sheet("Autre").append(["vide"])
    book.save(store)
    return store.getvalue()


def rewritten(data: bytes, member: str, old: bytes, new: bytes) -> bytes:
    """The workbook with one part changed."""
    source, store = zipfile.ZipFile(io.BytesIO(data)), io.BytesIO()
    with zipfile.ZipFile(store, "w") as archive:
        for name in source.namelist():
            content = source.read(name)
            if name == member:
                assert old in content
                content = content.replace(old, new)
            archive.writestr(name, content)
    return store.getvalue()


ROWS: list[list[object]] = [
    ["date", "tonnage", "commune"],
    [dt.date(2026, 7, 14), 8420, "01234"],
    [],
    [dt.datetime(2026, 7, 15, 8, 30), 1.234, True],
    [None, 0.3, 7.0],
]
BOOK = workbook(ROWS)
SHEET = "xl/worksheets/sheet1.xml"

Edited = Callable[[bytes, list[tuple[int, int]]], bytes]
EDITS = st.lists(st.tuples(st.integers(0, 9999), st.integers(0, 255)), min_size=1, max_size=6)


def test_cells_are_text_that_reads_in_one_way_only() -> None:
    assert is_xlsx(BOOK) and not is_xlsx(b"date;tonnage\n")
    assert read_xlsx(BOOK) == (
        [1, 2, 4, 5],
        [
            ["date", "tonnage", "commune"],
            ["2026-07-14", "8420", "01234"],
            ["2026-07-15T08:30:00", "1.2340", "true"],
            ["", "0.3", "7"],
        ],
    )
    assert read_xlsx(BOOK, "Autre") == ([1], [["vide"]])


def test_an_absent_sheet_is_named_with_those_there_are() -> None:
    with pytest.raises(
        ProviderError, match=r"b\.xlsx has no sheet 'Tri'; it has 'Pesées', 'Autre'"
    ):
        read_xlsx(BOOK, "Tri", name="b.xlsx")


def test_what_is_no_workbook_is_refused() -> None:
    store = io.BytesIO()
    with zipfile.ZipFile(store, "w") as archive:
        archive.writestr("x.csv", "1")
    with pytest.raises(ProviderError, match=r"no \[Content_Types\].xml"):
        read_xlsx(store.getvalue())
    for data in (b"", b"date;tonnage", BOOK[: len(BOOK) // 2]):
        with pytest.raises(ProviderError, match="not a zip archive"):
            read_xlsx(data)


def test_entities_are_refused_before_any_xml_is_read() -> None:
    bomb = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;">]><worksheet '
    for new in (bomb, bomb.decode().encode("utf-16-le")):
        evil = rewritten(BOOK, SHEET, b"<worksheet ", new)
        with pytest.raises(ProviderError, match=r"sheet1\.xml' holds a document type declaration"):
            read_xlsx(evil)


def test_a_row_far_below_ends_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forecast.ingest.spreadsheets.MAX_ROWS", 20_000)
    far = rewritten(BOOK, SHEET, b'<row r="5"', b'<row r="99999999999"')
    numbers, _ = read_xlsx(far)
    assert numbers == [1, 2, 4]


def test_a_broken_part_is_one_clear_error() -> None:
    for member, old, new in (
        (SHEET, b"</sheetData>", b""),
        ("xl/workbook.xml", b"sheetId", b"sheetID"),
        (SHEET, b'<c r="A2"', b'<c r="?2"'),
    ):
        with pytest.raises(ProviderError, match="save it again as 'Classeur Excel"):
            read_xlsx(rewritten(BOOK, member, old, new))


@settings(max_examples=60, deadline=None)
@given(EDITS, st.booleans())
def test_mutated_workbooks_are_read_or_refused(
    edited: Edited, edits: list[tuple[int, int]], inside: bool
) -> None:
    with zipfile.ZipFile(io.BytesIO(BOOK)) as archive:
        part = archive.read(SHEET)
    data = rewritten(BOOK, SHEET, part, edited(part, edits)) if inside else edited(BOOK, edits)
    with suppress(ProviderError):
        read_xlsx(data)
