"""From the cells of a file to typed columns: text, numbers, days, instants."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.ingest.contract import SourceTable
from forecast.ingest.moments import Moments, parse_days, parse_instants
from forecast.ingest.numerals import Refusal, parse_numbers
from forecast.ingest.place import Place
from forecast.ingest.raw import RawTable
from forecast.ingest.report import Bools, Findings, Ints
from forecast.tables import Column

NAT = int(np.iinfo(np.int64).min)
"""No day or no instant, in the integer columns of :class:`Typed`."""


@dataclass
class Typed:
    """A file understood: text as str, numbers as float64 (NaN: empty), days since 1970 and
    instants [µs since 1970 UTC] as int64 (:data:`NAT`: empty). ``bad`` marks refused rows.
    """

    raw: RawTable
    columns: dict[str, npt.NDArray[np.generic] | pd.Series]
    bad: Bools

    def __len__(self) -> int:
        return len(self.bad)

    @property
    def file(self) -> str:
        """Name of the file."""
        return self.raw.file

    @property
    def line(self) -> Ints:
        """Line of each row."""
        return self.raw.line

    def text(self, name: str) -> pd.Series:
        """A text column; empty cells where the file has no such column."""
        if name not in self.columns:
            return pd.Series([""] * len(self), dtype="str")
        return pd.Series(self.columns[name], dtype="str")

    def integers(self, name: str) -> Ints:
        """A column of days or instants; all :data:`NAT` where the file has no such column."""
        if name not in self.columns:
            return np.full(len(self), NAT)
        return np.asarray(self.columns[name], dtype=np.int64)

    def numbers(self, name: str) -> npt.NDArray[np.float64]:
        """A column of numbers; all NaN where the file has no such column."""
        if name not in self.columns:
            return np.full(len(self), np.nan)
        return np.asarray(self.columns[name], dtype=np.float64)

    def shown(self, name: str, rows: Ints) -> list[str]:
        """Cells of a column as the file writes them."""
        if name not in self.raw.columns:
            return [""] * len(rows)
        return ["" if pd.isna(v) else str(v) for v in self.raw.columns[name].iloc[rows]]

    def refuse(
        self, cells: Bools, kind: str, what: str, findings: Findings, column: str, **details: str
    ) -> None:
        """Record the cells of ``column`` in rows not refused for their shape, and refuse them."""
        cells = cells & ~self.raw.bad
        rows = np.flatnonzero(cells)
        if len(rows):
            values = self.shown(column, rows[:10])
            values += [""] * (len(rows) - len(values))
            findings.add_rows(
                kind, self.file, what, self.line[rows], values, column=column, **details
            )
            self.bad |= cells


def understand(raw: RawTable, table: SourceTable, place: Place, findings: Findings) -> Typed | None:
    """Give every cell its type; None if a column cannot be understood at all."""
    typed = Typed(raw, {}, raw.bad.copy())
    ok = True
    for column in table.schema.columns:
        if column.name in raw.columns:
            ok &= _understand_column(typed, column, place, findings)
    return typed if ok else None


def _understand_column(typed: Typed, column: Column, place: Place, findings: Findings) -> bool:
    # The cells of rows that are refused already decide nothing about the column.
    cells = typed.raw.columns[column.name]
    refusals: list[Refusal] = []
    is_text = isinstance(cells.dtype, pd.StringDtype)
    if is_text and typed.raw.bad.any():
        cells = cells.where(~typed.raw.bad, "")
    if column.kind == "text":
        typed.columns[column.name] = cells
        empty = (cells == "").to_numpy()
    elif column.kind in ("number", "integer"):
        if is_text:
            numbers = parse_numbers(cells)
            values, refusals = numbers.read, numbers.refusals
            empty = (cells == "").to_numpy()
        else:
            values = cells.to_numpy(dtype=np.float64)
            empty = np.isnan(values)
        typed.columns[column.name] = values
    else:
        moments = _moments(cells, column, place, is_text)
        refusals = moments.refusals
        if moments.month_first is not None:
            row = moments.month_first
            findings.add(
                "month_first",
                typed.file,
                "the second number is no month, and no cell shows the day first",
                line=int(typed.line[row]),
                column=column.name,
                value=typed.shown(column.name, np.array([row]))[0],
                expected="days before months (14/07/2026) or 2026-07-14",
                advice="export the dates as 2026-07-14",
            )
            return False
        if column.kind == "date":
            micros = moments.when.as_unit("us").asi8
            typed.columns[column.name] = np.where(micros == NAT, NAT, micros // 86_400_000_000)
        else:
            typed.columns[column.name] = moments.when.as_unit("us").asi8
        empty = (cells == "").to_numpy() if is_text else cells.isna().to_numpy()
    for refusal in refusals:
        typed.refuse(
            refusal.cells,
            refusal.kind,
            refusal.what,
            findings,
            column.name,
            expected=refusal.expected,
            advice=refusal.advice,
        )
    if column.required:
        typed.refuse(
            empty,
            "empty_cell",
            "the cell is empty",
            findings,
            column.name,
            expected=f"{column.meaning}, in every row",
        )
    return True


def _moments(cells: pd.Series, column: Column, place: Place, is_text: bool) -> Moments:
    if is_text:
        return parse_days(cells) if column.kind == "date" else parse_instants(cells, place.timezone)
    values = pd.DatetimeIndex(cells)
    if column.kind == "instant" and values.tz is None:
        utc, wrong = place.to_utc(values)
        refusals = [
            Refusal(
                wrong,
                "ambiguous_date",
                "the change of the clocks skips or repeats this local hour",
                "an instant with its time zone",
                "write timestamps in UTC",
            )
        ]
        return Moments(utc, refusals if wrong.any() else [])
    return Moments(values)
