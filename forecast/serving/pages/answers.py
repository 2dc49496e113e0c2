"""What pages are written from: the answers of a publication."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from forecast.serving.answer_files import File


@dataclass(frozen=True)
class Answers:
    """Bodies of the API's answers, from which the pages are written.

    ``forecasts`` to ``changes`` are those of the routes of these names; ``history`` those of each
    zone's days; ``geometry`` the GeoJSON of the zones.
    """

    forecasts: Mapping[str, Any]
    weekend: Mapping[str, Any]
    zones: Sequence[Mapping[str, Any]]
    history: Mapping[str, Sequence[Mapping[str, Any]]]
    scoreboard: Mapping[str, Any]
    changes: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]]
    geometry: Mapping[str, Any]


def read_answers(files: Mapping[str, File]) -> Answers:
    """The answers a publication holds, as the pages need them."""

    def body(name: str) -> Any:
        return json.loads(files[name].body)

    histories = [body(name) for name in files if name.startswith("history/")]
    return Answers(
        forecasts=body("forecasts.json"),
        weekend=body("weekend.json"),
        zones=body("zones.json")["zones"],
        history={found["zone"]["zone_id"]: found["history"] for found in histories},
        scoreboard=body("scoreboard.json"),
        changes=body("changes.json"),
        sources=body("sources.json")["sources"],
        geometry=body("zones.geojson"),
    )
