"""Why, in one French sentence: the largest causes of a forecast, each with its visitors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from forecast import french
from forecast.circumstances import Circumstances

LABELS = {
    "weather": "météo",
    "holidays": "fêtes, ponts, vacances",
    "season": "saison, jour de la semaine",
    "history": "niveau récent",
    "mobility": "mobilité",
    "parking": "stationnement",
    "waste": "déchets",
    "events": "événements",
    "sea": "marées",
}
"""Each domain as the head of a line."""

FULL = ("orange", "rouge", "noir")
ORDINARY = "une journée ordinaire pour la saison"
AS_LATELY = "une journée comme celles des dernières semaines"
AT_A_STANDSTILL = (
    "aucun visiteur compté depuis une semaine au moins (fermeture, ou compteur à l'arrêt)"
)

_MINUS = "\u2212"
_NO_BREAK = "\u00a0"
_MOST_CAUSES = 3
_NOTABLE = 0.1

_WORDS = {
    "season": ("saison plus animée que d'habitude", "saison plus calme que d'habitude"),
    "history": (
        "plus de monde que d'habitude ces dernières semaines",
        "moins de monde que d'habitude ces dernières semaines",
    ),
    "mobility": ("plus de trafic que d'habitude", "moins de trafic que d'habitude"),
    "parking": ("parkings plus remplis que d'habitude", "parkings moins remplis que d'habitude"),
    "waste": (
        "plus de déchets collectés que d'habitude",
        "moins de déchets collectés que d'habitude",
    ),
    "sea": ("marées favorables", "marées peu favorables"),
}


Doubles = npt.NDArray[np.float64]


def sentences(
    contributions: Mapping[str, Doubles],
    days: Sequence[Circumstances],
    quantiles: Doubles,
    median: Doubles,
    usual: Doubles,
    levels: Sequence[str | None],
    still: npt.NDArray[np.bool_],
) -> list[str | None]:
    """The sentence of each question; None where there is no forecast.

    ``contributions``, ``median`` and ``usual`` (NaN where not known) have shape (questions,),
    ``quantiles`` has shape (questions, quantiles): the outer ones say how much to round.
    ``levels`` are the words of the scale: a zone that is full is so for a reason. ``still``,
    shape (questions,), marks those asked while their zone stands still, which is cause enough.
    """
    answer: list[str | None] = []
    for i, day in enumerate(days):
        if not np.isfinite(quantiles[i]).all():
            answer.append(None)
            continue
        if still[i]:
            answer.append(AT_A_STANDSTILL)
            continue
        told = {domain: float(persons[i]) for domain, persons in contributions.items()}
        answer.append(
            sentence(
                told,
                day,
                reference=float(median[i]) - sum(told.values()),
                step=french.rounding_step(quantiles[i, 0], quantiles[i, -1]),
                has_usual=bool(np.isfinite(usual[i])),
                full=levels[i] in FULL,
            )
        )
    return answer


def sentence(
    contributions: Mapping[str, float],
    day: Circumstances,
    *,
    reference: float,
    step: int,
    has_usual: bool = True,
    full: bool = False,
) -> str:
    """The causes that stand out, at most three, the largest first.

    ``contributions`` are persons by domain, ``reference`` is what they are counted from
    [visitors day⁻¹], and ``has_usual`` says whether that is the usual influx of such a day, rather
    than the recent level. A day stands out if it is ``full``, or a cause, or all together, is a
    tenth of the reference; then causes are named that are a tenth of it or of the largest cause.
    Figures are rounded to ``step``.

    >>> told = {"weather": 9_140.0, "holidays": 14_020.0, "mobility": -2_210.0, "sea": 90.0}
    >>> day = Circumstances("pont de l'Ascension", "dry")
    >>> text = sentence(told, day, reference=25_000, step=1000)
    >>> print(text.replace(french.NARROW, " ").replace(_NO_BREAK, " "))
    pont de l'Ascension +14 000, beau temps annoncé +9 000, moins de trafic que d'habitude −2 000
    """
    ranked = sorted(contributions.items(), key=lambda item: -abs(item[1]))
    largest = abs(ranked[0][1]) if ranked else 0.0
    notable = _NOTABLE * reference
    if full or max(largest, abs(sum(contributions.values()))) >= notable:
        causes = [
            f"{words(domain, persons > 0, day)}{_NO_BREAK}{signed(persons, step)}"
            for domain, persons in ranked[:_MOST_CAUSES]
            if abs(persons) >= min(notable, _NOTABLE * largest) and round(persons / step)
        ]
        if causes:
            return ", ".join(causes)
    return ORDINARY if has_usual else AS_LATELY


def signed(persons: float, step: int = 1) -> str:
    """A rounded number of visitors with its sign.

    >>> signed(-2_210, 1000).replace(french.NARROW, "_"), signed(0.2)
    ('−2_000', '0')
    """
    size = french.rounded(abs(persons), step)
    return size if size == "0" else f"{'+' if persons > 0 else _MINUS}{size}"


def words(domain: str, more: bool, day: Circumstances) -> str:
    """A cause of more visitors, or of fewer, than there usually are."""
    if domain == "weather":
        return _weather(more, day)
    if domain == "holidays":
        return day.holidays or ("calendrier favorable" if more else "ni vacances ni jour férié")
    if domain == "events":
        if not more:
            return "moins d'événements que d'habitude"
        return f"événement annoncé ({day.event})" if day.event else "événements alentour"
    favourable, unfavourable = _WORDS.get(domain, (f"autres données ({domain})",) * 2)
    return favourable if more else unfavourable


def _weather(more: bool, day: Circumstances) -> str:
    if day.sky == "unknown":
        return "météo pas encore annoncée"
    if day.sky == "wet":
        return "temps plutôt favorable annoncé" if more else "pluie annoncée"
    return "beau temps annoncé" if more else "temps peu favorable annoncé"
