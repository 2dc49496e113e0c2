"""The calendar against dates that were looked up."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from forecast.almanac import COLUMNS, calendar_lines, clock_change, daylight_hours
from forecast.config import RunConfig
from forecast.errors import ConfigError
from forecast.feasts import EPOCH, FEASTS, almanac, public_holidays
from forecast.school import school, school_holidays
from forecast.territory import Market, Territory

FRANCE = Market("FR")


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def dates(mask: np.ndarray, first: str) -> list[str]:
    return [str(EPOCH + timedelta(day(first) + int(i))) for i in np.flatnonzero(mask)]


def breaks(market: Market, first: str, last: str) -> list[tuple[str, str]]:
    """First day of each break and first day after it."""
    share = school_holidays(market, day(first), day(last) - day(first))
    edges = np.flatnonzero(np.diff(np.concatenate([[0], share >= 0.5, [0]])))
    found = [str(EPOCH + timedelta(day(first) + int(i))) for i in edges]
    return list(zip(found[::2], found[1::2], strict=True))


def territory(**changes: object) -> Territory:
    zone = {"id": "a", "name": "A", "population": 1, "latitude": 49.5, "longitude": 0.1}
    config = {"id": "t", "name": "T", "school": "Zone B", "zones": [zone, zone | {"id": "b"}]}
    return RunConfig.model_validate(config | changes).territory()


def test_bridges_of_three_years() -> None:
    found = almanac(FRANCE, day("2026-01-01"), 3 * 365 + 1).bridge
    assert dates(found, "2026-01-01") == [
        "2026-01-02",
        "2026-05-15",
        "2026-07-13",
        "2027-05-07",
        "2027-11-12",
        "2028-05-26",
        "2028-08-14",
    ]


@pytest.mark.parametrize(
    ("when", "feast"),
    [
        ("2026-04-06", "Easter Monday"),
        ("2027-05-06", "Ascension Day"),
        ("2027-05-17", "Pentecost Monday"),
        ("2026-07-14", "National Day"),
        ("2026-08-15", "Assumption Day"),
        ("2026-05-01", "Labor Day"),
        ("2026-05-08", "Victory Day"),
        ("2026-11-11", "Armistice Day"),
        ("2026-12-25", "Christmas Day"),
        ("2026-08-17", "(none)"),
    ],
)
def test_feasts_have_one_code_wherever_they_fall(when: str, feast: str) -> None:
    assert FEASTS[almanac(FRANCE, day(when), 1).feast[0]] == feast
    assert public_holidays(FRANCE, day(when), 1)[0] == (feast != "(none)")


def test_the_long_weekend_of_ascension_is_anchored_on_its_feast() -> None:
    found = almanac(FRANCE, day("2027-05-04"), 8)  # Tuesday to Tuesday; Saturday is 8 May
    assert found.run_length.tolist() == [0, 0, 4, 4, 4, 4, 0, 0]
    assert found.run_position.tolist() == [0, 0, 1, 2, 3, 4, 0, 0]
    assert found.days_to_run[:3].tolist() == [2, 1, 0]
    assert found.feast_offset[:6].tolist() == [-2, -1, 0, 1, 2, 3]
    assert (found.run_feast[:6] == FEASTS.index("Ascension Day")).all()
    assert found.eve.tolist() == [False, True, False, True, False, False, False, False]
    assert found.to_holiday.tolist() == [2, 1, 0, 1, 0, 8, 7, 6]
    assert found.since_holiday.tolist() == [3, 4, 0, 1, 0, 1, 2, 3]


def test_a_run_that_ends_with_its_feast_begins_before_it() -> None:
    found = almanac(FRANCE, day("2026-04-03"), 5)  # Good Friday to the Tuesday after Easter
    assert found.run_position.tolist() == [0, 1, 2, 3, 0]
    assert found.feast_offset.tolist() == [-3, -2, -1, 0, 1]


def test_an_answer_does_not_depend_on_the_span_asked() -> None:
    whole = almanac(FRANCE, day("2024-01-01"), 900)
    for start in (0, 120, 500):
        alone = almanac(FRANCE, day("2024-01-01") + start, 20)
        for name, line in vars(alone).items():
            np.testing.assert_array_equal(line, getattr(whole, name)[start : start + 20], name)


def test_countries_far_away_have_public_holidays() -> None:
    hong_kong = almanac(Market("HK"), day("2026-01-01"), 365)
    new_year = day("2026-02-17") - day("2026-01-01")
    assert FEASTS[hong_kong.feast[new_year]] == "Chinese New Year"
    assert public_holidays(Market("CN"), day("2026-10-01"), 3).all()
    assert public_holidays(Market("DE", "BY"), day("2026-11-01"), 1)[0]
    assert not public_holidays(Market("DE", "HE"), day("2026-11-01"), 1)[0]


def test_an_unknown_country_or_subdivision_is_said() -> None:
    with pytest.raises(ConfigError, match="'IDF'"):
        public_holidays(Market("FR", "IDF"), 20000, 1)
    with pytest.raises(ConfigError, match=r"school zone 'Zone D'.*Zone A"):
        school_holidays(Market("FR", "", "Zone D"), 20000, 1)


def test_shared_arrays_are_closed_to_writing() -> None:
    with pytest.raises(ValueError, match="read-only"):
        public_holidays(FRANCE, 20000, 10)[0] = True


def test_zone_b_in_2026_2027() -> None:
    assert breaks(Market("FR", "", "Zone B"), "2026-09-02", "2027-08-01") == [
        ("2026-10-17", "2026-11-02"),
        ("2026-12-19", "2027-01-04"),
        ("2027-02-20", "2027-03-08"),
        ("2027-04-17", "2027-05-03"),
        ("2027-05-06", "2027-05-10"),
        ("2027-07-03", "2027-08-01"),
    ]


def test_england_is_approximated() -> None:
    found = breaks(Market("GB", "ENG"), "2025-09-02", "2026-09-02")
    assert found == [
        ("2025-10-25", "2025-11-03"),
        ("2025-12-20", "2026-01-05"),
        ("2026-02-14", "2026-02-23"),
        ("2026-03-28", "2026-04-13"),
        ("2026-05-23", "2026-06-01"),
        ("2026-07-22", "2026-09-02"),
    ]


def test_a_country_without_zone_is_the_mean_of_its_zones() -> None:
    when = day("2027-02-10")  # Zone C alone is free
    share = school_holidays(FRANCE, when, 1)[0]
    weights = np.array([16.8, 30.2, 18.4])
    zones = [
        school_holidays(Market("FR", "", z), when, 1)[0] for z in ("Zone A", "Zone B", "Zone C")
    ]
    assert share == pytest.approx(weights @ zones / weights.sum())
    assert 0 < share < 1
    assert school_holidays(Market("DE"), day("2026-08-01"), 1)[0] > 0.5


@pytest.mark.parametrize("country", ["FR", "NL", "DE", "BE", "HK"])
def test_outside_the_covered_years_nothing_is_claimed(country: str) -> None:
    assert np.isnan(school_holidays(Market(country), day("2035-07-20"), 30)).all()
    if country != "HK":
        assert np.isfinite(school_holidays(Market(country), day("2024-07-20"), 30)).all()


def test_a_break_is_counted_from_both_ends() -> None:
    found = school(Market("FR", "", "Zone B"), day("2026-10-16"), 18)
    assert found.since_start.tolist() == [-1, *range(16), -1]
    assert found.until_end.tolist() == [-1, *range(15, -1, -1), -1]


@pytest.mark.parametrize(
    ("when", "hours"), [("2026-06-21", 16.25), ("2026-12-21", 8.20), ("2026-03-20", 12.13)]
)
def test_daylight_at_le_havre(when: str, hours: float) -> None:
    assert daylight_hours(49.5, day(when), 1)[0] == pytest.approx(hours, abs=0.12)


def test_daylight_of_the_polar_night_and_day() -> None:
    assert daylight_hours(80, day("2026-12-21"), 1)[0] == 0
    assert daylight_hours(80, day("2026-06-21"), 1)[0] == 24


def test_the_clock_changes_on_29_march_2026() -> None:
    found = clock_change("Europe/Paris", day("2026-03-21"), 17)
    assert np.isnan(found[[0, 16]]).all()
    assert found[1:16].tolist() == list(range(-7, 8))
    assert np.isnan(clock_change("Asia/Hong_Kong", day("2026-01-01"), 365)).all()


def test_markets_are_weighted_by_their_shares() -> None:
    markets = [
        {"country": "FR", "school": "Zone C", "share": 0.6},
        {"country": "BE", "school": "French", "share": 0.4},
    ]
    group, lines = calendar_lines(territory(origin_markets=markets), day("2026-07-21"), 1)
    line = dict(zip(COLUMNS, lines[:, 0, 0], strict=True))
    assert group.tolist() == [0, 0]
    assert lines.shape == (len(COLUMNS), 1, 1)
    assert line["holiday"] == 0  # not at home
    assert line["holiday_share"] == pytest.approx(0.4)  # Belgium's national day
    assert line["school_share"] == pytest.approx(1)


def test_a_market_without_school_calendar_is_left_out_unless_it_is_most_of_them() -> None:
    def share(far: float) -> float:
        markets = [
            {"country": "FR", "school": "Zone C", "share": 1 - far},
            {"country": "HK", "share": far},
        ]
        _, lines = calendar_lines(territory(origin_markets=markets), day("2026-07-21"), 1)
        return float(lines[COLUMNS.index("school_share"), 0, 0])

    assert share(0.3) == pytest.approx(1)
    assert np.isnan(share(0.7))
