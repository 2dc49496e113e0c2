"""Every page of a publication, by path and language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from forecast.serving.pages import record
from forecast.serving.pages.answers import Answers
from forecast.serving.pages.rendering import render
from forecast.serving.pages.sayings import (
    absent_sentence,
    attributions,
    change_sentences,
    late_sentence,
    since,
    source_row,
    total_sentence,
)
from forecast.serving.pages.speech import LANGUAGES, Speech, speech
from forecast.serving.pages.views import cards
from forecast.serving.pages.zone_map import ZoneMap, zone_map
from forecast.serving.pages.zone_view import zone_path, zone_view

CONTRACT = ("influx", "mobility", "parking", "waste", "weather", "weather_forecast", "events")
"""Sources of which staff may send a file."""

SCENARIO = (
    ("temperature_max", -60, 60),
    ("precipitation", 0, 2000),
    ("sunshine", 0, 24),
    ("wind_gust", 0, 400),
)
"""What a scenario may change of the weather, with the bounds of the input contract."""

_PRINTED_CHANGES = 9
"""Changes of level that the bulletin lists; the others are counted."""

_MENU = {
    "": "weekend",
    "bilan": "record",
    "sources": "sources",
    "essayer": "scenario",
    "envoyer": "send",
    "bulletin": "bulletin",
}
"""Path of each view in the menu, and the text that names it."""


def site(answers: Answers) -> dict[str, bytes]:
    """HTML of every view, by its path below the root: ``""``, ``zones/…``, ``en/``, …"""
    drawing = zone_map(answers.geometry, answers.zones)
    return {
        f"{'' if language == 'fr' else f'{language}/'}{path}": html.encode()
        for language in LANGUAGES
        for path, html in _Pages(answers, drawing, speech(language)).all()
    }


class _Pages:
    """The pages of one language."""

    def __init__(self, answers: Answers, drawing: ZoneMap, words: Speech) -> None:
        self.answers, self.drawing, self.speech = answers, drawing, words
        self.about = answers.forecasts["metadata"]
        zone = ZoneInfo(self.about["territory"]["timezone"])
        self.made = datetime.fromisoformat(self.about["origin"]).astimezone(zone)
        self.weekend = [date.fromisoformat(day) for day in answers.weekend["weekend"]["days"]]
        self.cards = cards(answers.zones, answers.weekend["forecasts"], words)
        self.heading = f"{words.texts['weekend']} {words.span(self.weekend[0], self.weekend[-1])}"

    def all(self) -> Iterator[tuple[str, str]]:
        """Path and HTML of each page."""
        contract = [(name, self.speech.source(name)) for name in CONTRACT]
        yield "", self._weekend()
        for zone in self.answers.zones:
            yield self._zone(zone)
        yield "bilan", self._record()
        for weekend in self.answers.scoreboard["weekends"]:
            yield f"bilan/{weekend['start']}", self._past(weekend)
        yield "sources", self._page("sources.html.j2", "sources")
        yield "essayer", self._scenario()
        yield "envoyer", self._page("send.html.j2", "envoyer", contract=contract)
        yield "bulletin", self._bulletin()
        for name in ("accessibilite", "mentions"):
            yield name, self._page(f"{name}.{self.speech.language}.html.j2", name)

    def _weekend(self) -> str:
        texts, words = self.speech.texts, self.speech
        named: list[tuple[date | None, str]] = [(None, texts["busiest"])]
        named += [(day, words.weekday(day)) for day in self.weekend]
        return self._page(
            "weekend.html.j2",
            "",
            drawing=self.drawing,
            map_days=named if len(self.weekend) > 1 else named[1:],
            figures_on={
                day: {
                    zone["zone_id"]: next(
                        (card.on(day) for card in self.cards if card.zone_id == zone["zone_id"]),
                        None,
                    )
                    for zone in self.answers.zones
                }
                for day, _ in named
            },
            rows_on={
                day: [(c.name, f) for c in self.cards if (f := c.on(day))] for day in self.weekend
            },
            **self._weekend_figures(),
        )

    def _weekend_figures(self) -> dict[str, Any]:
        """What the weekend's page and its bulletin both show."""
        whole = [total for total in self.answers.weekend["totals"] if total["zone_id"] is None]
        spoken = {card.zone_id for card in self.cards}
        return {
            "heading": self.heading,
            # Where a zone has no forecast there is no honest total.
            "total": total_sentence(whole[0], self.speech)
            if whole and len(spoken) == len(self.answers.zones)
            else "",
            "cards": self.cards,
            "silent": [
                (zone["zone_id"], number, zone["zone_name"])
                for number, zone in enumerate(self.answers.zones, start=1)
                if zone["zone_id"] not in spoken
            ],
            "changes": change_sentences(self.answers.changes, self.speech, days=self.weekend),
        }

    def _zone(self, zone: Mapping[str, Any]) -> tuple[str, str]:
        path = zone_path(zone["zone_id"])
        shown = zone_view(self.answers, zone, self.weekend, self.speech)
        return f"zones/{zone['zone_id']}", self._page("zone.html.j2", path, **shown)

    def _record(self) -> str:
        found, words = self.answers.scoreboard, self.speech
        rows = record.score_rows(found["scores"], words)
        period = [date.fromisoformat(found["period"][end]) for end in ("start", "end")]
        return self._page(
            "record.html.j2",
            "bilan",
            period=[f"{words.day(day)} {day.year}" for day in period],
            days_before=found["days_before"],
            basis=record.basis(found["record"], words),
            rows=rows,
            headline=record.headline(found["scores"][0], words) if rows else [],
            months=record.months(found["weekends"], words),
        )

    def _past(self, weekend: Mapping[str, Any]) -> str:
        first, last = record.ends(weekend)
        days = list(record.past_days(weekend, self.speech))
        name = self.speech.texts["weekend"]
        return self._page(
            "past.html.j2",
            f"bilan/{weekend['start']}",
            heading=f"{name} {self.speech.span(first, last)} {last.year}",
            rows=days,
            tally=record.tally(days, self.speech),
        )

    def _scenario(self) -> str:
        records = self.answers.forecasts["forecasts"]
        spoken = {record["zone_id"] for record in records}
        days = sorted({record["target_date"] for record in records})
        return self._page(
            "scenario.html.j2",
            "essayer",
            zones=[
                (zone["zone_id"], zone["zone_name"])
                for zone in self.answers.zones
                if zone["zone_id"] in spoken
            ],
            days=[(day, self.speech.day(date.fromisoformat(day))) for day in days],
            peak_day=self.weekend[-2 if len(self.weekend) > 1 else -1].isoformat(),
            bounds=SCENARIO,
        )

    def _bulletin(self) -> str:
        shown = self._weekend_figures()
        # It is to be printed on one page.
        shown["changes"] = change_sentences(
            self.answers.changes, self.speech, days=self.weekend, most=_PRINTED_CHANGES
        )
        span = self.speech.span(self.weekend[0], self.weekend[-1])
        return self._page("bulletin.html.j2", "bulletin", days=self.weekend, span=span, **shown)

    def _page(self, template: str, here: str, **more: Any) -> str:
        texts, words = self.speech.texts, self.speech
        mine = "" if words.is_french else f"{words.language}/"
        theirs = f"{texts['language_code']}/" if words.is_french else ""
        up = "../" * f"{mine}{here}".count("/")
        compared = self.answers.changes["compared"]
        return render(
            template,
            speech=words,
            t=texts,
            colon=words.colon,
            about=self.about,
            here=here,
            made=words.moment(self.made),
            menu=[(path, texts[title]) for path, title in _MENU.items()],
            link=lambda path: f"{up}{path}" or "./",
            page=lambda path: f"{up}{mine}{path}" or "./",
            zone_path=zone_path,
            other_language=f"{up}{theirs}{here}" or "./",
            late=late_sentence(self.about["sources"], words),
            absent=absent_sentence(self.about["sources"], words),
            sources=[source_row(source, words, self.made) for source in self.answers.sources],
            since=since(compared, self.made, words),
            attributions=attributions(self.about, self.answers.sources, words),
            **more,
        )
