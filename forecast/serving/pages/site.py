"""Every page of a publication, by path and language."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from forecast.freshness import DOMAINS
from forecast.serving.pages import record
from forecast.serving.pages.answers import Answers
from forecast.serving.pages.charts import HEIGHT, WIDTH, fan
from forecast.serving.pages.rendering import render
from forecast.serving.pages.sayings import (
    attributions,
    change_sentence,
    source_row,
    total_sentence,
)
from forecast.serving.pages.speech import LANGUAGES, Speech, speech
from forecast.serving.pages.views import Card, cards, figure
from forecast.serving.pages.zone_map import ZoneMap, zone_map

_PAST_DAYS, _SAID = 42, 3
"""Days of the past on a zone's chart, and how long before they had been forecast [d]."""
_MENU = {
    "": "weekend",
    "bilan": "record",
    "sources": "sources",
    "essayer": "scenario",
    "envoyer": "send",
    "bulletin": "bulletin",
}
"""Path of each view in the menu, and the text that names it."""


CONTRACT = ("influx", "mobility", "parking", "waste", "weather", "events")
"""Sources of which staff may send a file."""

_SCENARIO = (
    ("temperature_max", -60, 60),
    ("precipitation", 0, 2000),
    ("sunshine", 0, 24),
    ("wind_gust", 0, 400),
)
"""What a scenario may change of the weather, with the bounds of the input contract."""


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
        self.zone = ZoneInfo(self.about["territory"]["timezone"])
        self.weekend = [date.fromisoformat(day) for day in answers.weekend["weekend"]["days"]]
        self.cards = cards(answers.zones, answers.weekend["forecasts"], words)
        span = words.span(self.weekend[0], self.weekend[-1])
        self.heading = f"{words.texts['weekend']} {span}"

    def all(self) -> Iterator[tuple[str, str]]:
        """Path and HTML of each page."""
        yield "", self._weekend()
        records = groupby(self.answers.forecasts["forecasts"], key=lambda r: r["zone_id"])
        own = {card.zone_id: card for card in self.cards}
        for zone_id, days in records:
            yield f"zones/{zone_id}", self._zone(zone_id, own.get(zone_id), list(days))
        yield "bilan", self._record()
        for weekend in self.answers.scoreboard["weekends"]:
            yield f"bilan/{weekend['start']}", self._past(weekend)
        yield "sources", self._sources()
        yield "essayer", self._scenario()
        contract = [(name, self.speech.source(name)) for name in CONTRACT]
        yield "envoyer", self._page("send.html.j2", "envoyer", contract=contract)
        yield "bulletin", self._bulletin()
        for name in ("accessibilite", "mentions"):
            yield name, self._page(f"{name}.{self.speech.language}.html.j2", name)

    def _weekend(self) -> str:
        texts, words = self.speech.texts, self.speech
        named: list[tuple[date | None, str]] = [(None, texts["all_weekend"])]
        named += [(day, words.weekday(day)) for day in self.weekend]
        return self._page(
            "weekend.html.j2",
            "",
            heading=self.heading,
            drawing=self.drawing,
            cards=self.cards,
            map_days=named if len(self.weekend) > 1 else named[1:],
            figures_on={
                day: {card.zone_id: card.on(day) for card in self.cards} for day, _ in named
            },
            rows_on={
                day: [(c.name, f) for c in self.cards if (f := c.on(day))] for day in self.weekend
            },
            total=self._total(),
            changes=self._changes(None),
        )

    def _zone(self, zone_id: str, card: Card | None, days: Sequence[Mapping[str, Any]]) -> str:
        figures = tuple(figure(record, self.speech) for record in days)
        fortnight = Card(zone_id, 0, days[0]["zone_name"], figures)
        past = [
            {
                "target_date": day["target_date"],
                "observed": day["observed"],
                "said": next(
                    (s["influx"]["p50"] for s in day["said"] if s["days_before"] == _SAID), None
                ),
            }
            for day in self.answers.history[zone_id][-_PAST_DAYS:]
        ]
        return self._page(
            "zone.html.j2",
            f"zones/{zone_id}",
            card=card or fortnight,
            peak=(card or fortnight).peak,
            fortnight=fortnight,
            fortnight_rows=[(f.day_name, f) for f in figures],
            changes=self._changes(zone_id),
            fan=fan(days, past),
            size=(WIDTH, HEIGHT),
        )

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
            weekends=[
                (weekend["start"], f"{words.span(*_ends(weekend))} {_ends(weekend)[1].year}")
                for weekend in found["weekends"]
            ],
        )

    def _past(self, weekend: Mapping[str, Any]) -> str:
        first, last = _ends(weekend)
        days = list(record.past_days(weekend, self.speech))
        name = self.speech.texts["weekend"]
        return self._page(
            "past.html.j2",
            f"bilan/{weekend['start']}",
            heading=f"{name} {self.speech.span(first, last)} {last.year}",
            rows=days,
            tally=record.tally(days, self.speech),
        )

    def _sources(self) -> str:
        rows = [source_row(source, self.speech, self.zone) for source in self.answers.sources]
        there = {source["source"] for source in self.answers.sources}
        absent = [self.speech.source(name) for name in DOMAINS if name not in there]
        return self._page("sources.html.j2", "sources", rows=rows, absent=absent)

    def _scenario(self) -> str:
        days = sorted({r["target_date"] for r in self.answers.forecasts["forecasts"]})
        return self._page(
            "scenario.html.j2",
            "essayer",
            cards=self.cards,
            days=[(day, self.speech.day(date.fromisoformat(day))) for day in days],
            peak_day=self.weekend[-2 if len(self.weekend) > 1 else -1].isoformat(),
            bounds=_SCENARIO,
        )

    def _bulletin(self) -> str:
        return self._page(
            "bulletin.html.j2",
            "bulletin",
            heading=self.heading,
            total=self._total(),
            cards=self.cards,
            days=self.weekend,
            changes=self._changes(None),
        )

    def _total(self) -> str:
        """The territory's total of the weekend in a sentence; empty if a zone has no forecast."""
        whole = [total for total in self.answers.weekend["totals"] if total["zone_id"] is None]
        return total_sentence(whole[0], self.speech) if whole else ""

    def _changes(self, zone_id: str | None) -> list[str] | None:
        if self.answers.changes["compared"] is None:
            return None
        return [
            change_sentence(change, self.speech)
            for change in self.answers.changes["changes"]
            if zone_id in (None, change["zone_id"])
        ]

    def _page(self, template: str, here: str, **more: Any) -> str:
        texts, words = self.speech.texts, self.speech
        mine = "" if words.is_french else f"{words.language}/"
        theirs = f"{texts['language_code']}/" if words.is_french else ""
        up = "../" * f"{mine}{here}".count("/")
        published = datetime.fromisoformat(self.about["published_at"]).astimezone(self.zone)
        return render(
            template,
            speech=words,
            t=texts,
            colon=words.colon,
            about=self.about,
            here=here,
            made=words.moment(published),
            menu=[(path, texts[title]) for path, title in _MENU.items()],
            link=lambda path: f"{up}{path}" or "./",
            page=lambda path: f"{up}{mine}{path}" or "./",
            other_language=f"{up}{theirs}{here}" or "./",
            late=any(not source["fresh"] for source in self.about["sources"]),
            attributions=attributions(self.about, self.answers.sources),
            **more,
        )


def _ends(weekend: Mapping[str, Any]) -> tuple[date, date]:
    return date.fromisoformat(weekend["start"]), date.fromisoformat(weekend["end"])
