"""What the kinds of Open-Meteo have in common: how it is asked, and how its answers are read.

Hourly values are asked for, in UTC and as Unix time, for all zones at once, and folded into the
civil days of the territory (:mod:`forecast.ingest.hours`): the provider's own daily values follow
other days, and cannot keep the hours of bathing apart. Sums and extremes of Open-Meteo describe the
hour before their time stamp, temperatures the instant itself.

The stitched ``historical-forecast-api`` is refused: its values are the first hours of each run,
next to observations. A model that learns from them trusts forecasts more than it may.

References
----------
https://open-meteo.com/en/docs (parameters, units, errors: read in the source of the website and the
server in August 2026).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field, field_validator

from forecast.grid import day_date
from forecast.ingest.hours import BATHING, Daily, by_civil_day
from forecast.ingest.http import Client, secret
from forecast.ingest.open_meteo_answers import Hourly, parse_hourly
from forecast.ingest.provider import Options, Setting

SINCE, UNTIL = BATHING
# The first hours of the day a run begins on are always missing. They hardly ever hold the highest
# temperature, seldom the lowest, and no sunshine; rain and gusts they may hold.
WEATHER = (
    Daily("temperature_max", "temperature_2m", "°C", "max", whole_from=6),
    Daily("temperature_min", "temperature_2m", "°C", "min", whole_from=2),
    Daily("precipitation", "precipitation", "mm", "sum", preceding=True),
    Daily("sunshine", "sunshine_duration", "s", "sum", True, whole_from=4, per=3600),
    Daily("wind_gust", "wind_gusts_10m", "km/h", "max", preceding=True),
    Daily("precipitation_bathing", "precipitation", "mm", "sum", True, SINCE, UNTIL),
    Daily("sunshine_bathing", "sunshine_duration", "s", "sum", True, SINCE, UNTIL, per=3600),
)
"""The variables of weather that hourly values give."""

BLEND = "best_match"
"""Open-Meteo's own choice of models: what it takes where no model is named."""

TERMS = (
    "Open-Meteo's free hosts are for non-commercial use, within 10,000 calls a day (each zone "
    "counts); others use the customer-* hosts with a key, or a server of their own"
)
LICENCE = "CC BY 4.0"
ATTRIBUTION = "Weather data by Open-Meteo.com"
_STITCHED = "historical-forecast"


def host(default: str) -> Any:
    """The field ``base_url`` with its default."""
    return Field(
        default=default,
        pattern=r"^https?://",
        description="host, without path; `customer-...` for a key, or a server of one's own",
    )


def weather_model(default: str) -> Any:
    """The field ``model`` with its default."""
    return Field(
        default=default,
        pattern=r"^[a-z0-9_]+$",
        description="weather model, as Open-Meteo names it; `best_match` for its own choice",
    )


def days_ahead() -> Any:
    """The field ``forecast_days``."""
    return Field(default=16, ge=1, le=16, description="days asked for, the first one included [d]")


def run_delay() -> Any:
    """The field ``publication_hours`` of runs."""
    return Field(
        default=7.0, ge=0, le=72, description="from the beginning of a run until it can be read [h]"
    )


class OpenMeteoOptions(Options):
    """Keys of every kind of Open-Meteo; each kind has its own host and model."""

    base_url: str = host("")
    model: str = weather_model(BLEND)
    key_env: str = Field(
        default="",
        pattern=r"^([A-Za-z_][A-Za-z0-9_]*)?$",
        description="environment variable that holds the key of a customer host",
    )

    @field_validator("base_url")
    @classmethod
    def _as_issued(cls, value: str) -> str:
        if _STITCHED in value:
            raise ValueError(
                "historical-forecast-api is refused: it stitches the first hours of each run "
                "together, which is close to observations and not a forecast as issued; use kind "
                "open-meteo-archive-runs for past forecasts, open-meteo-observed for past weather"
            )
        return value.rstrip("/")


@dataclass(frozen=True)
class Asked:
    """An answer folded into days: ``rows`` as :func:`daily_rows` makes them, the URL they came
    from, and one line about the quantities that the model does not have (empty if it has all)."""

    rows: pd.DataFrame
    where: str
    note: str


def ask(
    client: Client,
    options: OpenMeteoOptions,
    setting: Setting,
    zone_ids: Sequence[str],
    path: str,
    wanted: Sequence[Daily],
    **params: str,
) -> Asked:
    """Ask for the hourly values that ``wanted`` needs, at the centres of zones, and fold them.

    Raises
    ------
    ProviderError
        If there is no such answer, or it is not what was asked for.
    """
    units = {daily.hourly: daily.unit for daily in wanted}
    centres = [setting.places.centre(zone) for zone in zone_ids]
    query = {
        "latitude": ",".join(f"{latitude:.5f}" for latitude, _ in centres),
        "longitude": ",".join(f"{longitude:.5f}" for _, longitude in centres),
        "hourly": ",".join(units),
        **({} if options.model == BLEND else {"models": options.model}),
        "timezone": "GMT",
        "timeformat": "unixtime",
        **params,
    }
    answer = client.get(options.base_url + path, query, secret_params=key(options))
    where = answer.url.partition("?")[0]
    found = parse_hourly(answer.body, units, len(zone_ids), where)
    note = ""
    if found.unserved:
        note = f"the model {options.model} has no {', '.join(found.unserved)}"
    return Asked(daily_rows(found, zone_ids, wanted, setting.config.timezone), where, note)


def key(options: OpenMeteoOptions) -> dict[str, str]:
    """The secret parameter of a customer host; nothing for the free ones."""
    return {"apikey": secret(options.key_env)} if options.key_env else {}


def daily_rows(
    found: Hourly, zone_ids: Sequence[str], wanted: Sequence[Daily], timezone: str
) -> pd.DataFrame:
    """A row for each zone and day: ``zone_id``, ``date``, and a column for each of ``wanted``."""
    folded = {
        daily.name: by_civil_day(found.instants, found.values[daily.hourly], daily, timezone)
        for daily in wanted
    }
    first = min(int(days[0]) for days, _ in folded.values())
    last = max(int(days[-1]) for days, _ in folded.values())
    days = np.arange(first, last + 1)
    columns: dict[str, npt.NDArray[Any] | pd.DatetimeIndex] = {
        "zone_id": np.repeat(np.array(zone_ids, dtype=object), len(days)),
        "date": day_date(np.tile(days, len(zone_ids))),
    }
    for name, (mine, values) in folded.items():
        whole = np.full((len(zone_ids), len(days)), np.nan)
        whole[:, mine - first] = values
        columns[name] = whole.ravel()
    return pd.DataFrame(columns)
