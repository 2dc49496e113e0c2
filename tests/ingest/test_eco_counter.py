"""The Eco-Counter API, replayed: token, sites, counts by day."""

from __future__ import annotations

import json
from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forecast.errors import ProviderError
from forecast.ingest.daily_counts import read_counts
from forecast.ingest.provider import Span
from forecast.ingest.providers.eco_counter import (
    PROVIDER,
    EcoCounterOptions,
    read_sites,
)

SECRETS = {
    "ECO_COUNTER_USER": "la-mairie",
    "ECO_COUNTER_PASSWORD": "s3same",
    "ECO_COUNTER_HASH": "aGFzaA==",
}
SITES = [
    {"id": 100012, "name": "Planches", "latitude": 49.3, "longitude": 0.1, "channels": []},
    {"id": "100013", "name": "Docks", "latitude": "49.7", "longitude": 0.1},
    {"id": 100014, "name": "Paris", "latitude": 48.8, "longitude": 2.3},
    {"id": 100015, "name": "Sans position"},
    {"name": "Sans identifiant"},
    "junk",
]


class Api:
    """The answers of the API: one count a day, the number of the day in the year."""

    def __init__(self, replay) -> None:
        self.replay = replay
        self.down: set[str] = set()
        replay.routes["/token"] = self.token
        replay.routes["/api/site"] = self.sites
        for site in ("100012", "100013"):
            replay.routes[f"/api/data/site/{site}"] = self.data

    def token(self, asked):
        given = dict(part.split("=") for part in asked.body.decode().split("&"))
        good = given == {"grant_type": "password", "username": "la-mairie", "password": "s3same"}
        if not good or asked.headers["authorization"] != "Basic aGFzaA==":
            return self.replay.Answer(
                401, json.dumps({"error": f"wrong password {given['password']}"})
            )
        return self.replay.Answer(body=json.dumps({"access_token": "t0ken", "expires_in": 3600}))

    def sites(self, asked):
        if asked.headers["authorization"] != "Bearer t0ken":
            return self.replay.Answer(401, "{}")
        return self.replay.Answer(body=json.dumps(SITES))

    def data(self, asked):
        site = asked.path.rpartition("/")[2]
        if site in self.down:
            return self.replay.Answer(404, json.dumps({"message": "no such site"}))
        assert asked.query["step"] == "day"
        days = pd.date_range(asked.query["begin"], asked.query["end"], inclusive="left")
        assert 1 <= len(days) <= 100
        rows = [
            {
                "date": day.tz_localize("Europe/Paris").strftime("%Y-%m-%dT%H:%M:%S%z"),
                "counts": None if day.day == 13 else day.day_of_year,
                "status": 4,
            }
            for day in days
        ]
        return self.replay.Answer(body=json.dumps(rows))


@pytest.fixture
def api(replay, monkeypatch) -> Api:
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    return Api(replay)


@pytest.fixture
def options(replay) -> dict[str, object]:
    return {"kind": "eco-counter", "base_url": replay.url, "history_days": 150}


def asked(replay) -> list[str]:
    found = [(r.path, r.query) for r in replay.requests if r.path.startswith("/api/data/site/1000")]
    replay.requests.clear()
    return [f"{path[-2:]} {query['begin'][:10]} {query['end'][:10]}" for path, query in found]


