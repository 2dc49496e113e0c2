"""Totals of a weekend: an interval that holds as often as it says, or says that it cannot know."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from forecast.serving.totals import past_totals, weekend_totals
from forecast.track_record import columns, empty_record

DAYS = [date(2026, 7, 3), date(2026, 7, 4), date(2026, 7, 5)]
WIDTH = np.array([-1.2816, -0.6745, 0.0, 0.6745, 1.2816])


def record_of(config, weeks: int, together: float, seed: int = 1, lead: int = 2) -> pd.DataFrame:
    """Weekends of which every day is normal around 1,000; errors correlate by ``together``."""
    generator = np.random.default_rng(seed)
    rows = []
    for week in range(weeks):
        friday = pd.Timestamp("2020-01-03") + pd.Timedelta(weeks=week)
        for zone in config.zones:
            shared = generator.normal()
            for i in range(3):
                own = generator.normal()
                error = 100 * (np.sqrt(together) * shared + np.sqrt(1 - together) * own)
                said = dict(zip(columns(config.quantiles)[4:9], 1000 + 100 * WIDTH, strict=True))
                rows.append(
                    {
                        "zone_id": zone.id,
                        "origin": (friday - pd.Timedelta(days=lead)).tz_localize("UTC"),
                        "target_date": friday + pd.Timedelta(days=i),
                        "horizon_days": lead + i,
                        **said,
                        "level": "vert",
                        "influx": 1000 + error,
                        "basis": "backtest",
                    }
                )
    return pd.DataFrame(rows).reindex(columns=columns(config.quantiles))


def forecasts_of(config) -> pd.DataFrame:
    rows = pd.DataFrame(
        [(zone.id, pd.Timestamp(day)) for zone in config.zones for day in DAYS],
        columns=["zone_id", "target_date"],
    )
    for name, width in zip(columns(config.quantiles)[4:9], WIDTH, strict=True):
        rows[name] = 1000 + 100 * width
    return rows.assign(origin=pd.Timestamp("2026-07-01T06:00Z"))


def totals(config, record) -> dict:
    found = weekend_totals(forecasts_of(config), record, config, DAYS)
    return {total["zone_id"]: total for total in found}


def half(total: dict) -> float:
    return (total["interval_80"]["high"] - total["interval_80"]["low"]) / 2


def test_few_weekends_give_the_widest_sum_and_say_so(config):
    for record in (empty_record(config.quantiles), record_of(config, 29, 0.0)):
        found = totals(config, record)
        assert {total["interval_method"] for total in found.values()} == {"comonotone"}
        one = found["241400415"]
        assert one["influx"]["p50"] == 3000
        assert half(one) == pytest.approx(3 * 128, abs=1)
        assert half(found[None]) == pytest.approx(9 * 128, abs=1)


@pytest.mark.parametrize(("together", "shrinks"), [(0.0, 1 / np.sqrt(3)), (1.0, 1.0)])
def test_past_errors_say_how_far_they_go_together(config, together, shrinks):
    found = totals(config, record_of(config, 500, together))
    one = found["241400415"]
    assert (one["interval_method"], one["past_weekends"]) == ("conformal", 500)
    assert half(one) == pytest.approx(3 * 128 * shrinks, rel=0.15)
    # Zones do not go together here: the territory's band is narrower still.
    assert half(found[None]) == pytest.approx(9 * 128 * shrinks / np.sqrt(3), rel=0.15)
    assert list(one["influx"].values()) == sorted(one["influx"].values())


def test_the_interval_holds_as_often_as_it_says(config):
    """Of 300 new weekends, with quantiles learnt from 52."""
    new = record_of(config, 300, 0.5, seed=99)
    sums = new[new["zone_id"] == "241400415"].groupby("origin")["influx"].sum()
    held = []
    for seed in range(8):
        one = totals(config, record_of(config, 52, 0.5, seed=seed))["241400415"]["interval_80"]
        held.append(sums.between(one["low"], one["high"]).mean())
    assert 0.75 < np.mean(held) < 0.9


def test_only_answers_as_old_as_todays_teach(config):
    young = record_of(config, 40, 0.0, lead=1)
    assert past_totals(young, config, [4, 5, 6], 2).empty
    assert len(past_totals(young, config, [4, 5, 6], 1)) == 3 * 40
    # A weekend of which a day is not known yet is none.
    gap = young["target_date"] == pd.Timestamp("2020-01-04")
    assert (
        len(past_totals(young.assign(influx=young["influx"].mask(gap)), config, [4, 5, 6], 0))
        == 117
    )
    assert len(past_totals(young.assign(influx=young["influx"].mask(gap)), config, [6], 0)) == 120


def test_a_zone_without_every_day_has_no_total(config):
    rows = forecasts_of(config).iloc[1:]
    found = weekend_totals(rows, empty_record(config.quantiles), config, DAYS)
    assert [total["zone_id"] for total in found] == [None, "200066363", "a b/é"]
    assert weekend_totals(rows.iloc[:0], empty_record(config.quantiles), config, DAYS) == []
