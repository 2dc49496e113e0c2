"""One French sentence from the largest causes."""

from __future__ import annotations

import numpy as np
import pytest

from forecast.circumstances import Circumstances
from forecast.french import NARROW
from forecast.sentence import AS_LATELY, LABELS, ORDINARY, sentence, sentences, signed, words
from forecast.tables import CONTRIBUTIONS

BRIDGE = Circumstances("pont de l'Ascension", "dry", "Armada")
PLAIN = Circumstances()
WET = Circumstances(sky="wet")


def said(contributions: dict[str, float], day: Circumstances = PLAIN, **more: object) -> str:
    given = {"reference": 25_000, "step": 1000} | more
    return sentence(contributions, day, **given).replace(NARROW, " ").replace("\u00a0", " ")


def test_the_largest_causes_come_first_with_their_sign() -> None:
    told = {"weather": 9_140, "holidays": 14_020, "mobility": -2_210, "sea": 90}
    assert said(told, BRIDGE) == (
        "pont de l'Ascension +14 000, beau temps annoncé +9 000, "
        "moins de trafic que d'habitude −2 000"
    )


def test_typography() -> None:
    text = sentence({"weather": -9_140}, WET, reference=25_000, step=10)
    assert text == "pluie annoncée\u00a0\u22129\u202f140"


def test_at_most_three_and_none_that_is_small_or_rounded_away() -> None:
    told = {"weather": 9_000, "holidays": 8_000, "history": 7_000, "events": 6_000}
    assert said(told).count(",") == 2
    # 800 is neither a tenth of 25 000 nor of 9 000; 1 100 is a tenth of the latter.
    assert said({"weather": 9_000, "sea": 800, "waste": 1_100}).count(",") == 1
    assert said({"weather": 9_000, "waste": -1_100}, step=10_000).count(",") == 0


@pytest.mark.parametrize(
    "told", [{"weather": 2_000, "holidays": -1_900}, {"weather": 0}, {}, {"sea": -2_400}]
)
def test_a_day_on_which_nothing_stands_out_is_ordinary(told: dict[str, float]) -> None:
    assert said(told) == ORDINARY
    assert said(told, has_usual=False) == AS_LATELY


def test_small_causes_together_stand_out_and_so_does_a_full_zone() -> None:
    together = {"weather": 1_500, "mobility": 1_400}
    assert (
        said(together) == "météo pas encore annoncée +2 000, plus de trafic que d'habitude +1 000"
    )
    assert said({"weather": 2_000}, BRIDGE) == ORDINARY
    assert said({"weather": 2_000}, BRIDGE, full=True) == "beau temps annoncé +2 000"
    assert said({"weather": 200}, BRIDGE, full=True) == ORDINARY  # rounded away


@pytest.mark.parametrize(
    ("domain", "more", "day", "expected"),
    [
        ("weather", True, WET, "temps plutôt favorable annoncé"),
        ("weather", False, BRIDGE, "temps peu favorable annoncé"),
        ("holidays", False, BRIDGE, "pont de l'Ascension"),
        ("holidays", False, PLAIN, "ni vacances ni jour férié"),
        ("holidays", True, PLAIN, "calendrier favorable"),
        ("events", True, BRIDGE, "événement annoncé (Armada)"),
        ("events", True, PLAIN, "événements alentour"),
        ("events", False, BRIDGE, "moins d'événements que d'habitude"),
        ("parking", False, PLAIN, "parkings moins remplis que d'habitude"),
        ("beach", True, PLAIN, "autres données (beach)"),
    ],
)
def test_words_follow_the_day_and_the_sign(domain, more, day, expected: str) -> None:
    assert words(domain, more, day) == expected


def test_every_domain_has_words_of_its_own_for_both_signs_and_a_label() -> None:
    assert list(LABELS) == list(CONTRIBUTIONS)
    found = [words(domain, more, WET) for domain in CONTRIBUTIONS for more in (True, False)]
    assert len(set(found)) == 2 * len(CONTRIBUTIONS)
    assert not any("autres données" in text for text in found)


def test_nothing_has_no_sign() -> None:
    assert [signed(value) for value in (0.0, -0.4, 0.4, -1.0)] == ["0", "0", "0", "\u22121"]


def test_questions_without_a_forecast_have_no_sentence() -> None:
    quantiles = np.array([[20e3, 34e3, 50e3], [np.nan] * 3, [900.0, 1000.0, 1100.0]])
    median, usual = quantiles[:, 1], np.array([25e3, 25e3, np.nan])
    found = sentences(
        {"weather": np.array([9e3, np.nan, 10.0])},
        [BRIDGE] * 3,
        quantiles,
        median,
        usual,
        ["rouge", None, None],
        np.zeros(3, dtype=bool),
    )
    assert found[0] is not None and found[0].replace(NARROW, "") == "beau temps annoncé\u00a0+9000"
    assert found[1:] == [None, AS_LATELY]
