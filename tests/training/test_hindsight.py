"""Members fitted in hindsight know every day of the panel but those they are asked about."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from benchmarks.accuracy.panels import HORIZON
from benchmarks.hindsight import asked_at
from forecast.training.dataset import Dataset
from forecast.truth import truth_at


def test_members_fitted_on_the_rest_see_what_came_after_and_not_what_they_are_asked(
    data: Dataset,
) -> None:
    truth = truth_at(data.evidence, data.now)
    instant = int(np.unique(data.matrix.grid.ask_origin[data.test])[-5])
    asked = int(data.matrix.grid.ask_day[data.matrix.grid.ask_origin == instant][0])
    ahead = truth.first_day + np.arange(truth.values.shape[1]) - asked

    def said(days: np.ndarray) -> pd.DataFrame:
        """What they say where the influx of these days was thrice what it was."""
        told = replace(truth, values=np.where(days, 3 * truth.values, truth.values))
        return asked_at(data, told, instant)

    known = said(np.zeros(len(ahead), bool))
    assert known["target_date"].nunique() == HORIZON + 1
    assert known[["blended", "boosters", "partner"]].notna().all(axis=None)
    pd.testing.assert_frame_equal(said((ahead >= 1) & (ahead <= HORIZON)), known)
    later = said((ahead > HORIZON) & (ahead <= HORIZON + 14))
    assert (later["partner"] / known["partner"]).mean() > 1.01
    earlier = said((ahead > -14) & (ahead <= 0))
    assert not np.allclose(earlier["boosters"], known["boosters"])
