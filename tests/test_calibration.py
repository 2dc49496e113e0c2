"""Calibration: what it learns on one sample it must keep on another."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.bands import Bands
from forecast.calibration import Calibration, adapted
from forecast.cells import HORIZON_GROUPS, KINDS, Cells, day_kind, horizon_group

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
NORMAL = np.array([-1.2816, -0.6745, 0.0, 0.6745, 1.2816])
ZONES = 4
PARTS = ("group", "kind", "zone")


def sample(
    n: int, seed: int, *, width: float = 1.0, bias: float = 0.0, by_zone: float = 0.0
) -> tuple[np.ndarray, np.ndarray, Cells]:
    """Forecasts whose band is ``width`` times what it should be, and what came true.

    ``bias`` [visitors] is the same everywhere; errors grow by ``by_zone`` from zone to zone.
    """
    rng = np.random.default_rng(seed)
    cells = Cells(
        rng.integers(0, len(HORIZON_GROUPS), n),
        rng.integers(0, len(KINDS), n),
        rng.integers(0, ZONES, n),
    )
    raw = 1000 + 100 * width * NORMAL + np.zeros((n, 1))
    observed = 1000 + bias + 100 * (1 + by_zone * cells.zone) * rng.standard_normal(n)
    return raw, observed, cells


def coverage(answer: np.ndarray, observed: np.ndarray) -> float:
    return float(((observed >= answer[:, 0]) & (observed <= answer[:, -1])).mean())


@pytest.mark.parametrize("width", [0.3, 1.0, 2.5])
def test_a_band_covers_what_it_promises_on_days_it_has_not_seen(width: float) -> None:
    calibration = Calibration(Bands.fit(QUANTILES, *sample(4000, 1, width=width), ZONES))
    raw, observed, cells = sample(4000, 2, width=width)
    answer = calibration.apply(raw, cells)
    assert coverage(answer, observed) == pytest.approx(0.8, abs=0.03)
    for i, quantile in enumerate(QUANTILES):
        assert (observed <= answer[:, i]).mean() == pytest.approx(quantile, abs=0.03)


def test_larger_errors_widen_the_band_zone_by_zone() -> None:
    bands = Bands.fit(QUANTILES, *sample(8000, 1, by_zone=0.3), ZONES)
    raw, observed, cells = sample(8000, 2, by_zone=0.3)
    answer = bands.apply(raw, cells)
    width = np.ptp(answer, axis=1)
    means = [width[cells.zone == zone].mean() for zone in range(ZONES)]
    assert (np.diff(means) > 20).all()
    for zone in range(ZONES):
        here = cells.zone == zone
        off = coverage(answer[here], observed[here]) - 0.8
        assert abs(off) < 0.05
        # In the first zone the raw band is right already.
        assert zone == 0 or abs(off) < abs(coverage(raw[here], observed[here]) - 0.8)


def test_the_side_on_which_errors_fell_is_not_believed_and_that_of_the_day_in_part() -> None:
    raw, observed, cells = sample(4000, 1, bias=120)
    bands = Bands.fit(QUANTILES, raw, observed, cells, ZONES)
    even = np.exp(0.2 * NORMAL) * np.full((len(raw), 1), 1000.0)
    away = np.log(bands.apply(even, cells) / even[:, [2]])
    np.testing.assert_allclose(away, -away[:, ::-1], atol=1e-12)
    # The band is wide enough for errors of either side, and its median where the model put it.
    assert coverage(bands.apply(raw, cells), observed) > 0.75
    np.testing.assert_array_equal(bands.apply(raw, cells)[:, 2], raw[:, 2])
    lopsided = even * np.exp([0, 0, 0, 0.2, 0.4])
    below, above = (np.abs(np.log(bands.apply(lopsided, cells) / 1000))[:, i] for i in (0, -1))
    own = np.log(lopsided[0, -1] / 1000) / np.log(1000 / lopsided[0, 0])
    np.testing.assert_allclose(above / below, own**0.3)


def test_a_day_less_sure_than_usual_keeps_the_wider_band() -> None:
    """The size of a band is drawn towards what is usual, and not all the way."""
    raw, observed, cells = sample(4000, 1)
    bands = Bands.fit(QUANTILES, raw, observed, cells, ZONES)
    unsure = raw.copy()
    unsure[:, [0, 1, 3, 4]] += 2 * (raw[:, [0, 1, 3, 4]] - raw[:, [2]])
    ratio = np.ptp(bands.apply(unsure, cells), axis=1) / np.ptp(bands.apply(raw, cells), axis=1)
    assert (ratio > 1.8).all()
    assert (ratio < 3).all()


def test_a_kind_of_day_is_learnt_from_its_days_however_many_zones_there_are() -> None:
    """Zones err alike: four with the same errors say no more of a weekend than one."""
    raw, observed, cells = sample(400, 1)
    weekend = np.arange(len(raw)) % 7 >= 5
    observed = np.where(weekend, raw[:, 2] + 3 * (observed - raw[:, 2]), observed)
    kind, alone = weekend.astype(np.int64), np.zeros(len(raw), dtype=np.int64)
    one = Bands.fit(QUANTILES, raw, observed, Cells(cells.group, kind, alone), 1)
    four = Bands.fit(
        QUANTILES,
        np.tile(raw, (4, 1)),
        np.tile(observed, 4),
        Cells(np.tile(cells.group, 4), np.tile(kind, 4), np.repeat(np.arange(4), len(raw))),
        4,
    )
    assert one.kind[1] > 1.5
    np.testing.assert_allclose(four.kind, one.kind, rtol=0.01)


def test_old_errors_count_less_than_those_of_late() -> None:
    wide, narrow = sample(2000, 1, width=0.5), sample(2000, 2, width=2.0)
    raw, observed = (np.concatenate([wide[i], narrow[i]]) for i in (0, 1))
    raw[:2000] = raw[2000:]  # the same bands; what came true was once as far again
    cells = Cells(*(np.concatenate([getattr(c, k) for c in (wide[2], narrow[2])]) for k in PARTS))
    observed[:2000] += 2 * (observed[:2000] - 1000)
    age = np.repeat([24.0, 0.0], 2000)
    even, late = (Bands.fit(QUANTILES, raw, observed, cells, ZONES, a) for a in (None, age))
    assert np.ptp(late.apply(raw, cells)) < 0.8 * np.ptp(even.apply(raw, cells))


def test_bands_that_held_too_little_are_widened_and_those_that_held_too_much_narrowed() -> None:
    fold = np.repeat(np.arange(6), 200)
    day = 28 * fold
    rng = np.random.default_rng(3)
    observed = rng.normal(0, 1, len(fold))
    for factor, wider in ((0.7, True), (1.5, False)):
        band = np.tile(factor * NORMAL, (len(fold), 1))
        width = adapted(QUANTILES, band, observed, fold, day)
        assert (width > 1.1) if wider else (width < 0.9)
        # A few days say less than many.
        few = fold * (np.arange(len(fold)) % 20 == 0) - (np.arange(len(fold)) % 20 > 0)
        assert abs(np.log(adapted(QUANTILES, band, observed, few, day))) < abs(np.log(width))
    # Days that have not come true, and quantiles not yet published, say nothing.
    band = np.tile(NORMAL, (len(fold), 1))
    assert adapted(QUANTILES, band, np.full(len(fold), np.nan), fold, day) == 1.0
    raw, came_true, cells = sample(2000, 1)
    plain, wide = (Bands.fit(QUANTILES, raw, came_true, cells, ZONES, None, w) for w in (1.0, 1.3))
    np.testing.assert_allclose(wide.of(raw, cells), 1.3 * plain.of(raw, cells))


def test_what_bands_held_that_had_learnt_from_little_does_not_widen_later_ones() -> None:
    """Their misses say how few errors they knew, and not what the next season will be like."""
    fold = np.repeat(np.arange(6), 200)
    observed = np.random.default_rng(3).normal(0, 1, len(fold))
    early, band = fold < 3, np.tile(NORMAL, (len(fold), 1))
    hardly = np.where(early[:, None], 0.1 * band, band)
    by_month, by_quarter = (
        adapted(QUANTILES, hardly, observed, fold, days * fold) for days in (28, 91)
    )
    assert by_month == adapted(QUANTILES, band, observed, fold, 28 * fold)
    # Of folds of a quarter the second had learnt from a whole one.
    assert by_quarter > 1.3 * by_month


def test_days_that_counted_nobody_do_not_tell_how_far_up_the_others_err() -> None:
    """A counter out of order on a fifth of its days, where logs see no bottom."""
    raw, observed, cells = sample(6000, 1)
    broken = np.where((cells.zone == 0) & (np.arange(len(raw)) % 5 == 0), 0.0, observed)
    up = [
        np.log(Bands.fit(QUANTILES, raw, came, cells, ZONES).apply(raw, cells)[:, -1] / raw[:, 2])
        for came in (observed, broken)
    ]
    here = cells.zone == 0
    assert up[1][here].max() < 2.0
    np.testing.assert_allclose(up[1][~here], up[0][~here], rtol=0.2)


def test_less_than_an_empty_zone_has_is_nobody() -> None:
    raw, observed, cells = sample(2000, 1)
    bands = Bands.fit(QUANTILES, raw, observed, cells, ZONES)
    np.testing.assert_allclose(bands.least[:-1], 10, rtol=0.05)  # a hundredth of a mean of 1 000
    assert bands.least[-1] == 0
    few = 0.009 * raw
    assert (bands.apply(few, cells)[:, :3] == 0).all()
    unknown = Cells(cells.group, cells.kind, np.full(len(raw), -1))
    assert (bands.apply(few, unknown) > 0).all()
    # What is said to be empty has no error to learn from, whatever came true.
    twice = Cells(*(np.tile(getattr(cells, part), 2) for part in PARTS))
    nobody = np.zeros_like(raw)
    nobody[:, -1] = 1000
    both = Bands.fit(QUANTILES, np.vstack([raw, nobody]), np.tile(observed, 2), twice, ZONES)
    np.testing.assert_array_equal(both.reach, bands.reach)
    # Nor is there a multiple of nobody: such a band stays as it is, however late a source.
    np.testing.assert_array_equal(bands.apply(nobody, cells), nobody)
    late = Calibration(bands, {"parking": bands.no_narrower(raw, cells, bands.apply(raw, cells))})
    np.testing.assert_array_equal(late.apply(nobody, cells, ["parking"]), nobody)


def test_bands_of_an_older_bundle_take_no_zone_for_empty() -> None:
    raw, observed, cells = sample(2000, 1)
    kept = Calibration(Bands.fit(QUANTILES, raw, observed, cells, ZONES))
    arrays = kept.arrays()
    answer = kept.apply(raw, cells)
    np.testing.assert_array_equal(Calibration.from_arrays(arrays).apply(raw, cells), answer)
    del arrays["fresh.least"]
    old = Calibration.from_arrays(arrays)
    np.testing.assert_array_equal(old.apply(raw, cells), answer)
    assert (old.apply(0.001 * raw, cells) > 0).all()


def test_a_zone_it_does_not_know_gets_what_holds_everywhere() -> None:
    bands = Bands.fit(QUANTILES, *sample(4000, 1, by_zone=0.3), ZONES)
    raw, _, cells = sample(50, 2)
    unknown = Cells(cells.group, cells.kind, np.full(50, -1))
    usual = np.tile(bands.usual[-1], (ZONES + 1, 1))
    none = replace(bands, zone=np.ones(ZONES), usual=usual)
    np.testing.assert_array_equal(bands.apply(raw, unknown), none.apply(raw, cells))
    # And a day of a zone that is not known teaches nothing.
    raw, observed, cells = sample(1000, 3)
    stranger = Cells(cells.group, cells.kind, np.where(np.arange(1000) < 500, cells.zone, -1))
    same = (
        Bands.fit(QUANTILES, raw, observed, stranger, ZONES),
        Bands.fit(QUANTILES, raw[:500], observed[:500], cells.where(np.arange(1000) < 500), ZONES),
    )
    np.testing.assert_array_equal(*(bands.of(raw, cells) for bands in same))


def test_what_did_not_come_true_yet_teaches_nothing() -> None:
    raw, observed, cells = sample(1000, 1, width=0.5)
    half = observed.copy()
    half[500:] = np.nan
    np.testing.assert_array_equal(
        Bands.fit(QUANTILES, raw, half, cells, ZONES).of(raw, cells),
        Bands.fit(
            QUANTILES, raw[:500], observed[:500], cells.where(np.arange(1000) < 500), ZONES
        ).of(raw, cells),
    )


def test_few_days_teach_nothing() -> None:
    raw, observed, cells = sample(50, 1, width=0.2, bias=300)
    few, none = Bands.fit(QUANTILES, raw, observed, cells, ZONES), Bands.none(QUANTILES, ZONES)
    np.testing.assert_array_equal(few.of(raw, cells), none.of(raw, cells))
    # Before any error is known a band is as wide as the model made it.
    answer = none.apply(raw, cells)
    np.testing.assert_allclose(answer, raw, rtol=0.01)
    np.testing.assert_array_equal(answer[:, 2], raw[:, 2])


def test_a_day_of_nothing_and_one_of_a_thousand_times_as_much_leave_the_band_finite() -> None:
    raw, observed, cells = sample(400, 1)
    observed[::2] = 0.0
    observed[1::4] = 1e6
    answer = Bands.fit(QUANTILES, raw, observed, cells, ZONES).apply(raw, cells)
    assert (answer > 0).all()
    assert (answer < 25 * raw[:, [2]]).all()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0, 3))
def test_answers_are_in_order_and_never_negative(seed: int, reach: float) -> None:
    rng = np.random.default_rng(seed)

    def bands(far: float) -> Bands:
        away = rng.normal(0, far, (len(HORIZON_GROUPS), 5))
        away[:, :2], away[:, 2], away[:, 3:] = -np.abs(away[:, :2]), 0, np.abs(away[:, 3:])
        usual = rng.normal(-1, 1, (ZONES + 1, len(KINDS)))
        sides = np.sort(away, axis=1)
        least = rng.gamma(1, 20, ZONES + 1)
        return Bands(sides, rng.gamma(2, 1, len(KINDS)), rng.gamma(2, 1, ZONES), usual, least)

    calibration = Calibration(bands(reach), {"parking": bands(1.0)})
    raw = np.sort(rng.gamma(1, 100, (40, 5)), axis=1)
    _, _, cells = sample(40, seed)
    for stale in ((), ("parking",)):
        answer = calibration.apply(raw, cells, stale)
        assert (np.diff(answer, axis=1) >= 0).all()
        assert (answer >= 0).all()
        assert np.isfinite(answer).all()


def test_a_stale_source_never_narrows_the_band() -> None:
    fresh = Bands.fit(QUANTILES, *sample(2000, 1), ZONES)
    raw, _, cells = sample(300, 4)
    complete = Calibration(fresh).apply(raw, cells)
    late = {
        "mobility": Bands.fit(QUANTILES, *sample(2000, 2, width=0.5), ZONES),
        "waste": Bands.fit(QUANTILES, *sample(2000, 3, width=3.0), ZONES),
    }
    narrow = np.ptp(Calibration(late["waste"]).apply(raw, cells), axis=1)
    calibration = Calibration(
        fresh, {name: bands.no_narrower(raw, cells, complete) for name, bands in late.items()}
    )
    wide = {
        stale: np.ptp(calibration.apply(raw, cells, stale), axis=1)
        for stale in (("mobility",), ("waste",), ("mobility", "waste"), ("influx",))
    }
    usual = np.ptp(complete, axis=1)
    assert (wide["mobility",] > 1.3 * usual).all()  # its own errors were twice as wide
    assert narrow.mean() < 0.6 * usual.mean()
    assert wide["waste",].mean() >= 1.02 * usual.mean()
    assert (wide["waste",] > 1.015 * usual).all()  # known to be late is never as sure as fresh
    dead = np.ptp(calibration.apply(raw, cells, ["waste"], ["waste"]), axis=1)
    assert dead.mean() >= 1.019 * usual.mean()
    assert (wide["mobility", "waste"] >= wide["mobility",] - 1e-9).all()
    np.testing.assert_array_equal(wide["influx",], usual)  # nothing was learnt of it


def test_a_dead_source_has_the_band_learnt_for_it_alone() -> None:
    fresh, waste = (Bands.fit(QUANTILES, *sample(2000, seed), ZONES) for seed in (1, 3))
    wide = Bands.fit(QUANTILES, *sample(2000, 2, width=0.5), ZONES)
    calibration = Calibration(wide, {"waste": waste, "weather": fresh})
    raw, _, cells = sample(300, 4)
    alone = Calibration(waste).apply(raw, cells)
    np.testing.assert_array_equal(calibration.apply(raw, cells, ["waste"], ["waste"]), alone)
    late = Calibration(wide).apply(raw, cells)
    # One that is late beside it, or of which nothing was learnt, keeps the bands of fresh days.
    assert (np.ptp(calibration.apply(raw, cells, ["waste"]), axis=1) >= np.ptp(late, axis=1)).all()
    both = calibration.apply(raw, cells, ["waste", "weather"], ["waste"])
    assert (np.ptp(both, axis=1) >= np.ptp(late, axis=1)).all()
    np.testing.assert_array_equal(calibration.apply(raw, cells, ["influx"], ["influx"]), late)


def test_bands_survive_a_file() -> None:
    calibration = Calibration(
        Bands.fit(QUANTILES, *sample(2000, 1), ZONES),
        {"weather": Bands.fit(QUANTILES, *sample(2000, 2, width=0.6), ZONES)},
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
