"""What if: the forecast of one origin under another weather, or with one event more.

What is supposed becomes rows of observations, and goes the way of every row: features, model,
calibration, levels. All that it cannot change was made before: the evidence is indexed, the
calendar's effects are known, and only the sources that read what is supposed are asked again. What
comes back is neither stored nor remembered.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd

from forecast.config import RunConfig
from forecast.errors import ModelError
from forecast.features import build, discover
from forecast.features.base import Source
from forecast.grid import Grid, grid_from_frame
from forecast.matrix import FeatureMatrix
from forecast.model import InfluxModel
from forecast.predict import Known, largest_events
from forecast.remembering import remembering
from forecast.usual import Usual

WEATHER = ("temperature_max", "temperature_min", "precipitation", "sunshine", "wind_gust")
"""What may be supposed of the weather of a day, in the units of the input contract."""

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Scenarios:
    """One origin, ready to be asked what would be forecast if something were otherwise.

    ``baseline`` holds a row of the forecasts table for each question of ``known.grid``: the
    forecast as it is.
    """

    known: Known
    model: InfluxModel
    sources: tuple[Source, ...]
    matrix: FeatureMatrix
    baseline: pd.DataFrame

    @classmethod
    def at(
        cls,
        origin: pd.Timestamp,
        config: RunConfig,
        observations: pd.DataFrame,
        model: InfluxModel,
        *,
        model_version: str,
        lake_version: int,
    ) -> Self:
        """Everything that no supposition changes, made once.

        ``observations`` need only hold the last row of each fact (``Lake.snapshot``).

        Raises
        ------
        ModelError
            If the model answers quantiles other than the configuration's.
        """
        if model.quantiles != config.quantiles:
            raise ModelError(
                f"the model answers quantiles {model.quantiles}, the configuration asks for "
                f"{config.quantiles}: run `afflux publish` to see what to do"
            )
        model = remembering(model)
        known = Known.at(origin, config, observations)
        matrix = build(known.grid, known.evidence)
        baseline = known.forecasts(
            model,
            matrix,
            known.usually,
            largest_events(known.observations, known.territory),
            model_version=model_version,
            lake_version=lake_version,
        )
        return cls(known, model, discover(), matrix, baseline)

    def asked(self, zone_ids: Collection[str], first: date, last: date) -> Bools:
        """Which rows of ``baseline`` are about these zones and days, both included."""
        days = self.baseline["target_date"]
        inside = (days >= pd.Timestamp(first)) & (days <= pd.Timestamp(last))
        return np.asarray(inside & self.baseline["zone_id"].isin(list(zone_ids)))

    def moved(self, rows: Bools, supposed: pd.DataFrame) -> tuple[Bools, pd.DataFrame]:
        """Which of these rows of ``baseline`` the observations of ``supposed`` move, and whereto.

        They are those of which a feature moves; every other keeps its answer. Which sources are
        late, and so how wide the band is, stays as it is.
        """
        known, values = self.known, self._values(rows, supposed)
        before = self.matrix.values[:, rows]
        moved = ((values != before) & ~(np.isnan(values) & np.isnan(before))).any(axis=0)
        places = np.flatnonzero(rows)[moved]
        questions = self.baseline.iloc[places]
        if questions.empty:
            return np.zeros_like(rows), questions
        grid, recent = self._grid(questions), self.matrix.recent
        matrix = FeatureMatrix(
            grid,
            self.matrix.columns,
            values[:, moved],
            recent=None if recent is None else recent[grid.ask_zone],
        )
        anew = known.forecasts(
            self.model,
            matrix,
            Usual(known.usually.influx[places], tuple(known.usually.days[i] for i in places)),
            self._event_names(supposed),
            model_version=questions["model_version"].iloc[0],
            lake_version=int(questions["lake_version"].iloc[0]),
        )
        found = np.zeros_like(rows)
        found[places] = True
        return found, anew

    def _values(self, rows: Bools, supposed: pd.DataFrame) -> npt.NDArray[np.float32]:
        """The features of these questions: of the sources that read what is supposed, anew."""
        values, read = self.matrix.values[:, rows], set(supposed["source"])
        touched = [source for source in self.sources if read & set(source.reads)]
        if touched:
            grid = self._grid(self.baseline[rows])
            anew = build(grid, self.known.evidence.supposing(supposed), touched)
            for name, line in zip(anew.columns, anew.values, strict=True):
                values[self.matrix.columns.index(name)] = line
        return values

    def _grid(self, questions: pd.DataFrame) -> Grid:
        """Rows of ``baseline``, in their order, as questions."""
        whole = self.known.grid
        return grid_from_frame(questions, whole.zone_ids, whole.timezone)

    def suppose(
        self, weather: Sequence[Mapping[str, Any]], events: Sequence[Mapping[str, Any]]
    ) -> pd.DataFrame:
        """What is supposed as rows of observations.

        Parameters
        ----------
        weather
            ``target_date``, any of :data:`WEATHER`, and ``zone_id`` (absent: every zone). A later
            entry counts more. The day keeps the age of the forecast it had, so that only the
            weather is another.
        events
            ``zone_id``, ``date``, ``end_date`` (absent: the same day), ``name`` and ``attendance``
            [persons day⁻¹]. An event already announced under this name takes the new attendance.
        """
        issued, origin = self._issued, self.known.origin
        rows = [
            (
                "weather_forecast",
                zone,
                "",
                name,
                day,
                issued.get((zone, name, day), origin),
                float(entry[name]),
            )
            for entry in weather
            for day in [pd.Timestamp(entry["target_date"])]
            for zone in ([entry["zone_id"]] if entry.get("zone_id") else self._zone_ids)
            for name in WEATHER
            if entry.get(name) is not None
        ]
        for event in events:
            last = event.get("end_date") or event["date"]
            for day in pd.date_range(event["date"], last):
                found = ("events", event["zone_id"], event["name"], "attendance", day, origin)
                rows.append((*found, float(event["attendance"])))
        columns = ["source", "zone_id", "site_id", "variable", "date", "available_at", "value"]
        frame = pd.DataFrame(rows, columns=columns).assign(provider="supposed")
        return frame.astype({"date": "datetime64[us]", "available_at": "datetime64[us, UTC]"})

    @property
    def _zone_ids(self) -> tuple[str, ...]:
        return self.known.territory.zone_ids

    @cached_property
    def _issued(self) -> dict[tuple[str, str, pd.Timestamp], pd.Timestamp]:
        """When the weather forecast of each zone, variable and coming day could be read."""
        rows, first = self.known.observations, self.baseline["target_date"].min()
        rows = rows[(rows["source"] == "weather_forecast") & (rows["date"] >= first)]
        return {
            (str(zone), str(name), day): at
            for zone, name, day, at in zip(
                rows["zone_id"], rows["variable"], rows["date"], rows["available_at"], strict=True
            )
        }

    def _event_names(self, supposed: pd.DataFrame) -> Mapping[tuple[int, int], str]:
        if not (supposed["source"] == "events").any():
            return self._announced
        events = pd.concat([self._events, supposed], ignore_index=True)
        return largest_events(events, self.known.territory)

    @cached_property
    def _announced(self) -> Mapping[tuple[int, int], str]:
        return largest_events(self._events, self.known.territory)

    @cached_property
    def _events(self) -> pd.DataFrame:
        stored = self.known.observations
        return stored[stored["source"] == "events"]
