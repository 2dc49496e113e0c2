"""Days that say nothing of those to come: a typhoon, a strike, a gate shut for once.

What a place has lately been is read from its last days, and the newest count most. One Sunday of
typhoon at the border of Hong Kong, a fifth of what its calendar expects, had the week after it
forecast 15 % too low. So such a day is read as its neighbours are. Only days before it decide, as
no others are known when it is the newest; and a change that lasts is believed on its fourth day,
when it is the median itself. A day far too full stays: it is mostly of a feast that the calendar
does not know well enough, and whose next day is as full.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Doubles = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

FAR = 1.0
"""Distance below the median of its week, in log, from which a day is an outlier."""

EMPTY = 0.3
"""Share of a zone's mean day [1] below which a day is near empty, and its log mostly noise."""

_WEEK, _LEAST_KNOWN = 7, 4


def without_outliers(left: Doubles, full: Bools) -> Doubles:
    """``left`` with outliers replaced by the median of the seven days that end with them.

    ``left``, shape (n, days), oldest first, is the log of influx beyond what the calendar expects,
    NaN where not known; ``full``, of the same shape, says which days are expected to be more than
    near empty. The others stay as they are and tell nothing of any; so does a day in whose week
    fewer than four full ones are known.

    >>> left = np.array([[0.1, 0.0, 0.1, 0.2, -1.5, 0.1, np.nan]])
    >>> without_outliers(left, np.full((1, 7), True))
    array([[0.1, 0. , 0.1, 0.2, 0.1, 0.1, nan]])
    """
    full = full & np.isfinite(left)
    padded = np.pad(np.where(full, left, np.nan), ((0, 0), (_WEEK - 1, 0)), constant_values=np.nan)
    ordered = np.sort(np.lib.stride_tricks.sliding_window_view(padded, _WEEK, axis=1), axis=2)
    known = np.isfinite(ordered).sum(axis=2)
    low, high = (
        np.take_along_axis(ordered, np.clip(at, 0, _WEEK - 1)[..., None], axis=2)[..., 0]
        for at in ((known - 1) // 2, known // 2)
    )
    middle = (low + high) / 2
    below = np.where(full, middle, 0.0) - np.where(full, left, 0.0)
    return np.where((known >= _LEAST_KNOWN) & (below > FAR), middle, left)
