"""From logs to persons without a remainder, and which column counts for what."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from forecast.explanation import RECENT, domain_of, in_persons, logarithmic_mean
from forecast.features import discover
from forecast.fitting import OWN_COLUMNS
from forecast.tables import CONTRIBUTIONS

ROWS = 8
INFLUX = arrays(
    np.float64, ROWS, elements=st.one_of(st.just(0.0), st.floats(1e-3, 5e6), st.floats(0, 1e-9))
)
LOGS = arrays(np.float64, (3, ROWS), elements=st.floats(-5, 5))


@given(INFLUX, INFLUX, LOGS)
def test_persons_add_up_to_the_difference_whatever_the_figures(f, u, logs) -> None:
    parts = dict(zip(("weather", "holidays", RECENT), logs, strict=True))
    persons = in_persons(f, u, parts, rest=RECENT)
    assert list(persons) == list(parts)
    total = sum(persons.values())
    size = np.maximum.reduce([f, u, *(np.abs(p) for p in persons.values())])
    assert np.isfinite(total).all()
    assert (np.abs(total - (f - u)) <= 1e-12 * size).all()


@given(INFLUX, INFLUX)
def test_the_logarithmic_mean_lies_between(a, b) -> None:
    mean = logarithmic_mean(a, b)
    np.testing.assert_array_equal(mean, logarithmic_mean(b, a))
    assert (mean >= np.minimum(a, b) * (1 - 1e-9)).all()
    assert (mean <= np.maximum(a, b) * (1 + 1e-9)).all()
    far = (a > 0) & (b > 0) & (np.maximum(a, b) < 1e5 * np.minimum(a, b))
    far &= np.abs(a - b) > 1e-3 * np.maximum(a, b)
    np.testing.assert_allclose(mean[far], (a - b)[far] / np.log(a[far] / b[far]), rtol=1e-9)


def test_nearly_equal_figures_keep_their_digits() -> None:
    a = np.array([30_000.0])
    for gap in (1e-3, 1e-6, 1e-9, 0.0):
        np.testing.assert_allclose(logarithmic_mean(a + gap, a), a + gap / 2, rtol=1e-12)


def test_a_part_is_worth_the_logarithmic_mean_and_the_rest_what_is_left() -> None:
    """Twice as many as usual: half of the log to the sky is half of the persons."""
    half = np.log([np.sqrt(2)])
    persons = in_persons(
        np.array([200.0]), np.array([100.0]), {"weather": half, RECENT: half}, RECENT
    )
    np.testing.assert_allclose([*persons.values()], [[50.0], [50.0]])


@pytest.mark.parametrize("source", discover(), ids=lambda source: source.name)
def test_every_column_counts_for_a_known_domain(source) -> None:
    domains = {
        feature.name: domain_of(f"{source.name}_{feature.name}") for feature in source.features
    }
    assert set(domains.values()) <= set(CONTRIBUTIONS)
    if source.name != "calendar":
        assert set(domains.values()) == {source.name}
    else:
        assert {domains[name] for name in ("holiday", "feast", "school_share", "run_to")} == {
            "holidays"
        }
        assert {domains[name] for name in ("weekday", "month", "daylight", "season_cos_2")} == {
            "season"
        }


def test_the_model_s_own_columns_and_a_new_source() -> None:
    assert {domain_of(column) for column in OWN_COLUMNS} == {RECENT}
    assert domain_of("beach_warm_sun") == "beach"
