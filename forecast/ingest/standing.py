"""How the configured providers stand: what each fills, and how its last tries ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

import pandas as pd

from forecast.config import RunConfig
from forecast.errors import ConfigError, LakeError
from forecast.ingest.configured import Configured, examined
from forecast.ingest.state import Attempt, Fetches
from forecast.source_report import ProviderStatus

_LOOKED_AT = 1000
"""Tries of one provider that are looked at: six weeks of one that is asked every hour."""


def standings(providers: Sequence[Configured], fetches: Fetches) -> list[ProviderStatus]:
    """The status of each provider, in the order given.

    Raises
    ------
    LakeError
        If the record of what was fetched cannot be read.
    """
    return [_standing(one, fetches) for one in providers]


def standings_of(config: RunConfig, fetches: Fetches) -> list[ProviderStatus]:
    """The status of each provider of a configuration, for what must not fail because of one.

    Without those that are wrongly configured, and empty if real ones stand beside simulated data or
    their record is damaged: the commands that ask them say so, and a publication is made without.
    """
    try:
        return standings(examined(config).valid, fetches)
    except (ConfigError, LakeError):
        return []


def _standing(one: Configured, fetches: Fetches) -> ProviderStatus:
    about = one.provider.about
    tries = fetches.attempts(one.name, limit=_LOOKED_AT)
    success = fetches.last_success(one.name)
    last = tries[0] if tries else None
    failed = _failed_since(tries)
    # What a provider gave does not become older because its last try gave nothing.
    days = [tried.newest for tried in tries if tried.newest]
    return ProviderStatus(
        name=one.name,
        kind=one.provider.kind,
        sources=sources_of(one),
        every_hours=one.options.every_hours,
        licence=getattr(one.options, "licence", "") or about.licence,
        attribution=getattr(one.options, "attribution", "") or about.attribution,
        enabled=one.options.enabled,
        last_try_at=_instant(last.started_at) if last else None,
        last_success_at=_instant(success.started_at) if success else None,
        first_failure_at=_instant(failed[-1].started_at) if failed else None,
        last_error=_error(failed),
        planned_at=_instant(last.next_try_at) if last and last.next_try_at else None,
        newest_date=date.fromisoformat(max(days)) if days else None,
    )


def sources_of(one: Configured) -> tuple[str, ...]:
    """Observation sources that a provider fills: the one it is configured for, or all it can."""
    chosen = getattr(one.options, "source", "")
    return (chosen,) if chosen else one.provider.about.sources


def _failed_since(tries: Sequence[Attempt]) -> list[Attempt]:
    """Tries since the last success that failed, newest first; one under way is not among them."""
    failed = []
    for place, tried in enumerate(tries):
        if tried.ok:
            break
        # The newest may still be going on; any other without an end was interrupted.
        if tried.ended_at is not None or place:
            failed.append(tried)
    return failed


def _error(failed: Sequence[Attempt]) -> str:
    return (failed[0].error or "interrupted") if failed else ""


def _instant(text: str) -> pd.Timestamp:
    return pd.Timestamp(text).tz_convert("UTC")
