"""From rows of cells to columns: rows of the wrong length, cut last lines, NUL characters."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from forecast.ingest.raw import RawTable, text_series
from forecast.ingest.report import Findings, Ints


def to_columns(
    file: str,
    text: str,
    lines: list[int],
    rows: list[list[str]],
    width: int,
    places: dict[str, int],
    findings: Findings,
) -> RawTable:
    """Rows as columns; ragged rows are recorded and marked bad, blank ones left out."""
    sizes = np.fromiter(map(len, rows), dtype=np.int64, count=len(rows))
    odd = np.flatnonzero(sizes != width)
    drop, bad_rows = set(), set()
    for i in odd.tolist():
        row = rows[i]
        if not any(cell.strip() for cell in row):
            drop.add(i)
        elif len(row) > width and not any(cell.strip() for cell in row[width:]):
            rows[i] = row[:width]
        else:
            bad_rows.add(i)
            rows[i] = (row + [""] * width)[:width]
    _report_ragged(file, text, lines, rows, sizes, sorted(bad_rows), width, findings)
    kept = [i for i in range(len(rows)) if i not in drop] if drop else range(len(rows))
    columns = list(zip(*(rows[i] for i in kept), strict=True)) or [()] * width
    line = np.array(lines, dtype=np.int64)[list(kept)] if lines else np.zeros(0, dtype=np.int64)
    bad = np.zeros(len(rows), dtype=bool)
    bad[list(bad_rows)] = True
    raw = RawTable(
        file,
        {name: text_series(columns[place]) for name, place in places.items()},
        line,
        bad[list(kept)],
    )
    empty = np.ones(len(raw), dtype=bool)
    for cells in raw.columns.values():
        empty &= (cells == "").to_numpy()
    if empty.any():
        keep = ~empty
        raw = RawTable(
            file,
            {name: cells[keep].reset_index(drop=True) for name, cells in raw.columns.items()},
            raw.line[keep],
            raw.bad[keep],
        )
    if "\0" in text:
        _report_nul(raw, findings)
    return raw


def _report_ragged(
    file: str,
    text: str,
    lines: list[int],
    rows: list[list[str]],
    sizes: Ints,
    bad: Sequence[int],
    width: int,
    findings: Findings,
) -> None:
    complete = text.endswith(("\n", "\r"))
    if rows and not complete:
        if bad and bad[-1] == len(rows) - 1 and sizes[-1] < width:
            bad = bad[:-1]
            findings.add(
                "truncated",
                file,
                f"the last line stops after {sizes[-1]} of {width} cells and has no line break",
                line=lines[-1],
                advice="the file was cut: copy or export it again",
            )
        else:
            findings.add(
                "unfinished_line",
                file,
                "the file does not end with a line break: its last number may have been cut",
                line=lines[-1],
                advice="compare the last line with the origin, or end it with a line break",
            )
    for i in bad:
        many = sizes[i] > width
        findings.add(
            "ragged_row",
            file,
            f"the row has {sizes[i]} cells",
            line=lines[i],
            expected=f"{width}, as in the header",
            advice="a decimal comma in a file delimited by commas must be quoted, or use ;"
            if many
            else "write the missing cells, empty if need be",
        )


def _report_nul(raw: RawTable, findings: Findings) -> None:
    """Mark the rows that hold NUL characters."""
    nul = np.zeros(len(raw), dtype=bool)
    for cells in raw.columns.values():
        nul |= cells.str.contains("\0", regex=False).to_numpy()
    raw.bad |= nul
    findings.add_rows(
        "nul_bytes",
        raw.file,
        "the line holds NUL characters",
        raw.line[nul],
        advice="the file is damaged or was not closed: copy or export it again",
    )
