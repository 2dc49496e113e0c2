"""From observations to forecasts: today's questions through the same code as training's.

The frame that comes out is the ``forecasts`` table: one row for each zone and day, with the
quantiles, the probability of each level, what is usual for such a day, and the regime.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.circumstances import circumstances
from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.errors import ModelError
from forecast.explanation import contributions
from forecast.features import build
from forecast.features.base import Evidence
from forecast.freshness import SourceStatus, dead_domains, regime, source_statuses, stale_domains
from forecast.grid import Grid, day_number, make_grid
from forecast.level_climatology import climatology, drawn_to_climatology
from forecast.levels import LEVELS, level_of, probabilities, zone_limits
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.sentence import sentences
from forecast.tables import check, contribution_name, forecasts_schema, quantile_name
from forecast.territory import Territory
from forecast.truth import Truth, truth_at
from forecast.usual import Usual, usual


@dataclass(frozen=True)
class Answer:
    """Forecasts of one origin, how fresh the sources were, and the zones that have none."""

    forecasts: pd.DataFrame
    sources: list[SourceStatus]
    unanswered: tuple[str, ...]


@dataclass(frozen=True)
class Known:
    """What was known at one origin, made ready to answer questions about the days that follow.

    ``observations`` are the rows readable at the origin, ``grid`` asks of every zone and day,
    ``truth`` is influx as it was known, ``usually`` what is usual for each question, ``daily`` the
    calendar, ``limits`` where each level begins [visitors day⁻¹], shape (zones, 3).
    """

    origin: pd.Timestamp
    config: RunConfig
    territory: Territory
    observations: pd.DataFrame
    evidence: Evidence
    grid: Grid
    truth: Truth
    usually: Usual
    daily: Daily
    statuses: list[SourceStatus]
    limits: npt.NDArray[np.float64]

    @classmethod
    def at(cls, origin: pd.Timestamp, config: RunConfig, observations: pd.DataFrame) -> Self:
        """All of it, from the rows of an ``observations`` table; later rows are left out."""
        territory, origin = config.territory(), origin.tz_convert("UTC")
        readable = observations[observations["available_at"] <= origin]
        evidence = Evidence(readable, territory)
        horizons = range(config.max_horizon_days + 1)
        grid = make_grid([origin], territory.zone_ids, horizons, config.timezone)
        today, truth = int(grid.ask_day[0]), truth_at(evidence, origin)
        usually = usual(grid, truth, territory)
        first = min(today - 450, *(int(days.min()) for days in usually.days))
        return cls(
            origin,
            config,
            territory,
            readable,
            evidence,
            grid,
            truth,
            usually,
            Daily.of(territory, first, today + config.max_horizon_days + 60),
            source_statuses(readable, config, origin),
            zone_limits(truth.values, config.levels, [zone.capacity for zone in config.zones]),
        )

    def forecasts(
        self,
        model: InfluxModel,
        matrix: FeatureMatrix,
        usually: Usual,
        events: Mapping[tuple[int, int], str],
        *,
        model_version: str,
        lake_version: int,
    ) -> pd.DataFrame:
        """A row of the forecasts table for each question of ``matrix``; NaN where no answer.

        ``usually`` is what is usual for these questions; ``events`` are those of
        :func:`largest_events`. Raises :class:`~forecast.errors.ModelError` as
        ``InfluxModel.predict``.
        """
        config, grid = self.config, matrix.grid
        late, dead = stale_domains(self.statuses), dead_domains(self.statuses)
        quantiles = model.predict(matrix, self.daily, stale=late, dead=dead)
        median = quantiles[:, config.quantiles.index(0.5)]
        parts = contributions(model, matrix, self.daily, median, usually)
        chances = drawn_to_climatology(
            probabilities(config.quantiles, quantiles, self.limits[grid.row_zone]),
            climatology(self.truth, self.limits, grid.row_zone, grid.target_day),
        )
        level = level_of(chances)
        days = circumstances(matrix, self.territory, events)
        still = model.standstill.goes_on(matrix, model.cells(matrix).zone)
        why = sentences(parts, days, quantiles, median, usually.influx, level.tolist(), still)
        questions = grid.frame()
        # All columns at once: each added by itself is a rearrangement of the table.
        return pd.DataFrame(
            {
                "zone_id": questions["zone_id"].astype("str"),
                **{name: questions[name] for name in questions.columns[1:]},
                **{quantile_name(q): quantiles[:, i] for i, q in enumerate(config.quantiles)},
                **{f"probability_{name}": chances[:, i] for i, name in enumerate(LEVELS)},
                "level": pd.Series(level, dtype="str"),
                "usual": usually.influx,
                **{contribution_name(domain): persons for domain, persons in parts.items()},
                "why": pd.Series(why, dtype="str"),
                "regime": regime(self.statuses),
                "model_version": model_version,
                "lake_version": lake_version,
            }
        )


def answer_at(
    origin: pd.Timestamp,
    config: RunConfig,
    observations: pd.DataFrame,
    model: InfluxModel,
    *,
    model_version: str,
    lake_version: int,
) -> Answer:
    """Forecast days 0 to ``max_horizon_days`` of every zone, as known at ``origin``.

    A zone about which neither the model nor the lake knows anything is left out and named in
    ``unanswered``; it never stops the others.

    Raises
    ------
    ModelError
        If the model reads features or answers quantiles other than the configuration's, or if no
        zone at all can be answered.
    """
    if model.quantiles != config.quantiles:
        raise ModelError(
            f"the model answers quantiles {model.quantiles}, the configuration asks for "
            f"{config.quantiles}: run `afflux train` and `afflux promote`"
        )
    known = Known.at(origin, config, observations)
    frame = known.forecasts(
        model,
        build(known.grid, known.evidence),
        known.usually,
        largest_events(known.observations, known.territory),
        model_version=model_version,
        lake_version=lake_version,
    )
    answered = np.isfinite(
        frame[[quantile_name(q) for q in config.quantiles]].sum(axis=1, skipna=False)
    )
    silent = tuple(frame.loc[~answered, "zone_id"].unique())
    if not answered.any():
        raise ModelError(
            f"no zone can be answered at {known.origin:%Y-%m-%d %H:%M} UTC: neither the model nor "
            "the lake knows any influx of these zones; ingest some, or train on it"
        )
    frame = frame.loc[answered].reset_index(drop=True)
    return Answer(check(frame, forecasts_schema(config.quantiles, LEVELS)), known.statuses, silent)


def largest_events(readable: pd.DataFrame, territory: Territory) -> dict[tuple[int, int], str]:
    """The name of the largest event announced, by position of the zone and day."""
    rows = readable[readable["source"] == "events"].sort_values("available_at", kind="stable")
    rows = rows.drop_duplicates(["zone_id", "site_id", "date"], keep="last")
    rows = rows[rows["value"] > 0].sort_values("value", kind="stable")
    position = {zone: i for i, zone in enumerate(territory.zone_ids)}
    days = day_number(rows["date"]).tolist()
    return {
        (position[zone], day): str(name)
        for zone, day, name in zip(rows["zone_id"], days, rows["site_id"], strict=True)
        if zone in position
    }
