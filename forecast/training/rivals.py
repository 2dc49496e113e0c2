"""Candidate and champion on the same held-out days, neither trained on them.

Two fits at most. None where both would come from one recipe and one instant: they are one model.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.bands import Bands
from forecast.blending import Blend
from forecast.bundle import verify
from forecast.cells import Cells
from forecast.config import Training
from forecast.errors import ModelError
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.tables import quantile_name
from forecast.training.dataset import Dataset, make_dataset
from forecast.training.folds import fit
from forecast.training.gate import Rivals
from forecast.training.verification import with_risk
from forecast.truth import truth_at

Doubles = npt.NDArray[np.float64]

Members = tuple[Doubles, Doubles]
"""What the boosters and the partner of a model say, not yet blended."""

_SHAPES_THE_DATA = ("origin_hour", "origin_stride_days", "history_days", "start", "perfect_weather")


def meet(data: Dataset, held: pd.DataFrame, champion: Path, say: Callable[[str], None]) -> Rivals:
    """Let the recipe of ``data`` and the champion answer the rows of ``held``.

    ``held`` are rows of the backtest with the limits of the levels; ``champion`` is a bundle.

    Raises
    ------
    ModelError
        If the champion's bundle cannot be read.
    """
    start = held["origin"].min()
    facts = verify(champion)
    older = pd.Timestamp(facts["trained_at"]) <= start
    recipe = recipe_of(facts, data.config.training)
    if not older and recipe == data.config.training:
        return Rivals(held, held, "the champion has the same recipe, so both are one model")
    since = start.value // 1000
    questions = data.matrix.take(data.test & (data.matrix.grid.ask_origin >= since))
    say(f"gate: candidate as of {start:%Y-%m-%d}")
    model = fit(data, start)
    cells = model.cells(questions)
    answers = {"candidate": model.members(questions, data.daily)}
    how = f"the champion's own model, trained {facts['trained_at']}"
    own = _own_answer(champion, questions, data) if older else None
    if own is None:
        say(f"gate: recipe of the champion as of {start:%Y-%m-%d}")
        theirs = _trained_as(data, recipe)
        own = fit(theirs, start).members(questions, data.daily)
        how = "both recipes fitted when these days began"
    answers["champion"] = own
    tables = {
        name: _aligned(held, questions, _finished(data, questions, members, cells), data)
        for name, members in answers.items()
    }
    return Rivals(tables["candidate"], tables["champion"], how)


def recipe_of(facts: Mapping[str, Any], today: Training) -> Training:
    """How a model was trained, by its manifest; a key it does not know is as it is today."""
    stamped = facts.get("training", {})
    known = {key: value for key, value in stamped.items() if key in Training.model_fields}
    return Training.model_validate({**today.model_dump(), **known})


def _own_answer(champion: Path, questions: FeatureMatrix, data: Dataset) -> Members | None:
    """The champion's own; None if it answers other quantiles, or reads what is not there."""
    try:
        model = InfluxModel.load(champion)
        if model.quantiles != data.config.quantiles:
            return None
        return model.members(questions, data.daily)
    except ModelError:
        return None


def _trained_as(data: Dataset, recipe: Training) -> Dataset:
    """The training set of another recipe; built anew only where it asks other questions."""
    config = data.config.model_copy(update={"training": recipe})
    today = data.config.training
    if all(getattr(recipe, key) == getattr(today, key) for key in _SHAPES_THE_DATA):
        return replace(data, config=config)
    return make_dataset(config, data.evidence.observations, data.now)


def _finished(data: Dataset, questions: FeatureMatrix, members: Members, cells: Cells) -> Doubles:
    """Each half of the origins, blended and calibrated on the errors of the other half."""
    grid, quantiles, zones = questions.grid, data.config.quantiles, len(questions.grid.zone_ids)
    observed = truth_at(data.evidence, data.now).of(grid)
    late = grid.row_origin >= np.median(np.unique(grid.row_origin))
    (boosters, partner), answer = members, np.full_like(members[0], np.nan)
    for half in (late, ~late):
        elsewhere = np.where(half, np.nan, observed)
        median, prior = boosters[:, len(quantiles) // 2], data.config.training.blend
        blend = Blend.fit(median, partner, elsewhere, cells, zones, prior)
        raw = blend.apply(boosters, partner, cells)
        bands = Bands.fit(quantiles, raw, elsewhere, cells, zones)
        answer[half] = bands.apply(raw[half], cells.where(half))
    return answer


def _aligned(
    held: pd.DataFrame, questions: FeatureMatrix, answers: Doubles, data: Dataset
) -> pd.DataFrame:
    """The held-out rows with other quantiles, and the risks that follow from them."""
    keys, names = ["zone_id", "origin", "target_date"], map(quantile_name, data.config.quantiles)
    frame = questions.grid.frame()[keys].astype({"zone_id": "str"})
    frame = frame.assign(**dict(zip(names, answers.T, strict=True))).set_index(keys)
    asked = pd.MultiIndex.from_frame(held[keys].astype({"zone_id": "str"}))
    found = frame.reindex(asked).set_index(held.index)
    return with_risk(held.assign(**found), data.config.quantiles)
