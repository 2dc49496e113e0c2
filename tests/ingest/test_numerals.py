"""Numbers with one reading are read, numbers with two are refused."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecast.ingest.numerals import parse_numbers

NAN = math.nan


def column(*cells: str) -> pd.Series:
    return pd.Series(list(cells), dtype="str")


@pytest.mark.parametrize(
    ("cells", "values"),
    [
        (["12,5", "-3", "+4", "", "1e3"], [12.5, -3, 4, NAN, 1000]),
        (["1 234", "1\u00a0234,5", "1\u202f234\u202f567"], [1234, 1234.5, 1234567]),
        (["\u22124,5"], [-4.5]),
        (["1,234", "12,5"], [1.234, 12.5]),
        (["1,234", "0,125"], [1.234, 0.125]),
        (["1,234", "1234,567"], [1.234, 1234.567]),
        (["1,234", "12 345"], [1.234, 12345]),
        (["1.234", "12.5"], [1.234, 12.5]),
        (["1.234", "1.234,5"], [1234, 1234.5]),
        (["1.234", "1.234.567"], [1234, 1234567]),
        (["1,234", "1,234,567.25"], [1234, 1234567.25]),
    ],
)
def test_decided_columns(cells: list[str], values: list[float]) -> None:
    numbers = parse_numbers(column(*cells))
    assert numbers.refusals == []
    assert numbers.read.tolist() == pytest.approx(values, nan_ok=True)


@pytest.mark.parametrize(
    ("cells", "kinds", "values"),
    [
        (["1,234", "5"], ["ambiguous_number"], [NAN, 5]),
        (["1.234", "12345"], ["ambiguous_number"], [NAN, 12345]),
        (["1.234", "1,234"], ["ambiguous_number"] * 2, [NAN, NAN]),
        (["1,234", "12.5"], ["ambiguous_number"], [NAN, 12.5]),
        (["12,5", "12.5"], ["ambiguous_number"] * 2, [NAN, NAN]),
        (["12,5", "13,5", "12.5", "1,234"], ["ambiguous_number"] * 2, [12.5, 13.5, NAN, NAN]),
        (["12 34"], ["not_a_number"], [NAN]),
        (["85 %", "1"], ["not_a_number"], [NAN, 1]),
        (["n/a", "inf", "nan", "1_000", "0x1F", "1,2,3"], ["not_a_number"] * 2, [NAN] * 6),
    ],
)
def test_refused_cells(cells: list[str], kinds: list[str], values: list[float]) -> None:
    numbers = parse_numbers(column(*cells))
    assert [refusal.kind for refusal in numbers.refusals] == kinds
    assert numbers.read.tolist() == pytest.approx(values, nan_ok=True)
    refused = sum(refusal.cells.sum() for refusal in numbers.refusals)
    assert refused == sum(map(math.isnan, values))


@given(st.lists(st.text(alphabet="0123456789,. -+eE%\u00a0xà", max_size=12), max_size=8))
def test_every_cell_is_read_or_refused_or_empty(cells: list[str]) -> None:
    stripped = [cell.strip() for cell in cells]
    numbers = parse_numbers(column(*stripped))
    refused = np.zeros(len(cells), dtype=int)
    for refusal in numbers.refusals:
        refused += refusal.cells
    for i, cell in enumerate(stripped):
        assert (not math.isnan(numbers.read[i])) + refused[i] + (cell == "") == 1
