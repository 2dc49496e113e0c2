"""Lambert-93, the projection of French public data, back to longitude and latitude.

References
----------
IGN, *Projection cartographique conique conforme de Lambert*, Notes techniques NTG_71 (1995),
algorithms ALG0002 and ALG0004, and its constants for Lambert-93 on the GRS 80 ellipsoid (RGF93,
which is WGS 84 to a few decimetres).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

EXPONENT = 0.7256077650532670
CONSTANT = 11_754_255.4260960
"""[m]"""
X_POLE, Y_POLE = 700_000.0, 12_655_612.0498760
"""Where the parallels have their centre [m]."""
MERIDIAN = np.radians(3.0)
ECCENTRICITY = 0.0818191910428158

X_BOUNDS, Y_BOUNDS = (0.0, 1_300_000.0), (6_000_000.0, 7_200_000.0)
"""Metropolitan France and some sea around it [m]."""


def to_degrees(x: Any, y: Any) -> tuple[Floats, Floats]:
    """Latitude and longitude [°] of points in Lambert-93 [m]; NaN outside metropolitan France.

    >>> [round(float(angle), 6) for angle in to_degrees(700_000, 6_600_000)]
    [46.5, 3.0]
    """
    east, north = np.asarray(x, dtype=float), np.asarray(y, dtype=float)
    inside = (east >= X_BOUNDS[0]) & (east <= X_BOUNDS[1])
    inside &= (north >= Y_BOUNDS[0]) & (north <= Y_BOUNDS[1])
    return inverse(
        np.where(inside, east, np.nan),
        np.where(inside, north, np.nan),
        n=EXPONENT,
        c=CONSTANT,
        x_pole=X_POLE,
        y_pole=Y_POLE,
        meridian=MERIDIAN,
        e=ECCENTRICITY,
    )


def inverse(
    x: Any,
    y: Any,
    *,
    n: float,
    c: float,
    x_pole: float,
    y_pole: float,
    meridian: float,
    e: float,
) -> tuple[Floats, Floats]:
    """ALG0004: latitude and longitude [°] under a conformal conic projection.

    ``n`` is its exponent, ``c`` its constant [m], ``x_pole`` and ``y_pole`` the centre of the
    parallels [m], ``meridian`` the central one [rad], and ``e`` the ellipsoid's eccentricity.
    """
    dx, dy = np.asarray(x, dtype=float) - x_pole, y_pole - np.asarray(y, dtype=float)
    longitude = meridian + np.arctan2(dx, dy) / n
    isometric = -np.log(np.hypot(dx, dy) / c) / n
    # ALG0002 from the sphere on: each round gains more than two digits.
    latitude = 2 * np.arctan(np.exp(isometric)) - np.pi / 2
    for _ in range(8):
        sine = e * np.sin(latitude)
        stretch = ((1 + sine) / (1 - sine)) ** (e / 2)
        latitude = 2 * np.arctan(stretch * np.exp(isometric)) - np.pi / 2
    return np.degrees(latitude), np.degrees(longitude)
