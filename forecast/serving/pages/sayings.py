"""Sentences of a page that are not about one day: totals, changes, sources, credits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from forecast import french
from forecast.serving.pages.speech import Speech


@dataclass(frozen=True)
class SourceRow:
    """How fresh one source is, in words; ``providers`` has a line for each that fetches it."""

    name: str
    newest: str
    read: str
    state: str
    providers: tuple[str, ...]


def total_sentence(total: Mapping[str, Any], speech: Speech) -> str:
    """The whole territory's weekend in a sentence."""
    texts, influx = speech.texts, total["influx"]
    low, high = influx["p10"], influx["p90"]
    step = french.rounding_step(low, high)
    chances = texts["chances"].format(low=speech.number(low, step), high=speech.number(high, step))
    if total["interval_method"] != "conformal":
        chances = (
            f"{chances} ; {texts['summed']}"
            if speech.is_french
            else f"{chances}; {texts['summed']}"
        )
    return f"{speech.number(influx['p50'], step)} {texts['total_unit']} ({chances})"


def change_sentence(change: Mapping[str, Any], speech: Speech) -> str:
    """One change of level in a sentence; in another language than French without its reason."""
    texts = speech.texts
    said = texts["changed"].format(
        zone=change["zone_name"],
        day=speech.day(date.fromisoformat(change["target_date"])),
        before=texts["levels"][change["level_before"]],
        after=texts["levels"][change["level"]],
    )
    return f"{said} ({change['why']})" if speech.is_french and change["why"] else said


def source_row(source: Mapping[str, Any], speech: Speech, zone: ZoneInfo) -> SourceRow:
    """The state of one source as ``/v1/sources`` gives it."""
    texts, runs = speech.texts, source["missed_runs"]
    if runs is None:
        state = texts["never_read"]
    elif speech.is_french:
        state = french.missed(runs, fresh=source["fresh"])
    else:
        state = "up to date" if source["fresh"] else f"late by {runs} deliveries"
    newest = source["newest_date"]
    read_at = source["read_at"]
    return SourceRow(
        name=speech.source(source["source"]),
        newest=speech.day(date.fromisoformat(newest)) if newest else "–",
        read=speech.moment(datetime.fromisoformat(read_at).astimezone(zone)) if read_at else "–",
        state=state,
        providers=tuple(
            f"{provider['name']}{speech.colon} {texts['provider_failed']}"
            for provider in source.get("providers", ())
            if provider["last_error"]
        ),
    )


def attributions(about: Mapping[str, Any], sources: Sequence[Mapping[str, Any]]) -> str:
    """Credits of the territory's own data and of every provider whose data is used."""
    own = [about["attribution"]] if about["attribution"] else []
    theirs = [
        provider["attribution"]
        for source in sources
        for provider in source.get("providers", ())
        if provider["attribution"] and provider["last_success_at"]
    ]
    return " ; ".join(dict.fromkeys(own + theirs))
