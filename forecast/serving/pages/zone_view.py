"""What the page of one zone shows: its fifteen days, why, the weeks before, what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any
from urllib.parse import quote

from forecast import french
from forecast.serving.pages.answers import Answers
from forecast.serving.pages.charts import HEIGHT, WIDTH, fan
from forecast.serving.pages.sayings import change_sentences, move_sentence
from forecast.serving.pages.speech import Speech
from forecast.serving.pages.views import Figure, figure

_PAST_DAYS, _SAID = 42, 3
"""Days of the past on the chart, and how long before they had been forecast [d]."""


def zone_path(zone_id: str) -> str:
    """Path of a zone's page, and of its answers below ``v1/``, as a link writes it.

    >>> zone_path("241400415"), zone_path("a b/é")
    ('zones/241400415', 'zones/a%20b/%C3%A9')
    """
    return f"zones/{quote(zone_id)}"


def zone_view(
    answers: Answers, zone: Mapping[str, Any], weekend: Sequence[date], speech: Speech
) -> dict[str, Any]:
    """Names and values that the template ``zone.html.j2`` wants.

    ``zone`` is a record of ``/v1/zones``. A zone without forecast has an empty ``fortnight``, and
    neither chart nor figures.
    """
    zone_id = zone["zone_id"]
    records = [r for r in answers.forecasts["forecasts"] if r["zone_id"] == zone_id]
    shown: dict[str, Any] = {
        "zone_id": zone_id,
        "name": zone["zone_name"],
        "fortnight": [figure(record, speech) for record in records],
        "changes": change_sentences(answers.changes, speech, zone_id=zone_id),
    }
    return shown | _figures(answers, records, weekend, speech) if records else shown


def _figures(
    answers: Answers,
    records: Sequence[Mapping[str, Any]],
    weekend: Sequence[date],
    speech: Speech,
) -> dict[str, Any]:
    zone_id = records[0]["zone_id"]
    days = {date.fromisoformat(record["target_date"]): record for record in records}
    near = [figure(days[day], speech) for day in weekend if day in days]
    near = near or [figure(records[0], speech)]
    past = _past(answers.history[zone_id])
    return {
        "near": near,
        "peak": max(near, key=lambda figure: figure.rank),
        "moves": {f.day: _moved(answers, days[f.day], f, speech) for f in near},
        "fan": fan(records, past),
        "size": (WIDTH, HEIGHT),
        "past_rows": _rows(past, records, speech),
    }


def _past(history: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {
            "target_date": day["target_date"],
            "observed": day["observed"],
            "said": next(
                (s["influx"]["p50"] for s in day["said"] if s["days_before"] == _SAID), None
            ),
        }
        for day in history[-_PAST_DAYS:]
    ]


def _rows(
    past: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]], speech: Speech
) -> list[tuple[str, str, str]]:
    """Day, observed and forecast of each past day, the newest first; rounded as the forecasts."""
    step = min(french.rounding_step(r["influx"]["p10"], r["influx"]["p90"]) for r in records)

    def said(value: int | None) -> str:
        return "–" if value is None else speech.number(value, step)

    return [
        (
            speech.day(date.fromisoformat(day["target_date"])),
            said(day["observed"]),
            said(day["said"]),
        )
        for day in reversed(past)
    ]


def _moved(answers: Answers, record: Mapping[str, Any], shown: Figure, speech: Speech) -> str:
    """How the number of a day moved since the publication before; empty if it had none."""
    move = answers.moves.get((record["zone_id"], shown.day.isoformat()))
    return move_sentence(move, record["influx"], speech) if move else ""
