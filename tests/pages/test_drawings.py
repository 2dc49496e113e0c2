"""Figures, map, chart and record: what they make of the API's records."""

from __future__ import annotations

import re
from datetime import date, timedelta

import pytest

from forecast.serving.pages import record
from forecast.serving.pages.charts import HEIGHT, WIDTH, fan
from forecast.serving.pages.speech import speech
from forecast.serving.pages.views import cards, figure, reached
from forecast.serving.pages.zone_map import WIDTH as MAP_WIDTH
from forecast.serving.pages.zone_map import zone_map

FRENCH, ENGLISH = speech("fr"), speech("en")
N = "\u202f"
CHANCES = {"vert": 0.05, "orange": 0.31, "rouge": 0.54, "noir": 0.1}


def forecast(day: str = "2026-05-23", zone_id: str = "z", **more) -> dict:
    return {
        "zone_id": zone_id,
        "target_date": day,
        "influx": {"p10": 48210, "p25": 55000, "p50": 60873, "p75": 68000, "p90": 74940},
        "usual": 25400,
        "level": "rouge",
        "level_probabilities": CHANCES,
        "contributions": {"weather": 9100, "holidays": 28000, "sea": -200, "mobility": -2100},
        "why": "beau temps annoncé +9\u202f000, moins de trafic que d'habitude −2\u202f000",
    } | more


def test_a_figure_is_rounded_to_what_its_band_supports() -> None:
    shown = figure(forecast(), FRENCH)
    assert (shown.expected, shown.low, shown.high) == (f"61{N}000", f"48{N}000", f"75{N}000")
    assert shown.against_usual == "2,4 fois un samedi de mai ordinaire"
    assert (shown.level, shown.level_word, shown.share) == ("rouge", "rouge", f"64{N}%")
    assert "d’habitude" in shown.why
    assert shown.reason == f"{shown.against_usual}{N}: {shown.why}"
    # What is less than half the rounding is not worth a line.
    assert [(name, persons) for name, persons, _ in shown.parts] == [
        ("fêtes et vacances", f"+28{N}000"),
        ("météo", f"+9{N}000"),
        ("circulation", f"−2{N}000"),
    ]
    assert [length for *_, length in shown.parts] == pytest.approx([1, 9100 / 28000, -0.075])


def test_a_figure_in_english_has_its_reasons_too() -> None:
    shown = figure(forecast(), ENGLISH)
    assert (shown.expected, shown.level, shown.level_word) == ("61,000", "rouge", "red")
    assert shown.why == "feasts and holidays +28,000, weather +9,000, traffic −2,000"
    assert shown.against_usual == "2.4 times an ordinary Saturday in May"


def test_a_figure_without_reference_says_less() -> None:
    bare = forecast(level=None, usual=None, contributions=None, why=None, level_probabilities=None)
    shown = figure(bare, FRENCH)
    assert (shown.level, shown.share, shown.usual, shown.reason) == ("", "", "–", "")
    assert shown.parts == ()
    assert shown.rank < figure(forecast(level="vert"), FRENCH).rank


def test_what_is_ordinary_has_no_ratio() -> None:
    assert figure(forecast(usual=60000), FRENCH).against_usual == "comme un samedi de mai ordinaire"


def test_the_probability_is_that_of_the_level_or_worse() -> None:
    assert reached(forecast()) == pytest.approx(0.64)
    assert reached(forecast(level="vert")) == 0.05
    assert reached(forecast(level="noir")) == pytest.approx(0.1)


def test_cards_keep_the_number_of_their_zone_and_know_their_worst_day() -> None:
    zones = [{"zone_id": z, "zone_name": z.upper()} for z in ("a", "silent", "z")]
    mild = {"level": "orange", "influx": forecast()["influx"] | {"p50": 70000}}
    records = [forecast("2026-05-23", "z"), forecast("2026-05-24", "z", **mild)]
    records += [forecast("2026-05-23", "a")]
    found = cards(zones, records, FRENCH)
    assert [(card.number, card.name) for card in found] == [(1, "A"), (3, "Z")]
    assert found[1].peak.day == date(2026, 5, 23)  # red before a larger orange
    assert found[1].on(date(2026, 5, 24)).level == "orange"
    assert found[1].on(None) is found[1].peak
    assert found[1].on(date(2026, 5, 30)) is None


SQUARE = [[[0.0, 49.0], [0.2, 49.0], [0.2, 49.2], [0.0, 49.2], [0.0, 49.0]]]


