"""Encodings, delimiters, headers, rows and their line numbers."""

from __future__ import annotations

import codecs
import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.ingest.contract import CONTRACT
from forecast.ingest.decoding import EncodingFault, decode
from forecast.ingest.raw import RawTable
from forecast.ingest.reading import parse_csv
from forecast.ingest.report import Findings, Problem

MOBILITY = CONTRACT["mobility"]


def read(text: str) -> tuple[RawTable | None, list[Problem]]:
    findings = Findings()
    table = parse_csv("mobility.csv", text, MOBILITY, findings)
    return table, list(findings.report().problems)


@pytest.mark.parametrize(
    "data",
    [
        "Fête".encode(),
        "Fête".encode("cp1252"),
        codecs.BOM_UTF8 + "Fête".encode(),
        codecs.BOM_UTF16_LE + "Fête".encode("utf-16-le"),
        codecs.BOM_UTF16_BE + "Fête".encode("utf-16-be"),
    ],
)
def test_encodings_of_french_offices(data: bytes) -> None:
    assert decode(data) == "Fête"


@pytest.mark.parametrize(
    ("data", "what", "line"),
    [
        ("a\nFête\nÉté ".encode() + b"\xff", "mixes", 3),
        ("zone_id;date".encode("utf-16-le"), "UTF-16 without", 1),
        (b"a\n\x81\x8d\xe9", "neither", 2),
        (codecs.BOM_UTF8 + b"\xe9", "announces", 1),
    ],
)
def test_undecidable_encodings_are_refused(data: bytes, what: str, line: int) -> None:
    fault = decode(data)
    assert isinstance(fault, EncodingFault)
    assert what in fault.what
    assert fault.line == line


@pytest.mark.parametrize("delimiter", [";", ",", "\t"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_delimiters_and_line_ends(delimiter: str, end: str) -> None:
    lines = [["Zone ID", "SITE_ID", "Dâte", "count"], ["1", "P", "2026-01-01", "3"]]
    table, problems = read(end.join(delimiter.join(line) for line in lines) + end)
    assert problems == []
    assert table is not None
    assert {name: cells.tolist() for name, cells in table.columns.items()} == {
        "zone_id": ["1"],
        "site_id": ["P"],
        "date": ["2026-01-01"],
        "count": ["3"],
    }


def test_line_numbers_survive_quoted_breaks_blank_lines_and_excels_first_line() -> None:
    table, problems = read(
        "\r\nsep=;\r\nzone_id;site_id;date;count\r\n"
        '1;"a\r\nb";d;1\r\n\r\n;;;\r\n2;"say ""x""";d;2;;\r\n'
    )
    assert problems == []
    assert table is not None
    assert table.line.tolist() == [4, 8]
    assert table.columns["site_id"].tolist() == ["a\r\nb", 'say "x"']


def test_a_stray_quote_costs_its_own_line() -> None:
    table, problems = read('zone_id;site_id;date;count\n1;"a;d;1\n2;b;d;2\n3;"c"x;d;3\n4;d;d;4\n')
    assert [(p.kind, p.line) for p in problems] == [("quotes", 2), ("quotes", 4)]
    assert table is not None
    assert table.columns["zone_id"].tolist() == ["2", "4"]


def test_a_cell_longer_than_csv_allows_is_a_problem_not_a_crash() -> None:
    limit = csv.field_size_limit(1000)
    try:
        table, problems = read(f"zone_id;site_id;date;count\n1;{'a' * 2000};d;1\n2;b;d;2\n")
    finally:
        csv.field_size_limit(limit)
    assert [p.kind for p in problems] == ["quotes"]
    assert table is not None
    assert table.columns["zone_id"].tolist() == ["2"]


def test_ragged_and_truncated_rows() -> None:
    table, problems = read("zone_id,site_id,date,count\n1,a,d,1,5\n2,b\n3,c,d,1\n4,d,2026-0")
    assert [(p.kind, p.line) for p in problems] == [
        ("truncated", 5),
        ("ragged_row", 2),
        ("ragged_row", 3),
    ]
    assert "decimal comma" in problems[1].advice
    assert table is not None
    assert table.bad.tolist() == [True, True, False, True]


def test_a_last_line_without_break_may_be_cut() -> None:
    _, problems = read("zone_id,site_id,date,count\n1,a,d,12")
    assert [(p.kind, p.severity, p.line) for p in problems] == [("unfinished_line", "warning", 2)]


def test_nul_characters_are_named_with_their_line() -> None:
    table, problems = read("zone_id,site_id,date,count\n1,a,d,1\n2,b\0,d,2\n")
    assert [(p.kind, p.line) for p in problems] == [("nul_bytes", 3)]
    assert table is not None
    assert table.bad.tolist() == [False, True]


def test_headers() -> None:
    table, problems = read("zone_id;site;date;COUNT;count;colour\n")
    assert table is None
    assert [(p.kind, p.column) for p in problems] == [
        ("duplicate_column", "count"),
        ("missing_column", "site_id"),
        ("unknown_column", "colour"),
        ("unknown_column", "site"),
    ]
    assert problems[3].advice == "did you mean site_id?"


@pytest.mark.parametrize(
    ("text", "kind"),
    [("", "unreadable"), ("\n \n", "unreadable"), ("zone_id;site_id,date\n", "delimiter")],
)
def test_files_that_cannot_be_read(text: str, kind: str) -> None:
    table, problems = read(text)
    assert table is None
    assert [p.kind for p in problems] == [kind]


@given(st.text(alphabet='zone_idsatcu;,\t"\r\n \0é=0123456789', max_size=300))
def test_any_text_gives_a_table_or_a_problem(text: str) -> None:
    for body in (text, "zone_id;site_id;date;count\n" + text):
        table, problems = read(body)
        assert table is not None or any(p.severity == "error" for p in problems)
