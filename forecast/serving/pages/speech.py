"""How a language says days, numbers and levels: :class:`Speech`, one for each language."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

from forecast import french

LANGUAGES = ("fr", "en")
_BEFORE, _AFTER = re.compile(r"[ \u00a0](?=[;:!?%»])"), re.compile(r"(?<=«)[ \u00a0]")
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT_MONTHS = (
    "janv.", "févr.", "mars", "avril", "mai", "juin",
    "juil.", "août", "sept.", "oct.", "nov.", "déc.",
)  # fmt: skip
_MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


@dataclass(frozen=True)
class Speech:
    """One language: its ``texts`` by name, and how it writes days and numbers."""

    language: str
    texts: dict[str, Any]

    @property
    def is_french(self) -> bool:
        """Whether this is French."""
        return self.language == "fr"

    @property
    def colon(self) -> str:
        """A colon with the space that stands before it."""
        return f"{french.NARROW}:" if self.is_french else ":"

    def typeset(self, text: str) -> str:
        """A text with the spaces and the apostrophe its language wants before it is shown.

        French has a narrow no-break space before ``; : ! ? %`` and inside quotation marks.
        """
        if not self.is_french:
            return text
        text = _BEFORE.sub(french.NARROW, text).replace("'", "’")
        return _AFTER.sub(french.NARROW, text)

    def day(self, day: date) -> str:
        """A civil day in words: ``samedi 23 mai``, ``Saturday 23 May``."""
        if self.is_french:
            return french.day_name(day)
        return f"{_DAYS[day.weekday()]} {day.day} {_MONTHS[day.month - 1]}"

    def dated(self, day: date, today: date) -> str:
        """A civil day in words, with its year where that is not this year."""
        return self.day(day) if day.year == today.year else f"{self.day(day)} {day.year}"

    def weekday(self, day: date) -> str:
        """The weekday alone."""
        return self.day(day).split(" ")[0]

    def short(self, day: date) -> str:
        """The weekday in short: ``sam.``, ``Sat``."""
        return f"{self.weekday(day)[:3]}{'.' if self.is_french else ''}"

    def tick(self, day: date) -> str:
        """A day on an axis: ``23 nov.``, ``23 Nov``."""
        month = _SHORT_MONTHS[day.month - 1] if self.is_french else _MONTHS[day.month - 1][:3]
        return f"{'1er' if self.is_french and day.day == 1 else day.day} {month}"

    def span(self, first: date, last: date) -> str:
        """Days from one to another: ``du vendredi 1er au dimanche 3 mai``."""
        if first == last:
            return f"du {self.day(first)}" if self.is_french else f"of {self.day(first)}"
        start = self.day(first)
        if first.month == last.month:
            start = start.rpartition(" ")[0]
        return (
            f"du {start} au {self.day(last)}"
            if self.is_french
            else f"from {start} to {self.day(last)}"
        )

    def usual_day(self, day: date) -> str:
        """An ordinary day of that weekday and month: ``un samedi de mai ordinaire``."""
        if not self.is_french:
            return f"an ordinary {_DAYS[day.weekday()]} in {_MONTHS[day.month - 1]}"
        month = french.day_name(day).split(" ")[-1]
        # Before a vowel: « un samedi d'octobre ».
        of = "d’" if month[0] in "aoé" else "de "
        return f"un {self.weekday(day)} {of}{month} ordinaire"

    def month(self, day: date) -> str:
        """A month with its year: ``mai 2026``, ``May 2026``."""
        name = french.day_name(day).split(" ")[-1] if self.is_french else _MONTHS[day.month - 1]
        return f"{name} {day.year}"

    def moment(self, local: datetime) -> str:
        """A day and an hour: ``samedi 23 mai à 8 h 05``, ``Saturday 23 May at 08:05``."""
        if self.is_french:
            return f"{self.day(local.date())} à {french.clock(local)}"
        return f"{self.day(local.date())} at {local:%H:%M}"

    def number(self, value: float, step: int = 1) -> str:
        """A whole number, rounded to ``step``, with thousands set apart."""
        text = french.rounded(value, step)
        return text if self.is_french else text.replace(french.NARROW, ",")

    def signed(self, value: float, step: int = 1) -> str:
        """A number with its sign: ``+9 000``, ``−2 000``."""
        return f"{'−' if value < 0 else '+'}{self.number(abs(value), step)}"

    def percent(self, share: float) -> str:
        """A measured share in whole percent: ``64 %``, ``64%``."""
        return f"{round(100 * share)}{french.NARROW if self.is_french else ''}%"

    def chance(self, probability: float) -> str:
        """A probability in whole percent; never certain nor impossible."""
        if 0.005 <= probability < 0.995:
            return self.percent(probability)
        beyond = ("plus de", "moins de") if self.is_french else ("over", "under")
        bound = 0.99 if probability > 0.5 else 0.01
        return f"{beyond[probability < 0.5]} {self.percent(bound)}"

    def decimal(self, value: float) -> str:
        """A number with one decimal: ``2,4``, ``2.4``."""
        return f"{value:.1f}".replace(".", "," if self.is_french else ".")

    def source(self, name: str) -> str:
        """Name of an observation source."""
        return french.SOURCES[name] if self.is_french else name.replace("_", " ")


@cache
def speech(language: str) -> Speech:
    """The speech of a language of :data:`LANGUAGES`."""
    text = files(__package__).joinpath(f"texts.{language}.toml").read_text(encoding="utf-8")
    bare = Speech(language, {})
    return Speech(language, _typeset(tomllib.loads(text), bare))


def _typeset(texts: dict[str, Any], speech: Speech) -> dict[str, Any]:
    return {
        name: _typeset(text, speech) if isinstance(text, dict) else speech.typeset(text)
        for name, text in texts.items()
    }
