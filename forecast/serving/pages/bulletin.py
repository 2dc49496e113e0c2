"""The bulletin to be printed or sent: the weekend's figures, as the page and the API have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from zoneinfo import ZoneInfo

from forecast.serving.pages.answers import Answers
from forecast.serving.pages.pdf import bulletin_pdf
from forecast.serving.pages.rendering import render
from forecast.serving.pages.sayings import (
    attributions,
    change_sentences,
    late_sentence,
    since,
    total_sentence,
)
from forecast.serving.pages.speech import Speech, speech
from forecast.serving.pages.views import LEVEL_COLOURS, Card, cards
from forecast.serving.pages.zone_map import ZoneMap, zone_map

_MOST_CHANGES = 6
"""Changes of level that one page has room for; the others are counted."""


@dataclass(frozen=True)
class Bulletin:
    """What the bulletin says.

    ``lines`` stand above the table (the total), ``notes`` below (changes, sources, credits);
    ``label`` says that the data is simulated, where it is.
    """

    speech: Speech
    title: str
    made_at: datetime
    cards: tuple[Card, ...]
    days: tuple[date, ...]
    lines: tuple[str, ...]
    notes: tuple[str, ...]
    label: str
    drawing: ZoneMap

    @classmethod
    def of(cls, answers: Answers, language: str) -> Self:
        """The bulletin of a publication, in a language of the page."""
        words = speech(language)
        texts, about = words.texts, answers.forecasts["metadata"]
        zone = ZoneInfo(about["territory"]["timezone"])
        made_at = datetime.fromisoformat(about["origin"]).astimezone(zone)
        days = tuple(date.fromisoformat(day) for day in answers.weekend["weekend"]["days"])
        whole = [total for total in answers.weekend["totals"] if total["zone_id"] is None]
        changes = change_sentences(answers.changes, words, days=days, most=_MOST_CHANGES)
        heading = since(answers.changes["compared"], made_at, words)
        credited = attributions(about, answers.sources, words)
        notes = [
            words.typeset(f"{heading}{words.colon} {' ; '.join(changes)}.") if changes else "",
            late_sentence(about["sources"], words) or texts["fresh"],
            f"{texts['made'].format(moment=words.moment(made_at))}.",
            f"{texts['licence'].format(licence=about['licence'])}." if about["licence"] else "",
            f"{texts['attribution'].format(attribution=credited)}." if credited else "",
        ]
        span = words.span(days[0], days[-1])
        return cls(
            speech=words,
            title=f"{texts['bulletin_title']}{words.colon} {about['territory']['name']}, {span}",
            made_at=made_at,
            cards=tuple(cards(answers.zones, answers.weekend["forecasts"], words)),
            days=days,
            lines=tuple(f"{texts['total']}{words.colon} {total_sentence(t, words)}" for t in whole),
            notes=tuple(note for note in notes if note),
            label=texts["simulated"] if about["simulated"] else "",
            drawing=zone_map(answers.geometry, answers.zones),
        )

    def pdf(self) -> bytes:
        """One A4 page, landscape."""
        return bulletin_pdf(self)

    def email(self) -> bytes:
        """HTML for a message: tables and inline styles, as mail programs need them."""
        html = render(
            "email.html.j2",
            bulletin=self,
            speech=self.speech,
            t=self.speech.texts,
            colours=LEVEL_COLOURS,
        )
        return html.encode()
