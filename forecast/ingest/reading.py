"""From the text of a CSV file to its columns of cells: delimiter, header, rows, line numbers."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from forecast.ingest.contract import SourceTable
from forecast.ingest.decoding import EncodingFault, decode
from forecast.ingest.raw import RawTable, check_header, match_columns
from forecast.ingest.report import Findings
from forecast.ingest.shape import to_columns

DELIMITERS = {";": "semicolon", ",": "comma", "\t": "tab"}

Rows = tuple[list[int], list[list[str]]]


def read_csv(path: Path, table: SourceTable, findings: Findings) -> RawTable | None:
    """Read a CSV file as text, or record why it cannot be read and return None."""
    file = path.name
    try:
        data = path.read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        findings.add(
            "unreadable", file, f"the file cannot be read ({reason})", advice="check its rights"
        )
        return None
    text = decode(data)
    if isinstance(text, EncodingFault):
        findings.add(
            "encoding", file, text.what, line=text.line, value=text.value, advice=text.advice
        )
        return None
    return parse_csv(file, text, table, findings)


def parse_csv(file: str, text: str, table: SourceTable, findings: Findings) -> RawTable | None:
    """Split decoded text into columns; see :func:`read_csv`."""
    skipped, body, given = _preamble(text)
    if not body.strip(" \t\r\n;,\0\ufeff"):
        findings.add("unreadable", file, "the file is empty", expected="a header and rows")
        return None
    delimiter = given or _delimiter(file, body, table, findings, skipped + 1)
    if delimiter is None:
        return None
    lines, rows = _rows(file, body, delimiter, skipped, findings)
    header = [cell.strip("\ufeff") for cell in rows[0]] if rows else []
    while header and not header[-1].strip():
        header.pop()
    places = check_header(file, header, table, findings, line=skipped + 1)
    if places is None:
        return None
    return to_columns(file, text, lines[1:], rows[1:], len(header), places, findings)


def _preamble(text: str) -> tuple[int, str, str]:
    """Leading blank lines and Excel's ``sep=;`` line: how many, the rest, the delimiter given."""
    skipped, given = 0, ""
    while True:
        line, end, rest = _first_line(text)
        if line.strip().casefold().startswith("sep=") and not given:
            given = line.strip("\r\n")[-1:]
            given = given if given in DELIMITERS else ""
        elif line.strip() or not end:
            return skipped, text, given
        skipped, text = skipped + 1, rest


def _first_line(text: str) -> tuple[str, bool, str]:
    line = io.StringIO(text, newline="").readline()
    return line.rstrip("\r\n"), line.endswith(("\r", "\n")), text[len(line) :]


def _delimiter(
    file: str, body: str, table: SourceTable, findings: Findings, line: int
) -> str | None:
    """The delimiter under which the header shows most columns of the contract."""
    header = _first_line(body)[0]
    scores = {}
    for delimiter in DELIMITERS:
        names = next(csv.reader([header[:10_000]], delimiter=delimiter), [])
        scores[delimiter] = sum(match is not None for match in match_columns(names, table))
    best = max(scores.values())
    winners = [d for d in DELIMITERS if scores[d] == best and (d in header or best > 1)]
    if len(winners) == 1:
        return winners[0]
    if not winners:
        # One column: no delimiter at all, and the missing columns say so better.
        return ";"
    findings.add(
        "delimiter",
        file,
        f"the header can be split by {' or '.join(DELIMITERS[d] for d in winners)}",
        line=line,
        value=header[:60],
        expected=f"a header like {';'.join(table.schema.names[:4])}",
        advice="write the header with the contract's names and one delimiter",
    )
    return None


def _rows(file: str, body: str, delimiter: str, skipped: int, findings: Findings) -> Rows:
    """Rows and the line each starts on. A stray quote costs its own line, not the file."""
    try:
        return _collect(
            csv.reader(io.StringIO(body, newline=""), delimiter=delimiter, strict=True), skipped
        )
    except csv.Error:
        pass
    lines: list[int] = []
    rows: list[list[str]] = []
    broken: list[tuple[int, str]] = []
    for number, line in enumerate(io.StringIO(body, newline=""), start=skipped + 1):
        try:
            row = next(csv.reader([line], delimiter=delimiter, strict=True), [])
        except csv.Error:
            broken.append((number, line))
            if rows:
                continue
            row = line.rstrip("\r\n").split(delimiter)
        lines.append(number)
        rows.append(row)
    findings.add_rows(
        "quotes",
        file,
        "a quote is not closed on its line or stands inside a cell, or the cell has no end",
        np.array([number for number, _ in broken], dtype=np.int64),
        [line.strip() for _, line in broken],
        advice="double a quote that belongs to the text, and keep cells on one line",
    )
    return lines, rows


def _collect(reader: Iterator[list[str]], skipped: int) -> Rows:
    lines: list[int] = []
    rows: list[list[str]] = []
    line = skipped
    for row in reader:
        lines.append(line + 1)
        rows.append(row)
        line = skipped + reader.line_num  # type: ignore[attr-defined]
    return lines, rows
