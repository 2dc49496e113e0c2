"""What had been said of each day, before it came: the answers that were issued, or a backtest's.

An answer that was issued is a row of the lake's forecasts table. Where nothing had been issued yet,
the rolling-origin backtest of the champion stands in for it: answers to days its models had not
seen. It travels with the bundle as :data:`RECORD`, hashed like every file of it, and each row says
which of the two it is in ``basis``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import RunConfig
from forecast.errors import ModelIntegrityError
from forecast.features.base import Evidence
from forecast.grid import day_number, local_days
from forecast.lake import Lake
from forecast.levels import LEVELS, SHOWN_FROM, zone_limits
from forecast.tables import quantile_name
from forecast.truth import Truth, truth_at

Doubles = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

RECORD = "record.parquet"
"""File of a bundle that holds the answers of its backtest."""

ISSUED, BACKTEST = "issued", "backtest"
STRIDE_DAYS = 7
"""An answer of a backtest may be so much older than asked for: it asks once a week [d]."""

RECORD_DAYS = 400
"""How far back the record goes [d]."""

LIMITS = tuple(f"limit_{level}" for level in LEVELS[1:])
"""Where orange, rouge and noir began, as known when the answer was given [visitors day⁻¹]."""

RULES = ("lag7", "mean4")
"""Latest known same weekday, and the mean of the last four: rules anyone could use."""


def columns(quantiles: Sequence[float]) -> list[str]:
    """Columns of a record, one row an answer: ``influx`` is what came true, NaN if not known."""
    answers = [quantile_name(q) for q in quantiles]
    asked = ["zone_id", "origin", "target_date", "horizon_days"]
    return [*asked, *answers, "level", "influx", *LIMITS, *RULES, "basis"]


def empty_record(quantiles: Sequence[float]) -> pd.DataFrame:
    """A record without any answer."""
    kinds = {
        "zone_id": "str",
        "origin": "datetime64[us, UTC]",
        "target_date": "datetime64[us]",
        "horizon_days": "int64",
        "level": "str",
        "basis": "str",
    }
    names = columns(quantiles)
    return pd.DataFrame({name: pd.Series(dtype=kinds.get(name, "float64")) for name in names})


def backtest_record(rows: pd.DataFrame, quantiles: Sequence[float]) -> pd.DataFrame:
    """The record of a backtest, from its rows with what the levels said.

    ``rows`` are those of ``training.verification.level_rows``. Figures are rounded to a tenth of a
    person: more says nothing, and makes the file larger.
    """
    reached = sum((rows[f"risk_{level}"] >= SHOWN_FROM).astype(int) for level in LEVELS[1:])
    level = np.array(LEVELS, dtype=object)[np.asarray(reached)]
    level[rows[list(LIMITS)].isna().any(axis=1).to_numpy()] = None
    kept = rows.assign(zone_id=rows["zone_id"].astype("str"), level=level, basis=BACKTEST).loc[
        :, columns(quantiles)
    ]
    numbers = kept.select_dtypes("float").columns
    kept[numbers] = kept[numbers].round(1)
    order = ["zone_id", "origin", "target_date"]
    return kept.sort_values(order, ignore_index=True, kind="stable")


def write_record(record: pd.DataFrame, folder: Path) -> None:
    """Keep a record with the bundle in ``folder``; the same record gives the same bytes."""
    folder.mkdir(parents=True, exist_ok=True)
    record.to_parquet(folder / RECORD, index=False, compression="zstd")


def read_record(bundle: Path, quantiles: Sequence[float]) -> pd.DataFrame:
    """The record of a verified bundle; without any row where the bundle was made before there was
    one, or answers other quantiles.

    Raises
    ------
    ModelIntegrityError
        If the file is there and cannot be read.
    """
    if not (bundle / RECORD).is_file():
        return empty_record(quantiles)
    try:
        found = pd.read_parquet(bundle / RECORD)
    except (OSError, ValueError) as error:
        raise ModelIntegrityError(f"{bundle / RECORD}: cannot be read: {error}") from error
    if not set(columns(quantiles)) <= set(found.columns):
        return empty_record(quantiles)
    kinds = {"zone_id": "str", "level": "str", "basis": "str", "horizon_days": "int64"}
    return found[columns(quantiles)].astype(kinds)


def influx_evidence(observations: pd.DataFrame, config: RunConfig) -> Evidence:
    """The rows of influx alone, indexed: enough to say what came true at any instant."""
    influx = observations[(observations["source"] == "influx").to_numpy()]
    return Evidence(influx.reset_index(drop=True), config.territory())


def issued(
    lake: Lake,
    config: RunConfig,
    until: pd.Timestamp,
    *,
    evidence: Evidence | None = None,
    trained_at: Mapping[str, pd.Timestamp] | None = None,
) -> pd.DataFrame:
    """Answers of the last :data:`RECORD_DAYS` days that were issued by ``until``, as a record.

    Parameters
    ----------
    until
        Nothing that could be read later is used.
    evidence
        The rows of influx readable at ``until``, if they have been read already.
    trained_at
        When each model version was trained. An answer of a model trained after the answer's origin
        was replayed, not issued, and is left out.
    """
    since = (until - pd.Timedelta(days=RECORD_DAYS)).date()
    zones = [zone.id for zone in config.zones]
    rows = lake.read_forecasts(zones=zones, since=since, origin_until=until)
    names = [quantile_name(q) for q in config.quantiles]
    if rows.empty or not set(names) <= set(rows.columns):
        return empty_record(config.quantiles)
    rows = rows[~replayed(rows, trained_at or {}) & rows[names].notna().all(axis=1).to_numpy()]
    if evidence is None:
        influx = lake.read(sources=["influx"], zones=zones, known_at=until)
        evidence = influx_evidence(influx, config)
    return _beside_what_was_known(rows, evidence, config, until)


def replayed(
    forecasts: pd.DataFrame, trained_at: Mapping[str, pd.Timestamp]
) -> npt.NDArray[np.bool_]:
    """Whether each forecast is of a model trained after its origin, shape (rows,): an answer that
    nobody was given then. ``trained_at`` says when each model version was trained."""
    made = forecasts["model_version"].astype(str).map(dict(trained_at))
    return (pd.to_datetime(made, utc=True) > forecasts["origin"]).to_numpy(dtype=bool)


def with_truth(record: pd.DataFrame, truth: Truth, config: RunConfig) -> pd.DataFrame:
    """The record with what came true as ``truth`` knows it; of other zones nothing is kept."""
    zone = pd.Index([z.id for z in config.zones]).get_indexer(pd.Index(record["zone_id"]))
    day = day_number(record["target_date"]).astype(np.int64)
    told = record.assign(influx=on_days(truth, zone.astype(np.int64), day))
    return told[zone >= 0].reset_index(drop=True)


def _beside_what_was_known(
    rows: pd.DataFrame, evidence: Evidence, config: RunConfig, until: pd.Timestamp
) -> pd.DataFrame:
    """Answers with what came true, and the limits and rules as known on the day of each origin."""
    rows = rows.assign(zone_id=rows["zone_id"].astype("str"), basis=ISSUED)
    zone = pd.Index([z.id for z in config.zones]).get_indexer(pd.Index(rows["zone_id"]))
    zone, day = zone.astype(np.int64), day_number(rows["target_date"]).astype(np.int64)
    asked = local_days(pd.DatetimeIndex(rows["origin"]), config.timezone)
    limits, rules = np.full((len(rows), 3), np.nan), np.full((len(rows), 2), np.nan)
    origins, capacities = rows["origin"].to_numpy(), [z.capacity for z in config.zones]
    for ask in np.unique(asked):
        now = asked == ask
        known = truth_at(evidence, pd.Timestamp(origins[now].min()).tz_convert("UTC"))
        limits[now] = zone_limits(known.values, config.levels, capacities)[zone[now]]
        rules[now] = rule_answers(known, zone[now], day[now])
    return rows.assign(
        influx=on_days(truth_at(evidence, until), zone, day),
        level=rows["level"].astype("str"),
        **dict(zip(LIMITS, limits.T, strict=True)),
        **dict(zip(RULES, rules.T, strict=True)),
    )[columns(config.quantiles)].reset_index(drop=True)


def rule_answers(known: Truth, zone: Ints, day: Ints) -> Doubles:
    """What :data:`RULES` say of zones (positions) and days (since 1970-01-01), shape (n, 2)."""
    finite = np.isfinite(known.values)
    newest = known.first_day + known.values.shape[1] - 1 - np.argmax(finite[:, ::-1], axis=1)
    last = newest[zone] - (newest[zone] - day) % 7
    weeks = np.stack([on_days(known, zone, last - 7 * k) for k in range(4)])
    there = np.isfinite(weeks)
    total, count = np.where(there, weeks, 0.0).sum(axis=0), there.sum(axis=0)
    mean4 = np.divide(total, count, out=np.full(len(zone), np.nan), where=count > 0)
    return np.column_stack([np.where(there[0], weeks[0], mean4), mean4])


def on_days(truth: Truth, zone: Ints, day: Ints) -> Doubles:
    """Influx of zones (positions) on days (since 1970-01-01), shape (n,), NaN if not known."""
    position = day - truth.first_day
    inside = (position >= 0) & (position < truth.values.shape[1]) & (zone >= 0)
    answer = np.full(len(day), np.nan)
    answer[inside] = truth.values[zone[inside], position[inside]]
    return answer


def newest_said(record: pd.DataFrame, days_before: int) -> pd.DataFrame:
    """Of each zone and day the newest answer at least ``days_before`` days old.

    One that was issued goes before any of a backtest. A backtest asks once a week, so that its
    answer "three days before" is three to nine days old; ``horizon_days`` says how old it is.
    """
    return newest(record, record["horizon_days"].to_numpy() - days_before)


def newest(record: pd.DataFrame, older: npt.NDArray[Any]) -> pd.DataFrame:
    """The same for answers that are ``older`` [d], shape (rows,), than they have to be."""
    said = record["basis"] == ISSUED
    kept = (older >= 0) & (said.to_numpy() | (older < STRIDE_DAYS))
    order = record.assign(_issued=said)[kept]
    order = order.sort_values(["_issued", "origin"], kind="stable").drop(columns="_issued")
    return order.drop_duplicates(["zone_id", "target_date"], keep="last")
