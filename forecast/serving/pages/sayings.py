"""Sentences of a page that are not about one day: totals, changes, sources, credits."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from forecast import french
from forecast.freshness import DOMAINS
from forecast.serving.pages.speech import Speech
from forecast.serving.pages.views import reasons


@dataclass(frozen=True)
class SourceRow:
    """How fresh one source is, in words; ``providers`` has a line for each that fails."""

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
        chances = speech.typeset(f"{chances} ; {texts['summed']}")
    return f"{speech.number(influx['p50'], step)} {texts['total_unit']} ({chances})"


def change_sentence(change: Mapping[str, Any], speech: Speech) -> str:
    """One change of level in a sentence, with its reason."""
    texts = speech.texts
    said = texts["changed"].format(
        zone=change["zone_name"],
        day=speech.day(date.fromisoformat(change["target_date"])),
        before=texts["levels"][change["level_before"]],
        after=texts["levels"][change["level"]],
    )
    why = _why(change, change["influx"], speech)
    return f"{said} ({why})" if why else said


def change_sentences(
    changes: Mapping[str, Any],
    speech: Speech,
    *,
    days: Collection[date] = (),
    zone_id: str | None = None,
    most: int | None = None,
) -> list[str] | None:
    """Changes of level of these days (all if none is given), of one zone or of all.

    Those of other days, and those beyond ``most``, are counted at the end. None if there was
    nothing to compare with.
    """
    if changes["compared"] is None:
        return None
    own = [c for c in changes["changes"] if zone_id in (None, c["zone_id"])]
    near = [c for c in own if not days or date.fromisoformat(c["target_date"]) in days]
    lines = [change_sentence(change, speech) for change in near[:most]]
    if len(lines) < len(own):
        count = speech.number(len(own) - len(lines))
        lines.append(speech.texts["more_changes"].format(count=count))
    return lines


def move_sentence(move: Mapping[str, Any], influx: Mapping[str, int], speech: Speech) -> str:
    """How far the number of a day moved since the publication before, and why.

    ``move`` is the change of an explanation (``/v1/zones/…/explanation``), ``influx`` the quantiles
    of the forecast now.
    """
    texts, moved = speech.texts, move["difference"]
    step = french.rounding_step(influx["p10"], influx["p90"])
    before = speech.number(influx["p50"] - moved, step)
    # Both may round apart where the step between them rounds to nothing.
    if before == speech.number(influx["p50"], step) or not round(moved / step):
        return str(texts["unmoved"])
    said = texts["moved"].format(persons=speech.signed(moved, step), before=before)
    parts = move["contributions"] or {}
    # Where no cause is worth a number once rounded, the record says that hardly anything changed.
    notable = not parts or any(round(persons / step) for persons in parts.values())
    why = _why(move, influx, speech) if notable else ""
    return f"{said} ({why})" if why else str(said)


def _why(change: Mapping[str, Any], influx: Mapping[str, int], speech: Speech) -> str:
    if speech.is_french:
        return speech.typeset(change["why"] or "")
    step = french.rounding_step(influx["p10"], influx["p90"])
    return reasons(change["contributions"], speech, step)


def since(compared: Mapping[str, Any] | None, made: datetime, speech: Speech) -> str:
    """Heading of what changed before the local instant ``made``: since yesterday, or since when."""
    texts = speech.texts
    if compared is None:
        return str(texts["change"].format(when=texts["since_yesterday"]))
    then = datetime.fromisoformat(compared["origin"]).astimezone(made.tzinfo).date()
    apart = (made.date() - then).days
    if apart == 1:
        when = texts["since_yesterday"]
    elif apart == 0:
        when = texts["since_before"]
    else:
        when = texts["since_day"].format(day=speech.dated(then, made.date()))
    return str(texts["change"].format(when=when))


def source_row(source: Mapping[str, Any], speech: Speech, made: datetime) -> SourceRow:
    """The state of one source as ``/v1/sources`` gives it, at the local instant ``made``."""
    newest, read_at = source["newest_date"], source["read_at"]
    return SourceRow(
        name=speech.source(source["source"]),
        newest=speech.dated(date.fromisoformat(newest), made.date()) if newest else "–",
        read=speech.moment(datetime.fromisoformat(read_at).astimezone(made.tzinfo))
        if read_at
        else "–",
        state=_state(source, speech),
        providers=tuple(
            f"{provider['name']}{speech.colon} {speech.texts['provider_failed']}"
            for provider in source.get("providers", ())
            if provider["last_error"]
        ),
    )


def _state(source: Mapping[str, Any], speech: Speech) -> str:
    runs = source["missed_runs"]
    if runs is None or source["newest_date"] is None:
        return str(speech.texts["never_read"])
    if speech.is_french:
        return french.missed(runs, fresh=source["fresh"])
    if source["fresh"]:
        return "up to date"
    return f"late by {runs} {'delivery' if runs == 1 else 'deliveries'}"


def late_sentence(sources: Sequence[Mapping[str, Any]], speech: Speech) -> str:
    """Which sources are late, and whether the ranges are wider for it; empty if none is."""
    late = [source["source"] for source in sources if not source["fresh"]]
    if not late:
        return ""
    named = ", ".join(speech.source(name) for name in late)
    said = speech.texts["late"].format(sources=named)
    return f"{said} {speech.texts['widened']}" if set(late) & set(DOMAINS) else str(said)


def absent_sentence(sources: Sequence[Mapping[str, Any]], speech: Speech) -> str:
    """Which sources that would serve have never been received; empty if none is missing."""
    there = {source["source"] for source in sources if source["newest_date"]}
    absent = [speech.source(name) for name in DOMAINS if name not in there]
    return speech.texts["missing"].format(sources=", ".join(absent)) if absent else ""


def attributions(
    about: Mapping[str, Any], sources: Sequence[Mapping[str, Any]], speech: Speech
) -> str:
    """Credits of the territory's own data and of every provider whose data is used."""
    own = [about["attribution"]] if about["attribution"] else []
    theirs = [
        provider["attribution"]
        for source in sources
        for provider in source.get("providers", ())
        if provider["attribution"] and provider["last_success_at"]
    ]
    return speech.typeset(" ; ".join(dict.fromkeys(own + theirs)))
