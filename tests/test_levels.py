"""Levels are return periods of a zone's own history, and their probabilities are a distribution."""

from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.config import Levels
from forecast.levels import LEVELS, level_of, probabilities, threshold_rows, thresholds, zone_limits

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)


def test_each_level_is_reached_as_often_as_asked():
    values = np.random.default_rng(7).gamma(2.0, 5000.0, size=5 * 365)
    orange, rouge, noir = thresholds({"a": values}, Levels())["a"]
    assert (values >= orange).sum() / 5 == pytest.approx(36, abs=1)
    assert (values >= rouge).sum() / 5 == pytest.approx(10, abs=1)
    assert (values >= noir).sum() / 5 == pytest.approx(2, abs=0.5)


@pytest.mark.parametrize(
    "history",
    [
        np.arange(179.0),
        np.r_[np.arange(179.0), np.full(500, np.nan)],
        np.full(800, 1200.0),
        np.r_[np.zeros(700), np.arange(30.0)],
        [],
    ],
    ids=["short", "short but for gaps", "constant", "almost always empty", "empty"],
)
def test_a_history_that_says_nothing_gives_no_threshold(history):
    assert thresholds({"a": history}, Levels())["a"] is None


def test_gaps_do_not_move_thresholds():
    values = np.arange(1000.0)
    with_gaps = np.insert(values, [3, 500], np.nan)
    found = thresholds({"a": values, "b": with_gaps}, Levels())
    assert np.array_equal(found["a"], found["b"])


def test_a_zone_without_threshold_has_no_level():
    rows = threshold_rows({"a": np.array([10.0, 20.0, 30.0]), "b": None}, ["a", "b"])
    found = probabilities(QUANTILES, [[1, 2, 3, 4, 5]] * 2, rows)
    assert level_of(found).tolist() == ["vert", None]


def test_a_missing_quantile_gives_no_level():
    found = probabilities(QUANTILES, [[1, 2, np.nan, 4, 5]], [[10.0, 20.0, 30.0]])
    assert np.isnan(found).all()


@pytest.mark.parametrize(
    ("median", "level"), [(9, "vert"), (10, "orange"), (19, "orange"), (20, "rouge"), (31, "noir")]
)
def test_the_level_is_that_of_the_median(median, level):
    values = [[median - 4, median - 2, median, median + 2, median + 4]]
    assert level_of(probabilities(QUANTILES, values, [[10, 20, 30]])) == [level]


def test_a_certain_forecast_reaches_the_threshold_it_equals():
    at, under = probabilities(QUANTILES, [[10] * 5, [9] * 5], [[10, 20, 30]] * 2)
    assert at.tolist() == [0, 1, 0, 0]
    assert under.tolist() == [1, 0, 0, 0]


def test_normal_quantiles_give_normal_tails():
    z = np.array([-1.2816, -0.6745, 0.0, 0.6745, 1.2816])
    found = probabilities(QUANTILES, [z], [[0.6745, 1.6449, 2.3263]])[0]
    assert found[1:].sum() == pytest.approx(0.25)
    assert found[2:].sum() == pytest.approx(0.05, abs=0.012)
    assert found[3] == pytest.approx(0.01, abs=0.005)


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(0, 5e6), min_size=5, max_size=5),
    st.lists(st.floats(0, 5e6), min_size=3, max_size=3),
    st.floats(0, 1e5),
)
def test_probabilities_are_a_distribution_and_grow_with_the_forecast(values, limits, more):
    ordered = [sorted(limits)] * 2
    found = probabilities(QUANTILES, [values, np.add(values, more)], ordered)
    assert (found >= 0).all()
    assert found.sum(axis=1) == pytest.approx([1, 1])
    or_worse = np.cumsum(found[:, ::-1], axis=1)
    assert (or_worse[1] >= or_worse[0] - 1e-6).all()
    severity = [LEVELS.index(level) for level in level_of(found)]
    assert severity[1] >= severity[0]


def test_shapes_that_do_not_agree_are_refused():
    with pytest.raises(ValueError, match=r"shape \(n, 3\)"):
        probabilities(QUANTILES, [[1, 2, 3, 4, 5]], [[1, 2, 3]] * 2)
    with pytest.raises(ValueError, match="increasing within"):
        probabilities([0.5, 0.1], [[1, 2]], [[1, 2, 3]])


def test_any_object_with_the_three_frequencies_will_do():
    yearly = SimpleNamespace(orange=100, rouge=50, noir=10)
    found = thresholds({"a": np.arange(2000.0)}, yearly)["a"]
    assert found[0] < thresholds({"a": np.arange(2000.0)}, Levels())["a"][0]


def test_only_the_last_three_years_that_are_known_count():
    """Days not known yet are no days, and a flood of visitors long ago is no threshold."""
    values = np.r_[np.full(400, 9e5), np.random.default_rng(3).gamma(2.0, 5000.0, 3 * 364)]
    expected = thresholds({"a": values[400:]}, Levels())["a"]
    lines = np.append(values, np.full(30, np.nan))[None, :]
    assert zone_limits(lines, Levels(), [None])[0] == pytest.approx(expected)
