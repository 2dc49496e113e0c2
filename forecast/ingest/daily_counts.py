"""Counts of a site by day, as the Eco-Counter API gives them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from forecast.errors import ProviderError
from forecast.ingest.fields import number, text
from forecast.ingest.moments import parse_instants

MAX_COUNT = 1e7
"""No path is passed more often in a day."""


def read_counts(
    found: Any, timezone: str, *, site: str, name: str
) -> tuple[pd.DataFrame, list[str]]:
    """Counts of a site: columns ``date`` and ``count`` (NaN where there was no measure).

    The second result is a sentence for each entry that is refused.

    Raises
    ------
    ProviderError
        If it is no list of counts.
    """
    if not isinstance(found, list) or not all(isinstance(entry, Mapping) for entry in found):
        raise ProviderError(f"{name}: expected a list of {{date, counts}} of site {site}")
    refused: list[str] = []
    rows: dict[str, float] = {}
    for place, entry in enumerate(found, start=1):
        where = f"{name}, entry {place}"
        try:
            if "date" not in entry or "counts" not in entry:
                raise ValueError("expected date and counts")
            count = number(entry["counts"], "counts")
            if count < 0 or count > MAX_COUNT:
                raise ValueError(f"counts is {count:g}; expected 0 to {MAX_COUNT:,.0f} passages")
            day = text(entry["date"])
            if rows.setdefault(day, count) != count and count == count:
                raise ValueError(f"{day} is given twice with different counts")
        except ValueError as error:
            refused.append(f"{where}: {error}")
    written = pd.Series(list(rows), dtype="str")
    when = pd.DatetimeIndex(parse_instants(written, timezone).when).tz_convert(timezone)
    begins = np.asarray(when.notna() & (when == when.normalize()))
    days = when.tz_localize(None)
    begins &= ~days.duplicated(keep=False)
    refused += [
        f"{name}, date {said!r}: expected midnight in {timezone}, where a civil day begins, once"
        for said in written[~begins].str[:40]
    ]
    counts = np.array(list(rows.values()), dtype=float)
    return pd.DataFrame({"date": days[begins], "count": counts[begins]}), refused
