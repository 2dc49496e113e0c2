"""Fetching from providers: piece by piece, each stored whole or not at all, and remembered.

A piece is fetched, looked at, appended to the lake in one commit, and only then recorded as done. A
run that dies in between fetches that piece again, and the lake knows the rows it has: nothing is
lost or stored twice. What fails is reported and stops nothing else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import pandas as pd

from forecast.config import RunConfig
from forecast.errors import AffluxError, ConfigError, InputError
from forecast.ingest.configured import Configured
from forecast.ingest.http import Client
from forecast.ingest.places import Places
from forecast.ingest.provider import Batch, Piece, Setting, Span
from forecast.ingest.samples import Samples
from forecast.ingest.screening import screened
from forecast.ingest.state import Attempt, Fetches, iso
from forecast.ingest.storing import store
from forecast.lake import Lake

_GIVE_UP = 3
"""So many pieces that fail one after the other: the provider is down."""

_RETRY_HOURS = 1.0
"""After a failure a provider is worth asking again so soon [h], if it does not say when."""

_KEPT = 100
"""Sentences kept of refused rows and of notes; all are counted."""


@dataclass
class Fetched:
    """What became of one provider in one run.

    ``pieces`` were stored, ``skipped`` were stored before. ``new + known + revised`` observations;
    ``unplaced`` counts the provider's rows by place that is in no zone, ``refused`` holds the first
    sentences about the ``refused_rows``. ``newest`` is the last civil day it gave a datum about.
    ``errors`` say what failed, one line each and without secrets; ``exit_code`` is 0 if nothing
    did, 2 if all that failed is configuration, else 1.
    """

    name: str
    kind: str
    pieces: int = 0
    skipped: int = 0
    new: int = 0
    known: int = 0
    revised: int = 0
    refused_rows: int = 0
    newest: str | None = None
    next_try_at: str | None = None
    exit_code: int = 0
    unplaced: Counter[str] = field(default_factory=Counter)
    observations: Counter[str] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether nothing failed."""
        return not self.errors


