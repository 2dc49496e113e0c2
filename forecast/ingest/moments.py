"""Days and instants as French offices write them, and those with more than one reading.

Days: ``2026-07-14``, ``2026/07/14``, ``20260714``, ``14/07/2026``, ``14-07-2026``,
``14.07.2026``; a midnight after it is allowed. Day comes before month, by rule. A column with a
cell like ``07/14/2026`` breaks the rule: refused as a whole where no cell shows day first, cell by
cell (and with it every cell that has two readings) where both kinds are met.

Instants: a day, then ``T`` or a space, ``HH:MM`` and perhaps seconds, then ``Z`` or an offset.
Without offset the hour is that of the territory; the hour that the change of the clocks skips, and
the one that it repeats, are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.ingest.numerals import Refusal
from forecast.ingest.report import Bools

_YEAR_FIRST = re.compile(r"(\d{4})([-/.]?)(\d{1,2})\2(\d{1,2})", re.ASCII)
_YEAR_LAST = re.compile(r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})", re.ASCII)
_MIDNIGHT = re.compile(r"[T ]0?0:00(?::00(?:\.0+)?)?$")
_INSTANT = re.compile(
    r"(.*?\d)[T ]+(\d{1,2})[:h](\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?"
    r"\s*(Z|UTC|[+-]\d{2}(?::?\d{2})?)?",
    re.ASCII,
)
_YEARS = range(1950, 2101)
_NAT = np.iinfo(np.int64).min
_DAY = 86_400_000_000
_ISO = "a day like 2026-07-14 or 14/07/2026"
_ISO_INSTANT = "an instant like 2026-07-14T08:00:00Z or 14/07/2026 10:00"


@dataclass
class Moments:
    """``when`` are days (datetime64) or UTC instants; NaT where a cell is empty or refused.

    ``month_first`` is the position of a cell that shows a column written month first.
    """

    when: pd.DatetimeIndex
    refusals: list[Refusal] = field(default_factory=list)
    month_first: int | None = None


def parse_days(cells: pd.Series) -> Moments:
    """Read a column of stripped text as civil days.

    >>> parse_days(pd.Series(["01/02/2026", "2026-02-01"], dtype="str")).when.unique()
    DatetimeIndex(['2026-02-01'], dtype='datetime64[us]', freq=None)
    """
    codes, texts = pd.factorize(cells)
    read = [_day(str(text)) for text in texts]
    outcome = np.array([outcome for outcome, _ in read], dtype=object)
    days = np.array([day for _, day in read], dtype=np.int64)
    micros = np.where(days == _NAT, _NAT, days * _DAY)
    result = Moments(pd.DatetimeIndex(micros[codes].astype("datetime64[us]")))
    outcomes = outcome[codes]
    shown_month, shown_day = outcomes == "month first", outcomes == "day first"
    if shown_month.any() and not shown_day.any():
        result.month_first = int(np.argmax(shown_month))
    elif shown_month.sum() * 10 > shown_day.sum():
        both = outcomes == "either"
        result.when = pd.DatetimeIndex(np.where(both, _NAT, micros[codes]).astype("datetime64[us]"))
        _refuse(result, both, "ambiguous_date", "the file mixes DD/MM and MM/DD", _ISO)
    for name, (kind, what, advice) in _OUTCOMES.items():
        _refuse(result, outcomes == name, kind, what, _ISO, advice)
    return result


_OUTCOMES = {
    "month first": (
        "ambiguous_date",
        "the second number cannot be a month, so the month seems to come first",
        "days come before months: 14/07/2026",
    ),
    "short year": ("ambiguous_date", "the year has two digits", "write the year in full"),
    "serial": (
        "not_a_date",
        "the cell looks like the number Excel keeps for a date",
        "give the column a date format before exporting",
    ),
    "hour": ("not_a_date", "the day comes with an hour", "give one row for each civil day"),
    "no such day": ("not_a_date", "there is no such day", "correct the day, month or year"),
    "other": ("not_a_date", "the cell is not a day", "write days as 2026-07-14"),
}


def _day(text: str) -> tuple[str, int]:
    """How a cell reads, and its days since 1970."""
    if not text:
        return "empty", _NAT
    bare = _MIDNIGHT.sub("", text)
    if match := _YEAR_FIRST.fullmatch(bare):
        if match[2] or len(bare) == 8:
            return _number("read", int(match[1]), int(match[3]), int(match[4]))
    elif match := _YEAR_LAST.fullmatch(bare):
        first, second, year = int(match[1]), int(match[3]), int(match[4])
        if second > 12 >= first >= 1 and second <= 31:
            return "month first", _NAT
        how = "day first" if first > 12 else "read" if first == second else "either"
        return _number(how, year, second, first)
    if re.fullmatch(r"\d{1,2}[-/.]\d{1,2}[-/.]\d{2}", bare, re.ASCII):
        return "short year", _NAT
    if re.fullmatch(r"[2-7]\d{4}([.,]0+)?", bare, re.ASCII):
        return "serial", _NAT
    if _INSTANT.fullmatch(text):
        return "hour", _NAT
    return "other", _NAT


def _number(how: str, year: int, month: int, day: int) -> tuple[str, int]:
    try:
        if year not in _YEARS:
            raise ValueError(year)
        return how, int(np.datetime64(f"{year:04d}-{month:02d}-{day:02d}", "D").astype(np.int64))
    except ValueError:
        return "no such day", _NAT


def parse_instants(cells: pd.Series, timezone: str) -> Moments:
    """Read a column of stripped text as UTC instants; hours without offset are local."""
    codes, texts = pd.factorize(cells)
    parts = [_INSTANT.fullmatch(str(text)) for text in texts]
    days = parse_days(pd.Series([m[1] if m else "" for m in parts], dtype="str"))
    clock = np.array([_clock(m) for m in parts], dtype=np.int64)
    offset = np.array([_offset(m[6]) if m else 0 for m in parts], dtype=np.int64)
    local = np.array([m is not None and not m[6] for m in parts], dtype=bool)
    given = (pd.Series(texts, dtype="str") != "").to_numpy()
    wrong = (
        given & np.array([m is None for m in parts], dtype=bool) | (clock < 0) | (offset == _NAT)
    )
    naive = days.when.as_unit("us").asi8
    ok = (naive != _NAT) & ~wrong
    micros = np.where(ok, naive + clock - np.where(ok, offset, 0), _NAT)
    utc, skipped, repeated = localize(micros, local & ok, timezone)

    result = Moments(pd.DatetimeIndex(utc[codes].astype("datetime64[us]"), tz="UTC"))
    if days.month_first is not None:
        result.month_first = int(np.argmax(codes == days.month_first))
    for refusal in days.refusals:
        kind = "not_an_instant" if refusal.kind == "not_a_date" else refusal.kind
        _refuse(result, refusal.cells[codes], kind, refusal.what, _ISO_INSTANT, refusal.advice)
    dateonly = wrong & np.array([_day(str(t))[1] != _NAT for t in texts], dtype=bool)
    for mask, kind, what, advice in (
        (dateonly, "ambiguous_date", "the instant has no hour", "add the hour"),
        (wrong & ~dateonly, "not_an_instant", "the cell is not an instant", ""),
        (skipped, "not_an_instant", "the clocks skip this hour", "add the offset, as in +02:00"),
        (
            repeated,
            "ambiguous_date",
            "the clocks show this hour twice",
            "add the offset, as in +01:00",
        ),
    ):
        _refuse(result, mask[codes], kind, what, _ISO_INSTANT, advice)
    return result


def localize(
    micros: npt.NDArray[np.int64], local: Bools, timezone: str
) -> tuple[npt.NDArray[np.int64], Bools, Bools]:
    """UTC instants [µs] of wall-clock ones where ``local``; masks of hours skipped and repeated."""
    utc = micros.copy()
    skipped, repeated = np.zeros(len(micros), dtype=bool), np.zeros(len(micros), dtype=bool)
    if local.any():
        wall = pd.DatetimeIndex(micros[local].astype("datetime64[us]"))
        there = wall.tz_localize(timezone, ambiguous="NaT", nonexistent="NaT")
        shifted = wall.tz_localize(timezone, ambiguous="NaT", nonexistent="shift_forward")
        utc[local] = there.tz_convert("UTC").as_unit("us").asi8
        skipped[local] = _nat(there) & ~_nat(shifted)
        repeated[local] = _nat(shifted)
    return utc, skipped, repeated


def _nat(index: pd.DatetimeIndex) -> Bools:
    return np.asarray(index.isna(), dtype=bool)


def _clock(match: re.Match[str] | None) -> int:
    """Microseconds since midnight, −1 if there is no such hour."""
    if match is None:
        return 0
    hour, minute, second = int(match[2]), int(match[3]), int(match[4] or 0)
    if hour > 23 or minute > 59 or second > 59:
        return -1
    fraction = int((match[5] or "0")[:6].ljust(6, "0"))
    return ((hour * 60 + minute) * 60 + second) * 1_000_000 + fraction


def _offset(text: str | None) -> int:
    """Microseconds east of UTC."""
    if not text or text in ("Z", "UTC"):
        return 0
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 15 or minutes > 59:
        return _NAT
    return (-1 if text[0] == "-" else 1) * (hours * 60 + minutes) * 60_000_000


def _refuse(
    result: Moments, cells: Bools, kind: str, what: str, expected: str, advice: str = ""
) -> None:
    if cells.any():
        result.refusals.append(Refusal(cells, kind, what, expected, advice))
