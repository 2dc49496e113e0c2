"""How the history is cut: each day is answered once, by what had not seen it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from forecast.cross_fitting import SHORT_DAYS, Parts, blocks, fifths


@pytest.mark.parametrize("cut", [fifths, blocks])
@pytest.mark.parametrize("span", [3, 60, 139, 364, 365, 366, 460, SHORT_DAYS - 1])
def test_each_day_is_answered_once_and_hidden_from_what_answers_it(
    cut: Callable[[np.ndarray, int], Parts], span: int
) -> None:
    day = np.arange(-20, span + 20)
    parts = list(cut(day, span))
    assert (sum(answered.astype(int) for answered, _ in parts) == 1).all()
    assert not any((answered & ~hidden).any() for answered, hidden in parts)
    inside = (day >= 0) & (day < span)
    assert all((inside & ~hidden).any() for _, hidden in parts)


def test_a_fifth_is_all_that_is_hidden_from_a_ridge() -> None:
    for _, hidden in fifths(np.arange(1000), 1000):
        assert hidden.sum() == 200


def test_no_season_of_the_first_year_is_hidden_whole() -> None:
    """Four weeks from any day of it at most there is one that its ridge has seen."""
    day = np.arange(500)
    for answered, hidden in blocks(day, 500):
        seen = np.flatnonzero(~hidden)
        early = np.flatnonzero(answered & (day < 365))
        assert all(np.abs(seen - d).min() <= 28 for d in early)


def test_after_the_first_year_nothing_later_is_seen() -> None:
    day = np.arange(700)
    late = [(np.flatnonzero(a), h) for a, h in blocks(day, 700) if a[365:].any()]
    assert len(late) == 12
    for answered, hidden in late:
        assert np.array_equal(np.flatnonzero(hidden), np.arange(answered[0], 700))