def test_counts_come_by_blocks_and_settled_ones_once(replay, estuary, api, options) -> None:
    """Blocks begin every 100 days from 1970: on 16 February and 27 May of 2026."""
    found = estuary.fetch("2026-07-20T06:00Z", **options)
    assert found.ok, found.errors
    blocks = asked(replay)
    assert blocks == [
        "12 2026-02-16 2026-05-27", "13 2026-02-16 2026-05-27",
        "12 2026-05-27 2026-07-20", "13 2026-05-27 2026-07-20",
    ]  # fmt: skip
    counts = estuary.days("mobility", "count")
    assert counts["01234", "essai:100012", "2026-07-14"] == 195.0
    assert counts["200084952", "essai:100013", "2026-07-19"] == 200.0
    days = {day for _, _, day in counts}
    assert max(days) == "2026-07-19" and min(days) == "2026-02-16"
    assert not any(day.endswith("-13") for day in days), "null is no count"
    assert len(days) == 154 - 5
    assert found.unplaced == {"site 100014": 2, "site 100015": 2}
    assert found.refused_rows == 4 and "/api/site, site 5: there is no id" in found.refused[0]
    again = estuary.fetch("2026-07-21T06:00Z", **options)
    assert again.ok and (again.skipped, again.new) == (1, 2)
    assert asked(replay) == ["12 2026-05-27 2026-07-21", "13 2026-05-27 2026-07-21"]


def test_a_site_that_fails_does_not_stop_the_others_of_the_last_days(
    replay, estuary, api, options
) -> None:
    api.down.add("100012")
    found = estuary.fetch("2026-07-20T06:00Z", since="2026-07-01", **options)
    assert found.ok and found.new == 52
    assert any(
        line.startswith("site 100012: ") and "no such site" in line for line in found.refused
    )
    assert {site for _, site, _ in estuary.days("mobility", "count")} == {"essai:100013"}


def test_a_settled_block_is_stored_whole_or_not(replay, estuary, api, options) -> None:
    api.down.add("100012")
    found = estuary.fetch("2026-07-20T06:00Z", **options)
    assert found.exit_code == 1 and "2026-02-16/2026-05-26" in found.errors[0]
    api.down.clear()
    found = estuary.fetch("2026-07-20T07:00Z", **options)
    assert found.ok and found.skipped == 0
    assert ("01234", "essai:100012", "2026-02-17") in estuary.days("mobility", "count")
    left = estuary.fetch("2026-07-20T08:00Z", name="autre", **options, left_out=["100012"])
    assert left.ok


def test_secrets_are_sent_where_they_belong_and_shown_nowhere(
    replay, estuary, api, options, monkeypatch
) -> None:
    monkeypatch.setenv("ECO_COUNTER_PASSWORD", "wr0ng-password")
    found = estuary.fetch("2026-07-20T06:00Z", **options)
    assert found.exit_code == 1 and "/token: answered 401" in found.errors[0]
    shown = repr(found) + repr(estuary.fetches.attempts())
    for hidden in ("wr0ng-password", "la-mairie", "aGFzaA=="):
        assert hidden not in shown
    assert not any("t0ken" in r.path or "t0ken" in str(r.query) for r in replay.requests)
    monkeypatch.delenv("ECO_COUNTER_HASH")
    found = estuary.fetch("2026-07-20T06:00Z", **options)
    assert found.exit_code == 2 and "ECO_COUNTER_HASH is not set" in found.errors[0]


@pytest.mark.parametrize(
    ("path", "body", "said"),
    [
        ("/token", '{"token": "x"}', "no access_token"),
        ("/token", "<html>", "expected JSON"),
        ("/api/site", '{"sites": []}', "expected a list of sites, found dict"),
        ("/api/data/site/100012", '{"error": 1}', "expected a list of {date, counts}"),
        ("/api/data/site/100012", "[1]", "expected a list of {date, counts}"),
    ],
)
def test_an_api_that_is_another_fails(replay, estuary, api, options, path, body, said) -> None:
    replay.routes[path] = [replay.Answer(body=body)]
    found = estuary.fetch("2026-07-20T06:00Z", **options)
    assert found.exit_code == 1 and said in found.errors[0] and path in found.errors[0]


