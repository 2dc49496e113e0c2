"""What a page shows, from the records of the API, in the words of a language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from forecast import french
from forecast.serving.pages.speech import Speech

LEVELS = ("vert", "orange", "rouge", "noir")
LEVEL_COLOURS = {
    "vert": ("#2e7d4f", "#ffffff"),
    "orange": ("#f2a33a", "#141414"),
    "rouge": ("#c2222b", "#ffffff"),
    "noir": ("#141414", "#ffffff"),
    "": ("#d9dee4", "#16202c"),
}
"""Background and text of each level where no style sheet is: PDF and mail; as in page.css."""

_ORDINARY = (0.87, 1.15)
"""Ratios to what is usual that are not worth a number."""


@dataclass(frozen=True)
class Figure:
    """One forecast in words: numbers rounded to what its band supports.

    ``level`` is the level's word in French, which also names its colour, or empty; ``share`` the
    probability of reaching it (of staying below the others for vert); ``reason`` how the day
    compares with an ordinary one, and ``why``.
    """

    zone_id: str
    day: date
    day_name: str
    weekday: str
    short: str
    expected: str
    low: str
    high: str
    usual: str
    against_usual: str
    level: str
    level_word: str
    share: str
    why: str
    reason: str
    parts: tuple[tuple[str, str, float], ...]
    value: int

    @property
    def rank(self) -> tuple[int, int]:
        """Severity, by level and then by number."""
        return (LEVELS.index(self.level) if self.level else -1, self.value)


@dataclass(frozen=True)
class Card:
    """One zone: its number on the map, its figures by day, and the most severe of them."""

    zone_id: str
    number: int
    name: str
    figures: tuple[Figure, ...]

    @property
    def peak(self) -> Figure:
        """The most severe day."""
        return max(self.figures, key=lambda figure: figure.rank)

    @property
    def reason(self) -> str:
        """How the most severe day compares with an ordinary one, and why."""
        return self.peak.reason

    def on(self, day: date | None) -> Figure | None:
        """The figure of a day, or the most severe one."""
        if day is None:
            return self.peak
        return next((figure for figure in self.figures if figure.day == day), None)


def figure(record: Mapping[str, Any], speech: Speech) -> Figure:
    """One forecast record in words."""
    texts, day = speech.texts, date.fromisoformat(record["target_date"])
    influx, usual, level = record["influx"], record["usual"], record["level"]
    low, high = influx["p10"], influx["p90"]
    step = french.rounding_step(low, high)
    against = ""
    if usual:
        ratio, such = influx["p50"] / usual, speech.usual_day(day)
        ordinary = _ORDINARY[0] <= ratio <= _ORDINARY[1]
        against = (
            texts["like"].format(usual=such)
            if ordinary
            else texts["times"].format(ratio=speech.decimal(ratio), usual=such)
        )
    why = _why(record, speech, step)
    return Figure(
        zone_id=record["zone_id"],
        day=day,
        day_name=speech.day(day),
        weekday=speech.weekday(day),
        short=speech.short(day),
        expected=speech.number(influx["p50"], step),
        low=speech.number(low, step),
        high=speech.number(high, step),
        usual=speech.number(usual, step) if usual else "–",
        against_usual=against,
        level=level or "",
        level_word=texts["levels"][level] if level else "",
        share=speech.chance(reached(record)) if level else "",
        why=why,
        reason=f"{speech.colon} ".join(part for part in (against, why) if part),
        parts=_parts(record["contributions"], speech, step),
        value=influx["p50"],
    )


def reached(record: Mapping[str, Any]) -> float:
    """Probability that the record's level is reached; for vert, that no other is."""
    chances: Mapping[str, float] = record["level_probabilities"]
    if record["level"] == LEVELS[0]:
        return chances[LEVELS[0]]
    return sum(chances[level] for level in LEVELS[LEVELS.index(record["level"]) :])


def cards(
    zones: Sequence[Mapping[str, Any]], records: Sequence[Mapping[str, Any]], speech: Speech
) -> list[Card]:
    """A card for each zone that has a forecast, in the territory's order.

    ``number`` is the zone's place among all ``zones``, as on the map.
    """
    found = []
    for number, zone in enumerate(zones, start=1):
        own = [figure(r, speech) for r in records if r["zone_id"] == zone["zone_id"]]
        if own:
            found.append(Card(zone["zone_id"], number, zone["zone_name"], tuple(own)))
    return found


def _parts(
    contributions: Mapping[str, int] | None, speech: Speech, step: int
) -> tuple[tuple[str, str, float], ...]:
    """Domain, persons in words, and length of its bar in [-1, 1]; the largest first."""
    named = {d: v for d, v in (contributions or {}).items() if abs(v) >= step / 2}
    longest = max((abs(v) for v in named.values()), default=1)
    return tuple(
        (speech.texts["domains"][domain], speech.signed(value, step), value / longest)
        for domain, value in sorted(named.items(), key=lambda item: -abs(item[1]))
    )


def _why(record: Mapping[str, Any], speech: Speech, step: int) -> str:
    """The sentence of the record; in another language than French, the largest parts."""
    if speech.is_french:
        return speech.typeset(record["why"] or "")
    return reasons(record["contributions"], speech, step)


def reasons(contributions: Mapping[str, int] | None, speech: Speech, step: int) -> str:
    """The three largest of what domains contribute: ``weather +2,000, holidays −300``."""
    parts = _parts(contributions, speech, step)[:3]
    return ", ".join(f"{domain} {persons}" for domain, persons, _ in parts)
