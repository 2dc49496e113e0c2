"""What a civil servant reads: dates, hours, rounded numbers, states of a source."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from forecast import french
from forecast.config import DEFAULT_DELAYS_HOURS


@pytest.mark.parametrize(
    ("day", "words"),
    [
        (date(2026, 1, 1), "jeudi 1er janvier"),
        (date(2026, 2, 28), "samedi 28 février"),
        (date(2026, 8, 11), "mardi 11 août"),
        (date(2026, 12, 6), "dimanche 6 décembre"),
    ],
)
def test_days_in_words(day: date, words: str) -> None:
    assert french.day_name(day) == words


def test_hours_never_break_at_the_end_of_a_line() -> None:
    assert french.clock(datetime(2026, 5, 1, 8, 5)) == "8\u00a0h\u00a005"
    assert french.clock(datetime(2026, 5, 1, 0, 0)) == "0\u00a0h\u00a000"


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999.6, "1\u202f000"), (1234567, "1\u202f234\u202f567")]
)
def test_thousands_are_set_apart(value: float, text: str) -> None:
    assert french.number(value) == text


@pytest.mark.parametrize(
    ("low", "high", "step"),
    [(48_000, 75_000, 1000), (9_300, 12_200, 100), (730, 810, 10), (356, 403, 1), (7, 7, 1)],
)
def test_no_more_digits_than_the_band_supports(low: float, high: float, step: int) -> None:
    assert french.rounding_step(low, high) == step
    # Two rounded ends of a band stay apart.
    if high > low:
        assert french.rounded(low, step) != french.rounded(high, step)


@pytest.mark.parametrize(
    ("runs", "fresh", "words"),
    [
        (0, True, "à jour"),
        (1, True, "à jour (1 envoi attendu)"),
        (8, True, "à jour (8 envois attendus)"),
        (2, False, "en retard de 2 envois"),
    ],
)
def test_states_agree_in_number(runs: int, fresh: bool, words: str) -> None:
    assert french.missed(runs, fresh=fresh) == words


def test_every_source_has_a_french_name() -> None:
    assert set(french.SOURCES) == set(DEFAULT_DELAYS_HOURS)
    assert len(set(french.SOURCES.values())) == len(french.SOURCES)
