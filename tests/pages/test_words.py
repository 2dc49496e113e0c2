"""How the page says things: days, numbers, shares, sentences, in both languages."""

from __future__ import annotations

import re
import tomllib
from datetime import UTC, date, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo

import pytest

from forecast.ingest.contract import CONTRACT as COLUMNS
from forecast.serving import action_schemas
from forecast.serving.pages import sayings, site
from forecast.serving.pages.speech import speech

FRENCH, ENGLISH = speech("fr"), speech("en")
PAGES = files("forecast.serving.pages")
N = "\u202f"
MADE = datetime(2026, 5, 13, 8, tzinfo=ZoneInfo("Europe/Paris"))


def texts(language: str) -> dict:
    return tomllib.loads(PAGES.joinpath(f"texts.{language}.toml").read_text(encoding="utf-8"))


def flat(found: dict, before: str = "") -> dict[str, str]:
    answer = {}
    for name, text in found.items():
        more = flat(text, f"{name}.") if isinstance(text, dict) else {f"{before}{name}": text}
        answer |= more
    return answer


def test_both_languages_have_the_same_texts_with_the_same_blanks() -> None:
    french, english = flat(texts("fr")), flat(texts("en"))
    assert french.keys() == english.keys()
    for name, text in french.items():
        assert set(re.findall(r"\{(\w+)\}", text)) == set(re.findall(r"\{(\w+)\}", english[name]))


def test_every_text_is_used_and_none_is_hidden_by_a_dictionary() -> None:
    written = "".join(
        file.read_text(encoding="utf-8")
        for folder in (PAGES, PAGES.joinpath("templates"))
        for file in folder.iterdir()
        if file.name.endswith((".py", ".j2"))
    )
    for name in texts("fr"):
        assert re.search(rf"\bt\.{name}\b|[\"']{name}[\"']", written), name
    # Jinja finds the attributes of a dictionary before its keys.
    assert not [name for name in flat(texts("fr")) if hasattr(dict, name.split(".")[-1])]


@pytest.mark.parametrize(
    ("first", "last", "french", "english"),
    [
        ("2026-05-22", "2026-05-24", "du vendredi 22 au dimanche 24 mai",
         "from Friday 22 to Sunday 24 May"),
        ("2026-05-01", "2026-05-03", "du vendredi 1er au dimanche 3 mai",
         "from Friday 1 to Sunday 3 May"),
        ("2026-01-30", "2026-02-01", "du vendredi 30 janvier au dimanche 1er février",
         "from Friday 30 January to Sunday 1 February"),
        ("2026-05-24", "2026-05-24", "du dimanche 24 mai", "of Sunday 24 May"),
    ],
)  # fmt: skip
def test_spans_of_days(first, last, french, english) -> None:
    days = date.fromisoformat(first), date.fromisoformat(last)
    assert FRENCH.span(*days) == french
    assert ENGLISH.span(*days) == english


@pytest.mark.parametrize(
    ("day", "expected"),
    [
        ("2026-10-03", "un samedi d’octobre ordinaire"),
        ("2026-08-02", "un dimanche d’août ordinaire"),
        ("2026-04-03", "un vendredi d’avril ordinaire"),
        ("2026-07-04", "un samedi de juillet ordinaire"),
    ],
)
def test_an_ordinary_day_elides_before_a_vowel(day, expected) -> None:
    assert FRENCH.usual_day(date.fromisoformat(day)) == expected


def test_days_in_short_with_their_year_and_month() -> None:
    day = date(2026, 5, 1)
    assert (FRENCH.short(day), ENGLISH.short(day)) == ("ven.", "Fri")
    assert (FRENCH.tick(day), ENGLISH.tick(day)) == ("1er mai", "1 May")
    assert (FRENCH.month(day), ENGLISH.month(day)) == ("mai 2026", "May 2026")
    assert FRENCH.dated(day, date(2026, 12, 1)) == "vendredi 1er mai"
    assert FRENCH.dated(day, date(2027, 1, 1)) == "vendredi 1er mai 2026"
    local = datetime(2026, 5, 23, 8, 5, tzinfo=UTC)
    assert FRENCH.moment(local) == "samedi 23 mai à 8\u00a0h\u00a005"
    assert ENGLISH.moment(local) == "Saturday 23 May at 08:05"


def test_numbers_and_shares() -> None:
    assert FRENCH.number(60873, 1000) == f"61{N}000"
    assert ENGLISH.number(60873, 1000) == "61,000"
    assert FRENCH.signed(-1960, 100) == f"−2{N}000"
    assert (FRENCH.decimal(2.44), ENGLISH.decimal(2.44)) == ("2,4", "2.4")
    assert (FRENCH.percent(1.234), ENGLISH.percent(0.0)) == (f"123{N}%", "0%")
    assert (FRENCH.chance(0.64), ENGLISH.chance(0.64)) == (f"64{N}%", "64%")
    # A probability is never certain nor impossible.
    assert (FRENCH.chance(1.0), FRENCH.chance(0.001)) == (f"plus de 99{N}%", f"moins de 1{N}%")
    assert ENGLISH.chance(0.999) == "over 99%"


