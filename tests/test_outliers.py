"""Outliers: an odd day is read as its week, a change that lasts is believed, none looks ahead."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast.outliers import FAR, without_outliers

DAYS = 28
LINES = arrays(
    np.float64, (2, DAYS), elements=st.one_of(st.just(np.nan), st.floats(-4, 4, width=16))
)


def quiet(**days: float) -> np.ndarray:
    """Four weeks as the calendar expects, but for some days: ``d20=-1.5``."""
    line = np.zeros((1, DAYS))
    for name, value in days.items():
        line[0, int(name[1:])] = value
    return line


def full(line: np.ndarray) -> np.ndarray:
    return np.full(line.shape, True)


@pytest.mark.parametrize("at", [6, 20, DAYS - 1])
@pytest.mark.parametrize("far", [-FAR - 0.1, -20.0])
def test_one_odd_day_is_read_as_its_week(at: int, far: float) -> None:
    line = quiet(**{f"d{at}": far})
    np.testing.assert_array_equal(without_outliers(line, full(line)), 0.0)
    for kept in (0.1 - FAR, 20.0):
        near = quiet(**{f"d{at}": kept})
        np.testing.assert_array_equal(without_outliers(near, full(near)), near)


def test_a_change_that_lasts_is_believed_on_its_fourth_day() -> None:
    line = quiet()
    line[:, 20:] = -2.0
    read = without_outliers(line, full(line))[0]
    np.testing.assert_array_equal(read[:23], 0.0)
    np.testing.assert_array_equal(read[23:], -2.0)


def test_near_empty_days_are_neither_asked_nor_changed() -> None:
    """Saturdays of a few tonnes, ten times more or less from one to the next."""
    line = quiet(d5=3.0, d12=-3.0, d19=3.0, d20=-1.5, d26=-3.0)
    busy = np.arange(DAYS)[None] % 7 != 5
    read = without_outliers(line, busy)
    np.testing.assert_array_equal(read[~busy], line[~busy])
    np.testing.assert_array_equal(read[busy], 0.0)


def test_a_week_of_which_little_is_known_judges_nothing() -> None:
    line = quiet(d20=-5.0)
    line[0, 14:18] = np.nan  # three others are left
    np.testing.assert_array_equal(without_outliers(line, full(line)), line)
    line[0, 17] = 0.0
    assert without_outliers(line, full(line))[0, 20] == 0.0


@given(LINES, arrays(np.bool_, (2, DAYS)), st.integers(1, DAYS - 1))
def test_nothing_looks_ahead_or_appears(line: np.ndarray, busy: np.ndarray, until: int) -> None:
    read = without_outliers(line, busy)
    np.testing.assert_array_equal(np.isnan(read), np.isnan(line))
    np.testing.assert_array_equal(
        without_outliers(line[:, :until], busy[:, :until]), read[:, :until]
    )