@dataclass(frozen=True)
class Fetcher:
    """Runs providers into a lake.

    ``clock`` gives the present instant [UTC]; ``client`` makes the HTTP client of a provider, by
    default :class:`~forecast.ingest.http.Client` as it comes.
    """

    config: RunConfig
    places: Places
    lake: Lake
    fetches: Fetches
    samples: Samples
    clock: Callable[[], pd.Timestamp]
    client: Callable[..., Client] = Client

    def span(self, one: Configured, since: str | None = None, until: str | None = None) -> Span:
        """Civil days to fetch: up to today and ``history_days`` back, where not said otherwise.

        Raises
        ------
        InputError
            If a day cannot be read, or the first comes after the last.
        """
        last = _day(until, "--until") or self.clock().tz_convert(self.config.timezone).date()
        first = _day(since, "--since") or last - timedelta(days=one.options.history_days)
        if first > last:
            raise InputError(f"--since {first} comes after --until {last}")
        return Span(first, last)

    def run(
        self,
        one: Configured,
        span: Span,
        say: Callable[[str], None] = lambda _: None,
    ) -> Fetched:
        """Fetch what ``span`` lacks from one provider. Whatever fails is in the result."""
        started = self.clock()
        found, number = Fetched(one.name, one.provider.kind), self.fetches.begin(one.name, started)
        scope, retry_at = one.scope(self.config, self.places), ""
        setting = Setting(one.name, self.config, self.places, self.samples, started)
        hidden, failures = one.hidden(), 0
        with self.client(self.fetches, now=self.clock, provider=one.name, scope=scope) as client:
            pieces = self._wanted(one, span, setting, scope, found)
            while failures < _GIVE_UP and not retry_at:
                piece = None
                try:
                    piece = next(pieces, None)
                    if piece is None:
                        break
                    say(piece.key)
                    batch = one.provider.fetch(piece, one.options, setting, client)
                    self._store(piece, batch, found, client, scope)
                    failures = 0
                # A fault of one provider's code must not stop the others.
                except Exception as error:
                    client.validators.clear()
                    line = _in_words(error) if piece is None else f"{piece.key}: {_in_words(error)}"
                    _failed(found, hidden.hide(line), error)
                    retry_at = getattr(error, "retry_at", None) or ""
                    # Without its pieces or its key, a provider has nothing more to say.
                    ends = piece is None or isinstance(error, ConfigError)
                    failures = _GIVE_UP if ends else failures + 1
        found.refused = [hidden.hide(line) for line in found.refused]
        found.notes = [hidden.hide(line) for line in dict.fromkeys(found.notes)][:_KEPT]
        hours = one.options.every_hours
        hours = hours if found.ok else min(hours, _RETRY_HOURS)
        found.next_try_at = retry_at or iso(started + pd.Timedelta(hours=hours))
        self.fetches.end(number, _attempt(found, started, self.clock()))
        return found

    def _wanted(
        self, one: Configured, span: Span, setting: Setting, scope: str, found: Fetched
    ) -> Iterator[Piece]:
        """The pieces that are not settled and stored already."""
        done = self.fetches.done(one.name, scope, self.lake.version())
        for piece in one.provider.pieces(one.options, span, setting):
            if piece.settled and piece.key in done:
                found.skipped += 1
            else:
                yield piece

    def _store(
        self, piece: Piece, batch: Batch, found: Fetched, client: Client, scope: str
    ) -> None:
        """Append a piece to the lake, then remember it."""
        now = self.clock()
        note = {"provider": found.name, "piece": piece.key}
        batch, stored = store(self.lake, screened(batch, self.config, now), now=now, note=note)
        self.fetches.stored(
            found.name,
            scope,
            piece.key if piece.settled else None,
            version=stored.version,
            now=now,
            validators=client.validators,
        )
        client.validators.clear()
        found.pieces += 1
        found.new += stored.new
        found.known += stored.known
        found.revised += stored.revised
        found.unplaced.update(batch.unplaced)
        found.refused_rows += len(batch.refused)
        found.refused += batch.refused[: max(_KEPT - len(found.refused), 0)]
        if batch.note:
            found.notes.append(batch.note)
        if len(batch.observations):
            counts = batch.observations["source"].astype(str).value_counts()
            found.observations.update({str(source): int(n) for source, n in counts.items()})
            newest = f"{batch.observations['date'].max():%Y-%m-%d}"
            found.newest = max(found.newest or newest, newest)


def due(
    chosen: Sequence[Configured], fetches: Fetches, now: pd.Timestamp
) -> tuple[Configured, ...]:
    """Those providers whose next try has come.

    After a success one that comes within a tenth of the period counts too: a timer may fire a
    little early. After a failure it does not: the provider may have said when to come again.
    """
    found = []
    for one in chosen:
        last = fetches.attempts(one.name, limit=1)
        early = one.options.every_hours / 10 if last and last[0].ok else 0
        soon = iso(now + pd.Timedelta(hours=early))
        if not last or last[0].next_try_at is None or last[0].next_try_at <= soon:
            found.append(one)
    return tuple(found)


def _attempt(found: Fetched, started: pd.Timestamp, ended: pd.Timestamp) -> Attempt:
    more = len(found.errors) - 1
    error = (found.errors or [""])[0]
    return Attempt(
        provider=found.name,
        started_at=iso(started),
        ended_at=iso(ended),
        ok=found.ok,
        error=" ".join(error.split()) + (f" (and {more} more)" if more > 0 else ""),
        pieces=found.pieces,
        new=found.new,
        known=found.known,
        revised=found.revised,
        unplaced=sum(found.unplaced.values()),
        refused=found.refused_rows,
        newest=found.newest,
        next_try_at=found.next_try_at,
    )


def _failed(found: Fetched, line: str, error: Exception) -> None:
    found.errors.append(line)
    only_configuration = isinstance(error, ConfigError) and found.exit_code != 1
    found.exit_code = 2 if only_configuration else 1


def _in_words(error: Exception) -> str:
    if isinstance(error, AffluxError):
        return str(error)
    return f"unexpected {type(error).__name__}: {error}"


def _day(text: str | None, option: str) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise InputError(f"{option} {text!r} is no day; expected one like 2026-05-13") from None
