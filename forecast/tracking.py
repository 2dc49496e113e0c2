"""What MLflow sees of Afflux: a quiet environment, names it accepts, artifacts laid out in folders.

MLflow itself is imported by :mod:`forecast.registry` alone.
"""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pandas as pd

from forecast.decision import Decision

_FORCED = {
    "MLFLOW_ALLOW_PICKLE_DESERIALIZATION": "false",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # MLflow's own seven take four minutes
}
_LONGEST_TEXT = 5000
_DECISION = "gate_decision"


@dataclass(frozen=True)
class ModelVersion:
    """One registered version, as `afflux models` lists it.

    ``metrics`` are the headline ones: those logged under a name without ``/``. ``decision`` is the
    gate's, None if there is none, and ``forced`` the reason given for promoting it all the same.
    ``served`` says that ``models/champion`` on this machine is this version.
    """

    version: str
    created: datetime
    aliases: tuple[str, ...]
    metrics: Mapping[str, float]
    decision: Decision | None
    forced: str
    lake_version: str
    simulated: bool
    perfect_weather: bool
    served: bool


@contextmanager
def environment() -> Iterator[None]:
    """The environment MLflow shall see, put back at the end except for the telemetry switch."""
    before = dict(os.environ)
    os.environ.update({k: v for k, v in _DEFAULTS.items() if k not in before} | _FORCED)
    try:
        yield
    finally:
        for key in {*_FORCED, *_DEFAULTS, "MLFLOW_TRACKING_URI"} - {"MLFLOW_DISABLE_TELEMETRY"}:
            if key in before:
                os.environ[key] = before[key]
            else:
                os.environ.pop(key, None)


def key(name: str) -> str:
    """A name MLflow takes: at most 250 letters, digits and ``/ _ - . :`` or space.

    >>> key("wape/zone/L'Île")
    'wape/zone/L_Île'
    """
    return re.sub(r"[^\w/\-. :]", "_", name)[:250]


def texts(values: Mapping[str, object]) -> dict[str, str]:
    """Parameters or tags as the texts MLflow stores, cut at the longest it takes."""
    return {key(name): str(value)[:_LONGEST_TEXT] for name, value in values.items()}


def headline(metrics: Mapping[str, float]) -> str:
    """The metrics without ``/`` in their names, as the tag that :func:`describe` reads back."""
    return json.dumps({n: value for n, value in finite(metrics).items() if "/" not in n})


def finite(metrics: Mapping[str, float]) -> dict[str, float]:
    """The metrics that are finite numbers, under names MLflow takes."""
    return {key(name): float(v) for name, v in metrics.items() if math.isfinite(v)}


def gate_tags(decision: Decision | None) -> dict[str, str]:
    """The decision of the gate, in a word and whole, as tags of a run and of a model version."""
    if decision is None:
        return {}
    word = "passed" if decision.passed else f"failed: {', '.join(decision.failed)}"
    return {"gate": word, _DECISION: decision.to_json()}


def gate_metrics(decision: Decision | None) -> dict[str, float]:
    """The figures of each criterion of the gate, as metrics."""
    figures: dict[str, float] = {}
    for criterion in decision.criteria if decision else ():
        for side in ("candidate", "reference"):
            value = getattr(criterion, side)
            if value is not None:
                figures[f"gate/{criterion.name}/{side}"] = value
        figures[f"gate/{criterion.name}/passed"] = float(criterion.passed)
    return figures


def _decision(tags: Mapping[str, str]) -> Decision | None:
    """The decision in the tags of a version; None, which promotes nothing, if it is unreadable."""
    try:
        return Decision.from_json(tags[_DECISION])
    except (KeyError, ValueError):
        return None


def collect(folder: Path, figures: Mapping[str, Path], tables: Mapping[str, pd.DataFrame]) -> None:
    """Lay figures and tables out as they shall appear among the artifacts of the run."""
    for name, path in figures.items():
        target = folder / "figures" / f"{name}{path.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    for name, table in tables.items():
        target = folder / "tables" / f"{name}.csv"
        target.parent.mkdir(parents=True, exist_ok=True)
        table.to_csv(target, index=False)


def failure(uri: str, error: Exception) -> str:
    """What to say when MLflow fails, without the user and password that ``uri`` may hold.

    >>> failure("http://me:secret@host", OSError("no answer from http://me:secret@host/api"))
    'MLflow at http://host: no answer from http://host/api'
    """
    text = f"MLflow at {uri}: {error}"
    user = urlsplit(uri).netloc.rpartition("@")[0]
    return text.replace(f"{user}@", "") if user else text


def describe(version: Any, aliases: Sequence[str], served: str | None) -> ModelVersion:
    """An MLflow model version as Afflux lists it; ``served`` names the champion's bundle."""
    tags: Mapping[str, str] = version.tags
    return ModelVersion(
        version=str(version.version),
        created=datetime.fromtimestamp(version.creation_timestamp / 1000, UTC),
        aliases=tuple(sorted(aliases)),
        metrics=json.loads(tags.get("headline", "{}")),
        decision=_decision(tags),
        forced=tags.get("forced", ""),
        lake_version=tags.get("lake_version", ""),
        simulated=tags.get("simulated", "").lower() == "true",
        perfect_weather=tags.get("perfect_weather", "").lower() == "true",
        served=served == f"{version.version}-{tags.get('bundle')}",
    )
