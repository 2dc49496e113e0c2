"""Calibration: what it learns on one sample it must keep on another."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.calibration import (
    HORIZON_GROUPS,
    KINDS,
    Calibration,
    Cells,
    Shifts,
    adapted,
    day_kind,
    horizon_group,
)

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
NORMAL = np.array([-1.2816, -0.6745, 0.0, 0.6745, 1.2816])
ZONES = 4


def sample(
    n: int, seed: int, *, width: float = 1.0, bias: float = 0.0, by_zone: float = 0.0
) -> tuple[np.ndarray, np.ndarray, Cells]:
    """Forecasts whose band is ``width`` times what it should be, and what came true.

    ``bias`` [visitors] is the same everywhere; ``by_zone`` adds to it from zone to zone.
    """
    rng = np.random.default_rng(seed)
    cells = Cells(
        rng.integers(0, len(HORIZON_GROUPS), n),
        rng.integers(0, len(KINDS), n),
        rng.integers(0, ZONES, n),
    )
    raw = 1000 + 100 * width * NORMAL + np.zeros((n, 1))
    observed = 1000 + bias + by_zone * cells.zone + 100 * rng.standard_normal(n)
    return raw, observed, cells


def coverage(answer: np.ndarray, observed: np.ndarray) -> float:
    return float(((observed >= answer[:, 0]) & (observed <= answer[:, -1])).mean())


@pytest.mark.parametrize("width", [0.3, 1.0, 2.5])
def test_a_band_covers_what_it_promises_on_days_it_has_not_seen(width: float) -> None:
    calibration = Calibration(Shifts.fit(QUANTILES, *sample(4000, 1, width=width), ZONES))
    raw, observed, cells = sample(4000, 2, width=width)
    answer = calibration.apply(raw, cells)
    assert coverage(answer, observed) == pytest.approx(0.8, abs=0.03)
    for i, quantile in enumerate(QUANTILES):
        assert (observed <= answer[:, i]).mean() == pytest.approx(quantile, abs=0.03)


def test_a_bias_moves_the_band_everywhere_and_zone_by_zone() -> None:
    calibration = Calibration(Shifts.fit(QUANTILES, *sample(8000, 1, bias=60, by_zone=40), ZONES))
    raw, observed, cells = sample(8000, 2, bias=60, by_zone=40)
    answer = calibration.apply(raw, cells)
    for zone in range(ZONES):
        here = cells.zone == zone
        # The median stays where it was, unless the band leaves it behind.
        left = [np.median(observed[here] - line[here, 2]) for line in (answer, raw)]
        assert abs(left[0]) <= abs(left[1])
        for i, level in ((0, 0.1), (4, 0.9)):
            off, before = (
                abs((observed[here] <= line[here, i]).mean() - level) for line in (answer, raw)
            )
            assert off < 0.06
            assert off < before


def test_bands_that_held_too_little_reach_farther_and_those_that_held_too_much_less() -> None:
    fold = np.repeat(np.arange(6), 200)
    rng = np.random.default_rng(3)
    observed = rng.normal(0, 1, len(fold))
    z = np.array([-1.2816, -0.6745, 0, 0.6745, 1.2816])
    for factor, farther in ((0.7, True), (1.5, False)):
        reach = adapted(QUANTILES, np.tile(factor * z, (len(fold), 1)), observed, fold)
        assert (reach[0] < 0.1) == farther
        assert (reach[-1] > 0.9) == farther
        assert reach[2] == 0.5
        assert (np.diff(reach) > 0).all()
    # Days that have not come true, and quantiles not yet published, say nothing.
    none = adapted(QUANTILES, np.tile(z, (len(fold), 1)), np.full(len(fold), np.nan), fold)
    np.testing.assert_array_equal(none, QUANTILES)


def test_a_zone_it_does_not_know_gets_what_holds_everywhere() -> None:
    shifts = Shifts.fit(QUANTILES, *sample(4000, 1, bias=60, by_zone=40), ZONES)
    raw, _, cells = sample(50, 2)
    unknown = Cells(cells.group, cells.kind, np.full(50, -1))
    answer = Calibration(shifts).apply(raw, unknown)
    none = Calibration(Shifts(shifts.horizon, shifts.kind, np.zeros_like(shifts.zone)))
    np.testing.assert_array_equal(answer, none.apply(raw, cells))


def test_what_did_not_come_true_yet_teaches_nothing() -> None:
    raw, observed, cells = sample(1000, 1, width=0.5)
    half = observed.copy()
    half[500:] = np.nan
    np.testing.assert_array_equal(
        Shifts.fit(QUANTILES, raw, half, cells, ZONES).of(cells),
        Shifts.fit(
            QUANTILES, raw[:500], observed[:500], cells.where(np.arange(1000) < 500), ZONES
        ).of(cells),
    )


def test_few_days_teach_nothing() -> None:
    raw, observed, cells = sample(90, 1, width=0.2, bias=300)
    assert not Shifts.fit(QUANTILES, raw, observed, cells, ZONES).of(cells).any()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(-3, 3))
def test_answers_are_in_order_and_never_negative(seed: int, reach: float) -> None:
    rng = np.random.default_rng(seed)
    shapes = (len(HORIZON_GROUPS), len(KINDS), ZONES)
    calibration = Calibration(
        *(Shifts(*(rng.normal(0, abs(reach), (n, 5)) for n in shapes)) for _ in range(1)),
        {"parking": Shifts(*(rng.normal(0, 1, (n, 5)) for n in shapes))},
    )
    raw = np.sort(rng.gamma(1, 100, (40, 5)), axis=1)
    _, _, cells = sample(40, seed)
    for stale in ((), ("parking",)):
        answer = calibration.apply(raw, cells, stale)
        assert (np.diff(answer, axis=1) >= 0).all()
        assert (answer >= 0).all()


def test_the_median_stays_where_the_model_put_it() -> None:
    """However far too low everything was: a band that moves past the middle stops at it."""
    raw, observed, cells = sample(4000, 8, width=0.5, bias=400)
    answer = Calibration(Shifts.fit(QUANTILES, raw, observed, cells, ZONES)).apply(raw, cells)
    np.testing.assert_array_equal(answer[:, 2], raw[:, 2])
    np.testing.assert_array_equal(answer[:, 0], raw[:, 2])
    assert (answer[:, 4] > raw[:, 4] + 300).all()


def test_a_stale_source_never_narrows_the_band() -> None:
    fresh = Shifts.fit(QUANTILES, *sample(2000, 1), ZONES)
    raw, _, cells = sample(300, 4)
    complete = Calibration(fresh).apply(raw, cells)
    late = {
        "mobility": Shifts.fit(QUANTILES, *sample(2000, 2, width=0.5), ZONES),
        "waste": Shifts.fit(QUANTILES, *sample(2000, 3, width=3.0), ZONES),
    }
    narrow = np.ptp(Calibration(late["waste"]).apply(raw, cells), axis=1)
    calibration = Calibration(
        fresh, {name: shifts.no_narrower(raw, cells, complete) for name, shifts in late.items()}
    )
    wide = {
        stale: np.ptp(calibration.apply(raw, cells, stale), axis=1)
        for stale in (("mobility",), ("waste",), ("mobility", "waste"), ("influx",))
    }
    usual = np.ptp(complete, axis=1)
    assert (wide["mobility",] > 1.3 * usual).all()  # its own errors were twice as wide
    assert narrow.mean() < 0.5 * usual.mean()
    assert wide["waste",].mean() >= 1.02 * usual.mean()
    assert (wide["waste",] >= usual - 1e-9).all()
    assert (wide["mobility", "waste"] >= wide["mobility",] - 1e-9).all()
    np.testing.assert_array_equal(wide["influx",], usual)  # nothing was learnt of it


def test_a_dead_source_has_the_band_learnt_for_it_alone() -> None:
    fresh, waste = (Shifts.fit(QUANTILES, *sample(2000, seed), ZONES) for seed in (1, 3))
    wide = Shifts.fit(QUANTILES, *sample(2000, 2, width=0.5), ZONES)
    calibration = Calibration(wide, {"waste": waste, "weather": fresh})
    raw, _, cells = sample(300, 4)
    alone = Calibration(waste).apply(raw, cells)
    np.testing.assert_array_equal(calibration.apply(raw, cells, ["waste"], ["waste"]), alone)
    late = Calibration(wide).apply(raw, cells)
    # One that is late beside it, or of which nothing was learnt, keeps the shifts of fresh days.
    assert (np.ptp(calibration.apply(raw, cells, ["waste"]), axis=1) >= np.ptp(late, axis=1)).all()
    both = calibration.apply(raw, cells, ["waste", "weather"], ["waste"])
    assert (np.ptp(both, axis=1) >= np.ptp(late, axis=1)).all()
    np.testing.assert_array_equal(calibration.apply(raw, cells, ["influx"], ["influx"]), late)


def test_shifts_survive_a_file() -> None:
    calibration = Calibration(
        Shifts.fit(QUANTILES, *sample(2000, 1), ZONES),
        {"weather": Shifts.fit(QUANTILES, *sample(2000, 2, width=0.6), ZONES)},
    )
    again = Calibration.from_arrays({**calibration.arrays(), "coefficients": np.zeros(3)})
    raw, _, cells = sample(100, 3)
    for stale in ((), ("weather",)):
        np.testing.assert_array_equal(
            again.apply(raw, cells, stale), calibration.apply(raw, cells, stale)
        )


def test_groups_of_horizons_and_kinds_of_days() -> None:
    assert horizon_group(np.arange(0, 22)).tolist() == [0] * 2 + [1] * 2 + [2] * 4 + [3] * 14
    weekday, run = np.array([4, 5, 6, 0, 5]), np.array([0, np.nan, 0, 3, 4])
    assert [KINDS[i] for i in day_kind(weekday, run)] == [
        "weekday",
        "weekend",
        "weekend",
        "holiday run",
        "holiday run",
    ]
