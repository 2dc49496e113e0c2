"""What the blend and the band of a question depend on: horizon group, kind of day, zone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

HORIZON_GROUPS = ((0, 1), (2, 3), (4, 7), (8, 14))
"""Horizons [d] that are calibrated and reported together; later ones join the last."""

KINDS = ("weekday", "weekend", "holiday run")
"""Kinds of day that are calibrated and reported together."""

RUN = KINDS.index("holiday run")


def horizon_group(horizon: npt.NDArray[Any]) -> Ints:
    """Index into :data:`HORIZON_GROUPS` of each horizon [d].

    >>> horizon_group(np.array([0, 1, 3, 7, 14, 20])).tolist()
    [0, 0, 1, 2, 3, 3]
    """
    starts = np.array([low for low, _ in HORIZON_GROUPS])
    return np.searchsorted(starts, horizon, side="right").astype(np.int64) - 1


def day_kind(weekday: npt.NDArray[Any], run_length: npt.NDArray[Any]) -> Ints:
    """Index into :data:`KINDS` of each day, from its weekday (0 on Monday) and run length [d].

    >>> day_kind(np.array([0, 5, 4]), np.array([0, 0, 4])).tolist()
    [0, 1, 2]
    """
    return np.where(np.nan_to_num(run_length) > 0, 2, np.where(weekday >= 5, 1, 0)).astype(np.int64)


@dataclass(frozen=True)
class Cells:
    """What the band of each question depends on: arrays of shape (n,).

    ``group`` indexes :data:`HORIZON_GROUPS`, ``kind`` :data:`KINDS` and ``zone`` the zones of the
    model (−1 for one it does not know).
    """

    group: Ints
    kind: Ints
    zone: Ints

    def where(self, mask: npt.NDArray[np.bool_]) -> Cells:
        """The cells of some questions."""
        return Cells(self.group[mask], self.kind[mask], self.zone[mask])
