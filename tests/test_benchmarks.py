"""The benchmarks run: peers of the features answer alike, panels are cut and scored as they say."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchmarks import ablation, hindsight, keeping, outages
from benchmarks.accuracy import exchange, kept, panels, scoring
from benchmarks.accuracy.peers.task import Task
from benchmarks.panels import austin, tickets
from forecast.config import RunConfig, read_config

ROOT = Path(__file__).parents[1]
POLARS = ROOT / "benchmarks" / "work" / "peers-venv" / ".installed"


@pytest.mark.parametrize(
    "peer",
    [
        "pandas",
        pytest.param(
            "polars",
            marks=pytest.mark.skipif(
                not POLARS.exists(), reason="`python -m benchmarks.features` has not run here yet"
            ),
        ),
    ],
)
def test_a_peer_answers_as_the_product(peer: str) -> None:
    arguments = ["--zones", "5", "--years", "2", "--times", "1", "--engines", f"memset,{peer}"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.features", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr + done.stdout
    summary = json.loads(done.stdout.splitlines()[-1])
    assert summary["equal"] == {peer: True}
    engines = summary["engines"]
    assert set(engines) == {"memset", "afflux", peer}
    assert {engine["columns"] for engine in engines.values()} == {61}
    assert {engine["rows"] for engine in engines.values()} == {5 * 105 * 15}
    assert summary["time_over_afflux"][peer] > 0
    assert summary["machine"]["cores"] >= 1


FIRST_AND_LAST = {
    "hk_visitors": ("2024-09-01", "2025-08-17", 26),
    "cerema_traffic": ("2023-01-01", "2023-08-13", 17),
    "muenster": ("2023-08-27", "2024-08-11", 26),
    "austin": ("2016-07-24", "2017-07-09", 26),
    "ballarat": ("2014-03-23", "2015-03-08", 26),
    "nantes": ("2018-12-30", "2019-12-15", 26),
    "muenster_lots": ("2023-08-27", "2024-08-11", 26),
    "muenster_before": ("2022-08-28", "2023-08-13", 26),
    "austin_before": ("2015-07-26", "2016-07-10", 26),
    "ballarat_before": ("2013-03-24", "2014-03-09", 26),
    "muenster_two_before": ("2021-08-29", "2022-08-14", 26),
    "austin_two_before": ("2014-07-27", "2015-07-12", 26),
    "ballarat_two_before": ("2012-03-25", "2013-03-10", 26),
}
needs_data = pytest.mark.skipif(
    not panels.DATASETS.is_dir(),
    reason="the data sets are not here: name their folder in AFFLUX_DATASETS",
)


@pytest.mark.parametrize("name", panels.WINDOWS)
def test_origins_are_the_fortnightly_sundays_of_the_window(name: str) -> None:
    first, last, count = FIRST_AND_LAST[name]
    origins = panels.WINDOWS[name].origins
    assert [f"{origins[i]:%Y-%m-%d}" for i in (0, -1)] == [first, last]
    assert len(origins) == count
    assert set(origins.day_of_week) == {6}


@needs_data
@pytest.mark.parametrize("name", panels.WINDOWS)
def test_a_panel_ends_with_its_window_and_has_no_weather(name: str) -> None:
    territory, tables = panels.load(name)
    config, window = RunConfig.model_validate(territory), panels.WINDOWS[name]
    assert set(tables) == set(config.sources) <= {"influx", "mobility", "parking"}
    assert {config.delay_hours(source) for source in tables} == {-1.0}
    influx = tables["influx"]
    assert set(influx["zone_id"]) == {zone.id for zone in config.zones}
    # Counters of Nantes stand still for months, and nothing in the data says so.
    assert influx["influx"].gt(0).mean() > (0.9 if name == "nantes" else 0.99)
    assert influx["date"].max() == f"{window.newest:%Y-%m-%d}"
    assert not influx.duplicated(["zone_id", "date"]).any()
    # The newest day less the days asked is the last origin: so a backtest counts them.
    assert window.newest - pd.Timedelta(days=config.max_horizon_days) == window.last
    days = config.training.backtest_days - config.training.backtest_stride_days
    assert window.last - pd.Timedelta(days=days) == window.first


@needs_data
def test_a_row_is_readable_at_the_origin_of_its_day_and_not_before() -> None:
    config, observations, now = panels.dataset("cerema_traffic")
    day = pd.DatetimeIndex(observations["date"]).tz_localize(config.timezone)
    late = pd.DatetimeIndex(observations["available_at"]).tz_convert(config.timezone)
    assert set(late.hour) == {config.training.origin_hour}
    assert (late.normalize() == day).all()
    assert late.max() < now


@needs_data
def test_peers_are_handed_the_same_days_and_the_almanac(tmp_path: Path) -> None:
    digest = exchange.hand_over("ballarat", tmp_path)
    task = Task.read(tmp_path)
    assert digest == exchange.hand_over("ballarat", tmp_path)
    assert [f"{day:%Y-%m-%d}" for day in task.validation][-1] == "2014-03-09"
    assert len(task.origins) == 26
    assert {"holiday", "eve", "bridge", "run_length", "feast_offset"} <= set(task.columns)
    origin = task.origins[0]
    assert task.known(origin)["ds"].max() <= origin
    whole, future = task.whole(origin), task.future(origin)
    assert whole["ds"].max() == origin
    assert future["ds"].tolist() == pd.date_range(origin, periods=15)[1:].tolist()
    sundays = whole[whole["ds"].dt.day_of_week == 6]
    assert sundays[["y", "weight"]].eq(0).all(axis=None)


def test_kept_figures_of_peers_stand_while_they_would_be_told_the_same(tmp_path: Path) -> None:
    panel = {
        "questions": 307,
        "scores": {"afflux": {"wape": 0.09}, "autoets": {"wape": 0.1}, "prophet": {"wape": None}},
        "peers": {"autoets": {"told": "same"}, "prophet": {"told": "same"}},
    }
    last = json.dumps({"panels": {"ballarat": panel}})
    (tmp_path / "accuracy.md").write_text(f"# Kept\n\n```json\n{last}\n```\n", encoding="utf-8")
    scores, facts, questions = kept.peers("ballarat", "same", tmp_path)
    assert scores["wape"].to_dict() == pytest.approx(
        {"autoets": 0.1, "prophet": np.nan}, nan_ok=True
    )
    assert list(facts) == ["autoets", "prophet"]
    assert questions == 307
    with pytest.raises(ValueError, match="ballarat: autoets was told something else"):
        kept.peers("ballarat", "other", tmp_path)
    with pytest.raises(ValueError, match=r"accuracy\.md keeps no figures of austin"):
        kept.peers("austin", "same", tmp_path)
    with pytest.raises(ValueError, match=r"unseen\.md keeps no figures of nantes"):
        kept.peers("nantes", "same", tmp_path)


@needs_data
@pytest.mark.parametrize("name", panels.PANELS)
def test_the_kept_figures_are_of_what_peers_would_be_told_today(name: str, tmp_path: Path) -> None:
    scores, _, questions = kept.peers(name, exchange.hand_over(name, tmp_path))
    assert scores[["wape", "pinball", "coverage_80"]].notna().all(axis=None)
    assert questions > 300


@needs_data
def test_where_no_peer_answered_what_is_wanted_is_told_by_the_kept_figures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ablation, "WORK", tmp_path)
    found = ablation.beside_peers("austin", pd.DataFrame(columns=scoring.KEYS), (0.5,))
    assert list(found) == ["wanted"]
    scores, _, _ = kept.peers("austin", exchange.hand_over("austin", tmp_path / "again"))
    assert found["wanted"]["wape"] == 0.93 * scores["wape"].min()
    assert np.isnan(found["wanted"]["weekend_wape"])


def test_a_missing_day_is_filled_from_the_week_before(tmp_path: Path) -> None:
    days = pd.date_range("2024-01-01", periods=15)
    series = pd.DataFrame({"unique_id": "a", "ds": days, "y": np.arange(15.0)}).drop(index=[3, 9])
    calendar = pd.DataFrame({"unique_id": "a", "ds": days, "weekday": days.day_of_week})
    task = Task(series, calendar, [], [], [0.5], 2, "FR", closed=False)
    filled = task.whole(days[12])
    assert filled["y"].tolist() == [0, 1, 2, 10, 4, 5, 6, 7, 8, 2, 10, 11, 12]
    assert filled.index[filled["weight"] == 0].tolist() == [3, 9]
    assert task.future(days[12])["ds"].tolist() == [days[13], days[14]]


def test_tickets_add_up_by_day_and_a_closed_day_has_no_row(tmp_path: Path) -> None:
    path = tmp_path / "tickets.csv"
    path.write_text(
        "ticket_date,net_weight_kg\n2013-12-30,9\n2014-01-03,1500\n2014-01-03,500\n"
        "2014-01-04,750\n2014-01-05,0\n",
        encoding="utf-8",
    )
    table = tickets.tonnes(path, "a", "2014-01-01")
    assert table.values.tolist() == [["a", "2014-01-03", 2.0], ["a", "2014-01-04", 0.75]]


def test_imperial_weather_becomes_metric(tmp_path: Path) -> None:
    path = tmp_path / "weather.csv"
    path.write_text(
        "Date,TempHighF,TempLowF,WindGustMPH,PrecipitationSumInches\n"
        "12/21/2013,212,32,100,1\n12/22/2013,50,41,-,T\n",
        encoding="utf-8",
    )
    table = austin.weather(path)
    assert table["date"].tolist() == ["2013-12-21", "2013-12-22"]
    assert table["temperature_max"].tolist() == [100.0, 10.0]
    assert table["temperature_min"].tolist() == [0.0, 5.0]
    assert table["precipitation"].tolist() == [25.4, 0.0]
    assert table["wind_gust"].tolist()[0] == 160.9
    assert table["wind_gust"].isna().tolist() == [False, True]


def hand_made() -> tuple[pd.DataFrame, dict[str, pd.DataFrame]]:
    """Friday, Saturday, a Sunday nobody knows, and Monday of a run; two models and a rule."""
    keys = pd.DataFrame(
        {
            "zone_id": "a",
            "origin": pd.Timestamp("2024-03-24"),
            "target_date": pd.to_datetime(["2024-03-29", "2024-03-30", "2024-03-31", "2024-04-01"]),
        }
    )
    facts = keys.assign(
        horizon_days=[5, 6, 7, 8],
        influx=[100.0, 200.0, np.nan, 300.0],
        kind=["weekday", "weekend", "weekend", "holiday run"],
        scale=50.0,
    )
    mine = keys.assign(q10=80.0, q25=90.0, q50=[110.0, 180.0, 0.0, 300.0], q75=190.0, q90=250.0)
    peer = mine.assign(q50=[120.0, 150.0, 0.0, 310.0])
    return facts, {"afflux": mine, "peer": peer, "rule": keys.assign(q50=100.0)}


@pytest.mark.parametrize("benchmark", ["accuracy", "outages"])
def test_figures_of_another_seed_are_not_kept(benchmark: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"benchmarks.{benchmark}", "--seed", "7", "--save"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "leave out --seed" in done.stderr


def test_figures_of_a_part_leave_the_others_as_they_were_kept(tmp_path: Path) -> None:
    def told(**panels: float) -> dict[str, Any]:
        figures = {name: {"wape": of} for name, of in panels.items()}
        return {"benchmark": "x", "machine": {"cores": len(panels)}, "panels": figures}

    both = {"austin": "said\n\nof Austin", "ballarat": "said of Ballarat"}
    keeping.keep_panels("x", "# X", both, told(austin=0.1, ballarat=0.2), tmp_path)
    keeping.keep_panels("x", "# X", {"austin": "anew"}, told(austin=0.3), tmp_path)
    after = keeping.kept_panels("x", tmp_path)
    assert list(after) == ["austin", "ballarat"]
    assert after["austin"]["wape"] == 0.3
    assert after["ballarat"]["wape"] == 0.2
    assert [of["machine"]["cores"] for of in after.values()] == [1, 2]
    text = (tmp_path / "x.md").read_text(encoding="utf-8")
    on = after["austin"]["measured"]
    assert text.startswith(
        f"# X\n\n## austin\n\nMeasured on {on}.\n\n```text\nanew\n```\n\n"
        f"## ballarat\n\nMeasured on {on}.\n\n```text\nsaid of Ballarat\n```\n\n```json\n"
    )


@pytest.mark.parametrize("name", ["accuracy", "unseen", "ablation", "outages", "panels"])
def test_kept_figures_say_for_each_panel_when_they_were_measured(name: str) -> None:
    found = keeping.kept_panels(name)
    text = (keeping.RESULTS / f"{name}.md").read_text(encoding="utf-8")
    told = re.findall(r"^## (\S+)\n\nMeasured on (20\d\d-\d\d-\d\d)\.$", text, re.MULTILINE)
    assert told == [(panel, of["measured"]) for panel, of in found.items()]
    assert len(told) == text.count("\n## ")


def test_a_source_cut_is_compared_over_the_models_of_all_seeds() -> None:
    """A source cut errs a third of one never had by one seed's models, and twice by the other's."""
    days = pd.date_range("2024-01-07", periods=8, freq="14D")
    keys = pd.MultiIndex.from_product([[1, 2], ["a"], days], names=outages.KEYS[:3]).to_frame(False)
    keys["target_date"] = keys["origin"] + pd.Timedelta(days=1)
    quantiles, names = (0.1, 0.5, 0.9), ["influx_p10", "influx_p50", "influx_p90"]

    def said(first: float, second: float) -> pd.DataFrame:
        median = keys["seed"].map({1: first, 2: second})
        band = dict(zip(names, (0.9 * median, median, 1.1 * median), strict=True))
        return keys.assign(influx=100.0, **band)

    ways = {"fresh": said(100, 100), "cut": said(90, 80), "without": said(70, 90).iloc[1:]}
    found = outages.compare(ways, quantiles, block=1)
    assert found["wape_cut"] == pytest.approx((7 * 10 + 8 * 20) / 1500)
    assert found["wape_without"] == pytest.approx((7 * 30 + 8 * 10) / 1500)
    assert found["held_fresh"] == 1.0
    assert found["width_cut"] == pytest.approx((7 * 18 + 8 * 16) / 1500)
    assert found["not_worse"] > 0.9
    second = {way: rows[rows["seed"] == 2] for way, rows in ways.items()}
    assert outages.compare(second, quantiles, block=1)["not_worse"] == 0.0
    alone = outages.compare({"fresh": ways["fresh"], "cut": ways["cut"]}, quantiles, block=1)
    told = outages.summary({"a": pd.DataFrame({"parking": found, "influx": alone}).T})
    rows = json.loads(json.dumps(told), parse_constant=pytest.fail)["panels"]["a"]
    assert rows["influx"]["not_worse"] is None
    assert rows["parking"]["wape_cut"] == pytest.approx(found["wape_cut"], abs=1e-4)


def test_another_seed_changes_nothing_else() -> None:
    config = read_config(ROOT / "configs" / "estuaire.toml")
    assert panels.seeded(config, None) is config
    other = panels.seeded(config, 7)
    assert other.training.seed == 7
    assert panels.seeded(other, config.training.seed) == config


def test_scores_of_a_hand_made_case() -> None:
    facts, answers = hand_made()
    aligned = scoring.align(facts, answers)
    assert {len(rows) for rows in aligned.values()} == {3}
    scores = scoring.table(aligned, [0.1, 0.25, 0.5, 0.75, 0.9])
    mine = scores.loc["afflux"]
    assert mine["wape"] == pytest.approx(30 / 600)
    assert mine["mase"] == pytest.approx(30 / 3 / 50)
    assert mine["bias"] == pytest.approx(-10 / 600)
    assert mine["weekend_wape"] == pytest.approx(20 / 200)
    assert mine["coverage_50"] == pytest.approx(1 / 3)
    assert mine["coverage_80"] == pytest.approx(2 / 3)
    assert mine["width_80"] == pytest.approx(3 * 170 / 600)
    assert (mine["weekend_80"], mine["run_80"]) == (1.0, 0.0)
    losses = 0.1 * (20 + 120 + 220) + 0.25 * (10 + 110 + 210) + 0.5 * 30
    losses += 0.25 * 90 + 0.75 * (10 + 110) + 0.1 * (150 + 50) + 0.9 * 50
    assert mine["pinball"] == pytest.approx(2 * losses / 5 / 600)
    assert scores.loc["rule", ["pinball", "coverage_80", "run_80"]].isna().all()


def test_where_ours_is_nobody_a_mixture_moves_the_median_alone() -> None:
    """A band that reaches from nobody to the usual day is no multiple of its median."""
    facts, answers = hand_made()
    rows = facts.dropna().merge(answers["afflux"], on=scoring.KEYS)
    rows.loc[rows["influx"] == 200, ["q10", "q25", "q50", "q75"]] = 0.0
    members = pd.DataFrame({"boosters": [100.0, 200.0, 300.0], "partner": [150.0, 100.0, 200.0]})
    quantiles = (0.1, 0.25, 0.5, 0.75, 0.9)
    found = hindsight.best_mixture(rows, members, quantiles)
    assert found["wape"] == pytest.approx(0.0)
    assert found["pinball"] < scoring.figures(rows, quantiles)["pinball"]


def test_only_questions_that_all_answered_are_scored() -> None:
    facts, answers = hand_made()
    answers["peer"].loc[0, "q90"] = np.nan
    answers["rule"] = answers["rule"].iloc[[0, 1, 3]].sample(frac=1, random_state=1)
    aligned = scoring.align(facts, answers)
    for rows in aligned.values():
        assert rows["influx"].tolist() == [200.0, 300.0]


def test_the_ratio_is_to_the_best_peer_of_the_metric() -> None:
    scores = pd.DataFrame(
        {
            "wape": [0.09, 0.10, 0.12, 0.01],
            "pinball": [0.09, 0.12, 0.10, np.nan],
            "weekend_wape": [0.2, 0.1, 0.3, 0.1],
        },
        index=["afflux", "one", "two", "rule"],
    )
    found = scoring.verdicts("austin", scores, ["one", "two"])
    assert found["best_peer"].tolist() == ["one", "two", "one"]
    assert found["ratio"].astype(float).tolist() == pytest.approx([0.9, 0.9, 2.0])
    assert found["met"].tolist() == [True, True, None]
