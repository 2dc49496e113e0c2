"""Simulated weather of the bay of the Seine, and the forecasts of it as they would be issued.

Three standardised anomalies (warmth, cloud, wind) follow first-order autoregressions shared by the
whole bay, with a smaller part of each zone's own. A forecast carries the anomaly that will come
true with a correlation that falls with the lead, plus an error that is itself correlated from one
issue to the next and from day to day: forecasts are revised little by little, as real ones are.
Normals are close to those of Cap de la Hève and of the inland plateau (Météo-France, 1991-2020).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from forecast.almanac import daylight_hours
from forecast.territory import Territory

Floats = npt.NDArray[np.float64]
LEADS = 16
"""A forecast is issued for the day of issue and the fifteen that follow."""


@dataclass(frozen=True)
class Weather:
    """Daily weather; every column has the same shape, whose last axis is the day.

    Temperatures in °C, ``precipitation`` in mm, ``sunshine`` in h, ``wind_gust`` in km h⁻¹.
    """

    temperature_max: Floats
    temperature_min: Floats
    precipitation: Floats
    sunshine: Floats
    wind_gust: Floats


def usual_maximum(year_fraction: Floats, coast: bool) -> Floats:
    """Normal daily maximum [°C]: 8 in January to 21 in August, 24 inland."""
    wave = -np.cos(2 * np.pi * (year_fraction - (0.085 if coast else 0.06)))
    return np.asarray((14.4 + 6.4 * wave) if coast else (15.6 + 8.2 * wave))


def usual_clear(year_fraction: Floats) -> Floats:
    """Normal sunshine over daylight: a quarter in December, under a half in summer."""
    return np.asarray(0.37 - 0.10 * np.cos(2 * np.pi * (year_fraction - 0.02)))


def skill(lead: Floats) -> Floats:
    """Correlation of the forecast anomaly with the one that comes true, by lead [d].

    >>> [round(float(skill(lead)), 2) for lead in (0, 3, 7, 14)]
    [0.98, 0.86, 0.57, 0.17]
    """
    correlation: Floats = 0.98 * np.exp(-((np.asarray(lead) / 10.0) ** 1.7))
    return correlation


def anomalies(zones: int, days: int, rng: np.random.Generator) -> Floats:
    """Warmth, cloud and wind anomalies of each zone, shape (3, zones, days), standardised."""
    memory = np.array([0.78, 0.50, 0.45])
    common, local = rng.standard_normal((3, days)), rng.standard_normal((3, zones, days))
    for field in (common, local):
        for t in range(1, days):
            kept = memory.reshape(-1, *([1] * (field.ndim - 2)))
            field[..., t] = kept * field[..., t - 1] + np.sqrt(1 - kept**2) * field[..., t]
    common[2] = 0.45 * common[1] + np.sqrt(1 - 0.45**2) * common[2]  # fronts bring cloud and wind
    return np.asarray(np.sqrt(0.92) * common[:, None] + np.sqrt(0.08) * local)


def forecast_anomalies(truth: Floats, rng: np.random.Generator) -> Floats:
    """Anomalies as forecast for each day at each lead, shape (3, leads, zones, days).

    Entry [:, lead, :, day] is what was forecast for ``day`` ``lead`` days before.
    """
    days = truth.shape[-1]
    error = rng.standard_normal((len(truth), LEADS, days))
    for t in range(1, days):
        error[..., t] = 0.5 * error[..., t - 1] + np.sqrt(0.75) * error[..., t]
    for lead in range(LEADS - 2, -1, -1):
        error[:, lead] = 0.8 * error[:, lead + 1] + 0.6 * error[:, lead]
    rho = skill(np.arange(LEADS, dtype=np.float64))[None, :, None, None]
    return np.asarray(rho * truth[:, None] + np.sqrt(1 - rho**2) * error[:, :, None])


def weather(territory: Territory, first_day: int, anomaly: Floats) -> Weather:
    """Weather that anomalies of shape (3, ..., zones, days) stand for, rounded to a tenth."""
    days = anomaly.shape[-1]
    day = np.arange(first_day, first_day + days).astype("datetime64[D]")
    fraction = (day - day.astype("datetime64[Y]")).astype(np.float64) / 365.2425
    maximum = np.stack([usual_maximum(fraction, bool(coast)) for coast in territory.coast])
    daylight = np.stack(
        [daylight_hours(round(float(lat), 1), first_day, days) for lat in territory.latitude]
    )
    warmth, cloud, wind = anomaly
    usual = usual_clear(fraction)
    clear = 1 / (1 + np.exp(-(np.log(usual / (1 - usual)) - 1.5 * cloud)))
    summer = 0.5 - 0.5 * np.cos(2 * np.pi * (fraction - 0.05))
    wet = np.maximum(0.75 * cloud + 0.35 * wind - 0.25, 0)
    highest = maximum + 3.0 * warmth + 3.5 * summer * (clear - usual)
    span = 4.5 + 5.5 * clear
    columns = {
        "temperature_max": highest,
        "temperature_min": highest - span,
        "precipitation": 8.0 * wet**1.3,
        "sunshine": clear * daylight,
        "wind_gust": np.clip(46 - 8 * summer + 15 * wind, 10, 160),
    }
    return Weather(**{name: np.round(value, 1) for name, value in columns.items()})
