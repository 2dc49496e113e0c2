"""What pages are written from: the answers of a publication."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_MOVES = "moves.json"


@dataclass(frozen=True)
class Answers:
    """Bodies of the API's answers, from which the pages are written.

    ``forecasts`` to ``changes`` are those of the routes of these names; ``history`` those of each
    zone's days; ``geometry`` the GeoJSON of the zones; ``moves`` what changed in each forecast
    since the publication that ``changes`` compares with, by zone and day (ISO).
    """

    forecasts: Mapping[str, Any]
    weekend: Mapping[str, Any]
    zones: Sequence[Mapping[str, Any]]
    history: Mapping[str, Sequence[Mapping[str, Any]]]
    scoreboard: Mapping[str, Any]
    changes: Mapping[str, Any]
    sources: Sequence[Mapping[str, Any]]
    geometry: Mapping[str, Any]
    moves: Mapping[tuple[str, str], Mapping[str, Any]]


def read_answers(names: Collection[str], read: Callable[[str], bytes]) -> Answers:
    """The answers a publication holds, as the pages need them.

    ``names`` are those of its files, which ``read`` gives the bytes of.
    """

    def body(name: str) -> Any:
        return json.loads(read(name))

    # Beside each file a publication holds the same compressed.
    histories = [body(n) for n in names if n.startswith("history/") and n.endswith(".json")]
    # Publications of before pages were written have none.
    moves = body(_MOVES)["moves"] if _MOVES in names else []
    return Answers(
        forecasts=body("forecasts.json"),
        weekend=body("weekend.json"),
        zones=body("zones.json")["zones"],
        history={found["zone"]["zone_id"]: found["history"] for found in histories},
        scoreboard=body("scoreboard.json"),
        changes=body("changes.json"),
        sources=body("sources.json")["sources"],
        geometry=body("zones.geojson"),
        moves={(move["zone_id"], move["target_date"]): move for move in moves},
    )
