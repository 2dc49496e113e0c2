"""Conformal calibration: one set of bands where every source is fresh, one for each that may fail.

While a source is late the wider of both holds, once it is dead its own (``bands.py`` says how bands
are learnt). As errors of one season do not promise those of the next, the whole band follows what
those already published have held (Gibbs, Candès 2021, arXiv:2106.00170).
"""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from forecast.bands import WIDER, Bands
from forecast.cells import Cells

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_FEW, _WIDEST = 50, 0.4
"""Days of a fold that are believed by half, and the farthest a band is widened, in log."""
_LEARNT_DAYS = 70
"""Bands that had fewer days of errors [d] to learn from do not say how wide later ones are."""


def adapted(
    quantiles: Sequence[float],
    published: Doubles,
    observed: Doubles,
    fold: Ints,
    day: npt.NDArray[np.integer[Any]],
) -> float:
    """Factor by which bands are widened, from what those of earlier folds have held.

    ``published``, shape (n, quantiles), are calibrated quantiles of earlier folds and ``observed``,
    shape (n,), what came true, NaN where not known yet; ``fold`` orders them, ``day`` is that of
    the target. A fold that begins less than ten weeks after the first counts for nothing, for its
    bands had learnt from little, which is mended since; nor does a place said to be empty. Each
    other widens the band, in log, by the share of days that it should have held and did not, by
    less where it has few of them.

    >>> narrow = np.tile([1.0, 2.0, 3.0], (200, 1))
    >>> truth = np.repeat([2.0, 9.0], 100)
    >>> fold = np.tile([0, 1], 100)
    >>> [round(adapted((0.1, 0.5, 0.9), narrow, truth, fold, d * fold), 2) for d in (56, 84)]
    [1.0, 1.22]
    """
    change, promised = 0.0, quantiles[-1] - quantiles[0]
    known = np.isfinite(observed) & np.isfinite(published).all(axis=1) & (fold >= 0)
    known &= published[:, 0] < published[:, published.shape[1] // 2]
    for f in np.unique(fold[known]):
        rows = known & (fold == f)
        if day[rows].min() - day[known].min() < _LEARNT_DAYS:
            continue
        held = (observed[rows] >= published[rows, 0]) & (observed[rows] <= published[rows, -1])
        missed = (promised - held.mean()) * len(held) / (len(held) + _FEW)
        change = np.clip(change + missed, -_WIDEST, _WIDEST)
    return float(np.exp(change))


@dataclass(frozen=True)
class Calibration:
    """Bands where every source is ``fresh``, and those for each source that may be ``stale``."""

    fresh: Bands
    stale: Mapping[str, Bands] = field(default_factory=dict)

    def apply(
        self, raw: Doubles, cells: Cells, stale: Collection[str] = (), dead: Collection[str] = ()
    ) -> Doubles:
        """Calibrated quantiles, in order and never negative, shape (n, quantiles).

        With sources ``stale`` each quantile lies where it reaches farthest; one without bands of
        its own changes nothing. Those of fresh days count too, a fiftieth wider, unless all that
        are late are ``dead``: silent for as long as their bands were learnt from.
        """
        late = [source for source in sorted({*stale, *dead}) if source in self.stale]
        known = [self.stale[source].of(raw, cells) for source in late]
        if not (late and set(late) <= set(dead)):
            known.append((WIDER if late else 1.0) * self.fresh.of(raw, cells))
        return self.fresh.reached(raw, functools.reduce(wider, known), cells)

    def arrays(self) -> dict[str, Doubles]:
        """All bands by name, for a file; :meth:`from_arrays` is the inverse."""
        sets = {"fresh": self.fresh}
        sets |= {f"stale_{name}": bands for name, bands in self.stale.items()}
        return {f"{name}.{part}": getattr(b, part) for name, b in sets.items() for part in _PARTS}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, Doubles]) -> Self:
        """Read what :meth:`arrays` gave, among other arrays; raise :class:`KeyError` if absent."""
        names = {name.split(".")[0] for name in arrays if name.startswith("stale_")}
        sets = {}
        for name in ["fresh", *sorted(names)]:
            # A bundle of before bands knew when a zone is empty takes none for it.
            own = {f"{name}.least": np.zeros(len(arrays[f"{name}.usual"])), **arrays}
            sets[name.removeprefix("stale_")] = Bands(*(own[f"{name}.{part}"] for part in _PARTS))
        return cls(sets.pop("fresh"), sets)


_PARTS = tuple(part.name for part in fields(Bands))


def wider(away: Doubles, other: Doubles) -> Doubles:
    """Of two distances from the median, for each quantile the farther.

    >>> wider(np.array([[-0.1, 0.0, 0.2]]), np.array([[-0.3, 0.0, 0.1]]))
    array([[-0.3,  0. ,  0.2]])
    """
    return np.where(np.abs(away) >= np.abs(other), away, other)