def test_french_is_set_and_english_left_alone() -> None:
    assert FRENCH.typeset("l'un ; « a » : 3 %") == f"l’un{N}; «{N}a{N}»{N}: 3{N}%"
    assert ENGLISH.typeset("it's ; 3 %") == "it's ; 3 %"


def total(method: str) -> dict:
    return {"influx": {"p10": 250000, "p50": 280873, "p90": 330000}, "interval_method": method}


def test_a_total_says_how_its_range_was_made() -> None:
    said = sayings.total_sentence(total("conformal"), FRENCH)
    assert said == (
        f"280{N}000 journées de visiteurs sur le week-end "
        f"(8 chances sur 10{N}: entre 250{N}000 et 330{N}000)"
    )
    assert sayings.total_sentence(total("comonotone"), FRENCH).endswith(
        f"330{N}000{N}; fourchettes additionnées, au plus large)"
    )


CHANGE = {
    "zone_id": "z",
    "zone_name": "Z",
    "target_date": "2026-05-16",
    "level_before": "vert",
    "level": "rouge",
    "influx": {"p10": 1000, "p50": 2000, "p90": 3000},
    "difference": 500,
    "contributions": {"weather": 400, "usual": 100, "sea": 10},
    "why": "météo annoncée plus favorable +400",
}


def test_changes_say_why_in_both_languages() -> None:
    changes = {"compared": {}, "changes": [CHANGE, CHANGE | {"target_date": "2026-05-20"}]}
    said = sayings.change_sentences(changes, FRENCH, days=[date(2026, 5, 16)])
    assert said == [
        f"Z, samedi 16 mai{N}: de vert à rouge (météo annoncée plus favorable +400)",
        f"Autres changements de niveau{N}: 1",
    ]
    english = sayings.change_sentences(changes, ENGLISH, zone_id="z")
    assert english[0] == (
        "Z, Saturday 16 May: from green to red (weather +400, ordinary day revised +100)"
    )
    assert sayings.change_sentences(changes, FRENCH, zone_id="other") == []
    assert sayings.change_sentences(changes, ENGLISH, most=0) == ["Other changes of level: 2"]
    assert sayings.change_sentences({"compared": None, "changes": []}, FRENCH) is None


def test_a_move_of_the_number() -> None:
    said = sayings.move_sentence(CHANGE, CHANGE["influx"], FRENCH)
    assert said == (
        f"Prévision précédente{N}: 1{N}500{N}; +500 depuis (météo annoncée plus favorable +400)"
    )
    small = CHANGE | {"contributions": {"weather": 40}}
    assert sayings.move_sentence(small, CHANGE["influx"], FRENCH).endswith("+500 depuis")
    # 2,060 and 2,040 round apart, though what lies between them rounds to nothing.
    for median, difference in ((2_000, 20), (2_060, 20), (1_940, -20)):
        small, influx = CHANGE | {"difference": difference}, CHANGE["influx"] | {"p50": median}
        said = sayings.move_sentence(small, influx, ENGLISH)
        assert said == "Forecast before: almost the same"


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        ("2026-05-12T06:00:00Z", "Ce qui a changé depuis hier"),
        ("2026-05-12T22:30:00Z", "Ce qui a changé depuis la prévision précédente"),
        ("2026-05-09T06:00:00Z", "Ce qui a changé depuis le samedi 9 mai"),
    ],
)
def test_since_when(origin, expected) -> None:
    assert sayings.since({"origin": origin}, MADE, FRENCH) == expected


def source(name: str, newest: str | None, runs: int | None, fresh: bool) -> dict:
    return {
        "source": name,
        "newest_date": newest,
        "read_at": "2026-05-13T05:00:00Z" if newest else None,
        "missed_runs": runs,
        "fresh": fresh,
        "providers": [{"name": "open_meteo", "last_error": "no answer"}],
    }


def test_sources_late_and_absent() -> None:
    rows = [
        source("influx", "2026-05-10", 0, True),
        source("events", "2025-11-02", 3, False),
        source("waste", None, None, False),
    ]
    first, late, never = (sayings.source_row(row, FRENCH, MADE) for row in rows)
    assert (first.state, first.newest) == ("à jour", "dimanche 10 mai")
    assert first.read == "mercredi 13 mai à 7\u00a0h\u00a000"
    assert first.providers == (f"open_meteo{N}: dernier essai sans succès",)
    assert (late.state, late.newest) == ("en retard de 3 envois", "dimanche 2 novembre 2025")
    assert never.state == "aucune donnée reçue"
    assert sayings.source_row(rows[1], ENGLISH, MADE).state == "late by 3 deliveries"
    # Events are no reason to widen a range, deliveries of waste are.
    assert sayings.late_sentence(rows[:2], FRENCH) == f"En retard{N}: événements."
    assert sayings.late_sentence(rows, FRENCH).endswith("Les fourchettes sont élargies.")
    assert sayings.late_sentence(rows[:1], FRENCH) == ""
    assert sayings.absent_sentence(rows, ENGLISH) == (
        "Nothing has been received from: mobility, parking, waste, weather forecast."
    )


def test_the_forms_offer_what_the_api_takes() -> None:
    assert site.CONTRACT == action_schemas.SOURCES
    schema = COLUMNS["weather_forecast"].schema
    for name, low, high in site.SCENARIO:
        assert (schema.column(name).low, schema.column(name).high) == (low, high), name
