"""The track record in words: how often the bands held, and each past weekend."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from forecast import french
from forecast.serving.pages.speech import Speech


@dataclass(frozen=True)
class PastDay:
    """One zone on one day of a past weekend: what had been said, and what happened."""

    zone: str
    day: str
    expected: str
    low: str
    high: str
    level: str | None
    observed: str
    came: str | None
    verdict: str


def score_rows(scores: Sequence[Mapping[str, Any]], speech: Speech) -> list[tuple[str, ...]]:
    """Cells of the scoreboard, the territory first; none if nothing was scored."""
    return [_cells(score, speech) for score in scores if score["zone_days"]]


def _cells(score: Mapping[str, Any], speech: Speech) -> tuple[str, ...]:
    alarms, naive = score["alarms"]["rouge"], score["naive"]
    shares = (score["coverage_80"], score["wape"], naive["wape"] if naive else None)
    counts = (alarms[name] for name in ("hits", "misses", "false_alarms"))
    return (
        score["zone_name"],
        *("–" if share is None else speech.percent(share) for share in shares),
        *(speech.number(count) for count in counts),
    )


def headline(score: Mapping[str, Any], speech: Speech) -> list[tuple[str, str, str]]:
    """Name, figure and note of what the territory's score says first."""
    texts = speech.texts
    _, held, error, naive, *alarms = _cells(score, speech)
    names = ("record_hits", "record_misses", "record_false")
    return [
        (
            texts["record_held"],
            held,
            texts["record_of"].format(count=speech.number(score["zone_days"])),
        ),
        (texts["record_error"], error, texts["record_against"].format(share=naive)),
        *((texts[name], value, "") for name, value in zip(names, alarms, strict=True)),
    ]


def basis(record: Mapping[str, Any], speech: Speech) -> str:
    """Where the answers come from, if not all were issued."""
    replayed, total = record["backtest"], record["issued"] + record["backtest"]
    if not total:
        return str(speech.texts["record_empty"])
    if not replayed:
        return ""
    return str(
        speech.texts["record_backtest"].format(
            count=speech.number(replayed), all=speech.number(total)
        )
    )


def past_days(weekend: Mapping[str, Any], speech: Speech) -> Iterator[PastDay]:
    """Each zone and day of one past weekend."""
    for zone in weekend["zones"]:
        for day in zone["days"]:
            influx, observed = day["said"]["influx"], day["observed"]
            low, high = influx["p10"], influx["p90"]
            step = french.rounding_step(low, high)
            yield PastDay(
                zone=zone["zone_name"],
                day=speech.weekday(date.fromisoformat(day["target_date"])),
                expected=speech.number(influx["p50"], step),
                low=speech.number(low, step),
                high=speech.number(high, step),
                level=day["said"]["level"],
                observed="–" if observed is None else speech.number(observed, step),
                came=day["observed_level"],
                verdict=speech.texts[_verdict(observed, low, high)],
            )


def _verdict(observed: int | None, low: int, high: int) -> str:
    if observed is None:
        return "past_unknown"
    if observed > high:
        return "past_above"
    return "past_below" if observed < low else "past_inside"


def tally(days: Sequence[PastDay], speech: Speech) -> str:
    """How often the range held on these days."""
    known = [day for day in days if day.verdict != speech.texts["past_unknown"]]
    held = sum(day.verdict == speech.texts["past_inside"] for day in known)
    return str(speech.texts["past_tally"].format(held=held, all=len(known)))
