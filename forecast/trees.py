"""What LightGBM is told and asked: the only place where boosters are trained, read and predict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
from lightgbm import Booster

from forecast.errors import ModelIntegrityError

__all__ = ["Booster", "direct", "predict", "read", "recursive", "train"]

Doubles = npt.NDArray[np.float64]
Floats = npt.NDArray[np.float32]

_BINS = 63
_FEW_QUESTIONS, _FINER = 15_000, 3
"""Past questions below which there are this many times as many rounds, of as much less pace."""
_COMMON = {
    "bagging_freq": 1,
    "max_bin": _BINS,
    "deterministic": True,
    "force_col_wise": True,
    "verbosity": -1,
}


def finer(parameters: Mapping[str, Any], questions: int) -> dict[str, Any]:
    """``parameters`` as for ``InfluxModel.fit``, in finer steps where there are few questions.

    There rounds are cheap, and another seed moves the answer most: one weighbridge's error between
    7.23 and 7.30 %, and 7.18 and 7.33 % with the steps that a territory of a dozen zones takes.

    >>> finer({"rounds": 300, "learning_rate": 0.06}, 5_000)
    {'rounds': 900, 'learning_rate': 0.02}
    """
    times = _FINER if questions < _FEW_QUESTIONS else 1
    return {
        **parameters,
        "rounds": times * parameters["rounds"],
        "learning_rate": parameters["learning_rate"] / times,
    }


def direct(quantile: float, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of the booster of one quantile; ``parameters`` as for ``InfluxModel.fit``."""
    return {
        **_COMMON,
        "objective": "quantile",
        "alpha": quantile,
        "rounds": parameters["rounds"],
        "learning_rate": parameters["learning_rate"],
        "num_leaves": parameters["leaves"],
        "min_data_in_leaf": parameters["min_leaf"],
        # `shapley.py` keeps the columns on the way to a leaf as the bits of one number.
        "max_depth": 60,
        "lambda_l2": 10.0,
        "feature_fraction": 0.5,
        "bagging_fraction": 0.7,
        # Cuts drawn at random, one a column: trees that differ err apart, and their sum less.
        "extra_trees": True,
        "cat_smooth": 20,
        "seed": parameters["seed"],
        "num_threads": parameters["threads"],
    }


def recursive(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Of a recursive member: days are a hundred times fewer than questions, trees may be finer.

    Twice the rounds at two thirds of the pace: another seed then moves the answer less.
    """
    return {
        **_COMMON,
        "objective": "l1",
        "rounds": 2 * parameters["rounds"],
        "learning_rate": 2 / 3 * parameters["learning_rate"],
        "num_leaves": 31,
        "min_data_in_leaf": 20,
        "feature_fraction": 0.8,
        "bagging_fraction": 0.8,
        "seed": parameters["seed"],
        "num_threads": parameters["threads"],
    }


def train(
    table: Floats, label: Doubles, weight: Doubles, told: Sequence[Mapping[str, Any]], **named: Any
) -> list[Booster]:
    """One booster for each of ``told``, on a table of shape (rows, columns).

    ``told`` are what :func:`direct` or :func:`recursive` give. The last column is a category.
    ``named`` goes to ``lightgbm.Dataset``.
    """
    dataset = lgb.Dataset(
        table,
        label=label,
        weight=weight / weight.mean(),
        categorical_feature=[table.shape[1] - 1],
        params={"max_bin": _BINS, "verbosity": -1, "num_threads": told[0]["num_threads"]},
        **named,
    )
    found = []
    for parameters in told:
        told_lightgbm = {key: value for key, value in parameters.items() if key != "rounds"}
        found.append(lgb.train(told_lightgbm, dataset, parameters["rounds"]))
    return found


def predict(booster: Booster, table: Floats, threads: int) -> Doubles:
    """What a booster answers, shape (rows,).

    LightGBM has one number of threads for the whole process, which each call sets: another than
    that of a training beside it makes that training write out of its bounds.
    """
    return np.asarray(booster.predict(table, num_threads=threads))


def read(text: str) -> Booster:
    """A booster from its text; raise :class:`ModelIntegrityError` if it is none."""
    try:
        return lgb.Booster(model_str=text)
    except lgb.basic.LightGBMError as error:
        raise ModelIntegrityError(f"a booster's text cannot be read: {error}") from error
