"""Afflux: forecasts of visitor influx, per zone and civil day, days 0 to 14."""

__version__ = "0.1.0"
