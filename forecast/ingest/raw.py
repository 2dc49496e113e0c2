"""A file as read, before any cell is understood, and its first lines being understood.

``cells`` of a column is either an array of text (CSV; an empty cell is ``""``) or a typed
series (Parquet).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np
import pandas as pd

from forecast.ingest.contract import SourceTable
from forecast.ingest.report import Bools, Findings, Ints


@dataclass
class RawTable:
    """Columns the contract knows, by its names; ``line`` of each row; ``bad`` rows so far."""

    file: str
    columns: dict[str, pd.Series]
    line: Ints
    bad: Bools

    def __len__(self) -> int:
        return len(self.line)


def fold(name: str) -> str:
    """A name without case, accents, spaces or punctuation.

    >>> fold("Zone ID"), fold("ÉVÉNEMENT ")
    ('zoneid', 'evenement')
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]", "", plain.casefold())


def match_columns(header: Sequence[str], table: SourceTable) -> list[str | None]:
    """The contract's name of each column of a header, None where there is none."""
    known = {fold(name): name for name in table.schema.names}
    return [known.get(fold(name)) for name in header]


def check_header(
    file: str, header: Sequence[str], table: SourceTable, findings: Findings, line: int | None = 1
) -> dict[str, int] | None:
    """Place of each known column, or None if the header refuses the file."""
    matches = match_columns(header, table)
    places: dict[str, int] = {}
    ok = True
    for place, (name, match) in enumerate(zip(header, matches, strict=True)):
        if match is None:
            _unknown_column(file, name, table, findings, line)
        elif match in places:
            ok = False
            findings.add(
                "duplicate_column",
                file,
                f"columns {places[match] + 1} and {place + 1} are both {match}",
                line=line,
                column=match,
                advice="keep one of them",
            )
        else:
            places[match] = place
    needed = [c.name for c in table.schema.columns if c.required] + list(table.needs)
    missing = [name for name in needed if name not in places]
    if not table.needs and not any(name in places for name in table.variables):
        missing.append(" or ".join(table.variables))
    for name in missing:
        findings.add(
            "missing_column",
            file,
            f"there is no column {name}",
            line=line,
            column=name,
            expected=f"a header with {', '.join(needed) or name}",
            advice=f"the header reads: {', '.join(n for n in header if n)[:200] or '(nothing)'}",
        )
    return places if ok and not missing else None


def _unknown_column(
    file: str, name: str, table: SourceTable, findings: Findings, line: int | None
) -> None:
    if not name.strip():
        return
    near = get_close_matches(fold(name), [fold(n) for n in table.schema.names], n=1, cutoff=0.6)
    meant = next((n for n in table.schema.names if near and fold(n) == near[0]), "")
    findings.add(
        "unknown_column",
        file,
        "the contract has no such column; it is ignored",
        line=line,
        column=name.strip()[:64],
        advice=f"did you mean {meant}?" if meant else "remove it, or see docs/input-contract.md",
    )


def text_series(cells: Sequence[str]) -> pd.Series:
    """Cells as text, without spaces (no-break ones included) at either end."""
    series = pd.Series(np.asarray(cells, dtype=object), dtype="str")
    return series.str.strip(" \t\r\n\f\v\u00a0\u202f\u2007\u2009\ufeff")
