"""The process that answers what-ifs: ``python -m forecast.serving.scenario_worker``.

It holds what the server must not: the model, the evidence and the libraries they need. The server
starts it when a what-if is first asked (:mod:`forecast.serving.worker`).
"""

from __future__ import annotations

import gc
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from forecast import french
from forecast.config import RunConfig
from forecast.errors import NoModelError, PublicationError
from forecast.lake import Lake
from forecast.model import InfluxModel
from forecast.scenario import Scenarios
from forecast.serving.changes import sentence
from forecast.serving.records import forecast_records
from forecast.serving.work import work
from forecast.settings import Settings
from forecast.tables import quantile_name


@dataclass(frozen=True)
class Ready:
    """One publication, ready to be asked what-ifs.

    ``same`` compares its forecasts, as served, with themselves: by row of ``scenarios.baseline``.
    """

    name: str
    config: RunConfig
    metadata: Mapping[str, Any]
    same: Mapping[int, dict[str, Any]]
    scenarios: Scenarios


class Desk:
    """Answers what-ifs about the publication that each question names."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._ready: Ready | None = None

    def answer(self, question: Mapping[str, Any]) -> dict[str, Any]:
        """The answer of ``POST /v1/scenarios``.

        ``question`` has ``publication``, ``zone_id`` (known zones), ``from``, ``to``, ``weather``
        and ``events``, as that route checked them.

        Raises
        ------
        AffluxError
            If the model, the lake or the configuration of the publication can no longer be read.
        """
        if self._ready is None or self._ready.name != question["publication"]:
            self._ready = None  # Two publications need not be in memory together.
            self._ready = load(self.settings, question["publication"])
            # What stays until the next publication need not be looked through at each question.
            gc.unfreeze()
            gc.collect()
            gc.freeze()
        ready, weather, events = self._ready, question["weather"], question["events"]
        scenarios = ready.scenarios
        rows = scenarios.asked(
            question["zone_id"],
            date.fromisoformat(question["from"]),
            date.fromisoformat(question["to"]),
        )
        rows = rows & _answered(scenarios.baseline, ready.config)
        moved, after = scenarios.moved(rows, scenarios.suppose(weather, events))
        anew = forecast_records(after, ready.config)
        return {
            "metadata": ready.metadata,
            "scenario": True,
            "supposed": {"weather": weather, "events": events},
            "comparisons": [
                _comparison(ready.same[i]["baseline"], next(anew)) if moved[i] else ready.same[i]
                for i in np.flatnonzero(rows).tolist()
            ],
        }


def load(settings: Settings, name: str) -> Ready:
    """Make a publication of this home ready, with the very model and observations it was made of.

    Raises
    ------
    PublicationError
        If it is gone, or what is recomputed is not what it says: the configuration or the code
        have changed since.
    NoModelError, ModelIntegrityError, LakeError
        If its model or its observations are gone.
    """
    home = settings.publications / name
    manifest, answers = _json(home / "manifest.json"), _json(home / "forecasts.json")
    config, version = settings.run_config(), str(manifest["model_version"])
    bundle = settings.models / "bundles" / version
    if not bundle.is_dir():
        raise NoModelError(
            f"{bundle} is gone, the model that publication {name} was made with: publish again "
            "with `afflux publish`"
        )
    origin = pd.Timestamp(manifest["origin"]).as_unit("us")
    since = origin - pd.Timedelta(days=config.training.history_days)
    observations = Lake(settings.lake).snapshot(
        origin,
        zones=[zone.id for zone in config.zones],
        since=since.date(),
        version=manifest["lake_version"],
    )
    scenarios = Scenarios.at(
        origin,
        config,
        observations,
        InfluxModel.load(bundle),
        model_version=version,
        lake_version=manifest["lake_version"],
    )
    published = {_key(record): record for record in answers["forecasts"]}
    baseline = scenarios.baseline
    answered = _answered(baseline, config)
    recomputed = {_key(r): _said(r) for r in forecast_records(baseline[answered], config)}
    if recomputed != {key: _said(record) for key, record in published.items()}:
        raise PublicationError(
            f"publication {name} is not what this configuration and this release would say of the "
            "same observations: publish again with `afflux publish`"
        )
    same = {
        i: _comparison(published[key], published[key])
        for i, key in zip(np.flatnonzero(answered).tolist(), recomputed, strict=True)
    }
    return Ready(name, config, answers["metadata"], same, scenarios)


def _answered(frame: pd.DataFrame, config: RunConfig) -> np.ndarray[Any, np.dtype[np.bool_]]:
    quantiles = frame[[quantile_name(q) for q in config.quantiles]].to_numpy()
    return np.asarray(np.isfinite(quantiles).all(axis=1))


def _key(record: Mapping[str, Any]) -> tuple[str, str]:
    return record["zone_id"], record["target_date"]


def _said(record: Mapping[str, Any]) -> tuple[Any, ...]:
    return record["influx"], record["level"], record["usual"], record["why"]


def _comparison(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    difference = after["influx"]["p50"] - before["influx"]["p50"]
    # Both share their uncertainty: of what moves one to the other, two digits can be told.
    step = french.rounding_step(0, abs(difference))
    return {
        "zone_id": after["zone_id"],
        "zone_name": after["zone_name"],
        "target_date": after["target_date"],
        "difference": difference,
        "level_before": before["level"],
        "level_after": after["level"],
        "why": sentence(before, after, new_model=False, step=step),
        "baseline": before,
        "scenario": after,
    }


def _json(path: Path) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise PublicationError(
            f"{path}: cannot be read ({error}); publish again with `afflux publish`"
        ) from error
    return found


if __name__ == "__main__":
    work(Desk(Settings.from_environment()).answer)
