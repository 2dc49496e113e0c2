"""How fresh each source was at an origin, counted in missed runs and never in hours.

A source promises a delay; from it follows which day should be readable at an origin, and how many
daily runs separate the newest day that is. The regime of a forecast names the domains that kept
their promise, and the band is widened for those that did not.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import pandas as pd

from forecast.config import RunConfig

DOMAINS = {
    "influx": "influx",
    "mobility": "mobility",
    "parking": "parking",
    "waste": "waste",
    "weather_forecast": "weather",
}
"""Observation sources whose lateness changes a forecast, and the feature domain each feeds."""

OUTAGE_DAYS = {"influx": 21, "mobility": 60, "parking": 60, "waste": 60, "weather": 60}
"""For how long a domain is silent in the longest outage that is rehearsed [d]."""

_GRACE = {"waste": 8}
"""Runs a source may miss and still be fresh, where it is not one; rounds are not daily [d]."""


@dataclass(frozen=True)
class SourceStatus:
    """How fresh one source was when the forecast was made.

    ``newest_date`` is the last civil day the source speaks of and ``read_at`` its latest
    ``available_at`` (both None for a source without any row); ``missed_runs`` counts the daily
    deliveries that should have come since, given its ``promised_delay_hours`` [h]; ``fresh`` says
    whether that is within the grace it is given.
    """

    source: str
    newest_date: date | None
    read_at: pd.Timestamp | None
    missed_runs: int
    fresh: bool
    promised_delay_hours: float


def source_statuses(
    observations: pd.DataFrame, config: RunConfig, origin: pd.Timestamp
) -> list[SourceStatus]:
    """Status at ``origin`` of each source with any row readable by then, in alphabetical order."""
    rows = observations[observations["available_at"] <= origin]
    newest = rows.groupby("source", observed=True).agg(
        date=("date", "max"), read_at=("available_at", "max")
    )
    answer = []
    for source, found in newest.iterrows():
        name, delay = str(source), config.delay_hours(str(source))
        if name == "events":
            missed = 0  # events come when they are announced
        elif name == "weather_forecast":
            missed = int((origin - found["read_at"]) / pd.Timedelta(days=1))
        else:
            # The last day whose end lies at least the promised delay before the origin; the delay
            # is taken off first, so that a change of the clock within it does not count as a run.
            promised = (origin - pd.Timedelta(hours=delay)).tz_convert(config.timezone)
            due = promised.tz_localize(None).normalize() - pd.Timedelta(days=1)
            missed = max(0, (due - found["date"]).days)
        answer.append(
            SourceStatus(
                source=name,
                newest_date=found["date"].date(),
                read_at=found["read_at"],
                missed_runs=missed,
                fresh=missed <= _GRACE.get(name, 1),
                promised_delay_hours=delay,
            )
        )
    return sorted(answer, key=lambda status: status.source)


def stale_domains(statuses: Sequence[SourceStatus]) -> tuple[str, ...]:
    """Feature domains whose source is late, in alphabetical order."""
    return tuple(sorted(DOMAINS[s.source] for s in statuses if s.source in DOMAINS and not s.fresh))


def dead_domains(statuses: Sequence[SourceStatus]) -> tuple[str, ...]:
    """Those of :func:`stale_domains` that are as late as the longest outage rehearsed.

    >>> from dataclasses import replace
    >>> late = SourceStatus("parking", None, None, 60, fresh=False, promised_delay_hours=30)
    >>> dead_domains([late]), dead_domains([replace(late, missed_runs=59)])
    (('parking',), ())
    """
    late = [s for s in statuses if s.missed_runs >= OUTAGE_DAYS.get(DOMAINS.get(s.source, ""), 0)]
    return stale_domains(late)


def regime(statuses: Sequence[SourceStatus]) -> str:
    """Name of the regime: the domains that were fresh, joined by ``+``; ``calendar`` if none.

    >>> regime([])
    'calendar'
    """
    fresh = sorted(DOMAINS[s.source] for s in statuses if s.source in DOMAINS and s.fresh)
    return "+".join(fresh) or "calendar"
