"""What is known of every source and of every provider that fills it, ready to be sent as JSON.

Lateness is counted in missed runs and never in hours: days that a source should have delivered
since its newest one, tries that a provider should have brought to an end since its last success.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import pandas as pd

from forecast.config import DEFAULT_DELAYS_HOURS, RunConfig
from forecast.freshness import SourceStatus, source_statuses
from forecast.lake import Lake

_WINDOWS = (60, 800, None)
"""Days back in which the newest row of a source is looked for, one after the other [d]."""

_GRACE = 0.1
"""Share of its interval by which a try may be late and not be missed: clocks change, timers wait,
a run takes its time."""


@dataclass(frozen=True)
class ProviderStatus:
    """What a configured provider is, and how its last tries ended.

    ``sources`` are the observation sources it fills, ``every_hours`` how often it is worth asking
    [h]. ``first_failure_at`` is the first failed try since the last success, ``planned_at`` when
    the last try said that the next one should be. Instants are when tries began, UTC, and None
    where there was no such try.
    """

    name: str
    kind: str
    sources: tuple[str, ...]
    every_hours: float
    licence: str
    attribution: str
    enabled: bool = True
    last_try_at: pd.Timestamp | None = None
    last_success_at: pd.Timestamp | None = None
    first_failure_at: pd.Timestamp | None = None
    last_error: str = ""
    planned_at: pd.Timestamp | None = None
    newest_date: date | None = None

    def missed_runs(self, now: pd.Timestamp) -> int | None:
        """Scheduled tries since the last success that did not succeed; None if never tried.

        Tries are scheduled every ``every_hours`` from the last success on, or from the first try
        if none has succeeded. One is missed once it has failed, or when a tenth of the interval
        has passed after it.
        """
        if self.last_success_at is not None:
            late = self._intervals(self.last_success_at, now)
            return max(late, int(self.first_failure_at is not None))
        if self.first_failure_at is not None:
            return 1 + self._intervals(self.first_failure_at, now)
        return None

    def next_try_at(self, now: pd.Timestamp) -> pd.Timestamp | None:
        """When it is to be asked next: ``now`` if that is overdue; None if it is switched off."""
        if not self.enabled:
            return None
        return now if self.planned_at is None else max(self.planned_at, now)

    def _intervals(self, since: pd.Timestamp, now: pd.Timestamp) -> int:
        return max(0, int((now - since) / pd.Timedelta(hours=self.every_hours) - _GRACE))


def lake_statuses(lake: Lake, config: RunConfig, now: pd.Timestamp) -> list[SourceStatus]:
    """Status at ``now`` of each source with any row readable by then, in alphabetical order.

    The newest rows are found without reading the lake: two months of each source, and further
    back only for those that have been silent for so long.

    Raises
    ------
    LakeError
        If the lake cannot be read.
    """
    zones = [zone.id for zone in config.zones]
    wanted, found = set(DEFAULT_DELAYS_HOURS), list[SourceStatus]()
    for days in _WINDOWS:
        since = None if days is None else (now - pd.Timedelta(days=days)).date()
        rows = lake.read(sources=sorted(wanted), zones=zones, since=since, known_at=now)
        found += source_statuses(rows, config, now)
        wanted -= {status.source for status in found}
        if not wanted:
            break
    return sorted(found, key=lambda status: status.source)


def source_report(
    config: RunConfig,
    statuses: Sequence[SourceStatus],
    providers: Sequence[ProviderStatus],
    now: pd.Timestamp,
) -> list[dict[str, Any]]:
    """Every source Afflux knows, in alphabetical order, as plain JSON values.

    Parameters
    ----------
    config
        Gives the delay that each source promises.
    statuses
        Of the sources with any row: those of an answer (:class:`forecast.predict.Answer`), or
        :func:`lake_statuses`.
    providers
        The configured providers; each is listed under every source that it fills.
    now
        The present instant [UTC].

    Returns
    -------
    list of dict
        ``source``, ``newest_date`` (civil day), ``read_at``, ``promised_delay_hours`` [h],
        ``missed_runs``, ``fresh``, ``simulated``, ``next_try_at``, ``providers``. A source without
        any row is not fresh, and its ``newest_date``, ``read_at`` and ``missed_runs`` are None. Of
        a provider: ``name``, ``kind``, ``enabled``, ``every_hours`` [h], ``last_try_at``,
        ``last_success_at``, ``last_error`` (None after a success), ``missed_runs`` (None if never
        tried), ``next_try_at`` (None if switched off), ``newest_date``, ``licence``,
        ``attribution``. Instants are ISO 8601, UTC.
    """
    known = {status.source: status for status in statuses}
    return [
        _source(name, config, known.get(name), [p for p in providers if name in p.sources], now)
        for name in sorted(DEFAULT_DELAYS_HOURS)
    ]


def _source(
    name: str,
    config: RunConfig,
    status: SourceStatus | None,
    providers: Sequence[ProviderStatus],
    now: pd.Timestamp,
) -> dict[str, Any]:
    tries = [due for due in (p.next_try_at(now) for p in providers) if due is not None]
    return {
        "source": name,
        "newest_date": _day(status.newest_date if status else None),
        "read_at": _instant(status.read_at if status else None),
        "promised_delay_hours": config.delay_hours(name),
        "missed_runs": status.missed_runs if status else None,
        "fresh": status.fresh if status else False,
        "simulated": config.simulated,
        "next_try_at": _instant(min(tries, default=None)),
        "providers": [provider_record(provider, now) for provider in providers],
    }


def provider_record(provider: ProviderStatus, now: pd.Timestamp) -> dict[str, Any]:
    """One provider as plain JSON values; see :func:`source_report`."""
    return {
        "name": provider.name,
        "kind": provider.kind,
        "enabled": provider.enabled,
        "every_hours": provider.every_hours,
        "last_try_at": _instant(provider.last_try_at),
        "last_success_at": _instant(provider.last_success_at),
        "last_error": provider.last_error or None,
        "missed_runs": provider.missed_runs(now),
        "next_try_at": _instant(provider.next_try_at(now)),
        "newest_date": _day(provider.newest_date),
        "licence": provider.licence,
        "attribution": provider.attribution,
    }


def _instant(value: pd.Timestamp | None) -> str | None:
    if value is None:
        return None
    return value.tz_convert("UTC").strftime("%Y-%m-%dT%H:%M:%SZ")


def _day(value: date | None) -> str | None:
    return None if value is None else value.strftime("%Y-%m-%d")
