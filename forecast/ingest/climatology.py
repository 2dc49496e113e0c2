"""Météo-France's daily climatological files, from bytes to what stations measured.

Rows are read as they lie in the file; a value that is doubtful is left out, one that is not
understood is refused with a sentence, and the others stand. A decimal point and a decimal comma are
both read: the files have the one, the provider's interface the other.

Seen in others' code: separator ``;``, UTF-8, the header, empty cells where nothing was measured.
From memory: units (RR mm, TN and TX °C, FXI m/s, INST min) and quality codes (0 protected,
1 validated, 2 doubtful, 9 checked at the first level). A code that is none of these is refused, as
is a value outside the bounds of the input contract; a file of some months whose median is not that
of the supposed unit is refused whole.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from forecast.errors import ProviderError
from forecast.ingest.answers import excerpt
from forecast.ingest.contract import CONTRACT
from forecast.ingest.hours import Floats, Ints


@dataclass(frozen=True)
class Measure:
    """A column of the files, the variable it gives, and how many of its units make one of that.

    ``usual`` are the bounds, in the column's unit, between which the median of the values other
    than zero lies over some months: another unit falls outside.
    """

    column: str
    variable: str
    usual: tuple[float, float]
    per: float = 1.0


RAIN_WIND = (
    Measure("TX", "temperature_max", (-5, 35)),
    Measure("TN", "temperature_min", (-15, 25)),
    Measure("RR", "precipitation", (0.3, 12)),
    Measure("FXI", "wind_gust", (4, 17), per=1 / 3.6),
)
OTHERS = (Measure("INST", "sunshine", (60, 900), per=60),)

_KEYS = ("NUM_POSTE", "LAT", "LON", "AAAAMMJJ")
_TAKEN, _DOUBTFUL = frozenset({"0", "1", "9"}), "2"
_NUMBER = re.compile(r"-?\d{1,7}([.,]\d{1,9})?", re.ASCII)
_DAY = re.compile(rb"\d{8}")
_LONGEST_LINE = 4000
_SENTENCES = 1000
_ENOUGH_DAYS, _ENOUGH_VALUES = 60, 100
"""Distinct days, and values other than zero, from which on a median says what the unit is."""


@dataclass(frozen=True)
class Measured:
    """What stations measured: one entry for each station and day.

    ``station``, ``day`` [days since 1970], ``latitude`` and ``longitude`` [degrees] have shape
    (rows,), as each of ``values``, by variable, in units of the contract, NaN where nothing was
    measured. ``doubtful`` counts the values left out for their quality.
    """

    station: Sequence[str]
    day: Ints
    latitude: Floats
    longitude: Floats
    values: Mapping[str, Floats]
    refused: tuple[str, ...]
    doubtful: int


def parse_measured(
    data: bytes, name: str, measures: Sequence[Measure], since: date, until: date
) -> Measured:
    """Read the rows of a file about the days from ``since`` to ``until``, both included.

    Parameters
    ----------
    data
        The file, unpacked.
    name
        What sentences call it.
    measures
        Columns to read; each needs its column of quality codes.

    Raises
    ------
    ProviderError
        If it is not such a file, none of its rows about these days can be read, or its values are
        plainly in another unit.
    """
    lines = io.BytesIO(data)
    header = lines.readline(_LONGEST_LINE).decode("utf-8-sig", "replace").strip().split(";")
    names = [*_KEYS, *(m.column for m in measures), *(f"Q{m.column}" for m in measures)]
    absent = [column for column in names if column not in header]
    if absent:
        raise ProviderError(
            f"{name}: no column {', '.join(absent)}; expected a daily climatological file of "
            f"Météo-France, it begins with {excerpt(data)}"
        )
    at = {column: header.index(column) for column in names}
    first, last = f"{since:%Y%m%d}".encode(), f"{until:%Y%m%d}".encode()
    reader = _Reader(name, measures, at)
    for number, line in enumerate(lines, start=2):
        cells = line.rstrip(b"\r\n").split(b";")
        if len(cells) == len(header):
            day = cells[at["AAAAMMJJ"]]
            if first <= day <= last or not _DAY.fullmatch(day):
                reader.read(number, [cell.decode("utf-8", "replace").strip() for cell in cells])
        elif line.strip():
            reader.refuse(number, f"has {len(cells)} cells, expected {len(header)}")
    if reader.refused and not reader.station:
        raise ProviderError(f"no row can be read: {reader.refused[0]}")
    reader.check_units()
    return reader.measured()


class _Reader:
    """Rows read so far."""

    def __init__(self, name: str, measures: Sequence[Measure], at: Mapping[str, int]) -> None:
        self.name, self.measures, self.at = name, measures, at
        self.bounds = {m.column: CONTRACT["weather"].schema.column(m.variable) for m in measures}
        self.station: list[str] = []
        self.places: list[tuple[float, ...]] = []
        self.values: list[list[float]] = []
        self.known: set[tuple[str, int]] = set()
        self.given: dict[str, list[float]] = {m.column: [] for m in measures}
        self.refused: list[str] = []
        self.more = self.doubtful = 0

    def refuse(self, line: int, what: str) -> None:
        self.more += len(self.refused) >= _SENTENCES
        if not self.more:
            self.refused.append(f"{self.name}: line {line} {what}")

    def read(self, line: int, cells: Sequence[str]) -> None:
        station, latitude, longitude, day = (cells[self.at[key]] for key in _KEYS)
        if not station:
            return self.refuse(line, "column NUM_POSTE is empty, expected the station's number")
        place = [_number(latitude), _number(longitude)]
        if not (abs(place[0]) <= 90 and abs(place[1]) <= 180):  # NaN is refused too
            shown = f"{latitude[:20]!r}, {longitude[:20]!r}"
            return self.refuse(line, f"columns LAT and LON say {shown}, expected degrees")
        try:
            number = date(int(day[:4]), int(day[4:6]), int(day[6:])).toordinal() - _EPOCH
        except ValueError:
            return self.refuse(line, f"column AAAAMMJJ says {day[:20]!r}, expected a day, 20260714")
        if (station, number) in self.known:
            return self.refuse(line, f"repeats station {station} on {day}; the first row counts")
        self.known.add((station, number))
        self.station.append(station)
        self.places.append((number, *place))
        self.values.append([self._value(line, measure, cells) for measure in self.measures])
        return None

    def _value(self, line: int, measure: Measure, cells: Sequence[str]) -> float:
        column = measure.column
        text, quality = cells[self.at[column]], cells[self.at[f"Q{column}"]]
        if not text:
            return np.nan
        if quality == _DOUBTFUL:
            self.doubtful += 1
            return np.nan
        bounds, number = self.bounds[column], _number(text)
        self.given[column].append(number)
        value = round(number / measure.per, 3)
        if quality not in _TAKEN:
            self.refuse(line, f"column Q{column} says {quality[:20]!r}, expected 0, 1, 2 or 9")
        elif not (bounds.low or 0) <= value <= (bounds.high or 0):
            self.refuse(
                line,
                f"column {column} says {text[:20]!r}, expected {(bounds.low or 0) * measure.per:g} "
                f"to {(bounds.high or 0) * measure.per:g}",
            )
        else:
            return value
        return np.nan

    def check_units(self) -> None:
        """Refuse a file whose usual values are not those of its units, bounds or no bounds."""
        if len({day for _, day in self.known}) < _ENOUGH_DAYS:
            return
        for measure in self.measures:
            low, high = measure.usual
            values = np.array(self.given[measure.column])
            values = values[np.isfinite(values) & (values != 0)]
            if len(values) < _ENOUGH_VALUES or low <= (median := float(np.median(values))) <= high:
                continue
            raise ProviderError(
                f"{self.name}: the median of the {len(values):,} values of column "
                f"{measure.column} is {median:g}, expected {low:g} to {high:g}: it is in another "
                "unit than supposed, and nothing of the file is taken"
            )

    def measured(self) -> Measured:
        places = np.array(self.places, dtype=float).reshape(-1, 3)
        values = np.array(self.values, dtype=float).reshape(-1, len(self.measures))
        return Measured(
            self.station,
            places[:, 0].astype(np.int64),
            places[:, 1],
            places[:, 2],
            {measure.variable: values[:, i] for i, measure in enumerate(self.measures)},
            (*self.refused, *([f"{self.name}: {self.more} more"] if self.more else [])),
            self.doubtful,
        )


_EPOCH = date(1970, 1, 1).toordinal()


def _number(text: str) -> float:
    """A number with a decimal point or comma; NaN if it is none."""
    return float(text.replace(",", ".")) if _NUMBER.fullmatch(text) else np.nan
