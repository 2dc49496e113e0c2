"""What a feature source is, and the evidence it may use.

A source is a module of this package with a module-level ``SOURCE`` that follows :class:`Source`.
It is discovered by being there. Asked a grid of questions, it fills one float32 column per
:class:`Feature`, computed only from rows that were readable at each question's origin; the as-of
kernels in ``forecast.features.kernels`` guarantee that, and ``tests/features/test_every_source.py``
verifies it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import union_categoricals

from forecast.features.updates import Rows, Updates, coded, heads, zone_site_updates
from forecast.grid import Grid
from forecast.territory import Territory

Floats = npt.NDArray[np.float32]

_READ = ["source", "variable", "zone_id", "site_id", "date", "available_at", "value"]
"""Columns of the observations that an index is made of."""


@dataclass(frozen=True)
class Feature:
    """One column: its name without the source's prefix, unit, meaning, and what it waits for."""

    name: str
    unit: str
    meaning: str
    availability: str = "rows available at the origin"


@runtime_checkable
class Source(Protocol):
    """One data domain.

    ``reads`` names the observation sources it reads, with their variables; ``features`` lists its
    columns. ``fill`` writes them: ``out`` has shape (features, questions), is filled with NaN, and
    row ``i`` belongs to feature ``i``. ``sample`` gives a few observations of the kind it reads.
    """

    name: str
    reads: dict[str, tuple[str, ...]]
    features: tuple[Feature, ...]

    def fill(self, grid: Grid, evidence: Evidence, out: Floats) -> None:
        """Write the columns for every question of ``grid`` into ``out``."""

    def sample(self) -> pd.DataFrame:
        """A small ``observations`` table this source can read, for docs and tests."""


@dataclass
class Evidence:
    """The observations, indexed for as-of reading, and the territory they are about.

    ``observations`` is the table as stored: every row, every revision. Sources reach it only
    through :meth:`updates`, whose rows are sorted by ``available_at``.
    With ``perfect_weather`` the weather observed is treated as known beforehand; every figure
    made with it must say so. ``late_days`` makes every row of a source readable so many days later
    than it was: how training and the backtest rehearse a late or dead source.
    """

    observations: pd.DataFrame
    territory: Territory
    perfect_weather: bool = False
    late_days: Mapping[str, float] = field(default_factory=dict)
    _cache: dict[tuple[str, str, bool], Updates] = field(default_factory=dict, repr=False)
    _stored: dict[tuple[tuple[str, str], ...], pd.DataFrame] = field(
        default_factory=dict, repr=False
    )
    _untouched: Evidence | None = field(default=None, repr=False)

    @cached_property
    def _rows(self) -> dict[tuple[str, str], Rows]:
        """Rows of each (source, variable): a slice where they follow one another."""
        if self.observations.empty:
            return {}
        names, codes = zip(
            *(coded(self.observations[name]) for name in ("source", "variable")), strict=True
        )
        first, order = heads(*codes), None
        kinds = codes[0][first] * np.int64(len(names[1])) + codes[1][first]
        if len(np.unique(kinds)) < len(first):
            order = np.lexsort(codes)
            codes = tuple(code[order] for code in codes)
            first = heads(*codes)
        found: dict[tuple[str, str], Rows] = {}
        for start, stop in itertools.pairwise([*first.tolist(), len(codes[0])]):
            key = names[0][codes[0][start]], names[1][codes[1][start]]
            found[key] = slice(start, stop) if order is None else order[start:stop]
        return found

    def updates(
        self, source: str, variable: str, *, by: Literal["zone", "site"] = "zone"
    ) -> Updates:
        """Rows of one variable in the order they became readable.

        ``by="site"`` keeps each site apart; ``by="zone"`` adds the sites of a zone up.
        """
        key = (source, variable, by == "site")
        if self._untouched is not None and key[:2] not in self._rows:
            return self._untouched.updates(source, variable, by=by)
        if key not in self._cache:
            frame = (
                sample_rows(source, variable, []) if self.observations.empty else self.observations
            )
            self._cache[key] = zone_site_updates(
                frame,
                self._rows.get((source, variable), slice(0)),
                self.territory.zone_ids,
                total=by == "zone",
            )
        found = self._cache[key]
        return found.later(self.late_days[source]) if source in self.late_days else found

    def late(self, sources: Iterable[str], days: float) -> Evidence:
        """The same evidence as if every row of these sources had come ``days`` later."""
        if self._untouched is not None:
            raise ValueError("rehearse late sources first, then suppose")
        return replace(self, late_days={**self.late_days, **dict.fromkeys(sources, days)})

    def supposing(self, rows: pd.DataFrame) -> Evidence:
        """This evidence and further rows of the table, as if they had come after all others.

        Only the variables they touch are indexed anew, which takes milliseconds: for what-ifs.
        """
        touched = tuple(
            rows[["source", "variable"]].drop_duplicates().itertuples(index=False, name=None)
        )
        if touched not in self._stored:
            places = [np.r_[self._rows.get(key, slice(0))] for key in touched]
            self._stored[touched] = self.observations[_READ].iloc[np.concatenate(places)]
        kept = self._stored[touched]
        both = pd.DataFrame({name: _joined(kept[name], rows[name]) for name in _READ}, copy=False)
        return replace(self, observations=both, _cache={}, _stored={}, _untouched=self)


def _joined(first: pd.Series, second: pd.Series) -> pd.Series:
    """Two columns, one after the other; categories stay so, which their texts as such would not."""
    if isinstance(first.dtype, pd.CategoricalDtype):
        codes = first.cat.categories.get_indexer(pd.Index(second))
        if (codes >= 0).all():
            both = np.concatenate([first.cat.codes, codes])
            return pd.Series(pd.Categorical.from_codes(both, dtype=first.dtype, validate=False))
        return pd.Series(union_categoricals([first, second.astype("category")], ignore_order=True))
    return pd.concat([first, second], ignore_index=True)


def index_features(what: str) -> tuple[Feature, ...]:
    """Columns that :func:`forecast.features.kernels_sites.sites` writes, for one kind of sensor."""
    return (
        Feature("index", "1", f"{what} of the latest known day over normal"),
        Feature("index_3", "1", f"mean index of {what} over the last 3 known days"),
        Feature("index_7", "1", f"mean index of {what} over the last 7 known days"),
        Feature("index_28", "1", f"mean index of {what} over the last 28 known days"),
        Feature("weekday_1", "1", "index of the latest known day of the target's weekday"),
        Feature("weekday_2", "1", "index of the day a week before that one"),
        Feature("sites", "sites", "sites with an index in the last three known days"),
        Feature("age", "d", "days from the newest known day to the origin"),
    )


def sample_rows(
    source: str,
    variable: str,
    values: object,
    *,
    site_id: str = "",
    zone_id: str = "zone",
    first: str = "2025-01-06",
    delay_hours: float = 24,
) -> pd.DataFrame:
    """Consecutive days of one variable as an ``observations`` table, for samples and tests."""
    value = np.asarray(values, dtype=np.float64)
    dates = pd.date_range(first, periods=len(value), unit="us")
    return pd.DataFrame(
        {
            "source": source,
            "zone_id": zone_id,
            "site_id": site_id,
            "variable": variable,
            "date": dates,
            "available_at": dates.tz_localize("UTC") + pd.Timedelta(hours=24 + delay_hours),
            "value": value,
            "provider": "sample",
        }
    )
