"""The blend: it follows whoever was right, by zone and kind of day, and never unknown days."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.blending import MEMBERS, Blend
from forecast.cells import RUN, Cells

N = 150_000
ZONES = 6
ORDINARY, RUNS = 0, 1
PARTNER, LEVEL, LEFT, INFLUX = range(len(MEMBERS))


def cells(group: np.ndarray, zone: np.ndarray, run: np.ndarray) -> Cells:
    return Cells(group, np.where(run, RUN, 0), zone)


@pytest.fixture(scope="module")
def answers() -> tuple[Cells, np.ndarray, np.ndarray, np.ndarray]:
    """Boosters are right in zone 0, the partner in zone 1 and on every run, the level in zone 2.

    In zone 3 boosters and partner err least, as much and apart; in zones 4 and 5 a recursive member
    is right.
    """
    rng = np.random.default_rng(5)
    zone, group = rng.integers(0, ZONES, N), rng.integers(0, 4, N)
    run = rng.random(N) < 0.4
    observed = 1000 * np.exp(rng.normal(0, 0.3, N))
    off = observed[:, None] * np.exp(rng.normal(0, 0.2, (N, 5)))
    median = np.where((zone == 0) & ~run, observed, off[:, 0])
    partner = np.where((zone == 1) | run, observed, off[:, 1])
    level = np.where((zone == 2) & ~run, observed, off[:, 2] * 1.1)
    left = np.where((zone == 4) & ~run, observed, off[:, 3] * 1.1)
    influx = np.where((zone == 5) & ~run, observed, off[:, 4] * 1.1)
    members = np.column_stack([partner, level, left, influx])
    return cells(group, zone, run), median, members, observed


@pytest.fixture(scope="module")
def blend(answers) -> Blend:
    found, *lines = answers
    return Blend.fit(*lines, found, ZONES, 0.3)


def test_each_zone_follows_the_member_that_was_right(blend: Blend) -> None:
    ordinary = blend.shares[:-1, :, ORDINARY].mean(axis=1)
    boosters = 1 - ordinary.sum(axis=1)
    assert boosters.argmax() == 0
    assert boosters[0] > 0.85
    assert (ordinary.argmax(axis=0) == [1, 2, 4, 5]).all()
    assert ordinary[1, PARTNER] > 0.55
    assert ordinary[2, LEVEL] > ordinary[[0, 1, 3, 4, 5], LEVEL].max() + 0.05
    assert ordinary[4, LEFT] > ordinary[[0, 1, 2, 3, 5], LEFT].max() + 0.1
    assert ordinary[5, INFLUX] > ordinary[:5, INFLUX].max() + 0.1
    assert np.abs(ordinary[3, PARTNER] - boosters[3]) < 0.2
    assert (blend.shares[:-1, :, RUNS, PARTNER] >= 0.85).all()


def test_the_recent_level_has_hardly_a_say_on_a_run(answers) -> None:
    """Not even where it was right on the few there were, and all others were not."""
    found, median, members, observed = answers
    lucky = members.copy()
    lucky[:, LEVEL] = np.where(found.kind == RUN, observed, members[:, LEVEL])
    lucky[:, PARTNER] = np.where(found.kind == RUN, 2 * observed, members[:, PARTNER])
    shares = Blend.fit(median, lucky, observed, found, ZONES, 0.3).shares
    assert (shares[:, :, RUNS, LEVEL] <= 0.1).all()
    assert (shares[:, :, ORDINARY, LEVEL] > 0.1).any()


def test_shares_are_shares(blend: Blend) -> None:
    assert (blend.shares >= 0).all()
    assert (blend.shares.sum(axis=-1) <= 1 + 1e-9).all()


def test_the_blend_is_better_than_any_member_where_all_err(answers, blend: Blend) -> None:
    found, median, members, observed = answers
    here = (found.zone == 3) & (found.kind != RUN)
    blended = blend.apply(median[:, None], members, found)[:, 0]
    errors = [np.abs(line - observed)[here].mean() for line in (blended, median, *members.T)]
    assert errors[0] < 0.85 * min(errors[1:])


def test_quantiles_move_with_their_median_and_keep_their_order(answers) -> None:
    found, median, members, _ = answers
    quantiles = median[:, None] * np.array([0.8, 1.0, 1.3])
    moved = Blend.constant(0.1, ZONES).apply(quantiles, members, found)
    ordinary, run = found.kind != RUN, found.kind == RUN
    for rows, shares in ((ordinary, [0.1, 0.05, 0.2, 0.2]), (run, [0.2, 0.0, 0.2, 0.2])):
        expected = median ** (1 - sum(shares)) * np.prod(members**shares, axis=1)
        np.testing.assert_allclose(moved[rows, 1], expected[rows])
    assert (np.diff(moved, axis=1) > 0).all()


def test_a_day_on_which_the_members_differ_is_less_sure() -> None:
    """The variance of a mixture: that of its members and that between them."""
    quantiles, wide = np.exp(np.tile([-1.28, 0.0, 1.28], (3, 1))), 2 * 1.28
    apart = np.array([[0.0, 0.0, 0.0, 0.0], [0.5, -0.5, 0.5, -0.5], [np.nan, np.nan, 2.5, np.nan]])
    found = cells(np.zeros(3, int), np.zeros(3, int), np.zeros(3, bool))
    moved = np.log(Blend.constant(0.1, 1).apply(quantiles, np.exp(apart), found))
    between = np.array([0.0, 0.5 * np.sqrt(0.8), 1.0])
    np.testing.assert_allclose(moved[:, 2] - moved[:, 0], wide * np.hypot(1, between), rtol=1e-3)
    np.testing.assert_allclose(moved[:, 2] - moved[:, 1], moved[:, 1] - moved[:, 0])


def test_a_member_that_says_nothing_draws_nothing(answers) -> None:
    found, median, members, _ = answers
    silent = np.full_like(members, np.nan)
    moved = Blend.constant(0.3, ZONES).apply(median[:, None], silent, found)
    np.testing.assert_allclose(moved[:, 0], median)


@pytest.mark.parametrize("silent", range(len(MEMBERS)))
def test_of_one_that_says_nothing_the_boosters_take_the_share(answers, silent: int) -> None:
    found, median, members, observed = answers
    fewer = members.copy()
    fewer[:, silent] = np.nan
    instead = members.copy()
    instead[:, silent] = median
    by = Blend.constant(0.3, ZONES)
    expected = by.apply(median[:, None], instead, found)
    np.testing.assert_allclose(by.apply(median[:, None], fewer, found), expected)
    # And the others are learnt from all the same.
    learnt = Blend.fit(median, fewer, observed, found, ZONES, 0.3)
    np.testing.assert_array_equal(
        learnt.shares, Blend.fit(median, instead, observed, found, ZONES, 0.3).shares
    )


def test_without_days_that_came_true_it_is_what_was_configured(answers) -> None:
    found, median, members, _ = answers
    unknown = Blend.fit(median, members, np.full(N, np.nan), found, ZONES, 0.3)
    np.testing.assert_allclose(unknown.shares, Blend.constant(0.3, ZONES).shares)


def test_a_zone_of_which_little_is_known_leans_on_the_others(answers, blend: Blend) -> None:
    found, median, members, observed = answers
    few = np.where((found.zone != 2) | (np.arange(N) < 60), observed, np.nan)
    shares = Blend.fit(median, members, few, found, ZONES, 0.3).shares
    assert shares[2, :, ORDINARY, 1].mean() < blend.shares[2, :, ORDINARY, 1].mean() - 0.1


def test_an_unknown_zone_takes_what_all_advise(answers, blend: Blend) -> None:
    stranger = cells(np.array([0, 3]), np.array([-1, -1]), np.array([False, True]))
    expected = blend.shares[ZONES, [0, 3], [ORDINARY, RUNS]]
    np.testing.assert_array_equal(blend.of(stranger), expected)
