"""The kinds of problems a check can find, most important first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Kind:
    """``severity``, a short ``title``, and a sentence for the documentation."""

    severity: Literal["error", "warning"]
    title: str
    meaning: str
    whole_file: bool = False


def _file(title: str, meaning: str) -> Kind:
    return Kind("error", title, meaning, whole_file=True)


def _row(title: str, meaning: str) -> Kind:
    return Kind("error", title, meaning)


def _hint(title: str, meaning: str) -> Kind:
    return Kind("warning", title, meaning)


KINDS: dict[str, Kind] = {
    "territory": _file("territory.toml", "territory.toml is absent or breaks its rules"),
    "no_file": _file("no recognised file", "the folder holds no file of the contract"),
    "source_twice": _file("source given twice", "both the CSV and the Parquet file are there"),
    "unreadable": _file("unreadable file", "the file cannot be opened, is empty or is corrupt"),
    "encoding": _file("encoding", "neither UTF-8, UTF-16 with a mark nor Windows-1252"),
    "delimiter": _file("delimiter", "nothing decides which character separates the columns"),
    "duplicate_column": _file("duplicate column", "two columns have the same name"),
    "missing_column": _file("missing column", "a column the source needs is absent"),
    "column_type": _file("column type", "a Parquet column has a type that does not fit"),
    "month_first": _file("month first", "dates are written MM/DD/YYYY, or may be"),
    "truncated": _row("truncated last line", "the last line stops before its last column"),
    "nul_bytes": _row("NUL bytes", "a line holds NUL characters, as after a failed copy"),
    "ragged_row": _row("ragged row", "a row has fewer or more cells than the header"),
    "quotes": _row("broken quotes", "a quote is opened and not closed, or closed too early"),
    "empty_cell": _row("empty cell", "a cell that identifies the row is empty"),
    "unknown_zone": _row("unknown zone", "the zone is not in territory.toml"),
    "not_a_date": _row("not a date", "the cell is not a civil day"),
    "not_an_instant": _row("not an instant", "the cell is not a day with an hour"),
    "ambiguous_date": _row("ambiguous date", "the cell has more than one reading"),
    "not_a_number": _row("not a number", "the cell is not a number"),
    "ambiguous_number": _row("ambiguous number", "decimal or thousands separator: undecided"),
    "out_of_bounds": _row("out of bounds", "the number is outside the column's bounds"),
    "date_in_future": _row("day not over", "a measurement of a day that is not over"),
    "available_in_future": _row("available in the future", "available_at is later than now"),
    "available_too_early": _row("available too early", "known before it could be known"),
    "forecast_of_past": _row("forecast of the past", "the day is before the forecast's issue"),
    "end_before_start": _row("end before start", "an event ends before it starts, or never"),
    "conflicting_rows": _row("conflicting rows", "two rows say different things of one fact"),
    "unknown_column": _hint("unknown column", "a column the contract does not know; ignored"),
    "unknown_file": _hint("unknown file", "a file the contract does not know; ignored"),
    "duplicate_row": _hint("duplicate row", "the same row twice; the later one is dropped"),
    "zone_without_rows": _hint("zone without rows", "a zone of the territory has no row"),
    "stopped": _hint("site stopped", "a site ends well before the others of its file"),
    "zeros": _hint("zeros", "zeros in a series that is rarely zero: an outage?"),
    "flat_line": _hint("flat line", "the same value seven days running or more"),
    "spike": _hint("spike", "far from the same weekday of the neighbouring weeks"),
    "unit": _hint("unit", "values look as if in another unit"),
    "gap": _hint("gap", "days are missing inside a series"),
    "short_history": _hint("short history", "too few days to learn from"),
    "unfinished_line": _hint("no final line break", "the last line may have been cut"),
}
"""Every kind, most important first."""

BLOCKING = frozenset(name for name, kind in KINDS.items() if kind.whole_file)
"""Kinds that refuse a whole file, even when bad rows are skipped."""
