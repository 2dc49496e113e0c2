"""What changed between two publications, and why: pure functions of their records.

Both say what each domain contributes; the difference, with that of what is usual, adds up exactly
to the difference of the medians. This module runs in the serving process too: the standard library
only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from forecast import french
from forecast.serving.listing import LEVELS, Selection
from forecast.serving.reader import Publication

USUAL = "usual"
"""Beside the domains: what is usual for the day was itself revised."""

UNCHANGED = "prévision presque inchangée"

_WORDS = {
    "weather": ("météo annoncée plus favorable", "météo annoncée moins favorable"),
    "holidays": ("effet du calendrier relevé", "effet du calendrier abaissé"),
    "season": ("effet de la saison relevé", "effet de la saison abaissé"),
    "history": ("fréquentation récente plus forte", "fréquentation récente plus faible"),
    "mobility": ("plus de trafic", "moins de trafic"),
    "parking": ("parkings plus remplis", "parkings moins remplis"),
    "waste": ("plus de déchets collectés", "moins de déchets collectés"),
    "events": ("événements ajoutés", "événements retirés"),
    "sea": ("marées plus favorables", "marées moins favorables"),
    USUAL: ("journée ordinaire revue à la hausse", "journée ordinaire revue à la baisse"),
}
_DOMAINS = french.SOURCES | {"weather": "météo", "calendar": "calendrier"}
_MOST, _NOTABLE = 3, 0.1
_MINUS = "\u2212"


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, int] | None:
    """Persons by domain that add up to the difference of the medians; None if not explained.

    >>> one = {"influx": {"p50": 100}, "usual": 90, "contributions": {"weather": 10}}
    >>> two = {"influx": {"p50": 130}, "usual": 95, "contributions": {"weather": 35}}
    >>> difference(one, two)
    {'weather': 25, 'usual': 5}
    """
    old, new = before["contributions"], after["contributions"]
    if old is None or new is None or before["usual"] is None or after["usual"] is None:
        return None
    # A domain of the older publication alone counts too: the sum must hold.
    parts = {d: new.get(d, 0) - old.get(d, 0) for d in {**new, **old}}
    return {**parts, USUAL: after["usual"] - before["usual"]}


def sentence(
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    *,
    new_model: bool,
    step: int | None = None,
) -> str:
    """Why a forecast changed, in French: at most three causes, the largest first.

    Persons are rounded to ``step``, by default to what the band supports.
    """
    low, high = min(after["influx"].values()), max(after["influx"].values())
    step = step or french.rounding_step(low, high)
    parts = difference(before, after)
    if parts is None:
        moved = after["influx"]["p50"] - before["influx"]["p50"]
        parts = {"": moved}
    ranked = sorted(parts.items(), key=lambda item: -abs(item[1]))
    largest = abs(ranked[0][1]) if ranked else 0
    causes = [
        f"{_words(domain, persons)}\u00a0{_signed(persons, step)}"
        for domain, persons in ranked[:_MOST]
        if round(persons / step) and abs(persons) >= _NOTABLE * largest
    ]
    causes += _circumstances(before["regime"], after["regime"])
    causes += ["nouveau modèle"] * new_model
    return ", ".join(causes) or UNCHANGED


def _words(domain: str, persons: int) -> str:
    other = f"autres données ({domain})" if domain else "prévision revue"
    more, less = _WORDS.get(domain, (other, other))
    return more if persons > 0 else less


def _signed(persons: int, step: int) -> str:
    return f"{'+' if persons > 0 else _MINUS}{french.rounded(abs(persons), step)}"


def _circumstances(before: str, after: str) -> Iterator[str]:
    """Which sources fell late or came back: a band may widen where the median does not move."""
    old, new = (set(regime.split("+")) - {"calendar"} for regime in (before, after))
    for domains, words in ((old - new, "en retard"), (new - old, "de nouveau à jour")):
        if domains:
            named = ", ".join(sorted(_DOMAINS.get(domain, domain) for domain in domains))
            yield f"données {words} ({named})"


def level_changes(before: Publication, after: Publication) -> list[dict[str, Any]]:
    """Zones and days of both whose level is not the same, in the order of ``after``."""
    return [
        _change(old, row, _new_model(before, after))
        for old, row in _pairs(before, after)
        if old["level"] and row["level"] and old["level"] != row["level"]
    ]


def _pairs(
    before: Publication, after: Publication
) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """What both said of a zone and a day, in the order of ``after``."""
    everything = Selection()
    known = {
        (row["zone_id"], row["target_date"]): row
        for row in before.listings["forecasts.json"].records(everything)
    }
    for row in after.listings["forecasts.json"].records(everything):
        if old := known.get((row["zone_id"], row["target_date"])):
            yield old, row


def _change(old: dict[str, Any], new: dict[str, Any], new_model: bool) -> dict[str, Any]:
    up = LEVELS.index(new["level"]) > LEVELS.index(old["level"])
    return {
        "zone_id": new["zone_id"],
        "zone_name": new["zone_name"],
        "target_date": new["target_date"],
        "horizon_days": new["horizon_days"],
        "level_before": old["level"],
        "level": new["level"],
        "direction": "up" if up else "down",
        "influx_before": old["influx"],
        "influx": new["influx"],
        "contributions": difference(old, new),
        "why": sentence(old, new, new_model=new_model),
    }


def _new_model(before: Publication, after: Publication) -> bool:
    return bool(before.manifest["model_version"] != after.manifest["model_version"])


def since(before: Publication | None, after: Publication, asked: datetime | None) -> dict[str, Any]:
    """The head of an answer about changes: what was compared with what."""
    return {
        "since": f"{asked:%Y-%m-%dT%H:%M:%SZ}" if asked else None,
        "compared": None
        if before is None
        else {
            "publication": before.name,
            "published_at": before.manifest["published_at"],
            "origin": before.manifest["origin"],
            "model_version": before.manifest["model_version"],
        },
    }


def moves(before: Publication, after: Publication) -> list[dict[str, Any]]:
    """What changed in each forecast of ``after`` that ``before`` had too (see `explanation`)."""
    return [
        {name: row[name] for name in ("zone_id", "target_date")}
        | explanation(row, after, before, [old])["change"]
        for old, row in _pairs(before, after)
    ]


def explanation(
    record: dict[str, Any],
    after: Publication,
    before: Publication | None,
    earlier: Sequence[dict[str, Any]],
) -> dict[str, Any]:
    """Why one forecast is what it is, and what changed since the day before's publication.

    ``earlier`` holds the forecast of that publication for the same zone and day, if it had one.
    """
    answer: dict[str, Any] = {"forecast": record, "change": None}
    if before is not None and earlier:
        old = earlier[0]
        answer["change"] = {
            **since(before, after, None)["compared"],
            "level_before": old["level"],
            "influx_before": old["influx"],
            "usual_before": old["usual"],
            "difference": record["influx"]["p50"] - old["influx"]["p50"],
            "contributions": difference(old, record),
            "why": sentence(old, record, new_model=_new_model(before, after)),
        }
    return answer
