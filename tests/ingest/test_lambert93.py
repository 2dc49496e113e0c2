"""Lambert-93 undone: against the projection's own definition and published points."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.ingest.lambert93 import inverse, to_degrees

METRE = 1e-5
"""About a metre, in degrees of latitude."""


def forward(latitude: float, longitude: float) -> tuple[float, float]:
    """EPSG 9802 from the parameters that define EPSG 2154, written apart from the code."""
    a, flattening = 6378137.0, 1 / 298.257222101
    e = np.sqrt(2 * flattening - flattening**2)

    def m(q: float) -> float:
        return float(np.cos(q) / np.sqrt(1 - (e * np.sin(q)) ** 2))

    def t(q: float) -> float:
        s = e * np.sin(q)
        return float(np.tan(np.pi / 4 - q / 2) / ((1 - s) / (1 + s)) ** (e / 2))

    p0, p1, p2 = np.radians([46.5, 44.0, 49.0])
    n = (np.log(m(p1)) - np.log(m(p2))) / (np.log(t(p1)) - np.log(t(p2)))
    f = m(p1) / (n * t(p1) ** n)
    r, r0 = a * f * t(np.radians(latitude)) ** n, a * f * t(p0) ** n
    angle = n * np.radians(longitude - 3)
    return 700_000 + r * np.sin(angle), 6_600_000 + r0 - r * np.cos(angle)


@pytest.mark.parametrize(
    ("latitude", "longitude"),
    [(49.4941, 0.1079), (49.1461, 0.2279), (42.5, 8.9), (51.05, 2.4), (48.4, -4.8), (46.5, 3.0)],
)
def test_the_projection_is_undone_to_the_millimetre(latitude: float, longitude: float) -> None:
    found = to_degrees(*forward(latitude, longitude))
    np.testing.assert_allclose(found, (latitude, longitude), rtol=0, atol=1e-8)


def test_the_example_of_the_note() -> None:
    """NTG_71, ALG0004, on the Clarke 1880 ellipsoid: 0.145512099 and 0.872664626 rad."""
    found = inverse(
        1_029_705.083,
        272_723.849,
        n=0.760405966,
        c=11_603_796.9767,
        x_pole=600_000,
        y_pole=5_657_616.674,
        meridian=0.04079234433,
        e=0.0824832568,
    )
    np.testing.assert_allclose(np.radians(found), (0.872664626, 0.145512099), rtol=0, atol=2e-9)


def test_a_station_of_the_a28_lies_north_of_rouen() -> None:
    latitude, longitude = to_degrees(569_981.6, 6_938_140.0)
    assert abs(latitude - 49.52927) < METRE and abs(longitude - 1.20466) < METRE


def test_what_is_not_in_france_is_nowhere() -> None:
    x, y = [0.0, 569_981.6, 49.5, np.nan, 6_938_140.0], [0.0, 6_938_140.0, 0.1, np.nan, 569_981.6]
    latitude, longitude = to_degrees(x, y)
    assert np.isfinite(latitude).tolist() == [False, True, False, False, False]
    assert np.isfinite(longitude).tolist() == np.isfinite(latitude).tolist()