def test_pieces_are_the_same_whatever_the_span(estuary) -> None:
    estuary.now = pd.Timestamp("2026-07-20T06:00Z")
    setting, options = estuary.setting(), EcoCounterOptions()

    def keys(since: str, until: str) -> list[tuple[str, bool]]:
        span = Span(date.fromisoformat(since), date.fromisoformat(until))
        return [(p.key, p.settled) for p in PROVIDER.pieces(options, span, setting)]

    whole = keys("2025-01-01", "2026-07-20")
    assert whole[-2:] == [("2026-02-16/2026-05-26", True), ("2026-05-27/2026-09-03", False)]
    assert keys("2026-03-01", "2026-03-02") == whole[-2:-1]
    assert keys("2026-07-19", "2026-07-25") == whole[-1:] and keys("2026-09-04", "2026-09-05") == []
    ends = [date.fromisoformat(key.partition("/")[2]) for key, _ in whole]
    starts = [date.fromisoformat(key.partition("/")[0]) for key, _ in whole]
    assert [b - a for a, b in zip(ends, starts[1:], strict=False)] == [timedelta(1)] * (
        len(ends) - 1
    )


@pytest.mark.parametrize(
    ("day", "offset", "wrong"), [("2026-03-29", "+01:00", "+02:00"), ("2026-10-25", "+02:00", "Z")]
)
def test_a_day_on_which_the_clocks_change_begins_at_its_own_midnight(
    day: str, offset: str, wrong: str
) -> None:
    entries = [{"date": f"{day}T00:00:00{offset}", "counts": 5}]
    for written in (entries, [{"date": f"{day}T00:00:00", "counts": 5}]):
        rows, refused = read_counts(written, "Europe/Paris", site="S", name="x")
        assert (rows["date"].tolist(), refused) == ([pd.Timestamp(day)], [])
    entries[0]["date"] = f"{day}T00:00:00{wrong}"
    rows, refused = read_counts(entries, "Europe/Paris", site="S", name="x")
    assert rows.empty
    assert "expected midnight in Europe/Paris" in refused[0]


def test_entries_at_fault_do_not_stop_the_others() -> None:
    found = [
        {"date": "2026-07-14T00:00:00+0200", "counts": 5},
        {"date": "2026-07-15T00:00:00", "counts": 0},
        {"date": "2026-07-16T00:00:00+0200", "counts": None},
        {"date": "2026-07-17T01:00:00+0200", "counts": 5},
        {"date": "2026-07-18T00:00:00+0200", "counts": -5},
        {"date": "2026-07-19T00:00:00+0200", "counts": "many"},
        {"date": "hier", "counts": 1},
        {"counts": 1},
        {"date": "2026-07-20T00:00:00+0200", "counts": 1},
        {"date": "2026-07-20T00:00:00+0200", "counts": 2},
    ]
    rows, refused = read_counts(found, "Europe/Paris", site="1", name="api")
    assert rows["date"].dt.strftime("%d").tolist() == ["14", "15", "16", "20"]
    assert rows["count"].fillna(-1).tolist() == [5.0, 0.0, -1.0, 1.0]
    assert len(refused) == 6 and all("expected" in line or "twice" in line for line in refused)


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "date", "counts", "latitude", "longitude"]), inner)
    ),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None)
@given(values, st.lists(values, max_size=4))
def test_any_json_gives_rows_or_a_provider_error(whole: object, entries: list[object]) -> None:
    pairs = [{"date": entry, "counts": entry} for entry in entries]
    for found in (whole, entries, pairs):
        try:
            rows, _ = read_counts(found, "Europe/Paris", site="1", name="api")
        except ProviderError:
            continue
        assert not (rows["count"] < 0).any() and rows["date"].notna().all()


def test_any_json_gives_sites_or_a_provider_error(estuary) -> None:
    setting = estuary.setting()

    @settings(max_examples=150, deadline=None)
    @given(values, st.lists(values, max_size=4))
    def check(whole: object, entries: list[object]) -> None:
        for found in (whole, entries, [{"id": entry, "latitude": entry} for entry in entries]):
            try:
                sites, _, _ = read_sites(found, EcoCounterOptions(), setting, name="api")
            except ProviderError:
                continue
            assert set(sites.values()) <= {"01234", "200084952"}

    check()
