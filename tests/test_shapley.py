"""Shapley values of trees: the very values LightGBM gives, whatever the trees read."""

from __future__ import annotations

import lightgbm as lgb
import numpy as np
import pytest

from forecast.shapley import _KEPT, Shapley

TELLS = {
    "plain": {"num_leaves": 12},
    "missing values": {"num_leaves": 12, "extra_trees": True},
    "zero is missing": {"num_leaves": 12, "zero_as_missing": True},
    "missing counts as zero": {"num_leaves": 12, "use_missing": False},
    "more columns on a way than are kept": {"num_leaves": 90, "extra_trees": True},
}


def taught(rows: int = 600, **parameters) -> tuple[lgb.Booster, np.ndarray]:
    rng = np.random.default_rng(3)
    table = rng.normal(size=(rows, 20)).astype(np.float32)
    table[rng.random(table.shape) < 0.2] = np.nan
    table[rng.random(table.shape) < 0.1] = 0
    table[:, -1] = rng.integers(0, 30, rows)
    table[:20, -1] = np.nan
    steps = np.nan_to_num(table[:, :-1]) @ 2.0 ** -np.arange(19) + (table[:, -1] % 3 == 0)
    data = lgb.Dataset(table, steps, categorical_feature=[19], free_raw_data=False)
    told = {"verbosity": -1, "min_data_in_leaf": 3, "seed": 5, "num_threads": 1} | parameters
    return lgb.train(told, data, 40), table


@pytest.mark.parametrize("parameters", TELLS.values(), ids=TELLS)
def test_the_values_are_those_of_lightgbm(parameters) -> None:
    booster, table = taught(**parameters)
    unseen = table[:100].copy()
    unseen[:, -1] = np.arange(100) - 5  # categories below zero, and some never seen
    for asked in (table, unseen):
        found = Shapley.of(booster).values(np.ascontiguousarray(asked.T))
        expected = booster.predict(asked, pred_contrib=True, num_threads=1).T
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


def test_some_way_has_more_columns_than_are_kept() -> None:
    booster, _ = taught(**TELLS["more columns on a way than are kept"])
    _value, _ways, columns, *_ = Shapley.of(booster).leaves
    assert np.diff(columns).max() > _KEPT


def test_trees_without_a_cut_have_a_mean_alone() -> None:
    booster, table = taught(rows=50, min_data_in_leaf=40)
    found = Shapley.of(booster).values(np.ascontiguousarray(table.T))
    np.testing.assert_array_equal(found[:-1], 0)
    np.testing.assert_allclose(found[-1], booster.predict(table, num_threads=1), rtol=1e-12)
