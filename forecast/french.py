"""French as a civil servant writes it: dates, numbers rounded to what the band supports, states."""

from __future__ import annotations

import math
from datetime import date, datetime

_DAYS = ("lundi", "mardi", "mercredi", "jeudi", "vendredi", "samedi", "dimanche")
_MONTHS = (
    "janvier", "février", "mars", "avril", "mai", "juin",
    "juillet", "août", "septembre", "octobre", "novembre", "décembre",
)  # fmt: skip
NARROW = "\u202f"
"""Narrow no-break space: between thousands and before ; : ! ? %."""

SOURCES = {
    "influx": "fréquentation",
    "mobility": "mobilité",
    "parking": "stationnement",
    "waste": "déchets",
    "weather": "météo observée",
    "weather_forecast": "météo prévue",
    "events": "événements",
}


def day_name(day: date) -> str:
    """A civil day in words.

    >>> day_name(date(2026, 5, 1)), day_name(date(2026, 5, 23))
    ('vendredi 1er mai', 'samedi 23 mai')
    """
    number = "1er" if day.day == 1 else str(day.day)
    return f"{_DAYS[day.weekday()]} {number} {_MONTHS[day.month - 1]}"


def clock(instant: datetime) -> str:
    """An hour of the day: ``8 h 05``."""
    return f"{instant.hour} h {instant.minute:02d}".replace(" ", "\u00a0")


def number(value: float) -> str:
    """A whole number with thousands set apart.

    >>> number(61000).replace(NARROW, "_")
    '61_000'
    """
    return f"{round(value):,}".replace(",", NARROW)


def rounding_step(low: float, high: float) -> int:
    """The round number (1, 10, 100 …) that an interval supports: about a twentieth of its width.

    >>> rounding_step(48_000, 75_000), rounding_step(940, 1210), rounding_step(5, 5)
    (1000, 10, 1)
    """
    width = max(high - low, 1.0) / 20
    return int(10 ** max(0, math.floor(math.log10(width) + 0.5)))


def rounded(value: float, step: int) -> str:
    """A number rounded to a multiple of ``step``.

    >>> rounded(60_873, 1000).replace(NARROW, "_")
    '61_000'
    """
    return number(step * round(value / step))


def missed(runs: int, *, fresh: bool) -> str:
    """State of a source.

    >>> missed(0, fresh=True), missed(1, fresh=True), missed(3, fresh=False)
    ('à jour', 'à jour (1 envoi attendu)', 'en retard de 3 envois')
    """
    if fresh:
        return (
            "à jour"
            if runs == 0
            else f"à jour ({runs} envoi{'s' * (runs > 1)} attendu{'s' * (runs > 1)})"
        )
    return f"en retard de {runs} envoi{'s' * (runs > 1)}"
