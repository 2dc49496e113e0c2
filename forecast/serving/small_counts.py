"""No count of fewer than 20 persons is published (docs/rgpd.md). Applied where bytes are made."""

from __future__ import annotations

LEAST_PERSONS = 20
"""The smallest count of persons that is shown; a measured one below it is withheld."""


def shown(persons: float) -> int:
    """A forecast (or usual) count in whole persons; 20 stands for 20 or fewer.

    >>> shown(3.2), shown(20.6), shown(0)
    (20, 21, 20)
    """
    return max(LEAST_PERSONS, round(persons))
