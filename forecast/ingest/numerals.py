"""Numbers as French offices write them, and those that nobody can read for certain.

A column is understood as a whole. A cell is *decisive* when it can be read in one way only:
``12,5``, ``0,125``, ``1234,567`` show a decimal comma, ``1.234.567`` and ``1.234,5`` thousands
points, and the same the other way round. ``1,234`` and ``1.234`` say nothing: they are read as the
decisive cells of their column say, and refused where there are none. Spaces (no-break ones
included) may separate thousands; a column that shows it uses its comma or its point for decimals.
Where decisive cells contradict each other the fewer are refused, and so is every undecided one.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.ingest.report import Bools

Floats = npt.NDArray[np.float64]

_SPACES = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u2212": "-"})
_PLAIN = r"[+-]?(?:[0-9]+(?:[.,][0-9]*)?|[.,][0-9]+)(?:[eE][+-]?[0-9]{1,3})?"
_SPACED = r"[+-]?[0-9]{1,3}(?: [0-9]{3})+(?:[.,][0-9]*)?"
_GROUPED = {
    ".": r"[+-]?[0-9]{1,3}(?:(?:\.[0-9]{3}){2,}(?:,[0-9]*)?|(?:\.[0-9]{3})+,[0-9]*)",
    ",": r"[+-]?[0-9]{1,3}(?:(?:,[0-9]{3}){2,}(?:\.[0-9]*)?|(?:,[0-9]{3})+\.[0-9]*)",
}
_UNDECIDED = {mark: rf"[+-]?[1-9][0-9]{{0,2}}\{mark}[0-9]{{3}}" for mark in ",."}
_NAMES = {",": "comma", ".": "point"}


@dataclass(frozen=True)
class Refusal:
    """Cells refused for one reason: ``cells`` is a mask over the column."""

    cells: Bools
    kind: str
    what: str
    expected: str = ""
    advice: str = ""


@dataclass
class Numbers:
    """``read`` is NaN where a cell is empty or refused."""

    read: Floats
    refusals: list[Refusal] = field(default_factory=list)


def parse_numbers(cells: pd.Series) -> Numbers:
    """Read a column of stripped text.

    >>> parse_numbers(pd.Series(["1 234,5", "1,234", ""], dtype="str")).read.tolist()
    [1234.5, 1.234, nan]
    """
    text = cells.str.translate(_SPACES) if _has_spaces(cells) else cells
    marked = {mark: _mask(text.str.contains(mark, regex=False)) for mark in ",."}
    plain = _full(text, _PLAIN)
    spaced = (
        _full(text, _SPACED) if _mask(text.str.contains(" ", regex=False)).any() else ~plain & plain
    )
    none = np.zeros(len(text), dtype=bool)
    twice = _mask(text.str.count(r"[.,]") > 1) if any(m.any() for m in marked.values()) else none
    grouped = {mark: _full(text, _GROUPED[mark]) if twice.any() else none for mark in ",."}
    undecided = {mark: plain & marked[mark] & _full(text, _UNDECIDED[mark]) for mark in ",."}
    once = {mark: (plain | spaced) & marked[mark] & ~undecided[mark] for mark in ",."}
    comma = once[","] | grouped["."]
    point = once["."] | grouped[","]

    result = Numbers(np.full(len(text), np.nan))
    refused = none.copy()
    for style, other, mark in ((comma, point, ","), (point, comma, ".")):
        if style.any() and 0 < other.sum() >= style.sum():
            refused |= style
            result.refusals.append(_contradicted(style, mark))
    clash = bool(comma.any() and point.any())
    decimal, thousands = none.copy(), none.copy()
    for mark, style, back, rival in ((",", comma, ".", point), (".", point, ",", comma)):
        if clash or not undecided[mark].any():
            continue
        if style.any() or (spaced.any() and not rival.any() and not undecided[back].any()):
            decimal |= undecided[mark]
        elif grouped[mark].any():
            thousands |= undecided[mark]
    for mark in ",.":
        unread = undecided[mark] & ~decimal & ~thousands
        if unread.any():
            refused |= unread
            result.refusals.append(_undecided(unread, mark))

    wrong = (text != "").to_numpy() & ~(plain | spaced | grouped[","] | grouped["."])
    result.refusals += _not_numbers(text, wrong)
    understood = (plain | spaced | grouped[","] | grouped["."]) & ~refused
    result.read[understood] = _convert(
        text[understood],
        drop_comma=(grouped[","] | (thousands & marked[","]))[understood],
        drop_point=(grouped["."] | (thousands & marked["."]))[understood],
    )
    return result


def _convert(text: pd.Series, drop_comma: Bools, drop_point: Bools) -> Floats:
    plain = text.str.replace(" ", "", regex=False)
    if drop_comma.any():
        plain = plain.where(~drop_comma, plain.str.replace(",", "", regex=False))
    if drop_point.any():
        plain = plain.where(~drop_point, plain.str.replace(".", "", regex=False))
    return plain.str.replace(",", ".", regex=False).to_numpy(dtype=object).astype(np.float64)


def _has_spaces(cells: pd.Series) -> bool:
    return bool(_mask(cells.str.contains("[\u00a0\u202f\u2009\u2212]")).any())


def _mask(series: pd.Series) -> Bools:
    return series.to_numpy(dtype=bool)


def _full(text: pd.Series, pattern: str) -> Bools:
    return _mask(text.str.fullmatch(pattern))


def _contradicted(cells: Bools, mark: str) -> Refusal:
    other = _NAMES["." if mark == "," else ","]
    return Refusal(
        cells,
        "ambiguous_number",
        f"a decimal {_NAMES[mark]} in a column whose other cells show a decimal {other}",
        expected="one decimal separator in the whole column",
        advice="write the column with one convention",
    )


def _undecided(cells: Bools, mark: str) -> Refusal:
    return Refusal(
        cells,
        "ambiguous_number",
        f"the {_NAMES[mark]} may separate decimals or thousands, and no other cell decides",
        expected="1234 for a thousand, or 1,2340 for decimals",
        advice="export the column without thousands separator",
    )


def _not_numbers(text: pd.Series, wrong: Bools) -> list[Refusal]:
    if not wrong.any():
        return []
    percent = wrong & _mask(text.str.contains("%", regex=False))
    blank = wrong & _full(text, r"(?i)-+|n/?a|#n/a|nan|null|none|nd|nc|n\.[dc]\.")
    spaces = wrong & _full(text, r"[+-]?[0-9][0-9 ]*(?:[.,][0-9]*)?") & ~percent
    rest = wrong & ~percent & ~blank & ~spaces
    cases = (
        (percent, "write a share as a number: 0,85 for 85 %"),
        (blank, "leave the cell empty where nothing was measured"),
        (spaces, "a space may only separate groups of three digits"),
        (rest, "write digits only, without unit"),
    )
    return [
        Refusal(mask, "not_a_number", "the cell is not a number", "a number", advice)
        for mask, advice in cases
        if mask.any()
    ]
