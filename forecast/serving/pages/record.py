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
    days = texts["record_of"].format(count=speech.number(score["zone_days"]))
    found = [(texts["record_held"], held, days)]
    # Where one zone is not known the territory has no total, and so no error.
    if score["wape"] is not None and score["naive"]:
        found.append((texts["record_error"], error, texts["record_against"].format(share=naive)))
    found += [(texts[name], value, "") for name, value in zip(names, alarms, strict=True)]
    return found


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
    return _counted(days, speech, "past_tally")


def months(
    weekends: Sequence[Mapping[str, Any]], speech: Speech
) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Past weekends by month: the month, then start, name and how often the range held of each."""
    found: dict[str, list[tuple[str, str, str]]] = {}
    for weekend in weekends:
        first, last = ends(weekend)
        held = _counted(list(past_days(weekend, speech)), speech, "past_held")
        found.setdefault(speech.month(first), []).append(
            (weekend["start"], speech.span(first, last), held)
        )
    return list(found.items())


def ends(weekend: Mapping[str, Any]) -> tuple[date, date]:
    """First and last day of a weekend."""
    return date.fromisoformat(weekend["start"]), date.fromisoformat(weekend["end"])


def _counted(days: Sequence[PastDay], speech: Speech, text: str) -> str:
    known = [day for day in days if day.verdict != speech.texts["past_unknown"]]
    held = sum(day.verdict == speech.texts["past_inside"] for day in known)
    return str(speech.texts[text].format(held=speech.number(held), all=speech.number(len(known))))
