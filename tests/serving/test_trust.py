"""Answers that let people judge: history, scoreboard, sources, model, and why."""

import json

import pytest

from forecast.serving.schemas_past import HistoryAnswer, ScoreboardAnswer
from forecast.serving.schemas_trust import (
    ChangesAnswer,
    ExplanationAnswer,
    ModelAnswer,
    SourcesAnswer,
)

COAST = "/v1/zones/241400415"
SHAPES = {
    f"{COAST}/history": HistoryAnswer,
    f"{COAST}/forecasts/2026-07-04/explanation": ExplanationAnswer,
    "/v1/changes": ChangesAnswer,
    "/v1/scoreboard": ScoreboardAnswer,
    "/v1/sources": SourcesAnswer,
    "/v1/model": ModelAnswer,
}


@pytest.mark.parametrize("path", SHAPES)
def test_answers_have_the_documented_shape_and_say_their_run(client, path):
    answer = client.get(path)
    assert answer.status_code == 200
    SHAPES[path].model_validate(answer.json())
    about = answer.json()["metadata"]
    assert about == client.get("/v1/forecasts").json()["metadata"]
    assert about["next_expected_at"] == "2026-07-02T06:05:00Z"
    assert about["label"] == "données simulées"
    again = client.get(path, headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_history_is_what_happened_beside_what_had_been_said(client, past):
    answer = client.get(f"{COAST}/history").json()
    days = {row["target_date"]: row for row in answer["history"]}
    assert answer["zone"] == {"zone_id": "241400415", "zone_name": "Cœur Côte Fleurie"}
    assert list(days) == sorted(days)
    assert max(days) == "2026-06-30"
    record = past.record[past.record["zone_id"] == "241400415"].set_index("target_date")
    one = days["2026-06-20"]
    assert one["observed"] == round(record.loc["2026-06-20", "influx"].iloc[0])
    assert [said["days_before"] for said in one["said"]] == [1, 3, 7]
    assert [said["horizon_days"] for said in one["said"]] == [1, 3, 7]
    assert {said["basis"] for said in one["said"]} == {"issued"}
    exact = record.loc["2026-06-20"]
    exact = exact[(exact["basis"] == "issued") & (exact["horizon_days"] == 3)].iloc[0]
    assert one["said"][1]["influx"] == {
        name: round(exact[f"influx_{name}"]) for name in ("p10", "p50", "p90")
    }
    # Before anything was issued the backtest speaks, once a week: three to nine days before.
    old = days["2026-05-02"]
    assert {said["basis"] for said in old["said"]} == {"backtest"}
    assert all(0 <= s["horizon_days"] - s["days_before"] < 7 for s in old["said"])
    assert days["2026-06-30"]["observed"] is None  # not delivered yet
    assert days["2026-06-30"]["said"]


def test_fewer_than_twenty_persons_are_not_published(client):
    answer = client.get("/v1/zones/200066363/history?from=2026-06-01&to=2026-06-01").json()
    (day,) = answer["history"]
    assert (day["observed"], day["suppressed"]) == (None, True)
    others = client.get("/v1/zones/200066363/history").json()["history"]
    assert sum(row["suppressed"] for row in others) == 1


def test_a_history_is_narrowed_to_days_and_given_as_csv(client):
    period = "from=2026-06-01&to=2026-06-03"
    rows = client.get(f"{COAST}/history?{period}").json()["history"]
    assert [row["target_date"] for row in rows] == ["2026-06-01", "2026-06-02", "2026-06-03"]
    for lines in (
        client.get(f"{COAST}/history.csv?{period}").text.splitlines(),
        client.get(f"{COAST}/history?{period}", headers={"Accept": "text/csv"}).text.splitlines(),
    ):
        assert len(lines) == 4
        assert lines[0].startswith("zone_id,zone_name,target_date,observed,observed_level,influx_")
        assert lines[1].split(",")[3] == str(rows[0]["observed"])
    assert client.get(f"{COAST}/history.csv?locale=fr&{period}").content[:3] == b"\xef\xbb\xbf"


def test_a_zone_of_which_nothing_is_known_has_an_empty_history(client):
    assert client.get("/v1/zones/a%20b%2F%C3%A9/history").json()["history"] == []
    assert client.get("/v1/zones/x/history").status_code == 404


def test_the_scoreboard_counts_what_the_record_holds(client, past):
    answer = client.get("/v1/scoreboard").json()
    assert answer["period"] == {"start": "2025-07-01", "end": "2026-06-30"}
    assert answer["record"]["issued"] > 0
    assert answer["record"]["backtest"] > 300
    scores = {score["zone_id"]: score for score in answer["scores"]}
    assert list(scores) == [None, "241400415", "200066363", "a b/é"]
    one = scores["241400415"]
    assert one["zone_days"] == scores[None]["zone_days"] - scores["200066363"]["zone_days"]
    # Noise of 2,500 beside a band of ± 3,000 and a median off by 1,000.
    assert 0.6 < one["coverage_80"] < 0.9
    assert one["coverage_50"] < one["coverage_80"]
    assert one["wape"] < one["naive"]["wape"]
    assert scores["a b/é"]["zone_days"] == 0
    assert scores["a b/é"]["coverage_80"] is scores["a b/é"]["naive"] is None
    assert scores[None]["wape"] is None  # the third zone is not known: there is no total
    weekend = answer["weekends"][0]
    assert (weekend["start"], weekend["end"]) == ("2026-06-26", "2026-06-28")
    said = weekend["zones"][0]["days"][1]["said"]
    assert (said["origin"], said["horizon_days"]) == ("2026-06-24T06:00:00Z", 3)  # that Wednesday
    assert answer["last_30_days"]["zone_days"] > 40


def test_the_model_card_has_figures_and_says_what_it_is_for(client):
    answer = client.get("/v1/model").json()
    assert answer["model"]["training"] == {"rounds": 300, "seed": 20190101}
    assert answer["model"]["version"] == "7"
    assert "never persons" in answer["model"]["intended_use"]
    whole = answer["backtest"]["scores"][0]
    assert whole["horizon"] == "all"
    assert whole["wape"] < whole["wape_mean4"]
    assert 0.6 < whole["coverage_80"] < 0.9
    assert answer["note"] is None


def test_a_publication_of_an_old_bundle_says_that_there_is_no_record(tmp_path, publish, start):
    publish(tmp_path, past=None, bundle=None)
    server = start()
    board = server.get("/v1/scoreboard").json()
    ScoreboardAnswer.model_validate(board)
    assert "train and promote again" in board["record"]["note"]
    model = server.get("/v1/model").json()
    ModelAnswer.model_validate(model)
    assert model["backtest"] is None
    assert "train and promote again" in model["note"]
    assert server.get(f"{COAST}/history").json()["history"] == []
    weekend = server.get("/v1/forecasts/weekend").json()
    assert {total["interval_method"] for total in weekend["totals"]} == {"comonotone"}


def test_what_is_damaged_on_disk_is_said_and_the_rest_is_served(tmp_path, publish, start):
    home = publish(tmp_path)
    server = start()
    (home / "scoreboard.json").write_bytes(b"{}")
    answer = server.get("/v1/scoreboard")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert answer.json()["type"] == "/docs#stored-unreadable"
    assert str(tmp_path) not in answer.text
    assert "scoreboard.json" in server.log.read_text()
    assert server.get("/v1/forecasts").status_code == 200


def test_an_explanation_repeats_the_forecast(client):
    answer = client.get(f"{COAST}/forecasts/2026-07-04/explanation").json()
    rows = client.get(f"{COAST}/forecasts?from=2026-07-04&to=2026-07-04").json()["forecasts"]
    assert [answer["forecast"]] == rows
    assert answer["change"] is None  # nothing was published before


def test_an_unknown_day_lists_the_valid_ones(client):
    answer = client.get(f"{COAST}/forecasts/2027-01-01/explanation")
    assert (answer.status_code, answer.json()["type"]) == (404, "/docs#unknown-day")
    assert len(answer.json()["errors"][0]["expected"]) == 15
    french = client.get(
        f"{COAST}/forecasts/2027-01-01/explanation", headers={"Accept-Language": "fr"}
    ).json()
    assert french["title"] == "Pas de prévision de ce jour"
    assert client.get(f"{COAST}/forecasts/1.7.2026/explanation").status_code == 422


def test_figures_are_finite_everywhere(client):
    for path in SHAPES:
        json.loads(client.get(path).content, parse_constant=pytest.fail)
