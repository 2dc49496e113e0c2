"""A simulated history of the estuary, in the form of an input folder.

Calendar, tides, populations and perimeter are real; weather, visitors and sensors are simulated
(``demo_weather.py``, ``demo_world.py``, ``demo_sensors.py``). The folder follows the input contract
as any territory's would, its ``territory.toml`` says ``simulated = true`` and its name ends with
"(données simulées)", which the table, the API and the page then repeat.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from pathlib import Path

import numpy as np
import pandas as pd

from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.demo_sensors import Floats, Presence, mobility, parking, waste
from forecast.demo_weather import LEADS, Weather, anomalies, forecast_anomalies, weather
from forecast.demo_world import TREND, events, expected_influx, profiles
from forecast.feasts import EPOCH
from forecast.grid import day_date
from forecast.territory import Territory

LABEL = " (données simulées)"
_LATE_DAYS = 4  # the parking feed is behind at the end, as some feed always is


@dataclass(frozen=True)
class Simulated:
    """What :func:`simulate` wrote: the folder, the days it spans, and the truth behind it.

    ``presence`` holds the influx without errors of measurement, days after the end included.
    """

    folder: Path
    config: RunConfig
    first: date
    last: date
    rows: Mapping[str, int]
    presence: Presence


def last_morning(now: pd.Timestamp, config: RunConfig) -> date:
    """Day of the last ``training.origin_hour`` that has passed at ``now``: at night, yesterday."""
    local = now.tz_convert(config.timezone).tz_localize(None)
    day: date = (local - pd.Timedelta(hours=config.training.origin_hour)).date()
    return day


def simulate(
    folder: Path,
    config: RunConfig,
    *,
    today: date,
    years: int = 5,
    seed: int = 76,
    progress: Callable[[str], None] | None = None,
) -> Simulated:
    """Write an input folder as it would stand in the morning of ``today``.

    Rows that could not yet be read at ``training.origin_hour`` of that day are left out, so each
    source ends as far back as its publication delay says. ``progress`` is told, in French, what is
    being simulated. The same ``config``, ``today``, ``years`` and ``seed`` give the same bytes.
    """
    say = progress or (lambda _: None)
    # What is fetched is real: a simulated home has neither providers nor their places.
    real = {"providers": {}, "communes": ""}
    config = config.model_copy(update={"name": config.name + LABEL, "simulated": True, **real})
    territory, rng = config.territory(), np.random.default_rng(seed)
    last = (today - EPOCH).days - 1
    first = last - round(365.25 * years) + 1
    days, ahead = last - first + 1, last - first + 1 + LEADS
    say("météo observée et prévue")
    anomaly = anomalies(len(territory.zone_ids), ahead, rng)
    observed = weather(territory, first, anomaly)
    issued = weather(territory, first, forecast_anomalies(anomaly, rng))
    say("visiteurs")
    influx = _influx(territory, first, observed, rng)
    calendar = Daily.of(territory, first, last)
    past = Presence(territory.zone_ids, first, territory.population, influx[:, :days])
    truth = Presence(territory.zone_ids, first, territory.population, influx)
    say("capteurs : mobilité, parkings, déchets")
    cars = parking(past, rng)
    tables = {
        "influx": _published(past, config, rng),
        "mobility": mobility(past, calendar, rng),
        "parking": cars[cars["date"] <= day_date([last - _LATE_DAYS])[0]],
        "waste": waste(past, calendar, config.timezone, rng),
        "weather": _observed_table(past, observed),
        "weather_forecast": _forecast_table(territory, first, days, issued),
        "events": _events_table(territory, first, today),
    }
    say("écriture")
    folder.mkdir(parents=True, exist_ok=True)
    morning = pd.Timestamp(today) + pd.Timedelta(hours=config.training.origin_hour)
    now = morning.tz_localize(config.timezone).tz_convert("UTC")
    rows = {}
    for source, table in tables.items():
        kept = table[_readable(table, source, config) <= now]
        rows[source] = len(kept)
        if source == "weather_forecast":
            kept.to_parquet(folder / f"{source}.parquet", index=False)
        else:
            _write_csv(kept, folder / f"{source}.csv")
    (folder / "territory.toml").write_text(to_toml(config), encoding="utf-8")
    asset = resources.files("forecast").joinpath("assets", config.geometry or "-")
    if asset.is_file():
        (folder / config.geometry).write_bytes(asset.read_bytes())
    return Simulated(folder, config, EPOCH + timedelta(first), EPOCH + timedelta(last), rows, truth)


def _influx(
    territory: Territory, first: int, observed: Weather, rng: np.random.Generator
) -> Floats:
    """Expected influx with a trend, persistent noise and, now and then, a surprise."""
    expected = expected_influx(territory, first, observed)
    zones, days = expected.shape
    common, own = rng.standard_normal((days,)), rng.standard_normal((zones, days))
    for t in range(1, days):
        common[t] = 0.85 * common[t - 1] + np.sqrt(1 - 0.85**2) * common[t]
        own[:, t] = 0.7 * own[:, t - 1] + np.sqrt(1 - 0.7**2) * own[:, t]
    tails = rng.standard_t(4, (zones, days))
    surprise = (rng.random((zones, days)) < 0.004) * rng.choice([-0.4, 0.35, 0.6], (zones, days))
    size = np.array([profile.noise for profile in profiles(territory)])[:, None]
    growth = TREND * (np.arange(days) - days) / 365.25
    noise = size * (0.05 * common + 0.05 * own + 0.025 * tails + surprise)
    return np.asarray(expected * np.exp(growth + noise))


def _published(past: Presence, config: RunConfig, rng: np.random.Generator) -> pd.DataFrame:
    """Influx as published, with errors of 2 %, two lost days, and a month corrected afterwards.

    The month that lies about fourteen months back was first published 12 % too low in the zones
    of the south bank; the correction came out on the 25th of the month after.
    """
    measured = np.round(past.influx * np.exp(rng.normal(0, 0.02, past.influx.shape)))
    zones, days = measured.shape
    table = pd.DataFrame(
        {
            "zone_id": np.repeat(past.zone_ids, days),
            "date": np.tile(past.dates, zones),
            "influx": measured.ravel(),
        }
    )
    table["available_at"] = _readable(table, "influx", config)
    lost = int(rng.integers(days // 3, days // 2))
    table = table[~table["date"].isin(past.dates[lost : lost + 2])]
    month = (past.dates[-1] - pd.DateOffset(months=14)).replace(day=1)
    after = month + pd.DateOffset(months=1)
    wrong = table["zone_id"].isin(past.zone_ids[5:7])
    wrong &= (table["date"] >= month) & (table["date"] < after)
    corrected = table[wrong].copy()
    published = after + pd.Timedelta(days=24, hours=9)
    corrected["available_at"] = published.tz_localize(config.timezone).tz_convert("UTC")
    table.loc[wrong, "influx"] = (table.loc[wrong, "influx"] * 0.88).round()
    return pd.concat([table, corrected], ignore_index=True)


def _observed_table(past: Presence, observed: Weather) -> pd.DataFrame:
    zones = len(past.zone_ids)
    columns = {name: values[:, : past.days].ravel() for name, values in vars(observed).items()}
    keys = {
        "zone_id": np.repeat(past.zone_ids, past.days),
        "date": np.tile(past.dates, zones),
    }
    return pd.DataFrame(keys | columns)


def _forecast_table(territory: Territory, first: int, days: int, issued: Weather) -> pd.DataFrame:
    """One row per zone, day of issue (the one after the last included) and target day."""
    zones, issues = len(territory.zone_ids), days + 1
    issue = np.arange(issues)[:, None]
    lead = np.arange(LEADS)[None, :]
    target = issue + lead
    instants = pd.DatetimeIndex(day_date(first + np.arange(issues))).tz_localize("UTC")
    columns = {
        name: np.moveaxis(values[lead, :, target], -1, 0).ravel()
        for name, values in vars(issued).items()
    }
    keys = {
        "zone_id": np.repeat(territory.zone_ids, issues * LEADS),
        "issued_at": np.tile(np.repeat(instants, LEADS), zones),
        "date": np.tile(day_date(first + target.ravel()), zones),
    }
    return pd.DataFrame(keys | columns)


def _events_table(territory: Territory, first: int, today: date) -> pd.DataFrame:
    known = [
        (event.zone_id, event.name, event.first, event.last, event.attendance)
        for event in events(day_date([first]).date[0], today.replace(year=today.year + 1))
        if event.zone_id in territory.zone_ids
    ]
    table = pd.DataFrame(known, columns=["zone_id", "event", "date", "end_date", "attendance"])
    return table.astype({"date": "datetime64[us]", "end_date": "datetime64[us]"})


def _readable(table: pd.DataFrame, source: str, config: RunConfig) -> pd.DatetimeIndex:
    """Instant from which each row can be read, as the input contract derives it."""
    if "available_at" in table:
        return pd.DatetimeIndex(table["available_at"])
    delay = pd.Timedelta(hours=config.delay_hours(source))
    if "issued_at" in table:
        return pd.DatetimeIndex(table["issued_at"]) + delay
    midnight = pd.DatetimeIndex(table["date"]) + pd.Timedelta(days=1)
    return midnight.tz_localize(config.timezone).tz_convert("UTC") + delay


def _write_csv(table: pd.DataFrame, path: Path) -> None:
    text = table.copy()
    for name in text.columns.intersection(["date", "end_date"]):
        text[name] = text[name].dt.strftime("%Y-%m-%d")
    if "available_at" in text:
        text["available_at"] = text["available_at"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    text.to_csv(path, index=False)


def to_toml(config: RunConfig) -> str:
    """``territory.toml`` of a configuration: what differs from the defaults."""
    return _toml(config.model_dump(exclude_defaults=True, mode="json"), "")


def _toml(table: Mapping[str, object], prefix: str) -> str:
    lines, blocks = [], []
    for key, value in table.items():
        if isinstance(value, Mapping):
            blocks.append(f"\n[{prefix}{key}]\n{_toml(value, f'{prefix}{key}.')}")
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            blocks += [f"\n[[{prefix}{key}]]\n{_toml(row, f'{prefix}{key}.')}" for row in value]
        else:
            # JSON's strings, numbers, booleans and lists are also TOML's.
            lines.append(f"{key} = {json.dumps(value, ensure_ascii=False)}\n")
    return "".join(lines + blocks)
