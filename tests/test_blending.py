"""The blend: it follows whoever was right, by zone and kind of day, and never unknown days."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.blending import Blend
from forecast.cells import RUN, Cells

N = 9000
ZONES = 4
ORDINARY, RUNS = 0, 1


def cells(group: np.ndarray, zone: np.ndarray, run: np.ndarray) -> Cells:
    return Cells(group, np.where(run, RUN, 0), zone)


@pytest.fixture(scope="module")
def answers() -> tuple[Cells, np.ndarray, np.ndarray, np.ndarray]:
    """Boosters are right in zone 0, the partner in zone 1 and on every run, the level in zone 2.

    In zone 3 boosters and partner err as much, and apart.
    """
    rng = np.random.default_rng(5)
    zone, group = rng.integers(0, ZONES, N), rng.integers(0, 4, N)
    run = rng.random(N) < 0.15
    observed = 1000 * np.exp(rng.normal(0, 0.3, N))
    off = observed[:, None] * np.exp(rng.normal(0, 0.2, (N, 3)))
    median = np.where((zone == 0) & ~run, observed, off[:, 0])
    partner = np.where((zone == 1) | run, observed, off[:, 1])
    level = np.where((zone == 2) & ~run, observed, off[:, 2] * 1.5)
    return cells(group, zone, run), median, np.column_stack([partner, level]), observed


@pytest.fixture(scope="module")
def blend(answers) -> Blend:
    found, *lines = answers
    return Blend.fit(*lines, found, ZONES, 0.3)


def test_each_zone_follows_the_member_that_was_right(blend: Blend) -> None:
    ordinary = blend.shares[:, :, ORDINARY]
    assert (ordinary[0].sum(axis=1) <= 0.15).all()
    assert (ordinary[1, :, 0] >= 0.7).all()
    assert (ordinary[2, :, 1] > ordinary[[0, 1, 3], :, 1].max(axis=0) + 0.05).all()
    assert (np.abs(ordinary[3, :, 0] - 0.45) < 0.25).all()
    assert (blend.shares[:-1, :, RUNS, 0] >= 0.7).all()


def test_shares_are_shares(blend: Blend) -> None:
    assert (blend.shares >= 0).all()
    assert (blend.shares.sum(axis=-1) <= 1 + 1e-9).all()


def test_the_blend_is_better_than_any_member_where_all_err(answers, blend: Blend) -> None:
    found, median, members, observed = answers
    here = (found.zone == 3) & (found.kind != RUN)
    blended = blend.apply(median[:, None], members, found)[:, 0]
    errors = [np.abs(line - observed)[here].mean() for line in (blended, median, *members.T)]
    assert errors[0] < 0.85 * min(errors[1:])


def test_quantiles_move_together_and_keep_their_order(answers) -> None:
    found, median, members, _ = answers
    quantiles = median[:, None] * np.array([0.8, 1.0, 1.3])
    moved = Blend.constant(0.3, ZONES).apply(quantiles, members, found)
    ordinary, run = found.kind != RUN, found.kind == RUN
    expected = median**0.5 * members[:, 0] ** 0.3 * members[:, 1] ** 0.2
    np.testing.assert_allclose(moved[ordinary, 1], expected[ordinary])
    expected = median**0.3 * members[:, 0] ** 0.6 * members[:, 1] ** 0.1
    np.testing.assert_allclose(moved[run, 1], expected[run])
    np.testing.assert_allclose(moved / moved[:, [1]], quantiles / quantiles[:, [1]])


def test_a_member_that_says_nothing_draws_nothing(answers) -> None:
    found, median, members, _ = answers
    silent = np.full_like(members, np.nan)
    moved = Blend.constant(0.3, ZONES).apply(median[:, None], silent, found)
    np.testing.assert_allclose(moved[:, 0], median)


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
