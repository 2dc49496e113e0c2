"""Answers of Open-Meteo, from bytes to hourly values.

Nothing is taken on trust: units, hours and numbers are those asked for, or the answer is refused.

References
----------
https://open-meteo.com/en/docs (hourly values and their units, errors).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
import pandas as pd

from forecast.errors import ProviderError
from forecast.ingest.answers import excerpt
from forecast.ingest.hours import HOUR_SECONDS, Floats, Ints

_MOST_HOURS = 24 * 1000


@dataclass(frozen=True)
class Hourly:
    """An answer: ``instants`` [s since 1970 UTC], shape (hours,), and for each quantity its values
    in the unit asked for, shape (places, hours), NaN where missing. ``unserved`` are the
    quantities that the model does not have."""

    instants: Ints
    values: Mapping[str, Floats]
    unserved: tuple[str, ...]


def parse_hourly(body: bytes, units: Mapping[str, str], places: int, where: str) -> Hourly:
    """Read the answer for ``places`` places, an array unless there is one.

    ``units`` are the quantities expected and their units; ``where`` names the answer in errors.

    Raises
    ------
    ProviderError
        Saying what was found and what was expected.
    """
    answer = parse_json(body, where)
    parts = answer if isinstance(answer, list) else [answer]
    if len(parts) != places or not all(isinstance(part, dict) for part in parts):
        raise ProviderError(
            f"{where}: expected the values of {places} places, the answer holds {len(parts)}; it "
            f"begins with {excerpt(body)}"
        )
    found: list[dict[str, list[float]]] = []
    times: Ints | None = None
    unserved: set[str] = set()
    for number, part in enumerate(parts):
        at = f"{where}, place {number + 1}"
        table, given = part.get("hourly"), part.get("hourly_units")
        if not isinstance(table, dict) or not isinstance(given, dict):
            raise ProviderError(f"{at}: expected the objects 'hourly' and 'hourly_units'")
        mine = _times(table.get("time"), at)
        if times is not None and not np.array_equal(times, mine):
            raise ProviderError(f"{at}: its hours are not those of the first place")
        times = mine
        found.append({})
        for name, unit in units.items():
            # A model without a quantity answers empty values of an undefined unit.
            if given.get(name) == "undefined":
                unserved.add(name)
            elif given.get(name) != unit:
                raise ProviderError(
                    f"{at}: {name} is in {str(given.get(name))[:40]!r}, expected {unit!r}"
                )
            found[-1][name] = _numbers(table.get(name), len(mine), f"{at}: {name}")
    if times is None or len(unserved) == len(units):
        raise ProviderError(
            f"{where}: the model gives none of {', '.join(units)}; is its name right?"
        )
    values = {name: np.array([part[name] for part in found]) for name in units}
    return Hourly(times, values, tuple(sorted(unserved)))


def parse_json(body: bytes, where: str) -> Any:
    """An answer as JSON, unless it says that it is an error, in whatever status it came."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        raise ProviderError(f"{where}: expected JSON, it begins with {excerpt(body)}") from None
    if isinstance(answer, dict) and answer.get("error"):
        raise ProviderError(
            f"{where}: refused: {str(answer.get('reason', 'no reason given'))[:300]}"
        )
    return answer


def _times(given: object, at: str) -> Ints:
    """Whole hours one after the other."""
    if not isinstance(given, list) or not 2 <= len(given) <= _MOST_HOURS:
        raise ProviderError(f"{at}: expected 2 to {_MOST_HOURS:,} hours in 'hourly.time'")
    if not all(_is_instant(value) for value in given):
        raise ProviderError(f"{at}: expected 'hourly.time' in seconds since 1970, as asked")
    times: Ints = np.array(given, dtype=np.int64)
    if times[0] % HOUR_SECONDS or (np.diff(times) != HOUR_SECONDS).any():
        raise ProviderError(f"{at}: 'hourly.time' does not go from hour to hour")
    return times


def _numbers(given: object, hours: int, what: str) -> list[float]:
    if not isinstance(given, list) or len(given) != hours:
        raise ProviderError(f"{what}: expected {hours} values, one for each hour")
    for value in given:
        if value is not None and (
            type(value) not in (int, float) or not -1e9 < value < 1e9
        ):  # NaN fails the comparison too
            raise ProviderError(f"{what}: expected numbers or null, found {str(value)[:40]!r}")
    return [np.nan if value is None else float(value) for value in given]


@dataclass(frozen=True)
class Run:
    """The newest run of a model: when it began, and since when it can be read [UTC]."""

    began: pd.Timestamp
    readable: pd.Timestamp


def parse_run(body: bytes, where: str) -> Run:
    """Read the metadata of a model.

    Raises
    ------
    ProviderError
        If they do not say when the last run began and became readable, in that order.
    """
    answer = parse_json(body, where)
    began, readable = (
        answer.get(f"last_run_{what}_time") if isinstance(answer, dict) else None
        for what in ("initialisation", "availability")
    )
    if not (_is_instant(began) and _is_instant(readable) and began <= readable):
        raise ProviderError(
            f"{where}: expected last_run_initialisation_time and last_run_availability_time in "
            f"seconds since 1970, in this order; it begins with {excerpt(body)}"
        )
    return Run(pd.Timestamp(began, unit="s", tz="UTC"), pd.Timestamp(readable, unit="s", tz="UTC"))


def _is_instant(value: Any) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 2**33