def test_the_map_draws_every_zone_within_its_frame() -> None:
    zones = [
        {"zone_id": "a", "longitude": 0.1, "latitude": 49.1},
        {"zone_id": "b", "longitude": 0.5, "latitude": 49.3},
    ]
    geometry = {"features": [
        {"properties": {"zone_id": "a"}, "geometry": {"type": "Polygon", "coordinates": SQUARE}},
        {"properties": {"zone_id": "b"}, "geometry": {"type": "Point", "coordinates": [0.5, 49.3]}},
    ]}  # fmt: skip
    drawn = zone_map(geometry, zones)
    first, second = drawn.outlines
    # The label stands in the middle of the square; degrees are as long as they are on the ground.
    assert (round(first.x), round(first.path.count("L"))) == (200, 3)
    assert drawn.height == pytest.approx(0.3 * MAP_WIDTH / (0.5 * 0.6539), rel=0.01)
    assert "a30 30" in second.path  # no outline is known: a disc at its place
    assert (round(second.x), round(second.y)) == (1000, 0)
    several = {"features": [{
        "properties": {"code": "a"},
        "geometry": {"type": "MultiPolygon", "coordinates": [SQUARE, SQUARE]},
    }]}  # fmt: skip
    assert zone_map(several, zones).outlines[0].path.count("M") == 2
    assert zone_map(None, zones[:1]).outlines[0].path.startswith("M-30 0")


def test_the_fan_spans_past_and_future_and_breaks_where_nothing_is_known() -> None:
    first = date(2026, 5, 20)
    coming = [forecast(str(first + timedelta(days=i))) for i in range(15)]
    past = [
        {"target_date": str(first - timedelta(days=i)), "observed": 30000 + i, "said": 20000}
        for i in range(20, 0, -1)
    ]
    past[-1]["observed"] = None
    drawn = fan(coming, past)
    assert len(drawn.past) == 19 and len(drawn.coming) == 15
    assert drawn.observed.count("L") == 18 and drawn.said.count("L") == 19
    xs = [point.x for point in (*drawn.past, *drawn.coming)]
    assert xs == sorted(xs) and xs[0] == 62 and xs[-1] == WIDTH - 8
    assert all(0 <= point.y <= HEIGHT for point in drawn.coming)
    assert [value for _, value in drawn.values] == [0, 20000, 40000, 60000, 80000]
    assert {day.weekday() for _, day in drawn.days} == {0}
    for path in (drawn.inner, drawn.outer):
        assert path.endswith("Z") and path.count("L") == 29
    alone = fan(coming, [])
    assert (alone.observed, alone.said, alone.past) == ("", "", ())


def said(level: str, low: int, high: int) -> dict:
    return {"level": level, "influx": {"p10": low, "p50": (low + high) // 2, "p90": high}}


WEEKEND = {
    "start": "2026-01-30",
    "end": "2026-02-01",
    "zones": [
        {
            "zone_name": "Z",
            "days": [
                {"target_date": "2026-01-30", "said": said("vert", 1000, 2000),
                 "observed": 1500, "observed_level": "vert"},
                {"target_date": "2026-01-31", "said": said("rouge", 1000, 2000),
                 "observed": 2500, "observed_level": "rouge"},
                {"target_date": "2026-02-01", "said": said("vert", 1000, 2000),
                 "observed": None, "observed_level": None},
            ],
        }
    ],
}  # fmt: skip


def test_a_past_weekend_says_what_held() -> None:
    days = list(record.past_days(WEEKEND, FRENCH))
    assert [day.verdict for day in days] == ["tenue", "dépassée", "pas encore connu"]
    assert [day.observed for day in days] == [f"1{N}500", f"2{N}500", "–"]
    assert "1 fois sur 2" in record.tally(days, FRENCH)
    (month,) = record.months([WEEKEND], FRENCH)
    assert month == (
        "janvier 2026",
        [("2026-01-30", "du vendredi 30 janvier au dimanche 1er février", "1 sur 2")],
    )


def score(**more) -> dict:
    return {
        "zone_id": None,
        "zone_name": "Z",
        "zone_days": 1408,
        "coverage_80": 0.812,
        "wape": 0.08,
        "naive": {"rule": "lag7", "wape": 1.19},
        "alarms": {"rouge": {"hits": 3, "misses": 1, "false_alarms": 2}},
    } | more


def test_the_scoreboard_counts_and_leaves_out_what_is_not_known() -> None:
    (row,) = record.score_rows([score(), score(zone_days=0)], FRENCH)
    assert row == ("Z", f"81{N}%", f"8{N}%", f"119{N}%", "3", "1", "2")
    assert len(record.headline(score(), FRENCH)) == 5
    bare = record.headline(score(wape=None, naive=None), FRENCH)
    assert len(bare) == 4
    assert not any(re.search("–", value) for _, value, _ in bare)
    assert record.basis({"issued": 10, "backtest": 0}, FRENCH) == ""
    assert record.basis({"issued": 0, "backtest": 10}, FRENCH).startswith("10 de ces 10 réponses")
