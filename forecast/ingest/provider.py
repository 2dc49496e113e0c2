"""What a provider of data is: the protocol that every file of ``ingest/providers/`` follows.

A provider turns a span of days into *pieces* of work, fetches one piece at a time, and says what it
found as observations. The runner (:mod:`forecast.ingest.fetching`) does the rest: it stores each
piece in the lake, remembers which are done, goes on after an interruption, and reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    from forecast.config import RunConfig
    from forecast.ingest.http import Client
    from forecast.ingest.places import Places
    from forecast.ingest.samples import Samples


class Options(BaseModel):
    """What ``[providers.NAME]`` may say for every provider; each kind adds its own keys.

    ``every_hours`` is how often the provider is worth asking, from which missed runs follow [h].
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str = ""
    enabled: bool = True
    every_hours: float = Field(default=24.0, gt=0, le=24 * 366)
    history_days: int = Field(default=400, ge=0, le=36600)


@dataclass(frozen=True)
class About:
    """What a kind of provider gives and under what terms; for the page, the docs and the API.

    ``sources`` are the observation sources it can fill. ``verified`` says how far its formats were
    checked, in one English sentence; ``attribution`` is shown wherever its data is used.
    """

    title: str
    sources: tuple[str, ...]
    homepage: str
    licence: str
    attribution: str
    terms: str
    verified: str


@dataclass(frozen=True)
class Span:
    """Civil days wanted, both included."""

    since: date
    until: date


@dataclass(frozen=True)
class Piece:
    """One unit of work: fetched whole, stored whole.

    ``key`` names it among the provider's pieces, the same in every run. A piece that is
    ``settled`` will not change any more: once stored it is never fetched again. The others (the
    last days, a real-time feed) are fetched in each run.
    """

    key: str
    settled: bool
    since: date | None = None
    until: date | None = None


@dataclass(frozen=True)
class Batch:
    """What one piece gave.

    ``observations`` is a table of that name (:data:`forecast.tables.OBSERVATIONS`), ``derived``
    one flag for each row: whether ``available_at`` was computed from a publication delay and not
    stated. ``unplaced`` counts the rows of each place that maps to no zone; ``refused`` holds one
    sentence for each row that does not parse (where, what, what was expected), as `afflux check`
    would say it. ``note`` is one line about anything else worth saying.
    """

    observations: pd.DataFrame
    derived: npt.NDArray[np.bool_]
    unplaced: Mapping[str, int] = field(default_factory=dict)
    refused: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Setting:
    """What a provider works with: the territory, its places, the store of samples, the time.

    ``name`` is the provider's name in the configuration; ``now`` the present instant [UTC].
    """

    name: str
    config: RunConfig
    places: Places
    samples: Samples
    now: pd.Timestamp


@runtime_checkable
class Provider(Protocol):
    """One kind of provider; its module defines it as ``PROVIDER``.

    ``kind`` is the word for it in configuration and on the command line; ``Options`` the model of
    its keys. A provider keeps no state: everything comes in through the arguments.
    """

    kind: ClassVar[str]
    about: ClassVar[About]
    options: ClassVar[type[Options]]

    def pieces(self, options: Options, span: Span, setting: Setting) -> Iterator[Piece]:
        """Pieces of work that cover ``span``, oldest first."""
        ...

    def fetch(self, piece: Piece, options: Options, setting: Setting, client: Client) -> Batch:
        """Fetch one piece.

        Raises
        ------
        ProviderError
            If the provider cannot be reached or answers what it should not; nothing is stored.
        """
        ...
