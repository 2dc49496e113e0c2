"""Forecasts from the champion: complete, as of the origin, and wider when a source is late."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from forecast.config import RunConfig
from forecast.daily import Daily
from forecast.errors import ModelError
from forecast.features import build
from forecast.features.base import Evidence
from forecast.freshness import DOMAINS
from forecast.grid import make_grid
from forecast.level_climatology import or_worse
from forecast.levels import LEVELS
from forecast.predict import Answer, answer_at
from forecast.training.dataset import make_dataset
from forecast.training.verification import level_rows
from forecast.truth import truth_at

ANSWERS = ["influx_p10", "influx_p25", "influx_p50", "influx_p75", "influx_p90"]
COMPLETE = "influx+mobility+waste+weather"  # the simulated parking feed is four days behind
HONFLEUR = "200066827"


def answer(world, observations: pd.DataFrame, config: RunConfig | None = None) -> Answer:
    return answer_at(
        world.now,
        config or world.config,
        observations,
        world.champion,
        model_version="1",
        lake_version=1,
    )


def without(observations: pd.DataFrame, sources: set[str], days: float, now) -> pd.DataFrame:
    """What would be known had these sources stopped arriving so many days ago."""
    silent = observations["source"].isin(sources)
    silent &= observations["available_at"] > now - pd.Timedelta(days=days)
    assert silent.any()
    return observations[~silent]


def width(found: Answer) -> float:
    """Mean width of the 80 % interval over its median."""
    rows = found.forecasts
    return float(((rows["influx_p90"] - rows["influx_p10"]) / rows["influx_p50"]).mean())


@pytest.fixture(scope="module")
def complete(world) -> Answer:
    return answer(world, world.observations)


def test_every_zone_and_day_is_answered(world, complete: Answer) -> None:
    rows = complete.forecasts
    assert len(rows) == 8 * 15
    assert complete.unanswered == ()
    assert set(rows["zone_id"]) == {zone.id for zone in world.config.zones}
    assert rows.groupby("zone_id")["horizon_days"].apply(list).map(len).eq(15).all()
    assert rows["target_date"].min() == pd.Timestamp("2025-05-30")
    assert (np.diff(rows[ANSWERS].to_numpy(), axis=1) >= 0).all()
    assert (rows[ANSWERS] >= 0).all(axis=None)
    assert rows["usual"].notna().all()
    assert set(rows["level"]) <= set(LEVELS)
    probabilities = rows[[f"probability_{level}" for level in LEVELS]].sum(axis=1)
    np.testing.assert_allclose(probabilities, 1, atol=1e-9)
    assert set(rows["regime"]) == {COMPLETE}


def test_the_long_weekend_stands_out(complete: Answer) -> None:
    rows = complete.forecasts[complete.forecasts["zone_id"] == "241400415"]
    rows = rows.set_index("target_date")
    assert rows.loc["2025-05-31", "influx_p50"] > 1.1 * rows.loc["2025-05-31", "usual"]
    rouge_or_worse = rows["probability_rouge"] + rows["probability_noir"]
    assert rouge_or_worse["2025-05-31"] > 3 * rouge_or_worse["2025-06-03"]
    assert rows.loc["2025-06-03", "level"] == "vert"


def test_the_probabilities_served_are_those_that_were_verified(world, complete: Answer) -> None:
    """Quantiles, limits and climatology as known at the origin, as ``level_rows`` joins them."""
    evidence = Evidence(world.observations, world.config.territory())
    rows = complete.forecasts.assign(influx=np.nan, fold=0)
    told = level_rows(rows, [truth_at(evidence, world.now)], world.config)
    reached = or_worse(rows[[f"probability_{level}" for level in LEVELS]])
    assert told["usual_rouge"].notna().all()
    for i, level in enumerate(LEVELS[1:]):
        np.testing.assert_allclose(reached[:, i], told[f"risk_{level}"], atol=1e-12)


def test_what_is_usual_is_the_median_of_such_days(world, complete: Answer) -> None:
    """Days of the same weekday within three weeks of that time of year, long weekends left out."""
    influx = world.observations[world.observations["source"] == "influx"]
    influx = influx[influx["zone_id"] == HONFLEUR].sort_values("available_at", kind="stable")
    line = influx.groupby("date")["value"].last()
    rows = complete.forecasts[complete.forecasts["zone_id"] == HONFLEUR].set_index("target_date")
    # Tuesdays from 20 May to 10 June; no year has a long weekend that reaches a Tuesday here.
    tuesday = pd.Timestamp("2025-06-03")
    like = line[line.index.day_of_week == 1]
    away = (like.index - tuesday).days
    near = pd.Index(np.abs((away + 182) % 365.2425 - 182))
    assert rows.loc[tuesday, "usual"] == pytest.approx(like[near <= 21].median(), rel=1e-6)


def test_training_and_serving_ask_the_same_way(world) -> None:
    """A live question's features are those of the training set's row of that origin."""
    data = make_dataset(world.config, world.observations, world.now)
    instant = data.matrix.grid.ask_origin[data.test].max()
    origin = pd.Timestamp(int(instant), unit="us", tz="UTC")
    grid = make_grid([origin], data.matrix.grid.zone_ids, range(15), world.config.timezone)
    readable = world.observations[world.observations["available_at"] <= origin]
    live = build(grid, Evidence(readable, world.config.territory()))
    trained = data.matrix.take(data.test & (data.matrix.grid.ask_origin == instant))
    assert live.columns == trained.columns
    np.testing.assert_array_equal(live.values, trained.values)
    today = int(grid.ask_day[0])
    daily = Daily.of(world.config.territory(), today - 450, today + 74)
    np.testing.assert_array_equal(
        world.champion.predict(live, daily), world.champion.predict(trained, data.daily)
    )


def test_the_future_of_the_lake_changes_nothing(world) -> None:
    """The same question a month back, with and without what came since."""
    origin = world.now - pd.Timedelta(days=30)
    known = world.observations[world.observations["available_at"] <= origin]
    both = [
        answer_at(origin, world.config, rows, world.champion, model_version="1", lake_version=1)
        for rows in (world.observations, known)
    ]
    assert len(known) < len(world.observations)
    pd.testing.assert_frame_equal(both[0].forecasts, both[1].forecasts)
    assert both[0].sources == both[1].sources


@pytest.mark.parametrize(
    ("source", "with_it", "days"),
    [
        ("influx", {"influx"}, 21),
        ("mobility", {"mobility"}, 60),
        ("parking", {"parking"}, 60),
        ("waste", {"waste"}, 60),
        ("weather_forecast", {"weather", "weather_forecast"}, 60),
    ],
)
def test_a_late_source_leaves_the_regime_and_the_band_stays_wide(
    world, complete: Answer, source: str, with_it: set[str], days: float
) -> None:
    found = answer(world, without(world.observations, with_it, days, world.now))
    assert len(found.forecasts) == 8 * 15
    assert found.unanswered == ()
    status = {s.source: s for s in found.sources}[source]
    assert not status.fresh
    assert status.missed_runs > 10
    (regime,) = set(found.forecasts["regime"])
    assert regime == "+".join(d for d in COMPLETE.split("+") if d != DOMAINS[source])
    assert width(found) > 0.93 * width(complete)  # another sky, another median: not just wider
    assert np.isfinite(found.forecasts[ANSWERS]).all(axis=None)


@pytest.mark.parametrize("domain", ["influx", "mobility", "parking", "waste", "weather"])
def test_of_the_same_evidence_a_late_source_never_narrows_any_band(world, domain: str) -> None:
    territory = world.config.territory()
    grid = make_grid([world.now], territory.zone_ids, range(15), territory.timezone)
    today = int(grid.ask_day[0])
    daily = Daily.of(territory, today - 450, today + 74)
    matrix = build(grid, Evidence(world.observations, territory))
    fresh, late = (world.champion.predict(matrix, daily, stale=s) for s in ((), (domain,)))
    widths = [answers[:, -1] - answers[:, 0] for answers in (fresh, late)]
    assert (widths[1] >= widths[0] - 1e-6).all()
    assert widths[1].sum() > widths[0].sum()


def test_late_influx_and_weather_widen_the_band(world, complete: Answer) -> None:
    late = without(world.observations, {"influx", "weather_forecast"}, 21, world.now)
    assert width(answer(world, late)) > width(complete)


def test_influx_alone_is_enough(world, complete: Answer) -> None:
    alone = world.observations[world.observations["source"] == "influx"]
    found = answer(world, alone)
    assert len(found.forecasts) == 8 * 15
    assert set(found.forecasts["regime"]) == {"influx"}
    assert [s.source for s in found.sources] == ["influx"]
    ratio = found.forecasts["influx_p50"] / complete.forecasts["influx_p50"]
    assert ratio.between(0.5, 2).all()


def test_with_everything_stale_the_calendar_answers(world) -> None:
    everything = set(world.observations["source"].unique())
    found = answer(world, without(world.observations, everything, 120, world.now))
    assert len(found.forecasts) == 8 * 15
    assert set(found.forecasts["regime"]) == {"calendar"}
    assert not any(s.fresh for s in found.sources if s.source in DOMAINS)
    assert (found.forecasts["influx_p90"] > found.forecasts["influx_p10"]).all()


def test_with_an_empty_lake_the_model_still_answers_and_no_level_is_given(world) -> None:
    found = answer(world, world.observations.iloc[:0])
    assert len(found.forecasts) == 8 * 15
    assert found.sources == []
    assert found.forecasts["level"].isna().all()
    assert found.forecasts["usual"].isna().all()


def renamed(config: RunConfig, new: str) -> RunConfig:
    """The territory with one more zone, a neighbour under another id."""
    twin = config.zones[6].model_copy(update={"id": new, "name": "Nouvelle zone"})
    return config.model_copy(update={"zones": (*config.zones, twin)})


def test_a_zone_unknown_to_the_model_is_answered_from_its_own_history(
    world, complete: Answer
) -> None:
    theirs = world.observations[world.observations["zone_id"] == HONFLEUR]
    rows = pd.concat(
        [
            world.observations.astype({"zone_id": "str"}),
            theirs.astype({"zone_id": "str"}).assign(zone_id="nouvelle"),
        ]
    )
    found = answer(world, rows, renamed(world.config, "nouvelle"))
    assert found.unanswered == ()
    ours = found.forecasts[found.forecasts["zone_id"] == "nouvelle"]
    twin = found.forecasts[found.forecasts["zone_id"] == HONFLEUR]
    ratio = ours["influx_p50"].to_numpy() / twin["influx_p50"].to_numpy()
    assert ((ratio > 0.6) & (ratio < 1.6)).all()
    assert ours["level"].notna().all()
    others = found.forecasts[found.forecasts["zone_id"] != "nouvelle"].reset_index(drop=True)
    pd.testing.assert_frame_equal(others, complete.forecasts)


def test_a_zone_of_which_nothing_is_known_is_named_and_stops_no_other(
    world, complete: Answer
) -> None:
    found = answer(world, world.observations, renamed(world.config, "inconnue"))
    assert found.unanswered == ("inconnue",)
    pd.testing.assert_frame_equal(found.forecasts, complete.forecasts)


def test_a_model_of_other_quantiles_or_columns_is_refused(world) -> None:
    other = world.config.model_copy(update={"quantiles": (0.05, 0.5, 0.95)})
    with pytest.raises(ModelError, match=r"answers quantiles .*afflux train"):
        answer(world, world.observations, other)
    model = replace(world.champion, columns=(*world.champion.columns, "moon_phase"))
    with pytest.raises(ModelError, match="lack 'moon_phase'"):
        answer_at(
            world.now, world.config, world.observations, model, model_version="1", lake_version=1
        )
