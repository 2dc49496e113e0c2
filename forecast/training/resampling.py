"""How sure a figure is: origins drawn again and again, whole blocks of neighbours together.

Origins that speak of common days err together, so that each by itself would prove too much
(circular block bootstrap, Politis and Romano 1992).
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_SEED = 1


def overlap(days: int, stride_days: float) -> int:
    """Origins in a row that speak of common days, where each is asked about so many.

    >>> overlap(15, 7), overlap(7, 7), overlap(7, 1)
    (3, 1, 7)
    """
    return max(int(np.ceil(days / stride_days)), 1)


def drawn(origins: int, block: int, times: int) -> npt.NDArray[np.int64]:
    """Positions of origins in order, shape (times, origins), in blocks that run around the end.

    >>> draws = drawn(5, 3, 100)
    >>> draws.shape, bool(((draws[:, 1] - draws[:, 0]) % 5 == 1).all())
    ((100, 5), True)
    """
    block = min(block, origins)
    starts = np.random.default_rng(_SEED).integers(0, origins, (times, -(-origins // block)))
    picked = (starts[:, :, None] + np.arange(block)) % origins
    return np.asarray(picked.reshape(times, -1)[:, :origins])
